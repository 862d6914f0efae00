import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import { seen } from "../reference/matching.js";
import { liquidationsSeen } from "../reference/liquidation.js";
import { steps } from "./commands.js";
import { createRun } from "./play.js";
import type { Counts } from "./play.js";
import { deploy } from "./world.js";

/* The exchange against the reference model, with the same random commands. */

const SEED = Number(process.env.REFERENCE_SEED ?? 0xba11a57);
const RUNS = Number(process.env.REFERENCE_RUNS ?? 6);
const STEPS = Number(process.env.REFERENCE_STEPS ?? 120);

const connection = await network.create();
const start = () => deploy(connection);

describe("the exchange against the reference model", () => {
  const counts: Counts = { commands: 0, by: {}, refused: {} };

  it("has the same balances, positions, orders and funds after every command", async function () {
    this.timeout(600_000);
    const property = fc.asyncProperty(steps(STEPS), async (all) => {
      const real = await connection.networkHelpers.loadFixture(start);
      real.restart();
      const run = await createRun(real, counts);
      for (const each of all) await run.play(each);
    });
    await fc.assert(property, {
      seed: SEED,
      numRuns: RUNS,
      endOnFailure: process.env.SHRINK === undefined,
    });
    console.log(counts, seen, liquidationsSeen);
    expect(counts.commands).to.be.greaterThan(0);
  });
});
