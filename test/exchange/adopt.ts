import { settledPosition } from "../../scripts/lib/cohorts.js";
import { freshOf, freshPool, rolledSide } from "../../scripts/lib/fresh.js";
import type { MarketState, State } from "../../scripts/lib/state.js";
import { accountOf, marketOf } from "../model/cohorts.js";
import { freshPool as freshPoolIn } from "../model/fresh.js";
import { rational, ZERO } from "../model/rational.js";
import type { Rational } from "../model/rational.js";
import type { AccountId, Side } from "../model/types.js";
import type { Exchange } from "../reference/types.js";
import { MICRO, venueOf, viewKey } from "../reference/types.js";

/*
 * After an event the exchange has whole numbers where the model has fractions. They are compared within the named dust, and then
 * the model goes on from the exchange's, so that all else stays exact:
 *
 *   lots      exact − 1 ≤ settled ≤ exact
 *   equity    4n + 16 quote after n events
 *   fund      64n quote, and what was drawn from it: weights of profit are rounded down class by class
 *   fresh     3 micro units
 */

export type Adopted = { count: bigint };

/** Over all runs. */
export const adopted = { events: 0, bothSidesCharged: 0 };

const SIDES: readonly Side[] = [1n, -1n];

/** How far the exchange's totals of fresh profit are below the sums over accounts. */
export function observeGaps(x: Exchange, before: State): void {
  x.freshGaps.clear();
  for (const [id, market] of before.markets) {
    for (const side of SIDES) {
      const counted = freshPool(market, side === 1n ? 0 : 1, x.core.now);
      const gap = freshPoolIn(x.core, marketOf(x.core, id), side).minus(counted).floor();
      if (gap !== 0n) x.freshGaps.set(viewKey(id, Number(side)), gap);
    }
  }
}

/** @returns One line for everything that is further away than the named dust. */
export function adopt(x: Exchange, state: State, events: Adopted): string[] {
  events.count++;
  adopted.events++;
  const lines: string[] = [];
  const near = (name: string, gap: Rational, bound: bigint) => {
    if (gap.compare(bound) > 0 || gap.compare(-bound) < 0) {
      lines.push(`${name}: model − chain = ${Number(gap.num) / Number(gap.den)}`);
    }
  };
  for (const id of x.owners.keys()) {
    adoptFresh(x, state, id, near);
    adoptAccount(x, state, { id, near, bound: 4n * events.count + 16n });
  }
  const fund = state.money.get(1)?.balance ?? 0n;
  near("fund", x.core.fund.minus(fund), 64n * events.count);
  keep(x, x.core.fund.minus(fund));
  x.core.fund = rational(fund);
  const { drawn } = state;
  near("drawn", rational(x.drawn.amount - drawn.drawn), 64n * events.count);
  near("size", rational(x.drawn.size - drawn.size), 64n * events.count);
  Object.assign(x.drawn, { amount: drawn.drawn, size: drawn.size });
  for (const [
    id,
    {
      pool,
      charges,
      bucket: { wave, day, drawdown },
    },
  ] of state.markets) {
    const { bucket } = venueOf(x, id);
    near(`wave ${id}`, rational(bucket.wave - wave), 64n * events.count);
    near(`day ${id}`, rational(bucket.day - day), 64n * events.count);
    near(`drawdown ${id}`, rational(bucket.drawdown - drawdown), 1n);
    Object.assign(bucket, { wave, day, drawdown });
    if (charges.longEvent > 0n && charges.shortEvent > 0n) adopted.bothSidesCharged++;
    const market = marketOf(x.core, id);
    near(`shortfall ${id}`, market.shortfall.minus(pool.shortfall), 64n * events.count);
    keep(x, market.shortfall.minus(pool.shortfall).negated());
    market.shortfall = rational(pool.shortfall);
  }
  return lines;
}

type Near = (name: string, gap: Rational, bound: bigint) => void;

function keep(x: Exchange, gap: Rational): void {
  x.core.dustMoney = x.core.dustMoney.plus(gap);
}

function adoptAccount(
  x: Exchange,
  state: State,
  { id, near, bound }: { id: AccountId; near: Near; bound: bigint },
): void {
  const account = accountOf(x.core, id);
  let balance = state.money.get(id)?.balance ?? 0n;
  let equity = account.balance;
  for (const [marketId, market] of state.markets) {
    balance += freshOf(market, id, x.core.now).matured;
    const stored = market.positions.get(id);
    const position = account.positions.get(marketId);
    const settled = stored && settledPosition(market, stored);
    const exact = position?.lots ?? ZERO;
    const lots = settled?.lots ?? 0n;
    const gap = exact.minus(lots);
    const wear = exact.over(2n ** 80n);
    const isNear = gap.plus(wear).compare(0n) >= 0 && gap.minus(wear).compare(1n) <= 0;
    if (!isNear) near(`lots ${id}/${marketId}`, gap, 0n);
    if (settled === undefined || position === undefined) continue;
    balance += settled.cash;
    const cost = lots === 0n ? ZERO : rational(settled.cost).times(exact).over(lots);
    if (lots > 0n) equity = equity.minus(position.cost.minus(cost).times(position.side));
    const key = viewKey(id, marketId);
    const isSame = position.lots.equals(lots) && position.cost.equals(settled.cost);
    if (isSame) x.views.delete(key);
    else x.views.set(key, { lots, cost: settled.cost });
  }
  near(`equity ${id}`, equity.minus(balance), bound);
  keep(x, account.balance.minus(balance));
  account.balance = rational(balance);
}

/** Its parts by asking for one at a time. */
function adoptFresh(x: Exchange, state: State, id: AccountId, near: Near): void {
  const account = accountOf(x.core, id);
  for (const [marketId, market] of state.markets) {
    const [current, previous] = bucketsOf(market, id, x.core.now);
    const known = account.fresh.get(marketId) ?? { side: 1n, current: ZERO, previous: ZERO };
    const gap = known.current.plus(known.previous).minus(current + previous);
    near(`fresh ${id}/${marketId}`, gap, 3n * MICRO);
    near(`fresh now ${id}/${marketId}`, known.current.minus(current), 3n * MICRO);
    keep(x, gap);
    account.fresh.delete(marketId);
    if (current + previous === 0n) continue;
    const side: Side = ((market.freshRecords.get(id)?.tag ?? 0n) & 1n) === 0n ? 1n : -1n;
    const parts = { current: rational(current), previous: rational(previous) };
    account.fresh.set(marketId, { side, ...parts });
  }
}

/** What was realised in this epoch, and in the one before. */
function bucketsOf(market: MarketState, id: AccountId, time: bigint): [bigint, bigint] {
  const record = market.freshRecords.get(id);
  if (record === undefined) return [0n, 0n];
  const only = (part: Partial<typeof record>) => {
    const freshRecords = new Map([[id, { ...record, ...part }]]);
    return freshOf({ ...market, freshRecords }, id, time).fresh;
  };
  const [late, early] = [only({ previous: 0n }), only({ current: 0n })];
  const { epoch } = rolledSide(market, (record.tag & 1n) === 0n ? 0 : 1, time);
  return epoch > record.epoch ? [0n, late] : [late, early];
}
