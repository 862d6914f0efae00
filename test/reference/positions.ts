import { accountOf, cancelDust, findCohort, join, leave, marketOf } from "../model/cohorts.js";
import type { CohortName } from "../model/cohorts.js";
import { realise } from "../model/fresh.js";
import { priceClass } from "../model/queue.js";
import { rational, ZERO } from "../model/rational.js";
import type { Rational } from "../model/rational.js";
import type { AccountId, Market, MarketId, Position, Side } from "../model/types.js";
import type { Exchange, Whole } from "./types.js";
import { ceilDiv, floorDiv, least, MICRO, venueOf, viewKey } from "./types.js";

/* Positions: settling, fills, leverage. A party's fills of one call are one change. */

const FUNDING = 2n ** 32n;
const ENTRY = 2n ** 16n;

/** First the lots that close what is held, then those that open. Quote is exact, Σ ticks · unit · lots. */
export type Fill = {
  /** Bought: 1, sold: −1. */
  readonly side: Side;
  closeLots: bigint;
  closeQuote: bigint;
  openLots: bigint;
  openQuote: bigint;
};

/** A position as `settle` would leave it. */
export type Held = Whole & {
  readonly side: Side;
  readonly entry: bigint;
  readonly leverageClass: number;
};

export function heldBy(x: Exchange, id: AccountId, market: MarketId): Held | undefined {
  const position = accountOf(x.core, id).positions.get(market);
  if (position === undefined) return undefined;
  const { side, entry, leverageClass } = position;
  const whole = x.views.get(viewKey(id, market)) ?? wholeOf(position);
  return whole.lots === 0n ? undefined : { ...whole, side, entry, leverageClass };
}

/** Lots of the position that a trade on `side` closes at most. */
export function closableBy(x: Exchange, id: AccountId, market: MarketId, side: Side): bigint {
  const held = heldBy(x, id, market);
  return held === undefined || held.side === side ? 0n : held.lots;
}

function wholeOf({ lots, cost }: Position): Whole {
  if (!lots.isWhole() || !cost.isWhole()) throw new Error("a settled position is whole");
  return { lots: lots.num, cost: cost.num };
}

/** ⌊side · (quote − lots · F)⌋. */
export function worthFloor(market: Market, side: Side, lots: bigint, quote: bigint): bigint {
  return floorDiv(side * (quote * FUNDING - lots * market.funding), FUNDING);
}

/** ⌈side · (quote − lots · F)⌉. */
export function worthCeil(market: Market, side: Side, lots: bigint, quote: bigint): bigint {
  return ceilDiv(side * (quote * FUNDING - lots * market.funding), FUNDING);
}

/** Takes over what events did, and a leverage class whose delay is over. */
export function settle(x: Exchange, id: AccountId, marketId: MarketId): void {
  withBonds(x, id, marketId, () => {
    takeOver(x, id, marketId);
    promote(x, id, marketId);
  });
}

/** One party's side of a call's trades. */
export function change(
  x: Exchange,
  id: AccountId,
  marketId: MarketId,
  { fill, fee }: { fill: Fill; fee: bigint },
): void {
  withBonds(x, id, marketId, () => {
    takeOver(x, id, marketId);
    promote(x, id, marketId);
    if (fill.closeLots > 0n) close(x, id, marketId, fill);
    if (fill.openLots > 0n) open(x, id, marketId, fill);
  });
  pay(x, id, -fee);
  venueOf(x, marketId).fees += fee;
}

export function chooseLeverage(
  x: Exchange,
  id: AccountId,
  marketId: MarketId,
  leverageClass: number,
): void {
  withBonds(x, id, marketId, () => {
    takeOver(x, id, marketId);
    promote(x, id, marketId);
    const account = accountOf(x.core, id);
    account.leverage.set(marketId, leverageClass);
    account.pending.delete(marketId);
    const position = account.positions.get(marketId);
    if (position === undefined) return;
    const delay = venueOf(x, marketId).config.classDelay;
    if (leverageClass < position.leverageClass && delay > 0n) {
      account.pending.set(marketId, { leverageClass, delay, at: x.core.now + delay });
    } else {
      reshape(x, id, marketId, (it) => (it.leverageClass = leverageClass));
    }
  });
}

/** A position leaves its cohort at mark, for an event. */
export function takeOut(x: Exchange, id: AccountId, marketId: MarketId): Held | undefined {
  let held: Held | undefined;
  withBonds(x, id, marketId, () => {
    takeOver(x, id, marketId);
    held = heldBy(x, id, marketId);
    const position = accountOf(x.core, id).positions.get(marketId);
    if (position !== undefined) remove(x, id, marketOf(x.core, marketId), position);
  });
  return held;
}

export function chosenClass(x: Exchange, id: AccountId, market: MarketId): number {
  const { defaultLeverageClass } = venueOf(x, market).config;
  return accountOf(x.core, id).leverage.get(market) ?? defaultLeverageClass;
}

export function pay(x: Exchange, id: AccountId, amount: bigint): void {
  const account = accountOf(x.core, id);
  account.balance = account.balance.plus(amount);
}

export function nameOf({ side, leverageClass, entry }: CohortMember): CohortName {
  return { side, leverageClass, priceClass: priceClass(entry) };
}

type CohortMember = Pick<Position, "side" | "leverageClass" | "entry">;

/** Who opens a cohort leaves a bond, who empties it gets one. */
function withBonds(x: Exchange, id: AccountId, marketId: MarketId, act: () => void): void {
  const [market, venue] = [marketOf(x.core, marketId), venueOf(x, marketId)];
  const before = market.cohorts.size;
  act();
  cancelDust(x.core, market);
  const opened = BigInt(market.cohorts.size - before);
  venue.bonds += opened;
  pay(x, id, -opened * venue.config.cohortBond);
}

/** The position becomes what its view says; the rest stays in the cohort. */
function takeOver(x: Exchange, id: AccountId, marketId: MarketId): void {
  const market = marketOf(x.core, marketId);
  const position = accountOf(x.core, id).positions.get(marketId);
  if (position === undefined) return;
  const key = viewKey(id, marketId);
  const view = x.views.get(key) ?? floored(position);
  x.views.delete(key);
  const cohort = findCohort(market, nameOf(position));
  if (cohort === undefined) throw new Error("a position is in a cohort");
  cohort.dust.lots = cohort.dust.lots.plus(position.lots).minus(view.lots);
  cohort.dust.cost = cohort.dust.cost.plus(position.cost).minus(view.cost);
  position.lots = rational(view.lots);
  position.cost = rational(view.cost);
  if (view.lots === 0n) remove(x, id, market, position);
}

/** For who is settled inside an event, between a haircut and a cut: cost is rounded up, times the side. */
function floored({ lots, cost, side }: Position): Whole {
  const whole = lots.floor();
  if (lots.isWhole()) return { lots: whole, cost: side * cost.times(side).ceil() };
  const part = cost.times(whole).over(lots);
  return { lots: whole, cost: side * part.times(side).ceil() };
}

function promote(x: Exchange, id: AccountId, marketId: MarketId): void {
  const { pending, positions } = accountOf(x.core, id);
  const next = pending.get(marketId);
  if (next === undefined || next.at > x.core.now || !positions.has(marketId)) return;
  pending.delete(marketId);
  reshape(x, id, marketId, (position) => (position.leverageClass = next.leverageClass));
}

function remove(x: Exchange, id: AccountId, market: Market, position: Position): void {
  leave(x.core, market, id, nameOf(position));
  const account = accountOf(x.core, id);
  account.positions.delete(market.id);
  account.pending.delete(market.id);
}

/** Changes a position and moves it to the cohort where it belongs then. */
function reshape(
  x: Exchange,
  id: AccountId,
  marketId: MarketId,
  edit: (position: Position) => unknown,
): void {
  const market = marketOf(x.core, marketId);
  const position = accountOf(x.core, id).positions.get(marketId);
  if (position === undefined) throw new Error("a position to change");
  const after = { ...position };
  edit(after);
  const [from, to] = [nameOf(position), nameOf(after)];
  if (from.priceClass !== to.priceClass || from.leverageClass !== to.leverageClass) {
    leave(x.core, market, id, from);
    join(x.core, market, id, to);
  }
  Object.assign(position, after);
}

function close(x: Exchange, id: AccountId, marketId: MarketId, fill: Fill): void {
  const market = marketOf(x.core, marketId);
  const account = accountOf(x.core, id);
  const position = account.positions.get(marketId);
  if (position === undefined) throw new Error("a position to close");
  const { side, entry } = position;
  const { lots, cost } = wholeOf(position);
  const worth = worthFloor(market, side, fill.closeLots, fill.closeQuote);
  const released = ceilDiv(side * cost * fill.closeLots, lots);
  const gain = worth - released;
  const entryQuote = fill.closeLots * entry * market.unit;
  const profit = floorDiv(side * (fill.closeQuote * ENTRY - entryQuote), ENTRY);
  const againstMark = side * (fill.closeQuote - fill.closeLots * market.mark);
  const fresh = freshOf(x, marketId, least(gain, profit), againstMark);
  realise(x.core, market, id, { side, amount: rational(fresh) });
  pay(x, id, gain - fresh);
  keepRest(x, -worth, worthOf(market, side, fill.closeLots, fill.closeQuote).negated());
  if (lots === fill.closeLots) {
    remove(x, id, market, position);
    return;
  }
  position.lots = rational(lots - fill.closeLots);
  position.cost = rational(cost - side * released);
}

/** Price profit as far as it is paid in cash, or what was gained against mark, whichever is more; in micro units. */
function freshOf(x: Exchange, market: MarketId, profit: bigint, againstMark: bigint): bigint {
  if (venueOf(x, market).config.freshEpoch === 0n) return 0n;
  const amount = profit > againstMark ? profit : againstMark;
  return amount > 0n ? amount - (amount % MICRO) : 0n;
}

function open(x: Exchange, id: AccountId, marketId: MarketId, fill: Fill): void {
  const market = marketOf(x.core, marketId);
  const account = accountOf(x.core, id);
  const { side, openLots: lots, openQuote: quote } = fill;
  const booked = worthCeil(market, side, lots, quote);
  const entry = (quote * ENTRY) / market.unit;
  keepRest(x, booked, worthOf(market, side, lots, quote));
  const held = account.positions.get(marketId);
  if (held === undefined) {
    const position = {
      side,
      lots: rational(lots),
      cost: rational(side * booked),
      entry: entry / lots,
      leverageClass: chosenClass(x, id, marketId),
      haircut: ZERO,
    };
    join(x.core, market, id, nameOf(position));
    account.positions.set(marketId, position);
    return;
  }
  const before = wholeOf(held).lots;
  reshape(x, id, marketId, (position) => {
    position.entry = (before * position.entry + entry) / (before + lots);
    position.lots = rational(before + lots);
    position.cost = position.cost.plus(side * booked);
  });
  const pending = account.pending.get(marketId);
  if (pending !== undefined) pending.at = x.core.now + pending.delay;
}

/** What rounding left over: what was booked for lots, against what they are worth. */
function keepRest(x: Exchange, booked: bigint, worth: Rational): void {
  x.core.dustMoney = x.core.dustMoney.plus(booked).minus(worth);
}

function worthOf(market: Market, side: Side, lots: bigint, quote: bigint): Rational {
  return rational(side * (quote * FUNDING - lots * market.funding), FUNDING);
}
