import { cohortName, LEVERAGES, LONG, signOf } from "./keys.js";
import type { SideIndex } from "./keys.js";

/*
 * The order of the queue and the split of a whole by weight, as contracts/libraries/Queue.sol and Shares.sol have them, here
 * by sorting everything.
 */

/** Edges of price classes are exact with this many fractional bits. */
const EDGE_BITS = 22n;
const HAIRCUT_BITS = 54n;

/** Where scores come from. */
export type Quote = {
  /** Quote per lot. */
  readonly mark: bigint;
  /** Quote per lot and tick. */
  readonly unit: bigint;
};

/** The edge of a class that is nearest to a winning mark, quote per lot, scale 2^22. */
export function nearEdge(unit: bigint, side: SideIndex, priceClass: number): bigint {
  const exponent = BigInt(Math.floor(priceClass / 64));
  const mantissa = BigInt(64 + (priceClass % 64) + (side === LONG ? 1 : 0));
  return (mantissa << exponent) * unit;
}

/** Lots times what even the least profitable member has per lot, whole quote; 0 if there is none. */
export function guaranteedProfit(
  { mark, unit }: Quote,
  side: SideIndex,
  held: { readonly priceClass: number; readonly lots: bigint; readonly haircut: bigint },
): bigint {
  const edge = nearEdge(unit, side, held.priceClass) << (HAIRCUT_BITS - EDGE_BITS);
  const perLot = signOf(side) * ((mark << HAIRCUT_BITS) - edge) - held.haircut;
  return perLot > 0n ? (held.lots * perLot) >> HAIRCUT_BITS : 0n;
}

/** Cohort keys of one side, front first: by leverage · return since the class's edge, then by leverage, then by class. */
export function queueOrder({ mark, unit }: Quote, cohorts: Iterable<number>): number[] {
  const ranked = [...cohorts].map((key) => {
    const { side, leverage, priceClass } = cohortName(key);
    const edge = nearEdge(unit, side, priceClass);
    const gain = signOf(side) * ((mark << EDGE_BITS) - edge) * (LEVERAGES[leverage] ?? 0n);
    return { key, side, leverage, priceClass, edge, gain };
  });
  ranked.sort((a, b) => {
    // a.gain / a.edge against b.gain / b.edge.
    const [left, right] = [a.gain * b.edge, b.gain * a.edge];
    if (left !== right) return left > right ? -1 : 1;
    if (a.leverage !== b.leverage) return b.leverage - a.leverage;
    return a.side === LONG ? a.priceClass - b.priceClass : b.priceClass - a.priceClass;
  });
  return ranked.map(({ key }) => key);
}

/** Price classes of one side in rank order. */
export function classOrder(side: SideIndex, classes: Iterable<number>): number[] {
  return [...classes].sort((a, b) => (side === LONG ? a - b : b - a));
}

/** Shares of a whole by weight, in whole numbers whose sum is the whole: differences of floored cumulative shares. */
export function splitByWeight(amount: bigint, weights: readonly bigint[]): bigint[] {
  const whole = weights.reduce((total, weight) => total + weight, 0n);
  let [cumulative, given] = [0n, 0n];
  return weights.map((weight) => {
    cumulative += weight;
    const upToHere = whole === 0n ? 0n : (amount * cumulative) / whole;
    const share = upToHere - given;
    given = upToHere;
    return share;
  });
}
