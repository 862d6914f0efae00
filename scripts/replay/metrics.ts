/**
 * What a run says about the waterfall, computed from its record alone. docs/replay.md gives each figure in words. Shares
 * are numbers between 0 and 1, for reading; money stays exact.
 */

import { max, ratio, sum } from "../lib/units.js";
import { envelopeOf } from "./envelope.js";
import type { Envelope } from "./envelope.js";
import type { Side } from "./population.js";
import type { AccountRecord, CohortCutRecord, EventRecord, RunRecord } from "./record.js";

export type Money = {
  /** What was missing, and who paid it: deficit == fund + taken + shortfall. */
  readonly deficit: bigint;
  readonly fundPaid: bigint;
  readonly shortfall: bigint;
  /** Of the winners: what was left to pay after the fund. */
  readonly needed: bigint;
  /** From the winners, as the receipts say. */
  readonly taken: bigint;
  /** From the winners, as their equity says. Differs from `taken` by fractions of a lot that cuts leave in cohorts. */
  readonly measured: bigint;
  /** taken − needed. */
  readonly overshoot: bigint;
  /** What the winners would say some minutes later: taken, plus what closed lots would have earned since, − needed. */
  readonly markedOut: readonly { readonly minutes: number; readonly overshoot: bigint }[];
};

export type Group = {
  readonly name: string;
  /** Accounts in profit, and those of them that gave something. */
  readonly accounts: number;
  readonly touched: number;
  readonly profit: bigint;
  readonly taken: bigint;
  /** taken / profit of the group, and of the account that gave the largest share. */
  readonly share: number;
  readonly largest: number;
};

/** What one account had gained by the last event, before anything was taken, and what it gave. */
export type Contribution = {
  readonly account: AccountRecord;
  readonly side: Side;
  readonly profit: bigint;
  readonly taken: bigint;
  readonly share: number;
  readonly lotsClosed: bigint;
};

export type CohortTotal = Omit<CohortCutRecord, "discount"> & {
  /** How many cuts it took. */
  readonly events: number;
};

export type Metrics = {
  /** At the first step's mark, quote. */
  readonly openInterest: bigint;
  readonly money: Money;
  readonly fund: { readonly start: bigint; readonly lowest: bigint; readonly end: bigint };
  readonly liquidated: {
    readonly accounts: number;
    readonly sales: number;
    readonly lots: bigint;
    readonly notional: bigint;
  };
  readonly adl: {
    readonly events: number;
    readonly closedAccounts: number;
    /** Closed against the queue. */
    readonly lots: bigint;
    readonly notional: bigint;
    /** Of the lots that the cut side had at the start. */
    readonly ofSide: number;
    /** Of all lots that were sold by force, in the book or in the queue. */
    readonly ofForced: number;
    readonly cohorts: readonly CohortTotal[];
  };
  readonly contributions: readonly Contribution[];
  readonly haircut: {
    readonly mean: number;
    readonly largest: number;
    /** The share that everyone would have given, had all given the same. */
    readonly even: number;
    readonly gini: number;
    readonly touched: number;
    readonly closedFully: number;
    readonly hedges: number;
    readonly hedgesCut: number;
    readonly byDecile: readonly Group[];
    readonly byLeverage: readonly Group[];
  };
  /** Largest profit that is left, in deficits, and in the largest single loss. Undefined without a deficit. */
  readonly profitToDeficit: number | undefined;
  readonly profitToLargestLoss: number | undefined;
  readonly hazard: readonly Hazard[];
  readonly secondsToSolvency: number | undefined;
  readonly envelope: Envelope;
  readonly gas: Gas;
};

/** The put that the others write for a leverage class: its deficits over what it held. */
export type Hazard = {
  readonly leverage: number;
  readonly accounts: number;
  readonly insolvent: number;
  readonly deficit: bigint;
  readonly perNotional: number;
};

export type Gas = {
  readonly events: number;
  readonly meanPerEvent: number;
  readonly largestEvent: number;
  readonly meanCohorts: number;
  readonly largestCohorts: number;
  readonly transactions: number;
  readonly total: number;
};

const MARK_OUT_MINUTES = [1, 5, 15] as const;

export function measure(record: RunRecord): Metrics {
  const first = record.steps[0];
  const mark = first?.mark ?? 0n;
  const contributions = contributionsOf(record);
  const largestLoss = record.closed.reduce((most, { deficit }) => max(most, deficit), 0n);
  const largestLeft = contributions.reduce(
    (most, { profit, taken }) => max(most, profit - taken),
    0n,
  );
  const money = moneyOf(record);
  const over = (whole: bigint): number | undefined =>
    whole === 0n ? undefined : ratio(largestLeft, whole);
  const fund = fundOf(record);

  return {
    openInterest: (first?.openInterest ?? 0n) * mark,
    money,
    fund,
    liquidated: liquidatedOf(record),
    adl: adlOf(record),
    contributions,
    haircut: haircutOf(record, contributions, money),
    profitToDeficit: over(money.deficit),
    profitToLargestLoss: over(largestLoss),
    hazard: hazardOf(record),
    secondsToSolvency: solvencyOf(record),
    envelope: envelopeOf(record),
    gas: gasOf(record),
  };
}

function moneyOf(record: RunRecord): Money {
  const { events } = record;
  const total = (amount: (event: EventRecord) => bigint): bigint => sum(events.map(amount));
  const deficit = total((event) => event.deficit);
  const fundPaid = total((event) => event.fundWithin + event.fundBeyond);
  const shortfall = total((event) => event.shortfall);
  const taken = total((event) => event.haircut + event.discount + event.principal);
  const needed = deficit - fundPaid - shortfall;

  const markedOut = MARK_OUT_MINUTES.flatMap((minutes) => {
    const later = events.map((event) => foregoneOf(record, event, minutes));
    // A figure that only some of the events reach would compare different things.
    if (events.length === 0 || later.some((amount) => amount === undefined)) return [];
    const foregone = sum(later.map((amount) => amount ?? 0n));
    return [{ minutes, overshoot: taken + foregone - needed }];
  });
  const measured = sum(record.losses.map((loss) => loss.taken));
  return {
    deficit,
    fundPaid,
    shortfall,
    needed,
    taken,
    measured,
    overshoot: taken - needed,
    markedOut,
  };
}

/** What the lots closed in the queue would have earned by the mark some minutes later; undefined beyond the run's end. */
function foregoneOf(record: RunRecord, event: EventRecord, minutes: number): bigint | undefined {
  const until = event.time + minutes * 60;
  const end = record.steps.at(-1)?.time ?? 0;
  if (until > end) return undefined;
  const step = record.steps.findLast(({ time }) => time <= until);
  if (step === undefined) return undefined;
  return signOf(event.side) * event.queueLots * (step.mark - event.mark);
}

function signOf(side: Side): bigint {
  return side === "long" ? 1n : -1n;
}

function fundOf({ steps, events }: RunRecord): Metrics["fund"] {
  const levels = [...events.map(({ fundBefore }) => fundBefore), ...steps.map(({ fund }) => fund)];
  const start = events[0]?.fundBefore ?? steps[0]?.fund ?? 0n;
  const lowest = levels.reduce((least, level) => (level < least ? level : least), start);
  return { start: steps[0]?.fund ?? start, lowest, end: steps.at(-1)?.fund ?? start };
}

function liquidatedOf({ liquidations }: RunRecord): Metrics["liquidated"] {
  return {
    accounts: new Set(liquidations.map(({ account }) => account)).size,
    sales: liquidations.length,
    lots: sum(liquidations.map(({ lots }) => lots)),
    notional: sum(liquidations.map(({ quote }) => quote)),
  };
}

function adlOf(record: RunRecord): Metrics["adl"] {
  const { events, liquidations, steps } = record;
  const lots = sum(events.map(({ queueLots }) => queueLots));
  const atStart = steps[0]?.openInterest ?? 0n;
  const bySide = (side: Side): bigint =>
    sum(events.filter((event) => event.side === side).map(({ queueLots }) => queueLots));
  const forced = sum([...liquidations.map((one) => one.lots), ...events.map((one) => one.lots)]);
  return {
    events: new Set(events.map(({ id }) => id)).size,
    closedAccounts: new Set(record.closed.map(({ account }) => account)).size,
    lots,
    notional: sum(events.map(({ queueLots, mark }) => queueLots * mark)),
    ofSide: ratio(max(bySide("long"), bySide("short")), atStart),
    ofForced: ratio(lots, forced),
    cohorts: cohortsOf(events),
  };
}

/** All cuts of one cohort together, in the order in which they were first cut. */
function cohortsOf(events: readonly EventRecord[]): CohortTotal[] {
  const totals = new Map<number, CohortTotal>();
  for (const cut of events.flatMap(({ cuts }) => cuts)) {
    const before = totals.get(cut.cohort) ?? { ...cut, lots: 0n, events: 0 };
    totals.set(cut.cohort, {
      ...before,
      lots: before.lots + cut.lots,
      events: before.events + 1,
    });
  }
  return [...totals.values()];
}

function contributionsOf({ accounts, losses }: RunRecord): Contribution[] {
  const taken = new Map<number, bigint>();
  const closed = new Map<number, bigint>();
  for (const loss of losses) {
    taken.set(loss.account, (taken.get(loss.account) ?? 0n) + loss.taken);
    closed.set(loss.account, (closed.get(loss.account) ?? 0n) + loss.lotsClosed);
  }
  return accounts
    .map((account): Contribution => {
      const given = taken.get(account.account) ?? 0n;
      const profit = account.atLastEvent.equity - account.deposited + given;
      return {
        account,
        side: account.start.side,
        profit,
        taken: given,
        share: profit > 0n ? ratio(given, profit) : given > 0n ? 1 : 0,
        lotsClosed: closed.get(account.account) ?? 0n,
      };
    })
    .filter(({ profit, taken: given, lotsClosed }) => profit > 0n || given > 0n || lotsClosed > 0n);
}

function haircutOf(
  record: RunRecord,
  contributions: readonly Contribution[],
  money: Money,
): Metrics["haircut"] {
  const traders = contributions.filter(({ account }) => account.role === "trader");
  const winners = contributions.filter(({ profit }) => profit > 0n);
  const profit = sum(winners.map((winner) => winner.profit));
  const touched = contributions.filter(({ taken, lotsClosed }) => taken > 0n || lotsClosed > 0n);
  const leverages = [...new Set(traders.map(({ account }) => account.leverage))].sort(
    (a, b) => a - b,
  );
  const hedges = record.accounts.filter(({ isHedge }) => isHedge);
  const cut = new Set(
    touched.filter(({ lotsClosed }) => lotsClosed > 0n).map((one) => one.account),
  );
  return {
    mean: meanOf(winners.map(({ share }) => share)),
    largest: winners.reduce((most, { share }) => Math.max(most, share), 0),
    even: ratio(money.needed, profit),
    gini: giniOf(winners.map(({ taken }) => taken)),
    touched: touched.length,
    closedFully: touched.filter(({ account }) => account.atLastEvent.lots === 0n).length,
    hedges: hedges.length,
    hedgesCut: hedges.filter((account) => cut.has(account)).length,
    byDecile: Array.from({ length: 10 }, (_, at) =>
      groupOf(
        String(at + 1),
        traders.filter(({ account }) => account.decile === at + 1),
      ),
    ),
    byLeverage: leverages.map((leverage) =>
      groupOf(
        `${leverage}×`,
        traders.filter(({ account }) => account.leverage === leverage),
      ),
    ),
  };
}

function groupOf(name: string, members: readonly Contribution[]): Group {
  const winners = members.filter(({ profit }) => profit > 0n);
  const profit = sum(winners.map((winner) => winner.profit));
  const taken = sum(members.map((member) => member.taken));
  return {
    name,
    accounts: winners.length,
    touched: members.filter((member) => member.taken > 0n || member.lotsClosed > 0n).length,
    profit,
    taken,
    share: ratio(taken, profit),
    largest: winners.reduce((most, { share }) => Math.max(most, share), 0),
  };
}

/** 0 if all gave the same amount, near 1 if one gave everything. */
export function giniOf(amounts: readonly bigint[]): number {
  const sorted = [...amounts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const total = sum(sorted);
  if (total === 0n || sorted.length === 0) return 0;
  const count = BigInt(sorted.length);
  const weighted = sum(sorted.map((amount, at) => (2n * BigInt(at + 1) - count - 1n) * amount));
  return ratio(weighted, count * total);
}

function meanOf(values: readonly number[]): number {
  if (values.length === 0) return 0;
  return values.reduce((total, value) => total + value, 0) / values.length;
}

function hazardOf({ accounts, closed, steps }: RunRecord): Hazard[] {
  const mark = steps[0]?.mark ?? 0n;
  const leverages = [...new Set(accounts.map(({ leverage }) => leverage))].filter((one) => one > 0);
  return leverages
    .sort((a, b) => a - b)
    .map((leverage) => {
      const members = accounts.filter((account) => account.leverage === leverage);
      const ids = new Set(members.map(({ account }) => account));
      const losses = closed.filter(({ account, deficit }) => ids.has(account) && deficit > 0n);
      const deficit = sum(losses.map((loss) => loss.deficit));
      const notional = sum(members.map(({ start }) => start.lots * mark));
      return {
        leverage,
        accounts: members.length,
        insolvent: new Set(losses.map(({ account }) => account)).size,
        deficit,
        perNotional: ratio(deficit, notional),
      };
    });
}

/** The longest of all steps; undefined if an account was still insolvent at the end of one. */
function solvencyOf({ steps }: RunRecord): number | undefined {
  let longest = 0;
  for (const { secondsToSolvency } of steps) {
    if (secondsToSolvency === undefined) return undefined;
    longest = Math.max(longest, secondsToSolvency);
  }
  return longest;
}

function gasOf({ events, transactions }: RunRecord): Gas {
  // Both sides of an event are in the same transactions: their gas is counted once.
  const perEvent = new Map<number, { gas: number; cohorts: number }>();
  for (const { id, gas, cuts } of events) {
    const before = perEvent.get(id);
    perEvent.set(id, {
      gas: Math.max(gas, before?.gas ?? 0),
      cohorts: cuts.length + (before?.cohorts ?? 0),
    });
  }
  const all = [...perEvent.values()];
  return {
    events: all.length,
    meanPerEvent: Math.round(meanOf(all.map(({ gas }) => gas))),
    largestEvent: all.reduce((most, { gas }) => Math.max(most, gas), 0),
    meanCohorts: meanOf(all.map(({ cohorts }) => cohorts)),
    largestCohorts: all.reduce((most, { cohorts }) => Math.max(most, cohorts), 0),
    transactions: transactions.length,
    total: transactions.reduce((total, { gas }) => total + gas, 0),
  };
}
