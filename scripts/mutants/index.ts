import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { MUTANTS } from "./list.js";
import type { Mutant } from "./list.js";
import { RISK_MUTANTS } from "./risk.js";
import { VAULT_MUTANTS } from "./vault.js";

/*
 * `npm run mutants`: makes each deliberate mistake of the list in a copy of the project, builds it, and runs the test that is
 * to find it. A mutant that the test does not notice survives, and the command fails.
 */

const ROOT = resolve(import.meta.dirname, "../..");
const WORK = join(ROOT, "out/mutants/work");
const RESULTS = join(ROOT, "out/mutants/results.json");
const COPIED = [
  "artifacts",
  "cache",
  "contracts",
  "scripts",
  "test",
  "typechain-types",
  "hardhat.config.ts",
  "package.json",
  "tsconfig.json",
];
const HARDHAT = join(ROOT, "node_modules/hardhat/dist/src/cli.js");
/** A mutant that does not end is one that the test noticed. */
const TIMEOUT = 900_000;

type Verdict = "killed" | "survived" | "does not build" | "not found";
type Result = { readonly id: string; readonly verdict: Verdict; readonly by: string };

function prepare(): void {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  for (const name of COPIED) cpSync(join(ROOT, name), join(WORK, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(WORK, "node_modules"));
}

function judge(mutant: Mutant): Result {
  const path = join(WORK, "contracts", mutant.file);
  const original = readFileSync(join(ROOT, "contracts", mutant.file), "utf8");
  if (original.split(mutant.from).length !== 2) return { ...named(mutant), verdict: "not found" };
  // A function, so that no character of the replacement is special.
  writeFileSync(
    path,
    original.replace(mutant.from, () => mutant.to),
  );
  try {
    if (run(["build"]).status !== 0) return { ...named(mutant), verdict: "does not build" };
    const test = run(["test", "mocha", mutant.test, "--no-compile", "--bail"]);
    if (test.status === 0) return { ...named(mutant), verdict: "survived" };
    return { id: mutant.id, verdict: "killed", by: failureIn(test.stdout) };
  } finally {
    writeFileSync(path, original);
  }
}

function named({ id }: Mutant): { id: string; by: string } {
  return { id, by: "" };
}

function run(args: readonly string[]): { status: number | null; stdout: string } {
  const { status, stdout } = spawnSync(process.execPath, [HARDHAT, ...args], {
    cwd: WORK,
    encoding: "utf8",
    timeout: TIMEOUT,
    maxBuffer: 2 ** 28,
  });
  return { status, stdout };
}

/** The name of the first test that failed, from Mocha's report. */
function failureIn(output: string): string {
  const [, name = "the run itself"] = /^\s+1\) (.+)$/m.exec(output) ?? [];
  return name.trim();
}

function main({ only }: { only?: string[] }): void {
  const all = [...MUTANTS, ...RISK_MUTANTS, ...VAULT_MUTANTS];
  const chosen = all.filter(({ id }) => only === undefined || only.includes(id));
  prepare();
  const results: Result[] = [];
  for (const mutant of chosen) {
    const result = judge(mutant);
    results.push(result);
    console.log(`${result.verdict.padEnd(15)}${mutant.id.padEnd(28)}${mutant.test}  ${result.by}`);
    writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);
  }
  const killed = results.filter(({ verdict }) => verdict === "killed").length;
  console.log(`${killed} of ${results.length} killed`);
  if (killed < results.length) process.exitCode = 1;
}

new Command("mutants")
  .description(
    "Makes deliberate mistakes in the contracts and expects a named test to fail for each.",
  )
  .option("--only <id...>", "only these")
  .action(main)
  .parse();
