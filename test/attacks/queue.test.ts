import { expect } from "chai";
import { network } from "hardhat";
import type { MarketOverrides } from "../../scripts/deploy/parameters.js";
import { BTC, buy, sell, WHOLE } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import type { Setting } from "./setting.js";
import {
  createSetting,
  deleverage,
  equityOf,
  expectFigures,
  pair,
  quote,
  withdrawAll,
} from "./setting.js";

/*
 * Winners that leave before they are asked: an event is near, and whoever is not in it any more does not pay. Each attack is
 * measured against the same trader sitting still.
 */

const connection = await network.create();
const setting = (options?: Setting) => createSetting(connection, options);

/** Keepers are late by this many seconds, in both runs. */
const LATE = 130n;
/** Longer than two epochs of the default. */
const ASLEEP = 490n;
const DEPOSIT = 110_000n * WHOLE;

/** What the attacker does before a keeper comes, answered with what it took out by then, and once the event is over. */
type Move = {
  readonly before: (world: World, attacker: Trader) => Promise<bigint>;
  readonly after?: (world: World, attacker: Trader) => Promise<void>;
};

const sitStill: Move = { before: async () => 0n };

/**
 * Attacker and an honest trader are short ten each, of one cohort; their long goes bankrupt by 8 % in one update.
 */
async function escape(overrides: MarketOverrides, move: Move, late: bigint) {
  const world = await setting({ overrides });
  const [attacker, honest] = [await world.openTrader("110000"), await world.openTrader("110000")];
  const loser = await world.openTrader("10300");
  await pair(world, [loser, attacker], { price: "10000", size: "10", leverage: 20 });
  await pair(world, [loser, honest], { price: "10000", size: "10", leverage: 20 });
  await world.setPrice("9200");
  await quote(world, { bid: "9199", ask: "9201", size: "60" });

  let takenOut = await move.before(world, attacker);
  await world.setPrice("9200", BTC, late);
  takenOut += await withdrawAll(world, attacker);
  await deleverage(world, [loser]);
  await move.after?.(world, attacker);
  return {
    attacker: (await equityOf(world, [attacker])) + takenOut - DEPOSIT,
    honest: (await equityOf(world, [honest])) - DEPOSIT,
  };
}

/** What moving brought the attacker and cost the other, against sitting still in the same world. */
async function gainOf(overrides: MarketOverrides, move: Move, late = LATE) {
  const moved = await escape(overrides, move, late);
  const still = await escape(overrides, sitStill, late);
  return { gain: moved.attacker - still.attacker, harm: still.honest - moved.honest };
}

const sellToFriend: Move = {
  before: async (world, attacker) => {
    const friend = await world.openTrader("110000");
    await world.execute(friend, sell("9200", "10", { timeInForce: "postOnly" }));
    await world.execute(attacker, buy("9200", "10", { timeInForce: "ioc" }));
    return (await equityOf(world, [friend])) - DEPOSIT;
  },
};

/** Sells `size` more at the new price, so that its entry comes near it, and buys that back in the end. */
const averageUp = (size: string): Move => ({
  before: async (world, attacker) => {
    await world.execute(attacker, sell("9199", size, { timeInForce: "ioc" }));
    return 0n;
  },
  after: async (world, attacker) => {
    const back = buy("9201", size, { timeInForce: "ioc", reduceOnly: true });
    await world.execute(attacker, back);
  },
});

describe("Attacks on the queue", () => {
  describe("leaving with the profit before the event", () => {
    it("pays who sells to a friend where profit matures in a minute, and not by default", async () => {
      const control = await gainOf({ freshEpoch: 60 }, sellToFriend);
      const found = await gainOf({}, sellToFriend);
      // What epochs are sized for: nobody at all comes for longer than two of them.
      const asleep = await gainOf({}, sellToFriend, ASLEEP);
      expect(control.gain).to.be.greaterThan(2500n * WHOLE);
      expect(control.harm).to.be.greaterThan(2500n * WHOLE);
      expect(found.gain).to.be.at.most(0n);
      expectFigures(
        "sell-to-friend",
        { control: control.gain, default: found.gain, asleep: asleep.gain },
        { control: "2832.73", default: "-176.22", asleep: "2832.73" },
      );
    });
  });

  describe("hiding the profit in a larger position", () => {
    /** With so many more the entry is the dearest of a class that begins at 9216, sixteen above the mark. */
    const MANY = "58";

    it("pays what a class is wide, less the fees of six times the position", async () => {
      const control = await gainOf({ makerFee: 0, takerFee: 0 }, averageUp(MANY));
      const found = await gainOf({}, averageUp(MANY));
      expect(control.gain).to.be.greaterThan(found.gain);
      // A class width of what it holds then, 1.1 % here, is the most that can be hidden.
      expect(found.gain).to.be.lessThan((68n * 9200n * WHOLE * 11n) / 1000n);
      expectFigures(
        "averaging-up",
        { control: control.gain, default: found.gain, harm: found.harm },
        { control: "1997.40", default: "1500.26", harm: "2085.68" },
      );
    });
  });
});
