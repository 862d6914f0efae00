import { id as hashOf, parseUnits, zeroPadValue } from "ethers";
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { MarketConfigStruct } from "../../typechain-types/interfaces/IExchange.js";

/*
 * What a deployment is made from: one JSON file, read and checked here. Whatever a market does not say is the
 * default for BTC. Rates are parts per million, times are seconds, "micro" is 1e-6 of a settlement unit.
 */

const LEVERAGES = [1, 2, 3, 5, 10, 20, 50, 100] as const;
const QUOTE_DECIMALS = 18;

const leverage = z.union(LEVERAGES.map((value) => z.literal(value)));
const ppm = z.int().min(0).max(1_000_000);
const seconds = z.int().min(0);
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "is an address");
const word = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, "is an id of 32 bytes")
  .transform((id) => id.toLowerCase());
const decimal = z.string().regex(/^\d+(\.\d+)?$/, "is a decimal number in quotes");

const Source = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("signed"), feed: z.string().min(1) }),
  z.strictObject({ kind: z.literal("chainlink"), aggregator: address }),
  z.strictObject({ kind: z.literal("pyth"), feed: word }),
]);

const Tier = z.strictObject({
  upTo: z.int().positive().nullable(),
  leverage: z.int().min(1).max(100),
});

const MarketParameters = z.strictObject({
  name: z.string().min(1),
  tickSize: decimal,
  lotDecimals: z.int().min(0).max(18),
  openInterestCap: decimal,
  sources: z.array(Source).min(1).max(5),
  tiers: z
    .array(Tier)
    .length(4)
    .default([
      { upTo: 1_000_000, leverage: 50 },
      { upTo: 5_000_000, leverage: 20 },
      { upTo: 20_000_000, leverage: 10 },
      { upTo: null, leverage: 5 },
    ]),
  maxLeverage: leverage.default(50),
  defaultLeverage: leverage.default(10),
  /** Tenths: the margin rate of an account is at least this times its share of the cap on open interest. */
  concentration: z.int().min(0).max(100).default(10),
  /** Percent of that cap: what one account may hold, and from where open interest raises initial margin, up to all at the cap. */
  accountShare: z.int().min(1).max(100).default(20),
  crowdingFrom: z.int().min(0).max(100).default(50),
  /** Tenths of a standard deviation that initial margin covers, over how many seconds, averaged over how many. */
  volatilityFactor: z.int().min(0).max(60).default(30),
  volatilityHorizon: seconds.default(600),
  volatilityWindow: seconds.default(3600),
  /** How far the index goes until a forced sale is through, in all but a stated share of cases. */
  move: ppm.default(25_000),
  /** Percent of the cap on open interest: what leverages of 20 and more hold together, what a new market starts with. */
  topShare: z.int().min(0).max(100).default(50),
  capStart: z.int().min(1).max(100).default(10),
  capRamp: seconds.default(1_209_600),
  /** Of the fund: what the market may draw in eight hours before it only shrinks. */
  drawdownLimit: ppm.default(300_000),
  windWindow: seconds.default(86_400),
  makerFee: ppm.default(100),
  takerFee: ppm.default(500),
  band: ppm.default(50_000),
  maxDeviation: ppm.default(10_000),
  maxJump: ppm.default(80_000),
  maxSpread: ppm.default(10_000),
  maxPending: seconds.default(60),
  freshFor: seconds.default(30),
  agedFor: seconds.default(300),
  maxDead: seconds.default(86_400),
  premiumWindow: seconds.default(150),
  sampleInterval: seconds.default(10),
  impactNotional: z.int().positive().default(20_000),
  lastTradeFor: seconds.default(60),
  maxFunding: ppm.default(7_500),
  interest: ppm.default(100),
  maxAccrual: seconds.default(3_600),
  slip0: ppm.default(2_000),
  clock: seconds.default(30),
  liqSlip: ppm.default(5_000),
  penalty: ppm.default(5_000),
  callerShare: ppm.default(100_000),
  freshEpoch: seconds.default(240),
  classDelay: seconds.default(900),
  eventBudget: ppm.default(200_000),
  dayBudget: ppm.default(400_000),
  marketShare: ppm.default(600_000),
  fundTarget: ppm.default(50_000),
  minNotional: z.int().positive().default(10_000_000),
  cohortBond: z.int().min(0).default(100_000),
  quantityRule: z.enum(["Front", "ProRata"]).default("Front"),
  deficitRule: z.enum(["Winners", "Queue"]).default("Winners"),
});

/** What may leave the vault in an hour beyond its owners' net deposits: a share of what it holds, at least `floor` whole units. */
const Outflow = z.strictObject({
  share: z.int().min(10_000).max(1_000_000).default(100_000),
  floor: z.int().min(1).default(100_000),
});

const Fields = z.strictObject({
  /** The settlement token; null deploys a test token, on chains where that is allowed. */
  token: address.nullable(),
  fundCooldown: seconds,
  fundShare: ppm,
  outflow: Outflow.prefault({}),
  /** Null is the deployer. */
  roles: z.strictObject({
    admin: address.nullable(),
    listing: address.nullable(),
    guardian: address.nullable(),
    treasury: address.nullable(),
    oracle: address.nullable(),
  }),
  /** Seconds that what adds risk waits. Applies to roles that are not the deployer's. */
  delay: seconds,
  /** The signed feed: who may sign prices, and how many of them a price needs. Empty is the deployer. */
  signers: z.array(address),
  threshold: z.int().min(1).default(1),
  /** The sequencer's uptime feed on a rollup, and the seconds to wait after a restart. */
  sequencer: z.strictObject({ feed: address, grace: seconds }).nullable().default(null),
  /** The chain's Pyth contract, if a market has a source of it. */
  pyth: address.nullable().default(null),
  markets: z.array(MarketParameters).min(1).max(48),
});

const Parameters = Fields.superRefine(({ pyth, markets }, context) => {
  if (pyth !== null) return;
  for (const [id, { sources }] of markets.entries()) {
    for (const [place, { kind }] of sources.entries()) {
      if (kind !== "pyth") continue;
      const path = ["markets", id, "sources", place];
      context.addIssue({ code: "custom", path, message: "needs the address of Pyth, `pyth`" });
    }
  }
});

export type Parameters = z.output<typeof Parameters>;
export type MarketParameters = z.output<typeof MarketParameters>;
export type MarketOverrides = Partial<Omit<MarketParameters, "name" | "sources">>;

export class ParametersError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`deployment parameters:\n${problems.join("\n")}`);
    this.name = "ParametersError";
  }
}

/** Reads a parameter file; reports every problem at once, each with its path. */
export function readParameters(file: string): Parameters {
  return parseParameters(JSON.parse(readFileSync(file, "utf8")));
}

export function parseParameters(json: unknown): Parameters {
  const result = Parameters.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new ParametersError(problems);
}

/** What the oracle asks a source for. */
export function feedOf(source: MarketParameters["sources"][number]): string {
  switch (source.kind) {
    case "signed":
      return hashOf(source.feed);
    case "chainlink":
      return zeroPadValue(source.aggregator, 32);
    case "pyth":
      return source.feed;
  }
}

/** Quote per lot and tick: tickSize · 10^18 / 10^lotDecimals. */
export function unitOf({ tickSize, lotDecimals }: MarketParameters): bigint {
  return parseUnits(tickSize, QUOTE_DECIMALS) / 10n ** BigInt(lotDecimals);
}

export function toMarketConfig(market: MarketParameters): MarketConfigStruct {
  const { tiers, name, sources, tickSize, ...rest } = market;
  return {
    ...rest,
    ...tierFields(tiers),
    unit: unitOf(market),
    maxLeverage: LEVERAGES.indexOf(market.maxLeverage),
    defaultLeverage: LEVERAGES.indexOf(market.defaultLeverage),
    openInterestCap: parseUnits(market.openInterestCap, market.lotDecimals),
    quantityRule: market.quantityRule === "Front" ? 0 : 1,
    deficitRule: market.deficitRule === "Winners" ? 0 : 1,
  };
}

type TierField = `tierCap${1 | 2 | 3}` | `tierLeverage${1 | 2 | 3 | 4}`;

function tierFields(tiers: MarketParameters["tiers"]): Pick<MarketConfigStruct, TierField> {
  const [first, second, third, last] = tiers;
  const caps = [first?.upTo, second?.upTo, third?.upTo].filter((cap) => typeof cap === "number");
  const [tierCap1, tierCap2, tierCap3] = caps;
  if (!first || !second || !third || !last || last.upTo !== null || caps.length < 3) {
    throw new ParametersError(["markets.tiers: there are four, and only the last has no end"]);
  }
  return {
    tierCap1: tierCap1 ?? 0,
    tierCap2: tierCap2 ?? 0,
    tierCap3: tierCap3 ?? 0,
    tierLeverage1: first.leverage,
    tierLeverage2: second.leverage,
    tierLeverage3: third.leverage,
    tierLeverage4: last.leverage,
  };
}
