import { expect } from "chai";
import { network } from "hardhat";
import { STATUS } from "../scripts/lib/keys.js";
import { BTC, buy, createWorld, ETH, sell, setLeverage, WHOLE } from "./fixtures.js";
import type { World } from "./fixtures.js";
import type { MarketConfigStruct } from "../typechain-types/interfaces/IExchange.js";

/*
 * What a market may hold: a cap that starts small, a cap for the leverage that its envelope does not cover, and nothing but reducing
 * after it cost the fund too much. Each with its default and, as the control, at its loosest bound.
 */

const connection = await network.create();

const TEN_TIMES = 4;
const TWENTY_TIMES = 5;
const FIFTY_TIMES = 6;
const DAY = 86_400n;
const HOUR = 3600n;
const lotsOf = (size: number) => BigInt(Math.round(size * 1e8));
const units = (amount: number) => BigInt(amount) * WHOLE;

async function capOf({ exchange }: World): Promise<bigint> {
  return (await exchange.configOf(BTC)).openInterestCap;
}

/** A struct as the contract answers it, for a call that takes one. */
function plain(config: Awaited<ReturnType<World["exchange"]["configOf"]>>): MarketConfigStruct {
  // Typechain's results are ethers' results, which know how to become objects.
  return (config as unknown as { toObject(): MarketConfigStruct }).toObject();
}

/** A new market of at most 100 BTC, open interest alone being in the way. */
const startingWorld = (capStart: number) =>
  createWorld(connection, {
    overrides: {
      openInterestCap: "100",
      accountShare: 100,
      concentration: 0,
      capStart,
      capRamp: 864_000,
    },
  });

describe("Caps", () => {
  describe("of a new market", () => {
    it("start at a part, where a control trades all at once", async () => {
      const control = await startingWorld(100);
      const [alice, bob] = [
        await control.openTrader("1000000"),
        await control.openTrader("1000000"),
      ];
      await control.trade(alice, bob, { price: "10000", size: "50" });

      const world = await startingWorld(10);
      const [carol, dave] = [await world.openTrader("1000000"), await world.openTrader("1000000")];
      await world.trade(carol, dave, { price: "10000", size: "10" });
      const [erin, frank] = [await world.openTrader("10000"), await world.openTrader("10000")];
      await world.execute(frank, sell("10000", "0.1"));
      await expect(world.execute(erin, buy("10000", "0.1"))).to.be.revertedWithCustomError(
        world.exchange,
        "OpenInterestCapReached",
      );
    });

    it("grow by the whole in the ramp's time, by anyone's call, and not beyond", async () => {
      const world = await startingWorld(10);
      expect(await capOf(world)).to.be.within(lotsOf(10), lotsOf(10.001));
      await world.pass(DAY);
      await world.exchange.poke(BTC);
      // A tenth of the whole a day, and a few seconds of the test.
      expect(await capOf(world)).to.be.within(lotsOf(20), lotsOf(20.01));
      await world.pass(30n * DAY);
      await world.exchange.poke(BTC);
      expect(await capOf(world)).to.equal(lotsOf(100));
      const { exchange } = world;
      await expect(exchange.poke(BTC)).not.to.emit(exchange, "CapChanged");
    });

    it("are grown to when they are raised, and hold at once when they are lowered", async () => {
      const world = await startingWorld(100);
      const { exchange } = world;
      const config = plain(await exchange.configOf(BTC));
      await exchange.setConfig(BTC, { ...config, openInterestCap: lotsOf(300) });
      expect(await capOf(world)).to.equal(lotsOf(100));
      await world.pass(DAY);
      await exchange.poke(BTC);
      expect(await capOf(world)).to.be.within(lotsOf(130), lotsOf(130.1));
      // The guardian's cap stays where it is.
      await exchange.reduceRisk(BTC, lotsOf(50), FIFTY_TIMES, false);
      await world.pass(30n * DAY);
      await exchange.poke(BTC);
      expect(await capOf(world)).to.equal(lotsOf(50));
      await exchange.setConfig(BTC, { ...config, openInterestCap: lotsOf(20) });
      expect(await capOf(world)).to.equal(lotsOf(20));
    });

    it("let the role without a ramp raise them at once", async () => {
      const world = await startingWorld(100);
      const { exchange } = world;
      const config = plain(await exchange.configOf(BTC));
      await exchange.setConfig(BTC, { ...config, openInterestCap: lotsOf(300), capRamp: 0n });
      expect(await capOf(world)).to.equal(lotsOf(300));
    });
  });

  describe("of the top leverage classes", () => {
    /** 2.5 % against 1 % of maintenance: a fund of 1,500 pays with 40 % of it for 4 BTC at 10,000. */
    const cappedWorld = (move: number) =>
      createWorld(connection, { overrides: { move, topShare: 100, volatilityFactor: 0 } });
    const FUND = "1500";

    async function traders(world: World, leverage: number) {
      const [alice, bob] = [await world.openTrader("100000"), await world.openTrader("1000000")];
      await world.execute(alice, setLeverage(leverage));
      return { alice, bob };
    }

    it("are what the fund could pay for after a stated move; the control takes any amount", async () => {
      const control = await cappedWorld(1000);
      const free = await traders(control, FIFTY_TIMES);
      await control.trade(free.alice, free.bob, { price: "10000", size: "40" });

      const world = await cappedWorld(25_000);
      await world.fillFund(FUND);
      const { alice, bob } = await traders(world, FIFTY_TIMES);
      await world.trade(alice, bob, { price: "10000", size: "4" });
      await world.execute(bob, sell("10000", "0.1"));
      await expect(world.execute(alice, buy("10000", "0.1")))
        .to.be.revertedWithCustomError(world.exchange, "TopCapReached")
        .withArgs(BTC, lotsOf(4.1), lotsOf(4));
      // Ten times is inside the envelope.
      const carol = await world.openTrader("100000");
      await world.execute(carol, setLeverage(TEN_TIMES), buy("10000", "0.1"));
    });

    it("are nothing without a fund, and the other way round a side of its own", async () => {
      const world = await cappedWorld(25_000);
      const { alice, bob } = await traders(world, TWENTY_TIMES);
      await world.execute(bob, sell("10000", "0.1"));
      await expect(world.execute(alice, buy("10000", "0.1")))
        .to.be.revertedWithCustomError(world.exchange, "TopCapReached")
        .withArgs(BTC, lotsOf(0.1), 0n);
      await world.fillFund(FUND);
      await world.execute(bob, setLeverage(TWENTY_TIMES));
      await world.trade(alice, bob, { price: "10000", size: "4" });
    });

    it("remove a maker's order instead of filling it, and the taker goes on", async () => {
      const world = await cappedWorld(25_000);
      await world.fillFund(FUND);
      const { alice, bob } = await traders(world, FIFTY_TIMES);
      const carol = await world.openTrader("100000");
      await world.execute(alice, buy("10000", "3"), buy("9999", "3"));
      await world.execute(carol, buy("9998", "1"));
      const sent = world.execute(bob, sell("9998", "6", { timeInForce: "ioc" }));
      const TOP_CAP_REACHED = 8n;
      await expect(sent)
        .to.emit(world.exchange, "OrderRemoved")
        .withArgs(BTC, alice.account, (): boolean => true, lotsOf(3), TOP_CAP_REACHED);
      expect((await world.exchange.positionOf(alice.account, BTC)).lots).to.equal(lotsOf(3));
      expect((await world.exchange.positionOf(carol.account, BTC)).lots).to.equal(lotsOf(1));
    });

    it("count whoever raises leverage with a position, and not who lowers it", async () => {
      const world = await cappedWorld(25_000);
      await world.fillFund(FUND);
      const { alice, bob } = await traders(world, TEN_TIMES);
      await world.trade(alice, bob, { price: "10000", size: "5" });
      await expect(world.execute(alice, setLeverage(TWENTY_TIMES)))
        .to.be.revertedWithCustomError(world.exchange, "TopCapReached")
        .withArgs(BTC, lotsOf(5), lotsOf(4));
      await world.execute(alice, sell("9900", "2", { reduceOnly: true }));
      await world.execute(bob, buy("9900", "2", { timeInForce: "ioc" }));
      await world.execute(alice, setLeverage(TWENTY_TIMES));
      await world.execute(alice, setLeverage(TEN_TIMES));
    });

    it("close nobody when the fund shrinks, and let everybody reduce", async () => {
      const world = await cappedWorld(25_000);
      await world.fillFund(FUND);
      const { alice, bob } = await traders(world, FIFTY_TIMES);
      await world.trade(alice, bob, { price: "10000", size: "4" });
      await world.setPrice("20000", BTC, 100n);
      await world.setPrice("20000", BTC, 100n);
      await world.execute(alice, sell("20000", "1", { reduceOnly: true }));
      await world.execute(bob, buy("20000", "1", { timeInForce: "ioc" }));
      expect((await world.exchange.positionOf(alice.account, BTC)).lots).to.equal(lotsOf(3));
    });
  });

  describe("of what a market may cost the fund in eight hours", () => {
    const drawingWorld = (drawdownLimit: number) =>
      createWorld(connection, { overrides: { drawdownLimit, volatilityFactor: 0 } });

    /** Accounts of fifty times at the end of a fall of 6 %: the fund pays a fifth of itself, the winners the rest. */
    async function fall(world: World) {
      await world.fillFund("500");
      const [poor, rich] = [await world.openTrader("250"), await world.openTrader("100000")];
      await world.execute(poor, setLeverage(FIFTY_TIMES));
      await world.trade(poor, rich, { price: "10000", size: "1" });
      await world.setPrice("9300", BTC, 60n);
      await world.exchange.deleverage([poor.account], 10, 0);
      return rich;
    }
    const statusOf = async ({ exchange }: World) => (await exchange.marketOf(BTC))[1].status;

    it("make it only shrink, where the control lets it go on", async () => {
      const control = await drawingWorld(1_000_000);
      const free = await fall(control);
      await control.execute(free, sell("9300", "0.1"));

      const world = await drawingWorld(100_000);
      const rich = await fall(world);
      expect((await statusOf(world)) & STATUS.drawdown).to.equal(STATUS.drawdown);
      await expect(world.execute(rich, sell("9300", "0.1")))
        .to.be.revertedWithCustomError(world.exchange, "ReduceOnly")
        .withArgs(BTC);
      // Only this market.
      await world.again();
      await world.execute(rich, buy("900", "0.1", { market: ETH }));
    });

    it("end at half of the limit, not before, and whoever pokes ends them", async () => {
      const world = await drawingWorld(100_000);
      const rich = await fall(world);
      // A fifth of the fund was drawn, a tenth leaks away in eight hours: half of a tenth is left after twelve.
      await world.setPrice("9300", BTC, 11n * HOUR + 3000n);
      expect((await statusOf(world)) & STATUS.drawdown).to.equal(STATUS.drawdown);
      await world.setPrice("9300", BTC, 700n);
      expect((await statusOf(world)) & STATUS.drawdown).to.equal(0n);
      await world.execute(rich, sell("9300", "0.1"));
    });

    it("are no business of the guardian's switch", async () => {
      const world = await drawingWorld(100_000);
      await fall(world);
      await world.exchange.reopen(BTC);
      expect((await statusOf(world)) & STATUS.drawdown).to.equal(STATUS.drawdown);
      await world.exchange.reduceRisk(BTC, 0, FIFTY_TIMES, true);
      await world.setPrice("9300", BTC, DAY);
      expect(await statusOf(world)).to.equal(STATUS.listed | STATUS.reduceOnly);
    });
  });

  describe("of the fund's target", () => {
    it("are the sum of the markets' parts, and decide where fees go", async () => {
      const world = await createWorld(connection, { overrides: { volatilityFactor: 0 } });
      const { exchange, trade } = world;
      const [alice, bob] = [await world.openTrader("1000000"), await world.openTrader("1000000")];
      await trade(alice, bob, { price: "10000", size: "10" });
      await trade(alice, bob, { price: "1000", size: "100", market: ETH });
      await world.fillFund("5000");
      const shared = async (market: number) => {
        await exchange.poke(market);
        const found = await exchange.queryFilter(exchange.filters.FeesShared(market));
        const { fund = 0n, treasury = 0n } = found.at(-1)?.args ?? {};
        return { fund, treasury };
      };
      // BTC's 5 % of 100,000 is full: 20 % to the fund.
      const first = await shared(BTC);
      expect((first.fund * 100n) / (first.fund + first.treasury)).to.equal(20n);
      // With ETH's it is half full: 60 %, and no market alone can say that it is enough.
      const second = await shared(ETH);
      expect((second.fund * 100n) / (second.fund + second.treasury)).to.be.within(59n, 60n);
      await trade(bob, alice, { price: "10000", size: "10" });
      await trade(bob, alice, { price: "1000", size: "100", market: ETH });
      await exchange.poke(ETH);
      const third = await shared(BTC);
      expect((third.fund * 100n) / (third.fund + third.treasury)).to.equal(20n);
    });

    it("rise in a storm", async () => {
      const world = await createWorld(connection);
      const { exchange, trade } = world;
      const [alice, bob] = [await world.openTrader("1000000"), await world.openTrader("1000000")];
      await trade(alice, bob, { price: "10000", size: "10" });
      const targetOf = async () => {
        const found = await exchange.queryFilter(exchange.filters.FundTargetChanged(BTC));
        return BigInt(found.at(-1)?.args.target ?? 0n) * 10n ** 12n;
      };
      await world.setPrice("10000", BTC, 60n);
      expect(await targetOf()).to.equal(units(5000));
      for (const price of ["10500", "10000", "10500", "10000"])
        await world.setPrice(price, BTC, 60n);
      const { book } = await exchange.marketOf(BTC);
      expect(await targetOf()).to.equal((units(100_000) * book.volatilityRate) / 10_000n);
      expect(await targetOf()).to.be.greaterThan(units(11_000));
    });
  });
});
