import { expect } from "chai";
import { createRandom } from "./random.js";
import { createWorld } from "./world.js";
import type { Counts, Profile } from "./world.js";

/*
 * Random operations on the contract and on the eager model. DIFFERENTIAL_RUNS multiplies the number of worlds,
 * DIFFERENTIAL_SEED moves to others.
 */

const SEED = BigInt(process.env.DIFFERENTIAL_SEED ?? 0xba11a57);
const RUNS = Number(process.env.DIFFERENTIAL_RUNS ?? 1);
const STEPS = 530;
const HOURLY = 10n ** 13n * 2n ** 32n;

const PROFILES: readonly Profile[] = [
  { name: "tiny", bits: 2n, accounts: 8, funding: HOURLY },
  { name: "small", bits: 5n, accounts: 8, funding: HOURLY },
  { name: "normal", bits: 30n, accounts: 8, funding: HOURLY },
  { name: "wear", bits: 50n, accounts: 8, funding: 1000n * HOURLY },
];

describe("cohorts against the eager model", () => {
  const counts: Counts = {
    steps: 0,
    events: 0,
    cuts: 0,
    emptied: 0,
    bothCut: 0,
    compared: 0,
    acrossEvents: 0,
  };

  for (const profile of PROFILES) {
    it(`agrees over random operations, lots ${profile.name}`, async function () {
      this.timeout(RUNS * 300_000);
      for (let run = 0; run < RUNS; run++) {
        const seed = SEED + BigInt(run) * 1000n + profile.bits;
        const world = await createWorld(profile, createRandom(seed), counts);
        for (let i = 0; i < STEPS; i++) {
          try {
            await world.step();
            counts.steps++;
          } catch (error) {
            throw new Error(`seed ${seed}, step ${i}`, { cause: error });
          }
        }
      }
    });
  }

  it("saw enough of what is rare", function () {
    if (counts.steps < PROFILES.length * RUNS * STEPS) this.skip();
    expect(counts.events, "events").to.be.at.least(1000 * RUNS);
    expect(counts.emptied, "cohorts emptied").to.be.at.least(200 * RUNS);
    expect(counts.bothCut, "events with both sides cut").to.be.at.least(200 * RUNS);
    expect(counts.acrossEvents, "comparisons across an event").to.be.at.least(4000 * RUNS);
  });
});
