/** Market makers: what they bid for and offer around the index. Pure. */

import { WHOLE } from "../lib/units.js";
import type { Quote } from "./actions.js";
import type { Scenario } from "./scenario.js";

/** Makers share the depth in equal parts. */
export const MAKERS = 2;
/** Committed leverage of a market maker. */
export const MAKER_LEVERAGE = 5;

export type Around = {
  /** Ticks. */
  readonly index: bigint;
  /** Lots that the maker puts on each side. */
  readonly depth: bigint;
  /** Lots of the smallest order. */
  readonly least: bigint;
};

/**
 * Equal sizes on evenly spaced levels from the half spread to the range. Fewer levels where a part would be smaller than an
 * order may be; nothing where even the whole would be.
 */
export function quotesAround(book: Scenario["book"], { index, depth, least }: Around): Quote[] {
  const most = least === 0n ? depth : depth / least;
  const levels = most < BigInt(book.levels) ? Number(most) : book.levels;
  const quotes: Quote[] = [];
  for (let level = 0; level < levels; level++) {
    const distance = distanceOf(book, index, { level, levels });
    const lots =
      (depth * BigInt(level + 1)) / BigInt(levels) - (depth * BigInt(level)) / BigInt(levels);
    if (index > distance) quotes.push({ side: "long", tick: index - distance, lots });
    quotes.push({ side: "short", tick: index + distance, lots });
  }
  return quotes;
}

type Place = { readonly level: number; readonly levels: number };

/** Ticks from the index, at least one. */
function distanceOf(book: Scenario["book"], index: bigint, { level, levels }: Place): bigint {
  const { halfSpread, range } = book;
  const steps = BigInt(Math.max(1, levels - 1));
  const share = halfSpread + ((range - halfSpread) * BigInt(level)) / steps;
  const ticks = (index * share) / WHOLE;
  return ticks > 0n ? ticks : 1n;
}
