import { expect } from "chai";
import {
  cohortsOf,
  deployHarness,
  deployMarket,
  LONG,
  memberOf,
  networkHelpers,
  SHORT,
} from "./differential/fixture.js";
import type { Market } from "./differential/fixture.js";

/*
 * The life of cohorts with numbers small enough to follow by hand: unit 1, so that prices are wei per lot, and no
 * funding unless a test says so. Accounts: 10 is everybody's counterparty, the others are watched.
 */

const ID = 1;
const [OTHER, A, B, C, D] = [10, 11, 12, 13, 14] as const;
const ACCOUNTS = [OTHER, A, B, C, D];
const TWO_32 = 2n ** 32n;

async function deployPlain() {
  const market = await deployMarket(await deployHarness(), ID, ACCOUNTS, { unit: 1n, mark: 100n });
  for (const account of ACCOUNTS) await market.deposit(account, 1_000_000n);
  return market;
}

/** By digits, independent of the library: exponent and six bits behind the first. */
function classOf(ticks: bigint): number {
  const digits = (ticks * 2n ** 16n).toString(2);
  return 64 * (digits.length - 1) + Number.parseInt(digits.slice(1, 7).padEnd(6, "0"), 2);
}

function key(side: bigint, ticks: bigint, leverage = 4): number {
  return (Number(side) << 15) | (leverage << 12) | classOf(ticks);
}

async function sizeOf(market: Market, account: number): Promise<bigint> {
  return memberOf(await market.inspect(), account).settled.lots;
}

/** Balance with what settling would add. */
async function cashOf(market: Market, account: number): Promise<bigint> {
  const { balance, cash } = memberOf(await market.inspect(), account);
  return balance + cash - 1_000_000n;
}

/** Balance, pending cash and the value at a price, less what was paid in. No funding. */
async function profitOf(market: Market, account: number, price: bigint): Promise<bigint> {
  const { settled, balance, cash } = memberOf(await market.inspect(), account);
  const sign = (settled.kind & 1n) === LONG ? 1n : -1n;
  return balance + cash - 1_000_000n + sign * (settled.lots * price - settled.cost);
}

/** Cuts the shorts of a cohort by closing an account's longs. */
async function closeAgainst(
  market: Market,
  victim: number,
  cuts: [cohort: number, lots: bigint][],
) {
  await market.run({
    accounts: [victim],
    cuts: cuts.map(([cohort, lots]) => ({ cohort, lots, discount: 0n })),
  });
  return market.check();
}

describe("Cohorts", () => {
  describe("cut", () => {
    it("rounds every member down and leaves the fractions in the cohort", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.trade(OTHER, A, 10n, 100n);
      await market.trade(OTHER, B, 5n, 100n);
      await market.trade(C, OTHER, 5n, 100n);
      await closeAgainst(market, C, [[key(SHORT, 100n), 5n]]);
      expect([await sizeOf(market, A), await sizeOf(market, B)]).to.deep.equal([6n, 3n]);
      await market.settle(A);
      await market.settle(B);
      const all = await market.check();
      expect(cohortsOf(all).get(key(SHORT, 100n))).to.include({ lots: 10n, members: 2n });
    });

    it("pays a member of a cohort that was emptied once, at its first touch", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.trade(OTHER, A, 10n, 100n);
      await market.setMark(90n);
      const all = await closeAgainst(market, OTHER, [[key(SHORT, 100n), 10n]]);
      expect(all.sides[1]?.queue).to.have.lengthOf(0);
      expect(cohortsOf(all).get(key(SHORT, 100n))).to.include({ lots: 0n, members: 1n, cost: 0n });
      expect(await sizeOf(market, A)).to.equal(0n);
      expect(await cashOf(market, A)).to.equal(100n);
      await market.settle(A);
      expect(await market.harness.balanceOf(A)).to.equal(1_000_100n);
      expect(cohortsOf(await market.check()).size).to.equal(0);
    });

    it("starts an emptied cohort anew for whoever joins while old members still name it", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.trade(OTHER, A, 10n, 100n);
      await market.setMark(90n);
      await closeAgainst(market, OTHER, [[key(SHORT, 100n), 10n]]);
      await market.trade(OTHER, B, 4n, 100n);
      const all = await market.check();
      expect(cohortsOf(all).get(key(SHORT, 100n))).to.include({ lots: 4n, members: 2n });
      expect(await cashOf(market, A)).to.equal(100n);
      expect(await cashOf(market, B)).to.equal(0n);
      expect(await sizeOf(market, B)).to.equal(4n);
      // The restart lies one more than a settlement reaches behind the checkpoint that emptied the cohort.
      const restart = await market.harness.checkpointOf(ID, key(SHORT, 100n), 2);
      expect([restart.mantissa, restart.exponent]).to.deep.equal([2n ** 95n, 65n]);
      await market.settle(A);
      await market.settle(B);
      await market.check();
      expect(await market.harness.balanceOf(A)).to.equal(1_000_100n);
    });

    it("ends members of every earlier life at the checkpoint that emptied theirs", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      const cohort = key(SHORT, 100n);
      for (const [account, mark] of [
        [A, 90n],
        [B, 80n],
        [C, 70n],
      ] as const) {
        await market.setMark(100n);
        await market.trade(OTHER, account, 10n, 100n);
        await market.setMark(mark);
        await closeAgainst(market, OTHER, [[cohort, 10n]]);
      }
      await market.trade(OTHER, D, 7n, 100n);
      expect(await cashOf(market, A)).to.equal(100n);
      expect(await cashOf(market, B)).to.equal(200n);
      expect(await cashOf(market, C)).to.equal(300n);
      expect(await sizeOf(market, D)).to.equal(7n);
      for (const account of [C, A, B]) await market.settle(account);
      const all = await market.check();
      expect(cohortsOf(all).get(cohort)).to.include({ lots: 7n, members: 1n });
    });

    it("lets a member of before rejoin: settled and counted anew", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.trade(OTHER, A, 10n, 100n);
      await market.trade(OTHER, B, 10n, 100n);
      await market.setMark(90n);
      await closeAgainst(market, OTHER, [[key(SHORT, 100n), 20n]]);
      await market.trade(OTHER, A, 3n, 100n);
      const all = await market.check();
      expect(cohortsOf(all).get(key(SHORT, 100n))).to.include({ lots: 3n, members: 2n });
      expect(await cashOf(market, A)).to.equal(100n);
      expect(await cashOf(market, B)).to.equal(100n);
    });

    it("charges no one who joined after the event", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.trade(OTHER, A, 90n, 100n);
      await market.trade(C, OTHER, 30n, 100n);
      await closeAgainst(market, C, [[key(SHORT, 100n), 30n]]);
      await market.trade(OTHER, B, 40n, 100n);
      // Thirds have no end in binary, so that A may lack the sixtieth lot.
      expect(await sizeOf(market, A)).to.be.within(59n, 60n);
      expect(await sizeOf(market, B)).to.equal(40n);
      expect(await cashOf(market, B)).to.equal(0n);
    });

    it("settles over many checkpoints at once when A becomes tiny", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      const cohort = key(SHORT, 100n);
      const much = 10n ** 12n;
      await market.trade(C, A, 1n, 100n);
      await market.trade(OTHER, A, much - 1n, 100n);
      await market.setMark(90n);
      await closeAgainst(market, OTHER, [[cohort, much - 1n]]);
      for (let round = 0; round < 6; round++) {
        await market.trade(OTHER, B, much - 1n, 100n);
        await closeAgainst(market, OTHER, [[cohort, much - 1n]]);
      }
      const { checkpoint } = await market.harness.cohortOf(ID, cohort);
      const { exponent } = await market.harness.checkpointOf(ID, cohort, checkpoint);
      expect(exponent, "more than four settlements").to.be.greaterThan(256n);
      expect(await sizeOf(market, A)).to.equal(0n);
      // Ten a lot, but for what rounding and the last fraction of a lot take.
      expect(await cashOf(market, A)).to.be.within(10n * much - 20n, 10n * much);
      await market.settle(A);
      expect(cohortsOf(await market.check()).get(cohort)).to.include({ lots: 1n, members: 1n });
    });

    it("settles from where a step ended, not from where the first began", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      const cohort = key(SHORT, 100n);
      const [much, more, few] = [10n ** 12n, 10n ** 18n, 10n ** 4n];
      await market.trade(C, A, few, 100n);
      await market.trade(OTHER, A, much - few, 100n);
      await market.setMark(90n);
      await closeAgainst(market, OTHER, [[cohort, much - few]]);
      await market.trade(OTHER, B, more, 100n);
      await market.setMark(80n);
      await closeAgainst(market, OTHER, [[cohort, more]]);
      const { exponent } = await market.harness.checkpointOf(ID, cohort, 2);
      expect(exponent, "more than one settlement").to.be.greaterThan(64n);
      // Ten a lot for all but a few, twenty for these, but for the fraction of a lot that each step leaves.
      const paid = 10n * (much - few) + 20n * few;
      expect(await cashOf(market, A)).to.be.within(paid - 40n, paid);
      await market.settle(A);
      await market.check();
    });
  });

  describe("the mark of a checkpoint that a position names", () => {
    it("is one bit, set by who joins and by who stays", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      for (const lots of [10n, 5n]) {
        await market.trade(OTHER, A, lots, 100n);
        expect((await market.harness.cohortOf(ID, key(SHORT, 100n))).referenced).to.equal(1n);
      }
    });
  });

  describe("haircuts", () => {
    it("take what is charged by size, from profit, without moving cash", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.trade(OTHER, A, 10n, 100n);
      await market.trade(OTHER, B, 20n, 100n);
      await market.setMark(90n);
      await market.run({ charges: [{ side: SHORT, priceClass: classOf(100n), amount: 60n }] });
      await market.check();
      expect(await profitOf(market, A, 90n)).to.equal(80n);
      expect(await profitOf(market, B, 90n)).to.equal(160n);
      expect(await cashOf(market, A)).to.equal(0n);
    });

    it("add up: the second sees the profit that the first has left", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.trade(OTHER, A, 10n, 128n);
      await market.setMark(118n);
      const profitOfClass = async () => (await market.check()).sides[1]?.classes[0]?.profit;
      expect(await profitOfClass()).to.equal(100n);
      const charge = { side: SHORT, priceClass: classOf(128n), amount: 60n };
      await market.run({ charges: [charge] });
      expect(await profitOfClass()).to.equal(40n);
      await market.settle(A);
      expect(await profitOfClass()).to.equal(40n);
      await market.run({ charges: [{ ...charge, amount: 40n }] });
      expect(await profitOfClass()).to.equal(0n);
      expect(await profitOf(market, A, 118n)).to.equal(0n);
    });

    it("leave what is less than a wei a lot to a class that is large enough", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      const lots = 2n ** 55n;
      await market.trade(OTHER, A, lots, 128n);
      await market.setMark(127n);
      // A wei a lot, but for 2^-54 of one.
      const charge = { side: SHORT, priceClass: classOf(128n), amount: lots - 2n };
      await market.run({ charges: [charge] });
      expect((await market.check()).sides[1]?.classes[0]?.profit).to.equal(2n);
    });

    it("beyond profit take by size, losers included", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      // Two classes, both of 10 and 5 lots, with profits of 50 and 10.
      await market.trade(OTHER, A, 10n, 128n);
      await market.trade(OTHER, B, 5n, 125n);
      await market.setMark(123n);
      await market.run({
        charges: [
          { side: SHORT, priceClass: classOf(128n), amount: 50n + 20n },
          { side: SHORT, priceClass: classOf(125n), amount: 10n + 10n },
        ],
      });
      await market.check();
      expect(await profitOf(market, A, 123n)).to.equal(-20n);
      expect(await profitOf(market, B, 123n)).to.equal(-10n);
    });

    it("reach all leverages of a class, whenever each is touched", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.setLeverage(B, 7);
      await market.setLeverage(C, 0);
      await market.trade(OTHER, A, 8n, 128n);
      await market.trade(OTHER, B, 16n, 128n);
      await market.setMark(100n);
      const charge = { side: SHORT, priceClass: classOf(128n) };
      await market.run({ charges: [{ ...charge, amount: 24n }] });
      await market.trade(OTHER, C, 8n, 128n);
      await market.settle(B);
      await market.run({ charges: [{ ...charge, amount: 64n }] });
      await market.check();
      // One a lot from A and B, then two from everyone.
      expect(await profitOf(market, A, 128n)).to.equal(-24n);
      expect(await profitOf(market, B, 128n)).to.equal(-48n);
      expect(await profitOf(market, C, 128n)).to.equal(-16n);
      expect(await market.harness.costOf(ID, key(SHORT, 128n, 0))).to.equal(8n * 128n - 16n);
    });

    it("are taken over once by a cohort that one of its members leaves", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.trade(OTHER, A, 10n, 128n);
      await market.trade(OTHER, B, 20n, 128n);
      await market.run({ charges: [{ side: SHORT, priceClass: classOf(128n), amount: 60n }] });
      await market.trade(B, OTHER, 20n, 128n);
      expect(await cashOf(market, B)).to.equal(-40n);
      expect(await market.harness.costOf(ID, key(SHORT, 128n))).to.equal(10n * 128n - 20n);
      await market.check();
      await market.settle(A);
      expect(await profitOf(market, A, 128n)).to.equal(-20n);
      await market.check();
    });

    it("stay with lots that are left when others are cut", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.trade(OTHER, A, 16n, 128n);
      await market.trade(C, OTHER, 8n, 128n);
      await market.setMark(100n);
      const charge = { side: SHORT, priceClass: classOf(128n), amount: 32n };
      await market.run({
        accounts: [C],
        charges: [charge],
        cuts: [{ cohort: key(SHORT, 128n), lots: 8n, discount: 0n }],
      });
      await market.check();
      const { cash, haircut, settled } = memberOf(await market.inspect(), A);
      // Eight lots at 28 profit each less two; the other eight keep two each in their cost.
      expect(cash).to.equal(8n * 28n - 16n);
      expect(haircut, "of all sixteen").to.equal(32n);
      expect(settled.lots).to.equal(8n);
      expect(settled.cost).to.equal(8n * 128n - 16n);
    });

    it("are forgotten when the class has no lots, and only then", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      const [priceClass, cohort] = [classOf(128n), key(SHORT, 128n)];
      await market.trade(OTHER, A, 8n, 128n);
      await market.setMark(100n);
      await market.run({ charges: [{ side: SHORT, priceClass, amount: 8n }] });
      const indexOf = async () => (await market.harness.classOf(ID, SHORT, priceClass)).haircut;
      expect(await indexOf()).to.equal(2n ** 54n);
      // The only member shrinks and grows; its class never has no lots.
      await market.trade(A, OTHER, 7n, 128n);
      await market.trade(OTHER, A, 7n, 128n);
      expect(await indexOf()).to.equal(2n ** 54n);
      await market.check();
      await market.trade(A, OTHER, 8n, 128n);
      await market.check();
      expect(await indexOf()).to.equal(0n);
      await market.trade(OTHER, B, 8n, 128n);
      expect((await market.harness.cohortOf(ID, cohort)).checkpoint, "starts at 0").to.equal(0n);
      expect(await profitOf(market, B, 128n)).to.equal(0n);
    });

    it("do not touch a cohort that starts in a class with haircuts", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      const priceClass = classOf(128n);
      await market.setLeverage(B, 2);
      await market.trade(OTHER, A, 8n, 128n);
      await market.run({ charges: [{ side: SHORT, priceClass, amount: 8n }] });
      await market.trade(OTHER, B, 8n, 128n);
      expect(await profitOf(market, B, 128n)).to.equal(0n);
      const cohort = key(SHORT, 128n, 2);
      expect((await market.harness.cohortOf(ID, cohort)).checkpoint).to.equal(1n);
      const started = await market.harness.checkpointOf(ID, cohort, 1);
      expect([started.mantissa, started.exponent]).to.deep.equal([2n ** 95n, 0n]);
      expect([started.haircut, started.cash, started.given]).to.deep.equal([2n ** 54n, 0n, 0n]);
      // Left and joined again: the same checkpoint, whatever stood in its slots.
      await market.run({ charges: [{ side: SHORT, priceClass, amount: 16n }] });
      await market.settle(B);
      await market.trade(B, OTHER, 8n, 128n);
      await market.trade(OTHER, C, 1n, 128n);
      await market.setLeverage(C, 2);
      const again = await market.harness.checkpointOf(ID, cohort, 1);
      expect([again.haircut, again.cash, again.given]).to.deep.equal([2n * 2n ** 54n, 0n, 0n]);
      expect(await profitOf(market, C, 128n)).to.equal(0n);
      await market.check();
    });

    it("go with the last member when nobody is left to read a checkpoint", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      const [priceClass, cohort] = [classOf(128n), key(SHORT, 128n)];
      await market.trade(OTHER, A, 8n, 128n);
      await market.run({ charges: [{ side: SHORT, priceClass, amount: 8n }] });
      await market.trade(A, OTHER, 8n, 128n);
      await market.check();
      expect(await profitOf(market, A, 128n)).to.equal(-8n);
      expect((await market.harness.cohortOf(ID, cohort)).checkpoint).to.equal(0n);
    });

    it("never take less than what is missing, however many lots share it", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.trade(OTHER, A, 2n ** 58n, 128n);
      await market.run({ charges: [{ side: SHORT, priceClass: classOf(128n), amount: 1n }] });
      await market.check();
      // 2^-54 a lot is the least that can be charged.
      expect(await profitOf(market, A, 128n)).to.equal(-16n);
    });

    it("refuse more than 2^78 wei a lot, and any of a class without lots", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.trade(OTHER, A, 2n, 128n);
      const most = 2n * 2n ** 78n;
      const charge = { side: SHORT, priceClass: classOf(128n) };
      const refused = market.run({ charges: [{ ...charge, amount: most + 1n }] });
      await expect(refused)
        .to.be.revertedWithCustomError(market.harness, "HaircutTooLarge")
        .withArgs(most + 1n, most);
      await market.run({ charges: [{ ...charge, amount: most }] });
      await market.check();
      await expect(market.run({ charges: [{ ...charge, priceClass: 5, amount: 1n }] }))
        .to.be.revertedWithCustomError(market.harness, "HaircutTooLarge")
        .withArgs(1n, 0n);
    });

    it("book shares to the wei however they divide", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      for (const [account, leverage] of [
        [A, 1],
        [B, 2],
        [C, 3],
      ] as const) {
        await market.setLeverage(account, leverage);
        await market.trade(OTHER, account, 7n, 128n);
      }
      await market.run({ charges: [{ side: SHORT, priceClass: classOf(128n), amount: 100n }] });
      await market.check();
      const costOf = async (leverage: number) =>
        market.harness.costOf(ID, key(SHORT, 128n, leverage));
      const given = 3n * 7n * 128n - (await costOf(1)) - (await costOf(2)) - (await costOf(3));
      expect(given, "up to one more a cohort").to.be.within(100n, 102n);
      for (const account of [A, B, C]) await market.settle(account);
      await market.check();
    });
  });

  describe("both sides", () => {
    it("pay and receive funding alike, however much of each was cut", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      await market.trade(A, B, 10n, 100n);
      await market.trade(C, D, 10n, 100n);
      // Shorts are cut to a half, longs are whole.
      await closeAgainst(market, C, [[key(SHORT, 100n), 10n]]);
      await market.addFunding(3n * TWO_32);
      await market.check();
      expect(await sizeOf(market, A)).to.equal(10n);
      expect([await sizeOf(market, B), await sizeOf(market, D)]).to.deep.equal([5n, 5n]);
      await market.trade(B, OTHER, 5n, 100n);
      await market.trade(D, OTHER, 5n, 100n);
      await market.trade(OTHER, A, 10n, 100n);
      await market.check();
      expect([
        await cashOf(market, A),
        await cashOf(market, B),
        await cashOf(market, D),
      ]).to.deep.equal([-30n, 15n, 15n]);
    });
  });

  describe("checkpoints", () => {
    it("are written over while no position names the current one", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      const cohort = key(SHORT, 100n);
      await market.trade(OTHER, A, 64n, 100n);
      const numberOf = async () => (await market.harness.cohortOf(ID, cohort)).checkpoint;
      const cut = async () => {
        await market.trade(C, OTHER, 8n, 100n);
        await closeAgainst(market, C, [[cohort, 8n]]);
      };
      await cut();
      expect(await numberOf()).to.equal(1n);
      await cut();
      expect(await numberOf(), "written over").to.equal(1n);
      await market.settle(A);
      await cut();
      expect(await numberOf(), "A names 1").to.equal(2n);
      await cut();
      expect(await numberOf()).to.equal(2n);
      expect(await sizeOf(market, A)).to.equal(32n);
    });

    it("are not written over beyond reach of the one before", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      const cohort = key(SHORT, 100n);
      const much = 2n ** 50n;
      await market.trade(C, A, 1n, 100n);
      await market.trade(OTHER, A, much - 1n, 100n);
      await closeAgainst(market, OTHER, [[cohort, much - 1n]]);
      // B joins and leaves, so the checkpoint is named no more, but the flag is only cleared by an event.
      await market.trade(OTHER, B, much - 1n, 100n);
      await closeAgainst(market, OTHER, [[cohort, much - 1n]]);
      expect((await market.harness.cohortOf(ID, cohort)).checkpoint).to.equal(2n);
      const [first, second] = [
        await market.harness.checkpointOf(ID, cohort, 1),
        await market.harness.checkpointOf(ID, cohort, 2),
      ];
      expect(second.exponent - first.exponent).to.be.within(49n, 51n);
      expect(await sizeOf(market, A)).to.equal(0n);
      await market.settle(A);
      await market.check();
    });

    it("end somewhere: a worn cohort takes no lots, but lets everyone out", async () => {
      const market = await networkHelpers.loadFixture(deployPlain);
      const cohort = key(SHORT, 100n);
      await market.trade(OTHER, A, 10n, 100n);
      await market.trade(OTHER, B, 10n, 100n);
      await market.harness.setCheckpointNumber(ID, cohort, 250_000);
      await market.harness.setPositionCheckpoint(ID, A, 250_000);
      await market.harness.setPositionCheckpoint(ID, B, 250_000);
      await market.harness.setMantissa(ID, cohort, 250_000, 2n ** 95n);
      for (const joiner of [A, C]) {
        await expect(market.trade(OTHER, joiner, 1n, 100n))
          .to.be.revertedWithCustomError(market.harness, "CohortWornOut")
          .withArgs(cohort, 250_000);
      }
      await market.trade(A, OTHER, 4n, 100n);
      await market.trade(C, OTHER, 4n, 100n);
      await closeAgainst(market, C, [[cohort, 4n]]);
      await market.settle(A);
      await market.settle(B);
      await market.trade(A, OTHER, await sizeOf(market, A), 100n);
      await market.trade(B, OTHER, await sizeOf(market, B), 100n);
      await market.check();
      await market.trade(OTHER, C, 5n, 100n);
      expect((await market.harness.cohortOf(ID, cohort)).checkpoint, "anew").to.equal(0n);
      await market.check();
    });
  });

  describe("dust", () => {
    /** Two shorts of one lot are cut by one: each has half a lot, which neither can have. */
    async function deployHalves() {
      const market = await deployPlain();
      await market.trade(OTHER, A, 1n, 100n);
      await market.trade(OTHER, B, 1n, 100n);
      await market.trade(C, OTHER, 1n, 100n);
      await market.setMark(90n);
      await closeAgainst(market, C, [[key(SHORT, 100n), 1n]]);
      return market;
    }

    it("is what fractions leave when the last member goes", async () => {
      const market = await networkHelpers.loadFixture(deployHalves);
      expect([await sizeOf(market, A), await sizeOf(market, B)]).to.deep.equal([0n, 0n]);
      await market.settle(A);
      let all = await market.check();
      expect(cohortsOf(all).get(key(SHORT, 100n))).to.include({ lots: 1n, members: 1n });
      await market.settle(B);
      all = await market.check();
      expect([all.dust.longLots, all.dust.shortLots, all.dust.shortCost]).to.deep.equal([
        0n,
        1n,
        100n,
      ]);
      expect(all.sides[1]?.queue).to.have.lengthOf(0);
      // The closed halves' profit is theirs; that of the open halves is account 3's.
      expect([await cashOf(market, A), await cashOf(market, B)]).to.deep.equal([5n, 5n]);
    });

    it("is closed first by an event, at mark", async () => {
      const market = await networkHelpers.loadFixture(deployHalves);
      await market.settle(A);
      await market.settle(B);
      await market.trade(C, D, 4n, 90n);
      await market.trade(OTHER, C, 2n, 90n);
      await market.setMark(80n);
      // OTHER's three longs meet the dust and two lots of D.
      await market.run({
        accounts: [OTHER],
        dust: [0n, 5n],
        cuts: [{ cohort: key(SHORT, 90n), lots: 2n, discount: 0n }],
      });
      const all = await market.check();
      expect(all.dust.shortLots).to.equal(0n);
      expect(await sizeOf(market, D)).to.equal(2n);
      // The dust short went in at 100 and out at 80; one wei of B's and A's floors is in the pool.
      expect(all.flow.rest).to.be.within(19n, 21n);
    });

    it("of both sides closes itself, and the difference is account 3's", async () => {
      const market = await networkHelpers.loadFixture(deployHalves);
      await market.settle(A);
      await market.settle(B);
      // The same with two longs of one lot, at 80.
      await market.trade(A, D, 1n, 80n);
      await market.trade(B, D, 1n, 80n);
      await market.run({
        cuts: [
          { cohort: key(LONG, 80n), lots: 1n, discount: 0n },
          { cohort: key(SHORT, 80n), lots: 1n, discount: 0n },
        ],
      });
      await market.settle(A);
      await market.check();
      const before = (await market.inspect()).flow.rest;
      await market.settle(B);
      const all = await market.check();
      expect([all.dust.longLots, all.dust.shortLots]).to.deep.equal([0n, 0n]);
      expect(all.flow.rest - before, "sold at 100, bought at 80").to.equal(20n);
    });
  });
});
