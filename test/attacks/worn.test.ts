import { expect } from "chai";
import { network } from "hardhat";
import type { MarketOverrides } from "../../scripts/deploy/parameters.js";
import { BTC, WHOLE } from "../fixtures.js";
import type { Trader } from "../fixtures.js";
import { DEFAULTS } from "./gang.js";
import {
  createCoalition,
  createSetting,
  deleverage,
  expectFigures,
  fundOf,
  liquidate,
  pair,
  profitOf,
} from "./setting.js";
import type { Leverage } from "./setting.js";

/*
 * The stated move against maintenance (H12). A price goes slowly to where a long has hardly more than maintenance, while keepers are awake,
 * and then by the move that the listing states. Maintenance is of the first bracket's leverage, whatever the account has chosen.
 */

const connection = await network.create();

const FUND = "20000";
const LOTS = 10;
/** A little less than the 2.5 % that are stated. */
const STATED = 0.976;
const STEP = 0.9975;
/** What is above maintenance when the move comes. */
const SPARE = 1.02;

/** The default has brackets that begin with 50 times; here all have 10 times, of which the envelope is. */
const tier = (leverage: number, upTo: number | null) => ({ upTo, leverage });
const TEN_TIMES: MarketOverrides = {
  tiers: [tier(10, 1_000_000), tier(10, 5_000_000), tier(10, 20_000_000), tier(5, null)],
  maxLeverage: 10,
};

type Market = { readonly overrides: MarketOverrides; readonly maintenance: number };

async function drift({ overrides, maintenance }: Market, leverage: Leverage) {
  const world = await createSetting(connection, {
    fund: FUND,
    overrides: { ...DEFAULTS, ...overrides },
  });
  const coalition = await createCoalition(world, [String(100_000 / leverage + 100), "200000"]);
  const [long, short] = coalition.traders as [Trader, Trader];
  await pair(world, [long, short], { price: "10000", size: String(LOTS), leverage });
  const before = await fundOf(world);
  let price = 10_000;
  for (;;) {
    const next = price * STEP;
    const { health } = await world.health(long);
    const equity = Number(health.equity) / Number(WHOLE) - LOTS * (price - next);
    if (equity < SPARE * maintenance * LOTS * next) break;
    price = next;
    await world.setPrice(price.toFixed(1), BTC, 15n);
    await liquidate(world, [long]);
  }
  const { lots } = await world.exchange.positionOf(long.account, BTC);
  expect(lots, "nobody was below maintenance").to.equal(BigInt(LOTS) * 10n ** 8n);
  await world.setPrice((price * STATED).toFixed(1));
  await liquidate(world, [long]);
  await deleverage(world, [long], short.account);
  return { profit: await profitOf(world, coalition), drawn: before - (await fundOf(world)) };
}

describe("the stated move", () => {
  it("brings a coalition nothing where the first bracket has the envelope's leverage, else what the fund pays (H12)", async () => {
    const guarded = await drift({ overrides: TEN_TIMES, maintenance: 0.05 }, 10);
    expect(guarded.profit).to.be.lessThan(0n);
    expect(guarded.drawn).to.be.at.most(0n);
    const found = await drift({ overrides: {}, maintenance: 0.01 }, 10);
    expect(found.drawn).to.be.greaterThan(0n);
    expect(found.profit).to.be.at.most(found.drawn);
    // 1.4 % of 90,000.
    expect(found.profit).to.be.lessThan(1_300n * WHOLE);
    expectFigures(
      "worn",
      { default: found.profit, ten: guarded.profit },
      { default: "1147.12", ten: "-60.20" },
    );
  });
});
