import { checkBits } from "./audit/bits.js";
import { checkBook } from "./audit/book.js";
import { checkFills } from "./audit/fills.js";
import { checkFlows, marginsOf } from "./audit/flows.js";
import { checkLots, checkMoney } from "./audit/money.js";
import type { Custody } from "./audit/money.js";
import { checkPools } from "./audit/pools.js";
import type { Crossings } from "./audit/pools.js";
import type { Step } from "./audit/step.js";
import { checkUnsettled } from "./audit/unsettled.js";
import { createFindings } from "./audit/violation.js";
import type { Violation } from "./audit/violation.js";
import { checkWaterfall } from "./audit/waterfall.js";
import type { State } from "./state.js";

/*
 * The invariants of docs/invariants.md that state and log can prove, as pure functions. Every violation has its name and
 * the numbers that do not agree.
 */

export type Facts = {
  readonly custody: Custody;
  /** See audit/pools.ts; entries of cohorts that are empty are dropped. */
  readonly crossings: Crossings;
  /** Unix. */
  readonly time: bigint;
};

/** What must hold of a state alone: INV-1, INV-2, INV-3 as the pool sees it, INV-4, INV-5, custody, bitmaps. */
export function checkState(state: State, { custody, crossings, time }: Facts): Violation[] {
  const findings = createFindings();
  checkMoney(findings, state, custody);
  checkLots(findings, state);
  checkPools(findings, state, crossings);
  checkUnsettled(findings, state, time);
  checkBook(findings, state, time);
  checkBits(findings, state);
  return findings.list;
}

/** What must hold of what happened: INV-3, INV-6, INV-7, INV-8, INV-10, INV-12, INV-13, INV-14, INV-15. */
export function checkStep(step: Step): Violation[] {
  const findings = createFindings();
  const margins = marginsOf(step);
  checkFlows(findings, step, margins);
  checkFills(findings, step, margins);
  checkWaterfall(findings, step);
  return findings.list;
}
