import { expect } from "chai";
import { network } from "hardhat";
import {
  CohortsEvents__factory,
  CohortsHarness__factory,
  CohortsInspector__factory,
  Positions__factory,
} from "../../typechain-types/index.js";
import type { CohortsHarness } from "../../typechain-types/index.js";
import type { CohortsInspector, CohortsEvents } from "../../typechain-types/test/CohortsHarness.js";

/* The engine without orders, margin or a judge: a harness over a real market's storage, read in one call. */

export const UNIT = 10n ** 12n;
export const MICRO = 10n ** 12n;
export const FUND = 1;
export const LONG = 0n;
export const SHORT = 1n;
/** Enough for any step; without it every transaction would be estimated first. */
const GAS = "0xf42400";

export const { ethers, networkHelpers, provider } = await network.create();
const sender = await ethers.provider.getSigner(0);

/** Hands a call to the node as it is: thousands of steps a run are too many for a receipt, a nonce and a fee each. */
async function send(to: string, data: string): Promise<string> {
  const params = [{ from: sender.address, to, data, gas: GAS }];
  // The node answers with the transaction's hash.
  return (await provider.request({ method: "eth_sendTransaction", params })) as string;
}

export type Terms = {
  readonly unit: bigint;
  readonly mark: bigint;
  readonly defaultLeverage: number;
  readonly cohortBond: bigint;
  readonly freshEpoch: number;
  readonly classDelay: number;
};

export const TERMS: Terms = {
  unit: UNIT,
  mark: 1000n * UNIT,
  defaultLeverage: 4,
  cohortBond: 0n,
  freshEpoch: 0,
  classDelay: 900,
};

export type Plan = {
  readonly market: number;
  readonly accounts: readonly number[];
  readonly charges: readonly { side: bigint; priceClass: number; amount: bigint }[];
  readonly fresh: readonly [bigint, bigint];
  readonly dust: readonly [bigint, bigint];
  readonly cuts: readonly { cohort: number; lots: bigint; discount: bigint }[];
};

export type Market = Awaited<ReturnType<typeof deployMarket>>;
export type Inspection = CohortsInspector.InspectionStructOutput;
export type Member = CohortsInspector.MemberStructOutput;

export async function deployHarness(): Promise<CohortsHarness> {
  const positions = await new Positions__factory(sender).deploy();
  const linked = {
    "project/contracts/libraries/Positions.sol:Positions": await positions.getAddress(),
  };
  const [inspector, events] = [
    await new CohortsInspector__factory(sender).deploy(),
    await new CohortsEvents__factory(linked, sender).deploy(),
  ];
  const libraries = {
    ...linked,
    "project/contracts/test/CohortsInspector.sol:CohortsInspector": await inspector.getAddress(),
    "project/contracts/test/CohortsEvents.sol:CohortsEvents": await events.getAddress(),
  };
  return new CohortsHarness__factory(libraries, sender).deploy();
}

/** One market over a harness. Keeps the sum of everything paid in, so that it can check INV-1. */
export async function deployMarket(
  harness: CohortsHarness,
  id: number,
  accounts: readonly number[],
  terms: Partial<Terms> = {},
) {
  const all = { ...TERMS, ...terms };
  const [to, abi] = [await harness.getAddress(), harness.interface];
  await send(to, abi.encodeFunctionData("list", [id, all]));
  let paidIn = 0n;
  const ids = [...accounts];

  return {
    id,
    harness,
    terms: all,
    deposit: async (account: number, amount: bigint) => {
      paidIn += amount;
      return send(to, abi.encodeFunctionData("credit", [account, amount]));
    },
    trade: async (
      buyer: number,
      seller: number,
      lots: bigint,
      ticks: bigint,
      fees: { buyerFee?: bigint; sellerFee?: bigint } = {},
    ) => {
      const { buyerFee = 0n, sellerFee = 0n } = fees;
      const trade = { market: id, buyer, seller, lots, ticks, buyerFee, sellerFee };
      return send(to, abi.encodeFunctionData("trade", [trade]));
    },
    setMark: async (mark: bigint) => send(to, abi.encodeFunctionData("setMark", [id, mark])),
    addFunding: async (delta: bigint) =>
      send(to, abi.encodeFunctionData("addFunding", [id, delta])),
    settle: async (account: number) => send(to, abi.encodeFunctionData("settle", [id, account])),
    fold: async (account: number) => send(to, abi.encodeFunctionData("fold", [id, account])),
    setLeverage: async (account: number, leverageClass: number, delay = 0) =>
      send(to, abi.encodeFunctionData("setLeverage", [id, account, leverageClass, delay])),
    run: async (plan: Partial<Plan>) => send(to, abi.encodeFunctionData("run", [planOf(id, plan)])),
    inspect: async (): Promise<Inspection> => harness.inspect(id, ids),
    paidIn: () => paidIn,
    /** Reads the market and checks everything that must hold after every step. */
    check: async (): Promise<Inspection> => {
      const all_ = await harness.inspect(id, ids);
      expectConserved(all_, paidIn, all.cohortBond);
      expectLots(all_);
      return all_;
    },
  };
}

function planOf(market: number, plan: Partial<Plan>): CohortsEvents.PlanStruct {
  const { accounts = [], charges = [], fresh = [0n, 0n], dust = [0n, 0n], cuts = [] } = plan;
  return {
    market,
    accounts: [...accounts],
    charges: [...charges],
    fresh: [...fresh],
    dust: [...dust],
    cuts: [...cuts],
  };
}

/** The cohorts that positions name, each once. */
export function cohortsOf(
  all: Inspection,
): Map<number, { lots: bigint; members: bigint; cost: bigint }> {
  const named = all.named.filter(({ cohort }) => cohort.members > 0n);
  return new Map(
    named.map(({ key, cohort: { lots, members, cost } }) => [Number(key), { lots, members, cost }]),
  );
}

export function memberOf(all: Inspection, id: number): Member {
  const member = all.members.find(({ account }) => account === BigInt(id));
  if (member === undefined) throw new RangeError(`account ${id} is not among those inspected`);
  return member;
}

export function sideOf(cohort: number): bigint {
  return BigInt(cohort >> 15);
}

function signOf(cohort: number): bigint {
  return sideOf(cohort) === LONG ? 1n : -1n;
}

function total(values: Iterable<bigint>): bigint {
  let sum = 0n;
  for (const value of values) sum += value;
  return sum;
}

/** Balances, what the market holds back, and the cost of all lots: exactly what was paid in, with stored values only. */
function expectConserved(all: Inspection, paidIn: bigint, cohortBond: bigint): void {
  const { flow, pool, dust } = all;
  const balances = total(all.members.map(({ balance }) => balance)) + all.fund;
  const costs = total([...cohortsOf(all)].map(([key, { cost }]) => signOf(key) * cost));
  const held = flow.fees + flow.rest + flow.bonds * cohortBond * MICRO + pool.unsettled;
  const owed = balances + held - costs - dust.longCost + dust.shortCost;
  expect(owed, "INV-1").to.equal(paidIn + pool.shortfall);
}

/** Long lots equal short lots; a cohort has at least what its members have; the queue has what has lots. */
function expectLots(all: Inspection): void {
  const cohorts = cohortsOf(all);
  const ofSide = (side: bigint) =>
    total([...cohorts].map(([key, { lots }]) => (sideOf(key) === side ? lots : 0n)));
  expect(ofSide(LONG) + all.dust.longLots, "INV-2").to.equal(ofSide(SHORT) + all.dust.shortLots);
  expect(all.flow.openInterest, "INV-2").to.equal(ofSide(LONG) + all.dust.longLots);

  const settled = new Map<number, bigint>();
  const members = new Map<number, bigint>();
  all.members.forEach(({ stored, settled: { lots } }, i) => {
    if (stored.lots === 0n) return;
    const key = Number(all.named[i]?.key);
    settled.set(key, (settled.get(key) ?? 0n) + lots);
    members.set(key, (members.get(key) ?? 0n) + 1n);
  });
  for (const [key, { lots, members: count }] of cohorts) {
    expect(lots >= (settled.get(key) ?? 0n), `INV-4: lots of cohort ${key}`).to.equal(true);
    expect(count, `INV-4: members of cohort ${key}`).to.equal(members.get(key));
  }
  for (const side of [LONG, SHORT]) {
    const view = all.sides[Number(side)];
    const queued = view?.queue.map(({ key }) => Number(key)).sort((a, b) => a - b);
    const occupied = [...cohorts].filter(([key, { lots }]) => sideOf(key) === side && lots > 0n);
    const expected = occupied.map(([key]) => key).sort((a, b) => a - b);
    expect(queued, "INV-4: a bit for every cohort with lots").to.deep.equal(expected);
    expectClasses(view?.classes ?? [], occupied);
  }
}

function expectClasses(
  classes: readonly { priceClass: bigint; lots: bigint }[],
  occupied: readonly [number, { lots: bigint }][],
): void {
  const expected = new Map<number, bigint>();
  for (const [key, { lots }] of occupied) {
    expected.set(key & 0xfff, (expected.get(key & 0xfff) ?? 0n) + lots);
  }
  const actual = new Map(classes.map(({ priceClass, lots }) => [Number(priceClass), lots]));
  expect(actual, "lots of the price classes").to.deep.equal(expected);
}
