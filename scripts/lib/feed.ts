import type { Signer } from "ethers";
import { id as hashOf } from "ethers";
import type { SignedFeed } from "../../typechain-types/oracle/SignedFeed.js";

/* Signing prices for the signed feed. */

export type FeedPrice = {
  /** The feed's name, for example "BTC/USD:a". */
  readonly feed: string;
  /** Settlement units per base unit, 18 decimals. */
  readonly price: bigint;
  /** Half width of the signer's own interval, 18 decimals. */
  readonly confidence?: bigint;
  /** Unix time. */
  readonly publishTime: bigint;
};

export type SignedUpdate = {
  readonly update: {
    readonly feed: string;
    readonly price: bigint;
    readonly confidence: bigint;
    readonly publishTime: bigint;
  };
  readonly signatures: string[];
};

const TYPES = {
  Update: [
    { name: "feed", type: "bytes32" },
    { name: "price", type: "uint256" },
    { name: "confidence", type: "uint256" },
    { name: "publishTime", type: "uint256" },
  ],
};

/** Signs one price with each signer, in the order that the feed asks for: by rising address. */
export async function signPrice(
  feed: SignedFeed,
  price: FeedPrice,
  { signers, chainId }: { signers: readonly Signer[]; chainId: bigint },
): Promise<SignedUpdate> {
  const domain = {
    name: "Ballast SignedFeed",
    version: "1",
    chainId,
    verifyingContract: await feed.getAddress(),
  };
  const update = {
    feed: hashOf(price.feed),
    price: price.price,
    confidence: price.confidence ?? 0n,
    publishTime: price.publishTime,
  };
  const signed = await Promise.all(
    signers.map(async (signer) => ({
      address: (await signer.getAddress()).toLowerCase(),
      signature: await signer.signTypedData(domain, TYPES, update),
    })),
  );
  signed.sort((a, b) => (a.address < b.address ? -1 : 1));
  return { update, signatures: signed.map(({ signature }) => signature) };
}
