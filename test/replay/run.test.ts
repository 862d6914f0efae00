import { expect } from "chai";
import { sum } from "../../scripts/lib/units.js";
import { measure } from "../../scripts/replay/metrics.js";
import { createPlan } from "../../scripts/replay/plan.js";
import type { Options, ReplayPlan } from "../../scripts/replay/plan.js";
import { createProgress } from "../../scripts/replay/progress.js";
import { isWhole, toJson } from "../../scripts/replay/record.js";
import type { RunRecord } from "../../scripts/replay/record.js";
import { renderReport } from "../../scripts/replay/report/page.js";
import { runReplay } from "../../scripts/replay/run.js";
import { RULES, splitRule } from "../../scripts/replay/scenario.js";
import { near } from "./near.js";

/* Whole runs through the real contracts, small enough for a test. */

const ACCOUNTS = "24";
const quiet = createProgress({ write: () => undefined }, () => 0);

function run(options: Options, change: (plan: ReplayPlan) => ReplayPlan = (plan) => plan) {
  return runReplay(change(createPlan({ accounts: ACCOUNTS, ...options })), quiet);
}

/** What must be true of every run, whatever its rule. */
function expectSound(record: RunRecord): void {
  const broken = record.invariants.filter(({ failures }) => failures.length > 0);
  expect(broken, JSON.stringify(broken, undefined, 1)).to.deep.equal([]);
  expect(isWhole(record)).to.equal(true);
  for (const { id, checks } of record.invariants) {
    if (id !== "INV-9") expect(checks, id).to.be.greaterThan(0);
  }
  const { money } = measure(record);
  expect(money.deficit > 0n, "a deficit").to.equal(true);
  expect(money.overshoot, "overshoot").to.equal(0n);
  // A cut may leave a fraction of a lot of each member in its cohort, with what the fraction gained.
  const lot = record.steps[0]?.mark ?? 0n;
  const bound = lot * BigInt(record.losses.length);
  const off = money.measured - money.taken;
  expect(off <= bound && off >= -bound, `measured ${money.measured}, said ${money.taken}`).to.equal(
    true,
  );
}

describe("runReplay", function () {
  this.timeout(600_000);
  let flash: RunRecord;

  before(async () => {
    flash = await run({});
  });

  it("keeps every invariant of the flash crash", () => {
    expectSound(flash);
  });

  it("opens every position by a trade, at its entry price, and as large on both sides", () => {
    const traders = flash.accounts.filter(({ role }) => role === "trader");
    expect(traders).to.have.length(Number(ACCOUNTS));
    const lotsOf = (side: string): bigint =>
      sum(traders.filter(({ start }) => start.side === side).map(({ start }) => start.lots));
    expect(lotsOf("long")).to.equal(flash.steps[0]?.openInterest);
    expect(lotsOf("short")).to.equal(flash.steps[0]?.openInterest);
    const price = flash.steps[0]?.index ?? 0n;
    for (const { start } of traders) {
      const [low, high] = start.side === "long" ? [97n, 102n] : [98n, 108n];
      expect(start.entry * 100n >= price * low && start.entry * 100n <= price * high).to.equal(
        true,
      );
      expect(start.equity > 0n).to.equal(true);
    }
  });

  it("fills the fund, follows the path and ends with everyone solvent", () => {
    const percent = (part: bigint, whole: bigint): number => Number((part * 10_000n) / whole) / 100;
    const first = flash.steps[0];
    if (first === undefined) throw new Error("a step");
    expect(percent(first.fund, first.openInterest * first.mark)).to.satisfy(near(0.5, 0.02));
    const prices = flash.steps.map(({ index }) => percent(index, first.index));
    expect([...new Set(prices)]).to.deep.equal([100, 90, 80, 70, 71, 72]);
    for (const step of flash.steps) {
      expect(step.insolventLeft).to.equal(0);
      expect(step.secondsToSolvency).to.be.a("number");
      expect(percent(step.mark, step.index)).to.satisfy(near(100, 1));
    }
  });

  it("closes in the queue what the book did not take", () => {
    const queued = sum(flash.events.map(({ queueLots }) => queueLots));
    const cut = sum(flash.events.flatMap(({ cuts }) => cuts.map(({ lots }) => lots)));
    expect(queued > 0n).to.equal(true);
    expect(cut).to.equal(queued);
    const left = sum(flash.queue.map(({ lotsAfter }) => lotsAfter));
    const before = sum(flash.queue.map(({ lotsBefore }) => lotsBefore));
    expect(before).to.equal(flash.steps[0]?.openInterest);
    expect(left < before).to.equal(true);
  });

  it("gives the same bytes for the same seed, and others for another", async () => {
    const again = await run({});
    expect(toJson(again)).to.equal(toJson(flash));
    expect(renderReport(again, measure(again))).to.equal(renderReport(flash, measure(flash)));
    const other = await run({ seed: "2" });
    expect(toJson(other)).to.not.equal(toJson(flash));
  });

  for (const rule of RULES.slice(1)) {
    it(`keeps every invariant under ${rule}`, async () => {
      const record = await run({ rule });
      expectSound(record);
      const { quantity, deficit } = splitRule(rule);
      const { parameters } = record.setting;
      expect(parameters).to.deep.include({ name: "quantityRule", value: quantity });
      expect(parameters).to.deep.include({ name: "deficitRule", value: deficit });
      const [haircut, discount] = ["haircut", "discount"].map((name) =>
        sum(record.events.map((event) => event[name === "haircut" ? "haircut" : "discount"])),
      );
      expect(deficit === "Winners" ? discount : haircut).to.equal(0n);
    });
  }

  it("keeps every invariant when the price comes back", async () => {
    const record = await run({ scenario: "rebound" });
    expectSound(record);
    const lowest = record.steps.findIndex(
      ({ index }) => index * 100n === (record.steps[0]?.index ?? 0n) * 70n,
    );
    expect(record.steps.slice(lowest).every(({ insolventLeft }) => insolventLeft === 0)).to.equal(
      true,
    );
  });

  it("lets keepers with money take positions over", async () => {
    const record = await run({}, (plan) => {
      const { keepers } = plan.scenario;
      const capital = 10n ** 18n;
      return { ...plan, scenario: { ...plan.scenario, keepers: { ...keepers, capital } } };
    });
    expectSound(record);
  });
});
