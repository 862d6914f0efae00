import { expect } from "chai";
import { network } from "hardhat";
import { BTC, buy, sell } from "../fixtures.js";
import type { World } from "../fixtures.js";
import { record } from "./figures.js";
import {
  createAligned,
  createGang,
  DEFAULTS,
  expectNear,
  fundOf,
  LOOSEST,
  tryTrade,
  wholeFloor,
} from "./gang.js";

/*
 * Accounts of one hand on both sides of a market: what one loses beyond its margin the other has won, and somebody else is to pay.
 * Each attack is played twice, with its guards at the loosest bounds and with the deployment's.
 */

const connection = await network.create();

const FIFTY_TIMES = 6;
const FUND = "10000";

const looseWorld = () => createAligned(connection, { overrides: LOOSEST });
const defaultWorld = () => createAligned(connection, { overrides: DEFAULTS });

describe("Attacks of coalitions", () => {
  describe("both sides at fifty times over a gap", () => {
    type Gap = { readonly pairs: number; readonly size: string; readonly deposit: string };

    /** Opens as many pairs as the market takes, lets the index jump, and has the losers closed. */
    async function gap(world: World, { pairs, size, deposit }: Gap, to: string) {
      await world.fillFund(FUND);
      const gang = createGang(world);
      const losers: number[] = [];
      for (let i = 0; i < pairs; i++) {
        const long = await gang.join(deposit, FIFTY_TIMES);
        const short = await gang.join(deposit, FIFTY_TIMES);
        await world.again();
        if (!(await tryTrade(world, [long, short], { price: "10000", size }))) break;
        losers.push(long.account);
      }
      await world.setPrice(to);
      await world.exchange.deleverage(losers, 10, 0);
      return {
        profit: await gang.profit(),
        pairs: BigInt(losers.length),
        fund: await fundOf(world),
      };
    }

    it("takes four fifths of the fund with budgets at their bounds, a fifth with defaults", async () => {
      const plan = { pairs: 2, size: "10", deposit: "2100" };
      const control = await gap(await looseWorld(), plan, "9300");
      expectNear(control, { profit: 7899n, pairs: 2n, fund: 2004n });
      const found = await gap(await defaultWorld(), plan, "9300");
      expectNear(found, { profit: 1884n, pairs: 2n, fund: 8019n });
      record("gap", { control: control.profit, default: found.profit });
    });

    it("finds room for twelve pairs over the stated move of 2.5 % in the control, for two with defaults", async () => {
      const plan = { pairs: 12, size: "13.3", deposit: "2740" };
      const control = await gap(await looseWorld(), plan, "9750");
      const found = await gap(await defaultWorld(), plan, "9750");
      expectNear(control, { profit: 6860n, pairs: 12n, fund: 2869n });
      // cap · (move − 1 %) is the day's budget, 4000; what the pairs brought as margin is theirs.
      expectNear(found, { profit: 1143n, pairs: 2n, fund: 8744n });
      record("gap-stated", { control: control.profit, default: found.profit });
    });

    /** The same where others are in the market: their profit is charged beside the coalition's own. */
    async function gapAmongOthers(world: World, to: string) {
      const [long, short] = [await world.openTrader("1000000"), await world.openTrader("1000000")];
      await world.trade(long, short, { price: "10000", size: "90" });
      const { profit } = await gap(world, { pairs: 8, size: "20", deposit: "4120" }, to);
      const { health } = await world.health(short);
      return { profit, winner: wholeFloor(health.equity) - 1_000_000n };
    }

    it("takes profit of others too, of a winner of 63,000 more than a third in the control, a tenth with defaults", async () => {
      const control = await gapAmongOthers(await looseWorld(), "9300");
      const found = await gapAmongOthers(await defaultWorld(), "9300");
      expectNear(control, { profit: 33_570n, winner: 37_423n });
      expectNear(found, { profit: 8428n, winner: 56_470n });
      record("gap-others", {
        control: control.profit,
        controlWinner: control.winner,
        default: found.profit,
        winner: found.winner,
      });
    });

    it("takes nothing of others over the stated move", async () => {
      // 90 BTC won 250 each, less the fee.
      const control = await gapAmongOthers(await looseWorld(), "9750");
      expectNear(control, { profit: 6880n, winner: 22_410n });
      const found = await gapAmongOthers(await defaultWorld(), "9750");
      expectNear(found, { profit: 859n, winner: 22_410n });
    });
  });

  describe("JELLY: a container of losses", () => {
    /**
     * A short as large as one account may hold, its margin pulled, a friend on the other side; then the price goes up by half a percent
     * every twenty seconds, while somebody liquidates.
     */
    async function jelly(world: World, size: string) {
      await world.fillFund(FUND);
      const gang = createGang(world);
      const container = await gang.join("90000", FIFTY_TIMES);
      const friend = await gang.join("90000", FIFTY_TIMES);
      await tryTrade(world, [friend, container], { price: "10000", size });
      await gang.pull(container);
      for (let price = 10_000; price <= 10_500; price += 50) {
        await world.setPrice(price.toString(), BTC, 20n);
        await world.exchange.liquidate([container.account], 10, 0);
        await world.exchange.deleverage([container.account], 10, 0);
      }
      return gang.profit();
    }

    it("stands until its margin is gone in the control; with defaults it is smaller, and less than a quarter is left to win", async () => {
      const loose = await createAligned(connection, { overrides: { ...LOOSEST, clock: 3600 } });
      const control = await jelly(loose, "90");
      const found = await jelly(await defaultWorld(), "26");
      expectNear({ control, found }, { control: 3959n, found: 883n });
      record("jelly", { control, default: found });
    });
  });

  describe("A container that trades away from mark", () => {
    /** A member sells to a friend as far below mark as the band goes: what it loses beyond its margin would be the fund's. */
    async function giveAway(world: World, { price, held }: { price: string; held: boolean }) {
      await world.fillFund(FUND);
      const gang = createGang(world);
      const container = await gang.join("2100", FIFTY_TIMES);
      const friend = await gang.join("100000", FIFTY_TIMES);
      if (held) await tryTrade(world, [container, friend], { price: "10000", size: "10" });
      await world.execute(container, sell(price, "10"));
      await world.execute(friend, buy(price, "10", { timeInForce: "ioc" }));
      await world.exchange.deleverage([container.account], 10, 0);
      return gang.profit();
    }

    for (const held of [false, true]) {
      it(`does not get filled, whatever the band, ${held ? "closing what it holds" : "opening"}`, async () => {
        const loose = await createAligned(connection, { overrides: { ...LOOSEST, band: 200_000 } });
        // What trades at mark cost in fees.
        const expected = held ? -61n : 0n;
        const control = await giveAway(loose, { price: "8100", held });
        const found = await giveAway(await defaultWorld(), { price: "9600", held });
        expect([control, found]).to.deep.equal([expected, expected]);
        if (!held) record("container-price", { control, default: found });
      });
    }
  });

  describe("Mango: unrealised profit as money", () => {
    /** Long against a friend, the index up by two fifths; whatever can be taken out is, for ten minutes; then the index is back. */
    async function mango(world: World) {
      await world.fillFund(FUND);
      const gang = createGang(world);
      const long = await gang.join("60000");
      const short = await gang.join("500000");
      await tryTrade(world, [long, short], { price: "10000", size: "50" });
      let pulled = 0n;
      for (let minute = 0; minute < 10; minute++) {
        await world.setPrice("14000", BTC, 60n);
        pulled += await gang.pull(long);
      }
      const { health } = await world.health(long);
      const unrealised = wholeFloor(health.equity) + pulled - 60_000n;
      await world.setPrice("10000", BTC, 60n);
      await world.exchange.deleverage([long.account], 10, 0);
      return { profit: await gang.profit(), pulled, unrealised };
    }

    it("does not pay in the control either", async () => {
      const loose = await createAligned(connection, { overrides: { ...LOOSEST, freshEpoch: 60 } });
      const expected = { profit: -301n, pulled: 0n, unrealised: 199_748n };
      const control = await mango(loose);
      const found = await mango(await defaultWorld());
      expect([control, found]).to.deep.equal([expected, expected]);
      record("mango", { control: control.profit, default: found.profit });
    });
  });

  describe("YFI: a market that many wallets crowd", () => {
    const FIVE_TIMES = 3;
    const RICH = "1000000";
    /** A market of 100 BTC; the fund's budgets are the deployment's in both, so that the crowd's rate alone is in question. */
    const crowdedWorld = (loose: boolean) =>
      createAligned(connection, {
        overrides: {
          ...(loose ? { accountShare: 100, concentration: 0, crowdingFrom: 100 } : {}),
          openInterestCap: "100",
          capStart: 100,
          move: 25_000,
          topShare: 50,
          volatilityFactor: 0,
        },
      });

    /** Twelve wallets buy 8 BTC each at five times from twelve others of the same hand; then the price is 30 % lower at once. */
    async function yfi(
      world: World,
      { deposit, isPulled }: { deposit: string; isPulled: boolean },
    ) {
      await world.fillFund(RICH);
      const gang = createGang(world);
      const losers: number[] = [];
      for (let i = 0; i < 12; i++) {
        const long = await gang.join(deposit, FIVE_TIMES);
        const short = await gang.join(deposit, FIVE_TIMES);
        await world.again();
        if (!(await tryTrade(world, [long, short], { price: "10000", size: "8" }))) break;
        if (isPulled) for (const member of [long, short]) await gang.pull(member);
        losers.push(long.account);
      }
      await world.setPrice("7000");
      await world.exchange.deleverage(losers, 10, 0);
      return { profit: await gang.profit(), wallets: BigInt(losers.length) };
    }

    it("fits twelve wallets in the control, seven with defaults", async () => {
      const plan = { deposit: "16100", isPulled: false };
      const control = await yfi(await crowdedWorld(true), plan);
      expectNear(control, { profit: 94_704n, wallets: 12n });
      const found = await yfi(await crowdedWorld(false), plan);
      expectNear(found, { profit: 55_244n, wallets: 7n });
      record("yfi", { control: control.profit, default: found.profit });
    });

    /* Size is asked of withdrawals too: money that was brought to get in stays in. */
    it("fits no more with defaults if each brings all of the notional, because it cannot be taken out again", async () => {
      const plan = { deposit: "81000", isPulled: true };
      const control = await yfi(await crowdedWorld(true), plan);
      expectNear(control, { profit: 95_424n, wallets: 12n });
      const found = await yfi(await crowdedWorld(false), plan);
      expectNear(found, { profit: 57_024n, wallets: 12n });
      record("yfi-pulled", { control: control.profit, default: found.profit });
    });
  });

  describe("POPCAT: a wall of bids that is pulled", () => {
    const FIVE_TIMES = 3;
    /** Longs of five times against somebody else's offers, a wall of bids below that goes, and the price is 40 % lower. */
    async function popcat(world: World) {
      await world.fillFund(FUND);
      const gang = createGang(world);
      const victim = await world.openTrader("1000000");
      const wall = await gang.join("400000");
      await world.execute(wall, buy("9990", "100"));
      const longs: number[] = [];
      for (let i = 0; i < 4; i++) {
        const long = await gang.join("41000", FIVE_TIMES);
        await world.again();
        if (await tryTrade(world, [long, victim], { price: "10000", size: "20" }))
          longs.push(long.account);
      }
      await gang.pull(wall);
      await world.setPrice("6000");
      await world.exchange.deleverage(longs, 10, 0);
      return { profit: await gang.profit(), fund: await fundOf(world) };
    }

    it("loses the attacker all its margin, and the fund four fifths in the control, a fifth with defaults", async () => {
      const control = await popcat(await looseWorld());
      expectNear(control, { profit: -164_000n, fund: 2052n });
      const found = await popcat(await defaultWorld());
      expectNear(found, { profit: -164_000n, fund: 8239n });
      record("popcat", {
        control: control.profit,
        controlFund: control.fund,
        default: found.profit,
        fund: found.fund,
      });
    });
  });
});
