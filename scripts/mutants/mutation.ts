import { createHash } from "node:crypto";
import { Command, Option } from "commander";
import { EQUIVALENT } from "../../test/planted/equivalent.js";
import { allRuns, hashOfContracts, record } from "../verify/record.js";
import { createCompiler, sourceOf } from "./compiler.js";
import type { Compiler } from "./compiler.js";
import { mutantsOf } from "./generate.js";
import type { Generated } from "./generate.js";
import { FILES, testsFor } from "./looks.js";
import { intervalOf } from "./score.js";
import { createWorkshop } from "./workshop.js";
import type { Verdict } from "./workshop.js";

/*
 * `npm run mutation`: makes every small mistake that a rule can make in the contracts that carry risk, draws a sample of them, and
 * sees whether the tests notice. What is not noticed survives; the score is the part that does not.
 *
 * A verdict is one line of docs/verification/runs.jsonl, named by the mutant and by a hash of the file that it was made in. It
 * stands as long as that file stays as it is, whatever happens to other contracts; the last line about a mutant counts. So runs
 * add up, and stopping one loses a mutant at most. The order in which a seed draws does not depend on how many are drawn: a larger sample is the
 * smaller one and more.
 *
 * Not in the score: what does not compile, what compiles to the same bytecode, and what test/planted/equivalent.ts proves to be
 * no mistake.
 */

const CHECK = "mutation";
const MINUTE = 60_000;

type Options = {
  readonly seed: string;
  readonly size: number;
  readonly minutes?: number;
  readonly only?: readonly string[];
  readonly files?: readonly string[];
  readonly again?: boolean;
  readonly list?: boolean;
  readonly score?: boolean;
};

type Outcome = "killed" | "survived" | "void";

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** What a verdict is named by. */
function keyOf({ id, file }: Generated): string {
  return `${id} of ${shortHash(sourceOf(file))}`;
}

function allMutants({ units }: Compiler): Generated[] {
  return FILES.flatMap((file) => {
    const tree = units.get(file);
    if (tree === undefined) throw new Error(`there is no ${file}`);
    return mutantsOf({ file, text: sourceOf(file), tree });
  });
}

/** All of them, in the order of the draw. */
function drawn(mutants: readonly Generated[], seed: string): Generated[] {
  const ticket = new Map(mutants.map(({ id }) => [id, shortHash(`${seed} ${id}`)]));
  return [...mutants].sort((a, b) =>
    (ticket.get(a.id) ?? "") < (ticket.get(b.id) ?? "") ? -1 : 1,
  );
}

/** The last verdicts, by the key of the mutant. */
function verdicts(): Map<string, Outcome> {
  const runs = allRuns().filter(({ check }) => check === CHECK);
  return new Map(
    runs.map(({ seed, counts }) => [
      seed,
      counts.killed === 1 ? "killed" : counts.survived === 1 ? "survived" : "void",
    ]),
  );
}

function isEquivalent(mutant: Generated): boolean {
  const line = lineOf(mutant);
  return EQUIVALENT.some(
    (known) => known.file === mutant.file && known.line === line && known.what === mutant.what,
  );
}

function lineOf({ file, from }: Generated): string {
  const before = Buffer.from(sourceOf(file)).subarray(0, from).toString();
  return (sourceOf(file).split("\n")[before.split("\n").length - 1] ?? "").trim();
}

function write(mutant: Generated, verdict: Verdict, seconds: number): void {
  const isVoid = verdict.kind === "does not build" || verdict.kind === "same code";
  record({
    check: CHECK,
    contracts: hashOfContracts(),
    at: new Date().toISOString(),
    seconds: Math.round(seconds),
    seed: keyOf(mutant),
    counts: isVoid ? { void: 1 } : { [verdict.kind]: 1 },
    failures: verdict.kind === "survived" ? [`${mutant.id}: ${mutant.what}`] : [],
  });
}

async function judgeAll(mutants: readonly Generated[], until: number): Promise<void> {
  const workshop = createWorkshop(`mutation-${process.pid}`);
  for (const mutant of mutants) {
    const started = Date.now();
    if (started > until) break;
    const verdict = await workshop.judge(mutant, testsFor(mutant.file));
    if (verdict.kind === "does not run") {
      console.log(`${verdict.kind.padEnd(15)}${mutant.id}\n${verdict.output.slice(-2000)}`);
    } else {
      write(mutant, verdict, (Date.now() - started) / 1000);
      const by = verdict.kind === "killed" ? verdict.by : lineOf(mutant);
      console.log(`${verdict.kind.padEnd(15)}${mutant.id}  ${mutant.what}  [${by}]`);
    }
  }
  workshop.remove();
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function report(sample: readonly Generated[], known: ReadonlyMap<string, Outcome>): void {
  const judged = sample.filter((mutant) => known.has(keyOf(mutant)) || isEquivalent(mutant));
  const counted = judged.filter(
    (mutant) => known.get(keyOf(mutant)) !== "void" && !isEquivalent(mutant),
  );
  const survivors = counted.filter((mutant) => known.get(keyOf(mutant)) === "survived");
  for (const file of FILES) {
    const here = counted.filter((mutant) => mutant.file === file);
    const left = survivors.filter((mutant) => mutant.file === file);
    console.log(`${file.padEnd(32)}${here.length - left.length} of ${here.length}`);
  }
  const score = { killed: counted.length - survivors.length, judged: counted.length };
  const { share, low, high } = intervalOf(score);
  for (const mutant of survivors) {
    console.log(`survived  ${mutant.id}  ${mutant.what}  [${lineOf(mutant)}]`);
  }
  console.log(
    `${score.killed} of ${score.judged} found: ${percent(share)}, with 95 % certainty between ` +
      `${percent(low)} and ${percent(high)}; ${judged.length} judged, ` +
      `${judged.filter((mutant) => known.get(keyOf(mutant)) === "void").length} without an effect, ` +
      `${judged.filter(isEquivalent).length} proved to be none`,
  );
}

async function main(options: Options): Promise<void> {
  const all = allMutants(createCompiler());
  const wanted = all.filter(
    ({ id, file }) =>
      (options.only?.includes(id) ?? true) && (options.files?.includes(file) ?? true),
  );
  const sample = drawn(wanted, options.seed).slice(0, options.size);
  if (options.list === true) {
    for (const { id, what } of wanted) console.log(`${id}  ${what}`);
    console.log(`${wanted.length} mutants`);
    return;
  }
  const known = verdicts();
  if (options.score !== true) {
    const due = sample.filter((mutant) => {
      if (options.only !== undefined) return true;
      if (isEquivalent(mutant)) return false;
      const outcome = known.get(keyOf(mutant));
      return options.again === true ? outcome === "survived" : outcome === undefined;
    });
    const until = options.minutes === undefined ? Infinity : Date.now() + options.minutes * MINUTE;
    await judgeAll(due, until);
  }
  report(sample, verdicts());
}

await new Command("mutation")
  .description(
    "Makes small mistakes in the contracts that carry risk and says how many tests find.",
  )
  .option("--seed <seed>", "what the sample is drawn by", "ballast")
  .addOption(new Option("--size <mutants>", "of the sample").default(400).argParser(Number))
  .addOption(new Option("--minutes <minutes>", "begin none after").argParser(Number))
  .option("--only <id...>", "only these, also if there is a verdict")
  .option("--files <file...>", "only of these files, below contracts/")
  .option("--again", "judge those of the sample again that survived")
  .option("--list", "say which mutants there are")
  .option("--score", "say what is known")
  .action(main)
  .parseAsync();
