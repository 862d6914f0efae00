/**
 * What a run leaves behind: plain data, in the order it happened. The runner fills it, the metrics, the table and the report read
 * it, and nothing in it depends on the machine or on the time of day. Money and prices are quote (18 decimals), sizes
 * are lots, times are unix seconds of the chain.
 */

import type { Scale } from "./path.js";
import type { Side } from "./population.js";
import type { Rule } from "./scenario.js";

export type Setting = {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly seed: number;
  readonly rule: Rule;
  readonly scale: Scale;
  readonly accountsPerSide: number;
  /** Name of the candle file, without its folder. */
  readonly candles?: string;
  /** Name and value of the market's parameters, as listed. */
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
};

export type Role = "trader" | "maker";

export type AccountRecord = {
  readonly account: number;
  readonly role: Role;
  readonly isHedge: boolean;
  /** 0 for a market maker: it has no side of its own. */
  readonly leverage: number;
  /** By size among its side, 1 to 10; 0 for a market maker. */
  readonly decile: number;
  /** All that was paid in, quote. */
  readonly deposited: bigint;
  readonly start: Holding;
  /** After the last step that had an event; equal to `start` if none had. */
  readonly atLastEvent: Holding;
  readonly end: Holding;
};

/** A position and equity at mark. `lots` is 0 if there is no position; then side and entry mean nothing. */
export type Holding = {
  readonly side: Side;
  readonly lots: bigint;
  /** Average entry, quote per lot. */
  readonly entry: bigint;
  readonly equity: bigint;
};

/** The market after one price update, when keepers had their time. */
export type StepRecord = {
  readonly step: number;
  /** On the chain. */
  readonly time: number;
  /** Of the price in the real world, unix seconds. */
  readonly sourceTime: number;
  readonly isMove: boolean;
  /** Quote per lot. */
  readonly index: bigint;
  readonly mark: bigint;
  /** Lots on each side. */
  readonly openInterest: bigint;
  readonly fund: bigint;
  readonly shortfall: bigint;
  /** Accounts right after the price came, before anyone acted. */
  readonly belowMaintenance: number;
  readonly insolvent: number;
  /** The same when the step ended. */
  readonly belowMaintenanceLeft: number;
  readonly insolventLeft: number;
  /** Seconds until no account was insolvent any more; 0 if none was; undefined if some still are. */
  readonly secondsToSolvency: number | undefined;
};

/** A forced sale, into the book or to an account. */
export type LiquidationRecord = {
  readonly step: number;
  readonly time: number;
  readonly account: number;
  /** 0 for the book. */
  readonly buyer: number;
  readonly side: Side;
  readonly lots: bigint;
  readonly quote: bigint;
  readonly mark: bigint;
};

export type CohortCutRecord = {
  readonly cohort: number;
  readonly side: Side;
  readonly leverage: number;
  /** Edges of the entry-price class, quote per lot. */
  readonly from: bigint;
  readonly to: bigint;
  readonly lotsBefore: bigint;
  readonly lots: bigint;
  readonly members: number;
  readonly discount: bigint;
};

/** One market side of one deleveraging. Money as in IExchangeEvents.DeleverageReceipt. */
export type EventRecord = {
  readonly id: number;
  /** The event that caused this one, 0 if none did. */
  readonly parent: number;
  readonly step: number;
  readonly time: number;
  /** Of those who pay and are cut. */
  readonly side: Side;
  readonly mark: bigint;
  readonly named: number;
  readonly lots: bigint;
  readonly bookLots: bigint;
  readonly dustLots: bigint;
  readonly queueLots: bigint;
  readonly deficit: bigint;
  readonly fundBefore: bigint;
  readonly fundWithin: bigint;
  readonly base: bigint;
  readonly haircut: bigint;
  readonly freshCharge: bigint;
  readonly discount: bigint;
  readonly fundBeyond: bigint;
  readonly principal: bigint;
  readonly shortfall: bigint;
  readonly priceClasses: number;
  readonly cuts: readonly CohortCutRecord[];
  readonly gas: number;
  readonly transactions: number;
};

/** What one account lost in one event, measured as the fall of its equity at the event's mark. */
export type LossRecord = {
  readonly event: number;
  readonly account: number;
  readonly side: Side;
  readonly lotsBefore: bigint;
  readonly lotsClosed: bigint;
  /** Price profit before the event, at its mark. */
  readonly profit: bigint;
  readonly taken: bigint;
};

/** An account that was closed in an event. */
export type ClosedRecord = {
  readonly event: number;
  readonly account: number;
  readonly side: Side;
  readonly lots: bigint;
  readonly mark: bigint;
  readonly deficit: bigint;
};

export const CALLS = [
  "price",
  "open",
  "trade",
  "quote",
  "liquidate",
  "deleverage",
  "takeover",
  "continueEvent",
  "poke",
  "release",
  "settle",
  "noteIncome",
] as const;
export type Call = (typeof CALLS)[number];

export type TransactionRecord = {
  readonly step: number;
  readonly call: Call;
  /** Accounts named in the call, 0 if it names none. */
  readonly accounts: number;
  readonly gas: number;
};

/** One cohort of the side that was cut, in queue order at the mark of the crash's end. */
export type QueueRecord = {
  readonly cohort: number;
  readonly side: Side;
  readonly leverage: number;
  readonly from: bigint;
  readonly to: bigint;
  readonly members: number;
  readonly lotsBefore: bigint;
  readonly lotsAfter: bigint;
};

export type InvariantRecord = {
  readonly id: string;
  readonly text: string;
  readonly checks: number;
  /** What was found broken, in words. */
  readonly failures: readonly string[];
};

export type RunRecord = {
  readonly setting: Setting;
  readonly accounts: readonly AccountRecord[];
  readonly steps: readonly StepRecord[];
  readonly liquidations: readonly LiquidationRecord[];
  readonly events: readonly EventRecord[];
  readonly losses: readonly LossRecord[];
  readonly closed: readonly ClosedRecord[];
  readonly transactions: readonly TransactionRecord[];
  readonly queue: readonly QueueRecord[];
  readonly invariants: readonly InvariantRecord[];
};

export function isWhole(record: RunRecord): boolean {
  return record.invariants.every(({ failures }) => failures.length === 0);
}

/** As JSON: integers beyond 2^53 become strings. The same record gives the same text. */
export function toJson(record: RunRecord): string {
  return `${JSON.stringify(record, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value), 1)}\n`;
}
