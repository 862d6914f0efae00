import { expect } from "chai";
import { giniOf, measure } from "../../scripts/replay/metrics.js";
import type { RunRecord } from "../../scripts/replay/record.js";
import { renderTable } from "../../scripts/replay/table.js";
import { HAND } from "./hand.js";
import { near } from "./near.js";

const E18 = 10n ** 18n;
const metrics = measure(HAND);

describe("measure", () => {
  it("splits the deficit into who paid it", () => {
    expect(metrics.money).to.deep.equal({
      deficit: 70n * E18, // 50 + 20
      fundPaid: 30n * E18, // 20 + 5 + 5
      shortfall: 0n,
      needed: 40n * E18,
      taken: 40n * E18, // 30 + 10
      measured: 40n * E18, // 20 + 10 + 10
      overshoot: 0n,
      markedOut: [], // the run ends 56 seconds after its last event
    });
  });

  it("marks out only as far as the run goes", () => {
    const later = {
      ...HAND,
      steps: [
        ...HAND.steps,
        ...HAND.steps.slice(2).map((step) => ({ ...step, step: 3, time: 1_180 })),
      ],
    };
    // The mark is 90 a minute later: 12 lots closed at 80 would have lost 120.
    expect(measure(later).money.markedOut).to.deep.equal([{ minutes: 1, overshoot: -120n * E18 }]);
  });

  it("sees an overshoot", () => {
    const [first, ...others] = HAND.events;
    if (first === undefined) throw new Error("an event");
    const greedy: RunRecord = {
      ...HAND,
      events: [{ ...first, haircut: first.haircut + 3n }, ...others],
    };
    expect(measure(greedy).money.overshoot).to.equal(3n);
  });

  it("counts principal and discounts as taken, and a shortfall as paid by nobody", () => {
    const [first, ...others] = HAND.events;
    if (first === undefined) throw new Error("an event");
    // 50 = 20 by the fund + 15 + 6 + 4 by the winners + 5 by nobody.
    const [haircut, discount, principal, shortfall] = [15n * E18, 6n * E18, 4n * E18, 5n * E18];
    const poor = { ...first, haircut, discount, principal, shortfall };
    const { money } = measure({ ...HAND, events: [poor, ...others] });
    expect(money.taken).to.equal(35n * E18);
    expect(money.needed).to.equal(35n * E18);
    expect(money.shortfall).to.equal(5n * E18);
  });

  it("takes both sides of one event together", () => {
    const [first, second] = HAND.events;
    if (first === undefined || second === undefined) throw new Error("two events");
    const { adl, gas } = measure({
      ...HAND,
      events: [first, { ...second, id: 1, gas: first.gas }],
    });
    expect(adl.events).to.equal(1);
    expect(gas).to.include({ events: 1, meanPerEvent: 400_000, meanCohorts: 3 });
  });

  it("follows the fund and the time to solvency", () => {
    expect(metrics.fund).to.deep.equal({ start: 100n * E18, lowest: 70n * E18, end: 75n * E18 });
    expect(metrics.secondsToSolvency).to.equal(6);
    const [first, second, third] = HAND.steps;
    if (!first || !second || !third) throw new Error("three steps");
    const stuck = { ...HAND, steps: [first, { ...second, secondsToSolvency: undefined }, third] };
    expect(measure(stuck).secondsToSolvency).to.equal(undefined);
  });

  it("counts forced sales and what the queue had to take", () => {
    expect(metrics.openInterest).to.equal(4_000n * E18);
    expect(metrics.liquidated).to.deep.equal({
      accounts: 1,
      sales: 2,
      lots: 6n,
      notional: 476n * E18,
    });
    const { cohorts, ...adl } = metrics.adl;
    expect(adl).to.deep.equal({
      events: 2,
      closedAccounts: 3,
      lots: 12n,
      notional: 960n * E18,
      ofSide: 0.3, // 12 of 40
      ofForced: 0.6, // 12 of 6 + 10 + 4
    });
    expect(
      cohorts.map(({ cohort, lots, lotsBefore, events }) => ({ cohort, lots, lotsBefore, events })),
    ).to.deep.equal([
      { cohort: 7, lots: 10n, lotsBefore: 10n, events: 2 },
      { cohort: 9, lots: 2n, lotsBefore: 5n, events: 1 },
    ]);
  });

  it("gives each winner's share of its profit", () => {
    // Profit: equity at the last event − deposits + taken: 270 − 100 + 30, 140 − 50 + 10, 350 − 250.
    const shares = metrics.contributions.map(({ account, profit, share }) => [
      account.account,
      profit / E18,
      share,
    ]);
    expect(shares).to.deep.equal([
      [11, 200n, 0.15],
      [12, 100n, 0.1],
      [13, 100n, 0],
    ]);
    expect(metrics.haircut.mean).to.satisfy(near((0.15 + 0.1 + 0) / 3, 1e-12));
    expect(metrics.haircut.largest).to.equal(0.15);
    expect(metrics.haircut.even).to.equal(0.1); // 40 of 400
    // Taken 0, 10, 30: Σ (2i − n − 1) x / (n Σ x) = (0·−2 + 10·0 + 30·2) / (3 · 40)
    expect(metrics.haircut.gini).to.equal(0.5);
    // Left: 170, 90, 100; the largest in deficits of 70, and in the largest loss of 40.
    expect(metrics.profitToDeficit).to.satisfy(near(170 / 70, 1e-8));
    expect(metrics.profitToLargestLoss).to.satisfy(near(170 / 40, 1e-8));
  });

  it("groups them by size and by leverage", () => {
    const { byDecile, byLeverage, touched, closedFully, hedges, hedgesCut } = metrics.haircut;
    expect({ touched, closedFully, hedges, hedgesCut }).to.deep.equal({
      touched: 2,
      closedFully: 1,
      hedges: 2,
      hedgesCut: 1,
    });
    expect(byLeverage.map(({ name, accounts, share }) => [name, accounts, share])).to.deep.equal([
      ["2×", 1, 0],
      ["10×", 2, 0.133333333], // 40 of 300
    ]);
    expect(byDecile.map(({ accounts, share }) => [accounts, share])[4]).to.deep.equal([2, 0.05]);
    expect(byDecile).to.have.length(10);
  });

  it("charges each leverage with what it left unpaid", () => {
    expect(metrics.hazard).to.deep.equal([
      { leverage: 2, accounts: 2, insolvent: 1, deficit: 20n * E18, perNotional: 0.028571428 }, // 20 of 7 · 100
      { leverage: 10, accounts: 2, insolvent: 0, deficit: 0n, perNotional: 0 },
    ]);
  });

  it("counts gas by event", () => {
    expect(metrics.gas).to.deep.equal({
      events: 2,
      meanPerEvent: 300_000,
      largestEvent: 400_000,
      meanCohorts: 1.5,
      largestCohorts: 2,
      transactions: 3,
      total: 650_000,
    });
  });

  it("is calm about a run in which nothing happened", () => {
    const quiet: RunRecord = {
      ...HAND,
      events: [],
      losses: [],
      closed: [],
      liquidations: [],
      queue: [],
      transactions: [],
    };
    const { money, haircut, gas, profitToDeficit } = measure(quiet);
    expect([money.deficit, money.overshoot, money.markedOut.length]).to.deep.equal([0n, 0n, 0]);
    expect([haircut.largest, haircut.gini, gas.meanPerEvent]).to.deep.equal([0, 0, 0]);
    expect(profitToDeficit).to.equal(undefined);
  });
});

describe("giniOf", () => {
  it("is 0 where all gave the same and nears 1 where one gave all", () => {
    expect(giniOf([5n, 5n, 5n])).to.equal(0);
    expect(giniOf([0n, 0n, 0n, 8n])).to.equal(0.75);
    expect(giniOf([])).to.equal(0);
  });
});

describe("renderTable", () => {
  const table = renderTable(HAND, metrics);

  it("shows every figure that the run is judged by", () => {
    for (const line of [
      /deficit +70\.00 +1\.75 % of open interest/,
      /the fund +30\.00 +100\.00 before, 75\.00 at the end/,
      /the winners +40\.00 +needed from them: 40\.00/,
      /overshoot +0 /,
      /closed in the queue +30 % +of the cut side; 60 % of all forced sales/,
      /longest until solvent +6 s/,
      /short +10× +99–100 +1 +10 +100 % +2/,
      /a deleveraging, mean +300k +largest 400k/,
      /INV-1 +holds +3 checks/,
    ]) {
      expect(table).to.match(line);
    }
  });

  it("has columns that line up and no space at the end of a line", () => {
    expect(table).to.not.match(/ $/m);
  });

  it("shouts when an invariant broke", () => {
    const broken: RunRecord = {
      ...HAND,
      invariants: [{ id: "INV-2", text: "Long equals short.", checks: 3, failures: ["1 ≠ 2"] }],
    };
    expect(renderTable(broken, measure(broken))).to.match(/INV-2 +BROKEN 1×/);
  });
});
