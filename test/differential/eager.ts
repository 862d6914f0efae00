import {
  accountOf,
  cancelDust,
  dustOf,
  findCohort,
  marketOf,
  removeLots,
  worth,
  valueAt,
} from "../model/cohorts.js";
import { chargeClass, cut, profits } from "../model/charges.js";
import { chargeFresh, freshPool } from "../model/fresh.js";
import { takeOut } from "../model/positions.js";
import { frontOrder, priceClasses, splitWhole, takeInOrder } from "../model/queue.js";
import { cohortLots, classLots } from "../model/cohorts.js";
import type { Model } from "../model/model.js";
import { max, min, rational, sum, ZERO } from "../model/rational.js";
import type { Rational } from "../model/rational.js";
import type { Cohort, Market, Side } from "../model/types.js";
import type { Plan } from "./fixture.js";
import type { Random } from "./random.js";

/*
 * One event on the model, step by step, and the plan that makes the contract do the same: who is closed, who pays how much, and
 * which lots are cut. What an event may charge is more general here than what `deleverage` decides.
 */

export type EagerEvent = {
  readonly plan: Plan;
  readonly cutSides: readonly Side[];
  readonly emptied: number;
};

type Choices = {
  readonly victims: readonly number[];
  /** What the contract counts as fresh profit of longs and shorts: no more can be charged. */
  readonly freshPools: readonly bigint[];
  readonly random: Random;
};

/** Names are closed at mark, the other side pays a part of its profit, lots are closed by either rule. */
export function runEvent(
  model: Model,
  id: number,
  { victims, freshPools, random }: Choices,
): EagerEvent {
  const { state } = model;
  const market = marketOf(state, id);
  const open = { long: ZERO, short: ZERO };
  for (const victim of victims) {
    const { side, lots } = closeAtMark(model, market, victim);
    const name = side === 1n ? "long" : "short";
    open[name] = open[name].plus(lots);
    cancelDust(state, market);
  }
  const met = min(open.long, open.short);
  const charges = [
    ...chargeSide(model, market, 1n, random),
    ...chargeSide(model, market, -1n, random),
  ];
  const fresh: [bigint, bigint] = [
    chargeFreshOf(model, market, 1n, { most: freshPools[0] ?? 0n, random }),
    chargeFreshOf(model, market, -1n, { most: freshPools[1] ?? 0n, random }),
  ];
  // Closed longs are met by shorts of the queue, and the other way round; sometimes both queues are cut by as much.
  const needs = { long: open.short.minus(met), short: open.long.minus(met) };
  const both = bothSides(model, market, needs, random);
  const dust: [bigint, bigint] = [
    takeDust(model, market, 1n, needs.long),
    takeDust(model, market, -1n, needs.short),
  ];
  const longLots = needs.long.plus(both).minus(dust[0]);
  const shortLots = needs.short.plus(both).minus(dust[1]);
  const longCuts = cutSide(model, market, 1n, { lots: longLots, random });
  const shortCuts = cutSide(model, market, -1n, { lots: shortLots, random });
  const cuts = [...longCuts, ...shortCuts];
  cancelDust(state, market);
  const plan = { market: id, accounts: victims, charges, fresh, dust, cuts };
  const cutSides: Side[] = [];
  if (longCuts.length > 0) cutSides.push(1n);
  if (shortCuts.length > 0) cutSides.push(-1n);
  return { plan, cutSides, emptied: cuts.filter((one) => one.isAll).length };
}

function closeAtMark(model: Model, market: Market, victim: number): { side: Side; lots: Rational } {
  const { state } = model;
  const account = accountOf(state, victim);
  const position = account.positions.get(market.id);
  if (position === undefined) return { side: 1n, lots: ZERO };
  const { side, lots } = position;
  const profit = rational(worth(market, side, lots, market.mark).floor()).minus(
    position.cost.times(side),
  );
  account.balance = account.balance.plus(profit);
  state.dustMoney = state.dustMoney.plus(valueAt(market, position, market.mark)).minus(profit);
  takeOut(state, market, victim, position);
  return { side, lots };
}

/** A part of the profit of every class, in whole wei; now and then principal as well, from winners and losers. */
function chargeSide(
  model: Model,
  market: Market,
  side: Side,
  random: Random,
): Plan["charges"][number][] {
  const { state } = model;
  const weights = profits(state, market, side).filter((part) => part.priceClass !== undefined);
  const base = sum(weights.map((part) => part.weight));
  const part = random.pick([0n, 0n, 1n, random.between(1n, 10n ** 6n), 999_999n, 10n ** 6n]);
  const amount = rational(
    base
      .times(part)
      .over(10n ** 6n)
      .floor(),
  );
  const classes = random.oneIn(8n)
    ? priceClasses(state, market, side)
    : weights.map((one) => one.priceClass ?? 0);
  const isPrincipal = classes.length !== weights.length;
  const lots = classes.map((priceClass) => classLots(state, market, side, priceClass));
  const principal = rational(sum(lots).times(market.mark).over(1000n).floor());
  const shares = isPrincipal
    ? splitWhole(principal, lots)
    : splitWhole(
        amount,
        weights.map((one) => one.weight),
      );
  const charges = classes
    .map((priceClass, i) => ({ priceClass, amount: shares[i] ?? ZERO }))
    .filter((charge) => charge.amount.isPositive());
  for (const charge of charges) {
    chargeClass(state, market, side, charge);
    state.fund = state.fund.plus(charge.amount);
  }
  return charges.map((charge) => ({
    side: side === 1n ? 0n : 1n,
    priceClass: charge.priceClass,
    amount: charge.amount.floor(),
  }));
}

function chargeFreshOf(
  model: Model,
  market: Market,
  side: Side,
  { most, random }: { readonly most: bigint; readonly random: Random },
): bigint {
  const { state } = model;
  const pool = min(freshPool(state, market, side), rational(most));
  const amount = pool.times(random.between(0n, 9n)).over(10n).floor();
  if (random.oneIn(2n) || amount === 0n) return 0n;
  chargeFresh(state, market, side, rational(amount));
  state.fund = state.fund.plus(amount);
  return amount;
}

function bothSides(
  model: Model,
  market: Market,
  needs: { readonly long: Rational; readonly short: Rational },
  random: Random,
): Rational {
  if (!random.oneIn(3n)) return ZERO;
  const { state } = model;
  const lotsOf = (side: Side) =>
    sum(frontOrder(state, market, side).map((cohort) => cohortLots(state, market, cohort)));
  const free = min(lotsOf(1n).minus(needs.long), lotsOf(-1n).minus(needs.short));
  const most = max(ZERO, free).floor();
  return rational(random.pick([0n, most / 2n, random.between(0n, most), most]));
}

function takeDust(model: Model, market: Market, side: Side, lots: Rational): bigint {
  const dust = dustOf(market, side);
  const taken = min(lots, dust.lots);
  if (taken.isZero()) return 0n;
  const cost = removeLots(dust, taken).times(side);
  const proceeds = worth(market, side, taken, market.mark);
  model.state.dustMoney = model.state.dustMoney.plus(proceeds).minus(cost);
  return taken.floor();
}

function cutSide(
  model: Model,
  market: Market,
  side: Side,
  { lots, random }: { lots: Rational; random: Random },
): { cohort: number; lots: bigint; discount: bigint; isAll: boolean }[] {
  const { state } = model;
  const order = frontOrder(state, market, side);
  const sizes = order.map((cohort) => cohortLots(state, market, cohort));
  const needed = min(lots, sum(sizes));
  const takes = random.oneIn(4n) ? splitWhole(needed, sizes) : takeInOrder(needed, sizes);
  const isQueue = random.oneIn(5n);
  return order.flatMap((cohort, i) => {
    const taken = takes[i] ?? ZERO;
    if (!taken.isPositive()) return [];
    const most = taken.times(market.mark).over(100n).floor();
    const discount = isQueue ? random.between(0n, most) : 0n;
    cut(state, market, cohort, { lots: taken, discount: rational(discount) });
    state.fund = state.fund.plus(discount);
    const isAll = taken.equals(sizes[i] ?? ZERO);
    return [{ cohort: keyOf(cohort), lots: taken.floor(), discount, isAll }];
  });
}

/** side · leverage class · price class, as the contract packs it. */
export function keyOf({
  side,
  leverageClass,
  priceClass,
}: Omit<Cohort, "members" | "dust">): number {
  return ((side === 1n ? 0 : 1) << 15) | (leverageClass << 12) | priceClass;
}

export function cohortOf(market: Market, key: number): Cohort | undefined {
  const side = key >> 15 === 0 ? 1n : -1n;
  return findCohort(market, { side, leverageClass: (key >> 12) & 7, priceClass: key & 0xfff });
}
