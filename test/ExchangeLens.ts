import { expect } from "chai";
import { network } from "hardhat";
import {
  BTC,
  LONG,
  SHORT,
  buy,
  cancel,
  createWorld,
  sell,
  setLeverage,
  toLots,
  toPrice,
  toTicks,
} from "./fixtures.js";
import type { Trader, World } from "./fixtures.js";

const connection = await network.create();
const { networkHelpers } = connection;
const ALL = 2n ** 256n - 1n;
const LEVERAGES = [1n, 2n, 3n, 5n, 10n, 20n, 50n, 100n];

/** Without funding, so that a block more changes nothing. */
const still = () =>
  createWorld(connection, { overrides: { interest: 0, maxFunding: 0 }, prices: ["10000"] });

/** Winners of several leverages and entries, short; the price has fallen since. A loser, long. */
async function crashed() {
  const world = await still();
  const { openTrader, execute, trade, setPrice } = world;
  const house = await world.openTrader("10000000");
  const winners: Trader[] = [];
  const plan = [
    ["10000", 4, "1"],
    ["10000", 2, "0.4"],
    ["10150", 6, "0.5"],
    ["9900", 0, "0.7"],
    ["10150", 4, "0.3"],
  ] as const;
  for (const [price, leverage, size] of plan) {
    const winner = await openTrader("20000");
    winners.push(winner);
    await execute(winner, setLeverage(leverage));
    await setPrice(price);
    await trade(house, winner, { price, size });
  }
  await setPrice("10000");
  const loser = await openTrader("1100");
  await trade(loser, house, { price: "10000", size: "1" });
  for (const price of ["9500", "9000", "8500"]) await setPrice(price);
  return { ...world, house, winners, loser };
}

async function queueOf({ lens }: World, side: number) {
  const [cohorts] = await lens.queue.staticCall(BTC, side, 0, 100);
  return cohorts;
}

describe("ExchangeLens", () => {
  it("shows the book by levels, best first, in pages", async () => {
    const { lens, openTrader, execute } = await networkHelpers.loadFixture(still);
    const alice = await openTrader("100000");
    for (const price of ["9900", "9950", "9800"]) await execute(alice, buy(price, "0.1"));
    await execute(alice, buy("9950", "0.2"));
    const [first, next] = await lens.depth.staticCall(BTC, LONG, 0, 2);
    expect(first.map(({ tick, lots }) => [tick, lots])).to.deep.equal([
      [toTicks("9950"), toLots("0.3")],
      [toTicks("9900"), toLots("0.1")],
    ]);
    const [second, end] = await lens.depth.staticCall(BTC, LONG, next, 2);
    expect(second.map(({ tick }) => tick)).to.deep.equal([toTicks("9800")]);
    expect(end).to.equal(0n);
    const [asks] = await lens.depth.staticCall(BTC, SHORT, 0, 10);
    expect(asks).to.deep.equal([]);
  });

  it("lists an account's orders with their slots", async () => {
    const { lens, openTrader, execute } = await networkHelpers.loadFixture(still);
    const alice = await openTrader("100000");
    await execute(alice, buy("9900", "0.1"), sell("10100", "0.2"), buy("9800", "0.3"));
    await execute(alice, cancel(0));
    const orders = await lens.orders.staticCall(alice.account, BTC);
    expect(orders.map(({ side, tick, lots, dead }) => [side, tick, lots, dead])).to.deep.equal([
      [1n, toTicks("10100"), toLots("0.2"), false],
      [0n, toTicks("9800"), toLots("0.3"), false],
    ]);
  });

  it("names the mark at which an account can be liquidated, to the wei", async () => {
    const { lens, house, winners, setPrice, health } = await networkHelpers.loadFixture(crashed);
    expect(house.account).to.be.greaterThan(0);
    const [winner] = winners;
    if (winner === undefined) throw new Error("there is a winner");
    const [position] = await lens.positions.staticCall(winner.account);
    const limit = position?.liquidationPrice ?? 0n;
    // 20,000 − fee 1 − bond 0.1 + (10,000 − x) · 1 = 1 % of x.
    const byHand = (29_998_900_000_000_000_000_000n * 100n) / (101n * 10n ** 8n);
    expect(limit).to.be.closeTo(byHand, 10n ** 6n);
    const safe = Number(limit / 10n ** 7n) / 1000;
    for (let price = 9000; price < safe; price = Math.min(price * 1.07, safe)) {
      await setPrice(price.toFixed(3));
      if (price === safe) break;
      if (price * 1.07 >= safe) {
        await setPrice((safe - 0.001).toFixed(3));
        break;
      }
    }
    expect((await health(winner)).liquidatable).to.equal(false);
    await setPrice((safe + 0.1).toFixed(3));
    expect((await health(winner)).liquidatable).to.equal(true);
  });

  describe("queue and rank", () => {
    it("order cohorts by leverage times return at the class's edge", async () => {
      const world = await networkHelpers.loadFixture(crashed);
      const cohorts = await queueOf(world, SHORT);
      expect(cohorts.length).to.be.greaterThan(4);
      let ahead = 0n;
      const scores = cohorts.map((cohort) => {
        expect(cohort.lotsAhead).to.equal(ahead);
        ahead += cohort.lots;
        // Shorts count from the lower edge: (64 + mantissa) · 2^exponent / 64, in ticks · 2^16.
        const [exponent, mantissa] = [cohort.priceClass / 64n, cohort.priceClass % 64n];
        const edge = ((64n + mantissa) * 2n ** exponent * 10n ** 9n) / 64n;
        const gain = edge - toPrice("8500") * 2n ** 16n;
        const score = ((LEVERAGES[Number(cohort.leverageClass)] ?? 0n) * gain * 10n ** 18n) / edge;
        expect(cohort.score).to.be.closeTo(score, 10n ** 6n);
        return cohort.score;
      });
      expect([...scores].sort((a, b) => (a > b ? -1 : 1))).to.deep.equal(scores);
      const { openInterest } = (await world.exchange.marketOf(BTC)).flow;
      expect(ahead).to.equal(openInterest);
    });

    it("tell each account its place, as the queue has it", async () => {
      const world = await networkHelpers.loadFixture(crashed);
      const cohorts = await queueOf(world, SHORT);
      for (const { account } of world.winners) {
        const rank = await world.lens.rank.staticCall(account, BTC);
        const own = cohorts.find(
          ({ score, lotsAhead }) => score === rank.score && lotsAhead === rank.lotsAhead,
        );
        expect(own, `cohort of ${account}`).not.to.equal(undefined);
        const behind = rank.sideLots - rank.lotsAhead;
        expect(Number(rank.lights)).to.be.within(1, 5);
        if (rank.lotsAhead === 0n) expect(rank.lights).to.equal(5n);
        expect(behind).to.be.greaterThan(0n);
      }
      const flat = await world.openTrader("1");
      expect((await world.lens.rank.staticCall(flat.account, BTC)).lights).to.equal(0n);
    });

    it("come in pages", async () => {
      const world = await networkHelpers.loadFixture(crashed);
      const all = await queueOf(world, SHORT);
      const [page, more] = await world.lens.queue.staticCall(BTC, SHORT, 1, 2);
      expect(page.map(({ cohort, lotsAhead }) => [cohort, lotsAhead])).to.deep.equal(
        all.slice(1, 3).map(({ cohort, lotsAhead }) => [cohort, lotsAhead]),
      );
      expect(more).to.equal(true);
    });
  });

  describe("previews", () => {
    it("say to the wei what deleverage then does", async () => {
      const world = await networkHelpers.loadFixture(crashed);
      const { lens, exchange, loser, winners, house, health } = world;
      const members = winners.map(({ account }) => account);
      const losses = await lens.previewDeleverage.staticCall([loser.account], BTC, members);
      expect(losses.some(({ haircut }) => haircut > 0n)).to.equal(true);
      expect(losses.some(({ lotsClosed }) => lotsClosed > 0n)).to.equal(true);
      await exchange.deleverage([loser.account], 100, house.account);
      for (const [i, winner] of winners.entries()) {
        const loss = losses[i];
        const [position] = await lens.positions.staticCall(winner.account);
        expect(position?.lots ?? 0n).to.equal((loss?.lotsBefore ?? 0n) - (loss?.lotsClosed ?? 0n));
        expect(position?.pendingHaircut ?? 0n).to.equal(loss?.haircut);
        expect((await health(winner)).health.equity).to.equal(loss?.equityAfter);
      }
    });

    it("of a shock equal the event it describes", async () => {
      const world = await networkHelpers.loadFixture(crashed);
      const { lens, exchange, loser, winners, house, health } = world;
      const equity = (await health(loser)).health.equity;
      expect(equity).to.be.lessThan(0n);
      const members = winners.map(({ account }) => account);
      const [shock, losses] = await lens.previewShock.staticCall(
        BTC,
        LONG,
        0,
        toLots("1"),
        -equity,
        ALL,
        members,
      );
      expect(shock.deficit).to.equal(-equity);
      expect(shock.fundDraw + shock.haircut + shock.principal + shock.shortfall).to.equal(-equity);
      expect(shock.lotsClosed).to.equal(toLots("1"));
      await exchange.deleverage([loser.account], 100, house.account);
      for (const { cohort, lotsBefore, lotsClosed } of shock.cohorts) {
        expect((await exchange.cohortOf(BTC, cohort)).lots).to.equal(lotsBefore - lotsClosed);
      }
      for (const [i, winner] of winners.entries()) {
        expect((await health(winner)).health.equity).to.equal(losses[i]?.equityAfter);
      }
    });

    it("of other shocks change with price and fund, and leave nothing behind", async () => {
      const world = await networkHelpers.loadFixture(crashed);
      const { lens, exchange } = world;
      const before = await queueOf(world, SHORT);
      const deficit = 500n * 10n ** 18n;
      const ask = (price: bigint, fund: bigint) =>
        lens.previewShock.staticCall(BTC, LONG, price, toLots("0.5"), deficit, fund, []);
      const [poor] = await ask(0n, 0n);
      expect([poor.fundDraw, poor.haircut]).to.deep.equal([0n, deficit]);
      const [rich] = await ask(0n, 10n ** 25n);
      expect([rich.fundDraw, rich.haircut]).to.deep.equal([deficit, 0n]);
      const [deep] = await ask(toPrice("5000"), 0n);
      expect(deep.base).to.be.greaterThan(poor.base);
      expect(await queueOf(world, SHORT)).to.deep.equal(before);
      expect(await exchange.balanceOf(1)).to.be.lessThan(10n ** 25n);
    });
  });

  it("passes on what goes wrong inside", async () => {
    const { lens, exchange } = await networkHelpers.loadFixture(still);
    await expect(
      exchange.simulate.staticCall(await lens.getAddress(), "0x12345678"),
    ).to.be.revertedWithCustomError(exchange, "Simulated");
  });
});
