/** The market of a replay: parameters out of a scenario, the production deployment, and prices for its two sources. */

import hre from "hardhat";
import type { Signer } from "ethers";
import { checkDeployment } from "../deploy/check.js";
import { deployBallast } from "../deploy/deploy.js";
import type { Ballast } from "../deploy/deploy.js";
import { ParametersError, parseParameters } from "../deploy/parameters.js";
import type { MarketParameters, Parameters } from "../deploy/parameters.js";
import { signPrice } from "../lib/feed.js";
import { QUOTE_DECIMALS, WHOLE, formatDecimal } from "../lib/units.js";
import type { Chain, Request } from "./chain.js";
import { scaleOf } from "./path.js";
import type { PricePath, Scale } from "./path.js";
import { InputError, splitRule } from "./scenario.js";
import type { Scenario } from "./scenario.js";

export const MARKET = 0;
const FEEDS = ["REPLAY/USD:a", "REPLAY/USD:b"] as const;
/** Open interest may grow to this many times the scenario's, since market makers buy too. */
const CAP_FACTOR = 4n;
const FUND_COOLDOWN = 864_000;
const FUND_SHARE = 200_000;
const PRICE_GAS = 400_000;

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
      markets: [{ ...scenario.parameters, ...market }],
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

/** Deploys everything as on a live chain and checks it. */
export async function deploy({ connection }: Chain, parameters: Parameters): Promise<Ballast> {
  const ballast = await deployBallast(connection, parameters);
  const [deployer] = await connection.ethers.getSigners();
  const problems = await checkDeployment({
    ballast,
    parameters,
    deployer: deployer?.address ?? "",
    artifacts: hre.artifacts,
  });
  if (problems.length > 0) throw new Error(`the deployment is not sound:\n${problems.join("\n")}`);
  return ballast;
}

export type Publisher = (price: bigint, publishTime: number) => Promise<Request>;

/** Signs a price for both sources; the request pushes them at once. */
export async function createPublisher(chain: Chain, ballast: Ballast): Promise<Publisher> {
  const { connection } = chain;
  const [signer] = await connection.ethers.getSigners();
  if (signer === undefined) throw new Error("the network has no account to sign with");
  const signers: readonly Signer[] = [signer];
  const { chainId } = await connection.ethers.provider.getNetwork();
  const from = await chain.actor("publisher");
  const to = await ballast.signedFeed.getAddress();

  return async (price, publishTime) => {
    const signed = await Promise.all(
      FEEDS.map((feed) =>
        signPrice(
          ballast.signedFeed,
          { feed, price, publishTime: BigInt(publishTime) },
          { signers, chainId },
        ),
      ),
    );
    const data = ballast.signedFeed.interface.encodeFunctionData("pushMany", [
      signed.map(({ update }) => update),
      signed.map(({ signatures }) => signatures),
    ]);
    return { call: "price", from, to, data, gas: PRICE_GAS };
  };
}

/** Quote per lot from settlement units per base unit. */
export function perLot(price: bigint, { lotDecimals }: Scale): bigint {
  return price / 10n ** BigInt(lotDecimals);
}

/** Token units of an amount, rounded up. The test token has six decimals. */
export function toToken(quote: bigint): bigint {
  const unit = WHOLE / 10n ** 6n;
  return (quote + unit - 1n) / unit;
}
