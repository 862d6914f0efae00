import type { EventNamed } from "./events.js";
import {
  accountOfOrder,
  isReduceOnly,
  levelKey,
  LONG,
  sideOf,
  sideOfFlags,
  sideOfLevel,
  slotOfOrder,
  tickOfLevel,
} from "./keys.js";
import type { SideIndex } from "./keys.js";
import { tickWordKey } from "./state.js";
import type { Level, MarketState, Order, Resting } from "./state.js";
import { isZero, zero } from "./words.js";

/*
 * The order book from its events: what contracts/libraries/Book.sol does, without its shortcuts. Queues are the linked
 * lists of storage; the bitmap of ticks and the best prices follow from the levels.
 */

const TICK_MIDDLE = 2 ** 16;
const TICK_ROOT = 2 ** 17;

type Args<Name extends "OrderPlaced" | "OrderRemoved" | "Filled" | "LevelKilled" | "OrdersKilled"> =
  EventNamed<Name>["args"];

/** An order that is there already was made smaller where it stands. */
export function orderPlaced(market: MarketState, args: Args<"OrderPlaced">): void {
  const id = Number(args.order);
  const standing = market.orders.get(id);
  if (standing !== undefined) return takeLots(market, id, standing.lots - args.lots);
  const side = sideOfFlags(args.flags);
  const account = accountOfOrder(id);
  const resting = restingOf(market, account);
  const key = levelKey(side, Number(args.tick));
  const level = market.levels.get(key) ?? { ...zero("Level"), epoch: 1n };
  const before = market.orders.get(Number(level.tail));
  if (before !== undefined) before.next = args.order;
  market.orders.set(id, {
    lots: args.lots,
    tick: args.tick,
    prev: level.tail,
    next: 0n,
    expiry: args.expiry,
    levelEpoch: level.epoch,
    sideEpoch: side === LONG ? resting.bidEpoch : resting.askEpoch,
    flags: args.flags,
  });
  if (level.head === 0n) level.head = args.order;
  level.tail = args.order;
  level.lots += args.lots;
  storeLevel(market, key, level);
  resting.used |= 1n << BigInt(slotOfOrder(id));
  if (!isReduceOnly(args.flags)) reserve(resting, side, args.lots);
}

/** An order that its level's epoch has left behind is not linked any more: only its slot is freed. */
export function orderRemoved(market: MarketState, args: Args<"OrderRemoved">): void {
  const order = market.orders.get(Number(args.order));
  if (order !== undefined) takeLots(market, Number(args.order), order.lots);
}

export function orderFilled(market: MarketState, args: Args<"Filled">): void {
  takeLots(market, Number(args.order), args.lots);
}

export function levelKilled(market: MarketState, args: Args<"LevelKilled">): void {
  const key = levelKey(sideOf(args.side), Number(args.tick));
  storeLevel(market, key, { ...zero("Level"), epoch: args.epoch });
  market.book.kills = BigInt.asUintN(24, market.book.kills + 1n);
}

export function ordersKilled(market: MarketState, args: Args<"OrdersKilled">): void {
  const resting = restingOf(market, Number(args.account));
  if (sideOf(args.side) === LONG) [resting.bidLots, resting.bidEpoch] = [0n, args.epoch];
  else [resting.askLots, resting.askEpoch] = [0n, args.epoch];
}

export function restingOf(market: MarketState, account: number): Resting {
  let resting = market.resting.get(account);
  if (resting === undefined) market.resting.set(account, (resting = zero("Resting")));
  return resting;
}

/** Whether an order still stands in its level's queue. */
export function isLinked(market: MarketState, order: Order): boolean {
  const key = levelKey(sideOfFlags(order.flags), Number(order.tick));
  return market.levels.get(key)?.epoch === order.levelEpoch;
}

function takeLots(market: MarketState, id: number, lots: bigint): void {
  const order = market.orders.get(id);
  if (order === undefined) return;
  const side = sideOfFlags(order.flags);
  const resting = restingOf(market, accountOfOrder(id));
  const sideEpoch = side === LONG ? resting.bidEpoch : resting.askEpoch;
  if (!isReduceOnly(order.flags) && order.sideEpoch === sideEpoch) reserve(resting, side, -lots);
  order.lots -= lots;
  if (isLinked(market, order)) {
    const key = levelKey(side, Number(order.tick));
    const level = market.levels.get(key) ?? zero("Level");
    level.lots -= lots;
    if (order.lots === 0n) unlink(market, level, order);
    storeLevel(market, key, level);
  }
  if (order.lots > 0n) return;
  market.orders.delete(id);
  resting.used &= ~(1n << BigInt(slotOfOrder(id)));
}

function unlink(market: MarketState, level: Level, { prev, next }: Order): void {
  const older = market.orders.get(Number(prev));
  const newer = market.orders.get(Number(next));
  if (older === undefined) level.head = next;
  else older.next = next;
  if (newer === undefined) level.tail = prev;
  else newer.prev = prev;
}

function reserve(resting: Resting, side: SideIndex, lots: bigint): void {
  if (side === LONG) resting.bidLots += lots;
  else resting.askLots += lots;
}

/** Keeps the bitmap and the best price of the side true to the level. */
function storeLevel(market: MarketState, key: number, level: Level): void {
  if (isZero(level)) market.levels.delete(key);
  else market.levels.set(key, level);
  const [side, tick] = [sideOfLevel(key), tickOfLevel(key)];
  markTick(market, side, { tick, isSet: level.lots > 0n });
  const best = side === LONG ? market.book.bestBid : market.book.bestAsk;
  if (level.lots > 0n) {
    const isBetter = side === LONG ? BigInt(tick) > best : best === 0n || BigInt(tick) < best;
    if (isBetter) setBest(market, side, BigInt(tick));
  } else if (best === BigInt(tick)) {
    setBest(market, side, bestOf(market, side));
  }
}

/** The best tick of a side that holds lots, 0 if there is none. */
export function bestOf(market: MarketState, side: SideIndex): bigint {
  let best = 0;
  for (const [key, { lots }] of market.levels) {
    if (lots === 0n || sideOfLevel(key) !== side) continue;
    const tick = tickOfLevel(key);
    if (best === 0 || (side === LONG ? tick > best : tick < best)) best = tick;
  }
  return BigInt(best);
}

function setBest(market: MarketState, side: SideIndex, tick: bigint): void {
  if (side === LONG) market.book.bestBid = tick;
  else market.book.bestAsk = tick;
}

type TickChange = { readonly tick: number; readonly isSet: boolean };

function markTick(market: MarketState, side: SideIndex, { tick, isSet }: TickChange): void {
  const middle = Math.floor(tick / 2 ** 16);
  const words = [
    [Math.floor(tick / 2 ** 8), tick % 2 ** 8],
    [TICK_MIDDLE + middle, Math.floor(tick / 2 ** 8) % 2 ** 8],
    [TICK_ROOT, middle],
  ] as const;
  for (const [word, bit] of words) {
    const key = tickWordKey(side, word);
    const before = market.ticks.get(key) ?? 0n;
    const mask = 1n << BigInt(bit);
    const after = isSet ? before | mask : before & ~mask;
    if (after === 0n) market.ticks.delete(key);
    else market.ticks.set(key, after);
    // A word that still says something keeps its bit in the word above.
    if (!isSet && after !== 0n) return;
  }
}
