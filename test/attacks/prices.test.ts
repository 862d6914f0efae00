import { expect } from "chai";
import { network } from "hardhat";
import type { MarketOverrides } from "../../scripts/deploy/parameters.js";
import { BTC, buy, sell, toLots, toPrice, WHOLE } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import type { Leverage, Setting } from "./setting.js";
import {
  createCoalition,
  createSetting,
  equityOf,
  expectFigures,
  pair,
  profitOf,
  pushOne,
  quote,
} from "./setting.js";

/* A price is on the chain, and whoever comes first acts on it. */

const connection = await network.create();
const setting = (options?: Setting) => createSetting(connection, options);

const SIZE = "10";
const MONEY = "200000";

/** A long of ten coins, with no more margin than it must have. */
async function createVictim(world: World, leverage: Leverage): Promise<Trader> {
  const margin = String(100_000 / leverage + 100);
  const [victim, other] = [await world.openTrader(margin), await world.openTrader("1000000")];
  await pair(world, [victim, other], { price: "10000", size: SIZE, leverage });
  return victim;
}

/** The attacker's account takes over all it may of the victim. */
function takeOver({ exchange }: World, from: Trader, { signer, account }: Trader) {
  const [lots, worst] = [toLots(SIZE), toPrice("10000")];
  return exchange.connect(signer).takeover(from.account, account, BTC, lots, worst);
}

async function gainOf(world: World, attacker: Trader): Promise<bigint> {
  return (await equityOf(world, [attacker])) - BigInt(MONEY) * WHOLE;
}

describe("Attacks on prices that are there", () => {
  describe("a forced sale while the book has better bids", () => {
    /** The index falls, and bids of before stand. The attacker takes over and sells to those inside the band. */
    async function passBids(
      [price, leverage]: readonly [string, Leverage],
      {
        overrides = {},
        seeFirst = false,
      }: { overrides?: MarketOverrides; seeFirst?: boolean } = {},
    ) {
      const world = await setting({ overrides });
      const victim = await createVictim(world, leverage);
      await quote(world, { bid: "9990", ask: "10010", size: "50" });
      const attacker = await world.openTrader(MONEY);
      await world.pushPrice(price);
      // A keeper that sells to the book comes first, or does not.
      if (seeFirst) await world.exchange.liquidate([victim.account], 100, 0);
      else {
        await takeOver(world, victim, attacker);
        // What it has taken over and no more: whoever sells beyond that to a bid of before needs no victim.
        const { lots } = await world.exchange.positionOf(attacker.account, BTC);
        const back = sell("9990", SIZE, { timeInForce: "ioc", reduceOnly: true });
        if (lots !== 0n) await world.execute(attacker, back);
      }
      return { profit: await gainOf(world, attacker), victim: await equityOf(world, [victim]) };
    }

    const FAR = ["9050", 10] as const;
    const NEAR = ["9540", 20] as const;

    it("brings whoever takes over nothing of them: the book is served first", async () => {
      const control = await passBids(FAR, { overrides: { band: 200_000 } });
      const found = await passBids(FAR);
      const near = await passBids(NEAR);
      const kept = await passBids(NEAR, { seeFirst: true });
      expect(found.profit).to.be.lessThan((90_500n * WHOLE * 25n) / 10_000n);
      // Bids inside the band are the victim's, whoever comes first, and however wide the band is.
      // What is left is the reward of whoever calls.
      expect(control.profit).to.be.lessThan(10n * WHOLE);
      expect(near.profit).to.be.lessThan(10n * WHOLE);
      expect(kept.profit).to.equal(0n);
      expect(near.victim).to.equal(kept.victim);
      expectFigures(
        "takeover-past-bids",
        {
          control: control.profit,
          default: found.profit,
          near: near.profit,
          victim: near.victim,
          kept: kept.victim,
        },
        {
          control: "2.89",
          default: "217.79",
          near: "7.14",
          victim: "1021.97",
          kept: "1021.97",
        },
      );
    });
  });

  describe("a price from one source that is false, while the other is silent", () => {
    /** The attacker has the keys of one source, takes the victim over at its price, and the true price comes back. */
    async function lie(overrides: MarketOverrides, falsePrice: string) {
      const world = await setting({ overrides });
      const victim = await createVictim(world, 20);
      const attacker = await world.openTrader(MONEY);
      await world.pass(40n);
      await pushOne(world, falsePrice);
      const isSeized = await takeOver(world, victim, attacker).then(
        () => true,
        () => false,
      );
      await world.setPrice("10000");
      return { isSeized, profit: await gainOf(world, attacker) };
    }

    it("pays where no jump waits, not by default, and within a jump's bound even so", async () => {
      const control = await lie({ maxJump: 500_000 }, "7500");
      const found = await lie({}, "7500");
      const small = await lie({}, "9210");
      expect(control.profit).to.be.greaterThan(20_000n * WHOLE);
      expect(found).to.deep.equal({ isSeized: false, profit: 0n });
      expect(small.profit).to.be.at.most(8n * 1000n * WHOLE);
      expectFigures(
        "false-source",
        {
          control: control.profit,
          default: found.profit,
          small: small.profit,
        },
        { control: "24999.89", default: "0.00", small: "7899.89" },
      );
    });
  });

  describe("leaving at the old price while a jump waits", () => {
    /**
     * Long and short of one owner. One source says 8000, and somebody's bid still stands at 9995: that of a stranger who would grow,
     * or of a short who would shrink. The long sells to it if it can.
     */
    async function leave(isSeen: boolean, isShort: boolean) {
      const world = await setting();
      const coalition = await createCoalition(world, ["50000", "50000"]);
      const [long, short] = coalition.traders as [Trader, Trader];
      await pair(world, [long, short], { price: "10000", size: SIZE, leverage: 10 });
      const other = await world.openTrader("1000000");
      if (isShort) {
        const third = await world.openTrader("1000000");
        await pair(world, [third, other], { price: "10000", size: SIZE, leverage: 10 });
      }
      await world.execute(other, buy("9995", SIZE));
      await world.pass(40n);
      if (!isSeen) await world.again();
      if (isSeen) await pushOne(world, "8000");
      await world.execute(long, sell("9995", SIZE, { timeInForce: "ioc", reduceOnly: true }));
      await world.setPrice("8000");
      return profitOf(world, coalition);
    }

    it("pays before the chain has seen the jump, and then no more", async () => {
      const control = await leave(false, false);
      const found = await leave(true, false);
      const shorts = await leave(true, true);
      expect(control).to.be.greaterThan(19_000n * WHOLE);
      expect(found).to.be.at.most(0n);
      expect(shorts).to.be.at.most(0n);
      expectFigures(
        "free-exit",
        { control, default: found, shorts },
        { control: "19839.82", default: "-60.20", shorts: "-60.20" },
      );
    });

    it("is no way out of the vault either", async () => {
      const world = await setting();
      const coalition = await createCoalition(world, ["50000", "50000"]);
      const [long, short] = coalition.traders as [Trader, Trader];
      await pair(world, [long, short], { price: "10000", size: SIZE, leverage: 10 });
      await world.pass(40n);
      await pushOne(world, "8000");
      await expect(world.exchange.connect(long.signer).withdraw(long.account, 1n, long.signer))
        .to.be.revertedWithCustomError(world.exchange, "WithdrawalTooLarge")
        .withArgs(1n, 0n);
    });
  });
});
