import { marketOf } from "../model/cohorts.js";
import type { MarketId } from "../model/types.js";
import { impactPrices, toQuote } from "./impact.js";
import { expire, hear, isWaiting } from "./jumps.js";
import { observe } from "./winding.js";
import type { Config, Exchange, Grade, Source, Venue } from "./types.js";
import {
  absolute,
  atLeastZero,
  ceilDiv,
  clamp,
  decay,
  least,
  most,
  PPM,
  rootFloor,
  venueOf,
  WHOLE,
} from "./types.js";

/* Index, premium, mark, funding and volatility, once a market and block. */

/** Seconds that a funding rate is for. */
const PERIOD = 8n * 3600n;
/** Ppm by which interest may pull the rate away from the premium. */
const INTEREST_PULL = 500n;
/** A sample speaks for so many sample intervals. */
const INTERVALS_PER_SAMPLE = 6n;
const VOLATILITY_SAMPLE = 60n;
const WORST_TO_BEST: readonly Grade[] = ["dead", "aged", "fresh"];

/** What a market finds at the first call of a block. */
export function refresh(x: Exchange, id: MarketId): void {
  const [market, venue] = [marketOf(x.core, id), venueOf(x, id)];
  const { prices } = venue;
  if (venue.isEnded) return;
  const indexBefore = prices.index;
  market.funding += fundingSince(x, venue);
  updateIndex(x, venue);
  const isAlive = prices.grade !== "dead";
  // The book may know of a jump that the index does not know yet.
  if (isAlive && !isWaiting(prices)) {
    updatePremium(x, venue, { indexBefore, mark: market.mark });
    updateVolatility(x, venue);
  }
  if (isAlive) market.mark = markOf(x, venue);
  prices.refreshed = x.core.now;
  observe(x, venue, indexBefore);
}

function worse(a: Grade, b: Grade): Grade {
  return WORST_TO_BEST.indexOf(a) < WORST_TO_BEST.indexOf(b) ? a : b;
}

function gradeByAge(now: bigint, publishTime: bigint, config: Config): Grade {
  if (publishTime === 0n) return "dead";
  if (now <= publishTime + config.freshFor) return "fresh";
  return now <= publishTime + config.agedFor ? "aged" : "dead";
}

/* FUNDING */

/** What a long paid per lot since the last refresh, by what was stored then: nothing if a jump waited; scale 2^32. */
function fundingSince({ core }: Exchange, { prices, config }: Venue): bigint {
  const { premium, index, grade, refreshed, publishTime } = prices;
  const end = least(core.now, publishTime + config.agedFor);
  if (grade === "dead" || isWaiting(prices) || end <= refreshed) return 0n;
  const elapsed = least(end - refreshed, config.maxAccrual);
  const [pull, cap] = [INTEREST_PULL * index, config.maxFunding * index];
  const free = premium * PPM + clamp(config.interest * index - premium * PPM, -pull, pull);
  // Towards zero, so that neither side pays more than the rate says.
  return (clamp(free, -cap, cap) * (elapsed << 32n)) / (PPM * PERIOD);
}

/* INDEX */

function updateIndex({ core }: Exchange, venue: Venue): void {
  const { prices, config, sources } = venue;
  const before = prices.publishTime;
  const perLot = 10n ** config.lotDecimals;
  const reading = readSources(sources, core.now, { ...config, last: prices.index * perLot });
  if (reading.grade !== "dead") {
    takeReading(venue, reading, reading.price / perLot, core.now);
    expire(venue, core.now);
  }
  prices.grade = worse(reading.grade, gradeByAge(core.now, prices.publishTime, config));
  if (isWaiting(prices)) prices.grade = worse(prices.grade, "aged");
  const isUnbroken = prices.freshSince > 0n && prices.publishTime <= before + config.freshFor;
  if (prices.grade !== "fresh") prices.freshSince = 0n;
  else if (!isUnbroken) prices.freshSince = core.now;
}

/** Only what was published after all that was read before is new, but for a source that agrees with a jump that waits. */
function takeReading(venue: Venue, reading: Reading, price: bigint, now: bigint): void {
  const { prices } = venue;
  const isAgreed = reading.grade === "fresh" && reading.agreeing >= 2;
  const isNew = reading.publishTime > prices.publishTime;
  if (isNew || (isAgreed && isWaiting(prices))) hear(venue, { price, isAgreed }, now);
  prices.publishTime = most(prices.publishTime, reading.publishTime);
}

type Reading = Source & { readonly grade: Grade; readonly agreeing: number };

/** What all sources say together: prices have 18 decimals for one base unit here. */
function readSources(
  sources: readonly Source[],
  now: bigint,
  { freshFor, agedFor, maxSpread, last }: Config & { readonly last: bigint },
): Reading {
  const fresh = sources.filter(({ publishTime }) => now - publishTime <= freshFor);
  if (fresh.length === 0) {
    const aged = sources.filter(({ publishTime }) => now - publishTime <= agedFor);
    const [latest] = aged.toSorted((a, b) => Number(b.publishTime - a.publishTime));
    if (latest === undefined) return { price: 0n, publishTime: 0n, grade: "dead", agreeing: 0 };
    return { ...latest, grade: "aged", agreeing: 0 };
  }
  const chosen = nearest(fresh, last);
  const isNear = ({ price }: Source) =>
    absolute(price - chosen.price) * PPM <= chosen.price * maxSpread;
  const agreeing = fresh.filter(isNear).length;
  return { ...chosen, agreeing, grade: agreeing > 1 ? "fresh" : "aged" };
}

/** Of two: the one nearer the last index. If neither is, or there is none, the cheaper of the same time. */
function nearest(fresh: readonly Source[], last: bigint): Source {
  const [lower, upper] = fresh.toSorted((a, b) => Number(a.price - b.price));
  if (lower === undefined) throw new Error("a source is fresh");
  if (upper === undefined) return lower;
  const [below, above] = [absolute(lower.price - last), absolute(upper.price - last)];
  if (last === 0n || below === above) {
    return lower.publishTime > upper.publishTime ? lower : upper;
  }
  return below < above ? lower : upper;
}

/* PREMIUM AND VOLATILITY */

function updatePremium(
  { core }: Exchange,
  venue: Venue,
  { indexBefore, mark }: { indexBefore: bigint; mark: bigint },
): void {
  const { prices, config } = venue;
  const { sampleInterval, premiumWindow } = config;
  const elapsed = core.now - prices.sampled;
  if (elapsed < sampleInterval) return;
  const stood = least(elapsed, INTERVALS_PER_SAMPLE * sampleInterval);
  const target = deviationOf(venue, indexBefore);
  const premium = target + decayed(prices.premium - target, stood, premiumWindow);
  prices.premium = decayed(premium, elapsed - stood, premiumWindow);
  const { bid, ask } = impactPrices(venue, mark === 0n ? prices.index : mark);
  Object.assign(prices, { bid, ask, sampled: core.now });
}

/** Impact mid − index, at most maxDeviation. */
function deviationOf({ prices: { bid, ask }, config }: Venue, index: bigint): bigint {
  if (bid === 0n || ask === 0n) return 0n;
  const mid = toQuote(bid + ask, config.unit) / 2n;
  const bound = (index * config.maxDeviation) / PPM;
  return clamp(mid - index, -bound, bound);
}

/** Towards zero. */
function decayed(value: bigint, elapsed: bigint, window: bigint): bigint {
  return elapsed === 0n ? value : (value * decay(elapsed, window)) / WHOLE;
}

function updateVolatility({ core: { now } }: Exchange, { prices, config }: Venue): void {
  if (now / VOLATILITY_SAMPLE === prices.refreshed / VOLATILITY_SAMPLE) return;
  const { variance, varianceIndex, varianceSampled, index } = prices;
  const elapsed = now - varianceSampled;
  if (elapsed < VOLATILITY_SAMPLE) return;
  if (varianceSampled > 0n) {
    const kept = decay(elapsed, config.volatilityWindow);
    const gain = least((absolute(index - varianceIndex) * WHOLE) / varianceIndex, 10n * WHOLE);
    const perSecond = (gain * gain) / elapsed / 10n ** 12n;
    prices.variance = (variance * kept + perSecond * (WHOLE - kept)) / WHOLE;
  }
  Object.assign(prices, { varianceIndex: index, varianceSampled: now });
  const root = rootFloor(prices.variance * config.volatilityHorizon);
  const rate = ceilDiv(root * config.volatilityFactor * 10_000n, 10n ** 13n);
  prices.volatilityRate = least(rate, 10_000n);
}

/* MARK */

/** median(index, index + premium, book), at most maxDeviation from the index. */
function markOf(x: Exchange, venue: Venue): bigint {
  const { index, premium } = venue.prices;
  const { maxDeviation } = venue.config;
  const averaged = atLeastZero(index + premium);
  const book = bookOf(x, venue);
  const middle = book === 0n ? averaged : median(index, averaged, book);
  const low = ceilDiv(index * (PPM - maxDeviation), PPM);
  return clamp(middle, low, (index * (PPM + maxDeviation)) / PPM);
}

/** Both sides: their middle, or the last trade between them. One side: the last trade, not beyond it. */
function bookOf({ core }: Exchange, { prices, config }: Venue): bigint {
  const { unit, lastTradeFor } = config;
  const [bid, ask] = [toQuote(prices.bid, unit), toQuote(prices.ask, unit)];
  const last = core.now < prices.lastTradeTime + lastTradeFor ? prices.lastTick * unit : 0n;
  if (bid > 0n && ask > 0n) return last === 0n ? (bid + ask) / 2n : median(bid, ask, last);
  if (last === 0n) return 0n;
  if (bid > 0n) return most(bid, last);
  return ask === 0n ? 0n : least(ask, last);
}

function median(a: bigint, b: bigint, c: bigint): bigint {
  return most(least(a, b), least(most(a, b), c));
}

/** What a call traded at one tick counts for later marks from a tenth of the impact notional. */
export function noteTrade({ core }: Exchange, venue: Venue, tick: bigint, lots: bigint): void {
  const { impactNotional, unit } = venue.config;
  if (lots * tick * unit * 10n < impactNotional * WHOLE) return;
  Object.assign(venue.prices, { lastTick: tick, lastTradeTime: core.now });
}
