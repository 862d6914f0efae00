import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { Coverage } from "./figures.js";

/*
 * What was verified, for good: one line for each run of a check, in a file that is only ever added to. Runs with the same contracts add
 * up, so that stopping loses one run at most and several nights make one figure. Runs with other contracts stay in the file and say
 * nothing of these.
 */

const ROOT = resolve(import.meta.dirname, "../..");
const ARTIFACTS = join(ROOT, "artifacts/contracts");
/** Contracts of tests, which are no part of what is verified. */
const TESTS = /^test\//;

export const RUNS = join(ROOT, "docs/verification/runs.jsonl");

const schema = z.object({
  /** Which check: "model", "invariants", "mutation", … */
  check: z.string(),
  /** From {@link hashOfContracts}. */
  contracts: z.string(),
  at: z.iso.datetime(),
  seconds: z.number(),
  /** What repeats the run. */
  seed: z.string(),
  /** What was done and reached: "calls", "adl", "fund empty", … They add up over runs. */
  counts: z.record(z.string(), z.number()),
  /** What did not hold, each in one line. */
  failures: z.array(z.string()),
  /** Which test noticed, where a run is about one mistake. */
  found: z.string().optional(),
  /** What else is to be known of the run, each in one line. */
  notes: z.array(z.string()).optional(),
  /** How much of each contract was used, where a run measures that. */
  coverage: Coverage.optional(),
});

export type Run = z.infer<typeof schema>;

/** Of the bytecode of every contract that is deployed, and of nothing else. */
export function hashOfContracts(): string {
  const hash = createHash("sha256");
  const files = readdirSync(ARTIFACTS, { recursive: true, encoding: "utf8" });
  for (const file of files.filter((name) => name.endsWith(".json") && !TESTS.test(name)).sort()) {
    // Written by the compiler.
    const artifact = JSON.parse(readFileSync(join(ARTIFACTS, file), "utf8")) as {
      bytecode?: string;
    };
    hash.update(file).update(artifact.bytecode ?? "");
  }
  return hash.digest("hex").slice(0, 16);
}

export function record(run: Run): void {
  mkdirSync(dirname(RUNS), { recursive: true });
  appendFileSync(RUNS, `${JSON.stringify(schema.parse(run))}\n`);
}

/** All runs of a check on these contracts, oldest first. */
export function runsOf(check: string, contracts: string): Run[] {
  return allRuns().filter((run) => run.check === check && run.contracts === contracts);
}

export function allRuns(): Run[] {
  if (!existsSync(RUNS)) return [];
  const lines = readFileSync(RUNS, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => schema.parse(JSON.parse(line)));
}

/** Of each seed the last run: it may have been judged again, and its last word counts. */
export function lastWords(runs: readonly Run[]): Run[] {
  return [...new Map(runs.map((run) => [run.seed, run])).values()];
}

/** Counts of several runs, added name by name. */
export function sumOf(runs: readonly Pick<Run, "counts">[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { counts } of runs) {
    for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
  }
  return sum;
}
