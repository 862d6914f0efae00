import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";

/* Tests, run for what they count. */

export const ROOT = resolve(import.meta.dirname, "../..");
const HARDHAT = join(ROOT, "node_modules/.bin/hardhat");

export type Ended = { readonly isDone: boolean; readonly output: string };

export function hardhat(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Ended {
  const { status, stdout, stderr } = spawnSync(HARDHAT, args, {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { isDone: status === 0, output: stdout + stderr };
}

/** Builds, or says what the compiler says. */
export function build(): void {
  const { isDone, output } = hardhat(["build", "--quiet"]);
  if (!isDone) throw new Error(output);
}

/** Why a run failed, a line for each error that it named. */
export function failuresIn({ isDone, output }: Ended): string[] {
  if (isDone) return [];
  const errors = stripVTControlCharacters(output)
    .split("\n")
    .filter((line) => line.includes("Error:"));
  return errors.length === 0 ? ["the run did not end"] : errors.map((line) => line.trim());
}
