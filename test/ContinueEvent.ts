import { expect } from "chai";
import { eventsNamed } from "../scripts/lib/events.js";
import type { ExchangeEvent } from "../scripts/lib/events.js";
import type { State } from "../scripts/lib/state.js";
import {
  createLab,
  deployHarness,
  expectSame,
  FUND,
  LONG,
  networkHelpers,
  PRO_RATA,
  QUEUE,
  WHOLE,
} from "./WaterfallFixture.js";
import type { Lab, MarketOptions } from "./WaterfallFixture.js";

/* An event that does not fit into one transaction ends exactly as the single event of the model does. */

const units = (amount: bigint) => amount * WHOLE;
/** Small, because the highest entries are a thousand times the mark. */
const UNIT = 10n ** 12n;
/** What the loser has; it loses four times as much. */
const STAKE = 10n ** 15n;
/** More price classes than one transaction charges: nine and a half octaves above the mark. */
const CLASSES = 620;
const BATCH = 60;

/** Every price class from 1008 ticks up has one short of a lot; losers stand against them. */
async function bigWorld(options: MarketOptions) {
  const world = await createLab(await deployHarness(), [{ unit: UNIT, ...options }]);
  const rich = await world.open(units(10n ** 9n));
  const loser = await world.open(STAKE);
  const shorts = await world.openMany(CLASSES, units(1000n));
  const ticks = shorts.map((_, i) => edgeOf(640 + i));
  for (let from = 0; from < CLASSES; from += BATCH) {
    await world.tradeMany(rich, shorts.slice(from, from + BATCH), ticks.slice(from, from + BATCH));
  }
  await world.trade(loser, rich, { lots: 400n, ticks: 1000n });
  await world.setTicks(990n);
  return { world, loser, rich, shorts };
}

/** The lower edge of a price class, in whole ticks; class 640 starts at 1024. */
function edgeOf(priceClass: number): bigint {
  const exponent = BigInt(Math.floor(priceClass / 64));
  return ((64n + BigInt(priceClass % 64)) * 2n ** exponent) / 64n + 0n;
}

/** Steps of the n-th call: as many as a transaction takes, or small ones that stop everywhere, or one by one and then many. */
const PACES: readonly ((call: number) => bigint)[] = [
  () => 600n,
  (call) => (call < 30 ? 1n : 149n),
  (call) => BigInt(1 + ((call * 37) % 61)),
  // One by one takes minutes, so it is for deep runs.
  ...(process.env["BALLAST_DEEP"] === undefined ? [] : [() => 1n]),
];

async function finish(world: Lab, pace: (call: number) => bigint): Promise<ExchangeEvent[]> {
  const all: ExchangeEvent[] = [];
  for (let call = 0; call < 10_000; call++) {
    const { events } = await world.done(
      world.harness.continueEvent(0, pace(call), 0, { gasLimit: 16_000_000n }),
    );
    all.push(...events);
    if (eventsNamed(events, "EventFinished").length > 0) return all;
    if (call % 20 === 0) await world.audit();
  }
  throw new Error("the event ends");
}

/** Price classes charged, by profit and by principal, and cohorts cut. */
function piecesIn(events: readonly ExchangeEvent[]): number {
  const names = ["Haircut", "PrincipalCharged", "CohortCut"] as const;
  return names.reduce((total, name) => total + eventsNamed(events, name).length, 0);
}

/** All of a state but the time at which the event ended. */
function textOf(state: State): string {
  return JSON.stringify(state, (key, value: unknown) => {
    if (key === "longTime" || key === "shortTime") return undefined;
    if (value instanceof Map) return [...value];
    return typeof value === "bigint" ? value.toString() : value;
  });
}

describe("An event that is stored", () => {
  for (const [name, options, fund, least] of [
    ["charges profit and principal", {}, 0n, 1000],
    ["cuts many cohorts pro rata", { quantityRule: PRO_RATA, deficitRule: QUEUE }, 5n * STAKE, 400],
  ] as const) {
    it(`${name} and ends like the single event, however it is cut`, async function () {
      this.timeout(600_000);
      const { world, loser } = await bigWorld(options);
      if (fund > 0n) await world.credit(FUND, fund);
      if (name.includes("principal")) {
        await world.setPrice(0, { funding: (10n ** 6n * UNIT) << 32n });
      }
      const first = await world.deleverage([loser]);
      expect(eventsNamed(first.events, "EventStored"), "it does not fit").to.have.length(1);
      expect((await world.harness.bookOf(0)).status & 4n).to.equal(4n);
      await world.audit();
      const permit = { event: fund / 5n, beyond: (fund * 2n) / 5n };
      const expected = world.model.deleverage({
        accounts: [loser],
        permits: new Map([[0, permit]]),
      });

      const snapshot = await networkHelpers.takeSnapshot();
      const ends: string[] = [];
      for (const pace of PACES) {
        const rest = await finish(world, pace);
        expectSame([...first.events, ...rest], expected);
        expect(piecesIn([...first.events, ...rest])).to.be.greaterThanOrEqual(least);
        expect((await world.harness.bookOf(0)).status & 4n).to.equal(0n);
        ends.push(textOf(await world.audit()));
        if (ends.length === 1) await world.expectSameAccounts();
        await snapshot.restore();
      }
      expect(new Set(ends).size, "the same state").to.equal(1);
    });
  }

  it("charges the fresh profit that was there when it began, however long it takes", async function () {
    this.timeout(600_000);
    const { world, loser, rich } = await bigWorld({ freshEpoch: 240n });
    const holder = await world.open(units(1000n));
    await world.trade(rich, holder, { lots: 10n ** 6n, ticks: 1000n });
    await world.trade(holder, rich, { lots: 10n ** 6n, ticks: 990n });
    const first = await world.deleverage([loser]);
    const expected = world.model.deleverage({ accounts: [loser] });
    await networkHelpers.time.increase(1000);
    const rest = await finish(world, () => 600n);
    expect(eventsNamed(rest, "FreshCharged")[0]?.args.amount).to.be.greaterThan(0n);
    expectSame([...first.events, ...rest], expected);
    await world.audit();
    await world.expectSameAccounts();
  });

  it("is paid for by the fund, a little for each step", async function () {
    this.timeout(600_000);
    const { world, loser } = await bigWorld({});
    await world.deleverage([loser]);
    const keeper = await world.open(0n);
    await world.credit(FUND, units(1n));
    const { events } = await world.done(
      world.harness.continueEvent(0, 5n, keeper, { gasLimit: 16_000_000n }),
    );
    expect(eventsNamed(events, "Haircut")).to.have.length(5);
    expect(await world.harness.balanceOf(keeper)).to.equal(units(5n) / 100n);
    expect(await world.harness.balanceOf(FUND)).to.equal(units(95n) / 100n);
  });

  it("pays no more than the fund has", async function () {
    this.timeout(600_000);
    const { world, loser } = await bigWorld({});
    await world.deleverage([loser]);
    const keeper = await world.open(0n);
    const little = units(3n) / 100n;
    await world.credit(FUND, little);
    await world.done(world.harness.continueEvent(0, 5n, keeper, { gasLimit: 16_000_000n }));
    expect(await world.harness.balanceOf(keeper)).to.equal(little);
    expect(await world.harness.balanceOf(FUND)).to.equal(0n);
  });

  it("makes a thousand steps a call at most, of which a cohort is eight", async function () {
    this.timeout(600_000);
    const { world, loser } = await bigWorld({});
    await world.setPrice(0, { funding: (10n ** 6n * UNIT) << 32n });
    await world.deleverage([loser]);
    const keeper = await world.open(0n);
    await world.credit(FUND, units(100n));
    const { events } = await world.done(
      world.harness.continueEvent(0, 2000n, keeper, { gasLimit: 16_000_000n }),
    );
    const charges = ["Haircut", "PrincipalCharged"] as const;
    // The event itself charged the profit of 600 classes.
    expect(charges.map((name) => eventsNamed(events, name).length)).to.deep.equal([20, CLASSES]);
    expect(eventsNamed(events, "CohortCut")).to.have.length((1000 - 20 - CLASSES) / 8);
    expect(await world.harness.balanceOf(keeper)).to.equal(units(10n));
  });

  it("has nothing for the book, which would close who is not charged yet", async function () {
    this.timeout(600_000);
    const { world, loser, rich } = await bigWorld({});
    await world.place(rich, LONG, 400n, 990n);
    const first = await world.deleverage([loser], 100n);
    expect(eventsNamed(first.events, "EventStored")).to.have.length(1);
    const rest = await finish(world, () => 600n);
    expectSame([...first.events, ...rest], world.model.deleverage({ accounts: [loser] }));
    expect(eventsNamed([...first.events, ...rest], "Filled")).to.deep.equal([]);
  });

  it("keeps its accounts out of other events until it is done", async function () {
    this.timeout(600_000);
    const { world, loser, rich, shorts } = await bigWorld({});
    await world.deleverage([loser]);
    const [holder = 0] = shorts;
    for (const call of [
      world.harness.deleverage([holder], 0, 0, { gasLimit: 16_000_000n }),
      world.harness.liquidate([holder], 0, 0, { gasLimit: 16_000_000n }),
    ]) {
      const { events } = await world.done(call);
      expect(eventsNamed(events, "Skipped")[0]?.args.reason, "EventPending").to.equal(4n);
    }
    await expect(world.harness.takeover(holder, rich, 0, 1n, 0n, { gasLimit: 16_000_000n }))
      .to.be.revertedWithCustomError(world.harness, "EventPending")
      .withArgs(0n);
  });
});
