/** The exchange of a replay: the production deployment, and prices for the market's two sources. */

import type { Signer } from "ethers";
import { checkDeployment } from "../deploy/check.js";
import { deployBallast } from "../deploy/deploy.js";
import type { Ballast } from "../deploy/deploy.js";
import type { Parameters } from "../deploy/parameters.js";
import { signPrice } from "../lib/feed.js";
import { WHOLE } from "../lib/units.js";
import type { Chain, Request } from "./chain.js";
import { FEEDS } from "./market.js";
import type { Scale } from "./path.js";

const PRICE_GAS = 400_000;

/** Deploys everything as on a live chain and checks it. */
export async function deploy({ connection }: Chain, parameters: Parameters): Promise<Ballast> {
  const ballast = await deployBallast(connection, parameters);
  const [deployer] = await connection.ethers.getSigners();
  const problems = await checkDeployment({
    ballast,
    parameters,
    deployer: deployer?.address ?? "",
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

/** Quote of one unit of the test token, which has six decimals. */
const TOKEN_UNIT = WHOLE / 10n ** 6n;

/** Token units of an amount, rounded up. */
export function toToken(quote: bigint): bigint {
  return (quote + TOKEN_UNIT - 1n) / TOKEN_UNIT;
}

export function toQuote(tokens: bigint): bigint {
  return tokens * TOKEN_UNIT;
}
