import type { Action } from "./actions.js";
import type { Log } from "./log.js";
import type {
  AccountView,
  FundView,
  Head,
  MarketView,
  OutflowView,
  PositionView,
} from "./views.js";

/** What a call would do. `done`: accounts or lots; `reason`: the contract's error as Name(args). */
export type Simulation =
  | { readonly ok: true; readonly done: bigint; readonly gas: bigint }
  | { readonly ok: false; readonly reason: string };

export type Left = { readonly account: number; readonly reason: LeftReason };

/** SkipReason of the contract, in its order. */
export const LEFT_REASONS = [
  "NoPosition",
  "Healthy",
  "NotFresh",
  "ClockRunning",
  "EventPending",
  "OutOfFills",
  "UnknownAccount",
] as const;
export type LeftReason = (typeof LEFT_REASONS)[number];

export type Outcome =
  | {
      readonly status: "mined";
      readonly hash: string;
      readonly gasUsed: bigint;
      /** Accounts that the call left out. */
      readonly left: readonly Left[];
    }
  | { readonly status: "reverted"; readonly hash: string; readonly gasUsed: bigint }
  /** Given up. With a hash, it may still be mined: the next transaction takes its nonce. */
  | { readonly status: "dropped"; readonly hash?: string; readonly reason: string };

/**
 * All that a tick does to the world. Reads are as of `head`; there is no clock besides it. Everything may throw: a read ends
 * the tick, an action ends that action.
 */
export type Effects = {
  readonly head: () => Promise<Head>;
  readonly markets: (head: Head) => Promise<readonly MarketView[]>;
  readonly accounts: (head: Head) => Promise<readonly AccountView[]>;
  readonly positions: (head: Head, accounts: readonly number[]) => Promise<readonly PositionView[]>;
  readonly outflow: (head: Head) => Promise<OutflowView>;
  /** Undefined if there is none that may be called. */
  readonly fund: (head: Head) => Promise<FundView | undefined>;
  readonly simulate: (action: Action) => Promise<Simulation>;
  readonly send: (action: Action, gas: bigint) => Promise<Outcome>;
  readonly log: Log;
  /** True once the process is asked to end: no further action is begun. */
  readonly isStopping?: () => boolean;
};
