import fc from "fast-check";
import { network } from "hardhat";
import { mkdirSync, writeFileSync } from "node:fs";
import { eventsSeen } from "../reference/event.js";
import { liquidationsSeen } from "../reference/liquidation.js";
import { seen } from "../reference/matching.js";
import { adopted } from "./adopt.js";
import { steps } from "./commands.js";
import type { Step } from "./commands.js";
import { createRun } from "./play.js";
import type { Counts } from "./play.js";
import { deploy } from "./world.js";

/* The exchange against the reference model, with the same random commands. */

const SEED = Number(process.env.REFERENCE_SEED ?? 0xba11a57);
const RUNS = Number(process.env.REFERENCE_RUNS ?? 6);
const STEPS = Number(process.env.REFERENCE_STEPS ?? 100);
const SHRINKS = process.env.REFERENCE_SHRINK !== undefined;
const FOUND = "out/reference";

const connection = await network.create();
const start = () => deploy(connection);

describe("the exchange against the reference model", () => {
  const counts: Counts = { commands: 0, by: {}, refused: {} };

  it("has the same balances, positions, orders and funds after every command", async function () {
    this.timeout(6_000_000);
    let rule = 0;
    const property = fc.asyncProperty(steps(STEPS), fc.nat({ max: 3 }), async (all, rules) => {
      const real = await connection.networkHelpers.loadFixture(start);
      real.restart(SHRINKS ? rules : rule++);
      const run = await createRun(real, counts);
      for (const each of all) await run.play(each);
    });
    const options = { seed: SEED, numRuns: RUNS, endOnFailure: !SHRINKS };
    const result = await fc.check(property, options);
    console.log(counts, seen, liquidationsSeen, eventsSeen, adopted);
    if (!result.failed) return;
    keep(result.counterexample?.[0] ?? []);
    throw new Error(`seed ${SEED}, path ${result.counterexamplePath}`, {
      cause: result.errorInstance,
    });
  });
});

function keep(found: readonly Step[]): void {
  mkdirSync(FOUND, { recursive: true });
  writeFileSync(`${FOUND}/${SEED}.json`, JSON.stringify(found, undefined, 1));
}
