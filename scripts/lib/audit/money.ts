import { cohortName, HOUSE, LONG, MICRO, SHORT, signOf } from "../keys.js";
import { sum } from "../units.js";
import type { MarketState, State } from "../state.js";
import type { Findings } from "./violation.js";

/* INV-1, INV-2, custody: what the exchange owes and what it stands on. */

/** The token as the vault holds it, in its own decimals. */
export type Custody = {
  /** What was pulled minus what was asked for. */
  readonly tracked: bigint;
  /** What was asked for and has not been sent. */
  readonly queued: bigint;
  /** The vault's real balance. */
  readonly held: bigint;
};

/** What is owed to all accounts, the house included, quote. */
export function owedOf(state: State): bigint {
  const balances = sum([...state.money.values()].map(({ balance }) => balance));
  return balances + sum([...state.markets.values()].map(owedInMarket));
}

/** Fees, rest, bonds, unsettled cash, and what positions cost, dust included, against what they owe. */
export function owedInMarket(market: MarketState): bigint {
  const { flow, pool, dust, config, cohorts } = market;
  let owed = flow.fees + flow.rest + pool.unsettled;
  owed += flow.bonds * config.cohortBond * MICRO;
  for (const [key, { cost }] of cohorts) owed -= signOf(cohortName(key).side) * cost;
  return owed - dust.longCost + dust.shortCost;
}

export function shortfallOf(state: State): bigint {
  return sum([...state.markets.values()].map(({ pool }) => pool.shortfall));
}

/** What belongs to the house, quote: its accounts, and what markets have collected for them. */
export function houseMoney(state: State): bigint {
  const balances = sum(HOUSE.map((id) => state.money.get(id)?.balance ?? 0n));
  const collected = [...state.markets.values()].map(
    ({ flow, config }) => flow.fees + flow.rest + flow.bonds * config.cohortBond * MICRO,
  );
  return balances + sum(collected);
}

export function checkMoney(findings: Findings, state: State, custody: Custody): void {
  const { tracked, queued, held } = custody;
  findings.check(held >= tracked + queued, "custody", () => ({
    what: "the vault holds less than it should",
    numbers: { held, tracked, queued },
  }));
  const stands = tracked * state.header.tokenScale + shortfallOf(state);
  const owed = owedOf(state);
  findings.check(stands === owed, "INV-1", () => ({
    what: "tracked tokens and shortfalls are not what is owed",
    numbers: { stands, owed, difference: stands - owed },
  }));
}

export function checkLots(findings: Findings, state: State): void {
  for (const [id, market] of state.markets) {
    const [long, short] = [sideLots(market, LONG), sideLots(market, SHORT)];
    const { openInterest } = market.flow;
    findings.check(long === openInterest, "INV-2", () => ({
      what: "long lots are not the open interest",
      numbers: { market: id, long, openInterest },
    }));
    // Lots of a stored event belong to nobody until it closes them.
    const [between, opposite] = [waitingLots(market, SHORT), waitingLots(market, LONG)];
    findings.check(long + between === short + opposite, "INV-2", () => ({
      what: "long and short lots differ",
      numbers: { market: id, long, short, waitingLongs: between, waitingShorts: opposite },
    }));
  }
}

/** Lots of a side: cohorts and dust. */
export function sideLots(market: MarketState, side: 0 | 1): bigint {
  let lots = side === LONG ? market.dust.longLots : market.dust.shortLots;
  for (const [key, cohort] of market.cohorts) {
    if (cohortName(key).side === side) lots += cohort.lots;
  }
  return lots;
}

/** What a stored event still has to close against this side. */
function waitingLots(market: MarketState, side: 0 | 1): bigint {
  const event = market.pending.sides[side];
  if (market.pending.head.id === 0n || event.stage === DONE) return 0n;
  const queued = event.stage === QUEUE ? event.given : 0n;
  return event.lots - event.bookLots - event.dustLots - queued;
}

/** Of EventStage in contracts/types/Keys.sol. */
const QUEUE = 3n;
const DONE = 4n;
