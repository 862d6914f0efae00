/** How figures are written for people, the same in the table and in the report. */

import { QUOTE_DECIMALS, formatRounded, ratio, rescale } from "../lib/units.js";
import type { Scale } from "./path.js";
import type { Side } from "./population.js";

/** Settlement units without decimals below a thousand of them mean little: "1,234,568", but "12.35". */
export function money(quote: bigint): string {
  const size = quote < 0n ? -quote : quote;
  return formatRounded(quote, QUOTE_DECIMALS, size >= 1_000n * 10n ** 18n || size === 0n ? 0 : 2);
}

/** Money in a few characters, for axes and tiles: "1.2M", "350k". */
export function shortMoney(quote: bigint): string {
  return shortNumber(Number(rescale(quote, QUOTE_DECIMALS, 2)) / 100);
}

export function shortNumber(value: number): string {
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size >= 1e9) return `${sign}${trim(size / 1e9)}B`;
  if (size >= 1e6) return `${sign}${trim(size / 1e6)}M`;
  if (size >= 1e3) return `${sign}${trim(size / 1e3)}k`;
  return `${sign}${trim(size)}`;
}

function trim(value: number): string {
  const places = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(places).replace(/\.0+$|(\.\d*[1-9])0+$/, "$1");
}

/** 0.12345 → "12.3 %". Small shares keep two significant digits. */
export function percent(share: number): string {
  const value = share * 100;
  const size = Math.abs(value);
  const places = size === 0 || size >= 10 ? 1 : size >= 0.1 ? 2 : 4;
  const text = value.toFixed(places).replace("-", "−");
  return `${size === 0 ? "0" : text.replace(/\.0+$/, "")} %`;
}

export function percentOf(part: bigint, whole: bigint): string {
  return percent(ratio(part, whole));
}

export function integer(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${integer(count)} ${count === 1 ? one : many}`;
}

/** Settlement units per base unit, with the digits that its ticks can tell apart, at most five significant ones. */
export function price(quotePerLot: bigint, { lotDecimals }: Scale): string {
  const value = Number(quotePerLot * 10n ** BigInt(lotDecimals)) / 1e18;
  return formatPrice(value);
}

export function formatPrice(value: number): string {
  if (value === 0) return "0";
  const places = Math.max(0, 4 - Math.floor(Math.log10(Math.abs(value))));
  const [whole = "0", fraction = ""] = value.toFixed(Math.min(places, 12)).split(".");
  const decimals = fraction.replace(/0+$/, "");
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${decimals === "" ? "" : `.${decimals}`}`;
}

/** For plots: settlement units per base unit. */
export function priceNumber(quotePerLot: bigint, { lotDecimals }: Scale): number {
  return Number(quotePerLot * 10n ** BigInt(lotDecimals)) / 1e18;
}

/** Quote as a number of settlement units, for plots. */
export function moneyNumber(quote: bigint): number {
  return Number(quote) / 1e18;
}

/** Base units of the asset. */
export function baseNumber(lots: bigint, { lotDecimals }: Scale): number {
  return Number(lots) / 10 ** lotDecimals;
}

/** "3:15" after the start, or "1:02:03". */
export function elapsed(seconds: number): string {
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = String(seconds % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** "2020-03-12 10:25" in UTC. */
export function utc(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(0, 16).replace("T", " ");
}

export function opposite(side: Side): Side {
  return side === "long" ? "short" : "long";
}
