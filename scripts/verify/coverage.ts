/**
 * `npm run verify:coverage -- [files]`: which lines, statements and branches of the deployed contracts the tests use. In a copy of the
 * project every statement and every condition tells when it runs (instrument.ts); Hardhat hears what they tell, as when it measures
 * coverage itself. What all tests come to is a line in docs/verification/runs.jsonl; what some files come to is only printed.
 */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { ROOT } from "../mutants/compiler.js";
import { coverageOf, sumOfCounts } from "./figures.js";
import type { Coverage } from "./figures.js";
import { createMeasured } from "./measured.js";
import { hashOfContracts, record } from "./record.js";
import type { Run } from "./record.js";
import { testFiles } from "./suite.js";

const CHECK = "coverage";
/** Nothing is drawn: a later run on the same contracts takes the place of an earlier one. */
const SEED = "all tests";
const WORK = join(ROOT, "out/coverage");
/** So many share a process; what they told is safe after it. */
const FILES_PER_RUN = 4;
const MS_PER_SECOND = 1_000;
const MS_PER_MINUTE = 60_000;

type Options = { readonly minutes?: number };
type Measurement = {
  readonly coverage: Coverage;
  readonly passed: number;
  readonly failures: readonly string[];
  /** Files for which there was no time. */
  readonly waiting: readonly string[];
};

async function measure(files: readonly string[], until: number): Promise<Measurement> {
  const measured = await createMeasured(WORK);
  const outcomes = [await measured.runSolidity()];
  let at = 0;
  for (; at < files.length && Date.now() < until; at += FILES_PER_RUN) {
    const group = files.slice(at, at + FILES_PER_RUN);
    const outcome = await measured.run(group);
    outcomes.push(outcome);
    console.log(
      `${at + group.length} of ${files.length} files, ${outcome.failures.length} failures`,
    );
  }
  const told = new Set(outcomes.flatMap((outcome) => outcome.told));
  return {
    coverage: coverageOf(measured.places, told),
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    failures: outcomes.flatMap(({ failures }) => failures),
    waiting: files.slice(at),
  };
}

function runOf({ coverage, passed, failures, waiting }: Measurement, begun: number): Run {
  const counts = sumOfCounts(Object.values(coverage.files));
  return {
    check: CHECK,
    contracts: hashOfContracts(),
    at: new Date(begun).toISOString(),
    seconds: Math.round((Date.now() - begun) / MS_PER_SECOND),
    seed: SEED,
    counts: {
      lines: counts.lines,
      "lines covered": counts.linesCovered,
      statements: counts.statements,
      "statements covered": counts.statementsCovered,
      branches: counts.branches,
      "branches covered": counts.branchesCovered,
      "tests passed": passed,
      "tests failed": failures.length,
    },
    // A test that fails in this build alone says nothing of the contracts.
    failures: [],
    notes: [...failures, ...waiting.map((file) => `${file}: not run`)],
    coverage,
  };
}

async function main(chosen: readonly string[], { minutes }: Options): Promise<void> {
  const begun = Date.now();
  const until = minutes === undefined ? Infinity : begun + minutes * MS_PER_MINUTE;
  const run = runOf(await measure(chosen.length === 0 ? testFiles(ROOT) : chosen, until), begun);
  console.table(run.coverage?.files);
  console.table(run.counts);
  for (const line of [...(run.coverage?.branchesLeft ?? []), ...(run.notes ?? [])]) {
    console.log(line);
  }
  if (chosen.length === 0) record(run);
  rmSync(WORK, { recursive: true, force: true });
}

await new Command("coverage")
  .description("Measures which lines, statements and branches of the contracts the tests use.")
  .argument("[files...]", "only these tests, and record nothing")
  .addOption(new Option("--minutes <minutes>", "begin no test after").argParser(Number))
  .action(main)
  .parseAsync();
