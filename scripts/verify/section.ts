import { sumOfCounts } from "./figures.js";
import type { Counts, Coverage } from "./figures.js";
import { number, table } from "./markdown.js";
import type { Run } from "./record.js";
import { EXCLUDED } from "./suite.js";

/* The part of docs/verification.md about coverage. */

/** More than that are not read; all of them are in the record. */
const SHOWN_LEFT = 60;
const PERCENT = 100;

export function coverageSection(run: Run | undefined): string {
  if (run?.coverage === undefined) return "Not measured yet.";
  const { branchesLeft, linesLeft } = run.coverage;
  return [
    RULES,
    filesTable(run.coverage),
    left({ title: "Ways that no condition went in a test", places: branchesLeft, join: list }),
    left({ title: "Lines with a statement that no test ran", places: linesLeft, join: inARow }),
    failed(run.notes ?? []),
  ].join("\n\n");
}

const LEFT_OUT = Object.entries(EXCLUDED)
  .map(([file, reason]) => `\`${file}\` (${reason})`)
  .join(", ");

const RULES = `What the tests run of the deployed contracts. It is measured in a build in which every statement and every condition tells when it
runs, also in a transaction that is reverted; that build is larger and costs more gas than the deployed one, so that neither is limited there. A line counts if a
statement begins there, and is covered if all statements that begin there have run. Branches are the two ways of each \`if\`, \`require\`
and \`? :\`, and of what is to the left of each \`&&\` and \`||\`.

Measured are the tests in TypeScript and those of \`contracts/test/*.t.sol\`, and not the stateful invariants of \`contracts/test/invariants\`. Left
out: ${LEFT_OUT}.`;

function filesTable({ files }: Coverage): string {
  const all = sumOfCounts(Object.values(files));
  const rows = Object.entries(files).map(([file, counts]) => rowOf(`\`${file}\``, counts));
  return table(["file", "lines", "branches"], [rowOf("all", all), ...rows]);
}

function rowOf(name: string, counts: Counts): string[] {
  return [
    name,
    share(counts.linesCovered, counts.lines),
    share(counts.branchesCovered, counts.branches),
  ];
}

function share(covered: number, all: number): string {
  if (all === 0) return "none";
  return `${((PERCENT * covered) / all).toFixed(1)} % of ${number(all)}`;
}

type Left = {
  readonly title: string;
  readonly places: readonly string[];
  readonly join: (lines: readonly string[]) => string;
};

function left({ title, places, join }: Left): string {
  if (places.length === 0) return `${title}: none.`;
  const hidden = places.length - SHOWN_LEFT;
  const more = hidden > 0 ? [`and ${number(hidden)} more, in the record`] : [];
  const shown = places.slice(0, SHOWN_LEFT).map((place) => `\`${place}\``);
  return `${title} (${number(places.length)}):\n\n${join([...shown, ...more])}`;
}

function failed(notes: readonly string[]): string {
  if (notes.length === 0) return "All of these tests pass in that build.";
  return `Tests that fail in that build, or were not run in it; what they ran of the contracts counts:\n\n${list(notes)}`;
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join("\n");
}

function inARow(words: readonly string[]): string {
  return words.join(", ");
}
