/*
 * Every property that has a name, with the places where a machine checks it. A test looks whether all are here and whether the words stand
 * where they are said to; docs/properties.md is written from this by `npm run verify:page`.
 */

import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { ORDER_BOOK } from "./properties/book.js";
import { CUSTODY } from "./properties/custody.js";
import { FORCED_SALES } from "./properties/forced.js";
import { INVARIANTS } from "./properties/invariants.js";
import { MARGIN } from "./properties/margin.js";
import { FUNDING_RATES, PRICE_RULES } from "./properties/prices.js";
import type { Property } from "./properties/property.js";
import { ADMIN, KEEPERS, LIVENESS, ODD_TOKENS } from "./properties/running.js";
import { DELEVERAGING, INSURANCE } from "./properties/waterfall.js";

const PAGE = resolve(import.meta.dirname, "../../docs/properties.md");

type Section = {
  /** What ids begin with; a number from 1 on follows. */
  readonly prefix: string;
  readonly title: string;
  readonly count: number;
  readonly properties: readonly Property[];
};

export const SECTIONS: readonly Section[] = [
  { prefix: "INV-", title: "Invariants", count: 18, properties: INVARIANTS },
  { prefix: "A", title: "Money", count: 16, properties: CUSTODY },
  { prefix: "B", title: "Margin and positions", count: 12, properties: MARGIN },
  { prefix: "C", title: "The book", count: 16, properties: ORDER_BOOK },
  { prefix: "D", title: "Forced sales", count: 16, properties: FORCED_SALES },
  { prefix: "E", title: "The fund", count: 8, properties: INSURANCE },
  { prefix: "F", title: "Deleveraging", count: 14, properties: DELEVERAGING },
  { prefix: "G", title: "Funding", count: 9, properties: FUNDING_RATES },
  { prefix: "H", title: "Index and mark", count: 13, properties: PRICE_RULES },
  { prefix: "I", title: "Keys", count: 10, properties: ADMIN },
  { prefix: "J", title: "Tokens", count: 5, properties: ODD_TOKENS },
  { prefix: "K", title: "Liveness", count: 6, properties: LIVENESS },
  { prefix: "L", title: "Keepers", count: 10, properties: KEEPERS },
];

export const PROPERTIES: readonly Property[] = SECTIONS.flatMap(({ properties }) => properties);

type Standing = "checked" | "partly" | "missing";

/** Only what is checked whole counts as checked. */
export function standingOf({ checkedBy, missing }: Property): Standing {
  if (checkedBy.length === 0) return "missing";
  return missing === undefined ? "checked" : "partly";
}

const countOf = (standing: Standing) =>
  PROPERTIES.filter((property) => standingOf(property) === standing).length;

/** Properties of which nothing is missing. */
export function propertiesChecked(): number {
  return countOf("checked");
}

export function propertiesPage(): string {
  const lead = `${propertiesChecked()} of ${PROPERTIES.length} are checked by a machine, ${countOf("partly")} more in part, ${countOf("missing")} not at all.`;
  return `# Properties

What is to hold, by name, and where a machine looks whether it does. ${lead} What is missing stands in bold.

This page is written by \`npm run verify:page\` from \`scripts/verify/properties.ts\`; a test fails if words are not where it says. What
each kind of place is: [invariants.md](invariants.md).

${SECTIONS.map(sectionText).join("\n\n")}
`;
}

function sectionText({ title, properties }: Section): string {
  const rows = properties.map((property) => `| ${rowOf(property).join(" | ")} |`);
  return [`## ${title}\n`, "| id | what holds | where |", "|---|---|---|", ...rows].join("\n");
}

function rowOf({ id, what, because, checkedBy, missing }: Property): string[] {
  const files = [...new Set(checkedBy.map(({ file }) => file))].map((file) => {
    const said = checkedBy.filter((place) => place.file === file).map(({ says }) => quoted(says));
    return `[${file}](../${file}): ${said.join(", ")}`;
  });
  const left = missing === undefined ? [] : [`**Missing:** ${missing}`];
  const about = because === undefined ? what : `${what} ${because}`;
  return [id, cell(about), [...files, ...left].map(cell).join("<br>")];
}

/** Names of functions as they are called, everything else as it stands. */
function quoted(says: string): string {
  return `"${says.replace(/^function (\w+)\($/, "$1")}"`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("${", "\\${");
}

export function writePropertiesPage(): void {
  writeFileSync(PAGE, propertiesPage());
}
