import { settledPosition } from "../cohorts.js";
import type { ExchangeEvent } from "../events.js";
import { classKey, cohortName, cohortOfPosition, LEVERAGES, SHORT } from "../keys.js";
import { abs, max } from "../units.js";
import { nearEdge } from "../queue.js";
import { marketOf } from "../rebuild.js";
import type { MarketState, Position, State } from "../state.js";
import { zero } from "../words.js";
import { effectiveCost } from "../cohorts.js";
import { signOf } from "../keys.js";
import type { Findings } from "./violation.js";

/* INV-4: a cohort is its members and the fractions that they left in it. */

/** How often members were settled over a cut since the cohort was last empty, by `market/cohort`. */
export type Crossings = Map<string, number>;

const SUMMARY = LEVERAGES.length * 2 ** 4;
/** Roundings of one settlement, quote. */
const WEI_PER_SETTLEMENT = 8n;
const FUNDING_BITS = 32n;
const HAIRCUT_BITS = 54n;

type Members = {
  count: number;
  /** Settlements that may have left a fraction of a lot behind. */
  cuts: number;
  lots: bigint;
  /** Σ side · cost. */
  cost: bigint;
  /** The largest cost of a lot, quote, funding included. */
  perLot: bigint;
  namesCurrent: boolean;
};

/** Counts a settlement. To be called for every event, with the state before it. */
export function noteCrossing(crossings: Crossings, event: ExchangeEvent, state: State): void {
  if (event.name !== "Settled") return;
  const { market: id, account } = event.args;
  const market = marketOf(state, id);
  const position = market.positions.get(Number(account));
  if (position === undefined) return;
  const key = crossingKey(Number(id), cohortOfPosition(position));
  crossings.set(key, (crossings.get(key) ?? 0) + settledPosition(market, position).cuts);
}

export function checkPools(findings: Findings, state: State, crossings: Crossings): void {
  for (const [id, market] of state.markets) {
    const members = membersOf(market);
    for (const key of new Set([...market.cohorts.keys(), ...members.keys()])) {
      const name = crossingKey(id, key);
      const cohort = market.cohorts.get(key);
      // What was left behind went with the last member, or with the last lot.
      if ((cohort?.lots ?? 0n) === 0n) crossings.delete(name);
      checkCohort(findings, { id, market, key }, [members.get(key), crossings.get(name) ?? 0]);
    }
    checkClasses(findings, id, market);
    checkOccupied(findings, id, market);
  }
}

function membersOf(market: MarketState): Map<number, Members> {
  const all = new Map<number, Members>();
  for (const position of market.positions.values()) {
    const key = cohortOfPosition(position);
    let members = all.get(key);
    if (members === undefined) all.set(key, (members = noMembers()));
    addMember(members, market, position);
  }
  return all;
}

function noMembers(): Members {
  return { count: 0, cuts: 0, lots: 0n, cost: 0n, perLot: 0n, namesCurrent: false };
}

function addMember(members: Members, market: MarketState, position: Position): void {
  const { lots, cost, cuts, side } = settledPosition(market, position);
  const current = market.cohorts.get(cohortOfPosition(position))?.checkpoint ?? 0n;
  members.count += 1;
  members.cuts += cuts;
  members.lots += lots;
  members.cost += signOf(side) * cost;
  members.perLot = max(members.perLot, abs(position.cost) / position.lots + 1n);
  members.namesCurrent ||= position.checkpoint === current;
}

type Place = { readonly id: number; readonly market: MarketState; readonly key: number };

function checkCohort(
  findings: Findings,
  { id, market, key }: Place,
  [members = noMembers(), crossed]: readonly [Members | undefined, number],
): void {
  const cohort = market.cohorts.get(key) ?? zero("Cohort");
  const where = { market: id, cohort: key };
  findings.check(cohort.members === BigInt(members.count), "INV-4", () => ({
    what: "a cohort has another number of members than it says",
    numbers: { ...where, says: cohort.members, has: members.count },
  }));
  findings.check(!members.namesCurrent || cohort.referenced === 1n, "INV-4", () => ({
    what: "a position names a checkpoint that may be overwritten",
    numbers: { ...where, checkpoint: cohort.checkpoint },
  }));
  const left = cohort.lots - members.lots;
  // A fraction each; a whole one where the mantissa was rounded below an integer.
  const most = BigInt(members.cuts + crossed);
  findings.check(left >= 0n && left <= most, "INV-4", () => ({
    what: "a cohort's lots are not its members' and what they left",
    numbers: { ...where, lots: cohort.lots, settled: members.lots, left, most },
  }));
  const sign = signOf(cohortName(key).side);
  const cost = sign * effectiveCost(market, key) - members.cost;
  const rounding = WEI_PER_SETTLEMENT * (most + BigInt(members.count) + 1n);
  const bound = most * lotCost(market, key, members) + rounding;
  findings.check(abs(cost) <= bound, "INV-4", () => ({
    what: "a cohort's cost is not its members' and what they left",
    numbers: { ...where, left: cost, bound },
  }));
}

/** More than any lot of the cohort can have cost: twice its price, funding and haircuts, since all of them may have been more. */
function lotCost(market: MarketState, key: number, members: Members): bigint {
  const { side, priceClass } = cohortName(key);
  const price = (nearEdge(market.config.unit, SHORT, priceClass + 1) >> 22n) + 1n;
  const funding = abs(market.price.funding) >> FUNDING_BITS;
  const haircut = (market.classes.get(classKey(side, priceClass))?.haircut ?? 0n) >> HAIRCUT_BITS;
  return 2n * max(price + funding + haircut, members.perLot) + 1n;
}

function checkClasses(findings: Findings, id: number, market: MarketState): void {
  const sums = new Map<number, { lots: bigint; members: bigint }>();
  for (const [key, { lots, members }] of market.cohorts) {
    const { side, priceClass } = cohortName(key);
    const known = sums.get(classKey(side, priceClass)) ?? { lots: 0n, members: 0n };
    known.lots += lots;
    known.members += members;
    sums.set(classKey(side, priceClass), known);
  }
  for (const key of new Set([...sums.keys(), ...market.classes.keys()])) {
    const said = market.classes.get(key) ?? zero("PriceClass");
    const { lots, members } = sums.get(key) ?? { lots: 0n, members: 0n };
    findings.check(said.lots === lots && said.members === members, "INV-4", () => ({
      what: "a price class is not the sum of its cohorts",
      numbers: { market: id, class: key, says: said.lots, has: lots, saysMembers: said.members },
    }));
  }
}

/** A bit for every cohort with lots, none for others; the summary says which words are not zero. */
function checkOccupied(findings: Findings, id: number, market: MarketState): void {
  const expected = new Map<number, bigint>();
  const mark = (key: number, bit: number) =>
    expected.set(key, (expected.get(key) ?? 0n) | (1n << BigInt(bit)));
  for (const [key, { lots }] of market.cohorts) {
    if (lots === 0n) continue;
    const { side, leverage, priceClass } = cohortName(key);
    const word = Math.floor(priceClass / 2 ** 8);
    mark(side * 2 ** 8 + leverage * 2 ** 4 + word, priceClass % 2 ** 8);
    mark(side * 2 ** 8 + SUMMARY, leverage * 16 + word);
  }
  for (const key of new Set([...expected.keys(), ...market.occupied.keys()])) {
    const [bits, has] = [market.occupied.get(key) ?? 0n, expected.get(key) ?? 0n];
    findings.check(bits === has, "INV-4", () => ({
      what: "the bitmap of price classes is not that of the cohorts with lots",
      numbers: { market: id, word: key, bits: bits.toString(16), cohorts: has.toString(16) },
    }));
  }
}

function crossingKey(market: number, cohort: number): string {
  return `${market}/${cohort}`;
}
