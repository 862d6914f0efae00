import {
  accountOf,
  classKey,
  classLots,
  cohortCost,
  cohortLots,
  holdings,
  worth,
} from "./cohorts.js";
import { freshPool } from "./fresh.js";
import { nearEdge, priceClasses, splitMoney } from "./queue.js";
import { max, min, rational, sum, ZERO } from "./rational.js";
import type { Rational } from "./rational.js";
import type { Cohort, Market, Side, State } from "./types.js";
import { require } from "./types.js";

/* What an event does to the winning side: haircuts, principal charges and cuts. */

export type ClassCharge = { readonly priceClass: number; readonly amount: Rational };

/** Guaranteed profit of every price class that has some, in rank order; then the side's fresh profit. */
export function profits(
  state: State,
  market: Market,
  side: Side,
): { priceClass: number | undefined; weight: Rational }[] {
  const open = priceClasses(state, market, side).map((priceClass) => {
    const given = market.given.get(classKey(side, priceClass)) ?? ZERO;
    const edge = nearEdge(market, side, priceClass);
    const perLot = rational(market.mark).minus(edge).times(side).minus(given);
    const exact = max(ZERO, perLot).times(classLots(state, market, side, priceClass));
    const weight = state.options.shares === "whole" ? rational(exact.floor()) : exact;
    return { priceClass, weight };
  });
  const fresh = { priceClass: undefined, weight: freshPool(state, market, side) };
  return [...open, fresh].filter((part) => part.weight.isPositive());
}

/** Every lot of the class gives the same. It raises the members' cost; no cash moves. */
export function chargeClass(
  state: State,
  market: Market,
  side: Side,
  { priceClass, amount }: ClassCharge,
): void {
  const perLot = amount.over(classLots(state, market, side, priceClass));
  const key = classKey(side, priceClass);
  market.given.set(key, (market.given.get(key) ?? ZERO).plus(perLot));
  for (const cohort of market.cohorts.values()) {
    if (cohort.side !== side || cohort.priceClass !== priceClass) continue;
    for (const held of holdings(state, market, cohort)) {
      const share = perLot.times(held.lots);
      held.cost = held.cost.plus(share.times(side));
      if (held.haircut !== undefined) held.haircut = held.haircut.plus(share);
    }
  }
}

/** By lots over all classes of the side, losers included, up to the market's limit per lot. */
export function chargePrincipal(
  state: State,
  market: Market,
  side: Side,
  left: Rational,
): ClassCharge[] {
  if (market.deficit === "Queue") return [];
  const classes = priceClasses(state, market, side);
  const lots = classes.map((priceClass) => classLots(state, market, side, priceClass));
  const total = sum(lots);
  const rate = market.principalRate;
  const limit = rate && rational(rate.times(market.mark).times(total).floor());
  const amount = total.isZero() ? ZERO : limit === undefined ? left : min(left, limit);
  if (amount.isZero()) return [];
  const shares = splitMoney(state, amount, lots);
  const charges = classes.map((priceClass, i) => ({ priceClass, amount: shares[i] ?? ZERO }));
  for (const charge of charges) chargeClass(state, market, side, charge);
  return charges;
}

/** Closes lots of a cohort at mark less a discount, pro rata over everything it consists of. */
export function cut(
  state: State,
  market: Market,
  cohort: Cohort,
  { lots, discount }: { lots: Rational; discount: Rational },
): void {
  const before = cohortLots(state, market, cohort);
  const exact = worth(market, cohort.side, lots, market.mark);
  const proceeds = rational(exact.floor()).minus(discount);
  state.dustMoney = state.dustMoney.plus(exact).minus(exact.floor());
  const pay = (held: { lots: Rational; cost: Rational }): Rational => {
    const part = held.lots.over(before);
    const released = held.cost.times(lots).over(before);
    held.lots = held.lots.minus(part.times(lots));
    held.cost = held.cost.minus(released);
    return proceeds.times(part).minus(released.times(cohort.side));
  };
  for (const id of cohort.members) {
    const account = accountOf(state, id);
    const position = account.positions.get(market.id);
    if (position !== undefined) account.balance = account.balance.plus(pay(position));
  }
  state.dustMoney = state.dustMoney.plus(pay(cohort.dust));
  const empty = cohortLots(state, market, cohort).isZero();
  require(!empty || cohortCost(state, market, cohort).isZero(), "an empty cohort costs nothing");
}
