/** Compiles what a deployment needs: everything but the contracts that only tests use. Quick when nothing changed. */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");
const CONTRACTS = join(ROOT, "contracts");
const FOR_TESTS = join(CONTRACTS, "test");
/** The settlement token of a deployment that names none. */
const TOKEN = join(FOR_TESTS, "TestToken.sol");
const COMPILED = join(ROOT, "artifacts/contracts/Exchange.sol/Exchange.json");

/** @returns whether it worked; what went wrong is on stderr. */
export function buildContracts(): boolean {
  if (!existsSync(COMPILED)) {
    console.error("Compiling the contracts. This is done once and takes a few minutes.");
  }
  const hardhat = createRequire(import.meta.url).resolve("hardhat/package.json");
  const cli = join(hardhat, "../dist/src/cli.js");
  // Types are committed; writing them from a part of the contracts would leave out the rest.
  const options = ["--no-typechain", "build", "--quiet", "--no-tests", ...sources()];
  const { status } = spawnSync(process.execPath, [cli, ...options], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return status === 0;
}

/** Paths as the compiler wants them, seen from the project. */
function sources(): string[] {
  const files = readdirSync(CONTRACTS, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".sol"))
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => !file.startsWith(FOR_TESTS) || file === TOKEN);
  return files.map((file) => relative(ROOT, file)).sort();
}
