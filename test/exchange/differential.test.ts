import { expect } from "chai";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { openCampaigns } from "./campaign.js";
import type { Step } from "./commands.js";

/*
 * The exchange against the reference model, with the same random commands. REFERENCE_SEED moves to others, REFERENCE_RUNS and
 * REFERENCE_STEPS make it longer, REFERENCE_SHRINK=1 looks for the least that fails.
 */

const SEED = Number(process.env.REFERENCE_SEED ?? 0xba11a57);
const RUNS = Number(process.env.REFERENCE_RUNS ?? 8);
const STEPS = Number(process.env.REFERENCE_STEPS ?? 40);
const shrinks = process.env.REFERENCE_SHRINK !== undefined;
const CASES = resolve(import.meta.dirname, "cases");

const campaigns = await openCampaigns();

describe("the exchange against the reference model", function () {
  this.timeout(6_000_000);

  it("has the same balances, positions, orders and funds after every command", async () => {
    const outcome = await campaigns.campaign({ seed: SEED, runs: RUNS, steps: STEPS, shrinks });
    const { found, reached, commands } = outcome;
    if (process.env.REFERENCE_COUNTS !== undefined) console.log(commands, reached);
    if (found !== undefined) {
      throw new Error(`seed ${SEED}, kept as ${found.file}`, { cause: found.error });
    }
    for (const name of EVERY_DAY) expect(reached[name] ?? 0, name).to.be.greaterThan(0);
  });

  for (const name of existsSync(CASES) ? readdirSync(CASES) : []) {
    it(`repeats ${name}`, async () => {
      const text = readFileSync(resolve(CASES, name), "utf8");
      // Written by `keep` in campaign.ts.
      const { rules, steps } = JSON.parse(text) as { rules: number; steps: Step[] };
      await campaigns.run(steps, rules, { commands: 0, by: {}, refused: {} });
    });
  }
});

/** What a run of every day has to come upon, or it is about nothing. */
const EVERY_DAY = ["matching.fills", "matching.selfTrades"];
