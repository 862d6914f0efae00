import { expect } from "chai";
import {
  holdingInitialMargin,
  holdingMaintenance,
  isAllowed,
  isLiquidatable,
  limitPrice,
  lotsToTarget,
  penalty,
  tierRequirement,
  unrealised,
  withdrawable,
  zeroPrice,
} from "./margin.js";
import type { Holding, MarginAccount, Tier } from "./margin.js";
import { rational, ZERO } from "./rational.js";

const TIERS: readonly Tier[] = [
  { upTo: 1_000_000n, maxLeverage: 50n },
  { upTo: 5_000_000n, maxLeverage: 20n },
  { upTo: 20_000_000n, maxLeverage: 10n },
  { upTo: undefined, maxLeverage: 5n },
];

/** Long 2000 lots at 1000, marked there: notional 2,000,000, tiers 70,000, maintenance 35,000. */
const LONG: Holding = {
  side: 1n,
  lots: 2000n,
  cost: 2_000_000n,
  bids: 0n,
  asks: 0n,
  leverage: 10n,
  tiers: TIERS,
  volatilityRate: ZERO,
  openInterestRate: ZERO,
  funding: 0n,
  mark: 1000n,
  index: 1000n,
};
const SHORT: Holding = { ...LONG, side: -1n };

function accountWith(balance: bigint, ...holdings: readonly Holding[]): MarginAccount {
  return { balance, fresh: 0n, holdings };
}

describe("reference model: margin", () => {
  describe("requirements", () => {
    const cases = [
      { notional: 0n, requirement: 0n },
      { notional: 1_000_000n, requirement: 20_000n },
      { notional: 2_000_000n, requirement: 70_000n },
      { notional: 30_000_000n, requirement: 20_000n + 200_000n + 1_500_000n + 2_000_000n },
    ];
    for (const { notional, requirement } of cases) {
      it(`asks ${requirement} of a notional of ${notional}`, () => {
        expect(tierRequirement(TIERS, notional).equals(requirement)).to.equal(true);
      });
    }

    const margins: { name: string; holding: Partial<Holding>; initial: bigint }[] = [
      { name: "chosen leverage", holding: {}, initial: 200_000n },
      { name: "tiers", holding: { leverage: 100n }, initial: 70_000n },
      { name: "volatility", holding: { volatilityRate: rational(1n, 5n) }, initial: 400_000n },
      { name: "open interest", holding: { openInterestRate: rational(1n, 4n) }, initial: 500_000n },
      { name: "bids on top", holding: { bids: 500n, asks: 4000n }, initial: 250_000n },
      { name: "asks beyond the position", holding: { bids: 500n, asks: 5000n }, initial: 300_000n },
    ];
    for (const { name, holding, initial } of margins) {
      it(`takes initial margin from the largest of four rates: ${name}`, () => {
        expect(holdingInitialMargin({ ...LONG, ...holding }).equals(initial)).to.equal(true);
      });
    }

    it("asks for half the tiers of the position alone as maintenance", () => {
      const busy = { ...LONG, bids: 9000n, leverage: 1n, volatilityRate: rational(1n) };
      expect(holdingMaintenance(busy).toString()).to.equal("35000");
    });
  });

  it("floors the value of a position and charges longs what shorts receive in funding", () => {
    const funding = 2n ** 31n + 1n; // half a wei per lot, and a little more
    expect(unrealised({ ...LONG, lots: 1n, cost: 1000n, funding }, "mark")).to.equal(-1n);
    expect(unrealised({ ...SHORT, lots: 1n, cost: 1000n, funding }, "mark")).to.equal(0n);
  });

  it("calls an account liquidatable only if it fails at mark and at index", () => {
    const failing = { ...LONG, mark: 990n, index: 990n };
    expect(isLiquidatable(accountWith(54_000n, failing))).to.equal(true);
    expect(isLiquidatable(accountWith(54_000n, { ...failing, index: 1000n }))).to.equal(false);
    expect(isLiquidatable(accountWith(54_000n, { ...failing, mark: 1000n }))).to.equal(false);
    expect(isLiquidatable(accountWith(54_500n, failing))).to.equal(false);
  });

  describe("withdrawable", () => {
    it("lets neither unrealised nor fresh profit out", () => {
      const winning = { ...LONG, cost: 1_900_000n };
      const account = { ...accountWith(500_000n, winning), fresh: 50_000n };
      expect(withdrawable(account)).to.equal(300_000n);
    });

    it("takes unrealised losses off", () => {
      expect(withdrawable(accountWith(500_000n, { ...LONG, cost: 2_100_000n }))).to.equal(200_000n);
    });

    it("counts a dead market's loss and not its profit", () => {
      const winning = { ...LONG, cost: 1_900_000n, dead: true };
      const losing = { ...LONG, cost: 2_200_000n };
      expect(withdrawable(accountWith(700_000n, winning, losing))).to.equal(100_000n);
      expect(withdrawable(accountWith(700_000n, { ...losing, dead: true }))).to.equal(300_000n);
    });
  });

  describe("the judge", () => {
    const before = accountWith(40_000n, LONG);
    const half = { ...LONG, lots: 1000n, cost: 1_000_000n };
    const judged: { name: string; after: MarginAccount; allowed: boolean }[] = [
      { name: "enough initial margin", after: accountWith(200_000n, LONG), allowed: true },
      { name: "smaller and healthier", after: accountWith(40_000n, half), allowed: true },
      { name: "smaller, health kept by 1", after: accountWith(11_429n, half), allowed: true },
      { name: "smaller, health lost by 1", after: accountWith(11_428n, half), allowed: false },
      {
        name: "same with a new bid",
        after: accountWith(40_000n, { ...LONG, bids: 1n }),
        allowed: false,
      },
      {
        name: "flipped",
        after: accountWith(40_000n, { ...SHORT, lots: 500n, cost: 500_000n }),
        allowed: false,
      },
      { name: "closed with nothing", after: accountWith(0n), allowed: true },
      { name: "closed in debt", after: accountWith(-1n), allowed: false },
    ];
    for (const { name, after, allowed } of judged) {
      it(`${allowed ? "allows" : "refuses"} an account that is ${name}`, () => {
        expect(isAllowed(before, after)).to.equal(allowed);
      });
    }
  });

  describe("forced sale", () => {
    it("puts the zero price of a lone position at its bankruptcy price", () => {
      expect(zeroPrice(accountWith(100_000n, LONG), LONG).toString()).to.equal("950");
      expect(zeroPrice(accountWith(100_000n, SHORT), SHORT).toString()).to.equal("1050");
    });

    it("shares equity by maintenance", () => {
      const small = { ...SHORT, lots: 1000n, cost: 1_000_000n };
      // Maintenance 35,000 and 10,000; equity 90,000.
      const account = accountWith(90_000n, LONG, small);
      expect(zeroPrice(account, LONG).toString()).to.equal("965");
      expect(zeroPrice(account, small).toString()).to.equal("1020");
    });

    const slip0 = rational(2n, 1000n);
    const limits = [
      {
        name: "starts at the first slip",
        balance: 100_000n,
        elapsed: 0n,
        long: "998",
        short: "1002",
      },
      {
        name: "is half way at half time",
        balance: 100_000n,
        elapsed: 15n,
        long: "974",
        short: "1026",
      },
      {
        name: "ends at the zero price",
        balance: 100_000n,
        elapsed: 99n,
        long: "950",
        short: "1050",
      },
      {
        name: "never passes a near zero price",
        balance: 2000n,
        elapsed: 0n,
        long: "999",
        short: "1001",
      },
      { name: "is mark without equity", balance: -5000n, elapsed: 9n, long: "1000", short: "1000" },
    ];
    for (const { name, balance, elapsed, long, short } of limits) {
      it(`has a limit that ${name}`, () => {
        const clock = { slip0, elapsed, duration: 30n };
        expect(limitPrice(accountWith(balance, LONG), LONG, clock).toString()).to.equal(long);
        expect(limitPrice(accountWith(balance, SHORT), SHORT, clock).toString()).to.equal(short);
      });
    }

    const sales = [
      { name: "enough already", balance: 43_750n, price: 1000n, minNotional: 0n, lots: 0n },
      {
        name: "at mark, inside a bracket",
        balance: 30_000n,
        price: 1000n,
        minNotional: 0n,
        lots: 440n,
      },
      { name: "at a worse price", balance: 30_000n, price: 998n, minNotional: 0n, lots: 471n },
      { name: "over a bracket's edge", balance: 1000n, price: 1000n, minNotional: 0n, lots: 1920n },
      { name: "a rest too small", balance: 1000n, price: 1000n, minNotional: 80_001n, lots: 2000n },
      { name: "never enough", balance: 1000n, price: 950n, minNotional: 0n, lots: 2000n },
    ];
    const free = rational(0n);
    for (const { name, balance, price, minNotional, lots } of sales) {
      it(`sells ${lots} lots: ${name}`, () => {
        const sale = { price: rational(price), penalty: free, minNotional };
        expect(lotsToTarget(accountWith(balance, LONG), LONG, sale)).to.equal(lots);
        const mirrored = { price: rational(2000n - price), penalty: free, minNotional };
        expect(lotsToTarget(accountWith(balance, SHORT), SHORT, mirrored)).to.equal(lots);
      });
    }

    it("charges the rate, but never what would lower equity / MM", () => {
      const before = { equity: 30_000n, maintenance: rational(35_000n) };
      const after = { equity: 30_000n, maintenance: rational(24_000n) };
      expect(penalty(rational(2200n), before, after)).to.equal(2200n);
      // 30,000 − 24,000 · 30,000 / 35,000 = 9428.57
      expect(penalty(rational(99_999n), before, after)).to.equal(9428n);
      expect(penalty(rational(2200n), before, { equity: 500n, maintenance: ZERO })).to.equal(500n);
      expect(penalty(rational(2200n), before, { equity: -1n, maintenance: ZERO })).to.equal(0n);
    });
  });
});
