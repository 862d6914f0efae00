/** Fails when the generated types in git are not what the contracts generate now. */

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const folder = "typechain-types";

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { cwd: root, encoding: "utf8" }).trim();
}

// The build adds files but never removes those of contracts that are gone.
rmSync(join(root, folder), { recursive: true, force: true });
run(process.execPath, [join(root, "node_modules/hardhat/dist/src/cli.js"), "build"]);

const changed = run("git", ["diff", "--name-status", "--", folder]);
const added = run("git", ["ls-files", "--others", "--exclude-standard", "--", folder]);
const differences = [changed, added].filter((list) => list !== "").join("\n");
if (differences === "") {
  console.log(`${folder} is up to date.`);
} else {
  console.error(
    `${folder} was out of date. It is rebuilt now; commit these files:\n${differences}`,
  );
  process.exitCode = 1;
}
