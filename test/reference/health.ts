import { accountOf, freshOf, marketOf } from "../model/cohorts.js";
import { tierRequirement } from "../model/margin.js";
import { priceClass } from "../model/queue.js";
import type { AccountId, MarketId, Side } from "../model/types.js";
import { isAboveTopCap } from "./caps.js";
import { isWaiting } from "./jumps.js";
import { chosenClass, heldBy, worthCeil, worthFloor } from "./positions.js";
import type { Held } from "./positions.js";
import type { Config, Exchange, Venue } from "./types.js";
import { absolute, atLeastZero, ceilDiv, LEVERAGES, least, most, venueOf } from "./types.js";

/* What an account has and what it needs. Values are rounded down, requirements up, each once a market. */

export type Health = {
  readonly equity: bigint;
  readonly equityAtIndex: bigint;
  /** At the prices of jumps that wait. */
  readonly equityAtWaiting: bigint;
  /** At the worse of mark and the price that waits, a dead market's profit left out. */
  readonly prudent: bigint;
  readonly initial: bigint;
  /** Without what a storm asks of new risk. */
  readonly initialCalm: bigint;
  readonly maintenance: bigint;
  readonly maintenanceAtIndex: bigint;
  readonly maintenanceAtWaiting: bigint;
  readonly fresh: bigint;
  readonly notional: bigint;
};

/** What an account holds in a market, with the lots that its orders reserve. */
export type Size = {
  readonly market: MarketId;
  readonly signed: bigint;
  readonly cost: bigint;
  readonly side: Side;
  readonly bids: bigint;
  readonly asks: bigint;
};

type Covered = Pick<Health, "equity" | "maintenance">;

export type Snapshot = { readonly sizes: readonly Size[]; readonly health: Health };

export function maintenanceUp(config: Config, notional: bigint): bigint {
  return tierRequirement(config.tiers, notional).over(2n).ceil();
}

export function sizesOf(x: Exchange, id: AccountId): Size[] {
  return [...x.venues.values()].map(({ id: market, book }) => {
    const [bids, asks] = [book.reserved(BigInt(id), 0n), book.reserved(BigInt(id), 1n)];
    return { ...sizeOf(market, heldBy(x, id, market)), bids, asks };
  });
}

export function sizeOf(market: MarketId, held: Held | undefined): Size {
  const { side, lots, cost } = held ?? { side: 1n as Side, lots: 0n, cost: 0n };
  return { market, signed: side * lots, cost, side, bids: 0n, asks: 0n };
}

export function healthOf(x: Exchange, id: AccountId): Health {
  return measure(x, id, sizesOf(x, id));
}

export function snapshotOf(x: Exchange, id: AccountId): Snapshot {
  const sizes = sizesOf(x, id);
  return { sizes, health: measure(x, id, sizes) };
}

/** The account's health if it had these sizes and `extra` more cash. */
export function measure(x: Exchange, id: AccountId, sizes: readonly Size[], extra = 0n): Health {
  const account = accountOf(x.core, id);
  const fresh = freshOf(account);
  const cash = account.balance.plus(fresh);
  if (!cash.isWhole() || !fresh.isWhole()) throw new Error("an account's money is whole");
  const parts = sizes.map((size) => partOf(x, id, size));
  const total = (pick: (part: Part) => bigint) => parts.reduce((sum, part) => sum + pick(part), 0n);
  const base = cash.num + extra;
  return {
    equity: base + total((part) => part.value),
    equityAtIndex: base + total((part) => part.valueAtIndex),
    equityAtWaiting: base + total((part) => part.valueAtWaiting),
    prudent: base + total((part) => part.prudent),
    initial: total((part) => part.initial),
    initialCalm: total((part) => part.initialCalm),
    maintenance: total((part) => part.maintenance),
    maintenanceAtIndex: total((part) => part.maintenanceAtIndex),
    maintenanceAtWaiting: total((part) => part.maintenanceAtWaiting),
    fresh: fresh.num,
    notional: total((part) => part.notional),
  };
}

type Part = ReturnType<typeof partOf>;

function partOf(x: Exchange, id: AccountId, size: Size) {
  const [market, { config, prices }] = [marketOf(x.core, size.market), venueOf(x, size.market)];
  const { signed, side, cost } = size;
  const lots = absolute(signed);
  const worstLots = most(absolute(signed + size.bids), absolute(signed - size.asks));
  const other = otherPrice(x, size.market);
  const worst = worstLots * most(market.mark, other);
  const value = worthFloor(market, side, lots, lots * market.mark) - side * cost;
  const valueAtWaiting = value + signed * (other - market.mark);
  const worse = least(value, valueAtWaiting);
  const leverage = LEVERAGES[Math.min(chosenClass(x, id, size.market), config.maxLeverageClass)];
  const tiers = tierRequirement(config.tiers, worst).ceil();
  const asked = most(ceilDiv(worst, leverage ?? 1n), tiers);
  const calm = most(asked, sizeUp(venueOf(x, size.market), worstLots, worst));
  return {
    value,
    valueAtIndex: value + signed * (prices.index - market.mark),
    valueAtWaiting,
    prudent: prices.grade === "dead" ? least(worse, 0n) : worse,
    initial: most(calm, ceilDiv(worst * prices.volatilityRate, 10_000n)),
    initialCalm: calm,
    maintenance: maintenanceUp(config, lots * market.mark),
    maintenanceAtIndex: maintenanceUp(config, lots * prices.index),
    maintenanceAtWaiting: maintenanceUp(config, lots * other),
    notional: lots * market.mark,
  };
}

/** The price that waits, or mark again. */
function otherPrice(x: Exchange, id: MarketId): bigint {
  const { prices } = venueOf(x, id);
  return isWaiting(prices) ? prices.waiting : marketOf(x.core, id).mark;
}

/** What is large in its market needs more, be it one position or all of one side; never more than all of the notional. */
function sizeUp({ config, openInterest }: Venue, lots: bigint, notional: bigint): bigint {
  const { openInterestCap: cap, crowdingFrom, concentration } = config;
  const from = cap * crowdingFrom;
  const [crowd, room] = [atLeastZero(openInterest * 100n - from), cap * 100n - from];
  if (crowd > room) return notional;
  const byCrowd = crowd === 0n ? 0n : ceilDiv(notional * crowd, room);
  return least(notional, most(byCrowd, ceilDiv(notional * concentration * lots, cap * 10n)));
}

/** min(balance, prudent equity − fresh profit) − initial margin; nothing while a jump waits, but without a position. */
export function withdrawable(x: Exchange, id: AccountId): bigint {
  const waits = [...x.venues.values()].some((it) => isWaiting(it.prices) && isIn(x, id, it.id));
  if (waits && healthOf(x, id).maintenance > 0n) return 0n;
  const { settled, initial } = coverage(x, id);
  return atLeastZero(settled - initial);
}

export function coverage(x: Exchange, id: AccountId): { settled: bigint; initial: bigint } {
  const { prudent, fresh, initialCalm } = healthOf(x, id);
  const settled = least(accountOf(x.core, id).balance.floor(), prudent - fresh);
  return { settled, initial: initialCalm };
}

/** Whether the account has anything in the market: then what it may withdraw depends on that market's price. */
function isIn(x: Exchange, account: AccountId, market: MarketId): boolean {
  const { positions, fresh } = accountOf(x.core, account);
  const orders = venueOf(x, market).book.of(BigInt(account));
  return positions.has(market) || fresh.has(market) || orders.length > 0;
}

/** equity / maintenance not lower; without a position equity ≥ 0, or no less than it was without one. */
export function isNotPoorer(was: Covered, is: Covered): boolean {
  if (is.maintenance === 0n) {
    return is.equity >= 0n || (was.maintenance === 0n && is.equity >= was.equity);
  }
  return is.equity * was.maintenance >= was.equity * is.maintenance;
}

/** The name of the error with which the judge refuses, if he does. */
export function judge(x: Exchange, id: AccountId, before: Snapshot): string | undefined {
  const now = snapshotOf(x, id);
  const pairs = now.sizes.map((is, i) => ({ is, was: before.sizes[i] }));
  for (const { was, is } of pairs.sort((a, b) => a.is.market - b.is.market)) {
    const sizes = { market: is.market, was: was?.signed ?? 0n, is: is.signed };
    if (isAboveTopCap(x, id, sizes)) return "TopCapReached";
    if (isAboveAccountCap(x, was, is)) return "AccountCapReached";
  }
  if (now.health.prudent >= now.health.initial) return undefined;
  const onlyShrank = now.sizes.every((size, i) => hasShrunk(before.sizes[i], size));
  return onlyShrank && isNotPoorer(before.health, now.health) ? undefined : "MarginTooLow";
}

function isAboveAccountCap(x: Exchange, was: Size | undefined, is: Size): boolean {
  const { openInterestCap, accountShare } = venueOf(x, is.market).config;
  const worst = ({ signed, bids, asks }: Size) =>
    most(absolute(signed + bids), absolute(signed - asks));
  const cap = (openInterestCap * accountShare) / 100n;
  return worst(is) > cap && (was === undefined || worst(is) > worst(was));
}

function hasShrunk(was: Size | undefined, is: Size): boolean {
  if (was === undefined) return false;
  const sameSide = is.signed * was.signed > 0n && absolute(is.signed) <= absolute(was.signed);
  return (is.signed === 0n || sameSide) && is.bids <= was.bids && is.asks <= was.asks;
}

export type MakerFill = {
  readonly market: MarketId;
  readonly maker: AccountId;
  readonly side: Side;
  readonly lots: bigint;
  /** Quote per lot. */
  readonly price: bigint;
  readonly fee: bigint;
};

/**
 * Whether a resting order may be filled: the account after the fill, without reservations. Growing or flipping needs
 * maintenance, or initial margin if the price is worse than mark; shrinking at such a price may not lower equity / maintenance.
 * While a jump waits all of it has to hold at mark and at the price that waits.
 */
export function allowsMaker(x: Exchange, fill: MakerFill): boolean {
  const { maker, side, lots, price } = fill;
  const { mark } = marketOf(x.core, fill.market);
  const held = heldBy(x, maker, fill.market);
  const shrinks = held !== undefined && held.side !== side && held.lots >= lots;
  const isWorse = [mark, otherPrice(x, fill.market)].some((than) => side * (price - than) > 0n);
  if (shrinks && !isWorse) return true;
  const others = [...x.venues.keys()]
    .filter((market) => market !== fill.market)
    .map((market) => sizeOf(market, heldBy(x, maker, market)));
  const after = afterFill(x, fill, held);
  const health = measure(x, maker, [...others, after.size], after.cash);
  if (isWorse && !shrinks) return health.prudent >= health.initial;
  const before = measure(x, maker, [...others, sizeOf(fill.market, held)]);
  const pairs = [
    { was: before, is: health },
    { was: atWaiting(before), is: atWaiting(health) },
  ];
  if (!shrinks) return pairs.every(({ is }) => is.equity >= is.maintenance);
  return pairs.every(({ was, is }) => isNotPoorer(was, is));
}

function atWaiting({ equityAtWaiting, maintenanceAtWaiting }: Health): Covered {
  return { equity: equityAtWaiting, maintenance: maintenanceAtWaiting };
}

/** The position after a fill, at no cost; what was and is paid for it, with fee and bond, is cash. */
function afterFill(x: Exchange, fill: MakerFill, held: Held | undefined) {
  const { side, lots, price } = fill;
  const market = marketOf(x.core, fill.market);
  const closing = held === undefined || held.side === side ? 0n : least(held.lots, lots);
  const signed = (held === undefined ? 0n : held.side * held.lots) + side * lots;
  const costOf = (part: bigint) => worthCeil(market, side, part, part * price);
  const paid = held === undefined ? 0n : held.side * held.cost;
  const bond = opensCohort(x, fill, held, closing) ? venueOf(x, fill.market).config.cohortBond : 0n;
  const cash = -paid - costOf(closing) - costOf(lots - closing) - fill.fee - bond;
  const keeps = held !== undefined && held.lots > closing;
  const size: Size = {
    ...sizeOf(fill.market, undefined),
    signed,
    side: keeps ? held.side : side,
  };
  return { size, cash };
}

function opensCohort(
  x: Exchange,
  { market: id, maker, side, lots, price }: MakerFill,
  held: Held | undefined,
  closing: bigint,
): boolean {
  const market = marketOf(x.core, id);
  const account = accountOf(x.core, maker);
  const [opening, kept] = [lots - closing, held === undefined ? 0n : held.lots - closing];
  if (opening + kept === 0n) return false;
  if (kept > 0n && account.pending.has(id)) return true;
  const position = account.positions.get(id);
  const ticks = ((opening * price) / market.unit) * 2n ** 16n;
  const entry = (ticks + kept * (position?.entry ?? 0n)) / (opening + kept);
  const stays = kept > 0n && position !== undefined;
  const leverageClass = stays ? position.leverageClass : chosenClass(x, maker, id);
  const name = { side: stays ? position.side : side, leverageClass, priceClass: priceClass(entry) };
  return ![...market.cohorts.values()].some(
    (cohort) =>
      cohort.side === name.side &&
      cohort.leverageClass === name.leverageClass &&
      cohort.priceClass === name.priceClass,
  );
}
