import { isError } from "ethers";
import type { Provider } from "ethers";
import { IExchange__factory } from "../../typechain-types/factories/interfaces/IExchange__factory.js";
import { decodeError } from "../package/errors.js";
import { decodeDone, encodeAction, targetOf } from "./actions.js";
import type { Action, Targets } from "./actions.js";
import { LEFT_REASONS } from "./effects.js";
import type { Effects, Left, Outcome, Simulation } from "./effects.js";
import type { Log } from "./log.js";
import {
  readAccounts,
  readFund,
  readHead,
  readMarkets,
  readOutflow,
  readPositions,
} from "./read.js";
import type { Intent, Receipt, Sent } from "./send.js";

/* Effects on a chain. The provider may be one over HTTP or one in the same process. */

export type ChainParts = Targets & {
  /** The provider to ask from this round on. */
  readonly provider: () => Promise<Provider>;
  readonly lens: string;
  /** Whose calls are simulated. */
  readonly from: string;
  readonly send: (intent: Intent) => Promise<Sent>;
  /** Accounts in one call of the lens. */
  readonly page: number;
  /** Most gas that a transaction may have. */
  readonly maxGas: bigint;
  readonly log: Log;
  readonly isStopping?: () => boolean;
};

/** The state may have changed a little until a call is mined: a fifth more gas than estimated. */
const GAS_NUMERATOR = 6n;
const GAS_DENOMINATOR = 5n;

export function createChainEffects(parts: ChainParts): Effects {
  const { exchange, from, maxGas, log } = parts;
  let provider: Provider | undefined;
  const reading = async () => {
    provider ??= await parts.provider();
    return { ...parts, provider };
  };
  return {
    async head() {
      // One provider per round: a round must not mix two views of the chain.
      provider = await parts.provider();
      return readHead(provider);
    },
    markets: async (head) => readMarkets(await reading(), head),
    accounts: async (head) => readAccounts(await reading(), head),
    positions: async (head, accounts) => readPositions(await reading(), head, accounts),
    outflow: async (head) => readOutflow(await reading(), head),
    fund: async (head) => readFund(await reading(), head),
    async simulate(action) {
      const { provider: asked } = await reading();
      return simulate(
        asked,
        { to: targetOf(action, parts), from, data: encodeAction(action) },
        action,
      );
    },
    async send(action, gas) {
      const wanted = (gas * GAS_NUMERATOR) / GAS_DENOMINATOR;
      const intent = {
        to: targetOf(action, parts),
        data: encodeAction(action),
        gas: wanted < maxGas ? wanted : maxGas,
      };
      return outcomeOf(await parts.send(intent), exchange);
    },
    log,
    ...(parts.isStopping === undefined ? {} : { isStopping: parts.isStopping }),
  };
}

type Request = { readonly to: string; readonly from: string; readonly data: string };

/** The exact calldata, on top of what waits to be mined. */
async function simulate(provider: Provider, request: Request, action: Action): Promise<Simulation> {
  try {
    const result = await provider.call({ ...request, blockTag: "pending" });
    const gas = await provider.estimateGas(request);
    return { ok: true, done: decodeDone(action, result), gas };
  } catch (error) {
    const decoded = decodeError(error);
    if (decoded !== undefined) return { ok: false, reason: decoded.text };
    // A revert without bytes: out of gas, or a failed assertion.
    if (isError(error, "CALL_EXCEPTION")) return { ok: false, reason: "reverted" };
    throw error;
  }
}

const exchangeAbi = IExchange__factory.createInterface();

function outcomeOf(sent: Sent, exchange: string): Outcome {
  if (sent.status === "dropped") return sent;
  const { receipt, status } = sent;
  const { hash, gasUsed } = receipt;
  return status === "mined"
    ? { status, hash, gasUsed, left: leftOut(receipt, exchange) }
    : { status, hash, gasUsed };
}

/** Accounts that the call named and left out. */
function leftOut({ logs }: Pick<Receipt, "logs">, exchange: string): Left[] {
  const topic = exchangeAbi.getEvent("Skipped").topicHash;
  return logs
    .filter(({ address, topics }) => address === exchange && topics[0] === topic)
    .flatMap((line) => {
      const { account, reason } = exchangeAbi
        .decodeEventLog("Skipped", line.data, [...line.topics])
        // The event's own fields.
        .toObject() as { account: bigint; reason: bigint };
      const name = LEFT_REASONS[Number(reason)];
      return name === undefined ? [] : [{ account: Number(account), reason: name }];
    });
}
