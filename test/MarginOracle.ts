import {
  CALM,
  holdingInitialMargin,
  holdingMaintenance,
  marginEquity,
  riskOnlyFell,
  tierRequirement,
  unrealised,
} from "./model/margin.js";
import type { Holding, MarginAccount } from "./model/margin.js";
import { priceClass } from "./model/queue.js";
import { max, min, rational, ZERO } from "./model/rational.js";
import type { Rational } from "./model/rational.js";
import type { Side } from "./model/types.js";

/*
 * What Margin should answer: the reference model's exact requirements, rounded where the contract says that it rounds
 * (each requirement of a market up, each value down), and what a waiting jump adds, which the model does not know.
 * Nothing here comes from production code.
 */

export const LEVERAGES: readonly bigint[] = [1n, 2n, 3n, 5n, 10n, 20n, 50n, 100n];
export const WHOLE = 10n ** 18n;
export const MICRO = 10n ** 12n;
export const PPM = 1_000_000n;
const FUNDING_ONE = 2n ** 32n;

export type MarketCase = {
  /** Quote per lot and tick. */
  readonly unit: bigint;
  readonly mark: bigint;
  readonly index: bigint;
  /** The price that waits, if a jump waits. */
  readonly pending: bigint | undefined;
  readonly funding: bigint;
  readonly dead: boolean;
  /** Whole units. */
  readonly caps: readonly [bigint, bigint, bigint];
  readonly tierLeverages: readonly [bigint, bigint, bigint, bigint];
  readonly maxLeverage: number;
  readonly defaultLeverage: number;
  readonly slip0: bigint;
  readonly penalty: bigint;
  readonly clock: bigint;
  readonly minNotional: bigint;
  readonly cohortBond: bigint;
  /** Lots. */
  readonly openInterestCap: bigint;
  /** Percent of that cap: what one account may hold. */
  readonly accountShare: bigint;
  /** Percent of that cap from which open interest raises initial margin. */
  readonly crowdingFrom: bigint;
  /** Lots. */
  readonly openInterest: bigint;
  /** Tenths. */
  readonly concentration: bigint;
  /** 0.01 % of notional. */
  readonly volatilityRate: bigint;
};

export type HoldingCase = {
  readonly market: number;
  readonly side: Side;
  readonly lots: bigint;
  readonly cost: bigint;
  /** In ticks · 2^16. */
  readonly entry: bigint;
  readonly bids: bigint;
  readonly asks: bigint;
  /** Leverage class, if one was chosen. */
  readonly chosen: number | undefined;
};

/** Realised profit of the first market, micro units, as it was written some epochs ago. */
export type FreshCase = {
  readonly current: bigint;
  readonly previous: bigint;
  readonly epochsAgo: number;
};

export type AccountCase = {
  /** As stored. */
  readonly balance: bigint;
  readonly holdings: readonly HoldingCase[];
  readonly fresh?: FreshCase;
};

export type World = {
  readonly markets: readonly MarketCase[];
  readonly account: AccountCase;
  /** Cohorts of the first market that have other members. */
  readonly cohorts?: readonly number[];
};

/** The leverage class in force of every position: what the account chose may wait, or be newer than the position. */
export const IN_FORCE = 4;
const ENTRY_ONE = 2n ** 16n;
/** One, in the exchange's unit of the volatility rate. */
const RATE = 10_000n;
const PERCENT = 100n;

export type OracleHealth = {
  readonly equity: bigint;
  readonly equityAtIndex: bigint;
  readonly prudent: bigint;
  readonly initial: bigint;
  readonly initialCalm: bigint;
  readonly maintenance: bigint;
  readonly maintenanceAtIndex: bigint;
  readonly equityAtPending: bigint;
  readonly maintenanceAtPending: bigint;
  readonly fresh: bigint;
  readonly notional: bigint;
};

export function marketOf(world: World, id: number): MarketCase {
  const market = world.markets[id];
  if (market === undefined) throw new RangeError(`no market ${id}`);
  return market;
}

export function holdingIn(world: World, id: number): HoldingCase | undefined {
  return world.account.holdings.find(({ market, lots }) => market === id && lots > 0n);
}

/** Matured profit is balance. A jump that waits began just now, so that it holds nothing back. */
function maturedOf({ account: { fresh } }: World): bigint {
  if (fresh === undefined || fresh.epochsAgo === 0) return 0n;
  return (fresh.previous + (fresh.epochsAgo > 1 ? fresh.current : 0n)) * MICRO;
}

function freshOf(world: World): bigint {
  const { current, previous } = world.account.fresh ?? { current: 0n, previous: 0n };
  return (current + previous) * MICRO - maturedOf(world);
}

export function settledBalance(world: World): bigint {
  return world.account.balance + maturedOf(world);
}

/** A position in the words of the model, with `mark` in place of the market's. */
export function modelHolding(market: MarketCase, holding: HoldingCase, mark: bigint): Holding {
  const chosen = holding.chosen ?? market.defaultLeverage;
  const caps = [...market.caps.map((cap) => cap * WHOLE), undefined];
  return {
    side: holding.side,
    lots: holding.lots,
    cost: holding.cost,
    bids: holding.bids,
    asks: holding.asks,
    leverage: LEVERAGES[Math.min(chosen, market.maxLeverage)] ?? 0n,
    tiers: caps.map((upTo, k) => ({ upTo, maxLeverage: market.tierLeverages[k] ?? 0n })),
    volatilityRate: rational(market.volatilityRate, RATE),
    openInterestRate: concentrationOf(market, holding),
    funding: market.funding,
    mark,
    index: market.index,
    dead: market.dead,
  };
}

/** The larger of the account's share of the cap, times the market's factor, and of how far open interest is to the cap; at most all. */
function concentrationOf(market: MarketCase, holding: HoldingCase): Rational {
  const { concentration, openInterestCap: cap, openInterest, crowdingFrom } = market;
  const share = rational(concentration * worstLots(holding), 10n * cap);
  const from = rational(crowdingFrom * cap, PERCENT);
  const room = rational(cap).minus(from);
  const beyond = rational(openInterest).minus(from);
  const isFull = openInterest > cap;
  const crowd = room.isZero() ? (isFull ? rational(1n) : ZERO) : beyond.over(room);
  return min(rational(1n), max(share, crowd, ZERO));
}

/** What position and orders can become. */
function worstLots({ side, lots, bids, asks }: HoldingCase): bigint {
  const signed = side * lots;
  return larger(absolute(signed + bids), absolute(signed - asks));
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** The account with all markets at mark, or each at the price that waits where one does. */
export function modelAccount(world: World, at: "mark" | "pending"): MarginAccount {
  const holdings = world.account.holdings.map((holding) => {
    const market = marketOf(world, holding.market);
    const price = at === "pending" ? (market.pending ?? market.mark) : market.mark;
    return modelHolding(market, holding, price);
  });
  return { balance: settledBalance(world), fresh: freshOf(world), holdings };
}

export function maintenanceUp({ holdings }: MarginAccount, at: "mark" | "index" = "mark"): bigint {
  return total(holdings.map((holding) => holdingMaintenance(holding, at).ceil()));
}

export function healthOf(world: World): OracleHealth {
  const atMark = modelAccount(world, "mark");
  const atPending = modelAccount(world, "pending");
  const highest = atMark.holdings.map((holding, i) => {
    const mark = larger(holding.mark, atPending.holdings[i]?.mark ?? 0n);
    return { ...holding, mark };
  });
  const prudent = atMark.holdings.map((holding, i) => {
    const waiting = atPending.holdings[i] ?? holding;
    const worse = smaller(unrealised(holding, "mark"), unrealised(waiting, "mark"));
    return holding.dead === true ? smaller(worse, 0n) : worse;
  });
  return {
    equity: marginEquity(atMark, "mark"),
    equityAtIndex: marginEquity(atMark, "index"),
    prudent: settledBalance(world) + freshOf(world) + total(prudent),
    initial: total(highest.map((holding) => holdingInitialMargin(holding).ceil())),
    initialCalm: total(
      highest.map((holding) => holdingInitialMargin({ ...holding, ...CALM }).ceil()),
    ),
    maintenance: maintenanceUp(atMark),
    maintenanceAtIndex: maintenanceUp(atMark, "index"),
    equityAtPending: marginEquity(atPending, "mark"),
    maintenanceAtPending: maintenanceUp(atPending),
    fresh: freshOf(world),
    notional: total(atMark.holdings.map(({ lots, mark }) => lots * mark)),
  };
}

export function isLiquidatable(h: OracleHealth): boolean {
  return (
    h.equity < h.maintenance &&
    h.equityAtIndex < h.maintenanceAtIndex &&
    h.equityAtPending < h.maintenanceAtPending
  );
}

export function withdrawable(world: World): bigint {
  const h = healthOf(world);
  const waits = world.account.holdings.some(
    ({ market }) => marketOf(world, market).pending !== undefined,
  );
  if (waits && h.notional > 0n) return 0n;
  return larger(0n, settledPart(world) - h.initialCalm);
}

/** Without unrealised and fresh profit. */
export function settledPart(world: World): bigint {
  const h = healthOf(world);
  return smaller(settledBalance(world), h.prudent - h.fresh);
}

/** The first holding that grew, orders included, beyond what one account may hold. */
export function overCap(
  before: World,
  after: World,
): readonly [number, bigint, bigint] | undefined {
  for (const holding of after.account.holdings) {
    const was = before.account.holdings.find(({ market }) => market === holding.market);
    const { openInterestCap, accountShare } = marketOf(after, holding.market);
    const cap = (openInterestCap * accountShare) / PERCENT;
    const lots = worstLots(holding);
    if (lots > cap && lots > (was === undefined ? 0n : worstLots(was))) {
      return [holding.market, lots, cap];
    }
  }
  return undefined;
}

/** The judge over whole numbers; `riskOnlyFell` is the model's, holdings matched by market. */
export function isAllowed(before: World, after: World): boolean {
  const h = healthOf(after);
  if (overCap(before, after) !== undefined) return false;
  if (h.prudent >= h.initial) return true;
  const aligned = modelAccount(after, "mark").holdings.map((now, i) => {
    const id = after.account.holdings[i]?.market;
    const was = before.account.holdings.findIndex(({ market }) => market === id);
    return { now, was: modelAccount(before, "mark").holdings[was] };
  });
  const fell = aligned.every(({ now, was }) =>
    riskOnlyFell(
      { balance: 0n, fresh: 0n, holdings: was === undefined ? [] : [was] },
      { balance: 0n, fresh: 0n, holdings: [now] },
    ),
  );
  return fell && isHealthKept(healthOf(before), h);
}

/** equity / maintenance not lower; flat: nothing owed, or no poorer than it was when it was flat already. */
export function isHealthKept(
  was: { readonly equity: bigint; readonly maintenance: bigint },
  now: { readonly equity: bigint; readonly maintenance: bigint },
): boolean {
  if (now.maintenance > 0n) return now.equity * was.maintenance >= was.equity * now.maintenance;
  return now.equity >= 0n || (was.maintenance === 0n && now.equity >= was.equity);
}

export type FillCase = {
  readonly market: number;
  readonly side: Side;
  readonly lots: bigint;
  readonly price: bigint;
  readonly fee: bigint;
};

/** The account after a fill, by the arithmetic of fills: first what closes, then what opens. */
export function afterFill(world: World, fill: FillCase): World {
  const market = marketOf(world, fill.market);
  const priceFree = rational(fill.price).minus(rational(market.funding, FUNDING_ONE));
  const held = world.account.holdings.find(({ market: id }) => id === fill.market);
  let { side, lots, cost, entry } = held ?? { side: fill.side, lots: 0n, cost: 0n, entry: 0n };
  let balance = world.account.balance - fill.fee;
  const closing = side === fill.side ? 0n : smaller(lots, fill.lots);
  if (closing > 0n) {
    const released = rational(side * cost * closing, lots).ceil();
    balance += priceFree.times(side * closing).floor() - released;
    lots -= closing;
    cost -= side * released;
  }
  const opening = fill.lots - closing;
  if (opening > 0n) {
    side = fill.side;
    const ticks = (opening * fill.price) / market.unit;
    entry = (lots * entry + ticks * ENTRY_ONE) / (lots + opening);
    lots += opening;
    cost += side * priceFree.times(side * opening).ceil();
  }
  const base = held ?? { market: fill.market, bids: 0n, asks: 0n, chosen: undefined };
  const others = world.account.holdings.filter(({ market: id }) => id !== fill.market);
  const holdings = [...others, { ...base, side, lots, cost, entry }];
  return { ...world, account: { ...world.account, balance, holdings } };
}

/** The cohort of a position: side, leverage class in force, price class. */
export function cohortOf({ side, entry }: HoldingCase, leverage = IN_FORCE): number {
  return ((side === 1n ? 0 : 1) << 15) | (leverage << 12) | priceClass(entry);
}

/** The cohort that a fill leaves the maker in; undefined if it leaves it flat. */
export function cohortAfter(world: World, fill: FillCase): number | undefined {
  const market = marketOf(world, fill.market);
  const held = holdingIn(world, fill.market);
  const after = holdingIn(afterFill(world, fill), fill.market);
  if (after === undefined) return undefined;
  const isNew = held === undefined || held.side !== after.side;
  return cohortOf(after, isNew ? (after.chosen ?? market.defaultLeverage) : IN_FORCE);
}

/** The bond, if nobody is in the cohort that the fill leads to. */
export function bondOf(world: World, fill: FillCase): bigint {
  const cohort = cohortAfter(world, fill);
  const held = holdingIn(world, fill.market);
  const own = held === undefined ? [] : [cohortOf(held)];
  if (cohort === undefined || [...own, ...(world.cohorts ?? [])].includes(cohort)) return 0n;
  return marketOf(world, fill.market).cohortBond * MICRO;
}

/** The same account without its orders. */
export function withoutOrders({ account, ...world }: World): World {
  const holdings = account.holdings.map((holding) => ({ ...holding, bids: 0n, asks: 0n }));
  return { ...world, account: { ...account, holdings } };
}

/** INV-12 as the design says it, on the state after the fill. */
export function allowsMaker(world: World, fill: FillCase): boolean {
  const market = marketOf(world, fill.market);
  const held = holdingIn(world, fill.market);
  const shrinks = held !== undefined && held.side !== fill.side && held.lots >= fill.lots;
  const isWorse = [market.mark, market.pending ?? market.mark].some((price) =>
    fill.side === 1n ? fill.price > price : fill.price < price,
  );
  if (shrinks && !isWorse) return true;
  const bond = bondOf(world, fill);
  const before = healthOf(withoutOrders(world));
  const after = healthOf(withoutOrders(afterFill(world, { ...fill, fee: fill.fee + bond })));
  const atPending = (h: OracleHealth) => ({
    equity: h.equityAtPending,
    maintenance: h.maintenanceAtPending,
  });
  if (shrinks) {
    return isHealthKept(before, after) && isHealthKept(atPending(before), atPending(after));
  }
  if (isWorse) return after.prudent >= after.initial;
  return after.equity >= after.maintenance && after.equityAtPending >= after.maintenanceAtPending;
}

/** Exact distance from mark to the zero price, quote per lot, from whole requirements. */
export function zeroDistance(world: World, id: number): Rational {
  const holding = holdingIn(world, id);
  if (holding === undefined) return ZERO;
  const { equity, maintenance } = healthOf(world);
  const own = holdingMaintenance(
    modelHolding(marketOf(world, id), holding, marketOf(world, id).mark),
  );
  return rational(equity * own.ceil(), maintenance * holding.lots);
}

/** Rounded down to a distance; a price never falls below zero. */
export function zeroPrice(world: World, id: number): bigint {
  const holding = holdingIn(world, id);
  if (holding === undefined) return 0n;
  return larger(0n, marketOf(world, id).mark - holding.side * zeroDistance(world, id).floor());
}

/** What the limit stays short of the zero price, quote per lot: the documented allowance for rounding. */
export const LIMIT_ROUNDING = 4n;

export function limitPrice(world: World, id: number, elapsed: bigint): bigint {
  const holding = holdingIn(world, id);
  const { mark, slip0, clock } = marketOf(world, id);
  if (holding === undefined) return mark;
  const toZero = zeroDistance(world, id).floor();
  if (toZero <= LIMIT_ROUNDING) return mark;
  const start = (mark * slip0) / PPM;
  const passed = smaller(elapsed, clock);
  const scheduled = rational(start * (clock - passed) + toZero * passed, clock);
  const distance = min(scheduled, rational(toZero - LIMIT_ROUNDING)).floor();
  return larger(0n, mark - holding.side * distance);
}

/**
 * The least lots that surely reach 5/4 of maintenance, the penalty paid. The requirement of what is left stays a fraction; two wei for the sale's
 * rounding and one for the requirement's are the documented allowances.
 */
export function lotsToTarget(world: World, id: number, price: bigint): bigint {
  const holding = holdingIn(world, id);
  const h = healthOf(world);
  if (holding === undefined || 4n * h.equity >= 5n * h.maintenance) return 0n;
  const market = marketOf(world, id);
  const model = modelHolding(market, holding, market.mark);
  const others = h.maintenance - holdingMaintenance(model).ceil();
  const charge = (price * market.penalty + PPM - 1n) / PPM;
  const loss = holding.side * (market.mark - price) + charge;
  const isEnough = (lots: bigint) => {
    const rest = tierRequirement(model.tiers, (holding.lots - lots) * market.mark).over(2n);
    const needed = rest.plus(others + 1n).times(5n);
    return needed.compare(4n * (h.equity - 2n - lots * loss)) <= 0;
  };
  const enough = leastEnough(holding.lots, edgesOf(market, holding.lots), isEnough);
  const rest = (holding.lots - enough) * market.mark;
  return rest < market.minNotional * MICRO ? holding.lots : enough;
}

/** Lots to sell, ascending, after which the rest is just inside or just beyond a bracket. */
function edgesOf({ caps, mark }: MarketCase, lots: bigint): bigint[] {
  const rests = caps.flatMap((cap) => [(cap * WHOLE) / mark + 1n, (cap * WHOLE) / mark]);
  const edges = rests.filter((rest) => rest < lots).map((rest) => lots - rest);
  return edges.sort((a, b) => (a < b ? -1 : 1));
}

/** Linear between two edges, so the first edge that is enough ends the right stretch. */
function leastEnough(
  lots: bigint,
  edges: readonly bigint[],
  isEnough: (lots: bigint) => boolean,
): bigint {
  const points = [...edges, lots];
  const first = points.findIndex(isEnough);
  if (first < 0) return lots;
  let enough = points[first] ?? lots;
  let short = points[first - 1] ?? 0n;
  while (enough - short > 1n) {
    const middle = (enough + short) / 2n;
    if (isEnough(middle)) enough = middle;
    else short = middle;
  }
  return enough;
}

/** equity − maintenance if one market's mark were `mark`, the others unchanged. */
export function slackAt(world: World, id: number, mark: bigint): bigint {
  const markets = world.markets.map((market, i) => (i === id ? { ...market, mark } : market));
  const h = healthOf({ ...world, markets });
  return h.equity - h.maintenance;
}

/** At most the rate, what keeps equity / maintenance, and what equity is left. */
export function penalty(
  rateAmount: bigint,
  before: { readonly equity: bigint; readonly maintenance: bigint },
  after: { readonly equity: bigint; readonly maintenance: bigint },
): bigint {
  const kept =
    before.maintenance === 0n
      ? ZERO
      : rational(after.maintenance * before.equity, before.maintenance);
  const room = min(rational(after.equity).minus(kept), rational(after.equity));
  return max(ZERO, min(room, rational(rateAmount))).floor();
}

export function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

export function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function total(values: readonly bigint[]): bigint {
  return values.reduce((sum, value) => sum + value, 0n);
}
