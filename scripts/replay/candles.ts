/**
 * Reads candles from CSV: this project's own columns, or a file of Binance's public archive as it was downloaded, with
 * or without its header, times in milliseconds or microseconds. Prices stay exact.
 */

import {
  QUOTE_DECIMALS,
  decimalsOf,
  formatDecimal,
  isDecimal,
  parseDecimal,
} from "../lib/units.js";
import { InputError } from "./scenario.js";

export type Candle = {
  /** Unix time in milliseconds. */
  readonly openTime: number;
  /** All prices and the volume have 18 decimals. */
  readonly open: bigint;
  readonly high: bigint;
  readonly low: bigint;
  readonly close: bigint;
  readonly volume: bigint;
};

export type CandleFile = {
  readonly candles: readonly Candle[];
  /** Milliseconds between two candles. */
  readonly interval: number;
  /** What is odd but no error, one a line. */
  readonly warnings: readonly string[];
};

type Columns = {
  readonly names: readonly string[];
  readonly openTime: number;
  /** Where the open price is; high, low, close and volume follow it. */
  readonly open: number;
  readonly timestamp?: number;
};
type Line = { readonly number: number; readonly text: string };
type Row = { readonly line: number; readonly candle: Candle };

const OWN_HEADER = "ts_utc,open_time_ms,open,high,low,close,volume_base";
const ARCHIVE_HEADER =
  "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore";
const OWN: Columns = { names: OWN_HEADER.split(","), timestamp: 0, openTime: 1, open: 2 };
const ARCHIVE: Columns = { names: ARCHIVE_HEADER.split(","), openTime: 0, open: 1 };
const PRICES = ["open", "high", "low", "close"] as const;

const MAX_PROBLEMS = 10;
/** 1 January 2009 and 2100, in milliseconds: outside, the unit is wrong. */
const EARLIEST = 1_230_768_000_000;
const LATEST = 4_102_444_800_000;
const MICROSECONDS_FROM = 10 ** 14;

/** Reads a whole file. Reports up to ten bad lines at once, each with its number. */
export function parseCandles(text: string, file: string): CandleFile {
  const lines = linesOf(text);
  const first = lines[0];
  if (first === undefined) throw new InputError(file, ["line 1: the file is empty"]);

  const { columns, hasHeader } = columnsOf(first, file);
  const problems: string[] = [];
  const rows: Row[] = [];
  for (const line of hasHeader ? lines.slice(1) : lines) {
    const result = parseLine(line, columns);
    if ("candle" in result) rows.push(result);
    else problems.push(...result.problems.map((problem) => `line ${line.number}: ${problem}`));
  }
  if (rows.length === 0 && problems.length === 0) {
    throw new InputError(file, [`line ${first.number + 1}: there is no candle after the header`]);
  }

  const { interval, warnings, problems: timeProblems } = checkTimes(rows);
  problems.push(...timeProblems);
  if (problems.length > 0) throw new InputError(file, shorten(problems));
  return { candles: rows.map(({ candle }) => candle), interval, warnings };
}

function linesOf(text: string): Line[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .map((line, index) => ({ number: index + 1, text: line.trim() }))
    .filter((line) => line.text !== "");
}

function columnsOf(first: Line, file: string): { columns: Columns; hasHeader: boolean } {
  const cells = cellsOf(first.text).map((cell) => cell.toLowerCase());
  const header = cells.join(",");
  if (header === OWN_HEADER) return { columns: OWN, hasHeader: true };
  if (cells.length === ARCHIVE.names.length) {
    // The archive's header changed its words over the years, but never its first ones.
    if (header.startsWith("open_time,open,high,low,close,volume,")) {
      return { columns: ARCHIVE, hasHeader: true };
    }
    if (/^\d+$/.test(cells[0] ?? "")) return { columns: ARCHIVE, hasHeader: false };
  }
  throw new InputError(file, [
    `line ${first.number}: unknown columns; expected the header "${OWN_HEADER}" ` +
      `or the ${ARCHIVE.names.length} columns of a Binance archive, found ${cells.length} columns`,
  ]);
}

function cellsOf(text: string): string[] {
  return text.split(",").map((cell) => cell.trim());
}

function parseLine(line: Line, columns: Columns): Row | { problems: string[] } {
  const cells = cellsOf(line.text);
  if (cells.length !== columns.names.length) {
    return {
      problems: [
        `has ${cells.length === 1 ? "1 column" : `${cells.length} columns`} instead of ${columns.names.length}`,
      ],
    };
  }
  const problems: string[] = [];
  const cell = (index: number): string => cells[index] ?? "";

  const openTime = parseTime(cell(columns.openTime));
  if (openTime === undefined) {
    problems.push(
      `${columns.names[columns.openTime]} "${cell(columns.openTime)}" is not a unix time`,
    );
  }
  if (columns.timestamp !== undefined && openTime !== undefined) {
    const written = cell(columns.timestamp);
    if (Date.parse(written) !== openTime) {
      problems.push(`ts_utc "${written}" is not the time of open_time_ms ${openTime}`);
    }
  }

  const [open, high, low, close, volume] = [...PRICES, "volume"].map((name, index) => {
    const value = cell(columns.open + index);
    const problem = numberProblem(value, name === "volume");
    if (problem === undefined) return parseDecimal(value, QUOTE_DECIMALS);
    problems.push(`${name} "${value}" ${problem}`);
    return undefined;
  });
  // All at once, so that the compiler knows they are there; `problems` says which are not.
  if (
    openTime === undefined ||
    open === undefined ||
    high === undefined ||
    low === undefined ||
    close === undefined ||
    volume === undefined
  ) {
    return { problems };
  }

  const candle = { openTime, open, high, low, close, volume };
  problems.push(...orderProblems(candle));
  return problems.length > 0 ? { problems } : { line: line.number, candle };
}

/** Milliseconds or microseconds, told apart by size. */
function parseTime(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  const milliseconds = value >= MICROSECONDS_FROM ? Math.floor(value / 1_000) : value;
  return milliseconds >= EARLIEST && milliseconds < LATEST ? milliseconds : undefined;
}

function numberProblem(text: string, mayBeZero: boolean): string | undefined {
  if (!isDecimal(text)) return "is not a decimal number";
  if (decimalsOf(text) > QUOTE_DECIMALS) return `has more than ${QUOTE_DECIMALS} decimals`;
  const value = parseDecimal(text, QUOTE_DECIMALS);
  if (mayBeZero) return value < 0n ? "is below 0" : undefined;
  return value <= 0n ? "is not above 0" : undefined;
}

function orderProblems(candle: Omit<Candle, "openTime" | "volume">): string[] {
  const { open, high, low, close } = candle;
  const show = (value: bigint): string => formatDecimal(value, QUOTE_DECIMALS);
  if (high < low) return [`high ${show(high)} is below low ${show(low)}`];

  const problems: string[] = [];
  for (const [name, value] of [
    ["open", open],
    ["close", close],
  ] as const) {
    if (high < value) problems.push(`high ${show(high)} is below ${name} ${show(value)}`);
    if (low > value) problems.push(`low ${show(low)} is above ${name} ${show(value)}`);
  }
  return problems;
}

type TimeCheck = { interval: number; warnings: string[]; problems: string[] };

/** Times must rise; the smallest distance is the interval, and a longer one is a gap. */
function checkTimes(rows: readonly Row[]): TimeCheck {
  const problems: string[] = [];
  const gaps: { line: number; distance: number }[] = [];
  for (const [index, { line, candle }] of rows.entries()) {
    const before = rows[index - 1];
    if (before === undefined) continue;
    const distance = candle.openTime - before.candle.openTime;
    if (distance > 0) gaps.push({ line, distance });
    else if (distance === 0) problems.push(`line ${line}: has the time of line ${before.line}`);
    else problems.push(`line ${line}: is earlier than line ${before.line}`);
  }
  const interval = gaps.reduce((least, { distance }) => Math.min(least, distance), Infinity);
  if (!Number.isFinite(interval)) return { interval: 60_000, warnings: [], problems };

  const warnings: string[] = [];
  for (const { line, distance } of gaps) {
    if (distance % interval !== 0) {
      problems.push(
        `line ${line}: opens ${distance / 1_000} s after the line before, which is no multiple of ${interval / 1_000} s`,
      );
    } else if (distance > interval) {
      const missing = distance / interval - 1;
      const what = missing === 1 ? "1 candle is" : `${missing} candles are`;
      warnings.push(`line ${line}: ${what} missing before it; the replay goes on without a pause`);
    }
  }
  return { interval, warnings, problems };
}

function shorten(problems: readonly string[]): string[] {
  if (problems.length <= MAX_PROBLEMS) return [...problems];
  const more = problems.length - MAX_PROBLEMS;
  return [...problems.slice(0, MAX_PROBLEMS), `… and ${more} more`];
}

/** The four prices of a candle in the order they are taken to have happened: the near end first. */
export function pricesOf({
  open,
  high,
  low,
  close,
}: Candle): readonly [bigint, bigint, bigint, bigint] {
  return close > open ? [open, low, high, close] : [open, high, low, close];
}
