import { cohortLots } from "./cohorts.js";
import type { Rational } from "./rational.js";
import { min, rational, sum, ZERO } from "./rational.js";
import type { Cohort, Market, Side, State } from "./types.js";

/* Price classes, the order of the queue, and how a whole is split into shares. */

/** Exponent and six leading mantissa bits of an entry price in ticks · 2^16. */
export function priceClass(entry: bigint): number {
  const exponent = entry.toString(2).length - 1;
  const mantissa = (entry * 64n) / 2n ** BigInt(exponent) - 64n;
  return 64 * exponent + Number(mantissa);
}

/**
 * The edge of a class that is nearest to a winning mark, in wei per lot: the upper one for longs, the
 * lower one for shorts. No member has a worse entry for profit than this.
 */
export function nearEdge(market: Market, side: Side, priceClass: number): Rational {
  const exponent = BigInt(Math.floor(priceClass / 64));
  const mantissa = BigInt(priceClass % 64) + (side === 1n ? 65n : 64n);
  return rational(mantissa * 2n ** exponent * market.unit, 64n * 2n ** 16n);
}

/** Committed leverage × return since the class's edge. Larger is nearer to the front. */
export function score(state: State, market: Market, cohort: Cohort): Rational {
  const edge = nearEdge(market, cohort.side, cohort.priceClass);
  const gain = rational(market.mark).minus(edge).times(cohort.side);
  return gain.over(edge).times(leverageOf(state, cohort));
}

/** Every cohort of the side that holds lots, front first. A total order: no two cohorts are equal in it. */
export function frontOrder(state: State, market: Market, side: Side): Cohort[] {
  const occupied = [...market.cohorts.values()].filter(
    (cohort) => cohort.side === side && cohortLots(state, market, cohort).isPositive(),
  );
  return occupied.sort((a, b) => {
    const byScore = score(state, market, b).compare(score(state, market, a));
    if (byScore !== 0) return byScore;
    const byLeverage = b.leverageClass - a.leverageClass;
    return byLeverage !== 0 ? byLeverage : Number(side) * (a.priceClass - b.priceClass);
  });
}

/** The occupied price classes of a side over all leverages, in rank order: best entries first. */
export function priceClasses(state: State, market: Market, side: Side): number[] {
  const classes = new Set(frontOrder(state, market, side).map((cohort) => cohort.priceClass));
  return [...classes].sort((a, b) => Number(side) * (a - b));
}

/** Lots of the side that would be taken before the first lot of this cohort. */
export function lotsAhead(state: State, market: Market, cohort: Cohort): Rational {
  const order = frontOrder(state, market, cohort.side);
  const ahead = order.slice(0, Math.max(0, order.indexOf(cohort)));
  return sum(ahead.map((other) => cohortLots(state, market, other)));
}

/** Takes as much as there is of each part, in order. */
export function takeInOrder(total: Rational, parts: readonly Rational[]): Rational[] {
  let left = total;
  return parts.map((part) => {
    const share = min(left, part);
    left = left.minus(share);
    return share;
  });
}

/** By weight, as exact fractions. All zero if every weight is. */
export function splitExact(total: Rational, weights: readonly Rational[]): Rational[] {
  const whole = sum(weights);
  if (whole.isZero()) return weights.map(() => ZERO);
  return weights.map((weight) => total.times(weight).over(whole));
}

/** By weight, in whole units whose sum is the total (itself whole): differences of floored cumulative shares. */
export function splitWhole(total: Rational, weights: readonly Rational[]): Rational[] {
  const whole = sum(weights);
  if (whole.isZero()) return weights.map(() => ZERO);
  let cumulative = ZERO;
  let given = ZERO;
  return weights.map((weight) => {
    cumulative = cumulative.plus(weight);
    const exact = total.times(cumulative).over(whole);
    const upToHere = cumulative.equals(whole) ? exact : rational(exact.floor());
    const share = upToHere.minus(given);
    given = upToHere;
    return share;
  });
}

/** Splits money the way the model was asked to. */
export function splitMoney(
  state: State,
  total: Rational,
  weights: readonly Rational[],
): Rational[] {
  return state.options.shares === "whole" ? splitWhole(total, weights) : splitExact(total, weights);
}

function leverageOf(state: State, cohort: Cohort): bigint {
  return state.options.leverageTable[cohort.leverageClass] ?? 0n;
}
