import { max } from "./units.js";
import { MICRO, sideOf, STATUS } from "./keys.js";
import type { SideIndex } from "./keys.js";
import { freshMarkKey } from "./state.js";
import type { FreshRecord, FreshSide, MarketState } from "./state.js";

/* Fresh profit as settled at a moment: what contracts/libraries/Fresh.sol computes. Micro units inside, quote outside. */

const FULL = 2n ** 79n;
/** keep and generation are one floating number: a generation later keep is counted in units 2^31 times smaller. */
const GENERATION_BITS = 31n;
/** Generations from which on nothing is left. */
const GONE = 2n;

export type FreshAmounts = {
  /** Still fresh, quote. */
  readonly fresh: bigint;
  /** Matured, but not credited to the balance yet, quote. */
  readonly matured: bigint;
};

type Kept = { readonly keep: bigint; readonly generation: bigint };

/** Of one account in one market. */
export function freshOf(market: MarketState, account: number, time: bigint): FreshAmounts {
  const record = market.freshRecords.get(account);
  if (record === undefined) return { fresh: 0n, matured: 0n };
  const side = sideOf(record.tag & 1n);
  const pooled = rolledSide(market, side, time);
  const now: Kept = pooled;
  const scaled = (amount: bigint, kept: Kept) => scale(amount, record, kept);
  if (pooled.epoch <= record.epoch) {
    const fresh = scaled(record.current, now) + scaled(record.previous, now);
    return { fresh: fresh * MICRO, matured: 0n };
  }
  const mark = (epoch: bigint) => freshMarkKey(side, Number(epoch));
  const then: Kept = { keep: record.keep, generation: record.tag >> 1n };
  const first = keptAt(market, mark(record.epoch), then);
  const matured = scaled(record.previous, first);
  if (pooled.epoch === record.epoch + 1n) {
    return { fresh: scaled(record.current, now) * MICRO, matured: matured * MICRO };
  }
  const second = keptAt(market, mark(record.epoch + 1n), first);
  return { fresh: 0n, matured: (matured + scaled(record.current, second)) * MICRO };
}

/** A side's fresh profit at a moment, quote. */
export function freshPool(market: MarketState, side: SideIndex, time: bigint): bigint {
  const { current, previous } = rolledSide(market, side, time);
  return (current + previous) * MICRO;
}

/** The totals at a moment: after one epoch current becomes previous, after two both have matured. */
export function rolledSide(market: MarketState, side: SideIndex, time: bigint): FreshSide {
  const stored = market.fresh[side];
  const keep = stored.keep === 0n ? FULL : stored.keep;
  const epoch = epochAt(market, time);
  if (stored.epoch >= epoch) return { ...stored, keep };
  const previous = stored.epoch + 1n === epoch ? stored.current : 0n;
  return { ...stored, epoch, keep, current: 0n, previous };
}

/** While a jump of the index waits, a shortfall stands or an event is stored the clock stands where it was when that began. */
function epochAt(market: MarketState, time: bigint): bigint {
  const length = market.config.freshEpoch;
  const { pendingSince, status } = market.book;
  const isHeld = market.pool.shortfall !== 0n || (status & STATUS.event) !== 0n;
  if (!isHeld && pendingSince === 0n && length !== 0n) return time / length;
  const held = max(market.fresh[0].epoch, market.fresh[1].epoch);
  return isHeld || length === 0n ? held : max(held, pendingSince / length);
}

/** The keep at the end of an epoch: as before if the epoch had no event. */
function keptAt(market: MarketState, key: number, before: Kept): Kept {
  const mark = market.freshMarks.get(key);
  return mark === undefined || mark.keep === 0n ? before : mark;
}

function scale(amount: bigint, record: FreshRecord, kept: Kept): bigint {
  const passed = BigInt.asUintN(15, kept.generation - (record.tag >> 1n));
  if (passed >= GONE || record.keep === 0n) return 0n;
  return (amount * kept.keep) / (record.keep << (GENERATION_BITS * passed));
}
