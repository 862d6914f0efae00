/**
 * A run without a chain: the population of a scenario, each price a wave, and the waterfall in a few lines of plain
 * arithmetic (every loser below maintenance is closed, the fund pays a fifth of itself, profit pays the rest, the
 * highest return on margin is closed first). Good enough to try the metrics and the report on; it proves nothing about
 * the exchange.
 */

import { ratio, sum } from "../../scripts/lib/units.js";
import { maintenanceMarginUp, DEFAULT_TIERS } from "../../scripts/replay/margin.js";
import { scaleOf } from "../../scripts/replay/path.js";
import type { PricePath, Scale } from "../../scripts/replay/path.js";
import { createPopulation } from "../../scripts/replay/population.js";
import type { Trader } from "../../scripts/replay/population.js";
import type {
  AccountRecord,
  ClosedRecord,
  CohortCutRecord,
  EventRecord,
  Holding,
  LossRecord,
  QueueRecord,
  RunRecord,
  StepRecord,
  TransactionRecord,
} from "../../scripts/replay/record.js";
import type { Scenario } from "../../scripts/replay/scenario.js";

type Member = { trader: Trader; lots: bigint; balance: bigint; given: bigint };
type Run = {
  scale: Scale;
  members: Member[];
  fund: bigint;
  events: EventRecord[];
  losses: LossRecord[];
  closed: ClosedRecord[];
  steps: StepRecord[];
  transactions: TransactionRecord[];
};

export function sampleRun(scenario: Scenario, path: PricePath, candles?: string): RunRecord {
  const price = path.points[0]?.price ?? 1n;
  const scale = scaleOf(price);
  const traders = createPopulation(scenario.population, { price, scale, seed: scenario.seed });
  const run: Run = {
    scale,
    members: traders.map((trader) => ({
      trader,
      lots: trader.lots,
      balance: trader.deposit + trader.topUp,
      given: 0n,
    })),
    fund: (scenario.population.openInterest * scenario.fund) / 10n ** 18n,
    events: [],
    losses: [],
    closed: [],
    steps: [],
    transactions: [],
  };
  const markOf = (at: bigint): bigint => (at / scale.tick) * scale.unit;
  const start = run.members.map((member) => holdingOf(member, markOf(price), scale));
  const before = queueOf(run, markOf(path.points.at(-1)?.price ?? price));

  let atLastEvent = start;
  for (const [step, point] of path.points.entries()) {
    const events = run.events.length;
    playStep(run, {
      step,
      mark: markOf(point.price),
      time: path.start + point.seconds,
      isMove: point.isMove,
    });
    if (run.events.length > events) {
      atLastEvent = run.members.map((member) => holdingOf(member, markOf(point.price), scale));
    }
  }
  const last = markOf(path.points.at(-1)?.price ?? price);
  const left = new Map(queueOf(run, last).map((row) => [row.cohort, row.lotsBefore]));
  const nowhere = start[0] ?? { side: "long", lots: 0n, entry: 0n, equity: 0n };
  return {
    setting: {
      id: scenario.id,
      title: scenario.title,
      description: scenario.description,
      seed: scenario.seed,
      rule: scenario.rule,
      scale,
      accountsPerSide: scenario.population.accountsPerSide,
      ...(candles === undefined ? {} : { candles }),
      parameters: [{ name: "makerFee", value: "100 ppm" }],
    },
    accounts: run.members.map(({ trader }, at): AccountRecord => ({
      account: 10 + trader.index,
      role: "trader",
      isHedge: trader.isHedge,
      leverage: trader.leverage,
      decile: trader.decile,
      deposited: trader.deposit + trader.topUp,
      start: start[at] ?? nowhere,
      atLastEvent: atLastEvent[at] ?? nowhere,
      end: holdingOf(run.members[at] ?? { trader, lots: 0n, balance: 0n, given: 0n }, last, scale),
    })),
    steps: run.steps,
    liquidations: [],
    events: run.events,
    losses: run.losses,
    closed: run.closed,
    transactions: run.transactions,
    queue: before.map((row) => ({ ...row, lotsAfter: left.get(row.cohort) ?? 0n })),
    invariants: [
      {
        id: "INV-1",
        text: "Tokens held equal what is owed.",
        checks: run.steps.length,
        failures: [],
      },
      { id: "INV-2", text: "Long lots equal short lots.", checks: run.steps.length, failures: [] },
    ],
  };
}

function signOf({ side }: Trader): bigint {
  return side === "long" ? 1n : -1n;
}

function profitOf({ trader, lots }: Member, mark: bigint, { unit }: Scale): bigint {
  return signOf(trader) * lots * (mark - trader.entry * unit);
}

function holdingOf(member: Member, mark: bigint, scale: Scale): Holding {
  return {
    side: member.trader.side,
    lots: member.lots,
    entry: member.trader.entry * scale.unit,
    equity: member.balance + profitOf(member, mark, scale),
  };
}

type Now = { step: number; mark: bigint; time: number; isMove: boolean };

function playStep(run: Run, now: Now): void {
  const { mark, step, time } = now;
  const equity = (member: Member): bigint => member.balance + profitOf(member, mark, run.scale);
  const open = run.members.filter(({ lots }) => lots > 0n);
  const below = open.filter(
    (member) => equity(member) < maintenanceMarginUp(member.lots * mark, DEFAULT_TIERS),
  );
  const insolvent = below.filter((member) => equity(member) < 0n).length;
  for (const side of ["long", "short"] as const) {
    const named = below.filter(({ trader }) => trader.side === side);
    if (named.length > 0) deleverage(run, named, now);
  }
  run.transactions.push({ step, call: "price", accounts: 0, gas: 61_000 });
  run.steps.push({
    step,
    time,
    sourceTime: time,
    isMove: now.isMove,
    index: mark,
    mark: mark - mark / 2_000n,
    openInterest: sum(
      run.members.filter(({ trader }) => trader.side === "long").map(({ lots }) => lots),
    ),
    fund: run.fund,
    shortfall: 0n,
    belowMaintenance: below.length,
    insolvent,
    belowMaintenanceLeft: 0,
    insolventLeft: 0,
    secondsToSolvency: insolvent > 0 ? 4 : 0,
  });
}

function deleverage(run: Run, named: readonly Member[], { mark, step, time }: Now): void {
  const { scale } = run;
  const id = run.events.length + 1;
  const side = named[0]?.trader.side === "long" ? "short" : "long";
  const lots = sum(named.map((member) => member.lots));
  let deficit = 0n;
  for (const member of named) {
    const equity = member.balance + profitOf(member, mark, scale);
    const missing = equity < 0n ? -equity : 0n;
    deficit += missing;
    run.closed.push({
      event: id,
      account: 10 + member.trader.index,
      side: member.trader.side,
      lots: member.lots,
      mark,
      deficit: missing,
    });
    member.balance = equity < 0n ? 0n : equity;
    member.lots = 0n;
  }
  const fundBefore = run.fund;
  const fundWithin = deficit < run.fund / 5n ? deficit : run.fund / 5n;
  run.fund -= fundWithin;

  const winners = run.members
    .filter(({ trader, lots: held }) => trader.side === side && held > 0n)
    .sort((a, b) => scoreOf(b, mark, scale) - scoreOf(a, mark, scale));
  const profits = winners.map((member) => {
    const profit = profitOf(member, mark, scale) - member.given;
    return profit > 0n ? profit : 0n;
  });
  const base = sum(profits);
  const haircut = deficit - fundWithin;
  let left = lots;
  let passed = 0n;
  let handed = 0n;
  const cuts = new Map<number, CohortCutRecord>();
  for (const [at, member] of winners.entries()) {
    const profit = profits[at] ?? 0n;
    passed += profit;
    const taken = base === 0n ? 0n : (haircut * passed) / base - handed;
    handed += taken;
    const closed = member.lots < left ? member.lots : left;
    left -= closed;
    if (taken > 0n || closed > 0n) {
      run.losses.push({
        event: id,
        account: 10 + member.trader.index,
        side,
        lotsBefore: member.lots,
        lotsClosed: closed,
        profit,
        taken,
      });
    }
    if (closed > 0n) cutCohort(cuts, member, closed, scale);
    member.balance += profitOf(member, mark, scale);
    member.lots -= closed;
    member.balance -= profitOf(member, mark, scale) + taken;
    member.given = member.lots === 0n ? 0n : member.given + taken;
  }
  const gas = 90_000 + 62_000 * named.length + 20_000 * cuts.size;
  run.transactions.push({ step, call: "deleverage", accounts: named.length, gas });
  run.events.push({
    id,
    parent: 0,
    step,
    time: time + 4,
    side,
    mark,
    named: named.length,
    lots,
    bookLots: 0n,
    dustLots: 0n,
    queueLots: lots - left,
    deficit,
    fundBefore,
    fundWithin,
    base,
    haircut,
    freshCharge: 0n,
    discount: 0n,
    fundBeyond: 0n,
    principal: 0n,
    shortfall: 0n,
    priceClasses: cuts.size,
    cuts: [...cuts.values()],
    gas,
    transactions: 1,
  });
}

function scoreOf({ trader }: Member, mark: bigint, { unit }: Scale): number {
  const entry = trader.entry * unit;
  return trader.leverage * ratio(signOf(trader) * (mark - entry), entry);
}

function cutCohort(
  cuts: Map<number, CohortCutRecord>,
  member: Member,
  closed: bigint,
  scale: Scale,
): void {
  const { key, from, to } = classOf(member.trader, scale);
  const before = cuts.get(key);
  cuts.set(key, {
    cohort: key,
    side: member.trader.side,
    leverage: member.trader.leverage,
    from,
    to,
    lotsBefore: (before?.lotsBefore ?? 0n) + member.lots,
    lots: (before?.lots ?? 0n) + closed,
    members: (before?.members ?? 0) + 1,
    discount: 0n,
  });
}

/** Entry-price classes one percent wide. */
function classOf(
  { entry, leverage, side }: Trader,
  { unit }: Scale,
): { key: number; from: bigint; to: bigint } {
  const at = Math.floor(Math.log(Number(entry)) / Math.log(1.01));
  const edge = (which: number): bigint => BigInt(Math.round(1.01 ** which)) * unit;
  return {
    key: at * 200 + leverage * 2 + (side === "long" ? 0 : 1),
    from: edge(at),
    to: edge(at + 1),
  };
}

function queueOf(run: Run, mark: bigint): QueueRecord[] {
  const rows = new Map<number, QueueRecord>();
  const members = run.members
    .filter(({ trader }) => trader.side === "short")
    .sort((a, b) => scoreOf(b, mark, run.scale) - scoreOf(a, mark, run.scale));
  for (const { trader, lots } of members) {
    const { key, from, to } = classOf(trader, run.scale);
    const row = rows.get(key) ?? {
      cohort: key,
      side: trader.side,
      leverage: trader.leverage,
      from,
      to,
      members: 0,
      lotsBefore: 0n,
      lotsAfter: 0n,
    };
    rows.set(key, { ...row, members: row.members + 1, lotsBefore: row.lotsBefore + lots });
  }
  return [...rows.values()];
}
