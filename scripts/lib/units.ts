/** Decimal text to scaled integers and back. Money, prices and rates never pass through floating point. */

/** Decimals of quote: 1e-18 of one settlement unit. Prices of whole base units have the same. */
export const QUOTE_DECIMALS = 18;
/** One settlement unit in quote. */
export const WHOLE = 10n ** 18n;
/** Rates are parts per million. */
export const PPM = 1_000_000n;

const DECIMAL = /^-?\d+(?:\.\d+)?$/;

/** Whether `text` is a plain decimal number: digits, at most one point, no exponent, no sign but a minus. */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
}

/** How many digits stand behind the point, trailing zeros not counted. */
export function decimalsOf(text: string): number {
  const [, fraction = ""] = text.split(".");
  return fraction.replace(/0+$/, "").length;
}

/** "12.5" with 6 decimals is 12500000n. Throws if the text is no decimal or has more digits than fit. */
export function parseDecimal(text: string, decimals: number): bigint {
  if (!isDecimal(text)) throw new RangeError(`"${text}" is not a decimal number`);
  if (decimalsOf(text) > decimals) {
    throw new RangeError(`"${text}" has more than ${decimals} decimals`);
  }
  const negative = text.startsWith("-");
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const digits = fraction.slice(0, decimals).padEnd(decimals, "0");
  const value = BigInt(whole + digits);
  return negative ? -value : value;
}

/** The shortest text that parses back to `value`. */
export function formatDecimal(value: bigint, decimals: number): string {
  const sign = value < 0n ? "-" : "";
  const digits = abs(value)
    .toString()
    .padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** Rounded half away from zero to `places` digits, with thousands separated: 1234567.891 → "1,234,567.89". */
export function formatRounded(value: bigint, decimals: number, places: number): string {
  const rounded = rescale(value, decimals, places);
  const sign = rounded < 0n ? "−" : "";
  const digits = abs(rounded)
    .toString()
    .padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places).replace(/\B(?=(\d{3})+$)/g, ",");
  return places === 0
    ? `${sign}${whole}`
    : `${sign}${whole}.${digits.slice(digits.length - places)}`;
}

/** The same number with other decimals, rounded half away from zero. */
export function rescale(value: bigint, from: number, to: number): bigint {
  if (to >= from) return value * 10n ** BigInt(to - from);
  const divisor = 10n ** BigInt(from - to);
  const half = divisor / 2n;
  return value < 0n ? -((-value + half) / divisor) : (value + half) / divisor;
}

/** Towards −∞; `divisor` > 0. */
export function divFloor(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value < 0n && quotient * divisor !== value ? quotient - 1n : quotient;
}

/** Towards +∞; `divisor` > 0. */
export function divCeil(value: bigint, divisor: bigint): bigint {
  return -divFloor(-value, divisor);
}

export function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

export function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

export function sum(values: Iterable<bigint>): bigint {
  let total = 0n;
  for (const value of values) total += value;
  return total;
}

/** `part` / `whole` as a number with about nine good digits: for plots and tables, never for money. 0 if `whole` is 0. */
export function ratio(part: bigint, whole: bigint): number {
  if (whole === 0n) return 0;
  return Number((part * 1_000_000_000n) / whole) / 1e9;
}
