import type { BigNumberish } from "ethers";
import { network } from "hardhat";
import type { BookHarnessTrading } from "../typechain-types/index.js";
import {
  BookHarnessTrading__factory,
  Margin__factory,
  Matching__factory,
  Orders__factory,
  Positions__factory,
} from "../typechain-types/index.js";

/*
 * A market in numbers that can be read: a lot is worth one unit at tick 10,000, the mark. The band is 5 %, ticks 9,500 to 10,500.
 */

export const { ethers, networkHelpers } = await network.create();

export const MARKET = 3n;
export const UNIT = 10n ** 14n;
export const WHOLE = 10n ** 18n;
export const MARK_TICK = 10_000n;
export const LONG = 0n;
export const SHORT = 1n;
export const FIRST_ACCOUNT = 10n;
/** No account of the tests pays attention to money unless it says so. */
export const RICH = 1_000_000n * WHOLE;

export const REASON = {
  cancelled: 0n,
  replaced: 1n,
  expired: 2n,
  selfTrade: 3n,
  notReducing: 4n,
  marginTooLow: 5n,
  killed: 6n,
} as const;

export const GRADE = { dead: 0n, aged: 1n, fresh: 2n } as const;
export const STATUS = { listed: 1n, reduceOnly: 2n, event: 4n, windingDown: 8n } as const;
export const KIND = { place: 0n, replace: 1n, cancel: 2n, cancelAll: 3n, leverage: 4n } as const;
export const TIF = { gtc: 0n, ioc: 1n, fok: 2n, postOnly: 3n } as const;

/** Initial margin 1 / 10 by the default class, maintenance 1 %. */
export const CONFIG = {
  unit: UNIT,
  tierCap1: 100_000_000n,
  tierCap2: 200_000_000n,
  tierCap3: 300_000_000n,
  tierLeverage1: 50n,
  tierLeverage2: 20n,
  tierLeverage3: 10n,
  tierLeverage4: 5n,
  maxDeviation: 10_000n,
  maxLeverage: 5n,
  defaultLeverage: 4n,
  concentration: 0n,
  accountShare: 100n,
  crowdingFrom: 100n,
  openInterestCap: 10n ** 9n,
  minNotional: 10_000_000n,
  makerFee: 100n,
  takerFee: 500n,
  band: 50_000n,
  cohortBond: 0n,
  freshEpoch: 240n,
  classDelay: 900n,
  lotDecimals: 8n,
  maxJump: 80_000n,
  maxSpread: 10_000n,
  maxPending: 60n,
  freshFor: 65_535n,
  agedFor: 65_535n,
  premiumWindow: 150n,
  sampleInterval: 10n,
  impactNotional: 20_000n,
  maxFunding: 7_500n,
  interest: 100n,
  maxAccrual: 3_600n,
  lastTradeFor: 60n,
  slip0: 2_000n,
  clock: 30n,
  liqSlip: 5_000n,
  penalty: 5_000n,
  callerShare: 200_000n,
  eventBudget: 200_000n,
  dayBudget: 400_000n,
  marketShare: 600_000n,
  fundTarget: 50_000n,
  maxDead: 86_400n,
  quantityRule: 0n,
  deficitRule: 0n,
  volatilityFactor: 0n,
  volatilityHorizon: 600n,
  volatilityWindow: 3600n,
  move: 1000n,
  topShare: 100n,
  capStart: 100n,
  capRamp: 0n,
  drawdownLimit: 1_000_000n,
  windWindow: 86_400n,
};

const BOOK = {
  bestBid: 0n,
  bestAsk: 0n,
  lastTick: 0n,
  lastTradeTime: 0n,
  refreshed: 0n,
  kills: 0n,
  grade: GRADE.fresh,
  status: STATUS.listed,
  freshSince: 0n,
  pendingSince: 0n,
  volatilityRate: 0n,
};

/** Accounts 11 to 19. 11 and 12 have one owner, the others one each. */
export const ACCOUNTS = [11n, 12n, 13n, 14n, 15n, 16n, 17n, 18n, 19n] as const;

export function ownerOf(account: bigint): string {
  const owner = account === 12n ? 11n : account;
  return ethers.zeroPadValue(ethers.toBeHex(owner), 20);
}

async function deployLibraries() {
  const deployer = await ethers.provider.getSigner(0);
  const margin = await new Margin__factory(deployer).deploy();
  const positions = await new Positions__factory(deployer).deploy();
  const base = {
    "project/contracts/libraries/Margin.sol:Margin": await margin.getAddress(),
    "project/contracts/libraries/Positions.sol:Positions": await positions.getAddress(),
  };
  const matching = await new Matching__factory(base, deployer).deploy();
  const matchingAt = {
    "project/contracts/libraries/Matching.sol:Matching": await matching.getAddress(),
  };
  const orders = await new Orders__factory({ ...base, ...matchingAt }, deployer).deploy();
  const ordersAt = { "project/contracts/libraries/Orders.sol:Orders": await orders.getAddress() };
  return { deployer, links: { ...base, ...matchingAt, ...ordersAt } };
}

export async function deployTrading() {
  const { deployer, links } = await deployLibraries();
  const exchange = await new BookHarnessTrading__factory(links, deployer).deploy();
  const mark = MARK_TICK * UNIT;
  await exchange.setMarket(MARKET, { funding: 0n, mark, index: mark }, BOOK, CONFIG);
  for (const account of ACCOUNTS) await exchange.setAccount(account, ownerOf(account), RICH);
  return { exchange };
}

export type Exchange = BookHarnessTrading;

export type ActionWish = {
  readonly kind?: bigint;
  readonly market?: bigint;
  readonly side?: bigint;
  readonly timeInForce?: bigint;
  readonly reduceOnly?: boolean;
  readonly tick?: bigint;
  readonly lots?: bigint;
  readonly expiry?: bigint;
  readonly slot?: bigint;
};

/** One action; what is not named does not matter to it. */
export function action(wish: ActionWish) {
  return {
    kind: KIND.place,
    market: MARKET,
    side: LONG,
    timeInForce: TIF.gtc,
    reduceOnly: false,
    tick: MARK_TICK,
    lots: 100n,
    expiry: 0n,
    slot: 0n,
    ...wish,
  };
}

export const bid = (tick: bigint, lots: bigint, more: ActionWish = {}) =>
  action({ side: LONG, tick, lots, ...more });
export const ask = (tick: bigint, lots: bigint, more: ActionWish = {}) =>
  action({ side: SHORT, tick, lots, ...more });

export function idOf(account: bigint, slot: bigint): bigint {
  return account * 256n + slot;
}

export type Result = { readonly order: bigint; readonly filled: bigint; readonly left: bigint };

/** Executes for real, and says what the call returned. */
export async function act(
  exchange: Exchange,
  account: bigint,
  ...actions: ReturnType<typeof action>[]
): Promise<Result> {
  const results = await exchange.execute.staticCall(account, actions);
  await exchange.execute(account, actions);
  const { order, filled, left } = results.at(-1) ?? { order: 0n, filled: 0n, left: 0n };
  return { order, filled, left };
}

export type TakeWish = {
  readonly taker?: bigint;
  readonly side: bigint;
  readonly lots: bigint;
  readonly limitTick: bigint;
  readonly maxFills?: bigint;
  readonly isForced?: boolean;
  readonly isReduceOnly?: boolean;
};

export function taking({
  taker = 0n,
  maxFills = 100n,
  isForced = false,
  isReduceOnly = false,
  ...rest
}: TakeWish) {
  return { market: MARKET, taker, maxFills, isForced, isReduceOnly, ...rest };
}

export async function take(exchange: Exchange, wish: TakeWish) {
  const { lots, quote, fills, isBound } = await exchange.take.staticCall(taking(wish));
  await exchange.take(taking(wish));
  return { lots, quote, fills, isBound };
}

type Held = { readonly lots: bigint; readonly kind: bigint };

/** Lots of a position, below zero for a short. */
export function signedLots({ lots, kind }: Held = { lots: 0n, kind: 0n }): bigint {
  return (kind & 1n) === LONG ? lots : -lots;
}

export async function sizeOf(exchange: Exchange, account: bigint): Promise<bigint> {
  return signedLots(await exchange.positionOf(MARKET, account));
}

/** Opens a position of `lots` at `tick` against account 19, whose size nobody looks at. */
export async function open(
  exchange: Exchange,
  account: bigint,
  { lots, tick = MARK_TICK }: { readonly lots: bigint; readonly tick?: bigint },
): Promise<void> {
  const [side, other, size] = lots > 0n ? [LONG, SHORT, lots] : [SHORT, LONG, -lots];
  await exchange.execute(19n, [action({ side: other, tick, lots: size })]);
  await exchange.execute(account, [action({ side, tick, lots: size })]);
}

/** All orders of a side as they would be met. INV-5: links both ways, and levels that are the sum of their orders. */
export async function queue(
  exchange: Exchange,
  side: bigint,
): Promise<{ readonly id: bigint; readonly tick: bigint; readonly lots: bigint }[]> {
  const [ids, orders, lots] = await exchange.queueOf(MARKET, side);
  const found = orders.map((order, i) => ({
    id: ids[i] ?? 0n,
    tick: order.tick,
    lots: order.lots,
  }));
  const total = found.reduce((sum, order) => sum + order.lots, 0n);
  if (total !== lots) throw new Error(`INV-5: levels have ${lots} lots, their orders ${total}`);
  for (const [i, { prev, tick }] of orders.entries()) {
    const before = found[i - 1];
    const expected = before?.tick === tick ? before.id : 0n;
    if (prev !== expected)
      throw new Error(`INV-5: ${found[i]?.id} follows ${prev}, not ${expected}`);
  }
  return found;
}

export function notional(tick: BigNumberish, lots: BigNumberish): bigint {
  return BigInt(tick) * BigInt(lots) * UNIT;
}

/** A fee of so many parts per million, rounded up. */
export function feeUp(quote: bigint, rate: bigint): bigint {
  return (quote * rate + 999_999n) / 1_000_000n;
}
