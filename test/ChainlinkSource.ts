import { expect } from "chai";
import { network } from "hardhat";
import { ChainlinkSource__factory, SettableAggregator__factory } from "../typechain-types/index.js";

const GRACE = 3600n;
const MAX = 2n ** 128n - 1n;

const { ethers, networkHelpers } = await network.create({
  override: { allowBlocksWithSameTimestamp: true },
});

async function deploySource() {
  const deployer = await ethers.provider.getSigner(0);
  const aggregator = await new SettableAggregator__factory(deployer).deploy();
  const sequencer = await new SettableAggregator__factory(deployer).deploy();
  const plain = await new ChainlinkSource__factory(deployer).deploy(ethers.ZeroAddress, 0n);
  const guarded = await new ChainlinkSource__factory(deployer).deploy(
    await sequencer.getAddress(),
    GRACE,
  );
  const feed = ethers.zeroPadValue(await aggregator.getAddress(), 32);
  return { aggregator, sequencer, plain, guarded, feed };
}

/** Keeps the clock where it is for the next transaction. */
async function stay(): Promise<bigint> {
  const now = await networkHelpers.time.latest();
  await networkHelpers.time.setNextBlockTimestamp(now);
  return BigInt(now);
}

describe("ChainlinkSource", () => {
  describe("read", () => {
    /** Decimals and answer of the feed, and the price in 18 decimals. */
    const SCALES: readonly (readonly [decimals: number, answer: bigint, price: bigint])[] = [
      [8, 6_000_012_345_678n, 60_000_123_456_780_000_000_000n],
      [0, 7n, 7_000_000_000_000_000_000n],
      [18, 123_456_789_012_345_678n, 123_456_789_012_345_678n],
      // Rounded down where the feed has more.
      [20, 12_399n, 123n],
      [36, MAX, 340_282_366_920_938_463_463n],
      [0, MAX, MAX * 10n ** 18n],
    ];
    for (const [decimals, answer, price] of SCALES) {
      it(`brings ${answer} with ${decimals} decimals to 18`, async () => {
        const { aggregator, plain, feed } = await networkHelpers.loadFixture(deploySource);
        const now = await stay();
        await aggregator.set(decimals, answer, now - 9n, now - 5n);
        expect(await plain.read(feed)).to.deep.equal([price, 0n, now - 5n]);
      });
    }

    it("takes an update of this very second", async () => {
      const { aggregator, plain, feed } = await networkHelpers.loadFixture(deploySource);
      const now = await stay();
      await aggregator.set(8, 1n, now, now);
      expect((await plain.read(feed)).publishTime).to.equal(now);
    });

    it("reverts for an answer of zero or less", async () => {
      const { aggregator, plain, feed } = await networkHelpers.loadFixture(deploySource);
      for (const answer of [0n, -1n, -(2n ** 255n)]) {
        const now = await stay();
        await aggregator.set(8, answer, now, now);
        await expect(plain.read(feed))
          .to.be.revertedWithCustomError(plain, "NotPositive")
          .withArgs(answer);
      }
    });

    it("reverts for an answer that cannot be a price, and for too many decimals", async () => {
      const { aggregator, plain, feed } = await networkHelpers.loadFixture(deploySource);
      const now = await stay();
      await aggregator.set(8, MAX + 1n, now, now);
      await expect(plain.read(feed))
        .to.be.revertedWithCustomError(plain, "AnswerTooLarge")
        .withArgs(MAX + 1n, MAX);
      await stay();
      await aggregator.set(37, 1n, now, now);
      await expect(plain.read(feed))
        .to.be.revertedWithCustomError(plain, "TooManyDecimals")
        .withArgs(37n, 36n);
    });

    it("reverts for an open round and for a time that has not come", async () => {
      const { aggregator, plain, feed } = await networkHelpers.loadFixture(deploySource);
      const now = await stay();
      await aggregator.set(8, 1n, now, 0n);
      await expect(plain.read(feed)).to.be.revertedWithCustomError(plain, "RoundOpen").withArgs(1n);
      await stay();
      await aggregator.set(8, 1n, now, now + 1n);
      await expect(plain.read(feed))
        .to.be.revertedWithCustomError(plain, "FromTheFuture")
        .withArgs(now + 1n, now);
    });

    it("reverts for a feed that is no address", async () => {
      const { plain, feed } = await networkHelpers.loadFixture(deploySource);
      const odd = `0x01${feed.slice(4)}`;
      await expect(plain.read(odd))
        .to.be.revertedWithCustomError(plain, "NotAnAddress")
        .withArgs(odd);
    });
  });

  describe("behind a sequencer", () => {
    it("has no price while the sequencer is down", async () => {
      const { aggregator, sequencer, guarded, feed } =
        await networkHelpers.loadFixture(deploySource);
      const now = await stay();
      await aggregator.set(8, 1n, now, now);
      await stay();
      await sequencer.set(0, 1n, now - 2n * GRACE, now);
      await expect(guarded.read(feed)).to.be.revertedWithCustomError(guarded, "SequencerDown");
    });

    it("has none until the grace period is over, to the second", async () => {
      const { aggregator, sequencer, guarded, feed } =
        await networkHelpers.loadFixture(deploySource);
      const now = await stay();
      await aggregator.set(8, 1n, now, now);
      await stay();
      await sequencer.set(0, 0n, now - GRACE, now);
      await expect(guarded.read(feed))
        .to.be.revertedWithCustomError(guarded, "SequencerJustBack")
        .withArgs(now - GRACE, now);
      await stay();
      await sequencer.set(0, 0n, now - GRACE - 1n, now);
      expect((await guarded.read(feed)).publishTime).to.equal(now);
    });

    it("has none while the uptime feed has not begun", async () => {
      const { aggregator, guarded, feed } = await networkHelpers.loadFixture(deploySource);
      const now = await stay();
      await aggregator.set(8, 1n, now, now);
      await expect(guarded.read(feed))
        .to.be.revertedWithCustomError(guarded, "RoundOpen")
        .withArgs(1n);
    });
  });
});
