import { expect } from "chai";
import { eventsNamed } from "../scripts/lib/events.js";
import {
  createLab,
  deployHarness,
  FUND,
  networkHelpers,
  PRO_RATA,
  QUEUE,
  SHORT,
  SIZE,
  UNIT,
  WHOLE,
} from "./WaterfallFixture.js";
import type { Lab, MarketOptions } from "./WaterfallFixture.js";

/* What is missing and who pays: every rung of the ladder, by hand and against the reference model. */

/** 10 lots at 1000 ticks are 100 units; 1 tick is 0.1 units for them. */
const LOTS = 10n * SIZE;
const units = (amount: bigint) => amount * WHOLE;

async function lab(...markets: readonly MarketOptions[]): Promise<Lab> {
  const address = await networkHelpers.loadFixture(deployHarness);
  return createLab(address, markets.length === 0 ? [{}] : markets);
}

/** A long with 10 units, a short with 1000, 10 lots at 1000 ticks. */
async function duel(world: Lab, lots = LOTS) {
  const long = await world.open(units(10n));
  const short = await world.open(units(1000n));
  await world.trade(long, short, { lots, ticks: 1000n });
  return { long, short };
}

const receiptOf = (events: Awaited<ReturnType<Lab["deleverage"]>>["events"]) => {
  const [first] = eventsNamed(events, "Deleveraged");
  if (first === undefined) throw new Error("the event has a receipt");
  return first.args;
};

describe("Deleverage, the ladder", () => {
  it("charges the winner what is missing, at most its profit", async () => {
    const world = await lab();
    const { long, short } = await duel(world);
    await world.setTicks(800n);
    const { events } = await world.event([long]);
    // 20 units lost, 10 were there; the short gives half of its 20.
    const { receipt, side } = receiptOf(events);
    expect(side).to.equal(SHORT);
    expect(receipt.deficit).to.equal(units(10n));
    expect(receipt.base).to.equal(units(20n));
    expect(receipt.haircut).to.equal(units(10n));
    expect(receipt.queueLots).to.equal(LOTS);
    expect(await world.equity(long), "INV-7").to.equal(0n);
    expect(await world.lotsOf(long), "INV-7").to.equal(0n);
    expect(await world.equity(short)).to.equal(units(1010n));
    expect(await world.lotsOf(short)).to.equal(0n);
  });

  it("charges a single wei as it charges more", async () => {
    const world = await lab();
    const { long, short } = await duel(world);
    await world.credit(long, units(10n) - 1n);
    await world.setTicks(800n);
    const { events } = await world.event([long]);
    const { receipt } = receiptOf(events);
    expect([receipt.deficit, receipt.haircut, receipt.discount]).to.deep.equal([1n, 1n, 0n]);
    // The wei is shared out by lots, rounded up.
    expect(await world.equity(short)).to.be.within(units(1020n) - 2n, units(1020n) - 1n);
  });

  it("takes from the fund first, within its event budget", async () => {
    const world = await lab();
    await world.credit(FUND, units(20n));
    const { long, short } = await duel(world);
    await world.setTicks(800n);
    const permits = new Map([[0, { event: units(4n), beyond: units(8n) }]]);
    const { events } = await world.event([long], { permits });
    const { receipt } = receiptOf(events);
    expect(receipt.fundBefore).to.equal(units(20n));
    expect(receipt.fundWithin, "20 % of the fund").to.equal(units(4n));
    expect(receipt.haircut).to.equal(units(6n));
    expect(receipt.fundBeyond).to.equal(0n);
    expect(await world.equity(short)).to.equal(units(1014n));
  });

  it("charges nobody when the fund has it", async () => {
    const world = await lab();
    await world.credit(FUND, units(1000n));
    const { long, short } = await duel(world);
    await world.setTicks(800n);
    const permits = new Map([[0, { event: units(200n), beyond: units(400n) }]]);
    const { events } = await world.event([long], { permits });
    expect(eventsNamed(events, "Haircut"), "INV-8").to.deep.equal([]);
    expect(await world.equity(short)).to.equal(units(1020n));
    expect(await world.harness.balanceOf(FUND)).to.equal(units(990n));
  });

  it("goes beyond the event budget, then to principal, then owes the rest", async () => {
    const world = await lab();
    await world.credit(FUND, units(10n));
    const long = await world.open(units(1n));
    const early = await world.open(units(1000n));
    const late = await world.open(units(1000n));
    const other = await world.open(units(1000n));
    // The winner at 1000; a short at 640 that is not in profit at 600 by more than 40 ticks a lot.
    await world.trade(long, early, { lots: LOTS, ticks: 1000n });
    await world.setTicks(600n);
    await world.trade(other, late, { lots: LOTS, ticks: 600n });
    // Equity 1 − 40: 39 missing; profit 40 of the early short is charged first.
    await world.setTicks(590n);
    // Budget 20 % of 10 = 2, share 60 % = 6: within 2, beyond 0 while profit is enough.
    const permits = new Map([[0, { event: units(2n), beyond: units(4n) }]]);
    const { events } = await world.event([long], { permits });
    const { receipt } = receiptOf(events);
    expect(receipt.deficit).to.equal(units(40n));
    expect(receipt.fundWithin).to.equal(units(2n));
    // 41 from the early short, 0 from the late one, whose class holds 600 and starts at 600: 1 unit.
    expect(receipt.base).to.equal(units(42n));
    expect(receipt.haircut).to.equal(units(38n));
  });

  it("spends market share and principal when profit is gone, and owes the rest", async () => {
    const world = await lab();
    await world.credit(FUND, units(10n));
    const { long, short } = await duel(world);
    // Funding took from the long what the short's price profit does not show.
    await world.setPrice(0, { mark: 990n * UNIT, funding: (500n * UNIT) << 32n });
    // Loss 51 units, 10 were there: 41 missing. The short's class [1000, 1008) gives 1 unit.
    const permits = new Map([[0, { event: units(2n), beyond: units(4n) }]]);
    const { events } = await world.event([long], { permits });
    const { receipt } = receiptOf(events);
    expect(receipt.deficit).to.equal(units(41n));
    expect(receipt.fundWithin).to.equal(units(2n));
    expect(receipt.haircut).to.equal(units(1n));
    expect(receipt.fundBeyond).to.equal(units(4n));
    // 1 % of mark for each of 10 lots: 0.99 units.
    expect(receipt.principal, "INV-13").to.equal(units(99n) / 100n);
    expect(receipt.shortfall).to.equal(units(33n) + units(1n) / 100n);
    expect(eventsNamed(events, "PrincipalCharged")).to.have.length(1);
    expect(eventsNamed(events, "ShortfallChanged")[0]?.args.shortfall).to.equal(receipt.shortfall);
    expect((await world.harness.bookOf(0)).status & 2n, "reduce-only").to.equal(2n);
    expect(await world.lotsOf(short)).to.equal(0n);
  });

  it("lets fresh profit give like open profit, and folds that of the insolvent", async () => {
    const world = await lab({ freshEpoch: 16_000_000n });
    const long = await world.open(units(10n));
    const short = await world.open(units(1000n));
    const closed = await world.open(units(1000n));
    const taker = await world.open(units(1000n));
    await world.trade(long, short, { lots: LOTS, ticks: 1000n });
    await world.trade(taker, closed, { lots: LOTS, ticks: 1000n });
    await world.setTicks(800n);
    // Closes at mark: 20 units of fresh profit.
    await world.trade(closed, taker, { lots: LOTS, ticks: 800n });
    const { events } = await world.event([long]);
    const { receipt } = receiptOf(events);
    expect(receipt.base).to.equal(units(40n));
    expect(receipt.haircut).to.equal(units(10n));
    expect(receipt.freshCharge).to.equal(units(5n));
    expect(await world.equity(closed)).to.equal(units(1015n));
    expect(await world.equity(short)).to.equal(units(1015n));
  });

  it("lets an insolvent account's own fresh profit pay first", async () => {
    const world = await lab({ freshEpoch: 16_000_000n }, { freshEpoch: 16_000_000n });
    const both = await world.open(units(10n));
    const rich = await world.open(units(1000n));
    await world.trade(both, rich, { lots: LOTS, ticks: 1000n });
    await world.trade(both, rich, { lots: LOTS, ticks: 1000n, market: 1 });
    await world.setTicks(1050n, 1);
    await world.trade(rich, both, { lots: LOTS, ticks: 1050n, market: 1 });
    // 5 units of fresh profit in market 1, a loss of 20 in market 0: 15 − 20 = −5.
    await world.setTicks(800n);
    const { events } = await world.event([both]);
    expect(receiptOf(events).receipt.deficit).to.equal(units(5n));
    expect(eventsNamed(events, "FreshCharged")).to.deep.equal([]);
  });

  it("closes an expired account that is solvent at mark, for the penalty alone", async () => {
    const world = await lab();
    const { long, short } = await duel(world);
    // Equity 0.5 of 90.5 at mark: below 1 % of it.
    await world.setTicks(905n);
    await world.done(world.harness.liquidate([long], 0, 0));
    await networkHelpers.time.increase(30);
    // 0.5 % of 90.5 is 0.4525, less than the 0.5 that is left.
    const penalty = (units(905n) * 5n) / 10_000n;
    const { events } = await world.event([long], { penalties: new Map([[long, penalty]]) });
    const { receipt } = receiptOf(events);
    expect([receipt.deficit, receipt.haircut, receipt.queueLots]).to.deep.equal([0n, 0n, LOTS]);
    expect(await world.harness.balanceOf(FUND)).to.equal(penalty);
    expect(await world.equity(long)).to.equal(units(1n) / 2n - penalty);
    expect(await world.equity(short)).to.equal(units(1000n) + units(95n) / 10n);
    expect(await world.harness.clockOf(long)).to.equal(0n);
  });
});

describe("Deleverage, rules", () => {
  /** Shorts of three leverages and two prices, 5 lots each, against one long of 12 and a rich one of 13. */
  async function crowd(world: Lab) {
    const long = await world.open(units(12n));
    const rich = await world.open(units(10_000n));
    const shorts: number[] = [];
    for (const [leverageClass, ticks] of [
      [0, 1000n],
      [4, 1000n],
      [6, 1000n],
      [4, 1024n],
      [4, 900n],
    ] as const) {
      const short = await world.open(units(1000n));
      shorts.push(short);
      await world.setLeverage(short, leverageClass);
      await world.trade(rich, short, { lots: 5n * SIZE, ticks });
    }
    await world.trade(long, rich, { lots: 12n * SIZE, ticks: 1000n });
    return { long, rich, shorts };
  }

  for (const [name, rules] of [
    ["Front and Winners", {}],
    ["Front and Queue", { deficitRule: QUEUE }],
    ["ProRata and Winners", { quantityRule: PRO_RATA }],
    ["ProRata and Queue", { quantityRule: PRO_RATA, deficitRule: QUEUE }],
  ] as const) {
    it(`does as the model does by ${name}, twice in a row`, async () => {
      const world = await lab(rules);
      const { long, rich, shorts } = await crowd(world);
      await world.setTicks(870n);
      await world.event([long]);
      // A second loser against what the first event left.
      for (const id of [rich, ...shorts]) await world.resync(id);
      const second = await world.open(units(6n));
      const [seller = 0] = shorts;
      await world.trade(second, seller, { lots: 7n * SIZE, ticks: 870n });
      await world.setTicks(760n);
      await world.laterEvent([second], 1000n);
    });
  }

  it("front: closes higher committed leverage first, then the better entry", async () => {
    const world = await lab();
    const { long, shorts } = await crowd(world);
    await world.setTicks(870n);
    await world.event([long]);
    // 50× at 1000, then 10× at 1024, then 2 of 5 lots of 10× at 1000.
    const left = await Promise.all(shorts.map(async (id) => world.lotsOf(id)));
    expect(left.map((lots) => (lots + 1n) / SIZE)).to.deep.equal([5n, 3n, 0n, 0n, 5n]);
  });

  it("queue: leaves the discount to the fund if no lot reaches the queue", async () => {
    const world = await lab({ deficitRule: QUEUE });
    await world.credit(FUND, units(10n));
    const long = await world.open(units(10n));
    const short = await world.open(units(5n));
    const rich = await world.open(units(10_000n));
    await world.trade(long, rich, { lots: LOTS, ticks: 1000n });
    await world.trade(rich, short, { lots: LOTS, ticks: 760n });
    // Long loses 20 of 10; short loses 4 at 800, and 5 were there. Named with it, so that their lots meet.
    await world.setTicks(800n);
    await world.done(world.harness.liquidate([short], 0, 0));
    await networkHelpers.time.increase(30);
    const permits = new Map([[0, { event: units(2n), beyond: units(4n) }]]);
    const model = { permits, penalties: new Map([[short, units(0n)]]) };
    await world.setPrice(0, { mark: 815n * UNIT });
    // At 815: long −8.5, short 5 − 5.5 = −0.5: both insolvent, all lots meet.
    const { events } = await world.event([long, short], model);
    expect(eventsNamed(events, "CohortCut")).to.deep.equal([]);
    const shortfalls = eventsNamed(events, "Deleveraged").map(({ args }) => args.receipt.shortfall);
    expect(shortfalls.reduce((a, b) => a + b)).to.equal(units(3n));
  });

  it("charges both sides of a market in one event", async () => {
    const world = await lab();
    const rich = await world.open(units(10_000n));
    const long = await world.open(units(10n));
    const short = await world.open(units(3n));
    await world.trade(long, rich, { lots: LOTS, ticks: 1000n });
    await world.trade(rich, short, { lots: 4n * SIZE, ticks: 640n });
    await world.trade(rich, short, { lots: 4n * SIZE, ticks: 640n });
    const other = await world.open(units(1000n));
    await world.trade(other, rich, { lots: 30n * SIZE, ticks: 704n });
    await world.setTicks(720n);
    // Long: 10 − 28 = −18. Short: 3 − 8 · 8 = −3.4 units. Net: 2 long lots.
    const { events } = await world.event([long, short]);
    expect(eventsNamed(events, "Deleveraged")).to.have.length(2);
  });

  it("splits a deficit over markets by loss: 197 and 593 of 790", async () => {
    const world = await lab({ unit: 1n }, { unit: 1n });
    const rich = await world.open(units(1000n));
    const loser = await world.open(10n);
    await world.trade(loser, rich, { lots: 2n, ticks: 1000n });
    await world.trade(loser, rich, { lots: 6n, ticks: 1000n, market: 1 });
    await world.setTicks(900n);
    await world.setTicks(900n, 1);
    const { events } = await world.event([loser]);
    const deficits = eventsNamed(events, "Deleveraged").map(({ args }) => args.receipt.deficit);
    expect(deficits).to.deep.equal([197n, 593n]);
  });

  it("passes a part on, once, where there is no profit to charge", async () => {
    const world = await lab({ unit: 1n }, { unit: 1n });
    const rich = await world.open(units(1000n));
    const loser = await world.open(10n);
    await world.trade(loser, rich, { lots: 2n, ticks: 1000n });
    await world.trade(loser, rich, { lots: 6n, ticks: 1000n, market: 1 });
    // In market 1 the loss is funding, and nobody is in profit by price.
    await world.setTicks(900n);
    await world.setPrice(1, { mark: 1000n, funding: 100n << 32n });
    const { events } = await world.event([loser]);
    const [first, second] = eventsNamed(events, "Deleveraged");
    expect(first?.args.receipt.deficit).to.equal(790n);
    expect(second?.args.receipt.deficit).to.equal(0n);
  });

  it("keeps positions of a dead market and counts their profit", async () => {
    const world = await lab({}, {});
    const rich = await world.open(units(1000n));
    const loser = await world.open(units(10n));
    await world.trade(loser, rich, { lots: LOTS, ticks: 1000n });
    await world.trade(loser, rich, { lots: LOTS, ticks: 1000n, market: 1 });
    await world.setTicks(1050n, 1);
    await world.setPrice(1, { grade: 0n });
    await world.setTicks(800n);
    // 10 + 5 − 20: 5 are missing, the dead market's 5 stay unrealised.
    const { events } = await world.event([loser]);
    expect(receiptOf(events).receipt.deficit).to.equal(units(5n));
    expect(await world.lotsOf(loser, 1)).to.equal(LOTS);
    expect(await world.harness.balanceOf(loser)).to.equal(-units(5n));
    expect(await world.equity(loser), "INV-7").to.equal(0n);
  });

  it("does not depend on the order of the accounts (INV-14)", async () => {
    const world = await lab({}, { quantityRule: PRO_RATA });
    const rich = await world.open(units(10_000n));
    const losers: number[] = [];
    for (const [lots, market, balance] of [
      [7n, 0, 7n],
      [5n, 1, 4n],
      [9n, 0, 8n],
      [3n, 1, 2n],
    ] as const) {
      const loser = await world.open(units(balance));
      losers.push(loser);
      await world.trade(loser, rich, { lots: lots * SIZE, ticks: 1000n, market });
    }
    const [first = 0, second = 0, third = 0, fourth = 0] = losers;
    await world.trade(first, rich, { lots: SIZE, ticks: 1000n, market: 1 });
    await world.setTicks(850n);
    await world.setTicks(840n, 1);
    const orders = [
      [first, second, third, fourth],
      [fourth, third, second, first],
      [second, second, fourth, first, third, first],
    ];
    const snapshot = await networkHelpers.takeSnapshot();
    const results: string[] = [];
    for (const order of orders) {
      const { events } = await world.deleverage(order);
      const receipts = eventsNamed(events, "Deleveraged").map(({ args }) => args);
      const equities = [rich, ...losers].map(async (id) => world.equity(id));
      results.push(
        JSON.stringify([receipts, await Promise.all(equities)], (_, value: unknown) =>
          typeof value === "bigint" ? value.toString() : value,
        ),
      );
      await snapshot.restore();
    }
    expect(results[1]).to.equal(results[0]);
    expect(results[2]).to.equal(results[0]);
    await world.event([first, second, third, fourth]);
  });
});
