/**
 * `npm run verify:coverage -- [--minutes n]`: which lines, statements and branches of the deployed contracts the tests use. In a copy of the
 * project every statement and every condition tells when it runs (instrument.ts); Hardhat hears what they tell, as when it measures
 * coverage itself. What was told so far is a line in docs/verification/runs.jsonl. The next run goes on with the files that were not
 * run, unless the project has changed since.
 */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { ROOT } from "../mutants/compiler.js";
import { coverageOf, sumOfCounts } from "./figures.js";
import type { Coverage } from "./figures.js";
import { SOLIDITY, createMeasured } from "./measured.js";
import { hashOfContracts, record } from "./record.js";
import type { Run } from "./record.js";
import { testFiles } from "./suite.js";

const CHECK = "coverage";
/** Nothing is drawn: a later run on the same contracts takes the place of an earlier one. */
const SEED = "all tests";
const WORK = join(ROOT, "out/coverage");
/** So many share a process; what they told is safe after it. */
const FILES_PER_RUN = 4;
const MS_PER_MINUTE = 60_000;

type Options = { readonly minutes?: number };
type Measurement = {
  readonly coverage: Coverage;
  readonly passed: number;
  readonly seconds: number;
  readonly failures: readonly string[];
  /** Files for which there was no time. */
  readonly waiting: readonly string[];
};

async function measure(files: readonly string[], until: number): Promise<Measurement> {
  const measured = await createMeasured(WORK);
  const wanted = [SOLIDITY, ...files];
  const isDone = (file: string) =>
    measured.outcomes().some((outcome) => outcome.files.includes(file));
  for (const group of groupsOf(wanted.filter((file) => !isDone(file)))) {
    if (Date.now() >= until) break;
    const { failures } = await measured.run(group);
    console.log(`${wanted.filter(isDone).length} of ${wanted.length}, with ${group.join(", ")}`);
    for (const failure of failures) console.log(`  ${failure}`);
  }
  const outcomes = measured.outcomes();
  const told = new Set(outcomes.flatMap((outcome) => outcome.told));
  return {
    coverage: coverageOf(measured.places, told),
    passed: outcomes.reduce((sum, { passed }) => sum + passed, 0),
    seconds: outcomes.reduce((sum, { seconds }) => sum + seconds, 0),
    failures: outcomes.flatMap(({ failures }) => failures),
    waiting: wanted.filter((file) => !isDone(file)),
  };
}

function groupsOf(files: readonly string[]): string[][] {
  const alone = files.filter((file) => file === SOLIDITY);
  const others = files.filter((file) => file !== SOLIDITY);
  const groups = alone.map((file) => [file]);
  for (let at = 0; at < others.length; at += FILES_PER_RUN) {
    groups.push(others.slice(at, at + FILES_PER_RUN));
  }
  return groups;
}

function runOf(measurement: Measurement, begun: number): Run {
  const { coverage, passed, failures, waiting } = measurement;
  const counts = sumOfCounts(Object.values(coverage.files));
  return {
    check: CHECK,
    contracts: hashOfContracts(),
    at: new Date(begun).toISOString(),
    seconds: Math.round(measurement.seconds),
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

async function main({ minutes }: Options): Promise<void> {
  const begun = Date.now();
  const until = minutes === undefined ? Infinity : begun + minutes * MS_PER_MINUTE;
  const measurement = await measure(testFiles(ROOT), until);
  const run = runOf(measurement, begun);
  console.table(run.coverage?.files);
  console.table(run.counts);
  record(run);
  if (measurement.waiting.length === 0) rmSync(WORK, { recursive: true, force: true });
  else console.log(`${measurement.waiting.length} files wait for the next run`);
}

await new Command("coverage")
  .description("Measures which lines, statements and branches of the contracts the tests use.")
  .addOption(new Option("--minutes <minutes>", "begin no test after").argParser(Number))
  .action(main)
  .parseAsync();
