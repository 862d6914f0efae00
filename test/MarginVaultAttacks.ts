import { expect } from "chai";
import { network } from "hardhat";
import type { CallingToken } from "../typechain-types/index.js";
import { CallingToken__factory } from "../typechain-types/factories/test/CallingToken__factory.js";
import { TOKEN, buy, createWorld, sell } from "./fixtures.js";
import type { Trader, World } from "./fixtures.js";
import { HOUR, UNIT, actorsOf, alone, vaultFor } from "./MarginVaultFixture.js";
import type { Alone } from "./MarginVaultFixture.js";

/*
 * What the limit is for, each attack beside its control: the loosest limit that the vault accepts, a share of 100 %.
 */

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const { time } = networkHelpers;

const DEFAULT = { share: 100_000, floor: 100_000 };
const LOOSEST = { share: 1_000_000, floor: 100_000 };
const MAX = 2n ** 256n - 1n;

describe("MarginVault: a thief with a forged balance", () => {
  const HONEST = 10_000_000n * UNIT;

  /** Ten million of others, there for an hour; the thief has paid in nothing. */
  async function filled(limit: typeof DEFAULT) {
    const lab = await alone(connection, limit);
    for (const owner of [lab.alice, lab.bob]) await lab.vault.pull(owner, owner, HONEST / 2n);
    await time.increase(HOUR);
    return lab;
  }
  const byDefault = () => filled(DEFAULT);
  const atLoosest = () => filled(LOOSEST);

  async function stolen({ mallory, token }: Alone, act: () => Promise<unknown>) {
    const before = await token.balanceOf(mallory);
    await act();
    return ((await token.balanceOf(mallory)) - before) / UNIT;
  }

  it("takes everything in one block at the loosest limit, a tenth by default", async () => {
    for (const [fixture, most] of [
      [atLoosest, 10_000_000n],
      [byDefault, 1_000_000n],
    ] as const) {
      const lab = await networkHelpers.loadFixture(fixture);
      const { vault, mallory } = lab;
      expect(await stolen(lab, () => vault.pay(mallory, mallory, HONEST))).to.equal(most);
    }
  });

  it("gets no more in an hour by asking for it in parts than a full room and its refill", async () => {
    const lab = await networkHelpers.loadFixture(byDefault);
    const { vault, mallory } = lab;
    const taken = await stolen(lab, async () => {
      const start = BigInt(await time.latest()) + 10n;
      for (let minute = 0n; minute <= 60n; minute++) {
        await time.increaseTo(start + minute * 60n);
        const { room } = await vault.outflow();
        await vault.pay(mallory, mallory, room);
      }
    });
    // A tenth at once, and minute by minute a tenth an hour of what is still there: 1 − 0.9 · (1 − 0.1 / 60)^60 = 18.6 %.
    expect(taken).to.be.within(1_855_000n, 1_858_000n);
  });

  it("and everybody else takes out what is left, at once, while it waits", async () => {
    const lab = await networkHelpers.loadFixture(byDefault);
    const { vault, mallory, alice, bob, token } = lab;
    await vault.pay(mallory, mallory, HONEST);
    const before = [await token.balanceOf(alice), await token.balanceOf(bob)];
    await vault.pay(alice, alice, HONEST / 2n);
    await vault.pay(bob, bob, HONEST / 2n - 1_000_000n * UNIT);
    await time.increase(HOUR);
    expect(await vault.release.staticCall(9)).to.equal(0n);
    expect(await token.balanceOf(alice)).to.equal((before[0] ?? 0n) + HONEST / 2n);
    expect(await token.balanceOf(bob)).to.equal(
      (before[1] ?? 0n) + HONEST / 2n - 1_000_000n * UNIT,
    );
  });

  it("makes no room with money that is here for a block only", async () => {
    const lab = await networkHelpers.loadFixture(byDefault);
    const { vault, mallory } = lab;
    const flash = 900_000_000n * UNIT;
    const profit = await stolen(lab, async () => {
      const automine = (on: boolean) =>
        connection.provider.request({ method: "evm_setAutomine", params: [on] });
      await automine(false);
      await vault.pull(mallory, mallory, flash, { gasLimit: 1_000_000 });
      await vault.pay(mallory, mallory, flash + HONEST, { gasLimit: 1_000_000 });
      await networkHelpers.mine();
      await automine(true);
    });
    expect(profit).to.equal(1_000_000n);
  });
});

describe("MarginVault: winners who race for the exit", () => {
  /** Three winners with 100,000 each win 300,000 from one account with a million; all that is in the vault are 1.3 million. */
  async function won(outflow: typeof DEFAULT) {
    const world = await createWorld(connection, { deployment: { outflow } });
    const loser = await world.openTrader("1000000");
    const winners: Trader[] = [];
    for (let i = 0; i < 3; i++) winners.push(await world.openTrader("100000"));
    for (const winner of winners) {
      await world.trade(winner, loser, { price: "10000", size: "90" });
    }
    for (const price of ["10400", "10800", "11100"]) await world.setPrice(price);
    for (const winner of winners) {
      await world.execute(loser, buy("11100", "90", { timeInForce: "postOnly" }));
      await world.execute(winner, sell("11100", "90", { timeInForce: "ioc" }));
    }
    await world.setPrice("11100", 0, 500n);
    await time.increase(HOUR);
    await world.again();
    return { world, winners, loser };
  }
  const byDefault = () => won({ share: 100_000, floor: 1 });
  const atLoosest = () => won({ share: 1_000_000, floor: 1 });

  /** What each gets at once, and what of it was its own money, in units. */
  async function race({ world, winners }: { world: World; winners: readonly Trader[] }) {
    const { exchange, ballast } = world;
    const got: bigint[] = [];
    let left = 0n;
    for (const { signer, account } of winners) {
      const before = await ballast.token.balanceOf(signer);
      const own = exchange.connect(signer);
      left += await own.withdraw.staticCall(account, MAX, signer);
      await own.withdraw(account, MAX, signer);
      got.push(((await ballast.token.balanceOf(signer)) - before) / TOKEN);
    }
    return { got, left: left / TOKEN };
  }

  it("all of it at once at the loosest limit; by default their own money and a tenth of the vault", async () => {
    const control = await race(await networkHelpers.loadFixture(atLoosest));
    const lab = await networkHelpers.loadFixture(byDefault);
    const limited = await race(lab);
    const { vault } = lab.world.ballast;
    const queue = (await vault.queued()) / TOKEN;
    const sum = (values: readonly bigint[]) => values.reduce((a, b) => a + b, 0n);
    expect(limited.left).to.be.closeTo(control.left, 2n);
    expect(sum(control.got)).to.be.closeTo(control.left, 2n);
    // 300,000 of their own and the room: a tenth of 1.3 million, less in each step what has left, and seconds of refill.
    expect(sum(limited.got)).to.be.within(420_000n, 432_000n);
    for (const amount of limited.got) expect(amount).to.be.at.least(100_000n);
    expect(queue).to.be.closeTo(limited.left - sum(limited.got), 3n);
    expect(queue).to.be.within(155_000n, 185_000n);
  });

  it("INV-9: the loser's own money leaves at once behind them", async () => {
    const lab = await networkHelpers.loadFixture(byDefault);
    await race(lab);
    const { world, loser } = lab;
    const { vault, token } = world.ballast;
    const { waiting } = await vault.outflow();
    expect(waiting).to.be.greaterThan(0n);
    const before = await token.balanceOf(loser.signer);
    const own = world.exchange.connect(loser.signer);
    const left = await own.withdraw.staticCall(loser.account, MAX, loser.signer);
    await own.withdraw(loser.account, MAX, loser.signer);
    expect((await token.balanceOf(loser.signer)) - before).to.equal(left);
    expect(left / TOKEN).to.be.within(690_000n, 710_000n);
    expect((await vault.outflow()).waiting).to.equal(waiting);
  });

  it("INV-9: a staker of the insurance fund gets what was paid in, too", async () => {
    const lab = await networkHelpers.loadFixture(byDefault);
    const { ballast, signers, again } = lab.world;
    const [, , , , , staker] = signers;
    if (staker === undefined) throw new Error("the network has accounts");
    const { token, vault } = ballast;
    const fund = ballast.fund.connect(staker);
    await token.mint(staker, 5_000n * TOKEN);
    await token.connect(staker).approve(fund, 5_000n * TOKEN);
    await fund.deposit(5_000n * TOKEN, staker);
    expect(await vault.netDeposits(fund)).to.equal(5_000n * TOKEN);
    await fund.requestExit(await fund.balanceOf(staker));
    await time.increase(await fund.cooldown());
    await again();
    await race(lab);
    const { waiting } = await vault.outflow();
    const assets = await fund.executeExit.staticCall(staker);
    await fund.executeExit(staker);
    // What was paid in is principal; the income of ten days waits behind the winners.
    expect(await token.balanceOf(staker)).to.equal(5_000n * TOKEN);
    expect((await vault.outflow()).waiting - waiting).to.equal(assets - 5_000n * TOKEN);
    expect(assets).to.be.greaterThan(5_000n * TOKEN);
  });

  it("an owner gains nothing by spreading over many accounts", async () => {
    const { world, winners } = await networkHelpers.loadFixture(byDefault);
    const { exchange, ballast, openAccount } = world;
    const [first, second, winner] = winners;
    if (!first || !second || !winner) throw new Error("there are three");
    // These two take the room.
    await race({ world, winners: [first, second] });
    const { signer, account } = winner;
    const own = exchange.connect(signer);
    const has = await own.withdraw.staticCall(account, MAX, signer);
    const accounts = [account];
    for (let i = 1n; i < 5n; i++) {
      const part = await openAccount(signer, "0");
      await own.transfer(account, part.account, (has / 5n) * 10n ** 12n);
      accounts.push(part.account);
    }
    const before = await ballast.token.balanceOf(signer);
    for (const each of accounts) await own.withdraw(each, MAX, signer);
    expect((await ballast.token.balanceOf(signer)) - before).to.equal(100_000n * TOKEN);
    expect(has / TOKEN).to.be.within(190_000n, 200_000n);
  });

  it("the treasury has no principal, and uses up nobody else's", async () => {
    const { world, loser } = await networkHelpers.loadFixture(byDefault);
    const { exchange, ballast } = world;
    await exchange.poke(0);
    const held = (await exchange.balanceOf(2)) / 10n ** 12n;
    expect(held).to.be.greaterThan(0n);
    await expect(exchange.payTreasury(held, loser.signer.address))
      .to.emit(ballast.vault, "Paid")
      .withArgs(await exchange.getAddress(), loser.signer.address, held, 0n);
    expect(await ballast.vault.netDeposits(loser.signer)).to.equal(1_000_000n * TOKEN);
  });
});

describe("MarginVault: a token that calls back", () => {
  const ENTERED = ethers.id("ReentrancyGuardReentrantCall()").slice(0, 10);

  async function expectRefused(token: CallingToken, act: () => Promise<unknown>) {
    await act();
    expect(await token.calls()).to.be.greaterThan(0n);
    expect(await token.successes()).to.equal(0n);
    expect((await token.answer()).slice(0, 10)).to.equal(ENTERED);
  }

  /** A queue with room for a part, and something to claim. */
  async function armed() {
    const actors = await actorsOf(connection);
    return vaultFor(actors, await new CallingToken__factory(actors.exchange).deploy(6));
  }

  it("reaches nothing of the vault from within anything of it", async () => {
    const { vault, token, alice, bob } = await networkHelpers.loadFixture(armed);
    await vault.pull(bob, bob, 20_000n * UNIT);
    await vault.pay(alice, alice, 6_000n * UNIT);
    const { interface: abi } = vault;
    for (const data of [
      abi.encodeFunctionData("release", [9]),
      abi.encodeFunctionData("claim", [alice.address]),
    ]) {
      await token.arm(vault, data);
      await expectRefused(token, () => vault.pull(bob, bob, UNIT));
      await token.arm(vault, data);
      await expectRefused(token, () => vault.pay(bob, bob, UNIT));
      await token.arm(vault, data);
      await expectRefused(token, () => vault.release(9));
    }
  });

  async function hostile() {
    const [deployer] = await ethers.getSigners();
    if (deployer === undefined) throw new Error("the network has accounts");
    const token = await new CallingToken__factory(deployer).deploy(6);
    const address = await token.getAddress();
    const world = await createWorld(connection, {
      deployment: { token: address, outflow: { share: 10_000, floor: 1 } },
    });
    const { exchange, signers } = world;
    // The token owns an account with money, so that its calls would be good ones.
    await exchange.openAccount(address);
    const account = Number(await exchange.accountCount());
    const [, payer] = signers;
    if (payer === undefined) throw new Error("the network has accounts");
    await world.openAccount(payer, "1000");
    await world.ballast.token.mint(payer, 100n * TOKEN);
    await world.ballast.token.connect(payer).approve(world.ballast.vault, 100n * TOKEN);
    await exchange.connect(payer).deposit(account, 100n * TOKEN);
    return { world, token, account };
  }

  it("cannot deposit or withdraw while the queue is paid", async () => {
    const { world, token, account } = await networkHelpers.loadFixture(hostile);
    const { exchange, ballast } = world;
    const { vault } = ballast;
    const abi = exchange.interface;
    const calls = [
      abi.encodeFunctionData("deposit", [account, 1n]),
      abi.encodeFunctionData("depositAndExecute", [account, 1n, []]),
      abi.encodeFunctionData("withdraw", [account, 1n, await token.getAddress()]),
    ];
    const asVault = await ethers.getImpersonatedSigner(await exchange.getAddress());
    await networkHelpers.setBalance(asVault.address, 10n ** 18n);
    for (const data of calls) {
      await time.increase(HOUR);
      // The exchange's own call, as a withdrawal of profit would make it. Profit that was never made: the books would notice.
      const snapshot = await networkHelpers.takeSnapshot();
      await vault.connect(asVault).pay(asVault, world.deployer, 20n * TOKEN);
      await time.increase(HOUR);
      await token.arm(exchange, data);
      await expectRefused(token, () => vault.release(9));
      await snapshot.restore();
    }
  });

  it("cannot reach the queue while the exchange is paid or pays", async () => {
    const { world, token } = await networkHelpers.loadFixture(hostile);
    const { exchange, ballast, openTrader } = world;
    const { vault } = ballast;
    const trader = await openTrader("50");
    const own = exchange.connect(trader.signer);
    const data = vault.interface.encodeFunctionData("release", [9]);
    await token.arm(vault, data);
    await expectRefused(token, () => world.fund(trader, "10"));
    await token.arm(vault, data);
    await expectRefused(token, () => own.withdraw(trader.account, TOKEN, trader.signer));
    await token.arm(
      exchange,
      exchange.interface.encodeFunctionData("deposit", [trader.account, 1n]),
    );
    await expectRefused(token, () => own.withdraw(trader.account, TOKEN, trader.signer));
  });
});
