import { expect } from "chai";
import type { Interface } from "ethers";
import { ACCOUNT, ask, BEFORE, holding } from "./MarginFixture.js";
import {
  account,
  BASE,
  deployMargin,
  healthOf,
  LONG,
  market,
  networkHelpers,
  read,
  SHORT,
  units,
  UNIT,
} from "./MarginHand.js";
import type { Changes } from "./MarginHand.js";
import type { AccountCase, HoldingCase, MarketCase, World } from "./MarginOracle.js";
import { WHOLE } from "./MarginOracle.js";

/* Every rule once with numbers that can be checked by hand; MarginRandom compares with the model. */

describe("Margin", () => {
  describe("requirements", () => {
    const M = 1_000_000;
    const tiers = [
      { notional: 1, requirement: 0.02 },
      { notional: M, requirement: 20_000 },
      { notional: 2 * M, requirement: 70_000 },
      { notional: 5 * M, requirement: 220_000 },
      { notional: 20 * M, requirement: 1_720_000 },
      { notional: 30 * M, requirement: 3_720_000 },
    ];
    for (const { notional, requirement } of tiers) {
      it(`asks ${requirement} of a notional of ${notional}, half of it as maintenance`, async () => {
        const lot = market({ mark: 1 });
        const held = holding({ lots: BigInt(notional), chosen: 7 });
        const health = await healthOf(account(0, [held], [lot]));
        expect(health.initial).to.equal(units(requirement));
        expect(health.maintenance).to.equal(units(requirement / 2));
        expect(health.notional).to.equal(units(notional));
      });
    }

    it("goes over every edge without a step", async () => {
      const wei = { ...BASE, mark: 1n, caps: [1n, 2n, 3n] as const };
      for (const edge of wei.caps) {
        const found: bigint[] = [];
        for (const step of [-1n, 0n, 1n]) {
          const held = holding({ lots: edge * WHOLE + step, chosen: 7 });
          found.push((await healthOf(account(0, [held], [wei]))).initial ?? 0n);
        }
        const steps = found.slice(1).map((value, i) => value - (found[i] ?? 0n));
        for (const step of steps) expect(Number(step)).to.be.within(0, 1);
      }
    });

    it("rounds up once a market, maintenance from the exact half", async () => {
      const odd = { ...BASE, mark: 1n, tierLeverages: [3n, 3n, 3n, 3n] as const };
      const health = await healthOf(account(0, [holding({ lots: 4n, chosen: 7 })], [odd]));
      // 4/3 and 4/6.
      expect([health.initial, health.maintenance]).to.deep.equal([2n, 1n]);
    });

    const margins: { name: string; change: Partial<HoldingCase>; max?: number; initial: number }[] =
      [
        { name: "the default leverage", change: {}, initial: 200_000 },
        { name: "the chosen leverage", change: { chosen: 2 }, initial: 666_666.666667 },
        { name: "the tiers", change: { chosen: 7 }, initial: 70_000 },
        { name: "a choice above the cap", change: { chosen: 7 }, max: 1, initial: 1_000_000 },
        { name: "a default above the cap", change: {}, max: 0, initial: 2_000_000 },
        { name: "bids on top", change: { bids: 500n, asks: 4000n }, initial: 250_000 },
        { name: "asks beyond it", change: { bids: 500n, asks: 5000n }, initial: 300_000 },
        {
          name: "orders alone",
          change: { lots: 0n, cost: 0n, bids: 300n, asks: 500n },
          initial: 50_000,
        },
      ];
    for (const { name, change, max = 7, initial } of margins) {
      it(`takes initial margin from ${name}, for longs and shorts alike`, async () => {
        const capped = market({ maxLeverage: max });
        const held = { ...LONG, ...change };
        const mirrored = { ...held, side: -1n, bids: held.asks, asks: held.bids } as const;
        for (const each of [held, mirrored]) {
          const health = await healthOf(account(0, [each], [capped]));
          const tolerance = Number((health.initial ?? 0n) - units(initial));
          expect(Math.abs(tolerance)).to.be.lessThan(1e9);
        }
      });
    }

    it("does not count orders for maintenance", async () => {
      const busy = { ...LONG, bids: 9000n, asks: 9000n, chosen: 0 };
      expect((await healthOf(account(0, [busy]))).maintenance).to.equal(units(35_000));
    });
  });

  describe("equity", () => {
    it("is balance and value at mark, at index and at the price that waits", async () => {
      const moving = market({ mark: 990, index: 980, pending: 900 });
      const health = await healthOf(
        account(100_000, [LONG, SHORT], [moving, market({ mark: 1001 })]),
      );
      expect(health.equity).to.equal(units(100_000 - 20_000 - 2000));
      expect(health.equityAtIndex).to.equal(units(100_000 - 40_000 - 2000));
      expect(health.equityAtPending).to.equal(units(100_000 - 200_000 - 2000));
    });

    it("floors each value and charges longs what shorts receive in funding", async () => {
      const funding = 2n ** 31n + 1n; // half a wei per lot, and a little more
      const paid = market({ funding });
      const one = holding({ lots: 1n, cost: 1000n * UNIT });
      expect((await healthOf(account(0, [one], [paid]))).equity).to.equal(-1n);
      expect((await healthOf(account(0, [{ ...one, side: -1n }], [paid]))).equity).to.equal(0n);
    });

    it("is prudent: the worse price of a jump, and no profit of a dead market", async () => {
      const up = market({ pending: 1100 });
      const winning = market({ mark: 1010, dead: true });
      const losing = market({ mark: 990, dead: true });
      const prudent = async (held: HoldingCase, where: MarketCase) =>
        (await healthOf(account(0, [held], [where]))).prudent;
      expect(await prudent(LONG, up)).to.equal(0n);
      expect(await prudent(SHORT, up)).to.equal(units(-200_000));
      expect(await prudent(LONG, winning)).to.equal(0n);
      expect(await prudent(LONG, losing)).to.equal(units(-20_000));
    });

    it("needs initial margin at the larger price of a jump", async () => {
      for (const pending of [900, 1100]) {
        const health = await healthOf(account(0, [LONG], [market({ pending })]));
        expect(health.initial).to.equal(units(pending === 900 ? 200_000 : 220_000));
      }
    });

    it("counts fresh profit, and as balance what has matured", async () => {
      const fresh = { current: 3_000_000n, previous: 2_000_000n };
      const ages = [
        { epochsAgo: 0, pending: undefined, left: 5n },
        { epochsAgo: 1, pending: undefined, left: 3n },
        { epochsAgo: 2, pending: undefined, left: 0n },
        // A jump that waits since now holds what is not due yet, and nothing else.
        { epochsAgo: 0, pending: 900n * UNIT, left: 5n },
        { epochsAgo: 2, pending: 900n * UNIT, left: 0n },
      ];
      for (const { epochsAgo, pending, left } of ages) {
        const start = account(7n * WHOLE, [holding()], [{ ...BASE, pending }]);
        const at = { ...start, account: { ...start.account, fresh: { ...fresh, epochsAgo } } };
        const health = await healthOf(at);
        expect([health.equity, health.fresh]).to.deep.equal([12n * WHOLE, left * WHOLE]);
        expect(await read(at, "settledBalance", ACCOUNT)).to.equal((12n - left) * WHOLE);
        expect(await read(at, "withdrawable", ACCOUNT)).to.equal((12n - left) * WHOLE);
      }
    });

    it("is the balance alone for an account without markets", async () => {
      const health = await healthOf(account(5, []));
      expect(health.equity).to.equal(units(5));
      expect([health.initial, health.maintenance, health.notional]).to.deep.equal([0n, 0n, 0n]);
    });
  });

  describe("isLiquidatable", () => {
    const cases: { name: string; prices: Changes; balance: number; expected: boolean }[] = [
      { name: "mark and index fail", prices: { mark: 990 }, balance: 54_000, expected: true },
      {
        name: "only mark fails",
        prices: { mark: 990, index: 1000 },
        balance: 54_000,
        expected: false,
      },
      {
        name: "only index fails",
        prices: { mark: 1000, index: 990 },
        balance: 54_000,
        expected: false,
      },
      { name: "neither fails", prices: { mark: 990 }, balance: 54_500, expected: false },
      // Notional 1,980,000 needs 69,000, half of it 34,500.
      { name: "equity is maintenance", prices: { mark: 990 }, balance: 54_500, expected: false },
      { name: "a wei is missing", prices: { mark: 990 }, balance: 54_499.999999, expected: true },
      {
        name: "a waiting jump saves it",
        prices: { mark: 990, pending: 1090 },
        balance: 54_000,
        expected: false,
      },
      {
        name: "a waiting jump confirms it",
        prices: { mark: 990, pending: 890 },
        balance: 54_000,
        expected: true,
      },
    ];
    for (const { name, prices, balance, expected } of cases) {
      it(`is ${expected} when ${name}`, async () => {
        const at = account(balance, [LONG], [market(prices)]);
        expect(await read(at, "isLiquidatable", ACCOUNT)).to.equal(expected);
      });
    }
  });

  describe("withdrawable", () => {
    const winning = { ...LONG, cost: 1_900_000n * UNIT };
    const losing = { ...LONG, cost: 2_100_000n * UNIT };
    const dead = market({ dead: true });
    const waiting = market({ pending: 1100 });
    const order = holding({ bids: 100n });
    const cases: { name: string; at: World; expected: number }[] = [
      { name: "all of a flat account", at: account(7, []), expected: 7 },
      { name: "nothing of a debt", at: account(-7, []), expected: 0 },
      { name: "no unrealised profit", at: account(500_000, [winning]), expected: 300_000 },
      { name: "less an unrealised loss", at: account(500_000, [losing]), expected: 200_000 },
      { name: "less what orders reserve", at: account(15_000, [order]), expected: 5000 },
      {
        name: "no profit of a dead market",
        at: account(500_000, [losing, winning], [BASE, dead]),
        expected: 0,
      },
      { name: "a dead market's loss", at: account(500_000, [losing], [dead]), expected: 200_000 },
      { name: "nothing while a jump waits", at: account(500_000, [LONG], [waiting]), expected: 0 },
      {
        name: "nothing while one waits elsewhere",
        at: account(500_000, [LONG, order], [BASE, waiting]),
        expected: 0,
      },
      {
        name: "a flat account's money while a jump waits",
        at: account(15_000, [order], [waiting]),
        expected: 4000,
      },
    ];
    for (const { name, at, expected } of cases) {
      it(`is ${expected}: ${name}`, async () => {
        expect(await read(at, "withdrawable", ACCOUNT)).to.equal(units(expected));
      });
    }
  });

  describe("liquidation", () => {
    // 35,000 is what the position needs at 1000; elsewhere it has less than it needs there.
    const cases: { at: string; prices: Changes }[] = [
      { at: "mark", prices: { mark: 1000, index: 990, pending: 980 } },
      { at: "index", prices: { mark: 990, index: 1000, pending: 980 } },
      { at: "the price that waits", prices: { mark: 990, index: 980, pending: 1000 } },
    ];
    for (const { at, prices } of cases) {
      it(`is not for who has just what is needed at ${at}, and for who has a wei less`, async () => {
        const has = async (balance: number | bigint) =>
          read(account(balance, [LONG], [market(prices)]), "isLiquidatable", ACCOUNT);
        expect(await has(35_000)).to.equal(false);
        expect(await has(units(35_000) - 1n)).to.equal(true);
      });
    }
  });

  describe("the judge", () => {
    const half = { ...LONG, lots: 1000n, cost: 1_000_000n * UNIT };
    const start = account(40_000, [LONG]).account;
    const cases: { name: string; after: World; allowed: boolean; before?: AccountCase }[] = [
      { name: "with enough initial margin", after: account(200_000, [LONG]), allowed: true },
      {
        name: "larger with just what it needs",
        before: account(200_000, [holding()]).account,
        after: account(200_000, [LONG]),
        allowed: true,
      },
      {
        name: "larger with a wei less than it needs",
        before: account(200_000, [holding()]).account,
        after: account(units(200_000) - 1n, [LONG]),
        allowed: false,
      },
      { name: "unchanged below it", after: account(40_000, [LONG]), allowed: true },
      { name: "poorer by a wei", after: account(units(40_000) - 1n, [LONG]), allowed: false },
      { name: "smaller and healthier", after: account(40_000, [half]), allowed: true },
      // 40,000 · 10,000 / 35,000 = 11,428.57
      {
        name: "smaller with its health kept",
        after: account(11_428.571429, [half]),
        allowed: true,
      },
      {
        name: "smaller with its health lost",
        after: account(11_428.571428, [half]),
        allowed: false,
      },
      { name: "with a new bid", after: account(40_000, [{ ...LONG, bids: 1n }]), allowed: false },
      { name: "with a new ask", after: account(40_000, [{ ...half, asks: 1n }]), allowed: false },
      { name: "larger", after: account(60_000, [{ ...LONG, lots: 2001n }]), allowed: false },
      { name: "flipped", after: account(40_000, [{ ...half, side: -1n }]), allowed: false },
      {
        name: "in a second market",
        after: account(90_000, [LONG, holding({ lots: 1n })]),
        allowed: false,
      },
      {
        name: "with an order in a second market",
        after: account(90_000, [LONG, holding({ asks: 1n })]),
        allowed: false,
      },
      {
        name: "with a second market on its list",
        after: account(40_000, [LONG, holding()]),
        allowed: true,
      },
      { name: "closed with nothing", after: account(0, [holding()]), allowed: true },
      { name: "closed and off the list", after: account(0, []), allowed: true },
      { name: "closed in debt", after: account(-1n, []), allowed: false },
      {
        name: "flat in debt with fewer orders",
        before: account(-5, [holding({ bids: 2n })]).account,
        after: account(-5, [holding({ bids: 1n })]),
        allowed: true,
      },
      {
        name: "flat and deeper in debt",
        before: account(-5, [holding({ bids: 2n })]).account,
        after: account(-6, [holding({ bids: 1n })]),
        allowed: false,
      },
      {
        name: "smaller while a jump waits",
        after: account(40_000, [half], [market({ pending: 900 })]),
        allowed: true,
      },
    ];
    for (const { name, after, allowed, before = start } of cases) {
      it(`${allowed ? "allows" : "refuses"} an account that is ${name}`, async () => {
        const reader = await networkHelpers.loadFixture(deployMargin);
        const abi: Interface = reader.harness.interface;
        const call = abi.encodeFunctionData("judge", [BEFORE, ACCOUNT]);
        const [reply] = await ask(reader, { ...after, before }, [call]);
        expect(reply?.ok).to.equal(allowed);
        if (allowed) return;
        const { prudent, initial } = await healthOf(after);
        const error = abi.parseError(reply?.result ?? "0x");
        expect(error?.name).to.equal("MarginTooLow");
        expect(error?.args).to.deep.equal([prudent, initial]);
      });
    }
  });
});
