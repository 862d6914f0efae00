import { marketOf } from "../model/cohorts.js";
import { advanceFreshEpoch } from "../model/fresh.js";
import { rational } from "../model/rational.js";
import type { Rational } from "../model/rational.js";
import type { Market, Side } from "../model/types.js";
import { isWaiting, jumpsSeen } from "./jumps.js";
import type { Exchange, Venue } from "./types.js";
import { MICRO } from "./types.js";

/* Profit that was realised and may still be charged: what time and charges do to that of a whole market. */

/** It matures with time, but not while a jump waits or a shortfall stands. */
export function mature(x: Exchange, { id, config: { freshEpoch }, prices }: Venue): void {
  const market = marketOf(x.core, id);
  if (freshEpoch === 0n || market.shortfall.isPositive()) return;
  const epoch = (isWaiting(prices) ? prices.waitingSince : x.core.now) / freshEpoch;
  const isLate = epoch < x.core.now / freshEpoch;
  if (isLate && [...x.core.accounts.values()].some(({ fresh }) => fresh.has(id))) {
    jumpsSeen.freshWaits++;
  }
  if (epoch > market.freshEpoch) advanceFreshEpoch(x.core, market, epoch);
  for (const { fresh } of x.core.accounts.values()) {
    const record = fresh.get(id);
    if (record?.current.isZero() === true && record.previous.isZero()) fresh.delete(id);
  }
}

/** In proportion to what is counted, which may be a few micro units less than what accounts have. */
export function takeFresh(
  x: Exchange,
  market: Market,
  side: Side,
  { amount, counted }: { amount: Rational; counted: Rational },
): void {
  if (amount.isZero()) return;
  const keep = counted.minus(amount).over(counted);
  for (const account of x.core.accounts.values()) {
    const record = account.fresh.get(market.id);
    if (record?.side !== side) continue;
    const before = record.current.plus(record.previous);
    record.current = inMicro(record.current.times(keep));
    record.previous = inMicro(record.previous.times(keep));
    const taken = before.minus(record.current).minus(record.previous);
    x.core.dustMoney = x.core.dustMoney.plus(taken);
  }
  x.core.dustMoney = x.core.dustMoney.minus(amount);
}

function inMicro(amount: Rational): Rational {
  return rational(amount.floor() - (amount.floor() % MICRO));
}
