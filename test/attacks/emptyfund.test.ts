import { expect } from "chai";
import { network } from "hardhat";
import { BTC, toLots, toPrice } from "../fixtures.js";
import type { Trader } from "../fixtures.js";
import {
  createSetting,
  deleverage,
  expectFigures,
  fundOf,
  liquidate,
  pair,
  quote,
} from "./setting.js";

/* Nobody can pay, and the waterfall still runs to its end. */

const connection = await network.create();

describe("Attacks on liveness", () => {
  describe("an empty fund", () => {
    /** Every step of the waterfall, one after the other, on accounts that are ruined and accounts that are not yet. */
    async function fallDown(fund: bigint) {
      const world = await createSetting(connection);
      const { exchange, ballast, deployer } = world;
      if (fund > 0n) {
        await ballast.token.mint(deployer, fund);
        await ballast.token.approve(ballast.fund, fund);
        await ballast.fund.deposit(fund, deployer);
      }
      const before = await fundOf(world);
      const shorts = await world.openTrader("1000000");
      const longs: Trader[] = [];
      for (const margin of ["5100", "5100", "2100", "2100"]) {
        const long = await world.openTrader(margin);
        const leverage = margin === "5100" ? 20 : 50;
        await pair(world, [long, shorts], { price: "10000", size: "10", leverage });
        longs.push(long);
      }
      const [sold, taken, ruined, last] = longs as [Trader, Trader, Trader, Trader];
      await world.setPrice("9540");
      const keeper = await quote(world, { bid: "9535", size: "5" });
      await liquidate(world, longs, keeper.account);
      await exchange
        .connect(keeper.signer)
        .takeover(taken.account, keeper.account, BTC, toLots("10"), toPrice("9600"));
      await deleverage(world, [ruined], keeper.account);
      await deleverage(world, [last, sold, taken], keeper.account);
      await world.setPrice("9000");
      await deleverage(world, [sold, taken], keeper.account);
      for (const { account } of longs) {
        expect((await exchange.positionOf(account, BTC)).lots).to.equal(0n);
        expect(await exchange.balanceOf(account)).to.be.at.least(0n);
      }
      const after = await fundOf(world);
      expect(after).to.be.at.least(0n);
      return after - before;
    }

    it("never makes a step of the waterfall revert, nor does one with a millionth in it", async () => {
      const empty = await fallDown(0n);
      const nearly = await fallDown(1n);
      expect(empty).to.be.at.least(0n);
      expectFigures(
        "fund-empty",
        { empty: empty, millionth: nearly },
        { empty: "516.61", millionth: "516.65" },
      );
    });
  });
});
