import { expect } from "chai";
import type { HDNodeWallet } from "ethers";
import { Wallet } from "ethers";
import { network } from "hardhat";
import { SignedFeed__factory } from "../typechain-types/index.js";
import type { SignedFeed } from "../typechain-types/index.js";
import { Roles__factory } from "../typechain-types/factories/Roles__factory.js";

const WHOLE = 10n ** 18n;
const PRICE = 60_000n * WHOLE;

const { ethers, networkHelpers } = await network.create({
  override: { allowBlocksWithSameTimestamp: true },
});

const FEED = ethers.encodeBytes32String("BTC/USD");
const OTHER = ethers.encodeBytes32String("ETH/USD");

/** By rising address, as the contract wants signatures. */
const SIGNERS: readonly (HDNodeWallet | Wallet)[] = [1n, 2n, 3n, 4n]
  .map((key) => new Wallet(ethers.toBeHex(key, 32)))
  .toSorted((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
const KNOWN = SIGNERS.slice(0, 3);
const UNKNOWN = SIGNERS.slice(3);

const TYPES = {
  Update: [
    { name: "feed", type: "bytes32" },
    { name: "price", type: "uint256" },
    { name: "confidence", type: "uint256" },
    { name: "publishTime", type: "uint256" },
  ],
};

type Update = {
  readonly feed: string;
  readonly price: bigint;
  readonly confidence: bigint;
  readonly publishTime: bigint;
};

async function deployFeed() {
  const [deployer, stranger] = await Promise.all([0, 1].map((i) => ethers.provider.getSigner(i)));
  if (deployer === undefined || stranger === undefined) throw new RangeError("two signers");
  const manager = await new Roles__factory(deployer).deploy(deployer.address);
  const known = KNOWN.map(({ address }) => address);
  const authority = await manager.getAddress();
  const feed = await new SignedFeed__factory(deployer).deploy(authority, known, 2n);
  return { feed, authority, deployer, stranger };
}

/** Keeps the clock where it is for the next transaction. */
async function stay(): Promise<bigint> {
  const now = await networkHelpers.time.latest();
  await networkHelpers.time.setNextBlockTimestamp(now);
  return BigInt(now);
}

async function domainOf(feed: SignedFeed) {
  const { chainId } = await ethers.provider.getNetwork();
  const verifyingContract = await feed.getAddress();
  return { name: "Ballast SignedFeed", version: "1", chainId, verifyingContract };
}

async function sign(
  feed: SignedFeed,
  update: Update,
  signers: readonly (HDNodeWallet | Wallet)[] = KNOWN.slice(0, 2),
  domain = {},
): Promise<string[]> {
  const full = { ...(await domainOf(feed)), ...domain };
  return Promise.all(signers.map(async (signer) => signer.signTypedData(full, TYPES, update)));
}

function updateAt(publishTime: bigint, changes: Partial<Update> = {}): Update {
  return { feed: FEED, price: PRICE, confidence: 5n * WHOLE, publishTime, ...changes };
}

describe("SignedFeed", () => {
  describe("push", () => {
    it("stores what two of three signed, whoever pushes it", async () => {
      const { feed, stranger } = await networkHelpers.loadFixture(deployFeed);
      const now = await stay();
      const update = updateAt(now);
      await expect(feed.connect(stranger).push(update, await sign(feed, update)))
        .to.emit(feed, "Pushed")
        .withArgs(FEED, PRICE, 5n * WHOLE, now);
      expect(await feed.read(FEED)).to.deep.equal([PRICE, 5n * WHOLE, now]);
    });

    it("signs what EIP-712 says", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      const update = updateAt(12_345n);
      const digest = ethers.TypedDataEncoder.hash(await domainOf(feed), TYPES, update);
      expect(await feed.digestOf(update)).to.equal(digest);
    });

    it("takes any two of the three, and does not look at more", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      const start = await stay();
      for (const [i, chosen] of [
        [0, 1],
        [0, 2],
        [1, 2],
        [0, 1, 2],
      ].entries()) {
        const update = updateAt(start - 10n + BigInt(i));
        const signers = KNOWN.filter((_, index) => chosen.includes(index));
        await stay();
        await feed.push(update, await sign(feed, update, signers));
      }
      expect((await feed.read(FEED)).publishTime).to.equal(start - 7n);
    });

    it("refuses a price that was not published later than the stored one", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      const now = await stay();
      await feed.push(updateAt(now), await sign(feed, updateAt(now)));
      for (const time of [now, now - 1n]) {
        const update = updateAt(time, { price: PRICE + 1n });
        await stay();
        await expect(feed.push(update, await sign(feed, update)))
          .to.be.revertedWithCustomError(feed, "NotNewer")
          .withArgs(time, now);
      }
    });

    it("refuses a time that has not come", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      const now = await stay();
      const update = updateAt(now + 1n);
      await expect(feed.push(update, await sign(feed, update)))
        .to.be.revertedWithCustomError(feed, "FromTheFuture")
        .withArgs(now + 1n, now);
    });

    it("refuses what it cannot store", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      const now = await stay();
      const largest = 2n ** 128n - 1n;
      for (const price of [0n, largest + 1n]) {
        const update = updateAt(now, { price });
        await stay();
        await expect(feed.push(update, await sign(feed, update)))
          .to.be.revertedWithCustomError(feed, "PriceOutOfRange")
          .withArgs(price, largest);
      }
      const update = updateAt(now, { confidence: 2n ** 88n });
      await stay();
      await expect(feed.push(update, await sign(feed, update)))
        .to.be.revertedWithCustomError(feed, "ConfidenceOutOfRange")
        .withArgs(2n ** 88n, 2n ** 88n - 1n);
    });

    it("refuses too few signatures", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      const update = updateAt(await stay());
      await expect(feed.push(update, await sign(feed, update, KNOWN.slice(0, 1))))
        .to.be.revertedWithCustomError(feed, "TooFewSignatures")
        .withArgs(1n, 2n);
    });

    it("counts a signer once, and only in the order of addresses", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      const update = updateAt(await stay());
      const [first, second] = KNOWN.map(({ address }) => address);
      const [a, b] = await sign(feed, update);
      if (a === undefined || b === undefined) throw new RangeError("two signatures");
      await expect(feed.push(update, [a, a]))
        .to.be.revertedWithCustomError(feed, "BadSigner")
        .withArgs(first, first);
      await stay();
      await expect(feed.push(update, [b, a]))
        .to.be.revertedWithCustomError(feed, "BadSigner")
        .withArgs(first, second);
    });

    it("refuses a signature of nobody known, and one over anything else", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      const update = updateAt(await stay());
      const signers = [...KNOWN.slice(0, 1), ...UNKNOWN];
      const byUnknown = await sign(feed, update, signers);
      await expect(feed.push(update, byUnknown)).to.be.revertedWithCustomError(feed, "BadSigner");

      const changed: readonly Partial<Update>[] = [
        { price: PRICE + 1n },
        { confidence: 0n },
        { publishTime: update.publishTime - 1n },
        { feed: OTHER },
      ];
      const signatures = await sign(feed, update);
      for (const change of changed) {
        await stay();
        await expect(feed.push({ ...update, ...change }, signatures)).to.be.revertedWithCustomError(
          feed,
          "BadSigner",
        );
      }
    });

    it("refuses a signature for another chain, contract, name or version", async () => {
      const { feed, authority } = await networkHelpers.loadFixture(deployFeed);
      const update = updateAt(await stay());
      const domains = [
        { chainId: 1n },
        { verifyingContract: authority },
        { name: "Another Feed" },
        { version: "2" },
      ];
      for (const domain of domains) {
        const signatures = await sign(feed, update, KNOWN.slice(0, 2), domain);
        await stay();
        await expect(feed.push(update, signatures)).to.be.revertedWithCustomError(
          feed,
          "BadSigner",
        );
      }
    });

    it("refuses a signature that is none", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      const update = updateAt(await stay());
      await expect(feed.push(update, ["0x", "0x"])).to.be.revertedWithCustomError(
        feed,
        "ECDSAInvalidSignatureLength",
      );
    });
  });

  describe("pushMany", () => {
    it("stores what is newer and leaves out the rest, so that nobody can stop a batch by pushing a part", async () => {
      const { feed, stranger } = await networkHelpers.loadFixture(deployFeed);
      const now = await stay();
      const updates = [
        updateAt(now - 3n),
        updateAt(now - 2n, { feed: OTHER, price: 1n }),
        updateAt(now - 1n),
        updateAt(now - 2n, { price: 7n }),
      ];
      const signatures = await Promise.all(updates.map(async (update) => sign(feed, update)));
      const [first] = updates;
      const [firstSignatures] = signatures;
      if (first === undefined || firstSignatures === undefined) throw new RangeError("one update");
      await feed.connect(stranger).push(first, firstSignatures);
      expect(await feed.pushMany.staticCall(updates, signatures)).to.equal(2n);
      await stay();
      await feed.pushMany(updates, signatures);
      expect(await feed.read(FEED)).to.deep.equal([PRICE, 5n * WHOLE, now - 1n]);
      expect(await feed.read(OTHER)).to.deep.equal([1n, 5n * WHOLE, now - 2n]);
    });

    it("reverts where one that would be stored is not signed", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      const now = await stay();
      const [good, bad] = [updateAt(now - 1n), updateAt(now)];
      const signatures = [await sign(feed, good), await sign(feed, good)];
      await expect(feed.pushMany([good, bad], signatures)).to.be.revertedWithCustomError(
        feed,
        "BadSigner",
      );
    });

    it("wants as many lists of signatures as prices", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      await expect(feed.pushMany([updateAt(1n)], []))
        .to.be.revertedWithCustomError(feed, "LengthMismatch")
        .withArgs(1n, 0n);
    });
  });

  describe("read", () => {
    it("reverts before the first price", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      await expect(feed.read(FEED))
        .to.be.revertedWithCustomError(feed, "NoPriceYet")
        .withArgs(FEED);
    });
  });

  describe("administration", () => {
    it("belongs to the authority's role", async () => {
      const { feed, stranger } = await networkHelpers.loadFixture(deployFeed);
      const foreign = feed.connect(stranger);
      for (const call of [foreign.setSigner(stranger.address, true), foreign.setThreshold(1n)]) {
        await expect(call)
          .to.be.revertedWithCustomError(feed, "AccessManagedUnauthorized")
          .withArgs(stranger.address);
      }
    });

    it("adds and removes signers", async () => {
      const { feed, stranger } = await networkHelpers.loadFixture(deployFeed);
      await expect(feed.setSigner(stranger.address, true))
        .to.emit(feed, "SignerSet")
        .withArgs(stranger.address, true);
      expect(await feed.signerCount()).to.equal(4n);
      await expect(feed.setSigner(stranger.address, true))
        .to.be.revertedWithCustomError(feed, "SignerUnchanged")
        .withArgs(stranger.address);
      await expect(feed.setSigner(stranger.address, false))
        .to.emit(feed, "SignerSet")
        .withArgs(stranger.address, false);
      await expect(feed.setSigner(stranger.address, false))
        .to.be.revertedWithCustomError(feed, "SignerUnchanged")
        .withArgs(stranger.address);
      await expect(feed.setSigner(ethers.ZeroAddress, true))
        .to.be.revertedWithCustomError(feed, "BadSigner")
        .withArgs(ethers.ZeroAddress, ethers.ZeroAddress);
    });

    it("does not count a signer that was removed", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      const [removed] = KNOWN;
      if (removed === undefined) throw new RangeError("a signer");
      await feed.setSigner(removed.address, false);
      const update = updateAt(await stay());
      await expect(feed.push(update, await sign(feed, update)))
        .to.be.revertedWithCustomError(feed, "BadSigner")
        .withArgs(removed.address, ethers.ZeroAddress);
    });

    it("keeps the threshold between one and the number of signers", async () => {
      const { feed } = await networkHelpers.loadFixture(deployFeed);
      for (const threshold of [0n, 4n]) {
        await expect(feed.setThreshold(threshold))
          .to.be.revertedWithCustomError(feed, "ThresholdOutOfRange")
          .withArgs(threshold, 3n);
      }
      await expect(feed.setThreshold(3n)).to.emit(feed, "ThresholdSet").withArgs(3n);
      const [signer] = KNOWN;
      if (signer === undefined) throw new RangeError("a signer");
      await expect(feed.setSigner(signer.address, false))
        .to.be.revertedWithCustomError(feed, "ThresholdOutOfRange")
        .withArgs(3n, 2n);
    });

    it("has room for sixteen signers", async () => {
      const { authority, deployer } = await networkHelpers.loadFixture(deployFeed);
      const many = Array.from({ length: 17 }, (_, i) => ethers.toBeHex(1000 + i, 20));
      const factory = new SignedFeed__factory(deployer);
      await factory.deploy(authority, many.slice(0, 16), 16n);
      await expect(factory.deploy(authority, many, 16n))
        .to.be.revertedWithCustomError(
          { interface: SignedFeed__factory.createInterface() },
          "TooManySigners",
        )
        .withArgs(17n, 16n);
    });
  });
});
