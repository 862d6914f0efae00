import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { changeIn } from "./change.js";
import { ROOT } from "./compiler.js";
import { MUTANTS } from "./list.js";
import type { Mutant } from "./mutant.js";
import { RISK_MUTANTS } from "./risk.js";
import { VAULT_MUTANTS } from "./vault.js";
import { createWorkshop } from "./workshop.js";
import type { Workshop } from "./workshop.js";

/*
 * `npm run mutants`: makes each deliberate mistake of the list in a copy of the project and runs the test that is to find it. A mutant
 * that the test does not notice survives, and the command fails. See planted.ts for mistakes that others made, and mutation.ts for
 * those that a rule makes.
 */

const RESULTS = join(ROOT, "out/mutants/results.json");

type Result = { readonly id: string; readonly verdict: string; readonly by: string };

async function judge(workshop: Workshop, mutant: Mutant): Promise<Result> {
  const { id } = mutant;
  const change = changeIn(mutant.file, mutant.from, mutant.to);
  if (change === undefined) return { id, verdict: "not found", by: "" };
  const verdict = await workshop.judge(change, [mutant.test]);
  return { id, verdict: verdict.kind, by: verdict.kind === "killed" ? verdict.by : "" };
}

async function main({ only }: { only?: string[] }): Promise<void> {
  const all = [...MUTANTS, ...RISK_MUTANTS, ...VAULT_MUTANTS];
  const chosen = all.filter(({ id }) => only === undefined || only.includes(id));
  const workshop = createWorkshop(`mutants-${process.pid}`);
  const results: Result[] = [];
  for (const mutant of chosen) {
    const result = await judge(workshop, mutant);
    results.push(result);
    console.log(`${result.verdict.padEnd(15)}${mutant.id.padEnd(28)}${mutant.test}  ${result.by}`);
    writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);
  }
  workshop.remove();
  const killed = results.filter(({ verdict }) => verdict === "killed").length;
  console.log(`${killed} of ${results.length} killed`);
  if (killed < results.length) process.exitCode = 1;
}

await new Command("mutants")
  .description(
    "Makes deliberate mistakes in the contracts and expects a named test to fail for each.",
  )
  .option("--only <id...>", "only these")
  .action(main)
  .parseAsync();
