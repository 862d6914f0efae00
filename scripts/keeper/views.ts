/*
 * What the keeper knows of the exchange, all of it as of one block. Money is quote (1e-18 of a settlement unit), prices are
 * quote per lot, times are unix seconds, rates are parts per million.
 */

/** The block that everything is read at, and the time that the next block will have at least. */
export type Head = {
  readonly number: number;
  readonly timestamp: bigint;
  readonly now: bigint;
};

export type AccountView = {
  readonly account: number;
  readonly owner: string;
  /** When the clock of a forced sale started, 0 while none runs. */
  readonly clock: bigint;
  readonly equity: bigint;
  readonly maintenance: bigint;
  readonly equityAtIndex: bigint;
  readonly maintenanceAtIndex: bigint;
  /** With a market whose jump waits at the price that waits. */
  readonly equityAtPending: bigint;
  readonly maintenanceAtPending: bigint;
  /** Equity that counts for initial margin. */
  readonly prudent: bigint;
  readonly initial: bigint;
  readonly notional: bigint;
};

/** The vault's queue, in token units. */
export type OutflowView = {
  readonly waiting: bigint;
  /** What a call of `release` would pay now. */
  readonly releasable: bigint;
  /** What can leave in an hour. */
  readonly rate: bigint;
};

/** The insurance fund, which streams its income from the moment that somebody notes it. */
export type FundView = {
  /** Ledger account 1, quote. */
  readonly held: bigint;
  /** The same when it was last noted; deposits and exits note it too. */
  readonly noted: bigint;
  readonly notedAt: bigint;
};

export type Side = "long" | "short";

export type PositionView = {
  readonly account: number;
  readonly market: number;
  readonly side: Side;
  readonly lots: bigint;
  /** 0 if there is none. */
  readonly zeroPrice: bigint;
};

export type Grade = "dead" | "aged" | "fresh";

export type MarketView = {
  readonly market: number;
  readonly mark: bigint;
  /** Quote per lot and tick. */
  readonly unit: bigint;
  /** Ticks, 0 if there is none. */
  readonly bestBid: bigint;
  readonly bestAsk: bigint;
  /** How far from mark fills may be. */
  readonly band: bigint;
  readonly grade: Grade;
  readonly refreshed: bigint;
  /** Since when the grade is fresh without a break. */
  readonly freshSince: bigint;
  /** When a jump of the index began to wait, 0 if none does. */
  readonly pendingSince: bigint;
  readonly openInterest: bigint;
  /** An event waits to be continued. */
  readonly hasEvent: boolean;
  readonly isReduceOnly: boolean;
  /** It has its last price, at which `deleverage` closes every position. */
  readonly isEnded: boolean;
  /**
   * What a poke would move in a market that has ended, quote: fees that nobody shared out, and what fresh profit covers of its
   * shortfall once all positions are closed.
   */
  readonly dues: bigint;
  /** The least notional of a position, quote. */
  readonly minNotional: bigint;
  readonly slip0: bigint;
  /** Seconds that the limit of a forced sale takes to the zero price. */
  readonly clock: bigint;
};
