import { expect } from "chai";
import fc from "fast-check";
import { isInFront, LONG, SHORT } from "./BookModel.js";
import type { Exchange } from "./MatchingFixture.js";
import {
  ACCOUNTS,
  action,
  deployTrading,
  GRADE,
  KIND,
  MARK_TICK,
  MARKET,
  networkHelpers,
  ownerOf,
  queue,
  RICH,
  signedLots,
  STATUS,
  taking,
  TIF,
  UNIT,
} from "./MatchingFixture.js";
import type { Action } from "./MatchingModel.js";
import { MatchingModel, Refused } from "./MatchingModel.js";

const SEED = 0x3a7c4;
/** Time moves in jumps of EPOCH, orders expire half way between, so that a block more or less decides nothing. */
const EPOCH = 10_000n;
const BROKE = new Set([15n, 16n]);

const anyAccount = fc.constantFrom(...ACCOUNTS.slice(0, 6));
const anySide = fc.constantFrom(LONG, SHORT);
// The ends of the band for each mark, their neighbours, and the middle.
const anyTick = fc.constantFrom(
  ...[9_214n, 9_215n, 9_500n, 9_785n, 9_990n, 10_000n, 10_010n, 10_185n, 10_500n, 10_501n, 10_815n],
);
const anyMark = fc.constantFrom(9_700n, 10_000n, 10_000n, 10_300n);
const anyLots = fc.bigInt({ min: 5n, max: 120n });

const anyAction = fc.record({
  kind: fc.constantFrom(
    ...[KIND.place, KIND.place, KIND.place, KIND.place, KIND.replace, KIND.cancel, KIND.cancelAll],
  ),
  side: anySide,
  timeInForce: fc.constantFrom(TIF.gtc, TIF.gtc, TIF.gtc, TIF.ioc, TIF.fok, TIF.postOnly),
  reduceOnly: fc.constantFrom(false, false, true),
  tick: anyTick,
  lots: anyLots,
  epochs: fc.constantFrom(0n, 0n, 0n, 1n, 2n),
  slot: fc.bigInt({ min: 0n, max: 5n }),
  keepsTick: fc.boolean(),
});

const anyStep = fc.oneof(
  {
    weight: 16,
    arbitrary: fc.record({
      kind: fc.constant("execute" as const),
      account: anyAccount,
      actions: fc.array(anyAction, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("take" as const),
      taker: fc.constantFrom(0n, 11n, 13n, 14n),
      side: anySide,
      lots: fc.bigInt({ min: 1n, max: 300n }),
      limitTick: anyTick,
      maxFills: fc.bigInt({ min: 0n, max: 9n }),
      isForced: fc.boolean(),
      isReduceOnly: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("mark" as const), tick: anyMark }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("grade" as const),
      grade: fc.constantFrom(GRADE.dead, GRADE.aged, GRADE.aged),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("status" as const),
      status: fc.constantFrom(STATUS.reduceOnly, STATUS.event, STATUS.windingDown),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("normal" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const) }) },
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;
type Execution = Extract<Step, { kind: "execute" }>;
type World = { readonly exchange: Exchange; model: MatchingModel };

/** Actions that name an order name one that is there, if there is one. */
function actionsOf({ model }: World, { account, actions }: Execution): Action[] {
  const mine = model.of(account);
  return actions.map(({ epochs, keepsTick, ...wish }) => {
    const order = mine[Number(wish.slot) % Math.max(mine.length, 1)];
    const halfWay = model.now - (model.now % EPOCH) + EPOCH / 2n + (epochs - 1n) * EPOCH;
    const a = action({ ...wish, expiry: epochs === 0n ? 0n : halfWay });
    if (order === undefined) return a;
    const named = { ...a, slot: order.id & 255n };
    return keepsTick ? { ...named, tick: order.tick, expiry: order.expiry } : named;
  });
}

async function execute(world: World, step: Execution): Promise<void> {
  const { exchange } = world;
  const { account } = step;
  const actions = actionsOf(world, step);
  const after = world.model.clone();
  let expected;
  try {
    expected = after.execute(account, actions);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    await expect(exchange.executeUnjudged(account, actions)).to.be.revertedWithCustomError(
      exchange,
      error.error,
    );
    return;
  }
  // The model knows no margin: an account without money may offer, but not trade on its own.
  if (BROKE.has(account) && expected.some(({ filled }) => filled > 0n)) return;
  const results = await exchange.executeUnjudged.staticCall(account, actions);
  await exchange.executeUnjudged(account, actions);
  const found = results.map(({ order, filled, left }) => ({ order, filled, left }));
  expect(found).to.deep.equal(expected);
  world.model = after;
}

async function doStep(world: World, step: Step): Promise<void> {
  const { exchange, model } = world;
  switch (step.kind) {
    case "execute":
      return execute(world, step);
    case "take": {
      const { lots, quote, fills, isBound } = await exchange.take.staticCall(taking(step));
      await exchange.take(taking(step));
      expect({ lots, quote, fills, isBound }).to.deep.equal(model.take(step));
      return;
    }
    case "mark":
      await exchange.setMark(MARKET, step.tick * UNIT);
      model.markTick = step.tick;
      return;
    case "grade":
      await exchange.setGrade(MARKET, step.grade);
      model.grade = step.grade;
      return;
    case "status":
      await exchange.setStatus(MARKET, STATUS.listed | step.status);
      model.status = STATUS.listed | step.status;
      return;
    case "normal":
      await exchange.setGrade(MARKET, GRADE.fresh);
      await exchange.setStatus(MARKET, STATUS.listed);
      model.grade = GRADE.fresh;
      model.status = STATUS.listed;
      return;
    case "wait":
      model.now += EPOCH;
      await networkHelpers.time.increaseTo(model.now);
      // As new as the time, or it would age.
      await exchange.setMark(MARKET, model.markTick * UNIT);
      return;
  }
}

/** Queues, reservations, positions, fees and the best prices. */
async function expectSame({ exchange, model }: World): Promise<void> {
  for (const side of [LONG, SHORT]) {
    const expected = model.orders
      .filter((order) => order.isLinked && order.side === side)
      .map(({ id, tick, lots }) => ({ id, tick, lots }))
      .sort((a, b) => (a.tick === b.tick ? 0 : isInFront(side, a.tick, b.tick) ? -1 : 1));
    expect(await queue(exchange, side)).to.deep.equal(expected);
  }
  const [book, flow] = await exchange.marketOf(MARKET);
  expect([book.bestBid, book.bestAsk]).to.deep.equal([model.best(LONG), model.best(SHORT)]);
  expectUncrossed(model);
  const [resting, positions] = await exchange.holdingsOf(MARKET, [...ACCOUNTS]);
  for (const [i, account] of ACCOUNTS.entries()) {
    const reserved = [model.reserved(account, LONG), model.reserved(account, SHORT)];
    expect([resting[i]?.bidLots, resting[i]?.askLots], "reserved").to.deep.equal(reserved);
    expect(signedLots(positions[i]), "position").to.equal(model.sizeOf(account));
  }
  expect(flow.fees, "fees").to.equal(model.fees);
}

/** INV-5, over live orders: nothing that could trade stands crossed. */
function expectUncrossed(model: MatchingModel): void {
  const live = model.orders.filter((o) => o.isLinked && o.isReserved && !model.isExpired(o));
  const ticks = (side: bigint) => live.filter((o) => o.side === side).map(({ tick }) => tick);
  const highestBid = ticks(LONG).reduce((a, b) => (a > b ? a : b), 0n);
  const lowestAsk = ticks(SHORT).reduce((a, b) => (a < b ? a : b), 2n ** 24n);
  expect(highestBid < lowestAsk, "INV-5").to.equal(true);
}

async function deployWorld() {
  const { exchange } = await deployTrading();
  for (const account of BROKE) await exchange.setAccount(account, ownerOf(account), -RICH);
  const latest = BigInt(await networkHelpers.time.latest());
  const start = latest - (latest % EPOCH) + EPOCH;
  await networkHelpers.time.increaseTo(start);
  return { exchange, start };
}

describe("Matching and Orders at random", () => {
  it("do what sorting all orders by price and time would do", async () => {
    const property = fc.asyncProperty(
      fc.array(anyStep, { minLength: 25, maxLength: 60 }),
      async (steps) => {
        const { exchange, start } = await networkHelpers.loadFixture(deployWorld);
        const model = new MatchingModel(MARK_TICK, ownerOf, BROKE);
        model.now = start;
        const world = { exchange, model };
        for (const step of steps) {
          await doStep(world, step);
          await expectSame(world);
        }
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: 12, endOnFailure: true });
  });
});
