import { expect } from "chai";
import { network } from "hardhat";
import type { MarketOverrides } from "../../scripts/deploy/parameters.js";
import { BTC, buy, cancelAll, sell, setLeverage, WHOLE } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import type { Coalition, Setting } from "./setting.js";
import {
  CLASS,
  createCoalition,
  createSetting,
  deleverage,
  equityOf,
  expectFigures,
  fundOf,
  liquidate,
  pair,
  profitOf,
  without,
} from "./setting.js";

/* What happened elsewhere, by the names it has: the same moves, on this exchange. */

const connection = await network.create();
const setting = (options?: Setting) => createSetting(connection, options);

const MAX = 2n ** 256n - 1n;
/** A market that may carry a hundred coins of ten thousand. */
const SMALL: MarketOverrides = { openInterestCap: "100" };
const FUND = "200000";

/** Opens pairs at five times until the market takes no more of them, `each` coins a pair. */
async function crowd(world: World, margin: string, pairs: number): Promise<Coalition> {
  let coalition: Coalition = { traders: [], paidIn: 0n, takenOut: 0n };
  for (let i = 0; i < pairs; i++) {
    const { traders, paidIn } = await createCoalition(world, [margin, margin]);
    const opened = pair(world, traders as [Trader, Trader], {
      price: "10000",
      size: "10",
      leverage: 5,
    });
    if (!(await succeeds(opened))) break;
    coalition = {
      traders: [...coalition.traders, ...traders],
      paidIn: coalition.paidIn + paidIn,
      takenOut: 0n,
    };
  }
  return coalition;
}

async function succeeds(sent: Promise<unknown>): Promise<boolean> {
  return sent.then(
    () => true,
    () => false,
  );
}

const longsOf = ({ traders }: Coalition) => traders.filter((_, i) => i % 2 === 0);

describe("Attacks that happened", () => {
  describe("YFI: many wallets, both sides, a fall of 30 % within an hour", () => {
    /** Within an hour, as it was: a quarter of a percent every half minute, while keepers are awake. */
    async function inAnHour() {
      const world = await setting({ fund: FUND, overrides: SMALL });
      const coalition = await crowd(world, "20100", 10);
      const before = await fundOf(world);
      for (const price of ["9300", "8700", "8300"]) await world.setPrice(price);
      for (let price = 8250; price > 7700; price -= 25) {
        await world.setPrice(String(price), BTC, 24n);
        await liquidate(world, longsOf(coalition));
        await deleverage(world, longsOf(coalition));
      }
      for (const price of ["7400", "7000"]) await world.setPrice(price);
      for (const trader of longsOf(coalition)) {
        expect((await world.exchange.positionOf(trader.account, BTC)).lots).to.equal(0n);
      }
      return { profit: await profitOf(world, coalition), drawn: before - (await fundOf(world)) };
    }

    it("pays nothing while keepers are awake", async () => {
      const { profit, drawn } = await inAnHour();
      expect(profit).to.be.lessThan(0n);
      expect(drawn).to.be.lessThan(0n);
      expectFigures("yfi-in-an-hour", { default: profit }, { default: "-2159.45" });
    });
  });

  describe("Mango: profit on paper, taken out as money", () => {
    /** Long and short of one owner; the index is up by 40 %, the long takes out what it can, and the index is back. */
    async function borrow(isUnguarded: boolean) {
      const world = await setting({ isUnwatched: isUnguarded });
      const honest = await world.openTrader("1000000");
      const coalition = await createCoalition(world, ["20100", "60000"]);
      const [long, short] = coalition.traders as [Trader, Trader];
      await pair(world, [long, short], { price: "10000", size: "10", leverage: 5 });
      await world.setPrice("14000");
      if (isUnguarded) {
        const unrealised = 40_000n * WHOLE;
        await without(world, ["Margin", "withdrawable(State storage,uint32)"], unrealised);
      }
      const { exchange } = world;
      const taken = await succeeds(
        exchange.connect(long.signer).withdraw(long.account, MAX, long.signer),
      );
      await world.setPrice("10000");
      expect(honest.account).to.be.greaterThan(0);
      return profitOf(world, { ...coalition, takenOut: taken ? 40_000n * WHOLE : 0n });
    }

    it("pays without the rule that such profit stays, and not with it", async () => {
      const control = await borrow(true);
      const found = await borrow(false);
      expect(control).to.be.greaterThan(19_000n * WHOLE);
      expect(found).to.be.lessThan(0n);
      expectFigures(
        "mango-unguarded",
        { control, default: found },
        { control: "19889.90", default: "-60.20" },
      );
    });
  });

  describe("XPL: a market that its own book prices", () => {
    const OWN_BOOK: MarketOverrides = {
      maxDeviation: 30_000,
      premiumWindow: 10,
      impactNotional: 1,
      lastTradeFor: 600,
      maxFunding: 40_000,
      band: 200_000,
    };

    /** A coalition's quotes stand above the index for half an hour, refreshed as often as they count, and nobody sells to them. */
    async function paint(overrides: MarketOverrides, bid: string, ask: string) {
      const world = await setting({ overrides });
      const honest = await world.openTrader("5000");
      const coalition = await createCoalition(world, ["1000000", "1000000"]);
      const [short, painter] = coalition.traders as [Trader, Trader];
      await world.execute(honest, setLeverage(CLASS[50]));
      await world.trade(honest, short, { price: "10000", size: "10" });
      // A short that is to be liquidated by the mark alone.
      const [prey, other] = [await world.openTrader("2060"), await world.openTrader("1000000")];
      await pair(world, [other, prey], { price: "10000", size: "10", leverage: 50 });
      await world.execute(painter, buy(bid, "3"), sell(ask, "3"));
      const paid = await equityOf(world, coalition.traders);
      for (let minute = 0; minute < 30; minute++) await world.setPrice("10000", BTC, 55n);
      const { health } = await world.health(prey);
      const isBelow = health.equity < health.maintenance;
      await expect(liquidate(world, [prey])).to.emit(world.exchange, "Skipped");
      await world.execute(painter, cancelAll());
      for (let minute = 0; minute < 20; minute++) await world.setPrice("10000", BTC, 55n);
      return { isBelow, profit: (await equityOf(world, coalition.traders)) - paid };
    }

    it("liquidates nobody, and earns at most the bound of funding while nobody answers", async () => {
      const control = await paint(OWN_BOOK, "10280", "10320");
      const found = await paint({}, "10090", "10110");
      // At the mark it was below maintenance, at the index it was not.
      expect(control.isBelow).to.equal(true);
      expect(control.profit).to.be.greaterThan(150n * WHOLE);
      // 0.75 % in eight hours, for 50 minutes.
      const bound = (101_000n * WHOLE * 75n * 50n) / (10_000n * 8n * 60n);
      expect(found.profit).to.be.at.most(bound);
      expectFigures(
        "xpl-quotes",
        { control: control.profit, default: found.profit },
        { control: "175.73", default: "45.63" },
      );
    });
  });
});
