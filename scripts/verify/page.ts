/**
 * `npm run verify:page`: writes docs/verification.md from what the checks recorded (docs/verification/runs.jsonl), so that no figure there is
 * typed. Runs on the present contracts come first; of a check that has none, the last contracts that it has seen.
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { BUGS } from "./bugs.js";
import { CHECKS, MISSING, TARGETS } from "./checks.js";
import type { CheckName, Target } from "./checks.js";
import { number, table } from "./markdown.js";
import { writePropertiesPage } from "./properties.js";
import { allRuns, hashOfContracts, lastWords, sumOf } from "./record.js";
import type { Run } from "./record.js";
import { coverageSection } from "./section.js";

const ROOT = resolve(import.meta.dirname, "../..");
const PAGE = resolve(ROOT, "docs/verification.md");
const SECONDS_PER_HOUR = 3_600;
/** Of `npm run mutation`. The size is what was judged: what comes later in the order may have been judged for the first sample. */
const SECOND = { seed: "other", size: "45" };

type Figures = {
  readonly check: CheckName;
  readonly runs: readonly Run[];
  /** Of them, how many were on the present contracts. */
  readonly here: number;
  readonly counts: Readonly<Record<string, number>>;
};

function figuresOf(check: CheckName, present: string): Figures | undefined {
  const all = allRuns().filter((run) => run.check === check);
  const last = all.at(-1);
  if (last === undefined) return undefined;
  const isHere = ({ contracts }: Run) => contracts === present;
  const wanted = all.some(isHere) ? present : last.contracts;
  const counted =
    CHECKS[check].isVerdict === true ? all : all.filter(({ contracts }) => contracts === wanted);
  const runs = lastWords(counted);
  const here = runs.filter(isHere).length;
  return { check, runs, here, counts: sumOf(runs) };
}

function runsTable(figures: readonly Figures[]): string {
  const rows = figures.map(({ check, runs, here, counts }) => {
    const hours = runs.reduce((sum, { seconds }) => sum + seconds, 0) / SECONDS_PER_HOUR;
    const failures = runs.flatMap((run) => run.failures.map(stripVTControlCharacters));
    const done = CHECKS[check].shown
      .filter((name) => counts[name] !== undefined)
      .map((name) => `${number(counts[name] ?? 0)} ${name}`);
    return [
      CHECKS[check].title,
      `\`${CHECKS[check].command}\``,
      `${runs.length} (${hours.toFixed(1)} h)`,
      done.join(", "),
      failures.length === 0 ? "none" : failures.slice(0, 5).join("; "),
      here === runs.length ? "these" : here === 0 ? "earlier ones" : `${here} on these`,
    ];
  });
  return table(["check", "command", "runs", "done", "failed", "contracts"], rows);
}

function reachedTables(figures: readonly Figures[]): string {
  return figures
    .filter(({ check }) => CHECKS[check].hasStates)
    .map(({ check, counts }) => {
      const shown = new Set(CHECKS[check].shown);
      const rows = Object.entries(counts)
        .filter(([name]) => !shown.has(name))
        .sort(([a], [b]) => (a < b ? -1 : 1));
      const text = rows.map(([name, count]) => `${name} ${number(count)}`).join(", ");
      return `**${CHECKS[check].title}**: ${text}.`;
    })
    .join("\n\n");
}

function targetRow(
  { what, target, known, from, count = "" }: Target,
  figures: readonly Figures[],
): string[] {
  const found = known?.() ?? figures.find(({ check }) => check === from)?.counts[count];
  return [what, target.text, found === undefined ? "not measured" : number(found), verdict()];

  function verdict(): string {
    if (found === undefined) return "short";
    return found >= target.least ? "reached" : "short";
  }
}

/** The lines that the command prints at its end: a score by file, what survived, and the sum. */
function mutationScore(options: readonly string[] = []): string {
  const script = resolve(ROOT, "scripts/mutants/mutation.ts");
  const call = ["--import", "tsx", script, "--score", ...options];
  const { status, stdout } = spawnSync(process.execPath, call, { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) throw new Error("the score of the mutants cannot be told");
  return stdout.trim();
}

/** A sample of another order, judged once and as it was: survivors of the first one have got tests since. */
function secondScore(): string {
  const lines = mutationScore(["--seed", SECOND.seed, "--size", SECOND.size]).split("\n");
  return lines.filter((line) => line.startsWith("survived") || line === lines.at(-1)).join("\n");
}

function seedsOf(figures: readonly Figures[]): string {
  return figures
    .filter(({ check }) => CHECKS[check].hasSeeds)
    .map(({ check, runs }) => `${CHECKS[check].title}: ${runs.map(({ seed }) => seed).join(", ")}.`)
    .join("\n\n");
}

const present = hashOfContracts();
// Keys of the object are its names.
const names = Object.keys(CHECKS) as CheckName[];
const figures = names.flatMap((check) => figuresOf(check, present) ?? []);
const missing = names.filter((check) => !figures.some((one) => one.check === check));

const page = `# Verification

What has been checked beyond \`npm test\`, on which contracts, and what was found. This page is written by \`npm run verify:page\` from
[verification/runs.jsonl](verification/runs.jsonl), to which every run adds a line; no figure is typed. The bytecode of all contracts has the hash \`${present}\`. A row on earlier contracts is due again.

\`npm run verify -- --minutes 60\` runs everything in turn for about that long and goes on where earlier runs stopped. Runs on the same contracts add up.

## Runs

${runsTable(figures)}
${missing.length === 0 ? "" : `\nNot run yet: ${missing.map((check) => CHECKS[check].title).join(", ")}.\n`}
## Figures

${table(
  ["what", "target", "measured", ""],
  TARGETS.map((target) => targetRow(target, figures)),
)}

## What was reached

States that random commands came to, over all runs of the table above. A run that does not come to them fails.

${reachedTables(figures)}

## Mutation score

How it is drawn and what counts: [mutants.md](mutants.md). A verdict stands as long as the file that was changed stays as it is.

\`\`\`
${mutationScore()}
\`\`\`

Tests were written for what survived of this sample, and with parts of it in view before they were judged. So a second one, of the seed \`${SECOND.seed}\`, was judged as it came:

\`\`\`
${secondScore()}
\`\`\`

## Coverage

${coverageSection(figures.find(({ check }) => check === "coverage")?.runs.at(-1))}

## Found

Mistakes in the contracts that these checks have found, and what fails if they come back.

${table(
  ["mistake", "found by", "removed in", "kept out by"],
  BUGS.map(({ what, foundBy, fixedIn, guardedBy }) => [
    what,
    foundBy,
    `\`${fixedIn}\``,
    `\`${guardedBy}\``,
  ]),
)}

## Not covered

${MISSING.map((line) => `- ${line}`).join("\n")}

## Seeds

${seedsOf(figures)}
`;

writeFileSync(PAGE, page);
writePropertiesPage();
