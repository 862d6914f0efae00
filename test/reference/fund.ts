import { isWaiting } from "./jumps.js";
import type { Exchange } from "./types.js";
import { atLeastZero, floorDiv, least, MICRO, most, refuseUnless } from "./types.js";
import { payOut, pull } from "./vault.js";

/* Shares of the insurance fund. What it earns counts for their price over a day; who wants to leave waits. */

const DAY = 86_400n;
/** Virtual shares, which no one can own. */
const VIRTUAL = 10n ** 12n;
/** Seconds after a jump began to wait or the last clock was started, and the part of the fund that is much. */
const SHUT_FOR = 3_600n;
const MUCH = 20n;
/** Who owns the fund's account in the vault's eyes. */
export const FUND_OWNER = "fund";

export const fundSeen = { stakes: 0, exits: 0 };

export type Staking = {
  readonly cooldown: bigint;
  /** By staker. */
  readonly shares: Map<string, bigint>;
  readonly exits: Map<string, { readonly shares: bigint; readonly ready: bigint }>;
  /** Quote of account 1 when it was last looked at, and what of it streams from then until `end`. */
  income: { seen: bigint; streaming: bigint; since: bigint; end: bigint };
};

export function noStaking(cooldown: bigint): Staking {
  const income = { seen: 0n, streaming: 0n, since: 0n, end: 0n };
  return { cooldown, shares: new Map(), exits: new Map(), income };
}

/** @param amount Units of the token. */
export function stake(x: Exchange, staker: string, amount: bigint): void {
  requireOpen(x);
  const shares = (amount * (supplyOf(x) + VIRTUAL)) / (assetsOf(x) + 1n);
  refuseUnless(shares > 0n, "ZeroShares");
  fundSeen.stakes++;
  note(x);
  x.staking.income.seen += amount * x.tokenScale;
  give(x, staker, shares);
  x.core.fund = x.core.fund.plus(amount * x.tokenScale);
  x.core.paidIn += amount * x.tokenScale;
  pull(x, FUND_OWNER, amount);
}

export function requestExit(x: Exchange, staker: string, shares: bigint): void {
  const { exits, cooldown } = x.staking;
  refuseUnless(shares > 0n, "ZeroShares");
  refuseUnless(!exits.has(staker), "ExitPending");
  refuseUnless(shares <= sharesOf(x, staker), "ERC20InsufficientBalance");
  give(x, staker, -shares);
  exits.set(staker, { shares, ready: x.core.now + cooldown });
}

export function executeExit(x: Exchange, staker: string): void {
  const exit = x.staking.exits.get(staker);
  refuseUnless(exit !== undefined, "NoExit");
  refuseUnless(x.core.now >= exit.ready, "ExitNotReady");
  requireOpen(x);
  const amount = (exit.shares * (assetsOf(x) + 1n)) / (supplyOf(x) + VIRTUAL);
  x.staking.exits.delete(staker);
  fundSeen.exits++;
  note(x);
  x.staking.income.seen -= amount * x.tokenScale;
  if (amount === 0n) return;
  x.core.fund = x.core.fund.minus(amount * x.tokenScale);
  x.core.paidIn -= amount * x.tokenScale;
  payOut(x, FUND_OWNER, amount);
}

/** All shares, those that wait for their exit included. */
export function supplyOf({ staking }: Exchange): bigint {
  const held = [...staking.shares.values()].reduce((sum, shares) => sum + shares, 0n);
  return [...staking.exits.values()].reduce((sum, { shares }) => sum + shares, held);
}

export function sharesOf({ staking }: Exchange, staker: string): bigint {
  return staking.shares.get(staker) ?? 0n;
}

/** Units of the token that all shares are worth. */
export function assetsOf(x: Exchange): bigint {
  const { held, left } = look(x);
  return (held - left) / x.tokenScale;
}

/** Quote that does not count yet. */
export function streamingOf(x: Exchange): bigint {
  return look(x).left;
}

function give({ staking }: Exchange, staker: string, shares: bigint): void {
  staking.shares.set(staker, (staking.shares.get(staker) ?? 0n) + shares);
}

/** Shut while a jump waits or much is under liquidation, measured by the fund. */
function requireOpen(x: Exchange): void {
  const isJumping = [...x.venues.values()].some(
    ({ prices }) => isWaiting(prices) && x.core.now < prices.waitingSince + SHUT_FOR,
  );
  refuseUnless(!isJumping, "Shut");
  const distress = [...x.clocks.values()].reduce((sum, clock) => sum + clock.distress, 0n);
  const isOver = x.core.now >= x.distressSince + SHUT_FOR;
  const bound = floorDiv(x.core.fund.floor(), MICRO) / MUCH;
  refuseUnless(isOver || distress <= bound, "TooMuchDistress");
}

function note(x: Exchange): void {
  const { held, left, end } = look(x);
  x.staking.income = { seen: held, streaming: left, since: x.core.now, end };
}

/** What new income does to what streams: it comes in over a day, and all of it ends at the weighted middle. */
function look({ core, staking: { income } }: Exchange): {
  held: bigint;
  left: bigint;
  end: bigint;
} {
  const held = atLeastZero(core.fund.floor());
  const end = most(income.end, core.now);
  const wait = end - core.now;
  const left = wait === 0n ? 0n : (income.streaming * wait) / (end - income.since);
  const gain = held - income.seen;
  if (gain <= 0n) return { held, left: least(atLeastZero(left + gain), held), end };
  const later = core.now + (left * wait + gain * DAY) / (left + gain);
  return { held, left: least(left + gain, held), end: later };
}
