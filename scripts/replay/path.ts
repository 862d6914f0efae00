/** Where the index goes: one price every 15 seconds, from a scenario's steps or from candles. */

import { QUOTE_DECIMALS, WHOLE, formatDecimal } from "../lib/units.js";
import { pricesOf } from "./candles.js";
import type { Candle, CandleFile } from "./candles.js";
import type { Scenario } from "./scenario.js";

/** The sources publish this often. */
export const SECONDS_PER_UPDATE = 15;
/** A candle becomes four updates, whatever time it stood for. */
const SECONDS_PER_CANDLE = 60;
/** Where scenarios without a date begin: 1 January 2025, 00:00 UTC. */
const DEFAULT_START = 1_735_689_600;
/** The first price has at least this many ticks: a tick is at most 0.1 basis points of it. */
const LEAST_TICKS = 100_000n;
/** The exchange counts ticks in 24 bits. */
const MOST_TICKS = 2n ** 24n - 1n;
/** A lot is worth at most a hundredth of a cent at the first price. */
const LOT_WORTH = WHOLE / 10_000n;

export type PricePoint = {
  /** Since the start of the path. */
  readonly seconds: number;
  /** Settlement units per base unit, 18 decimals, a whole number of ticks. */
  readonly price: bigint;
  /** The moment this price belongs to in the real world; equals start + seconds in a scenario of steps. */
  readonly time: number;
  /** False where the price only stands. */
  readonly isMove: boolean;
};

export type PricePath = {
  /** Unix time of the first point on the chain. */
  readonly start: number;
  readonly points: readonly PricePoint[];
};

export type Scale = {
  /** Price of one tick, 18 decimals. */
  readonly tick: bigint;
  /** A lot is 10^-lotDecimals of the base asset. */
  readonly lotDecimals: number;
  /** Quote per lot and tick. */
  readonly unit: bigint;
};

export function pathOfSteps(path: Extract<Scenario["path"], { kind: "steps" }>): PricePath {
  const updates = path.secondsEach / SECONDS_PER_UPDATE;
  const scale = scaleOf(firstOf(path.prices));
  const points = path.prices.flatMap((price, step) =>
    Array.from({ length: updates }, (_, update): PricePoint => {
      const seconds = (step * updates + update) * SECONDS_PER_UPDATE;
      return {
        seconds,
        price: toTick(price, scale),
        time: DEFAULT_START + seconds,
        isMove: update === 0 && step > 0,
      };
    }),
  );
  return { start: DEFAULT_START, points };
}

export function pathOfCandles({ candles }: CandleFile): PricePath {
  const first = firstOf(candles);
  const scale = scaleOf(first.open);
  const start = Math.floor(first.openTime / 1_000);
  const points = candles.flatMap((candle, index) => pointsOf(candle, index, scale));
  return { start, points };
}

function pointsOf(candle: Candle, index: number, scale: Scale): PricePoint[] {
  return pricesOf(candle).map((price, quarter) => ({
    seconds: index * SECONDS_PER_CANDLE + quarter * SECONDS_PER_UPDATE,
    price: toTick(price, scale),
    time: Math.floor(candle.openTime / 1_000) + quarter * SECONDS_PER_UPDATE,
    isMove: true,
  }));
}

/** A tick and a lot that suit the price: fine enough that rounding is worth nothing. */
export function scaleOf(price: bigint): Scale {
  let tick = WHOLE;
  while (price / tick >= LEAST_TICKS * 10n) tick *= 10n;
  while (price / tick < LEAST_TICKS && tick > 1n) tick /= 10n;

  let lotDecimals = 0;
  while (price > LOT_WORTH * 10n ** BigInt(lotDecimals)) lotDecimals += 1;

  return { tick, lotDecimals, unit: tick / 10n ** BigInt(lotDecimals) };
}

/** To the nearest tick, at least one. Throws where there are not enough ticks. */
export function toTick(price: bigint, { tick }: Scale): bigint {
  const ticks = (price + tick / 2n) / tick;
  if (ticks > MOST_TICKS) {
    const [shown, most] = [price, MOST_TICKS * tick].map((one) =>
      formatDecimal(one, QUOTE_DECIMALS),
    );
    throw new RangeError(`the price ${shown} is too far from the first one; at most ${most} fits`);
  }
  return (ticks === 0n ? 1n : ticks) * tick;
}

function firstOf<T>(values: readonly T[]): T {
  const [first] = values;
  if (first === undefined) throw new RangeError("a path has at least one price");
  return first;
}
