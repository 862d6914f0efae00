import type { NaiveBook } from "../BookModel.js";
import type { Tier } from "../model/margin.js";
import type { AccountId, MarketId, Side, State } from "../model/types.js";
import type { Staking } from "./fund.js";

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
/** Quote of one settlement unit. */
export const WHOLE = 10n ** 18n;
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
  /** Lots, as far as it has grown. */
  readonly openInterestCap: bigint;
  /** Seconds in which a cap would grow from nothing. */
  readonly capRamp: bigint;
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
  readonly lotDecimals: bigint;
  readonly maxJump: bigint;
  readonly maxPending: bigint;
  readonly maxSpread: bigint;
  readonly maxDeviation: bigint;
  readonly premiumWindow: bigint;
  readonly sampleInterval: bigint;
  readonly impactNotional: bigint;
  readonly lastTradeFor: bigint;
  readonly maxFunding: bigint;
  readonly interest: bigint;
  readonly maxAccrual: bigint;
  readonly volatilityFactor: bigint;
  readonly volatilityHorizon: bigint;
  readonly volatilityWindow: bigint;
  /** Tenths. */
  readonly concentration: bigint;
  /** Percent of the cap. */
  readonly crowdingFrom: bigint;
  readonly topShare: bigint;
  readonly move: bigint;
  readonly drawdownLimit: bigint;
  readonly windWindow: bigint;
  readonly maxDead: bigint;
};

export type Grade = "dead" | "aged" | "fresh";

/** What a source of prices says: 18 decimals for one base unit, and when it was so. */
export type Source = { readonly price: bigint; readonly publishTime: bigint };

/** What every call of a block finds; mark and funding stand in the core's market. Prices are quote per lot. */
export type Prices = {
  index: bigint;
  grade: Grade;
  publishTime: bigint;
  /** The price of a jump that waits, and since when; 0 while none does. */
  waiting: bigint;
  waitingSince: bigint;
  /** Since when it is fresh without a break. */
  freshSince: bigint;
  /** When the rest was last brought up to date. */
  refreshed: bigint;
  /** Average of (impact mid − index). */
  premium: bigint;
  /** Impact prices at the last sample, ticks · 2^8. */
  bid: bigint;
  ask: bigint;
  sampled: bigint;
  /** The last trade that counts. */
  lastTick: bigint;
  lastTradeTime: bigint;
  /** Of returns, per second, scale 10^24. */
  variance: bigint;
  varianceIndex: bigint;
  varianceSampled: bigint;
  /** 0.01 % of notional. */
  volatilityRate: bigint;
};

/** Drawdown in 10^-9 of the fund. */
export type Bucket = { wave: bigint; day: bigint; since: bigint; drawdown: bigint };

/** A market that is wound down: index times seconds since `from`, up to when it was last seen. */
export type Wind = {
  readonly from: bigint;
  readonly until: bigint;
  readonly seen: bigint;
  readonly sum: bigint;
};

export type Growth = { readonly full: bigint; readonly since: bigint };

export type Venue = {
  readonly id: MarketId;
  config: Config;
  /** What the cap grows to, lots, and when it last did; 0 if it does not. */
  growth: Growth;
  readonly book: NaiveBook;
  readonly prices: Prices;
  sources: readonly Source[];
  /** Paid by traders and not shared out yet. */
  fees: bigint;
  /** Cohorts whose bond is held. */
  bonds: bigint;
  /** What this market asks of the fund, quote. */
  fundTarget: bigint;
  /** An event left something that nobody could pay. */
  reduceOnly: boolean;
  /** It drew so much of the fund that it only shrinks for a while. */
  isDrawnDown: boolean;
  wind: Wind | undefined;
  /** It has its last price. */
  isEnded: boolean;
  /** Lots, as margin knows them. */
  openInterest: bigint;
  bucket: Bucket;
};

/** A position in whole numbers. */
export type Whole = { readonly lots: bigint; readonly cost: bigint };

/** What a running clock stands for in the fund's eyes: the maintenance margin with which it started, in micro units. */
export type Clock = { readonly since: bigint; readonly distress: bigint };

/** The tokens of all, see vault.ts. */
export type Vault = {
  readonly share: bigint;
  readonly floor: bigint;
  reserve: bigint;
  room: bigint;
  since: bigint;
  /** What those who wait are owed, first asked first paid. */
  readonly line: bigint[];
  /** Numbers of the first who waits and of the next who will. */
  first: bigint;
  next: bigint;
  /** By owner. */
  readonly netDeposits: Map<string, bigint>;
};

export type Exchange = {
  readonly core: State;
  readonly vault: Vault;
  readonly staking: Staking;
  readonly owners: ReadonlyMap<AccountId, string>;
  /** Who may stake in the fund. */
  readonly stakers: readonly string[];
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

/** Whether nobody may grow in a market. */
export function onlyShrinks({ reduceOnly, isDrawnDown, wind }: Venue): boolean {
  return reduceOnly || isDrawnDown || wind !== undefined;
}

export function viewKey(id: AccountId, market: MarketId): string {
  return `${id}/${market}`;
}

/* NUMBERS */

export const least = (a: bigint, b: bigint) => (a < b ? a : b);
export const most = (a: bigint, b: bigint) => (a > b ? a : b);
export const absolute = (a: bigint) => (a < 0n ? -a : a);
export const atLeastZero = (a: bigint) => (a > 0n ? a : 0n);

export const clamp = (a: bigint, low: bigint, high: bigint) => least(most(a, low), high);

/** Towards −∞. The divisor is positive. */
export function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a < 0n && quotient * b !== a ? quotient - 1n : quotient;
}

/** Towards +∞. */
export function ceilDiv(a: bigint, b: bigint): bigint {
  return -floorDiv(-a, b);
}

/** ⌊√value⌋. */
export function rootFloor(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.floor(value.toString(2).length / 2) + 1);
  for (;;) {
    const next = (root + value / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}

/** Bits behind the point while an exponential is worked out: far more than the 18 decimals that are wanted. */
const PRECISION = 256n;

/** ⌊e^(−elapsed / window)⌋, scale 10^18, with the exponent rounded to that scale first. */
export function decay(elapsed: bigint, window: bigint): bigint {
  const exponent = (elapsed * WHOLE) / window;
  // Beyond this it is below 10^-18.
  if (exponent > 42n * WHOLE) return 0n;
  const one = 1n << PRECISION;
  // e^−x = (e^−(x / 2^8))^(2^8): a small exponent, whose series ends soon.
  const small = (exponent << PRECISION) / (WHOLE << 8n);
  let [term, series] = [one, one];
  for (let i = 1n; term !== 0n; i++) {
    term = (term * small) / (i * one);
    series += i % 2n === 0n ? term : -term;
  }
  for (let i = 0; i < 8; i++) series = (series * series) >> PRECISION;
  return (series * WHOLE) >> PRECISION;
}

/** The book counts sides as the contracts do. */
export const bookSide = (side: Side): bigint => (side === 1n ? 0n : 1n);
export const opposite = (side: Side): Side => (side === 1n ? -1n : 1n);
