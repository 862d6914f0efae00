import { expect } from "chai";
import { formatUnits, parseUnits } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import type { MarketOverrides } from "../../scripts/deploy/parameters.js";
import { signPrice } from "../../scripts/lib/feed.js";
import type { AttackId } from "../../scripts/lib/attacks.js";
import { Without__factory } from "../../typechain-types/index.js";
import type { Trader, World, WorldOptions } from "../fixtures.js";
import { buy, sell, setLeverage, WHOLE } from "../fixtures.js";
import { recordQuote } from "./figures.js";
import { createAligned, createUnwatched } from "./gang.js";

/*
 * What attacks share. Each runs twice: as a control, with its guard at the loosest bound (or, where a guard is no parameter,
 * without it), and with the defaults. An attacker's profit is what all of its accounts could take out or are worth, less what it
 * paid in; everything is closed or valued at mark.
 */

/** Indexes into the leverage table. */
export const CLASS = { 1: 0, 2: 1, 3: 2, 5: 3, 10: 4, 20: 5, 50: 6, 100: 7 } as const;
export type Leverage = keyof typeof CLASS;

/** Nothing that a role could set is looser. */
export const LOOSEST: MarketOverrides = {
  eventBudget: 800_000,
  dayBudget: 800_000,
  marketShare: 800_000,
  concentration: 0,
  accountShare: 100,
  crowdingFrom: 100,
  volatilityFactor: 0,
  classDelay: 0,
  freshEpoch: 60,
  maxPending: 10,
  maxJump: 500_000,
  band: 200_000,
};

export type Setting = WorldOptions & {
  readonly fund?: string;
  /** Without a look at the books: for what is not the exchange any more, and for tokens that are no tokens. */
  readonly isUnwatched?: boolean;
};

/** A deployment with `fund` settlement units in its insurance fund. */
export async function createSetting(
  connection: NetworkConnection,
  { fund = "0", isUnwatched, ...options }: Setting = {},
): Promise<World> {
  const world = await (isUnwatched ? createUnwatched : createAligned)(connection, options);
  if (fund !== "0") await world.fillFund(fund);
  return world;
}

/* PROFIT */

export type Coalition = {
  readonly traders: readonly Trader[];
  /** What it paid in, and what it took out. Quote. */
  readonly paidIn: bigint;
  readonly takenOut: bigint;
};

/** Accounts of one attacker with a deposit each. */
export async function createCoalition(
  world: World,
  deposits: readonly string[],
): Promise<Coalition> {
  const traders: Trader[] = [];
  let paidIn = 0n;
  for (const deposit of deposits) {
    traders.push(await world.openTrader(deposit));
    paidIn += BigInt(deposit) * WHOLE;
  }
  return { traders, paidIn, takenOut: 0n };
}

/** What its accounts are worth and what it took, less what it paid in. What it owes nobody can ask of it. */
export async function profitOf(world: World, coalition: Coalition): Promise<bigint> {
  const worth = await equityOf(world, coalition.traders);
  return worth + coalition.takenOut - coalition.paidIn;
}

/** An account below zero is left behind: its owner has nothing to lose there. */
export async function equityOf(world: World, traders: readonly Trader[]): Promise<bigint> {
  let worth = 0n;
  for (const trader of traders) {
    const { health } = await world.health(trader);
    if (health.equity > 0n) worth += health.equity;
  }
  return worth;
}

export async function fundOf({ exchange }: World): Promise<bigint> {
  return exchange.balanceOf(1);
}

/** Everything that may be withdrawn, in quote, paid to its owner. */
export async function withdrawAll(world: World, { account, signer }: Trader): Promise<bigint> {
  const { exchange } = world;
  const scale = WHOLE / 10n ** 6n;
  const { withdrawable } = await world.health({ account, signer });
  if (withdrawable < scale) return 0n;
  const all = 2n ** 256n - 1n;
  await exchange.connect(signer).withdraw(account, all, signer);
  return (withdrawable / scale) * scale;
}

/* STEPS */

/** With fresh prices both choose the leverage, then `size` changes hands at `price`. */
export async function pair(
  world: World,
  [buyer, seller]: readonly [Trader, Trader],
  { price, size, leverage }: { price: string; size: string; leverage: Leverage },
): Promise<void> {
  await world.again();
  for (const trader of [buyer, seller]) {
    await world.execute(trader, setLeverage(CLASS[leverage]));
  }
  await world.trade(buyer, seller, { price, size });
}

/** Somebody honest with much money quotes `size` at both prices. */
export async function quote(
  world: World,
  { bid, ask, size }: { bid?: string; ask?: string; size: string },
): Promise<Trader> {
  const maker = await world.openTrader("10000000");
  if (bid !== undefined) await world.execute(maker, buy(bid, size));
  if (ask !== undefined) await world.execute(maker, sell(ask, size));
  return maker;
}

/** One source of the market says something; the other stays silent, and nobody reads it yet. */
export async function pushOne(
  { connection, ballast, deployer, chainId }: World,
  price: string,
): Promise<void> {
  const publishTime = BigInt(await connection.networkHelpers.time.latest());
  const { update, signatures } = await signPrice(
    ballast.signedFeed,
    { feed: "BTC/USD:a", price: parseUnits(price, 18), publishTime },
    { signers: [deployer], chainId },
  );
  await ballast.signedFeed.push(update, signatures);
}

/** A step of the waterfall for these accounts, the reward to `rewardTo`. */
export async function liquidate(world: World, traders: readonly Trader[], rewardTo = 0) {
  return world.exchange.liquidate(
    traders.map(({ account }) => account),
    100,
    rewardTo,
  );
}

export async function deleverage(world: World, traders: readonly Trader[], rewardTo = 0) {
  return world.exchange.deleverage(
    traders.map(({ account }) => account),
    100,
    rewardTo,
  );
}

/**
 * Takes one function out of a linked library: it answers `answer` from now on. So a guard that no parameter can loosen can
 * be missing. The books are not looked at in such a world.
 */
export async function without(
  { ballast, connection, deployer }: World,
  [library, signature]: readonly [string, string],
  answer: bigint,
): Promise<void> {
  const { ethers, networkHelpers } = connection;
  const at = ballast.addresses[library];
  if (at === undefined) throw new Error(`the deployment has no ${library}`);
  const code = await ethers.provider.getCode(at);
  const selector = ethers.id(signature).slice(0, 10);
  if (!code.includes(selector.slice(2))) throw new Error(`${library} has no ${signature}`);
  const original = ethers.Wallet.createRandom().address;
  await networkHelpers.setCode(original, code);
  const stub = await new Without__factory(deployer).deploy(original, selector, answer);
  await networkHelpers.setCode(at, await ethers.provider.getCode(stub));
}

/* FIGURES */

/** Settlement units with two decimals, towards zero. */
function units(amount: bigint): string {
  const [whole, cents = ""] = formatUnits(amount / 10n ** 16n, 2).split(".");
  return `${whole}.${cents.padEnd(2, "0")}`;
}

/** Checks the figures of an attack, exactly, and keeps them for the table. */
export function expectFigures(
  attack: AttackId,
  found: Readonly<Record<string, bigint>>,
  expected: Readonly<Record<string, string>>,
): void {
  recordQuote(attack, found);
  const figures = Object.fromEntries(
    Object.entries(found).map(([name, amount]) => [name, units(amount)]),
  );
  expect(figures, attack).to.deep.equal(expected);
}
