import type { Side } from "../model/types.js";
import type { Config, Prices, Venue } from "./types.js";
import { absolute, PPM } from "./types.js";

/*
 * A move of the index beyond maxJump waits, because one source alone may be wrong. It is confirmed by a second source, or by the next
 * update as far as both have seen it; rejected by an update near the old index; taken when it has waited for maxPending.
 */

export const jumpsSeen = {
  waits: 0,
  confirmed: 0,
  agreed: 0,
  rejected: 0,
  turned: 0,
  wentOn: 0,
  expired: 0,
  /** While one waits: orders filled, accounts spared and sold out, fresh profit that has to wait. */
  fills: 0,
  spared: 0,
  sales: 0,
  freshWaits: 0,
};

/** What is new of the sources: quote per lot. */
export type Update = { readonly price: bigint; readonly isAgreed: boolean };

export function isWaiting({ waitingSince }: Prices): boolean {
  return waitingSince > 0n;
}

export function hear({ prices, config }: Venue, update: Update, now: bigint): void {
  const { price, isAgreed } = update;
  const isNear = prices.index === 0n || isSmall(prices.index, price, config);
  if (isAgreed || isNear) {
    if (isWaiting(prices)) jumpsSeen[isAgreed ? "agreed" : "rejected"]++;
    take(prices, price);
  } else if (!isWaiting(prices)) {
    jumpsSeen.waits++;
    Object.assign(prices, { waiting: price, waitingSince: now });
  } else if (price > prices.index !== prices.waiting > prices.index) {
    jumpsSeen.turned++;
    prices.waiting = price;
  } else {
    goOn(prices, config, { price, now });
  }
}

/** Two updates have moved the same way. What is beyond the nearer of them is a move of its own. */
function goOn(prices: Prices, config: Config, { price, now }: { price: bigint; now: bigint }) {
  jumpsSeen.confirmed++;
  const { index, waiting } = prices;
  const isFurther = absolute(price - index) > absolute(waiting - index);
  take(prices, isFurther ? waiting : price);
  if (isSmall(prices.index, price, config)) {
    take(prices, price);
    return;
  }
  jumpsSeen.wentOn++;
  Object.assign(prices, { waiting: price, waitingSince: now });
}

/** To be asked only while the index is alive. */
export function expire({ prices, config }: Venue, now: bigint): void {
  if (!isWaiting(prices) || now - prices.waitingSince < config.maxPending) return;
  jumpsSeen.expired++;
  take(prices, prices.waiting);
}

/** Whether an order was made before a jump was known that makes it a loss: bids above the price that waits, asks below. */
export function isHeldBack({ prices, config }: Venue, side: Side, tick: bigint): boolean {
  return isWaiting(prices) && side * (tick * config.unit - prices.waiting) > 0n;
}

function take(prices: Prices, price: bigint): void {
  Object.assign(prices, { index: price, waiting: 0n, waitingSince: 0n });
}

function isSmall(from: bigint, to: bigint, { maxJump }: Config): boolean {
  return absolute(to - from) * PPM <= maxJump * from;
}
