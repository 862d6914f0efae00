import fc from "fast-check";
import { network } from "hardhat";
import { mkdirSync, writeFileSync } from "node:fs";
import { budgetsSeen } from "../reference/budgets.js";
import { capsSeen } from "../reference/caps.js";
import { eventsSeen } from "../reference/event.js";
import { jumpsSeen } from "../reference/jumps.js";
import { liquidationsSeen } from "../reference/liquidation.js";
import { fundSeen } from "../reference/fund.js";
import { vaultSeen } from "../reference/vault.js";
import { seen } from "../reference/matching.js";
import { windingSeen } from "../reference/winding.js";
import { adopted } from "./adopt.js";
import { steps } from "./scenarios.js";
import type { Step } from "./commands.js";
import { createRun, Difference } from "./play.js";
import type { Counts } from "./play.js";
import { shrink } from "./shrink.js";
import { deploy } from "./world.js";

/* Many runs of the exchange beside the reference model. What fails is made as small as it goes and kept as a file. */

/** A full hour, so that epochs and samples fall alike whenever it is run. */
const GENESIS = "2030-01-01T00:00:00Z";
const FOUND = "out/reference";
/** Milliseconds that making it small may take. */
const SHRINKING = 120_000;

export type Campaign = {
  readonly seed: number;
  readonly runs: number;
  /** Steps of a run; some are several commands. */
  readonly steps: number;
};

/** Commands and rules that lead to a difference, as a file has them. */
export type Case = { readonly rules: number; readonly steps: readonly Step[] };

export type Outcome = {
  readonly commands: number;
  readonly comparisons: number;
  readonly reached: Readonly<Record<string, number>>;
  readonly differences: number;
  /** What was different, in a line and at length, and the file that leads there. */
  readonly found?: { readonly title: string; readonly error: unknown; readonly file: string };
};

/** A chain with the deployment on it; every run starts from it anew. */
export async function openCampaigns() {
  const connection = await network.create({
    override: { initialDate: GENESIS, mining: { mempool: { order: "fifo" } } },
  });
  const start = () => deploy(connection);

  async function run({ rules, steps: all }: Case, counts: Counts): Promise<void> {
    const real = await connection.networkHelpers.loadFixture(start);
    await real.restart(rules);
    const { play } = await createRun(real, counts);
    for (const each of all) await play(each);
  }

  /** @returns What is different, if anything is. */
  async function differenceOf(found: Case): Promise<Difference | undefined> {
    try {
      await run(found, emptyCounts());
    } catch (error) {
      if (error instanceof Difference) return error;
      throw error;
    }
    return undefined;
  }

  async function smallest({ rules, steps: all }: Case): Promise<Case> {
    const isFailing = async (fewer: readonly Step[]) =>
      (await differenceOf({ rules, steps: fewer })) !== undefined;
    const until = Date.now() + SHRINKING;
    return { rules, steps: await shrink(all, isFailing, { until }) };
  }

  /** @returns What was come upon. */
  async function repeat(found: Case): Promise<Record<string, number>> {
    const [counts, before] = [emptyCounts(), totals()];
    await run(found, counts);
    return reachedSince(before, counts);
  }

  async function campaign({ seed, runs, steps: length }: Campaign): Promise<Outcome> {
    const counts = emptyCounts();
    const before = totals();
    const property = fc.asyncProperty(fc.nat({ max: 3 }), steps(length), async (rules, all) =>
      run({ rules, steps: all }, counts),
    );
    const result = await fc.check(property, { seed, numRuns: runs, endOnFailure: true });
    const { commands, comparisons } = counts;
    const reached = reachedSince(before, counts);
    const outcome: Outcome = { commands, comparisons, reached, differences: 0 };
    if (!result.failed || result.counterexample === null) return outcome;
    const [rules, all] = result.counterexample;
    const least = await smallest({ rules, steps: all });
    const error = (await differenceOf(least)) ?? result.errorInstance;
    const title = `seed ${seed}: ${String(error).split("\n").slice(0, 2).join(" ")}`;
    return { ...outcome, differences: 1, found: { title, error, file: keep(seed, least) } };
  }

  return { campaign, repeat };
}

function emptyCounts(): Counts {
  return { commands: 0, comparisons: 0, by: {}, refused: {} };
}

function totals(): Record<string, number> {
  return {
    ...named("matching", seen),
    ...named("jump", jumpsSeen),
    ...named("cap", capsSeen),
    ...named("winding", windingSeen),
    ...named("liquidation", liquidationsSeen),
    ...named("event", eventsSeen),
    ...named("budget", budgetsSeen),
    ...named("vault", vaultSeen),
    ...named("fund", fundSeen),
    ...named("adopted", adopted),
  };
}

function reachedSince(
  before: Readonly<Record<string, number>>,
  { by, refused }: Counts,
): Record<string, number> {
  const now = Object.entries(totals());
  const since = now.map(([key, count]) => [key, count - (before[key] ?? 0)] as const);
  return { ...Object.fromEntries(since), ...named("do", by), ...named("refused", refused) };
}

function named(prefix: string, counts: Readonly<Record<string, number>>): Record<string, number> {
  const entries = Object.entries(counts).map(
    ([key, count]) => [`${prefix}.${key}`, count] as const,
  );
  return Object.fromEntries(entries);
}

function keep(seed: number, found: Case): string {
  mkdirSync(FOUND, { recursive: true });
  const file = `${FOUND}/${seed}.json`;
  writeFileSync(file, `${JSON.stringify(found, undefined, 1)}\n`);
  return file;
}
