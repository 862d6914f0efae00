import { FetchRequest, JsonRpcProvider, Network } from "ethers";
import type { Provider } from "ethers";
import type { Log } from "./log.js";

/* Several providers, one of which is asked in a round. */

export type Rpc = {
  /** The provider for the next round. Throws `NoProviderError` if none is sound. */
  readonly choose: () => Promise<Provider>;
  readonly close: () => void;
};

export type RpcLimits = {
  readonly chainId: number;
  /** Milliseconds that one request may take. */
  readonly timeout: number;
  /** Blocks that a provider may be behind the best. */
  readonly maxLag: number;
};

export class NoProviderError extends Error {
  constructor(readonly reasons: readonly string[]) {
    super(`no sound provider: ${reasons.join("; ")}`);
    this.name = "NoProviderError";
  }
}

type Candidate = { readonly name: string; readonly provider: JsonRpcProvider };
type State =
  | {
      readonly ok: true;
      readonly number: number;
      readonly hashAt: (number: number) => Promise<string>;
    }
  | { readonly ok: false; readonly reason: string };

/** Providers in order of preference. Addresses may hold keys, so that lines name them by their place. */
export function createRpc(urls: readonly string[], limits: RpcLimits, log: Log): Rpc {
  const candidates = urls.map((url, i) => ({ name: `rpc-${i + 1}`, provider: open(url, limits) }));
  let chosen = candidates[0]?.name;
  return {
    async choose() {
      const states = await Promise.all(candidates.map((each) => stateOf(each, limits)));
      const reasons = await judge(states, limits);
      const index = reasons.findIndex((reason) => reason === undefined);
      const best = candidates[index];
      if (best === undefined) {
        const named = reasons.map((reason, i) => `${candidates[i]?.name}: ${reason}`);
        log("rpc.failed", { reasons: named });
        throw new NoProviderError(named);
      }
      if (best.name !== chosen) {
        log("rpc.switched", { from: chosen, to: best.name, reason: reasons[0] ?? "better again" });
        chosen = best.name;
      }
      return best.provider;
    },
    close() {
      for (const { provider } of candidates) provider.destroy();
    },
  };
}

function open(url: string, { chainId, timeout }: RpcLimits): JsonRpcProvider {
  const request = new FetchRequest(url);
  request.timeout = timeout;
  const network = Network.from(chainId);
  // The chain is asked in every round instead; ethers would ask forever before it answered anything.
  // Nothing is cached: an answer from before our own transaction would be wrong.
  return new JsonRpcProvider(request, network, { staticNetwork: network, cacheTimeout: -1 });
}

async function stateOf({ provider }: Candidate, { chainId, timeout }: RpcLimits): Promise<State> {
  try {
    const [id, number] = await within(
      timeout,
      // ethers types answers as any; a number comes out of whatever it is, or NaN.
      Promise.all([
        provider.send("eth_chainId", []) as Promise<unknown>,
        provider.getBlockNumber(),
      ]),
    );
    if (Number(id) !== chainId) return { ok: false, reason: "another chain" };
    const hashAt = async (at: number) => (await provider.getBlock(at))?.hash ?? "none";
    return { ok: true, number, hashAt };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.name : "unknown" };
  }
}

/** Why each provider cannot be asked. Two that disagree about a block rule out both: nobody knows which one is right. */
async function judge(
  states: readonly State[],
  { maxLag }: RpcLimits,
): Promise<(string | undefined)[]> {
  const sound = states.filter((state) => state.ok);
  const best = Math.max(...sound.map(({ number }) => number));
  const common = Math.min(...sound.map(({ number }) => number).filter((n) => n >= best - maxLag));
  const current = sound.filter(({ number }) => number >= common);
  const hashes =
    current.length < 2 ? [] : await Promise.all(current.map(({ hashAt }) => hashAt(common)));
  const disagree = new Set(hashes).size > 1;
  return states.map((state) => {
    if (!state.ok) return state.reason;
    if (state.number < common) return "behind";
    return disagree ? "providers disagree" : undefined;
  });
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(milliseconds)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

class TimeoutError extends Error {
  constructor(readonly milliseconds: number) {
    super(`no answer in ${milliseconds} ms`);
    this.name = "TimeoutError";
  }
}
