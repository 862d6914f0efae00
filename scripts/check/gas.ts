/** Fails when the gas of an operation differs from the committed snapshot. `npm run bench` makes a new one. */

import { readFileSync } from "node:fs";
import { SNAPSHOT, measureQuick, snapshotOf } from "../bench/index.js";
import type { Snapshot } from "../bench/index.js";

// The file is written by the benchmark and by nothing else.
const wanted = JSON.parse(readFileSync(SNAPSHOT, "utf8")) as Snapshot;
const { rows, cohorts } = await measureQuick();
const measured = snapshotOf(rows, cohorts);

const names = new Set([...Object.keys(wanted), ...Object.keys(measured)]);
const differences = [...names].filter((name) => wanted[name] !== measured[name]);
for (const name of differences) {
  console.error(`${name}: ${measured[name] ?? "gone"}, was ${wanted[name] ?? "not there"}`);
}
if (differences.length === 0) console.log(`${names.size} figures are as in the snapshot.`);
else process.exitCode = 1;
