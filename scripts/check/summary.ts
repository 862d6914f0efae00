/** Reads the output of `npm test` from a file and prints `N passed, N failed`. */

import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

/** Mocha's own summary; skipped tests count as neither. */
const MOCHA = { passed: /^ {2}(\d+) passing\b/m, failed: /^ {2}(\d+) failing\b/m };
/** Hardhat's closing line, such as `7 passing (1 solidity, 6 mocha)`. */
const SOLIDITY = {
  passed: /^\d+ passing \(.*?(\d+) solidity/m,
  failed: /^\d+ failing \(.*?(\d+) solidity/m,
};

function countOf(output: string, pattern: RegExp): number {
  return Number(pattern.exec(output)?.[1] ?? 0);
}

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("usage: summary.ts <file>");
const output = stripVTControlCharacters(readFileSync(path, "utf8"));

const passed = countOf(output, MOCHA.passed) + countOf(output, SOLIDITY.passed);
const failed = countOf(output, MOCHA.failed) + countOf(output, SOLIDITY.failed);
console.log(`${passed} passed, ${failed} failed`);
// Without Mocha's summary it never ran to its end, whatever the numbers say.
if (failed > 0 || !MOCHA.passed.test(output)) process.exitCode = 1;
