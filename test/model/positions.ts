import { accountOf, cancelDust, findCohort, join, leave, marketOf, worth } from "./cohorts.js";
import type { CohortName } from "./cohorts.js";
import { freshPart, realise } from "./fresh.js";
import { priceClass } from "./queue.js";
import type { Rational } from "./rational.js";
import { rational, ZERO } from "./rational.js";
import type { AccountId, Market, MarketId, Position, Side, State } from "./types.js";
import { require } from "./types.js";

/* Touches, fills and leverage, with every event already applied to everyone. */

export type Fill = {
  readonly market: MarketId;
  readonly buyer: AccountId;
  readonly seller: AccountId;
  readonly lots: bigint;
  readonly ticks: bigint;
  /** Wei each party pays to the treasury. */
  readonly buyerFee?: bigint;
  readonly sellerFee?: bigint;
};

/** A position as the contract holds it after it settled the member. */
export type Settled = { readonly lots: bigint; readonly cost: bigint; readonly balance: bigint };

/** Exact minus actual. Cost is compared for the actual number of lots. */
export type SettleError = { lots: Rational; cost: Rational; balance: Rational };

/** Settles a member: its size becomes whole lots, the fraction stays in the cohort with its cost. */
export function touch(state: State, id: AccountId, marketId: MarketId): void {
  const market = marketOf(state, marketId);
  const position = accountOf(state, id).positions.get(marketId);
  if (position === undefined) return;
  const lots = rational(position.lots.floor());
  const cost = position.lots.isZero() ? ZERO : position.cost.times(lots).over(position.lots);
  settleTo(state, market, id, { lots, cost });
  promoteClass(state, market, id);
  cancelDust(state, market);
}

/**
 * Instead of `touch`: settles a member to what the contract says it is, and tells by how much that
 * differs. Lots and cost go to the cohort or come from it, so Q and V stay; money goes to account 3.
 */
export function resync(
  state: State,
  id: AccountId,
  marketId: MarketId,
  actual: Settled,
): SettleError {
  const market = marketOf(state, marketId);
  const account = accountOf(state, id);
  const position = account.positions.get(marketId);
  require(position !== undefined || actual.lots === 0n, "position exists in both", { account: id });
  const { lots, cost } = position ?? { lots: ZERO, cost: ZERO };
  const error = {
    lots: lots.minus(actual.lots),
    cost: lots.isZero() ? ZERO : cost.times(actual.lots).over(lots).minus(actual.cost),
    balance: account.balance.minus(actual.balance),
  };
  account.balance = rational(actual.balance);
  state.dustMoney = state.dustMoney.plus(error.balance);
  if (position !== undefined) {
    settleTo(state, market, id, { lots: rational(actual.lots), cost: rational(actual.cost) });
    promoteClass(state, market, id);
    cancelDust(state, market);
  }
  return error;
}

/** A trade of two accounts at one price. Nothing is judged here. */
export function fill(state: State, trade: Fill): void {
  fillSide(state, trade.buyer, 1n, trade);
  fillSide(state, trade.seller, -1n, trade);
  payFee(state, trade.buyer, trade.buyerFee ?? 0n);
  payFee(state, trade.seller, trade.sellerFee ?? 0n);
}

/** One party of a trade: closes what it holds on the other side, then opens. */
export function fillSide(
  state: State,
  id: AccountId,
  side: Side,
  trade: { readonly market: MarketId; readonly lots: bigint; readonly ticks: bigint },
): void {
  require(trade.lots > 0n && trade.ticks > 0n, "fill is positive", trade);
  const market = marketOf(state, trade.market);
  touch(state, id, market.id);
  const held = accountOf(state, id).positions.get(market.id);
  const against = held !== undefined && held.side !== side ? held.lots.floor() : 0n;
  const closing = against < trade.lots ? against : trade.lots;
  if (closing > 0n) close(state, market, id, { lots: closing, ticks: trade.ticks });
  if (trade.lots > closing) {
    open(state, market, id, { side, lots: trade.lots - closing, ticks: trade.ticks });
  }
  cancelDust(state, market);
}

/**
 * Chooses the leverage of a market. A higher class, or one without a position, counts at once; a lower one at the
 * first touch after the delay.
 */
export function chooseLeverage(
  state: State,
  id: AccountId,
  marketId: MarketId,
  choice: { readonly leverageClass: number; readonly delay: bigint },
): void {
  const market = marketOf(state, marketId);
  touch(state, id, marketId);
  const account = accountOf(state, id);
  const { leverageClass, delay } = choice;
  account.leverage.set(marketId, leverageClass);
  account.pending.delete(marketId);
  const position = account.positions.get(marketId);
  if (position === undefined) return;
  if (leverageClass < position.leverageClass && delay > 0n) {
    account.pending.set(marketId, { leverageClass, delay, at: state.now + delay });
  } else {
    moveClass(state, market, id, leverageClass);
  }
  cancelDust(state, market);
}

/** Removes a position from its cohort and its account. Its lots and cost are the caller's now. */
export function takeOut(state: State, market: Market, id: AccountId, position: Position): void {
  leave(state, market, id, nameOf(position));
  const account = accountOf(state, id);
  account.positions.delete(market.id);
  account.pending.delete(market.id);
}

function open(
  state: State,
  market: Market,
  id: AccountId,
  { side, lots, ticks }: { side: Side; lots: bigint; ticks: bigint },
): void {
  const account = accountOf(state, id);
  const held = account.positions.get(market.id);
  const signedCost = worth(market, side, rational(lots), ticks * market.unit);
  const cost = rational(side * signedCost.ceil());
  state.dustMoney = state.dustMoney.plus(cost.times(side)).minus(signedCost);
  const entry = ticks * 2n ** 16n;
  if (held === undefined) {
    const leverageClass = account.leverage.get(market.id) ?? state.options.defaultLeverageClass;
    const position = { side, lots: rational(lots), cost, entry, leverageClass, haircut: ZERO };
    join(state, market, id, nameOf(position));
    account.positions.set(market.id, position);
    return;
  }
  const before = held.lots.floor();
  changeInPlace(state, market, id, (position) => {
    position.entry = (before * position.entry + lots * entry) / (before + lots);
    position.lots = position.lots.plus(lots);
    position.cost = position.cost.plus(cost);
  });
  const pending = account.pending.get(market.id);
  if (pending !== undefined) pending.at = state.now + pending.delay;
}

function close(
  state: State,
  market: Market,
  id: AccountId,
  { lots, ticks }: { lots: bigint; ticks: bigint },
): void {
  const account = accountOf(state, id);
  const position = account.positions.get(market.id);
  require(position !== undefined, "position exists", { account: id });
  const { side, entry } = position;
  const price = ticks * market.unit;
  const whole = position.lots.equals(lots);
  const signedCost = position.cost.times(lots).over(position.lots).times(side);
  const released = whole ? signedCost : rational(signedCost.ceil());
  const proceeds = worth(market, side, rational(lots), price);
  state.dustMoney = state.dustMoney.plus(proceeds).minus(proceeds.floor());

  const cashGain = released.negated().plus(proceeds.floor());
  const amount = freshPart(state, market, { side, lots, price, entry, cashGain });
  realise(state, market, id, { side, amount });
  account.balance = account.balance.plus(cashGain).minus(amount);

  if (whole) {
    takeOut(state, market, id, position);
    return;
  }
  position.lots = position.lots.minus(lots);
  position.cost = position.cost.minus(released.times(side));
}

/** Whole lots for the member; what is left over, or missing, is the cohort's. */
function settleTo(
  state: State,
  market: Market,
  id: AccountId,
  settled: { readonly lots: Rational; readonly cost: Rational },
): void {
  const position = accountOf(state, id).positions.get(market.id);
  require(position !== undefined, "position exists", { account: id });
  const cohort = findCohort(market, nameOf(position));
  require(cohort !== undefined, "position is in a cohort", { account: id });
  cohort.dust.lots = cohort.dust.lots.plus(position.lots).minus(settled.lots);
  cohort.dust.cost = cohort.dust.cost.plus(position.cost).minus(settled.cost);
  position.lots = settled.lots;
  position.cost = settled.cost;
  if (settled.lots.isZero()) takeOut(state, market, id, position);
}

/** Changes a position and moves it to another cohort if it now belongs there. */
function changeInPlace(
  state: State,
  market: Market,
  id: AccountId,
  change: (position: Position) => void,
): void {
  const position = accountOf(state, id).positions.get(market.id);
  require(position !== undefined, "position exists", { account: id });
  const before = nameOf(position);
  const after = { ...position };
  change(after);
  const name = nameOf(after);
  const moves =
    name.priceClass !== before.priceClass || name.leverageClass !== before.leverageClass;
  if (moves) {
    leave(state, market, id, before);
    join(state, market, id, name);
  }
  Object.assign(position, after);
}

function moveClass(state: State, market: Market, id: AccountId, leverageClass: number): void {
  changeInPlace(state, market, id, (position) => {
    position.leverageClass = leverageClass;
  });
}

function promoteClass(state: State, market: Market, id: AccountId): void {
  const { pending, positions } = accountOf(state, id);
  const next = pending.get(market.id);
  if (next === undefined || next.at > state.now || !positions.has(market.id)) return;
  pending.delete(market.id);
  moveClass(state, market, id, next.leverageClass);
}

function payFee(state: State, id: AccountId, fee: bigint): void {
  const account = accountOf(state, id);
  account.balance = account.balance.minus(fee);
  state.treasury = state.treasury.plus(fee);
}

function nameOf({ side, leverageClass, entry }: Position): CohortName {
  return { side, leverageClass, priceClass: priceClass(entry) };
}
