import type { Action } from "./actions.js";
import { assertNever } from "./actions.js";
import { FUND, QUEUE } from "./decide.js";
import type { Decision, Deleverage, Liquidate, WorkKind } from "./decisions.js";

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
      return batches(kind, ofKind(kind, decisions), limits);
    case "deleverage": {
      const named = ofKind(kind, decisions);
      // Those that are due are one event, whose gas nobody else should share.
      const due = named.filter(({ cause }) => cause !== "ended");
      const ended = named.filter(({ cause }) => cause === "ended");
      return [...batches(kind, due, limits), ...batches(kind, ended, limits)];
    }
    case "takeover":
      return ofKind(kind, decisions).map(({ account, to, market, lots, worstPrice }) =>
        single(account, { kind, from: account, to, market, lots, worstPrice }),
      );
    case "continueEvent":
      return ofKind(kind, decisions).map(({ market }) =>
        single(market, { kind, market, maxSteps, rewardTo }),
      );
    case "poke":
      return ofKind(kind, decisions).map(({ market }) => single(market, { kind, market }));
    case "release":
      return ofKind(kind, decisions).map(() => single(QUEUE, { kind, maxItems }));
    case "noteIncome":
      return ofKind(kind, decisions).map(() => single(FUND, { kind }));
    default:
      return assertNever(kind);
  }
}

type Forced = Liquidate | Deleverage;

function batches(
  kind: Forced["kind"],
  decisions: readonly Forced[],
  { maxFills, rewardTo, maxAccounts }: JobLimits,
): Job[] {
  const starting = decisions.filter(({ cause }) => CHANGES_CLOCK[cause]);
  return chunks(decisions, maxAccounts).map((some) => ({
    kind,
    subjects: some.map(({ account }) => account),
    starting: new Set(starting.map(({ account }) => account)),
    actionFor: (accounts) => ({ kind, accounts, maxFills, rewardTo }),
  }));
}

const CHANGES_CLOCK: Readonly<Record<Forced["cause"], boolean>> = {
  startsClock: true,
  clearsClock: true,
  inBook: false,
  insolvent: false,
  expired: false,
  ended: false,
};

function ofKind<Kind extends WorkKind>(
  kind: Kind,
  decisions: readonly Decision[],
): Extract<Decision, { kind: Kind }>[] {
  return decisions.filter(
    (decision): decision is Extract<Decision, { kind: Kind }> => decision.kind === kind,
  );
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
