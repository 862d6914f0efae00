/*
 * What a tick can decide. A skip is a decision too, and has a reason.
 */

export type WorkKind =
  "liquidate" | "deleverage" | "takeover" | "continueEvent" | "poke" | "release" | "noteIncome";

export type SkipReason =
  | "flat"
  | "ownAccount"
  | "healthy"
  | "healthyAtIndex"
  | "healthyAtPending"
  | "backoff"
  | "noBids"
  | "noAccount"
  | "clockNotStarted"
  | "noMarket"
  | "eventPending"
  | "reduceOnly"
  | "ended"
  | "noPrice"
  | "noZeroPrice"
  | "notProfitable"
  | "noMargin"
  | "tooSmall"
  | "noEvent"
  | "nothingWaits"
  | "noRoom"
  | "noFund"
  | "noIncome"
  | "unused"
  | "recent"
  | "never";

export type Liquidate = {
  readonly kind: "liquidate";
  readonly account: number;
  readonly missing: bigint;
  readonly cause: "startsClock" | "inBook" | "clearsClock";
};
export type Deleverage = {
  readonly kind: "deleverage";
  readonly account: number;
  readonly missing: bigint;
  /** `ended`: nothing is wrong with the account, but it holds a position in a market that is over. */
  readonly cause: "insolvent" | "expired" | "ended";
};
export type Takeover = {
  readonly kind: "takeover";
  readonly account: number;
  readonly to: number;
  readonly market: number;
  readonly lots: bigint;
  /** The keeper's bound, quote per lot. */
  readonly worstPrice: bigint;
};
type ContinueEvent = { readonly kind: "continueEvent"; readonly market: number };
type Poke = {
  readonly kind: "poke";
  readonly market: number;
  readonly cause: "stale" | "waiting" | "dues";
};
type Release = { readonly kind: "release"; readonly amount: bigint };
/** Subject is the ledger account of the fund. */
type NoteIncome = { readonly kind: "noteIncome"; readonly income: bigint };
export type Skip = {
  readonly kind: "skip";
  readonly from: WorkKind | "account";
  readonly subject: number;
  readonly reason: SkipReason;
};
export type Decision =
  NoteIncome | Liquidate | Deleverage | Takeover | ContinueEvent | Poke | Release | Skip;

export function skip(from: Skip["from"], subject: number, reason: SkipReason): Skip {
  return { kind: "skip", from, subject, reason };
}
