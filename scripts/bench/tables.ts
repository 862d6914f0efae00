import type { CohortRow } from "./cohorts.js";
import type { Row } from "./measure.js";
import type { Use } from "./slots.js";

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

/** Of every operation above its target: what the exchange keeps in the slots it wrote and read, and what else took gas. */
export function slotTable(rows: readonly Row[]): string {
  const lines = rows
    .filter(({ name, gas }) => Number(gas) > (TARGETS[name] ?? Number.POSITIVE_INFINITY))
    .map(({ name, gas, parts }) => {
      if (parts === undefined) throw new Error(`nobody looked where the gas of ${name} went`);
      const { intrinsic, storage, elsewhere, calls, logs, rest, refund } = parts;
      const own = [...storage.values()].reduce((total, use) => total + use.gas, 0);
      const figures = [own, elsewhere, calls, logs, intrinsic, rest, -refund];
      const cells = figures.map((figure) => group(BigInt(Math.round(figure))));
      return `| ${name} | ${group(gas)} | ${cells.join(" | ")} | ${namesIn(storage, "writes")} | ${namesIn(storage, "reads")} |`;
    });
  return [
    "| operation | gas | own storage | storage elsewhere | first calls | logs | intrinsic | computation | refund | slots written | slots only read |",
    "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|---|",
    ...lines,
  ].join("\n");
}

/** Most expensive first; a number in front where there is more than one, in tenths where it is an average. */
function namesIn(storage: ReadonlyMap<string, Use>, kind: "reads" | "writes"): string {
  return [...storage]
    .map(([name, use]) => ({ name, gas: use.gas, count: Math.round(10 * use[kind]) / 10 }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.gas - a.gas)
    .map(({ name, count }) => (count === 1 ? name : `${count} ${name}`))
    .join(", ");
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
