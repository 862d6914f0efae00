import type { NetworkConnection } from "hardhat/types/network";
import { parseUnits } from "ethers";
import type { Interface } from "ethers";
import { parseEvents } from "../../scripts/lib/events.js";
import type { RawLog } from "../../scripts/lib/events.js";
import { copyKnown, createKnown, isTracked, track } from "../../scripts/lib/known.js";
import type { Known } from "../../scripts/lib/known.js";
import { createReader, readState } from "../../scripts/lib/read.js";
import { emptyMarket } from "../../scripts/lib/state.js";
import type { State } from "../../scripts/lib/state.js";
import { createWorld } from "../../scripts/lib/world.js";
import type { World } from "../../scripts/lib/world.js";
import { feedOf, toMarketConfig } from "../../scripts/deploy/parameters.js";
import { ROLE_IDS } from "../../scripts/deploy/roles.js";
import type { MarketOverrides } from "../../scripts/deploy/parameters.js";
import { Batch__factory, SettableSource__factory } from "../../typechain-types/index.js";

/*
 * The real deployment, for the model to run beside. A command is one block of one transaction: prices are said, both markets are poked,
 * then the command is sent in the name of its owner, so that every command finds prices that can be read afterwards whether it was
 * refused or not. Nothing but the sources of prices is not what is deployed: these say what they are told.
 *
 * Never reached: events that do not fit into one transaction, more markets than an account may be in.
 */

export const OWNERS = 6;
export const ACCOUNTS = [10, 11, 12, 13, 14, 15, 16, 17] as const;
const GAS = "0xf42400";
/** Always enough, so that nobody has to ask. */
const GAS_PRICE = "0x174876e800";
const RICH = parseUnits("1000000000", 6);

/** Both kinds of market may be of any size that accounts can have. The first asks for no more margin than leverage and tiers do. */
const OVERRIDES: readonly MarketOverrides[] = [
  {
    volatilityFactor: 0,
    concentration: 0,
    accountShare: 60,
    crowdingFrom: 100,
    openInterestCap: "200",
    capRamp: 0,
    windWindow: 600,
  },
  {
    accountShare: 60,
    crowdingFrom: 40,
    concentration: 3,
    openInterestCap: "500",
    move: 12_000,
    topShare: 60,
    drawdownLimit: 150_000,
    makerFee: 0,
    takerFee: 5_000,
    freshEpoch: 120,
    maxJump: 20_000,
    capStart: 40,
    capRamp: 18_000,
    windWindow: 900,
    classDelay: 60,
    fundTarget: 100_000,
  },
];

const RULES = [
  { quantityRule: "Front", deficitRule: "Winners" },
  { quantityRule: "ProRata", deficitRule: "Winners" },
  { quantityRule: "Front", deficitRule: "Queue" },
  { quantityRule: "ProRata", deficitRule: "Queue" },
] as const;

export type Real = Awaited<ReturnType<typeof deploy>>;

/** Owners without an account who stake in the insurance fund, behind those with one. */
export const STAKERS = 2;
/** Seconds that an exit from the fund takes. */
const COOLDOWN = 3_600;
/** Seconds after which the vault's limit has all its room. */
export const UNUSED = 7_200n;
/** Ppm and whole units: so little that some have to wait. */
const OUTFLOW = { share: 20_000, floor: 100 };

/** @returns A function that brings the chain back to the start, with a deployment that nobody has traded on. */
export async function deploy(connection: NetworkConnection, deposit = "4000") {
  const world = await createWorld(connection, {
    deployment: { outflow: OUTFLOW, fundCooldown: COOLDOWN },
    prices: [],
  });
  const { ballast, deployer } = world;
  const batch = await new Batch__factory(deployer).deploy(OWNERS + STAKERS);
  const source = await new SettableSource__factory(deployer).deploy();
  const owners = await Promise.all(
    Array.from({ length: OWNERS + STAKERS }, (_, owner) => batch.owners(owner)),
  );
  const { token, exchange } = ballast;
  const [fund, vault] = await Promise.all([ballast.fund.getAddress(), ballast.vault.getAddress()]);
  for (const [owner, address] of owners.entries()) {
    await token.mint(address, RICH);
    const spender = owner >= OWNERS ? fund : vault;
    const data = token.interface.encodeFunctionData("approve", [spender, RICH]);
    await batch.run([{ owner, target: await token.getAddress(), data }]);
  }
  const target = await exchange.getAddress();
  for (const [place, id] of ACCOUNTS.entries()) {
    const owner = place % OWNERS;
    await exchange.openAccount(owners[owner] ?? "");
    const values: [number, bigint] = [id, parseUnits(deposit, 6)];
    const data = exchange.interface.encodeFunctionData("deposit", values);
    await batch.run([{ owner, target, data }]);
  }
  // For the calls of roles, which are made like those of owners.
  for (const role of [ROLE_IDS.listing, ROLE_IDS.guardian]) {
    await ballast.roles.grantRole(role, owners[0] ?? "", 0);
  }
  await world.pass(UNUSED);
  const listed = await listAll(world, await source.getAddress());
  const places = { batch: await batch.getAddress(), source: await source.getAddress() };
  return attach(world, { owners, listed, known: await knownSoFar(world), ...places });
}

/** Both kinds of market once with every pair of rules. @returns Ids, by kind and rules. */
async function listAll(world: World, source: string): Promise<number[][]> {
  const { exchange, oracle } = world.ballast;
  const ids: number[][] = [[], []];
  for (const [kind, listing] of world.parameters.markets.entries()) {
    const parameters = { ...listing, ...OVERRIDES[kind] };
    for (const rules of RULES) {
      const id = Number(await exchange.marketCount());
      await oracle.setSources(id, [source, source], feedsOf(world, kind));
      await exchange.list(`${parameters.name}-${id}`, toMarketConfig({ ...parameters, ...rules }));
      ids[kind]?.push(id);
    }
  }
  return ids;
}

function feedsOf({ parameters }: World, kind: number): string[] {
  return (parameters.markets[kind]?.sources ?? []).map(feedOf);
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
  readonly time: bigint;
  /** What vault and fund say of themselves afterwards. */
  readonly tokens: Tokens;
};

export type Tokens = Readonly<Record<string, string>>;

/** @param owner Place of the one who calls. */
export type Call = { readonly owner: number; readonly to: string; readonly data: string };

/** What a source of a kind of market is to say, 18 decimals, and so many seconds ago. */
export type Said = {
  readonly kind: number;
  readonly source: number;
  readonly price: bigint;
  readonly ago: bigint;
};

type Deployed = {
  readonly owners: readonly string[];
  readonly listed: readonly (readonly number[])[];
  readonly known: Known;
  readonly batch: string;
  readonly source: string;
};

async function attach(world: World, { owners, listed, known, batch, source }: Deployed) {
  const { connection, exchange, ballast, deployer } = world;
  const { provider } = connection;
  const address = await exchange.getAddress();
  const fund = await ballast.fund.getAddress();
  const sources = SettableSource__factory.createInterface();
  const batches = Batch__factory.createInterface();
  const called = batches.getEvent("Called");
  const errors = errorsOf([exchange.interface, ballast.fund.interface, ballast.vault.interface]);
  const vault = await ballast.vault.getAddress();
  const start = BigInt(await connection.networkHelpers.time.latest());
  const cooldown = await ballast.fund.cooldown();
  const limit = { share: await ballast.vault.share(), floor: await ballast.vault.floor() };
  const read = createReader({ call: callOf }, address);
  const { views, tokensOf } = await tokenViews(world, owners);
  let seen = copyKnown(known);
  let markets: readonly number[] = [0, 1];
  let now = start;

  /** The node answers with bytes. */
  async function callOf({ to, data }: { to: string; data: string }): Promise<string> {
    return (await provider.request({
      method: "eth_call",
      params: [{ from: deployer.address, to, data, gas: GAS }, "latest"],
    })) as string;
  }

  /** A new run on the chain as it was left by `deploy`. @param rules Of the first market, 0 to 3; the second has the next. */
  async function restart(rules: number): Promise<void> {
    seen = copyKnown(known);
    now = start;
    markets = [0, 1].map((kind) => listed[kind]?.[(rules + kind) % RULES.length] ?? 0);
    await block(undefined, 2n, OPENING);
  }

  /** One block, `seconds` after the last. */
  async function block(
    call: Call | undefined,
    seconds: bigint,
    said: readonly Said[],
  ): Promise<Sent> {
    now += seconds;
    const pushes = said.map(({ kind, source: place, price, ago }) => {
      const feed = feedsOf(world, kind)[place] ?? "";
      const data = sources.encodeFunctionData("set", [feed, price, 0n, now - ago]);
      return { owner: 0, target: source, data };
    });
    const pokes = markets.map((market) => ({ owner: 0, target: address, data: pokeOf(market) }));
    const own = call === undefined ? [] : [{ owner: call.owner, target: call.to, data: call.data }];
    const items = [...pushes, ...pokes, ...own, ...views];
    const logs = await mine(batches.encodeFunctionData("run", [items]));
    for (const event of parseEvents(logs.filter(isTracked))) track(seen, event);
    const outcomes = logs
      .filter(({ topics }) => topics[0] === called.topicHash)
      .map(({ data, topics }) => batches.decodeEventLog(called, data, topics));
    const asked = outcomes.length - views.length;
    const before = outcomes.slice(0, pushes.length + pokes.length);
    if (!before.every(({ isDone }) => isDone === true)) throw new Error("poking never fails");
    const tokens = tokensOf(outcomes.slice(asked).map(({ result }) => String(result)));
    const last = call === undefined ? undefined : outcomes[before.length];
    if (last === undefined || last.isDone === true) return { error: undefined, time: now, tokens };
    const selector = String(last.result).slice(0, 10);
    return { error: errors.get(selector) ?? `an error ${selector}`, time: now, tokens };
  }

  const pokeData = new Map<number, string>();
  function pokeOf(market: number): string {
    let data = pokeData.get(market);
    if (data === undefined) {
      data = exchange.interface.encodeFunctionData("poke", [market]);
      pokeData.set(market, data);
    }
    return data;
  }

  /** One transaction in a block of its own. */
  async function mine(data: string): Promise<RawLog[]> {
    const time = [`0x${now.toString(16)}`];
    await provider.request({ method: "evm_setNextBlockTimestamp", params: time });
    const params = [{ from: deployer.address, to: batch, data, gas: GAS, gasPrice: GAS_PRICE }];
    const hash: unknown = await provider.request({ method: "eth_sendTransaction", params });
    const receipt = (await provider.request({
      method: "eth_getTransactionReceipt",
      params: [hash],
    })) as { status: string; logs: RawLog[] };
    if (receipt.status !== "0x1") throw new Error("the batch itself never fails");
    return receipt.logs;
  }

  /** With the two markets of the run only, in the order in which they are poked. */
  async function state(): Promise<State> {
    const whole = await readState(read, seen, markets);
    const of = (id: number) => [id, whole.markets.get(id) ?? emptyMarket()] as const;
    return { ...whole, markets: new Map(markets.map(of)) };
  }

  const encode = exchange.interface.encodeFunctionData.bind(exchange.interface);
  return {
    ballast,
    address,
    fund,
    vault,
    owners,
    restart,
    limit,
    cooldown,
    now: () => now,
    markets: () => markets,
    block,
    state,
    encode,
  };
}

/** Where both kinds of market begin. */
export const OPENING: readonly Said[] = ["10000", "1000"].flatMap((price, kind) =>
  both(kind, parseUnits(price, 18)),
);

/** Both sources of a kind of market, which may be apart. */
export function both(kind: number, price: bigint, second = price): Said[] {
  return [price, second].map((each, source) => ({ kind, source, price: each, ago: 0n }));
}

/** By selector. */
function errorsOf(abis: readonly Interface[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const abi of abis) abi.forEachError(({ selector, name }) => names.set(selector, name));
  return names;
}

/** Calls that ask vault and fund, and what their answers are called. */
async function tokenViews({ ballast }: World, owners: readonly string[]) {
  const { vault, fund } = ballast;
  const [vaultAt, fundAt] = await Promise.all([vault.getAddress(), fund.getAddress()]);
  const names: string[] = [];
  const views: { owner: number; target: string; data: string }[] = [];
  const ask = (name: string, target: string, data: string) => {
    names.push(name);
    views.push({ owner: 0, target, data });
  };
  ask("outflow", vaultAt, vault.interface.encodeFunctionData("outflow"));
  ask("tracked", vaultAt, vault.interface.encodeFunctionData("tracked"));
  for (const address of [...new Set(owners.slice(0, OWNERS)), fundAt]) {
    const name = `principal ${address === fundAt ? "fund" : address}`;
    ask(name, vaultAt, vault.interface.encodeFunctionData("netDeposits", [address]));
  }
  ask("assets", fundAt, fund.interface.encodeFunctionData("totalAssets"));
  ask("supply", fundAt, fund.interface.encodeFunctionData("totalSupply"));
  ask("streaming", fundAt, fund.interface.encodeFunctionData("streaming"));
  for (const staker of owners.slice(OWNERS)) {
    const data = fund.interface.encodeFunctionData("balanceOf", [staker]);
    ask(`shares ${staker}`, fundAt, data);
  }
  const tokensOf = (answers: readonly string[]): Tokens =>
    Object.fromEntries(names.map((name, i) => [name, wordsOf(answers[i] ?? "0x")]));
  return { views, tokensOf };
}

/** All of these answers are plain words, none below zero but by mistake. */
function wordsOf(answer: string): string {
  const words = answer.slice(2).match(/.{64}/g) ?? [];
  return words.map((word) => BigInt.asIntN(256, BigInt(`0x${word}`))).join(" ");
}
