import { marketOf, sideLots } from "../model/cohorts.js";
import type { AccountId, MarketId, Side } from "../model/types.js";
import { isReached } from "../BookModel.js";
import type { Known } from "../BookModel.js";
import { noteOpenInterest, TOP_CLASS, topCap, topLots } from "./caps.js";
import { coverage } from "./health.js";
import { bandOf, nearEdge, take } from "./matching.js";
import { chooseLeverage, chosenClass, closableBy, heldBy, settle } from "./positions.js";
import type { Exchange } from "./types.js";
import {
  absolute,
  bookSide,
  FILLS,
  least,
  most,
  onlyShrinks,
  opposite,
  Refused,
  refuseUnless,
  venueOf,
} from "./types.js";

/* What an account does to its orders and its leverage, action by action. */

const SLOTS = 32;

export type TimeInForce = "gtc" | "ioc" | "fok" | "postOnly";

export type Wish = {
  readonly market: MarketId;
  readonly side: Side;
  readonly timeInForce: TimeInForce;
  readonly reduceOnly: boolean;
  readonly tick: bigint;
  readonly lots: bigint;
  readonly expiry: bigint;
};

export type Action =
  | ({ readonly kind: "place" } & Wish)
  | ({ readonly kind: "replace"; readonly slot: bigint } & Wish)
  | { readonly kind: "cancel"; readonly market: MarketId; readonly slot: bigint }
  | { readonly kind: "cancelAll"; readonly market: MarketId }
  | { readonly kind: "leverage"; readonly market: MarketId; readonly leverageClass: number };

type Work = { readonly account: AccountId; fillsLeft: bigint };

export function execute(x: Exchange, account: AccountId, actions: readonly Action[]): void {
  const work = { account, fillsLeft: FILLS };
  let last: MarketId | undefined;
  for (const action of actions) {
    if (action.market !== last) {
      if (last !== undefined) leaveMarket(x, account, last);
      venueOf(x, action.market).book.touch(BigInt(account));
      last = action.market;
    }
    act(x, work, action);
  }
  if (last !== undefined) leaveMarket(x, account, last);
}

function leaveMarket(x: Exchange, account: AccountId, market: MarketId): void {
  noteOpenInterest(x, market);
  venueOf(x, market).book.touch(BigInt(account));
}

function act(x: Exchange, work: Work, action: Action): void {
  const { book } = venueOf(x, action.market);
  const account = BigInt(work.account);
  switch (action.kind) {
    case "place":
      place(x, work, action);
      return;
    case "replace":
      book.touch(account);
      replace(x, work, action, find(x, work, action));
      return;
    case "cancel": {
      const order = find(x, work, action);
      book.drop((other) => other === order);
      return;
    }
    case "cancelAll":
      book.drop((order) => order.account === account);
      return;
    case "leverage":
      setLeverage(x, work.account, action);
  }
}

function find(x: Exchange, work: Work, at: { market: MarketId; slot: bigint }): Known {
  const own = venueOf(x, at.market).book.of(BigInt(work.account));
  const order = own.find(({ id }) => id % 256n === at.slot);
  if (order === undefined) throw new Refused("UnknownOrder");
  return order;
}

function replace(x: Exchange, work: Work, wish: Wish & { slot: bigint }, order: Known): void {
  const { book } = venueOf(x, wish.market);
  const side: Side = order.side === 0n ? 1n : -1n;
  const changed = { ...wish, side, reduceOnly: order.isReduceOnly };
  const isSamePlace = wish.tick === order.tick && wish.expiry === order.expiry;
  if (mayRest(wish) && isSamePlace && wish.lots <= order.lots) {
    requireSound(x, changed);
    requireNotional(x, wish.market, wish.lots, wish.tick);
    order.lots = wish.lots;
    return;
  }
  book.drop((other) => other === order);
  place(x, work, changed, wish.slot);
}

function place(x: Exchange, work: Work, wish: Wish, slot?: bigint): void {
  const venue = venueOf(x, wish.market);
  const { book, prices } = venue;
  requireSound(x, wish);
  const isPriced = prices.grade === "fresh" || (wish.reduceOnly && prices.grade === "aged");
  refuseUnless(isPriced, "PriceNotFresh");
  refuseUnless(wish.reduceOnly || !onlyShrinks(venue), "ReduceOnly");
  const closable = closableBy(x, work.account, wish.market, wish.side);
  const lots = sized(x, wish, closable);

  let left = lots;
  if (wish.timeInForce === "postOnly") refuseUnless(makeWay(x, work, wish), "WouldTake");
  else if (isCrossing(x, wish)) left -= takeFor(x, work, wish, { lots, closable });
  refuseUnless(wish.timeInForce !== "fok" || left === 0n, "NotFilled");
  if (left === 0n || !mayRest(wish) || !makeWay(x, work, wish)) return;

  const account = BigInt(work.account);
  refuseUnless(slot !== undefined || book.of(account).length < SLOTS, "NoFreeSlot");
  const { tick, expiry, reduceOnly: isReduceOnly } = wish;
  const placing = { account, side: bookSide(wish.side), tick, lots: left, expiry, isReduceOnly };
  book.append(slot === undefined ? placing : { ...placing, slot });
}

function mayRest({ timeInForce }: Wish): boolean {
  return timeInForce === "gtc" || timeInForce === "postOnly";
}

function requireSound(x: Exchange, { lots, expiry }: Wish): void {
  refuseUnless(lots > 0n, "ZeroLots");
  refuseUnless(expiry === 0n || expiry > x.core.now, "OrderExpired");
}

function requireNotional(x: Exchange, market: MarketId, lots: bigint, tick: bigint): void {
  const { unit, minNotional } = venueOf(x, market).config;
  refuseUnless(lots * tick * unit >= minNotional, "OrderTooSmall");
}

/** All, or what its position leaves a reduce-only order. */
function sized(x: Exchange, { market, side, tick, lots, reduceOnly }: Wish, closable: bigint) {
  if (reduceOnly) {
    refuseUnless(closable > 0n, "NotReducing");
    if (lots >= closable) return closable;
  }
  const { lowest, highest } = bandOf(x, market);
  requireNotional(x, market, lots, side === 1n ? least(tick, highest) : most(tick, lowest));
  return lots;
}

function isCrossing(x: Exchange, { market, side, tick }: Wish): boolean {
  const other = bookSide(opposite(side));
  return isReached(other, venueOf(x, market).book.best(other), tick);
}

/** Clears what is dead out of the order's way. */
function makeWay(x: Exchange, work: Work, wish: Wish): boolean {
  if (!isCrossing(x, wish)) return true;
  const other = opposite(wish.side);
  const { book } = venueOf(x, wish.market);
  const edge = nearEdge(x, wish.market, other);
  work.fillsLeft -= book.sweep(bookSide(other), wish.tick, edge, work.fillsLeft);
  return !isCrossing(x, wish);
}

function takeFor(
  x: Exchange,
  work: Work,
  wish: Wish,
  { lots, closable }: { lots: bigint; closable: bigint },
): bigint {
  const market = marketOf(x.core, wish.market);
  const { config } = venueOf(x, wish.market);
  const openBefore = sideLots(x.core, market, 1n);
  const taken = take(x, {
    market: wish.market,
    taker: work.account,
    side: wish.side,
    lots,
    limit: wish.tick,
    maxFills: work.fillsLeft,
    isForced: false,
    isReduceOnly: wish.reduceOnly,
  });
  work.fillsLeft -= taken.fills;
  const open = sideLots(x.core, market, 1n);
  const isOver = open.compare(config.openInterestCap) > 0;
  refuseUnless(!isOver || open.compare(openBefore) <= 0, "OpenInterestCapReached");
  const rest = absolute(closable - lots);
  const isDust = rest > 0n && rest * market.mark < config.minNotional;
  refuseUnless(taken.lots !== lots || closable === 0n || !isDust, "PositionTooSmall");
  return taken.lots;
}

function setLeverage(
  x: Exchange,
  account: AccountId,
  { market, leverageClass }: { market: MarketId; leverageClass: number },
): void {
  const { config, prices, book } = venueOf(x, market);
  refuseUnless(leverageClass <= config.maxLeverageClass, "LeverageTooHigh");
  const isAtRisk = heldBy(x, account, market) !== undefined || book.of(BigInt(account)).length > 0;
  refuseUnless(!isAtRisk || prices.grade === "fresh", "PriceNotFresh");
  const before = Math.min(chosenClass(x, account, market), config.maxLeverageClass);
  settle(x, account, market);
  const held = heldBy(x, account, market);
  chooseLeverage(x, account, market, leverageClass);
  if (held !== undefined && leverageClass >= TOP_CLASS && leverageClass > held.leverageClass) {
    const hasRoom = topLots(x, market, held.side) <= topCap(x, market);
    refuseUnless(hasRoom, "TopCapReached");
  }
  if (leverageClass >= before || !isAtRisk) return;
  const { settled, initial } = coverage(x, account);
  refuseUnless(settled >= initial, "LeverageNotCovered");
}
