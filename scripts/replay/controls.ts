/** `npm run controls`: plays the scenarios with and without each control and writes the difference into docs/risk.md. */

import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { percent, percentOf, shortMoney } from "./figures.js";
import { measure } from "./metrics.js";
import type { Metrics } from "./metrics.js";
import { createPlan, knownScenarios } from "./plan.js";
import type { ReplayPlan } from "./plan.js";
import { parametersOf } from "./market.js";
import { createProgress } from "./progress.js";
import { runReplay } from "./run.js";

/** Each control at its loosest bound. */
const LOOSEST: readonly (readonly [name: string, parameters: Record<string, number>])[] = [
  ["all as by default", {}],
  ["without the cap of top leverages", { move: 1000, topShare: 100 }],
  ["without the drawdown trigger", { drawdownLimit: 1_000_000 }],
  ["without storms", { volatilityFactor: 0 }],
  ["without concentration and crowds", { concentration: 0, accountShare: 100, crowdingFrom: 100 }],
  [
    "without any",
    {
      move: 1000,
      topShare: 100,
      drawdownLimit: 1_000_000,
      volatilityFactor: 0,
      concentration: 0,
      accountShare: 100,
      crowdingFrom: 100,
    },
  ],
];
const CANDLES = "candles";
const ACCOUNTS = "200";
const PAGE = resolve(import.meta.dirname, "../../docs/risk.md");
const BEGIN = "<!-- controls: begin -->";
const END = "<!-- controls: end -->";

const rows: string[] = [];
for (const id of knownScenarios().filter((name) => name !== CANDLES)) {
  for (const [name, parameters] of LOOSEST) {
    const record = await runReplay(
      planWith(id, parameters),
      createProgress(process.stderr, () => performance.now()),
    );
    rows.push(rowOf(id, name, measure(record)));
  }
}
writePage(rows);

function planWith(id: string, loose: Record<string, number>): ReplayPlan {
  const plan = createPlan({ scenario: id, accounts: ACCOUNTS });
  const parameters = { ...plan.scenario.parameters, ...loose };
  const scenario = { ...plan.scenario, parameters };
  return { ...plan, scenario, parameters: parametersOf(scenario, plan.path, id) };
}

function rowOf(
  id: string,
  name: string,
  { money, openInterest, adl, haircut, fund }: Metrics,
): string {
  const cells = [
    id,
    name,
    shortMoney(money.deficit),
    percentOf(money.deficit, openInterest),
    percent(adl.ofSide),
    shortMoney(money.taken),
    percent(haircut.mean),
    shortMoney(fund.start - fund.lowest),
  ];
  return `| ${cells.join(" | ")} |`;
}

function writePage(lines: readonly string[]): void {
  const table = [
    "| scenario | controls | deficit | of open interest | closed in the queue | haircuts | mean haircut of profit | the fund at its lowest, below its start |",
    "|---|---|---:|---:|---:|---:|---:|---:|",
    ...lines,
  ].join("\n");
  const page = readFileSync(PAGE, "utf8");
  const [head, rest] = page.split(BEGIN);
  const [, tail] = rest?.split(END) ?? [];
  if (head === undefined || tail === undefined)
    throw new Error(`${PAGE} has no place for the table`);
  writeFileSync(PAGE, `${head}${BEGIN}\n\n${table}\n\n${END}${tail}`);
}
