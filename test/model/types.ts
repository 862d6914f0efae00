import type { Rational } from "./rational.js";

/*
 * The state of the eager reference model. Words and units are the exchange's: lots are
 * the smallest base amount, money is quote wei, prices are quote wei per lot, entries are ticks · 2^16.
 * `cost` is the funding-free cost of a position (Σ lots · (price − F) of its fills, plus haircuts for a
 * long, minus haircuts for a short), so its value is side · (lots · (mark − F) − cost).
 */

export type AccountId = number;
export type MarketId = number;

/** +1 long, −1 short. */
export type Side = 1n | -1n;

export type QuantityRule = "Front" | "ProRata";
export type DeficitRule = "Winners" | "Queue";

/** Lots and their cost, owned together. Between touches both may be fractions. */
export type Lots = { lots: Rational; cost: Rational };

export type Position = Lots & {
  readonly side: Side;
  /** Average entry in ticks · 2^16; for rank and price profit, never for money. */
  entry: bigint;
  /** Index into the leverage table: the ADL class in force. */
  leverageClass: number;
  /** Haircuts and principal charges since the position was opened, in wei. */
  haircut: Rational;
};

/** A position, or the dust of a cohort, which remembers no haircuts. */
export type Held = Lots & { haircut?: Rational };

/** All positions of one market, side, leverage and price class. Its Q and V are the sums over both fields. */
export type Cohort = {
  readonly side: Side;
  readonly leverageClass: number;
  readonly priceClass: number;
  readonly members: Set<AccountId>;
  /** What touches left behind by rounding lots down. */
  readonly dust: Lots;
};

/** Realised profit that still pays haircuts and cannot be withdrawn. */
export type Fresh = { side: Side; current: Rational; previous: Rational };

export type Market = {
  readonly id: MarketId;
  /** Quote wei of one tick and one lot. */
  readonly unit: bigint;
  /** Quote wei per lot. */
  mark: bigint;
  /** F: what longs have paid per lot since listing; scale 2^32. */
  funding: bigint;
  /** A dead market keeps its positions through `deleverage`. */
  live: boolean;
  /** The principal charge of one event is at most mark × this per lot; without it there is no limit. */
  principalRate: Rational | undefined;
  quantity: QuantityRule;
  deficit: DeficitRule;
  readonly cohorts: Map<string, Cohort>;
  /** U: haircut per lot still held since the price class was last without lots, by `classKey`. */
  readonly given: Map<string, Rational>;
  /** Lots of cohorts that lost their last member: a real position of ledger account 3. */
  readonly dust: { readonly long: Lots; readonly short: Lots };
  /** The number of the fresh-profit epoch; whoever drives the model decides when it advances. */
  freshEpoch: bigint;
  shortfall: Rational;
};

export type PendingClass = { readonly leverageClass: number; readonly delay: bigint; at: bigint };

export type Account = {
  /** May be negative while fresh or unrealised profit stands against it. */
  balance: Rational;
  readonly positions: Map<MarketId, Position>;
  /** The chosen leverage: sets the initial margin, and the class of a new position. */
  readonly leverage: Map<MarketId, number>;
  readonly pending: Map<MarketId, PendingClass>;
  readonly fresh: Map<MarketId, Fresh>;
};

export type Options = {
  readonly leverageTable: readonly bigint[];
  readonly defaultLeverageClass: number;
  /**
   * How money is split over markets, price classes and cohorts: `exact` as fractions, or `whole` as the
   * contracts do it, in wei with cumulative floors. Inside a cohort it is always exact.
   */
  readonly shares: "exact" | "whole";
  /** Realised profit is fresh in multiples of this many wei; without it nothing is fresh. */
  readonly freshUnit: bigint | undefined;
  /** A `Winners` market without any profit passes its part of an account's deficit on, once. */
  readonly passOn: boolean;
};

export type State = {
  readonly options: Options;
  readonly accounts: Map<AccountId, Account>;
  readonly markets: Map<MarketId, Market>;
  /** Seconds. */
  now: bigint;
  fund: Rational;
  treasury: Rational;
  /** Money of ledger account 3: every rounding rest and the cash of dust lots. */
  dustMoney: Rational;
  /** Everything paid in minus everything paid out. */
  paidIn: bigint;
};

export class ModelError extends Error {
  constructor(
    readonly rule: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(
      `${rule} ${Object.entries(details)
        .map((entry) => entry.join("="))
        .join(" ")}`.trim(),
    );
    this.name = "ModelError";
  }
}

export function require(
  condition: boolean,
  rule: string,
  details: Readonly<Record<string, unknown>> = {},
): asserts condition {
  if (!condition) throw new ModelError(rule, details);
}
