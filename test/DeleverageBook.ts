import { expect } from "chai";
import { eventsNamed } from "../scripts/lib/events.js";
import {
  createLab,
  deployHarness,
  FUND,
  LONG,
  networkHelpers,
  SIZE,
  TICK,
  UNIT,
  WHOLE,
} from "./WaterfallFixture.js";
import type { Lab, MarketOptions } from "./WaterfallFixture.js";

/* What the book takes of an event, and who pays the difference to mark. */

const LOTS = 10n * SIZE;
const units = (amount: bigint) => amount * WHOLE;

/** A long that is insolvent at 800, and a maker with bids around mark. */
async function crash(
  bids: readonly { lots: bigint; ticks: bigint }[],
  { fund = 0n, options = {} }: { fund?: bigint; options?: MarketOptions } = {},
) {
  const world = await createLab(await networkHelpers.loadFixture(deployHarness), [options]);
  if (fund > 0n) await world.credit(FUND, fund);
  const long = await world.open(units(10n));
  const short = await world.open(units(1000n));
  const maker = await world.open(units(1000n));
  await world.trade(long, short, { lots: LOTS, ticks: 1000n });
  await world.setTicks(800n);
  for (const { lots, ticks } of bids) await world.place(maker, LONG, lots, ticks);
  return { world, long, short, maker };
}

/** 20 % and 40 % of the fund. */
const permits = (fund: bigint) => new Map([[0, { event: fund / 5n, beyond: (fund * 2n) / 5n }]]);

function lotsOf(events: Awaited<ReturnType<Lab["deleverage"]>>["events"]) {
  const [first] = eventsNamed(events, "Deleveraged");
  const { bookLots = 0n, queueLots = 0n } = first?.args.receipt ?? {};
  return { bookLots, queueLots };
}

describe("Deleverage, the book", () => {
  it("gets lots at mark or better without the fund, and what is better goes to the fund", async () => {
    const { world, long, maker } = await crash([
      { lots: 2n * SIZE, ticks: 802n },
      { lots: 3n * SIZE, ticks: 800n },
      { lots: 4n * SIZE, ticks: 799n },
    ]);
    const bookFills = [
      { market: 0, maker, lots: 2n * SIZE, ticks: 802n },
      { market: 0, maker, lots: 3n * SIZE, ticks: 800n },
    ];
    const { events } = await world.event([long], { maxFills: 100n, bookFills });
    expect(lotsOf(events)).to.deep.equal({ bookLots: 5n * SIZE, queueLots: 5n * SIZE });
    // 2 lots at 2 ticks of 0.01 units.
    expect(await world.harness.balanceOf(FUND)).to.equal(4n * TICK);
    expect(await world.lotsOf(maker)).to.equal(5n * SIZE);
  });

  it("may slip as far as the fund has budget beyond the deficit", async () => {
    // 20 % of 51 are 10.2: the deficit of 10 leaves 0.2, at most 0.04 a lot: 5 lots.
    const fund = units(51n);
    const { world, long, maker } = await crash([{ lots: LOTS, ticks: 797n }], { fund });
    const bookFills = [{ market: 0, maker, lots: 5n * SIZE, ticks: 797n }];
    const { events } = await world.event([long], {
      maxFills: 100n,
      bookFills,
      permits: permits(fund),
    });
    expect(lotsOf(events)).to.deep.equal({ bookLots: 5n * SIZE, queueLots: 5n * SIZE });
    expect(await world.harness.balanceOf(FUND)).to.equal(fund - units(10n) - 15n * TICK);
  });

  it("slips for a single lot", async () => {
    // As above, and what the deficit leaves is the 4 ticks that one lot may cost.
    const fund = 5n * (units(10n) + 4n * UNIT);
    const { world, long, maker } = await crash([{ lots: LOTS, ticks: 797n }], { fund });
    const { events } = await world.event([long], {
      maxFills: 100n,
      bookFills: [{ market: 0, maker, lots: 1n, ticks: 797n }],
      permits: permits(fund),
    });
    expect(lotsOf(events)).to.deep.equal({ bookLots: 1n, queueLots: LOTS - 1n });
  });

  it("slips with the only fill that is allowed", async () => {
    const fund = units(1000n);
    const bids = [
      { lots: 4n * SIZE, ticks: 797n },
      { lots: 6n * SIZE, ticks: 797n },
    ];
    const { world, long, maker } = await crash(bids, { fund });
    const { events } = await world.event([long], {
      maxFills: 1n,
      bookFills: [{ market: 0, maker, lots: 4n * SIZE, ticks: 797n }],
      permits: permits(fund),
    });
    expect(lotsOf(events)).to.deep.equal({ bookLots: 4n * SIZE, queueLots: 6n * SIZE });
  });

  it("does not slip when the deficit took more than the event's budget", async () => {
    const fund = units(10n);
    const { world, long, maker } = await crash([], { fund });
    // Loss of 1 by price and 13 by funding, 10 were there: 2 within the budget, 1 of the winner's profit, 1 beyond the budget of 6.
    await world.setPrice(0, { mark: 990n * UNIT, funding: (130n * UNIT) << 32n });
    await world.place(maker, LONG, LOTS, 986n);
    const { events } = await world.event([long], { maxFills: 100n, permits: permits(fund) });
    const [receipt] = eventsNamed(events, "Deleveraged").map(({ args }) => args.receipt);
    expect([receipt?.fundWithin, receipt?.fundBeyond]).to.deep.equal([units(2n), units(1n)]);
    expect(lotsOf(events)).to.deep.equal({ bookLots: 0n, queueLots: LOTS });
  });

  it("goes no further than mark less liqSlip", async () => {
    const fund = units(1000n);
    const bids = [
      { lots: 4n * SIZE, ticks: 796n },
      { lots: 6n * SIZE, ticks: 795n },
    ];
    const { world, long, maker } = await crash(bids, { fund });
    const bookFills = [{ market: 0, maker, lots: 4n * SIZE, ticks: 796n }];
    const { events } = await world.event([long], {
      maxFills: 100n,
      bookFills,
      permits: permits(fund),
    });
    expect(lotsOf(events)).to.deep.equal({ bookLots: 4n * SIZE, queueLots: 6n * SIZE });
  });

  it("stops at the bound on fills, and the queue takes the rest", async () => {
    const bids = [
      { lots: 2n * SIZE, ticks: 800n },
      { lots: 2n * SIZE, ticks: 800n },
      { lots: 2n * SIZE, ticks: 800n },
    ];
    const { world, long, maker } = await crash(bids);
    const bookFills = [{ market: 0, maker, lots: 4n * SIZE, ticks: 800n }];
    const { events } = await world.event([long], { maxFills: 2n, bookFills });
    expect(lotsOf(events)).to.deep.equal({ bookLots: 4n * SIZE, queueLots: 6n * SIZE });
  });

  it("never fills an order of an account of the event", async () => {
    const { world, long } = await crash([]);
    await world.place(long, LONG, 5n * SIZE, 800n);
    const { events } = await world.event([long], { maxFills: 100n });
    expect(eventsNamed(events, "Filled")).to.deep.equal([]);
    expect(eventsNamed(events, "OrderRemoved")[0]?.args.reason, "Liquidated").to.equal(7n);
    expect(await world.lotsOf(long)).to.equal(0n);
  });

  it("charges the winners before the book moves a lot", async () => {
    // The short bids itself: its profit pays although the book closes it.
    const { world, long, short } = await crash([]);
    await world.place(short, LONG, LOTS, 800n);
    const { events } = await world.event([long], {
      maxFills: 100n,
      bookFills: [{ market: 0, maker: short, lots: LOTS, ticks: 800n }],
    });
    expect(lotsOf(events)).to.deep.equal({ bookLots: LOTS, queueLots: 0n });
    expect(eventsNamed(events, "Haircut")[0]?.args.amount).to.equal(units(10n));
    expect(await world.equity(short)).to.equal(units(1010n));
  });

  it("pays the caller a little for each account, never from an empty fund", async () => {
    const fund = units(100n);
    const { world, long } = await crash([], { fund });
    const keeper = await world.open(0n);
    const empty = await networkHelpers.takeSnapshot();
    await world.deleverage([long], 0n, keeper);
    // 10 % of 0.5 % of a notional of 80.
    expect(await world.harness.balanceOf(keeper)).to.equal(units(4n) / 100n);
    await world.audit();
    await empty.restore();
    await world.done(world.harness.credit(FUND, -fund));
    await world.deleverage([long], 0n, keeper);
    expect(await world.harness.balanceOf(keeper)).to.equal(0n);
  });
});
