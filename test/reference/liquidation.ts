import { accountOf, marketOf } from "../model/cohorts.js";
import type { AccountId, MarketId, Side } from "../model/types.js";
import { tierRequirement } from "../model/margin.js";
import { noteOpenInterest } from "./caps.js";
import { healthOf, judge, maintenanceUp, snapshotOf } from "./health.js";
import type { Health } from "./health.js";
import { isWaiting, jumpsSeen } from "./jumps.js";
import { split, take } from "./matching.js";
import { change, closableBy, heldBy, pay } from "./positions.js";
import type { Held } from "./positions.js";
import type { Exchange } from "./types.js";
import {
  atLeastZero,
  bookSide,
  ceilDiv,
  FILLS,
  floorDiv,
  least,
  MICRO,
  most,
  opposite,
  PPM,
  refuseUnless,
  venueOf,
} from "./types.js";

/* Forced sales, into the book and to another account, both at one limit. */

const PASSES = 3;
/** Quote that selling and settling may lose to rounding. */
const SALE_ROUNDING = 2n;
/** Quote per lot that a limit stays nearer to mark than the zero price. */
const LIMIT_ROUNDING = 4n;

type Sale = {
  readonly account: AccountId;
  readonly before: Health;
  readonly elapsed: bigint;
  readonly live: readonly MarketId[];
  fills: bigint;
  health: Health;
  /** Quote that the rates ask for, and the caller's part of it. */
  penalty: bigint;
  callerPart: bigint;
};

export type LiquidationsSeen = { sales: number; sold: number; takeovers: number; cleared: number };

export const liquidationsSeen: LiquidationsSeen = { sales: 0, sold: 0, takeovers: 0, cleared: 0 };

/* WHO */

/** Below maintenance at mark, at index, and at the prices of jumps that wait. */
export function isLiquidatable(h: Health): boolean {
  return (
    h.equity < h.maintenance &&
    h.equityAtIndex < h.maintenanceAtIndex &&
    h.equityAtWaiting < h.maintenanceAtWaiting
  );
}

/** equity ≥ 5/4 of maintenance. */
export function isAtTarget(h: Health): boolean {
  return 4n * h.equity >= 5n * h.maintenance;
}

/** Markets with a position that have a price, and since when all of them are fresh; nothing if one is not. */
export function scan(x: Exchange, id: AccountId): { live: MarketId[]; freshSince?: bigint } {
  const live = [...x.venues.values()].filter(
    (venue) => accountOf(x.core, id).positions.has(venue.id) && venue.prices.grade !== "dead",
  );
  const ids = live.map((venue) => venue.id);
  if (live.some(({ prices }) => prices.grade !== "fresh")) return { live: ids };
  return {
    live: ids,
    freshSince: live.reduce((at, { prices }) => most(at, prices.freshSince), 0n),
  };
}

/** Seconds that the account's clock has run while everything was fresh. */
export function elapsedOf(x: Exchange, id: AccountId, freshSince: bigint | undefined): bigint {
  const clock = x.clocks.get(id);
  if (clock === undefined || freshSince === undefined) return 0n;
  return atLeastZero(x.core.now - most(clock.since, freshSince));
}

export function cancelOrders(x: Exchange, id: AccountId): void {
  for (const { book } of x.venues.values()) book.drop(({ account }) => account === BigInt(id));
}

export function clearClockIfHealthy(x: Exchange, id: AccountId, health: Health): void {
  if (isAtTarget(health) && x.clocks.delete(id)) liquidationsSeen.cleared++;
}

/** @returns The sale, or why there is none. */
function begin(x: Exchange, account: AccountId, fills: bigint): Sale | "Healthy" | "NoPosition" {
  const before = healthOf(x, account);
  if (!isLiquidatable(before)) {
    const isPoor = isLiquidatable({ ...before, equityAtWaiting: before.maintenanceAtWaiting - 1n });
    if (isPoor) jumpsSeen.spared++;
    clearClockIfHealthy(x, account, before);
    return "Healthy";
  }
  const { live, freshSince } = scan(x, account);
  cancelOrders(x, account);
  if (live.length === 0) return "NoPosition";
  if (!x.clocks.has(account)) {
    x.clocks.set(account, { since: x.core.now, distress: before.maintenance / MICRO });
    x.distressSince = x.core.now;
  }
  const elapsed = elapsedOf(x, account, freshSince);
  const money = { penalty: 0n, callerPart: 0n };
  return { account, before, health: before, elapsed, live, fills, ...money };
}

/* INTO THE BOOK */

export function liquidate(
  x: Exchange,
  accounts: readonly AccountId[],
  { maxFills, rewardTo }: { maxFills: bigint; rewardTo: AccountId },
): void {
  let fills = least(maxFills, FILLS);
  for (const account of accounts) {
    if (!x.owners.has(account)) continue;
    const sale = begin(x, account, fills);
    if (typeof sale === "string") continue;
    liquidationsSeen.sales++;
    if (sale.live.some((id) => isWaiting(venueOf(x, id).prices))) jumpsSeen.sales++;
    sellAll(x, sale);
    finish(x, sale, rewardTo);
    fills = sale.fills;
  }
}

function sellAll(x: Exchange, sale: Sale): void {
  let left = [...sale.live];
  while (left.length > 0 && sale.fills > 0n && !isAtTarget(charged(sale))) {
    const market = largest(x, sale.account, left);
    left = left.filter((other) => other !== market);
    sellIn(x, sale, market);
  }
}

function sellIn(x: Exchange, sale: Sale, market: MarketId): void {
  for (let pass = 0; pass < PASSES; pass++) {
    if (sale.fills === 0n || !sell(x, sale, market)) return;
  }
}

function largest(x: Exchange, id: AccountId, markets: readonly MarketId[]): MarketId {
  const needs = markets.map((market) => {
    const lots = heldBy(x, id, market)?.lots ?? 0n;
    const needed = maintenanceUp(venueOf(x, market).config, lots * marketOf(x.core, market).mark);
    return { market, needed };
  });
  const best = needs.reduce((a, b) => (b.needed > a.needed ? b : a));
  return best.market;
}

/** @returns Whether the book took all it was offered and the target is not reached. */
function sell(x: Exchange, sale: Sale, market: MarketId): boolean {
  const held = heldBy(x, sale.account, market);
  if (held === undefined) return false;
  const { unit } = marketOf(x.core, market);
  const limit = limitTick(x, sale, market, held);
  const best = venueOf(x, market).book.best(bookSide(held.side));
  if (best === 0n || held.side * (limit - best) > 0n) return false;
  const lots = lotsToTarget(x, { market, held, health: charged(sale), price: best * unit });
  if (lots === 0n) return false;
  const taken = take(x, {
    market,
    taker: sale.account,
    side: opposite(held.side),
    lots,
    limit,
    maxFills: sale.fills,
    isForced: true,
    isReduceOnly: true,
  });
  sale.fills -= least(taken.fills, sale.fills);
  if (taken.lots === 0n) return false;
  liquidationsSeen.sold++;
  note(x, sale, market, taken.quote);
  sale.health = healthOf(x, sale.account);
  return taken.lots === lots && !isAtTarget(charged(sale));
}

/* TO AN ACCOUNT */

export type Takeover = {
  readonly from: AccountId;
  readonly to: AccountId;
  readonly market: MarketId;
  readonly lots: bigint;
  /** Quote per lot. */
  readonly worstPrice: bigint;
};

export function takeover(x: Exchange, { from, to, market, lots, worstPrice }: Takeover): void {
  const before = snapshotOf(x, to);
  refuseUnless(from !== to, "SameAccount");
  refuseUnless(venueOf(x, market).prices.grade !== "dead", "PriceNotFresh");
  refuseUnless(!venueOf(x, market).isEnded, "ReduceOnly");
  const sale = begin(x, from, 0n);
  refuseUnless(sale !== "NoPosition", "ZeroLots");
  refuseUnless(sale !== "Healthy", "NotLiquidatable");
  refuseUnless(sale.live.includes(market), "ZeroLots");

  sale.fills = FILLS;
  sellIn(x, sale, market);
  const held = heldBy(x, from, market);
  const { mark, unit } = marketOf(x.core, market);
  const side = held?.side ?? accountOf(x.core, from).positions.get(market)?.side ?? 1n;
  const price = held === undefined ? mark : limitTick(x, sale, market, held) * unit;
  if (held !== undefined) refuseUnless(side * (price - worstPrice) <= 0n, "WorseThanLimit");
  const needed = held && lotsToTarget(x, { market, held, health: charged(sale), price });
  const taken = least(lots, needed ?? 0n);
  // The book may have taken all that was to be sold.
  refuseUnless(taken > 0n || sale.fills !== FILLS, "ZeroLots");
  if (taken > 0n) {
    handOver(x, from, market, { side: opposite(side), lots: taken, price });
    handOver(x, to, market, { side, lots: taken, price });
    note(x, sale, market, taken * price);
  }
  sale.health = healthOf(x, from);
  finish(x, sale, to);
  noteOpenInterest(x, market);
  const error = judge(x, to, before);
  refuseUnless(error === undefined, error ?? "");
  liquidationsSeen.takeovers++;
}

function handOver(
  x: Exchange,
  id: AccountId,
  market: MarketId,
  { side, lots, price }: { side: Side; lots: bigint; price: bigint },
): void {
  const fill = split(side, lots, closableBy(x, id, market, side), price);
  change(x, id, market, { fill, fee: 0n });
  const left = heldBy(x, id, market)?.lots ?? 0n;
  const isDust = left * marketOf(x.core, market).mark < venueOf(x, market).config.minNotional;
  refuseUnless(left === 0n || !isDust, "PositionTooSmall");
}

/* HOW FAR, AT WHAT PRICE, AND WHAT IT COSTS */

/** The tick nearest to the limit that is no worse for who is sold out. */
function limitTick(x: Exchange, sale: Sale, market: MarketId, held: Held): bigint {
  const price = limitOf(x, sale, market, held);
  const { unit } = marketOf(x.core, market);
  return held.side === 1n ? ceilDiv(price, unit) : price / unit;
}

/** From mark ∓ slip0 to the zero price while the clock runs, and never beyond it. */
function limitOf(x: Exchange, sale: Sale, market: MarketId, held: Held): bigint {
  const { mark } = marketOf(x.core, market);
  const { config } = venueOf(x, market);
  const own = maintenanceUp(config, held.lots * mark);
  const toZero = floorDiv(sale.health.equity * own, sale.health.maintenance * held.lots);
  if (toZero <= LIMIT_ROUNDING) return mark;
  const start = (mark * config.slip0) / PPM;
  const passed = least(sale.elapsed, config.clock);
  const scheduled = (start * (config.clock - passed) + toZero * passed) / config.clock;
  return atLeastZero(mark - held.side * least(scheduled, toZero - LIMIT_ROUNDING));
}

type Aim = { market: MarketId; held: Held; health: Health; price: bigint };

/** The least lots that bring equity to the target with the penalty paid; all, if no number does or too little would be left. */
export function lotsToTarget(x: Exchange, { market, held, health, price }: Aim): bigint {
  if (isAtTarget(health)) return 0n;
  const { mark } = marketOf(x.core, market);
  const { config } = venueOf(x, market);
  const others = health.maintenance - maintenanceUp(config, held.lots * mark);
  const loss = held.side * (mark - price) + ceilDiv(price * config.penalty, PPM);
  const isEnough = (lots: bigint) => {
    const left = tierRequirement(config.tiers, (held.lots - lots) * mark).over(2n);
    const needed = left.plus(others + 1n).times(5n);
    return needed.compare(4n * (health.equity - SALE_ROUNDING - lots * loss)) <= 0;
  };
  // Between two edges of the tiers everything is straight, so the first that is enough ends the right stretch.
  const edges = config.tiers
    .flatMap(({ upTo }) => (upTo === undefined ? [] : [upTo / mark, upTo / mark + 1n]))
    .filter((rest) => rest < held.lots)
    .map((rest) => held.lots - rest);
  const points = [0n, ...edges.sort((a, b) => (a < b ? -1 : 1)), held.lots];
  const first = points.findIndex(isEnough);
  if (first < 0) return held.lots;
  let enough = points[first] ?? 0n;
  let short = points[first - 1] ?? 0n;
  while (enough - short > 1n) {
    const middle = (enough + short) / 2n;
    if (isEnough(middle)) enough = middle;
    else short = middle;
  }
  return (held.lots - enough) * mark < config.minNotional ? held.lots : enough;
}

/** At most what keeps equity / maintenance where it was, and never more than what is left. */
export function penaltyOf(rateAmount: bigint, before: Health, after: Health): bigint {
  if (after.equity <= 0n) return 0n;
  let room = after.equity;
  if (after.maintenance > 0n && before.maintenance > 0n && before.equity > 0n) {
    room -= ceilDiv(after.maintenance * before.equity, before.maintenance);
  }
  return least(rateAmount, atLeastZero(room));
}

function note(x: Exchange, sale: Sale, market: MarketId, quote: bigint): void {
  const { penalty, callerShare } = venueOf(x, market).config;
  const amount = (quote * penalty) / PPM;
  sale.penalty += amount;
  sale.callerPart += (amount * callerShare) / PPM;
}

/** The account as if the penalty were paid now. */
function charged({ health, penalty, before }: Sale): Health {
  return { ...health, equity: health.equity - penaltyOf(penalty, before, health) };
}

function finish(x: Exchange, sale: Sale, rewardTo: AccountId): void {
  const penalty = penaltyOf(sale.penalty, sale.before, sale.health);
  if (penalty > 0n) {
    const hasCaller = x.owners.has(rewardTo);
    const reward = hasCaller ? (penalty * sale.callerPart) / sale.penalty : 0n;
    pay(x, sale.account, -penalty);
    x.core.fund = x.core.fund.plus(penalty - reward);
    if (hasCaller) pay(x, rewardTo, reward);
  }
  const equity = sale.health.equity - penalty;
  clearClockIfHealthy(x, sale.account, { ...sale.health, equity });
}
