import type { CohortRow } from "./cohorts.js";
import type { Row } from "./measure.js";

/* The tables of docs/benchmarks.md. */

/** Gas that each operation should stay below, and what keeps those that do not from it. */
const TARGETS: Readonly<Record<string, number>> = {
  "deposit, known account": 60_000,
  "place, level exists, fresh slot": 100_000,
  "place, level exists, recycled slot": 82_000,
  "place, new level": 130_000,
  "match one, both add": 125_000,
  "each further maker": 40_000,
  "cancel, with neighbours": 50_000,
  "cancel, alone at its level": 50_000,
  "liquidate one, into the book": 170_000,
  "liquidate, each further in a batch": 65_000,
  "ADL, one counterparty": 150_000,
  "ADL, each further cohort, first cut since a touch": 80_000,
  "ADL, each further cohort, repeated cut": 25_000,
  "haircut, each price class in profit": 12_000,
};

export function operationTable(rows: readonly Row[]): string {
  const lines = rows.map(({ name, gas }) => {
    const target = TARGETS[name];
    const ratio = target === undefined ? "" : `${(Number(gas) / target).toFixed(2)}`;
    return `| ${name} | ${group(gas)} | ${target === undefined ? "" : group(BigInt(target))} | ${ratio} |`;
  });
  return ["| operation | gas | target | gas / target |", "|---|---:|---:|---:|", ...lines].join(
    "\n",
  );
}

export function cohortTable(rows: readonly CohortRow[]): string {
  const lines = rows.map(
    ({ members, haircut, first, repeated, settle }) =>
      `| ${group(BigInt(members))} | ${haircut ? "yes" : "no"} | ${group(first)} | ${group(repeated)} | ${group(settle)} |`,
  );
  return [
    "| members | haircut | event, first cut since a touch | event, repeated cut | a member's settlement later |",
    "|---:|---|---:|---:|---:|",
    ...lines,
  ].join("\n");
}

/** Puts a table between its two markers. */
export function replaceBetween(page: string, name: string, table: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [before = "", rest] = page.split(open);
  const [, after] = rest?.split(close) ?? [];
  if (after === undefined) throw new Error(`the page has no markers for ${name}`);
  return `${before}${open}\n\n${table}\n\n${close}${after}`;
}

function group(value: bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}
