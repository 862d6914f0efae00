import fc from "fast-check";
import { account, alms, market, order, RICHEST, single, size, staker, WINNER } from "./commands.js";
import type { Command, OrderDraft, Step } from "./commands.js";

/* Commands that make sense one after the other, and runs made of them. */

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
    first: fc.constantFrom(0, 0, 15, 30, 45, 60),
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

/** A market is wound down while its price moves; then everyone is closed in it, some first. */
const ending: fc.Arbitrary<Step[]> = fc
  .record({
    market,
    permille: fc.constantFrom(-60, -45, -20, 20, 45, 60),
    between: fc.array(leaving({ market: 0, who: [0, 1, 2, WINNER] }), { maxLength: 2 }),
    rounds: fc.array(fc.array(account, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
    seconds: fc.constantFrom(1, 130, 500),
    restarts: fc.boolean(),
    forgets: fc.constantFrom(false, false, true),
  })
  .map(({ market: id, permille, between, rounds, seconds: wait, restarts, forgets }) => {
    const waits = (each: number) => soon({ kind: "wait", seconds: each, isStale: false });
    const moves = soon({ kind: "price", market: id, permille });
    const closing = { maxFills: 100, rewardTo: 8 };
    return [
      // A day without prices ends the first market by itself.
      forgets ? stale(90_000) : soon({ kind: "windDown", market: id }),
      waits(200),
      moves,
      ...between,
      waits(200),
      moves,
      ...(restarts ? [soon({ kind: "windDown", market: id })] : []),
      waits(520),
      ...between,
      ...rounds.map((accounts) => soon({ kind: "deleverage", accounts, ...closing })),
      waits(wait),
      soon({ kind: "takeover", to: 3, market: id, size: { power: 500 }, worst: 100 }),
      soon({ kind: "deleverage", accounts: undefined, ...closing }),
      soon({ kind: "deleverage", accounts: undefined, ...closing }),
      waits(wait),
      soon({ kind: "withdraw", account: RICHEST, permille: undefined }),
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
  const end = fc.option(ending, { nil: [], freq: 2 });
  return fc
    .tuple(opening, rest, end)
    .map(([first, others_, last]) => [...first, ...others_.flat(), ...last]);
}
