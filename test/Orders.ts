import { expect } from "chai";
import type { ActionWish } from "./MatchingFixture.js";
import {
  act,
  action,
  ask,
  bid,
  CONFIG,
  deployTrading,
  GRADE,
  idOf,
  KIND,
  LONG,
  MARK_TICK,
  MARKET,
  networkHelpers,
  notional,
  open,
  ownerOf,
  queue,
  REASON,
  SHORT,
  sizeOf,
  STATUS,
  TIF,
  UNIT,
  WHOLE,
} from "./MatchingFixture.js";

const TRADER = 11n;
const MAKER = 13n;
const OTHER = 14n;
const LEAST = CONFIG.minNotional * 10n ** 12n;
const LAST_TICK = 2n ** 24n - 1n;
/** A price per lot has 64 bits. */
const HIGHEST = (2n ** 64n - 1n) / UNIT;
const UNKNOWN_MARKET = 4n;
const IOC = { timeInForce: TIF.ioc };
const FOK = { timeInForce: TIF.fok };
const POST_ONLY = { timeInForce: TIF.postOnly };
const REDUCE_ONLY = { reduceOnly: true };

async function fixture() {
  const { exchange } = await networkHelpers.loadFixture(deployTrading);
  const refuses = async (account: bigint, wish: ActionWish, error: string, args: unknown[]) => {
    await expect(exchange.execute(account, [action(wish)]))
      .to.be.revertedWithCustomError(exchange, error)
      .withArgs(...args);
  };
  return { exchange, refuses };
}

describe("Orders", () => {
  describe("time in force", () => {
    const cases: { name: string; more: ActionWish; rests: boolean }[] = [
      { name: "good till cancelled rests with what is left", more: {}, rests: true },
      { name: "immediate or cancel reports what is left", more: IOC, rests: false },
    ];
    for (const { name, more, rests } of cases) {
      it(name, async () => {
        const { exchange } = await fixture();
        await act(exchange, MAKER, ask(10_000n, 60n));
        const result = await act(exchange, TRADER, bid(10_000n, 100n, more));
        expect(result).to.deep.equal({
          order: rests ? idOf(TRADER, 0n) : 0n,
          filled: 60n,
          left: rests ? 0n : 40n,
        });
        const expected = rests ? [{ id: idOf(TRADER, 0n), tick: 10_000n, lots: 40n }] : [];
        expect(await queue(exchange, LONG)).to.deep.equal(expected);
        expect((await exchange.restingOf(MARKET, TRADER)).bidLots).to.equal(rests ? 40n : 0n);
      });
    }

    it("fill or kill fills whole", async () => {
      const { exchange } = await fixture();
      await act(exchange, MAKER, ask(10_000n, 60n), ask(10_001n, 40n));
      const result = await act(exchange, TRADER, bid(10_001n, 100n, FOK));
      expect(result).to.deep.equal({ order: 0n, filled: 100n, left: 0n });
    });

    it("fill or kill is refused if the book has too little", async () => {
      const { exchange, refuses } = await fixture();
      await act(exchange, MAKER, ask(10_000n, 60n));
      await refuses(TRADER, bid(10_000n, 100n, FOK), "NotFilled", [100n, 60n]);
      await refuses(TRADER, bid(9_999n, 100n, FOK), "NotFilled", [100n, 0n]);
    });

    it("fill or kill is refused if a removal leaves too little", async () => {
      const { exchange, refuses } = await fixture();
      await act(exchange, 12n, ask(10_000n, 100n));
      await act(exchange, MAKER, ask(10_000n, 60n));
      await refuses(TRADER, bid(10_000n, 100n, FOK), "NotFilled", [100n, 60n]);
    });

    it("fill or kill is refused if the bound gets in the way", async () => {
      const { exchange, refuses } = await fixture();
      for (const account of [13n, 14n, 15n, 16n]) {
        const orders = Array.from({ length: 26 }, () => ask(10_000n, 10n));
        await exchange.execute(account, orders);
      }
      await refuses(TRADER, bid(10_000n, 1_040n, FOK), "NotFilled", [1_040n, 1_000n]);
    });

    it("post-only rests in front of the other side and is refused at it", async () => {
      const { exchange, refuses } = await fixture();
      await act(exchange, MAKER, ask(10_000n, 60n));
      await refuses(TRADER, bid(10_000n, 100n, POST_ONLY), "WouldTake", [10_000n, 10_000n]);
      const result = await act(exchange, TRADER, bid(9_999n, 100n, POST_ONLY));
      expect(result.order).to.equal(idOf(TRADER, 0n));
    });

    it("post-only is not held up by what is dead", async () => {
      const { exchange } = await fixture();
      const expiry = BigInt(await networkHelpers.time.latest()) + 100n;
      await act(exchange, MAKER, ask(10_000n, 60n, { expiry }));
      await networkHelpers.time.increaseTo(expiry);
      const result = await act(exchange, TRADER, bid(10_000n, 100n, POST_ONLY));
      expect(result.order).to.equal(idOf(TRADER, 0n));
      expect(await queue(exchange, SHORT)).to.deep.equal([]);
    });
  });

  describe("what is left beyond the band", () => {
    it("rests at its own tick if nothing is in its way", async () => {
      const { exchange } = await fixture();
      await act(exchange, MAKER, ask(10_500n, 60n));
      const result = await act(exchange, TRADER, bid(10_600n, 100n));
      expect(result).to.deep.equal({ order: idOf(TRADER, 0n), filled: 60n, left: 0n });
    });

    it("is reported if it would cross what stands there", async () => {
      const { exchange } = await fixture();
      await act(exchange, MAKER, ask(10_501n, 60n));
      const result = await act(exchange, TRADER, bid(10_600n, 100n));
      expect(result).to.deep.equal({ order: 0n, filled: 0n, left: 100n });
      expect(await queue(exchange, LONG)).to.deep.equal([]);
    });

    it("kills every stale level that it would cross", async () => {
      const { exchange } = await fixture();
      const stale = Array.from({ length: 20 }, (_, i) => ask(10_000n + BigInt(i), 20n));
      await act(exchange, MAKER, ...stale);
      await exchange.setMark(MARKET, 11_000n * UNIT);
      const result = await act(exchange, TRADER, bid(10_900n, 100n));
      expect(result.order).to.equal(idOf(TRADER, 0n));
      const [book] = await exchange.marketOf(MARKET);
      expect([book.bestBid, book.bestAsk, book.kills]).to.deep.equal([10_900n, 0n, 20n]);
    });
  });

  describe("the bound", () => {
    it("holds over all actions of a call, and reports what would cross", async () => {
      const { exchange } = await fixture();
      for (const account of [13n, 14n, 15n, 16n]) {
        const orders = Array.from({ length: 26 }, () => ask(10_000n, 10n));
        await exchange.execute(account, orders);
      }
      const buying = [bid(10_000n, 700n), bid(10_000n, 340n)];
      const results = await exchange.execute.staticCall(TRADER, buying);
      expect(results.map(({ filled, left, order }) => [filled, left, order])).to.deep.equal([
        [700n, 0n, 0n],
        [300n, 40n, 0n],
      ]);
    });

    it("is 64 actions", async () => {
      const { exchange } = await fixture();
      const actions = Array.from({ length: 65 }, () => action({ kind: KIND.cancelAll }));
      await expect(exchange.execute(TRADER, actions))
        .to.be.revertedWithCustomError(exchange, "TooManyActions")
        .withArgs(65n, 64n);
      await exchange.execute(TRADER, actions.slice(1));
    });
  });

  describe("a call", () => {
    it("may go from market to market, and each must be listed", async () => {
      const { exchange } = await fixture();
      const actions = [action(bid(9_900n, 100n)), action({ market: UNKNOWN_MARKET })];
      await expect(exchange.execute(TRADER, actions))
        .to.be.revertedWithCustomError(exchange, "UnknownMarket")
        .withArgs(UNKNOWN_MARKET);
    });
  });

  describe("what an order must be", () => {
    const refusals: { name: string; wish: ActionWish; error: string; args: unknown[] }[] = [
      { name: "no lots", wish: { lots: 0n }, error: "ZeroLots", args: [] },
      { name: "no tick", wish: { tick: 0n }, error: "TickOutOfRange", args: [0n, HIGHEST] },
      {
        name: "too small at its limit",
        wish: bid(9_000n, 11n),
        error: "OrderTooSmall",
        args: [notional(9_000n, 11n), LEAST],
      },
      {
        name: "too small at the band, however good its limit",
        wish: bid(LAST_TICK, 9n, IOC),
        error: "OrderTooSmall",
        args: [notional(10_500n, 9n), LEAST],
      },
      {
        name: "to reduce where nothing is",
        wish: bid(10_000n, 50n, REDUCE_ONLY),
        error: "NotReducing",
        args: [MARKET, TRADER],
      },
      {
        name: "in a market that is not listed",
        wish: { market: UNKNOWN_MARKET },
        error: "UnknownMarket",
        args: [UNKNOWN_MARKET],
      },
    ];
    for (const { name, wish, error, args } of refusals) {
      it(`is refused: ${name}`, async () => {
        const { refuses } = await fixture();
        await refuses(TRADER, wish, error, args);
      });
    }

    it("is enough at the least notional exactly", async () => {
      const { exchange } = await fixture();
      expect((await act(exchange, TRADER, bid(10_000n, 10n))).order).to.equal(idOf(TRADER, 0n));
      // A sale with no limit is measured at the lower edge of the band.
      const sale = await act(exchange, TRADER, ask(1n, 11n, IOC));
      expect(sale.left).to.equal(11n);
    });

    it("has a price per lot of 64 bits if it may rest", async () => {
      const { exchange, refuses } = await fixture();
      const args = [HIGHEST + 1n, HIGHEST];
      await refuses(TRADER, bid(HIGHEST + 1n, 100n), "TickOutOfRange", args);
      await act(exchange, TRADER, bid(HIGHEST, 100n));
      await act(exchange, TRADER, bid(LAST_TICK, 100n, IOC));
    });

    it("expires after now", async () => {
      const { exchange } = await fixture();
      const now = BigInt(await networkHelpers.time.latest()) + 10n;
      await networkHelpers.time.setNextBlockTimestamp(now);
      await expect(exchange.execute(TRADER, [bid(9_000n, 50n, { expiry: now })]))
        .to.be.revertedWithCustomError(exchange, "OrderExpired")
        .withArgs(now, now);
      await networkHelpers.time.setNextBlockTimestamp(now + 1n);
      await exchange.execute(TRADER, [bid(9_000n, 50n, { expiry: now + 2n })]);
      expect((await exchange.orderOf(MARKET, idOf(TRADER, 0n))).expiry).to.equal(now + 2n);
    });
  });

  describe("reduce-only", () => {
    it("is clipped to the position at once and reserves nothing", async () => {
      const { exchange } = await fixture();
      await open(exchange, TRADER, { lots: 100n });
      await act(exchange, TRADER, ask(10_100n, 500n, REDUCE_ONLY));
      expect((await exchange.orderOf(MARKET, idOf(TRADER, 0n))).lots).to.equal(100n);
      expect((await exchange.restingOf(MARKET, TRADER)).askLots).to.equal(0n);
    });

    it("may close a whole position that is below the least notional", async () => {
      const { exchange, refuses } = await fixture();
      await open(exchange, TRADER, { lots: 100n });
      // A maker's remainder: 95 of the 100 lots are bought by somebody else.
      await act(exchange, TRADER, ask(10_000n, 95n));
      await act(exchange, MAKER, bid(10_000n, 95n, IOC));
      expect(await sizeOf(exchange, TRADER)).to.equal(5n);
      await act(exchange, OTHER, bid(10_000n, 100n));
      const partial = ask(10_000n, 4n, { ...REDUCE_ONLY, ...IOC });
      await refuses(TRADER, partial, "OrderTooSmall", [notional(10_000n, 4n), LEAST]);
      const result = await act(exchange, TRADER, ask(10_000n, 5n, { ...REDUCE_ONLY, ...IOC }));
      expect(result.filled).to.equal(5n);
      expect(await exchange.marketsOf(TRADER)).to.equal(0n);
    });
  });

  describe("what an order must not leave", () => {
    it("is a position below the least notional, closed in part or turned", async () => {
      const { exchange, refuses } = await fixture();
      await open(exchange, TRADER, { lots: 100n });
      await act(exchange, OTHER, bid(10_000n, 200n));
      for (const lots of [91n, 109n]) {
        const args = [notional(MARK_TICK, 9n), LEAST];
        await refuses(TRADER, ask(10_000n, lots, IOC), "PositionTooSmall", args);
      }
      await act(exchange, TRADER, ask(10_000n, 90n, IOC));
      expect(await sizeOf(exchange, TRADER)).to.equal(10n);
    });

    it("is not looked at when the book was too thin to fill it", async () => {
      const { exchange } = await fixture();
      await open(exchange, TRADER, { lots: 100n });
      await act(exchange, OTHER, bid(10_000n, 95n));
      const result = await act(exchange, TRADER, ask(10_000n, 100n, { ...REDUCE_ONLY, ...IOC }));
      expect(result).to.deep.equal({ order: 0n, filled: 95n, left: 5n });
    });

    it("is not looked at either when the whole order would have left too little", async () => {
      const { exchange } = await fixture();
      await open(exchange, TRADER, { lots: 100n });
      await act(exchange, OTHER, bid(10_000n, 50n));
      expect((await act(exchange, TRADER, ask(10_000n, 91n, IOC))).filled).to.equal(50n);
    });
  });

  describe("the cap of open interest", () => {
    it("can be reached, and not passed by a lot", async () => {
      const { exchange, refuses } = await fixture();
      await open(exchange, TRADER, { lots: 100n });
      await exchange.setConfig(MARKET, { ...CONFIG, openInterestCap: 110n });
      await act(exchange, MAKER, bid(10_000n, 60n));
      await refuses(OTHER, ask(10_000n, 11n), "OpenInterestCapReached", [MARKET, 111n, 110n]);
      expect((await act(exchange, OTHER, ask(10_000n, 10n))).filled).to.equal(10n);
    });

    it("refuses what adds, and lets positions change hands and shrink", async () => {
      const { exchange, refuses } = await fixture();
      await open(exchange, TRADER, { lots: 100n });
      await exchange.setConfig(MARKET, { ...CONFIG, openInterestCap: 90n });
      await act(exchange, MAKER, bid(10_000n, 60n));
      const args = [MARKET, 110n, 90n];
      await refuses(OTHER, ask(10_000n, 10n), "OpenInterestCapReached", args);
      // The trader hands over to the maker.
      await act(exchange, TRADER, ask(10_000n, 50n, IOC));
      expect(await sizeOf(exchange, MAKER)).to.equal(50n);
      const [, flow] = await exchange.marketOf(MARKET);
      expect(flow.openInterest).to.equal(100n);
    });
  });

  describe("grades and statuses", () => {
    const closed: {
      name: string;
      grade?: bigint;
      status?: bigint;
      error: string;
      args: unknown[];
    }[] = [
      {
        name: "an aged price",
        grade: GRADE.aged,
        error: "PriceNotFresh",
        args: [MARKET, GRADE.aged, GRADE.fresh],
      },
      {
        name: "a dead price",
        grade: GRADE.dead,
        error: "PriceNotFresh",
        args: [MARKET, GRADE.dead, GRADE.fresh],
      },
      {
        name: "a market that may only shrink",
        status: STATUS.reduceOnly,
        error: "ReduceOnly",
        args: [MARKET],
      },
      {
        name: "a market that winds down",
        status: STATUS.windingDown,
        error: "ReduceOnly",
        args: [MARKET],
      },
      { name: "an event that waits", status: STATUS.event, error: "EventPending", args: [MARKET] },
    ];
    for (const { name, grade = GRADE.fresh, status = 0n, error, args } of closed) {
      it(`${name} refuses a new order and lets orders be cancelled`, async () => {
        const { exchange, refuses } = await fixture();
        await act(exchange, TRADER, bid(9_000n, 100n), bid(9_001n, 100n), bid(9_002n, 100n));
        await exchange.setGrade(MARKET, grade);
        await exchange.setStatus(MARKET, STATUS.listed | status);
        await refuses(TRADER, bid(9_000n, 100n), error, args);
        await act(exchange, TRADER, action({ kind: KIND.cancel, slot: 1n }));
        await act(
          exchange,
          TRADER,
          action({ kind: KIND.replace, slot: 0n, tick: 9_000n, lots: 50n }),
        );
        await act(exchange, TRADER, action({ kind: KIND.cancelAll }));
        expect(await queue(exchange, LONG)).to.deep.equal([]);
      });
    }

    for (const { name, grade, status } of [
      { name: "an aged price", grade: GRADE.aged, status: 0n },
      { name: "a market that may only shrink", grade: GRADE.fresh, status: STATUS.reduceOnly },
    ]) {
      it(`${name} lets positions be reduced`, async () => {
        const { exchange } = await fixture();
        await open(exchange, TRADER, { lots: 100n });
        await open(exchange, MAKER, { lots: -100n });
        await act(exchange, MAKER, bid(10_000n, 100n));
        await exchange.setGrade(MARKET, grade);
        await exchange.setStatus(MARKET, STATUS.listed | status);
        const result = await act(exchange, TRADER, ask(10_000n, 100n, REDUCE_ONLY));
        expect(result.filled).to.equal(100n);
      });
    }

    it("a dead price lets nothing be reduced", async () => {
      const { exchange, refuses } = await fixture();
      await open(exchange, TRADER, { lots: 100n });
      await exchange.setGrade(MARKET, GRADE.dead);
      const args = [MARKET, GRADE.dead, GRADE.aged];
      await refuses(TRADER, ask(10_000n, 100n, REDUCE_ONLY), "PriceNotFresh", args);
    });
  });

  describe("cancel", () => {
    it("frees slot, queue and reservation", async () => {
      const { exchange } = await fixture();
      await act(exchange, TRADER, bid(9_000n, 100n), bid(9_001n, 50n));
      const cancel = action({ kind: KIND.cancel, slot: 0n });
      await expect(exchange.execute(TRADER, [cancel]))
        .to.emit(exchange, "OrderRemoved")
        .withArgs(MARKET, TRADER, idOf(TRADER, 0n), 100n, REASON.cancelled);
      const { used, bidLots } = await exchange.restingOf(MARKET, TRADER);
      expect([used, bidLots]).to.deep.equal([0b10n, 50n]);
    });

    it("refuses a slot without an order, and one that there is not", async () => {
      const { refuses } = await fixture();
      for (const slot of [0n, 31n, 32n, 255n]) {
        const wish = { kind: KIND.cancel, slot };
        await refuses(TRADER, wish, "UnknownOrder", [MARKET, idOf(TRADER, slot)]);
      }
    });

    it("leaves the market once nothing is there any more", async () => {
      const { exchange } = await fixture();
      await act(exchange, TRADER, bid(9_000n, 100n));
      expect(await exchange.marketsOf(TRADER)).to.equal(1n << MARKET);
      await act(exchange, TRADER, action({ kind: KIND.cancel, slot: 0n }));
      expect(await exchange.marketsOf(TRADER)).to.equal(0n);
    });
  });

  describe("margin", () => {
    it("is reserved for every live order that may grow the position", async () => {
      const { exchange, refuses } = await fixture();
      await exchange.setAccount(TRADER, ownerOf(TRADER), 100n * WHOLE);
      await act(exchange, TRADER, bid(9_900n, 1_000n));
      // 1,000 lots at mark by ten: all of it is reserved, whatever the limit.
      const args = [100n * WHOLE, (101n * WHOLE * 10n + 2n * WHOLE) / 10n];
      await refuses(TRADER, bid(9_000n, 12n), "MarginTooLow", args);
      await act(exchange, TRADER, ask(10_100n, 1_000n));
    });
  });
});
