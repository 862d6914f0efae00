import { noteCrossing } from "./audit/pools.js";
import type { Crossings } from "./audit/pools.js";
import type { Custody } from "./audit/money.js";
import type { Violation } from "./audit/violation.js";
import { compareStates } from "./compare.js";
import { parseEvents } from "./events.js";
import type { ExchangeEvent, RawLog } from "./events.js";
import { checkState, checkStep } from "./invariants.js";
import { copyKnown, createKnown, track } from "./known.js";
import type { Known } from "./known.js";
import type { WordReader } from "./plan.js";
import { readState } from "./read.js";
import { applyEvent, copyRebuild, createRebuild } from "./rebuild.js";
import type { Genesis, Rebuild } from "./rebuild.js";
import type { Receipt } from "./receipts.js";
import { emptyState } from "./state.js";
import type { State } from "./state.js";
import { copyTracer, createTracer, trace } from "./trace.js";
import type { Tracer } from "./trace.js";

/*
 * Follows the exchange block by block, from the first on: rebuilds its state from events, reads it from storage, and says
 * what does not agree and which invariants do not hold.
 */

export type Auditor = {
  readonly rebuild: Rebuild;
  readonly tracer: Tracer;
  readonly known: Known;
  readonly crossings: Crossings;
  /** As it was read last. */
  state: State;
  custody: Custody;
};

/** One block as the audit sees it. */
export type Block = {
  /** Logs of the exchange, in order. */
  readonly logs: readonly RawLog[];
  /** Unix. */
  readonly time: bigint;
  /** Reads storage as it was at the end of the block. */
  readonly read: WordReader;
  readonly custody: Custody;
};

export type Audit = {
  readonly violations: readonly Violation[];
  readonly events: readonly ExchangeEvent[];
  readonly receipts: readonly Receipt[];
};

export function createAuditor(genesis: Genesis): Auditor {
  return {
    rebuild: createRebuild(genesis),
    tracer: createTracer(),
    known: createKnown(),
    crossings: new Map(),
    state: emptyState(),
    custody: { tracked: 0n, queued: 0n, held: 0n },
  };
}

/** A copy that can be gone back to. */
export function copyAuditor(auditor: Auditor): Auditor {
  return {
    rebuild: copyRebuild(auditor.rebuild),
    tracer: copyTracer(auditor.tracer),
    known: copyKnown(auditor.known),
    crossings: new Map(auditor.crossings),
    // Read anew for each block, never changed.
    state: auditor.state,
    custody: auditor.custody,
  };
}

/** Takes events in without reading or checking anything. */
export function follow(
  auditor: Auditor,
  events: readonly ExchangeEvent[],
  time: bigint,
): Receipt[] {
  const { rebuild, tracer, known, crossings } = auditor;
  const receipts: Receipt[] = [];
  for (const event of events) {
    noteCrossing(crossings, event, rebuild.state);
    const receipt = trace(tracer, event, { state: rebuild.state, time });
    if (receipt !== undefined) receipts.push(receipt);
    track(known, event);
    applyEvent(rebuild, event, time);
  }
  return receipts;
}

/** Takes a block in and checks everything. */
export async function auditBlock(auditor: Auditor, block: Block): Promise<Audit> {
  const { time, custody } = block;
  const events = parseEvents(block.logs);
  const receipts = follow(auditor, events, time);
  const before = { state: auditor.state, custody: auditor.custody };
  const after = await readState(block.read, auditor.known);
  auditor.state = after;
  auditor.custody = custody;

  const violations = [
    ...checkState(after, { custody, crossings: auditor.crossings, time }),
    ...checkStep({
      before: before.state,
      after,
      custody: { before: before.custody, after: custody },
      events,
      receipts,
      time,
    }),
    ...compareStates(auditor.rebuild.state, after).map(({ path, rebuilt, read }): Violation => ({
      id: "events",
      what: `events do not tell ${path}`,
      numbers: { rebuilt, read },
    })),
  ];
  return { violations, events, receipts };
}
