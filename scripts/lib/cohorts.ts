import { divCeil, divFloor } from "./units.js";
import {
  checkpointKey,
  classKey,
  cohortName,
  cohortOfPosition,
  sideOfKind,
  signOf,
} from "./keys.js";
import type { SideIndex } from "./keys.js";
import type { Checkpoint, MarketState, Position } from "./state.js";

/*
 * The arithmetic of pooled positions: what a member has after the events since it was settled, to the wei what
 * contracts/libraries/CohortMath.sol computes. Written from the formulas, for keepers, front ends and the audit.
 *
 *   q1      = ⌊q · m_j / den⌋                                            den = m_i · 2^(e_j − e_i)
 *   side·vx = ⌊(side·v · m_j · 2^54 + q · m_j · ΔU) / (den · 2^54)⌋
 *   side·v1 = ⌈(side·v · q1 · 2^54 + q · q1 · ΔU) / (q · 2^54)⌉
 *   cash    = ⌊q · ΔK / den⌋ − ⌈q · ΔB / den⌉ + side·vx − side·v
 */

/** A mantissa that nothing was cut from. */
const FULL = 2n ** 95n;
const HAIRCUT_BITS = 54n;
const FUNDING_BITS = 32n;
/** Exponents that one settlement may cross. */
const HOP = 64n;

const START: Checkpoint = { mantissa: FULL, exponent: 0n, haircut: 0n, cash: 0n, given: 0n };

export type Settled = {
  readonly side: SideIndex;
  readonly lots: bigint;
  readonly cost: bigint;
  /** For the balance. */
  readonly cash: bigint;
  /** Given in events since the last settlement. */
  readonly haircut: bigint;
  /** Steps of the settlement in which lots may have been cut: each may leave up to a lot in the cohort. */
  readonly cuts: number;
};

type Pool = Pick<MarketState, "cohorts" | "checkpoints" | "classes">;
type Share = { lots: bigint; cost: bigint; cash: bigint; haircut: bigint };

/** A position as a call that touched it now would leave it, apart from a change of its leverage class. */
export function settledPosition(market: Pool, position: Position): Settled {
  const side = sideOfKind(position.kind);
  const share: Share = { lots: position.lots, cost: position.cost, cash: 0n, haircut: 0n };
  const key = cohortOfPosition(position);
  const last = Number(market.cohorts.get(key)?.checkpoint ?? 0n);
  const current = currentCheckpoint(market, key);
  let number = Number(position.checkpoint);
  let from = checkpointOf(market, key, number);
  let cuts = 0;
  while (share.lots > 0n && !isSame(from, current)) {
    const isNear = current.exponent - from.exponent <= HOP;
    if (!isNear) number = lastWithin(market, key, { number, last, exponent: from.exponent });
    const to = isNear ? current : checkpointOf(market, key, number);
    if (to.mantissa !== from.mantissa || to.exponent !== from.exponent) cuts += 1;
    step(side, share, [from, to]);
    if (isNear) break;
    from = to;
  }
  return { side, ...share, cuts };
}

/** A stored checkpoint; number 0 is never stored. */
export function checkpointOf(market: Pool, cohort: number, number: number): Checkpoint {
  if (number === 0) return START;
  const stored = market.checkpoints.get(checkpointKey(cohort, number));
  if (stored === undefined) throw new RangeError(`checkpoint ${number} of cohort ${cohort}`);
  return stored;
}

/** The current checkpoint, with the haircuts that the price class was charged since it was written. */
export function currentCheckpoint(market: Pool, key: number): Checkpoint {
  const number = Number(market.cohorts.get(key)?.checkpoint ?? 0n);
  const stored = checkpointOf(market, key, number);
  // An emptied cohort holds nothing that could give.
  if (stored.mantissa === 0n) return stored;
  const due = haircutDue(market, key, stored);
  if (due === 0n) return stored;
  const given = BigInt.asUintN(256, stored.given + shiftUp(stored.mantissa * due));
  return { ...stored, given, haircut: BigInt.asUintN(136, stored.haircut + due) };
}

/** V with the haircuts that the cohort has not taken over yet. */
export function effectiveCost(market: Pool, key: number): bigint {
  const cohort = market.cohorts.get(key);
  if (cohort === undefined) return 0n;
  const stored = checkpointOf(market, key, Number(cohort.checkpoint));
  if (stored.mantissa === 0n || cohort.lots === 0n) return cohort.cost;
  const due = shiftUp(cohort.lots * haircutDue(market, key, stored));
  return cohort.cost + signOf(cohortName(key).side) * due;
}

/** ⌊side · lots · (price · 2^32 − F) / 2^32⌋ − side · cost: unrealised profit, funding included. */
export function valueAt(
  { side, lots, cost }: Pick<Settled, "side" | "lots" | "cost">,
  price: bigint,
  funding: bigint,
): bigint {
  const sign = signOf(side);
  return ((sign * lots * ((price << FUNDING_BITS) - funding)) >> FUNDING_BITS) - sign * cost;
}

/** The part of haircut U that the class has and the checkpoint has not, modulo 2^136. */
function haircutDue(market: Pool, key: number, stored: Checkpoint): bigint {
  const { side, priceClass } = cohortName(key);
  const index = market.classes.get(classKey(side, priceClass))?.haircut ?? 0n;
  // A class without haircuts has forgotten them, or never had any: nothing is due.
  return index === 0n ? 0n : BigInt.asUintN(136, index - stored.haircut);
}

function step(side: SideIndex, share: Share, [from, to]: readonly [Checkpoint, Checkpoint]): void {
  const sign = signOf(side);
  const apart = to.exponent - from.exponent;
  const base = from.mantissa << apart;
  const { lots } = share;
  const signedCost = sign * share.cost;
  const weight =
    (signedCost << HAIRCUT_BITS) + lots * BigInt.asUintN(136, to.haircut - from.haircut);
  const paid = BigInt.asIntN(256, to.cash - (from.cash << apart));
  const given = BigInt.asUintN(256, to.given - (from.given << apart));

  const haircut = divCeil(lots * given, base);
  const left = divFloor(weight * to.mantissa, base << HAIRCUT_BITS);
  share.lots = (lots * to.mantissa) / base;
  share.cash += divFloor(lots * paid, base) - haircut + left - signedCost;
  share.cost = share.lots === 0n ? 0n : sign * divCeil(weight * share.lots, lots << HAIRCUT_BITS);
  share.haircut += haircut;
}

type Reach = { readonly number: number; readonly last: number; readonly exponent: bigint };

/** The last checkpoint that one settlement reaches. Exponents never fall. */
function lastWithin(market: Pool, key: number, { number, last, exponent }: Reach): number {
  let low = number + 1;
  let high = last - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (checkpointOf(market, key, middle).exponent - exponent <= HOP) low = middle;
    else high = middle - 1;
  }
  return low;
}

function isSame(a: Checkpoint, b: Checkpoint): boolean {
  return a.mantissa === b.mantissa && a.exponent === b.exponent && a.haircut === b.haircut;
}

/** ⌈x / 2^54⌉. */
function shiftUp(value: bigint): bigint {
  return (value + 2n ** HAIRCUT_BITS - 1n) >> HAIRCUT_BITS;
}
