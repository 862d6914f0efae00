import { isError, Transaction } from "ethers";
import { ALLOWED_SELECTORS } from "./actions.js";
import type { Targets } from "./actions.js";
import { bumpFees, firstFees } from "./fees.js";
import type { FeeLimits, Fees } from "./fees.js";
import type { Event, Log } from "./log.js";
import type { SerialQueue } from "./queue.js";

/** A transaction as the contract will see it: what was simulated. */
export type Intent = { readonly to: string; readonly data: string; readonly gas: bigint };

export type Receipt = {
  readonly status: number | null;
  readonly hash: string;
  readonly gasUsed: bigint;
  readonly logs: readonly {
    readonly address: string;
    readonly topics: readonly string[];
    readonly data: string;
  }[];
};

export type Sent =
  | { readonly status: "mined" | "reverted"; readonly receipt: Receipt }
  | { readonly status: "dropped"; readonly hash?: string; readonly reason: string };

/** What a sender asks of a chain. */
export type TxPort = {
  /** Transactions of the signer that are mined. */
  readonly nonce: () => Promise<number>;
  readonly fees: () => Promise<Fees>;
  readonly sign: (transaction: Unsigned) => Promise<string>;
  readonly broadcast: (signed: string) => Promise<unknown>;
  readonly receipt: (hash: string) => Promise<Receipt | null>;
  readonly sleep: (milliseconds: number) => Promise<void>;
};

export type Unsigned = Fees & {
  readonly type: 2;
  readonly chainId: number;
  readonly nonce: number;
  readonly to: string;
  readonly data: string;
  readonly value: 0n;
  readonly gasLimit: bigint;
};

export type SendLimits = FeeLimits & {
  readonly chainId: number;
  /** The only addresses that are ever called. */
  readonly targets: Targets;
  readonly maxGas: bigint;
  /** Milliseconds between looks for a receipt. */
  readonly pollEvery: number;
  /** Looks before fees are raised. */
  readonly polls: number;
};

export type SenderParts = {
  readonly port: TxPort;
  readonly limits: SendLimits;
  readonly queue: SerialQueue;
  readonly log: Log;
  /** True when the process ends: what is in flight is looked at a last few times, nothing is sent again. */
  readonly isStopping: () => boolean;
};

/** Looks for a receipt that are left once the process is to end. */
const LAST_POLLS = 8;

/**
 * Sends one transaction at a time. The nonce is always the next that is not mined, so that whatever an earlier process or
 * attempt left behind is replaced instead of waited for.
 */
export function createSender(parts: SenderParts): (intent: Intent) => Promise<Sent> {
  return (intent) => parts.queue(() => sendOne(parts, intent));
}

async function sendOne(parts: SenderParts, intent: Intent): Promise<Sent> {
  const { port, limits, log } = parts;
  const nonce = await port.nonce();
  let fees = firstFees(await port.fees(), limits);
  const hashes: string[] = [];
  for (let attempts = 1; ; attempts += 1) {
    const transaction = unsigned(intent, { nonce, fees, limits });
    const refusal = whyRefused(transaction, limits);
    if (refusal !== undefined) return dropped(hashes, refusal);
    const signed = await port.sign(transaction);
    const hash = Transaction.from(signed).hash ?? "";
    const result = await broadcast(port, signed);
    const isSent = result === "accepted" || result === "unknown";
    if (isSent) hashes.push(hash);
    log(eventOf(isSent, hashes), { hash, nonce, attempts, result, ...fees });
    if (result === "noFunds") return dropped(hashes, "insufficient funds");

    const receipt = await waitFor(parts, hashes, result);
    if (receipt !== undefined) return concluded(receipt);
    if (result === "nonceUsed") return dropped(hashes, "nonce was used by another transaction");
    if (parts.isStopping()) return dropped(hashes, "stopping");
    const next = bumpFees({ ...fees, attempts }, await port.fees(), limits);
    if (next === "drop") return dropped(hashes, "not mined in time");
    fees = next;
  }
}

function eventOf(isSent: boolean, hashes: readonly string[]): Event {
  if (!isSent) return "tx.refused";
  return hashes.length === 1 ? "tx.sent" : "tx.replaced";
}

function unsigned(
  { to, data, gas }: Intent,
  { nonce, fees, limits }: { nonce: number; fees: Fees; limits: SendLimits },
): Unsigned {
  return { type: 2, chainId: limits.chainId, nonce, to, data, value: 0n, gasLimit: gas, ...fees };
}

/** Default deny: one chain, two contracts with their functions, no value, bounded gas and fee. */
export function whyRefused(transaction: Unsigned, limits: SendLimits): string | undefined {
  const { chainId, to, data, value, gasLimit, maxFeePerGas } = transaction;
  if (chainId !== limits.chainId) return "another chain";
  const target = CONTRACTS.find((name) => limits.targets[name] === to);
  if (target === undefined) return "another contract";
  const selector = data.slice(0, "0x12345678".length);
  if (!ALLOWED_SELECTORS[target].has(selector)) return "another function";
  if (value !== 0n) return "value";
  if (gasLimit > limits.maxGas) return "too much gas";
  if (maxFeePerGas > limits.maxFeePerGas) return "too high a fee";
  return undefined;
}

const CONTRACTS: readonly (keyof Targets)[] = ["exchange", "vault", "fund"];

/** `unknown`: nobody answered; it may or may not have arrived. */
type Broadcast = "accepted" | "underpriced" | "nonceUsed" | "noFunds" | "unknown";

async function broadcast(port: TxPort, signed: string): Promise<Broadcast> {
  try {
    await port.broadcast(signed);
    return "accepted";
  } catch (error) {
    return whyNotAccepted(error);
  }
}

/** Nodes agree on no codes for these, so ethers' codes and the usual words are both asked. */
function whyNotAccepted(error: unknown): Broadcast {
  const text = error instanceof Error ? error.message.toLowerCase() : "";
  if (/already known|already imported|known transaction/.test(text)) return "accepted";
  if (isError(error, "REPLACEMENT_UNDERPRICED") || /underpriced|too low to replace/.test(text)) {
    return "underpriced";
  }
  if (isError(error, "NONCE_EXPIRED") || /nonce.*too low/.test(text)) return "nonceUsed";
  if (isError(error, "INSUFFICIENT_FUNDS") || /insufficient funds|enough funds/.test(text)) {
    return "noFunds";
  }
  return "unknown";
}

async function waitFor(
  { port, limits, isStopping }: SenderParts,
  hashes: readonly string[],
  result: Broadcast,
): Promise<Receipt | undefined> {
  // A refused replacement needs no wait, but an earlier one may be mined by now.
  const polls = result === "underpriced" || result === "nonceUsed" ? 1 : limits.polls;
  let lastPolls = LAST_POLLS;
  for (let i = 0; i < polls && lastPolls > 0; i += 1) {
    const receipt = await firstReceipt(port, hashes);
    if (receipt !== undefined) return receipt;
    if (isStopping()) lastPolls -= 1;
    await port.sleep(limits.pollEvery);
  }
  return undefined;
}

/** The latest first: it is the likeliest. A provider that does not answer is asked again at the next look. */
async function firstReceipt(port: TxPort, hashes: readonly string[]): Promise<Receipt | undefined> {
  for (const hash of hashes.toReversed()) {
    try {
      const receipt = await port.receipt(hash);
      if (receipt !== null) return receipt;
    } catch {
      return undefined;
    }
  }
  return undefined;
}

function concluded(receipt: Receipt): Sent {
  return { status: receipt.status === 1 ? "mined" : "reverted", receipt };
}

function dropped(hashes: readonly string[], reason: string): Sent {
  const hash = hashes.at(-1);
  return hash === undefined ? { status: "dropped", reason } : { status: "dropped", hash, reason };
}
