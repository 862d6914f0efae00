import fc from "fast-check";

/*
 * What a run does, as plain data that shrinks. Numbers are relative to what the model finds when the command comes: offsets from
 * mark, parts of what may be withdrawn, sizes in money. So a command stays sensible when others before it are left out.
 */

export type OrderDraft = {
  readonly side: 1 | -1;
  readonly timeInForce: "gtc" | "ioc" | "fok" | "postOnly";
  readonly reduceOnly: boolean;
  /** Steps of a thousandth of the mark, rounded to whole steps so that orders meet. */
  readonly offset: number;
  /** Cents of notional; nothing for as much as closes the position. */
  readonly cents: number | undefined;
  /** Seconds, 0 for none. */
  readonly expiry: number;
};

export type ActionDraft =
  | ({ readonly kind: "place" } & OrderDraft)
  | ({ readonly kind: "replace"; readonly slot: number; readonly keepsTick: boolean } & OrderDraft)
  | { readonly kind: "cancel"; readonly slot: number }
  | { readonly kind: "cancelAll" }
  | { readonly kind: "leverage"; readonly leverageClass: number };

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
  | { readonly kind: "price"; readonly market: number; readonly permille: number }
  | { readonly kind: "wait"; readonly seconds: number; readonly isStale: boolean }
  | { readonly kind: "fund"; readonly cents: number };

export type Step = { readonly command: Command; readonly seconds: number };

const account = fc.nat({ max: 7 });
const market = fc.nat({ max: 1 });

/** All orders of magnitude from a few units to more than an account can carry. */
const cents = fc
  .tuple(fc.integer({ min: 9, max: 22 }), fc.nat({ max: 999 }))
  .map(([bits, part]) => Math.floor(2 ** bits * (1 + part / 1000)));

const offset = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -4, max: 4 }) },
  { weight: 2, arbitrary: fc.integer({ min: -30, max: 30 }) },
  { weight: 1, arbitrary: fc.constantFrom(-80, -51, -50, -49, 49, 50, 51, 80) },
);

const order = {
  side: fc.constantFrom<1 | -1>(1, -1),
  timeInForce: fc.constantFrom<OrderDraft["timeInForce"]>(
    ...(["gtc", "gtc", "gtc", "ioc", "ioc", "fok", "postOnly"] as const),
  ),
  reduceOnly: fc.constantFrom(false, false, false, false, false, false, true),
  offset,
  cents: fc.option(cents, { nil: undefined, freq: 6 }),
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
      from: account,
      to: fc.constantFrom(0, 6, 1, 7),
      permille: fc.constantFrom(100, 500, 1000, 1001),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("settle" as const), account, market }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("price" as const),
      market,
      permille: fc.integer({ min: -25, max: 25 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      seconds: fc.constantFrom(31, 60, 200, 240, 480, 950, 3700),
      isStale: fc.constantFrom(false, false, true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("fund" as const), cents }),
  },
];

const command: fc.Arbitrary<Command> = fc.oneof({ weight: 45, arbitrary: trade }, ...others);

export const step: fc.Arbitrary<Step> = fc.record({
  command,
  seconds: fc.constantFrom(1, 1, 1, 2, 5),
});
