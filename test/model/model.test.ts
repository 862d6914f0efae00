import { expect } from "chai";
import fc from "fast-check";
import { createModel } from "./model.js";
import type { Model } from "./model.js";
import { rational, sum } from "./rational.js";
import type { Options } from "./types.js";

const SEED = 0xba11a57;
const UNIT = 10n ** 12n;
const RICH = 10n ** 24n;

/** Two markets at 1000 and 500 ticks. */
function twoMarkets(options: Partial<Options> = {}): Model {
  const model = createModel({ defaultLeverageClass: 0, ...options });
  model.list({ id: 0, unit: UNIT, mark: 1000n * UNIT, principalRate: rational(1n, 100n) });
  model.list({ id: 1, unit: UNIT, mark: 500n * UNIT, quantity: "ProRata", deficit: "Queue" });
  return model;
}

const account = fc.integer({ min: 0, max: 7 });
const market = fc.integer({ min: 0, max: 1 });
const lots = fc.bigInt({ min: 1n, max: 40n });
const permit = fc.record({
  event: fc.bigInt({ min: 0n, max: 10n ** 16n }),
  beyond: fc.bigInt({ min: 0n, max: 10n ** 16n }),
});

/** One random step. Prices move by up to 40 %, so that accounts go under often. */
const operation: fc.Arbitrary<(model: Model) => void> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({
        market,
        buyer: account,
        seller: account,
        lots,
        move: fc.bigInt({ min: 97n, max: 103n }),
      })
      .map(({ move, ...trade }) => (model: Model) => {
        const mark = model.state.markets.get(trade.market)?.mark ?? 0n;
        const ticks = (mark * move) / (100n * UNIT) || 1n;
        if (trade.buyer !== trade.seller)
          model.fill({ ...trade, ticks, buyerFee: 7n, sellerFee: 3n });
      }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ market, mark: fc.bigInt({ min: 300n, max: 1500n }) }).map(
      ({ market, mark }) =>
        (model: Model) =>
          model.setMark(market, mark * UNIT + 1n),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({ market, delta: fc.bigInt({ min: -(2n ** 76n), max: 2n ** 76n }) }).map(
      ({ market, delta }) =>
        (model: Model) =>
          model.addFunding(market, delta),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ market, account }).map(
      ({ market, account }) =>
        (model: Model) =>
          model.touch(account, market),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({
        market,
        account,
        leverageClass: fc.integer({ min: 0, max: 7 }),
        delay: fc.constantFrom(0n, 900n),
      })
      .map(
        ({ market, account, leverageClass, delay }) =>
          (model: Model) =>
            model.chooseLeverage(account, market, leverageClass, delay),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ market, epochs: fc.bigInt({ min: 1n, max: 2n }) })
      .map(({ market, epochs }) => (model: Model) => {
        model.setTime(model.state.now + 240n * epochs);
        model.advanceFreshEpoch(
          market,
          (model.state.markets.get(market)?.freshEpoch ?? 0n) + epochs,
        );
      }),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ accounts: fc.uniqueArray(account, { minLength: 1, maxLength: 3 }), permit })
      .map(
        ({ accounts, permit }) =>
          (model: Model) =>
            void model.deleverage({
              accounts,
              permits: new Map([
                [0, permit],
                [1, permit],
              ]),
            }),
      ),
  },
);

function fundAll(model: Model): void {
  model.fundDeposit(10n ** 17n);
  for (let id = 0; id < 8; id++) model.deposit(id, id < 5 ? 10n ** 15n : RICH);
}

function expectConserved(model: Model): void {
  expect(model.residue().toString(), "INV-1").to.equal("0");
  for (const id of model.state.markets.keys()) {
    expect(model.lotImbalance(id).toString(), "INV-2").to.equal("0");
  }
  expect(model.state.fund.isNegative(), "INV-10").to.equal(false);
}

const operations = fc.array(operation, { minLength: 60, maxLength: 60 });

describe("reference model", () => {
  for (const shares of ["exact", "whole"] as const) {
    it(`conserves money and lots exactly over random operations, shares ${shares}`, () => {
      const property = fc.property(operations, (steps) => {
        const model = twoMarkets({ shares });
        fundAll(model);
        for (const step of steps) {
          step(model);
          expectConserved(model);
        }
      });
      fc.assert(property, { seed: SEED, numRuns: 100 });
    });
  }

  it("gives the same result for every order of the accounts of an event (INV-14)", () => {
    const property = fc.property(
      operations,
      fc.shuffledSubarray([0, 1, 2, 3, 4]),
      (steps, named) => {
        const run = (accounts: readonly number[]) => {
          const model = twoMarkets({ shares: "whole" });
          fundAll(model);
          for (const step of steps) step(model);
          const permits = new Map([[0, { event: 10n ** 13n, beyond: 10n ** 13n }]]);
          model.deleverage({ accounts, permits });
          return model.snapshot();
        };
        expect(run(named)).to.deep.equal(run([...named].sort()));
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 60 });
  });

  it("reaches every step of the ladder in its random runs", () => {
    const reached = new Map<string, number>();
    const count = (name: string, amount: { isPositive(): boolean }) =>
      reached.set(name, (reached.get(name) ?? 0) + (amount.isPositive() ? 1 : 0));
    const property = fc.property(operations, (steps) => {
      const model = twoMarkets();
      fundAll(model);
      const watched = {
        ...model,
        deleverage: (event: Parameters<Model["deleverage"]>[0]) => {
          for (const id of event.accounts) for (const market of [0, 1]) model.touch(id, market);
          // An account that is already flat has no market to charge a debt to: it is not eligible.
          const open = event.accounts.filter((id) => model.state.accounts.get(id)?.positions.size);
          const receipts = model.deleverage(event);
          for (const receipt of receipts) {
            count("fund within", receipt.fundWithin);
            count("haircut", sum(receipt.haircuts.map(({ amount }) => amount)));
            count("fresh", receipt.freshCharge);
            count("fund beyond", receipt.fundBeyond);
            count("principal", sum(receipt.principal.map(({ amount }) => amount)));
            count("shortfall", receipt.shortfall);
            count("discount", receipt.discount);
            count("dust", receipt.dustLots);
            count("several cohorts", rational(BigInt(receipt.cuts.length) - 1n));
            const parts = [receipt.fundWithin, receipt.freshCharge, receipt.fundBeyond];
            const charges = [...receipt.haircuts, ...receipt.principal].map((part) => part.amount);
            const paid = sum([...parts, ...charges, receipt.discount, receipt.shortfall]);
            expect(paid.toString(), "INV-8").to.equal(receipt.deficit.toString());
          }
          for (const id of open) {
            expect(model.state.accounts.get(id)?.positions.size, "INV-7").to.equal(0);
            expect(model.equity(id).isNegative(), "INV-7").to.equal(false);
          }
          return receipts;
        },
      };
      for (const step of steps) step(watched);
    });
    fc.assert(property, { seed: SEED, numRuns: 100 });
    expect(reached.size).to.equal(9);
    for (const [name, times] of reached) expect(times, name).to.be.greaterThan(5);
  });

  it("moves nothing but the rounding rest when a member is set to the contract's numbers", () => {
    const model = twoMarkets();
    for (const id of [0, 1, 2]) model.deposit(id, RICH);
    model.fill({ market: 0, buyer: 0, seller: 1, lots: 10n, ticks: 1000n });
    model.fill({ market: 0, buyer: 0, seller: 2, lots: 20n, ticks: 1000n });
    model.fill({ market: 0, buyer: 3, seller: 1, lots: 1n, ticks: 1000n });
    model.deleverage({ accounts: [3] });
    // 11 · 30/31 = 10.6 lots and 30/31 of their cost.
    const actual = { lots: 10n, cost: 10_000n * UNIT - 2n, balance: RICH - 1n };
    const error = model.resync(1, 0, actual);
    expect(error.lots.toString()).to.equal("20/31");
    expect(error.cost.toString()).to.equal("2");
    expect(error.balance.toString()).to.equal("1");
    expectConserved(model);
    const [market] = model.snapshot().markets;
    expect(market?.cohorts.find(({ side }) => side === -1)).to.include({ lots: "30", members: 2 });
  });

  it("keeps a lower class waiting for its delay, restarts it on an increase, drops it when raised", () => {
    const model = twoMarkets({ defaultLeverageClass: 4 });
    const classOf = () => model.snapshot().accounts[0]?.positions[0]?.leverageClass;
    const increase = () => model.fill({ market: 0, buyer: 0, seller: 1, lots: 1n, ticks: 1000n });
    increase();
    model.chooseLeverage(0, 0, 1, 900n);
    model.setTime(899n);
    increase();
    model.setTime(1798n);
    model.touch(0, 0);
    expect(classOf()).to.equal(4);
    model.setTime(1799n);
    model.touch(0, 0);
    expect(classOf()).to.equal(1);
    model.chooseLeverage(0, 0, 0, 900n);
    model.chooseLeverage(0, 0, 5, 900n);
    model.setTime(9000n);
    model.touch(0, 0);
    expect(classOf()).to.equal(5);
  });

  describe("fresh profit", () => {
    /** Account 0 buys 10 lots at 1000 from account 1; the mark moves to 1100. */
    function inProfit(): Model {
      const model = twoMarkets();
      for (const id of [0, 1, 2]) model.deposit(id, RICH);
      model.fill({ market: 0, buyer: 0, seller: 1, lots: 10n, ticks: 1000n });
      model.setMark(0, 1100n * UNIT);
      return model;
    }
    const freshOf = (model: Model, id: number) => model.snapshot().accounts[id]?.fresh[0];

    it("takes the smaller of cash and price profit, and matures it after two epochs", () => {
      const model = inProfit();
      model.addFunding(0, 30n * UNIT * 2n ** 32n);
      model.fill({ market: 0, buyer: 2, seller: 0, lots: 4n, ticks: 1100n });
      // Price profit 400, of which funding took 120.
      expect(freshOf(model, 0)?.current).to.equal((280n * UNIT).toString());
      expect(model.snapshot().accounts[0]?.balance).to.equal(RICH.toString());
      model.advanceFreshEpoch(0, 1n);
      expect(freshOf(model, 0)?.previous).to.equal((280n * UNIT).toString());
      model.advanceFreshEpoch(0, 2n);
      expect(freshOf(model, 0)?.previous).to.equal("0");
      expect(model.snapshot().accounts[0]?.balance).to.equal((RICH + 280n * UNIT).toString());
    });

    it("counts a gain against mark even when the position closes at a loss", () => {
      const model = inProfit();
      model.setMark(0, 900n * UNIT);
      model.fill({ market: 0, buyer: 2, seller: 0, lots: 10n, ticks: 950n });
      expect(freshOf(model, 0)?.current).to.equal((500n * UNIT).toString());
      expect(model.snapshot().accounts[0]?.balance).to.equal((RICH - 1000n * UNIT).toString());
    });

    it("pays the same share of a haircut as open profit does", () => {
      const model = inProfit();
      model.fill({ market: 0, buyer: 2, seller: 0, lots: 5n, ticks: 1100n });
      model.withdraw(1, RICH - 400n * UNIT);
      const [receipt] = model.deleverage({ accounts: [1] });
      // Deficit 600. Base: 5 lots in class [1000, 1008) give 92 each, 5 · 100 are fresh, account 2 is at mark.
      expect(receipt?.base.toString()).to.equal((960n * UNIT).toString());
      expect(receipt?.freshCharge.toString()).to.equal(((600n * UNIT * 500n) / 960n).toString());
      expect(freshOf(model, 0)?.current).to.equal(((500n * UNIT * 360n) / 960n).toString());
      expectConserved(model);
    });
  });

  it("lets the book take lots before the queue, slippage to and from the fund", () => {
    const model = twoMarkets();
    for (const id of [0, 1, 2, 3]) model.deposit(id, RICH);
    model.fundDeposit(1000n * UNIT);
    model.fill({ market: 0, buyer: 0, seller: 1, lots: 10n, ticks: 1000n });
    const permits = new Map([[0, { event: 8n * UNIT, beyond: 0n }]]);
    const bookFills = [
      { market: 0, maker: 2, lots: 3n, ticks: 1001n },
      { market: 0, maker: 3, lots: 4n, ticks: 998n },
    ];
    const [receipt] = model.deleverage({ accounts: [0], permits, bookFills });
    expect(receipt?.lots.toString()).to.equal("3");
    expect(model.snapshot().fund).to.equal((995n * UNIT).toString());
    expectConserved(model);
  });

  it("starts a price class anew only when all of its lots are gone", () => {
    const model = twoMarkets();
    for (const id of [1, 2, 3]) model.deposit(id, RICH);
    model.deposit(0, 900n * UNIT);
    model.fill({ market: 0, buyer: 0, seller: 1, lots: 10n, ticks: 1000n });
    model.fill({ market: 0, buyer: 3, seller: 2, lots: 5n, ticks: 1000n });
    model.setMark(0, 900n * UNIT);
    model.withdraw(0, 50n * UNIT);
    const [first] = model.deleverage({ accounts: [0] });
    expect(first?.haircuts[0]?.amount.toString()).to.equal((150n * UNIT).toString());
    const given = () => [...(model.state.markets.get(0)?.given.values() ?? [])].map(String);
    expect(given()).to.deep.equal([(10n * UNIT).toString()]);
    model.fill({ market: 0, buyer: 1, seller: 3, lots: 1n, ticks: 1000n });
    expect(given()).to.deep.equal([(10n * UNIT).toString()]);
    model.deleverage({ accounts: [3] });
    model.fill({ market: 0, buyer: 3, seller: 2, lots: 1n, ticks: 1000n });
    expect(given()).to.deep.equal([]);
  });
});
