import type { Result } from "ethers";
import { network } from "hardhat";
import {
  Margin__factory,
  MarginHarness__factory,
  Positions__factory,
} from "../typechain-types/index.js";
import { ACCOUNT, holding, MARKET, readAll } from "./MarginFixture.js";
import type { Reader } from "./MarginFixture.js";
import type { HoldingCase, MarketCase, World } from "./MarginOracle.js";

/*
 * Accounts in numbers that can be checked by hand. A unit is 1e15 quote, so that a lot can be worth 1000 of them: a price per
 * lot has 64 bits.
 */

const { ethers, networkHelpers } = await network.create();

export { networkHelpers };

export async function deployMargin(): Promise<Reader> {
  const deployer = await ethers.provider.getSigner(0);
  const margin = await new Margin__factory(deployer).deploy();
  const positions = await new Positions__factory(deployer).deploy();
  const links = {
    "project/contracts/libraries/Margin.sol:Margin": await margin.getAddress(),
    "project/contracts/libraries/Positions.sol:Positions": await positions.getAddress(),
  };
  const harness = await new MarginHarness__factory(links, deployer).deploy();
  const now = await networkHelpers.time.latest();
  return { harness, now };
}

export const UNIT = 10n ** 15n;

/** A lot is worth 1000; tiers 1 M → 50, 5 M → 20, 20 M → 10, more → 5. */
export const BASE: MarketCase = {
  ...MARKET,
  mark: 1000n * UNIT,
  index: 1000n * UNIT,
  caps: [1000n, 5000n, 20_000n],
};

/** Long 2000 lots at 1000, marked there: notional 2,000,000, tiers 70,000, maintenance 35,000. */
export const LONG = holding({ lots: 2000n, cost: 2_000_000n * UNIT });
export const SHORT: HoldingCase = { ...LONG, side: -1n };
export const LONG_SIDE = 0;
export const SHORT_SIDE = 1;

export type Changes = Partial<Omit<MarketCase, "mark" | "index" | "pending">> & {
  /** Units a lot. */
  readonly mark?: number;
  readonly index?: number;
  readonly pending?: number;
};

/** An amount of units, to the millionth. */
export function units(amount: number): bigint {
  return BigInt(Math.round(amount * 1e6)) * 10n ** 9n;
}

export function market({ mark, index, pending, ...rest }: Changes = {}): MarketCase {
  return {
    ...BASE,
    ...rest,
    mark: units(mark ?? 1000),
    index: units(index ?? mark ?? 1000),
    pending: pending === undefined ? undefined : units(pending),
  };
}

/** An account with a balance in units; each holding in its own market, all markets alike unless given. */
export function account(
  balance: number | bigint,
  holdings: readonly HoldingCase[],
  markets: readonly MarketCase[] = [],
): World {
  const placed = holdings.map((each, id) => ({ ...each, market: id }));
  const all = placed.map((_, id) => markets[id] ?? BASE);
  const amount = typeof balance === "bigint" ? balance : units(balance);
  return {
    markets: all.length === 0 ? [BASE] : all,
    account: { balance: amount, holdings: placed },
  };
}

export async function read(at: World, view: string, ...args: readonly unknown[]): Promise<unknown> {
  const reader = await networkHelpers.loadFixture(deployMargin);
  const [answer] = await readAll(reader, at, [view, ...args]);
  return answer;
}

export async function healthOf(at: World): Promise<Record<string, bigint>> {
  // A struct comes as ethers' Result, which knows its names.
  return ((await read(at, "health", ACCOUNT)) as Result).toObject() as Record<string, bigint>;
}
