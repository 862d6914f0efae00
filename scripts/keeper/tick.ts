import { createBackoff } from "./backoff.js";
import type { Backoff, BackoffLimits } from "./backoff.js";
import { accountsToDetail, decide } from "./decide.js";
import type { Policy } from "./decide.js";
import type { Decision, WorkKind } from "./decisions.js";
import type { Effects } from "./effects.js";
import { createSearch } from "./ended.js";
import type { Search } from "./ended.js";
import { jobsOf } from "./jobs.js";
import type { JobLimits } from "./jobs.js";
import { work } from "./work.js";
import type { Worker, WorkLimits } from "./work.js";

export type TickPolicy = Policy & JobLimits & WorkLimits & { readonly backoff: BackoffLimits };

export type TickReport = {
  readonly block: number;
  readonly decisions: Readonly<Record<Decision["kind"], number>>;
  readonly skips: Readonly<Record<string, number>>;
  readonly transactions: Readonly<Record<WorkKind, number>>;
};

/** Accounts whose positions one round reads for the sake of markets that have ended. */
const MAX_SEARCHED = 200;

/**
 * One round: reads at one block, decides, then simulates and sends. Calls do not overlap: a call while one runs gets
 * that one's report. Throws only when reading fails.
 */
export function createKeeperTick(effects: Effects, policy: TickPolicy): () => Promise<TickReport> {
  const memory = { backoff: createBackoff(policy.backoff), search: createSearch(MAX_SEARCHED) };
  let running: Promise<TickReport> | undefined;
  return () => {
    running ??= runTick(effects, policy, memory).finally(() => {
      running = undefined;
    });
    return running;
  };
}

/** What a round leaves to the next. Nothing is lost with it but time. */
type Memory = { readonly backoff: Backoff; readonly search: Search };

async function runTick(fx: Effects, policy: TickPolicy, memory: Memory): Promise<TickReport> {
  const { backoff } = memory;
  const head = await fx.head();
  const [markets, accounts, outflow, fund] = await Promise.all([
    fx.markets(head),
    fx.accounts(head),
    fx.outflow(head),
    fx.fund(head),
  ]);
  const searched = memory.search(accounts, markets);
  const detailed = [...new Set([...accountsToDetail(accounts), ...searched])];
  const positions = detailed.length === 0 ? [] : await fx.positions(head, detailed);
  const snapshot = {
    head,
    markets,
    accounts,
    positions,
    outflow,
    fund,
    notBefore: backoff.notBefore(),
  };
  const decisions = decide(snapshot, policy);

  const transactions = { ...NO_TRANSACTIONS };
  const worker: Worker = { fx, limits: policy, backoff, now: head.now };
  // An event stops its market, so it goes first; the book is asked before winners are.
  for (const kind of ORDER) {
    transactions[kind] = await work(worker, kind, jobsOf(kind, decisions, policy));
  }
  const report = {
    block: head.number,
    decisions: countBy(decisions, ({ kind }) => kind, NO_DECISIONS),
    skips: countBy(
      decisions.filter((decision) => decision.kind === "skip"),
      ({ from, reason }) => `${from}.${reason}`,
      {},
    ),
    transactions,
  };
  fx.log("tick.done", report);
  return report;
}

const ORDER = [
  "continueEvent",
  "liquidate",
  "takeover",
  "deleverage",
  "poke",
  "release",
  "noteIncome",
] as const;
const NO_TRANSACTIONS: Readonly<Record<WorkKind, number>> = {
  continueEvent: 0,
  liquidate: 0,
  takeover: 0,
  deleverage: 0,
  poke: 0,
  release: 0,
  noteIncome: 0,
};
const NO_DECISIONS = { ...NO_TRANSACTIONS, skip: 0 };

function countBy<T, Key extends string>(
  items: readonly T[],
  keyOf: (item: T) => Key,
  start: Readonly<Record<Key, number>> | Readonly<Record<string, never>>,
): Record<Key, number> {
  const counts = new Map<string, number>(Object.entries(start));
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  // Its keys are those of `start` and of `keyOf`.
  return Object.fromEntries(counts) as Record<Key, number>;
}
