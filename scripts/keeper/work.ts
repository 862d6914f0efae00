import { assertNever } from "./actions.js";
import type { Backoff } from "./backoff.js";
import type { WorkKind } from "./decisions.js";
import type { Effects, LeftReason, Outcome, Simulation } from "./effects.js";
import { halves } from "./jobs.js";
import type { Job } from "./jobs.js";
import { workKey } from "./snapshot.js";

export type WorkLimits = {
  readonly maxGas: bigint;
  /** Transactions of one kind in one tick; the safest accounts wait for the next. */
  readonly maxTransactions: number;
  /** Batches of one kind that may be halved in one tick. */
  readonly maxSplits: number;
  /** Simulate and log, send nothing. */
  readonly dryRun: boolean;
};

export type Worker = {
  readonly fx: Effects;
  readonly limits: WorkLimits;
  readonly backoff: Backoff;
  /** Time of the chain. */
  readonly now: bigint;
};

/** Does jobs in their order. @returns transactions that were sent. */
export async function work(worker: Worker, kind: WorkKind, jobs: readonly Job[]): Promise<number> {
  const { fx, limits } = worker;
  const waiting = [...jobs];
  let transactions = 0;
  let splits = 0;
  for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
    if (fx.isStopping?.() === true) break;
    if (transactions >= limits.maxTransactions || splits > limits.maxSplits) {
      const left = [job, ...waiting].flatMap(({ subjects }) => subjects);
      fx.log("tick.bounded", { kind, transactions, splits, waiting: left.length });
      break;
    }
    const result = await attempt(worker, job);
    if (result === "sent") transactions += 1;
    if (result === "split") {
      splits += 1;
      waiting.unshift(...halves(job));
    }
  }
  return transactions;
}

type Attempt = "sent" | "notSent" | "split";

/** Whatever goes wrong here is one log line and a rest for these subjects; it never stops the others. */
async function attempt(worker: Worker, job: Job): Promise<Attempt> {
  const { fx } = worker;
  const { kind, subjects } = job;
  try {
    const action = job.actionFor(subjects);
    const simulation = await fx.simulate(action);
    const verdict = judge(simulation, job, worker.limits);
    if (verdict.kind === "split") {
      fx.log("action.split", { action: kind, subjects: subjects.length, reason: verdict.reason });
      return "split";
    }
    if (verdict.kind === "refuse") {
      fx.log(verdict.event, { action: kind, subjects, reason: verdict.reason });
      rest(worker, job, subjects);
      return "notSent";
    }
    if (worker.limits.dryRun) {
      fx.log("action.simulated", { ...action, gas: verdict.gas, done: verdict.done });
      return "notSent";
    }
    return conclude(worker, job, await fx.send(action, verdict.gas));
  } catch (error) {
    const reason = error instanceof Error ? error.name : "unknown";
    fx.log("action.failed", { action: kind, subjects, reason });
    rest(worker, job, subjects);
    return "notSent";
  }
}

type Verdict =
  | { readonly kind: "send"; readonly gas: bigint; readonly done: bigint }
  | { readonly kind: "split"; readonly reason: string }
  | {
      readonly kind: "refuse";
      readonly event: "action.rejected" | "action.idle";
      readonly reason: string;
    };

function judge(simulation: Simulation, job: Job, { maxGas }: WorkLimits): Verdict {
  if (!simulation.ok) return tooMuch(job, simulation.reason);
  if (simulation.gas > maxGas) return tooMuch(job, "gas");
  const isProgress =
    simulation.done > 0n || job.subjects.some((subject) => job.starting.has(subject));
  return isProgress
    ? { kind: "send", gas: simulation.gas, done: simulation.done }
    : { kind: "refuse", event: "action.idle", reason: "nothing to do" };
}

/** Halving a batch finds the one that spoils it. */
function tooMuch(job: Job, reason: string): Verdict {
  return job.subjects.length > 1
    ? { kind: "split", reason }
    : { kind: "refuse", event: "action.rejected", reason };
}

function conclude(worker: Worker, job: Job, outcome: Outcome): Attempt {
  const { fx, backoff } = worker;
  const { kind, subjects } = job;
  switch (outcome.status) {
    case "mined": {
      const { hash, gasUsed, left } = outcome;
      fx.log("tx.mined", { action: kind, subjects: subjects.length, hash, gasUsed });
      for (const { account, reason } of left)
        fx.log("account.skipped", { action: kind, account, reason });
      const resting = left.filter(({ reason }) => RESTS[reason]).map(({ account }) => account);
      for (const subject of subjects) {
        if (!resting.includes(subject)) backoff.succeeded(workKey(kind, subject));
      }
      rest(worker, job, resting);
      return "sent";
    }
    case "reverted":
      fx.log("tx.reverted", {
        action: kind,
        subjects,
        hash: outcome.hash,
        gasUsed: outcome.gasUsed,
      });
      rest(worker, job, subjects);
      return "sent";
    case "dropped":
      fx.log("tx.dropped", { action: kind, subjects, hash: outcome.hash, reason: outcome.reason });
      rest(worker, job, subjects);
      return "sent";
    default:
      return assertNever(outcome);
  }
}

/** Whether an account that a call left out rests before it is named again. */
const RESTS: Readonly<Record<LeftReason, boolean>> = {
  NoPosition: true,
  Healthy: true,
  NotFresh: true,
  ClockRunning: true,
  EventPending: true,
  // The next call has new fills.
  OutOfFills: false,
  UnknownAccount: true,
};

function rest({ backoff, now }: Worker, { kind }: Job, subjects: readonly number[]): void {
  for (const subject of subjects) backoff.failed(workKey(kind, subject), now);
}
