import {
  accountOfOrder,
  isReduceOnly,
  levelKey,
  LONG,
  SHORT,
  sideOfFlags,
  sideOfLevel,
  slotOfOrder,
  tickOfLevel,
} from "../keys.js";
import { bestOf, isLinked } from "../rebuild-book.js";
import { tickWordKey } from "../state.js";
import type { Level, MarketState, Order, State } from "../state.js";
import type { Findings } from "./violation.js";

/* INV-5: levels, queues, bitmap, reservations, and no live bid at or above a live ask. */

const TICK_MIDDLE = 2 ** 16;
const TICK_ROOT = 2 ** 17;

/** @param time Unix; orders whose time is over are not live. */
export function checkBook(findings: Findings, state: State, time: bigint): void {
  for (const [id, market] of state.markets) {
    let linked = 0;
    for (const [key, level] of market.levels)
      linked += checkLevel(findings, id, [market, key, level]);
    const standing = [...market.orders.values()].filter((order) => isLinked(market, order)).length;
    findings.check(standing === linked, "INV-5", () => ({
      what: "orders stand in no queue",
      numbers: { market: id, standing, linked },
    }));
    checkBest(findings, id, market);
    checkTicks(findings, id, market);
    checkReservations(findings, id, market);
    checkCross(findings, id, [market, time]);
  }
}

/** @returns How many orders the queue holds. */
function checkLevel(
  findings: Findings,
  id: number,
  [market, key, level]: readonly [MarketState, number, Level],
): number {
  let [count, lots] = [0, 0n];
  let [prev, at] = [0n, level.head];
  let isWhole = true;
  while (at !== 0n && count <= market.orders.size) {
    const order = market.orders.get(Number(at));
    const isHere =
      order !== undefined &&
      order.prev === prev &&
      order.levelEpoch === level.epoch &&
      levelKey(sideOfFlags(order.flags), Number(order.tick)) === key;
    if (!isHere) isWhole = false;
    if (order === undefined) break;
    count += 1;
    lots += order.lots;
    [prev, at] = [at, order.next];
  }
  const where = { market: id, side: sideOfLevel(key), tick: tickOfLevel(key) };
  findings.check(isWhole && prev === level.tail, "INV-5", () => ({
    what: "a level's queue is broken",
    numbers: { ...where, head: level.head, tail: level.tail, last: prev },
  }));
  findings.check(lots === level.lots, "INV-5", () => ({
    what: "a level's lots are not its orders'",
    numbers: { ...where, level: level.lots, orders: lots },
  }));
  return count;
}

function checkBest(findings: Findings, id: number, market: MarketState): void {
  const pairs = [
    [LONG, market.book.bestBid],
    [SHORT, market.book.bestAsk],
  ] as const;
  for (const [side, says] of pairs) {
    const best = bestOf(market, side);
    findings.check(best === says, "INV-5", () => ({
      what: "the best price is not that of the best level",
      numbers: { market: id, side, says, best },
    }));
  }
}

function checkTicks(findings: Findings, id: number, market: MarketState): void {
  const expected = new Map<number, bigint>();
  for (const [key, { lots }] of market.levels) {
    if (lots === 0n) continue;
    const [side, tick] = [sideOfLevel(key), tickOfLevel(key)];
    const middle = Math.floor(tick / 2 ** 16);
    const places = [
      [Math.floor(tick / 2 ** 8), tick % 2 ** 8],
      [TICK_MIDDLE + middle, Math.floor(tick / 2 ** 8) % 2 ** 8],
      [TICK_ROOT, middle],
    ] as const;
    for (const [word, bit] of places) {
      const at = tickWordKey(side, word);
      expected.set(at, (expected.get(at) ?? 0n) | (1n << BigInt(bit)));
    }
  }
  for (const key of new Set([...expected.keys(), ...market.ticks.keys()])) {
    const [bits, levels] = [market.ticks.get(key) ?? 0n, expected.get(key) ?? 0n];
    findings.check(bits === levels, "INV-5", () => ({
      what: "the bitmap of ticks is not that of the levels with lots",
      numbers: { market: id, word: key, bits: bits.toString(16), levels: levels.toString(16) },
    }));
  }
}

/** What an account reserves: its orders that are not reduce-only, unless its side was killed since. */
function checkReservations(findings: Findings, id: number, market: MarketState): void {
  const reserved = new Map<number, { used: bigint; bids: bigint; asks: bigint }>();
  for (const [key, order] of market.orders) {
    const account = accountOfOrder(key);
    const sums = reserved.get(account) ?? { used: 0n, bids: 0n, asks: 0n };
    reserved.set(account, sums);
    sums.used |= 1n << BigInt(slotOfOrder(key));
    if (isReduceOnly(order.flags) || isDeadBySide(market, key, order)) continue;
    if (sideOfFlags(order.flags) === LONG) sums.bids += order.lots;
    else sums.asks += order.lots;
  }
  for (const [account, { used, bidLots, askLots }] of market.resting) {
    const { used: has, bids, asks } = reserved.get(account) ?? { used: 0n, bids: 0n, asks: 0n };
    findings.check(used === has && bidLots === bids && askLots === asks, "INV-5", () => ({
      what: "an account's orders are not what it has reserved",
      numbers: { market: id, account, used, has, bidLots, bids, askLots, asks },
    }));
  }
}

function checkCross(
  findings: Findings,
  id: number,
  [market, time]: readonly [MarketState, bigint],
): void {
  let bid = 0n;
  let ask: bigint | undefined;
  for (const [key, order] of market.orders) {
    if (order.expiry !== 0n && order.expiry <= time) continue;
    if (isDeadBySide(market, key, order) || !isLinked(market, order)) continue;
    if (sideOfFlags(order.flags) === LONG) bid = order.tick > bid ? order.tick : bid;
    else if (ask === undefined || order.tick < ask) ask = order.tick;
  }
  findings.check(ask === undefined || bid < ask, "INV-5", () => ({
    what: "a live bid meets a live ask",
    numbers: { market: id, bid, ask: ask ?? 0n },
  }));
}

function isDeadBySide(market: MarketState, key: number, order: Order): boolean {
  const resting = market.resting.get(accountOfOrder(key));
  const isBid = sideOfFlags(order.flags) === LONG;
  return order.sideEpoch !== (isBid ? resting?.bidEpoch : resting?.askEpoch);
}
