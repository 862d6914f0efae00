import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import type { BookHarness } from "../typechain-types/index.js";
import { BookHarness__factory } from "../typechain-types/index.js";
import { idOf, LONG, LONG_AGO, NaiveBook, newOrder, SHORT } from "./BookModel.js";
import type { Known } from "./BookModel.js";

const SEED = 0xb00c;
const MARKET = 3n;
const REASON = { cancelled: 0n, replaced: 1n, expired: 2n, killed: 6n };
const FAR_FUTURE = 2n ** 32n - 1n;

const { ethers, networkHelpers } = await network.create();

async function deployBook() {
  const deployer = await ethers.provider.getSigner(0);
  const book = await new BookHarness__factory(deployer).deploy();
  return { book };
}

const ACCOUNTS = [11n, 12n, 4_000_000_000n] as const;
// Neighbours, the ends of a word, other words, and the last tick.
const TICKS = [1n, 2n, 255n, 256n, 65_536n, 70_000n, 16_777_215n] as const;

const anyAccount = fc.constantFrom(...ACCOUNTS);
const anySide = fc.constantFrom(LONG, SHORT);
const anyTick = fc.constantFrom(...TICKS);

const anyStep = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("place" as const),
      account: anyAccount,
      side: anySide,
      tick: anyTick,
      lots: fc.bigInt({ min: 1n, max: 2n ** 56n - 1n }),
      expiry: fc.constantFrom(0n, LONG_AGO, FAR_FUTURE),
      isReduceOnly: fc.boolean(),
      // A taker's own call may kill a level between its touch and its order.
      isTouched: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("remove" as const), pick: fc.nat(1_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("shrink" as const),
      pick: fc.nat(1_000),
      part: fc.bigInt({ min: 1n, max: 100n }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("killLevel" as const), pick: fc.nat(1_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("killSide" as const),
      account: anyAccount,
      side: anySide,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("touch" as const), account: anyAccount }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("cancelAll" as const), account: anyAccount }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("sweep" as const),
      side: anySide,
      limit: anyTick,
      edge: anyTick,
      maxSteps: fc.bigInt({ min: 0n, max: 6n }),
    }),
  },
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

function pickOf<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % Math.max(list.length, 1)];
}

/** Does one step to both. A step that names an order does nothing when there is none. */
async function doStep(book: BookHarness, naive: NaiveBook, step: Step): Promise<void> {
  switch (step.kind) {
    case "place": {
      if (step.isTouched) {
        await book.touch(step.account);
        naive.touch(step.account);
      }
      if (naive.of(step.account).length === 32) return;
      await book.append(newOrder(step));
      naive.append(step);
      return;
    }
    case "remove": {
      const order = pickOf(naive.orders, step.pick);
      if (order === undefined) return;
      await book.remove(order.id, REASON.cancelled);
      naive.drop(({ id }) => id === order.id);
      return;
    }
    case "shrink": {
      const live = naive.orders.filter((o) => o.isLinked && o.isReserved);
      const order = pickOf(live, step.pick);
      if (order === undefined) return;
      const lots = (order.lots * step.part + 99n) / 100n;
      await book.shrink(order.id, lots);
      naive.orders = naive.orders.map((o) => (o === order ? { ...o, lots } : o));
      return;
    }
    case "killLevel": {
      const level = pickOf(naive.levels(), step.pick);
      if (level === undefined) return;
      await book.killLevel(level.side, level.tick);
      naive.killLevel(level.side, level.tick);
      return;
    }
    case "killSide":
      await book.killSide(step.account, step.side);
      naive.killSide(step.account, step.side);
      return;
    case "touch":
      await book.touch(step.account);
      naive.touch(step.account);
      return;
    case "cancelAll":
      await book.cancelAll(step.account, REASON.cancelled);
      naive.drop(({ account }) => account === step.account);
      return;
    case "sweep":
      await book.sweep(step.side, step.limit, step.edge, step.maxSteps);
      naive.sweep(step.side, step.limit, step.edge, step.maxSteps);
      return;
  }
}

/** INV-5: each queue both ways, its sum, the bitmap, the best prices, slots and reservations. */
async function expectSame(book: BookHarness, naive: NaiveBook): Promise<void> {
  for (const side of [LONG, SHORT]) {
    for (const tick of TICKS) await expectSameQueue(book, side, tick, naive.queue(side, tick));
  }
  const { bestBid, bestAsk } = await book.bookOf();
  expect([bestBid, bestAsk], "INV-5 best").to.deep.equal([naive.best(LONG), naive.best(SHORT)]);
  for (const account of ACCOUNTS) {
    const resting = await book.restingOf(account);
    const used = naive.of(account).reduce((bits, { id }) => bits | (1n << (id & 255n)), 0n);
    expect(resting.used, "used slots").to.equal(used);
    expect(resting.bidLots, "reserved bids").to.equal(naive.reserved(account, LONG));
    expect(resting.askLots, "reserved asks").to.equal(naive.reserved(account, SHORT));
  }
}

async function expectSameQueue(
  book: BookHarness,
  side: bigint,
  tick: bigint,
  queue: readonly Known[],
): Promise<void> {
  const level = await book.levelOf(side, tick);
  expect(level.lots, "INV-5 sum").to.equal(queue.reduce((total, { lots }) => total + lots, 0n));
  expect(level.head).to.equal(queue[0]?.id ?? 0n);
  expect(level.tail).to.equal(queue.at(-1)?.id ?? 0n);
  const found = await book.nextFrom(side, tick);
  expect(found === tick, "INV-5 bitmap").to.equal(queue.length > 0);
  for (const [i, { id, lots, expiry, isReduceOnly }] of queue.entries()) {
    const order = await book.orderOf(id);
    expect(order.lots).to.equal(lots);
    expect(order.tick).to.equal(tick);
    expect(order.prev, "INV-5 fifo").to.equal(queue[i - 1]?.id ?? 0n);
    expect(order.next, "INV-5 fifo").to.equal(queue[i + 1]?.id ?? 0n);
    expect(order.expiry).to.equal(expiry);
    expect(order.flags).to.equal(side + (isReduceOnly ? 2n : 0n));
  }
}

describe("Book", () => {
  it("agrees with lists of orders after every step of random sequences", async () => {
    const property = fc.asyncProperty(
      fc.array(anyStep, { minLength: 20, maxLength: 45 }),
      async (steps) => {
        const { book } = await networkHelpers.loadFixture(deployBook);
        const naive = new NaiveBook();
        for (const step of steps) {
          await doStep(book, naive, step);
          await expectSame(book, naive);
        }
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: 25, endOnFailure: true });
  });

  describe("append", () => {
    it("gives the lowest free slot, or the slot that is asked for", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      const order = { account: 11n, side: LONG, tick: 5n, lots: 1n };
      await book.append(newOrder({ ...order, slot: 1n }));
      await book.append(newOrder(order));
      expect(await book.append.staticCall(newOrder(order))).to.equal(idOf(11n, 2n));
    });

    it("refuses the thirty-third order", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      const order = newOrder({ account: 11n, side: LONG, tick: 5n, lots: 1n });
      for (let i = 0; i < 32; i++) await book.append(order);
      await expect(book.append(order))
        .to.be.revertedWithCustomError(book, "NoFreeSlot")
        .withArgs(MARKET, 11n);
    });

    it("says everything about the order", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      const order = { account: 11n, side: SHORT, tick: 9n, lots: 7n, expiry: FAR_FUTURE };
      await expect(book.append(newOrder({ ...order, isReduceOnly: true })))
        .to.emit(book, "OrderPlaced")
        .withArgs(MARKET, 11n, idOf(11n, 0n), 9n, 7n, FAR_FUTURE, 3n);
    });

    it("writes over the words of an order and a level that were used before", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      const order = newOrder({ account: 11n, side: LONG, tick: 5n, lots: 1n });
      await book.append(order);
      await book.remove(idOf(11n, 0n), REASON.cancelled);
      expect((await book.orderOf(idOf(11n, 0n))).tick).to.equal(5n);
      expect((await book.levelOf(LONG, 5n)).epoch).to.equal(1n);
    });
  });

  describe("shrink", () => {
    it("keeps the place in the queue and says the new size", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      const order = { side: LONG, tick: 5n, lots: 10n };
      await book.append(newOrder({ ...order, account: 11n }));
      await book.append(newOrder({ ...order, account: 12n }));
      await expect(book.shrink(idOf(11n, 0n), 4n))
        .to.emit(book, "OrderPlaced")
        .withArgs(MARKET, 11n, idOf(11n, 0n), 5n, 4n, 0n, 0n);
      expect((await book.levelOf(LONG, 5n)).head).to.equal(idOf(11n, 0n));
    });
  });

  describe("remove", () => {
    it("refuses a slot that is free", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      await expect(book.remove(idOf(11n, 3n), REASON.cancelled))
        .to.be.revertedWithCustomError(book, "UnknownOrder")
        .withArgs(MARKET, idOf(11n, 3n));
    });

    it("says what was left of the order and why it went", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      await book.append(newOrder({ account: 11n, side: LONG, tick: 5n, lots: 8n }));
      await expect(book.remove(idOf(11n, 0n), REASON.replaced))
        .to.emit(book, "OrderRemoved")
        .withArgs(MARKET, 11n, idOf(11n, 0n), 8n, REASON.replaced);
    });
  });

  describe("killLevel", () => {
    it("is one event, whatever the number of orders, and counts", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      for (let i = 0; i < 5; i++) {
        await book.append(newOrder({ account: 11n, side: SHORT, tick: 9n, lots: 1n }));
      }
      await expect(book.killLevel(SHORT, 9n))
        .to.emit(book, "LevelKilled")
        .withArgs(MARKET, SHORT, 9n, 2n);
      expect((await book.bookOf()).kills).to.equal(1n);
    });

    it("leaves the reservation until the owner's touch", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      await book.append(newOrder({ account: 11n, side: SHORT, tick: 9n, lots: 3n }));
      await book.killLevel(SHORT, 9n);
      expect((await book.restingOf(11n)).askLots).to.equal(3n);
      await expect(book.touch(11n))
        .to.emit(book, "OrderRemoved")
        .withArgs(MARKET, 11n, idOf(11n, 0n), 3n, REASON.killed);
      expect((await book.restingOf(11n)).askLots).to.equal(0n);
    });

    it("does not kill what is placed at the same tick afterwards", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      await book.append(newOrder({ account: 11n, side: SHORT, tick: 9n, lots: 3n }));
      await book.killLevel(SHORT, 9n);
      await book.append(newOrder({ account: 12n, side: SHORT, tick: 9n, lots: 4n }));
      await book.touch(11n);
      await book.touch(12n);
      expect((await book.restingOf(12n)).used).to.equal(1n);
      expect((await book.levelOf(SHORT, 9n)).lots).to.equal(4n);
    });
  });

  describe("killSide", () => {
    it("drops the reservation at once and leaves the orders linked", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      await book.append(newOrder({ account: 11n, side: LONG, tick: 9n, lots: 3n }));
      await expect(book.killSide(11n, LONG))
        .to.emit(book, "OrdersKilled")
        .withArgs(MARKET, 11n, LONG, 1n);
      expect((await book.restingOf(11n)).bidLots).to.equal(0n);
      expect((await book.levelOf(LONG, 9n)).lots).to.equal(3n);
    });

    it("lets the owner's next touch clear the orders away, though no level was killed", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      await book.append(newOrder({ account: 11n, side: LONG, tick: 9n, lots: 3n }));
      await book.append(newOrder({ account: 11n, side: SHORT, tick: 10n, lots: 5n }));
      await book.killSide(11n, LONG);
      await book.touch(11n);
      expect((await book.levelOf(LONG, 9n)).lots).to.equal(0n);
      expect((await book.restingOf(11n)).used).to.equal(2n);
      expect((await book.restingOf(11n)).askLots).to.equal(5n);
    });
  });

  describe("touch", () => {
    it("costs the same however many orders rest, while nothing died", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      const order = newOrder({ account: 11n, side: LONG, tick: 5n, lots: 1n });
      await book.append(order);
      const one = await book.touch.estimateGas(11n);
      for (let i = 0; i < 31; i++) await book.append(order);
      expect(await book.touch.estimateGas(11n)).to.equal(one);
    });

    it("looks for the dead once only", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      for (const account of [11n, 12n]) {
        await book.append(newOrder({ account, side: LONG, tick: 5n + account, lots: 1n }));
      }
      const idle = await book.touch.estimateGas(11n);
      await book.killLevel(LONG, 17n);
      expect(await book.touch.estimateGas(11n)).to.be.greaterThan(idle);
      await book.touch(11n);
      expect(await book.touch.estimateGas(11n)).to.equal(idle);
    });

    it("does not look for what died before the first order", async () => {
      const { book } = await networkHelpers.loadFixture(deployBook);
      await book.append(newOrder({ account: 11n, side: LONG, tick: 5n, lots: 1n }));
      const idle = await book.touch.estimateGas(11n);
      await book.killLevel(LONG, 5n);
      await book.append(newOrder({ account: 12n, side: LONG, tick: 6n, lots: 1n }));
      expect(await book.touch.estimateGas(12n)).to.equal(idle);
    });
  });
});
