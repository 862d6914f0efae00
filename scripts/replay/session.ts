/** One replay in progress: the chain, the exchange on it, who takes part, and the block that is being made. */

import { decodeError } from "../package/errors.js";
import type { Ballast } from "../deploy/deploy.js";
import type { Chain, Mined, Request } from "./chain.js";
import { anyAbi } from "./actions.js";
import type { Publisher } from "./exchange.js";
import type { BlockView, Follower } from "./follower.js";
import type { Scale } from "./path.js";

/** Seconds between blocks. */
export const BLOCK_SECONDS = 2;

export type Participant = { readonly account: number; readonly owner: string };

export type Session = {
  readonly chain: Chain;
  readonly ballast: Ballast;
  readonly exchange: string;
  readonly scale: Scale;
  readonly publish: Publisher;
  readonly follower: Follower;
  /** Of the last block. */
  readonly time: () => number;
  /** Makes a block of what waits, at a time or as soon as it may be, and takes it in. */
  readonly block: (time?: number) => Promise<BlockView>;
};

type Parts = Omit<Session, "time" | "block"> & { readonly start: number };

export function createSession({ start, ...parts }: Parts): Session {
  let time = start;
  const block = async (at = time + BLOCK_SECONDS): Promise<BlockView> => {
    time = at;
    const mined = await parts.chain.mine(time);
    return parts.follower.follow(mined, time);
  };
  return { ...parts, time: () => time, block };
}

/** Fails if a transaction that must succeed did not: the replay itself would be wrong. */
export async function requireDone(session: Session, mined: readonly Mined[]): Promise<void> {
  for (const { isDone, request } of mined) {
    if (isDone) continue;
    throw new Error(`${request.call} reverted: ${await reasonOf(session, request)}`);
  }
}

/** Asked again on the state after it, so that the reason is likely but not certain. */
async function reasonOf({ chain }: Session, { from, to, data }: Request): Promise<string> {
  try {
    await chain.connection.ethers.provider.call({ from, to, data });
    return "unknown, it would succeed now";
  } catch (error) {
    return decodeError(error)?.text ?? (error instanceof Error ? error.message : String(error));
  }
}

/** A call of the exchange. */
export function callOf(
  { exchange }: Pick<Session, "exchange">,
  from: string,
  call: Pick<Request, "call" | "accounts" | "gas"> & {
    readonly name: string;
    readonly args: readonly unknown[];
  },
): Request {
  const { name, args, ...rest } = call;
  return { ...rest, from, to: exchange, data: anyAbi.encodeFunctionData(name, args) };
}
