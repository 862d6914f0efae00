import { Command } from "commander";
import { ABSENT } from "../../test/planted/absent.js";
import { PLANTED } from "../../test/planted/index.js";
import { hashOfContracts, record, runsOf } from "../verify/record.js";
import type { Run } from "../verify/record.js";
import { changeIn } from "./change.js";
import type { Planted } from "./mutant.js";
import { createWorkshop } from "./workshop.js";
import type { Verdict } from "./workshop.js";

/*
 * `npm run planted`: puts mistakes that were made elsewhere into our contracts, one by one, and says which test finds each, and after how
 * many transactions and calls of the test files up to there. A mistake that no test finds is missed, and the command fails.
 *
 * A verdict is a line of docs/verification/runs.jsonl, whose seed is the mistake's id. What was judged on these contracts is not
 * judged again unless asked for.
 */

const CHECK = "planted";
const ID_WIDTH = 30;
/** What is shown of a run that went wrong, characters. */
const OUTPUT = 2_000;

type Options = { readonly only?: readonly string[]; readonly again?: boolean };

function write({ id }: Planted, verdict: Verdict, seconds: number): void {
  const counts =
    verdict.kind === "killed"
      ? { found: 1, missed: 0, sent: verdict.sent, read: verdict.read }
      : { found: 0, missed: 1 };
  record({
    check: CHECK,
    contracts: hashOfContracts(),
    at: new Date().toISOString(),
    seconds: Math.round(seconds),
    seed: id,
    counts,
    failures: verdict.kind === "killed" ? [] : [id],
    ...(verdict.kind === "killed" ? { found: verdict.by } : {}),
  });
}

function line(planted: Planted, run: Run | undefined): string {
  const name = planted.id.padEnd(ID_WIDTH);
  if (run === undefined) return `not judged  ${name}${planted.from}`;
  if (run.counts.found !== 1) return `MISSED      ${name}${planted.from}: ${planted.what}`;
  const { sent = 0, read = 0 } = run.counts;
  return `found       ${name}${planted.from}: ${run.found ?? ""} (${sent} transactions, ${read} calls)`;
}

async function main({ only, again }: Options): Promise<void> {
  const byId = new Map(PLANTED.map((planted) => [planted.id, planted]));
  const chosen = only?.flatMap((id) => byId.get(id) ?? []) ?? PLANTED;
  const known = () => new Map(runsOf(CHECK, hashOfContracts()).map((run) => [run.seed, run]));
  const before = known();
  const due = chosen.filter(({ id }) => again === true || !before.has(id));
  if (due.length > 0) {
    const workshop = createWorkshop(`planted-${process.pid}`);
    for (const planted of due) {
      // Another run may have been at it meanwhile.
      if (again !== true && known().has(planted.id)) continue;
      const change = changeIn(planted.file, planted.text, planted.planted);
      if (change === undefined) throw new Error(`${planted.id}: its text is not there once`);
      const started = Date.now();
      const verdict = await workshop.judge(change, planted.tests);
      if (verdict.kind === "does not build" || verdict.kind === "does not run") {
        console.log(`${verdict.kind}  ${planted.id}`);
        if (verdict.kind === "does not run") console.log(verdict.output.slice(-OUTPUT));
        continue;
      }
      write(planted, verdict, (Date.now() - started) / 1000);
      console.log(line(planted, known().get(planted.id)));
    }
    workshop.remove();
  }
  report(chosen, known());
}

function report(chosen: readonly Planted[], known: ReadonlyMap<string, Run>): void {
  console.log();
  for (const planted of chosen) console.log(line(planted, known.get(planted.id)));
  for (const { from, because } of ABSENT) console.log(`not here    ${from}: ${because}`);
  const found = chosen.filter(({ id }) => known.get(id)?.counts.found === 1);
  console.log(`${found.length} of ${chosen.length} found`);
  if (found.length < chosen.length) process.exitCode = 1;
}

await new Command("planted")
  .description("Puts known mistakes into the contracts and says which test finds each.")
  .option("--only <id...>", "only these")
  .option("--again", "also those that were judged on these contracts")
  .action(main)
  .parseAsync();
