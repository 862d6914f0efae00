import { expect } from "chai";
import { NOTHING } from "./model/prices.js";
import {
  alone,
  deployPrices,
  fresh,
  LOTS_PER_BASE,
  lotsFor,
  MARKET,
  networkHelpers,
  PRICE,
  refreshAt,
  RULES,
  say,
  setBook,
  START,
  stored,
  trade,
} from "./PricesFixture.js";
import type { Stage } from "./PricesFixture.js";
import type { Reading } from "./model/prices.js";

/** Quote per lot of a coin that costs `units`. */
function at(units: bigint): bigint {
  return (units * PRICE) / 60_000n / LOTS_PER_BASE;
}

/** The tick of a coin that costs `units`. */
function tickAt(units: bigint): bigint {
  return units * 2n;
}

async function priced(): Promise<Stage> {
  const stage = await networkHelpers.loadFixture(deployPrices);
  await say(stage, fresh(at(60_000n), 10n));
  await refreshAt(stage, 10n);
  return stage;
}

/** A deep level on each side. */
async function quoteBook(stage: Stage, bid: bigint, ask: bigint): Promise<void> {
  await setBook(stage, "bids", [{ tick: tickAt(bid), lots: lotsFor(tickAt(bid)) }]);
  await setBook(stage, "asks", [{ tick: tickAt(ask), lots: lotsFor(tickAt(ask)) }]);
}

async function clearBook(stage: Stage, bid: bigint, ask: bigint): Promise<void> {
  await setBook(stage, "bids", [{ tick: tickAt(bid), lots: 0n }]);
  await setBook(stage, "asks", [{ tick: tickAt(ask), lots: 0n }]);
}

describe("Prices", () => {
  describe("before the first price", () => {
    it("is dead with mark 0 and does not revert", async () => {
      const stage = await networkHelpers.loadFixture(deployPrices);
      await say(stage, NOTHING);
      expect(await refreshAt(stage, 5n)).to.equal("index");
      const now = await stored(stage);
      expect([now.mark, now.index, now.gradeNow]).to.deep.equal([0n, 0n, "dead"]);
      expect(now.freshSince).to.equal(undefined);
    });

    it("takes the first price without a guard, as index and mark", async () => {
      const stage = await networkHelpers.loadFixture(deployPrices);
      await say(stage, alone(at(60_000n), 3n));
      await refreshAt(stage, 5n);
      const now = await stored(stage);
      expect([now.mark, now.index, now.gradeNow]).to.deep.equal([
        600_000_000_000_000n,
        600_000_000_000_000n,
        "aged",
      ]);
    });

    it("has no use for a price that a word cannot hold, or that a lot is worth nothing at", async () => {
      const stage = await networkHelpers.loadFixture(deployPrices);
      for (const [time, price] of [
        [5n, 2n ** 63n * LOTS_PER_BASE],
        [6n, LOTS_PER_BASE - 1n],
      ] as const) {
        await networkHelpers.time.setNextBlockTimestamp(await networkHelpers.time.latest());
        await stage.oracle.set(price, START + 1n, 2, 3);
        await refreshAt(stage, time);
        expect((await stored(stage)).gradeNow).to.equal("dead");
      }
    });
  });

  describe("the largest price", () => {
    it("is half of what a word holds, so that a mark above it fits", async () => {
      const stage = await networkHelpers.loadFixture(deployPrices);
      await networkHelpers.time.setNextBlockTimestamp(await networkHelpers.time.latest());
      await stage.oracle.set((2n ** 63n - 1n) * LOTS_PER_BASE, START + 1n, 2, 3);
      await refreshAt(stage, 5n);
      const now = await stored(stage);
      expect([now.index, now.gradeNow]).to.deep.equal([2n ** 63n - 1n, "fresh"]);
    });
  });

  describe("refresh", () => {
    it("works once a block; the second call loads the same", async () => {
      const stage = await priced();
      await say(stage, fresh(at(61_000n), 11n));
      await networkHelpers.time.setNextBlockTimestamp(START + 12n);
      const refresh = await stage.harness.refreshTwice.staticCall(MARKET, { blockTag: "pending" });
      expect(refresh.next).to.deep.equal(refresh.first);
      expect(refresh.first.index).to.equal(at(61_000n));

      await networkHelpers.time.setNextBlockTimestamp(START + 12n);
      const receipt = await (await stage.harness.refreshTwice(MARKET)).wait();
      expect(receipt?.logs.length).to.equal(1);
    });

    it("does not move the index twice in a block, so a wick and its recovery cannot meet in one", async () => {
      const stage = await priced();
      await say(stage, fresh(at(57_000n), 12n));
      await refreshAt(stage, 12n);
      // The recovery is there in the same second.
      await say(stage, fresh(at(60_000n), 13n));
      await networkHelpers.time.setNextBlockTimestamp(START + 12n);
      await stage.harness.refresh(MARKET);
      expect((await stored(stage)).index).to.equal(at(57_000n));
      await refreshAt(stage, 13n);
      expect((await stored(stage)).index).to.equal(at(60_000n));
    });

    it("moves the index only by an update that was published later", async () => {
      const stage = await priced();
      for (const time of [9n, 10n]) {
        await say(stage, fresh(at(61_000n), time));
        await refreshAt(stage, time + 5n);
        expect((await stored(stage)).index).to.equal(at(60_000n));
      }
      await say(stage, fresh(at(61_000n), 11n));
      await refreshAt(stage, 16n);
      expect((await stored(stage)).index).to.equal(at(61_000n));
    });

    it("emits the words as they are stored", async () => {
      const stage = await priced();
      await say(stage, fresh(at(61_000n), 11n));
      await networkHelpers.time.setNextBlockTimestamp(START + 12n);
      const transaction = await stage.harness.refresh(MARKET);
      const [price, book, sample] = await stage.harness.wordsOf(MARKET);
      const word = (parts: readonly (readonly [bigint, bigint])[]) =>
        "0x" +
        parts
          .toReversed()
          .map(([bits, value]) =>
            BigInt.asUintN(Number(bits), value).toString(2).padStart(Number(bits), "0"),
          )
          .join("")
          .padStart(256, "0")
          .replace(/.{4}/g, (four) => Number.parseInt(four, 2).toString(16));
      await expect(transaction)
        .to.emit(stage.harness, "Refreshed")
        .withArgs(
          MARKET,
          word([
            [128n, price.funding],
            [64n, price.mark],
            [64n, price.index],
          ]),
          word([
            [24n, book.bestBid],
            [24n, book.bestAsk],
            [24n, book.lastTick],
            [32n, book.lastTradeTime],
            [32n, book.refreshed],
            [24n, book.kills],
            [8n, book.grade],
            [8n, book.status],
            [32n, book.freshSince],
            [32n, book.pendingSince],
          ]),
          word([
            [64n, sample.premium],
            [32n, sample.bid],
            [32n, sample.ask],
            [32n, sample.sampled],
            [32n, sample.publishTime],
            [64n, sample.pendingIndex],
          ]),
          0,
        );
    });
  });

  describe("the jump guard", () => {
    /** [seconds, reading, index after, price that waits after] in units a coin; maxJump 8 %, maxPending 60 s. */
    type Row = readonly [time: bigint, reading: Reading, index: bigint, waiting: bigint];
    const one = (units: bigint, time: bigint) => alone(at(units), time);
    const two = (units: bigint, time: bigint) => fresh(at(units), time);
    const TABLE: readonly (readonly [name: string, rows: readonly Row[]])[] = [
      ["a move of exactly maxJump is none", [[20n, one(64_800n, 20n), 64_800n, 0n]]],
      ["one quote more waits", [[20n, alone(at(64_800n) + 1n, 20n), 60_000n, 64_800n]]],
      [
        "downwards likewise",
        [
          [20n, one(55_200n, 20n), 55_200n, 0n],
          [22n, one(50_783n, 22n), 55_200n, 50_783n],
        ],
      ],
      ["two agreeing sources confirm at once", [[20n, two(45_000n, 20n), 45_000n, 0n]]],
      [
        "three fresh sources of which none agrees do not",
        [[20n, fresh(at(45_000n), 20n, 1), 60_000n, 45_000n]],
      ],
      [
        "two that agree but are aged do not",
        [[20n, { price: at(45_000n), time: 20n, grade: "aged", agreeing: 2 }, 60_000n, 45_000n]],
      ],
      [
        "a second source confirms a waiting price, though it published before it",
        [
          [20n, one(45_000n, 20n), 60_000n, 45_000n],
          [22n, two(45_100n, 19n), 45_100n, 0n],
        ],
      ],
      [
        "the same update read again confirms nothing",
        [
          [20n, one(45_000n, 20n), 60_000n, 45_000n],
          [22n, one(45_000n, 20n), 60_000n, 45_000n],
        ],
      ],
      [
        "the next update confirms",
        [
          [20n, one(45_000n, 20n), 60_000n, 45_000n],
          [22n, one(45_200n, 21n), 45_200n, 0n],
        ],
      ],
      [
        "the next update near the old index rejects",
        [
          [20n, one(45_000n, 20n), 60_000n, 45_000n],
          [22n, one(59_000n, 21n), 59_000n, 0n],
        ],
      ],
      [
        "an update between them confirms as much as it shows",
        [
          [20n, one(40_000n, 20n), 60_000n, 40_000n],
          [22n, one(52_000n, 21n), 52_000n, 0n],
        ],
      ],
      [
        "a second jump on the same way takes the first and waits itself",
        [
          [20n, one(54_000n, 20n), 60_000n, 54_000n],
          [22n, one(48_000n, 21n), 54_000n, 48_000n],
          [24n, one(42_000n, 22n), 48_000n, 42_000n],
          [26n, one(42_500n, 23n), 42_500n, 0n],
        ],
      ],
      [
        "a jump the other way replaces, and the time goes on",
        [
          [20n, one(45_000n, 20n), 60_000n, 45_000n],
          [50n, one(75_000n, 50n), 60_000n, 75_000n],
          [79n, one(75_000n, 50n), 60_000n, 75_000n],
          [80n, one(75_000n, 50n), 75_000n, 0n],
        ],
      ],
      [
        "after maxPending the price is taken",
        [
          [20n, one(45_000n, 20n), 60_000n, 45_000n],
          [79n, one(45_000n, 20n), 60_000n, 45_000n],
          [80n, one(45_000n, 20n), 45_000n, 0n],
        ],
      ],
      [
        "while the oracle is dead nothing is taken",
        [
          [20n, one(45_000n, 20n), 60_000n, 45_000n],
          [80n, NOTHING, 60_000n, 45_000n],
          [400n, NOTHING, 60_000n, 45_000n],
          [401n, one(59_900n, 401n), 59_900n, 0n],
        ],
      ],
      [
        "a jump upwards in two halves",
        [
          [20n, one(66_000n, 20n), 60_000n, 66_000n],
          [21n, one(73_000n, 21n), 66_000n, 73_000n],
          [22n, one(66_100n, 22n), 66_100n, 0n],
        ],
      ],
    ];
    for (const [name, rows] of TABLE) {
      it(name, async () => {
        const stage = await priced();
        for (const [time, reading, index, waiting] of rows) {
          await say(stage, reading);
          await refreshAt(stage, time);
          const now = await stored(stage);
          expect(now.index, `index at ${time}`).to.be.closeTo(at(index), 1n);
          expect(now.pending ?? 0n, `waiting at ${time}`).to.be.closeTo(at(waiting), 1n);
          const [, , { pendingIndex }] = await stage.harness.wordsOf(MARKET);
          expect(pendingIndex, `stored at ${time}`).to.equal(now.pending ?? 0n);
          if (waiting !== 0n) expect(now.gradeNow).to.not.equal("fresh");
        }
      });
    }

    it("keeps a fresh reading aged while a jump waits, and the mark at the old index", async () => {
      const stage = await priced();
      await say(stage, fresh(at(45_000n), 20n, 1));
      await refreshAt(stage, 20n);
      const now = await stored(stage);
      expect([now.grade, now.mark, now.freshSince]).to.deep.equal(["aged", at(60_000n), undefined]);
      expect(now.pendingSince).to.equal(20n);
    });
  });

  describe("grade and freshSince", () => {
    it("ages by the clock alone, also when nobody calls", async () => {
      const stage = await priced();
      for (const [time, grade] of [
        [40n, "fresh"],
        [41n, "aged"],
        [310n, "aged"],
        [311n, "dead"],
      ] as const) {
        await networkHelpers.time.increaseTo(START + time);
        expect((await stored(stage)).gradeNow, `at ${time}`).to.equal(grade);
      }
    });

    it("is never better than the oracle's own", async () => {
      const stage = await priced();
      await say(stage, alone(at(60_000n), 10n));
      await refreshAt(stage, 12n);
      expect((await stored(stage)).gradeNow).to.equal("aged");
      await say(stage, NOTHING);
      await refreshAt(stage, 14n);
      const now = await stored(stage);
      expect([now.gradeNow, now.index, now.mark]).to.deep.equal(["dead", at(60_000n), at(60_000n)]);
    });

    it("counts from the first fresh refresh as long as updates follow within freshFor", async () => {
      const stage = await priced();
      const rows: readonly (readonly [bigint, Reading, bigint | undefined])[] = [
        [35n, fresh(at(60_000n), 33n), 10n],
        // Nobody called for long, but an update was published while the last was fresh.
        [80n, fresh(at(60_000n), 63n), 10n],
        // One second too late: for a second there was no fresh price.
        [95n, fresh(at(60_000n), 94n), 95n],
        [99n, alone(at(60_000n), 98n), undefined],
        [101n, fresh(at(60_000n), 100n), 101n],
        [130n, fresh(at(60_000n), 100n), 101n],
        [131n, fresh(at(60_000n), 100n), undefined],
      ];
      for (const [time, reading, since] of rows) {
        await say(stage, reading);
        await refreshAt(stage, time);
        expect((await stored(stage)).freshSince, `at ${time}`).to.equal(since);
      }
    });
  });

  describe("the band of the mark", () => {
    it("keeps it within maxDeviation of an index that leaves the premium behind", async () => {
      const stage = await priced();
      await quoteBook(stage, 60_590n, 60_610n);
      // A quarter of an hour of 1 % above the index: the premium is 600 less what six windows leave of it.
      let time = 20n;
      for (; time < 1000n; time += 60n) {
        await say(stage, fresh(at(60_000n), time));
        await refreshAt(stage, time);
      }
      const { premium } = await stored(stage);
      expect(premium).to.be.within(at(597n), at(600n));
      await say(stage, fresh(at(55_300n), time));
      expect(await refreshAt(stage, time)).to.equal("clamped");
      expect((await stored(stage)).mark).to.equal(at(55_853n));
    });
  });

  describe("the book's price", () => {
    it("is sampled by the first call of a block and not by what the block does later (INV-17)", async () => {
      const stage = await priced();
      await quoteBook(stage, 60_300n, 60_320n);
      await refreshAt(stage, 20n);
      const before = await stored(stage);
      expect([before.bid, before.ask]).to.deep.equal([
        tickAt(60_300n) << 8n,
        tickAt(60_320n) << 8n,
      ]);

      await clearBook(stage, 60_300n, 60_320n);
      await quoteBook(stage, 59_000n, 59_020n);
      await networkHelpers.time.setNextBlockTimestamp(START + 20n);
      await stage.harness.refresh(MARKET);
      expect(await stored(stage)).to.deep.equal(before);
    });

    it("is sampled at most every sampleInterval", async () => {
      const stage = await priced();
      await quoteBook(stage, 60_300n, 60_320n);
      await refreshAt(stage, 19n);
      expect((await stored(stage)).bid).to.equal(0n);
      await refreshAt(stage, 20n);
      expect((await stored(stage)).sampled).to.equal(20n);
      await clearBook(stage, 60_300n, 60_320n);
      await refreshAt(stage, 29n);
      expect((await stored(stage)).bid).to.not.equal(0n);
      await refreshAt(stage, 30n);
      expect((await stored(stage)).bid).to.equal(0n);
    });

    it("is not sampled while a jump waits", async () => {
      const stage = await priced();
      await quoteBook(stage, 60_300n, 60_320n);
      await say(stage, alone(at(50_000n), 20n));
      await refreshAt(stage, 20n);
      expect((await stored(stage)).sampled).to.equal(10n);
    });

    it("pulls the mark no further than index + premium, so it cannot act at once", async () => {
      const stage = await priced();
      await quoteBook(stage, 60_300n, 60_320n);
      expect(await refreshAt(stage, 20n)).to.equal("index");
      expect((await stored(stage)).mark).to.equal(at(60_000n));
      expect(await refreshAt(stage, 30n)).to.equal("premium");
      const now = await stored(stage);
      expect(now.mark).to.equal(now.index + now.premium);
    });

    it("is not moved by a trade below a tenth of the impact notional", async () => {
      const stage = await priced();
      await trade(stage, tickAt(61_000n), RULES.impactNotional / 10n - 1n);
      expect((await stage.harness.wordsOf(MARKET))[1].lastTick).to.equal(0n);
      await trade(stage, tickAt(61_000n), RULES.impactNotional / 10n);
      expect((await stage.harness.wordsOf(MARKET))[1].lastTick).to.equal(tickAt(61_000n));
    });

    it("is not made by trades in an empty book: the mark stays where index and premium put it", async () => {
      const stage = await priced();
      await quoteBook(stage, 59_500n, 59_520n);
      for (const time of [20n, 30n, 40n]) await refreshAt(stage, time);
      await clearBook(stage, 59_500n, 59_520n);
      await refreshAt(stage, 50n);
      for (const [time, units] of [
        [52n, 58_000n],
        [54n, 62_000n],
        [56n, 58_000n],
      ] as const) {
        await trade(stage, tickAt(units), RULES.impactNotional);
        expect(await refreshAt(stage, time)).to.equal("premium");
        const now = await stored(stage);
        expect(now.mark).to.equal(now.index + now.premium);
      }
    });

    it("follows the last trade inside the spread for lastTradeFor, then the middle", async () => {
      const stage = await priced();
      // A premium of about 1 %, so that the book's price is the middle of the three.
      await quoteBook(stage, 60_700n, 60_710n);
      for (let time = 20n; time <= 600n; time += 10n) {
        await say(stage, fresh(at(60_000n), time));
        await refreshAt(stage, time);
      }
      await clearBook(stage, 60_700n, 60_710n);
      await quoteBook(stage, 60_100n, 60_300n);
      await trade(stage, tickAt(60_120n), RULES.impactNotional);
      await say(stage, fresh(at(60_000n), 610n));
      for (const [time, units] of [
        [610n, 60_120n],
        [659n, 60_120n],
        [660n, 60_200n],
      ] as const) {
        expect(await refreshAt(stage, time)).to.equal("book");
        expect((await stored(stage)).mark, `at ${time}`).to.equal(at(units));
      }
    });

    it("lets a mark and a premium go back to the index when the book is gone", async () => {
      const stage = await priced();
      await quoteBook(stage, 60_300n, 60_320n);
      for (const time of [20n, 30n]) await refreshAt(stage, time);
      await clearBook(stage, 60_300n, 60_320n);
      await refreshAt(stage, 40n);
      const { premium } = await stored(stage);
      expect(premium > 0n).to.equal(true);
      await say(stage, fresh(at(60_000n), 190n));
      await refreshAt(stage, 190n);
      // One time constant later: 1/e of it.
      const left = Number((await stored(stage)).premium) / Number(premium);
      expect(Math.abs(left - Math.exp(-1))).to.be.lessThan(1e-9);
    });
  });

  it("costs what three words and the oracle cost", async () => {
    const stage = await priced();
    await quoteBook(stage, 60_300n, 60_320n);
    await say(stage, fresh(at(60_000n), 20n));
    for (const [time, bound] of [
      [20n, 100_000n],
      [22n, 80_000n],
    ] as const) {
      await networkHelpers.time.setNextBlockTimestamp(START + time);
      const receipt = await (await stage.harness.refresh(MARKET)).wait();
      expect(receipt?.gasUsed).to.be.lessThan(bound);
    }
  });
});
