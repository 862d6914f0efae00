import type { AccountView, Side } from "./views.js";

/*
 * The contract's arithmetic, bit for bit: the same names, the same direction of rounding (libraries/Margin.sol).
 */

const PPM = 1_000_000n;

/** Below maintenance at mark, at index and at a price that waits: one of them alone may be false. */
export function isLiquidatable(view: AccountView): boolean {
  return (
    view.equity < view.maintenance &&
    view.equityAtIndex < view.maintenanceAtIndex &&
    view.equityAtPending < view.maintenanceAtPending
  );
}

/** Nothing is left at any of the three prices. (While a price waits, no event is possible: then the index is not fresh.) */
export function isInsolvent(view: AccountView): boolean {
  return view.equity < 0n && view.equityAtIndex < 0n && view.equityAtPending < 0n;
}

/** Equity has reached what a forced sale aims at, 5/4 of maintenance. */
export function isAtTarget(view: AccountView): boolean {
  return view.equity * 4n >= view.maintenance * 5n;
}

export type Sale = {
  readonly side: Side;
  readonly mark: bigint;
  readonly zeroPrice: bigint;
  readonly slip0: bigint;
  readonly elapsed: bigint;
  readonly duration: bigint;
};

/** How much nearer to mark than the zero price a limit stays. */
const LIMIT_ROUNDING = 4n;

/**
 * The worst price of a forced sale: from mark ∓ slip0 to the zero price over the clock's time, never beyond the zero price,
 * at mark when the equity is gone. Every distance from mark is rounded down.
 */
export function limitPrice({ side, mark, zeroPrice, slip0, elapsed, duration }: Sale): bigint {
  const sign = signOf(side);
  const toZero = sign * (mark - zeroPrice);
  if (toZero <= LIMIT_ROUNDING) return mark;
  const start = (mark * slip0) / PPM;
  const scheduled =
    elapsed >= duration ? toZero : (start * (duration - elapsed) + toZero * elapsed) / duration;
  return mark - sign * least(scheduled, toZero - LIMIT_ROUNDING);
}

/** The nearest tick that is no worse than a price for whoever sells out of `side`. */
export function tickTowardsMark(side: Side, price: bigint, unit: bigint): bigint {
  return side === "long" ? ceilDiv(price, unit) : price / unit;
}

/** The price that is `distance` ppm from mark, in the direction in which `side` is sold. Rounded away from mark. */
export function priceAway(side: Side, mark: bigint, distance: bigint): bigint {
  return side === "long" ? (mark * (PPM - distance)) / PPM : ceilDiv(mark * (PPM + distance), PPM);
}

/** Whether price `a` is better than `b` for whoever sells out of `side`. */
export function isBetterFor(side: Side, a: bigint, b: bigint): boolean {
  return side === "long" ? a > b : a < b;
}

function signOf(side: Side): bigint {
  return side === "long" ? 1n : -1n;
}

export function ceilDiv(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}

export function least(...values: readonly [bigint, ...bigint[]]): bigint {
  return values.reduce((a, b) => (b < a ? b : a));
}

export function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
