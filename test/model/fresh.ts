import { accountOf } from "./cohorts.js";
import type { Rational } from "./rational.js";
import { rational, sum, ZERO } from "./rational.js";
import type { AccountId, Fresh, Market, MarketId, Side, State } from "./types.js";
import { require } from "./types.js";

/*
 * Fresh profit without generations, keep factors or side totals: every haircut
 * and every new epoch is applied to the buckets of every account at once.
 */

export type Closing = {
  readonly side: Side;
  readonly lots: bigint;
  /** Wei per lot. */
  readonly price: bigint;
  /** Entry in ticks · 2^16. */
  readonly entry: bigint;
  /** What the fill adds to the account's equity in cash, funding and earlier haircuts included. */
  readonly cashGain: Rational;
};

/** The part of a closing fill's cash that is fresh: its price profit, or what it gained against mark. */
export function freshPart(state: State, market: Market, closing: Closing): Rational {
  const unit = state.options.freshUnit;
  if (unit === undefined) return ZERO;
  const signedLots = closing.side * closing.lots;
  const entryPrice = rational(closing.entry * market.unit, 2n ** 16n);
  const priceGain = rational(closing.price).minus(entryPrice).times(signedLots).floor();
  const gainAgainstMark = signedLots * (closing.price - market.mark);
  const cashGain = closing.cashGain.floor();
  const profit = cashGain < priceGain ? cashGain : priceGain;
  const amount = profit > gainAgainstMark ? profit : gainAgainstMark;
  return amount > 0n ? rational(amount - (amount % unit)) : ZERO;
}

/** Adds to the current bucket. A record of the other side moves over to this one. */
export function realise(
  state: State,
  market: Market,
  id: AccountId,
  gain: { readonly side: Side; readonly amount: Rational },
): void {
  if (gain.amount.isZero()) return;
  const { fresh } = accountOf(state, id);
  const record = fresh.get(market.id) ?? { side: gain.side, current: ZERO, previous: ZERO };
  record.side = gain.side;
  record.current = record.current.plus(gain.amount);
  fresh.set(market.id, record);
}

/** After one epoch current becomes previous and the old previous matures; after two both mature. */
export function advanceFreshEpoch(state: State, market: Market, epoch: bigint): void {
  const steps = epoch - market.freshEpoch;
  require(steps >= 0n, "epochs never fall", { from: market.freshEpoch, to: epoch });
  market.freshEpoch = epoch;
  for (let step = 0n; step < steps && step < 2n; step++) {
    for (const account of state.accounts.values()) {
      const record = account.fresh.get(market.id);
      if (record === undefined) continue;
      account.balance = account.balance.plus(record.previous);
      record.previous = record.current;
      record.current = ZERO;
    }
  }
}

/** The fresh profit of one side: what its holders could still be charged. */
export function freshPool(state: State, market: Market, side: Side): Rational {
  return sum(records(state, market, side).map((record) => record.current.plus(record.previous)));
}

/** Takes an amount from all fresh profit of a side, in proportion. */
export function chargeFresh(state: State, market: Market, side: Side, amount: Rational): void {
  if (amount.isZero()) return;
  const pool = freshPool(state, market, side);
  const keep = pool.minus(amount).over(pool);
  for (const record of records(state, market, side)) {
    record.current = record.current.times(keep);
    record.previous = record.previous.times(keep);
  }
}

/** An insolvent account's fresh profit becomes balance: it pays its own losses first. */
export function foldFresh(state: State, id: AccountId): void {
  const account = accountOf(state, id);
  for (const { current, previous } of account.fresh.values()) {
    account.balance = account.balance.plus(current).plus(previous);
  }
  account.fresh.clear();
}

/** Replaces a record by the contract's whole numbers (wei). The rest goes to account 3. */
export function resyncFresh(
  state: State,
  id: AccountId,
  marketId: MarketId,
  actual: { readonly current: bigint; readonly previous: bigint },
): { current: Rational; previous: Rational } {
  const record = accountOf(state, id).fresh.get(marketId);
  const { current, previous } = record ?? { current: ZERO, previous: ZERO };
  const error = {
    current: current.minus(actual.current),
    previous: previous.minus(actual.previous),
  };
  require(record !== undefined ||
    actual.current + actual.previous === 0n, "fresh profit exists in both", {
    account: id,
    market: marketId,
  });
  if (record === undefined) return error;
  record.current = rational(actual.current);
  record.previous = rational(actual.previous);
  state.dustMoney = state.dustMoney.plus(error.current).plus(error.previous);
  return error;
}

function records(state: State, market: Market, side: Side): Fresh[] {
  return [...state.accounts.values()]
    .map((account) => account.fresh.get(market.id))
    .filter((record) => record !== undefined)
    .filter((record) => record.side === side);
}
