import { max, min, rational, ZERO } from "./rational.js";
import type { Rational } from "./rational.js";

/*
 * Index, mark and funding as plain functions. Prices are quote per lot, times are seconds.
 */

const PPM = 1_000_000n;
const PERIOD = 28_800n;
const INTEREST_PULL = 500n;
const LEVELS = 4;
const INTERVALS_PER_SAMPLE = 6n;

export type Grade = "dead" | "aged" | "fresh";
export type Leg = "index" | "premium" | "book" | "clamped";

export type Rules = {
  readonly unit: bigint;
  readonly band: bigint;
  readonly maxDeviation: bigint;
  readonly maxJump: bigint;
  readonly maxPending: bigint;
  readonly freshFor: bigint;
  readonly agedFor: bigint;
  readonly premiumWindow: bigint;
  readonly sampleInterval: bigint;
  readonly impactNotional: bigint;
  readonly maxFunding: bigint;
  readonly interest: bigint;
  readonly maxAccrual: bigint;
  readonly lastTradeFor: bigint;
};

/* SOURCES */

export type Quote = { readonly price: bigint; readonly time: bigint };
export type Reading = Quote & { readonly grade: Grade; readonly agreeing: number };

export const NOTHING: Reading = { price: 0n, time: 0n, grade: "dead", agreeing: 0 };

export type Asked = {
  readonly now: bigint;
  readonly last: bigint;
  readonly maxSpread: bigint;
  readonly freshFor: bigint;
  readonly agedFor: bigint;
};

/** What the oracle says of sources that answered something sensible. */
export function readSources(quotes: readonly Quote[], asked: Asked): Reading {
  const age = (quote: Quote) => asked.now - quote.time;
  const fresh = quotes.filter((quote) => age(quote) <= asked.freshFor);
  const aged = quotes.filter((quote) => age(quote) > asked.freshFor && age(quote) <= asked.agedFor);
  if (fresh.length === 0) {
    const latest = aged.toSorted((a, b) => Number(b.time - a.time))[0];
    return latest === undefined ? NOTHING : { ...latest, grade: "aged", agreeing: 0 };
  }
  const chosen = choose(fresh, asked.last);
  const agreeing = fresh.filter((quote) =>
    isWithin(quote.price, chosen.price, asked.maxSpread),
  ).length;
  const isFresh = fresh.length >= 3 || (fresh.length === 2 && agreeing === 2);
  return { ...chosen, grade: isFresh ? "fresh" : "aged", agreeing };
}

/** The one quote with as many others not below as not above; of two such, the nearer to `last`, then the later. */
function choose(quotes: readonly Quote[], last: bigint): Quote {
  const ordered = quotes.toSorted((a, b) => Number(a.price - b.price) || Number(a.time - b.time));
  const half = (ordered.length - 1) / 2;
  const middle = ordered.slice(Math.floor(half), Math.ceil(half) + 1);
  const distance = (quote: Quote) => (last === 0n ? 0n : abs(quote.price - last));
  const best = middle.toSorted(
    (a, b) => Number(distance(a) - distance(b)) || Number(b.time - a.time),
  )[0];
  if (best === undefined) throw new RangeError("no quote");
  return best;
}

/** Whether `price` is at most `ppm` of `from` away from it. */
function isWithin(price: bigint, from: bigint, ppm: bigint): boolean {
  return rational(abs(price - from), from).compare(rational(ppm, PPM)) <= 0;
}

/* JUMP GUARD */

export type Guard = {
  readonly index: bigint | undefined;
  readonly waiting: { readonly price: bigint; readonly since: bigint } | undefined;
  /** Time of the latest update that was read. */
  readonly seen: bigint;
};

export type Update = Quote & { readonly agreed: boolean };

export function guardUpdate(guard: Guard, update: Update, now: bigint, rules: Rules): Guard {
  const { index, waiting } = guard;
  const isNews = update.time > guard.seen;
  if (!isNews && !(waiting !== undefined && update.agreed)) return guard;
  const seen = isNews ? update.time : guard.seen;
  const taken: Guard = { index: update.price, waiting: undefined, seen };

  const isSmall = index === undefined || isWithin(update.price, index, rules.maxJump);
  if (isSmall || update.agreed) return taken;
  if (waiting === undefined) return { index, waiting: { price: update.price, since: now }, seen };

  const [first, second] = [waiting.price - index, update.price - index];
  if (first > 0n !== second > 0n) {
    return { index, waiting: { price: update.price, since: waiting.since }, seen };
  }
  const isAnotherJump =
    abs(second) > abs(first) && !isWithin(update.price, waiting.price, rules.maxJump);
  if (!isAnotherJump) return taken;
  return { index: waiting.price, waiting: { price: update.price, since: now }, seen };
}

export function guardTime(guard: Guard, now: bigint, rules: Rules): Guard {
  const { waiting, seen } = guard;
  if (waiting === undefined || now - waiting.since < rules.maxPending) return guard;
  return { index: waiting.price, waiting: undefined, seen };
}

/* BOOK */

export type LevelAt = { readonly tick: bigint; readonly lots: bigint };
export type Side = "bids" | "asks";

/** notional / lots over the best levels inside the band; not rounded, quote per lot. */
export function impactPrice(
  levels: readonly LevelAt[],
  side: Side,
  mark: bigint,
  rules: Rules,
): Rational | undefined {
  const width = (mark * rules.band) / PPM;
  const inside = levels
    .filter(({ tick, lots }) => lots > 0n && abs(tick * rules.unit - mark) <= width)
    .toSorted((a, b) => Number(side === "bids" ? b.tick - a.tick : a.tick - b.tick))
    .slice(0, LEVELS);
  let left = rational(rules.impactNotional);
  let lots = ZERO;
  for (const level of inside) {
    const price = level.tick * rules.unit;
    const part = min(rational(level.lots), left.over(price));
    lots = lots.plus(part);
    left = left.minus(part.times(price));
  }
  return left.isZero() ? rational(rules.impactNotional).over(lots) : undefined;
}

/** What is left of a pair of impact prices that may be too far apart. */
export function isTooWide(bid: Rational, ask: Rational, rules: Rules): boolean {
  const mid = bid.plus(ask).over(2n);
  return ask.minus(bid).over(mid).compare(rational(rules.maxDeviation, PPM)) > 0;
}

export type BookPrices = {
  readonly bid: bigint | undefined;
  readonly ask: bigint | undefined;
  readonly last: bigint | undefined;
};

/** median(bid, ask, last), where a missing bid is below and a missing ask above everything. */
export function bookPrice({ bid, ask, last }: BookPrices): bigint | undefined {
  if (bid === undefined && ask === undefined) return undefined;
  if (last !== undefined) return median([bid ?? 0n, ask ?? 2n ** 200n, last]);
  return bid === undefined || ask === undefined ? undefined : (bid + ask) / 2n;
}

/* PREMIUM, in parts of 10^20 of a quote */

export const PREMIUM_SCALE = 10n ** 20n;

export type Sample = {
  readonly bid: bigint | undefined;
  readonly ask: bigint | undefined;
  readonly time: bigint;
};

/** What the premium is at `now`, after the sample stood beside `index`. `premium` and result are scaled. */
export function nextPremium(
  premium: bigint,
  sample: Sample,
  index: bigint,
  now: bigint,
  rules: Rules,
): bigint {
  const elapsed = now - sample.time;
  const speaks = elapsed < INTERVALS_PER_SAMPLE * rules.sampleInterval;
  const stood = speaks ? elapsed : INTERVALS_PER_SAMPLE * rules.sampleInterval;
  const target = deviation(sample, index, rules) * PREMIUM_SCALE;
  const atEnd = target + shrink(premium - target, stood, rules.premiumWindow);
  return shrink(atEnd, elapsed - stood, rules.premiumWindow);
}

function deviation({ bid, ask }: Sample, index: bigint, rules: Rules): bigint {
  if (bid === undefined || ask === undefined) return 0n;
  const bound = (index * rules.maxDeviation) / PPM;
  const distance = (bid + ask) / 2n - index;
  return distance > bound ? bound : distance < -bound ? -bound : distance;
}

/** value · e^(−elapsed/window), by the series. */
export function shrink(value: bigint, elapsed: bigint, window: bigint): bigint {
  // e^-90 of any price is less than what is counted.
  if (elapsed > 90n * window) return 0n;
  const one = 10n ** 40n;
  let [term, growth] = [one, one];
  for (let n = 1n; term > 0n; n++) {
    term = (term * elapsed) / (window * n);
    growth += term;
  }
  return (value * one) / growth;
}

/* MARK */

export type MarkInputs = {
  readonly index: bigint;
  readonly premium: bigint;
  readonly book: bigint | undefined;
};

export function markOf(inputs: MarkInputs, rules: Rules): { mark: bigint; leg: Leg } {
  const { index, book } = inputs;
  const averaged = index + inputs.premium > 0n ? index + inputs.premium : 0n;
  const middle = book === undefined ? averaged : median([index, averaged, book]);
  const low = rational(index * (PPM - rules.maxDeviation), PPM).ceil();
  const high = rational(index * (PPM + rules.maxDeviation), PPM).floor();
  if (middle < low) return { mark: low, leg: "clamped" };
  if (middle > high) return { mark: high, leg: "clamped" };
  if (middle === index) return { mark: middle, leg: "index" };
  return { mark: middle, leg: middle === averaged ? "premium" : "book" };
}

/* FUNDING */

/** Quote per lot that a long pays in `elapsed` seconds. */
export function fundingDue(
  premium: bigint,
  index: bigint,
  elapsed: bigint,
  rules: Pick<Rules, "interest" | "maxFunding">,
): Rational {
  const share = rational(premium, index);
  const pull = rational(INTEREST_PULL, PPM);
  const cap = rational(rules.maxFunding, PPM);
  const toInterest = rational(rules.interest, PPM).minus(share);
  const rate = share.plus(clamp(toInterest, pull));
  return clamp(rate, cap).times(index).times(elapsed).over(PERIOD);
}

function clamp(value: Rational, bound: Rational): Rational {
  return max(bound.negated(), min(bound, value));
}

/* NUMBERS */

export function median(values: readonly [bigint, bigint, bigint]): bigint {
  const [, middle] = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return middle ?? 0n;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
