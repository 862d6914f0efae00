import { expect } from "chai";
import type { ContractTransactionReceipt } from "ethers";
import { network } from "hardhat";
import { MarginVault__factory } from "../typechain-types/factories/MarginVault__factory.js";
import { BlockingToken__factory } from "../typechain-types/factories/test/BlockingToken__factory.js";
import { TestToken__factory } from "../typechain-types/factories/test/TestToken__factory.js";
import { HOUR, LIMIT, UNIT, actorsOf, alone as aloneOn, vaultFor } from "./MarginVaultFixture.js";
import type { Alone } from "./MarginVaultFixture.js";

const connection = await network.create();
const { ethers, networkHelpers } = connection;
const { time } = networkHelpers;
const REFUSAL = { none: 0, revert: 1, false: 2 } as const;

const alone = () => aloneOn(connection);

async function blocking() {
  const actors = await actorsOf(connection);
  return vaultFor(actors, await new BlockingToken__factory(actors.exchange).deploy(6));
}

/** Alice has paid in 1,000 and bob 20,000. Alice asks for 6,000: 1,000 are hers, 3,600 fit, 1,400 wait. */
async function waiting(lab: Alone) {
  const { vault, alice, bob, carol } = lab;
  await vault.pull(alice, alice, 1_000n * UNIT);
  await vault.pull(bob, bob, 20_000n * UNIT);
  const asked = await vault.pay(alice, carol, 6_000n * UNIT);
  return { ...lab, asked, start: BigInt(await time.latest()) };
}
const queued = async () => waiting(await alone());
const queuedAndBlocking = async () => {
  const { token, ...lab } = await blocking();
  return { ...(await waiting({ ...lab, token })), token };
};

/** The next transaction is mined so many seconds after `start`. */
async function after(start: bigint, seconds: bigint): Promise<void> {
  await time.setNextBlockTimestamp(start + seconds);
}

function namesOf(vault: Alone["vault"], receipt: ContractTransactionReceipt | null): string[] {
  return (receipt?.logs ?? []).flatMap((log) => vault.interface.parseLog(log)?.name ?? []);
}

describe("MarginVault", () => {
  it("counts what it pulled and paid, and not what was sent to it", async () => {
    const { alice, bob, token, vault } = await networkHelpers.loadFixture(alone);
    const before = await token.balanceOf(alice);
    await expect(vault.pull(bob, alice, 700n))
      .to.emit(vault, "Pulled")
      .withArgs(bob.address, alice.address, 700n);
    await token.connect(alice).transfer(vault, 100n);
    await expect(vault.pay(bob, alice, 300n))
      .to.emit(vault, "Paid")
      .withArgs(bob.address, alice.address, 300n, 300n);
    expect(await vault.tracked()).to.equal(400n);
    expect(await vault.queued()).to.equal(0n);
    expect(await vault.netDeposits(bob)).to.equal(400n);
    expect(await vault.netDeposits(alice)).to.equal(0n);
    expect(await token.balanceOf(vault)).to.equal(500n);
    expect(await token.balanceOf(alice)).to.equal(before - 500n);
  });

  it("never pays or promises more than it pulled, whatever lies in it", async () => {
    const { alice, bob, mallory, token, vault } = await networkHelpers.loadFixture(alone);
    await vault.pull(alice, alice, 100n);
    await token.mint(vault, 900n);
    await expect(vault.pay(alice, alice, 101n))
      .to.be.revertedWithCustomError(vault, "NotCovered")
      .withArgs(1n, 0n);
    await vault.pull(bob, bob, 100n);
    await vault.pay(mallory, mallory, 150n);
    await expect(vault.pay(alice, alice, 100n))
      .to.be.revertedWithCustomError(vault, "NotCovered")
      .withArgs(100n, 50n);
  });

  it("obeys the exchange alone", async () => {
    const { alice, mallory, vault } = await networkHelpers.loadFixture(alone);
    const other = vault.connect(mallory);
    const permit = { deadline: 1n, v: 27, r: ethers.ZeroHash, s: ethers.ZeroHash };
    for (const call of [
      other.pull(mallory, alice, 1n),
      other.pay(alice, mallory, 1n),
      other.pullWithPermit(mallory, alice, 1n, permit),
    ]) {
      await expect(call)
        .to.be.revertedWithCustomError(vault, "NotExchange")
        .withArgs(mallory.address);
    }
  });

  it("refuses a token with more than 18 decimals, and limits out of bounds", async () => {
    const { exchange, token, vault } = await networkHelpers.loadFixture(alone);
    const factory = new MarginVault__factory(exchange);
    const fine = await new TestToken__factory(exchange).deploy(19);
    await expect(factory.deploy(fine, LIMIT))
      .to.be.revertedWithCustomError(vault, "UnsupportedDecimals")
      .withArgs(19, 18);
    for (const share of [9_999, 1_000_001]) {
      await expect(factory.deploy(token, { share, floor: 1 }))
        .to.be.revertedWithCustomError(vault, "ShareOutOfBounds")
        .withArgs(share, 10_000, 1_000_000);
    }
    await expect(factory.deploy(token, { share: 10_000, floor: 0 }))
      .to.be.revertedWithCustomError(vault, "FloorTooLow")
      .withArgs(0, 1);
    const loose = await factory.deploy(token, { share: 1_000_000, floor: 2n ** 64n - 1n });
    expect(await loose.share()).to.equal(1_000_000n);
    expect(await loose.floor()).to.equal((2n ** 64n - 1n) * UNIT);
  });

  it("cuts a rate that the room cannot hold", async () => {
    const { exchange, alice } = await networkHelpers.loadFixture(alone);
    const token = await new TestToken__factory(exchange).deploy(18);
    const vault = await new MarginVault__factory(exchange).deploy(token, {
      share: 10_000,
      floor: 2n ** 64n - 1n,
    });
    const { room, rate } = await vault.outflow();
    expect([room, rate]).to.deep.equal([(2n ** 112n - 1n) / HOUR, (2n ** 112n - 1n) / HOUR]);
    await token.mint(alice, 10n ** 30n);
    await token.connect(alice).approve(vault, 10n ** 30n);
    await vault.pull(alice, alice, 10n ** 30n);
    await vault.pay(exchange, alice, 10n ** 30n);
    expect(await vault.queued()).to.equal(0n);
  });

  it("refuses a token that takes a fee on the way", async () => {
    const { exchange, alice, vault } = await networkHelpers.loadFixture(alone);
    const token = await ethers.deployContract("FeeToken", [100n]);
    const other = await new MarginVault__factory(exchange).deploy(token, LIMIT);
    await token.getFunction("mint")(alice.address, 1000n);
    await (
      await ethers.getContractAt("TestToken", await token.getAddress(), alice)
    ).approve(other, 1000n);
    await expect(other.pull(alice, alice, 1000n))
      .to.be.revertedWithCustomError(vault, "NotReceived")
      .withArgs(990n, 1000n);
  });

  describe("pay", () => {
    it("sends principal and what fits at once, and queues the rest", async () => {
      const { vault, asked, alice, carol, token } = await networkHelpers.loadFixture(queued);
      await expect(asked)
        .to.emit(vault, "Paid")
        .withArgs(alice.address, carol.address, 4_600n * UNIT, 1_000n * UNIT);
      await expect(asked)
        .to.emit(vault, "Queued")
        .withArgs(0, alice.address, carol.address, 1_400n * UNIT);
      expect(await vault.netDeposits(alice)).to.equal(0n);
      expect(await vault.tracked()).to.equal(15_000n * UNIT);
      expect(await vault.queued()).to.equal(1_400n * UNIT);
      expect(await token.balanceOf(vault)).to.equal(16_400n * UNIT);
    });

    it("lets nobody past who comes later, however much fits, but principal", async () => {
      const { vault, start, bob, carol } = await networkHelpers.loadFixture(queued);
      await after(start, HOUR);
      const asked = await vault.pay(carol, carol, 10n * UNIT);
      expect(namesOf(vault, await asked.wait())).to.deep.equal(["Queued"]);
      await expect(vault.pay(bob, bob, 14_990n * UNIT))
        .to.emit(vault, "Paid")
        .withArgs(bob.address, bob.address, 14_990n * UNIT, 14_990n * UNIT);
      expect(await vault.queued()).to.equal(1_410n * UNIT);
    });

    it("INV-9: principal leaves at once while a queue waits and nothing fits", async () => {
      const { vault, bob, token } = await networkHelpers.loadFixture(queued);
      const before = await token.balanceOf(bob);
      await vault.pay(bob, bob, 15_000n * UNIT);
      expect(await token.balanceOf(bob)).to.equal(before + 15_000n * UNIT);
      expect(await vault.tracked()).to.equal(0n);
    });

    it("pays principal before those who wait, if the ledger promised more than there is", async () => {
      const { vault, start, bob, token } = await networkHelpers.loadFixture(queued);
      const before = await token.balanceOf(bob);
      // 21,000 were paid in, 4,600 are gone, 1,400 wait: of bob's 20,000 there are 16,400.
      await expect(vault.pay(bob, bob, 16_401n * UNIT))
        .to.be.revertedWithCustomError(vault, "NotCovered")
        .withArgs(16_401n * UNIT, 16_400n * UNIT);
      await vault.pay(bob, bob, 16_000n * UNIT);
      expect(await token.balanceOf(bob)).to.equal(before + 16_000n * UNIT);
      expect(await vault.tracked()).to.equal(-1_000n * UNIT);
      await after(start, HOUR);
      await vault.release(9);
      expect(await vault.queued()).to.equal(1_000n * UNIT);
      expect(await token.balanceOf(vault)).to.equal(0n);
      expect(await vault.release.staticCall(9)).to.equal(0n);
    });

    it("promises nobody what is promised to others", async () => {
      const { vault, carol } = await networkHelpers.loadFixture(queued);
      await expect(vault.pay(carol, carol, 15_001n * UNIT))
        .to.be.revertedWithCustomError(vault, "NotCovered")
        .withArgs(15_001n * UNIT, 15_000n * UNIT);
      await vault.pay(carol, carol, 15_000n * UNIT);
    });

    it("a deposit is worth itself and no more", async () => {
      const { vault, start, bob, mallory } = await networkHelpers.loadFixture(alone).then(waiting);
      await vault.connect(mallory).release(9);
      await after(start, HOUR);
      await vault.release(9);
      // 2,200 of room are left. A hundred times what is here makes no room, and takes itself with it.
      await vault.pull(mallory, mallory, 2_000_000n * UNIT);
      const { room } = await vault.outflow();
      expect(room).to.be.closeTo(2_200n * UNIT, 60n * UNIT);
      const asked = await vault.pay(mallory, mallory, 2_005_000n * UNIT);
      const paid = (await asked.wait())?.logs.map((log) => vault.interface.parseLog(log)) ?? [];
      expect(paid[0]?.args.principal).to.equal(2_000_000n * UNIT);
      expect(paid[0]?.args.amount).to.be.lessThan(2_000_000n * UNIT + 2_320n * UNIT);
      expect(await vault.netDeposits(mallory)).to.equal(0n);
      expect(await vault.netDeposits(bob)).to.equal(20_000n * UNIT);
    });

    it("grows the room with the time that money has been here", async () => {
      const { vault, bob } = await networkHelpers.loadFixture(alone);
      await vault.pull(bob, bob, 100_000n * UNIT);
      const start = BigInt(await time.latest());
      // 3,600 from the start, and a tenth of 100,000 in an hour.
      await networkHelpers.mine();
      await after(start, 360n);
      await networkHelpers.mine();
      expect((await vault.outflow()).rate).to.equal(10_000n * UNIT);
      const { room } = await vault.outflow();
      // A view may see the next second.
      expect(room).to.be.within(4_600n * UNIT, 4_603n * UNIT);
      await after(start, 4n * HOUR);
      await networkHelpers.mine();
      expect((await vault.outflow()).room).to.equal(10_000n * UNIT);
      // What principal leaves behind is cut at once.
      await vault.pay(bob, bob, 80_000n * UNIT);
      expect((await vault.outflow()).room).to.equal(3_600n * UNIT);
    });

    it("gives many owners together what it gives one", async () => {
      const { vault, bob, carol, mallory, exchange, token } =
        await networkHelpers.loadFixture(alone);
      await vault.pull(bob, bob, 20_000n * UNIT);
      const start = BigInt(await time.latest());
      const before = await token.balanceOf(mallory);
      for (const [i, owner] of [carol, mallory, exchange].entries()) {
        await after(start, BigInt(i + 1));
        await vault.pay(owner, mallory, 3_000n * UNIT);
      }
      expect((await token.balanceOf(mallory)) - before).to.equal(3_601n * UNIT);
      expect(await vault.queued()).to.equal(5_399n * UNIT);
    });
  });

  describe("release", () => {
    it("pays in order, in parts as room comes back, by anyone's call", async () => {
      const { vault, start, carol, mallory, bob, token } = await networkHelpers.loadFixture(queued);
      await vault.pay(bob, mallory, 20_000n * UNIT - 5_000n * UNIT);
      await vault.pull(bob, bob, 15_000n * UNIT);
      await vault.pay(carol, mallory, 10n * UNIT);
      const before = await token.balanceOf(mallory);
      await after(start, 100n);
      await expect(vault.connect(mallory).release(9))
        .to.emit(vault, "Released")
        .withArgs(0, carol.address, 100n * UNIT, 1_300n * UNIT);
      await after(start, 1_404n);
      await expect(vault.connect(mallory).release(9))
        .to.emit(vault, "Released")
        .withArgs(0, carol.address, 1_300n * UNIT, 0)
        .and.to.emit(vault, "Released")
        .withArgs(1, mallory.address, 4n * UNIT, 6n * UNIT);
      await after(start, 1_410n);
      await vault.release(9);
      expect(await token.balanceOf(mallory)).to.equal(before + 10n * UNIT);
      expect(await vault.queued()).to.equal(0n);
      expect(await token.balanceOf(vault)).to.equal(BigInt(await vault.tracked()));
    });

    it("does no more than it is asked to, and nothing when nothing can go", async () => {
      const { vault, start, carol } = await networkHelpers.loadFixture(queued);
      for (let i = 0; i < 3; i++) await vault.pay(carol, carol, UNIT);
      await after(start, HOUR);
      await networkHelpers.mine();
      expect(await vault.release.staticCall(0)).to.equal(0n);
      expect(await vault.release.staticCall(1)).to.equal(1_400n * UNIT);
      expect(await vault.release.staticCall(3)).to.equal(1_402n * UNIT);
      await vault.release(3);
      const { first, next, waiting: left } = await vault.outflow();
      expect([first, next, left]).to.deep.equal([3n, 4n, UNIT]);
      await vault.release(9);
      const idle = await vault.release(9);
      expect((await idle.wait())?.logs).to.deep.equal([]);
    });

    it("pays at once again when the queue is empty", async () => {
      const { vault, start, carol } = await networkHelpers.loadFixture(queued);
      await after(start, HOUR);
      await vault.release(1);
      const asked = await vault.pay(carol, carol, 100n * UNIT);
      expect(namesOf(vault, await asked.wait())).to.deep.equal(["Paid"]);
    });
  });

  describe("requestOf and preview", () => {
    it("say what stands before a request, and how long it takes at most", async () => {
      const { vault, start, carol, mallory } = await networkHelpers.loadFixture(queued);
      await after(start, 1n);
      await vault.pay(mallory, mallory, 10n * UNIT);
      const [first, second] = [await vault.requestOf(0), await vault.requestOf(1)];
      expect(first.slice(0, 3)).to.deep.equal([carol.address, 1_400n * UNIT, 0n]);
      expect(second.slice(0, 3)).to.deep.equal([mallory.address, 10n * UNIT, 1_400n * UNIT]);
      // One unit a second, of which one or two have come.
      expect(first.longest).to.be.within(1_398n, 1_399n);
      expect(second.longest).to.equal(first.longest + 10n);
      await after(start, 100n);
      await vault.release(1);
      expect((await vault.requestOf(0)).left).to.equal(1_300n * UNIT);
      expect((await vault.requestOf(1)).ahead).to.equal(1_300n * UNIT);
      await after(start, 1_410n);
      await vault.release(9);
      for (const id of [0, 1, 2]) {
        expect([...(await vault.requestOf(id))]).to.deep.equal([ethers.ZeroAddress, 0n, 0n, 0n]);
      }
    });

    it("the longest wait is kept though everybody else leaves", async () => {
      const { vault, exchange, alice, bob } = await networkHelpers.loadFixture(alone);
      await vault.pull(bob, bob, 200_000n * UNIT);
      await vault.pay(alice, alice, 50_000n * UNIT);
      const { longest } = await vault.requestOf(0);
      const start = BigInt(await time.latest());
      await vault.pay(bob, bob, 150_000n * UNIT);
      for (let passed = HOUR; passed < longest; passed += HOUR) {
        await after(start, passed);
        await vault.connect(exchange).release(1);
      }
      await after(start, longest);
      await vault.release(1);
      expect(await vault.queued()).to.equal(0n);
    });

    it("preview says what pay does", async () => {
      const { vault, alice, bob } = await networkHelpers.loadFixture(alone);
      await vault.pull(alice, alice, 1_000n * UNIT);
      await vault.pull(bob, bob, 20_000n * UNIT);
      const split = await vault.preview(alice, 6_000n * UNIT);
      expect([...split]).to.deep.equal([1_000n * UNIT, 3_600n * UNIT, 1_400n * UNIT]);
      await expect(vault.preview(alice, 21_001n * UNIT)).to.be.revertedWithCustomError(
        vault,
        "NotCovered",
      );
    });
  });

  describe("a receiver that the token refuses", () => {
    for (const refusal of ["revert", "false"] as const) {
      it(`does not stop the others (${refusal}), and can be paid later by anyone`, async () => {
        const { vault, token, start, carol, mallory, bob } =
          await networkHelpers.loadFixture(queuedAndBlocking);
        await vault.pay(mallory, mallory, 10n * UNIT);
        await token.setRefusal(carol, REFUSAL[refusal]);
        const before = await token.balanceOf(mallory);
        await after(start, 100n);
        await expect(vault.release(9))
          .to.emit(vault, "Parked")
          .withArgs(0, carol.address, 100n * UNIT, 1_300n * UNIT);
        await after(start, 1_410n);
        await vault.release(9);
        expect(await token.balanceOf(mallory)).to.equal(before + 10n * UNIT);
        expect(await vault.claimable(carol)).to.equal(1_400n * UNIT);
        expect(await vault.queued()).to.equal(1_400n * UNIT);
        const { waiting: left, parked } = await vault.outflow();
        expect([left, parked]).to.deep.equal([0n, 1_400n * UNIT]);

        await expect(vault.connect(bob).claim(carol)).to.revert(ethers);
        await token.setRefusal(carol, REFUSAL.none);
        const had = await token.balanceOf(carol);
        await expect(vault.connect(bob).claim(carol))
          .to.emit(vault, "Claimed")
          .withArgs(carol.address, 1_400n * UNIT);
        expect(await token.balanceOf(carol)).to.equal(had + 1_400n * UNIT);
        expect(await vault.queued()).to.equal(0n);
        await expect(vault.claim(carol))
          .to.be.revertedWithCustomError(vault, "NothingToClaim")
          .withArgs(carol.address);
      });
    }

    it("is no way around the limit: only what has passed it can be claimed", async () => {
      const { vault, token, start, carol } = await networkHelpers.loadFixture(queuedAndBlocking);
      await token.setRefusal(carol, REFUSAL.revert);
      await after(start, 100n);
      await vault.release(9);
      await token.setRefusal(carol, REFUSAL.none);
      const before = await token.balanceOf(carol);
      await vault.claim(carol);
      expect((await token.balanceOf(carol)) - before).to.equal(100n * UNIT);
      expect(await vault.queued()).to.equal(1_300n * UNIT);
    });

    it("cannot be asked to be paid at once either", async () => {
      const { vault, token, bob } = await networkHelpers.loadFixture(queuedAndBlocking);
      await token.setRefusal(bob, REFUSAL.revert);
      await expect(vault.pay(bob, bob, UNIT))
        .to.be.revertedWithCustomError(token, "Blocked")
        .withArgs(bob.address);
    });
  });
});
