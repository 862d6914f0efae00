import type { NetworkConnection } from "hardhat/types/network";
import { formatUnits, hexlify, parseUnits } from "ethers";
import type { Interface } from "ethers";
import { parseEvents } from "../../scripts/lib/events.js";
import type { ExchangeEvent, RawLog } from "../../scripts/lib/events.js";
import { copyKnown, createKnown, track } from "../../scripts/lib/known.js";
import type { Known } from "../../scripts/lib/known.js";
import { createReader, readState } from "../../scripts/lib/read.js";
import { emptyMarket } from "../../scripts/lib/state.js";
import type { State } from "../../scripts/lib/state.js";
import { createWorld } from "../../scripts/lib/world.js";
import type { World } from "../../scripts/lib/world.js";
import { feedOf, toMarketConfig } from "../../scripts/deploy/parameters.js";
import type { MarketOverrides } from "../../scripts/deploy/parameters.js";

/*
 * The real deployment, for the model to run beside. A command is one block: both markets are poked, then the command is sent, so that
 * every command finds prices that can be read afterwards whether it was refused or not.
 *
 * Off, because the model does not know them: market risk in initial margin (volatility, concentration, crowding), the fund's part in the
 * cap of the top leverages, caps that grow, drawdown. Never reached: events that do not fit into one transaction, markets that are wound
 * down, a jump of the index that waits, more markets than an account may be in.
 */

export const OWNERS = 6;
export const ACCOUNTS = [10, 11, 12, 13, 14, 15, 16, 17] as const;
const GAS = "0xf42400";
const RICH = parseUnits("1000000000", 6);

export const OVERRIDES: MarketOverrides = {
  volatilityFactor: 0,
  concentration: 0,
  accountShare: 60,
  crowdingFrom: 100,
  openInterestCap: "200",
};

const RULES = [
  { quantityRule: "Front", deficitRule: "Winners" },
  { quantityRule: "ProRata", deficitRule: "Winners" },
  { quantityRule: "Front", deficitRule: "Queue" },
  { quantityRule: "ProRata", deficitRule: "Queue" },
] as const;

export type Real = Awaited<ReturnType<typeof deploy>>;

/** @returns A function that brings the chain back to the start, with a deployment that nobody has traded on. */
export async function deploy(connection: NetworkConnection, deposit = "4000") {
  const world = await createWorld(connection, { overrides: OVERRIDES });
  const owners: string[] = [];
  for (const [i] of ACCOUNTS.entries()) {
    const signer = world.signers[1 + (i % OWNERS)];
    if (signer === undefined) throw new Error("the network has accounts");
    await world.openAccount(signer, deposit);
    await world.ballast.token.mint(signer.address, RICH);
    await world.ballast.token.connect(signer).approve(world.ballast.vault, RICH * RICH);
    owners.push(signer.address);
  }
  await world.ballast.token.mint(world.deployer.address, RICH);
  await world.ballast.token.approve(world.ballast.fund, RICH);
  const listed = await listAll(world);
  return attach(world, owners, { listed, known: await knownSoFar(world) });
}

/** Both kinds of market once with every pair of rules. @returns Ids, by kind and rules. */
async function listAll(world: World): Promise<number[][]> {
  const { exchange, oracle, signedFeed } = world.ballast;
  const feed = await signedFeed.getAddress();
  const ids = [[0], [1]];
  for (const [kind, parameters] of world.parameters.markets.entries()) {
    const feeds = parameters.sources.map(feedOf);
    for (const rules of RULES.slice(1)) {
      const id = Number(await exchange.marketCount());
      await oracle.setSources(id, [feed, feed], feeds);
      await exchange.list(`${parameters.name}-${id}`, toMarketConfig({ ...parameters, ...rules }));
      ids[kind]?.push(id);
    }
  }
  return ids;
}

async function knownSoFar({ exchange, connection }: World): Promise<Known> {
  const known = createKnown();
  const filter = { address: await exchange.getAddress(), fromBlock: 0 };
  const logs = await connection.ethers.provider.getLogs(filter);
  for (const event of parseEvents(logs)) track(known, event);
  return known;
}

export type Sent = {
  /** Name of the error with which it was refused. */
  readonly error: string | undefined;
  /** Of the command alone. */
  readonly events: readonly ExchangeEvent[];
  readonly time: bigint;
};

export type Call = { readonly from: string; readonly to: string; readonly data: string };

async function attach(
  world: World,
  owners: readonly string[],
  { listed, known }: { listed: readonly (readonly number[])[]; known: Known },
) {
  const { connection, exchange, ballast, deployer } = world;
  const { provider } = connection;
  const address = await exchange.getAddress();
  const fund = await ballast.fund.getAddress();
  const read = createReader(connection.ethers.provider, address);
  let seen = copyKnown(known);
  let markets: readonly number[] = [0, 1];

  /** A new run on the chain as it was left by `deploy`. @param rules Of the first market, 0 to 3; the second has the next. */
  function restart(rules: number): void {
    seen = copyKnown(known);
    markets = [0, 1].map((kind) => listed[kind]?.[(rules + kind) % RULES.length] ?? 0);
  }

  /** One block, `seconds` after the last. */
  async function block(call: Call | undefined, seconds: bigint): Promise<Sent> {
    const time = BigInt(await connection.networkHelpers.time.latest()) + seconds;
    const pokes = markets.map((market) => ({
      from: deployer.address,
      to: address,
      data: exchange.interface.encodeFunctionData("poke", [market]),
    }));
    const hashes = await mine(call === undefined ? pokes : [...pokes, call], time);
    const receipts = await Promise.all(hashes.map(receiptOf));
    for (const { logs } of receipts) for (const event of parseEvents(logs)) track(seen, event);
    const [first, second, own] = receipts;
    if (first?.status !== "0x1" || second?.status !== "0x1") throw new Error("poking never fails");
    if (call === undefined || own === undefined) return { error: undefined, events: [], time };
    if (own.status === "0x1") return { error: undefined, events: parseEvents(own.logs), time };
    return { error: await errorOf(call), events: [], time };
  }

  async function mine(calls: readonly Call[], time: bigint): Promise<string[]> {
    await provider.request({ method: "evm_setAutomine", params: [false] });
    const hashes: string[] = [];
    for (const call of calls) {
      const params = [{ ...call, gas: GAS }];
      // The node answers with the transaction's hash.
      hashes.push((await provider.request({ method: "eth_sendTransaction", params })) as string);
    }
    const params = [`0x${time.toString(16)}`];
    await provider.request({ method: "evm_setNextBlockTimestamp", params });
    await provider.request({ method: "evm_mine", params: [] });
    await provider.request({ method: "evm_setAutomine", params: [true] });
    return hashes;
  }

  async function receiptOf(hash: string): Promise<{ status: string; logs: RawLog[] }> {
    const params = [hash];
    const receipt: unknown = await provider.request({
      method: "eth_getTransactionReceipt",
      params,
    });
    return receipt as { status: string; logs: RawLog[] };
  }

  /** Asked again after the block: a call that failed has changed nothing, and the prices are those of the block. */
  async function errorOf(call: Call): Promise<string> {
    try {
      await connection.ethers.provider.call({ ...call, gasLimit: GAS });
    } catch (error) {
      const data = dataOf(error);
      const abi: Interface = call.to === fund ? ballast.fund.interface : exchange.interface;
      if (data === undefined) return String(error);
      return abi.parseError(data)?.name ?? data;
    }
    return "nothing, when asked again";
  }

  /** To both sources of the first or second market, so that no jump waits. @param price 18 decimals. */
  async function push(price: bigint, kind: number): Promise<void> {
    await world.pushPrice(formatUnits(price, 18), kind);
  }

  /** With the two markets of the run only. */
  async function state(): Promise<State> {
    const whole = await readState(read, seen);
    const of = (id: number) => [id, whole.markets.get(id) ?? emptyMarket()] as const;
    return { ...whole, markets: new Map(markets.map(of)) };
  }

  const encode = exchange.interface.encodeFunctionData.bind(exchange.interface);
  return {
    world,
    address,
    fund,
    owners,
    restart,
    markets: () => markets,
    block,
    push,
    state,
    encode,
  };
}

function dataOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  if ("data" in error && typeof error.data === "string") return hexlify(error.data);
  for (const key of ["error", "info", "cause", "data"] as const) {
    const inner = (error as Partial<Record<typeof key, unknown>>)[key];
    const found = inner === undefined ? undefined : dataOf(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
