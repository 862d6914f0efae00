import { isInFront } from "../BookModel.js";
import type { Venue } from "./types.js";
import { ceilDiv, least, most, PPM, WHOLE } from "./types.js";

/* What a trade of impactNotional would get from the book. Impact prices are ticks · 2^8. */

const PRICE_BITS = 8n;
const LOT_BITS = 32n;
const LEVELS = 4;
const LAST_TICK = 2n ** 24n - 1n;
const BID = 0n;
const ASK = 1n;

export function toQuote(impact: bigint, unit: bigint): bigint {
  return (impact * unit) >> PRICE_BITS;
}

/** 0 for a side that is too thin, and for both if they are more than maxDeviation apart. */
export function impactPrices(venue: Venue, mark: bigint): { bid: bigint; ask: bigint } {
  const [bid, ask] = [impactOf(venue, BID, mark), impactOf(venue, ASK, mark)];
  const isWide =
    bid > 0n && ask > bid && 2n * (ask - bid) * PPM > venue.config.maxDeviation * (ask + bid);
  return isWide ? { bid: 0n, ask: 0n } : { bid, ask };
}

function impactOf({ book, config }: Venue, side: bigint, mark: bigint): bigint {
  const { unit, band, impactNotional } = config;
  const width = (mark * band) / PPM;
  const low = most(1n, ceilDiv(mark - width, unit));
  const high = least(LAST_TICK, (mark + width) / unit);
  const ticks = book
    .levels()
    .filter((level) => level.side === side && level.tick >= low && level.tick <= high)
    .map(({ tick }) => tick)
    .sort((a, b) => (isInFront(side, a, b) ? -1 : 1));
  let [left, lots] = [impactNotional * WHOLE, 0n];
  for (const tick of ticks.slice(0, LEVELS)) {
    const there = book.queue(side, tick).reduce((sum, order) => sum + order.lots, 0n);
    const perLot = tick * unit;
    if (there * perLot >= left) return average(config, side, { lots, left, perLot });
    left -= there * perLot;
    lots += there;
  }
  return 0n;
}

/** Away from the other side, so that a spread is never understated. */
function average(
  { unit, impactNotional }: Venue["config"],
  side: bigint,
  { lots, left, perLot }: { lots: bigint; left: bigint; perLot: bigint },
): bigint {
  if (lots === 0n) return (perLot / unit) << PRICE_BITS;
  const scaled = (impactNotional * WHOLE) << (LOT_BITS + PRICE_BITS);
  const last = left << LOT_BITS;
  if (side === BID) return scaled / (((lots << LOT_BITS) + ceilDiv(last, perLot)) * unit);
  return ceilDiv(scaled, ((lots << LOT_BITS) + last / perLot) * unit);
}
