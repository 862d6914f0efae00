import { accountOf, cohortLots, marketOf, sideLots } from "../model/cohorts.js";
import { sum } from "../model/rational.js";
import type { AccountId, MarketId, Side } from "../model/types.js";
import type { Exchange, Venue } from "./types.js";
import { atLeastZero, least, PPM, refuseUnless, venueOf } from "./types.js";

/* How much a market holds, and what the top leverages may hold of it together. */

/** Leverage of 20 and more. */
export const TOP_CLASS = 5;

export const capsSeen = { grown: 0, full: 0, stopped: 0, raised: 0 };

/** By what the time since the last step allows. Less than a lot waits for more time. */
export function grow(x: Exchange, venue: Venue): void {
  const { config, growth } = venue;
  const { full, since } = growth;
  const ramp = config.capRamp;
  const step = ramp === 0n ? full : (full * (x.core.now - since)) / ramp;
  if (step === 0n) return;
  capsSeen.grown++;
  setCap(venue, least(config.openInterestCap + step, full));
  const isFull = venue.config.openInterestCap === full;
  if (isFull) capsSeen.full++;
  venue.growth = { full: isFull ? 0n : full, since: x.core.now };
}

/** Only downwards, and that is what it stays. */
export function lowerCap(x: Exchange, id: MarketId, cap: bigint): void {
  const venue = venueOf(x, id);
  refuseUnless(cap <= venue.config.openInterestCap, "ParameterOutOfBounds");
  setCap(venue, cap);
  stopGrowing(x, venue);
}

/** Less holds at once, more is grown to. */
export function changeCap(x: Exchange, id: MarketId, cap: bigint): void {
  const venue = venueOf(x, id);
  const { openInterestCap, capRamp } = venue.config;
  if (cap > openInterestCap && capRamp > 0n) {
    capsSeen.raised++;
    venue.growth = { full: cap, since: x.core.now };
  } else {
    setCap(venue, cap);
    stopGrowing(x, venue);
  }
}

function setCap(venue: Venue, openInterestCap: bigint): void {
  venue.config = { ...venue.config, openInterestCap };
}

function stopGrowing(x: Exchange, venue: Venue): void {
  if (venue.growth.full === 0n) return;
  capsSeen.stopped++;
  venue.growth = { full: 0n, since: x.core.now };
}

/** Lots long, which are as many as short. */
export function openInterest(x: Exchange, id: MarketId): bigint {
  const lots = sideLots(x.core, marketOf(x.core, id), 1n);
  if (!lots.isWhole()) throw new Error("open interest is whole");
  return lots.num;
}

/** What margin knows of it: a call's own trades count once it leaves the market. */
export function noteOpenInterest(x: Exchange, id: MarketId): void {
  venueOf(x, id).openInterest = openInterest(x, id);
}

export function topLots(x: Exchange, id: MarketId, side: Side): bigint {
  const market = marketOf(x.core, id);
  const top = [...market.cohorts.values()].filter(
    (cohort) => cohort.side === side && cohort.leverageClass >= TOP_CLASS,
  );
  return sum(top.map((cohort) => cohortLots(x.core, market, cohort))).num;
}

/** A share of the market's cap, and no more than the fund's budget of a day would pay for if the index made its move. */
export function topCap(x: Exchange, id: MarketId): bigint {
  const { config } = venueOf(x, id);
  const cap = (config.openInterestCap * config.topShare) / 100n;
  const maintenanceRate = PPM / (2n * (config.tiers[0]?.maxLeverage ?? 1n));
  const loss = marketOf(x.core, id).mark * atLeastZero(config.move - maintenanceRate);
  if (loss === 0n) return cap;
  return least(cap, (atLeastZero(x.core.fund.floor()) * config.dayBudget) / loss);
}

/** Whether a position of a top class grew or turned although these hold more than they may. */
export function isAboveTopCap(
  x: Exchange,
  id: AccountId,
  { market, was, is }: { market: MarketId; was: bigint; is: bigint },
): boolean {
  if (is === 0n || (was * is > 0n && is * is <= was * was)) return false;
  const leverageClass = accountOf(x.core, id).positions.get(market)?.leverageClass ?? 0;
  if (leverageClass < TOP_CLASS) return false;
  return topLots(x, market, is > 0n ? 1n : -1n) > topCap(x, market);
}
