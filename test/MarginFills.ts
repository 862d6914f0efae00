import { expect } from "chai";
import { ACCOUNT, holding, readAll } from "./MarginFixture.js";
import {
  account,
  BASE,
  deployMargin,
  healthOf,
  LONG,
  LONG_SIDE,
  market,
  networkHelpers,
  read,
  SHORT,
  SHORT_SIDE,
  units,
  UNIT,
} from "./MarginHand.js";
import { cohortOf } from "./MarginOracle.js";
import type { World } from "./MarginOracle.js";

/* Makers and forced sales, with numbers that can be checked by hand. */

describe("Margin of fills", () => {
  describe("allowsMaker", () => {
    const flat = holding();
    const small = holding({ lots: 100n, cost: 100_000n * UNIT });
    const bond = market({ cohortBond: 3000n });
    const crash = market({ pending: 900 });
    type Case = {
      name: string;
      at: World;
      side: number;
      lots: bigint;
      price: number;
      fee?: number;
      allowed: boolean;
    };
    const cases: Case[] = [
      // 100 lots at 1000: maintenance 1000, initial 10,000 at leverage 10.
      {
        name: "opens at mark with maintenance",
        at: account(1010, [flat]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1000,
        fee: 10,
        allowed: true,
      },
      {
        name: "opens at mark without its fee",
        at: account(1009, [flat]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1000,
        fee: 10,
        allowed: false,
      },
      {
        name: "opens better than mark",
        at: account(0, [flat]),
        side: LONG_SIDE,
        lots: 100n,
        price: 990,
        allowed: true,
      },
      {
        name: "opens a short better than mark",
        at: account(0, [flat]),
        side: SHORT_SIDE,
        lots: 100n,
        price: 1010,
        allowed: true,
      },
      {
        name: "opens worse with initial margin",
        at: account(11_000, [flat]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1010,
        allowed: true,
      },
      {
        name: "opens worse with less",
        at: account(10_999, [flat]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1010,
        allowed: false,
      },
      {
        name: "sells worse with less",
        at: account(10_999, [flat]),
        side: SHORT_SIDE,
        lots: 100n,
        price: 990,
        allowed: false,
      },
      {
        name: "has its own orders, which do not count",
        at: account(1000, [holding({ bids: 9000n })]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1000,
        allowed: true,
      },
      {
        name: "grows",
        at: account(2000, [small]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1000,
        allowed: true,
      },
      {
        name: "grows too far",
        at: account(1999, [small]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1000,
        allowed: false,
      },
      {
        name: "flips",
        at: account(1000, [small]),
        side: SHORT_SIDE,
        lots: 200n,
        price: 1000,
        allowed: true,
      },
      {
        name: "flips too far",
        at: account(1000, [small]),
        side: SHORT_SIDE,
        lots: 201n,
        price: 1000,
        allowed: false,
      },
      {
        name: "shrinks at mark, however poor",
        at: account(-5000, [small]),
        side: SHORT_SIDE,
        lots: 50n,
        price: 1000,
        allowed: true,
      },
      {
        name: "shrinks worse and keeps its health",
        at: account(2000, [small]),
        side: SHORT_SIDE,
        lots: 50n,
        price: 980,
        allowed: true,
      },
      {
        name: "shrinks worse and loses health",
        at: account(2000, [small]),
        side: SHORT_SIDE,
        lots: 50n,
        price: 979.9,
        allowed: false,
      },
      {
        name: "closes worse with its last coin",
        at: account(2000, [small]),
        side: SHORT_SIDE,
        lots: 100n,
        price: 980,
        allowed: true,
      },
      {
        name: "closes worse into debt",
        at: account(2000, [small]),
        side: SHORT_SIDE,
        lots: 100n,
        price: 979.9,
        allowed: false,
      },
      {
        name: "may have to pay a cohort's bond",
        at: account(1003, [flat], [bond]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1000,
        allowed: true,
      },
      {
        name: "cannot pay a cohort's bond",
        at: account(1002, [flat], [bond]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1000,
        allowed: false,
      },
      {
        name: "needs no bond to shrink",
        at: account(2000, [small], [bond]),
        side: SHORT_SIDE,
        lots: 50n,
        price: 980,
        allowed: true,
      },
      // 2,000,000 elsewhere: maintenance 35,000.
      {
        name: "has enough elsewhere",
        at: account(36_000, [flat, LONG]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1000,
        allowed: true,
      },
      {
        name: "has too little elsewhere",
        at: account(35_999, [flat, LONG]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1000,
        allowed: false,
      },
      {
        name: "has initial margin elsewhere too",
        at: account(211_000, [flat, LONG]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1010,
        allowed: true,
      },
      {
        name: "lacks initial margin elsewhere",
        at: account(210_999, [flat, LONG]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1010,
        allowed: false,
      },
      // A waiting fall to 900: a bid at mark is worse than that, a loss of 10,000 at 900 and initial margin of 10,000.
      {
        name: "buys at mark before a fall with enough",
        at: account(20_000, [flat], [crash]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1000,
        allowed: true,
      },
      {
        name: "buys at mark before a fall",
        at: account(19_999, [flat], [crash]),
        side: LONG_SIDE,
        lots: 100n,
        price: 1000,
        allowed: false,
      },
      {
        name: "sells at mark before a fall",
        at: account(1000, [flat], [crash]),
        side: SHORT_SIDE,
        lots: 100n,
        price: 1000,
        allowed: true,
      },
      {
        name: "buys back at mark before a fall with nothing",
        at: account(0, [{ ...small, side: -1n }], [crash]),
        side: LONG_SIDE,
        lots: 50n,
        price: 1000,
        allowed: true,
      },
      {
        name: "buys back at mark before a fall in debt",
        at: account(-1n, [{ ...small, side: -1n }], [crash]),
        side: LONG_SIDE,
        lots: 50n,
        price: 1000,
        allowed: false,
      },
    ];
    for (const { name, at, side, lots, price, fee = 0, allowed } of cases) {
      it(`${allowed ? "lets" : "stops"} one that ${name}`, async () => {
        const args = [0, ACCOUNT, side, lots, units(price), units(fee)] as const;
        expect(await read(at, "allowsMaker", ...args)).to.equal(allowed);
      });
    }
  });

  describe("a cohort's bond", () => {
    // 1,000,000 ticks of 1e12, in the class [999,424, 1,007,616) ticks. Initial margin of 200 lots: 20,000.
    const own = holding({ lots: 100n, cost: 100_000n * UNIT, entry: 1_000_000n << 16n });
    const bond = market({ cohortBond: 3000n });
    const cases = [
      { name: "is not due in the maker's own cohort", price: 1001, balance: 20_100, allowed: true },
      {
        name: "is due where growing moves the average",
        price: 1020,
        balance: 22_000,
        allowed: false,
      },
      { name: "is covered there", price: 1020, balance: 22_003, allowed: true },
    ];
    for (const { name, price, balance, allowed } of cases) {
      it(name, async () => {
        const at = account(balance, [own], [bond]);
        const args = [0, ACCOUNT, LONG_SIDE, 100n, units(price), 0n] as const;
        expect(await read(at, "allowsMaker", ...args)).to.equal(allowed);
      });
    }

    it("is not due where others are", async () => {
      const cohort = cohortOf(own);
      const at = { ...account(1000, [holding()], [bond]), cohorts: [cohort] };
      const args = [0, ACCOUNT, LONG_SIDE, 100n, units(1000), 0n] as const;
      expect(await read(at, "allowsMaker", ...args)).to.equal(true);
    });
  });

  it("counts what an event elsewhere has paid and the account has not drawn", async () => {
    // Elsewhere: 100 lots at 1000 and 1100 now, 50 of them closed there: 5000 in cash, 5000 in what is left, which needs
    // 550. Here: 100 lots, which need 1000.
    const before = (balance: number) => account(balance, [holding(), holding()], [BASE, rising]);
    const rising = market({ mark: 1100 });
    const reader = await networkHelpers.loadFixture(deployMargin);
    for (const [balance, allowed] of [
      [-8450, true],
      [-8451, false],
    ] as const) {
      const [, , answer] = await readAll(
        reader,
        before(balance),
        ["trade", 1, ACCOUNT, LONG_SIDE, 100n, units(1000), 0n],
        ["happen", 1, ACCOUNT, 0n, 50n],
        ["allowsMaker", 0, ACCOUNT, LONG_SIDE, 100n, units(1000), 0n],
      );
      expect(answer).to.equal(allowed);
    }
  });

  describe("forced sale", () => {
    it("puts the zero price of a lone position at its bankruptcy price", async () => {
      expect(await read(account(100_000, [LONG]), "zeroPrice", 0, ACCOUNT)).to.equal(units(950));
      expect(await read(account(100_000, [SHORT]), "zeroPrice", 0, ACCOUNT)).to.equal(units(1050));
      expect(await read(account(100_000, []), "zeroPrice", 0, ACCOUNT)).to.equal(0n);
    });

    it("shares equity by maintenance", async () => {
      const small = holding({ side: -1n, lots: 1000n, cost: 1_000_000n * UNIT });
      // Maintenance 35,000 and 10,000; equity 90,000.
      const at = account(90_000, [LONG, small]);
      expect(await read(at, "zeroPrice", 0, ACCOUNT)).to.equal(units(965));
      expect(await read(at, "zeroPrice", 1, ACCOUNT)).to.equal(units(1020));
    });

    const SHY = 4n; // what a limit stays short of the zero price
    const limits: {
      name: string;
      balance: number;
      elapsed: number;
      long: bigint;
      short: bigint;
    }[] = [
      {
        name: "starts at the first slip",
        balance: 100_000,
        elapsed: 0,
        long: units(998),
        short: units(1002),
      },
      {
        name: "is half way at half time",
        balance: 100_000,
        elapsed: 15,
        long: units(974),
        short: units(1026),
      },
      {
        name: "ends a few wei short of the zero price",
        balance: 100_000,
        elapsed: 30,
        long: units(950) + SHY,
        short: units(1050) - SHY,
      },
      {
        name: "stays there",
        balance: 100_000,
        elapsed: 999,
        long: units(950) + SHY,
        short: units(1050) - SHY,
      },
      {
        name: "never passes a near zero price",
        balance: 2000,
        elapsed: 0,
        long: units(999) + SHY,
        short: units(1001) - SHY,
      },
      {
        name: "is mark without equity",
        balance: -5000,
        elapsed: 9,
        long: units(1000),
        short: units(1000),
      },
    ];
    for (const { name, balance, elapsed, long, short } of limits) {
      it(`has a limit that ${name}`, async () => {
        const zero = units(balance / 2000);
        const down = account(balance, [LONG]);
        expect(await read(down, "limit", 0, ACCOUNT, elapsed)).to.deep.equal([
          long,
          units(1000) - zero,
        ]);
        const up = account(balance, [SHORT]);
        expect(await read(up, "limit", 0, ACCOUNT, elapsed)).to.deep.equal([
          short,
          units(1000) + zero,
        ]);
      });
    }

    it("has no limit but mark without a position", async () => {
      expect(await read(account(1, []), "limit", 0, ACCOUNT, 0)).to.deep.equal([units(1000), 0n]);
    });

    // Exactly at the target is not enough: a sale may lose two wei to rounding, a requirement one.
    const sales: {
      name: string;
      balance: number | bigint;
      price: number;
      min?: bigint;
      penalty?: bigint;
      lots: bigint;
    }[] = [
      { name: "enough already", balance: 43_750, price: 1000, lots: 0n },
      { name: "at mark, inside a bracket", balance: 30_000.001, price: 1000, lots: 440n },
      { name: "at mark, exactly at the target", balance: 30_000, price: 1000, lots: 441n },
      { name: "at a worse price", balance: 30_000, price: 998, lots: 471n },
      { name: "at a better price", balance: 30_000, price: 1010, lots: 334n },
      { name: "over a bracket's edge", balance: 1000.001, price: 1000, lots: 1920n },
      {
        name: "a rest too small",
        balance: 1000.001,
        price: 1000,
        min: 80_000_001n,
        lots: 2000n,
      },
      {
        name: "a rest just large enough",
        balance: 1000.001,
        price: 1000,
        min: 80_000_000n,
        lots: 1920n,
      },
      { name: "never enough", balance: 1000, price: 950, lots: 2000n },
      // At a loss of 20 a lot equity gains on the target down to the bracket's edge, and loses beyond it. There, with the roundings:
      // 4 · (equity − 2 wei − 20,000) ≥ 5 · (10,000 + 1 wei)
      {
        name: "the only size that is enough",
        balance: units(32_500) + 4n,
        price: 980,
        lots: 1000n,
      },
      { name: "none by a wei", balance: units(32_500) + 3n, price: 980, lots: 2000n },
      // 4 · (30,000.001 − d · 5) ≥ 5 · what is left needs: d = 5 · … / (125 − 20) instead of 125
      { name: "with a penalty", balance: 30_000.001, price: 1000, penalty: 5000n, lots: 524n },
      { name: "without equity", balance: -1000, price: 1000, lots: 2000n },
    ];
    for (const { name, balance, price, min = 0n, penalty = 0n, lots } of sales) {
      it(`sells ${lots} lots: ${name}`, async () => {
        const where = market({ minNotional: min, penalty });
        const down = account(balance, [LONG], [where]);
        expect(await read(down, "lotsToTarget", 0, ACCOUNT, units(price))).to.equal(lots);
        const up = account(balance, [SHORT], [where]);
        expect(await read(up, "lotsToTarget", 0, ACCOUNT, units(2000 - price))).to.equal(lots);
      });
    }

    it("rounds the penalty of a lot up", async () => {
      // At 1000 and a wei a lot brings a wei more and costs 5 and a two-hundredth of a wei, which counts as a wei:
      // 4 · (30,625 + 4 wei − 2 wei − 500 · 5) ≥ 5 · (1 wei + 1500 · 25 − 15,000)
      const where = market({ penalty: 5000n });
      const enough = units(30_625) + 4n;
      for (const [balance, lots] of [
        [enough, 500n],
        [enough - 1n, 501n],
      ] as const) {
        const at = account(balance, [LONG], [where]);
        expect(await read(at, "lotsToTarget", 0, ACCOUNT, units(1000) + 1n)).to.equal(lots);
      }
    });

    it("takes the tiers' word for it where a sale in one bracket changes nothing", async () => {
      // At a loss of 12.5 a lot the first bracket asks for as much less as the sale costs, so that it bounds no size; the second asks for
      // half of the position. The other market needs three wei:
      // 4 · (25,000 + 7 wei − 2 wei − d · 12.5) = 5 · (3 wei + 1 wei + (2000 − d) · 10) for every d.
      const wei = { ...BASE, mark: 1n, index: 1n };
      const few = holding({ lots: 300n, cost: 300n });
      const enough = units(25_000) + 7n;
      for (const [held, price] of [
        [LONG, 987.5],
        [SHORT, 1012.5],
      ] as const) {
        const lotsFor = async (balance: bigint) =>
          read(
            account(balance, [held, few], [BASE, wei]),
            "lotsToTarget",
            0,
            ACCOUNT,
            units(price),
          );
        expect(await lotsFor(enough)).to.equal(1000n);
        expect(await lotsFor(enough - 1n)).to.equal(2000n);
      }
    });

    it("finds where maintenance ends, to the wei, on the safe side", async () => {
      // Long: 100,000 + n − 2,000,000 = n/40 − 15,000, so n = 1,885,000 · 40/39. Short: n = 2,115,000 · 40/41.
      const long = await read(account(100_000, [LONG]), "liquidationPrice", 0, ACCOUNT);
      expect(long).to.equal(966_666_666_666_666_667n);
      const short = await read(account(100_000, [SHORT]), "liquidationPrice", 0, ACCOUNT);
      expect(short).to.equal(1_031_707_317_073_170_731n);
    });

    it("has no liquidation price where no mark is one", async () => {
      for (const at of [account(1, []), account(2_000_000, [LONG]), account(-2_000_001, [SHORT])]) {
        expect(await read(at, "liquidationPrice", 0, ACCOUNT)).to.equal(0n);
      }
    });

    const penalties = [
      { name: "the rate", rate: 2200, before: 30_000, after: 30_000, left: 24_000, taken: 2200n },
      // 30,000 − 24,000 · 30,000 / 35,000 = 9428.57
      {
        name: "what health can spare",
        rate: 99_999,
        before: 30_000,
        after: 30_000,
        left: 24_000,
        taken: 9428n,
      },
      { name: "what is left", rate: 2200, before: 30_000, after: 500, left: 0, taken: 500n },
      { name: "nothing of a debt", rate: 2200, before: 30_000, after: -1, left: 0, taken: 0n },
      {
        name: "nothing from deeper debt",
        rate: 2200,
        before: -900,
        after: -20,
        left: 10_000,
        taken: 0n,
      },
      {
        name: "nothing of the only wei",
        rate: 2200,
        before: 1,
        after: 1,
        left: 24_000,
        taken: 0n,
      },
      {
        name: "nothing from lost health",
        rate: 2200,
        before: 30_000,
        after: 100,
        left: 24_000,
        taken: 0n,
      },
    ];
    for (const { name, rate, before, after, left, taken } of penalties) {
      it(`charges ${name} as penalty`, async () => {
        const empty = await healthOf(account(0, []));
        const was = { ...empty, equity: BigInt(before), maintenance: 35_000n };
        const now = { ...empty, equity: BigInt(after), maintenance: BigInt(left) };
        expect(await read(account(0, []), "penalty", rate, was, now)).to.equal(taken);
      });
    }
  });
});
