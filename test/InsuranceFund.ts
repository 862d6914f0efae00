import { expect } from "chai";
import { network } from "hardhat";
import { parseUnits } from "ethers";
import { TOKEN, WHOLE, createWorld } from "./fixtures.js";
import type { World } from "./fixtures.js";

const connection = await network.create();
const { networkHelpers } = connection;
const FUND = 1;
const COOLDOWN = 864_000n;

async function staker(world: World, deposit: string) {
  const { ballast } = world;
  const signer = world.signers[15];
  if (signer === undefined) throw new Error("the network has accounts");
  const amount = parseUnits(deposit, 6);
  await ballast.token.mint(signer.address, amount);
  await ballast.token.connect(signer).approve(ballast.fund, amount);
  await ballast.fund.connect(signer).deposit(amount, signer.address);
  return { signer, fund: ballast.fund.connect(signer) };
}

describe("InsuranceFund", () => {
  const world = () => createWorld(connection);

  it("holds its assets in ledger account 1", async () => {
    const created = await networkHelpers.loadFixture(world);
    const { fund } = await staker(created, "1000");
    expect(await fund.totalAssets()).to.equal(1000n * TOKEN);
    expect(await created.exchange.balanceOf(FUND)).to.equal(1000n * WHOLE);
    expect((await created.exchange.accountOf(FUND)).owner).to.equal(await fund.getAddress());
  });

  it("pays an exit after the cooldown, at the price of that moment, by anyone's call", async () => {
    const created = await networkHelpers.loadFixture(world);
    const { fund, signer } = await staker(created, "1000");
    const shares = await fund.balanceOf(signer.address);
    await fund.requestExit(shares);
    const [, ready] = await fund.exitOf(signer.address);
    await expect(created.ballast.fund.executeExit(signer.address)).to.be.revertedWithCustomError(
      fund,
      "ExitNotReady",
    );
    await networkHelpers.time.increaseTo(ready);
    await created.ballast.fund.executeExit(signer.address);
    expect(await created.ballast.token.balanceOf(signer.address)).to.equal(1000n * TOKEN);
    expect(await fund.totalSupply()).to.equal(0n);
    expect(ready).to.be.greaterThan(COOLDOWN);
  });

  it("locks the shares that are leaving, and takes one exit at a time", async () => {
    const created = await networkHelpers.loadFixture(world);
    const { fund, signer } = await staker(created, "1000");
    const shares = await fund.balanceOf(signer.address);
    await fund.requestExit(shares - 1n);
    await expect(fund.transfer(created.deployer.address, 2n)).to.be.revertedWithCustomError(
      fund,
      "ERC20InsufficientBalance",
    );
    await expect(fund.requestExit(1n))
      .to.be.revertedWithCustomError(fund, "ExitPending")
      .withArgs(signer.address, shares - 1n);
    await expect(fund.executeExit(created.deployer.address))
      .to.be.revertedWithCustomError(fund, "NoExit")
      .withArgs(created.deployer.address);
  });

  it("has no other way out", async () => {
    const created = await networkHelpers.loadFixture(world);
    const { fund, signer } = await staker(created, "1000");
    expect(await fund.maxWithdraw(signer.address)).to.equal(0n);
    expect(await fund.maxRedeem(signer.address)).to.equal(0n);
    await expect(fund.withdraw(1n, signer.address, signer.address)).to.be.revertedWithCustomError(
      fund,
      "ERC4626ExceededMaxWithdraw",
    );
  });

  it("cannot be inflated: a first depositor who donates wins nothing", async () => {
    const created = await networkHelpers.loadFixture(world);
    const { ballast, deployer } = created;
    await ballast.token.mint(deployer.address, 10_001n * TOKEN);
    await ballast.token.approve(ballast.fund, 1n);
    await ballast.fund.deposit(1n, deployer.address);
    await ballast.token.transfer(ballast.fund, 10_000n * TOKEN);
    const { fund, signer } = await staker(created, "1000");
    const worth = await fund.previewRedeem(await fund.balanceOf(signer.address));
    expect(worth).to.be.closeTo(1000n * TOKEN, 1n);
  });
});
