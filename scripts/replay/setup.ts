/**
 * Everything before the crash: accounts with money, a filled insurance fund, and every position opened by a real trade
 * at its entry price.
 */

import { MaxUint256 } from "ethers";
import type { ActionStruct } from "../../typechain-types/interfaces/IExchange.js";
import { FUND } from "../lib/keys.js";
import { WHOLE, max, sum } from "../lib/units.js";
import { chooseLeverage, encodeExecute, place } from "./actions.js";
import type { Quote } from "./actions.js";
import { toQuote, toToken } from "./exchange.js";
import { MARKET } from "./market.js";
import { MAKERS, MAKER_LEVERAGE } from "./makers.js";
import type { Stop } from "./openings.js";
import type { Side, Trader } from "./population.js";
import type { Progress } from "./progress.js";
import type { Request } from "./chain.js";
import type { Scenario } from "./scenario.js";
import { BLOCK_SECONDS, callOf, requireDone } from "./session.js";
import type { Participant, Session } from "./session.js";

export type Cast = {
  /** By the trader's index. */
  readonly traders: readonly Participant[];
  readonly makers: readonly Participant[];
  readonly keepers: readonly Participant[];
};

export type Stage = {
  readonly scenario: Scenario;
  readonly traders: readonly Trader[];
  readonly stops: readonly Stop[];
};

/** Deposits, and opening accounts, in one block. */
const PER_BLOCK = 100;
/** Traders who open in one block: the dealer must reach all of them in one call. */
const OPENERS_PER_BLOCK = 50;
const SMALL_GAS = 300_000;
const OPEN_GAS = 700_000;
const SWEEP_GAS = 16_000_000;
/** Committed leverage of the dealer, who has far more money than that asks for. */
const DEALER_LEVERAGE = 5;
/** Seconds between the last opening and the crash: profit of the walk is fresh for less. */
const REST = 600;
/** Seconds between two stops of the walk: the index moves as in a quiet market, which asks nothing of margin. */
const STOP_SECONDS = 600;
/** What opening a cohort costs its first member, and a little more, quote. */
const BOND = WHOLE;

/** Seconds of the chain from the first block of the setup to the start of the crash. */
export function setupSeconds({ scenario, traders, stops }: Stage): number {
  const accounts = 1 + MAKERS + scenario.keepers.count + traders.length;
  const blocks = stops.reduce((all, stop) => all + blocksOf(stop).length, 0);
  const others = 3 * Math.ceil(accounts / PER_BLOCK) + 10;
  return REST + STOP_SECONDS * blocks + BLOCK_SECONDS * others;
}

export async function setUp(session: Session, stage: Stage, progress: Progress): Promise<Cast> {
  const { scenario, traders, stops } = stage;
  progress.begin("Opening positions", stops.length);
  const keepers = scenario.keepers.count;
  const names = [
    "dealer",
    ...Array.from({ length: MAKERS }, (_, at) => `maker ${at}`),
    ...Array.from({ length: keepers }, (_, at) => `keeper ${at}`),
    ...traders.map(({ index }) => `trader ${index}`),
  ];
  const [dealer, ...others] = await openAccounts(session, names);
  if (dealer === undefined) throw new RangeError("the first account is the dealer's");
  const cast: Cast = {
    makers: others.slice(0, MAKERS),
    keepers: others.slice(MAKERS, MAKERS + keepers),
    traders: others.slice(MAKERS + keepers),
  };

  await endow(session);
  await payIn(session, depositsOf(stage, cast, dealer));
  await fillFund(session, fundAtOpening(scenario));
  for (const stop of stops) {
    for (const openers of blocksOf(stop)) {
      await openAt(session, { index: stop.index, openers }, { dealer, cast });
    }
    progress.advance();
  }
  await payIn(session, topUpsOf(stage, cast));
  await fillFund(session, fundOf(scenario));
  progress.end();
  return cast;
}

async function openAccounts(session: Session, names: readonly string[]): Promise<Participant[]> {
  const banker = await session.chain.actor("banker");
  const participants: Participant[] = [];
  for (const some of chunks(names, PER_BLOCK)) {
    for (const name of some) {
      const owner = await session.chain.actor(name);
      await submit(session, banker, { call: "open", name: "openAccount", args: [owner] });
    }
    const { events } = await settled(session);
    for (const { name, args } of events) {
      if (name !== "AccountOpened") continue;
      participants.push({ account: Number(args.account), owner: args.owner });
    }
  }
  return participants;
}

type Payment = { readonly account: number; readonly quote: bigint };

/** The banker pays for everyone: anyone may pay into any account. */
async function endow({ chain, ballast, block, ...rest }: Session): Promise<void> {
  const from = await chain.actor("banker");
  const { token, vault, fund } = ballast;
  const to = await token.getAddress();
  const calls = [
    token.interface.encodeFunctionData("mint", [from, MaxUint256 / 2n]),
    token.interface.encodeFunctionData("approve", [await vault.getAddress(), MaxUint256]),
    token.interface.encodeFunctionData("approve", [await fund.getAddress(), MaxUint256]),
  ];
  for (const data of calls) await chain.submit({ call: "open", from, to, data, gas: SMALL_GAS });
  const { mined } = await block();
  await requireDone({ chain, ballast, block, ...rest }, mined);
}

function depositsOf({ scenario, traders }: Stage, cast: Cast, dealer: Participant): Payment[] {
  const { openInterest } = scenario.population;
  const keep = (openInterest * scenario.keepers.capital) / WHOLE;
  const shared = keep / BigInt(scenario.keepers.count);
  return [
    { account: dealer.account, quote: 2n * openInterest },
    ...cast.makers.map(({ account }) => ({ account, quote: makerDeposit(scenario) })),
    ...cast.keepers.map(({ account }) => ({ account, quote: shared })),
    ...traders.map((trader) => ({
      account: accountOf(cast, trader),
      quote: trader.deposit + BOND,
    })),
  ].filter(({ quote }) => quote > 0n);
}

function topUpsOf({ traders }: Stage, cast: Cast): Payment[] {
  return traders
    .filter(({ topUp }) => topUp > 0n)
    .map((trader) => ({ account: accountOf(cast, trader), quote: trader.topUp }));
}

/** All that a trader pays in, as whole token units. */
export function depositOf({ deposit, topUp }: Trader): bigint {
  return toQuote(toToken(deposit + BOND)) + toQuote(toToken(topUp));
}

export function makerDeposit({ population }: Scenario): bigint {
  return toQuote(toToken(population.openInterest));
}

export function accountOf({ traders }: Cast, { index }: Trader): number {
  const participant = traders[index];
  if (participant === undefined) throw new RangeError(`trader ${index} has no account`);
  return participant.account;
}

async function payIn(session: Session, payments: readonly Payment[]): Promise<void> {
  const banker = await session.chain.actor("banker");
  for (const some of chunks(payments, PER_BLOCK)) {
    for (const { account, quote } of some) {
      const args = [account, toToken(quote)];
      await submit(session, banker, { call: "open", name: "deposit", args });
    }
    await settled(session);
  }
}

/** At least one block, so that the price moves; openers in parts that the dealer can reach in one call each. */
function blocksOf({ openers }: Stop): (readonly Trader[])[] {
  return openers.length === 0 ? [[]] : chunks(openers, OPENERS_PER_BLOCK);
}

type Crew = { readonly dealer: Participant; readonly cast: Cast };

/** The price comes, everyone rests an order at its own entry price, and the dealer takes them all. */
async function openAt(session: Session, { index, openers }: Stop, crew: Crew): Promise<void> {
  const { scale, time } = session;
  const publishTime = time() + STOP_SECONDS;
  await session.chain.submit(await session.publish(index * scale.tick, publishTime));
  for (const trader of openers) {
    const owner = crew.cast.traders[trader.index];
    if (owner === undefined) throw new RangeError(`trader ${trader.index} has no account`);
    const { side, entry: tick, lots, leverage } = trader;
    const actions = [chooseLeverage(leverage), place({ side, tick, lots }, "gtc")];
    await session.chain.submit(execute(session, owner, { actions, gas: OPEN_GAS }));
  }
  const sweep = sweepOf(openers);
  if (sweep !== undefined) {
    const actions = [chooseLeverage(DEALER_LEVERAGE), place(sweep, "ioc")];
    await session.chain.submit(execute(session, crew.dealer, { actions, gas: SWEEP_GAS }));
  }
  const { events } = await settled(session, publishTime);
  const opened = sum(events.map(({ name, args }) => (name === "Filled" ? args.lots : 0n)));
  const wanted = sum(openers.map(({ lots }) => lots));
  if (opened !== wanted) {
    throw new Error(`at ${index} ticks ${opened} lots were opened instead of ${wanted}`);
  }
}

/** One order that reaches the worst of the openers' prices. */
function sweepOf(openers: readonly Trader[]): Quote | undefined {
  const [first] = openers;
  if (first === undefined) return undefined;
  const side: Side = first.side === "long" ? "short" : "long";
  const lots = sum(openers.map((trader) => trader.lots));
  const tick = openers.reduce((worst, { entry }) => {
    const isWorse = side === "long" ? entry > worst : entry < worst;
    return isWorse ? entry : worst;
  }, first.entry);
  return { side, tick, lots };
}

type Execution = { readonly actions: readonly ActionStruct[]; readonly gas: number };

function execute(session: Session, by: Participant, { actions, gas }: Execution): Request {
  const data = encodeExecute(by.account, actions);
  return { call: "trade", from: by.owner, to: session.exchange, data, gas };
}

function fundOf({ fund, population }: Scenario): bigint {
  return (population.openInterest * fund) / WHOLE;
}

/** What the fund holds while positions are opened: the rest comes from the fees of the openings, or afterwards. */
export function fundAtOpening(scenario: Scenario): bigint {
  return (fundOf(scenario) * 3n) / 4n;
}

/** Tops the fund up; fees of the openings are in it already. */
async function fillFund(session: Session, wanted: bigint): Promise<void> {
  const banker = await session.chain.actor("banker");
  await submit(session, banker, { call: "open", name: "poke", args: [MARKET] });
  const { after } = await settled(session);
  const has = after.money.get(FUND)?.balance ?? 0n;
  const missing = max(0n, wanted - has);
  if (missing === 0n) return;
  const data = session.ballast.fund.interface.encodeFunctionData("deposit", [
    toToken(missing),
    banker,
  ]);
  const to = await session.ballast.fund.getAddress();
  await session.chain.submit({ call: "open", from: banker, to, data, gas: OPEN_GAS });
  await settled(session);
}

/** Makers choose their leverage once. */
export function makerLeverage(): ActionStruct {
  return chooseLeverage(MAKER_LEVERAGE);
}

type Submission = {
  readonly call: "open";
  readonly name: string;
  readonly args: readonly unknown[];
};

async function submit(session: Session, from: string, submission: Submission): Promise<void> {
  await session.chain.submit(callOf(session, from, { ...submission, gas: SMALL_GAS }));
}

/** Makes a block in which everything must succeed and nothing may be left waiting. */
/** @param time Of the block; as soon as it may be if there is none. */
async function settled(session: Session, time?: number) {
  const view = await session.block(time);
  await requireDone(session, view.mined);
  if (session.chain.waiting() > 0) throw new Error("a block of the setup was too small");
  return view;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, at) => items.slice(at * size, (at + 1) * size));
}
