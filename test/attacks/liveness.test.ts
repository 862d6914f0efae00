import { expect } from "chai";
import { network } from "hardhat";
import { STATUS } from "../../scripts/lib/keys.js";
import { BTC, setLeverage } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import { createAligned, expectNear, wholeFloor } from "./gang.js";

/*
 * All of a market's open interest is due at once, and called in one transaction. It must end, whatever is in the fund and whatever the other side
 * has won: with the fund's money, with the winners', with neither.
 */

const connection = await network.create();

const FIVE_TIMES = 3;
const FIFTY_TIMES = 6;
const PAIRS = 6;
/** Of 60 BTC: 700 each, less the margin. */
const MISSING = { deficit: 29_700n, fund: 0n, winners: 0n, principal: 0n, shortfall: 0n };

describe("Liveness of the waterfall", () => {
  /** Longs of fifty times against shorts of five times, and a fall of 7 % at once. */
  async function crash(fund: string) {
    const world = await createAligned(connection);
    if (fund !== "0") await world.fillFund(fund);
    const [longs, shorts]: [Trader[], Trader[]] = [[], []];
    for (let i = 0; i < PAIRS; i++) {
      const [long, short] = [await world.openTrader("2100"), await world.openTrader("50000")];
      await world.again();
      await world.execute(long, setLeverage(FIFTY_TIMES));
      await world.execute(short, setLeverage(FIVE_TIMES));
      await world.trade(long, short, { price: "10000", size: "10" });
      longs.push(long);
      shorts.push(short);
    }
    await world.setPrice("9300");
    return { world, longs, shorts };
  }

  /** Liquidates all, then closes all, each in one call. @returns Who paid what. */
  async function closeAll(world: World, longs: readonly Trader[]) {
    const { exchange } = world;
    const accounts = longs.map(({ account }) => account);
    await exchange.liquidate(accounts, 32, 0);
    await exchange.deleverage(accounts, 32, 0);

    const { flow } = await exchange.marketOf(BTC);
    expect(flow.openInterest, "open interest").to.equal(0n);
    for (const long of longs)
      expect((await world.health(long)).health.equity, "INV-7").to.equal(0n);
    const [event] = await exchange.queryFilter(exchange.filters.Deleveraged());
    if (!event) throw new Error("the event has a receipt");
    const { receipt } = event.args;
    return {
      deficit: wholeFloor(receipt.deficit),
      fund: wholeFloor(receipt.fundWithin + receipt.fundBeyond),
      winners: wholeFloor(receipt.haircut),
      principal: wholeFloor(receipt.principal),
      shortfall: wholeFloor(receipt.shortfall),
    };
  }

  it("closes a market of which all longs are insolvent with the fund's money alone", async () => {
    const { world, longs } = await crash("1000000");
    expectNear(await closeAll(world, longs), { ...MISSING, fund: 29_700n });
  });

  it("closes it with the winners' profit when the fund can pay a fifth of itself, and with only fees in it", async () => {
    const some = await crash("10000");
    const paid = { ...MISSING, fund: 2034n, winners: 27_665n };
    expectNear(await closeAll(some.world, some.longs), paid);
    const none = await crash("0");
    // A fifth of what fees brought it.
    expectNear(await closeAll(none.world, none.longs), { ...MISSING, fund: 71n, winners: 29_628n });
  });

  it("closes it with neither: principal pays at most its bound, the rest is a shortfall, and nothing reverts", async () => {
    const { world, longs, shorts } = await crash("0");
    const { exchange } = world;
    // Those who won leave to others, who have won nothing, and what they won matures.
    for (const short of shorts) {
      const other = await world.openTrader("50000");
      await world.again();
      await world.execute(other, setLeverage(FIVE_TIMES));
      await world.trade(short, other, { price: "9300", size: "10" });
    }
    await world.setPrice("9300", BTC, 500n);
    await world.setPrice("9300", BTC, 10n);
    // 1 % of 60 BTC at 9,300.
    const paid = { ...MISSING, fund: 413n, principal: 5580n, shortfall: 23_707n };
    expectNear(await closeAll(world, longs), paid);
    const [, { status }] = await exchange.marketOf(BTC);
    expect(status & STATUS.reduceOnly).to.equal(STATUS.reduceOnly);
    // Whoever has money there takes all of it out.
    for (const { signer, account } of shorts) {
      await exchange.connect(signer).withdraw(account, 2n ** 256n - 1n, signer);
      expect(await exchange.balanceOf(account)).to.be.lessThan(10n ** 12n);
    }
  });
});
