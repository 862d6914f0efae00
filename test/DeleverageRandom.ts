import { expect } from "chai";
import fc from "fast-check";
import {
  createLab,
  deployHarness,
  FUND,
  networkHelpers,
  PRO_RATA,
  QUEUE,
} from "./WaterfallFixture.js";
import type { Lab } from "./WaterfallFixture.js";

/* Random histories in two markets, event by event against the reference model; INV-1 and INV-2 after every event. */

const SEED = 0xba11a57;
const RUNS = 8;
const UNIT = 10n ** 12n;
const ACCOUNTS = 7;
/** What U's and settlements' rounding may move in sums over a few dozen events. */
const TOLERANCE = 10_000n;

type Move =
  | { kind: "trade"; market: number; buyer: number; seller: number; lots: bigint; drift: bigint }
  | { kind: "mark"; market: number; ticks: bigint }
  | { kind: "funding"; market: number; delta: bigint }
  | { kind: "fund"; amount: bigint };

const market = fc.constantFrom(0, 1);
const account = fc.integer({ min: 0, max: ACCOUNTS - 1 });

const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("trade" as const),
      market,
      buyer: account,
      seller: account,
      lots: fc.bigInt({ min: 1n, max: 60n }),
      drift: fc.bigInt({ min: 92n, max: 108n }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("mark" as const),
      market,
      ticks: fc.bigInt({ min: 500n, max: 1600n }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("funding" as const),
      market,
      delta: fc.bigInt({ min: -(2n ** 76n), max: 2n ** 76n }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("fund" as const),
      amount: fc.bigInt({ min: 1n, max: 3n * 10n ** 15n }),
    }),
  },
);

async function apply(world: Lab, ids: readonly number[], step: Move): Promise<void> {
  if (step.kind === "trade") {
    const [buyer = 0, seller = 0] = [ids[step.buyer], ids[step.seller]];
    const mark = world.marks[step.market] ?? 0n;
    const ticks = (mark * step.drift) / (100n * UNIT) || 1n;
    if (buyer === seller) return;
    await world.trade(buyer, seller, { lots: step.lots, ticks, market: step.market });
  } else if (step.kind === "mark") {
    await world.setTicks(step.ticks, step.market);
  } else if (step.kind === "funding") {
    const before = world.model.state.markets.get(step.market)?.funding ?? 0n;
    await world.setPrice(step.market, { funding: before + step.delta });
  } else {
    await world.credit(FUND, step.amount);
  }
}

/** The event of all that are insolvent now, if there are any. */
async function deleverage(world: Lab, ids: readonly number[]): Promise<number> {
  for (const id of ids) await world.resync(id);
  const due = ids.filter((id) => world.model.equity(id).floor() < -TOLERANCE);
  if (due.length === 0) return 0;
  await world.laterEvent(due, TOLERANCE);
  return 1;
}

describe("Deleverage at random", () => {
  it("does to everyone what the eager model does", async function () {
    this.timeout(900_000);
    let events = 0;
    const property = fc.asyncProperty(
      fc.array(move, { minLength: 20, maxLength: 40 }),
      fc.boolean(),
      async (moves, isMixed) => {
        const second = isMixed ? { quantityRule: PRO_RATA, deficitRule: QUEUE } : {};
        const world = await createLab(await networkHelpers.loadFixture(deployHarness), [
          { unit: UNIT },
          { unit: UNIT, ...second },
        ]);
        const ids: number[] = [];
        for (let i = 0; i < ACCOUNTS; i++) ids.push(await world.open(3n * 10n ** 15n));
        for (const step of moves) {
          await apply(world, ids, step);
          if (step.kind === "mark") events += await deleverage(world, ids);
        }
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: RUNS, endOnFailure: true });
    expect(events, "it is about events").to.be.greaterThan(RUNS);
  });
});
