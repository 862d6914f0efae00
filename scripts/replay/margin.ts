/** What a position needs at the start: the arithmetic of contracts/libraries/Tiers.sol, for planning deposits. */

import { PPM, WHOLE, divCeil, max, min } from "../lib/units.js";

/** The margin tiers of a market, as in contracts/types/MarketConfig.sol. */
export type Tiers = {
  /** Whole settlement units of notional where the first brackets end, rising. */
  readonly caps: readonly number[];
  /** What each bracket is divided by for initial margin, falling; one more than `caps`. */
  readonly leverages: readonly number[];
};

export const DEFAULT_TIERS: Tiers = {
  caps: [1_000_000, 5_000_000, 20_000_000],
  leverages: [50, 20, 10, 5],
};

/** Initial margin by tiers alone, each part of the notional at its own bracket's rate. Rounded up. */
export function tierMarginUp(notional: bigint, tiers: Tiers): bigint {
  let margin = 0n;
  let from = 0n;
  for (const [bracket, leverage] of tiers.leverages.entries()) {
    const cap = tiers.caps[bracket];
    const to = cap === undefined ? notional : min(notional, BigInt(cap) * WHOLE);
    if (to > from) margin += divCeil(to - from, BigInt(leverage));
    from = max(from, to);
  }
  return margin;
}

/** Initial margin of a position at a chosen leverage. Rounded up. */
export function initialMarginUp(notional: bigint, leverage: number, tiers: Tiers): bigint {
  return max(divCeil(notional, BigInt(leverage)), tierMarginUp(notional, tiers));
}

/** Maintenance margin: half of the tiers' initial margin. Rounded up. */
export function maintenanceMarginUp(notional: bigint, tiers: Tiers): bigint {
  return divCeil(tierMarginUp(notional, tiers), 2n);
}

/** A rate in parts per million of an amount. Rounded up. */
export function feeUp(amount: bigint, rate: bigint): bigint {
  return divCeil(amount * rate, PPM);
}
