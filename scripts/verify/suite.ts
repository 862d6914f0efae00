import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/* Which test files measure coverage. */

/** Left out, and why. What they run is not counted. */
export const EXCLUDED: Readonly<Record<string, string>> = {
  "test/keeper/live.test.ts": "its chain is a process of its own, which is not heard",
  "test/planted/planted.test.ts": "looks for places in the sources, which are others here",
  "test/package/pack.test.ts": "builds the package from the sources",
};

const IS_TEST = /^\s*describe\(/m;

/** All files with tests but those, in the order of their names. */
export function testFiles(root: string): string[] {
  return readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .map((file) => `test/${file}`)
    .filter((file) => file.endsWith(".ts") && !(file in EXCLUDED))
    .filter((file) => IS_TEST.test(readFileSync(join(root, file), "utf8")))
    .sort();
}
