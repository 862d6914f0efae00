import type { NaiveBook } from "../BookModel.js";
import type { Tier } from "../model/margin.js";
import type { AccountId, MarketId, Side, State } from "../model/types.js";

/*
 * THE REFERENCE MODEL OF THE EXCHANGE
 *
 * The exchange's rules once more, without anything that makes them cheap: orders are one list in the order of their arrival, events
 * are applied to everyone at once, fractions are exact. Nothing here is shared with the contracts or their scripts.
 *
 *   core    accounts, positions, cohorts, fresh profit: ../model
 *   venues  what else a market has: orders, prices, fees
 *   views   what a position will settle to, after an event: whole numbers, as said by whoever drives the model, who has
 *           checked that they are what is exact, but for the named dust
 *
 * Units are the exchange's: lots, ticks, quote (10^-18 of a settlement unit), ppm, seconds.
 */

export const PPM = 1_000_000n;
export const MICRO = 10n ** 12n;
export const LEVERAGES = [1n, 2n, 3n, 5n, 10n, 20n, 50n, 100n] as const;
export const FILLS = 100n;

export type Config = {
  readonly unit: bigint;
  readonly tiers: readonly Tier[];
  readonly minNotional: bigint;
  readonly makerFee: bigint;
  readonly takerFee: bigint;
  readonly band: bigint;
  /** Lots. */
  readonly openInterestCap: bigint;
  /** Percent of it. */
  readonly accountShare: bigint;
  readonly maxLeverageClass: number;
  readonly defaultLeverageClass: number;
  /** Quote. */
  readonly cohortBond: bigint;
  readonly freshEpoch: bigint;
  readonly classDelay: bigint;
  readonly freshFor: bigint;
  readonly agedFor: bigint;
  readonly slip0: bigint;
  readonly clock: bigint;
  readonly liqSlip: bigint;
  readonly penalty: bigint;
  readonly callerShare: bigint;
  readonly eventBudget: bigint;
  readonly dayBudget: bigint;
  readonly marketShare: bigint;
  readonly fundTarget: bigint;
};

export type Grade = "dead" | "aged" | "fresh";

/** What every call of a block finds; mark and funding stand in the core's market. */
export type Prices = {
  readonly index: bigint;
  readonly grade: Grade;
  readonly publishTime: bigint;
  readonly freshSince: bigint;
};

export type Bucket = { wave: bigint; day: bigint; since: bigint };

export type Venue = {
  readonly id: MarketId;
  readonly config: Config;
  readonly book: NaiveBook;
  prices: Prices;
  /** Paid by traders and not shared out yet. */
  fees: bigint;
  /** Cohorts whose bond is held. */
  bonds: bigint;
  /** What this market asks of the fund, quote. */
  fundTarget: bigint;
  /** An event left something that nobody could pay. */
  reduceOnly: boolean;
  bucket: Bucket;
};

/** A position in whole numbers. */
export type Whole = { readonly lots: bigint; readonly cost: bigint };

/** What a running clock stands for in the fund's eyes: the maintenance margin with which it started, in micro units. */
export type Clock = { readonly since: bigint; readonly distress: bigint };

export type Exchange = {
  readonly core: State;
  readonly owners: ReadonlyMap<AccountId, string>;
  readonly venues: ReadonlyMap<MarketId, Venue>;
  readonly views: Map<string, Whole>;
  readonly clocks: Map<AccountId, Clock>;
  /** Ppm of fees that the fund gets when it is full. */
  readonly fundShare: bigint;
  /** Quote of one unit of the token. */
  readonly tokenScale: bigint;
  /**
   * By market and side that pays: micro units by which the exchange's total of fresh profit is below the sum over accounts, both being
   * rounded down. Observed before an event.
   */
  readonly freshGaps: Map<string, bigint>;
  /** When the last clock was started. */
  distressSince: bigint;
  drawn: { amount: bigint; size: bigint; since: bigint };
};

/** The exchange refuses the call with the error of this name. */
export class Refused extends Error {
  constructor(readonly error: string) {
    super(error);
    this.name = "Refused";
  }
}

export function refuseUnless(condition: boolean, error: string): asserts condition {
  if (!condition) throw new Refused(error);
}

export function venueOf(x: Exchange, id: MarketId): Venue {
  const venue = x.venues.get(id);
  if (venue === undefined) throw new RangeError(`market ${id} is listed`);
  return venue;
}

export function viewKey(id: AccountId, market: MarketId): string {
  return `${id}/${market}`;
}

/* NUMBERS */

export const least = (a: bigint, b: bigint) => (a < b ? a : b);
export const most = (a: bigint, b: bigint) => (a > b ? a : b);
export const absolute = (a: bigint) => (a < 0n ? -a : a);
export const atLeastZero = (a: bigint) => (a > 0n ? a : 0n);

/** Towards −∞. The divisor is positive. */
export function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a < 0n && quotient * b !== a ? quotient - 1n : quotient;
}

/** Towards +∞. */
export function ceilDiv(a: bigint, b: bigint): bigint {
  return -floorDiv(-a, b);
}

/** The book counts sides as the contracts do. */
export const bookSide = (side: Side): bigint => (side === 1n ? 0n : 1n);
export const opposite = (side: Side): Side => (side === 1n ? -1n : 1n);
