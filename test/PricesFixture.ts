import type { Signer } from "ethers";
import { Positions__factory } from "../typechain-types/factories/libraries/Positions__factory.js";
import { network } from "hardhat";
import type { Grade, Leg, LevelAt, Reading, Rules, Side } from "./model/prices.js";
import {
  PricesHarness__factory,
  SettableOracle__factory,
  Volatility__factory,
  Winding__factory,
} from "../typechain-types/index.js";
import type { PricesHarness, SettableOracle } from "../typechain-types/index.js";

/*
 * A market on a harness, driven by the second: what is set up for a block has the time of the block before, so that nothing
 * but the refresh itself moves the clock.
 */

export const { ethers, networkHelpers } = await network.create({
  override: { allowBlocksWithSameTimestamp: true },
});

export const MARKET = 3;
export const START = 2_000_000_000n;
export const WHOLE = 10n ** 18n;
/** 60,000 units a coin in lots of 1e-8 coins; a tick is half a unit a coin. */
export const LOT_DECIMALS = 8n;
export const LOTS_PER_BASE = 10n ** LOT_DECIMALS;
export const PRICE = 60_000n * WHOLE;

export const RULES: Rules = {
  unit: (5n * 10n ** 17n) / LOTS_PER_BASE,
  band: 50_000n,
  maxDeviation: 10_000n,
  maxJump: 80_000n,
  maxPending: 60n,
  freshFor: 30n,
  agedFor: 300n,
  premiumWindow: 150n,
  sampleInterval: 10n,
  impactNotional: 20_000n * WHOLE,
  maxFunding: 7500n,
  interest: 100n,
  maxAccrual: 3600n,
  lastTradeFor: 60n,
};

export function configOf(rules: Rules) {
  const margin = {
    unit: rules.unit,
    tierCap1: 1_000_000n,
    tierCap2: 5_000_000n,
    tierCap3: 20_000_000n,
    tierLeverage1: 50n,
    tierLeverage2: 20n,
    tierLeverage3: 10n,
    tierLeverage4: 5n,
    maxDeviation: rules.maxDeviation,
    maxLeverage: 6n,
    defaultLeverage: 4n,
    concentration: 0n,
    accountShare: 100n,
    crowdingFrom: 100n,
  };
  const trade = {
    openInterestCap: 2n ** 60n,
    minNotional: 10_000_000n,
    makerFee: 100n,
    takerFee: 500n,
    band: rules.band,
    cohortBond: 0n,
    freshEpoch: 240n,
    classDelay: 900n,
  };
  const prices = {
    lotDecimals: LOT_DECIMALS,
    maxJump: rules.maxJump,
    maxSpread: 5000n,
    maxPending: rules.maxPending,
    freshFor: rules.freshFor,
    agedFor: rules.agedFor,
    premiumWindow: rules.premiumWindow,
    sampleInterval: rules.sampleInterval,
    impactNotional: rules.impactNotional / WHOLE,
    maxFunding: rules.maxFunding,
    interest: rules.interest,
    maxAccrual: rules.maxAccrual,
    lastTradeFor: rules.lastTradeFor,
  };
  const waterfall = {
    slip0: 2000n,
    clock: 30n,
    liqSlip: 5000n,
    penalty: 5000n,
    callerShare: 100_000n,
    eventBudget: 200_000n,
    dayBudget: 400_000n,
    marketShare: 600_000n,
    fundTarget: 50_000n,
    maxDead: 86_400n,
    quantityRule: 0n,
    deficitRule: 0n,
    volatilityFactor: 30n,
    volatilityHorizon: 600n,
    volatilityWindow: 3600n,
    move: 1000n,
    topShare: 100n,
    capStart: 100n,
    capRamp: 0n,
    drawdownLimit: 1_000_000n,
    windWindow: 86_400n,
  };
  return { ...margin, ...trade, ...prices, ...waterfall };
}

export const GRADES: readonly Grade[] = ["dead", "aged", "fresh"];
export const LEGS: readonly Leg[] = ["index", "premium", "book", "clamped"];

export type Stage = {
  readonly harness: PricesHarness;
  readonly oracle: SettableOracle;
};

/** With the library that it is linked with. */
export async function deployHarness(deployer: Signer): Promise<PricesHarness> {
  const volatility = await new Volatility__factory(deployer).deploy();
  const positions = await (await new Positions__factory(deployer).deploy()).getAddress();
  const winding = await new Winding__factory(
    { "project/contracts/libraries/Positions.sol:Positions": positions },
    deployer,
  ).deploy();
  const links = {
    "project/contracts/libraries/Volatility.sol:Volatility": await volatility.getAddress(),
    "project/contracts/libraries/Winding.sol:Winding": await winding.getAddress(),
  };
  return new PricesHarness__factory(links, deployer).deploy();
}

export async function deployPrices(): Promise<Stage> {
  const deployer = await ethers.provider.getSigner(0);
  const harness = await deployHarness(deployer);
  const oracle = await new SettableOracle__factory(deployer).deploy();
  await harness.setOracle(await oracle.getAddress());
  await networkHelpers.time.setNextBlockTimestamp(START);
  await harness.setConfig(MARKET, configOf(RULES));
  return { harness, oracle };
}

/** What is set up now belongs to the block that is already there. */
async function stay(): Promise<void> {
  await networkHelpers.time.setNextBlockTimestamp(await networkHelpers.time.latest());
}

/** `price` in quote per lot; `time` in seconds after START. */
export async function say({ oracle }: Stage, reading: Reading): Promise<void> {
  await stay();
  await oracle.set(
    reading.price * LOTS_PER_BASE,
    reading.time === 0n ? 0n : START + reading.time,
    GRADES.indexOf(reading.grade),
    reading.agreeing,
  );
}

export async function setBook(stage: Stage, side: Side, levels: readonly LevelAt[]): Promise<void> {
  await setSides(stage, side === "bids" ? { bids: levels, asks: [] } : { bids: [], asks: levels });
}

/** Both sides in one transaction. */
export async function setSides(
  stage: Stage,
  { bids, asks }: { readonly bids: readonly LevelAt[]; readonly asks: readonly LevelAt[] },
): Promise<void> {
  const levels = [...bids, ...asks];
  if (levels.length === 0) return;
  await stay();
  await stage.harness.setLevels(
    MARKET,
    levels.map((_, i) => (i < bids.length ? 0 : 1)),
    levels.map(({ tick }) => tick),
    levels.map(({ lots }) => lots),
  );
}

export async function trade({ harness }: Stage, tick: bigint, quote: bigint): Promise<void> {
  await stay();
  await harness.noteTrade(MARKET, tick, quote);
}

/** Refreshes at START + time and says which leg set the mark. */
export async function refreshAt({ harness }: Stage, time: bigint): Promise<Leg> {
  await networkHelpers.time.setNextBlockTimestamp(START + time);
  const receipt = await (await harness.refresh(MARKET)).wait();
  for (const log of receipt?.logs ?? []) {
    const parsed = harness.interface.parseLog(log);
    const leg = LEGS[Number(parsed?.args.leg)];
    if (parsed?.name === "Refreshed" && leg !== undefined) return leg;
  }
  throw new Error("no Refreshed event");
}

/** The stored words as numbers, times after START, and the grade that a call would see now. */
export async function stored({ harness }: Stage) {
  const [price, book, sample] = await harness.wordsOf(MARKET);
  const loaded = await harness.load(MARKET);
  const after = (time: bigint) => (time === 0n ? undefined : time - START);
  return {
    index: price.index,
    mark: price.mark,
    funding: price.funding,
    grade: GRADES[Number(book.grade)],
    gradeNow: GRADES[Number(loaded.grade)],
    pending: loaded.pending ? loaded.pendingIndex : undefined,
    pendingSince: after(book.pendingSince),
    freshSince: after(book.freshSince),
    refreshed: after(book.refreshed),
    publishTime: after(sample.publishTime),
    premium: sample.premium,
    bid: sample.bid,
    ask: sample.ask,
    sampled: after(sample.sampled),
  };
}

export function fresh(price: bigint, time: bigint, agreeing = 2): Reading {
  return { price, time, grade: "fresh", agreeing };
}

/** What one source alone says. */
export function alone(price: bigint, time: bigint): Reading {
  return { price, time, grade: "aged", agreeing: 1 };
}

/** Lots that a side needs at `tick` to be worth `times` the impact notional. */
export function lotsFor(tick: bigint, times = 1n): bigint {
  return (times * RULES.impactNotional) / (tick * RULES.unit) + 1n;
}
