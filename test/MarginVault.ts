import { expect } from "chai";
import { network } from "hardhat";
import { MarginVault__factory } from "../typechain-types/factories/MarginVault__factory.js";
import { TestToken__factory } from "../typechain-types/factories/test/TestToken__factory.js";

const connection = await network.create();
const { ethers, networkHelpers } = connection;

/** Whoever deploys the vault is its exchange. */
async function alone() {
  const [exchange, alice, mallory] = await ethers.getSigners();
  if (exchange === undefined || alice === undefined || mallory === undefined) {
    throw new Error("the network has accounts");
  }
  const token = await new TestToken__factory(exchange).deploy(6);
  const vault = await new MarginVault__factory(exchange).deploy(token);
  await token.mint(alice.address, 1000n);
  await token.connect(alice).approve(vault, 1000n);
  return { exchange, alice, mallory, token, vault };
}

describe("MarginVault", () => {
  it("counts what it pulled and paid, and not what was sent to it", async () => {
    const { alice, token, vault } = await networkHelpers.loadFixture(alone);
    await expect(vault.pull(alice.address, 700n))
      .to.emit(vault, "Pulled")
      .withArgs(alice.address, 700n);
    await token.connect(alice).transfer(vault, 100n);
    await expect(vault.pay(alice.address, 300n))
      .to.emit(vault, "Paid")
      .withArgs(alice.address, 300n);
    expect(await vault.tracked()).to.equal(400n);
    expect(await token.balanceOf(vault)).to.equal(500n);
    expect(await token.balanceOf(alice)).to.equal(500n);
  });

  it("never pays more than it pulled, whatever lies in it", async () => {
    const { alice, token, vault } = await networkHelpers.loadFixture(alone);
    await vault.pull(alice.address, 100n);
    await token.mint(vault, 900n);
    await expect(vault.pay(alice.address, 101n)).to.be.revertedWithPanic(0x11);
  });

  it("obeys the exchange alone", async () => {
    const { alice, mallory, vault } = await networkHelpers.loadFixture(alone);
    const other = vault.connect(mallory);
    const zero = ethers.ZeroHash;
    for (const call of [
      other.pull(alice.address, 1n),
      other.pay(mallory.address, 1n),
      other.pullWithPermit(alice.address, 1n, 1n, 27, zero, zero),
    ]) {
      await expect(call)
        .to.be.revertedWithCustomError(vault, "NotExchange")
        .withArgs(mallory.address);
    }
  });

  it("refuses a token with more than 18 decimals", async () => {
    const { exchange, vault } = await networkHelpers.loadFixture(alone);
    const token = await new TestToken__factory(exchange).deploy(19);
    await expect(new MarginVault__factory(exchange).deploy(token))
      .to.be.revertedWithCustomError(vault, "UnsupportedDecimals")
      .withArgs(19, 18);
  });

  it("refuses a token that takes a fee on the way", async () => {
    const { exchange, alice, vault } = await networkHelpers.loadFixture(alone);
    const token = await ethers.deployContract("FeeToken", [100n]);
    const other = await new MarginVault__factory(exchange).deploy(token);
    await token.getFunction("mint")(alice.address, 1000n);
    await (
      await ethers.getContractAt("TestToken", await token.getAddress(), alice)
    ).approve(other, 1000n);
    await expect(other.pull(alice.address, 1000n))
      .to.be.revertedWithCustomError(vault, "NotReceived")
      .withArgs(990n, 1000n);
  });
});
