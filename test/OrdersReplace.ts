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
  MARKET,
  networkHelpers,
  notional,
  open,
  ownerOf,
  queue,
  REASON,
  SHORT,
  sizeOf,
  TIF,
  UNIT,
  WHOLE,
} from "./MatchingFixture.js";

const TRADER = 11n;
const MAKER = 13n;
const TICK = 9_900n;

const replacing = (wish: ActionWish) => action({ kind: KIND.replace, tick: TICK, ...wish });
const choosing = (slot: bigint) => action({ kind: KIND.leverage, slot });

/** The trader's bid of 100 lots in slot 0, in front of the maker's at the same tick. */
async function fixture() {
  const { exchange } = await networkHelpers.loadFixture(deployTrading);
  await act(exchange, TRADER, bid(TICK, 100n));
  await act(exchange, MAKER, bid(TICK, 70n));
  return { exchange };
}

describe("Orders: replacing", () => {
  const cases: { name: string; wish: ActionWish; keeps: boolean }[] = [
    { name: "keeps its place when only the size falls", wish: { lots: 40n }, keeps: true },
    { name: "keeps its place when nothing changes", wish: { lots: 100n }, keeps: true },
    {
      name: "keeps its place when it falls as a post-only order",
      wish: { lots: 40n, timeInForce: TIF.postOnly },
      keeps: true,
    },
    { name: "goes to the end when the size rises", wish: { lots: 101n }, keeps: false },
    {
      name: "goes to the end with another expiry",
      wish: { lots: 40n, expiry: 2n ** 32n - 1n },
      keeps: false,
    },
  ];
  for (const { name, wish, keeps } of cases) {
    it(name, async () => {
      const { exchange } = await fixture();
      const result = await act(exchange, TRADER, replacing(wish));
      expect(result).to.deep.equal({ order: idOf(TRADER, 0n), filled: 0n, left: 0n });
      const own = { id: idOf(TRADER, 0n), tick: TICK, lots: wish.lots };
      const other = { id: idOf(MAKER, 0n), tick: TICK, lots: 70n };
      expect(await queue(exchange, LONG)).to.deep.equal(keeps ? [own, other] : [other, own]);
      expect((await exchange.restingOf(MARKET, TRADER)).bidLots).to.equal(wish.lots);
    });
  }

  it("moves to another tick in its own slot, side and flag as they were", async () => {
    const { exchange } = await fixture();
    await act(exchange, TRADER, bid(TICK, 30n));
    const moving = replacing({ tick: TICK - 1n, lots: 60n, side: SHORT, reduceOnly: true });
    await expect(exchange.execute(TRADER, [moving]))
      .to.emit(exchange, "OrderRemoved")
      .withArgs(MARKET, TRADER, idOf(TRADER, 0n), 100n, REASON.replaced)
      .to.emit(exchange, "OrderPlaced")
      .withArgs(MARKET, TRADER, idOf(TRADER, 0n), TICK - 1n, 60n, 0n, 0n);
  });

  it("takes what it reaches at its new tick", async () => {
    const { exchange } = await fixture();
    await act(exchange, MAKER, ask(9_950n, 60n));
    const result = await act(exchange, TRADER, replacing({ tick: 9_950n, lots: 100n }));
    expect(result).to.deep.equal({ order: idOf(TRADER, 0n), filled: 60n, left: 0n });
    expect(await sizeOf(exchange, TRADER)).to.equal(60n);
    expect((await exchange.restingOf(MARKET, TRADER)).bidLots).to.equal(40n);
  });

  it("frees the slot if nothing of it is to rest", async () => {
    const { exchange } = await fixture();
    const immediate = replacing({ lots: 50n, timeInForce: TIF.ioc });
    const result = await act(exchange, TRADER, immediate);
    expect(result).to.deep.equal({ order: 0n, filled: 0n, left: 50n });
    expect((await exchange.restingOf(MARKET, TRADER)).used).to.equal(0n);
  });

  it("refuses a slot without an order", async () => {
    const { exchange } = await fixture();
    await expect(exchange.execute(TRADER, [replacing({ slot: 1n })]))
      .to.be.revertedWithCustomError(exchange, "UnknownOrder")
      .withArgs(MARKET, idOf(TRADER, 1n));
  });

  it("refuses an order whose level was killed", async () => {
    const { exchange } = await fixture();
    await exchange.setMark(MARKET, 9_000n * UNIT);
    await act(exchange, 14n, ask(9_000n, 50n));
    await expect(exchange.execute(TRADER, [replacing({ lots: 50n })]))
      .to.be.revertedWithCustomError(exchange, "UnknownOrder")
      .withArgs(MARKET, idOf(TRADER, 0n));
  });

  it("refuses an order whose level was killed earlier in the same call", async () => {
    const { exchange } = await networkHelpers.loadFixture(deployTrading);
    await act(exchange, TRADER, bid(TICK, 100n));
    await exchange.setMark(MARKET, 9_000n * UNIT);
    const batch = [ask(9_000n, 50n), replacing({ lots: 50n })];
    await expect(exchange.execute(TRADER, batch))
      .to.be.revertedWithCustomError(exchange, "UnknownOrder")
      .withArgs(MARKET, idOf(TRADER, 0n));
  });

  it("refuses to shrink below the least notional", async () => {
    const { exchange } = await fixture();
    await expect(exchange.execute(TRADER, [replacing({ lots: 10n })]))
      .to.be.revertedWithCustomError(exchange, "OrderTooSmall")
      .withArgs(notional(TICK, 10n), CONFIG.minNotional * 10n ** 12n);
  });
});

describe("Orders: own levels", () => {
  it("gives back what the own order killed of one's orders, in the same call", async () => {
    const { exchange } = await networkHelpers.loadFixture(deployTrading);
    await act(exchange, TRADER, bid(TICK, 100n));
    await exchange.setMark(MARKET, 9_000n * UNIT);
    // Selling to one's own stale bid kills its level.
    await act(exchange, TRADER, ask(9_000n, 50n));
    const { used, bidLots, askLots } = await exchange.restingOf(MARKET, TRADER);
    expect([used, bidLots, askLots]).to.deep.equal([0b10n, 0n, 50n]);
  });
});

describe("Orders: leverage", () => {
  it("refuses what the market does not offer", async () => {
    const { exchange } = await fixture();
    await expect(exchange.execute(TRADER, [choosing(6n)]))
      .to.be.revertedWithCustomError(exchange, "LeverageTooHigh")
      .withArgs(6n, 5n);
  });

  it("is chosen freely where nothing is at risk", async () => {
    const { exchange } = await networkHelpers.loadFixture(deployTrading);
    await exchange.setAccount(TRADER, ownerOf(TRADER), -1n);
    await exchange.setGrade(MARKET, GRADE.dead);
    await expect(exchange.executeUnjudged(TRADER, [choosing(0n)]))
      .to.emit(exchange, "LeverageChosen")
      .withArgs(MARKET, TRADER, 0n, 0n, 0n);
    expect((await exchange.restingOf(MARKET, TRADER)).leverage & 0xfn).to.equal(1n);
  });

  it("needs a fresh price where something is", async () => {
    const { exchange } = await fixture();
    await exchange.setGrade(MARKET, GRADE.aged);
    await expect(exchange.execute(TRADER, [choosing(0n)]))
      .to.be.revertedWithCustomError(exchange, "PriceNotFresh")
      .withArgs(MARKET, GRADE.aged, GRADE.fresh);
  });

  it("is lowered only as far as the balance covers it, profit left out", async () => {
    const { exchange } = await networkHelpers.loadFixture(deployTrading);
    await exchange.setAccount(TRADER, ownerOf(TRADER), 200n * WHOLE);
    await open(exchange, TRADER, { lots: 1_000n });
    // The mark rises by 5 %: 50 of profit, initial margin 105 at ten, 210 at five, 350 at three.
    await exchange.setMark(MARKET, 10_500n * UNIT);
    const balance = await exchange.balanceOf(TRADER);
    await expect(exchange.execute(TRADER, [choosing(3n)]))
      .to.be.revertedWithCustomError(exchange, "LeverageNotCovered")
      .withArgs(balance, 210n * WHOLE);
    await exchange.setAccount(TRADER, ownerOf(TRADER), 210n * WHOLE);
    await expect(exchange.execute(TRADER, [choosing(3n)])).to.emit(exchange, "LeverageChosen");
    const { leverage } = await exchange.restingOf(MARKET, TRADER);
    // Chosen at once, pending for the queue until the delay is over.
    expect(leverage).to.equal((4n << 4n) | 4n);
  });

  it("is raised without cover", async () => {
    const { exchange } = await networkHelpers.loadFixture(deployTrading);
    await exchange.setAccount(TRADER, ownerOf(TRADER), 110n * WHOLE);
    await open(exchange, TRADER, { lots: 1_000n });
    await exchange.execute(TRADER, [choosing(5n)]);
    const { initial } = await exchange.healthOf(TRADER);
    expect(initial).to.equal(50n * WHOLE);
  });
});
