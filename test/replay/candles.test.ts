import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { parseCandles, pricesOf } from "../../scripts/replay/candles.js";
import type { Candle } from "../../scripts/replay/candles.js";
import { InputError } from "../../scripts/replay/scenario.js";

const SHARED = resolve(import.meta.dirname, "../../../shared/data/candles");
const HEADER = "ts_utc,open_time_ms,open,high,low,close,volume_base";
const LINES = [
  "2020-03-12T10:25:00Z,1584008700000,7225.67,7229.10,7173.00,7220.58,3201.183",
  "2020-03-12T10:26:00Z,1584008760000,7220.68,7258.19,7219.44,7254.36,1450.377",
];
const ARCHIVE_HEADER =
  "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore";
const ARCHIVE = [
  "1584008700000,7225.67,7229.10,7173.00,7220.58,3201.183,1584008759999,23036640.77,9000,1500.5,10818000.1,0",
  "1584008760000,7220.68,7258.19,7219.44,7254.36,1450.377,1584008819999,10481000.00,5000,700.25,5060000.2,0",
];

const parse = (...lines: string[]): ReturnType<typeof parseCandles> =>
  parseCandles(lines.join("\n"), "prices.csv");

function problemsOf(text: string): readonly string[] {
  try {
    parseCandles(text, "prices.csv");
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

const E18 = 10n ** 18n;
const FIRST: Candle = {
  openTime: 1584008700000,
  open: 722567n * (E18 / 100n),
  high: 722910n * (E18 / 100n),
  low: 7173n * E18,
  close: 722058n * (E18 / 100n),
  volume: 3201183n * (E18 / 1000n),
};

describe("parseCandles", () => {
  it("reads the project's own columns exactly", () => {
    const { candles, interval, warnings } = parse(HEADER, ...LINES);
    expect(candles).to.have.length(2);
    expect(candles[0]).to.deep.equal(FIRST);
    expect(interval).to.equal(60_000);
    expect(warnings).to.deep.equal([]);
  });

  it("reads an archive with its header, without it, and with times in microseconds", () => {
    const wanted = parse(HEADER, ...LINES).candles;
    const microseconds = ARCHIVE.map((line) => line.replace(/^(\d{13})/, "$1000"));
    expect(parse(ARCHIVE_HEADER, ...ARCHIVE).candles).to.deep.equal(wanted);
    expect(parse(...ARCHIVE).candles).to.deep.equal(wanted);
    expect(parse(...microseconds).candles).to.deep.equal(wanted);
  });

  it("takes a byte order mark, Windows line ends, blank lines and spaces as they come", () => {
    const text = `\uFEFF${HEADER}\r\n\r\n ${LINES.join("\r\n").replaceAll(",", " , ")} \r\n\r\n`;
    expect(parseCandles(text, "prices.csv").candles).to.deep.equal(parse(HEADER, ...LINES).candles);
  });

  it("warns of missing candles and counts them", () => {
    const later = "2020-03-12T10:30:00Z,1584009000000,7254.86,7265.00,7202.00,7207.30,1515.002";
    const { candles, warnings } = parse(HEADER, ...LINES, later);
    expect(candles).to.have.length(3);
    expect(warnings).to.deep.equal([
      "line 4: 3 candles are missing before it; the replay goes on without a pause",
    ]);
  });

  it("accepts a minute in which the price stood", () => {
    const flat = "2020-03-12T10:25:00Z,1584008700000,7225.67,7225.67,7225.67,7225.67,0";
    expect(parse(HEADER, flat).candles[0]?.volume).to.equal(0n);
  });

  const [one, two] = [LINES[0] ?? "", LINES[1] ?? ""];
  const table: readonly (readonly [name: string, text: string, problems: readonly string[]])[] = [
    ["an empty file", "", ["line 1: the file is empty"]],
    ["blank lines alone", "\uFEFF\r\n \n", ["line 1: the file is empty"]],
    ["a header alone", `${HEADER}\n`, ["line 2: there is no candle after the header"]],
    [
      "unknown columns",
      "time,price\n1,2",
      [
        `line 1: unknown columns; expected the header "${HEADER}" or the 12 columns of a Binance archive, found 2 columns`,
      ],
    ],
    [
      "a missing column",
      `${HEADER}\n${one}\n${two.replace(/,[^,]*$/, "")}`,
      ["line 3: has 6 columns instead of 7"],
    ],
    [
      "a word for a price",
      `${HEADER}\n${one.replace("7229.10", "n/a")}`,
      ['line 2: high "n/a" is not a decimal number'],
    ],
    [
      "an exponent",
      `${HEADER}\n${one.replace("7229.10", "7.2e3")}`,
      ['line 2: high "7.2e3" is not a decimal number'],
    ],
    [
      "an empty price",
      `${HEADER}\n${one.replace("7229.10", "")}`,
      ['line 2: high "" is not a decimal number'],
    ],
    [
      "a price of zero",
      `${HEADER}\n${one.replace("7173.00", "0")}`,
      ['line 2: low "0" is not above 0'],
    ],
    [
      "a negative volume",
      `${HEADER}\n${one.replace("3201.183", "-1")}`,
      ['line 2: volume "-1" is below 0'],
    ],
    [
      "too many decimals",
      `${HEADER}\n${one.replace("7229.10", "7229.1000000000000000001")}`,
      ['line 2: high "7229.1000000000000000001" has more than 18 decimals'],
    ],
    [
      "a high below the low",
      `${HEADER}\n${one.replace("7229.10", "7000")}`,
      ["line 2: high 7000 is below low 7173"],
    ],
    [
      "a high below the close",
      `${HEADER}\n${one.replace("7220.58", "7300")}`,
      ["line 2: high 7229.1 is below close 7300"],
    ],
    [
      "a low above the open",
      `${HEADER}\n${one.replace("7225.67", "7100")}`,
      ["line 2: low 7173 is above open 7100"],
    ],
    [
      "a time that is none",
      `${HEADER}\n${one.replace("1584008700000", "soon")}`,
      ['line 2: open_time_ms "soon" is not a unix time'],
    ],
    [
      "seconds instead of milliseconds",
      `${HEADER}\n${one.replace("1584008700000", "1584008700")}`,
      ['line 2: open_time_ms "1584008700" is not a unix time'],
    ],
    [
      "two times that differ",
      `${HEADER}\n${one.replace("10:25", "10:24")}`,
      ['line 2: ts_utc "2020-03-12T10:24:00Z" is not the time of open_time_ms 1584008700000'],
    ],
    ["a time twice", `${HEADER}\n${one}\n${one}`, ["line 3: has the time of line 2"]],
    ["time running backwards", `${HEADER}\n${two}\n${one}`, ["line 3: is earlier than line 2"]],
    [
      "an uneven distance",
      `${HEADER}\n${one}\n${two}\n2020-03-12T10:27:30Z,1584008850000,7254.86,7265.00,7202.00,7207.30,1515.002`,
      ["line 4: opens 90 s after the line before, which is no multiple of 60 s"],
    ],
    [
      "several faults in one line",
      `${HEADER}\n${one.replace("7229.10", "x").replace("7173.00", "-1")}`,
      ['line 2: high "x" is not a decimal number', 'line 2: low "-1" is not above 0'],
    ],
  ];
  for (const [name, text, problems] of table) {
    it(`names the line and the fault of ${name}`, () => {
      expect(problemsOf(text)).to.deep.equal(problems);
    });
  }

  it("stops after ten faults and says how many more there are", () => {
    const bad = Array.from({ length: 14 }, () => "x");
    const problems = problemsOf([HEADER, ...bad].join("\n"));
    expect(problems).to.have.length(11);
    expect(problems.at(-1)).to.equal("… and 4 more");
  });

  it("puts the file's name before every fault", () => {
    expect(() => parse(HEADER, "x", "y")).to.throw(
      InputError,
      "prices.csv: line 2: has 1 column instead of 7\nprices.csv: line 3: has 1 column instead of 7",
    );
  });
});

describe("recorded candles", () => {
  it("are read without a warning", function () {
    if (!existsSync(SHARED)) {
      console.warn(`      skipped: ${SHARED} is not there`);
      this.skip();
    }
    const files = readdirSync(SHARED).filter((name) => name.endsWith(".csv"));
    expect(files).to.not.be.empty;
    for (const name of files) {
      const text = readFileSync(join(SHARED, name), "utf8");
      const { candles, interval, warnings } = parseCandles(text, name);
      expect(candles.length, name).to.equal(text.trim().split("\n").length - 1);
      expect(interval, name).to.equal(name.includes("1h") ? 3_600_000 : 60_000);
      expect(warnings, name).to.deep.equal([]);
    }
  });
});

describe("pricesOf", () => {
  const at = (open: bigint, close: bigint): Candle => ({
    openTime: 0,
    open,
    high: 9n,
    low: 1n,
    close,
    volume: 0n,
  });

  it("goes to the high first where the candle fell or stood, to the low first where it rose", () => {
    expect(pricesOf(at(5n, 3n))).to.deep.equal([5n, 9n, 1n, 3n]);
    expect(pricesOf(at(5n, 5n))).to.deep.equal([5n, 9n, 1n, 5n]);
    expect(pricesOf(at(3n, 5n))).to.deep.equal([3n, 1n, 9n, 5n]);
  });
});
