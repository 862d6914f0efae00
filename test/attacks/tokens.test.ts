import { expect } from "chai";
import { network } from "hardhat";
import type { BaseContract } from "ethers";
import { MaxUint256, ZeroAddress } from "ethers";
import { deployBallast } from "../../scripts/deploy/deploy.js";
import { createWorld as createUnwatched } from "../../scripts/lib/world.js";
import { MarginVault__factory } from "../../typechain-types/factories/MarginVault__factory.js";
import { TestToken__factory } from "../../typechain-types/factories/test/TestToken__factory.js";
import { BlacklistToken__factory } from "../../typechain-types/factories/test/OddTokens.sol/BlacklistToken__factory.js";
import { RebasingToken__factory } from "../../typechain-types/factories/test/OddTokens.sol/RebasingToken__factory.js";
import { RefusingToken__factory } from "../../typechain-types/factories/test/OddTokens.sol/RefusingToken__factory.js";
import { SilentToken__factory } from "../../typechain-types/factories/test/OddTokens.sol/SilentToken__factory.js";
import { TaxedToken__factory } from "../../typechain-types/factories/test/OddTokens.sol/TaxedToken__factory.js";
import { ZeroShyToken__factory } from "../../typechain-types/factories/test/OddTokens.sol/ZeroShyToken__factory.js";
import { BTC, TOKEN, WHOLE, buy, cancelAll, createWorld, sell, setLeverage } from "../fixtures.js";
import type { Trader } from "../fixtures.js";
import { SILENT, outcomeOf } from "../lib/reverts.js";

/*
 * Settlement tokens that are not plain. The deployment refuses them, or what arrives is what is credited, or the call reverts; and
 * whoever is hit by his token hits nobody else.
 */

const connection = await network.create();
const { networkHelpers, ethers } = connection;

const FUND = 1;
const COOLDOWN = 864_000n;
const ALL = MaxUint256;
/** Without funding, so that nothing changes by time. */
const CALM = { maxFunding: 0, interest: 0 };
const [owner] = await ethers.getSigners();
if (owner === undefined) throw new Error("the network has accounts");

type Factory<T extends BaseContract> = { deploy(): Promise<T> };
type Stage = Awaited<ReturnType<typeof staged>>;

/** A deployment on a token, with two traders, one of them with a position against the other, and a staker. */
async function staged(token: string, create: typeof createWorld) {
  const world = await create(connection, { overrides: CALM, deployment: { token } });
  const [alice, bob] = [await world.openTrader("1000"), await world.openTrader("1000")];
  await world.fillFund("500");
  await world.trade(alice, bob, { price: "10000", size: "0.1" });
  await world.exchange.poke(BTC);
  return { ...world, alice, bob, staker: world.deployer };
}

/** Watched: the books have to be right after every transaction. */
async function watched<T extends BaseContract>(factory: Factory<T>) {
  const token = await factory.deploy();
  return { odd: token, ...(await staged(await token.getAddress(), createWorld)) };
}

/** For tokens that take from the vault by themselves, which no books can survive. */
async function unwatched<T extends BaseContract>(factory: Factory<T>) {
  const token = await factory.deploy();
  return { odd: token, ...(await staged(await token.getAddress(), createUnwatched)) };
}

const taxed = () => watched(new TaxedToken__factory(owner));
const rebasing = () => watched(new RebasingToken__factory(owner));
const shrinking = () => unwatched(new RebasingToken__factory(owner));
const refusing = () => watched(new RefusingToken__factory(owner));
const blocking = () => watched(new BlacklistToken__factory(owner));
const shy = () => watched(new ZeroShyToken__factory(owner));
const silent = () => watched(new SilentToken__factory(owner));
const plain = () => watched({ deploy: async () => new TestToken__factory(owner).deploy(6) });

function depositOf({ exchange, ballast }: Stage, { signer, account }: Trader, amount: bigint) {
  return async () => {
    await ballast.token.mint(signer.address, amount);
    await ballast.token.connect(signer).approve(ballast.vault, amount);
    await exchange.connect(signer).deposit(account, amount);
  };
}

function withdrawalOf({ exchange }: Stage, { signer, account }: Trader, amount: bigint, to = "") {
  return async () => exchange.connect(signer).withdraw(account, amount, to || signer.address);
}

/** What the books say: balances of everybody, what the vault counts, and the price of a share. */
async function books({ exchange, ballast, alice, bob }: Stage) {
  const ids = [1, 2, 3, alice.account, bob.account];
  return {
    balances: await Promise.all(ids.map(async (id) => exchange.balanceOf(id))),
    tracked: await ballast.vault.tracked(),
    assets: await ballast.fund.totalAssets(),
    supply: await ballast.fund.totalSupply(),
  };
}

async function requestAll({ ballast, staker }: Stage): Promise<void> {
  await ballast.fund.requestExit(await ballast.fund.balanceOf(staker.address));
}

/** Closes what alice and bob hold, so that both may withdraw all. */
async function close({ alice, bob, execute, again, exchange }: Stage): Promise<void> {
  await again();
  await execute(bob, buy("10000", "0.1", { reduceOnly: true }));
  await execute(alice, sell("10000", "0.1", { reduceOnly: true, timeInForce: "ioc" }));
  await exchange.poke(BTC);
}

describe("tokens that are not plain", () => {
  describe("deployments", () => {
    it("are refused with more than 18 decimals, and with what is no token", async () => {
      const { parameters } = await networkHelpers.loadFixture(plain);
      const deep = await new TestToken__factory(owner).deploy(19);
      const token = await deep.getAddress();
      const refused = await deployBallast(connection, { ...parameters, token }).catch(String);

      expect(refused).to.contain("Ballast#Exchange");
      const deploy = (address: string) =>
        outcomeOf(async () =>
          new MarginVault__factory(owner).deploy(address, { share: 100_000, floor: 1n }),
        );
      expect(await deploy(token)).to.equal("UnsupportedDecimals");
      // Who is asked for decimals and is no contract, or has none, says nothing.
      expect(await deploy(ZeroAddress)).to.equal(SILENT);
      expect(await deploy(owner.address)).to.equal(SILENT);
    });

    for (const decimals of [0, 1, 18]) {
      it(`count exactly with ${decimals} decimals`, async () => {
        const token = await new TestToken__factory(owner).deploy(decimals);
        const address = await token.getAddress();
        const { exchange, ballast } = await createWorld(connection, {
          deployment: { token: address },
        });
        const unit = 10n ** BigInt(18 - decimals);
        await exchange.openAccount(owner.address);
        const account = await exchange.accountCount();
        await token.mint(owner.address, 10n);
        await token.approve(ballast.vault, 10n);
        await exchange.deposit(account, 7n);
        expect(await exchange.balanceOf(account)).to.equal(7n * unit);
        await token.approve(ballast.fund, 3n);
        await ballast.fund.deposit(3n, owner.address);
        expect(await ballast.fund.totalAssets()).to.equal(3n);
        expect(await exchange.balanceOf(FUND)).to.equal(3n * unit);
        await exchange.withdraw(account, ALL, owner.address);
        await ballast.fund.requestExit(await ballast.fund.balanceOf(owner.address));
        await networkHelpers.time.increase(COOLDOWN + 1n);
        await ballast.fund.executeExit(owner.address);
        expect(await token.balanceOf(owner.address)).to.equal(10n);
        expect(await ballast.vault.tracked()).to.equal(0n);
      });
    }
  });

  describe("a fee on the way", () => {
    it("is refused on the way in, and nothing is credited", async () => {
      const stage = await networkHelpers.loadFixture(taxed);
      await stage.odd.setFee(100);
      const before = await books(stage);
      expect(await outcomeOf(depositOf(stage, stage.alice, 1_000n))).to.equal("NotReceived");
      await stage.ballast.token.mint(owner.address, 1_000n);
      await stage.ballast.token.approve(stage.ballast.fund, 1_000n);
      const { fund } = stage.ballast;
      // The fund gets 990 and cannot hand on 1,000.
      expect(await outcomeOf(async () => fund.deposit(1_000n, owner.address))).to.equal(
        "ERC20InsufficientBalance",
      );
      expect(await books(stage)).to.deep.equal(before);
    });

    it("that begins later is paid by who is paid, and by nobody else", async () => {
      const stage = await networkHelpers.loadFixture(taxed);
      const { alice, ballast, odd } = stage;
      await requestAll(stage);
      await networkHelpers.time.increase(COOLDOWN + 1n);
      await stage.again();
      await odd.setFee(100);
      const before = await books(stage);
      await withdrawalOf(stage, alice, 100n * TOKEN)();
      expect(await ballast.token.balanceOf(alice.signer.address)).to.equal(99n * TOKEN);
      const after = await books(stage);
      expect(after.tracked).to.equal(before.tracked - 100n * TOKEN);
      expect(after.balances[4]).to.equal(before.balances[4]);
      expect(after.assets).to.equal(before.assets);
      expect(await outcomeOf(async () => ballast.fund.executeExit(owner.address))).to.equal("done");
    });
  });

  describe("balances that change by themselves", () => {
    it("upwards change no equity, no share and no figure of the fund", async () => {
      const stage = await networkHelpers.loadFixture(rebasing);
      const before = await books(stage);
      await stage.odd.setFactor(2_000_000n);
      await stage.exchange.poke(BTC);
      expect(await books(stage)).to.deep.equal(before);
      await close(stage);
      for (const user of [stage.alice, stage.bob]) {
        const held = (await stage.exchange.balanceOf(user.account)) / (WHOLE / TOKEN);
        await withdrawalOf(stage, user, ALL)();
        // Halves of a unit are what the token itself loses.
        expect(await stage.ballast.token.balanceOf(user.signer.address)).to.be.within(
          held - 1n,
          held,
        );
      }
      expect(await outcomeOf(depositOf(stage, stage.alice, 10n))).to.equal("done");
    });

    it("downwards let go who comes first; the last is refused by name and keeps his balance", async () => {
      const stage = await networkHelpers.loadFixture(shrinking);
      const { alice, bob, exchange, ballast } = stage;
      await close(stage);
      // The vault keeps 1,250 of 2,500.
      await stage.odd.setFactor(500_000n);
      expect(await outcomeOf(withdrawalOf(stage, alice, ALL))).to.equal("done");
      const before = await exchange.balanceOf(bob.account);
      expect(await outcomeOf(withdrawalOf(stage, bob, ALL))).to.equal("ERC20InsufficientBalance");
      expect(await exchange.balanceOf(bob.account)).to.equal(before);
      const left = await ballast.token.balanceOf(ballast.vault);
      expect(await outcomeOf(withdrawalOf(stage, bob, left))).to.equal("done");
    });
  });

  it("that return nothing are paid in and out exactly", async () => {
    const stage = await networkHelpers.loadFixture(silent);
    await requestAll(stage);
    await close(stage);
    for (const user of [stage.alice, stage.bob]) {
      const held = (await stage.exchange.balanceOf(user.account)) / (WHOLE / TOKEN);
      await withdrawalOf(stage, user, ALL)();
      expect(await stage.odd.balanceOf(user.signer.address)).to.equal(held);
    }
    await networkHelpers.time.increase(COOLDOWN + 1n);
    await stage.ballast.fund.executeExit(owner.address);
    expect(await stage.odd.balanceOf(owner.address)).to.be.within(500n * TOKEN, 501n * TOKEN);
  });

  it("that return false are taken at their word, and nothing is booked", async () => {
    const stage = await networkHelpers.loadFixture(refusing);
    const { odd, ballast, alice } = stage;
    await requestAll(stage);
    await networkHelpers.time.increase(COOLDOWN + 1n);
    await stage.again();
    await odd.setRefusing(true);
    const before = await books(stage);
    const tries = [
      depositOf(stage, alice, 5n),
      withdrawalOf(stage, alice, 5n),
      async () => ballast.fund.executeExit(owner.address),
    ];
    for (const call of tries) expect(await outcomeOf(call)).to.equal("SafeERC20FailedOperation");
    expect(await books(stage)).to.deep.equal(before);
    await odd.setRefusing(false);
    for (const call of tries) expect(await outcomeOf(call)).to.equal("done");
  });

  it("that refuse to move nothing are never asked to", async () => {
    const stage = await networkHelpers.loadFixture(shy);
    const { exchange, ballast, alice } = stage;
    expect(await outcomeOf(async () => exchange.deposit(alice.account, 0n))).to.equal("ZeroAmount");
    expect(await outcomeOf(withdrawalOf(stage, alice, 0n))).to.equal("ZeroAmount");
    // One share is worth less than the least amount.
    await ballast.fund.requestExit(1n);
    await networkHelpers.time.increase(COOLDOWN + 1n);
    expect(await ballast.fund.executeExit.staticCall(owner.address)).to.equal(0n);
    expect(await outcomeOf(async () => ballast.fund.executeExit(owner.address))).to.equal("done");
  });

  describe("somebody who is blocked", () => {
    it("is kept from his own money alone, and may send it elsewhere", async () => {
      const stage = await networkHelpers.loadFixture(blocking);
      const { odd, alice, bob, ballast, signers } = stage;
      await odd.setBlocked(alice.signer.address, true);
      const before = await books(stage);
      expect(await outcomeOf(depositOf(stage, alice, 5n))).to.equal("Blocked");
      expect(await outcomeOf(withdrawalOf(stage, alice, 5n))).to.equal("Blocked");
      expect(await books(stage)).to.deep.equal(before);
      const elsewhere = signers[9]?.address ?? "";
      expect(await outcomeOf(withdrawalOf(stage, alice, 5n, elsewhere))).to.equal("done");
      expect(await ballast.token.balanceOf(elsewhere)).to.equal(5n);
      expect(await outcomeOf(depositOf(stage, bob, 5n))).to.equal("done");
      expect(await outcomeOf(withdrawalOf(stage, bob, 5n))).to.equal("done");
      expect(await outcomeOf(async () => close(stage))).to.equal("done");
    });

    it("as a staker waits for himself; others leave", async () => {
      const stage = await networkHelpers.loadFixture(blocking);
      const { odd, ballast, alice } = stage;
      const { signer } = alice;
      await ballast.token.mint(signer.address, 50n * TOKEN);
      await ballast.token.connect(signer).approve(ballast.fund, 50n * TOKEN);
      await ballast.fund.connect(signer).deposit(50n * TOKEN, signer.address);
      await ballast.fund.connect(signer).requestExit(await ballast.fund.balanceOf(signer.address));
      await requestAll(stage);
      await networkHelpers.time.increase(COOLDOWN + 1n);
      await odd.setBlocked(signer.address, true);
      const exit = (staker: string) => outcomeOf(async () => ballast.fund.executeExit(staker));
      expect(await exit(signer.address)).to.equal("Blocked");
      expect(await exit(owner.address)).to.equal("done");
      await odd.setBlocked(signer.address, false);
      expect(await exit(signer.address)).to.equal("done");
      expect(await ballast.token.balanceOf(signer.address)).to.be.within(
        50n * TOKEN - 1n,
        51n * TOKEN,
      );
    });

    it("is liquidated and deleveraged like anybody", async () => {
      const stage = await networkHelpers.loadFixture(blocking);
      const { odd, bob, openTrader, execute, trade, setPrice, exchange } = stage;
      const poor = await openTrader("250");
      await execute(poor, setLeverage(6));
      await stage.fund(bob, "9000");
      await trade(poor, bob, { price: "10000", size: "1" });
      await odd.setBlocked(poor.signer.address, true);
      await setPrice("9700", BTC, 60n);
      const [done] = [await exchange.deleverage.staticCall([poor.account], 10, 0)];
      expect(done).to.equal(1n);
      expect(await outcomeOf(async () => exchange.deleverage([poor.account], 10, 0))).to.equal(
        "done",
      );
      expect((await exchange.positionOf(poor.account, BTC)).lots).to.equal(0n);
    });
  });

  it("that stand still stop money at the door, and nothing inside", async () => {
    const stage = await networkHelpers.loadFixture(blocking);
    const { odd, alice, bob, execute, exchange, ballast } = stage;
    await odd.setBlocked(ZeroAddress, true);
    const before = await books(stage);
    for (const user of [alice, bob]) {
      expect(await outcomeOf(withdrawalOf(stage, user, 5n))).to.equal("Blocked");
      expect(await outcomeOf(depositOf(stage, user, 5n))).to.equal("Blocked");
    }
    expect(await books(stage)).to.deep.equal(before);
    await execute(alice, buy("9900", "0.01"));
    await execute(alice, cancelAll());
    await close(stage);
    expect((await exchange.positionOf(alice.account, BTC)).lots).to.equal(0n);
    await requestAll(stage);
    await odd.setBlocked(ZeroAddress, false);
    expect(await outcomeOf(withdrawalOf(stage, bob, ALL))).to.equal("done");
    expect(await ballast.fund.isShut()).to.equal(false);
  });

  it("may be given to vault, fund and exchange: no equity, share price or figure changes", async () => {
    const stage = await networkHelpers.loadFixture(plain);
    const { ballast, exchange, alice, bob, health } = stage;
    const seen = async () => ({
      ...(await books(stage)),
      health: (await Promise.all([alice, bob].map(health))).map(({ health }) => [...health]),
      worth: await ballast.fund.previewRedeem(10n ** 18n),
      streaming: await ballast.fund.streaming(),
      shut: await ballast.fund.isShut(),
    });
    const before = await seen();
    for (const to of [ballast.vault, ballast.fund, exchange, ballast.oracle, ballast.lens]) {
      await ballast.token.mint(to, 1_000_000n * TOKEN);
    }
    await ballast.fund.noteIncome();
    const after = await seen();
    // Of income that had arrived before, a second's part is counted meanwhile.
    expect(before.streaming - after.streaming).to.be.within(0n, WHOLE / 100n);
    expect({ ...after, streaming: 0n }).to.deep.equal({ ...before, streaming: 0n });
    expect(await outcomeOf(withdrawalOf(stage, alice, 10_000n * TOKEN))).to.equal(
      "WithdrawalTooLarge",
    );
  });
});
