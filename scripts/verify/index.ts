/**
 * `npm run verify -- [--minutes n]`: everything that takes longer than `npm test` may, in turn, and then the page that says what is known.
 * Each check goes on where its last run stopped, so that several short nights are as good as a long one.
 */

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";

const ROOT = resolve(import.meta.dirname, "../..");

type Part = {
  readonly script: string;
  readonly args: readonly string[];
};

/** Coverage, lemmas, bad input and planted mistakes end by themselves; the others share the time. */
function partsOf(minutes: number): Part[] {
  const share = String(Math.max(1, Math.floor(minutes / 3)));
  return [
    { script: "verify:coverage", args: [] },
    { script: "lemmas", args: [] },
    { script: "verify:input", args: [] },
    { script: "verify:model", args: [share] },
    { script: "verify:invariants", args: [share] },
    { script: "planted", args: [] },
    { script: "mutation", args: ["--minutes", share] },
    { script: "verify:page", args: [] },
  ];
}

function run({ script, args }: Part): boolean {
  console.log(`\n${script}`);
  const call = ["run", "--silent", script, "--", ...args];
  return spawnSync("npm", call, { cwd: ROOT, stdio: "inherit" }).status === 0;
}

function toMinutes(text: string): number {
  const minutes = Number(text);
  if (!Number.isInteger(minutes) || minutes < 3) {
    throw new InvalidArgumentError("a whole number from 3 on");
  }
  return minutes;
}

await new Command("verify")
  .description("Runs the deep checks and writes docs/verification.md.")
  .option("--minutes <n>", "for those that could go on for ever, all together", toMinutes, 60)
  .action(({ minutes }: { minutes: number }) => {
    // One that fails does not keep the others from running.
    const failed = partsOf(minutes).filter((part) => !run(part));
    for (const { script } of failed) console.error(`${script} failed`);
    if (failed.length > 0) process.exitCode = 1;
  })
  .parseAsync();
