import { marketOf } from "../model/cohorts.js";
import type { AccountId, MarketId, Side } from "../model/types.js";
import { isInFront, isReached } from "../BookModel.js";
import type { Known } from "../BookModel.js";
import { noteOpenInterest, TOP_CLASS, topCap, topLots } from "./caps.js";
import { allowsMaker } from "./health.js";
import { isHeldBack, isWaiting, jumpsSeen } from "./jumps.js";
import { noteTrade } from "./prices.js";
import { change, chosenClass, closableBy, heldBy } from "./positions.js";
import type { Fill } from "./positions.js";
import type { Exchange, Venue } from "./types.js";
import { bookSide, ceilDiv, least, onlyShrinks, opposite, PPM, venueOf } from "./types.js";

/* To take, sort all orders of the other side by price, then by time, and go through them. */

const STALE_LEVELS = 8n;

export type Take = {
  readonly market: MarketId;
  /** Nobody for an event. */
  readonly taker: AccountId | undefined;
  readonly side: Side;
  readonly lots: bigint;
  readonly limit: bigint;
  readonly maxFills: bigint;
  /** No taker fee, and makers may grow. */
  readonly isForced: boolean;
  readonly isReduceOnly: boolean;
};

export type Taken = { readonly lots: bigint; readonly quote: bigint; readonly fills: bigint };

type Walk = {
  left: bigint;
  steps: bigint;
  closable: bigint;
  readonly mayGrow: boolean;
  fill: Fill;
};

type Reason = "selfTrades" | "killed" | "expired" | "poor" | "notReducing" | "topCap";

export type Seen = Record<"fills" | "heldBack" | Reason, number>;

/** What the walks of all models came upon; for whoever wants to know that something was reached. */
export const seen: Seen = {
  fills: 0,
  heldBack: 0,
  selfTrades: 0,
  killed: 0,
  expired: 0,
  poor: 0,
  notReducing: 0,
  topCap: 0,
};

/** The lowest and the highest tick at which fills may happen. */
export function bandOf(x: Exchange, market: MarketId): { lowest: bigint; highest: bigint } {
  const { mark, unit } = marketOf(x.core, market);
  const { band } = venueOf(x, market).config;
  return {
    lowest: ceilDiv(mark * (PPM - band), unit * PPM),
    highest: (mark * (PPM + band)) / (unit * PPM),
  };
}

/** Where the band begins for whoever walks the orders of `side` from the best on. */
export function nearEdge(x: Exchange, market: MarketId, side: Side): bigint {
  const { lowest, highest } = bandOf(x, market);
  return side === 1n ? highest : lowest;
}

export function take(x: Exchange, t: Take): Taken {
  const venue = venueOf(x, t.market);
  const makerSide = opposite(t.side);
  const isOpen = venue.prices.grade === "fresh" && !onlyShrinks(venue);
  const closable = t.taker === undefined ? 0n : closableBy(x, t.taker, t.market, t.side);
  const wanted = t.isReduceOnly && t.taker !== undefined ? least(t.lots, closable) : t.lots;
  const walk: Walk = {
    left: wanted,
    steps: 0n,
    closable,
    mayGrow: t.isForced || t.taker === undefined ? !venue.isEnded : isOpen,
    fill: { side: t.side, closeLots: 0n, closeQuote: 0n, openLots: 0n, openQuote: 0n },
  };
  const lotsAt = new Map<bigint, bigint>();
  for (const order of candidates(x, t)) {
    const { left } = walk;
    meet(x, t, walk, order);
    lotsAt.set(order.tick, (lotsAt.get(order.tick) ?? 0n) + left - walk.left);
  }
  for (const [tick, there] of lotsAt) noteTrade(x, venue, tick, there);
  const quote = walk.fill.closeQuote + walk.fill.openQuote;
  const lots = wanted - walk.left;
  if (lots > 0n && t.taker !== undefined) {
    const rate = t.isForced ? 0n : venue.config.takerFee;
    change(x, t.taker, t.market, { fill: walk.fill, fee: feeUp(quote, rate) });
  }
  if (t.isForced) noteOpenInterest(x, t.market);
  const [edge, best] = [nearEdge(x, t.market, makerSide), venue.book.best(bookSide(makerSide))];
  if (best !== 0n && isInFront(bookSide(makerSide), best, edge)) {
    const most = least(STALE_LEVELS, t.maxFills - walk.steps);
    walk.steps += venue.book.sweep(bookSide(makerSide), t.limit, edge, most);
  }
  return { lots, quote, fills: walk.steps };
}

/** All orders inside the band and the limit that no jump holds back, best price first, then oldest first. */
function candidates(x: Exchange, { market, side, limit }: Take): Known[] {
  const { lowest, highest } = bandOf(x, market);
  const venue = venueOf(x, market);
  const maker = bookSide(opposite(side));
  const inBand = venue.book.orders
    .filter((order) => order.isLinked && order.side === maker)
    .filter(({ tick }) => tick >= lowest && tick <= highest && isReached(maker, tick, limit));
  const free = inBand.filter(({ tick }) => !isHeldBack(venue, opposite(side), tick));
  seen.heldBack += inBand.length - free.length;
  return free
    .map((order, age) => ({ order, age }))
    .sort((a, b) => {
      if (a.order.tick === b.order.tick) return a.age - b.age;
      return isInFront(maker, a.order.tick, b.order.tick) ? -1 : 1;
    })
    .map(({ order }) => order);
}

/** Fills, removes or passes over one order; it is met again while some of it is left. */
function meet(x: Exchange, t: Take, walk: Walk, order: Known): void {
  const { book } = venueOf(x, t.market);
  while (walk.left > 0n && walk.steps < t.maxFills && order.lots > 0n) {
    walk.steps++;
    const maker = Number(order.account);
    const reason = reasonToRemove(x, t, book, order);
    if (reason !== undefined) {
      seen[reason]++;
      drop(book, order);
      return;
    }
    const closable = closableBy(x, maker, t.market, opposite(t.side));
    let lots = least(order.lots, walk.left);
    if (order.isReduceOnly || !walk.mayGrow) lots = least(lots, closable);
    if (lots === 0n) {
      if (order.isReduceOnly) drop(book, order);
      if (order.isReduceOnly) seen.notReducing++;
      return;
    }
    if (exceedsTopCap(x, t, { maker, lots, closable })) {
      seen.topCap++;
      drop(book, order);
      return;
    }
    if (!fillOne(x, t, walk, { order, lots, closable })) {
      seen.poor++;
      drop(book, order);
      book.killSide(order.account, order.side);
      return;
    }
  }
}

/** Whether a fill would grow a position of a top leverage class beyond what these may hold of a side together. */
function exceedsTopCap(
  x: Exchange,
  t: Take,
  { maker, lots, closable }: { maker: AccountId; lots: bigint; closable: bigint },
): boolean {
  if (lots <= closable) return false;
  const { config } = venueOf(x, t.market);
  const held = heldBy(x, maker, t.market);
  const keeps = held !== undefined && (held.side !== t.side || held.lots > lots);
  const chosen = Math.min(chosenClass(x, maker, t.market), config.maxLeverageClass);
  if ((keeps ? held.leverageClass : chosen) < TOP_CLASS) return false;
  return topLots(x, t.market, opposite(t.side)) + lots - closable > topCap(x, t.market);
}

function reasonToRemove(
  x: Exchange,
  { taker }: Take,
  book: Venue["book"],
  order: Known,
): Reason | undefined {
  if (!order.isReserved) return "killed";
  if (book.isExpired(order)) return "expired";
  if (taker === undefined) return undefined;
  const isOwn = x.owners.get(taker) === x.owners.get(Number(order.account));
  return isOwn ? "selfTrades" : undefined;
}

/** @returns Whether the maker's margin allows it. */
function fillOne(
  x: Exchange,
  t: Take,
  walk: Walk,
  { order, lots, closable }: { order: Known; lots: bigint; closable: bigint },
): boolean {
  const { book, config } = venueOf(x, t.market);
  const maker = Number(order.account);
  const side = opposite(t.side);
  const price = order.tick * config.unit;
  const fee = feeUp(lots * price, config.makerFee);
  if (!allowsMaker(x, { market: t.market, maker, side, lots, price, fee })) return false;
  seen.fills++;
  if (isWaiting(venueOf(x, t.market).prices)) jumpsSeen.fills++;
  order.lots -= lots;
  if (order.lots === 0n) drop(book, order);
  change(x, maker, t.market, { fill: split(side, lots, closable, price), fee });
  const own = split(t.side, lots, walk.closable, price);
  walk.left -= lots;
  walk.closable -= own.closeLots;
  walk.fill.closeLots += own.closeLots;
  walk.fill.closeQuote += own.closeQuote;
  walk.fill.openLots += own.openLots;
  walk.fill.openQuote += own.openQuote;
  return true;
}

/** What closes first, then what opens. */
export function split(side: Side, lots: bigint, closable: bigint, price: bigint): Fill {
  const closeLots = least(lots, closable);
  const openLots = lots - closeLots;
  return { side, closeLots, closeQuote: closeLots * price, openLots, openQuote: openLots * price };
}

function drop(book: Venue["book"], order: Known): void {
  order.lots = 0n;
  book.drop(({ id, account }) => id === order.id && account === order.account);
}

export function feeUp(quote: bigint, rate: bigint): bigint {
  return ceilDiv(quote * rate, PPM);
}
