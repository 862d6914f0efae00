import { STATUS } from "../lib/keys.js";
import type { Ballast } from "./ballast.js";
import { latest, readStruct, slotOfMarket, slotOfState } from "./storage.js";
import type { Moment } from "./storage.js";

/* How much a market may hold now, and why it may not grow. Sizes are lots, rates parts per million, all without sign. */

const PERCENT = 100n;
const PPM = 1_000_000n;
/** Parts per million of one 0.01 %. */
const PPM_PER_RATE = 100n;
/** The ledger account of the insurance fund. */
const FUND = 1;

export type MarketStatus = {
  /** By a role, or because something is owed. */
  readonly isReduceOnly: boolean;
  /** An event waits to be continued: until then nothing happens in the market. */
  readonly hasEvent: boolean;
  /** Its index is averaged for its last price. */
  readonly isWindingDown: boolean;
  /** It drew more from the fund than it may. */
  readonly isDrawnDown: boolean;
  /** It has its last price, at which anyone may close any position. */
  readonly isEnded: boolean;
};

export type MarketLimits = {
  readonly market: number;
  /** Lots of each side. */
  readonly openInterest: bigint;
  /** What it may be: the cap in force. Shares below are parts of it. */
  readonly openInterestCap: bigint;
  /** What the cap would be after a poke now, and what it grows to in the end. */
  readonly cap: { readonly afterPoke: bigint; readonly full: bigint };
  /** Lots that one account may hold, live orders included. */
  readonly accountCap: bigint;
  /** Lots that accounts of 20 times and more hold on each side, and may hold on each. */
  readonly top: { readonly long: bigint; readonly short: bigint; readonly cap: bigint };
  /** What initial margin is at least, of notional, for how much the index moves; 0 in the calm. */
  readonly volatility: bigint;
  readonly status: MarketStatus;
  /** Whether a position may grow, as far as the status goes. */
  readonly mayGrow: boolean;
  /** Quote that nobody could pay yet. */
  readonly shortfall: bigint;
};

/** As of the latest block, as the market was last refreshed. */
export async function readLimits(ballast: Ballast, market: number): Promise<MarketLimits> {
  const { exchange } = ballast;
  const at = await latest(ballast);
  const block = { blockTag: at.number };
  const [config, { price, book, flow, pool }, caps, fund] = await Promise.all([
    exchange.configOf(market, block),
    exchange.marketOf(market, block),
    readStruct(ballast, "CapSlot", { slot: slotOfMarket(market, "caps"), at }),
    exchange.balanceOf(FUND, block),
  ]);
  const { openInterestCap, accountShare } = config;
  const status = statusOf(book.status);
  const { hasEvent: _, ...shrinking } = status;
  return {
    market,
    openInterest: flow.openInterest,
    openInterestCap,
    cap: {
      afterPoke: grown(caps, config, at),
      full: caps.full === 0n ? openInterestCap : caps.full,
    },
    accountCap: (openInterestCap * accountShare) / PERCENT,
    top: { long: caps.topLong, short: caps.topShort, cap: topCap(config, price.mark, fund) },
    volatility: book.volatilityRate * PPM_PER_RATE,
    status,
    mayGrow: !Object.values(shrinking).includes(true),
    shortfall: pool.shortfall,
  };
}

function statusOf(bits: bigint): MarketStatus {
  const has = (bit: bigint) => (bits & bit) !== 0n;
  return {
    isReduceOnly: has(STATUS.reduceOnly),
    hasEvent: has(STATUS.event),
    isWindingDown: has(STATUS.windingDown),
    isDrawnDown: has(STATUS.drawdown),
    isEnded: has(STATUS.ended),
  };
}

type Ramp = { readonly openInterestCap: bigint; readonly capRamp: bigint };

/** libraries/Caps.sol, `grow`. */
function grown(
  { full, since }: { readonly full: bigint; readonly since: bigint },
  { openInterestCap, capRamp }: Ramp,
  { time }: Moment,
): bigint {
  if (full === 0n) return openInterestCap;
  const step = capRamp === 0n ? full : (full * (time - since)) / capRamp;
  return least(openInterestCap + step, full);
}

type TopBounds = Pick<Ramp, "openInterestCap"> & {
  readonly topShare: bigint;
  readonly move: bigint;
  readonly tierLeverage1: bigint;
  readonly dayBudget: bigint;
};

/** libraries/Caps.sol, `topCap`. Rounded down. */
function topCap(config: TopBounds, mark: bigint, fund: bigint): bigint {
  const share = (config.openInterestCap * config.topShare) / PERCENT;
  const excess = config.move - PPM / (2n * config.tierLeverage1);
  if (excess <= 0n || mark === 0n) return share;
  const budget = fund > 0n ? fund * config.dayBudget : 0n;
  return least(share, budget / (mark * excess));
}

/** What an account has of a market and may have, lots. */
export type AccountShare = {
  /** As it was when the account was last settled. */
  readonly held: bigint;
  /** The most that it would hold if its orders were filled. */
  readonly worst: bigint;
  readonly cap: bigint;
};

export async function readAccountShare(
  ballast: Ballast,
  account: number,
  market: number,
): Promise<AccountShare> {
  const { exchange } = ballast;
  const block = { blockTag: (await latest(ballast)).number };
  const [config, position, resting] = await Promise.all([
    exchange.configOf(market, block),
    exchange.positionOf(account, market, block),
    exchange.restingOf(account, market, block),
  ]);
  const { lots: held } = position;
  const isLong = (position.kind & 1n) === 0n;
  const { bidLots, askLots } = resting;
  const [adding, against] = isLong ? [bidLots, askLots] : [askLots, bidLots];
  const beyond = against - held;
  return {
    held,
    worst: held + adding > beyond ? held + adding : beyond,
    cap: (config.openInterestCap * config.accountShare) / PERCENT,
  };
}

/* THE FUND'S BUDGETS */

const WAVE = 3_600n;
const DAY = 86_400n;
/** Parts of the fund that all markets together may draw. */
const ALL_MARKETS = 800_000n;

/** What the insurance fund would pay for a market now, quote. */
export type Budget = {
  /** In an event, before winners are asked. */
  readonly beforeWinners: bigint;
  /** In all, with what it pays after them. */
  readonly inAll: bigint;
};

/** libraries/Budgets.sol. Rounded down. */
export async function readBudget(ballast: Ballast, market: number): Promise<Budget> {
  const { exchange } = ballast;
  const at = await latest(ballast);
  const block = { blockTag: at.number };
  const [config, balance, all, bucket] = await Promise.all([
    exchange.configOf(market, block),
    exchange.balanceOf(FUND, block),
    readStruct(ballast, "FundSlot", { slot: slotOfState("drawn"), at }),
    readStruct(ballast, "BucketSlot", { slot: slotOfMarket(market, "bucket"), at }),
  ]);
  const fund = balance > 0n ? balance : 0n;
  const part = (size: bigint, rate: bigint) => (size * rate) / PPM;
  const level = (drawn: bigint, capacity: bigint, [since, window]: readonly [bigint, bigint]) =>
    zeroFloor(drawn - (capacity * (at.time - since)) / window);
  const drawn = level(all.drawn, part(all.size, ALL_MARKETS), [all.since, DAY]);
  const size = fund + drawn;
  const left = least(fund, zeroFloor(part(size, ALL_MARKETS) - drawn));
  const wave = level(bucket.wave, part(size, config.eventBudget), [bucket.since, WAVE]);
  const day = level(bucket.day, part(size, config.marketShare), [bucket.since, DAY]);
  const share = least(left, zeroFloor(part(size, config.marketShare) - day));
  const ofDay = zeroFloor(part(size, config.dayBudget) - day);
  const ofEvent = zeroFloor(part(size, config.eventBudget) - wave);
  return { beforeWinners: least(ofEvent, ofDay, share), inAll: share };
}

function zeroFloor(value: bigint): bigint {
  return value > 0n ? value : 0n;
}

function least(...values: readonly [bigint, ...bigint[]]): bigint {
  return values.reduce((a, b) => (b < a ? b : a));
}
