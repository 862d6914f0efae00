/**
 * `npm run attacks`: puts what the tests in test/attacks recorded into the table of docs/risk.md. With `--check` it writes nothing and
 * fails where the page says something else.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { ATTACKS, FIGURES } from "../lib/attacks.js";
import type { Attack, AttackId } from "../lib/attacks.js";

const PAGE = resolve(import.meta.dirname, "../../docs/risk.md");
const BEGIN = "<!-- attacks: begin -->";
const END = "<!-- attacks: end -->";
const HEAD = [
  "| attack | guard | control: attacker gets | default: attacker gets | test |",
  "|---|---|---:|---:|---|",
];
/** Quote of a hundredth of a settlement unit. */
const CENT = 10n ** 16n;
/** From here on cents are left out. */
const EXACT_BELOW = 100n;

const Recorded = z.record(z.string(), z.string().regex(/^-?\d+$/));

const missing: string[] = [];
const page = readFileSync(PAGE, "utf8");
const wanted = pageWith(page, [...HEAD, ...ATTACKS.map(rowOf)].join("\n"));

if (missing.length !== 0) {
  console.error(`Not recorded: ${missing.join(", ")}. Run the tests in test/attacks first.`);
  process.exitCode = 1;
} else if (!process.argv.includes("--check")) writeFileSync(PAGE, wanted);
else if (page === wanted) console.log(`${ATTACKS.length} attacks are as docs/risk.md says.`);
else {
  console.error(
    "docs/risk.md says something else than the tests recorded. `npm run attacks` writes it.",
  );
  process.exitCode = 1;
}

function pageWith(text: string, table: string): string {
  const [head, rest] = text.split(BEGIN);
  const [, tail] = rest?.split(END) ?? [];
  if (head === undefined || tail === undefined) throw new Error(`${PAGE} has no place for it`);
  return `${head}${BEGIN}\n\n${table}\n\n${END}${tail}`;
}

function rowOf({ id, attack, guard, control, found, test }: Attack): string {
  const figures = figuresOf(id);
  const cells = [attack, guard, control, found].map((text) => fill(text, id, figures));
  return `| ${cells.join(" | ")} | \`${test}\` |`;
}

function figuresOf(id: AttackId): ReadonlyMap<string, bigint> {
  const path = join(FIGURES, `${id}.json`);
  if (!existsSync(path)) return new Map();
  const recorded = Recorded.parse(JSON.parse(readFileSync(path, "utf8")));
  return new Map(Object.entries(recorded).map(([name, amount]) => [name, BigInt(amount)]));
}

/** Puts figures where `{name}` stands. */
function fill(text: string, id: AttackId, figures: ReadonlyMap<string, bigint>): string {
  return text.replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
    const amount = figures.get(name);
    if (amount === undefined) missing.push(`${id}.${name}`);
    return amount === undefined ? "?" : unitsOf(amount);
  });
}

/** Settlement units with thousands; small amounts with cents, towards zero. */
function unitsOf(quote: bigint): string {
  const size = (quote < 0n ? -quote : quote) / CENT;
  const [whole, cents] = [size / 100n, size % 100n];
  const digits = whole.toString().replaceAll(/\B(?=(\d{3})+$)/g, ",");
  const isShort = whole >= EXACT_BELOW || cents === 0n;
  const text = isShort ? digits : `${digits}.${cents.toString().padStart(2, "0")}`;
  return quote < 0n && size !== 0n ? `−${text}` : text;
}
