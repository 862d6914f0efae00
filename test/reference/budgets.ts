import type { Exchange, Venue } from "./types.js";
import { atLeastZero, ceilDiv, least, PPM } from "./types.js";

/* What the fund may pay: buckets that leak, as parts of the fund and of what it paid lately. */

const WAVE = 3_600n;
const DAY = 86_400n;
const DRAWDOWN = 28_800n;
/** A drawdown is counted in so many parts of the fund, in 32 bits. */
const PARTS = 10n ** 9n;
const PARTS_PER_PPM = PARTS / PPM;
const MOST_PARTS = 2n ** 32n - 1n;
const ALL_MARKETS = 800_000n;

export const budgetsSeen = { drawdowns: 0, recoveries: 0 };

/** The fund, as far as all markets together may draw on it. */
export type Purse = { readonly size: bigint; left: bigint };

export type Permit = { within: bigint; share: bigint };

export function openPurse(x: Exchange): Purse {
  const fund = atLeastZero(x.core.fund.floor());
  const level = drawnOf(x);
  const size = fund + level;
  return { size, left: least(fund, atLeastZero(part(size, ALL_MARKETS) - level)) };
}

export function permitOf(x: Exchange, venue: Venue, { size }: Purse): Permit {
  const { config } = venue;
  const { wave, day } = levelsOf(x, venue, size);
  const share = atLeastZero(part(size, config.marketShare) - day);
  const ofWave = atLeastZero(part(size, config.eventBudget) - wave);
  const ofDay = atLeastZero(part(size, config.dayBudget) - day);
  return { within: least(least(ofWave, ofDay), share), share };
}

export function draw(x: Exchange, venue: Venue, purse: Purse, amount: bigint): void {
  if (amount === 0n) return;
  const { wave, day } = levelsOf(x, venue, purse.size);
  const parts = drawdownOf(x, venue) + ceilDiv(amount * PARTS, purse.size);
  const drawdown = least(parts, MOST_PARTS);
  venue.bucket = { wave: wave + amount, day: day + amount, since: x.core.now, drawdown };
  if (drawdown > venue.config.drawdownLimit * PARTS_PER_PPM) {
    venue.isDrawnDown = true;
    budgetsSeen.drawdowns++;
  }
  drawUnbudgeted(x, purse, amount);
}

/** A market may grow again once half of the limit has leaked away. */
export function recover(x: Exchange, venue: Venue): void {
  const half = (venue.config.drawdownLimit * PARTS_PER_PPM) / 2n;
  if (!venue.isDrawnDown || drawdownOf(x, venue) > half) return;
  venue.isDrawnDown = false;
  budgetsSeen.recoveries++;
}

function drawdownOf(x: Exchange, { bucket, config }: Venue): bigint {
  const limit = config.drawdownLimit * PARTS_PER_PPM;
  return leaked(bucket.drawdown, limit, x.core.now - bucket.since, DRAWDOWN);
}

/** A draw that belongs to no market. */
export function drawUnbudgeted(x: Exchange, purse: Purse, amount: bigint): void {
  if (amount === 0n) return;
  x.drawn = { amount: drawnOf(x) + amount, size: purse.size, since: x.core.now };
  purse.left -= amount;
  x.core.fund = x.core.fund.minus(amount);
}

/** What all markets drew and has not leaked away. */
function drawnOf(x: Exchange): bigint {
  const { amount, size, since } = x.drawn;
  return leaked(amount, part(size, ALL_MARKETS), x.core.now - since, DAY);
}

function levelsOf(x: Exchange, { bucket, config }: Venue, size: bigint) {
  const elapsed = x.core.now - bucket.since;
  return {
    wave: leaked(bucket.wave, part(size, config.eventBudget), elapsed, WAVE),
    day: leaked(bucket.day, part(size, config.marketShare), elapsed, DAY),
  };
}

function leaked(amount: bigint, capacity: bigint, elapsed: bigint, window: bigint): bigint {
  return atLeastZero(amount - (capacity * elapsed) / window);
}

function part(size: bigint, rate: bigint): bigint {
  return (size * rate) / PPM;
}
