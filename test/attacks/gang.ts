import { expect } from "chai";
import { MaxUint256, parseUnits } from "ethers";
import type { MarketOverrides } from "../../scripts/deploy/parameters.js";
import { createWorld as createPlain } from "../../scripts/lib/world.js";
import type { NetworkConnection } from "hardhat/types/network";
import { createWorld, buy, sell, setLeverage, toLots, TOKEN, WHOLE } from "../fixtures.js";
import type { Trader, World, WorldOptions } from "../fixtures.js";

/* Accounts that act together, and what they have gained when all is over. */

/** What the deployment says. Worlds of other tests are larger from the start. */
export const DEFAULTS: MarketOverrides = {
  capStart: 10,
  move: 25_000,
  topShare: 50,
  drawdownLimit: 300_000,
};

/** Every guard of size and of the fund at its loosest bound. */
export const LOOSEST: MarketOverrides = {
  capStart: 100,
  move: 1000,
  topShare: 100,
  drawdownLimit: 1_000_000,
  accountShare: 100,
  concentration: 0,
  crowdingFrom: 100,
  volatilityFactor: 0,
  eventBudget: 800_000,
  dayBudget: 800_000,
  marketShare: 800_000,
};

const HOUR = 3600;

/** A world that begins at a full hour: epochs and funding fall alike in every run, and figures are the same. */
export async function createAligned(
  connection: NetworkConnection,
  options?: WorldOptions,
): Promise<World> {
  await align(connection);
  return createWorld(connection, options);
}

/** The same without a look at the books: for a world whose libraries are not the deployment's any more. */
export async function createUnwatched(
  connection: NetworkConnection,
  options?: WorldOptions,
): Promise<World> {
  await align(connection);
  return createPlain(connection, options);
}

async function align({ networkHelpers: { time } }: NetworkConnection): Promise<void> {
  await time.increaseTo((Math.floor((await time.latest()) / HOUR) + 1) * HOUR);
}

export type Gang = ReturnType<typeof createGang>;

export function createGang(world: World) {
  const { exchange, ballast, health } = world;
  const members: Trader[] = [];
  let paidIn = 0n;

  /** A member with an owner of its own: members trade with each other, which one owner cannot. */
  async function join(deposit: string, leverageClass?: number): Promise<Trader> {
    const member = await world.openTrader(deposit);
    members.push(member);
    paidIn += parseUnits(deposit, 18);
    if (leverageClass !== undefined) await world.execute(member, setLeverage(leverageClass));
    return member;
  }

  /** Takes out whatever can be taken out. @returns Whole settlement units, 0 if nothing can. */
  async function pull({ signer, account }: Trader): Promise<bigint> {
    const before = await ballast.token.balanceOf(signer);
    try {
      await exchange.connect(signer).withdraw(account, MaxUint256, signer);
    } catch (error) {
      if (!isRevert(error, "ZeroAmount")) throw error;
    }
    return ((await ballast.token.balanceOf(signer)) - before) / TOKEN;
  }

  /** What the members have, inside and outside, less what they brought: whole settlement units, rounded down. */
  async function profit(): Promise<bigint> {
    let total = -paidIn;
    for (const member of members) total += (await health(member)).health.equity;
    for (const owner of new Set(members.map(({ signer }) => signer.address))) {
      total += ((await ballast.token.balanceOf(owner)) * WHOLE) / TOKEN;
    }
    return wholeFloor(total);
  }

  return { members, join, pull, profit };
}

/** Two members trade with each other, if the market lets them. @returns Whether it did. */
export async function tryTrade(
  world: World,
  [buyer, seller]: readonly [Trader, Trader],
  { price, size }: { readonly price: string; readonly size: string },
): Promise<boolean> {
  await world.execute(seller, sell(price, size, { timeInForce: "postOnly" }));
  try {
    await world.execute(buyer, buy(price, size, { timeInForce: "ioc" }));
  } catch (error) {
    const guards = ["TopCapReached", "AccountCapReached", "OpenInterestCapReached", "MarginTooLow"];
    if (guards.some((guard) => isRevert(error, guard))) return false;
    throw error;
  }
  const { lots } = await world.exchange.positionOf(buyer.account, 0);
  return lots >= toLots(size);
}

function isRevert(error: unknown, name: string): boolean {
  return error instanceof Error && error.message.includes(name);
}

export function wholeFloor(amount: bigint): bigint {
  const whole = amount / WHOLE;
  return amount < 0n && whole * WHOLE !== amount ? whole - 1n : whole;
}

export const fundOf = async ({ exchange }: World) => wholeFloor(await exchange.balanceOf(1));

/** The fund's income streams in by the second, and budgets are parts of it: a few units more or less, or half a percent. */
const TOLERANCE = 5n;
const PARTS = 200n;
/** Figures below are numbers of something, or nothing, and exact. */
const COUNTS = 100n;

/** Every figure is the expected one, within a few whole units. */
export function expectNear<Figure extends string>(
  found: Readonly<Record<Figure, bigint>>,
  expected: Readonly<Record<NoInfer<Figure>, bigint>>,
): void {
  // Both have the fields of one type.
  for (const name of Object.keys(expected) as Figure[]) {
    const figure: bigint = expected[name];
    const size = figure < 0n ? -figure : figure;
    const tolerance = figure < COUNTS && figure >= 0n ? 0n : TOLERANCE + size / PARTS;
    const [least, most] = [figure - tolerance, figure + tolerance];
    expect(found[name], name).to.be.within(least, most);
  }
}
