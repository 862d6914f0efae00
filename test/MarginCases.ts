import fc from "fast-check";
import {
  bondOf,
  cohortAfter,
  healthOf,
  IN_FORCE,
  larger,
  smaller,
  type AccountCase,
  type FillCase,
  type FreshCase,
  type HoldingCase,
  type MarketCase,
  type World,
} from "./MarginOracle.js";

/* Random worlds: lots worth a wei or a fortune, brackets crossed, equity near every edge that decides something. */

/** Three digits and up to `exponent` zeros: every magnitude is as likely as another. */
function magnitude(exponent: number, from = 0): fc.Arbitrary<bigint> {
  const parts = fc.tuple(
    fc.bigInt(1n, 999n),
    fc.integer({ min: from, max: exponent }),
    fc.bigInt(0n, 9n),
  );
  return parts.map(([digits, zeros, rest]) => digits * 10n ** BigInt(zeros) + rest);
}

/** Parts per thousand of a value, at least one. */
function near(value: bigint, [from, to]: readonly [bigint, bigint]): fc.Arbitrary<bigint> {
  return fc.bigInt(from, to).map((share) => larger(1n, (value * share) / 1000n));
}

function rising(values: readonly bigint[]): bigint[] {
  return [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

const brackets = fc.record({
  caps: fc.tuple(magnitude(5), magnitude(5), magnitude(5)).map((caps) => {
    const [first = 1n, second = 1n, third = 1n] = rising(caps);
    return [first, second, third] as const;
  }),
  tierLeverages: fc
    .tuple(fc.bigInt(1n, 100n), fc.bigInt(1n, 100n), fc.bigInt(1n, 100n), fc.bigInt(1n, 100n))
    .map((leverages) => {
      const [fourth = 1n, third = 1n, second = 1n, first = 1n] = rising(leverages);
      return [first, second, third, fourth] as const;
    }),
});

const market: fc.Arbitrary<MarketCase> = magnitude(15).chain((mark) =>
  fc
    .tuple(
      brackets,
      fc.record({
        mark: fc.constant(mark),
        // 2^20 ticks or so to a mark; entries have 40 bits, 16 of them after the point.
        unit: fc.constant(larger(1n, mark >> 20n)),
        index: near(mark, [950n, 1050n]),
        pending: fc.option(near(mark, [700n, 1300n]), { nil: undefined, freq: 4 }),
        funding: fc.bigInt(-(mark << 31n), mark << 31n),
        dead: fc.integer({ min: 0, max: 7 }).map((draw) => draw === 0),
        maxLeverage: fc.integer({ min: 0, max: 7 }),
        defaultLeverage: fc.integer({ min: 0, max: 7 }),
        slip0: fc.bigInt(0n, 20_000n),
        penalty: fc.bigInt(0n, 5000n),
        clock: fc.bigInt(1n, 600n),
        minNotional: fc.oneof(fc.constant(0n), magnitude(5)),
        cohortBond: fc.bigInt(0n, 2_000_000n),
        openInterestCap: fc.oneof(
          fc.constant(2n ** 60n),
          magnitude(14).map((lots) => lots + 1n),
        ),
        accountShare: fc.bigInt(1n, 100n),
        crowdingFrom: fc.oneof(fc.constant(100n), fc.bigInt(0n, 100n)),
        openInterest: fc.oneof(fc.constant(0n), magnitude(14)),
        concentration: fc.oneof(fc.constant(0n), fc.bigInt(1n, 100n)),
        volatilityRate: fc.oneof(fc.constant(0n), fc.bigInt(1n, 10_000n)),
      }),
    )
    .map(([tiers, rest]) => ({ ...rest, ...tiers })),
);

/** Its mark moves the cost, so that profits and losses of up to a third are as likely as none. */
function holdingOf(id: number, { mark, funding, unit }: MarketCase): fc.Arbitrary<HoldingCase> {
  return fc
    .record({
      side: fc.constantFrom(1n as const, -1n as const),
      notional: fc.oneof(
        { weight: 1, arbitrary: magnitude(9) },
        { weight: 4, arbitrary: magnitude(24, 15) },
      ),
      isFlat: fc.integer({ min: 0, max: 9 }).map((draw) => draw === 0),
      entry: near(mark, [800n, 1200n]),
      bids: fc.bigInt(0n, 3000n),
      asks: fc.bigInt(0n, 3000n),
      hasOrders: fc.boolean(),
      chosen: fc.option(fc.integer({ min: 0, max: 7 }), { nil: undefined }),
      crumb: fc.bigInt(-2n, 2n),
    })
    .map(({ side, notional, isFlat, entry, bids, asks, hasOrders, chosen, crumb }) => {
      const size = smaller(2n ** 58n, larger(1n, notional / mark));
      const lots = isFlat ? 0n : size;
      const cost = isFlat ? 0n : lots * entry - ((lots * funding) >> 33n) + crumb;
      const reserve = (parts: bigint) => (hasOrders ? (size * parts) / 1000n : 0n);
      const ticks = larger(1n, (entry << 16n) / unit);
      return {
        market: id,
        side,
        lots,
        cost,
        entry: ticks,
        bids: reserve(bids),
        asks: reserve(asks),
        chosen,
      };
    });
}

const freshProfit: fc.Arbitrary<FreshCase> = fc.record({
  current: magnitude(9),
  previous: fc.oneof(fc.constant(0n), magnitude(9)),
  epochsAgo: fc.integer({ min: 0, max: 2 }),
});

/** The balance that puts equity at a multiple of what an edge needs, and a few wei to either side. */
function balanced(
  markets: readonly MarketCase[],
  account: Omit<AccountCase, "balance">,
): fc.Arbitrary<World> {
  const h = healthOf({ markets, account: { ...account, balance: 0n } });
  const anchors = [
    { needed: h.maintenance, value: h.equity },
    { needed: h.maintenanceAtIndex, value: h.equityAtIndex },
    { needed: h.maintenanceAtPending, value: h.equityAtPending },
    { needed: h.initial, value: h.prudent },
  ];
  const factor = fc.oneof(fc.constantFrom(0n, 1000n, 1250n), fc.bigInt(-200n, 2500n));
  return fc
    .tuple(fc.constantFrom(...anchors), factor, fc.bigInt(-4n, 4n))
    .map(([{ needed, value }, parts, crumb]) => {
      const balance = (needed * parts) / 1000n - value + crumb;
      return { markets, account: { ...account, balance } };
    });
}

function holdingsIn(markets: readonly MarketCase[]): fc.Arbitrary<HoldingCase[]> {
  return fc.tuple(...markets.map((each, id) => holdingOf(id, each)));
}

const someMarkets = fc.array(market, { minLength: 1, maxLength: 4 });

const settledWorld: fc.Arbitrary<World> = someMarkets.chain((markets) =>
  holdingsIn(markets).chain((holdings) => balanced(markets, { holdings })),
);

const freshWorld: fc.Arbitrary<World> = someMarkets.chain((markets) =>
  fc
    .tuple(holdingsIn(markets), freshProfit)
    .chain(([holdings, fresh]) => balanced(markets, { holdings, fresh })),
);

export const world: fc.Arbitrary<World> = fc.oneof(
  { weight: 3, arbitrary: settledWorld },
  { weight: 1, arbitrary: freshWorld },
);

/** One or two markets, equity from nothing to just below what a forced sale aims at, a first position that matters. */
export const distressed: fc.Arbitrary<World> = fc
  .array(market, { minLength: 1, maxLength: 2 })
  .chain((markets) =>
    holdingsIn(markets).chain((holdings) => {
      const h = healthOf({ markets, account: { balance: 0n, holdings } });
      return fc.bigInt(-50n, 1260n).map((parts) => {
        const balance = (h.maintenance * parts) / 1000n - h.equity;
        return { markets, account: { balance, holdings } };
      });
    }),
  );

/** What an account may have become: smaller or larger, flipped, other orders, a little richer or poorer. */
export const twoStates: fc.Arbitrary<World & { readonly before: AccountCase }> = settledWorld.chain(
  ({ markets, account }) =>
    fc.tuple(...account.holdings.map((each) => changed(each))).chain((holdings) =>
      kept({ markets, account }, holdings).map((after) => ({
        markets,
        account: after,
        before: account,
      })),
    ),
);

function changed(holding: HoldingCase): fc.Arbitrary<HoldingCase> {
  const parts = fc.oneof(
    fc.constantFrom(0n, 500n, 1000n),
    fc.bigInt(0n, 1000n),
    fc.constant(1001n),
  );
  const orders = fc.constantFrom(0n, 1n);
  return fc
    .record({ parts, orders, flips: fc.integer({ min: 0, max: 15 }), grows: orders })
    .map(({ parts: share, orders: left, flips, grows }) => ({
      ...holding,
      side: flips === 0 ? (holding.side === 1n ? -1n : 1n) : holding.side,
      lots: (holding.lots * share) / 1000n,
      cost: holding.lots * share < 1000n ? 0n : (holding.cost * share) / 1000n,
      bids: holding.bids * left + (flips === 1 ? grows : 0n),
      asks: holding.asks * left,
    }));
}

/** A balance at which equity / maintenance is just what it was, or a few wei beside. */
function kept(before: World, holdings: readonly HoldingCase[]): fc.Arbitrary<AccountCase> {
  const was = healthOf(before);
  const now = healthOf({ markets: before.markets, account: { balance: 0n, holdings } });
  const same = was.maintenance === 0n ? 0n : (was.equity * now.maintenance) / was.maintenance;
  const anchors = [
    same - now.equity,
    -now.equity,
    now.initial - now.prudent,
    before.account.balance,
  ];
  return fc
    .tuple(fc.constantFrom(...anchors), fc.bigInt(-2n, 2n))
    .map(([balance, crumb]) => ({ balance: balance + crumb, holdings }));
}

/** A maker's fill in the first market: near mark, of any size beside what is held. */
export const fill: fc.Arbitrary<{ readonly world: World; readonly fill: FillCase }> = world.chain(
  (base) => {
    const first = base.markets[0];
    const held = base.account.holdings[0];
    if (first === undefined || held === undefined) throw new RangeError("a world has a market");
    const live = { ...first, dead: false };
    const size = larger(1n, held.lots);
    return fc
      .record({
        side: fc.constantFrom(1n as const, -1n as const),
        lots: fc.oneof(near(size, [1n, 2500n]), fc.constant(size)),
        price: fc.oneof(fc.constant(live.mark), near(live.mark, [950n, 1050n])),
        feeRate: fc.bigInt(0n, 100n),
        isAtEdge: fc.boolean(),
        meetsOthers: fc.boolean(),
        crumb: fc.bigInt(-2n, 2n),
      })
      .map(({ side, lots, price: near_, feeRate, isAtEdge, meetsOthers, crumb }) => {
        const price = larger(live.unit, near_ - (near_ % live.unit));
        const fee = (lots * price * feeRate) / 1_000_000n;
        const trade = { market: 0, side, lots, price, fee };
        const lone = { ...base, markets: [live, ...base.markets.slice(1)] };
        const joined = cohortAfter(lone, trade);
        const cohorts = meetsOthers && joined !== undefined ? [joined] : [];
        const start = { ...lone, cohorts };
        return { world: isAtEdge ? atMakersEdge(start, trade, crumb) : start, fill: trade };
      });
  },
);

/** The same market without a position yet, a fill that opens one, and then the maker's. */
export const twoFills: fc.Arbitrary<{
  readonly world: World;
  readonly first: FillCase;
  readonly second: FillCase;
}> = fill.chain(({ world: base, fill: second }) => {
  const [first, ...others] = base.markets;
  const [held, ...rest] = base.account.holdings;
  if (first === undefined || held === undefined) throw new RangeError("a world has a market");
  const flat = { ...held, lots: 0n, cost: 0n, chosen: undefined };
  const markets = [{ ...first, defaultLeverage: IN_FORCE }, ...others];
  const start = {
    ...base,
    cohorts: [],
    markets,
    account: { ...base.account, holdings: [flat, ...rest] },
  };
  return near(first.mark, [900n, 1100n]).map((around) => {
    const price = larger(first.unit, around - (around % first.unit));
    const lots = larger(1n, held.lots);
    return { world: start, first: { market: 0, side: held.side, lots, price, fee: 0n }, second };
  });
});

/** After the first fill an event in its market: parts per million of its value as a haircut, of its lots closed. */
export const event = fc.record({
  haircut: fc.bigInt(0n, 300_000n),
  lots: fc.bigInt(0n, 1_000_000n),
});

/** Moves the balance to where a growing maker is just let through, or just not. */
function atMakersEdge(start: World, trade: FillCase, crumb: bigint): World {
  const { side, lots, price, fee } = trade;
  const { mark } = start.markets[0] ?? { mark: 0n };
  const holdings = start.account.holdings.map((each, i) => {
    if (i !== 0) return { ...each, bids: 0n, asks: 0n };
    const signed = each.side * each.lots + side * lots;
    return {
      ...each,
      side: signed < 0n ? (-1n as const) : (1n as const),
      lots: abs(signed),
      bids: 0n,
      asks: 0n,
    };
  });
  const needed = healthOf({ ...start, account: { ...start.account, holdings } });
  const now = healthOf(start);
  const lost = side * lots * (price - mark) + fee + bondOf(start, trade);
  const target = side * (price - mark) > 0n ? needed.initial : needed.maintenance;
  const balance = start.account.balance + target + lost - now.equity + crumb;
  return { ...start, account: { ...start.account, balance } };
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** An amount of money from a wei to more than any account of these worlds has. */
export const money = magnitude(24);

export const elapsed = fc.bigInt(0n, 700n);

/** Parts per thousand. */
export const part = fc.oneof(fc.constant(1000n), fc.bigInt(0n, 1000n));

/** A price for a sale, in parts per thousand of mark. */
export const saleParts = fc.oneof(fc.constant(1000n), fc.bigInt(930n, 1070n));
