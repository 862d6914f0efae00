import type { Action } from "./actions.js";
import { assertNever } from "./actions.js";
import { QUEUE } from "./decide.js";
import type { Decision, WorkKind } from "./decisions.js";

/** Subjects that one call works on, and how the call for some of them looks. */
export type Job = {
  readonly kind: WorkKind;
  readonly subjects: readonly number[];
  /** Subjects for which a call that reports nothing done is progress: it changes their clock. */
  readonly starting: ReadonlySet<number>;
  readonly actionFor: (subjects: readonly number[]) => Action;
};

export type JobLimits = {
  /** Account that gets the caller's rewards. */
  readonly rewardTo: number;
  readonly maxFills: bigint;
  /** Price classes and cohorts that one continueEvent works on. */
  readonly maxSteps: bigint;
  /** Requests that one release pays. */
  readonly maxItems: bigint;
  /** Accounts in one call, before gas is known. */
  readonly maxAccounts: number;
};

const NONE: ReadonlySet<number> = new Set();

/** Accounts go together into one call as far as it holds them, anything else has a call of its own. */
export function jobsOf(kind: WorkKind, decisions: readonly Decision[], limits: JobLimits): Job[] {
  const { maxSteps, maxItems, rewardTo } = limits;
  switch (kind) {
    case "liquidate":
    case "deleverage":
      return batches(kind, decisions, limits);
    case "takeover":
      return decisions
        .filter((decision) => decision.kind === kind)
        .map(({ account, to, market, lots, worstPrice }) =>
          single(account, { kind, from: account, to, market, lots, worstPrice }),
        );
    case "continueEvent":
      return decisions
        .filter((decision) => decision.kind === kind)
        .map(({ market }) => single(market, { kind, market, maxSteps, rewardTo }));
    case "poke":
      return decisions
        .filter((decision) => decision.kind === kind)
        .map(({ market }) => single(market, { kind, market }));
    case "release":
      return decisions
        .filter((decision) => decision.kind === kind)
        .map(() => single(QUEUE, { kind, maxItems }));
    default:
      return assertNever(kind);
  }
}

function batches(
  kind: "liquidate" | "deleverage",
  decisions: readonly Decision[],
  { maxFills, rewardTo, maxAccounts }: JobLimits,
): Job[] {
  const accounts = decisions
    .filter((decision) => decision.kind === "liquidate" || decision.kind === "deleverage")
    .filter((decision) => decision.kind === kind)
    .map(({ account }) => account);
  const starting = decisions
    .filter((decision) => decision.kind === "liquidate")
    .filter(({ cause }) => cause !== "inBook")
    .map(({ account }) => account);
  return chunks(accounts, maxAccounts).map((subjects) => ({
    kind,
    subjects,
    starting: new Set(starting),
    actionFor: (some) => ({ kind, accounts: some, maxFills, rewardTo }),
  }));
}

function single(subject: number, action: Action): Job {
  return { kind: action.kind, subjects: [subject], starting: NONE, actionFor: () => action };
}

/** The worse half first. */
export function halves(job: Job): Job[] {
  const middle = Math.ceil(job.subjects.length / 2);
  return [job.subjects.slice(0, middle), job.subjects.slice(middle)].map((subjects) => ({
    ...job,
    subjects,
  }));
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size));
}
