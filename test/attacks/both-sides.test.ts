import { expect } from "chai";
import { network } from "hardhat";
import { BTC, ETH, setLeverage, WHOLE } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import type { Setting } from "./setting.js";
import {
  CLASS,
  createCoalition,
  createSetting,
  deleverage,
  expectFigures,
  fundOf,
  LOOSEST,
  pair,
  profitOf,
} from "./setting.js";

/* Both sides of a market are ruined, one of them by another market, and a caller names them together. */

const connection = await network.create();

const SIZE = "10";
const FUND = "20000";
/** Two calls take a second more than one, and in a second interest accrues and income streams into the fund's budget. Quote. */
const DUST = WHOLE / 10n;

type Result = { readonly profit: bigint; readonly drawn: bigint; readonly owed: bigint };

/**
 * A long is ruined by a fall; its short gained by it, and is ruined by what it holds in another market, against a third account.
 * Named together, it must give in the first market what it won there, as if they had been named one after the other.
 */
async function ruinBoth(world: World, isTogether: boolean): Promise<Result> {
  const coalition = await createCoalition(world, ["2100", "6600", "60000"]);
  const [long, middle, winner] = coalition.traders as [Trader, Trader, Trader];
  await pair(world, [long, middle], { price: "10000", size: SIZE, leverage: 50 });
  for (const trader of [middle, winner]) {
    await world.execute(trader, setLeverage(CLASS[50], ETH));
  }
  await world.trade(middle, winner, { price: "1000", size: "200", market: ETH });
  const before = await fundOf(world);
  await world.setPrice("800", ETH);
  await world.setPrice("8500");
  if (isTogether) await deleverage(world, [long, middle]);
  else {
    await deleverage(world, [long]);
    await deleverage(world, [middle]);
  }
  const drawn = before - (await fundOf(world));
  const { pool } = await world.exchange.marketOf(BTC);
  return { profit: await profitOf(world, coalition), drawn, owed: pool.shortfall };
}

const inWorld = async (options: Setting, isTogether: boolean) =>
  ruinBoth(await createSetting(connection, options), isTogether);

describe("Attacks by both sides of a market", () => {
  it("take two events' budgets if they are named one after the other, and of an empty fund nothing", async () => {
    const loose = await inWorld({ fund: FUND, overrides: LOOSEST }, false);
    const apart = await inWorld({ fund: FUND }, false);
    const empty = await inWorld({}, false);
    // Each market's budget for an event, of a fund that the first draw has not made smaller.
    expect(apart.drawn).to.be.lessThan(8200n * WHOLE);
    expect(apart.profit).to.be.at.most(apart.drawn);
    expect(apart.owed).to.equal(0n);
    expect(empty.profit).to.be.at.most(0n);
    expectFigures(
      "both-sides",
      { control: loose.profit, default: apart.profit, empty: empty.profit },
      { control: "15848.73", default: "7834.26", empty: "-108.28" },
    );
  });

  for (const [name, options] of [
    ["with the fund's budgets at their bounds", { fund: FUND, overrides: LOOSEST }],
    ["with defaults", { fund: FUND }],
    ["of an empty fund", {}],
  ] as const) {
    it(`take no more ${name} if they are named together, and leave no shortfall`, async () => {
      const together = await inWorld(options, true);
      const apart = await inWorld(options, false);
      expect(together.profit).to.be.at.most(apart.profit + DUST);
      expect(together.drawn).to.be.at.most(apart.drawn + DUST);
      expect(together.owed).to.be.at.most(apart.owed + DUST);
    });
  }
});
