import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { createPlan, knownScenarios, UsageError } from "../../scripts/replay/plan.js";
import { SECONDS_PER_UPDATE, pathOfSteps, scaleOf } from "../../scripts/replay/path.js";
import { InputError, parseScenario } from "../../scripts/replay/scenario.js";

const FOLDER = resolve(import.meta.dirname, "../../scripts/replay/scenarios");
const text = readFileSync(join(FOLDER, "flash-crash.json"), "utf8");
const E18 = 10n ** 18n;

/** The flash crash with one value changed; the path is dotted, `undefined` removes. */
function changed(path: string, value: unknown): string {
  const data = JSON.parse(text) as Record<string, unknown>; // a scenario is an object
  const parts = path.split(".");
  const last = parts.pop() ?? "";
  let at: Record<string, unknown> = data;
  for (const part of parts) at = at[part] as Record<string, unknown>; // every part but the last is one
  at[last] = value;
  return JSON.stringify(data);
}

function problemsOf(scenario: string): readonly string[] {
  try {
    parseScenario(scenario, "my.json");
  } catch (error) {
    if (error instanceof InputError) return error.problems;
    throw error;
  }
  return [];
}

describe("parseScenario", () => {
  it("keeps decimals exact", () => {
    const scenario = parseScenario(text, "flash-crash.json");
    expect(scenario.book.depth).to.equal(12_500_000_000_000_000n);
    expect(scenario.population.openInterest).to.equal(10_000_000n * E18);
  });

  it("accepts a byte order mark", () => {
    expect(parseScenario(`\uFEFF${text}`, "x").id).to.equal("flash-crash");
  });

  it("accepts every scenario that comes with the code, under the name of its file", () => {
    for (const name of knownScenarios()) {
      const scenario = parseScenario(readFileSync(join(FOLDER, `${name}.json`), "utf8"), name);
      expect(scenario.id).to.equal(name);
    }
  });

  const table: readonly (readonly [string, unknown, string])[] = [
    ["fund", 0.005, "fund: Invalid input: expected string, received number"],
    ["fund", "a lot", "fund: is not a decimal number, written as a string"],
    ["fund", "1.5", "fund: must be between 0 and 1"],
    [
      "rule",
      "Back/Winners",
      'rule: Invalid option: expected one of "Front/Winners"|"Front/Queue"|"ProRata/Winners"|"ProRata/Queue"',
    ],
    [
      "population.accountsPerSide",
      501,
      "population.accountsPerSide: Too big: expected number to be <=500",
    ],
    [
      "population.long.leverages",
      [],
      "population.long.leverages: Too small: expected array to have >=1 items",
    ],
    [
      "population.long.leverages",
      [{ leverage: 7, weight: "1" }],
      "population.long.leverages[0].leverage: must be one of 1, 2, 3, 5, 10, 20, 50, 100",
    ],
    [
      "population.short.entry",
      { from: "1.1", to: "1" },
      "population.short.entry: `from` must not be above `to`",
    ],
    ["path.secondsEach", 20, "path.secondsEach: Invalid number: must be a multiple of 15"],
    ["path.prices", ["100", "0"], "path.prices[1]: must be above 0"],
    ["colour", "red", 'Unrecognized key: "colour"'],
  ];
  for (const [path, value, problem] of table) {
    it(`says where and what is wrong: ${problem}`, () => {
      expect(problemsOf(changed(path, value))).to.deep.equal([problem]);
    });
  }

  it("lists all problems at once", () => {
    const broken = changed("fund", "x").replace('"seed":1', '"seed":-1');
    expect(problemsOf(broken)).to.deep.equal([
      "seed: Too small: expected number to be >=0",
      "fund: is not a decimal number, written as a string",
    ]);
  });

  it("says so when the file is no JSON", () => {
    expect(problemsOf("{").join()).to.match(/^is not JSON: /);
  });
});

describe("createPlan", () => {
  it("runs the flash crash when nothing is asked for", () => {
    const { scenario, path } = createPlan({});
    expect(scenario.id).to.equal("flash-crash");
    expect(scenario.rule).to.equal("Front/Winners");
    expect(path.points.map(({ price }) => price / E18)).to.deep.equal(
      [100n, 90n, 80n, 70n, 71n, 72n].flatMap((price) => [price, price, price, price]),
    );
  });

  it("lets options change rule, accounts and seed", () => {
    const { scenario } = createPlan({ rule: "prorata/queue", accounts: "301", seed: "7" });
    expect(scenario.rule).to.equal("ProRata/Queue");
    expect(scenario.population.accountsPerSide).to.equal(150);
    expect(scenario.seed).to.equal(7);
  });

  it("refuses options that make no sense, and says what would", () => {
    expect(() => createPlan({ rule: "x" })).to.throw(
      UsageError,
      "--rule must be one of Front/Winners,",
    );
    for (const accounts of ["3", "1001", "-4", "1e2", ""]) {
      expect(() => createPlan({ accounts })).to.throw(
        UsageError,
        `--accounts must be a whole number from 4 to 1000, not "${accounts}"`,
      );
    }
    expect(() => createPlan({ scenario: "candles" })).to.throw(
      UsageError,
      "name their file with --candles",
    );
  });

  it("says when a file is missing or is a folder", () => {
    expect(() => createPlan({ scenario: "nowhere.json" })).to.throw(
      InputError,
      "nowhere.json: there is no such file",
    );
    expect(() => createPlan({ candles: FOLDER })).to.throw(InputError, `${FOLDER}: is a directory`);
  });
});

describe("pathOfSteps", () => {
  it("publishes every 15 seconds and marks where the price moves", () => {
    const { points, start } = pathOfSteps({
      kind: "steps",
      prices: [100n * E18, 90n * E18],
      secondsEach: 30,
    });
    expect(points.map(({ seconds, isMove }) => [seconds, isMove])).to.deep.equal([
      [0, false],
      [SECONDS_PER_UPDATE, false],
      [30, true],
      [45, false],
    ]);
    expect(points[3]?.time).to.equal(start + 45);
  });
});

describe("scaleOf", () => {
  it("gives a price at least 100,000 ticks and a lot at most a hundredth of a cent", () => {
    const table = [
      ["100", 100n * E18, E18 / 1_000n, 6],
      ["7225.67", 722567n * (E18 / 100n), E18 / 100n, 8],
      ["117006.40", 1170064n * (E18 / 10n), E18, 10],
      ["0.00001234", 12_340_000_000_000n, 100_000_000n, 0],
    ] as const;
    for (const [name, price, tick, lotDecimals] of table) {
      expect(scaleOf(price), name).to.deep.equal({
        tick,
        lotDecimals,
        unit: tick / 10n ** BigInt(lotDecimals),
      });
    }
  });

  it("refuses a path that leaves the ticks", () => {
    const path = { kind: "steps", prices: [100n * E18, 16_778n * E18], secondsEach: 15 } as const;
    expect(() => pathOfSteps({ ...path, prices: [...path.prices] })).to.throw(
      RangeError,
      "the price 16778 is too far from the first one; at most 16777.215 fits",
    );
  });
});
