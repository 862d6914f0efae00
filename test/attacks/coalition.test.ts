import { expect } from "chai";
import { network } from "hardhat";
import { BTC, buy, cancelAll, createWorld, sell, setLeverage } from "../fixtures.js";
import type { World } from "../fixtures.js";
import type { MarketOverrides } from "../../scripts/deploy/parameters.js";
import { fundOf, gainOf, gather, units, withdrawAll } from "./coalition.js";
import type { Coalition } from "./coalition.js";

/*
 * Accounts of one attacker on both sides of a market. What they trade among themselves brings nothing: it is what the fund or others
 * lose that pays. Every attack is played in two worlds, with its guard at the loosest bound and by default.
 */

const connection = await network.create();
const TEN_TIMES = 4;
const FIFTY_TIMES = 6;
/** Nothing but the guard in question stands in the way. */
const OPEN: MarketOverrides = {
  volatilityFactor: 0,
  concentration: 0,
  accountShare: 100,
  crowdingFrom: 100,
  takerFee: 0,
  makerFee: 0,
};
const worldOf = (overrides: MarketOverrides) =>
  createWorld(connection, { overrides: { ...OPEN, ...overrides } });

/** Longs and shorts in pairs, as many as the market takes. @returns BTC a side. */
async function pairUp(
  world: World,
  { members }: Coalition,
  { leverage, size }: { leverage: number; size: string },
): Promise<number> {
  for (let i = 0; i + 1 < members.length; i += 2) {
    const [long, short] = [members[i], members[i + 1]];
    if (!long || !short) break;
    await world.again();
    await world.execute(long, setLeverage(leverage));
    await world.execute(short, setLeverage(leverage));
    // Where there is no room the short's order is removed, and the long's finds nothing.
    await world.trade(long, short, { price: "10000", size });
  }
  const { flow } = await world.exchange.marketOf(BTC);
  return Number(flow.openInterest) / 1e8;
}

describe("attack: a coalition on both sides of a gap", () => {
  /** The index falls by 7 %, more than their margin; the longs are bankrupt and the shorts keep what they gained. */
  async function play(overrides: MarketOverrides, to = "9300") {
    const world = await worldOf(overrides);
    await world.fillFund("10000");
    const coalition = await gather(
      world,
      Array.from({ length: 20 }, () => "2100"),
    );
    const size = await pairUp(world, coalition, { leverage: FIFTY_TIMES, size: "10" });
    const before = await fundOf(world);
    await world.setPrice(to, BTC, 60n);
    const longs = coalition.members.filter((_, i) => i % 2 === 0).map(({ account }) => account);
    await world.exchange.deleverage(longs, 100, 0);
    return {
      size,
      gain: await gainOf(world, coalition),
      lost: before - (await fundOf(world)),
    };
  }

  it("takes the budget of an event by a move beyond what was stated, whatever the cap: by default from a fifth of the size", async () => {
    const control = await play({ move: 1000, topShare: 100 });
    const normal = await play({ move: 25_000, topShare: 50 });
    expect([control.size, normal.size]).to.deep.equal([100, 20]);
    // 20 % of the fund; the rest of the deficit is the haircut of their own winners.
    for (const { gain, lost } of [control, normal]) {
      expect(lost).to.be.within(units(1990), units(2010));
      expect(gain).to.be.within(units(1980), lost);
    }
  });

  it("takes no more than cap × (move − maintenance) by a move that the market was listed for", async () => {
    const control = await play({ move: 1000, topShare: 100 }, "9750");
    const normal = await play({ move: 25_000, topShare: 50 }, "9750");
    // 2.5 % of 100,000 is 400 more than each long has.
    expect(control.gain).to.be.within(units(1990), units(2010));
    expect(normal.gain).to.be.within(units(790), units(810));
    // A fund of 10,000 has 4,000 a day for it.
    expect(normal.gain).to.be.at.most(units(4000));
  });

  it("at ten times takes nothing by that move, whatever the caps are", async () => {
    const world = await worldOf({ move: 1000, topShare: 100 });
    await world.fillFund("10000");
    const coalition = await gather(world, ["10100", "10100"]);
    expect(await pairUp(world, coalition, { leverage: TEN_TIMES, size: "10" })).to.equal(10);
    await world.setPrice("9750", BTC, 60n);
    await world.exchange.deleverage([coalition.members[0]?.account ?? 0], 100, 0);
    expect(await gainOf(world, coalition)).to.be.at.most(0n);
  });
});

describe("attack: JELLY, a position that is left to the fund", () => {
  /** A short against oneself, its margin pulled down to what the market asks for; then the price rises by half. */
  async function play(overrides: MarketOverrides) {
    const world = await worldOf({ openInterestCap: "100", ...overrides });
    await world.fillFund("100000");
    const coalition = await gather(world, ["30000", "30000"]);
    const [long, short] = coalition.members;
    if (!long || !short) throw new Error("two");
    await world.execute(long, setLeverage(FIFTY_TIMES));
    await world.execute(short, setLeverage(FIFTY_TIMES));
    // As much as the market takes of 60, 30, 20 and 10.
    for (const size of ["60", "30", "20", "10"]) {
      await world.again();
      await world.trade(long, short, { price: "10000", size }).catch(() => undefined);
      if ((await world.exchange.positionOf(short.account, BTC)).lots !== 0n) break;
      await world.execute(short, cancelAll());
    }
    const { lots } = await world.exchange.positionOf(short.account, BTC);
    await withdrawAll(world, short);
    await withdrawAll(world, long);
    for (const price of ["10700", "11400", "12200", "13000", "14000", "15000"]) {
      await world.setPrice(price, BTC, 30n);
      await world.exchange.deleverage([short.account], 100, 0);
    }
    return { size: Number(lots) / 1e8, gain: await gainOf(world, coalition) };
  }

  it("takes the budget of an event; by default a large position needs the margin of its size, and a quarter is left", async () => {
    const control = await play({ move: 1000, topShare: 100, openInterestCap: "100" });
    const normal = await play({
      move: 25_000,
      topShare: 50,
      concentration: 10,
      accountShare: 20,
      crowdingFrom: 50,
    });
    expect([control.size, normal.size]).to.deep.equal([60, 10]);
    // The event's budget of 20,000, against 5,000 by the time that the first price leaves it without equity.
    expect(control.gain).to.be.within(units(19_990), units(20_000));
    expect(normal.gain).to.be.within(units(4_990), units(5_000));
  });
});

describe("attack: Mango, profit that is not paid for", () => {
  it("cannot be taken out while it is unrealised, nor right after a friend paid for it on paper", async () => {
    const world = await worldOf({});
    const coalition = await gather(world, ["20000", "20000"]);
    const [long, short] = coalition.members;
    if (!long || !short) throw new Error("two");
    await world.trade(long, short, { price: "10000", size: "10" });
    for (const price of ["10500", "11000", "11500"]) await world.setPrice(price, BTC, 30n);
    const { health, withdrawable } = await world.health(long);
    expect(health.equity / 10n ** 18n).to.equal(34_999n);
    // Its own deposit less initial margin of 11,500, not a cent of 15,000 of profit.
    expect(withdrawable / 10n ** 18n).to.equal(8_499n);
    await world.execute(short, buy("11500", "10", { reduceOnly: true }));
    await world.execute(long, sell("11500", "10", { reduceOnly: true, timeInForce: "ioc" }));
    // Realised now, and still not to be had: it is fresh.
    expect((await world.health(long)).withdrawable / 10n ** 18n).to.be.within(19_990n, 20_000n);
    expect(await gainOf(world, coalition)).to.be.at.most(0n);
  });
});

describe("attack: a friend who is filled where it hurts", () => {
  it("finds no order that leaves an account below its margin: it is removed instead", async () => {
    const world = await worldOf({});
    await world.fillFund("10000");
    const coalition = await gather(world, ["250", "30000"]);
    const [poor, friend] = coalition.members;
    if (!poor || !friend) throw new Error("two");
    await world.execute(poor, setLeverage(FIFTY_TIMES));
    // Bids five percent above mark, each of which would cost the poor 500.
    await world.execute(poor, buy("10400", "0.1"), buy("10300", "0.1"));
    const mark = "9990";
    await world.setPrice(mark, BTC, 10n);
    await world.execute(friend, sell("10300", "0.2", { timeInForce: "ioc" }));
    await world.execute(friend, buy(mark, "0.2", { timeInForce: "ioc" }));
    expect(await gainOf(world, coalition)).to.be.at.most(0n);
    expect((await world.health(poor)).health.equity).to.be.greaterThan(0n);
  });
});
