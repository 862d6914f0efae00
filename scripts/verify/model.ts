import { openCampaigns } from "../../test/exchange/campaign.js";
import type { Outcome } from "../../test/exchange/campaign.js";
import { hashOfContracts, record, runsOf, sumOf } from "./record.js";
import type { Run } from "./record.js";

/*
 * The exchange against the reference model, for as long as one likes: `npm run verify:model -- [minutes] [first seed]`. Every few
 * minutes what was done is recorded as one line with its seeds, and at the end the sum over all lines of the same contracts is printed.
 * It goes on behind the last seed that was used; give a first seed to run two at once.
 */

const CHECK = "model";
/** A seed is a few runs of the chain from its start. */
const RUNS = 4;
const STEPS = 60;
/** No more than this is lost by stopping. */
const LINE_SECONDS = 240;

type Stretch = {
  readonly first: number;
  last: number;
  readonly since: number;
  outcomes: Outcome[];
};

const minutes = Number(process.argv[2] ?? "5");
const contracts = hashOfContracts();
const until = Date.now() + minutes * 60_000;
const { campaign } = await openCampaigns();
let seed = Number(process.argv[3] ?? lastSeed(runsOf(CHECK, contracts)) + 1);
let stretch = open(seed);
while (Date.now() < until) {
  const outcome = await campaign({ seed, runs: RUNS, steps: STEPS });
  stretch.outcomes.push(outcome);
  stretch.last = seed;
  console.log(`seed ${seed}: ${outcome.commands} commands, ${outcome.differences} differences`);
  if (outcome.found !== undefined) console.log(outcome.found.file, outcome.found.error);
  seed++;
  if (Date.now() - stretch.since < LINE_SECONDS * 1000) continue;
  record(lineOf(stretch));
  stretch = open(seed);
}
if (stretch.outcomes.length > 0) record(lineOf(stretch));
console.log(summary(runsOf(CHECK, contracts)));

function open(first: number): Stretch {
  return { first, last: first, since: Date.now(), outcomes: [] };
}

function lineOf({ first, last, since, outcomes }: Stretch): Run {
  const parts = outcomes.map(({ commands, comparisons, differences, reached }) => ({
    ...reached,
    seeds: 1,
    commands,
    comparisons,
    differences,
  }));
  return {
    check: CHECK,
    contracts,
    at: new Date().toISOString(),
    seconds: Math.round((Date.now() - since) / 1000),
    seed: `${first}-${last}`,
    counts: sumOf(parts.map((counts) => ({ counts }))),
    failures: outcomes.flatMap(({ found }) => (found === undefined ? [] : [found.title])),
  };
}

function lastSeed(runs: readonly Run[]): number {
  return Math.max(0, ...runs.map((run) => Number(run.seed.split("-").at(-1))));
}

/** Seeds, commands, comparisons and differences, then everything that was come upon. */
function summary(runs: readonly Run[]): string {
  const { seeds, commands, comparisons, differences, ...reached } = sumOf(runs);
  const head = `${seeds} seeds, ${commands} commands, ${comparisons} comparisons, ${differences} differences`;
  const counts = Object.entries(reached).sort(([a], [b]) => (a < b ? -1 : 1));
  return [head, ...counts.map(([name, count]) => `  ${name} ${count}`)].join("\n");
}

process.exit(0);
