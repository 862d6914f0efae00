import type { Action } from "../../scripts/keeper/actions.js";
import type { Effects, Outcome, Simulation } from "../../scripts/keeper/effects.js";
import type { Context, Event } from "../../scripts/keeper/log.js";
import type { Snapshot } from "../../scripts/keeper/snapshot.js";
import type { TickPolicy } from "../../scripts/keeper/tick.js";
import { POLICY, snapshot } from "./views.js";

export const TICK_POLICY: TickPolicy = {
  ...POLICY,
  rewardTo: 77,
  maxFills: 100n,
  maxSteps: 64n,
  maxItems: 32n,
  maxAccounts: 4,
  maxGas: 1_000n,
  maxTransactions: 8,
  maxSplits: 16,
  dryRun: false,
  backoff: { first: 2n, longest: 16n },
};

export type Line = { readonly event: Event; readonly context: Context };

export type FakeEffects = Effects & {
  readonly lines: Line[];
  readonly sent: Action[];
  readonly simulated: Action[];
};

/** The world as a snapshot. Everything simulates well and is mined, unless told otherwise. */
export function fakeEffects(state: Partial<Snapshot>, changes: Partial<Effects> = {}): FakeEffects {
  const { head, markets, accounts, positions, outflow, fund } = snapshot(state);
  const lines: Line[] = [];
  const sent: Action[] = [];
  const simulated: Action[] = [];
  const mined: Outcome = { status: "mined", hash: "0x1", gasUsed: 1n, left: [] };
  const fine: Simulation = { ok: true, done: 1n, gas: 1n };
  return {
    lines,
    sent,
    simulated,
    head: async () => head,
    markets: async () => markets,
    accounts: async () => accounts,
    positions: async (_head, ids) => positions.filter(({ account }) => ids.includes(account)),
    outflow: async () => outflow,
    fund: async () => fund,
    log: (event, context = {}) => lines.push({ event, context }),
    ...changes,
    simulate: (action) => {
      simulated.push(action);
      return changes.simulate?.(action) ?? Promise.resolve(fine);
    },
    send: (action, gas) => {
      sent.push(action);
      return changes.send?.(action, gas) ?? Promise.resolve(mined);
    },
  };
}
