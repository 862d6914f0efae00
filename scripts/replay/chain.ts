/**
 * A chain in this process whose clock the replay holds: transactions wait until a block is made at a time of the replay's choice, in
 * the order in which they came. Senders are accounts without a key.
 */

import hre from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { dataSlice, getAddress, id as hashOf, toQuantity } from "ethers";
import type { RawLog } from "../lib/events.js";
import type { Call } from "./record.js";

export type Request = {
  readonly call: Call;
  readonly from: string;
  readonly to: string;
  readonly data: string;
  readonly gas?: number;
  /** Accounts that the call names, 0 if none. */
  readonly accounts?: number;
};

export type Mined = {
  readonly hash: string;
  readonly request: Request;
  readonly isDone: boolean;
  readonly gas: number;
  readonly logs: readonly RawLog[];
};

export type Chain = {
  readonly connection: NetworkConnection;
  /** Takes the clock: from here on there is a block only where `mine` makes one. */
  readonly takeClock: () => Promise<void>;
  /** An address that may send. The same name gives the same address. */
  readonly actor: (name: string) => Promise<string>;
  /** Queues a transaction. */
  readonly submit: (request: Request) => Promise<string>;
  /** Says when the next block is, so that what is asked of the pending block is asked of that one. */
  readonly prepare: (time: number) => Promise<void>;
  /** Makes the block. What did not fit waits for the next. */
  readonly mine: (time: number) => Promise<Mined[]>;
  /** How many transactions wait. */
  readonly waiting: () => number;
};

/** What one transaction may use at most, by EIP-7825. */
export const MOST_GAS = 2 ** 24;
const BLOCK_GAS = 60_000_000;
const DEFAULT_GAS = 1_000_000;
/** Wei; senders have plenty. */
const GAS_PRICE = 10n ** 10n;
const PLENTY = 10n ** 30n;

/** @param genesis Unix time of the first block. */
export async function createChain(genesis: number): Promise<Chain> {
  const connection = await hre.network.create({
    override: {
      blockGasLimit: BLOCK_GAS,
      initialDate: new Date(genesis * 1_000).toISOString(),
      initialBaseFeePerGas: 1,
      mining: { mempool: { order: "fifo" } },
    },
  });
  const { provider } = connection;
  const pending = new Map<string, Request>();
  const actors = new Map<string, string>();

  const actor = async (name: string): Promise<string> => {
    const known = actors.get(name);
    if (known !== undefined) return known;
    const address = getAddress(dataSlice(hashOf(`replay/${name}`), 12));
    await provider.request({ method: "hardhat_impersonateAccount", params: [address] });
    const funds = [address, toQuantity(PLENTY)];
    await provider.request({ method: "hardhat_setBalance", params: funds });
    actors.set(name, address);
    return address;
  };

  const submit = async (request: Request): Promise<string> => {
    const { from, to, data, gas = DEFAULT_GAS } = request;
    const transaction = { from, to, data, gas: toQuantity(gas), gasPrice: toQuantity(GAS_PRICE) };
    const params = [transaction];
    const answer: unknown = await provider.request({ method: "eth_sendTransaction", params });
    const hash = String(answer);
    pending.set(hash, request);
    return hash;
  };

  const prepare = async (time: number): Promise<void> => {
    await provider.request({ method: "evm_setNextBlockTimestamp", params: [toQuantity(time)] });
  };

  const mine = async (time: number): Promise<Mined[]> => {
    await prepare(time);
    await provider.request({ method: "evm_mine", params: [] });
    const mined: Mined[] = [];
    for (const [hash, request] of pending) {
      const params = [hash];
      const receipt: unknown = await provider.request({
        method: "eth_getTransactionReceipt",
        params,
      });
      if (!isReceipt(receipt)) continue;
      pending.delete(hash);
      const { status, gasUsed, logs } = receipt;
      mined.push({ hash, request, isDone: BigInt(status) === 1n, gas: Number(gasUsed), logs });
    }
    return mined;
  };

  const takeClock = async (): Promise<void> => {
    await provider.request({ method: "evm_setAutomine", params: [false] });
  };

  return { connection, takeClock, actor, submit, prepare, mine, waiting: () => pending.size };
}

type RawReceipt = {
  readonly status: string;
  readonly gasUsed: string;
  readonly logs: readonly RawLog[];
};

/** A node answers null for what is not mined. */
function isReceipt(value: unknown): value is RawReceipt {
  return typeof value === "object" && value !== null && "gasUsed" in value;
}
