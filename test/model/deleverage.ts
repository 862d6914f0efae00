import {
  accountOf,
  cancelDust,
  cohortLots,
  dustOf,
  equity,
  marketOf,
  opposite,
  removeLots,
  valueAt,
  worth,
} from "./cohorts.js";
import { chargeClass, chargePrincipal, cut, profits } from "./charges.js";
import type { ClassCharge } from "./charges.js";
import { chargeFresh, foldFresh, realise } from "./fresh.js";
import { fillSide, takeOut, touch } from "./positions.js";
import { frontOrder, splitMoney, splitWhole, takeInOrder } from "./queue.js";
import type { Rational } from "./rational.js";
import { max, min, rational, sum, ZERO } from "./rational.js";
import type { AccountId, Market, MarketId, Position, Side, State } from "./types.js";
import { require } from "./types.js";

/* `deleverage` as one event. The caller has checked who is eligible. */

export type BookFill = {
  readonly market: MarketId;
  readonly maker: AccountId;
  readonly lots: bigint;
  readonly ticks: bigint;
};

/** What the fund's buckets permit in one market: within the event budget, and beyond it. */
export type Permit = { readonly event: bigint; readonly beyond: bigint };

export type Deleverage = {
  readonly accounts: readonly AccountId[];
  readonly permits?: ReadonlyMap<MarketId, Permit>;
  readonly bookFills?: readonly BookFill[];
  /** Wei that a solvent account pays to the fund, at most its equity. */
  readonly penalties?: ReadonlyMap<AccountId, bigint>;
};

/** What one market did for the accounts that were closed on one side of it. */
export type SideReceipt = {
  readonly market: MarketId;
  /** Of the closed accounts; the other side is charged. */
  readonly side: Side;
  readonly deficit: Rational;
  readonly fundWithin: Rational;
  readonly base: Rational;
  readonly haircuts: readonly ClassCharge[];
  readonly freshCharge: Rational;
  readonly discount: Rational;
  readonly fundBeyond: Rational;
  readonly principal: readonly ClassCharge[];
  readonly shortfall: Rational;
  readonly lots: Rational;
  readonly dustLots: Rational;
  readonly cuts: readonly CohortCut[];
};

export type CohortCut = {
  readonly leverageClass: number;
  readonly priceClass: number;
  readonly lots: Rational;
  readonly discount: Rational;
};

/** What one account leaves in one market. `gain` is price profit, as far as it is paid in cash. */
type Part = {
  market: Market;
  side: Side;
  lots: Rational;
  loss: Rational;
  gain: Rational;
  notional: Rational;
};

/** What an insolvent account is missing and has not been shared out. */
type Owed = { deficit: Rational; readonly parts: readonly Part[] };

/** Sums over all accounts of the event, per market. */
type Pot = {
  market: Market;
  lots: Record<"long" | "short", Rational>;
  deficit: Record<"long" | "short", Rational>;
  /** What the fund paid within its budget, by side of the closed accounts. */
  paid: Record<"long" | "short", Rational>;
  /** What falls on profit that is not of the event's accounts, as far as rounds have got. */
  borne: Record<"long" | "short", Rational>;
  within: Rational;
  beyond: Rational;
};

type Charged = Omit<SideReceipt, "lots" | "dustLots" | "cuts">;

const SIDES: readonly Side[] = [1n, -1n];

export function deleverage(state: State, event: Deleverage): SideReceipt[] {
  const named = [...new Set(event.accounts)];
  const pots = new Map<MarketId, Pot>();
  for (const id of named) touchAll(state, id);
  const owed = named.map((id) => gather(state, id, pots, event));
  const inOrder = [...pots.values()].sort((a, b) => a.market.id - b.market.id);
  settleDeficits(state, owed, inOrder);
  const charged = inOrder.flatMap((pot) => chargeMarket(state, pot));
  for (const fill of event.bookFills ?? []) sellToBook(state, fill, pots, named);
  const receipts = charged.map((charge) => closeSide(state, charge, potOf(pots, charge.market)));
  for (const { market } of inOrder) cancelDust(state, market);
  return receipts;
}

function touchAll(state: State, id: AccountId): void {
  for (const marketId of [...accountOf(state, id).positions.keys()]) touch(state, id, marketId);
}

/** Step a: the account is closed at mark in every live market; if that leaves it below zero, it ends at zero. */
function gather(state: State, id: AccountId, pots: Map<MarketId, Pot>, event: Deleverage): Owed {
  const account = accountOf(state, id);
  const live = [...account.positions]
    .filter(([marketId]) => marketOf(state, marketId).live)
    .sort(([a], [b]) => a - b);
  if (live.length === 0) return { parts: [], deficit: ZERO };
  const before = equity(state, id);
  if (before.isNegative()) foldFresh(state, id);

  const parts = live.map(([marketId, position]): Part => {
    const market = marketOf(state, marketId);
    const { side, lots } = position;
    const value = worth(market, side, lots, market.mark);
    const profit = rational(value.floor()).minus(position.cost.times(side));
    account.balance = account.balance.plus(profit);
    state.dustMoney = state.dustMoney.plus(valueAt(market, position, market.mark)).minus(profit);
    takeOut(state, market, id, position);
    const pot = openPot(pots, market, event);
    pot.lots[nameOf(side)] = pot.lots[nameOf(side)].plus(lots);
    return {
      market,
      side,
      lots,
      loss: max(ZERO, profit.negated()),
      gain: gainOf(market, position, profit),
      notional: lots.times(market.mark),
    };
  });

  const after = equity(state, id);
  const deficit = max(ZERO, after.negated());
  account.balance = account.balance.plus(deficit);
  const penalty = min(max(ZERO, after), rational(event.penalties?.get(id) ?? 0n));
  account.balance = account.balance.minus(penalty);
  state.fund = state.fund.plus(penalty);
  if (deficit.isZero()) keepFresh(state, id, parts);
  return { parts, deficit };
}

/** Price profit at mark, as far as it is paid in cash. */
function gainOf(market: Market, { side, lots, entry }: Position, profit: Rational): Rational {
  const entryPrice = rational(entry * market.unit, 2n ** 16n);
  const priceProfit = rational(market.mark).minus(entryPrice).times(lots).times(side);
  return max(ZERO, min(rational(priceProfit.floor()), rational(profit.floor())));
}

/** Of who is solvent, what was gained is fresh, as after a trade, and no more than the balance has. */
function keepFresh(state: State, id: AccountId, parts: readonly Part[]): void {
  const unit = state.options.freshUnit;
  if (unit === undefined) return;
  const account = accountOf(state, id);
  for (const { market, side, gain } of parts) {
    const most = min(gain, max(ZERO, account.balance)).floor();
    const amount = rational(most - (most % unit));
    realise(state, market, id, { side, amount });
    account.balance = account.balance.minus(amount);
  }
}

/**
 * What an insolvent account gained in a market in which others are missing money gives its part there, in proportion with
 * all other profit of its side, and its own deficit is as much larger. One round a market at most.
 */
function settleDeficits(state: State, owed: readonly Owed[], pots: readonly Pot[]): void {
  const insolvent = owed.filter(({ deficit }) => deficit.isPositive());
  for (let round = 0; round <= pots.length; round++) {
    for (const one of insolvent) shareDeficit(state, one, pots, insolvent);
    for (const pot of pots) payWithin(state, pot);
    if (round === pots.length || !chargeGains(state, insolvent, pots)) return;
  }
}

function chargeGains(state: State, insolvent: readonly Owed[], pots: readonly Pot[]): boolean {
  let any = false;
  for (const pot of pots) {
    for (const closed of SIDES) {
      const [payers, key] = [opposite(closed), nameOf(closed)];
      const left = pot.deficit[key].minus(pot.paid[key]).minus(pot.borne[key]);
      const gains = gainsOf(insolvent, pot.market, payers);
      if (pot.market.deficit === "Queue" || gains.isZero() || !left.isPositive()) continue;
      const base = sum(profits(state, pot.market, payers).map(({ weight }) => weight));
      const all = base.minus(pot.borne[key]).plus(gains);
      const amount = min(left, all);
      let taken = ZERO;
      for (const one of insolvent) {
        for (const part of one.parts) {
          if (part.market !== pot.market || part.side !== payers) continue;
          const exact = amount.times(part.gain).over(all);
          const share = state.options.shares === "whole" ? rational(exact.floor()) : exact;
          part.gain = part.gain.minus(share);
          one.deficit = one.deficit.plus(share);
          taken = taken.plus(share);
          any ||= share.isPositive();
        }
      }
      pot.deficit[key] = pot.deficit[key].minus(taken);
      pot.borne[key] = min(pot.borne[key].plus(amount).minus(taken), base);
    }
  }
  return any;
}

function gainsOf(insolvent: readonly Owed[], market: Market, side: Side): Rational {
  const parts = insolvent.flatMap((one) => one.parts);
  return sum(
    parts.filter((it) => it.market === market && it.side === side).map(({ gain }) => gain),
  );
}

/** By unrealised loss; if there is none, by notional. Markets without any profit to charge pass their part on. */
function shareDeficit(
  state: State,
  one: Owed,
  pots: readonly Pot[],
  insolvent: readonly Owed[],
): void {
  const { deficit, parts } = one;
  if (deficit.isZero()) return;
  const able = state.options.passOn
    ? parts.filter((part) => canCharge(state, part, insolvent))
    : parts;
  const charged = able.length > 0 ? able : parts;
  const losses = charged.map((part) => part.loss);
  const weights = sum(losses).isZero() ? charged.map((part) => part.notional) : losses;
  const shares = splitMoney(state, deficit, weights);
  charged.forEach((part, i) => {
    const pot = pots.find(({ market }) => market === part.market);
    require(pot !== undefined, "market is part of the event", { market: part.market.id });
    const side = nameOf(part.side);
    pot.deficit[side] = pot.deficit[side].plus(shares[i] ?? ZERO);
  });
  one.deficit = ZERO;
}

function canCharge(state: State, { market, side }: Part, insolvent: readonly Owed[]): boolean {
  if (market.deficit === "Queue") return true;
  const payers = opposite(side);
  const open = sum(profits(state, market, payers).map((part) => part.weight));
  return open.plus(gainsOf(insolvent, market, payers)).isPositive();
}

/** The fund within its budget. Its money is shared by what is missing, longs first. */
function payWithin(state: State, pot: Pot): void {
  const missing = SIDES.map((side) => pot.deficit[nameOf(side)].minus(pot.paid[nameOf(side)]));
  const amount = min(sum(missing), pot.within, state.fund);
  splitMoney(state, amount, missing).forEach((part, i) => {
    const key = nameOf(SIDES[i] ?? 1n);
    pot.paid[key] = pot.paid[key].plus(part);
  });
  state.fund = state.fund.minus(amount);
  pot.within = pot.within.minus(amount);
}

/** Step b for both sides. */
function chargeMarket(state: State, pot: Pot): Charged[] {
  const sides = SIDES.filter(
    (side) => pot.lots[nameOf(side)].isPositive() || pot.deficit[nameOf(side)].isPositive(),
  );
  return sides.map((side) => chargeSide(state, pot, side, pot.paid[nameOf(side)]));
}

/** Haircut, fund beyond its event budget, principal, shortfall: each takes what the one before left. */
function chargeSide(state: State, pot: Pot, side: Side, fundWithin: Rational): Charged {
  const { market } = pot;
  const payers = opposite(side);
  const deficit = pot.deficit[nameOf(side)];
  let left = deficit.minus(fundWithin);

  const isQueue = market.deficit === "Queue";
  const discount = isQueue ? left : ZERO;
  left = left.minus(discount);

  const weights = isQueue ? [] : profits(state, market, payers);
  const base = sum(weights.map((part) => part.weight));
  const taken = min(left, base);
  const shares = splitMoney(
    state,
    taken,
    weights.map((part) => part.weight),
  );
  const haircuts: ClassCharge[] = [];
  let freshCharge = ZERO;
  weights.forEach(({ priceClass }, i) => {
    const amount = shares[i] ?? ZERO;
    if (priceClass === undefined) {
      freshCharge = amount;
      chargeFresh(state, market, payers, amount);
    } else {
      haircuts.push({ priceClass, amount });
      chargeClass(state, market, payers, { priceClass, amount });
    }
  });
  left = left.minus(taken);

  const fundBeyond = drawBeyond(state, pot, left);
  left = left.minus(fundBeyond);

  const principal = chargePrincipal(state, market, payers, left);
  left = left.minus(sum(principal.map((charge) => charge.amount)));
  market.shortfall = market.shortfall.plus(left);
  const receipt = { market: market.id, side, deficit, fundWithin, base, haircuts, freshCharge };
  return { ...receipt, discount, fundBeyond, principal, shortfall: left };
}

/** The fund beyond its event budget, up to what the market's share permits. */
function drawBeyond(state: State, pot: Pot, left: Rational): Rational {
  const amount = min(left, pot.beyond, state.fund);
  pot.beyond = pot.beyond.minus(amount);
  state.fund = state.fund.minus(amount);
  return amount;
}

/** Step c: a maker takes lots over, so it gets the side that was closed. The fund takes the difference to mark. */
function sellToBook(
  state: State,
  { market: marketId, maker, lots, ticks }: BookFill,
  pots: Map<MarketId, Pot>,
  named: readonly AccountId[],
): void {
  const pot = potOf(pots, marketId);
  const { market } = pot;
  const side: Side = netLots(pot, 1n).isPositive() ? 1n : -1n;
  const key = nameOf(side);
  require(!named.includes(maker), "maker is not in the event", { maker });
  require(netLots(pot, side).compare(lots) >= 0, "book takes no more than is left", { lots });
  fillSide(state, maker, side, { market: marketId, lots, ticks });
  const gain = side * lots * (ticks * market.unit - market.mark);
  pot.lots[key] = pot.lots[key].minus(lots);
  pot.within = gain < 0n ? pot.within.plus(gain) : pot.within;
  state.fund = state.fund.plus(gain);
  require(!pot.within.isNegative() && !state.fund.isNegative(), "fund permits the slippage", {
    gain,
  });
}

/** Step d: what is left after longs and shorts of the event met is closed against dust, then the queue. */
function closeSide(state: State, charge: Charged, pot: Pot): SideReceipt {
  const { market } = pot;
  const lots = max(ZERO, netLots(pot, charge.side));
  const payers = opposite(charge.side);
  const dust = dustOf(market, payers);
  const dustLots = min(lots, dust.lots);
  if (dustLots.isPositive()) {
    const cost = removeLots(dust, dustLots).times(payers);
    const proceeds = worth(market, payers, dustLots, market.mark);
    state.dustMoney = state.dustMoney.plus(proceeds).minus(cost);
  }

  const order = frontOrder(state, market, payers);
  const sizes = order.map((cohort) => cohortLots(state, market, cohort));
  const needed = lots.minus(dustLots);
  const takes =
    market.quantity === "Front" ? takeInOrder(needed, sizes) : splitWhole(needed, sizes);
  require(sum(takes).equals(needed), "lots closed == lots needed", { needed });
  const discounts = splitMoney(state, charge.discount, takes);
  // If no lot reached the queue, nobody bears the discount of the Queue rule.
  const unborne = charge.discount.minus(sum(discounts));
  const fundLate = drawBeyond(state, pot, unborne);
  market.shortfall = market.shortfall.plus(unborne).minus(fundLate);

  const cuts: CohortCut[] = [];
  order.forEach((cohort, i) => {
    const [cutLots, discount] = [takes[i] ?? ZERO, discounts[i] ?? ZERO];
    if (cutLots.isZero()) return;
    cut(state, market, cohort, { lots: cutLots, discount });
    const { leverageClass, priceClass } = cohort;
    cuts.push({ leverageClass, priceClass, lots: cutLots, discount });
  });
  return {
    ...charge,
    discount: charge.discount.minus(unborne),
    fundBeyond: charge.fundBeyond.plus(fundLate),
    shortfall: charge.shortfall.plus(unborne).minus(fundLate),
    lots,
    dustLots,
    cuts,
  };
}

function openPot(pots: Map<MarketId, Pot>, market: Market, event: Deleverage): Pot {
  const known = pots.get(market.id);
  if (known !== undefined) return known;
  const permit = event.permits?.get(market.id);
  const pot: Pot = {
    market,
    lots: { long: ZERO, short: ZERO },
    deficit: { long: ZERO, short: ZERO },
    paid: { long: ZERO, short: ZERO },
    borne: { long: ZERO, short: ZERO },
    within: rational(permit?.event ?? 0n),
    beyond: rational(permit?.beyond ?? 0n),
  };
  pots.set(market.id, pot);
  return pot;
}

function potOf(pots: ReadonlyMap<MarketId, Pot>, id: MarketId): Pot {
  const pot = pots.get(id);
  require(pot !== undefined, "market is part of the event", { id });
  return pot;
}

/** Lots of a side that the event still holds after its longs and shorts met. */
function netLots(pot: Pot, side: Side): Rational {
  return pot.lots.long.minus(pot.lots.short).times(side);
}

function nameOf(side: Side): "long" | "short" {
  return side === 1n ? "long" : "short";
}
