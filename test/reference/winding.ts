import { accountOf, cancelDust, dustOf, marketOf } from "../model/cohorts.js";
import { freshPool } from "../model/fresh.js";
import { splitWhole } from "../model/queue.js";
import { rational } from "../model/rational.js";
import type { AccountId, MarketId, Side } from "../model/types.js";
import { openInterest } from "./caps.js";
import { takeFresh } from "./freshProfit.js";
import { change, closableBy, heldBy, settle } from "./positions.js";
import type { Exchange, Venue } from "./types.js";
import { least, most, opposite, refuseUnless, venueOf, viewKey } from "./types.js";

/*
 * How a market ends: its index is averaged over a window, and the average is its last price for ever. Whoever is named then is closed at
 * it against account 3, to whom lots at a price that never moves are worth nothing.
 */

export const windingSeen = {
  begun: 0,
  forgotten: 0,
  ended: 0,
  handedOver: 0,
  metThere: 0,
  cleared: 0,
};

const SIDES = [1n, -1n] as const;

export function windDown(x: Exchange, id: MarketId): void {
  const venue = venueOf(x, id);
  refuseUnless(venue.wind === undefined, "AlreadyWindingDown");
  windingSeen.begun++;
  begin(x, venue);
}

function begin({ core: { now } }: Exchange, venue: Venue): void {
  venue.wind = { from: now, until: now + venue.config.windWindow, seen: now, sum: 0n };
}

/** What a refresh of prices means for a market's end. @param stood Index since the last refresh. */
export function observe(x: Exchange, venue: Venue, stood: bigint): void {
  const { wind, prices, config } = venue;
  const { now } = x.core;
  if (wind !== undefined) {
    const upTo = least(now, wind.until);
    venue.wind = { ...wind, seen: upTo, sum: wind.sum + stood * (upTo - wind.seen) };
    if (upTo === wind.until) end(x, venue, venue.wind.sum / (wind.until - wind.from));
  } else if (prices.grade === "dead" && stood > 0n && now > prices.publishTime + config.maxDead) {
    windingSeen.forgotten++;
    begin(x, venue);
  }
}

function end(x: Exchange, venue: Venue, average: bigint): void {
  windingSeen.ended++;
  const price = most(average, 1n);
  venue.isEnded = true;
  marketOf(x.core, venue.id).mark = price;
  const last = { index: price, grade: "fresh", freshSince: x.core.now } as const;
  Object.assign(venue.prices, { ...last, waiting: 0n, waitingSince: 0n });
}

/** Closes what an account has where markets have ended. @returns Whether there was anything. */
export function closeEnded(x: Exchange, account: AccountId): boolean {
  const { positions } = accountOf(x.core, account);
  const ended = [...x.venues.values()].filter((it) => it.isEnded && positions.has(it.id));
  for (const { id, book } of ended) {
    book.drop((order) => order.account === BigInt(account));
    handOver(x, account, id);
  }
  return ended.length > 0;
}

/** By a trade at the last price, without a fee. */
function handOver(x: Exchange, account: AccountId, id: MarketId): void {
  settle(x, account, id);
  const held = heldBy(x, account, id);
  if (held === undefined) return;
  windingSeen.handedOver++;
  const market = marketOf(x.core, id);
  const { side, lots } = held;
  const away = opposite(side);
  const quote = closableBy(x, account, id, away) * market.mark;
  const fill = { side: away, closeLots: lots, closeQuote: quote, openLots: 0n, openQuote: 0n };
  change(x, account, id, { fill, fee: 0n });
  const dust = dustOf(market, side);
  dust.lots = dust.lots.plus(lots);
  dust.cost = dust.cost.plus(quote).minus(rational(lots * market.funding, 2n ** 32n));
  if (dustOf(market, away).lots.isPositive()) windingSeen.metThere++;
  cancelDust(x.core, market);
}

/** An ended market has no income: once it holds no lots, all fresh profit in it pays its shortfall in proportion. */
export function clearShortfall(x: Exchange, { id, isEnded }: Venue): void {
  const market = marketOf(x.core, id);
  if (!isEnded || !market.shortfall.isPositive() || openInterest(x, id) > 0n) return;
  const pools = SIDES.map((side) => poolOf(x, id, side));
  const all = pools.reduce((sum, pool) => sum + pool, 0n);
  const amount = least(market.shortfall.floor(), all);
  if (amount === 0n) return;
  windingSeen.cleared++;
  const weights = pools.map((pool) => rational(pool));
  splitWhole(rational(amount), weights).forEach((share, i) => {
    const [side, counted] = [SIDES[i] ?? 1n, weights[i] ?? share];
    takeFresh(x, market, side, { amount: share, counted });
  });
  market.shortfall = market.shortfall.minus(amount);
}

/** As far as it is counted. */
function poolOf(x: Exchange, id: MarketId, side: Side): bigint {
  const gap = x.freshGaps.get(viewKey(id, Number(side))) ?? 0n;
  return most(0n, freshPool(x.core, marketOf(x.core, id), side).minus(gap).floor());
}
