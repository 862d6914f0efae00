import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import { BitsHarness__factory } from "../typechain-types/index.js";

const SEED = 0xba11a57;

const { ethers, networkHelpers } = await network.create();

async function deployBits() {
  const deployer = await ethers.provider.getSigner(0);
  const bits = await new BitsHarness__factory(deployer).deploy();
  return { bits };
}

/** Independent of the library: the written binary digits of a word, highest first. */
function digitsOf(word: bigint): string {
  return word.toString(2);
}

const nonZeroWord = fc.bigInt({ min: 1n, max: 2n ** 256n - 1n });

describe("Bits", () => {
  describe("mostSignificant", () => {
    it("returns the position of every single bit", async () => {
      const { bits } = await networkHelpers.loadFixture(deployBits);
      for (let position = 0n; position < 256n; position++) {
        expect(await bits.mostSignificant(1n << position)).to.equal(position);
      }
    });

    it("ignores the lower bits of any word", async () => {
      const { bits } = await networkHelpers.loadFixture(deployBits);
      const property = fc.asyncProperty(nonZeroWord, async (word) => {
        expect(await bits.mostSignificant(word)).to.equal(digitsOf(word).length - 1);
      });
      await fc.assert(property, { seed: SEED, numRuns: 200 });
    });

    it("refuses a word without bits", async () => {
      const { bits } = await networkHelpers.loadFixture(deployBits);
      await expect(bits.mostSignificant(0n)).to.be.revertedWithCustomError(bits, "NoBitSet");
    });
  });

  describe("leastSignificant", () => {
    it("returns the position of every single bit", async () => {
      const { bits } = await networkHelpers.loadFixture(deployBits);
      for (let position = 0n; position < 256n; position++) {
        expect(await bits.leastSignificant(1n << position)).to.equal(position);
      }
    });

    it("ignores the higher bits of any word", async () => {
      const { bits } = await networkHelpers.loadFixture(deployBits);
      const property = fc.asyncProperty(nonZeroWord, async (word) => {
        const digits = digitsOf(word);
        const expected = digits.length - 1 - digits.lastIndexOf("1");
        expect(await bits.leastSignificant(word)).to.equal(expected);
      });
      await fc.assert(property, { seed: SEED, numRuns: 200 });
    });

    it("refuses a word without bits", async () => {
      const { bits } = await networkHelpers.loadFixture(deployBits);
      await expect(bits.leastSignificant(0n)).to.be.revertedWithCustomError(bits, "NoBitSet");
    });
  });
});
