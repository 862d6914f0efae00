import { expect } from "chai";
import { network } from "hardhat";
import { MICRO, STATUS } from "../scripts/lib/keys.js";
import {
  BTC,
  buy,
  createWorld,
  ETH,
  LONG,
  sell,
  setLeverage,
  toPrice,
  TOKEN,
  WHOLE,
} from "./fixtures.js";
import type { Trader, World } from "./fixtures.js";

/* How a market ends: an averaged index, after which anyone can close anyone, and everybody gets what is theirs. */

const connection = await network.create();
const { networkHelpers } = connection;
const HOUR = 3600n;
const HEALTHY = 1n;
const NOT_FRESH = 2n;
/** Of Grade. */
const FRESH = 2n;
const FIFTY_TIMES = 6;
const REDUCE_ONLY = "ReduceOnly";

const world = () => createWorld(connection, { overrides: { windWindow: 7200, maxDead: 7200 } });

async function begun() {
  const created = await networkHelpers.loadFixture(world);
  const { exchange, openTrader, trade } = created;
  const [alice, bob, carol] = [
    await openTrader("5000"),
    await openTrader("5000"),
    await openTrader("50000"),
  ];
  await trade(alice, bob, { price: "10000", size: "1" });
  await trade(alice, carol, { price: "10000", size: "0.5" });
  await exchange.windDown(BTC);
  return { ...created, alice, bob, carol };
}

/** An hour at 10,000, an hour at 10,400, and the moment at which it ends. */
async function end({ setPrice, exchange }: World): Promise<void> {
  const { wind } = await windOf(exchange);
  await setPrice("10400", BTC, wind.from + HOUR - (await now()) - 1n);
  await setPrice("12000", BTC, HOUR);
}

const now = async () => BigInt(await networkHelpers.time.latest());

async function windOf(exchange: World["exchange"]) {
  const events = await exchange.queryFilter(exchange.filters.WindChanged());
  const word = BigInt(events.at(-1)?.args.word ?? 0n);
  const field = (shift: bigint, bits: bigint) => BigInt.asUintN(Number(bits), word >> shift);
  const [from, until, last] = [field(0n, 32n), field(32n, 32n), field(64n, 32n)];
  return { wind: { from, until, last, sum: field(96n, 128n) } };
}

async function statusOf({ exchange }: World, market = BTC): Promise<bigint> {
  const { book } = await exchange.marketOf(market);
  return book.status;
}

const lotsOf = async ({ exchange }: World, { account }: Trader, market = BTC) =>
  (await exchange.positionOf(account, market)).lots;

async function withdrawAll({ exchange, ballast }: World, { account, signer }: Trader) {
  const before = await ballast.token.balanceOf(signer.address);
  await exchange.connect(signer).withdraw(account, 2n ** 256n - 1n, signer.address);
  return (await ballast.token.balanceOf(signer.address)) - before;
}

describe("Winding down", () => {
  it("only shrinks from the announcement on, and cannot be called off", async () => {
    const { exchange, execute, alice, bob } = await begun();
    await expect(execute(bob, buy("10000", "0.1")))
      .to.be.revertedWithCustomError(exchange, REDUCE_ONLY)
      .withArgs(BTC);
    await execute(bob, buy("10000", "0.2", { reduceOnly: true }));
    await execute(alice, sell("10000", "0.2", { reduceOnly: true, timeInForce: "ioc" }));
    await expect(exchange.windDown(BTC)).to.be.revertedWithCustomError(
      exchange,
      "AlreadyWindingDown",
    );
    await exchange.reopen(BTC);
    await expect(execute(bob, buy("10000", "0.1"))).to.be.revertedWithCustomError(
      exchange,
      REDUCE_ONLY,
    );
    await expect(exchange.windDown(7)).to.be.revertedWithCustomError(exchange, "UnknownMarket");
  });

  it("ends at the average of the window, whatever the index is at its last moment", async () => {
    const created = await begun();
    await end(created);
    const { price, book } = await created.exchange.marketOf(BTC);
    expect(book.status & (STATUS.ended | STATUS.windingDown)).to.equal(STATUS.ended);
    expect(price.mark).to.equal(price.index);
    const { wind } = await windOf(created.exchange);
    expect([wind.until, wind.last]).to.deep.equal([wind.from + 2n * HOUR, wind.until]);
    // Half of the window at 10,000 and half at 10,400; a few seconds of it belong to the blocks of the test.
    expect(price.mark).to.be.within(toPrice("10199"), toPrice("10201"));
    await created.setPrice("20000", BTC, HOUR);
    const later = await created.exchange.marketOf(BTC);
    expect(later.price.mark).to.equal(price.mark);
    expect(later.price.funding).to.equal(price.funding);
  });

  it("closes whoever is named at that price, takes no penalty, and leaves other markets alone", async () => {
    const created = await begun();
    const { exchange, trade, alice, bob, carol, again } = created;
    await trade(alice, carol, { price: "1000", size: "1", market: ETH });
    await end(created);
    await again();
    const before = await created.health(alice);
    const [fund] = [await exchange.balanceOf(1)];
    await exchange.deleverage([alice.account], 10, carol.account);
    expect(await lotsOf(created, alice)).to.equal(0n);
    expect(await lotsOf(created, alice, ETH)).to.be.greaterThan(0n);
    const after = await created.health(alice);
    // The bond of its cohort comes back, and ETH's funding goes on for a few seconds.
    const change = after.health.equity - before.health.equity;
    expect(change).to.be.within(WHOLE / 11n, WHOLE / 9n);
    expect(await exchange.balanceOf(1)).to.equal(fund);
    // Nobody else was touched.
    expect(await lotsOf(created, bob)).to.equal(100_000_000n);
    await exchange.deleverage([bob.account, carol.account], 10, 0);
    for (const trader of [alice, bob, carol]) expect(await lotsOf(created, trader)).to.equal(0n);
    const { flow } = await exchange.marketOf(BTC);
    expect(flow.openInterest).to.equal(0n);
  });

  it("cancels what whoever is named has resting there, and nothing elsewhere", async () => {
    const created = await networkHelpers.loadFixture(world);
    const { exchange, openTrader, trade, execute, again } = created;
    const [alice, bob] = [await openTrader("50000"), await openTrader("50000")];
    await trade(alice, bob, { price: "1000", size: "1", market: ETH });
    await execute(alice, buy("900", "1", { market: ETH }));
    await exchange.windDown(ETH);
    await trade(alice, bob, { price: "10000", size: "1" });
    await execute(alice, buy("9000", "0.1"));
    await created.pass(2n * HOUR);
    await again();
    expect(await statusOf(created, ETH)).to.equal(STATUS.listed | STATUS.ended);
    await exchange.deleverage([alice.account], 10, 0);
    expect(await lotsOf(created, alice, ETH)).to.equal(0n);
    expect((await exchange.restingOf(alice.account, ETH)).used).to.equal(0n);
    expect((await exchange.restingOf(alice.account, BTC)).used).to.equal(1n);
  });

  it("lets everybody out with what is theirs, to the last", async () => {
    const created = await begun();
    const { exchange, alice, bob, carol } = created;
    await end(created);
    await exchange.deleverage([alice.account, bob.account, carol.account], 10, 0);
    // Profit at the last price is fresh like that of any trade.
    await created.pass(600n);
    let paid = 0n;
    for (const trader of [alice, bob, carol]) paid += await withdrawAll(created, trader);
    const { tracked } = created.ballast.vault;
    expect(paid + (await tracked())).to.equal(60_000n * TOKEN);
    // Fees and bonds of the trades are all that stays.
    expect(await tracked()).to.be.lessThan(20n * TOKEN);
  });

  it("skips who has nothing in a market that has ended", async () => {
    const created = await begun();
    const { exchange, openTrader } = created;
    const dave = await openTrader("100");
    await end(created);
    await expect(exchange.deleverage([dave.account], 10, 0))
      .to.emit(exchange, "Skipped")
      .withArgs(dave.account, 0n);
  });

  it("refuses takeovers and growth once it has ended", async () => {
    const created = await begun();
    const { exchange, execute, alice, carol } = created;
    await end(created);
    await expect(
      exchange.connect(carol.signer).takeover(alice.account, carol.account, BTC, 1n, toPrice("1")),
    ).to.be.revertedWithCustomError(exchange, REDUCE_ONLY);
    await expect(execute(carol, buy("10200", "0.1"))).to.be.revertedWithCustomError(
      exchange,
      REDUCE_ONLY,
    );
  });

  it("closes an insolvent account with the others, and its deficit goes the usual way", async () => {
    const created = await networkHelpers.loadFixture(world);
    const { exchange, openTrader, trade, execute, setPrice } = created;
    const [poor, rich] = [await openTrader("250"), await openTrader("50000")];
    const { setLeverage } = await import("./fixtures.js");
    await execute(poor, setLeverage(6));
    await trade(poor, rich, { price: "10000", size: "1" });
    await exchange.windDown(BTC);
    await setPrice("9300", BTC, 60n);
    await setPrice("9300", BTC, 2n * HOUR);
    expect((await statusOf(created)) & STATUS.ended).to.equal(STATUS.ended);
    // The winner comes first, and does not get away with it.
    await exchange.deleverage([rich.account], 10, 0);
    expect((await created.health(rich)).withdrawable).to.be.lessThan(50_000n * WHOLE);
    const sent = exchange.deleverage([poor.account], 10, 0);
    await expect(sent).to.emit(exchange, "Deleveraged");
    await created.pass(600n);
    await exchange.settle(rich.account, BTC);
    expect(await lotsOf(created, poor)).to.equal(0n);
    expect(await exchange.balanceOf(poor.account)).to.equal(0n);
    // It gave what the loser did not have, of its profit alone.
    expect(await lotsOf(created, rich)).to.equal(0n);
    const balance = await exchange.balanceOf(rich.account);
    expect(balance).to.be.within(50_200n * WHOLE, 50_250n * WHOLE);
  });

  describe("by itself", () => {
    it("begins when there was no price for long, and frees an account that is stuck", async () => {
      const created = await networkHelpers.loadFixture(world);
      const { exchange, openTrader, trade, pass, setPrice } = created;
      const [alice, bob] = [await openTrader("5000"), await openTrader("5000")];
      await trade(alice, bob, { price: "10000", size: "1" });
      await trade(alice, bob, { price: "1000", size: "1", market: ETH });
      await pass(2n * HOUR - 60n);
      await exchange.poke(BTC);
      expect(await statusOf(created)).to.equal(STATUS.listed);
      await pass(120n);
      await exchange.poke(BTC);
      expect((await statusOf(created)) & STATUS.windingDown).to.equal(STATUS.windingDown);
      await setPrice("1000", ETH, 2n * HOUR);
      await exchange.poke(BTC);
      const { price, book } = await exchange.marketOf(BTC);
      expect(book.status & STATUS.ended).to.equal(STATUS.ended);
      expect(price.mark).to.equal(toPrice("10000"));
      // Clocks stood still while it was dead.
      expect([book.grade, book.freshSince]).to.deep.equal([FRESH, await now()]);
      await exchange.deleverage([alice.account, bob.account], 10, 0);
      expect(await lotsOf(created, alice)).to.equal(0n);
      expect(await lotsOf(created, alice, ETH)).to.be.greaterThan(0n);
    });

    it("begins a second after the index was dead for maxDead, and no earlier", async () => {
      const created = await networkHelpers.loadFixture(world);
      const { exchange } = created;
      const { sample } = await exchange.marketOf(BTC);
      await networkHelpers.time.setNextBlockTimestamp(sample.publishTime + 2n * HOUR);
      await exchange.poke(BTC);
      expect(await statusOf(created)).to.equal(STATUS.listed);
      await networkHelpers.time.setNextBlockTimestamp(sample.publishTime + 2n * HOUR + 1n);
      await exchange.poke(BTC);
      expect(await statusOf(created)).to.equal(STATUS.listed | STATUS.windingDown);
    });

    it("takes in what sources say that come back meanwhile", async () => {
      const created = await networkHelpers.loadFixture(world);
      const { exchange, pass, setPrice } = created;
      await pass(2n * HOUR + 60n);
      await exchange.poke(BTC);
      await setPrice("10500", BTC, HOUR);
      await setPrice("10500", BTC, HOUR);
      const { price } = await exchange.marketOf(BTC);
      expect(price.mark).to.be.within(toPrice("10249"), toPrice("10251"));
    });

    it("never begins without a first price", async () => {
      const created = await createWorld(connection, {
        prices: ["10000"],
        overrides: { maxDead: 3600 },
      });
      await created.pass(2n * HOUR);
      await created.exchange.poke(ETH);
      expect(await statusOf(created, ETH)).to.equal(STATUS.listed);
      await expect(created.exchange.windDown(ETH)).to.be.revertedWithCustomError(
        created.exchange,
        "NoPrice",
      );
    });
  });

  it("tells who has positions elsewhere that they are healthy", async () => {
    const created = await begun();
    const { exchange, openTrader, trade, carol, again } = created;
    const dave = await openTrader("1000");
    await again();
    await trade(dave, carol, { price: "1000", size: "1", market: ETH });
    await end(created);
    await again();
    await expect(exchange.deleverage([dave.account], 10, 0))
      .to.emit(exchange, "Skipped")
      .withArgs(dave.account, HEALTHY);
    expect(LONG).to.equal(0);
  });

  it("takes a shortfall that stands at the end from all fresh profit, once everybody is closed, and frees the rest", async () => {
    const created = await networkHelpers.loadFixture(world);
    const { exchange, openTrader, trade, execute, setPrice } = created;
    const [poor, rich, later] = [
      await openTrader("250"),
      await openTrader("5000"),
      await openTrader("50000"),
    ];
    const [dave, erin] = [await openTrader("50000"), await openTrader("50000")];
    const [frank, grace] = [await openTrader("50000"), await openTrader("50000")];
    await setPrice("10000");
    await execute(poor, setLeverage(FIFTY_TIMES));
    await trade(poor, rich, { price: "10000", size: "1" });
    await setPrice("9300");
    // Who won leaves to somebody who has won nothing, and what he won matures.
    await trade(rich, later, { price: "9300", size: "1" });
    await trade(dave, erin, { price: "9300", size: "2" });
    await trade(grace, frank, { price: "9200", size: "0.2" });
    await setPrice("9300", BTC, 500n);
    await setPrice("9300", BTC, 10n);
    await exchange.deleverage([poor.account], 10, 0);
    // Since then somebody won who was short.
    await setPrice("9000", BTC, 10n);
    await execute(grace, sell("9000", "0.2", { reduceOnly: true }));
    await execute(frank, buy("9000", "0.2", { reduceOnly: true, timeInForce: "ioc" }));
    await exchange.poke(BTC);
    const { pool } = await exchange.marketOf(BTC);
    expect(pool.shortfall).to.be.greaterThan(100n * WHOLE);

    await exchange.windDown(BTC);
    await setPrice("9700", BTC, 10n);
    await setPrice("9700", BTC, 2n * HOUR);
    await exchange.deleverage([dave.account], 10, 0);
    await exchange.poke(BTC);
    expect((await exchange.marketOf(BTC)).pool.shortfall, "lots are left").to.equal(pool.shortfall);
    await exchange.deleverage([erin.account, later.account], 10, 0);
    await networkHelpers.time.increase(1000);
    const winners = [dave, frank];
    const look = async () =>
      Promise.all(winners.map(async (trader) => (await created.health(trader)).health));
    const before = await look();
    const fresh = before.map((health) => health.fresh);
    const [long = 0n, short = 0n] = fresh;
    expect(long, "nothing matures").to.be.greaterThan(700n * WHOLE);
    // 0.2 · (9200 − 9000 − 93): of its principal the event took a hundredth of 9300.
    expect(short).to.be.within(21n * WHOLE, 22n * WHOLE);
    await exchange.poke(BTC);
    expect((await exchange.marketOf(BTC)).pool.shortfall).to.equal(0n);
    const after = await look();
    // In proportion, of either side; two micro units are rounding.
    for (const [i, share] of fresh.entries()) {
      const given = (before[i]?.equity ?? 0n) - (after[i]?.equity ?? 0n);
      const due = (pool.shortfall * share) / (long + short);
      expect(given).to.be.within(due - 2n * MICRO, due + 2n * MICRO);
      expect(after[i]?.fresh).to.equal(0n);
    }
    expect(await withdrawAll(created, dave)).to.be.greaterThan(50_500n * TOKEN);
  });

  it("leaves who owes whole until all that is left has a fresh price, so that the loss stays where it arose", async () => {
    const created = await begun();
    const { exchange, trade, setPrice, alice, carol } = created;
    await trade(alice, carol, { price: "1000", size: "10", market: ETH });
    await end(created);
    await setPrice("200", ETH);
    await networkHelpers.time.increase(60);
    await expect(exchange.deleverage([alice.account], 10, 0))
      .to.emit(exchange, "Skipped")
      .withArgs(alice.account, NOT_FRESH);
    expect(await lotsOf(created, alice)).to.be.greaterThan(0n);
    await setPrice("200", ETH);
    await exchange.deleverage([alice.account], 10, 0);
    expect(await lotsOf(created, alice)).to.equal(0n);
    expect(await lotsOf(created, alice, ETH)).to.equal(0n);
    expect((await created.health(alice)).health.equity, "INV-7").to.equal(0n);
  });
});
