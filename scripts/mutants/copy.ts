import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { ROOT } from "./compiler.js";

/* A copy of the project in which contracts can be changed: all that a build and the tests read, and the same packages. */

const SOURCES = [
  "contracts",
  "scripts",
  "test",
  "typechain-types",
  "hardhat.config.ts",
  "package.json",
  "tsconfig.json",
];
const COPIED = [...SOURCES, "docs"];

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

/** Of all that a copy is made of, without what is only written about it. */
export function hashOfProject(): string {
  const hash = createHash("sha256");
  for (const file of SOURCES.flatMap(filesIn))
    hash.update(file).update(readFileSync(join(ROOT, file)));
  return hash.digest("hex");
}

function filesIn(path: string): string[] {
  if (!statSync(join(ROOT, path)).isDirectory()) return [path];
  return readdirSync(join(ROOT, path))
    .sort()
    .flatMap((name) => filesIn(`${path}/${name}`));
}
