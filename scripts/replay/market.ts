/** The market of a replay: what is deployed, out of a scenario. */

import { ParametersError, parseParameters } from "../deploy/parameters.js";
import type { MarketParameters, Parameters } from "../deploy/parameters.js";
import { parseUnits } from "ethers";
import { QUOTE_DECIMALS, WHOLE, formatDecimal, max, min } from "../lib/units.js";
import { perLot } from "./exchange.js";
import { scaleOf } from "./path.js";
import type { PricePath, Scale } from "./path.js";
import { InputError, splitRule } from "./scenario.js";
import type { Scenario } from "./scenario.js";

export const MARKET = 0;
export const FEEDS = ["REPLAY/USD:a", "REPLAY/USD:b"] as const;
/**
 * Open interest may grow to this many times the scenario's. Nearly all of it passes through one dealer, and the population's
 * margin is what its leverage asks for: no account's share of the cap may ask for more.
 */
const CAP_FACTOR = 100n;
/** A replay begins in a market that has been there for long. */
const GROWN = { capStart: 100 };
const FUND_COOLDOWN = 864_000;
const FUND_SHARE = 200_000;

/** The deployment that a scenario asks for. Unknown or impossible parameters are a fault of the scenario. */
export function parametersOf(scenario: Scenario, path: PricePath, file: string): Parameters {
  const price = path.points[0]?.price ?? 0n;
  const { tick, lotDecimals } = scaleOf(price);
  const { quantity, deficit } = splitRule(scenario.rule);
  const { openInterest } = scenario.population;
  const cap = (openInterest * CAP_FACTOR * 10n ** BigInt(lotDecimals)) / price;
  const market = {
    name: "REPLAY-PERP",
    tickSize: formatDecimal(tick, QUOTE_DECIMALS),
    lotDecimals,
    openInterestCap: formatDecimal(cap, lotDecimals),
    sources: FEEDS.map((feed) => ({ kind: "signed", feed })),
    quantityRule: quantity,
    deficitRule: deficit,
  };
  const nobody = { admin: null, listing: null, guardian: null, treasury: null, oracle: null };
  try {
    return parseParameters({
      token: null,
      fundCooldown: FUND_COOLDOWN,
      fundShare: FUND_SHARE,
      roles: nobody,
      delay: 0,
      signers: [],
      markets: [{ ...GROWN, ...scenario.parameters, ...market }],
    });
  } catch (error) {
    if (!(error instanceof ParametersError)) throw error;
    const problems = error.problems.map((problem) => problem.replace("markets.0", "parameters"));
    throw new InputError(file, problems);
  }
}

export function marketOf({ markets }: Parameters): MarketParameters {
  const [market] = markets;
  if (market === undefined) throw new RangeError("a replay has one market");
  return market;
}

/** What the report lists: every parameter of the market by its name. */
export function listedParameters(parameters: Parameters): { name: string; value: string }[] {
  return Object.entries(marketOf(parameters)).map(([name, value]) => ({
    name,
    value: typeof value === "object" ? JSON.stringify(value) : String(value),
  }));
}

const PPM = 1_000_000n;
const PERCENT = 100n;
/** The walk through all entries goes this far above the highest price of a population, and the mark above the index; ppm. */
const HIGHEST_MARK = 1_020_000n;

/**
 * What the top leverages of a side may hold while positions are opened, in lots: by the formula of contracts/libraries/Caps.sol, at
 * the highest mark on the way.
 */
export function topLotsOf(
  scenario: Scenario,
  parameters: Parameters,
  { price, scale, fund }: Opening,
): bigint {
  const { move, topShare, dayBudget, tiers, openInterestCap } = marketOf(parameters);
  const cap = parseUnits(openInterestCap, scale.lotDecimals);
  const share = (cap * BigInt(topShare)) / PERCENT;
  const rate = PPM / (2n * BigInt(tiers[0]?.leverage ?? 1));
  const excess = BigInt(move) - rate;
  if (excess <= 0n) return share;
  const { long, short } = scenario.population;
  const highest = max(max(long.entry.to, short.entry.to), WHOLE);
  const mark = (perLot(price, scale) * highest * HIGHEST_MARK) / (WHOLE * PPM);
  return min(share, (fund * BigInt(dayBudget)) / (mark * excess));
}

type Opening = {
  /** The first of the path, 18 decimals. */
  readonly price: bigint;
  readonly scale: Scale;
  /** What the fund holds then, quote. */
  readonly fund: bigint;
};
