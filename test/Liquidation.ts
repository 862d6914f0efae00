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
  SHORT,
  SIZE,
  TICK,
  UNIT,
  WHOLE,
} from "./WaterfallFixture.js";
import type { Lab, MarketOptions } from "./WaterfallFixture.js";

/* Forced sales. Maintenance is 1 % of notional, the target 1.25 of it; a lot at 1000 ticks is 10 units. */

const LOTS = 10n * SIZE;
const units = (amount: bigint) => amount * WHOLE;
const cents = (amount: bigint) => (amount * WHOLE) / 100n;
const REASON = { noPosition: 0n, healthy: 1n, eventPending: 4n, outOfFills: 5n, unknown: 6n };

async function lab(...markets: readonly MarketOptions[]): Promise<Lab> {
  const address = await networkHelpers.loadFixture(deployHarness);
  return createLab(address, markets.length === 0 ? [{ penalty: 0n }] : markets);
}

/** A long of 10 lots at 1000 with 3 units; at 975 it has 0.5 and needs 0.975. */
async function weak(world: Lab) {
  const long = await world.open(units(3n));
  const short = await world.open(units(1000n));
  const maker = await world.open(units(1000n));
  await world.trade(long, short, { lots: LOTS, ticks: 1000n });
  await world.setTicks(975n);
  return { long, short, maker };
}

/** 0.5 units cover 1.25 % of 40: this many lots at 9.75 a `SIZE`. The others are sold. */
const KEPT = units(1n) / 2n / ((975n * UNIT * 125n) / 10_000n);
const SOLD = LOTS - KEPT;

const liquidate = async (world: Lab, accounts: number[], maxFills = 100n, rewardTo = 0) =>
  world.done(world.harness.liquidate(accounts, maxFills, rewardTo, { gasLimit: 16_000_000n }));

const skips = (events: readonly ExchangeEvent[]) =>
  eventsNamed(events, "Skipped").map(({ args }) => [Number(args.account), args.reason]);

describe("liquidate", () => {
  it("sells only until equity is 1.25 × maintenance", async () => {
    const world = await lab();
    const { long, maker } = await weak(world);
    await world.place(maker, LONG, 20n * SIZE, 975n);
    const { events } = await liquidate(world, [long]);
    expect(KEPT).to.equal(4_102_564n);
    expect(await world.lotsOf(long)).to.equal(KEPT);
    const [sale] = eventsNamed(events, "Liquidated");
    expect(sale?.args.lots).to.equal(SOLD);
    expect(sale?.args.quote).to.equal(SOLD * 975n * UNIT);
    expect(sale?.args.buyer).to.equal(0n);
    expect(await world.harness.clockOf(long), "cleared").to.equal(0n);
    await world.audit();
  });

  it("sells again where deeper levels were worse than the best", async () => {
    const world = await lab();
    const { long, maker } = await weak(world);
    await world.place(maker, LONG, 2n * SIZE, 975n);
    await world.place(maker, LONG, 20n * SIZE, 974n);
    await liquidate(world, [long]);
    const health = await world.harness.healthOf(long);
    expect(health.equity * 4n >= health.maintenance * 5n).to.equal(true);
    await world.audit();
  });

  it("cancels all orders, and starts the clock though nobody buys", async () => {
    const world = await lab();
    const { long } = await weak(world);
    await world.place(long, SHORT, 3n * SIZE, 1010n);
    await world.place(long, LONG, 3n * SIZE, 940n);
    const { events } = await liquidate(world, [long]);
    expect(eventsNamed(events, "OrderRemoved").map(({ args }) => args.reason)).to.deep.equal([
      7n,
      7n,
    ]);
    const now = BigInt(await networkHelpers.time.latest());
    expect(await world.harness.clockOf(long)).to.equal(now);
    expect(await world.lotsOf(long)).to.equal(LOTS);
  });

  it("takes no bid worse than the limit, which moves to the zero price over the clock", async () => {
    const world = await lab();
    const { long, maker } = await weak(world);
    // Zero price: 0.5 units on 10 lots are 5 ticks below 975. The limit starts at 0.2 %: 973.05, up to 974.
    await world.place(maker, LONG, 20n * SIZE, 971n);
    const { events } = await liquidate(world, [long]);
    expect(eventsNamed(events, "Liquidated")).to.deep.equal([]);
    await networkHelpers.time.increase(10);
    await liquidate(world, [long]);
    expect(await world.lotsOf(long), "a third of the way to 970").to.equal(LOTS);
    await networkHelpers.time.increase(19);
    const before = await world.harness.healthOf(long);
    await liquidate(world, [long]);
    expect(await world.lotsOf(long), "all of the way").to.be.lessThan(LOTS);
    const after = await world.harness.healthOf(long);
    const kept = after.equity * before.maintenance >= before.equity * after.maintenance;
    expect(kept, "INV-15").to.equal(true);
  });

  it("does not let the clock run while a market of the account is aged", async () => {
    const world = await lab();
    const { long, maker } = await weak(world);
    await liquidate(world, [long]);
    await networkHelpers.time.increase(40);
    await world.place(maker, LONG, 20n * SIZE, 971n);
    await world.setPrice(0, { grade: AGED });
    await liquidate(world, [long]);
    expect(await world.lotsOf(long), "the limit is where it started").to.equal(LOTS);
    await world.place(maker, LONG, 20n * SIZE, 975n);
    await liquidate(world, [long]);
    expect(await world.lotsOf(long), "but sales go on").to.be.lessThan(LOTS);
  });

  it("counts the clock from the moment all markets are fresh again", async () => {
    const world = await lab();
    const { long } = await weak(world);
    await liquidate(world, [long]);
    await networkHelpers.time.increase(20);
    await world.setPrice(0, { grade: AGED });
    await world.setPrice(0, { grade: 2n });
    await networkHelpers.time.increase(15);
    const early = await world.deleverage([long]);
    expect(skips(early.events), "ClockRunning").to.deep.equal([[long, 3n]]);
    await networkHelpers.time.increase(15);
    await world.deleverage([long]);
    expect(await world.lotsOf(long)).to.equal(0n);
  });

  it("lets nobody deleverage before the clock has run for its time, to the second", async () => {
    const world = await lab();
    const { long } = await weak(world);
    await liquidate(world, [long]);
    const start = await world.harness.clockOf(long);
    await networkHelpers.time.setNextBlockTimestamp(start + 29n);
    const early = await world.deleverage([long]);
    expect(skips(early.events), "ClockRunning").to.deep.equal([[long, 3n]]);
    await networkHelpers.time.setNextBlockTimestamp(start + 30n);
    await world.deleverage([long]);
    expect(await world.lotsOf(long)).to.equal(0n);
  });

  it("clears the clock of an account that has recovered", async () => {
    const world = await lab();
    const { long } = await weak(world);
    await liquidate(world, [long]);
    await world.credit(long, units(1n));
    const { events } = await liquidate(world, [long]);
    expect(skips(events)).to.deep.equal([[long, REASON.healthy]]);
    expect(await world.harness.clockOf(long)).to.equal(0n);
  });

  it("keeps the clock between maintenance and 1.25 of it", async () => {
    const world = await lab();
    const { long } = await weak(world);
    await liquidate(world, [long]);
    await world.credit(long, cents(60n));
    const { events } = await liquidate(world, [long]);
    expect(skips(events)).to.deep.equal([[long, REASON.healthy]]);
    expect(await world.harness.clockOf(long)).to.not.equal(0n);
    await networkHelpers.time.increase(60);
    const late = await world.deleverage([long]);
    expect(skips(late.events)).to.deep.equal([[long, REASON.healthy]]);
  });

  it("needs the account to be below maintenance at mark and at index", async () => {
    const world = await lab();
    const { long } = await weak(world);
    await world.setPrice(0, { mark: 975n * UNIT, index: 990n * UNIT });
    const { events } = await liquidate(world, [long]);
    expect(skips(events)).to.deep.equal([[long, REASON.healthy]]);
  });

  it("reduces the largest requirement first and leaves dead markets out", async () => {
    const markets = [{ penalty: 0n }, { penalty: 0n }, { penalty: 0n }];
    const world = await lab(...markets);
    const short = await world.open(units(10_000n));
    const maker = await world.open(units(10_000n));
    const long = await world.open(units(9n));
    for (const [market, lots] of [3n, 10n, 20n].entries()) {
      await world.trade(long, short, { lots: lots * SIZE, ticks: 1000n, market });
      await world.place(maker, LONG, 40n * SIZE, 975n, market);
    }
    await world.setTicks(975n, 1);
    await world.setTicks(975n, 2);
    await world.setPrice(2, { grade: DEAD });
    // 9 − 2.5 − 5 = 1.5 against 0.3 + 0.975 + 1.95.
    const { events } = await liquidate(world, [long]);
    expect(eventsNamed(events, "Liquidated")[0]?.args.market).to.equal(1n);
    expect(await world.lotsOf(long, 2), "dead").to.equal(20n * SIZE);
  });

  it("closes a rest below the minimum too", async () => {
    const world = await lab({ penalty: 0n, minNotional: 50_000_000n });
    const { long, maker } = await weak(world);
    await world.place(maker, LONG, 20n * SIZE, 975n);
    await liquidate(world, [long]);
    expect(await world.lotsOf(long), "what is left would be 40 units").to.equal(0n);
    await world.audit();
  });

  it("takes a penalty from what is above the old ratio, a tenth of it for the caller", async () => {
    const world = await lab({});
    const { long, maker } = await weak(world);
    const keeper = await world.open(0n);
    await world.place(maker, LONG, 20n * SIZE, 975n);
    const { events } = await liquidate(world, [long], 100n, keeper);
    // 0.5 % of 95.8; keeping the ratio of 0.5 to 0.975 on what is left would allow 0.49.
    const sold = LOTS - (await world.lotsOf(long));
    const penalty = (sold * 975n * UNIT * 5n) / 1000n;
    const [end] = eventsNamed(events, "LiquidationEnded");
    expect(end?.args.penalty).to.equal(penalty);
    // The sale counted it in: one call ends at the target, and with the fewest lots that do.
    const missing = (less: bigint) => {
      const left = ((LOTS - sold + less) * 975n * UNIT * 125n) / 10_000n;
      return left - (units(1n) / 2n - ((sold - less) * 975n * UNIT * 5n) / 1000n);
    };
    expect(missing(0n)).to.be.lessThanOrEqual(0n);
    expect(missing(1n)).to.be.greaterThan(0n);
    expect(await world.harness.balanceOf(keeper)).to.equal(penalty / 10n);
    expect(await world.harness.balanceOf(FUND)).to.equal(penalty - penalty / 10n);
    await world.audit();
  });

  it("takes a penalty for what the book took, not for what it was offered", async () => {
    const world = await lab({});
    const { long, maker } = await weak(world);
    await world.place(maker, LONG, 2n * SIZE, 975n);
    const { events } = await liquidate(world, [long]);
    expect(await world.lotsOf(long)).to.equal(8n * SIZE);
    // 0.5 % of 19.5; keeping the ratio of 0.5 to 0.975 on what is left would allow 0.1.
    const penalty = (2n * SIZE * 975n * UNIT * 5n) / 1000n;
    expect(eventsNamed(events, "LiquidationEnded")[0]?.args.penalty).to.equal(penalty);
    await world.audit();
  });

  it("never reverts for one bad account", async () => {
    const world = await lab();
    const { long, short, maker } = await weak(world);
    await world.place(maker, LONG, 20n * SIZE, 975n);
    const flat = await world.open(units(1n));
    const { events } = await liquidate(world, [1, 99, short, flat, long]);
    expect(skips(events)).to.deep.equal([
      [1, REASON.unknown],
      [99, REASON.unknown],
      [short, REASON.healthy],
      [flat, REASON.healthy],
    ]);
    expect(await world.lotsOf(long)).to.equal(KEPT);
  });

  it("stops at the bound on fills, for all accounts together", async () => {
    const world = await lab();
    const { long, short, maker } = await weak(world);
    const other = await world.open(units(3n));
    await world.trade(other, short, { lots: LOTS, ticks: 1000n });
    for (let i = 0; i < 5; i++) await world.place(maker, LONG, 1n * SIZE, 975n);
    const { events } = await liquidate(world, [long, other], 2n);
    expect(eventsNamed(events, "Filled")).to.have.length(2);
    expect(await world.lotsOf(long)).to.equal(8n * SIZE);
    expect(await world.lotsOf(other)).to.equal(LOTS);
    for (const account of [long, other]) {
      expect(await world.harness.clockOf(account)).to.not.equal(0n);
    }
  });
});

describe("takeover", () => {
  const GAS = { gasLimit: 16_000_000n };

  it("hands lots over at the limit, a whole tick towards mark, up to the target", async () => {
    const world = await lab();
    const { long, maker } = await weak(world);
    const worst = 1000n * UNIT;
    const { events } = await world.done(
      world.harness.takeover(long, maker, 0, 100n * SIZE, worst, GAS),
    );
    const [sale] = eventsNamed(events, "Liquidated");
    // 0.2 % below 975 is 973.05.
    expect(sale?.args.limit).to.equal(974n * UNIT);
    expect(sale?.args.quote).to.equal(974n * UNIT * (sale?.args.lots ?? 0n));
    expect(await world.lotsOf(maker)).to.equal(sale?.args.lots);
    const health = await world.harness.healthOf(long);
    expect(health.equity * 4n >= health.maintenance * 5n).to.equal(true);
    expect(await world.lotsOf(long)).to.equal(LOTS - (sale?.args.lots ?? 0n));
    await world.audit();
  });

  it("gives a short's lots at a price above mark", async () => {
    const world = await lab();
    const short = await world.open(units(3n));
    const rich = await world.open(units(1000n));
    await world.trade(rich, short, { lots: LOTS, ticks: 1000n });
    await world.setTicks(1025n);
    const taker = await world.open(units(1000n));
    await world.done(world.harness.takeover(short, taker, 0, 2n * SIZE, 0, GAS));
    expect(await world.lotsOf(taker)).to.equal(2n * SIZE);
    // 0.2 % above 1025 is 1027.05, down to 1027.
    expect(await world.equity(taker)).to.equal(units(1000n) + 4n * TICK);
    await world.audit();
  });

  it("closes what the taker holds on the other side first", async () => {
    const world = await lab();
    const { long, short } = await weak(world);
    await world.done(world.harness.takeover(long, short, 0, 3n * SIZE, 1000n * UNIT, GAS));
    expect(await world.lotsOf(short)).to.equal(7n * SIZE);
    await world.audit();
  });

  it("serves the book first, as far as it is better", async () => {
    const world = await lab();
    const { long, maker } = await weak(world);
    await world.place(maker, LONG, 2n * SIZE, 976n);
    await world.place(maker, LONG, 20n * SIZE, 973n);
    const taker = await world.open(units(1000n));
    const { events } = await world.done(
      world.harness.takeover(long, taker, 0, 100n * SIZE, 1000n * UNIT, GAS),
    );
    const [first, second] = eventsNamed(events, "Liquidated").map(({ args }) => args);
    expect(first).to.include({ buyer: 0n, lots: 2n * SIZE, quote: 2n * 976n * TICK });
    expect(second).to.include({ buyer: BigInt(taker), limit: 974n * UNIT });
    expect(await world.lotsOf(maker)).to.equal(2n * SIZE);
    expect(await world.lotsOf(taker)).to.equal(second?.lots);
    await world.audit();
  });

  it("takes nothing over where the book takes it all", async () => {
    const world = await lab();
    const { long, maker } = await weak(world);
    await world.place(maker, LONG, 20n * SIZE, 976n);
    const taker = await world.open(units(1000n));
    const call = world.harness.getFunction("takeover");
    const args = [long, taker, 0, 100n * SIZE, 1000n * UNIT] as const;
    expect(await call.staticCall(...args)).to.equal(0n);
    await world.done(call(...args, GAS));
    expect(await world.lotsOf(taker)).to.equal(0n);
    const health = await world.harness.healthOf(long);
    expect(health.equity * 4n >= health.maintenance * 5n).to.equal(true);
  });

  it("refuses what the taker did not agree to, and who may not be taken over", async () => {
    const world = await lab();
    const { long, short, maker } = await weak(world);
    const call = (from: number, to: number, lots: bigint, worst: bigint) =>
      world.harness.takeover(from, to, 0, lots, worst, GAS);
    await expect(call(long, maker, 5n * SIZE, 973n * UNIT))
      .to.be.revertedWithCustomError(world.harness, "WorseThanLimit")
      .withArgs(974n * UNIT, 973n * UNIT);
    await expect(call(long, long, 5n, 1000n * UNIT))
      .to.be.revertedWithCustomError(world.harness, "SameAccount")
      .withArgs(long);
    await expect(call(long, 1, 5n, 1000n * UNIT))
      .to.be.revertedWithCustomError(world.harness, "UnknownAccount")
      .withArgs(1);
    await expect(call(short, maker, 5n, 0n)).to.be.revertedWithCustomError(
      world.harness,
      "NotLiquidatable",
    );
    await world.setPrice(0, { grade: DEAD });
    await expect(call(long, maker, 5n * SIZE, 1000n * UNIT))
      .to.be.revertedWithCustomError(world.harness, "PriceNotFresh")
      .withArgs(0, 0, 1);
  });
});
