import { isInFront, isReached, LONG, NaiveBook, SHORT } from "./BookModel.js";
import type { Known } from "./BookModel.js";
import type { ActionWish, Result, TakeWish, action } from "./MatchingFixture.js";
import { CONFIG, feeUp, GRADE, KIND, STATUS, taking, TIF, UNIT } from "./MatchingFixture.js";

/*
 * Matching and orders by brute force: to take, sort all orders of the other side by price, then by time, and go through them. Nothing is
 * kept in queues or levels. Positions are signed numbers. Accounts are rich, or owe so much that they may not grow.
 */

/** The contract reverts with the error of this name. */
export class Refused extends Error {
  constructor(readonly error: string) {
    super(error);
  }
}

function refuseUnless(condition: boolean, error: string): void {
  if (!condition) throw new Refused(error);
}

type Action = ReturnType<typeof action>;
type Take = ReturnType<typeof taking>;
type Walk = { left: bigint; steps: bigint; closable: bigint; readonly mayGrow: boolean };
export type Taken = {
  readonly lots: bigint;
  readonly quote: bigint;
  readonly fills: bigint;
  readonly isBound: boolean;
};

const LEAST = CONFIG.minNotional * 10n ** 12n;
const MAX_FILLS = 100n;
const STALE_LEVELS = 8n;

const least = (a: bigint, b: bigint) => (a < b ? a : b);
const distance = (a: bigint, b: bigint) => (a < b ? b - a : a - b);
const signOf = (side: bigint) => (side === LONG ? 1n : -1n);
const otherSide = (side: bigint) => (side === LONG ? SHORT : LONG);

export class MatchingModel extends NaiveBook {
  sizes = new Map<bigint, bigint>();
  fees = 0n;
  markTick: bigint;
  grade: bigint = GRADE.fresh;
  status: bigint = STATUS.listed;
  fillsLeft = MAX_FILLS;

  constructor(
    markTick: bigint,
    readonly ownerOf: (account: bigint) => string,
    readonly broke: ReadonlySet<bigint>,
  ) {
    super();
    this.markTick = markTick;
  }

  clone(): MatchingModel {
    const copy = new MatchingModel(this.markTick, this.ownerOf, this.broke);
    const { sizes, fees, grade, status, fillsLeft, now } = this;
    Object.assign(copy, { fees, grade, status, fillsLeft, now, sizes: new Map(sizes) });
    copy.orders = this.orders.map((order) => ({ ...order }));
    return copy;
  }

  sizeOf(account: bigint): bigint {
    return this.sizes.get(account) ?? 0n;
  }

  openInterest(): bigint {
    return [...this.sizes.values()].reduce((sum, size) => sum + (size > 0n ? size : 0n), 0n);
  }

  /** Lots of the position that a trade on `side` closes at most. */
  closable(account: bigint, side: bigint): bigint {
    const against = -signOf(side) * this.sizeOf(account);
    return against > 0n ? against : 0n;
  }

  /** Inside mark ± 5 %, ends included. */
  get band(): { readonly lowest: bigint; readonly highest: bigint } {
    return { lowest: (this.markTick * 95n + 99n) / 100n, highest: (this.markTick * 105n) / 100n };
  }

  /** Where the band begins for whoever walks `side` from its best price. */
  nearEdge(side: bigint): bigint {
    return side === LONG ? this.band.highest : this.band.lowest;
  }

  get isShrinking(): boolean {
    return (this.status & (STATUS.reduceOnly | STATUS.windingDown)) !== 0n;
  }

  /* ORDERS */

  execute(account: bigint, actions: readonly Action[]): Result[] {
    this.fillsLeft = MAX_FILLS;
    this.touch(account);
    const results = actions.map((each) => this.act(account, each));
    this.touch(account);
    return results;
  }

  act(account: bigint, a: Action): Result {
    const none = { order: 0n, filled: 0n, left: 0n };
    if (a.kind === KIND.place) return this.place(account, a);
    if (a.kind === KIND.cancelAll) {
      this.drop((order) => order.account === account);
      return none;
    }
    if (a.kind === KIND.replace) this.touch(account);
    const order = this.of(account).find(({ id }) => (id & 255n) === a.slot);
    if (order === undefined) throw new Refused("UnknownOrder");
    if (a.kind === KIND.replace) return this.replace(account, a, order);
    this.drop(({ id }) => id === order.id);
    return none;
  }

  replace(account: bigint, wish: Action, order: Known): Result {
    const a = { ...wish, side: order.side, reduceOnly: order.isReduceOnly };
    const isResting = a.timeInForce === TIF.gtc || a.timeInForce === TIF.postOnly;
    const isSamePlace = a.tick === order.tick && a.expiry === order.expiry;
    if (isResting && isSamePlace && a.lots <= order.lots) {
      this.requireUnexpired(a);
      refuseUnless(a.lots * a.tick * UNIT >= LEAST, "OrderTooSmall");
      this.orders = this.orders.map((o) => (o === order ? { ...o, lots: a.lots } : o));
      return { order: order.id, filled: 0n, left: 0n };
    }
    this.drop(({ id }) => id === order.id);
    return this.place(account, a, a.slot);
  }

  place(account: bigint, a: Action, slot?: bigint): Result {
    this.requireUnexpired(a);
    refuseUnless((this.status & STATUS.event) === 0n, "EventPending");
    const needed = a.reduceOnly ? GRADE.aged : GRADE.fresh;
    refuseUnless(this.grade >= needed, "PriceNotFresh");
    refuseUnless(a.reduceOnly || !this.isShrinking, "ReduceOnly");
    const closable = this.closable(account, a.side);
    const lots = this.sized(a, closable);

    let filled = 0n;
    if (a.timeInForce === TIF.postOnly) refuseUnless(this.makeWay(a), "WouldTake");
    else if (this.isCrossing(a)) filled = this.takeFor(account, a, lots, closable);
    const left = lots - filled;
    if (a.timeInForce === TIF.fok) refuseUnless(left === 0n, "NotFilled");
    if (left === 0n || a.timeInForce === TIF.ioc) return { order: 0n, filled, left };
    if (!this.makeWay(a)) return { order: 0n, filled, left };
    refuseUnless(slot !== undefined || this.of(account).length < 32, "NoFreeSlot");
    const { side, tick, expiry, reduceOnly: isReduceOnly } = a;
    const placing = { account, side, tick, lots: left, expiry, isReduceOnly };
    const { id } = this.append(slot === undefined ? placing : { ...placing, slot });
    return { order: id, filled, left: 0n };
  }

  requireUnexpired({ expiry }: Action): void {
    refuseUnless(expiry === 0n || expiry > this.now, "OrderExpired");
  }

  sized({ side, tick, lots, reduceOnly }: Action, closable: bigint): bigint {
    if (reduceOnly) {
      refuseUnless(closable !== 0n, "NotReducing");
      if (lots >= closable) return closable;
    }
    const { lowest, highest } = this.band;
    const inside = side === LONG ? least(tick, highest) : -least(-tick, -lowest);
    refuseUnless(lots * inside * UNIT >= LEAST, "OrderTooSmall");
    return lots;
  }

  isCrossing({ side, tick }: Action): boolean {
    return isReached(otherSide(side), this.best(otherSide(side)), tick);
  }

  makeWay(a: Action): boolean {
    const other = otherSide(a.side);
    this.fillsLeft -= this.sweep(other, a.tick, this.nearEdge(other), this.fillsLeft);
    return !this.isCrossing(a);
  }

  takeFor(account: bigint, a: Action, lots: bigint, closable: bigint): bigint {
    const openBefore = this.openInterest();
    const wish = { taker: account, side: a.side, lots, limitTick: a.tick };
    const taken = this.take({ ...wish, maxFills: this.fillsLeft, isReduceOnly: a.reduceOnly });
    this.fillsLeft -= taken.fills;
    const isOverCap = this.openInterest() > CONFIG.openInterestCap;
    refuseUnless(this.openInterest() <= openBefore || !isOverCap, "OpenInterestCapReached");
    const rest = distance(lots, closable);
    const isDust = rest !== 0n && rest * this.markTick * UNIT < LEAST;
    refuseUnless(taken.lots !== lots || closable === 0n || !isDust, "PositionTooSmall");
    return taken.lots;
  }

  /* MATCHING */

  take(wish: TakeWish): Taken {
    const t = taking(wish);
    const makerSide = otherSide(t.side);
    const isOpen = this.grade === GRADE.fresh && !this.isShrinking;
    const closable = t.taker === 0n ? 0n : this.closable(t.taker, t.side);
    const walk: Walk = {
      left: t.isReduceOnly && t.taker !== 0n ? least(t.lots, closable) : t.lots,
      steps: 0n,
      closable,
      mayGrow: t.isForced || t.taker === 0n || isOpen,
    };
    const before = walk.left;
    let quote = 0n;
    for (const order of this.candidates(makerSide, t.limitTick)) {
      const lots = this.goThrough(order, t, walk);
      quote += lots * order.tick * UNIT;
    }
    const isBound = walk.left !== 0n && walk.steps >= t.maxFills;
    const lots = before - walk.left;
    if (t.taker !== 0n) {
      this.sizes.set(t.taker, this.sizeOf(t.taker) + signOf(t.side) * lots);
      if (!t.isForced) this.fees += feeUp(quote, CONFIG.takerFee);
    }
    const edge = this.nearEdge(makerSide);
    if (isInFront(makerSide, this.best(makerSide), edge) && this.best(makerSide) !== 0n) {
      const most = least(STALE_LEVELS, t.maxFills - walk.steps);
      walk.steps += this.sweep(makerSide, t.limitTick, edge, most);
    }
    return { lots, quote, fills: walk.steps, isBound };
  }

  /** All orders inside the band and the limit, best price first, then oldest first. */
  candidates(side: bigint, limit: bigint): Known[] {
    const { lowest, highest } = this.band;
    return this.orders
      .filter((order) => order.isLinked && order.side === side)
      .filter(({ tick }) => tick >= lowest && tick <= highest && isReached(side, tick, limit))
      .map((order, age) => ({ order, age }))
      .sort((a, b) => {
        if (a.order.tick !== b.order.tick)
          return isInFront(side, a.order.tick, b.order.tick) ? -1 : 1;
        return a.age - b.age;
      })
      .map(({ order }) => order);
  }

  /** Fills, removes or passes over one order; met again while some of it is left. */
  goThrough(order: Known, t: Take, walk: Walk): bigint {
    let filled = 0n;
    while (walk.left > 0n && walk.steps < t.maxFills && order.lots > 0n) {
      walk.steps++;
      const isOwn = t.taker !== 0n && this.ownerOf(t.taker) === this.ownerOf(order.account);
      const reducing = this.closable(order.account, order.side);
      if (!order.isReserved || this.isExpired(order) || isOwn) return this.removed(order, filled);
      let lots = least(order.lots, walk.left);
      if (order.isReduceOnly || !walk.mayGrow) lots = least(lots, reducing);
      if (lots === 0n && !order.isReduceOnly) return filled;
      if (lots === 0n) return this.removed(order, filled);
      if (this.broke.has(order.account) && lots > reducing) {
        this.removed(order, filled);
        this.killSide(order.account, order.side);
        return filled;
      }
      this.fill(order, lots);
      walk.left -= lots;
      filled += lots;
    }
    return filled;
  }

  removed(order: Known, filled: bigint): bigint {
    this.drop(({ id }) => id === order.id);
    return filled;
  }

  fill(order: Known, lots: bigint): void {
    this.fees += feeUp(lots * order.tick * UNIT, CONFIG.makerFee);
    this.sizes.set(order.account, this.sizeOf(order.account) + signOf(order.side) * lots);
    order.lots -= lots;
    if (order.lots === 0n) this.drop(({ id }) => id === order.id);
  }
}

export type { Action, ActionWish };
