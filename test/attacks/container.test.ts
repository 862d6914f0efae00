import { expect } from "chai";
import { network } from "hardhat";
import { buy, sell, setLeverage, WHOLE } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import type { Setting } from "./setting.js";
import {
  CLASS,
  createCoalition,
  createSetting,
  deleverage,
  equityOf,
  expectFigures,
  fundOf,
  LOOSEST,
  pair,
  profitOf,
  without,
} from "./setting.js";

/* Accounts that are made to be left behind, and what a forced sale leaves for others. */

const connection = await network.create();
const setting = (options?: Setting) => createSetting(connection, options);

const FUND = "100000";
/** The signatures of the library's functions, as the linker knows them. */
const MAKER_CHECK = "allowsMaker(State storage,Price,uint32,Side,uint256,uint256,uint256)";
const JUDGE = "requireAllowed(State storage,uint32,Snapshot)";

type Seat = "maker" | "taker";

/**
 * A friend with margin for ten coins at fifty times pays 5 % too much for them, and stays behind with the loss. As a maker it
 * is met by its owner's other account, as a taker it comes itself.
 */
async function leaveBehind(world: World, seat: Seat): Promise<bigint> {
  const coalition = await createCoalition(world, ["100000", "2100"]);
  const [winner, friend] = coalition.traders as [Trader, Trader];
  await world.execute(friend, setLeverage(CLASS[50]));
  const [bid, ask] = [buy("10500", "10"), sell("10500", "10")];
  const order = seat === "maker" ? [friend, winner] : [winner, friend];
  const [first, second] = order as [Trader, Trader];
  await world.execute(first, seat === "maker" ? bid : ask);
  // Refused or not: what counts is what it brings.
  await world.execute(second, seat === "maker" ? ask : bid).catch(() => undefined);
  await deleverage(world, [friend], winner.account);
  return profitOf(world, coalition);
}

describe("Attacks with accounts that are left behind", () => {
  for (const [seat, guard, figures] of [
    ["maker", MAKER_CHECK, { control: "2848.40", "loosest parameters": "0.00", default: "0.00" }],
    ["taker", JUDGE, { control: "2890.40", "loosest parameters": "0.00", default: "0.00" }],
  ] as const) {
    it(`pay if the friend who takes the loss is a ${seat} that nobody looks at`, async () => {
      const unguarded = await setting({ fund: FUND, isUnwatched: true });
      await without(unguarded, ["Margin", guard], 1n);
      const control = await leaveBehind(unguarded, seat);
      // No parameter is loose enough: the check is of margin after the fill, at mark.
      const overrides = { ...LOOSEST, maxDeviation: 30_000 };
      const loosest = await leaveBehind(await setting({ fund: FUND, overrides }), seat);
      const found = await leaveBehind(await setting({ fund: FUND }), seat);
      expect(control).to.be.greaterThan(2500n * WHOLE);
      expect(loosest).to.be.at.most(0n);
      expect(found).to.be.at.most(0n);
      expectFigures(
        `friend-${seat}`,
        { control, "loosest parameters": loosest, default: found },
        figures,
      );
    });
  }

  describe("a bid that waits for what an event sells", () => {
    /** Somebody's long is ruined. The attacker bids as low as an event may sell, calls it, and sells at mark. */
    async function skim(liqSlip: number, fund: string, bid: string) {
      const tier = (leverage: number, upTo: number | null) => ({ upTo, leverage });
      const tiers = [tier(10, 1_000_000), tier(10, 5_000_000), tier(10, 20_000_000), tier(5, null)];
      const world = await setting({
        fund,
        overrides: { liqSlip, ...(liqSlip > 5000 ? { tiers, maxLeverage: 10 } : {}) },
      });
      const leverage = 10;
      const [long, short] = [await world.openTrader("10100"), await world.openTrader("100000")];
      await pair(world, [long, short], { price: "10000", size: "10", leverage });
      const before = await fundOf(world);
      await world.setPrice("8900");
      const coalition = await createCoalition(world, ["100000"]);
      const [attacker] = coalition.traders as [Trader];
      await world.execute(attacker, buy(bid, "10"));
      await deleverage(world, [long]);
      const winner = (await equityOf(world, [short])) - 100_000n * WHOLE;
      const paid = before - (await fundOf(world));
      return { profit: await profitOf(world, coalition), paid, winner };
    }

    it("earns liqSlip from the fund while its budget lasts, and nothing from an empty one", async () => {
      const control = await skim(25_000, FUND, "8680");
      const found = await skim(5000, FUND, "8860");
      const empty = await skim(5000, "0", "8860");
      expect(control.profit).to.be.greaterThan(found.profit);
      expect(found.profit).to.be.at.most((89_000n * WHOLE * 5n) / 1000n);
      expect(empty.profit).to.be.at.most(0n);
      expectFigures(
        "bid-below-event",
        { control: control.profit, default: found.profit, "default, fund empty": empty.profit },
        { control: "2191.21", default: "391.03", "default, fund empty": "0.00" },
      );
    });
  });
});
