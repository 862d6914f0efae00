import { expect } from "chai";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { openCampaigns } from "./campaign.js";
import type { Case } from "./campaign.js";

/*
 * The exchange against the reference model, with the same random commands. REFERENCE_SEED moves to others, REFERENCE_RUNS and
 * REFERENCE_STEPS make it longer.
 */

/** Chosen because together they come upon almost everything. */
const SEEDS = [2, 3, 5];
const seeds =
  process.env.REFERENCE_SEED === undefined ? SEEDS : [Number(process.env.REFERENCE_SEED)];
const runs = Number(process.env.REFERENCE_RUNS ?? 4);
const steps = Number(process.env.REFERENCE_STEPS ?? 60);
const CASES = resolve(import.meta.dirname, "cases");

const campaigns = await openCampaigns();

describe("the exchange against the reference model", function () {
  this.timeout(6_000_000);

  const reached = new Map<string, number>();
  const note = (counts: Readonly<Record<string, number>>) => {
    for (const [name, count] of Object.entries(counts)) {
      reached.set(name, (reached.get(name) ?? 0) + count);
    }
  };

  for (const seed of seeds) {
    it(`has the same state after every command, seed ${seed}`, async () => {
      const outcome = await campaigns.campaign({ seed, runs, steps });
      const { found } = outcome;
      if (found !== undefined) {
        throw new Error(`seed ${seed}, kept as ${found.file}`, { cause: found.error });
      }
      note(outcome.reached);
    });
  }

  for (const name of existsSync(CASES) ? readdirSync(CASES) : []) {
    it(`repeats ${name}`, async () => {
      // Written by `keep` in campaign.ts.
      const found = JSON.parse(readFileSync(resolve(CASES, name), "utf8")) as Case;
      note(await campaigns.repeat(found));
    });
  }

  it("came upon everything that it is about", function () {
    if (seeds !== SEEDS) this.skip();
    const missing = EVERY_DAY.filter((name) => (reached.get(name) ?? 0) === 0);
    expect(missing).to.deep.equal([]);
  });
});

/** What seeds and cases of every day have to come upon, or they are about nothing. */
const EVERY_DAY = [
  "event.winnersFront",
  "vault.waited",
  "vault.released",
  "fund.exits",
  "budget.drawdowns",
  "matching.fills",
  "matching.selfTrades",
  "matching.expired",
  "matching.poor",
  "matching.notReducing",
  "liquidation.sales",
  "liquidation.sold",
  "liquidation.takeovers",
  "liquidation.cleared",
  "event.events",
  "event.winnersProRata",
  "event.queueFront",
  "event.queueProRata",
  "event.haircuts",
  "event.freshCharges",
  "event.fundWithin",
  "event.fundBeyond",
  "event.principal",
  "event.shortfalls",
  "event.discounts",
  "event.cuts",
  "event.dustLots",
  "event.rescues",
  "event.solvent",
  "event.fundEmpty",
  "refused.OrderTooSmall",
  "refused.NotLiquidatable",
  "refused.MarginTooLow",
  "refused.UnknownOrder",
  "refused.NotFilled",
  "refused.AccountCapReached",
  "refused.NotReducing",
  "refused.LeverageNotCovered",
  "refused.SameAccount",
  "refused.ReduceOnly",
  "refused.ZeroAmount",
  "refused.DifferentOwners",
  "refused.WithdrawalTooLarge",
  "refused.WouldTake",
  "refused.PositionTooSmall",
  "jump.waits",
  "jump.confirmed",
  "jump.agreed",
  "jump.rejected",
  "jump.turned",
  "jump.wentOn",
  "jump.expired",
  "jump.fills",
  "jump.spared",
  "jump.sales",
  "jump.freshWaits",
  "matching.heldBack",
  "refused.Shut",
  "refused.PriceNotFresh",
  "cap.grown",
  "cap.full",
  "cap.raised",
  "cap.stopped",
  "refused.OpenInterestCapReached",
  "refused.ParameterOutOfBounds",
  "winding.begun",
  "winding.forgotten",
  "winding.ended",
  "winding.handedOver",
  "winding.metThere",
  "winding.cleared",
  "refused.AlreadyWindingDown",
];
