import { expect } from "chai";
import {
  deployHarness,
  deployMarket,
  memberOf,
  MICRO,
  networkHelpers,
  UNIT,
} from "./differential/fixture.js";
import type { Market } from "./differential/fixture.js";

/*
 * Realised profit that still pays haircuts. Unit and micro unit are both 1e12 wei, so that a lot that gains a tick gains one micro
 * unit. Account 10 sells at 1000 to the others; the mark is where they sell again.
 */

const ID = 1;
const [OTHER, A, B, C] = [10, 11, 12, 13] as const;
const ACCOUNTS = [OTHER, A, B, C];
const EPOCH = 240;
const RICH = 10n ** 24n;
const LONG_SIDE = 0;

async function deploy() {
  const harness = await deployHarness();
  const market = await deployMarket(harness, ID, ACCOUNTS, { freshEpoch: EPOCH });
  for (const account of ACCOUNTS) await market.deposit(account, RICH);
  await toEpochStart();
  return market;
}

/** The first moment of an epoch that lies `epochs` behind the present one. */
async function toEpochStart(epochs = 1): Promise<void> {
  const now = await networkHelpers.time.latest();
  await networkHelpers.time.increaseTo((Math.floor(now / EPOCH) + epochs) * EPOCH + 1);
}

async function viewOf(market: Market, account: number) {
  const { current, previous, matured, balance } = memberOf(await market.check(), account);
  return { current, previous, matured, gain: balance - RICH };
}

/** A long of `lots` from 1000 that is sold at `ticks`, the mark. */
async function realise(market: Market, account: number, lots: bigint, ticks: bigint) {
  await market.setMark(ticks * UNIT);
  await market.trade(account, OTHER, lots, 1000n);
  await market.trade(OTHER, account, lots, ticks);
}

describe("Fresh", () => {
  describe("realise", () => {
    it("keeps price profit out of the balance, and counts it as equity", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await realise(market, A, 4n, 1100n);
      expect(await viewOf(market, A)).to.deep.equal({
        current: 400n,
        previous: 0n,
        matured: 0n,
        gain: 0n,
      });
      const { fresh, matured } = await market.harness.freshOf(A);
      expect([fresh, matured]).to.deep.equal([400n * MICRO, 0n]);
      const all = await market.check();
      expect(all.sides[LONG_SIDE]?.fresh).to.equal(400n * MICRO);
      expect(all.pool.unsettled).to.equal(400n * MICRO);
      expect(await market.harness.marketsOf(A)).to.deep.equal([2n, 2n]);
    });

    it("books whole micro units and pays what is below at once", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.setMark(1100n * UNIT);
      await market.addFunding(2n ** 32n);
      await market.trade(A, OTHER, 4n, 1000n);
      await market.addFunding(2n ** 32n);
      await market.trade(OTHER, A, 4n, 1100n);
      // Four wei of funding.
      expect(await viewOf(market, A)).to.include({ current: 399n, gain: MICRO - 4n });
    });

    it("takes the smaller of cash and price profit, or the gain against mark", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      // Funding took 30 ticks of 100.
      await market.setMark(1100n * UNIT);
      await market.trade(A, OTHER, 4n, 1000n);
      await market.addFunding(30n * UNIT * 2n ** 32n);
      await market.trade(OTHER, A, 4n, 1100n);
      expect(await viewOf(market, A)).to.include({ current: 280n, gain: 0n });
      // Funding paid 30 ticks; price profit is 100.
      await market.trade(B, OTHER, 4n, 1000n);
      await market.addFunding(-30n * UNIT * 2n ** 32n);
      await market.trade(OTHER, B, 4n, 1100n);
      expect(await viewOf(market, B)).to.include({ current: 400n, gain: 120n * MICRO });
      // Sold at a loss, but 50 above mark.
      await market.setMark(900n * UNIT);
      await market.trade(C, OTHER, 4n, 1000n);
      await market.trade(OTHER, C, 4n, 950n);
      expect(await viewOf(market, C)).to.include({ current: 200n, gain: -400n * MICRO });
    });

    it("counts shorts alike, on their side", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.setMark(900n * UNIT);
      await market.trade(OTHER, A, 4n, 1000n);
      await market.trade(A, OTHER, 4n, 900n);
      expect(await viewOf(market, A)).to.include({ current: 400n, gain: 0n });
      expect((await market.check()).sides[1]?.fresh).to.equal(400n * MICRO);
    });

    it("moves a record of the other side over, with the totals", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await realise(market, A, 4n, 1100n);
      await toEpochStart();
      await market.setMark(900n * UNIT);
      await market.trade(OTHER, A, 3n, 1000n);
      await market.trade(A, OTHER, 3n, 900n);
      expect(await viewOf(market, A)).to.include({ current: 300n, previous: 400n, gain: 0n });
      const all = await market.check();
      expect(all.sides.map(({ fresh }) => fresh)).to.deep.equal([0n, 700n * MICRO]);
    });

    it("keeps nothing where nothing is ever fresh", async () => {
      const market = await deployMarket(await deployHarness(), ID, ACCOUNTS);
      await realise(market, A, 4n, 1100n);
      const { current, balance } = memberOf(await market.check(), A);
      expect([current, balance]).to.deep.equal([0n, 400n * UNIT]);
    });
  });

  describe("settle", () => {
    it("matures each bucket at the end of the epoch after its own", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await realise(market, A, 4n, 1100n);
      await toEpochStart();
      expect(await viewOf(market, A)).to.include({ current: 0n, previous: 400n, matured: 0n });
      await realise(market, A, 1n, 1100n);
      expect(await viewOf(market, A)).to.include({ current: 100n, previous: 400n, matured: 0n });
      await toEpochStart();
      expect(await viewOf(market, A)).to.deep.equal({
        current: 0n,
        previous: 100n,
        matured: 400n,
        gain: 0n,
      });
      await market.settle(A);
      expect(await viewOf(market, A)).to.deep.equal({
        current: 0n,
        previous: 100n,
        matured: 0n,
        gain: 400n * MICRO,
      });
      await toEpochStart();
      await market.settle(A);
      expect(await viewOf(market, A)).to.include({ previous: 0n, gain: 500n * MICRO });
      expect(await market.harness.marketsOf(A)).to.deep.equal([0n, 0n]);
      expect((await market.check()).pool.unsettled).to.equal(0n);
    });

    it("matures both after two epochs, however long nobody came", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await realise(market, A, 4n, 1100n);
      await toEpochStart(50);
      expect(await viewOf(market, A)).to.include({ matured: 400n });
      await market.settle(A);
      expect(await viewOf(market, A)).to.include({ gain: 400n * MICRO, matured: 0n });
    });

    it("stands still while a jump waits or a shortfall stands", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      const { harness } = market;
      for (const [begin, end] of [
        [async () => harness.setJumpPending(ID, 1), async () => harness.setJumpPending(ID, 0)],
        [async () => harness.setShortfall(ID, 1), async () => harness.setShortfall(ID, 0)],
      ] as const) {
        const { gain } = await viewOf(market, B);
        await realise(market, B, 4n, 1100n);
        await begin();
        await toEpochStart(3);
        await market.settle(B);
        const { balance, current } = memberOf(await market.inspect(), B);
        expect([current, balance - RICH]).to.deep.equal([400n, gain]);
        await end();
        await market.settle(B);
        expect(await viewOf(market, B)).to.include({ current: 0n, gain: gain + 400n * MICRO });
      }
    });
  });

  it("does not make fresh again what matured before a jump waited, though nobody came", async () => {
    const market = await networkHelpers.loadFixture(deploy);
    const { harness } = market;
    const { gain } = await viewOf(market, B);
    await realise(market, B, 4n, 1100n);
    await toEpochStart(3);
    await harness.setJumpPending(ID, await networkHelpers.time.latest());
    expect(await viewOf(market, B)).to.include({ current: 0n, previous: 0n, matured: 400n });
    await toEpochStart(3);
    await realise(market, A, 4n, 1100n);
    await market.settle(B);
    expect(await viewOf(market, B)).to.include({ current: 0n, gain: gain + 400n * MICRO });
    // What is realised while the clock stands is of the epoch in which it stopped.
    await harness.setJumpPending(ID, 0);
    expect(await viewOf(market, A)).to.include({ current: 0n, matured: 400n });
  });

  describe("charge", () => {
    it("takes from all records of the side in proportion", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await realise(market, A, 4n, 1100n);
      await realise(market, B, 12n, 1100n);
      await market.run({ fresh: [400n * MICRO, 0n] });
      expect(await viewOf(market, A)).to.include({ current: 300n });
      expect(await viewOf(market, B)).to.include({ current: 900n });
      expect((await market.check()).sides[LONG_SIDE]?.fresh).to.equal(1200n * MICRO);
    });

    it("spares what had matured before, whoever settles when", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await realise(market, A, 4n, 1100n);
      await toEpochStart();
      await realise(market, B, 4n, 1100n);
      await market.run({ fresh: [400n * MICRO, 0n] });
      await toEpochStart();
      // A's has matured at half; only B's is left.
      await market.run({ fresh: [100n * MICRO, 0n] });
      await toEpochStart(5);
      await realise(market, C, 8n, 1100n);
      await market.run({ fresh: [400n * MICRO, 0n] });
      expect(await viewOf(market, A)).to.include({ current: 0n, previous: 0n, matured: 200n });
      expect(await viewOf(market, B)).to.include({ current: 0n, previous: 0n, matured: 100n });
      expect(await viewOf(market, C)).to.include({ current: 400n });
      for (const account of [A, B, C]) await market.settle(account);
      expect(await viewOf(market, A)).to.include({ gain: 200n * MICRO });
      expect(await viewOf(market, B)).to.include({ gain: 100n * MICRO });
    });

    it("takes all: what comes after is whole", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await realise(market, A, 4n, 1100n);
      await market.run({ fresh: [400n * MICRO, 0n] });
      await realise(market, B, 5n, 1100n);
      expect(await viewOf(market, A)).to.include({ current: 0n });
      expect(await viewOf(market, B)).to.include({ current: 500n });
      await realise(market, A, 1n, 1100n);
      expect(await viewOf(market, A)).to.include({ current: 100n });
      await toEpochStart(2);
      for (const account of [A, B]) await market.settle(account);
      expect(await viewOf(market, A)).to.include({ gain: 100n * MICRO });
      expect(await viewOf(market, B)).to.include({ gain: 500n * MICRO });
      expect((await market.check()).pool.unsettled).to.equal(0n);
    });

    it("keeps its precision over many events", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      const lots = 10n ** 10n;
      await realise(market, A, lots, 1100n);
      let left = 100n * lots;
      for (let i = 0; i < 8; i++) {
        await market.run({ fresh: [(left * MICRO * 15n) / 16n, 0n] });
        left = left / 16n;
        await realise(market, B, 15n * (left / 100n), 1100n);
        left += 15n * (left / 100n) * 100n;
        const { current } = await viewOf(market, A);
        const exact = (100n * lots) / 16n ** BigInt(i + 1);
        expect(current, `after ${i + 1} events`).to.be.within(exact - BigInt(i + 2), exact);
      }
    });

    it("refuses more than there is", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await realise(market, A, 4n, 1100n);
      const most = 400n * MICRO;
      await expect(market.run({ fresh: [most + 1n, 0n] }))
        .to.be.revertedWithCustomError(market.harness, "HaircutTooLarge")
        .withArgs(most + 1n, most);
    });
  });

  describe("fold", () => {
    it("turns all of it into balance", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await realise(market, A, 4n, 1100n);
      await realise(market, B, 4n, 1100n);
      await toEpochStart();
      await realise(market, A, 1n, 1100n);
      await market.fold(A);
      expect(await viewOf(market, A)).to.deep.equal({
        current: 0n,
        previous: 0n,
        matured: 0n,
        gain: 500n * MICRO,
      });
      const all = await market.check();
      expect(all.sides[LONG_SIDE]?.fresh, "B's is left").to.equal(400n * MICRO);
      expect(await market.harness.marketsOf(A)).to.deep.equal([0n, 0n]);
    });
  });
});
