import { expect } from "chai";
import { network } from "hardhat";
import type { MarketOverrides } from "../../scripts/deploy/parameters.js";
import { eventsNamed, parseEvents } from "../../scripts/lib/events.js";
import type { ExchangeEvent, RawLog } from "../../scripts/lib/events.js";
import { FIRST_ACCOUNT } from "../../scripts/lib/keys.js";
import { createRandom } from "../../scripts/lib/random.js";
import { BTC, buy, createWorld, ETH, sell, setLeverage, toLots, WHOLE } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";

/* Forced sales and events beside themselves: by others, in another order, once more, with as many orders as there may be. */

const connection = await network.create();
const { networkHelpers } = connection;

const SEED = 0xba11a57;
const RUNS = 12;
const CALM = { maxFunding: 0, interest: 0 };
const FIVE_TIMES = 3;
const FIFTY_TIMES = 6;
const CLOCK = 30n;
const HOUSE = [1, 2, 3];
const ORDERS = 32;
/** A third of what a transaction may use. */
const MOST_GAS = 5_500_000n;
/** Quote: roundings of fills and settlements of one scene. */
const DUST = 1_000n;
/** ppm. */
const BAND = 50_000n;
const PPM = 1_000_000n;

const random = createRandom(SEED);

/** Two longs of one coin below maintenance at 9,790, a rich short, and two keepers. */
async function squeezedWith(overrides: MarketOverrides) {
  const world = await createWorld(connection, { overrides });
  const weak = [await world.openTrader("300"), await world.openTrader("305")] as const;
  const rich = await world.openTrader("1000000");
  const keepers = [await world.openTrader("100000"), await world.openTrader("200000")] as const;
  for (const long of weak) {
    await world.again();
    await world.execute(long, setLeverage(FIFTY_TIMES));
    await world.trade(long, rich, { price: "10000", size: "1" });
  }
  await world.setPrice("9790");
  return { world, weak, rich, keepers };
}

const squeezed = () => squeezedWith(CALM);
const squeezedForFree = () => squeezedWith({ ...CALM, makerFee: 0, takerFee: 0 });

type Sent = Promise<{ wait(): Promise<Receipt | null> }>;
type Receipt = {
  readonly gasUsed: bigint;
  readonly logs: readonly RawLog[];
};

async function receiptOf(sent: Sent): Promise<Receipt> {
  const receipt = await (await sent).wait();
  if (receipt === null) throw new Error("the transaction was mined");
  return receipt;
}

async function eventsOf(sent: Sent): Promise<ExchangeEvent[]> {
  return parseEvents((await receiptOf(sent)).logs);
}

const equityOf = async ({ health }: World, trader: Trader) => (await health(trader)).health.equity;

/** What all accounts are worth, the house's balances among them. */
async function worthOf(world: World): Promise<bigint[]> {
  const count = Number(await world.exchange.accountCount());
  const ids = Array.from({ length: count + 1 - FIRST_ACCOUNT }, (_, i) => i + FIRST_ACCOUNT);
  const healths = await world.lens.healths.staticCall(ids);
  const house = await Promise.all(HOUSE.map(async (id) => world.exchange.balanceOf(id)));
  return [...healths.map(({ health }) => health.equity), ...house];
}

describe("forced sales", () => {
  it("have one price, whoever calls (D11)", async () => {
    const { world, weak, rich, keepers } = await networkHelpers.loadFixture(squeezed);
    await world.execute(rich, buy("9788", "0.3"), buy("9775", "1"));
    const start = await networkHelpers.takeSnapshot();
    const now = BigInt(await networkHelpers.time.latest());
    const told: string[][] = [];
    const ids = weak.map(({ account }) => account);
    for (const { signer, account } of [...keepers, rich]) {
      await start.restore();
      const own = world.exchange.connect(signer);
      await networkHelpers.time.setNextBlockTimestamp(now + 5n);
      const sales = await eventsOf(own.liquidate(ids, 100, account));
      await networkHelpers.time.setNextBlockTimestamp(now + 6n);
      await world.pushPrice("9200");
      await networkHelpers.time.setNextBlockTimestamp(now + 7n);
      await world.exchange.poke(BTC);
      await networkHelpers.time.setNextBlockTimestamp(now + 8n);
      const events = await eventsOf(own.deleverage(ids, 100, account));
      expect(eventsNamed(events, "Deleveraged")).to.have.lengthOf(1);
      const all = [...eventsNamed(sales, "Liquidated"), ...eventsNamed(events, "Deleveraged")];
      expect(all.length).to.be.greaterThan(2);
      const texts = all.map(({ args }) =>
        JSON.stringify(args, (_, each: unknown) => (typeof each === "bigint" ? `${each}` : each)),
      );
      told.push(texts);
    }
    expect(told[1]).to.deep.equal(told[0]);
    expect(told[2]).to.deep.equal(told[0]);
  });

  it("bring the fund the same in any order, where the book has enough at one price (D9)", async () => {
    const found: bigint[][] = [];
    for (const turn of [false, true]) {
      const { world, weak, rich } = await networkHelpers.loadFixture(squeezed);
      await world.execute(rich, buy("9789", "5"));
      for (const { account } of turn ? [...weak].reverse() : weak) {
        await world.exchange.liquidate([account], 100, 0);
      }
      await world.exchange.poke(BTC);
      const equities = await Promise.all(weak.map((long) => equityOf(world, long)));
      const house = await Promise.all(HOUSE.map(async (id) => world.exchange.balanceOf(id)));
      found.push([...house, ...equities]);
    }
    const [one = [], other = []] = found;
    for (const [i, amount] of one.entries()) {
      expect(amount - (other[i] ?? 0n)).to.be.within(-DUST, DUST);
    }
    expect(one[0]).to.be.greaterThan(0n);
  });

  /**
   * Somebody sells to the bids that the account would have met, or does not, bids lower himself, and calls: what he has more at mark is what
   * the account sold for less, and that is bounded by its limit. Fees would only make it less.
   */
  it("leave who trades around them no more than their limit is away from mark (D16)", async () => {
    let gained = 0;
    for (let i = 0; i < RUNS; i++) {
      const { world, weak, rich, keepers } = await networkHelpers.loadFixture(squeezedForFree);
      const [long, [attacker]] = [weak[i % 2] ?? weak[0], keepers];
      const honest = (9_790 - random.uniform() * 15).toFixed(1);
      const low = (9_790 - random.uniform() * (i % 3 === 0 ? 200 : 40)).toFixed(1);
      const size = (0.2 + random.uniform()).toFixed(4);
      const wait = random.between(0n, CLOCK - 5n);
      await world.exchange.liquidate([long.account], 0, 0);
      await world.setPrice("9790", BTC, wait + 1n);
      const [before, victim] = [await equityOf(world, attacker), await equityOf(world, long)];
      if (i % 2 === 0) {
        await world.execute(rich, buy(honest, size));
        await world.execute(attacker, sell(honest, size, { timeInForce: "ioc" }));
      }
      await world.execute(attacker, buy(low, "2"));
      const events = await eventsOf(world.exchange.liquidate([long.account], 100, 0));
      const sales = eventsNamed(events, "Liquidated").map(({ args }) => args);
      const most = sales.reduce((sum, { lots, limit, mark }) => sum + lots * (mark - limit), 0n);
      const profit = (await equityOf(world, attacker)) - before;
      const text = `bids at ${honest} and ${low}, after ${wait} s`;
      expect(profit, text).to.be.at.most(most);
      const sold = sales.reduce((sum, { lots, mark }) => sum + lots * mark, 0n);
      expect(profit, text).to.be.at.most((sold * BAND) / PPM);
      // And no more than the account had.
      expect(most, text).to.be.at.most(victim);
      if (profit > 0n) gained += 1;
    }
    expect(gained, "it is about something").to.be.greaterThan(RUNS / 4);
  });

  it("cost nothing when they are called again and again without progress (K5)", async () => {
    const { world, weak, rich, keepers } = await networkHelpers.loadFixture(squeezed);
    await world.fillFund("1000");
    const { exchange, ballast } = world;
    const ids = weak.map(({ account }) => account);
    const reward = keepers[0].account;
    await exchange.liquidate(ids, 100, reward);
    const before = await worthOf(world);
    // Twice, and before the clock has run out.
    for (let i = 0; i < 2; i++) {
      await exchange.liquidate([...ids, rich.account, 1, 99], 100, reward);
      await exchange.deleverage([...ids, rich.account, 1, 99], 100, reward);
      for (const { account } of [...weak, rich]) await exchange.settle(account, BTC);
      for (const market of [BTC, ETH]) await exchange.poke(market);
      await ballast.fund.noteIncome();
      await ballast.vault.release(10);
      await expect(exchange.continueEvent(BTC, 10, reward)).to.be.revertedWithCustomError(
        exchange,
        "NoEventPending",
      );
    }
    expect(await worthOf(world)).to.deep.equal(before);
  });

  /** Both markets, all order slots in each, nobody who buys, and nothing in the fund. */
  it("are possible and bounded for who has as many orders as there may be (D8)", async () => {
    const world = await createWorld(connection, { overrides: CALM });
    const { exchange, execute, trade } = world;
    const [victim, rich] = [await world.openTrader("20000"), await world.openTrader("10000000")];
    await execute(victim, setLeverage(FIFTY_TIMES), setLeverage(FIFTY_TIMES, ETH));
    await trade(victim, rich, { price: "10000", size: "10" });
    await trade(victim, rich, { price: "1000", size: "100", market: ETH });
    for (const [market, price] of [
      [BTC, 9_800],
      [ETH, 980],
    ] as const) {
      const bids = Array.from({ length: ORDERS }, (_, i) =>
        buy((price - i / 10).toFixed(1), "0.02", { market }),
      );
      await execute(victim, ...bids);
    }
    await world.setPrice("9000", ETH);
    await world.setPrice("9000");
    for (const price of ["940", "900", "890"]) await world.setPrice(price, ETH);
    await world.again();
    const sale = await receiptOf(exchange.liquidate([victim.account], 100, 0));
    for (const market of [BTC, ETH]) {
      expect((await exchange.restingOf(victim.account, market)).used).to.equal(0n);
    }
    expect(sale.gasUsed).to.be.lessThan(MOST_GAS);
    await world.setPrice("8800");
    const event = await receiptOf(exchange.deleverage([victim.account], 100, 0));
    expect(event.gasUsed).to.be.lessThan(MOST_GAS);
    for (const market of [BTC, ETH]) {
      expect((await exchange.positionOf(victim.account, market)).lots).to.equal(0n);
    }
  });
});

describe("events", () => {
  it("leave an owner's other account what it has (B10)", async () => {
    const world = await createWorld(connection, { overrides: CALM });
    const { exchange } = world;
    const [loser, winner] = [await world.openTrader("2100"), await world.openTrader("2200")];
    const others = [
      await world.openAccount(loser.signer, "5000"),
      await world.openAccount(loser.signer, "700"),
    ] as const;
    for (const trader of [loser, winner]) await world.execute(trader, setLeverage(FIFTY_TIMES));
    await world.trade(loser, winner, { price: "10000", size: "10" });
    // One of them holds something elsewhere, the other nothing.
    const maker = await world.openTrader("100000");
    await world.trade(others[0], maker, { price: "1000", size: "10", market: ETH });
    await world.setPrice("9300");
    const before = await Promise.all(others.map((other) => equityOf(world, other)));
    await exchange.deleverage([loser.account], 100, 0);
    expect(await equityOf(world, loser)).to.equal(0n);
    expect(await Promise.all(others.map((other) => equityOf(world, other)))).to.deep.equal(before);
    expect(before[1]).to.equal(700n * WHOLE);
  });

  /** Fractions of lots, by either rule of quantity and on either side; then everybody goes. */
  for (const [quantityRule, isLong] of [
    ["Front", true],
    ["Front", false],
    ["ProRata", true],
    ["ProRata", false],
  ] as const) {
    const who = `${isLong ? "shorts" : "longs"}, ${quantityRule}`;
    it(`leave every position such that its owner can close it (F13): ${who}`, async () => {
      const world = await createWorld(connection, { overrides: { ...CALM, quantityRule } });
      const { exchange, execute } = world;
      const [into, outOf] = isLong ? [sell, buy] : [buy, sell];
      const [end, near] = isLong ? ["9300", "9299"] : ["10700", "10701"];
      const trade = (loser: Trader, winner: Trader, size: string) =>
        world.trade(isLong ? loser : winner, isLong ? winner : loser, { price: "10000", size });
      const loser = await world.openTrader("2100");
      await execute(loser, setLeverage(FIFTY_TIMES));
      const winners: Trader[] = [];
      for (const size of ["3.33333333", "1.11111111", "5.55555556", "0.00111111"]) {
        const winner = await world.openTrader("100000");
        await world.again();
        await execute(winner, setLeverage(FIVE_TIMES));
        await trade(loser, winner, size);
        winners.push(winner);
      }
      const [other, last] = [await world.openTrader("1000000"), await world.openTrader("1000000")];
      await world.again();
      await trade(other, last, "7.00000001");
      winners.push(last);
      await world.setPrice(end);
      await exchange.deleverage([loser.account], 100, 0);
      const maker = await world.openTrader("10000000");
      await world.again();
      await execute(maker, into(end, "30"));
      for (const { signer, account } of winners) {
        await world.again();
        await exchange.settle(account, BTC);
        const { lots } = await exchange.positionOf(account, BTC);
        if (lots === 0n) continue;
        const all = outOf(end, "30", { reduceOnly: true, timeInForce: "ioc" });
        await execute({ signer, account }, { ...all, lots });
        expect((await exchange.positionOf(account, BTC)).lots).to.equal(0n);
      }
      await world.again();
      await execute(maker, outOf(near, "30"));
      const { lots } = await exchange.positionOf(other.account, BTC);
      expect(lots).to.equal(toLots("7.00000001"));
      const all = into(near, "30", { reduceOnly: true, timeInForce: "ioc" });
      await execute(other, { ...all, lots });
      // Only what fractions left, which account 3 holds against the maker.
      const most = BigInt(winners.length);
      expect((await exchange.positionOf(maker.account, BTC)).lots).to.be.at.most(most);
      expect((await exchange.marketOf(BTC)).flow.openInterest).to.be.at.most(most);
    });
  }
});
