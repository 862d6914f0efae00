/** `npm start`: replays a crash through the real contracts and writes what happened. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { Command } from "commander";
import { measure } from "./metrics.js";
import { UsageError, createPlan, knownScenarios } from "./plan.js";
import type { Options, ReplayPlan } from "./plan.js";
import { createProgress } from "./progress.js";
import { isWhole, toJson } from "./record.js";
import type { RunRecord } from "./record.js";
import { renderReport } from "./report/page.js";
import { runReplay } from "./run.js";
import { InputError, MAX_ACCOUNTS, RULES } from "./scenario.js";
import { renderTable } from "./table.js";

/** 0 all is well, 1 an invariant broke or the run itself failed, 2 the input is wrong. */
const BROKEN = 1;
const BAD_INPUT = 2;
const HERE = process.env["INIT_CWD"] ?? process.cwd();

async function main(options: Options & { out?: string }): Promise<void> {
  const plan = createPlan({ ...options, ...located(options) });
  for (const warning of plan.warnings) console.error(`warning: ${warning}`);
  const progress = createProgress(process.stderr, () => performance.now());
  const started = performance.now();
  const record = await runReplay(plan, progress);
  console.error(`Took ${Math.round((performance.now() - started) / 1_000)} s.`);

  const folder =
    options.out === undefined
      ? join("out", "replay", nameOf(plan))
      : relative(process.cwd(), resolve(HERE, options.out));
  const table = writeOut(record, folder);
  console.log(`${table}\nReport: ${join(folder, "report.html")}`);
  if (!isWhole(record)) process.exitCode = BROKEN;
}

/** Paths as seen from where the command was given; npm itself runs it in the project's folder. */
function located({ scenario, candles }: Options): Pick<Options, "scenario" | "candles"> {
  const from = (path: string): string => relative(process.cwd(), resolve(HERE, path));
  const isFile = scenario !== undefined && !knownScenarios().includes(scenario);
  return {
    ...(isFile ? { scenario: from(scenario) } : {}),
    ...(candles === undefined ? {} : { candles: from(candles) }),
  };
}

/** A folder of its own for everything that makes a run different. */
function nameOf({ scenario, candles }: ReplayPlan): string {
  const { id, rule, seed, population } = scenario;
  const source = candles === undefined ? id : candles.replace(/\.csv$/i, "");
  return `${source}-${rule.replace("/", "-")}-${population.accountsPerSide * 2}-${seed}`;
}

function writeOut(record: RunRecord, folder: string): string {
  const metrics = measure(record);
  const table = renderTable(record, metrics);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "report.html"), renderReport(record, metrics));
  writeFileSync(join(folder, "table.txt"), table);
  writeFileSync(join(folder, "record.json"), toJson(record));
  return table;
}

const command = new Command("npm start --")
  .description("Replays a crash through the real contracts on a chain in this process.")
  .option("--scenario <name or file>", `${knownScenarios().join(", ")}, or a JSON file`)
  .option("--candles <file>", "CSV with recorded prices: docs/replay.md says which columns")
  .option("--rule <rule>", RULES.join(", "))
  .option("--accounts <number>", `traders in all, up to ${MAX_ACCOUNTS}`)
  .option("--seed <number>", "another seed, another population")
  .option("--out <folder>", "where report.html, table.txt and record.json go")
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : BAD_INPUT);
  });

try {
  command.parse();
  await main(command.opts());
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  const isInput = error instanceof InputError || error instanceof UsageError;
  process.exitCode = isInput ? BAD_INPUT : BROKEN;
}
