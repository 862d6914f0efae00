import type { Struct } from "./layout.js";
import { zero } from "./words.js";

/*
 * The state of the exchange in memory, whether read from storage or rebuilt from events. Everything is a bigint in the
 * unit that contracts/types/State.sol gives; keys are numbers as in keys.ts. A map has no entry for a word that is zero.
 */

export type Account = Struct<"Account">;
export type Money = Struct<"Money">;
export type Position = Struct<"Position">;
export type Cohort = Struct<"Cohort">;
export type Checkpoint = Struct<"Checkpoint">;
export type PriceClass = Struct<"PriceClass">;
export type FreshSide = Struct<"FreshSide">;
export type FreshRecord = Struct<"FreshRecord">;
export type Resting = Struct<"Resting">;
export type Order = Struct<"Order">;
export type Level = Struct<"Level">;
export type MarketConfig = Struct<"MarketConfig">;

export type Pending = {
  head: Struct<"EventSlot">;
  /** By the side that pays and is cut. */
  readonly sides: [Struct<"EventSide">, Struct<"EventSide">];
};

export type MarketState = {
  price: Struct<"MarkSlot">;
  book: Struct<"BookSlot">;
  sample: Struct<"SampleSlot">;
  flow: Struct<"FlowSlot">;
  pool: Struct<"PoolSlot">;
  config: MarketConfig;
  dust: Struct<"DustSlot">;
  bucket: Struct<"BucketSlot">;
  charges: Struct<"ChargeSlot">;
  fresh: [FreshSide, FreshSide];
  volatility: Struct<"VolatilitySlot">;
  caps: Struct<"CapSlot">;
  wind: Struct<"WindSlot">;
  readonly pending: Pending;
  /** By account. */
  readonly positions: Map<number, Position>;
  readonly resting: Map<number, Resting>;
  readonly freshRecords: Map<number, FreshRecord>;
  /** By order id; live and dead orders, no free slots. */
  readonly orders: Map<number, Order>;
  /** By level key. */
  readonly levels: Map<number, Level>;
  /** By `tickWordKey`. */
  readonly ticks: Map<number, bigint>;
  /** By cohort key. */
  readonly cohorts: Map<number, Cohort>;
  /** By checkpoint key. */
  readonly checkpoints: Map<number, Checkpoint>;
  /** By class key. */
  readonly classes: Map<number, PriceClass>;
  /** By side << 8 | leverage class << 4 | word; leverage class 8 is the side's summary. */
  readonly occupied: Map<number, bigint>;
  /** By `freshMarkKey`. */
  readonly freshMarks: Map<number, Struct<"FreshMark">>;
};

export type State = {
  header: Struct<"Header">;
  drawn: Struct<"FundSlot">;
  distress: Struct<"DistressSlot">;
  readonly accounts: Map<number, Account>;
  readonly money: Map<number, Money>;
  /** By `operatorKey`. */
  readonly operators: Map<string, Struct<"Operator">>;
  /** By `nonceKey`. */
  readonly nonces: Map<string, bigint>;
  /** By market id. */
  readonly markets: Map<number, MarketState>;
};

export function emptyState(): State {
  return {
    header: zero("Header"),
    drawn: zero("FundSlot"),
    distress: zero("DistressSlot"),
    accounts: new Map(),
    money: new Map(),
    operators: new Map(),
    nonces: new Map(),
    markets: new Map(),
  };
}

export function emptyMarket(): MarketState {
  return {
    price: zero("MarkSlot"),
    book: zero("BookSlot"),
    sample: zero("SampleSlot"),
    flow: zero("FlowSlot"),
    pool: zero("PoolSlot"),
    config: zero("MarketConfig"),
    dust: zero("DustSlot"),
    bucket: zero("BucketSlot"),
    charges: zero("ChargeSlot"),
    fresh: [zero("FreshSide"), zero("FreshSide")],
    volatility: zero("VolatilitySlot"),
    caps: zero("CapSlot"),
    wind: zero("WindSlot"),
    pending: { head: zero("EventSlot"), sides: [zero("EventSide"), zero("EventSide")] },
    positions: new Map(),
    resting: new Map(),
    freshRecords: new Map(),
    orders: new Map(),
    levels: new Map(),
    ticks: new Map(),
    cohorts: new Map(),
    checkpoints: new Map(),
    classes: new Map(),
    occupied: new Map(),
    freshMarks: new Map(),
  };
}

/** A deep copy: nothing is shared with the original. */
export function copyState(state: State): State {
  return structuredClone(state);
}

export function operatorKey(account: number, operator: string): string {
  return `${account}/${operator.toLowerCase()}`;
}

/** @param word Nonces come 256 to a word. */
export function nonceKey(owner: string, word: bigint): string {
  return `${owner.toLowerCase()}/${word}`;
}

/** Leaves are words 0 to 2^16 − 1 of a side, the middle words follow, the root is word 2^17. */
export function tickWordKey(side: number, word: number): number {
  return side * 2 ** 18 + word;
}

export function freshMarkKey(side: number, epoch: number): number {
  return side * 2 ** 32 + epoch;
}
