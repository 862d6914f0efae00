import { expect } from "chai";
import { network } from "hardhat";
import { parseUnits } from "ethers";
import { InsuranceFund__factory } from "../typechain-types/factories/InsuranceFund__factory.js";
import { signPrice } from "../scripts/lib/feed.js";
import { TOKEN, WHOLE, createWorld } from "./fixtures.js";
import type { World } from "./fixtures.js";

const connection = await network.create();
const { networkHelpers } = connection;
const FUND = 1;
const COOLDOWN = 864_000n;
const DAY = 86_400n;
const [LEAST_COOLDOWN, MOST_COOLDOWN] = [3600n, 60n * DAY];

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
    await networkHelpers.time.setNextBlockTimestamp(ready - 1n);
    await expect(created.ballast.fund.executeExit(signer.address)).to.be.revertedWithCustomError(
      fund,
      "ExitNotReady",
    );
    await networkHelpers.time.setNextBlockTimestamp(ready);
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

  describe("income", () => {
    /** Fees of a trade arrive in account 1. */
    async function earned() {
      const created = await networkHelpers.loadFixture(world);
      const { fund, signer } = await staker(created, "1000");
      const [alice, bob] = [await created.openTrader("100000"), await created.openTrader("100000")];
      await created.trade(alice, bob, { price: "10000", size: "10" });
      const before = await created.exchange.balanceOf(FUND);
      await created.exchange.poke(0);
      const income = ((await created.exchange.balanceOf(FUND)) - before) / (WHOLE / TOKEN);
      expect(income).to.be.greaterThan(10n * TOKEN);
      return { ...created, fund, signer, income, alice, bob };
    }

    it("counts for the price over a day, however often it is looked at", async () => {
      const { fund, income } = await earned();
      expect(await fund.totalAssets()).to.equal(1000n * TOKEN);
      await fund.noteIncome();
      for (let i = 0; i < 4; i++) {
        await networkHelpers.time.increase(DAY / 8n);
        await fund.noteIncome();
      }
      const half = (await fund.totalAssets()) - 1000n * TOKEN;
      expect(half).to.be.within((income * 499n) / 1000n, (income * 501n) / 1000n);
      await networkHelpers.time.increase(DAY / 2n);
      expect(await fund.totalAssets()).to.be.within(
        1000n * TOKEN + income - 1n,
        1000n * TOKEN + income,
      );
      expect(await fund.streaming()).to.equal(0n);
    });

    it("is not for who steps in for a moment; before it streamed, it was", async () => {
      const { fund, income, ballast, deployer } = await earned();
      await ballast.token.mint(deployer.address, 100_000n * TOKEN);
      await ballast.token.approve(ballast.fund, 100_000n * TOKEN);
      await ballast.fund.deposit(100_000n * TOKEN, deployer.address);
      const shares = await ballast.fund.balanceOf(deployer.address);
      // If income counted at once, 99 % of it would be the newcomer's.
      const worth = await fund.previewRedeem(shares);
      expect(worth).to.be.within(100_000n * TOKEN - 1n, 100_000n * TOKEN);
      await networkHelpers.time.increase(60n);
      const gained = (await fund.previewRedeem(shares)) - 100_000n * TOKEN;
      expect(gained).to.be.lessThan(income / 1000n);
    });

    it("streams on when somebody leaves", async () => {
      const created = await networkHelpers.loadFixture(world);
      const { fund, signer } = await staker(created, "1000");
      await fund.requestExit((await fund.balanceOf(signer.address)) / 2n);
      const [, ready] = await fund.exitOf(signer.address);
      await networkHelpers.time.increaseTo(ready);
      await created.setPrice("10000");
      const [alice, bob] = [await created.openTrader("100000"), await created.openTrader("100000")];
      await created.trade(alice, bob, { price: "10000", size: "10" });
      await created.exchange.poke(0);
      await fund.noteIncome();
      const streaming = await fund.streaming();
      expect(streaming).to.be.greaterThan(10n * WHOLE);
      await fund.executeExit(signer.address);
      // A second or two of a day have passed.
      expect(await fund.streaming()).to.be.within((streaming * 999n) / 1000n, streaming);
      expect(await fund.totalAssets()).to.be.within(500n * TOKEN, 501n * TOKEN);
    });

    it("takes losses from what streams first, and never counts more than there is", async () => {
      const created = await earned();
      const { fund, income, openTrader, execute, trade, setPrice, exchange, bob } = created;
      await fund.noteIncome();
      const { setLeverage } = await import("./fixtures.js");
      const poor = await openTrader("250");
      await execute(poor, setLeverage(6));
      await trade(poor, bob, { price: "10000", size: "1" });
      await setPrice("9300", 0, 60n);
      const before = await exchange.balanceOf(FUND);
      await exchange.deleverage([poor.account], 10, 0);
      const lost = (before - (await exchange.balanceOf(FUND))) / (WHOLE / TOKEN);
      expect(lost).to.be.greaterThan(income);
      // What is left is all theirs: nothing streams any more.
      expect(await fund.totalAssets()).to.equal((await exchange.balanceOf(FUND)) / (WHOLE / TOKEN));
      expect(await fund.streaming()).to.equal(0n);
    });
  });

  describe("is shut", () => {
    it("while a jump is pending, for an hour at most", async () => {
      const created = await createWorld(connection, { overrides: { maxPending: 600 } });
      const { fund, signer } = await staker(created, "1000");
      await fund.requestExit(await fund.balanceOf(signer.address));
      const [, ready] = await fund.exitOf(signer.address);
      await networkHelpers.time.increaseTo(ready);
      await created.again();
      await created.pass(400n);
      await jump(created, "8000");
      expect((await created.exchange.marketOf(0)).book.pendingSince).to.be.greaterThan(0n);
      expect(await fund.isShut()).to.equal(true);
      expect(await fund.maxDeposit(signer.address)).to.equal(0n);
      expect(await fund.maxMint(signer.address)).to.equal(0n);
      await expect(fund.mint(1n, signer.address)).to.be.revertedWithCustomError(fund, "Shut");
      await expect(fund.executeExit(signer.address))
        .to.be.revertedWithCustomError(fund, "Shut")
        .withArgs(0);
      await expect(fund.deposit(1n, signer.address)).to.be.revertedWithCustomError(fund, "Shut");
      await networkHelpers.time.increase(3600n);
      expect(await fund.maxMint(signer.address)).to.equal(2n ** 256n - 1n);
      await fund.executeExit(signer.address);
    });

    it("while much is under liquidation, and not for little", async () => {
      const created = await networkHelpers.loadFixture(world);
      const { openTrader, execute, trade, setPrice, exchange } = created;
      const { setLeverage } = await import("./fixtures.js");
      const { fund, signer } = await staker(created, "1000");
      const [poor, rich] = [await openTrader("250"), await openTrader("1000000")];
      await execute(poor, setLeverage(6));
      await trade(poor, rich, { price: "10000", size: "1" });
      await setPrice("9840", 0, 60n);
      await exchange.liquidate([poor.account], 10, 0);
      // Its maintenance of 98 is more than a twentieth of the fund.
      const [maintenance] = await exchange.distress();
      expect(maintenance).to.equal(98_400_000n);
      expect(await fund.isShut()).to.equal(true);
      await expect(fund.deposit(1n, signer.address)).to.be.revertedWithCustomError(
        fund,
        "TooMuchDistress",
      );
      await created.fund(poor, "100");
      await exchange.liquidate([poor.account], 10, 0);
      expect((await exchange.distress())[0]).to.equal(0n);
      expect(await fund.isShut()).to.equal(false);
    });

    it("not for longer than an hour by an account that stays where it is", async () => {
      const created = await networkHelpers.loadFixture(world);
      const { openTrader, execute, trade, setPrice, exchange } = created;
      const { setLeverage } = await import("./fixtures.js");
      const { fund } = await staker(created, "1000");
      const [poor, rich] = [await openTrader("250"), await openTrader("1000000")];
      await execute(poor, setLeverage(6));
      await trade(poor, rich, { price: "10000", size: "1" });
      await setPrice("9840", 0, 60n);
      await exchange.liquidate([poor.account], 10, 0);
      await networkHelpers.time.increase(3600n);
      expect(await fund.isShut()).to.equal(false);
    });
  });

  it("takes a cooldown from an hour to sixty days", async () => {
    const { exchange, deployer } = await networkHelpers.loadFixture(world);
    const factory = new InsuranceFund__factory(deployer);
    for (const cooldown of [LEAST_COOLDOWN, MOST_COOLDOWN]) {
      const fund = await factory.deploy(exchange, cooldown);
      expect(await fund.cooldown()).to.equal(cooldown);
    }
    for (const cooldown of [LEAST_COOLDOWN - 1n, MOST_COOLDOWN + 1n]) {
      await expect(factory.deploy(exchange, cooldown))
        .to.be.revertedWithCustomError(factory, "CooldownOutOfBounds")
        .withArgs(cooldown, LEAST_COOLDOWN, MOST_COOLDOWN);
    }
  });

  it("refuses a deposit that is worth no share", async () => {
    const created = await networkHelpers.loadFixture(world);
    const { fund, signer } = await staker(created, "1000");
    await expect(fund.deposit(0n, signer.address))
      .to.be.revertedWithCustomError(fund, "ZeroShares")
      .withArgs(0n);
    await expect(fund.requestExit(0n)).to.be.revertedWithCustomError(fund, "ZeroShares");
  });
});

/** The only source that is still alive says another price, so that nothing confirms it. */
async function jump({ ballast, deployer, chainId, exchange, parameters }: World, price: string) {
  const [source] = parameters.markets[0]?.sources ?? [];
  if (source?.kind !== "signed") throw new Error("the fixture's sources are signed");
  const publishTime = BigInt(await networkHelpers.time.latest());
  const signed = await signPrice(
    ballast.signedFeed,
    { feed: source.feed, price: parseUnits(price, 18), publishTime },
    { signers: [deployer], chainId },
  );
  await ballast.signedFeed.push(signed.update, signed.signatures);
  await exchange.poke(0);
}
