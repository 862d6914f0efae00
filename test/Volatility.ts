import { expect } from "chai";
import fc from "fast-check";
import { exchangeInterface } from "../scripts/lib/events.js";
import {
  alone,
  configOf,
  deployPrices,
  fresh,
  LOTS_PER_BASE,
  MARKET,
  networkHelpers,
  PRICE,
  RULES,
  say,
  START,
} from "./PricesFixture.js";
import type { Stage } from "./PricesFixture.js";
import type { Reading } from "./model/prices.js";

/*
 * The rate that storms add to initial margin: three deviations of what the index may do in ten minutes, its variance averaged
 * over an hour.
 */

const SEED = 0xba11a57;
const RUNS = 60;
const INDEX = PRICE / LOTS_PER_BASE;
const NONE = { factor: 0n };
const SAMPLE = 60;
const [FACTOR, HORIZON, WINDOW] = [3, 600, 3600];

type Sample = { readonly variance: bigint; readonly index: bigint; readonly sampled: bigint };

/** Refreshes at START + time. @returns What was sampled, if anything was. */
async function refresh({ harness }: Stage, time: number): Promise<Sample | undefined> {
  await networkHelpers.time.setNextBlockTimestamp(START + BigInt(time));
  const receipt = await (await harness.refresh(MARKET)).wait();
  for (const log of receipt?.logs ?? []) {
    const parsed = exchangeInterface.parseLog(log);
    if (parsed?.name !== "VolatilitySampled") continue;
    // The event's fields after the market, whose types a parsed log has lost.
    const [, variance, index, sampled] = [...parsed.args] as [bigint, bigint, bigint, bigint];
    return { variance, index, sampled: sampled - START };
  }
  return undefined;
}

/** The index becomes a part of what it was at the start, in ppm. */
async function move(stage: Stage, time: number, parts: number, reading: typeof fresh = fresh) {
  await say(stage, reading((INDEX * BigInt(parts)) / 1_000_000n, BigInt(time)));
  return refresh(stage, time);
}

async function rateOf({ harness }: Stage): Promise<number> {
  return Number((await harness.load(MARKET)).volatilityRate);
}

async function start(): Promise<Stage> {
  const stage = await networkHelpers.loadFixture(deployPrices);
  await move(stage, 10, 1_000_000);
  return stage;
}

/** The same in floating point, from the formulas. */
function model() {
  let variance = 0;
  let last: { readonly time: number; readonly index: number } | undefined;
  let refreshed = 0;
  const minuteOf = (time: number) => Math.floor((Number(START) + time) / SAMPLE);
  return {
    /** @returns Whether a sample was due. */
    see(time: number, index: number): boolean {
      const isNewMinute = minuteOf(time) !== minuteOf(refreshed);
      refreshed = time;
      if (last !== undefined) {
        const elapsed = time - last.time;
        if (!isNewMinute) return false;
        if (elapsed < SAMPLE) return false;
        const r = (index - last.index) / last.index;
        const kept = Math.exp(-elapsed / WINDOW);
        variance = variance * kept + ((r * r) / elapsed) * (1 - kept);
      }
      last = { time, index };
      return true;
    },
    variance: () => variance,
    rate: () => Math.min(1, FACTOR * Math.sqrt(variance * HORIZON)) * 10_000,
  };
}

describe("Volatility", () => {
  it("begins with a sample and no rate", async () => {
    const stage = await networkHelpers.loadFixture(deployPrices);
    const sample = await move(stage, 10, 1_000_000);
    expect(sample).to.deep.equal({ variance: 0n, index: INDEX, sampled: 10n });
    expect(await rateOf(stage)).to.equal(0);
  });

  it("asks for 1.22 % after one percent in a minute", async () => {
    const stage = await start();
    const sample = await move(stage, 70, 1_010_000);
    // 0.01² / 60 · (1 − e^(−1/60)) = 1.66667e-6 · 0.01652855 = 2.754758e-8 a second; 3 · √(that · 600) = 1.2197 %.
    expect(Number(sample?.variance) / 1e24).to.be.within(2.75475e-8, 2.75477e-8);
    expect(await rateOf(stage)).to.equal(122);
  });

  it("counts a fall as it counts a rise", async () => {
    const stage = await start();
    await move(stage, 70, 990_000);
    expect(await rateOf(stage)).to.equal(122);
  });

  it("samples a minute apart, so that what goes and comes back in between leaves nothing", async () => {
    const stage = await start();
    for (const [time, parts] of [
      [20, 1_070_000],
      [40, 930_000],
      [69, 1_070_000],
    ] as const) {
      expect(await move(stage, time, parts)).to.equal(undefined);
    }
    // A minute has passed, but the first refresh of the clock's next minute is the one that looks.
    expect(await move(stage, 99, 1_000_000)).to.equal(undefined);
    expect((await move(stage, 100, 1_000_000))?.variance).to.equal(0n);
    expect(await rateOf(stage)).to.equal(0);
  });

  it("calms down by time alone, and does not forget at once", async () => {
    const stage = await start();
    await move(stage, 70, 1_010_000);
    const rates: number[] = [];
    for (let hour = 1; hour <= 8; hour++) {
      await move(stage, 70 + hour * WINDOW, 1_010_000);
      rates.push(await rateOf(stage));
    }
    // Every hour by √e, rounded up: 121.97 / 1.6487, and so on.
    expect(rates).to.deep.equal([74, 45, 28, 17, 11, 7, 4, 3]);
  });

  it("takes no sample while a jump waits, and all of it when it is taken", async () => {
    const stage = await start();
    expect(await move(stage, 70, 1_200_000, alone)).to.equal(undefined);
    expect(await rateOf(stage)).to.equal(0);
    const taken = await move(stage, 100, 1_200_000);
    expect(taken?.index).to.equal((INDEX * 12n) / 10n);
    // 0.2² / 90 · (1 − e^(−90/3600)) = 1.09734e-5 a second; 3 · √(that · 600) = 24.343 %.
    expect(await rateOf(stage)).to.equal(2435);
  });

  it("takes no sample of a dead index", async () => {
    const stage = await start();
    const dead: Reading = { price: 0n, time: 0n, grade: "dead", agreeing: 0 };
    await say(stage, dead);
    expect(await refresh(stage, 5000)).to.equal(undefined);
    const next = await move(stage, 5020, 1_010_000);
    expect(next?.sampled).to.equal(5020n);
  });

  it("is never more than everything", async () => {
    const stage = await start();
    await move(stage, 70, 10_000_000, alone);
    // Nobody contradicts it for a minute, so it is taken.
    await move(stage, 131, 10_000_000, alone);
    expect(await rateOf(stage)).to.equal(10_000);
    // And no index can break it, however far it goes.
    await move(stage, 200, 1, fresh);
    await move(stage, 270, 4_000_000_000, fresh);
    expect(await rateOf(stage)).to.equal(10_000);
  });

  it("can be switched off", async () => {
    const stage = await start();
    await networkHelpers.time.setNextBlockTimestamp(START + 11n);
    const config = { ...configOf(RULES), volatilityFactor: NONE.factor };
    await stage.harness.setConfig(MARKET, config);
    await move(stage, 90, 1_050_000);
    expect(await rateOf(stage)).to.equal(0);
  });

  it("agrees with floating point over random paths", async function () {
    this.timeout(600_000);
    const step = fc.record({
      seconds: fc.oneof(fc.integer({ min: 1, max: 130 }), fc.integer({ min: 1, max: 9000 })),
      parts: fc.integer({ min: 930_000, max: 1_070_000 }),
    });
    const path = fc.array(step, { minLength: 5, maxLength: 25 });
    let samples = 0;
    const property = fc.asyncProperty(path, async (steps) => {
      const stage = await start();
      const expected = model();
      expected.see(10, 1_000_000);
      let time = 10;
      for (const { seconds, parts } of steps) {
        time += seconds;
        const sample = await move(stage, time, parts);
        const index = Number((INDEX * BigInt(parts)) / 1_000_000n) / Number(INDEX);
        const isDue = expected.see(time, index * 1_000_000);
        expect(sample !== undefined).to.equal(isDue);
        if (sample === undefined) continue;
        samples++;
        const variance = Number(sample.variance) / 1e24;
        expect(Math.abs(variance - expected.variance())).to.be.lessThan(
          1e-9 * expected.variance() + 1e-18,
        );
        expect(await rateOf(stage)).to.be.within(expected.rate() - 0.01, expected.rate() + 1.01);
      }
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
    expect(samples).to.be.greaterThan(RUNS);
  });
});
