import fc from "fast-check";

/*
 * What a run does, as plain data that shrinks. Numbers are relative to what the model finds when the command comes: offsets from
 * mark, parts of what may be withdrawn, sizes in money. So a command stays sensible when others before it are left out.
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

const account = fc.nat({ max: 7 });
const market = fc.nat({ max: 1 });
const staker = fc.nat({ max: 1 });

/** All orders of magnitude from a few units to more than an account can carry. */
const cents = fc
  .tuple(fc.integer({ min: 9, max: 22 }), fc.nat({ max: 999 }))
  .map(([bits, part]) => Math.floor(2 ** bits * (1 + part / 1000)));

/** Little, so that the fund is often empty. */
const alms = fc.integer({ min: 500, max: 60_000 });

const offset = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -4, max: 4 }) },
  { weight: 2, arbitrary: fc.integer({ min: -30, max: 30 }) },
  { weight: 1, arbitrary: fc.constantFrom(-80, -51, -50, -49, 49, 50, 51, 80) },
);

const size: fc.Arbitrary<Size> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ cents }) },
  { weight: 3, arbitrary: fc.record({ power: fc.integer({ min: 50, max: 990 }) }) },
  { weight: 1, arbitrary: fc.constant({ closes: true as const }) },
);

const order = {
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

const single: fc.Arbitrary<Step[]> = fc
  .record({ command: fc.oneof({ weight: 30, arbitrary: trade }, ...others), seconds })
  .map((each) => [each]);

type Placed = Partial<OrderDraft> & { readonly market: number; readonly account: number };

function placing({ market: id, account: who, ...draft }: Placed): Step {
  const common = { side: 1 as const, timeInForce: "gtc" as const, reduceOnly: false };
  const rest = { offset: 0, size: { power: 300 }, expiry: 0 };
  const placed = { kind: "place" as const, ...common, ...rest, ...draft };
  const batch = [{ market: id, action: placed }];
  return { command: { kind: "trade", account: who, batch }, seconds: 1 };
}

const opposite = (side: 1 | -1): 1 | -1 => (side === 1 ? -1 : 1);

type Pair = {
  readonly maker: number;
  readonly taker: number;
  readonly market: number;
  readonly side: 1 | -1;
  readonly offset: number;
  readonly power: number;
};

function pairOf({ maker, taker, market: id, side, offset: steps_, power }: Pair): Step[] {
  const at = { market: id, offset: steps_ };
  const taking = { timeInForce: "ioc" as const, size: { meets: 950 } };
  return [
    placing({ ...at, account: maker, side, size: { power } }),
    placing({ ...at, account: taker, side: opposite(side), ...taking }),
  ];
}

/** One rests what the other takes: so that there are positions to lose. */
const pair: fc.Arbitrary<Step[]> = fc
  .record({
    maker: account,
    taker: account,
    market,
    side: order.side,
    offset: fc.integer({ min: -1, max: 1 }),
    power: fc.constantFrom(150, 300, 450, 600, 750, 900).map((part) => part + 7),
  })
  .map(pairOf);

/** Whoever won most hands its position on and waits until the profit is its own: then there is less to take from. */
const handOn: fc.Arbitrary<Step[]> = fc
  .record({ market, heir: account, side: order.side, seconds: fc.constantFrom(1, 250, 500) })
  .map(({ market: id, heir, side, seconds: wait }) => [
    placing({ market: id, account: heir, side, size: { power: 900 } }),
    placing({
      market: id,
      account: WINNER,
      side: opposite(side),
      timeInForce: "ioc",
      reduceOnly: true,
      size: { closes: true },
    }),
    { command: { kind: "wait", seconds: wait, isStale: false }, seconds: 1 },
    { command: { kind: "withdraw", account: RICHEST, permille: 900 }, seconds: 1 },
  ]);

/** Somebody stakes, asks to leave and leaves, while others wait for their tokens. */
const staking: fc.Arbitrary<Step[]> = fc
  .record({
    staker,
    cents: alms,
    permille: fc.constantFrom(300, 1000),
    maxItems: fc.constantFrom(1, 9),
  })
  .map(({ staker: who, cents: amount, permille, maxItems }) => [
    { command: { kind: "withdraw", account: RICHEST, permille: undefined }, seconds: 1 },
    { command: { kind: "fund", staker: who, cents: amount }, seconds: 1 },
    { command: { kind: "askExit", staker: who, permille }, seconds: 1 },
    { command: { kind: "wait", seconds: 3_700, isStale: false }, seconds: 1 },
    { command: { kind: "exit", staker: who }, seconds: 1 },
    { command: { kind: "release", maxItems }, seconds: 1 },
  ]);

/** A reduce-only order outlives its position, or an order its time; then somebody comes upon it. */
const leftover: fc.Arbitrary<Step[]> = fc
  .record({ market, owner: account, other: account, side: order.side, expires: fc.boolean() })
  .map(({ market: id, owner, other, side, expires }) => {
    const at = { market: id, account: owner };
    const closing = { reduceOnly: true, size: { closes: true as const }, side: opposite(side) };
    const taking = { timeInForce: "ioc" as const, offset: side * 4 };
    const wait: Step = { command: { kind: "wait", seconds: 21, isStale: false }, seconds: 1 };
    const hit = { market: id, account: other, side, timeInForce: "ioc" as const };
    return [
      placing({ market: id, account: other, side: opposite(side), size: { power: 200 } }),
      placing({ ...at, side, ...taking, offset: 0, size: { meets: 500 } }),
      placing({ ...at, ...closing, offset: side * 3, expiry: expires ? 20 : 0 }),
      ...(expires ? [wait] : []),
      placing({ market: id, account: other, side, offset: 0, size: { power: 400 } }),
      placing({ ...at, ...closing, timeInForce: "ioc" }),
      placing({ ...hit, offset: side * 4, size: { power: 100 } }),
    ];
  });

/** The price falls or rises, some are sold out, time passes, the rest is an event, and some settle. */
const crash: fc.Arbitrary<Step[]> = fc
  .record({
    market,
    permille: fc
      .tuple(fc.constantFrom(1, -1), fc.constantFrom(1, 2, 3), fc.integer({ min: 15, max: 50 }))
      .map(([sign, factor, size_]) => sign * factor * size_),
    helper: fc.option(account, { freq: 3, nil: undefined }),
    taker: fc.option(account, { freq: 1, nil: undefined }),
    offset: fc.constantFrom(0, 0, 1, 1, 2, 5),
    liquidates: fc.constantFrom(true, true, false),
    heir: fc.option(account, { nil: undefined }),
    waits: fc.boolean(),
    named: fc.option(fc.array(account, { minLength: 1, maxLength: 5 }), {
      freq: 2,
      nil: undefined,
    }),
    maxFills: fc.constantFrom(100, 100, 1000, 2, 0),
    rewardTo: fc.nat({ max: 8 }),
    touched: fc.array(account, { maxLength: 3 }),
  })
  .map(({ market: id, permille, helper, taker, offset: steps_, heir, ...rest }) => {
    const { liquidates, waits, named, touched, maxFills, rewardTo } = rest;
    const all = { accounts: undefined, maxFills, rewardTo };
    const side = permille < 0 ? (1 as const) : (-1 as const);
    const do_ = (each: Command): Step => ({ command: each, seconds: 1 });
    const found = [do_({ kind: "price", market: id, permille })];
    const near = { market: id, offset: -side * steps_ };
    if (helper !== undefined) found.push(placing({ ...near, account: helper, side }));
    if (taker !== undefined) {
      const hit = { side: opposite(side), timeInForce: "ioc" as const, size: { meets: 900 } };
      found.push(placing({ ...near, account: taker, ...hit }));
    }
    if (liquidates) found.push(do_({ kind: "liquidate", ...all }));
    if (heir !== undefined) {
      const size_ = { power: 500 };
      found.push(do_({ kind: "takeover", to: heir, market: id, size: size_, worst: 100 }));
    }
    // Three times, because a clock runs only while prices are fresh without a break.
    for (const seconds of waits ? [12, 12, 12] : []) {
      found.push(do_({ kind: "wait", seconds, isStale: false }));
    }
    found.push(do_({ kind: "deleverage", ...all, accounts: named }));
    for (const who of touched) {
      found.push(do_({ kind: "settle", account: who, market: id }));
      found.push(do_({ kind: "deposit", account: who, cents: 150_000 + permille }));
    }
    return found;
  });

const soon = (command: Command): Step => ({ command, seconds: 1 });
const stale = (seconds_: number) => soon({ kind: "wait", seconds: seconds_, isStale: true });

type Party = { readonly market: number; readonly who: readonly number[]; readonly rests?: true };

/** Somebody wants to get out, and may wait for another to want the opposite. */
function leaving({ market: id, who, rests: always }: Party): fc.Arbitrary<Step> {
  return fc
    .record({
      account: fc.constantFrom(...who),
      side: order.side,
      offset: fc.constantFrom(0, 3, 20, 45),
      rests: fc.constantFrom(true, always ?? false, always ?? false),
    })
    .map(({ side, offset: steps_, rests, ...own }) => {
      const closing = { reduceOnly: true, size: { closes: true as const }, market: id, side };
      const timeInForce = rests ? ("gtc" as const) : ("ioc" as const);
      return placing({ ...closing, ...own, timeInForce, offset: (rests ? -1 : 1) * side * steps_ });
    });
}

/** What somebody may try while a jump waits: to leave, to take money out, to sell others out. */
function amid(party: Party): fc.Arbitrary<Step> {
  const all = { accounts: undefined, maxFills: 100, rewardTo: 8 };
  const acting = fc.constantFrom<Command>(
    { kind: "liquidate", ...all },
    { kind: "liquidate", ...all },
    { kind: "deleverage", ...all },
    { kind: "withdraw", account: RICHEST, permille: undefined },
    { kind: "fund", cents: 900, staker: 0 },
    { kind: "exit", staker: 0 },
  );
  const by = fc.oneof(
    fc.record({ kind: fc.constant("withdraw" as const), account, permille: fc.constant(1001) }),
    fc
      .record({ to: account, size, worst: fc.constantFrom(10, 100, 300) })
      .map((rest) => ({ kind: "takeover" as const, market: party.market, ...rest })),
  );
  return fc.oneof(
    { weight: 6, arbitrary: leaving(party) },
    { weight: 4, arbitrary: fc.oneof(acting, by).map(soon) },
  );
}

/** What ends a jump, or does not: permille are of its own way. */
const afterJump: fc.Arbitrary<(at: { market: number; way: number }) => Step> = fc
  .constantFrom(
    { from: "waiting", permille: 0, source: 0, ago: 0 },
    { from: "waiting", permille: 9, source: 0, ago: 0 },
    { from: "waiting", permille: -12, source: 0, ago: 0 },
    { from: "waiting", permille: 110, source: 0, ago: 0 },
    { from: "waiting", permille: 0, source: 1, ago: 0 },
    { from: "waiting", permille: 2, source: 1, ago: 7 },
    { from: "index", permille: 5, source: 0, ago: 0 },
    { from: "index", permille: -120, source: 0, ago: 0 },
    undefined,
  )
  .map((said) => ({ market: id, way }) => {
    if (said === undefined) return stale(61);
    // Written out, because a constant of many kinds has the widest type.
    const from = said.from;
    const permille = said.permille * way;
    return { command: { kind: "alone", market: id, ...said, from, permille }, seconds: 1 };
  });

/** Two trade, the sources are silent, then one says a jump; some act before and after something that ends it. */
const jump: fc.Arbitrary<Step[]> = fc
  .record({
    market,
    maker: account,
    taker: account,
    side: order.side,
    power: fc.constantFrom(307, 607, 907),
    way: order.side,
    first: fc.constantFrom(0, 0, 10, 20, 30, 60),
    size: fc.oneof(fc.integer({ min: 21, max: 50 }), fc.integer({ min: 15, max: 140 })),
  })
  .chain((at) => {
    const party = { market: at.market, who: [at.maker, at.taker, WINNER] };
    return fc.record({
      at: fc.constant(at),
      makers: fc.array(leaving({ ...party, who: [at.maker], rests: true }), {
        minLength: 1,
        maxLength: 2,
      }),
      before: fc.array(amid(party), { minLength: 1, maxLength: 4 }),
      endings: fc.array(afterJump, { minLength: 1, maxLength: 2 }),
      after: fc.array(amid(party), { maxLength: 3 }),
    });
  })
  .map(({ at, makers, before, endings, after }) => {
    const { market: id, way, first, size: permille } = at;
    const said = { kind: "alone" as const, market: id, source: 0, from: "index" as const, ago: 0 };
    return [
      ...pairOf({ ...at, offset: 0 }),
      ...(first > 0 ? [soon({ kind: "price", market: id, permille: way * first })] : []),
      ...makers,
      stale(31),
      soon({ ...said, permille: way * permille }),
      ...before,
      ...endings.map((ending) => ending({ market: id, way })),
      ...after,
      soon({ kind: "price", market: id, permille: 0 }),
    ];
  });

/** Everyone's leverage, then a number of other steps. */
export function steps(count: number): fc.Arbitrary<Step[]> {
  const leverage = fc.tuple(fc.constantFrom(3, 4, 5, 6, 6, 6), fc.constantFrom(4, 5, 6, 6));
  const opening = fc.tuple(...Array.from({ length: 8 }, () => leverage)).map((chosen) =>
    chosen.map((classes, who): Step => {
      const batch = classes.map((leverageClass, id) => ({
        market: id,
        action: { kind: "leverage" as const, leverageClass },
      }));
      return { command: { kind: "trade", account: who, batch }, seconds: 1 };
    }),
  );
  const rest = fc.array(
    fc.oneof(
      { weight: 34, arbitrary: single },
      { weight: 40, arbitrary: pair },
      { weight: 11, arbitrary: crash },
      { weight: 5, arbitrary: handOn },
      { weight: 2, arbitrary: staking },
      { weight: 4, arbitrary: leftover },
      { weight: 7, arbitrary: jump },
    ),
    { minLength: count, maxLength: count, size: "max" },
  );
  return fc.tuple(opening, rest).map(([first, others_]) => [...first, ...others_.flat()]);
}
