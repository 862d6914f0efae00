import { expect } from "chai";
import { eventsNamed } from "../scripts/lib/events.js";
import type { ExchangeEvent } from "../scripts/lib/events.js";
import {
  AGED,
  createLab,
  DEAD,
  deployHarness,
  FUND,
  LONG,
  networkHelpers,
  SIZE,
  UNIT,
  WHOLE,
} from "./WaterfallFixture.js";
import type { Lab, MarketOptions } from "./WaterfallFixture.js";

/* Events at the edges: who is left out, what follows from what, budgets over several events and markets. */

const LOTS = 10n * SIZE;
const HOUR = 3600;
/** Of BalanceReason. */
const REWARD = 5n;
const units = (amount: bigint) => amount * WHOLE;

async function lab(...markets: readonly MarketOptions[]): Promise<Lab> {
  return createLab(await networkHelpers.loadFixture(deployHarness), markets);
}

const receiptsOf = (events: readonly ExchangeEvent[]) =>
  eventsNamed(events, "Deleveraged").map(({ args }) => args);

/** A long of 10 at 1000 with `stake`, against a rich short. */
async function loserIn(world: Lab, market: number, stake = units(10n)) {
  const long = await world.open(stake);
  const short = await world.open(units(1000n));
  await world.trade(long, short, { lots: LOTS, ticks: 1000n, market });
  return { long, short };
}

describe("Deleverage, who is left out", () => {
  it("skips with a reason, and closes the others", async () => {
    const world = await lab({}, {});
    const { long, short } = await loserIn(world, 0);
    const other = await loserIn(world, 1);
    const weak = await loserIn(world, 0, units(21n));
    const flat = await world.open(units(1n));
    await world.setTicks(800n);
    await world.setTicks(800n, 1);
    await world.setPrice(1, { grade: AGED });
    const { events } = await world.deleverage([2, short, other.long, weak.long, flat, long, long]);
    const skipped = eventsNamed(events, "Skipped").map(({ args }) => [
      Number(args.account),
      args.reason,
    ]);
    expect(skipped).to.deep.equal([
      [2, 6n],
      [short, 1n],
      [other.long, 2n],
      [weak.long, 1n],
      [flat, 0n],
      [long, 0n],
    ]);
    expect(await world.lotsOf(long)).to.equal(0n);
    expect(await world.lotsOf(other.long, 1)).to.equal(LOTS);
    await world.audit();
  });

  it("pays no reward to one that is named, which would not end at zero (INV-7)", async () => {
    const world = await lab({});
    const { long } = await loserIn(world, 0);
    const keeper = await world.open(0n);
    await world.credit(FUND, units(100n));
    await world.setTicks(800n);
    const snapshot = await networkHelpers.takeSnapshot();
    await world.deleverage([long], 100n, keeper);
    expect(await world.harness.balanceOf(keeper)).to.be.greaterThan(0n);
    await snapshot.restore();
    const { events } = await world.deleverage([long], 100n, long);
    expect(await world.harness.balanceOf(long)).to.equal(0n);
    const reasons = eventsNamed(events, "BalanceChanged").map(({ args }) => args.reason);
    expect(reasons).to.not.include(REWARD);
    await world.audit();
  });

  it("counts what an account keeps in a dead market for what it is missing", async () => {
    const world = await lab({}, {});
    const { long } = await loserIn(world, 0);
    const other = await world.open(units(1000n));
    await world.trade(long, other, { lots: LOTS, ticks: 1000n, market: 1 });
    await world.setTicks(1030n, 1);
    await world.setPrice(1, { grade: DEAD });
    await world.setTicks(800n);
    // 10 − 20 in the market that is closed, + 3 in the other.
    const { events } = await world.event([long]);
    expect(receiptsOf(events)[0]?.receipt.deficit).to.equal(units(7n));
    expect(await world.equity(long)).to.equal(0n);
    expect(await world.lotsOf(long, 1)).to.equal(LOTS);
  });

  it("does not take an account that is insolvent at mark only", async () => {
    const world = await lab({});
    const { long } = await loserIn(world, 0);
    const mark = world.marks[0] ?? 0n;
    await world.setPrice(0, { mark: (mark * 8n) / 10n, index: (mark * 905n) / 1000n });
    const { events } = await world.deleverage([long]);
    expect(eventsNamed(events, "Skipped")[0]?.args.reason, "ClockRunning").to.equal(3n);
  });

  it("does not take an account that has just nothing, at mark or at index", async () => {
    const world = await lab({});
    const { long } = await loserIn(world, 0);
    // 10 less 10 lots' loss of 100 ticks.
    const [nothing, less] = [900n * UNIT, 899n * UNIT];
    for (const [mark, index] of [
      [nothing, less],
      [less, nothing],
    ] as const) {
      await world.setPrice(0, { mark, index });
      const { events } = await world.deleverage([long]);
      expect(eventsNamed(events, "Skipped")[0]?.args.reason, "ClockRunning").to.equal(3n);
    }
    await world.setPrice(0, { mark: less, index: less });
    await world.event([long]);
  });
});

describe("Deleverage, what follows", () => {
  it("lets the fund pay a debt that a haircut of fresh profit left without a position", async () => {
    const world = await lab({ freshEpoch: 16_000_000n }, { freshEpoch: 16_000_000n });
    const { long } = await loserIn(world, 0);
    const debtor = await world.open(units(1n));
    const rich = await world.open(units(1000n));
    await world.trade(rich, debtor, { lots: LOTS, ticks: 1000n });
    await world.trade(debtor, rich, { lots: LOTS, ticks: 1000n, market: 1 });
    await world.setTicks(800n);
    await world.setTicks(820n, 1);
    await world.trade(debtor, rich, { lots: LOTS, ticks: 800n });
    await world.trade(rich, debtor, { lots: LOTS, ticks: 820n, market: 1 });
    // 1 + 20 fresh − 18; the event takes a quarter of the fresh profit.
    expect(await world.equity(debtor)).to.equal(units(3n));
    await world.deleverage([long]);
    expect(await world.equity(debtor)).to.equal(-units(2n));

    const waits = await world.deleverage([debtor]);
    expect(eventsNamed(waits.events, "Skipped"), "the fund is empty").to.have.length(1);
    await world.credit(FUND, units(10n));
    const { events } = await world.deleverage([debtor]);
    expect(eventsNamed(events, "AccountDeleveraged")[0]?.args.deficit).to.equal(units(2n));
    expect(await world.harness.balanceOf(FUND)).to.equal(units(8n));
    expect(await world.harness.balanceOf(debtor)).to.equal(0n);
    await world.audit();
  });

  it("names the event that may have caused it, for an hour", async () => {
    const world = await lab({}, {});
    const { long } = await loserIn(world, 0);
    const winner = await world.open(units(5n));
    const rich = await world.open(units(10_000n));
    // Front of the queue is the rich short's higher leverage, so that the winner keeps its lots.
    await world.trade(rich, winner, { lots: 2n * LOTS, ticks: 1000n });
    await world.trade(winner, rich, { lots: LOTS, ticks: 1000n, market: 1 });
    await world.setTicks(800n);
    await world.setTicks(585n, 1);
    // 5 + 40 − 41.5 = 3.5, of which the haircut takes 40 / 60 of 10.
    const first = await world.deleverage([long]);
    const [cause] = receiptsOf(first.events);
    expect(cause?.receipt.parent).to.equal(0n);
    const snapshot = await networkHelpers.takeSnapshot();
    const { events } = await world.deleverage([winner]);
    const parents = receiptsOf(events).map(({ receipt }) => receipt.parent);
    expect(parents.length).to.be.greaterThan(0);
    expect(new Set(parents)).to.deep.equal(new Set([cause?.id]));
    await world.audit();
    await snapshot.restore();
    await networkHelpers.time.increase(HOUR);
    const late = await world.deleverage([winner]);
    const forgotten = receiptsOf(late.events).map(({ receipt }) => receipt.parent);
    expect(new Set(forgotten)).to.deep.equal(new Set([0n]));
  });

  it("charges a deficit though cuts left the account no lot", async () => {
    const world = await lab({});
    const [one, two] = [await world.open(units(1n)), await world.open(units(1n))];
    const rich = await world.open(units(1000n));
    await world.trade(rich, one, { lots: 1n, ticks: 1000n });
    await world.trade(rich, two, { lots: 1n, ticks: 1000n });
    const loser = await world.open(1n);
    await world.trade(loser, rich, { lots: 1n, ticks: 1000n });
    await world.setTicks(900n);
    await world.deleverage([loser]);
    expect([await world.lotsOf(one), await world.lotsOf(two)]).to.deep.equal([0n, 0n]);
    await world.credit(one, -units(2n));
    const { events } = await world.deleverage([one]);
    const [receipt] = receiptsOf(events);
    expect(receipt?.receipt.deficit).to.equal(
      eventsNamed(events, "AccountDeleveraged")[0]?.args.deficit,
    );
    expect(await world.equity(one)).to.equal(0n);
    await world.audit();
  });

  /** Account 3 holds a lot of the short side, which a cut left between two accounts; `second` is long of the three others. */
  async function withDust(world: Lab) {
    const [one, two] = [await world.open(units(1n)), await world.open(units(1n))];
    const rich = await world.open(units(1000n));
    await world.trade(rich, one, { lots: 1n, ticks: 1000n });
    await world.trade(rich, two, { lots: 1n, ticks: 1000n });
    const [first, second] = [await world.open(1n), await world.open(1n)];
    await world.trade(first, rich, { lots: 1n, ticks: 1000n });
    const { short } = await loserIn(world, 0);
    await world.trade(second, short, { lots: 3n, ticks: 1000n });
    await world.setTicks(900n);
    // The cohort of `one`, `two` and `short` is cut by one lot; settled, the two have none.
    await world.setLeverage(short, 0);
    await world.deleverage([first]);
    await world.done(world.harness.settle(0, one));
    await world.done(world.harness.settle(0, two));
    await world.audit();
    return { second };
  }

  it("closes dust lots first, at mark", async () => {
    const world = await lab({});
    const { second } = await withDust(world);
    const { events } = await world.deleverage([second]);
    const [receipt] = receiptsOf(events);
    expect(receipt?.receipt.dustLots).to.equal(1n);
    expect(receipt?.receipt.queueLots).to.equal(2n);
    await world.audit();
  });

  it("asks no principal of dust lots, and all of it of the others", async () => {
    const world = await lab({});
    const { second } = await withDust(world);
    // Funding took from the long four units a lot: more than the 10 units that all shorts have in profit.
    await world.setPrice(0, { funding: units(4n) << 32n });
    const { events } = await world.deleverage([second]);
    const [receipt] = receiptsOf(events);
    const charged = eventsNamed(events, "PrincipalCharged").map(({ args }) => args);
    const sum = (values: bigint[]) => values.reduce((total, value) => total + value, 0n);
    // 1 % of mark for each lot of `short`, who alone is left: the dust has no account that could pay.
    const lots = sum(charged.map((each) => each.lots));
    expect(lots).to.equal(LOTS + 3n);
    expect(receipt?.receipt.principal).to.equal((lots * 900n * UNIT) / 100n);
    expect(sum(charged.map(({ amount }) => amount))).to.equal(receipt?.receipt.principal);
    await world.audit();
  });
});

describe("Deleverage, budgets over events", () => {
  it("draws no more when a wave is split", async () => {
    const world = await lab({});
    await world.credit(FUND, units(20n));
    const { long: first } = await loserIn(world, 0, units(15n));
    const { long: second } = await loserIn(world, 0, units(15n));
    await world.setTicks(800n);
    const snapshot = await networkHelpers.takeSnapshot();
    await world.deleverage([first, second]);
    const together = units(20n) - (await world.harness.balanceOf(FUND));
    expect(together, "20 % of 20").to.equal(units(4n));
    await snapshot.restore();
    await world.deleverage([first]);
    await world.deleverage([second]);
    const apart = units(20n) - (await world.harness.balanceOf(FUND));
    // What leaks in the seconds between the two.
    const leak = (units(4n) * 5n) / BigInt(HOUR);
    expect(apart - together <= leak, `${apart} for ${together}`).to.equal(true);
    await world.audit();
  });

  it("gives all markets less when together they want more than their share", async () => {
    const budgets = { eventBudget: 600_000n, dayBudget: 600_000n, marketShare: 600_000n };
    const world = await lab(budgets, budgets);
    await world.credit(FUND, units(10n));
    const [first, second] = [await loserIn(world, 0), await loserIn(world, 1)];
    await world.setTicks(800n);
    await world.setTicks(800n, 1);
    const { events } = await world.deleverage([first.long, second.long]);
    // 80 % of 10, by halves, where each alone would have got 6.
    const paid = receiptsOf(events).map(({ receipt }) => [receipt.fundWithin, receipt.fundBeyond]);
    expect(paid).to.deep.equal([
      [units(4n), 0n],
      [units(4n), 0n],
    ]);
    await world.audit();
  });

  it("never takes more than the fund has (INV-10)", async () => {
    const budgets = { eventBudget: 1_000_000n, dayBudget: 1_000_000n, marketShare: 1_000_000n };
    const world = await lab(budgets);
    await world.credit(FUND, units(1n));
    for (let wave = 0; wave < 4; wave++) {
      const { long } = await loserIn(world, 0);
      await world.setTicks(800n);
      await world.deleverage([long]);
      expect(await world.harness.balanceOf(FUND)).to.be.greaterThanOrEqual(0n);
      await world.setTicks(1000n);
    }
    expect(await world.harness.balanceOf(FUND), "a fifth stays").to.be.lessThan(units(1n) / 4n);
    await world.audit();
  });

  it("previews an event as it happens then", async () => {
    const world = await lab({});
    await world.credit(FUND, units(20n));
    const { long } = await loserIn(world, 0);
    await loserIn(world, 0, units(500n));
    await world.setTicks(800n);
    const preview = await world.harness.preview.staticCall(0, LONG, LOTS, units(10n));
    const { events } = await world.deleverage([long]);
    const [done] = receiptsOf(events);
    const fields = Object.entries(done?.receipt ?? {});
    expect(fields).not.to.have.length(0);
    for (const [name, value] of fields) {
      // Typechain's result can be read by field name.
      expect((preview as unknown as Record<string, unknown>)[name], name).to.equal(value);
    }
  });
});
