import { expect } from "chai";
import { network } from "hardhat";
import { BTC, WHOLE } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import type { Coalition, Leverage, Setting } from "./setting.js";
import {
  createCoalition,
  createSetting,
  deleverage,
  expectFigures,
  fundOf,
  LOOSEST,
  pair,
  profitOf,
  withdrawAll,
} from "./setting.js";

/* Accounts of one owner on both sides of a gap, by leverage, by number and again and again. */

const connection = await network.create();
const setting = (options?: Setting) => createSetting(connection, options);

/** Ten coins for ten thousand each. */
const SIZE = "10";
const NOTIONAL = 100_000;
const FUND = "20000";
/** What opening costs: fees and the bonds of two cohorts. */
const COSTS = 100;
const HOUR = 3600n;

type Result = { readonly profit: bigint; readonly drawn: bigint };

/** The margin of one side, no more than it must be. */
const marginFor = (leverage: Leverage, pairs = 1) =>
  String(Math.ceil(NOTIONAL / leverage / pairs) + COSTS);

/**
 * Both sides of a market at the highest leverage, then the index falls by 15 % in one update that two sources agree on. The losers
 * leave what they do not have to the fund; the winners keep what is left to them. Whatever is to make this not pay belongs
 * into the world; a cap on what the highest classes may hold would be seen here first.
 */
async function gap(world: World, leverage: Leverage, pairs = 1): Promise<Result> {
  const margins = new Array<string>(2 * pairs).fill(marginFor(leverage, pairs));
  const coalition = await createCoalition(world, margins);
  const [longs, shorts] = sidesOf(coalition);
  for (const [i, long] of longs.entries()) {
    const short = shorts[i];
    if (short === undefined) throw new Error("accounts come in pairs");
    await pair(world, [long, short], { price: "10000", size: String(10 / pairs), leverage });
  }
  const before = await fundOf(world);
  await world.setPrice("8500");
  await deleverage(world, longs, shorts[0]?.account);
  const drawn = before - (await fundOf(world));
  return { profit: await profitOf(world, coalition), drawn };
}

/** Even places are long, odd ones short. */
function sidesOf({ traders }: Coalition): [Trader[], Trader[]] {
  return [traders.filter((_, i) => i % 2 === 0), traders.filter((_, i) => i % 2 === 1)];
}

describe("Attacks by accounts that trade with each other", () => {
  describe("a gap between two accounts of one owner", () => {
    it("takes what the fund may pay for one event, and nothing at five times", async () => {
      const control = await gap(await setting({ fund: FUND, overrides: LOOSEST }), 50);
      const found: Record<string, bigint> = { "control, 50×": control.profit };
      for (const leverage of [50, 20, 10, 5] as const) {
        const { profit, drawn } = await gap(await setting({ fund: FUND }), leverage);
        found[`default, ${leverage}×`] = profit;
        // A fifth of the fund, which the coalition's fees have added to.
        expect(drawn).to.be.lessThan(4040n * WHOLE);
        expect(profit).to.be.at.most(drawn);
      }
      expect(found["default, 5×"]).to.be.lessThan(0n);
      expectFigures("gap-by-leverage", found, {
        "control, 50×": "12890.90",
        "default, 50×": "3943.29",
        "default, 20×": "3943.29",
        "default, 10×": "3943.29",
        "default, 5×": "-60.20",
      });
    });

    it("takes no more with sixteen accounts than what the caller gets for each", async () => {
      const one = await gap(await setting({ fund: FUND }), 50);
      const eight = await gap(await setting({ fund: FUND }), 50, 8);
      expect(eight.profit - one.profit).to.be.lessThan(7n * WHOLE);
      expectFigures("gap-sixteen", { default: eight.profit }, { default: "3950.29" });
    });
  });

  describe("a gap every hour", () => {
    /** Six pairs, one after the other; each opens with what new risk asks for and takes out at once what it need not leave. */
    async function snipe(world: World): Promise<Result> {
      const before = await fundOf(world);
      let profit = 0n;
      const prices = ["9000", "10000"];
      for (let hour = 0; hour < 6; hour++) {
        const price = prices[(hour + 1) % 2] ?? "";
        await world.setPrice(price, BTC, HOUR);
        const coalition = await createCoalition(world, ["120000", "120000"]);
        const [long, short] = coalition.traders as [Trader, Trader];
        await pair(world, [long, short], { price, size: SIZE, leverage: 50 });
        let takenOut = 0n;
        for (const trader of coalition.traders) takenOut += await withdrawAll(world, trader);
        await world.setPrice(prices[hour % 2] ?? "");
        await deleverage(world, hour % 2 === 0 ? [long] : [short], coalition.traders[0]?.account);
        profit += await profitOf(world, { ...coalition, takenOut });
      }
      return { profit, drawn: before - (await fundOf(world)) };
    }

    it("takes what the fund may pay in a day", async () => {
      const control = await snipe(await setting({ fund: FUND, overrides: LOOSEST }));
      const { profit, drawn } = await snipe(await setting({ fund: FUND }));
      expect(control.profit).to.be.greaterThan(14_000n * WHOLE);
      // Two fifths, and a fortieth that leaks every hour.
      expect(drawn).to.be.lessThan(11_000n * WHOLE);
      expect(profit).to.be.at.most(drawn);
      expectFigures(
        "gap-every-hour",
        { control: control.profit, default: profit },
        { control: "16271.28", default: "8714.62" },
      );
    });
  });
});
