import { expect } from "chai";
import fc from "fast-check";
import { eventsNamed } from "../scripts/lib/events.js";
import {
  createLab,
  deployHarness,
  FUND,
  networkHelpers,
  PRO_RATA,
  QUEUE,
  SIZE,
  WHOLE,
} from "./WaterfallFixture.js";
import type { Lab, MarketOptions } from "./WaterfallFixture.js";

/* Accounts of one event that stand against each other: nobody escapes by being named with those he won against. */

/** 10 lots at 1000 ticks are 100 units; 1 tick is 0.1 units for them. */
const LOTS = 10n * SIZE;
const ACCOUNTS = 7;
const SEED = 0xba11a57;
const RUNS = 60;
const units = (amount: bigint) => amount * WHOLE;

async function lab(...markets: readonly MarketOptions[]): Promise<Lab> {
  return createLab(await networkHelpers.loadFixture(deployHarness), markets);
}

/** A long is ruined in market 0; its short won 20 and is ruined in market 1, where a third account won 30. */
async function chain(world: Lab, margin = units(5n)) {
  const long = await world.open(units(10n));
  const middle = await world.open(margin);
  const winner = await world.open(units(1000n));
  await world.trade(long, middle, { lots: LOTS, ticks: 1000n });
  await world.trade(middle, winner, { lots: LOTS, ticks: 1000n, market: 1 });
  await world.setTicks(800n);
  await world.setTicks(700n, 1);
  return { long, middle, winner };
}

describe("Deleverage, both sides named", () => {
  it("charges what an insolvent account of the event gained, and those it lost to in turn", async () => {
    const world = await lab({}, {});
    const { long, middle, winner } = await chain(world);
    const { events } = await world.event([long, middle]);
    // The long is missing 10, all of which is the middle's, who then lacks 15 and not 5.
    const [gain] = eventsNamed(events, "GainCharged");
    expect(gain?.args).to.include({ market: 0n, account: BigInt(middle), amount: units(10n) });
    // In market 0 nothing is left, neither of lots nor of a deficit.
    const receipts = eventsNamed(events, "Deleveraged").map(({ args }) => args);
    expect(receipts.map(({ market }) => market)).to.deep.equal([1n]);
    expect(receipts[0]?.receipt).to.include({ deficit: units(15n), haircut: units(15n) });
    expect(await world.equity(long), "INV-7").to.equal(0n);
    expect(await world.equity(middle), "INV-7").to.equal(0n);
    expect(await world.equity(winner)).to.equal(units(1015n));
  });

  it("gives the winner what it would have got from one after the other", async () => {
    const world = await lab({}, {});
    const { long, middle, winner } = await chain(world);
    await world.event([long]);
    await world.event([middle]);
    expect(await world.equity(winner)).to.equal(units(1015n));
  });

  it("charges it in proportion with other winners of its side", async () => {
    const world = await lab({}, {});
    const other = await world.open(units(1000n));
    const rich = await world.open(units(1000n));
    await world.trade(rich, other, { lots: LOTS, ticks: 1000n });
    const { long, middle, winner } = await chain(world);
    const { events } = await world.event([middle, long]);
    const given = eventsNamed(events, "GainCharged")[0]?.args.amount ?? 0n;
    const [first, second] = eventsNamed(events, "Deleveraged").map(({ args }) => args.receipt);
    expect([given, first?.haircut, second?.haircut]).to.deep.equal([
      units(5n),
      units(5n),
      units(10n),
    ]);
    expect(await world.equity(other)).to.equal(units(1015n));
    expect(await world.equity(winner)).to.equal(units(1020n));
  });

  it("does not depend on their order (INV-14)", async () => {
    const world = await lab({}, {});
    const { long, middle, winner } = await chain(world);
    await world.event([middle, long]);
    expect(await world.equity(winner)).to.equal(units(1015n));
  });

  it("keeps what a solvent account gained among what is charged", async () => {
    const world = await lab({ freshEpoch: 240n }, { freshEpoch: 240n });
    const { long, middle } = await chain(world, units(11n));
    await world.setTicks(701n, 1);
    await world.done(world.harness.liquidate([middle], 0, 0, { gasLimit: 16_000_000 }));
    await networkHelpers.time.increase(3600);
    // 0.5 % of 150.1, of an equity of 1.1; the fund may pay a fifth of it, and up to three fifths.
    const penalty = (units(1501n) * 5n) / 10_000n;
    const permits = new Map([[0, { event: penalty / 5n, beyond: (penalty * 2n) / 5n }]]);
    const penalties = new Map([[middle, penalty]]);
    const { events } = await world.event([middle, long], { penalties, permits });
    const [receipt] = eventsNamed(events, "Deleveraged");
    const fresh = units(11n) / 10n - penalty;
    expect(receipt?.args.receipt).to.include({ deficit: units(10n), freshCharge: fresh });
    expect(await world.equity(middle)).to.equal(0n);
  });

  it("finds all lots of the shorts when fewer longs than shorts are named", async () => {
    const world = await lab({});
    const poor = [await world.open(units(1n)), await world.open(units(1n))] as const;
    const [long, short] = poor;
    const [first, second, third, fourth] = await world.openMany(4, units(1000n));
    // The winners have left at today's price, so that nobody is in profit.
    await world.trade(long, first ?? 0, { lots: 3n * SIZE, ticks: 1000n });
    await world.trade(first ?? 0, second ?? 0, { lots: 3n * SIZE, ticks: 800n });
    await world.trade(third ?? 0, short, { lots: 5n * SIZE, ticks: 600n });
    await world.trade(fourth ?? 0, third ?? 0, { lots: 5n * SIZE, ticks: 800n });
    await world.setTicks(800n);
    const { events } = await world.event(poor);
    const receipts = eventsNamed(events, "Deleveraged").map(({ args }) => args.receipt);
    // A hundredth of 8 units for each of 5 long and 3 short lots.
    expect(receipts.map(({ principal }) => principal)).to.deep.equal([
      (units(8n) * 5n) / 100n,
      (units(8n) * 3n) / 100n,
    ]);
  });

  it("does at random what the model does, with everyone against everyone in three markets", async function () {
    this.timeout(300_000);
    const seen = { charged: 0, rounds: 0 };
    const account = fc.integer({ min: 0, max: ACCOUNTS - 1 });
    const trade = fc.record({
      market: fc.integer({ min: 0, max: 2 }),
      buyer: account,
      seller: account,
      lots: fc.bigInt({ min: SIZE, max: 3n * LOTS }),
    });
    const ticks = fc.bigInt({ min: 700n, max: 1300n });
    const property = fc.asyncProperty(
      fc.array(trade, { minLength: 8, maxLength: 24 }),
      fc.tuple(ticks, ticks, ticks),
      fc.tuple(fc.boolean(), fc.boolean(), fc.bigInt({ min: 0n, max: 20n })),
      async (trades, marks, [isProRata, isQueue, fund]) => {
        const odd = {
          ...(isProRata ? { quantityRule: PRO_RATA } : {}),
          ...(isQueue ? { deficitRule: QUEUE } : {}),
        };
        const world = await lab({}, {}, odd);
        const ids: number[] = [];
        for (let i = 0; i < ACCOUNTS; i++) ids.push(await world.open(units(BigInt(5 + 4 * i))));
        for (const { buyer, seller, market, lots } of trades) {
          const [long = 0, short = 0] = [ids[buyer], ids[seller]];
          if (long !== short) await world.trade(long, short, { market, lots, ticks: 1000n });
        }
        for (const [market, mark] of marks.entries()) await world.setTicks(mark, market);
        const due = ids.filter((id) => world.model.equity(id).floor() < 0n);
        if (due.length === 0) return;
        await world.credit(FUND, units(fund));
        const events = await world.laterEvent(due, 0n);
        const gains = eventsNamed(events, "GainCharged").map(({ args }) => args);
        const places = gains.map((args) => `${args.account} in ${args.market}`);
        if (gains.length > 0) seen.charged++;
        if (new Set(places).size < places.length) seen.rounds++;
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: RUNS, endOnFailure: true });
    for (const [what, times] of Object.entries(seen)) expect(times, what).to.be.greaterThan(2);
  });
});
