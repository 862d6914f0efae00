import { cpSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./compiler.js";

/* A copy of the project in which contracts can be changed: all that a build and the tests read, and the same packages. */

const COPIED = [
  "contracts",
  "docs",
  "scripts",
  "test",
  "typechain-types",
  "hardhat.config.ts",
  "package.json",
  "tsconfig.json",
];

/**
 * Makes a new copy, in place of one that an earlier run left.
 * @param more Paths that are copied too.
 */
export function copyProject(work: string, more: readonly string[] = []): void {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const path of [...COPIED, ...more]) {
    cpSync(join(ROOT, path), join(work, path), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(work, "node_modules"));
}
