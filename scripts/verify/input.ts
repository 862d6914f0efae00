/**
 * `npm run verify:input`: every function, called by everybody, with every argument at its boundaries (test/input), for the number of cases in
 * docs/verification.md. The same calls are part of `npm test`.
 */

import { existsSync, readFileSync, rmSync } from "node:fs";
import { z } from "zod";
import { CASES } from "../lib/cases.js";
import { build, failuresIn, hardhat } from "./hardhat.js";
import { hashOfContracts, record } from "./record.js";

const TEST = "test/input/matrix.test.ts";
const MS_PER_SECOND = 1_000;

const Counts = z.record(z.string(), z.number());

function countsOf(): Record<string, number> {
  if (!existsSync(CASES)) return {};
  const rows = Object.values(Counts.parse(JSON.parse(readFileSync(CASES, "utf8"))));
  return { functions: rows.length, cases: rows.reduce((sum, count) => sum + count, 0) };
}

build();
rmSync(CASES, { force: true });
const begun = Date.now();
const failures = failuresIn(hardhat(["test", "mocha", TEST, "--no-compile"]));
const counts = countsOf();
record({
  check: "input",
  contracts: hashOfContracts(),
  at: new Date(begun).toISOString(),
  seconds: (Date.now() - begun) / MS_PER_SECOND,
  seed: "all",
  counts,
  failures,
});
console.log(`${counts.cases ?? 0} cases of ${counts.functions ?? 0} functions`);
for (const failure of failures) console.error(`  ${failure}`);
if (failures.length > 0) process.exitCode = 1;
