/** From the command line to what is to be run: the scenario with what the options change, and its price path. */

import { basename, dirname, join, resolve } from "node:path";
import { readdirSync } from "node:fs";
import type { Parameters } from "../deploy/parameters.js";
import { parseCandles } from "./candles.js";
import { pathOfCandles, pathOfSteps } from "./path.js";
import type { PricePath } from "./path.js";
import { parametersOf } from "./market.js";
import { InputError, MAX_ACCOUNTS, RULES, readScenario, readText } from "./scenario.js";
import type { Rule, Scenario } from "./scenario.js";

export type Options = {
  readonly scenario?: string;
  readonly candles?: string;
  readonly rule?: string;
  readonly accounts?: string;
  readonly seed?: string;
};

export type ReplayPlan = {
  readonly scenario: Scenario;
  readonly path: PricePath;
  /** What is deployed. */
  readonly parameters: Parameters;
  /** Name of the candle file, without its folder. */
  readonly candles?: string;
  readonly warnings: readonly string[];
};

/** Options that say something impossible; the message is for the user. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

const SCENARIOS = join(import.meta.dirname, "scenarios");
const DEFAULT_SCENARIO = "flash-crash";
const CANDLES_SCENARIO = "candles";
const LEAST_ACCOUNTS = 4;

/** The scenarios that come with the code, by name. */
export function knownScenarios(): string[] {
  return readdirSync(SCENARIOS)
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length))
    .sort();
}

export function createPlan(options: Options): ReplayPlan {
  const file = fileOf(
    options.scenario ?? (options.candles === undefined ? DEFAULT_SCENARIO : CANDLES_SCENARIO),
  );
  const scenario = withOptions(readScenario(file), options);

  if (options.candles !== undefined) return planOfCandles(scenario, file, options.candles);
  if (scenario.path.kind === "steps") {
    const path = pathOf(file, () => stepsOf(scenario));
    return { scenario, path, parameters: parametersOf(scenario, path, file), warnings: [] };
  }
  if (scenario.path.file === undefined) {
    throw new UsageError(`scenario ${scenario.id} replays candles: name their file with --candles`);
  }
  return planOfCandles(scenario, file, resolve(dirname(file), scenario.path.file));
}

function fileOf(nameOrFile: string): string {
  return knownScenarios().includes(nameOrFile) ? join(SCENARIOS, `${nameOrFile}.json`) : nameOrFile;
}

function planOfCandles(scenario: Scenario, scenarioFile: string, file: string): ReplayPlan {
  const candles = parseCandles(readText(file), file);
  const path = pathOf(file, () => pathOfCandles(candles));
  return {
    scenario,
    path,
    parameters: parametersOf(scenario, path, scenarioFile),
    candles: basename(file),
    warnings: candles.warnings.map((warning) => `${file}: ${warning}`),
  };
}

function stepsOf({ path }: Scenario): PricePath {
  if (path.kind !== "steps") throw new UsageError("the scenario has no steps");
  return pathOfSteps(path);
}

/** Prices that cannot be traded are a fault of the file that has them. */
function pathOf(file: string, create: () => PricePath): PricePath {
  try {
    return create();
  } catch (error) {
    if (error instanceof RangeError) throw new InputError(file, [error.message]);
    throw error;
  }
}

function withOptions(scenario: Scenario, { rule, accounts, seed }: Options): Scenario {
  return {
    ...scenario,
    rule: rule === undefined ? scenario.rule : parseRule(rule),
    seed: seed === undefined ? scenario.seed : parseCount("--seed", seed, [0, 2 ** 32 - 1]),
    population:
      accounts === undefined
        ? scenario.population
        : {
            ...scenario.population,
            accountsPerSide: Math.floor(
              parseCount("--accounts", accounts, [LEAST_ACCOUNTS, MAX_ACCOUNTS]) / 2,
            ),
          },
  };
}

function parseRule(text: string): Rule {
  const rule = RULES.find((known) => known.toLowerCase() === text.toLowerCase());
  if (rule === undefined) throw new UsageError(`--rule must be one of ${RULES.join(", ")}`);
  return rule;
}

function parseCount(name: string, text: string, [from, to]: readonly [number, number]): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value >= from && value <= to) return value;
  throw new UsageError(`${name} must be a whole number from ${from} to ${to}, not "${text}"`);
}
