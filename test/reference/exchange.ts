import { NaiveBook } from "../BookModel.js";
import { accountOf, freshOf, marketOf } from "../model/cohorts.js";
import { createModel } from "../model/model.js";
import type { Rational } from "../model/rational.js";
import type { AccountId, DeficitRule, MarketId, QuantityRule, State } from "../model/types.js";
import { recover } from "./budgets.js";
import { grow, openInterest } from "./caps.js";
import { judge, snapshotOf, withdrawable } from "./health.js";
import { execute } from "./orders.js";
import type { Action } from "./orders.js";
import { noStaking } from "./fund.js";
import { mature } from "./freshProfit.js";
import { pay, settle } from "./positions.js";
import { clearShortfall } from "./winding.js";
import { openVault, payOut, pull } from "./vault.js";
import { refresh } from "./prices.js";
import type { Config, Exchange, Growth, Prices, Source, Venue } from "./types.js";
import { floorDiv, least, MICRO, most, PPM, refuseUnless, venueOf } from "./types.js";

/* Calls of the exchange as functions of the model. Each either does everything or throws `Refused`. */

export type Listing = {
  readonly id: MarketId;
  readonly config: Config;
  readonly growth: Growth;
  readonly quantity: QuantityRule;
  readonly deficit: DeficitRule;
};

export type Opening = {
  readonly markets: readonly Listing[];
  readonly owners: ReadonlyMap<AccountId, string>;
  readonly stakers: readonly string[];
  readonly fundShare: bigint;
  readonly tokenScale: bigint;
  /** Of what leaves the vault beyond principal in an hour: ppm of what it holds, and token units at least. */
  readonly outflow: { readonly share: bigint; readonly floor: bigint };
  /** Seconds that an exit from the fund takes. */
  readonly cooldown: bigint;
  readonly now: bigint;
};

function noPrices(): Prices {
  const times = { publishTime: 0n, freshSince: 0n, refreshed: 0n, sampled: 0n };
  const jump = { waiting: 0n, waitingSince: 0n };
  const samples = { premium: 0n, bid: 0n, ask: 0n, lastTick: 0n, lastTradeTime: 0n };
  const storms = { variance: 0n, varianceIndex: 0n, varianceSampled: 0n, volatilityRate: 0n };
  return { index: 0n, grade: "dead", ...times, ...jump, ...samples, ...storms };
}

export function createExchange(opening: Opening): Exchange {
  const { markets, owners, fundShare, tokenScale } = opening;
  const model = createModel({ shares: "whole", freshUnit: MICRO, passOn: true });
  const venues = new Map<MarketId, Venue>();
  for (const { id, config, growth, quantity, deficit } of markets) {
    model.list({ id, unit: config.unit, mark: 0n, quantity, deficit });
    const bucket = { wave: 0n, day: 0n, since: 0n, drawdown: 0n };
    const money = { fees: 0n, bonds: 0n, fundTarget: 0n };
    const rest = { prices: noPrices(), sources: [], reduceOnly: false, bucket };
    const own = { isDrawnDown: false, openInterest: 0n, wind: undefined, isEnded: false };
    venues.set(id, { id, config, growth, book: new NaiveBook(), ...money, ...rest, ...own });
  }
  for (const id of owners.keys()) accountOf(model.state, id);
  const drawn = { amount: 0n, size: 0n, since: 0n };
  const maps = { views: new Map(), clocks: new Map(), freshGaps: new Map() };
  return {
    core: model.state,
    vault: openVault(opening.outflow, opening.now),
    staking: noStaking(opening.cooldown),
    owners,
    stakers: opening.stakers,
    venues,
    fundShare,
    tokenScale,
    drawn,
    distressSince: 0n,
    ...maps,
  };
}

/* TIME AND PRICES */

export function setTime(x: Exchange, now: bigint): void {
  x.core.now = now;
  for (const venue of x.venues.values()) {
    venue.book.now = now;
    mature(x, venue);
  }
}

/** What one of a market's sources says from now on. */
export function say(x: Exchange, id: MarketId, place: number, source: Source): void {
  const venue = venueOf(x, id);
  const sources = [...venue.sources];
  sources[place] = source;
  venue.sources = sources;
}

/* MONEY */

/** @param amount Units of the token. */
export function deposit(x: Exchange, account: AccountId, amount: bigint): void {
  refuseUnless(x.owners.has(account), "UnknownAccount");
  refuseUnless(amount > 0n, "ZeroAmount");
  payIn(x, account, amount * x.tokenScale);
  pull(x, x.owners.get(account) ?? "", amount);
}

/** @param amount Units of the token; nothing for all that there is. */
export function withdraw(x: Exchange, account: AccountId, amount: bigint | undefined): void {
  settleAll(x, account);
  const available = withdrawable(x, account) / x.tokenScale;
  const units = amount ?? available;
  refuseUnless(units > 0n, "ZeroAmount");
  refuseUnless(units <= available, "WithdrawalTooLarge");
  payIn(x, account, -units * x.tokenScale);
  payOut(x, x.owners.get(account) ?? "", units);
}

/** @param amount Quote. */
export function transfer(x: Exchange, from: AccountId, to: AccountId, amount: bigint): void {
  refuseUnless(from !== to, "SameAccount");
  refuseUnless(x.owners.get(from) === x.owners.get(to), "DifferentOwners");
  settleAll(x, from);
  refuseUnless(amount > 0n, "ZeroAmount");
  refuseUnless(amount <= withdrawable(x, from), "WithdrawalTooLarge");
  pay(x, from, -amount);
  pay(x, to, amount);
}

function payIn(x: Exchange, account: AccountId, amount: bigint): void {
  pay(x, account, amount);
  x.core.paidIn += amount;
}

/* TRADING AND UPKEEP */

export function trade(x: Exchange, account: AccountId, actions: readonly Action[]): void {
  if (actions.every(({ kind }) => kind === "cancel" || kind === "cancelAll")) {
    execute(x, account, actions);
    return;
  }
  const before = snapshotOf(x, account);
  execute(x, account, actions);
  const error = judge(x, account, before);
  refuseUnless(error === undefined, error ?? "");
}

export function settleMarket(x: Exchange, account: AccountId, market: MarketId): void {
  venueOf(x, market).book.touch(BigInt(account));
  settle(x, account, market);
}

export function settleAll(x: Exchange, account: AccountId): void {
  for (const market of x.venues.keys()) settleMarket(x, account, market);
}

/** New prices; then shares out what a market earned: first its shortfall, then fund and treasury. */
export function poke(x: Exchange, id: MarketId): void {
  refresh(x, id);
  const [market, venue] = [marketOf(x.core, id), venueOf(x, id)];
  mature(x, venue);
  clearShortfall(x, venue);
  grow(x, venue);
  recover(x, venue);
  const notional = openInterest(x, id) * market.mark;
  const { fundTarget } = venue.config;
  const rate = fundTarget === 0n ? 0n : most(fundTarget, venue.prices.volatilityRate * 100n);
  venue.fundTarget = ((notional * rate) / (PPM * MICRO)) * MICRO;
  const repaid = least(venue.fees, market.shortfall.num);
  market.shortfall = market.shortfall.minus(repaid);
  const fees = venue.fees - repaid;
  venue.fees = 0n;
  mature(x, venue);
  const treasury = treasuryPart(x, fees);
  x.core.fund = x.core.fund.plus(fees - treasury);
  x.core.treasury = x.core.treasury.plus(treasury);
}

/** Nothing while the fund is empty, all but the fund's share when it is full, linear between. */
function treasuryPart(x: Exchange, fees: bigint): bigint {
  const held = x.core.fund.floor();
  if (held <= 0n) return 0n;
  let target = 0n;
  for (const venue of x.venues.values()) target += venue.fundTarget;
  const fill = target === 0n ? PPM : least(PPM, (held * PPM) / target);
  return floorDiv(fees * (PPM - x.fundShare) * fill, PPM * PPM);
}

/* ADMINISTRATION */

/** Lifts reduce-only, not while a shortfall stands. */
export function reopen(x: Exchange, id: MarketId): void {
  refuseUnless(!marketOf(x.core, id).shortfall.isPositive(), "ReduceOnly");
  venueOf(x, id).reduceOnly = false;
}

/* CONSERVATION */

/** Money that is there minus money that should be: zero, exactly, after every call. */
export function residue(x: Exchange): Rational {
  const { core } = x;
  let sum = core.fund.plus(core.treasury).plus(core.dustMoney).minus(core.paidIn);
  for (const account of core.accounts.values()) {
    sum = sum.plus(account.balance).plus(freshOf(account));
    for (const { side, cost } of account.positions.values()) sum = sum.minus(cost.times(side));
  }
  for (const venue of x.venues.values()) {
    const market = marketOf(core, venue.id);
    sum = sum.plus(venue.fees + venue.bonds * venue.config.cohortBond).minus(market.shortfall);
    sum = sum.minus(market.dust.long.cost).plus(market.dust.short.cost);
    for (const { side, dust } of market.cohorts.values()) sum = sum.minus(dust.cost.times(side));
  }
  return sum;
}

/* COPIES */

/** Nothing of the copy is shared with the original but what never changes. */
export function copyExchange(x: Exchange): Exchange {
  const venues = new Map([...x.venues].map(([id, venue]) => [id, copyVenue(venue)] as const));
  const maps = { views: new Map(x.views), clocks: new Map(x.clocks), drawn: { ...x.drawn } };
  return { ...x, core: copyCore(x.core), venues, ...maps, ...copyTokens(x) };
}

function copyTokens({ vault, staking }: Exchange): Pick<Exchange, "vault" | "staking"> {
  const { line, netDeposits } = vault;
  return {
    vault: { ...vault, line: [...line], netDeposits: new Map(netDeposits) },
    staking: { ...staking, shares: new Map(staking.shares), exits: new Map(staking.exits) },
  };
}

function copyVenue(venue: Venue): Venue {
  const book = new NaiveBook();
  book.orders = venue.book.orders.map((order) => ({ ...order }));
  book.now = venue.book.now;
  return { ...venue, book, prices: { ...venue.prices }, bucket: { ...venue.bucket } };
}

function copyCore(core: State): State {
  const accounts = [...core.accounts].map(([id, account]) => {
    const { balance, positions, leverage, pending, fresh } = account;
    const copy = {
      balance,
      positions: copied(positions),
      leverage: new Map(leverage),
      pending: copied(pending),
      fresh: copied(fresh),
    };
    return [id, copy] as const;
  });
  const markets = [...core.markets].map(([id, market]) => {
    const cohorts = [...market.cohorts].map(([key, cohort]) => {
      const copy = { ...cohort, members: new Set(cohort.members), dust: { ...cohort.dust } };
      return [key, copy] as const;
    });
    const dust = { long: { ...market.dust.long }, short: { ...market.dust.short } };
    const copy = { ...market, cohorts: new Map(cohorts), given: new Map(market.given), dust };
    return [id, copy] as const;
  });
  return { ...core, accounts: new Map(accounts), markets: new Map(markets) };
}

function copied<Key, Value extends object>(map: ReadonlyMap<Key, Value>): Map<Key, Value> {
  return new Map([...map].map(([key, value]) => [key, { ...value }]));
}
