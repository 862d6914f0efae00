import { expect } from "chai";
import { network } from "hardhat";
import { STATUS } from "../../scripts/lib/keys.js";
import { IExchange__factory } from "../../typechain-types/index.js";
import { BTC, createWorld, ETH, setLeverage } from "../fixtures.js";
import type { Trader } from "../fixtures.js";
import { createRunner } from "./runner.js";

const connection = await network.create();
const { networkHelpers } = connection;
const HOUR = 3_600n;
const FIFTY_TIMES = 6;

describe("keeper: a market that is wound down", () => {
  /** Six pairs, one of whose longs is hopeless and as large as the others together; the first long is in the other market too. */
  async function wound() {
    const world = await createWorld(connection, { overrides: { windWindow: 7_200 } });
    const { openTrader, trade, execute, again, exchange } = world;
    const traders: Trader[] = [];
    const pair = async (deposit: string) => {
      const [long, short] = [await openTrader(deposit), await openTrader("5000")];
      traders.push(long, short);
      await again();
      return { long, short };
    };
    for (let i = 0; i < 5; i += 1) {
      const { long, short } = await pair("5000");
      await trade(long, short, { price: "10000", size: "0.1" });
    }
    const { long: poor, short } = await pair("120");
    await execute(poor, setLeverage(FIFTY_TIMES));
    await trade(poor, short, { price: "10000", size: "0.5" });
    const [both, against] = traders;
    if (both === undefined || against === undefined) throw new Error("there are pairs");
    await trade(both, against, { price: "1000", size: "1", market: ETH });
    await exchange.windDown(BTC);
    return { world, traders, poor, both };
  }

  it("is emptied by rounds alone, the insolvent first, and other markets are left alone", async () => {
    const { world, traders, poor, both } = await networkHelpers.loadFixture(wound);
    const { exchange } = world;
    const { tick, sent, lines } = createRunner(connection, world, { noteAbove: 0n });
    // Nobody works while the poor one loses 350 of its 120, and the market ends without a call.
    await world.setPrice("9300", BTC, 60n);
    await world.pass(2n * HOUR);
    expect((await exchange.marketOf(BTC)).book.status & STATUS.ended).to.equal(0n);
    await tick();
    const { book } = await exchange.marketOf(BTC);
    expect(book.status & STATUS.ended, "a round finds the end").to.equal(STATUS.ended);
    await world.setPrice("1000", ETH);
    const openInterest = async () => (await exchange.marketOf(BTC)).flow.openInterest;
    for (let round = 0; round < 10 && (await openInterest()) !== 0n; round += 1) await tick();
    expect(await openInterest()).to.equal(0n);
    for (const trader of traders) {
      expect((await exchange.positionOf(trader.account, BTC)).lots).to.equal(0n);
    }

    const calls = IExchange__factory.createInterface();
    const closings = sent
      .filter(({ data }) => data.startsWith(calls.getFunction("deleverage").selector))
      .map(({ data }): unknown => calls.decodeFunctionData("deleverage", data)[0]);
    expect(closings[0]).to.deep.equal([BigInt(poor.account)]);
    // Eleven others, four a call.
    expect(closings).to.have.lengthOf(4);
    const problems = lines.filter(({ event }) => /failed|rejected|reverted|skipped/.test(event));
    expect(problems).to.deep.equal([]);
    expect((await exchange.positionOf(both.account, ETH)).lots).to.be.greaterThan(0n);
    expect(await exchange.balanceOf(poor.account)).to.equal(0n);
    const calm = sent.length;
    await world.again();
    const { skips } = await tick();
    expect(skips).to.include({ "poke.ended": 1 });
    expect(sent).to.have.lengthOf(calm);
  });
});
