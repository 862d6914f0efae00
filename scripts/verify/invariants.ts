/**
 * `npm run verify:invariants -- [minutes]`: the runs of contracts/test/invariants, each with a seed that these contracts have not seen,
 * until the time is over; those that failed come first. Every run is one line in docs/verification/runs.jsonl; what all runs on the same contracts add up to is
 * printed at the end. Stopping loses the run at work and no other.
 */

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { build, failuresIn, hardhat, ROOT } from "./hardhat.js";
import { hashOfContracts, lastWords, record, runsOf, sumOf } from "./record.js";
import type { Run } from "./record.js";

const CHECK = "invariants";
const TEST = "contracts/test/invariants/Run.t.sol";
/** Written by the test; see hardhat.config.ts. */
const COUNTS = join(ROOT, "cache/invariants.json");
const EPISODES_PER_RUN = 10;
const DEFAULT_MINUTES = 10;
const MS_PER_SECOND = 1_000;
const SECONDS_PER_MINUTE = 60;

const Counts = z.record(z.string(), z.number());
/** What checks.ts calls the states that have a target. */
const NAMES: Readonly<Record<string, string>> = {
  adl: "reached ADL",
  fundEmpty: "reached an empty fund",
  wholeMarket: "reached all of a market",
};

/** Every episode has a seed of its own: a run begins after those of the last one. */
function nextSeed(runs: readonly Run[]): number {
  return (
    runs.reduce((last, { seed }) => Math.max(last, Number(seed)), 1 - EPISODES_PER_RUN) +
    EPISODES_PER_RUN
  );
}

function runOnce(seed: number, contracts: string): Run {
  rmSync(COUNTS, { force: true });
  const begun = Date.now();
  const ended = hardhat(["test", "solidity", TEST, "--no-compile"], {
    INVARIANTS_SEED: String(seed),
    INVARIANTS_EPISODES: String(EPISODES_PER_RUN),
    INVARIANTS_REPORT: "1",
  });
  return {
    check: CHECK,
    contracts,
    at: new Date(begun).toISOString(),
    seconds: (Date.now() - begun) / MS_PER_SECOND,
    seed: String(seed),
    counts: countsOf(),
    failures: failuresIn(ended),
  };
}

/** Empty if the run failed before its end. */
function countsOf(): Record<string, number> {
  if (!existsSync(COUNTS)) return {};
  const counts = Counts.parse(JSON.parse(readFileSync(COUNTS, "utf8")));
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [NAMES[name] ?? name, count]),
  );
}

function main(): void {
  const minutes = Number(process.argv[2] ?? DEFAULT_MINUTES);
  const until = Date.now() + minutes * SECONDS_PER_MINUTE * MS_PER_SECOND;
  build();
  const contracts = hashOfContracts();
  // Seeds that failed come first: the test may have been wrong, and the last word on a seed counts.
  const again = lastWords(runsOf(CHECK, contracts))
    .filter(({ failures }) => failures.length > 0)
    .map(({ seed }) => Number(seed));
  while (Date.now() < until) {
    const run = runOnce(again.shift() ?? nextSeed(runsOf(CHECK, contracts)), contracts);
    record(run);
    console.log(`seed ${run.seed}: ${run.seconds.toFixed(0)} s, ${run.failures.length} failures`);
    for (const failure of run.failures) console.log(`  ${failure}`);
  }
  summarize(lastWords(runsOf(CHECK, contracts)));
}

function summarize(runs: readonly Run[]): void {
  const failed = runs.filter(({ failures }) => failures.length > 0);
  console.log(`${runs.length} runs on these contracts, ${failed.length} with failures`);
  console.table(sumOf(runs));
  if (failed.length > 0) process.exitCode = 1;
}

main();
