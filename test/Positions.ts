import { expect } from "chai";
import {
  cohortsOf,
  deployHarness,
  deployMarket,
  LONG,
  memberOf,
  networkHelpers,
  provider,
  SHORT,
} from "./differential/fixture.js";
import type { Market } from "./differential/fixture.js";

/* One account's position, with numbers small enough to follow by hand: unit 1, mark 100. */

const ID = 1;
const [OTHER, A, B] = [10, 11, 12] as const;
const ACCOUNTS = [OTHER, A, B];
const TWO_16 = 2n ** 16n;
const TWO_32 = 2n ** 32n;
const RICH = 10n ** 15n;
const DELAY = 900;

async function deploy() {
  const market = await deployMarket(await deployHarness(), ID, ACCOUNTS, { unit: 1n, mark: 100n });
  for (const account of ACCOUNTS) await market.deposit(account, RICH);
  return market;
}

async function deployBonded() {
  const terms = { unit: 1n, mark: 100n, cohortBond: 3n };
  const market = await deployMarket(await deployHarness(), ID, ACCOUNTS, terms);
  for (const account of ACCOUNTS) await market.deposit(account, RICH);
  return market;
}

async function positionOf(market: Market, account: number) {
  const { lots, cost, entry, kind } = await market.harness.positionOf(ID, account);
  return { lots, cost, entry, side: kind & 1n, leverage: kind >> 1n };
}

async function gainOf(market: Market, account: number): Promise<bigint> {
  return (await market.harness.balanceOf(account)) - RICH;
}

/** Bits `from` to `from + size` of a word, as a signed number if asked. */
function bits(word: bigint | string, from: bigint, size: bigint): bigint {
  return (BigInt(word) >> from) & (2n ** size - 1n);
}

describe("Positions", () => {
  describe("change", () => {
    it("opens at the price of the fill and averages what is added, rank only", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 3n, 100n);
      await market.trade(A, OTHER, 4n, 101n);
      const held = await positionOf(market, A);
      expect(held).to.deep.equal({
        lots: 7n,
        cost: 704n,
        entry: (3n * 100n * TWO_16 + 4n * 101n * TWO_16) / 7n,
        side: LONG,
        leverage: 4n,
      });
      expect((await positionOf(market, OTHER)).cost).to.equal(704n);
      await market.check();
    });

    it("averages several prices of one fill from their exact sum", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      const fill = { side: LONG, closeLots: 0n, closeQuote: 0n, openLots: 3n, openQuote: 301n };
      await market.harness.change(ID, A, fill, 0n);
      const { entry, cost } = await positionOf(market, A);
      expect([entry, cost]).to.deep.equal([(301n * TWO_16) / 3n, 301n]);
    });

    it("keeps the fraction of a tick in the entry of lots that were taken over", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      const coarse = await deployMarket(market.harness, 2, ACCOUNTS, { unit: 10n, mark: 1000n });
      const fill = { side: LONG, closeLots: 0n, closeQuote: 0n, openLots: 1n, openQuote: 1004n };
      await market.harness.change(coarse.id, A, fill, 0n);
      const { entry, cost } = await market.harness.positionOf(coarse.id, A);
      expect([entry, cost]).to.deep.equal([(1004n * TWO_16) / 10n, 1004n]);
    });

    it("shifts the price by the funding index and rounds cost against both", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      // F = 2.5: a lot at 100 costs 97.5.
      await market.addFunding((5n * TWO_32) / 2n);
      await market.trade(A, OTHER, 3n, 100n);
      expect((await positionOf(market, A)).cost).to.equal(293n);
      expect((await positionOf(market, OTHER)).cost).to.equal(292n);
      expect((await market.check()).flow.rest).to.equal(1n);
    });

    it("closes a part: cost leaves in proportion, the entry stays, profit is paid", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 3n, 100n);
      await market.trade(A, OTHER, 4n, 101n);
      const { entry } = await positionOf(market, A);
      await market.trade(OTHER, A, 2n, 110n);
      // 704 · 2 / 7 = 201.1: 202 for the long, 201 for the short.
      expect(await positionOf(market, A)).to.include({ lots: 5n, cost: 502n, entry });
      expect(await positionOf(market, OTHER)).to.include({ lots: 5n, cost: 503n });
      expect(await gainOf(market, A)).to.equal(18n);
      expect(await gainOf(market, OTHER)).to.equal(-19n);
      expect((await market.check()).flow.rest).to.equal(0n);
    });

    it("closes all: cost leaves to the wei", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 3n, 100n);
      await market.trade(OTHER, A, 3n, 90n);
      expect(await positionOf(market, A)).to.include({ lots: 0n, cost: 0n });
      expect([await gainOf(market, A), await gainOf(market, OTHER)]).to.deep.equal([-30n, 30n]);
      expect(cohortsOf(await market.check()).size).to.equal(0);
    });

    it("flips: what closes is paid, what opens is new", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(OTHER, A, 66n, 100n);
      await market.trade(A, B, 200n, 105n);
      expect(await positionOf(market, A)).to.deep.equal({
        lots: 134n,
        cost: 134n * 105n,
        entry: 105n * TWO_16,
        side: LONG,
        leverage: 4n,
      });
      expect(await gainOf(market, A)).to.equal(-330n);
      await market.check();
    });

    it("moves to the cohort of its new average entry", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(OTHER, A, 66n, 1000n);
      const before = [...cohortsOf(await market.check()).keys()];
      await market.trade(OTHER, A, 200n, 1200n);
      const after = [...cohortsOf(await market.check()).keys()];
      // 1150.4 lies in [1136, 1152): seven classes of 16 above 1024, which is three of 8 above 1000.
      expect(
        after.filter((cohort) => !before.includes(cohort)).map((cohort) => cohort & 0xfff),
      ).to.include(1661 + 3 + 7);
      expect(
        before.filter((cohort) => after.includes(cohort)),
        "all have left",
      ).to.have.lengthOf(0);
    });

    it("takes the fee from the balance and counts it", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 3n, 100n, { buyerFee: 7n, sellerFee: 2n });
      expect([await gainOf(market, A), await gainOf(market, OTHER)]).to.deep.equal([-7n, -2n]);
      expect((await market.check()).flow.fees).to.equal(9n);
    });

    it("tells what the position is afterwards and what it paid", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 5n, 100n);
      const fill = { side: SHORT, closeLots: 2n, closeQuote: 220n, openLots: 0n, openQuote: 0n };
      const outcome = await market.harness.change.staticCall(ID, A, fill, 4n);
      expect([outcome.side, outcome.lots, outcome.cash, outcome.realised]).to.deep.equal([
        LONG,
        3n,
        16n,
        0n,
      ]);
    });

    it("refuses to close more than there is, or to open against what stays", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 5n, 100n);
      const none = { closeLots: 0n, closeQuote: 0n, openLots: 0n, openQuote: 0n };
      for (const [fill, lots, bound] of [
        [{ ...none, side: SHORT, closeLots: 6n, closeQuote: 600n }, 6n, 5n],
        [{ ...none, side: LONG, closeLots: 1n, closeQuote: 100n }, 1n, 0n],
        [{ ...none, side: SHORT, openLots: 2n, openQuote: 200n }, 2n, 5n],
      ] as const) {
        await expect(market.harness.change(ID, A, fill, 0n))
          .to.be.revertedWithCustomError(market.harness, "TooManyLots")
          .withArgs(lots, bound);
      }
    });

    it("refuses a side of more than 2^60 lots", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 2n ** 60n, 1n);
      await expect(market.trade(A, OTHER, 1n, 1n))
        .to.be.revertedWithCustomError(market.harness, "TooMuchInSide")
        .withArgs(2n ** 60n + 1n, 2n ** 60n);
      await market.trade(OTHER, A, 1n, 1n);
      await market.check();
    });

    it("reports the words that are stored and the balance", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(OTHER, A, 5n, 100n, { sellerFee: 3n });
      const hash = await market.trade(OTHER, A, 2n, 100n, { sellerFee: 3n });
      const logs = await logsOf(market, hash, "PositionChanged");
      const [, log] = logs;
      expect(log?.args.slice(0, 2)).to.deep.equal([BigInt(ID), BigInt(A)]);
      const { lots, cost, entry, checkpoint, kind } = await market.harness.positionOf(ID, A);
      const [position = 0n, key = 0n, word = 0n, balance] = log?.args.slice(2) ?? [];
      expect(
        [0n, 64n, 184n, 224n, 248n].map((from, i) =>
          bits(position, from, [64n, 120n, 40n, 24n, 8n][i] ?? 0n),
        ),
      ).to.deep.equal([lots, cost, entry, checkpoint, kind]);
      const cohort = await market.harness.cohortOf(ID, key);
      expect(
        [0n, 64n, 96n, 120n, 128n].map((from, i) =>
          bits(word, from, [64n, 32n, 24n, 8n, 128n][i] ?? 0n),
        ),
      ).to.deep.equal([
        cohort.lots,
        cohort.members,
        cohort.checkpoint,
        cohort.referenced,
        cohort.cost,
      ]);
      expect(balance).to.equal(RICH - 6n);
      expect([lots, cohort.lots, cohort.cost]).to.deep.equal([7n, 7n, 700n]);
      expect(await logsOf(market, hash, "Settled"), "nothing was due").to.deep.equal([]);
    });
  });

  describe("settle", () => {
    it("writes and emits nothing when nothing happened", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 5n, 100n);
      for (const account of [A, B]) {
        const hash = await market.settle(account);
        const receipt = await receiptOf(hash);
        expect(receipt.logs).to.deep.equal([]);
      }
    });

    it("pays the share of past events and reports it", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(OTHER, A, 8n, 128n);
      await market.trade(B, OTHER, 4n, 128n);
      const { key, cohort } = (await market.inspect()).sides[1]?.queue[0] ?? {
        key: 0n,
        cohort: undefined,
      };
      expect(cohort?.lots).to.equal(8n);
      await market.run({
        accounts: [B],
        charges: [{ side: SHORT, priceClass: Number(key) & 0xfff, amount: 16n }],
        cuts: [{ cohort: Number(key), lots: 4n, discount: 0n }],
      });
      const hash = await market.settle(A);
      const [log] = await logsOf(market, hash, "Settled");
      // Four lots at 28 profit, less 2 a lot; the other four keep theirs in the cost.
      expect(log?.args).to.deep.equal([BigInt(ID), BigInt(A), 4n, 4n * 28n - 8n, 16n]);
      expect(await positionOf(market, A)).to.include({ lots: 4n, cost: 4n * 128n - 8n });
      await market.check();
    });
  });

  describe("takeOut", () => {
    it("closes at mark, rounded down, without fresh profit", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 2n, 100n);
      await market.setMark(90n);
      await market.addFunding(TWO_32 / 4n);
      const { key } = (await market.inspect()).sides[1]?.queue[0] ?? { key: 0n };
      await market.run({ accounts: [A], cuts: [{ cohort: Number(key), lots: 2n, discount: 0n }] });
      const all = await market.check();
      // −20 and half a wei of funding.
      expect(await gainOf(market, A)).to.equal(-21n);
      expect(memberOf(all, OTHER).cash).to.equal(20n);
      expect(all.flow.openInterest).to.equal(0n);
    });

    it("does nothing to an account without a position", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.run({ accounts: [B] });
      await market.check();
      expect(await gainOf(market, B)).to.equal(0n);
    });
  });

  describe("setLeverage", () => {
    const classOf = async (market: Market) => (await positionOf(market, A)).leverage;

    it("is the class of the next position, without one at once", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.setLeverage(A, 2, DELAY);
      await market.trade(A, OTHER, 5n, 100n);
      expect(await classOf(market)).to.equal(2n);
      await market.trade(OTHER, A, 8n, 100n);
      expect(await classOf(market), "after a flip").to.equal(2n);
    });

    it("moves a position up at once and keeps what it is", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 5n, 100n);
      const { lots, cost, entry } = await positionOf(market, A);
      await market.setLeverage(A, 7, DELAY);
      expect(await positionOf(market, A)).to.deep.equal({
        lots,
        cost,
        entry,
        side: LONG,
        leverage: 7n,
      });
      await market.check();
    });

    it("moves it down at the first touch after the delay, and in views from then on", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 5n, 100n);
      const start = await networkHelpers.time.latest();
      await networkHelpers.time.setNextBlockTimestamp(start + 10);
      const hash = await market.setLeverage(A, 2, DELAY);
      const [log] = await logsOf(market, hash, "LeverageChosen");
      expect(log?.args).to.deep.equal([BigInt(ID), BigInt(A), 2n, 3n, BigInt(start + 10)]);
      await networkHelpers.time.setNextBlockTimestamp(start + 10 + DELAY - 1);
      await market.settle(A);
      expect(await classOf(market)).to.equal(4n);
      await networkHelpers.time.increaseTo(start + 10 + DELAY);
      expect(memberOf(await market.inspect(), A).settled.kind >> 1n).to.equal(2n);
      expect(await classOf(market)).to.equal(4n);
      await market.settle(A);
      expect(await classOf(market)).to.equal(2n);
      await market.check();
    });

    it("starts the delay again when the position grows, not when it shrinks", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 5n, 100n);
      const start = await networkHelpers.time.latest();
      const at = async (seconds: number) =>
        networkHelpers.time.setNextBlockTimestamp(start + seconds);
      await at(10);
      await market.setLeverage(A, 2, DELAY);
      await at(500);
      await market.trade(A, OTHER, 1n, 100n);
      await at(600);
      await market.trade(OTHER, A, 1n, 100n);
      await at(10 + DELAY);
      await market.settle(A);
      expect(await classOf(market)).to.equal(4n);
      await at(500 + DELAY);
      await market.settle(A);
      expect(await classOf(market)).to.equal(2n);
    });

    it("forgets a lower class that waits when a higher one is chosen, or the position closes", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 5n, 100n);
      await market.setLeverage(A, 2, DELAY);
      await market.setLeverage(A, 5, DELAY);
      await networkHelpers.time.increase(DELAY + 1);
      await market.settle(A);
      expect(await classOf(market)).to.equal(5n);
      await market.setLeverage(A, 1, DELAY);
      const hash = await market.trade(OTHER, A, 5n, 100n);
      const [log] = await logsOf(market, hash, "LeverageChosen");
      expect(log?.args).to.deep.equal([BigInt(ID), BigInt(A), 1n, 0n, 0n]);
      await market.check();
    });

    it("counts at once without a delay", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      await market.trade(A, OTHER, 5n, 100n);
      await market.setLeverage(A, 0, 0);
      expect(await classOf(market)).to.equal(0n);
      await market.check();
    });
  });

  describe("bonds", () => {
    const BOND = 3n * 10n ** 12n;

    it("are paid by the first member and go to the last", async () => {
      const market = await networkHelpers.loadFixture(deployBonded);
      await market.trade(A, OTHER, 1n, 100n);
      expect([await gainOf(market, A), await gainOf(market, OTHER)]).to.deep.equal([-BOND, -BOND]);
      expect((await market.check()).flow.bonds).to.equal(2n);
      await market.trade(B, OTHER, 1n, 100n);
      expect(await gainOf(market, B)).to.equal(0n);
      await market.trade(OTHER, A, 1n, 100n);
      expect(await gainOf(market, A), "not the last").to.equal(-BOND);
      await market.trade(OTHER, B, 1n, 100n);
      expect([await gainOf(market, B), await gainOf(market, OTHER)]).to.deep.equal([BOND, 0n]);
      expect((await market.check()).flow.bonds).to.equal(0n);
    });

    it("follow a position that moves alone between cohorts", async () => {
      const market = await networkHelpers.loadFixture(deployBonded);
      await market.trade(A, OTHER, 1n, 100n);
      await market.trade(A, OTHER, 1n, 120n);
      expect((await market.check()).flow.bonds).to.equal(2n);
      expect(await gainOf(market, A)).to.equal(-BOND);
    });
  });

  describe("markets of an account", () => {
    it("are noted while it has a position, an order or fresh profit there", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      const entered = async () => (await market.harness.marketsOf(A)).entered;
      await market.trade(A, OTHER, 1n, 100n);
      expect(await entered()).to.equal(2n);
      await market.harness.setUsedSlots(ID, A, 1);
      await market.trade(OTHER, A, 1n, 100n);
      expect(await entered()).to.equal(2n);
      await market.harness.setUsedSlots(ID, A, 0);
      await market.trade(A, OTHER, 1n, 100n);
      await market.trade(OTHER, A, 1n, 100n);
      expect(await entered()).to.equal(0n);
    });

    it("are eight at most", async () => {
      const market = await networkHelpers.loadFixture(deploy);
      const { harness } = market;
      const markets: Market[] = [];
      for (let id = 2; id <= 9; id++) {
        markets.push(await deployMarket(harness, id, ACCOUNTS, { unit: 1n, mark: 100n }));
      }
      for (const one of markets) await one.trade(A, OTHER, 1n, 100n);
      await expect(market.trade(A, B, 1n, 100n))
        .to.be.revertedWithCustomError(harness, "TooManyMarkets")
        .withArgs(9n, 8n);
      for (const one of markets.slice(0, 1)) await one.trade(OTHER, A, 1n, 100n);
      await market.trade(A, B, 1n, 100n);
    });
  });
});

type Receipt = { logs: { topics: string[]; data: string }[] };

async function receiptOf(hash: string): Promise<Receipt> {
  // As the node's interface states it.
  return (await provider.request({
    method: "eth_getTransactionReceipt",
    params: [hash],
  })) as Receipt;
}

async function logsOf(market: Market, hash: string, name: string) {
  const { logs } = await receiptOf(hash);
  return (
    logs
      .map((log) => market.harness.interface.parseLog(log))
      .filter((log) => log?.name === name)
      // Arguments of events are numbers and words; there are no others in the exchange's events for positions.
      .map((log) => ({ args: (log === null ? [] : log.args.toArray()) as (bigint | string)[] }))
  );
}
