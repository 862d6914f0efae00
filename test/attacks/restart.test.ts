import { expect } from "chai";
import { network } from "hardhat";
import { resolve } from "node:path";
import { readParameters } from "../../scripts/deploy/parameters.js";
import type { MarketOverrides, MarketParameters } from "../../scripts/deploy/parameters.js";
import { BTC, buy, cancelAll, sell, WHOLE } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import { SettableAggregator__factory } from "../../typechain-types/index.js";
import {
  createCoalition,
  createSetting,
  deleverage,
  equityOf,
  expectFigures,
  liquidate,
  pair,
  profitOf,
  quote,
} from "./setting.js";

/*
 * A rollup's sequencer stops and comes back: prices stood still meanwhile, and nobody could act. What is there first must not be a
 * price of before, and not a liquidation.
 */

const connection = await network.create();
const { networkHelpers } = connection;

const DEFAULTS = resolve(import.meta.dirname, "../../scripts/deploy/parameters/default.json");
const DECIMALS = 8;
const GRACE = 3600n;
const OUTAGE = 600n;
/** What a market that does not look at the age of a price believes: the bound of agedFor. */
const CARELESS: MarketOverrides = { freshFor: 3600, agedFor: 3600 };

async function now(): Promise<bigint> {
  return BigInt(await networkHelpers.time.latest());
}

/** One market with two aggregators, behind a sequencer's uptime feed or not. */
async function createRollup({
  overrides,
  isGuarded,
}: {
  overrides: MarketOverrides;
  isGuarded: boolean;
}) {
  const deployer = await connection.ethers.provider.getSigner(0);
  const deployAggregator = async () => new SettableAggregator__factory(deployer).deploy();
  const [a, b, sequencer] = [
    await deployAggregator(),
    await deployAggregator(),
    await deployAggregator(),
  ];
  const setPrice = async (price: number) => {
    const answer = BigInt(price) * 10n ** BigInt(DECIMALS);
    for (const aggregator of [a, b]) {
      const time = await now();
      await aggregator.set(DECIMALS, answer, time, time);
    }
  };
  const setSequencer = async (isDown: boolean) => {
    const time = await now();
    await sequencer.set(0, isDown ? 1n : 0n, time, time);
  };
  await setSequencer(false);
  await networkHelpers.time.increase(GRACE);
  const [market] = readParameters(DEFAULTS).markets;
  if (market === undefined) throw new Error("the defaults have a market");
  const sources: MarketParameters["sources"] = [
    { kind: "chainlink", aggregator: await a.getAddress() },
    { kind: "chainlink", aggregator: await b.getAddress() },
  ];
  const feed = await sequencer.getAddress();
  const world = await createSetting(connection, {
    overrides,
    prices: [],
    deployment: {
      markets: [{ ...market, sources }],
      sequencer: isGuarded ? { feed, grace: Number(GRACE) } : null,
    },
  });
  await setPrice(10_000);
  await world.exchange.poke(BTC);
  return { world, setPrice, setSequencer };
}

type Rollup = Awaited<ReturnType<typeof createRollup>>;

/** It stops for ten minutes; then it is back, and aggregators will follow. */
async function goDownAndUp({ world, setSequencer }: Rollup): Promise<void> {
  await setSequencer(true);
  await world.pass(OUTAGE);
  await setSequencer(false);
}

describe("Attacks after a restart of the sequencer", () => {
  describe("with the price of before", () => {
    /** The world knows 9000. The attacker sells to a bid that nobody could take away. */
    async function sellOld(isGuarded: boolean, overrides: MarketOverrides) {
      const rollup = await createRollup({ overrides, isGuarded });
      const { world, setPrice } = rollup;
      await quote(world, { bid: "9995", size: "10" });
      const coalition = await createCoalition(world, ["100000"]);
      const [attacker] = coalition.traders as [Trader];
      await goDownAndUp(rollup);
      const sold = world.execute(attacker, sell("9995", "10", { timeInForce: "ioc" }));
      if (isGuarded) {
        await expect(sold).to.be.revertedWithCustomError(world.exchange, "PriceNotFresh");
      } else await sold;
      await world.pass(2n * GRACE);
      await setPrice(9000);
      await world.exchange.poke(BTC);
      return profitOf(world, coalition);
    }

    it("pay where age is not looked at, and by default nobody can trade", async () => {
      const control = await sellOld(false, CARELESS);
      const found = await sellOld(true, {});
      expect(control).to.be.greaterThan(9000n * WHOLE);
      expect(found).to.equal(0n);
      expectFigures(
        "restart-old-price",
        { control, default: found },
        { control: "9900.96", default: "0.00" },
      );
    });
  });

  describe("by liquidating who could not act", () => {
    /** The price came down by 4.6 % meanwhile. The attacker waits for forced sales with a bid; the victim would like to pay in. */
    async function liquidateFirst(isGuarded: boolean) {
      const rollup = await createRollup({ overrides: {}, isGuarded });
      const { world, setPrice } = rollup;
      const victim = await world.openTrader("5100");
      const other = await world.openTrader("1000000");
      await openAt(world, rollup, [victim, other]);
      await world.execute(victim, sell("10400", "1"));
      const before = await equityOf(world, [victim]);
      await goDownAndUp(rollup);
      await setPrice(9540);
      await world.exchange.poke(BTC);

      await liquidate(world, [victim]);
      // The clock runs while prices are fresh.
      for (let i = 0; i < 3; i++) {
        await world.pass(15n);
        await setPrice(9540);
        await deleverage(world, [victim]);
      }
      const { lots } = await world.exchange.positionOf(victim.account, BTC);
      // The victim is back too: it may always cancel and pay in.
      await world.execute(victim, cancelAll());
      await world.fund(victim, "5000");
      await world.pass(GRACE);
      await setPrice(10_000);
      await world.exchange.poke(BTC);
      const after = await equityOf(world, [victim]);
      return { lots, lost: before - (after - 5000n * WHOLE) };
    }

    async function openAt(
      world: World,
      { setPrice }: Rollup,
      [long, short]: readonly [Trader, Trader],
    ): Promise<void> {
      await setPrice(10_000);
      await pair(world, [long, short], { price: "10000", size: "10", leverage: 20 });
    }

    it("takes what it has where there is no grace; within the grace it only pays in", async () => {
      const control = await liquidateFirst(false);
      const found = await liquidateFirst(true);
      expect(control.lots).to.equal(0n);
      expect(control.lost).to.be.greaterThan(4000n * WHOLE);
      expect(found.lots).to.be.greaterThan(0n);
      // An hour of interest.
      expect(found.lost).to.be.lessThan(2n * WHOLE);
      expectFigures(
        "restart-liquidation",
        { "control, victim loses": control.lost, "default, victim loses": found.lost },
        { "control, victim loses": "5049.89", "default, victim loses": "0.10" },
      );
    });

    it("comes after reducing once prices are back", async () => {
      const rollup = await createRollup({ overrides: {}, isGuarded: true });
      const { world, setPrice } = rollup;
      const [victim, other] = [await world.openTrader("5100"), await world.openTrader("1000000")];
      await openAt(world, rollup, [victim, other]);
      await goDownAndUp(rollup);
      await world.pass(GRACE + 1n);
      await setPrice(9600);
      await world.execute(other, buy("9600", "10"));
      await world.execute(victim, sell("9600", "9", { timeInForce: "ioc", reduceOnly: true }));
      await expect(liquidate(world, [victim])).to.emit(world.exchange, "Skipped");
    });
  });
});
