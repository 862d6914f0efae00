import fc from "fast-check";

/*
 * What a run does, command by command, as plain data that shrinks. Numbers are relative to what the model finds when the command comes:
 * offsets from mark, parts of what may be withdrawn, sizes in money. So a command stays sensible when others before it are left out.
 */

/** Notional in cents, permille of what equity and leverage allow, or as much as closes the position. */
export type Size =
  | { readonly cents: number }
  | { readonly power: number }
  | { readonly closes: true }
  /** As much as the best order of the other side, at most so many permille of what may be. */
  | { readonly meets: number };

/** Instead of an account: the one that has won most in the market. */
export const WINNER = 8;
/** Instead of an account: the one that may withdraw most beyond what its owner paid in. */
export const RICHEST = 9;

export type OrderDraft = {
  readonly side: 1 | -1;
  readonly timeInForce: "gtc" | "ioc" | "fok" | "postOnly";
  readonly reduceOnly: boolean;
  /** Steps of a thousandth of the mark, rounded to whole steps so that orders meet. What closes turns with the position. */
  readonly offset: number;
  readonly size: Size;
  /** Seconds, 0 for none. */
  readonly expiry: number;
};

export type ActionDraft =
  | ({ readonly kind: "place" } & OrderDraft)
  | ({ readonly kind: "replace"; readonly slot: number; readonly keepsTick: boolean } & OrderDraft)
  | { readonly kind: "cancel"; readonly slot: number }
  | { readonly kind: "cancelAll" }
  | { readonly kind: "leverage"; readonly leverageClass: number };

/** One source says something, so many seconds ago, and then nothing is said for a while. */
export type Alone = {
  readonly kind: "alone";
  readonly market: number;
  readonly source: number;
  readonly from: "index" | "waiting";
  readonly permille: number;
  readonly ago: number;
};

export type Command =
  | {
      readonly kind: "trade";
      readonly account: number;
      readonly batch: readonly { readonly market: number; readonly action: ActionDraft }[];
    }
  | { readonly kind: "deposit"; readonly account: number; readonly cents: number }
  /** Permille of what may be withdrawn; nothing: all by name. */
  | { readonly kind: "withdraw"; readonly account: number; readonly permille: number | undefined }
  | {
      readonly kind: "transfer";
      readonly from: number;
      readonly to: number;
      readonly permille: number;
    }
  | { readonly kind: "settle"; readonly account: number; readonly market: number }
  /** The second source says permille more than the first. */
  | {
      readonly kind: "price";
      readonly market: number;
      readonly permille: number;
      readonly apart?: number;
    }
  | Alone
  /** Percent of the cap as it is, by who may only lower it or by who may change it. */
  | {
      readonly kind: "cap";
      readonly market: number;
      readonly percent: number;
      readonly by: "guardian" | "listing";
    }
  | { readonly kind: "reopen"; readonly market: number }
  | { readonly kind: "windDown"; readonly market: number }
  | { readonly kind: "wait"; readonly seconds: number; readonly isStale: boolean }
  /** By one of those who stake. */
  | { readonly kind: "fund"; readonly cents: number; readonly staker?: number }
  /** Permille of the shares. */
  | { readonly kind: "askExit"; readonly staker: number; readonly permille: number }
  | { readonly kind: "exit"; readonly staker: number }
  /** From the vault's queue. */
  | { readonly kind: "release"; readonly maxItems: number }
  /** Nothing: all of them. */
  | {
      readonly kind: "liquidate";
      readonly accounts: readonly number[] | undefined;
      readonly maxFills: number;
      readonly rewardTo: number;
    }
  | {
      readonly kind: "deleverage";
      readonly accounts: readonly number[] | undefined;
      readonly maxFills: number;
      readonly rewardTo: number;
    }
  /** From the account that is nearest to it. */
  | {
      readonly kind: "takeover";
      readonly to: number;
      readonly market: number;
      readonly size: Size;
      /** Permille of mark that the taker gives at most. */
      readonly worst: number;
    };

export type Step = { readonly command: Command; readonly seconds: number };

export const account = fc.nat({ max: 7 });
export const market = fc.nat({ max: 1 });
export const staker = fc.nat({ max: 1 });

/** All orders of magnitude from a few units to more than an account can carry. */
const cents = fc
  .tuple(fc.integer({ min: 9, max: 22 }), fc.nat({ max: 999 }))
  .map(([bits, part]) => Math.floor(2 ** bits * (1 + part / 1000)));

/** Little, so that the fund is often empty. */
export const alms = fc.integer({ min: 500, max: 60_000 });

const offset = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -4, max: 4 }) },
  { weight: 2, arbitrary: fc.integer({ min: -30, max: 30 }) },
  { weight: 1, arbitrary: fc.constantFrom(-80, -51, -50, -49, 49, 50, 51, 80) },
);

export const size: fc.Arbitrary<Size> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ cents }) },
  { weight: 3, arbitrary: fc.record({ power: fc.integer({ min: 50, max: 990 }) }) },
  { weight: 1, arbitrary: fc.constant({ closes: true as const }) },
);

export const order = {
  side: fc.constantFrom<1 | -1>(1, -1),
  timeInForce: fc.constantFrom<OrderDraft["timeInForce"]>(
    ...(["gtc", "gtc", "gtc", "ioc", "ioc", "fok", "postOnly"] as const),
  ),
  reduceOnly: fc.constantFrom(false, false, false, false, false, false, true),
  offset,
  size,
  expiry: fc.constantFrom(0, 0, 0, 0, 20, 300),
};

const slot = fc.nat({ max: 3 });

const action: fc.Arbitrary<ActionDraft> = fc.oneof(
  { weight: 30, arbitrary: fc.record({ kind: fc.constant("place" as const), ...order }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("replace" as const),
      ...order,
      slot,
      keepsTick: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("cancel" as const), slot }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancelAll" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("leverage" as const),
      leverageClass: fc.constantFrom(0, 2, 3, 4, 5, 6, 6, 6, 7),
    }),
  },
);

const trade = fc.record({
  kind: fc.constant("trade" as const),
  account,
  batch: fc.array(fc.record({ market, action }), { minLength: 1, maxLength: 3 }),
});

/** Money, time and prices, beside trading. */
const others: readonly fc.WeightedArbitrary<Command>[] = [
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("deposit" as const), account, cents }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("withdraw" as const),
      account,
      permille: fc.option(fc.constantFrom(0, 100, 500, 1000, 1001), { nil: undefined, freq: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("transfer" as const),
      from: fc.constantFrom(0, 1, 6, 7),
      to: fc.constantFrom(0, 6, 6, 1, 7, 7),
      permille: fc.constantFrom(100, 500, 1000, 1001),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("settle" as const), account, market }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("price" as const),
      market,
      permille: fc.oneof(fc.integer({ min: -12, max: 12 }), fc.integer({ min: -70, max: 70 })),
      apart: fc.constantFrom(0, 0, 0, 1, 3, -9, 11),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("liquidate" as const),
      accounts: fc.option(fc.array(account, { minLength: 1, maxLength: 3 }), {
        freq: 2,
        nil: undefined,
      }),
      maxFills: fc.constantFrom(0, 1, 3, 100, 1000),
      rewardTo: fc.nat({ max: 8 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("deleverage" as const),
      accounts: fc.option(fc.array(account, { minLength: 1, maxLength: 4 }), {
        freq: 3,
        nil: undefined,
      }),
      maxFills: fc.constantFrom(0, 2, 100, 1000),
      rewardTo: fc.nat({ max: 8 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("takeover" as const),
      to: account,
      market,
      size,
      worst: fc.constantFrom(0, 1, 10, 100, 100),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      seconds: fc.constantFrom(31, 60, 200, 240, 480, 950, 3700, 90_000),
      isStale: fc.constantFrom(false, false, true),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("cap" as const),
      market,
      percent: fc.constantFrom(5, 60, 100, 101, 150, 200, 200, 400),
      by: fc.constantFrom("guardian" as const, "listing" as const, "listing" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reopen" as const), market }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("fund" as const), cents: alms, staker }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("askExit" as const),
      staker,
      permille: fc.constantFrom(0, 300, 500, 1000, 1001),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("exit" as const), staker }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("release" as const),
      maxItems: fc.constantFrom(0, 1, 2, 10),
    }),
  },
];

const seconds = fc.constantFrom(1, 1, 1, 2, 5);

export const single: fc.Arbitrary<Step[]> = fc
  .record({ command: fc.oneof({ weight: 30, arbitrary: trade }, ...others), seconds })
  .map((each) => [each]);
