import { chargeClass, cut, profits } from "../model/charges.js";
import {
  accountOf,
  classLots,
  cohortLots,
  dustOf,
  marketOf,
  removeLots,
  worth,
} from "../model/cohorts.js";
import { freshPool, realise } from "../model/fresh.js";
import { frontOrder, priceClasses, splitWhole, takeInOrder } from "../model/queue.js";
import { rational, sum, ZERO } from "../model/rational.js";
import type { Rational } from "../model/rational.js";
import type { AccountId, Market, MarketId, Side } from "../model/types.js";
import { draw, drawUnbudgeted, openPurse, permitOf } from "./budgets.js";
import type { Permit, Purse } from "./budgets.js";
import { noteOpenInterest } from "./caps.js";
import { takeFresh } from "./freshProfit.js";
import { healthOf } from "./health.js";
import type { Health } from "./health.js";
import { cancelOrders, elapsedOf, isLiquidatable, penaltyOf, scan } from "./liquidation.js";
import { take } from "./matching.js";
import { pay, takeOut, worthFloor } from "./positions.js";
import { closeEnded } from "./winding.js";
import type { Exchange, Venue } from "./types.js";
import {
  absolute,
  atLeastZero,
  ceilDiv,
  FILLS,
  floorDiv,
  least,
  MICRO,
  most,
  opposite,
  PPM,
  venueOf,
  viewKey,
} from "./types.js";

/*
 * Deleveraging: accounts that are due are closed at mark as one event.
 *
 *   a  every account leaves its cohorts; what it is missing is split over its markets
 *   b  the fund pays within its budgets; the rest is charged: profit, the fund beyond its budget, principal, shortfall
 *   c  the book takes what it will near mark
 *   d  account 3's dust and the queue take the rest
 */

/** What the caller gets at most for an account, quote. */
const ACCOUNT_REWARD = 10n ** 18n;
const SIDES = [1n, -1n] as const;

export const eventsSeen = {
  events: 0,
  winnersFront: 0,
  winnersProRata: 0,
  queueFront: 0,
  queueProRata: 0,
  haircuts: 0,
  freshCharges: 0,
  fundWithin: 0,
  fundBeyond: 0,
  principal: 0,
  shortfalls: 0,
  discounts: 0,
  bookSales: 0,
  cuts: 0,
  dustLots: 0,
  rescues: 0,
  solvent: 0,
  gainCharges: 0,
  fundEmpty: 0,
  bothSidesMissing: 0,
  wholeOpenInterest: 0,
};

/** One market of an event. What is kept by side is of the accounts that are closed on it; the other side pays. */
type Pot = {
  readonly market: Market;
  readonly venue: Venue;
  readonly lots: Record<"long" | "short", bigint>;
  readonly deficit: Record<"long" | "short", bigint>;
  readonly within: Record<"long" | "short", bigint>;
  /** What falls on profit that is not of the event's accounts, as far as rounds have got. */
  readonly borne: Record<"long" | "short", bigint>;
  readonly plans: Map<Side, Plan>;
  permit: Permit;
};

type Plan = {
  /** Of the accounts, after longs and shorts met. */
  readonly lots: bigint;
  bookLots: bigint;
  discount: bigint;
  readonly haircut: bigint;
  readonly weights: readonly { priceClass: number | undefined; weight: Rational }[];
  readonly principal: bigint;
};

type Part = {
  readonly market: MarketId;
  readonly side: Side;
  readonly loss: bigint;
  /** Price profit, as far as it is paid in cash. */
  gain: bigint;
  notional: bigint;
};

/** What an insolvent account is missing and has not been shared out. */
type Owed = { deficit: bigint; readonly parts: readonly Part[] };

type Event = {
  readonly x: Exchange;
  readonly pots: Map<MarketId, Pot>;
  readonly owed: Owed[];
  /** By payer: fixed when first asked for. */
  readonly weights: Map<string, Plan["weights"]>;
  purse: Purse;
  reward: bigint;
};

const nameOf = (side: Side) => (side === 1n ? "long" : "short");

export function deleverage(
  x: Exchange,
  accounts: readonly AccountId[],
  { maxFills, rewardTo }: { maxFills: bigint; rewardTo: AccountId },
): void {
  const rest = { purse: { size: 0n, left: 0n }, reward: 0n };
  const ev: Event = { x, pots: new Map(), owed: [], weights: new Map(), ...rest };
  let done = 0;
  for (const id of accounts) if (x.owners.has(id) && gather(ev, id)) done++;
  if (done === 0) return;
  eventsSeen.events++;
  const pots = [...ev.pots.values()].sort((a, b) => a.market.id - b.market.id);
  for (let round = 0; round <= pots.length; round++) {
    for (const one of ev.owed) shareDeficit(ev, one);
    payWithin(ev, pots);
    if (round === pots.length || !chargeGains(ev, pots)) break;
  }
  for (const pot of pots) for (const side of SIDES) planSide(ev, pot, side);
  for (const pot of pots) for (const payers of SIDES) charge(ev, pot, payers);
  let fills = least(maxFills, FILLS);
  for (const pot of pots) if (fills > 0n) fills = sell(ev, pot, fills);
  for (const pot of pots) close(ev, pot);
  for (const market of x.venues.keys()) noteOpenInterest(x, market);
  payReward(ev, accounts.includes(rewardTo) ? 0 : rewardTo);
}

/* A: THE ACCOUNTS */

/** @returns Whether the account was due. */
function gather(ev: Event, id: AccountId): boolean {
  const { x } = ev;
  const { live } = scan(x, id);
  if (live.length === 0) return rescue(x, id);
  const before = healthOf(x, id);
  if (!isDue(x, id, before)) return before.equity >= 0n && closeEnded(x, id);
  cancelOrders(x, id);
  if (before.equity < 0n) foldFresh(x, id);
  closeAccount(ev, id, live, before);
  x.clocks.delete(id);
  return true;
}

/** Everything is fresh, and it is insolvent, or below maintenance since its clock ran out. */
function isDue(x: Exchange, id: AccountId, health: Health): boolean {
  const { live, freshSince } = scan(x, id);
  if (freshSince === undefined) return false;
  if (health.equity < 0n && health.equityAtIndex < 0n) return true;
  const duration = live.reduce((max, at) => most(max, venueOf(x, at).config.clock), 0n);
  const hasRunOut = x.clocks.has(id) && elapsedOf(x, id, freshSince) >= duration;
  return isLiquidatable(health) && hasRunOut;
}

/** An account without a position that a haircut of its fresh profit left below zero. */
function rescue(x: Exchange, id: AccountId): boolean {
  const { notional, equity } = healthOf(x, id);
  const purse = openPurse(x);
  if (notional !== 0n || equity >= 0n || purse.left === 0n) return false;
  foldFresh(x, id);
  cancelOrders(x, id);
  const paid = least(-equity, purse.left);
  drawUnbudgeted(x, purse, paid);
  pay(x, id, paid);
  eventsSeen.rescues++;
  return true;
}

/** It pays its owner's losses first. */
function foldFresh(x: Exchange, id: AccountId): void {
  const { fresh } = accountOf(x.core, id);
  for (const { current, previous } of fresh.values()) {
    const account = accountOf(x.core, id);
    account.balance = account.balance.plus(current).plus(previous);
  }
  fresh.clear();
}

function closeAccount(ev: Event, id: AccountId, live: readonly MarketId[], before: Health): void {
  const { x } = ev;
  let [rated, reward] = [0n, 0n];
  const parts = live.map((market) => {
    const part = closePosition(ev, id, market);
    const { penalty, callerShare } = venueOf(x, market).config;
    const own = (part.notional * penalty) / PPM;
    rated += own;
    reward += (own * callerShare) / PPM;
    return { ...part, notional: most(part.notional, 1n) };
  });
  ev.reward += least(reward, ACCOUNT_REWARD);
  const after = healthOf(x, id);
  if (after.equity < 0n) {
    pay(x, id, -after.equity);
    ev.owed.push({ deficit: -after.equity, parts });
    return;
  }
  eventsSeen.solvent++;
  const balance = atLeastZero(accountOf(x.core, id).balance.floor());
  const penalty = least(penaltyOf(rated, before, after), balance);
  pay(x, id, -penalty);
  x.core.fund = x.core.fund.plus(penalty);
  keepFresh(ev, id, parts);
}

/** What a solvent account gained is fresh, as after a trade, and no more than its balance has. */
function keepFresh({ x }: Event, id: AccountId, parts: readonly Part[]): void {
  for (const { market, side, gain } of parts) {
    if (venueOf(x, market).config.freshEpoch === 0n) continue;
    const most = least(gain, atLeastZero(accountOf(x.core, id).balance.floor()));
    const amount = most - (most % MICRO);
    realise(x.core, marketOf(x.core, market), id, { side, amount: rational(amount) });
    pay(x, id, -amount);
  }
}

function closePosition(ev: Event, id: AccountId, marketId: MarketId): Part {
  const { x } = ev;
  const pot = potOf(ev, marketId);
  const { market } = pot;
  const side = accountOf(x.core, id).positions.get(marketId)?.side ?? 1n;
  const held = takeOut(x, id, marketId);
  if (held === undefined) return { market: marketId, side, loss: 0n, gain: 0n, notional: 0n };
  const { lots, cost, entry } = held;
  const value = worthFloor(market, side, lots, lots * market.mark);
  const profit = value - side * cost;
  pay(x, id, profit);
  const exact = worth(market, side, rational(lots), market.mark);
  x.core.dustMoney = x.core.dustMoney.plus(exact).minus(value);
  pot.lots[nameOf(side)] += lots;
  const atEntry = lots * entry * market.unit;
  const priceProfit = floorDiv(side * (((lots * market.mark) << 16n) - atEntry), 1n << 16n);
  const gain = atLeastZero(least(profit, priceProfit));
  return { market: marketId, side, loss: atLeastZero(-profit), gain, notional: lots * market.mark };
}

function potOf(ev: Event, id: MarketId): Pot {
  const known = ev.pots.get(id);
  if (known !== undefined) return known;
  const zero = () => ({ long: 0n, short: 0n });
  const pot: Pot = {
    market: marketOf(ev.x.core, id),
    venue: venueOf(ev.x, id),
    lots: zero(),
    deficit: zero(),
    within: zero(),
    borne: zero(),
    plans: new Map(),
    permit: { within: 0n, share: 0n },
  };
  ev.pots.set(id, pot);
  return pot;
}

/* B: WHAT IS MISSING AND WHO PAYS */

/** By loss, or by notional if there is none. A market without profit passes its part on, unless all are such. */
function shareDeficit(ev: Event, one: Owed): void {
  const { deficit, parts } = one;
  if (deficit === 0n) return;
  const able = parts.filter(({ market, side }) => {
    const pot = potOf(ev, market);
    if (pot.market.deficit === "Queue") return true;
    return baseOf(ev, pot, opposite(side)) + gainsOf(ev, market, opposite(side)) > 0n;
  });
  const asked = able.length > 0 ? able : parts;
  const byLoss = asked.some(({ loss }) => loss > 0n);
  const weights = asked.map(({ loss, notional }) => rational(byLoss ? loss : notional));
  splitWhole(rational(deficit), weights).forEach((share, i) => {
    const part = asked[i];
    if (part !== undefined) potOf(ev, part.market).deficit[nameOf(part.side)] += share.num;
  });
  one.deficit = 0n;
}

/**
 * What an insolvent account gained where others are missing money gives its part there, in proportion with all other profit of
 * its side; its own deficit is as much larger.
 * @returns Whether there was anything.
 */
function chargeGains(ev: Event, pots: readonly Pot[]): boolean {
  let any = false;
  for (const pot of pots) {
    if (pot.market.deficit === "Queue") continue;
    for (const closed of SIDES) {
      const payers = opposite(closed);
      const key = nameOf(closed);
      const gains = gainsOf(ev, pot.market.id, payers);
      const base = baseOf(ev, pot, payers);
      const all = base - pot.borne[key] + gains;
      const amount = least(atLeastZero(unpaid(pot, key) - pot.borne[key]), all);
      if (amount === 0n || gains === 0n) continue;
      pot.borne[key] += amount;
      for (const one of ev.owed) {
        for (const part of one.parts) {
          if (part.market !== pot.market.id || part.side !== payers) continue;
          const share = (amount * part.gain) / all;
          part.gain -= share;
          one.deficit += share;
          pot.deficit[key] -= share;
          pot.borne[key] -= share;
          if (share > 0n) eventsSeen.gainCharges++;
          any ||= share > 0n;
        }
      }
      pot.borne[key] = least(pot.borne[key], base);
    }
  }
  return any;
}

function gainsOf({ owed }: Event, market: MarketId, side: Side): bigint {
  const parts = owed.flatMap((one) => one.parts);
  return parts
    .filter((part) => part.market === market && part.side === side)
    .reduce((total, { gain }) => total + gain, 0n);
}

function baseOf(ev: Event, pot: Pot, payers: Side): bigint {
  return sum(weightsOf(ev, pot, payers).map(({ weight }) => weight)).num;
}

/** Guaranteed profit by price class in rank order, then fresh profit. */
function weightsOf(ev: Event, { market }: Pot, payers: Side): Plan["weights"] {
  const key = viewKey(market.id, Number(payers));
  const known = ev.weights.get(key);
  if (known !== undefined) return known;
  const open = profits(ev.x.core, market, payers).filter((part) => part.priceClass !== undefined);
  const gap = ev.x.freshGaps.get(key) ?? 0n;
  const fresh = freshPool(ev.x.core, market, payers).minus(gap);
  const weight = fresh.isPositive() ? rational(fresh.floor()) : ZERO;
  const all = weight.isZero() ? open : [...open, { priceClass: undefined, weight }];
  ev.weights.set(key, all);
  return all;
}

/** All markets' parts within budget before anything else is taken; if together they want too much, all get less. */
function payWithin(ev: Event, pots: readonly Pot[]): void {
  ev.purse = openPurse(ev.x);
  if (ev.purse.left === 0n) eventsSeen.fundEmpty++;
  const wants = pots.map((pot) => {
    pot.permit = permitOf(ev.x, pot.venue, ev.purse);
    return least(unpaid(pot, "long") + unpaid(pot, "short"), pot.permit.within);
  });
  const total = wants.reduce((a, b) => a + b, 0n);
  const paid = splitWhole(
    rational(least(total, ev.purse.left)),
    wants.map((want) => rational(want)),
  );
  pots.forEach((pot, i) => {
    const amount = paid[i]?.num ?? 0n;
    if (amount === 0n) return;
    eventsSeen.fundWithin++;
    drawFor(ev, pot, amount);
    const names = ["long", "short"] as const;
    const shares = splitWhole(
      rational(amount),
      names.map((name) => rational(unpaid(pot, name))),
    );
    names.forEach((name, j) => (pot.within[name] += shares[j]?.num ?? 0n));
  });
}

function unpaid(pot: Pot, side: "long" | "short"): bigint {
  return pot.deficit[side] - pot.within[side];
}

function planSide(ev: Event, pot: Pot, closed: Side): void {
  const payers = opposite(closed);
  const [own, other] = [pot.lots[nameOf(closed)], pot.lots[nameOf(payers)]];
  const lots = atLeastZero(own - other);
  let left = pot.deficit[nameOf(closed)] - pot.within[nameOf(closed)];
  const plan: Plan = { lots, bookLots: 0n, discount: 0n, haircut: 0n, weights: [], principal: 0n };
  pot.plans.set(closed, plan);
  if (left === 0n) return;
  if (pot.market.deficit === "Queue") {
    plan.discount = left;
    return;
  }
  const weights = weightsOf(ev, pot, payers);
  const haircut = least(left, sum(weights.map(({ weight }) => weight)).num);
  left -= haircut;
  left -= drawBeyond(ev, pot, left);
  const { tiers } = pot.venue.config;
  const bound =
    (cohortsLots(ev, pot, payers) * pot.market.mark) / (2n * (tiers[0]?.maxLeverage ?? 1n));
  const principal = least(left, bound);
  pot.plans.set(closed, { ...plan, haircut, weights, principal });
  owe(pot, left - principal);
}

function cohortsLots({ x }: Event, { market }: Pot, side: Side): bigint {
  return sum(frontOrder(x.core, market, side).map((it) => cohortLots(x.core, market, it))).num;
}

function drawBeyond(ev: Event, pot: Pot, left: bigint): bigint {
  const amount = least(least(left, pot.permit.share), ev.purse.left);
  if (amount > 0n) eventsSeen.fundBeyond++;
  drawFor(ev, pot, amount);
  return amount;
}

function drawFor(ev: Event, pot: Pot, amount: bigint): void {
  draw(ev.x, pot.venue, ev.purse, amount);
  pot.permit.within = atLeastZero(pot.permit.within - amount);
  pot.permit.share -= amount;
}

/** What nobody could pay is owed by the market, which only shrinks from then on. */
function owe({ market, venue }: Pot, amount: bigint): void {
  if (amount === 0n) return;
  eventsSeen.shortfalls++;
  market.shortfall = market.shortfall.plus(amount);
  venue.reduceOnly = true;
}

function charge(ev: Event, pot: Pot, payers: Side): void {
  const plan = pot.plans.get(opposite(payers));
  if (plan === undefined) return;
  const { core } = ev.x;
  const { market } = pot;
  const { haircut, weights, principal } = plan;
  if (haircut + principal === 0n) return;
  if (haircut > 0n) {
    eventsSeen.haircuts++;
    const shares = splitWhole(
      rational(haircut),
      weights.map(({ weight }) => weight),
    );
    weights.forEach(({ priceClass }, i) => {
      const amount = shares[i] ?? ZERO;
      if (priceClass !== undefined) chargeClass(core, market, payers, { priceClass, amount });
      else chargeFresh(ev, pot, payers, amount);
    });
  }
  if (principal > 0n) {
    eventsSeen.principal++;
    const classes = priceClasses(core, market, payers);
    const lots = classes.map((priceClass) => classLots(core, market, payers, priceClass));
    const shares = splitWhole(rational(principal), lots);
    classes.forEach((priceClass, i) => {
      chargeClass(core, market, payers, { priceClass, amount: shares[i] ?? ZERO });
    });
  }
  showCharged(ev.x, market, payers);
}

function chargeFresh({ x, weights }: Event, { market }: Pot, side: Side, amount: Rational): void {
  if (amount.isZero()) return;
  eventsSeen.freshCharges++;
  const counted = weights.get(viewKey(market.id, Number(side)))?.at(-1)?.weight ?? ZERO;
  takeFresh(x, market, side, { amount, counted });
}

/** Who is met in the book after a charge has whole numbers: as many lots as before, at a cost that is rounded up. */
function showCharged(x: Exchange, market: Market, side: Side): void {
  for (const [id, { positions }] of x.core.accounts) {
    const position = positions.get(market.id);
    if (position?.side !== side) continue;
    const key = viewKey(id, market.id);
    const lots = x.views.get(key)?.lots ?? position.lots.floor();
    const cost = position.lots.isZero() ? ZERO : position.cost.times(lots).over(position.lots);
    x.views.set(key, { lots, cost: side * cost.times(side).ceil() });
  }
}

/* C: THE BOOK */

/** No further than mark ∓ liqSlip; the fund pays the difference to mark with what budget is left. */
function sell(ev: Event, pot: Pot, fills: bigint): bigint {
  const { long, short } = pot.lots;
  if (long === short || pot.venue.isEnded) return fills;
  const closed: Side = long > short ? 1n : -1n;
  const plan = pot.plans.get(closed);
  if (plan === undefined) return fills;
  const { mark, unit } = pot.market;
  const slip = (mark * pot.venue.config.liqSlip) / PPM;
  const [atMark, worst] = [mark, mark - closed * slip].map((price) =>
    closed === 1n ? ceilDiv(price, unit) : price / unit,
  ) as [bigint, bigint];
  const room = least(least(pot.permit.within, pot.permit.share), ev.purse.left);
  const perLot = absolute(mark - worst * unit);
  let affordable = worst === atMark ? plan.lots : room / perLot;
  let left = fills;
  if (affordable < plan.lots) {
    left = takeAt(ev, pot, closed, { lots: plan.lots, limit: atMark, maxFills: left });
    affordable = least(affordable, plan.lots - plan.bookLots);
  } else {
    affordable = plan.lots;
  }
  if (affordable === 0n || left === 0n) return left;
  return takeAt(ev, pot, closed, { lots: affordable, limit: worst, maxFills: left });
}

function takeAt(
  ev: Event,
  pot: Pot,
  closed: Side,
  want: { lots: bigint; limit: bigint; maxFills: bigint },
): bigint {
  const { x } = ev;
  const whole = { isForced: true, isReduceOnly: false, taker: undefined };
  const side = opposite(closed);
  const taken = take(x, { market: pot.market.id, side, ...want, ...whole });
  const plan = pot.plans.get(closed);
  if (plan !== undefined) plan.bookLots += taken.lots;
  if (taken.lots > 0n) eventsSeen.bookSales++;
  const gain = closed * (taken.quote - taken.lots * pot.market.mark);
  if (gain < 0n) drawFor(ev, pot, -gain);
  else x.core.fund = x.core.fund.plus(gain);
  return atLeastZero(want.maxFills - taken.fills);
}

/* D: THE QUEUE */

function close(ev: Event, pot: Pot): void {
  if (pot.deficit.long > 0n && pot.deficit.short > 0n) eventsSeen.bothSidesMissing++;
  for (const closed of SIDES) settleDiscount(ev, pot, closed);
  const rule = pot.market.deficit === "Winners" ? ("winners" as const) : ("queue" as const);
  eventsSeen[`${rule}${pot.market.quantity}`]++;
  for (const payers of SIDES) closeAgainst(ev, pot, payers);
  if (SIDES.every((side) => cohortsLots(ev, pot, side) === 0n)) eventsSeen.wholeOpenInterest++;
}

/** Rule Queue: if no lot reaches the queue, nobody there bears the discount. */
function settleDiscount(ev: Event, pot: Pot, closed: Side): void {
  const plan = pot.plans.get(closed);
  if (plan === undefined || plan.discount === 0n) return;
  eventsSeen.discounts++;
  const dust = dustOf(pot.market, opposite(closed)).lots;
  if (dust.compare(plan.lots - plan.bookLots) < 0) return;
  const left = plan.discount - drawBeyond(ev, pot, plan.discount);
  plan.discount = 0n;
  owe(pot, left);
}

function closeAgainst(ev: Event, pot: Pot, payers: Side): void {
  const plan = pot.plans.get(opposite(payers));
  if (plan === undefined) return;
  const { core } = ev.x;
  const { market } = pot;
  const wanted = plan.lots - plan.bookLots;
  const dust = dustOf(market, payers);
  const dustLots = least(wanted, dust.lots.num);
  if (dustLots > 0n) {
    eventsSeen.dustLots++;
    const cost = removeLots(dust, rational(dustLots)).times(payers);
    const proceeds = worth(market, payers, rational(dustLots), market.mark);
    core.dustMoney = core.dustMoney.plus(proceeds).minus(cost);
  }
  const order = frontOrder(core, market, payers);
  const sizes = order.map((cohort) => cohortLots(core, market, cohort));
  const needed = rational(wanted - dustLots);
  const takes =
    market.quantity === "Front" ? takeInOrder(needed, sizes) : splitWhole(needed, sizes);
  const discounts = splitWhole(rational(plan.discount), takes);
  order.forEach((cohort, i) => {
    const [lots, discount] = [takes[i] ?? ZERO, discounts[i] ?? ZERO];
    if (lots.isZero()) return;
    eventsSeen.cuts++;
    cut(core, market, cohort, { lots, discount });
  });
}

function payReward({ x, reward }: Event, rewardTo: AccountId): void {
  if (!x.owners.has(rewardTo)) return;
  const amount = least(reward, atLeastZero(x.core.fund.floor()));
  x.core.fund = x.core.fund.minus(amount);
  pay(x, rewardTo, amount);
}
