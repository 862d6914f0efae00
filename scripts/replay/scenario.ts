/**
 * A scenario is data: where the price goes, who holds what, how deep the book is and what the fund has. This file says
 * which data is a scenario; docs/replay.md describes every field. Decimal numbers are strings, so that none of them is rounded.
 */

import { readFileSync } from "node:fs";
import { z } from "zod";
import { QUOTE_DECIMALS, WHOLE, decimalsOf, isDecimal, parseDecimal } from "../lib/units.js";

export const QUANTITY_RULES = ["Front", "ProRata"] as const;
export const DEFICIT_RULES = ["Winners", "Queue"] as const;
export const RULES = ["Front/Winners", "Front/Queue", "ProRata/Winners", "ProRata/Queue"] as const;
export const LEVERAGES = [1, 2, 3, 5, 10, 20, 50, 100] as const;
export const MAX_ACCOUNTS = 1_000;

const INVALID = { problem: "is not a decimal number, written as a string" };

/** A decimal string; the scenario keeps it as an integer with 18 decimals. */
const decimal = z
  .string()
  .refine(isDecimal, { error: INVALID.problem, abort: true })
  .refine((text) => decimalsOf(text) <= QUOTE_DECIMALS, {
    error: `has more than ${QUOTE_DECIMALS} decimals`,
    abort: true,
  })
  .transform((text) => parseDecimal(text, QUOTE_DECIMALS));

const positive = decimal.refine((value) => value > 0n, { error: "must be above 0" });
const fraction = decimal.refine((value) => value >= 0n && value <= WHOLE, {
  error: "must be between 0 and 1",
});
const count = (from: number, to: number) => z.int().min(from).max(to);

const leverage = z
  .int()
  .refine((value) => LEVERAGES.some((known) => known === value), {
    error: `must be one of ${LEVERAGES.join(", ")}`,
  })
  .meta({ description: "A leverage of the exchange's table." });

const band = z
  .strictObject({ from: positive, to: positive })
  .refine(({ from, to }) => from <= to, { error: "`from` must not be above `to`" });

const side = z.strictObject({
  /** Leverages and how likely each is; weights need not sum to 1. */
  leverages: z.array(z.strictObject({ leverage, weight: fraction })).min(1),
  /** Entry prices are uniform between these multiples of the first price. */
  entry: band,
});

const population = z.strictObject({
  /** Accounts on each side; two market makers and two keepers come on top. */
  accountsPerSide: count(2, MAX_ACCOUNTS / 2),
  /** Open interest at the first price, in settlement units. */
  openInterest: positive,
  /** Deviation of the logarithm of an account's size. */
  sizeSigma: decimal.refine((value) => value >= 0n && value <= 4n * WHOLE, {
    error: "must be between 0 and 4",
  }),
  /** Share of the shorts that are hedges: of spot, or of another market. */
  hedgeShare: fraction,
  /** At the first price no account has less equity than this multiple of its maintenance margin: it has topped up. */
  equityFloor: positive,
  long: side,
  short: side,
});

const book = z.strictObject({
  /** What the market makers bid for and offer between two prices, as a share of open interest. */
  depth: fraction,
  /** Price levels a side. */
  levels: count(1, 16),
  /** Distance of the best level from the index, as a share of it. */
  halfSpread: fraction,
  /** Distance of the last level from the index, as a share of it. */
  range: fraction,
});

const steps = z.strictObject({
  kind: z.literal("steps"),
  /** Prices in order; the first one is where the crash starts. */
  prices: z.array(positive).min(2).max(1_000),
  /** How long each price stands: a multiple of 15 seconds, because that is how often the sources publish. */
  secondsEach: z.int().min(15).max(3_600).multipleOf(15),
});

const candles = z.strictObject({
  kind: z.literal("candles"),
  /** A CSV file, seen from the scenario's own file; `--candles` gives another. */
  file: z.string().min(1).optional(),
});

const keepers = z.strictObject({
  /** Independent keepers. They take turns and race for the same accounts. */
  count: count(1, 4),
  /** Blocks between a keeper's looks at the market. A block is two seconds. */
  everyBlocks: count(1, 30),
  /** Accounts in one call at most. */
  batch: count(1, 200),
  /** Money of all keepers together for taking positions over, as a share of open interest. */
  capital: fraction,
});

/** Parameters of the market that differ from the exchange's defaults, by their names in scripts/deploy/parameters.ts. */
const parameters = z.record(z.string(), z.json());

const schema = z.strictObject({
  /** Version of this format. */
  format: z.literal(1),
  id: z.string().regex(/^[a-z0-9-]{1,40}$/, { error: "must be small letters, digits and dashes" }),
  title: z.string().min(1).max(120),
  /** One or two sentences for the head of the report. */
  description: z.string().min(1).max(600),
  /** Any 32-bit number; `--seed` gives another. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  rule: z.enum(RULES),
  path: z.discriminatedUnion("kind", [steps, candles]),
  population,
  book,
  /** The fund's money at the start, as a share of open interest. */
  fund: fraction,
  keepers,
  parameters,
});

export type Rule = (typeof RULES)[number];
export type QuantityRule = (typeof QUANTITY_RULES)[number];
export type DeficitRule = (typeof DEFICIT_RULES)[number];
/** Decimal fields are integers with 18 decimals. */
export type Scenario = z.output<typeof schema>;
export type SidePopulation = Scenario["population"]["long"];

/** A file that is not what it should be. `problems` is what a person can put right, one a line. */
export class InputError extends Error {
  constructor(
    readonly file: string,
    readonly problems: readonly string[],
  ) {
    super(problems.map((problem) => `${file}: ${problem}`).join("\n"));
    this.name = "InputError";
  }
}

/** Reads a scenario and reports all that is wrong with it at once. */
export function parseScenario(text: string, file: string): Scenario {
  let data: unknown;
  try {
    data = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new InputError(file, [`is not JSON: ${reasonOf(error)}`]);
  }
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  throw new InputError(file, result.error.issues.map(describe));
}

export function readScenario(file: string): Scenario {
  return parseScenario(readText(file), file);
}

/** The text of a file, or an InputError that says why there is none. */
export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    // Node's own errors carry a code; anything else is no matter of the file.
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") throw new InputError(file, ["there is no such file"]);
    if (code === "EISDIR") throw new InputError(file, ["is a directory"]);
    throw new InputError(file, [`cannot be read (${String(code)})`]);
  }
}

function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path
    .map((part, index) =>
      typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`,
    )
    .join("");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function splitRule(rule: Rule): { quantity: QuantityRule; deficit: DeficitRule } {
  const [quantity, deficit] = rule.split("/");
  return {
    quantity: quantity === "ProRata" ? "ProRata" : "Front",
    deficit: deficit === "Queue" ? "Queue" : "Winners",
  };
}
