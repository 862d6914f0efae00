import { expect } from "chai";
import { network } from "hardhat";
import { parseUnits } from "ethers";
import { signPrice } from "../../scripts/lib/feed.js";
import { WickPicker__factory } from "../../typechain-types/index.js";
import { BTC, buy, sell, setLeverage } from "../fixtures.js";
import type { World } from "../fixtures.js";
import { record } from "./figures.js";
import { createAligned, createGang } from "./gang.js";

/* Attacks by way of prices: several in one transaction, and a mark made by one's own trades. */

const connection = await network.create();

const FIFTY_TIMES = 6;

describe("Attacks on prices", () => {
  describe("XPL: a mark from its own book", () => {
    /**
     * A coalition trades with itself 5 % above the index, quotes around it, and keeps that up for ten minutes, so that a short of fifty times
     * falls below maintenance at mark. It has bids to buy from whoever is forced out.
     */
    async function xpl(world: World) {
      const gang = createGang(world);
      const [one, other] = [await gang.join("1000000"), await gang.join("1000000")];
      const victim = await world.openTrader("2100");
      const maker = await world.openTrader("1000000");
      await world.again();
      await world.execute(victim, setLeverage(FIFTY_TIMES));
      await world.trade(maker, victim, { price: "10000", size: "10" });
      let highest = 0n;
      for (let i = 0; i < 40; i++) {
        await world.setPrice("10000", BTC, 15n);
        const mark = (await world.exchange.marketOf(BTC)).price.mark;
        if (mark > highest) highest = mark;
        if (i === 0) {
          await world.execute(other, sell("10450", "40"));
          await world.execute(one, buy("10440", "20"));
        }
        await world.execute(one, buy("10450", "0.4", { timeInForce: "ioc" }));
      }
      await world.exchange.liquidate([victim.account], 10, one.account);
      const { lots } = await world.exchange.positionOf(victim.account, BTC);
      return { highest: highest / 10n ** 10n, lots, profit: await gang.profit() };
    }

    it("moves the mark to its bound and liquidates nobody, in the control neither, because index must agree", async () => {
      // The widest that the envelope of a market of ten times and more leaves room for.
      const loose = { maxDeviation: 38_000, move: 1000 };
      const control = await xpl(await createAligned(connection, { overrides: loose }));
      const lots = 1_000_000_000n;
      expect(control).to.deep.equal({ highest: 10_376n, lots, profit: -101n });
      const found = await xpl(await createAligned(connection));
      expect(found).to.deep.equal({ highest: 10_098n, lots, profit: -101n });
      record("xpl", {
        control: control.profit,
        controlMark: control.highest,
        default: found.profit,
        mark: found.highest,
      });
    });
  });

  describe("a wick in one transaction", () => {
    type Moment = {
      readonly price: string;
      readonly age: bigint;
      readonly victims: readonly number[];
    };

    /** A long of fifty times, a bid of the attacker below it, and two signed prices: 1.5 % lower, and back. */
    async function pickWick(isAtOnce: boolean) {
      const world = await createAligned(connection);
      const picker = await new WickPicker__factory(world.deployer).deploy();
      const gang = createGang(world);
      const attacker = await gang.join("100000");
      const [victim, maker] = [await world.openTrader("2100"), await world.openTrader("100000")];
      await world.again();
      await world.execute(victim, setLeverage(FIFTY_TIMES));
      await world.trade(victim, maker, { price: "10000", size: "10" });
      await world.execute(attacker, buy("9850", "10"));
      await world.pass(10n);

      const now = BigInt(await connection.networkHelpers.time.latest());
      const stepOf = async ({ price, age, victims }: Moment) => {
        const signed = await Promise.all(
          ["BTC/USD:a", "BTC/USD:b"].map((feed) =>
            signPrice(
              world.ballast.signedFeed,
              { feed, price: parseUnits(price, 18), publishTime: now - age },
              { signers: [world.deployer], chainId: world.chainId },
            ),
          ),
        );
        return {
          updates: signed.map(({ update }) => update),
          signatures: signed.map(({ signatures }) => signatures),
          victims: [...victims],
          orders: [],
        };
      };
      const down = await stepOf({ price: "9850", age: 2n, victims: [victim.account] });
      const back = await stepOf({ price: "10000", age: 1n, victims: [victim.account] });
      const { exchange, ballast } = world;
      for (const steps of isAtOnce ? [[down, back]] : [[down], [back]]) {
        await picker.pick(exchange, ballast.signedFeed, steps, 0);
      }
      const { price } = await exchange.marketOf(BTC);
      return { profit: await gang.profit(), index: price.index / 10n ** 10n };
    }

    it("sees one price: what pays over two blocks costs a fee in one", async () => {
      const control = await pickWick(false);
      const found = await pickWick(true);
      expect(control).to.deep.equal({ profit: 1374n, index: 10_000n });
      expect(found).to.deep.equal({ profit: -10n, index: 9850n });
      record("wick", { control: control.profit, default: found.profit });
    });
  });
});
