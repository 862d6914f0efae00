import { expect } from "chai";
import { network } from "hardhat";
import { BTC, buy, cancel, createWorld, sell, setLeverage, WHOLE } from "./fixtures.js";
import type { World } from "./fixtures.js";

/*
 * What keeps accounts from growing where the market could not carry them: storms, concentration and caps ask more of new risk, and
 * nothing of whoever reduces, withdraws or is liquidated. Everything on the real exchange, each control beside its loosest bound.
 */

const connection = await network.create();
const { networkHelpers } = connection;

const TWENTY_TIMES = 5;
const FIFTY_TIMES = 6;
const MINUTE = 60n;

const units = (amount: number) => BigInt(amount) * WHOLE;
const lotsOf = (size: number) => BigInt(Math.round(size * 1e8));

const calmWorld = () => createWorld(connection, { overrides: { volatilityFactor: 0 } });
/** A market that may carry 100 BTC, no account more than a fifth of it. */
const smallWorld = () =>
  createWorld(connection, {
    overrides: { openInterestCap: "100", accountShare: 20, crowdingFrom: 100 },
  });

/** One BTC long at twenty times with 800 units, then four moves of five percent, a minute apart, and back where it was. */
async function storm(world: World) {
  const alice = await world.openTrader("800");
  const bob = await world.openTrader("1000000");
  await world.execute(alice, setLeverage(TWENTY_TIMES));
  await world.trade(alice, bob, { price: "10000", size: "1" });
  for (const price of ["10500", "10000", "10500", "10000"]) {
    await world.setPrice(price, BTC, MINUTE);
  }
  return { alice, bob };
}

describe("Risk caps", () => {
  describe("in a storm", () => {
    it("ask more of new risk, which a calm market allows", async () => {
      const calm = await networkHelpers.loadFixture(calmWorld);
      const { alice: atEase } = await storm(calm);
      await calm.execute(atEase, buy("9900", "0.1"));

      const world = await createWorld(connection);
      const { alice } = await storm(world);
      const { health } = await world.health(alice);
      // Four samples of about 0.0025 / 60 · 0.0165 a second: three deviations of ten minutes are 12 %.
      const { book } = await world.exchange.marketOf(BTC);
      expect(book.volatilityRate).to.be.within(1150, 1250);
      expect(health.initial).to.equal((units(10_000) * book.volatilityRate) / 10_000n);
      await expect(world.execute(alice, buy("9900", "0.1"))).to.be.revertedWithCustomError(
        world.exchange,
        "MarginTooLow",
      );
    });

    it("leave maintenance, withdrawals and what is needed to reduce as they are", async () => {
      const calm = await networkHelpers.loadFixture(calmWorld);
      const atEase = await storm(calm);
      const expected = await calm.health(atEase.alice);

      const world = await createWorld(connection);
      const { alice, bob } = await storm(world);
      const found = await world.health(alice);
      expect(found.health.maintenance).to.equal(expected.health.maintenance);
      expect(found.health.initialCalm).to.equal(expected.health.initial);
      expect(found.health.initialCalm).to.equal(units(500));
      expect(found.withdrawable).to.equal(expected.withdrawable);
      expect(found.withdrawable).to.be.greaterThan(units(290));

      const { exchange, execute } = world;
      await exchange.connect(alice.signer).withdraw(alice.account, 290_000_000n, alice.signer);
      await execute(bob, buy("10000", "1"));
      await execute(alice, sell("10000", "0.4", { reduceOnly: true, timeInForce: "ioc" }));
      const { lots } = await exchange.positionOf(alice.account, BTC);
      expect(lots).to.equal(lotsOf(0.6));
      // Back in the calm it may grow again.
      for (let hour = 0; hour < 8; hour++) await world.setPrice("10000", BTC, 3600n);
      await execute(alice, buy("9900", "0.1"));
    });

    it("do not touch who is liquidated", async () => {
      const outcomes: bigint[] = [];
      for (const overrides of [{ volatilityFactor: 0 }, {}]) {
        const world = await createWorld(connection, { overrides });
        const { alice, bob } = await storm(world);
        await world.setPrice("9400");
        await world.setPrice("9285");
        await world.execute(bob, buy("9285", "5"));
        await world.exchange.liquidate([alice.account], 10, bob.account);
        const { lots } = await world.exchange.positionOf(alice.account, BTC);
        expect(lots).to.be.lessThan(lotsOf(1));
        outcomes.push(lots);
      }
      expect(outcomes[1]).to.equal(outcomes[0]);
    });
  });

  describe("of one account", () => {
    it("stop it at its share of the market, orders included, and name the bound", async () => {
      const { exchange, openTrader, execute, trade } = await networkHelpers.loadFixture(smallWorld);
      const [alice, bob] = [await openTrader("1000000"), await openTrader("1000000")];
      await trade(alice, bob, { price: "10000", size: "15" });
      await execute(alice, buy("9900", "5"));
      await expect(execute(alice, buy("9900", "0.01")))
        .to.be.revertedWithCustomError(exchange, "AccountCapReached")
        .withArgs(BTC, lotsOf(20.01), lotsOf(20));
      // The other way round it may go through zero as far.
      await expect(execute(alice, sell("10100", "35.01")))
        .to.be.revertedWithCustomError(exchange, "AccountCapReached")
        .withArgs(BTC, lotsOf(20.01), lotsOf(20));
      await execute(alice, cancel(0), buy("9900", "5"));
    });

    it("let everybody reduce when the guardian lowers the market's cap", async () => {
      const { exchange, openTrader, execute, trade } = await networkHelpers.loadFixture(smallWorld);
      const [alice, bob] = [await openTrader("1000000"), await openTrader("1000000")];
      await trade(alice, bob, { price: "10000", size: "15" });
      await exchange.reduceRisk(BTC, lotsOf(10), FIFTY_TIMES, false);
      await execute(bob, buy("10000", "5", { reduceOnly: true }));
      await execute(alice, sell("10000", "5", { reduceOnly: true, timeInForce: "ioc" }));
      await expect(execute(alice, buy("9900", "0.1")))
        .to.be.revertedWithCustomError(exchange, "AccountCapReached")
        .withArgs(BTC, lotsOf(10.1), lotsOf(2));
    });

    it("ask a tenth of the notional of whoever holds a tenth of the market", async () => {
      const small = await networkHelpers.loadFixture(smallWorld);
      const [alice, bob] = [await small.openTrader("12000"), await small.openTrader("1000000")];
      await small.execute(alice, setLeverage(FIFTY_TIMES));
      await small.trade(alice, bob, { price: "10000", size: "10" });
      const { health } = await small.health(alice);
      // For withdrawals too, or the margin would leave again.
      expect(health.initialCalm).to.equal(units(10_000));
      expect(health.initial).to.equal(units(10_000));
      await expect(small.execute(alice, buy("10000", "2"))).to.be.revertedWithCustomError(
        small.exchange,
        "MarginTooLow",
      );

      // At its loosest the same account holds five times as much of the market on the same margin.
      const loose = await createWorld(connection, {
        overrides: {
          openInterestCap: "100",
          accountShare: 100,
          concentration: 0,
          crowdingFrom: 100,
        },
      });
      const [carol, dave] = [await loose.openTrader("12000"), await loose.openTrader("1000000")];
      await loose.execute(carol, setLeverage(FIFTY_TIMES));
      await loose.trade(carol, dave, { price: "10000", size: "55" });
    });
  });

  describe("of a crowded market", () => {
    /** A coalition: pairs of accounts of fifty times, each well below what one account may hold. */
    async function crowd(world: World, pairs: number, deposit: string): Promise<void> {
      for (let i = 0; i < pairs; i++) {
        const [one, other] = [await world.openTrader(deposit), await world.openTrader(deposit)];
        await world.again();
        await world.execute(one, setLeverage(FIFTY_TIMES));
        await world.execute(other, setLeverage(FIFTY_TIMES));
        await world.trade(one, other, { price: "10000", size: "10" });
      }
    }
    const crowdedWorld = (crowdingFrom: number) =>
      createWorld(connection, {
        overrides: { openInterestCap: "100", concentration: 0, crowdingFrom },
      });

    it("ask more of everybody, all of the notional at the cap", async () => {
      const loose = await crowdedWorld(100);
      await crowd(loose, 10, "2200");

      const world = await crowdedWorld(50);
      await crowd(world, 5, "2200");
      const alice = await world.openTrader("2200");
      await world.execute(alice, setLeverage(FIFTY_TIMES));
      await world.execute(alice, buy("9000", "1"));
      expect((await world.health(alice)).health.initial).to.equal(units(200));
      await world.execute(alice, cancel(0));
      // The sixth pair is the first that open interest asks more of: a fiftieth is not enough.
      await expect(crowd(world, 1, "2200")).to.be.revertedWithCustomError(
        world.exchange,
        "MarginTooLow",
      );
      await crowd(world, 3, "100000");
      // 80 of 100: three fifths of the way from 50.
      await world.execute(alice, buy("9000", "0.1"));
      const { health } = await world.health(alice);
      expect(health.initial).to.equal(units(600));
      expect(health.initialCalm).to.equal(units(600));
      expect((await world.health(alice)).withdrawable).to.equal(units(1600));
    });
  });
});
