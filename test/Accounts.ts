import { expect } from "chai";
import { network } from "hardhat";
import { ZeroAddress, parseUnits } from "ethers";
import { TOKEN, WHOLE, buy, cancel, cancelAll, createWorld, sell } from "./fixtures.js";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const MAX = 2n ** 256n - 1n;
const NOWHERE = 999;
const SCOPE = { trade: 1, cancel: 2 } as const;
const FAR = 4_000_000_000n;

describe("Exchange: accounts and money", () => {
  const world = () => createWorld(connection);

  describe("openAccount", () => {
    it("gives ids in order, from the first that is no house account", async () => {
      const { exchange, signers } = await networkHelpers.loadFixture(world);
      const [, alice] = signers;
      await expect(exchange.openAccount(alice?.address ?? ""))
        .to.emit(exchange, "AccountOpened")
        .withArgs(10, alice?.address);
      await exchange.openAccount(alice?.address ?? "");
      expect(await exchange.accountCount()).to.equal(11n);
      expect((await exchange.accountOf(11)).owner).to.equal(alice?.address);
    });

    it("refuses an owner of zero", async () => {
      const { exchange } = await networkHelpers.loadFixture(world);
      await expect(exchange.openAccount(ZeroAddress)).to.be.revertedWithCustomError(
        exchange,
        "ZeroAddress",
      );
    });
  });

  describe("deposit", () => {
    it("credits quote, moves exactly the tokens and says so", async () => {
      const { exchange, ballast, openTrader, fund } = await networkHelpers.loadFixture(world);
      const alice = await openTrader("0");
      const before = await ballast.vault.tracked();
      await fund(alice, "12.345678");
      expect(await exchange.balanceOf(alice.account)).to.equal(12_345_678n * 10n ** 12n);
      expect(await ballast.vault.tracked()).to.equal(before + 12_345_678n);
      expect(await ballast.token.balanceOf(ballast.vault)).to.equal(before + 12_345_678n);
    });

    it("may be paid by anyone, into any user's account", async () => {
      const { exchange, ballast, openTrader, deployer } = await networkHelpers.loadFixture(world);
      const alice = await openTrader("0");
      await ballast.token.mint(deployer.address, TOKEN);
      await ballast.token.approve(ballast.vault, TOKEN);
      await expect(exchange.deposit(alice.account, TOKEN))
        .to.emit(exchange, "Deposited")
        .withArgs(alice.account, deployer.address, TOKEN, WHOLE);
      // It is the owner's principal, not the payer's.
      expect(await ballast.vault.netDeposits(alice.signer)).to.equal(TOKEN);
      expect(await ballast.vault.netDeposits(deployer)).to.equal(0n);
    });

    it("refuses nothing, nobody and the house", async () => {
      const { exchange, openTrader } = await networkHelpers.loadFixture(world);
      const alice = await openTrader("0");
      await expect(exchange.deposit(alice.account, 0n)).to.be.revertedWithCustomError(
        exchange,
        "ZeroAmount",
      );
      await expect(exchange.deposit(NOWHERE, 1n))
        .to.be.revertedWithCustomError(exchange, "UnknownAccount")
        .withArgs(NOWHERE);
      for (const house of [1, 2, 3]) {
        await expect(exchange.deposit(house, 1n))
          .to.be.revertedWithCustomError(exchange, "HouseAccount")
          .withArgs(house);
      }
    });

    it("takes a permit, and does not mind that somebody else used it first", async () => {
      const { exchange, ballast, openTrader, chainId, deployer } =
        await networkHelpers.loadFixture(world);
      const { signer, account } = await openTrader("0");
      const { token, vault } = ballast;
      await token.mint(signer.address, 2n * TOKEN);
      for (const isUsedBefore of [false, true]) {
        const value = {
          owner: signer.address,
          spender: await vault.getAddress(),
          value: TOKEN,
          nonce: await token.nonces(signer.address),
          deadline: FAR,
        };
        const types = {
          Permit: [
            { name: "owner", type: "address" },
            { name: "spender", type: "address" },
            { name: "value", type: "uint256" },
            { name: "nonce", type: "uint256" },
            { name: "deadline", type: "uint256" },
          ],
        };
        const domain = {
          name: "Test dollar",
          version: "1",
          chainId,
          verifyingContract: await token.getAddress(),
        };
        const { v, r, s } = ethers.Signature.from(await signer.signTypedData(domain, types, value));
        if (isUsedBefore) {
          await token.connect(deployer).permit(signer.address, vault, TOKEN, FAR, v, r, s);
        }
        await exchange.connect(signer).depositWithPermit(account, TOKEN, FAR, v, r, s);
      }
      expect(await exchange.balanceOf(account)).to.equal(2n * WHOLE);
      expect(await vault.netDeposits(signer)).to.equal(2n * TOKEN);
    });
  });

  describe("withdraw", () => {
    it("gives a flat account everything back, to the last unit", async () => {
      const { exchange, ballast, openTrader } = await networkHelpers.loadFixture(world);
      const { signer, account } = await openTrader("77.7");
      await exchange.connect(signer).withdraw(account, MAX, signer.address);
      expect(await exchange.balanceOf(account)).to.equal(0n);
      expect(await ballast.token.balanceOf(signer.address)).to.equal(77_700_000n);
    });

    it("keeps initial margin in, and says how much could have been taken", async () => {
      const { exchange, openTrader, trade, health } = await networkHelpers.loadFixture(world);
      const [alice, bob] = [await openTrader("2000"), await openTrader("2000")];
      await trade(alice, bob, { price: "10000", size: "1" });
      const { withdrawable } = await health(alice);
      // 2000 − fee 5 − bond 0.1 − margin 1000, and a wei of rounding.
      expect(withdrawable).to.be.closeTo(9_949n * 10n ** 17n, 2n);
      const own = exchange.connect(alice.signer);
      const available = withdrawable / 10n ** 12n;
      // Funding runs on, a few units a second.
      await expect(
        own.withdraw(alice.account, available + 1000n, alice.signer.address),
      ).to.be.revertedWithCustomError(exchange, "WithdrawalTooLarge");
      await own.withdraw(alice.account, MAX, alice.signer.address);
      const after = await health(alice);
      expect(after.withdrawable).to.be.lessThan(10n ** 12n);
      expect(after.health.equity).to.be.closeTo(after.health.initial, 10n ** 15n);
    });

    it("never pays out unrealised or fresh profit", async () => {
      const { openTrader, trade, setPrice, health } = await networkHelpers.loadFixture(world);
      const [alice, bob] = [await openTrader("5000"), await openTrader("50000")];
      await trade(alice, bob, { price: "10000", size: "1" });
      const flat = (await health(alice)).withdrawable;
      await setPrice("10500");
      expect((await health(alice)).withdrawable).to.be.lessThan(flat);
      await trade(bob, alice, { price: "10500", size: "1" });
      const { withdrawable, health: now } = await health(alice);
      expect(now.fresh).to.be.closeTo(500n * WHOLE, WHOLE);
      expect(withdrawable).to.be.lessThan(5000n * WHOLE);
    });

    it("lets fresh profit go after two epochs", async () => {
      const { openTrader, trade, setPrice, pass, health, exchange } =
        await networkHelpers.loadFixture(world);
      const [alice, bob] = [await openTrader("5000"), await openTrader("50000")];
      await trade(alice, bob, { price: "10000", size: "1" });
      await setPrice("10500");
      await trade(bob, alice, { price: "10500", size: "1" });
      await pass(480n);
      await setPrice("10500");
      const { withdrawable, health: now } = await health(alice);
      expect(now.fresh).to.equal(0n);
      expect(withdrawable).to.be.greaterThan(5480n * WHOLE);
      await exchange.connect(alice.signer).withdraw(alice.account, MAX, alice.signer.address);
    });

    it("is the owner's alone, and needs a receiver", async () => {
      const { exchange, openTrader, deployer } = await networkHelpers.loadFixture(world);
      const { signer, account } = await openTrader("10");
      await expect(exchange.withdraw(account, 1n, deployer.address))
        .to.be.revertedWithCustomError(exchange, "NotOwner")
        .withArgs(account, deployer.address);
      const own = exchange.connect(signer);
      await expect(own.withdraw(account, 1n, ZeroAddress)).to.be.revertedWithCustomError(
        exchange,
        "ZeroAddress",
      );
      await expect(own.withdraw(account, 0n, signer.address)).to.be.revertedWithCustomError(
        exchange,
        "ZeroAmount",
      );
    });
  });

  describe("transfer", () => {
    it("moves quote between accounts of one owner by the rules of a withdrawal", async () => {
      const { exchange, openTrader, openAccount } = await networkHelpers.loadFixture(world);
      const first = await openTrader("100");
      const second = await openAccount(first.signer, "0");
      const own = exchange.connect(first.signer);
      await expect(own.transfer(first.account, second.account, 40n * WHOLE))
        .to.emit(exchange, "Transferred")
        .withArgs(first.account, second.account, 40n * WHOLE, 60n * WHOLE, 40n * WHOLE);
      await expect(own.transfer(first.account, second.account, 61n * WHOLE))
        .to.be.revertedWithCustomError(exchange, "WithdrawalTooLarge")
        .withArgs(61n * WHOLE, 60n * WHOLE);
      await expect(own.transfer(first.account, first.account, 1n))
        .to.be.revertedWithCustomError(exchange, "SameAccount")
        .withArgs(first.account);
    });

    it("refuses an account of somebody else", async () => {
      const { exchange, openTrader } = await networkHelpers.loadFixture(world);
      const [alice, bob] = [await openTrader("100"), await openTrader("100")];
      await expect(exchange.connect(alice.signer).transfer(alice.account, bob.account, 1n))
        .to.be.revertedWithCustomError(exchange, "DifferentOwners")
        .withArgs(alice.account, bob.account);
    });
  });

  describe("operators", () => {
    async function withOperator(scope: number) {
      const created = await networkHelpers.loadFixture(world);
      const alice = await created.openTrader("1000");
      const operator = await created.openTrader("0");
      await created.exchange
        .connect(alice.signer)
        .setOperator(alice.account, operator.signer.address, scope, FAR);
      const asOperator = created.exchange.connect(operator.signer);
      return { ...created, alice, operator, asOperator };
    }

    it("trade within scope, and never move money", async () => {
      const { exchange, alice, operator, asOperator } = await withOperator(SCOPE.trade);
      await asOperator.execute(alice.account, [buy("9900", "0.1")]);
      await asOperator.execute(alice.account, [cancelAll()]);
      await expect(asOperator.withdraw(alice.account, 1n, operator.signer.address))
        .to.be.revertedWithCustomError(exchange, "NotOwner")
        .withArgs(alice.account, operator.signer.address);
    });

    it("with the scope to cancel may cancel only", async () => {
      const { exchange, alice, operator, asOperator, execute } = await withOperator(SCOPE.cancel);
      await execute(alice, buy("9900", "0.1"));
      await expect(asOperator.execute(alice.account, [buy("9900", "0.1")]))
        .to.be.revertedWithCustomError(exchange, "NotAllowed")
        .withArgs(alice.account, operator.signer.address, SCOPE.trade);
      await asOperator.execute(alice.account, [cancel(0)]);
    });

    it("lose their right with time, and when it is taken back", async () => {
      const { exchange, alice, operator, asOperator, setPrice } = await withOperator(SCOPE.trade);
      const own = exchange.connect(alice.signer);
      const soon = BigInt(await networkHelpers.time.latest()) + 10n;
      await own.setOperator(alice.account, operator.signer.address, SCOPE.trade, soon);
      await networkHelpers.time.increaseTo(soon);
      await setPrice("10000");
      await expect(
        asOperator.execute(alice.account, [buy("9900", "0.1")]),
      ).to.be.revertedWithCustomError(exchange, "NotAllowed");
      await own.setOperator(alice.account, operator.signer.address, SCOPE.trade, FAR);
      await own.setOperator(alice.account, operator.signer.address, 0, 0);
      await expect(
        asOperator.execute(alice.account, [buy("9900", "0.1")]),
      ).to.be.revertedWithCustomError(exchange, "NotAllowed");
    });

    it("act in the last second before the time is up, and not in the one that it names", async () => {
      const { exchange, alice, operator, asOperator } = await withOperator(SCOPE.trade);
      const own = exchange.connect(alice.signer);
      const soon = BigInt(await networkHelpers.time.latest()) + 10n;
      await own.setOperator(alice.account, operator.signer.address, SCOPE.cancel, soon);
      await networkHelpers.time.setNextBlockTimestamp(soon - 1n);
      await asOperator.execute(alice.account, [cancelAll()]);
      await networkHelpers.time.setNextBlockTimestamp(soon);
      await expect(asOperator.execute(alice.account, [cancelAll()]))
        .to.be.revertedWithCustomError(exchange, "NotAllowed")
        .withArgs(alice.account, operator.signer.address, SCOPE.cancel);
    });

    it("are refused with a scope that is not known or a time that is over", async () => {
      const { exchange, alice, operator } = await withOperator(SCOPE.trade);
      const own = exchange.connect(alice.signer);
      await expect(own.setOperator(alice.account, operator.signer.address, 4, FAR))
        .to.be.revertedWithCustomError(exchange, "UnknownScope")
        .withArgs(4, 3);
      const now = BigInt(await networkHelpers.time.latest()) + 10n;
      await networkHelpers.time.setNextBlockTimestamp(now);
      await expect(own.setOperator(alice.account, operator.signer.address, 1, now))
        .to.be.revertedWithCustomError(exchange, "ExpiryInThePast")
        .withArgs(now, now);
    });

    it("can be named by a signature, once, in any order of nonces", async () => {
      const { exchange, openTrader, chainId } = await networkHelpers.loadFixture(world);
      const [alice, bob] = [await openTrader("1000"), await openTrader("0")];
      const domain = {
        name: "Ballast",
        version: "1",
        chainId,
        verifyingContract: await exchange.getAddress(),
      };
      const types = {
        SetOperator: [
          { name: "account", type: "uint32" },
          { name: "operator", type: "address" },
          { name: "scope", type: "uint8" },
          { name: "expiry", type: "uint40" },
          { name: "nonce", type: "uint256" },
          { name: "deadline", type: "uint256" },
        ],
      };
      const sign = (nonce: bigint, deadline: bigint) =>
        alice.signer.signTypedData(domain, types, {
          account: alice.account,
          operator: bob.signer.address,
          scope: SCOPE.trade,
          expiry: FAR,
          nonce,
          deadline,
        });
      const send = async (nonce: bigint, deadline: bigint, signature: string) =>
        exchange
          .connect(bob.signer)
          .setOperatorBySig(alice.account, bob.signer.address, 1, FAR, nonce, deadline, signature);

      const second = await sign(300n, FAR);
      await send(300n, FAR, second);
      await expect(send(300n, FAR, second))
        .to.be.revertedWithCustomError(exchange, "NonceAlreadyUsed")
        .withArgs(alice.signer.address, 300n);
      await send(7n, FAR, await sign(7n, FAR));
      // Numbers that differ in one bit alone, and the first and last of a word.
      const others = [7n + 64n, 7n + 128n, 7n + 256n, 7n + 2n ** 255n, 0n, 255n];
      for (const nonce of others) await send(nonce, FAR, await sign(nonce, FAR));
      await expect(send(8n, FAR, second))
        .to.be.revertedWithCustomError(exchange, "BadSignature")
        .withArgs(alice.signer.address);
      await expect(send(9n, 1n, await sign(9n, 1n))).to.be.revertedWithCustomError(
        exchange,
        "SignatureExpired",
      );
      await exchange.connect(bob.signer).execute(alice.account, [sell("10100", "0.1")]);
    });
  });

  it("donations to the vault change nothing", async () => {
    const { exchange, ballast, openTrader, health } = await networkHelpers.loadFixture(world);
    const alice = await openTrader("100");
    const before = await health(alice);
    const shares = await ballast.fund.totalAssets();
    await ballast.token.mint(ballast.vault, parseUnits("1000000", 6));
    await ballast.token.mint(exchange, parseUnits("1000000", 6));
    await ballast.token.mint(ballast.fund, parseUnits("1000000", 6));
    expect((await health(alice)).health).to.deep.equal(before.health);
    expect(await ballast.fund.totalAssets()).to.equal(shares);
  });
});
