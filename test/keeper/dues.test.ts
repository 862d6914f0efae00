import { expect } from "chai";
import { network } from "hardhat";
import { BTC, createWorld, setLeverage, WHOLE } from "../fixtures.js";
import { createRunner } from "./runner.js";

const connection = await network.create();
const { networkHelpers } = connection;
const HOUR = 3_600n;
const FIFTY_TIMES = 6;

describe("keeper: what is left to do in a market that has ended", () => {
  /** An insolvent account left more missing than the winner of the moment had; then the market ends, and one with profit is in it. */
  async function ended() {
    const world = await createWorld(connection, { overrides: { windWindow: 7200 } });
    const { exchange, openTrader, trade, execute, setPrice } = world;
    const [poor, rich, later] = [
      await openTrader("250"),
      await openTrader("5000"),
      await openTrader("50000"),
    ];
    const [dave, erin] = [await openTrader("50000"), await openTrader("50000")];
    await execute(poor, setLeverage(FIFTY_TIMES));
    await trade(poor, rich, { price: "10000", size: "1" });
    await setPrice("9300");
    await trade(rich, later, { price: "9300", size: "1" });
    await trade(dave, erin, { price: "9300", size: "2" });
    await setPrice("9300", BTC, 500n);
    await setPrice("9300", BTC, 10n);
    await exchange.deleverage([poor.account], 10, 0);
    await exchange.windDown(BTC);
    await setPrice("9700", BTC, 10n);
    await setPrice("9700", BTC, 2n * HOUR);
    return { ...world, dave, erin, later };
  }

  it("is done once: positions are closed, then one poke takes what is missing, and no more is sent", async () => {
    const world = await networkHelpers.loadFixture(ended);
    const { exchange, dave } = world;
    const keeper = createRunner(connection, world, { noteAbove: 0n });
    const shortfall = async () => (await exchange.marketOf(BTC)).pool.shortfall;
    expect(await shortfall()).to.be.greaterThan(100n * WHOLE);

    // Fees of before the end are there at once; the shortfall only when nobody holds anything.
    const { transactions } = await keeper.tick();
    expect(transactions).to.include({ deleverage: 1 });
    expect((await exchange.marketOf(BTC)).flow.openInterest).to.equal(0n);
    const missing = await shortfall();
    const before = (await world.health(dave)).health.equity;
    expect((await keeper.tick()).transactions).to.include({ poke: 1 });
    const { pool, flow } = await exchange.marketOf(BTC);
    expect([pool.shortfall, flow.fees]).to.deep.equal([0n, 0n]);
    const taken = before - (await world.health(dave)).health.equity;
    expect(taken).to.be.within(missing - WHOLE, missing + WHOLE);

    const sent = keeper.sent.length;
    for (let round = 0; round < 3; round += 1) {
      expect((await keeper.tick()).skips).to.include({ "poke.ended": 1 });
    }
    expect(keeper.sent).to.have.lengthOf(sent);
  });
});
