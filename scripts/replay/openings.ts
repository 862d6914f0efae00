/**
 * How the positions come about: a slow walk of the index through every entry price, with no keeper at work.
 *
 * It starts at the highest entry of the shorts and falls to the lowest entry of all, while shorts open; then it climbs to the
 * highest entry of the longs, while they open; then it returns to the first price. On this route nobody is left far under water on
 * the way, which would happen if longs opened before a fall. A dealer takes the other side of all of it and ends flat,
 * because both sides have the same lots.
 */

import type { Trader } from "./population.js";
import type { Scale } from "./path.js";

export type Stop = {
  /** Ticks. */
  readonly index: bigint;
  /** Who opens here, at entry prices up to a step better than the index. All on one side. */
  readonly openers: readonly Trader[];
};

/** Between two stops the index moves by at most 1/400: far inside the band, and no jump. */
const STEPS_PER_PRICE = 400n;

/** @param end The first price of the crash, in ticks. */
export function planOpenings(traders: readonly Trader[], end: bigint): Stop[] {
  const shorts = traders.filter(({ side }) => side === "short");
  const longs = traders.filter(({ side }) => side === "long");
  const highestShort = extremeOf(shorts, end, (a, b) => a > b);
  const lowest = extremeOf(traders, end, (a, b) => a < b);
  const highestLong = extremeOf(longs, end, (a, b) => a > b);

  const down = walk(highestShort, lowest);
  const up = walk(lowest, highestLong);
  const back = walk(highestLong, end);
  return [
    ...assign(down, shorts),
    ...assign(up, longs),
    ...back.map((index): Stop => ({ index, openers: [] })),
  ];
}

/** Σ lots · entry price of one side, quote. */
export function costOf(traders: readonly Trader[], { unit }: Scale): bigint {
  return traders.reduce((cost, { lots, entry }) => cost + lots * entry * unit, 0n);
}

function extremeOf(
  traders: readonly Trader[],
  start: bigint,
  isBetter: (a: bigint, b: bigint) => boolean,
): bigint {
  return traders.reduce((best, { entry }) => (isBetter(entry, best) ? entry : best), start);
}

/** Prices from `from` to `to`, both included. */
function walk(from: bigint, to: bigint): bigint[] {
  const stops = [from];
  for (let at = from; at !== to;) {
    const step = at / STEPS_PER_PRICE + 1n;
    if (at < to) at = at + step > to ? to : at + step;
    else at = at - step < to ? to : at - step;
    stops.push(at);
  }
  return stops;
}

/** Each trader opens at the nearest stop at which its entry price is no worse than the index. */
function assign(stops: readonly bigint[], traders: readonly Trader[]): Stop[] {
  const openers: Trader[][] = stops.map(() => []);
  for (const trader of traders) openers[bestFor(trader, stops)]?.push(trader);
  return stops.map((index, at) => ({ index, openers: openers[at] ?? [] }));
}

function bestFor({ side, entry }: Trader, stops: readonly bigint[]): number {
  const sign = side === "long" ? 1n : -1n;
  let best = -1;
  for (const [at, index] of stops.entries()) {
    // What a fill at the entry price gains against the index.
    const gain = sign * (index - entry);
    if (gain >= 0n && (best < 0 || gain < sign * ((stops[best] ?? 0n) - entry))) best = at;
  }
  if (best < 0) throw new RangeError(`no stop lets ${entry} open`);
  return best;
}
