import { expect } from "chai";
import { createRandom } from "../../scripts/lib/random.js";
import { sum } from "../../scripts/lib/units.js";
import {
  initialMarginUp,
  maintenanceMarginUp,
  DEFAULT_TIERS,
} from "../../scripts/replay/margin.js";
import { costOf, planOpenings } from "../../scripts/replay/openings.js";
import { scaleOf } from "../../scripts/replay/path.js";
import { createPlan } from "../../scripts/replay/plan.js";
import { createPopulation } from "../../scripts/replay/population.js";
import type { Trader } from "../../scripts/replay/population.js";
import { near } from "./near.js";

const E18 = 10n ** 18n;
const price = 100n * E18;
const scale = scaleOf(price);

function populationOf(accounts: number, seed: number): Trader[] {
  const { scenario } = createPlan({ accounts: String(accounts) });
  return createPopulation(scenario.population, { price, scale, seed });
}

/** Frozen: reports of the same seed must stay comparable. */
const FIRST_OF_SEED_1 = [
  0.44466968999809575, 0.24823034151408563, -0.16999691428460037, 1.4096641635996425,
];

describe("createRandom", () => {
  it("gives the same numbers for the same seed, on every machine", () => {
    const random = createRandom(1);
    const numbers = [random.uniform(), random.uniform(), random.normal(), random.normal()];
    expect(numbers).to.deep.equal(FIRST_OF_SEED_1);
    expect(createRandom(2).uniform()).to.not.equal(numbers[0]);
  });

  it("forks into a sequence that its parent does not change", () => {
    const [a, b] = [createRandom(5), createRandom(5)];
    const [childOfA, childOfB] = [a.fork(), b.fork()];
    b.uniform();
    b.uniform();
    expect([childOfA.uniform(), childOfA.uniform()]).to.deep.equal([
      childOfB.uniform(),
      childOfB.uniform(),
    ]);
  });

  it("forks into a sequence of its own", () => {
    const parent = createRandom(5);
    const [first, second] = [parent.fork(), parent.fork()];
    expect(new Set([first.uniform(), second.uniform(), parent.uniform()]).size).to.equal(3);
  });

  it("draws normals of mean 0 and deviation 1, and uniform integers with both ends", () => {
    const random = createRandom(3);
    const normals = Array.from({ length: 20_000 }, () => random.normal());
    const mean = normals.reduce((a, b) => a + b) / normals.length;
    const square = normals.reduce((a, b) => a + b * b, 0) / normals.length;
    expect(mean).to.satisfy(near(0, 0.03));
    expect(square).to.satisfy(near(1, 0.05));
    const dice = new Set(Array.from({ length: 200 }, () => random.between(1n, 6n)));
    expect([...dice].sort()).to.deep.equal([1n, 2n, 3n, 4n, 5n, 6n]);
  });

  it("picks by weight", () => {
    const random = createRandom(4);
    const counts = [0, 0, 0];
    for (let draw = 0; draw < 10_000; draw++) {
      const at = random.pick([0.5, 0, 1.5]);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    expect(counts[1]).to.equal(0);
    expect((counts[0] ?? 0) / 10_000).to.satisfy(near(0.25, 0.02));
  });
});

describe("createPopulation", () => {
  it("has the same lots long and short, exactly, for every seed and size", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      for (const accounts of [4, 50, 400, 1_000]) {
        const traders = populationOf(accounts, seed);
        const lotsOf = (side: string): bigint =>
          sum(traders.filter((trader) => trader.side === side).map(({ lots }) => lots));
        expect(traders).to.have.length(accounts);
        expect(lotsOf("long")).to.equal(lotsOf("short"));
        // 10,000,000 of notional at 100,000 ticks of 1e9 quote a lot.
        expect(lotsOf("long")).to.equal(100_000n * 10n ** 6n);
        expect(traders.every(({ lots }) => lots * price > 0n)).to.equal(true);
      }
    }
  });

  it("is the same for the same seed and another for another", () => {
    expect(populationOf(100, 1)).to.deep.equal(populationOf(100, 1));
    expect(populationOf(100, 1)).to.not.deep.equal(populationOf(100, 2));
  });

  it("follows the weights of leverages, entry prices and hedges", () => {
    const traders = [1, 2, 3, 4].flatMap((seed) => populationOf(1_000, seed));
    const longs = traders.filter(({ side }) => side === "long");
    const shorts = traders.filter(({ side }) => side === "short");
    const share = (of: Trader[], leverage: number): number =>
      of.filter((trader) => trader.leverage === leverage).length / of.length;
    for (const [leverage, weight] of [
      [2, 0.1],
      [5, 0.2],
      [10, 0.3],
      [20, 0.25],
      [50, 0.15],
    ] as const) {
      expect(share(longs, leverage), `long ${leverage}`).to.satisfy(near(weight, 0.03));
    }
    for (const [leverage, weight] of [
      [1, 0.25],
      [2, 0.25],
      [3, 0.2],
      [5, 0.15],
      [10, 0.1],
      [20, 0.05],
    ] as const) {
      expect(share(shorts, leverage), `short ${leverage}`).to.satisfy(near(weight, 0.03));
    }
    const within = (of: Trader[], from: bigint, to: bigint): boolean =>
      of.every(({ entry }) => entry >= from && entry <= to);
    expect(within(longs, 97_000n, 102_000n)).to.equal(true);
    expect(within(shorts, 98_000n, 108_000n)).to.equal(true);
    expect(longs.some(({ isHedge }) => isHedge)).to.equal(false);
    expect(shorts.filter(({ isHedge }) => isHedge).length / shorts.length).to.satisfy(
      near(0.3, 0.03),
    );
  });

  it("has sizes whose logarithms deviate by 2.3", () => {
    const logs = [1, 2, 3]
      .flatMap((seed) => populationOf(1_000, seed))
      .map(({ lots }) => Math.log(Number(lots)));
    const mean = logs.reduce((a, b) => a + b) / logs.length;
    const deviation = Math.sqrt(logs.reduce((a, b) => a + (b - mean) ** 2, 0) / logs.length);
    expect(deviation).to.satisfy(near(2.3, 0.2));
  });

  it("sorts each side into tenths by size", () => {
    const longs = populationOf(400, 1).filter(({ side }) => side === "long");
    for (let decile = 1; decile <= 10; decile++) {
      expect(longs.filter((trader) => trader.decile === decile)).to.have.length(20);
    }
    const largest = longs.reduce((most, trader) => (trader.lots > most.lots ? trader : most));
    expect(largest.decile).to.equal(10);
  });

  it("pays in enough to open, and enough to be far from liquidation at the first price", () => {
    for (const { side, lots, entry, leverage, deposit, topUp } of populationOf(400, 3)) {
      const notional = lots * entry * scale.unit;
      expect(deposit >= initialMarginUp(notional, leverage, DEFAULT_TIERS)).to.equal(true);
      const now = (lots * price) / 10n ** BigInt(scale.lotDecimals);
      const equity = deposit + topUp + (side === "long" ? now - notional : notional - now);
      const floor = (maintenanceMarginUp(now, DEFAULT_TIERS) * 3n) / 2n;
      expect(equity >= floor).to.equal(true);
      if (topUp > 0n) expect(equity - topUp < floor + now / 400n).to.equal(true);
    }
  });

  it("refuses an open interest that cannot give everyone a position", () => {
    const { scenario } = createPlan({ accounts: "1000" });
    const population = { ...scenario.population, openInterest: 1_000n * E18 };
    expect(() => createPopulation(population, { price, scale, seed: 1 })).to.throw(
      RangeError,
      "too small for 500",
    );
  });
});

describe("margin tiers", () => {
  it("take each part of the notional at its own bracket's rate", () => {
    // 1M / 50 + 4M / 20 + 15M / 10 + 10M / 5
    const notional = 30_000_000n * E18;
    const margin = (20_000n + 200_000n + 1_500_000n + 2_000_000n) * E18;
    expect(initialMarginUp(notional, 50, DEFAULT_TIERS)).to.equal(margin);
    expect(maintenanceMarginUp(notional, DEFAULT_TIERS)).to.equal(margin / 2n);
    expect(initialMarginUp(notional, 2, DEFAULT_TIERS)).to.equal(notional / 2n);
    expect(initialMarginUp(1n, 3, DEFAULT_TIERS)).to.equal(1n);
  });
});

describe("planOpenings", () => {
  const traders = populationOf(200, 1);
  const stops = planOpenings(traders, price / scale.tick);

  it("opens everyone once, at an index up to a step worse than the entry price", () => {
    const opened = stops.flatMap(({ openers }) => openers);
    expect(opened.map(({ index }) => index).sort((a, b) => a - b)).to.deep.equal(
      traders.map(({ index }) => index),
    );
    for (const { index, openers } of stops) {
      for (const { entry, side } of openers) {
        const gain = side === "long" ? index - entry : entry - index;
        expect(gain >= 0n && gain * 390n <= index, `${side} ${entry} at ${index}`).to.equal(true);
      }
    }
  });

  it("has one side at each stop, moves by less than a third of a percent, and ends at the first price", () => {
    for (const { openers } of stops)
      expect(new Set(openers.map(({ side }) => side)).size).to.be.at.most(1);
    for (const [at, { index }] of stops.entries()) {
      const before = stops[at - 1]?.index ?? index;
      const move = before > index ? before - index : index - before;
      expect(move * 300n <= before).to.equal(true);
    }
    expect(stops.at(-1)?.index).to.equal(100_000n);
  });

  it("tells what one side cost", () => {
    const [a, b] = traders;
    if (a === undefined || b === undefined) throw new Error("two traders");
    expect(costOf([a, b], scale)).to.equal((a.lots * a.entry + b.lots * b.entry) * scale.unit);
  });
});
