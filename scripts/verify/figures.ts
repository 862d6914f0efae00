import { z } from "zod";
import type { Place } from "./instrument.js";

/* What places and the numbers that they told come to. */

const Counts = z.object({
  lines: z.number(),
  linesCovered: z.number(),
  statements: z.number(),
  statementsCovered: z.number(),
  branches: z.number(),
  branchesCovered: z.number(),
});

export const Coverage = z.object({
  /** By their path below contracts/. */
  files: z.record(z.string(), Counts),
  /** Lines with a statement that never ran, each as file:line. */
  linesLeft: z.array(z.string()),
  /** Ways that no condition went, each as file:line and in words. */
  branchesLeft: z.array(z.string()),
});

export type Counts = z.infer<typeof Counts>;
export type Coverage = z.infer<typeof Coverage>;

const EVERY_WAY = [false, true];

/**
 * A line counts if a statement begins there, and is covered if all of those that do have run. Each way that a condition can go is a branch.
 * @param told Numbers that arrived.
 */
export function coverageOf(places: readonly Place[], told: ReadonlySet<number>): Coverage {
  const names = [...new Set(places.map(({ file }) => file))].sort();
  const files = names.map((name) => {
    const here = places.filter(({ file }) => file === name);
    return [name, countsOf(here, told)] as const;
  });
  return {
    files: Object.fromEntries(files),
    branchesLeft: inOrder(places).flatMap((place) => waysLeft(place, told)),
    linesLeft: [...linesOf(inOrder(places), told)]
      .filter(([, isCovered]) => !isCovered)
      .map(([line]) => line),
  };
}

export function sumOfCounts(all: readonly Counts[]): Counts {
  const sum = (name: keyof Counts) => all.reduce((total, counts) => total + counts[name], 0);
  return {
    lines: sum("lines"),
    linesCovered: sum("linesCovered"),
    statements: sum("statements"),
    statementsCovered: sum("statementsCovered"),
    branches: sum("branches"),
    branchesCovered: sum("branchesCovered"),
  };
}

function countsOf(places: readonly Place[], told: ReadonlySet<number>): Counts {
  const lines = [...linesOf(places, told).values()];
  const statements = places.filter(isStatement);
  const conditions = places.filter((place) => !isStatement(place));
  const ways = conditions.flatMap((place) => EVERY_WAY.map((way) => numberOf(place, way)));
  return {
    lines: lines.length,
    linesCovered: lines.filter(Boolean).length,
    statements: statements.length,
    statementsCovered: statements.filter(({ id }) => told.has(id)).length,
    branches: ways.length,
    branchesCovered: ways.filter((id) => told.has(id)).length,
  };
}

/** Whether each line on which a statement begins is covered. */
function linesOf(places: readonly Place[], told: ReadonlySet<number>): Map<string, boolean> {
  const lines = new Map<string, boolean>();
  for (const place of places.filter(isStatement)) {
    const name = nameOf(place);
    lines.set(name, (lines.get(name) ?? true) && told.has(place.id));
  }
  return lines;
}

function waysLeft(place: Place, told: ReadonlySet<number>): string[] {
  if (isStatement(place)) return [];
  return EVERY_WAY.filter((way) => !told.has(numberOf(place, way))).map(
    (way) => `${nameOf(place)}: ${place.kind} never ${way}`,
  );
}

function numberOf({ id }: Place, way: boolean): number {
  return way ? id + 1 : id;
}

function isStatement({ kind }: Place): boolean {
  return kind === "statement";
}

function nameOf({ file, line }: Place): string {
  return `${file}:${line}`;
}

function inOrder(places: readonly Place[]): Place[] {
  return [...places].sort(
    (a, b) => Number(a.file > b.file) - Number(a.file < b.file) || a.line - b.line,
  );
}
