import { expect } from "chai";
import { network } from "hardhat";
import type { MarketOverrides } from "../../scripts/deploy/parameters.js";
import { BTC, buy, LONG, sell, setLeverage, SHORT, toTicks, WHOLE } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import type { Setting } from "./setting.js";
import { createSetting, deleverage, equityOf, expectFigures, liquidate, pair } from "./setting.js";

/*
 * Dust in the way of others: as many cohorts, orders and levels as an attacker cares to pay for. What it costs the others is gas, and
 * is counted, not timed.
 */

const connection = await network.create();
const setting = (options?: Setting) => createSetting(connection, options);

type Sent = Promise<{ wait(): Promise<{ gasUsed: bigint } | null> }>;

async function gasOf(sent: Sent): Promise<bigint> {
  const receipt = await (await sent).wait();
  if (receipt === null) throw new Error("the transaction was mined");
  return receipt.gasUsed;
}

/** What can be had, and lost, for nothing: the loosest bounds of what dust has to bring along. */
const FREE: MarketOverrides = { minNotional: 1, cohortBond: 0, makerFee: 0, takerFee: 0 };

describe("Attacks with dust", () => {
  describe("in the queue", () => {
    const PRICES = [
      "9600",
      "9675",
      "9750",
      "9825",
      "9900",
      "9975",
      "10050",
      "10125",
      "10200",
      "10275",
    ];
    const CLASSES = [1, 2, 3, 4, 5, 6];

    /** One short of dust in each of sixty cohorts, all before the honest one; their long is ruined with the honest one's. */
    async function createDust(overrides: MarketOverrides, size: string, isDusty: boolean) {
      const world = await setting({ overrides, isUnwatched: true });
      const { exchange, execute, trade } = world;
      const [loser, honest] = [await world.openTrader("10200"), await world.openTrader("1000000")];
      await execute(loser, setLeverage(5));
      await execute(honest, setLeverage(0));
      await trade(loser, honest, { price: "10000", size: "10" });
      const dust: Trader[] = [];
      const other = await world.openTrader("100000");
      for (const leverageClass of isDusty ? CLASSES : []) {
        for (const price of PRICES) {
          await world.again();
          const short = await world.openTrader("20");
          await execute(short, setLeverage(leverageClass));
          await trade(other, short, { price, size });
          dust.push(short);
        }
      }
      await world.setPrice("9200");
      const cost = BigInt(dust.length) * 20n * WHOLE - (await withoutProfit(world, dust));
      await world.setPrice("8900");
      const [queue] = await world.lens.queue.staticCall(BTC, SHORT, 0, 200);
      expect(queue.at(-1)?.leverageClass).to.equal(0n);
      const gas = await gasOf(deleverage(world, [loser]));
      const { lots } = await exchange.positionOf(loser.account, BTC);
      expect(lots).to.equal(0n);
      return { gas, cost, cohorts: BigInt(queue.length - 1) };
    }

    /** What the dust is worth at the price that it was sold at: what it paid for being there is missing. */
    async function withoutProfit(world: World, dust: readonly Trader[]): Promise<bigint> {
      let balance = 0n;
      for (const { account } of dust) balance += await world.exchange.balanceOf(account);
      return balance;
    }

    it("costs a bounded amount of gas a cohort, a bond each, and stops no event", async () => {
      const clean = await createDust({}, "0.0011", false);
      const free = await createDust(FREE, "0.00000001", true);
      const dusty = await createDust({}, "0.0011", true);
      const perCohort = (dusty.gas - clean.gas) / dusty.cohorts;
      expect(perCohort).to.be.lessThan(110_000n);
      expect((free.gas - clean.gas) / free.cohorts).to.be.lessThan(110_000n);
      // Sixty accounts of dust fill a third of a transaction.
      expect(dusty.gas).to.be.lessThan(6_000_000n);
      expect(dusty.cost).to.be.greaterThan((dusty.cohorts * WHOLE) / 10n);
      expectFigures(
        "dust-in-queue",
        { "control, cost of sixty": free.cost, "default, cost of sixty": dusty.cost },
        { "control, cost of sixty": "0.00", "default, cost of sixty": "4.56" },
      );
    });
  });

  describe("in the book", () => {
    /** Three hundred bids of least size stand before the one that could take it all. */
    async function createWall(isDusty: boolean, isAround = false) {
      const world = await setting({ isUnwatched: true });
      const { execute } = world;
      const [victim, short] = [await world.openTrader("5100"), await world.openTrader("1000000")];
      await pair(world, [victim, short], { price: "10000", size: "10", leverage: 20 });
      await world.setPrice("9540");
      const attackers: Trader[] = [];
      for (let i = 0; isDusty && i < 10; i++) {
        const attacker = await world.openTrader("100");
        await world.again();
        await execute(
          attacker,
          ...new Array<ReturnType<typeof buy>>(30).fill(buy("9541", "0.0011")),
        );
        attackers.push(attacker);
      }
      await execute(short, buy("9540", "10"));
      await world.again();
      const calls: bigint[] = [];
      if (isAround) {
        // Nobody has to go through the book: the clock runs, and the event looks at no order.
        await world.exchange.liquidate([victim.account], 0, 0);
        await world.setPrice("9540", BTC, 15n);
        await world.setPrice("9540", BTC, 15n);
        calls.push(await gasOf(world.exchange.deleverage([victim.account], 0, 0)));
        expect((await world.exchange.positionOf(victim.account, BTC)).lots).to.equal(0n);
        return { calls, spent: 0n };
      }
      for (;;) {
        const { lots } = await world.exchange.positionOf(victim.account, BTC);
        const { liquidatable } = await world.health(victim);
        if (lots === 0n || !liquidatable || calls.length === 10) break;
        calls.push(await gasOf(liquidate(world, [victim])));
        await world.again();
      }
      const spent = BigInt(attackers.length) * 100n * WHOLE - (await equityOf(world, attackers));
      return { calls, spent };
    }

    it("costs a hundred fills a call, each bounded in gas, and is bought by who put it there", async () => {
      const clean = await createWall(false);
      const dusty = await createWall(true);
      expect(clean.calls).to.have.lengthOf(1);
      expect(dusty.calls).to.have.lengthOf(4);
      const [around, past] = [await createWall(true, true), await createWall(false, true)];
      expect(around.calls[0]).to.be.closeTo(past.calls[0] ?? 0n, 50_000n);
      const [first = 0n] = dusty.calls;
      const [alone = 0n] = clean.calls;
      expect((first - alone) / 99n).to.be.lessThan(70_000n);
      expect(first).to.be.lessThan(8_000_000n);
      expect(dusty.spent).to.be.greaterThan(0n);
      expectFigures(
        "dust-in-book",
        { "default, spent": dusty.spent },
        { "default, spent": "0.74" },
      );
    });

    /** An owner without money for what it has in the book. */
    it("that nobody could pay for goes by one write", async () => {
      const world = await setting();
      const { execute, exchange } = world;
      const [broke, short] = [await world.openTrader("700"), await world.openTrader("1000000")];
      const seller = await world.openTrader("1000000");
      await pair(world, [broke, short], { price: "10000", size: "1", leverage: 20 });
      await execute(broke, ...new Array<ReturnType<typeof buy>>(30).fill(buy("9600", "0.01")));
      await world.setPrice("9450");
      await expect(execute(seller, sell("9450", "1", { timeInForce: "ioc" }))).to.emit(
        exchange,
        "OrdersKilled",
      );
      expect((await exchange.positionOf(seller.account, BTC)).lots).to.equal(0n);
    });
  });

  describe("that a fall leaves in front of the band", () => {
    /** Bids at as many prices as are asked for; then the index falls below them all, by more than the band. */
    async function createStale(levels: number) {
      const world = await setting({ isUnwatched: true });
      const { execute } = world;
      for (let i = 0; i < levels; i += 25) {
        const maker = await world.openTrader("100000");
        const bids = Array.from({ length: Math.min(25, levels - i) }, (_, j) =>
          buy(String(9900 - i - j), "0.01"),
        );
        await execute(maker, ...bids);
      }
      const [buyer, seller] = [await world.openTrader("100000"), await world.openTrader("100000")];
      await world.setPrice("9000");
      await execute(buyer, buy("8990", "1"));
      const gas: bigint[] = [];
      for (let i = 0; i < 2; i++) {
        gas.push(await gasOf(execute(seller, sell("8990", "0.1", { timeInForce: "ioc" }))));
      }
      return { world, gas, levels };
    }

    it("costs a call at most eight levels, each one write whatever it holds", async () => {
      const none = await createStale(0);
      const many = await createStale(100);
      const [with_ = 0n] = many.gas;
      const [without_ = 0n] = none.gas;
      expect(with_ - without_).to.be.lessThan(8n * 30_000n);
      const { exchange } = many.world;
      let killed = 0;
      for (let i = 0; i < many.levels; i++) {
        const { lots } = await exchange.levelOf(BTC, LONG, toTicks(String(9900 - i)));
        if (lots === 0n) killed += 1;
      }
      expect(killed).to.equal(16);
    });
  });
});
