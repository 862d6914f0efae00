import { expect } from "chai";
import { network } from "hardhat";
import { createRandom } from "../../scripts/lib/random.js";
import { BTC, buy, createWorld, sell, setLeverage, WHOLE } from "../fixtures.js";
import type { Action, Trader } from "../fixtures.js";

/* One thing done at once and in parts: parts never bring more, but for a wei each (A10), in whatever order they come (B12). */

const connection = await network.create();
const { networkHelpers } = connection;

const SEED = 0xba11a57;
const RUNS = 8;
/** Without funding what is compared does not depend on the second in which it is done. */
const CALM = { maxFunding: 0, interest: 0 };
const FIFTY_TIMES = 6;
/** What rounding may give a part, quote. */
const WEI = 1n;
const SCALE = 10n ** 12n;
const MAX = 2n ** 256n - 1n;

const random = createRandom(SEED);

const calm = () => createWorld(connection, { overrides: CALM });

/** Parts of a size in 1e-8, none below the least notional. */
function parts(whole: bigint, count: number): bigint[] {
  const least = 110_000n;
  let left = whole - least * BigInt(count);
  const sizes = Array.from({ length: count - 1 }, () => {
    const part = random.between(0n, left);
    left -= part;
    return part + least;
  });
  return [...sizes, left + least];
}

const textOf = (lots: bigint) => (Number(lots) / 1e8).toFixed(8);

/** Two traders, one of whom holds something already. */
async function staged() {
  const world = await calm();
  const [alice, bob] = [await world.openTrader("20000"), await world.openTrader("1000000")];
  await world.trade(alice, bob, { price: "9990", size: "0.3" });
  return { world, alice, bob };
}

type Stage = Awaited<ReturnType<typeof staged>>;

/** What an account is worth after its side of a stage. */
async function worthAfter(play: (stage: Stage) => Promise<Trader>): Promise<bigint> {
  const stage = await networkHelpers.loadFixture(staged);
  const trader = await play(stage);
  return (await stage.world.health(trader)).health.equity;
}

async function expectNoMore(
  play: (sizes: readonly bigint[]) => (stage: Stage) => Promise<Trader>,
  sizes: readonly bigint[],
): Promise<void> {
  const whole = sizes.reduce((sum, size) => sum + size, 0n);
  const once = await worthAfter(play([whole]));
  const split = await worthAfter(play(sizes));
  const text = `${sizes.join()}: ${split} instead of ${once}`;
  expect(split <= once + WEI * BigInt(sizes.length), text).to.equal(true);
}

describe("parts of one thing", () => {
  const orders = (side: typeof buy, sizes: readonly bigint[], reduceOnly = false): Action[] =>
    sizes.map((size) => side("10003.7", textOf(size), { timeInForce: "ioc", reduceOnly }));

  it("bring no more by fills, whoever is the taker (A10)", async () => {
    for (let i = 0; i < RUNS; i++) {
      const sizes = parts(random.between(10n ** 7n, 10n ** 8n), 2 + (i % 5));
      const isMaker = i % 2 === 1;
      const play = (cut: readonly bigint[]) => async (stage: Stage) => {
        const { world, alice, bob } = stage;
        const whole = textOf(sizes.reduce((sum, size) => sum + size, 0n));
        await world.execute(bob, sell("10003.7", whole));
        await world.execute(alice, ...orders(buy, cut));
        return isMaker ? bob : alice;
      };
      await expectNoMore(play, sizes);
    }
  });

  it("bring no more by closing (A10)", async () => {
    for (let i = 0; i < RUNS; i++) {
      const sizes = parts(random.between(10n ** 7n, 29_000_000n), 2 + (i % 5));
      const play = (cut: readonly bigint[]) => async (stage: Stage) => {
        const { world, alice, bob } = stage;
        await world.setPrice(i % 2 === 0 ? "10003.7" : "9950");
        await world.execute(bob, buy("10003.7", "1"));
        await world.execute(alice, ...orders(sell, cut, true));
        return alice;
      };
      await expectNoMore(play, sizes);
    }
  });

  it("bring no more by paying in and taking out (A10)", async () => {
    for (let i = 0; i < RUNS; i++) {
      const sizes = parts(random.between(10n ** 7n, 10n ** 9n), 2 + (i % 5));
      const found: bigint[][] = [];
      for (const cut of [[sizes.reduce((sum, size) => sum + size, 0n)], sizes]) {
        const { world, alice } = await networkHelpers.loadFixture(staged);
        const { exchange, ballast } = world;
        const { token, vault } = ballast;
        const { signer, account } = alice;
        await token.mint(signer, 10n ** 12n);
        await token.connect(signer).approve(vault, MAX);
        for (const size of cut) await exchange.connect(signer).deposit(account, size);
        const paidIn = await exchange.balanceOf(account);
        for (const size of cut) await exchange.connect(signer).withdraw(account, size, signer);
        found.push([paidIn, await exchange.balanceOf(account), await token.balanceOf(signer)]);
      }
      expect(found[1]).to.deep.equal(found[0]);
    }
  });

  /** Whether prices are looked at once at the end or all the time. */
  it("bring no more by touching what funding accrues on (A10)", async () => {
    const owed: bigint[] = [];
    for (const times of [1, 20]) {
      const world = await createWorld(connection);
      const [alice, bob] = [await world.openTrader("20000"), await world.openTrader("1000000")];
      await world.trade(alice, bob, { price: "10000", size: "1" });
      await world.again();
      const start = BigInt(await networkHelpers.time.latest());
      for (let i = 1n; i <= BigInt(times); i++) {
        await networkHelpers.time.setNextBlockTimestamp(start + (200n * i) / BigInt(times));
        await world.exchange.settle(alice.account, BTC);
      }
      const { price } = await world.exchange.marketOf(BTC);
      owed.push(price.funding);
    }
    const [once = 0n, often = 0n] = owed;
    expect(once).to.be.greaterThan(0n);
    // A unit of 2^-32 wei a lot for each touch.
    expect(once - often).to.be.within(-20n, 20n);
  });

  /** A long of one coin, so far below maintenance that five bids for parts of it do not bring it above. */
  async function squeezed() {
    const world = await calm();
    const [weak, rich] = [await world.openTrader("300"), await world.openTrader("1000000")];
    const keeper = await world.openTrader("1000");
    await world.execute(weak, setLeverage(FIFTY_TIMES));
    await world.trade(weak, rich, { price: "10000", size: "1" });
    await world.setPrice("9765");
    await world.execute(
      rich,
      ...Array.from({ length: 5 }, () => buy("9764", textOf(random.between(4n, 6n) * 10n ** 6n))),
    );
    return { world, weak, keeper };
  }

  it("bring neither who is sold nor who calls more by selling one bid at a time (A10)", async () => {
    const found: bigint[][] = [];
    for (const fills of [100, 1]) {
      const { world, weak, keeper } = await networkHelpers.loadFixture(squeezed);
      const before = await world.exchange.balanceOf(keeper.account);
      for (let i = 0; i < 5; i++) {
        await world.exchange.liquidate([weak.account], fills, keeper.account);
        if (fills !== 1) break;
      }
      const { lots } = await world.exchange.positionOf(weak.account, BTC);
      const { health } = await world.health(weak);
      const reward = (await world.exchange.balanceOf(keeper.account)) - before;
      found.push([lots, health.equity, reward]);
    }
    const [once = [], split = []] = found;
    expect(once[0]).to.be.lessThan(10n ** 8n);
    expect(split[0], "as many lots").to.equal(once[0]);
    expect(split[1], "who is sold").to.be.at.most((once[1] ?? 0n) + 5n * WEI);
    expect(split[2], "who calls").to.be.at.most((once[2] ?? 0n) + 5n * WEI);
    expect(once[2]).to.be.greaterThan(SCALE);
  });

  it("end at one average entry and one cost, in whatever order they come (B12)", async () => {
    for (let i = 0; i < RUNS; i++) {
      const sizes = parts(random.between(10n ** 6n, 10n ** 8n), 4);
      const found: [bigint, bigint][] = [];
      for (const cut of [sizes, sizes.toReversed(), sizes.toSorted((a, b) => (a < b ? -1 : 1))]) {
        const { world, alice, bob } = await networkHelpers.loadFixture(staged);
        await world.execute(bob, sell("10003.7", "2"));
        // One call each, so that no sum is taken over them before.
        for (const order of orders(buy, cut)) await world.execute(alice, order);
        const { entry, cost } = await world.exchange.positionOf(alice.account, BTC);
        found.push([entry, cost]);
      }
      const [first = [0n, 0n], ...others] = found;
      for (const [entry, cost] of others) {
        // Of 2^-16 of a tick, one for each fill.
        expect(entry - first[0], sizes.join()).to.be.within(-4n, 4n);
        expect(cost - first[1], sizes.join()).to.be.within(-WEI, WEI);
      }
      expect(first[1]).to.be.greaterThan(WHOLE);
    }
  });

  it("are told from each other: a larger part is worth more", async () => {
    // The comparison is of something: half of the fill has half of its loss.
    const play =
      (size: bigint) =>
      async ({ world, alice, bob }: Stage) => {
        await world.execute(bob, sell("10003.7", textOf(size)));
        await world.execute(alice, ...orders(buy, [size]));
        return alice;
      };
    const [half, whole] = [
      await worthAfter(play(10n ** 7n)),
      await worthAfter(play(2n * 10n ** 7n)),
    ];
    expect(half).to.be.greaterThan(whole);
  });
});
