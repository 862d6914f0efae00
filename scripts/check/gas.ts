/** Fails when the gas of an operation is more than 1 % away from the committed snapshot. `npm run bench` makes a new one. */

import { readFileSync } from "node:fs";
import { SNAPSHOT, measureQuick, snapshotOf } from "../bench/index.js";
import type { Snapshot } from "../bench/index.js";

// The file is written by the benchmark and by nothing else.
const wanted = JSON.parse(readFileSync(SNAPSHOT, "utf8")) as Snapshot;
const { rows, cohorts } = await measureQuick(false);
const measured = snapshotOf(rows, cohorts);

const names = new Set([...Object.keys(wanted), ...Object.keys(measured)]);
/** Signatures and times differ from run to run, and with them the zero bytes of the calls' data. */
const TOLERANCE = 0.01;
const differences = [...names].filter((name) => {
  const [before = 0, now = 0] = [wanted[name], measured[name]];
  return Math.abs(now - before) > before * TOLERANCE;
});
for (const name of differences) {
  console.error(`${name}: ${measured[name] ?? "gone"}, was ${wanted[name] ?? "not there"}`);
}
if (differences.length === 0) console.log(`${names.size} figures are within 1 % of the snapshot.`);
else process.exitCode = 1;
