import { expect } from "chai";
import {
  act,
  ask,
  bid,
  CONFIG,
  deployTrading,
  feeUp,
  GRADE,
  idOf,
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
  take,
  taking,
  TIF,
  UNIT,
  WHOLE,
} from "./MatchingFixture.js";

const TAKER = 11n;
const SAME_OWNER = 12n;
const MAKER = 13n;
const OTHER = 14n;
const LAST_TICK = 2n ** 24n - 1n;
const IOC = { timeInForce: TIF.ioc };

async function fixture() {
  const { exchange } = await networkHelpers.loadFixture(deployTrading);
  /** The taker buys with no limit but the band. */
  const buy = (lots: bigint, more = {}) =>
    take(exchange, { taker: TAKER, side: LONG, lots, limitTick: LAST_TICK, ...more });
  return { exchange, buy };
}

describe("Matching", () => {
  describe("priority", () => {
    it("takes the better price first, and at one price the older order", async () => {
      const { exchange } = await fixture();
      await act(exchange, MAKER, ask(10_020n, 100n));
      await act(exchange, OTHER, ask(10_010n, 100n));
      await act(exchange, MAKER, ask(10_010n, 100n));
      const taken = await take(exchange, {
        taker: TAKER,
        side: LONG,
        lots: 150n,
        limitTick: 10_030n,
      });
      expect(taken.lots).to.equal(150n);
      expect(taken.quote).to.equal(notional(10_010n, 150n));
      expect(await queue(exchange, SHORT)).to.deep.equal([
        { id: idOf(MAKER, 1n), tick: 10_010n, lots: 50n },
        { id: idOf(MAKER, 0n), tick: 10_020n, lots: 100n },
      ]);
    });

    it("never goes beyond the taker's limit", async () => {
      const { exchange } = await fixture();
      await act(exchange, MAKER, bid(9_990n, 100n), bid(9_980n, 100n));
      const sale = { taker: TAKER, side: SHORT, lots: 500n, limitTick: 9_981n };
      expect((await take(exchange, sale)).lots).to.equal(100n);
      expect(await sizeOf(exchange, TAKER)).to.equal(-100n);
      expect(await sizeOf(exchange, MAKER)).to.equal(100n);
    });

    it("changes the taker's position once for all its fills", async () => {
      const { exchange } = await fixture();
      await act(exchange, MAKER, ask(10_000n, 50n), ask(10_001n, 50n));
      const tx = exchange.take(
        taking({ taker: TAKER, side: LONG, lots: 100n, limitTick: 10_001n }),
      );
      const events = await exchange.queryFilter(
        exchange.filters.PositionChanged(MARKET, TAKER),
        (await (await tx).wait())?.blockNumber,
      );
      expect(events.length).to.equal(1);
    });

    it("closes first and opens with the rest, whatever the number of fills", async () => {
      const { exchange, buy } = await fixture();
      await open(exchange, TAKER, { lots: -120n });
      await act(exchange, MAKER, ask(10_000n, 50n), ask(10_010n, 100n));
      await buy(150n);
      expect(await sizeOf(exchange, TAKER)).to.equal(30n);
      // 120 lots bought back: 50 at 10,000, 70 at 10,010; the 30 that opened cost 10,010 each.
      const { cost } = await exchange.positionOf(MARKET, TAKER);
      expect(cost).to.equal(notional(10_010n, 30n));
    });
  });

  describe("fees", () => {
    it("are rounded up for each maker, and for the taker once", async () => {
      const { exchange } = await fixture();
      const odd = { ...CONFIG, makerFee: 7n, takerFee: 13n, unit: 10n ** 14n + 1n };
      await exchange.setConfig(MARKET, odd);
      await act(exchange, MAKER, ask(10_000n, 33n));
      await act(exchange, OTHER, ask(10_003n, 44n));
      const quotes = [10_000n * 33n * odd.unit, 10_003n * 44n * odd.unit] as const;
      const before = await exchange.balanceOf(TAKER);
      const buying = taking({ taker: TAKER, side: LONG, lots: 77n, limitTick: 10_003n });
      await expect(exchange.take(buying))
        .to.emit(exchange, "Filled")
        .withArgs(MARKET, MAKER, TAKER, idOf(MAKER, 0n), LONG, 10_000n, 33n, feeUp(quotes[0], 7n))
        .to.emit(exchange, "Filled")
        .withArgs(MARKET, OTHER, TAKER, idOf(OTHER, 0n), LONG, 10_003n, 44n, feeUp(quotes[1], 7n));
      const takerFee = feeUp(quotes[0] + quotes[1], 13n);
      expect(before - (await exchange.balanceOf(TAKER))).to.equal(takerFee);
      const [, flow] = await exchange.marketOf(MARKET);
      expect(flow.fees).to.equal(feeUp(quotes[0], 7n) + feeUp(quotes[1], 7n) + takerFee);
    });

    it("are not asked of a forced taker", async () => {
      const { exchange, buy } = await fixture();
      await act(exchange, MAKER, ask(10_000n, 100n));
      const before = await exchange.balanceOf(TAKER);
      await buy(100n, { isForced: true });
      expect(await exchange.balanceOf(TAKER)).to.equal(before);
      const [, flow] = await exchange.marketOf(MARKET);
      expect(flow.fees).to.equal(feeUp(notional(10_000n, 100n), CONFIG.makerFee));
    });

    it("are asked of makers that an event meets, whose taker is nobody", async () => {
      const { exchange } = await fixture();
      await act(exchange, MAKER, ask(10_000n, 100n));
      const taken = await take(exchange, { side: LONG, lots: 60n, limitTick: 10_000n });
      expect(taken.lots).to.equal(60n);
      expect(await sizeOf(exchange, MAKER)).to.equal(-60n);
      expect(await sizeOf(exchange, 0n)).to.equal(0n);
      const [, flow] = await exchange.marketOf(MARKET);
      expect(flow.fees).to.equal(feeUp(notional(10_000n, 60n), CONFIG.makerFee));
    });
  });

  describe("removals", () => {
    it("cancels the resting order where one owner meets himself", async () => {
      const { exchange } = await fixture();
      await act(exchange, SAME_OWNER, ask(10_000n, 100n));
      await act(exchange, MAKER, ask(10_000n, 100n));
      const buying = taking({ taker: TAKER, side: LONG, lots: 50n, limitTick: 10_000n });
      await expect(exchange.take(buying))
        .to.emit(exchange, "OrderRemoved")
        .withArgs(MARKET, SAME_OWNER, idOf(SAME_OWNER, 0n), 100n, REASON.selfTrade);
      expect(await sizeOf(exchange, SAME_OWNER)).to.equal(0n);
      expect(await sizeOf(exchange, MAKER)).to.equal(-50n);
      expect((await exchange.restingOf(MARKET, SAME_OWNER)).askLots).to.equal(0n);
    });

    it("removes what has expired, from the second of its expiry on", async () => {
      const { exchange } = await fixture();
      const expiry = BigInt(await networkHelpers.time.latest()) + 100n;
      await act(exchange, MAKER, ask(10_000n, 100n, { expiry }));
      await act(exchange, OTHER, ask(10_000n, 100n, { expiry: expiry + 1n }));
      await networkHelpers.time.setNextBlockTimestamp(expiry);
      const buying = taking({ taker: TAKER, side: LONG, lots: 50n, limitTick: 10_000n });
      await expect(exchange.take(buying))
        .to.emit(exchange, "OrderRemoved")
        .withArgs(MARKET, MAKER, idOf(MAKER, 0n), 100n, REASON.expired);
      expect(await sizeOf(exchange, OTHER)).to.equal(-50n);
    });

    it("removes a reduce-only order once there is nothing to reduce", async () => {
      const { exchange, buy } = await fixture();
      await open(exchange, MAKER, { lots: 100n });
      await act(exchange, MAKER, ask(10_010n, 100n, { reduceOnly: true }));
      await act(exchange, MAKER, ask(10_020n, 80n, { reduceOnly: true }));
      await act(exchange, OTHER, ask(10_030n, 100n));
      expect((await exchange.restingOf(MARKET, MAKER)).askLots).to.equal(0n);
      const taken = await buy(150n);
      expect([taken.lots, taken.fills]).to.deep.equal([150n, 3n]);
      expect(await sizeOf(exchange, MAKER)).to.equal(0n);
      expect(await sizeOf(exchange, OTHER)).to.equal(-50n);
    });

    it("clips a reduce-only order to the position, then removes its rest", async () => {
      const { exchange } = await fixture();
      await open(exchange, MAKER, { lots: 100n });
      await act(exchange, MAKER, ask(10_010n, 100n, { reduceOnly: true }));
      await act(exchange, MAKER, ask(10_000n, 60n));
      await act(exchange, TAKER, bid(10_000n, 60n, IOC));
      expect(await sizeOf(exchange, MAKER)).to.equal(40n);
      const buying = taking({ taker: TAKER, side: LONG, lots: 100n, limitTick: 10_010n });
      await expect(exchange.take(buying))
        .to.emit(exchange, "OrderRemoved")
        .withArgs(MARKET, MAKER, idOf(MAKER, 0n), 60n, REASON.notReducing);
      expect(await sizeOf(exchange, MAKER)).to.equal(0n);
    });
  });

  describe("the band", () => {
    it("fills at both of its edges and nowhere beyond", async () => {
      const { exchange } = await fixture();
      for (const tick of [9_499n, 9_500n]) await act(exchange, MAKER, bid(tick, 100n));
      for (const tick of [10_500n, 10_501n]) await act(exchange, OTHER, ask(tick, 100n));
      const side = { taker: TAKER, lots: 1_000n };
      const bought = await take(exchange, { ...side, side: LONG, limitTick: LAST_TICK });
      expect(bought.quote).to.equal(notional(10_500n, 100n));
      const sold = await take(exchange, { ...side, side: SHORT, limitTick: 1n });
      expect(sold.quote).to.equal(notional(9_500n, 100n));
    });

    it("has edges rounded inwards", async () => {
      const { exchange } = await fixture();
      // 95 % of 10,010.5 is 9,509.975, 105 % is 10,511.025.
      await exchange.setMark(MARKET, 10_010n * UNIT + UNIT / 2n);
      for (const tick of [9_509n, 9_510n]) await act(exchange, MAKER, bid(tick, 100n));
      for (const tick of [10_511n, 10_512n]) await act(exchange, OTHER, ask(tick, 100n));
      const side = { taker: TAKER, lots: 1_000n };
      const bought = await take(exchange, { ...side, side: LONG, limitTick: LAST_TICK });
      expect(bought.quote).to.equal(notional(10_511n, 100n));
      const sold = await take(exchange, { ...side, side: SHORT, limitTick: 1n });
      expect(sold.quote).to.equal(notional(9_510n, 100n));
    });

    it("starts at its edge, and kills the levels in front of it", async () => {
      const { exchange } = await fixture();
      await act(exchange, MAKER, bid(9_990n, 100n), bid(9_990n, 50n), bid(9_400n, 100n));
      // The mark falls by a tenth: 9,990 is now above the band, 9,400 inside.
      await exchange.setMark(MARKET, 9_000n * UNIT);
      const selling = taking({ taker: TAKER, side: SHORT, lots: 80n, limitTick: 9_000n });
      await expect(exchange.take(selling))
        .to.emit(exchange, "LevelKilled")
        .withArgs(MARKET, LONG, 9_990n, 2n);
      expect(await sizeOf(exchange, MAKER)).to.equal(80n);
      const [book] = await exchange.marketOf(MARKET);
      expect([book.bestBid, book.kills]).to.deep.equal([9_400n, 1n]);
    });

    it("gives what is killed back at its owner's next action", async () => {
      const { exchange } = await fixture();
      await act(exchange, MAKER, bid(9_990n, 100n), bid(9_400n, 100n));
      await exchange.setMark(MARKET, 9_000n * UNIT);
      await take(exchange, { taker: TAKER, side: SHORT, lots: 10n, limitTick: 9_000n });
      expect((await exchange.restingOf(MARKET, MAKER)).bidLots).to.equal(190n);
      await act(exchange, MAKER, bid(9_000n, 20n));
      const { bidLots, used } = await exchange.restingOf(MARKET, MAKER);
      expect([bidLots, used]).to.deep.equal([110n, 0b11n]);
    });

    it("is not held up by any number of stale levels", async () => {
      const { exchange } = await fixture();
      for (let i = 0n; i < 20n; i++) await act(exchange, MAKER, bid(9_900n + i, 10_000n));
      await act(exchange, OTHER, bid(9_400n, 100n));
      await exchange.setMark(MARKET, 9_000n * UNIT);
      const sale = { taker: TAKER, side: SHORT, limitTick: 9_000n };
      const sold = await take(exchange, { ...sale, lots: 10n, maxFills: 1n });
      expect([sold.lots, sold.fills, sold.isBound]).to.deep.equal([10n, 1n, false]);
      // With steps to spare it clears some for the others, but not all.
      const again = await take(exchange, { ...sale, lots: 10n });
      expect([again.lots, again.fills]).to.deep.equal([10n, 1n + 8n]);
    });
  });

  describe("a waiting jump", () => {
    /** Everybody may shrink only, as while a jump waits: the taker has a position to close, the makers the other side of it. */
    async function waiting(taker: bigint, index: bigint) {
      const { exchange } = await fixture();
      await open(exchange, TAKER, { lots: taker });
      await open(exchange, MAKER, { lots: -taker });
      const order = taker > 0n ? bid : ask;
      for (const tick of [9_990n, 9_950n, 9_949n, 10_050n, 10_051n]) {
        const isBehindMark = taker > 0n === tick < MARK_TICK;
        if (isBehindMark) await act(exchange, MAKER, order(tick, 20n));
      }
      await exchange.setGrade(MARKET, GRADE.aged);
      await exchange.setPending(MARKET, 1n, index);
      const side = taker > 0n ? SHORT : LONG;
      const limitTick = taker > 0n ? 1n : LAST_TICK;
      return { exchange, wish: { taker: TAKER, side, limitTick, lots: 100n, isReduceOnly: true } };
    }

    it("holds back bids above the price that waits, and keeps them", async () => {
      // 9,950.5: rounded down, so that no bid above it is filled.
      const { exchange, wish } = await waiting(100n, 9_950n * UNIT + UNIT / 2n);
      const { quote } = await take(exchange, wish);
      expect(quote).to.equal(notional(9_950n, 20n) + notional(9_949n, 20n));
      expect(await queue(exchange, LONG)).to.deep.equal([
        { id: idOf(MAKER, 0n), tick: 9_990n, lots: 20n },
      ]);
    });

    it("holds back asks below the price that waits", async () => {
      const { exchange, wish } = await waiting(-100n, 10_050n * UNIT + 1n);
      const { quote } = await take(exchange, wish);
      expect(quote).to.equal(notional(10_051n, 20n));
      expect(await queue(exchange, SHORT)).to.deep.equal([
        { id: idOf(MAKER, 0n), tick: 10_050n, lots: 20n },
      ]);
    });

    it("holds back nothing where the price moves to the makers' advantage", async () => {
      const { exchange, wish } = await waiting(100n, 10_900n * UNIT);
      const { lots } = await take(exchange, wish);
      expect(lots).to.equal(60n);
    });

    it("lets nobody be filled whose price is beyond the band, and forced sales wait too", async () => {
      const { exchange, wish } = await waiting(100n, 8_000n * UNIT);
      expect((await take(exchange, wish)).lots).to.equal(0n);
      expect((await take(exchange, { ...wish, isForced: true })).lots).to.equal(0n);
      expect(await queue(exchange, LONG)).to.have.lengthOf(3);
      await exchange.setPending(MARKET, 0n, 8_000n * UNIT);
      expect((await take(exchange, wish)).lots).to.equal(60n);
    });
  });

  describe("the makers' margin", () => {
    /** Five bids of 900 lots, each covered alone by 100 units: 1 / 10 of 900 is 90. */
    async function fiveBids() {
      const { exchange, buy } = await fixture();
      await exchange.setAccount(MAKER, ownerOf(MAKER), 100n * WHOLE);
      const bids = [9_999n, 9_998n, 9_997n, 9_996n, 9_995n].map((tick) => bid(tick, 900n));
      await exchange.executeUnjudged(MAKER, bids);
      return { exchange, buy };
    }

    it("does not let five positions stand on one margin", async () => {
      const { exchange } = await fiveBids();
      // The price falls to the bids; maintenance is 1 %, so 100 units carry no more than about 10,000 lots.
      await exchange.setAccount(MAKER, ownerOf(MAKER), 20n * WHOLE);
      const selling = taking({ taker: OTHER, side: SHORT, lots: 4_500n, limitTick: 9_000n });
      await expect(exchange.take(selling))
        .to.emit(exchange, "OrderRemoved")
        .withArgs(MARKET, MAKER, idOf(MAKER, 2n), 900n, REASON.marginTooLow)
        .to.emit(exchange, "OrdersKilled")
        .withArgs(MARKET, MAKER, LONG, 1n)
        .to.emit(exchange, "OrderRemoved")
        .withArgs(MARKET, MAKER, idOf(MAKER, 4n), 900n, REASON.killed);
      expect(await sizeOf(exchange, MAKER)).to.equal(1_800n);
      const { equity, maintenance } = await exchange.healthOf(MAKER);
      expect(equity >= BigInt(maintenance), "INV-12").to.equal(true);
      expect((await exchange.restingOf(MARKET, MAKER)).bidLots).to.equal(0n);
    });

    it("needs initial margin where the price is worse than mark", async () => {
      const { exchange } = await fiveBids();
      await exchange.setMark(MARKET, 9_900n * UNIT);
      // 900 lots bought 0.99 % above the mark: IM 89.1, and 8.9 of the 100 are lost at once.
      const first = await take(exchange, {
        taker: OTHER,
        side: SHORT,
        lots: 4_500n,
        limitTick: 9_000n,
      });
      expect(first.lots).to.equal(900n);
      expect(first.fills).to.equal(5n);
      expect(await queue(exchange, LONG)).to.deep.equal([]);
    });

    it("does not fill an ask far below mark that would empty the account", async () => {
      const { exchange } = await fixture();
      await exchange.setAccount(MAKER, ownerOf(MAKER), 110n * WHOLE);
      await open(exchange, MAKER, { lots: 1_000n });
      await act(exchange, MAKER, ask(10_010n, 1_000n, { timeInForce: TIF.postOnly }));
      // 4.7 % below the new mark, 47 units of the account's equity for a friend.
      await exchange.setMark(MARKET, 10_500n * UNIT);
      await exchange.setAccount(MAKER, ownerOf(MAKER), -460n * WHOLE);
      const buying = taking({ taker: OTHER, side: LONG, lots: 500n, limitTick: 10_010n });
      await expect(exchange.take(buying))
        .to.emit(exchange, "OrderRemoved")
        .withArgs(MARKET, MAKER, idOf(MAKER, 0n), 1_000n, REASON.marginTooLow);
      expect(await sizeOf(exchange, MAKER)).to.equal(1_000n);
    });

    it("always lets a maker shrink at mark or better", async () => {
      const { exchange } = await fixture();
      await open(exchange, MAKER, { lots: 1_000n });
      await act(exchange, MAKER, ask(10_000n, 1_000n));
      // Far below zero, and still the sale at mark only lowers risk.
      await exchange.setAccount(MAKER, ownerOf(MAKER), -5_000n * WHOLE);
      const taken = await take(exchange, {
        taker: OTHER,
        side: LONG,
        lots: 400n,
        limitTick: 10_000n,
      });
      expect(taken.lots).to.equal(400n);
      expect(await sizeOf(exchange, MAKER)).to.equal(600n);
    });
  });

  describe("who may grow", () => {
    it("passes over makers that would grow while the price is aged, and keeps them", async () => {
      const { exchange } = await fixture();
      await open(exchange, TAKER, { lots: -100n });
      await open(exchange, OTHER, { lots: 100n });
      await act(exchange, MAKER, ask(10_000n, 100n));
      await act(exchange, OTHER, ask(10_000n, 150n));
      await exchange.setGrade(MARKET, GRADE.aged);
      const result = await act(exchange, TAKER, bid(10_000n, 100n, { reduceOnly: true, ...IOC }));
      expect(result.filled).to.equal(100n);
      expect(await sizeOf(exchange, OTHER)).to.equal(0n);
      expect(await queue(exchange, SHORT)).to.deep.equal([
        { id: idOf(MAKER, 0n), tick: 10_000n, lots: 100n },
        { id: idOf(OTHER, 0n), tick: 10_000n, lots: 50n },
      ]);
    });

    it("closes the gap in front of one that is passed over", async () => {
      const { exchange } = await fixture();
      await open(exchange, TAKER, { lots: -100n });
      await open(exchange, OTHER, { lots: 100n });
      await act(exchange, SAME_OWNER, ask(10_000n, 50n));
      await act(exchange, MAKER, ask(10_000n, 60n));
      await act(exchange, SAME_OWNER, ask(10_000n, 70n));
      await act(exchange, OTHER, ask(10_000n, 100n));
      await act(exchange, MAKER, ask(10_000n, 80n));
      await exchange.setGrade(MARKET, GRADE.aged);
      await act(exchange, TAKER, bid(10_000n, 100n, { reduceOnly: true, ...IOC }));
      expect(await queue(exchange, SHORT)).to.deep.equal([
        { id: idOf(MAKER, 0n), tick: 10_000n, lots: 60n },
        { id: idOf(MAKER, 1n), tick: 10_000n, lots: 80n },
      ]);
      const [first, second] = [idOf(MAKER, 0n), idOf(MAKER, 1n)];
      expect((await exchange.orderOf(MARKET, first)).prev).to.equal(0n);
      expect((await exchange.orderOf(MARKET, second)).prev).to.equal(first);
    });

    it("lets them grow against a forced sale", async () => {
      const { exchange, buy } = await fixture();
      await open(exchange, TAKER, { lots: -100n });
      await act(exchange, MAKER, ask(10_000n, 100n));
      await exchange.setGrade(MARKET, GRADE.aged);
      await exchange.setStatus(MARKET, STATUS.listed | STATUS.reduceOnly);
      expect((await buy(100n, { isForced: true })).lots).to.equal(100n);
      expect(await sizeOf(exchange, MAKER)).to.equal(-100n);
    });
  });

  describe("bounds", () => {
    it("stops at the bound and says so", async () => {
      const { exchange, buy } = await fixture();
      await act(exchange, MAKER, ask(10_000n, 50n), ask(10_001n, 50n), ask(10_002n, 50n));
      const taken = await buy(150n, { maxFills: 2n });
      expect(taken).to.deep.equal({
        lots: 100n,
        quote: notional(10_000n, 50n) + notional(10_001n, 50n),
        fills: 2n,
        isBound: true,
      });
    });

    it("counts removals as fills", async () => {
      const { exchange, buy } = await fixture();
      await act(exchange, SAME_OWNER, ask(10_000n, 50n), ask(10_000n, 50n));
      await act(exchange, MAKER, ask(10_000n, 50n));
      const taken = await buy(50n, { maxFills: 2n });
      expect([taken.lots, taken.fills, taken.isBound]).to.deep.equal([0n, 2n, true]);
      expect(await queue(exchange, SHORT)).to.deep.equal([
        { id: idOf(MAKER, 0n), tick: 10_000n, lots: 50n },
      ]);
    });

    it("takes no more than closes, if it is to reduce only", async () => {
      const { exchange, buy } = await fixture();
      await open(exchange, TAKER, { lots: -30n });
      await act(exchange, MAKER, ask(10_000n, 100n));
      const taken = await buy(100n, { isReduceOnly: true });
      expect([taken.lots, taken.isBound]).to.deep.equal([30n, false]);
    });
  });

  describe("the last trade", () => {
    it("counts from a tenth of the impact notional on", async () => {
      const { exchange, buy } = await fixture();
      await act(exchange, MAKER, ask(10_000n, 1_999n), ask(10_001n, 3_000n));
      await buy(1_999n);
      expect((await exchange.marketOf(MARKET))[0].lastTick).to.equal(0n);
      await buy(2_000n);
      const [{ lastTick, lastTradeTime }] = await exchange.marketOf(MARKET);
      const now = BigInt(await networkHelpers.time.latest());
      expect([lastTick, lastTradeTime]).to.deep.equal([10_001n, now]);
    });

    it("is the last price at which enough was traded, not a lot at the end", async () => {
      const { exchange, buy } = await fixture();
      await act(exchange, MAKER, ask(10_000n, 2_000n), ask(10_300n, 10n));
      await buy(2_010n);
      expect((await exchange.marketOf(MARKET))[0].lastTick).to.equal(MARK_TICK);
    });
  });
});
