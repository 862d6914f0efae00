import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { measureCohorts } from "./cohorts.js";
import type { CohortRow } from "./cohorts.js";
import type { Row } from "./measure.js";
import { measureEvents } from "./events.js";
import { measureOperations } from "./operations.js";
import { cohortTable, operationTable, replaceBetween, slotTable } from "./tables.js";

/*
 * `npm run bench` measures gas and writes docs/benchmarks.md and the snapshot; `npm run gas` measures what is quick and fails
 * if it differs from the snapshot.
 */

export const SNAPSHOT = resolve(import.meta.dirname, "snapshot.json");
const PAGE = resolve(import.meta.dirname, "../../docs/benchmarks.md");
const SIZES = [1, 100, 10_000];
/** Small enough for every day. */
const QUICK_SIZES = [1, 100];

export type Snapshot = Readonly<Record<string, number>>;

/** What the snapshot holds: quick, and the same on every machine. @param withParts And what the gas was spent on. */
export async function measureQuick(
  withParts: boolean,
): Promise<{ rows: Row[]; cohorts: CohortRow[] }> {
  const rows = [...(await measureOperations(withParts)), ...(await measureEvents(withParts))];
  return { rows, cohorts: await measureCohorts(QUICK_SIZES) };
}

export function snapshotOf(rows: readonly Row[], cohorts: readonly CohortRow[]): Snapshot {
  const entries = rows.map(({ name, gas }): [string, number] => [name, Number(gas)]);
  for (const { members, haircut, first, repeated, settle } of cohorts) {
    if (!QUICK_SIZES.includes(members)) continue;
    const name = `cohort of ${members}, ${haircut ? "with" : "without"} haircut`;
    entries.push([`${name}: first cut`, Number(first)]);
    entries.push([`${name}: repeated cut`, Number(repeated)]);
    entries.push([`${name}: settle a member`, Number(settle)]);
  }
  return Object.fromEntries(entries);
}

async function main({ quick }: { quick: boolean }): Promise<void> {
  const measured = await measureQuick(true);
  const cohorts = quick ? measured.cohorts : await measureCohorts(SIZES);
  const snapshot = snapshotOf(measured.rows, measured.cohorts);
  writeFileSync(SNAPSHOT, `${JSON.stringify(snapshot, undefined, 2)}\n`);
  mkdirSync(dirname(PAGE), { recursive: true });
  let page = readFileSync(PAGE, "utf8");
  page = replaceBetween(page, "operations", operationTable(measured.rows));
  page = replaceBetween(page, "slots", slotTable(measured.rows));
  if (!quick) page = replaceBetween(page, "cohorts", cohortTable(cohorts));
  writeFileSync(PAGE, page);
  console.log(`${operationTable(measured.rows)}\n\n${cohortTable(cohorts)}`);
}

if (process.argv[1] === import.meta.filename) {
  await new Command("bench")
    .description("Measures gas and writes docs/benchmarks.md and the snapshot.")
    .option("--quick", "leave the cohort of 10,000 members out, and its table as it is", false)
    .action(main)
    .parseAsync();
}
