import { expect } from "chai";
import { ZeroAddress, id as hashOf } from "ethers";
import { network } from "hardhat";
import { resolve } from "node:path";
import { checkDeployment } from "../scripts/deploy/check.js";
import { deployBallast } from "../scripts/deploy/deploy.js";
import { parseParameters, readParameters } from "../scripts/deploy/parameters.js";
import {
  PythContract__factory,
  PythSource__factory,
  UnwillingSender__factory,
} from "../typechain-types/index.js";

const connection = await network.create({ override: { allowBlocksWithSameTimestamp: true } });
const { ethers, networkHelpers } = connection;

const FEED = hashOf("BTC/USD");
const FEE = 7n;
const DEFAULTS = resolve(import.meta.dirname, "../scripts/deploy/parameters/default.json");

type Quote = { price: bigint; confidence?: bigint; exponent?: number; time: bigint };

async function deploySource() {
  const [signer] = await ethers.getSigners();
  if (signer === undefined) throw new Error("the network has accounts");
  const pyth = await new PythContract__factory(signer).deploy(FEE);
  const source = await new PythSource__factory(signer).deploy(await pyth.getAddress());
  const updateOf = ({ price, confidence = 0n, exponent = -8, time }: Quote) =>
    pyth.createPriceFeedUpdateData(FEED, price, confidence, exponent, price, 0n, time, 0n);
  const bring = async (quote: Quote) => source.update([await updateOf(quote)], { value: FEE });
  return { pyth, source, signer, updateOf, bring };
}

/** Keeps the clock where it is for the next transaction. */
async function stay(): Promise<bigint> {
  const now = await networkHelpers.time.latest();
  await networkHelpers.time.setNextBlockTimestamp(now);
  return BigInt(now);
}

describe("PythSource", () => {
  describe("read", () => {
    /** As Pyth counts: price, confidence, exponent; then both with 18 decimals, rounded down and up. */
    const SCALES: readonly (readonly [bigint, bigint, number, bigint, bigint])[] = [
      [
        6_000_012_345_678n,
        2_500_000n,
        -8,
        60_000_123_456_780_000_000_000n,
        25_000_000_000_000_000n,
      ],
      [7n, 1n, 0, 7_000_000_000_000_000_000n, 1_000_000_000_000_000_000n],
      [123_456_789_012_345_678n, 3n, -18, 123_456_789_012_345_678n, 3n],
      [12_399n, 101n, -20, 123n, 2n],
      [2n ** 63n - 1n, 0n, -36, 9n, 0n],
      [
        2n ** 63n - 1n,
        2n ** 64n - 1n,
        12,
        (2n ** 63n - 1n) * 10n ** 30n,
        (2n ** 64n - 1n) * 10n ** 30n,
      ],
    ];
    for (const [price, confidence, exponent, scaled, interval] of SCALES) {
      it(`brings ${price} ± ${confidence} with exponent ${exponent} to 18 decimals`, async () => {
        const { source, bring } = await networkHelpers.loadFixture(deploySource);
        const time = await stay();
        await bring({ price, confidence, exponent, time: time - 5n });
        expect(await source.read(FEED)).to.deep.equal([scaled, interval, time - 5n]);
      });
    }

    it("takes an update of this very second, and none that has not come", async () => {
      const { source, bring } = await networkHelpers.loadFixture(deploySource);
      const now = await stay();
      await bring({ price: 1n, time: now });
      expect((await source.read(FEED)).publishTime).to.equal(now);
      await stay();
      await bring({ price: 1n, time: now + 1n });
      await expect(source.read(FEED))
        .to.be.revertedWithCustomError(source, "FromTheFuture")
        .withArgs(now + 1n, now);
    });

    for (const price of [0n, -1n, -(2n ** 63n)]) {
      it(`reverts for a price of ${price}`, async () => {
        const { source, bring } = await networkHelpers.loadFixture(deploySource);
        await bring({ price, time: 1n });
        await expect(source.read(FEED))
          .to.be.revertedWithCustomError(source, "NotPositive")
          .withArgs(price);
      });
    }

    for (const exponent of [-37, 13, 2 ** 31 - 1, -(2 ** 31)]) {
      it(`reverts for an exponent of ${exponent}`, async () => {
        const { source, bring } = await networkHelpers.loadFixture(deploySource);
        await bring({ price: 1n, exponent, time: 1n });
        await expect(source.read(FEED))
          .to.be.revertedWithCustomError(source, "ExponentOutOfBounds")
          .withArgs(exponent, -36, 12);
      });
    }

    it("reverts for a feed that nobody brought yet", async () => {
      const { source } = await networkHelpers.loadFixture(deploySource);
      await expect(source.read(FEED)).to.revert(ethers);
    });
  });

  describe("update", () => {
    it("pays the fee and gives the rest back", async () => {
      const { source, pyth, signer, updateOf } = await networkHelpers.loadFixture(deploySource);
      const update = await updateOf({ price: 1n, time: 1n });
      const sent = source.update([update], { value: 100n });
      await expect(sent).to.changeEtherBalances(ethers, [signer, source, pyth], [-FEE, 0n, FEE]);
    });

    it("refuses less than the fee, and brings nothing", async () => {
      const { source, updateOf } = await networkHelpers.loadFixture(deploySource);
      const update = await updateOf({ price: 1n, time: 1n });
      await expect(source.update([update], { value: FEE - 1n }))
        .to.be.revertedWithCustomError(source, "FeeNotPaid")
        .withArgs(FEE - 1n, FEE);
      await expect(source.read(FEED)).to.revert(ethers);
    });

    it("refuses a sender who will not take the rest", async () => {
      const { source, signer, updateOf } = await networkHelpers.loadFixture(deploySource);
      const sender = await new UnwillingSender__factory(signer).deploy();
      const [target, from] = [await source.getAddress(), await sender.getAddress()];
      const update = await updateOf({ price: 1n, time: 1n });
      await expect(sender.send(target, [update], { value: FEE + 1n }))
        .to.be.revertedWithCustomError(source, "NotRefunded")
        .withArgs(from, 1n);
      await sender.send(target, [update], { value: FEE });
      expect((await source.read(FEED)).price).to.equal(10n ** 10n);
    });

    it("does not go back in time", async () => {
      const { source, bring } = await networkHelpers.loadFixture(deploySource);
      await bring({ price: 2n, time: 20n });
      await bring({ price: 1n, time: 10n });
      expect((await source.read(FEED)).publishTime).to.equal(20n);
    });
  });

  it("is not deployed over an address without code", async () => {
    const { signer, source } = await networkHelpers.loadFixture(deploySource);
    await expect(new PythSource__factory(signer).deploy(ZeroAddress))
      .to.be.revertedWithCustomError(source, "NotAContract")
      .withArgs(ZeroAddress);
  });

  describe("in a deployment", () => {
    const [btc] = readParameters(DEFAULTS).markets;
    const signed = { kind: "signed", feed: "BTC/USD:a" };
    const withPyth = (pyth: string | null) => ({
      ...readParameters(DEFAULTS),
      pyth,
      markets: [
        { ...btc, sources: [signed, { kind: "pyth", feed: FEED.toUpperCase().replace("X", "x") }] },
      ],
    });

    it("is a source beside others, and is asked by the oracle", async () => {
      const { pyth, signer, updateOf } = await networkHelpers.loadFixture(deploySource);
      const parameters = parseParameters(withPyth(await pyth.getAddress()));
      const ballast = await deployBallast(connection, parameters);
      const deployment = { ballast, parameters, deployer: signer.address };
      expect(await checkDeployment(deployment)).to.deep.equal([]);

      const source = PythSource__factory.connect(ballast.addresses.pyth ?? "", signer);
      const time = BigInt(await networkHelpers.time.latest());
      const certain = await updateOf({ price: 5n * 10n ** 12n, confidence: 10n ** 9n, time });
      await source.update([certain], { value: FEE });
      const read = async () => ballast.oracle.read(0, 0n, 5000n, 30n, 300n);
      expect(await read()).to.deep.equal([50_000n * 10n ** 18n, time, 1n, 1n]);

      // An interval wider than maxSpread: 0.6 % where 0.5 % is allowed.
      await networkHelpers.time.increase(1);
      const later = BigInt(await networkHelpers.time.latest());
      const unsure = { price: 5n * 10n ** 12n, confidence: 3n * 10n ** 10n, time: later };
      await source.update([await updateOf(unsure)], { value: FEE });
      expect((await read()).grade).to.equal(0n);
    });

    it("needs the address of the chain's Pyth contract", () => {
      expect(() => parseParameters(withPyth(null))).to.throw(
        "markets.0.sources.1: needs the address of Pyth",
      );
    });
  });
});
