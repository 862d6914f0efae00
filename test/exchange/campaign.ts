import fc from "fast-check";
import { network } from "hardhat";
import { mkdirSync, writeFileSync } from "node:fs";
import { eventsSeen } from "../reference/event.js";
import { liquidationsSeen } from "../reference/liquidation.js";
import { seen } from "../reference/matching.js";
import { adopted } from "./adopt.js";
import { steps } from "./commands.js";
import type { Step } from "./commands.js";
import { createRun } from "./play.js";
import type { Counts } from "./play.js";
import { deploy } from "./world.js";

/* Many runs of the exchange beside the reference model. What fails is kept as a file that `replay` reads. */

/** A full hour, so that epochs and samples fall alike whenever it is run. */
const GENESIS = "2030-01-01T00:00:00Z";
const FOUND = "out/reference";

export type Campaign = {
  readonly seed: number;
  readonly runs: number;
  /** Steps of a run; some are several commands. */
  readonly steps: number;
  readonly shrinks?: boolean;
};

export type Outcome = {
  readonly commands: number;
  readonly reached: Readonly<Record<string, number>>;
  readonly differences: number;
  /** What was different, and the file that leads there. */
  readonly found?: { readonly error: unknown; readonly file: string };
};

/** A chain with the deployment on it; every run starts from it anew. */
export async function openCampaigns() {
  const connection = await network.create({
    override: { initialDate: GENESIS, mining: { mempool: { order: "fifo" } } },
  });
  const start = () => deploy(connection);

  async function run(all: readonly Step[], rules: number, counts: Counts): Promise<void> {
    const real = await connection.networkHelpers.loadFixture(start);
    real.restart(rules);
    const { play } = await createRun(real, counts);
    for (const each of all) await play(each);
  }

  async function campaign({ seed, runs, steps: length, shrinks = false }: Campaign) {
    const counts: Counts = { commands: 0, by: {}, refused: {} };
    const before = totals();
    const property = fc.asyncProperty(fc.nat({ max: 3 }), steps(length), async (rules, all) =>
      run(all, rules, counts),
    );
    const result = await fc.check(property, { seed, numRuns: runs, endOnFailure: !shrinks });
    const reached = {
      ...since(before),
      ...named("do", counts.by),
      ...named("refused", counts.refused),
    };
    const outcome: Outcome = { commands: counts.commands, reached, differences: 0 };
    if (!result.failed || result.counterexample === null) return outcome;
    const file = keep(seed, ...result.counterexample);
    return { ...outcome, differences: 1, found: { error: result.errorInstance, file } };
  }

  return { run, campaign };
}

function totals(): Record<string, number> {
  return {
    ...named("matching", seen),
    ...named("liquidation", liquidationsSeen),
    ...named("event", eventsSeen),
    ...named("adopted", adopted),
  };
}

function since(before: Readonly<Record<string, number>>): Record<string, number> {
  const now = Object.entries(totals());
  return Object.fromEntries(now.map(([key, count]) => [key, count - (before[key] ?? 0)]));
}

function named(prefix: string, counts: Readonly<Record<string, number>>): Record<string, number> {
  const entries = Object.entries(counts).map(
    ([key, count]) => [`${prefix}.${key}`, count] as const,
  );
  return Object.fromEntries(entries);
}

function keep(seed: number, rules: number, found: readonly Step[]): string {
  mkdirSync(FOUND, { recursive: true });
  const file = `${FOUND}/${seed}.json`;
  writeFileSync(file, `${JSON.stringify({ rules, steps: found }, undefined, 1)}\n`);
  return file;
}
