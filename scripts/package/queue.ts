import { IMarginVault__factory } from "../../typechain-types/factories/interfaces/IMarginVault__factory.js";
import type { Ballast } from "./ballast.js";

/*
 * The vault's queue: what owners take out beyond what was paid in for them. Token units, in the token's own decimals.
 */

const HOUR = 3_600n;

/** What waits to leave the vault, and how fast it may. */
export type Outflow = {
  /** Owed to requests in the queue. */
  readonly waiting: bigint;
  /** What may leave now beyond net deposits. */
  readonly room: bigint;
  /** What the room grows by in an hour, and the most that it grows to. */
  readonly rate: bigint;
  /** What `vault.release` would pay now. */
  readonly releasable: bigint;
};

export async function readOutflow({ vault }: Ballast): Promise<Outflow> {
  const { waiting, room, rate, releasable } = await vault.outflow();
  return { waiting, room, rate, releasable };
}

/** How a withdrawal would be paid now. */
export type Payment = {
  readonly atOnce: bigint;
  readonly queued: bigint;
};

/** @param owner Of the account that is withdrawn from: all accounts of an owner share their net deposits. */
export async function previewWithdrawal(
  { vault }: Ballast,
  owner: string,
  amount: bigint,
): Promise<Payment> {
  const { principal, fitting, later } = await vault.preview(owner, amount);
  return { atOnce: principal + fitting, queued: later };
}

/** A request in the vault's queue. Times are seconds. */
export type WithdrawalRequest = {
  readonly to: string;
  /** What it still waits for; 0 if nothing. */
  readonly left: bigint;
  /** What is paid before it. */
  readonly ahead: bigint;
  /** Until all of it may be paid, if `tracked` stays what it is. */
  readonly expected: bigint;
  /** The same at the worst: if everybody else withdraws all principal. */
  readonly longest: bigint;
};

export async function readRequest(ballast: Ballast, id: bigint): Promise<WithdrawalRequest> {
  const [request, { room, rate }] = await Promise.all([
    ballast.vault.requestOf(id),
    readOutflow(ballast),
  ]);
  const { to, left, ahead, longest } = request;
  const missing = ahead + left - room;
  const expected = missing > 0n ? (missing * HOUR + rate - 1n) / rate : 0n;
  return { to, left, ahead, expected, longest };
}

type Logs = readonly {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}[];

const vaultAbi = IMarginVault__factory.createInterface();

/** Ids of the requests that a transaction put into the queue, from the logs of its receipt. */
export async function requestsIn({ vault }: Ballast, logs: Logs): Promise<bigint[]> {
  const address = await vault.getAddress();
  const { topicHash } = vaultAbi.getEvent("Queued");
  return logs
    .filter((log) => log.address === address && log.topics[0] === topicHash)
    .map((log) => BigInt(log.topics[1] ?? 0));
}
