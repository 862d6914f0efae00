import { expect } from "chai";
import { network } from "hardhat";
import { parseUnits } from "ethers";
import { signPrice } from "../../scripts/lib/feed.js";
import { BTC, buy, setLeverage } from "../fixtures.js";
import type { World } from "../fixtures.js";
import { record } from "./figures.js";
import { createAligned, createGang, expectNear, wholeFloor } from "./gang.js";

/*
 * Ways out for whoever owes a part of a deficit, or is next in the queue, or knows a price before the exchange does. Each is played twice:
 * with its guard at the loosest bound, and with the default.
 */

const connection = await network.create();

const ONE_TIMES = 0;
const FIVE_TIMES = 3;
const TEN_TIMES = 4;
const FIFTY_TIMES = 6;

describe("Attacks by leaving", () => {
  describe("closing and opening again, to escape a haircut", () => {
    /**
     * The attacker and somebody else are short 5 BTC each against one long of fifty times, who is insolvent after a fall of 7 %. The
     * attacker closes, opens again, waits for as long as the loosest bound asks, and takes all it can; then the deficit is charged.
     */
    async function reopen(world: World) {
      const gang = createGang(world);
      const attacker = await gang.join("10000");
      const honest = await world.openTrader("10000");
      const maker = await world.openTrader("1000000");
      const loser = await world.openTrader("4000");
      await world.again();
      await world.execute(loser, setLeverage(FIFTY_TIMES));
      for (const short of [attacker, honest]) {
        await world.trade(loser, short, { price: "10000", size: "5" });
      }
      await world.setPrice("9300");
      await world.trade(attacker, maker, { price: "9300", size: "5" });
      await world.trade(maker, attacker, { price: "9300", size: "5" });
      for (let waited = 0n; waited < 125n; waited += 25n) await world.setPrice("9300", BTC, 25n);
      await gang.pull(attacker);
      await world.exchange.deleverage([loser.account], 10, 0);
      const { health } = await world.health(honest);
      return { profit: await gang.profit(), honest: wholeFloor(health.equity) - 10_000n };
    }

    it("saves all but the fees in the control; with defaults the attacker gives what the other gives", async () => {
      const control = await createAligned(connection, { overrides: { freshEpoch: 60 } });
      const loose = await reopen(control);
      expect(loose).to.deep.equal({ profit: 3467n, honest: 468n });
      const found = await reopen(await createAligned(connection));
      record("reopen", { control: loose.profit, default: found.profit, still: found.honest });
      // 3,500 each less about 1,530, and 180 in fees of the two trades more than who did nothing.
      expect(found).to.deep.equal({ profit: 1877n, honest: 2057n });
    });
  });

  describe("switching to a safer class before an event", () => {
    /**
     * The attacker's short of ten times stands before one of five times. It sees an event come, commits all its money, is not cut,
     * and is back at ten times before the price falls on.
     */
    async function switchClass(world: World) {
      const gang = createGang(world);
      const attacker = await gang.join("100000", TEN_TIMES);
      const honest = await world.openTrader("100000");
      const loser = await world.openTrader("7000");
      await world.again();
      await world.execute(honest, setLeverage(FIVE_TIMES));
      await world.execute(loser, setLeverage(FIFTY_TIMES));
      await world.trade(loser, attacker, { price: "10000", size: "5" });
      // The other 5 BTC belong to nobody who is in trouble.
      const calm = await world.openTrader("100000");
      await world.trade(calm, honest, { price: "10000", size: "5" });
      await world.setPrice("8500");
      await world.execute(attacker, setLeverage(ONE_TIMES));
      await world.exchange.settle(attacker.account, BTC);
      await world.exchange.deleverage([loser.account], 10, 0);
      await world.execute(attacker, setLeverage(TEN_TIMES));
      await world.setPrice("8000", BTC, 10n);
      return gang.profit();
    }

    it("keeps the short through the event in the control, and wins on; with defaults it is cut", async () => {
      const control = await createAligned(connection, { overrides: { classDelay: 0 } });
      const loose = await switchClass(control);
      expect(loose).to.equal(9738n);
      // 5 BTC that do not win the last 500 each.
      const found = await switchClass(await createAligned(connection));
      expect(found).to.equal(7238n);
      record("commit", { control: loose, default: found });
    });

    it("needs the money: profit of 25,000 does not stand in for a requirement", async () => {
      const world = await createAligned(connection, { overrides: { classDelay: 0 } });
      const { exchange } = world;
      const [attacker, loser] = [await world.openTrader("10000"), await world.openTrader("100000")];
      await world.trade(loser, attacker, { price: "10000", size: "5" });
      await world.setPrice("5000");
      expect(wholeFloor((await world.health(attacker)).health.equity)).to.equal(34_994n);
      await expect(world.execute(attacker, setLeverage(ONE_TIMES))).to.be.revertedWithCustomError(
        exchange,
        "LeverageNotCovered",
      );
    });
  });

  describe("a price that waits", () => {
    /** One of the two sources falls silent, the other says something else than before. */
    async function pushOne(world: World, price: string): Promise<void> {
      const { signedFeed } = world.ballast;
      await world.pass(31n);
      const publishTime = BigInt(await connection.networkHelpers.time.latest());
      const { update, signatures } = await signPrice(
        signedFeed,
        { feed: "BTC/USD:a", price: parseUnits(price, 18), publishTime },
        { signers: [world.deployer], chainId: world.chainId },
      );
      await signedFeed.push(update, signatures);
      await world.exchange.poke(BTC);
    }

    /** A long whose margin is more than it needs takes out what it can when the first source says 20 % less. */
    async function leave(world: World) {
      await world.fillFund("100000");
      const gang = createGang(world);
      const long = await gang.join("100000", TEN_TIMES);
      const short = await gang.join("100000", TEN_TIMES);
      await world.trade(long, short, { price: "10000", size: "10" });
      await pushOne(world, "8000");
      const pulled = await gang.pull(long);
      await world.setPrice("8000");
      await world.exchange.deleverage([long.account], 10, 0);
      return { profit: await gang.profit(), pulled };
    }

    it("is no way out: it is taken before the withdrawal in the control, with defaults nothing is paid out", async () => {
      const control = await createAligned(connection, { overrides: { maxJump: 500_000 } });
      const loose = await leave(control);
      expect(loose).to.deep.equal({ profit: -61n, pulled: 71_949n });
      const found = await leave(await createAligned(connection));
      record("waiting-jump", { control: loose.profit, default: found.profit });
      expect(found).to.deep.equal({ profit: -61n, pulled: 0n });
    });

    /** A bid far below, and a source that is wrong for a minute: whoever is liquidated at the false price sells to the bid. */
    async function falsePrice(world: World) {
      const gang = createGang(world);
      const bidder = await gang.join("100000", FIVE_TIMES);
      const victim = await world.openTrader("15000");
      const other = await world.openTrader("100000");
      await world.again();
      await world.trade(victim, other, { price: "10000", size: "10" });
      await world.execute(bidder, buy("8000", "10"));
      await pushOne(world, "8000");
      await world.exchange.liquidate([victim.account], 10, 0);
      await world.setPrice("10000");
      const { health } = await world.health(victim);
      return { profit: await gang.profit(), victim: wholeFloor(health.equity) - 15_000n };
    }

    it("liquidates nobody if it is false; in the control it does", async () => {
      const control = await createAligned(connection, { overrides: { maxJump: 500_000 } });
      const loose = await falsePrice(control);
      expect(loose).to.deep.equal({ profit: 19_991n, victim: -20_051n });
      const found = await falsePrice(await createAligned(connection));
      record("false-price", { control: loose.profit, default: found.profit });
      expect(found).to.deep.equal({ profit: 0n, victim: -51n });
    });
  });

  describe("budget sniping", () => {
    const FUND = "10000";
    const PAIRS = 4;
    const LOOSE = { eventBudget: 800_000, dayBudget: 800_000, marketShare: 800_000 };

    type Plan = { readonly to: string; readonly together: boolean; readonly pause?: bigint };

    /** Four longs of a coalition fall to `to`; they are closed as one event, or one by one with a pause between. */
    async function snipe(world: World, { to, together, pause = 0n }: Plan) {
      await world.fillFund(FUND);
      const gang = createGang(world);
      const accounts: number[] = [];
      for (let i = 0; i < PAIRS; i++) {
        const long = await gang.join("2100", FIFTY_TIMES);
        const short = await gang.join("2100", FIFTY_TIMES);
        await world.again();
        await world.trade(long, short, { price: "10000", size: "10" });
        accounts.push(long.account);
      }
      await world.setPrice(to);
      const events = together ? [accounts] : accounts.map((account) => [account]);
      for (const named of events) {
        await world.exchange.deleverage(named, 10, 0);
        if (pause !== 0n) await world.setPrice(to, BTC, pause);
      }
      return { profit: await gang.profit(), ...(await drawnIn(world)) };
    }

    /** What the fund paid within its event budget and beyond it, and what nobody paid. */
    async function drawnIn({ exchange }: World) {
      const receipts = await exchange.queryFilter(exchange.filters.Deleveraged());
      let [within, beyond, shortfall] = [0n, 0n, 0n];
      for (const { args } of receipts) {
        within += args.receipt.fundWithin;
        beyond += args.receipt.fundBeyond;
        shortfall += args.receipt.shortfall;
      }
      return {
        within: wholeFloor(within),
        beyond: wholeFloor(beyond),
        shortfall: wholeFloor(shortfall),
      };
    }

    const ONE_EVENT = { profit: 1778n, within: 2018n, beyond: 0n, shortfall: 0n };
    const defaults = (plan: Plan) => createAligned(connection).then((world) => snipe(world, plan));

    it("draws the same in four events as in one, while winners have what is missing beyond the budget", async () => {
      const loose = await createAligned(connection, { overrides: LOOSE });
      // 900 are missing in each, and all of it is in the budget.
      const control = await snipe(loose, { to: "9700", together: true });
      expectNear(control, { profit: 3559n, within: 3800n, beyond: 0n, shortfall: 0n });
      const one = await defaults({ to: "9700", together: true });
      const four = await defaults({ to: "9700", together: false });
      expectNear(one, ONE_EVENT);
      expectNear(four, ONE_EVENT);
      record("snipe", { control: control.profit, default: four.profit, one: one.profit });
    });

    /*
     * The lots of an event are paid out whole and are out of the base of the next. So the last of many events finds too little profit, where one
     * event would have found enough, and the fund pays beyond its event budget, up to the market's share of 60 %.
     */
    it("draws three times as much in four events as in one, when the winners' profit runs out before the last", async () => {
      const one = await defaults({ to: "9300", together: true });
      expectNear(one, ONE_EVENT);
      const four = await defaults({ to: "9300", together: false });
      expectNear(four, { profit: 5257n, within: 2018n, beyond: 3479n, shortfall: 0n });
      record("snipe-late", { default: four.profit, one: one.profit });
    });

    it("leaves a shortfall in four events where one event leaves none", async () => {
      const four = await defaults({ to: "9000", together: false });
      expectNear(four, { profit: 7607n, within: 2018n, beyond: 4032n, shortfall: 1796n });
      const one = await defaults({ to: "9000", together: true });
      expectNear(one, ONE_EVENT);
      const { profit, shortfall } = four;
      record("snipe-shortfall", { default: profit, shortfall, one: one.profit });
    });

    it("draws what its buckets leak in between, within the market's share of every day", async () => {
      const found = await defaults({ to: "9300", together: false, pause: 28_800n });
      expectNear(found, { profit: 6800n, within: 5954n, beyond: 1081n, shortfall: 0n });
    });
  });
});
