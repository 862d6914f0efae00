import { expect } from "chai";
import fc from "fast-check";
import { account, healthOf, market } from "../MarginHand.js";
import { holding } from "../MarginFixture.js";

/* What a position needs, by its size and by the market's (B5). A lot costs a unit at a mark of 1. */

const SEED = 0xba11a57;
const RUNS = 150;
const CAP = 10n ** 9n;

const lots = fc.bigInt({ min: 1n, max: CAP });
const drawn = fc.record({
  lots: fc.tuple(lots, lots),
  openInterest: fc.tuple(
    fc.bigInt({ min: 0n, max: (CAP * 11n) / 10n }),
    fc.bigInt({ min: 0n, max: (CAP * 11n) / 10n }),
  ),
  concentration: fc.bigInt({ min: 0n, max: 100n }),
  crowdingFrom: fc.bigInt({ min: 0n, max: 100n }),
  leverage: fc.integer({ min: 0, max: 7 }),
  isLong: fc.boolean(),
});

type Needs = { readonly initial: bigint; readonly maintenance: bigint; readonly notional: bigint };
type Case = {
  readonly lots: bigint;
  readonly openInterest: bigint;
  readonly concentration: bigint;
  readonly crowdingFrom: bigint;
  readonly leverage: number;
  readonly isLong: boolean;
};

async function needsOf({ lots: size, leverage, isLong, ...rest }: Case): Promise<Needs> {
  const { initial, maintenance, notional } = await healthOf(
    account(
      0,
      [holding({ lots: size, side: isLong ? 1n : -1n, chosen: leverage })],
      [market({ mark: 1, openInterestCap: CAP, ...rest })],
    ),
  );
  if (initial === undefined || maintenance === undefined || notional === undefined) {
    throw new Error("health says what is needed");
  }
  return { initial, maintenance, notional };
}

describe("what a position needs", () => {
  it("never falls with its size or with open interest, nor does its rate, and maintenance is less (B5)", async () => {
    let steeper = 0;
    const property = fc.asyncProperty(drawn, async ({ lots: sizes, openInterest, ...rest }) => {
      const [small, large] = sizes.toSorted((a, b) => (a < b ? -1 : 1)) as [bigint, bigint];
      const [empty, full] = openInterest.toSorted((a, b) => (a < b ? -1 : 1)) as [bigint, bigint];
      const least = await needsOf({ lots: small, openInterest: empty, ...rest });
      const bigger = await needsOf({ lots: large, openInterest: empty, ...rest });
      const fuller = await needsOf({ lots: small, openInterest: full, ...rest });
      expect(bigger.initial >= least.initial, "by size").to.equal(true);
      expect(bigger.maintenance >= least.maintenance, "by size").to.equal(true);
      expect(fuller.initial >= least.initial, "by open interest").to.equal(true);
      expect(fuller.maintenance).to.equal(least.maintenance);
      // The smaller amount was rounded up by less than a wei.
      const exact = least.initial - 1n;
      expect(bigger.initial * least.notional >= exact * bigger.notional, "the rate").to.equal(true);
      for (const { initial, maintenance, notional } of [least, bigger, fuller]) {
        expect(initial > maintenance && initial <= notional, "both").to.equal(true);
      }
      if (bigger.initial * least.notional > least.initial * bigger.notional) steeper += 1;
      if (fuller.initial > least.initial) steeper += 1;
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS, endOnFailure: true });
    expect(steeper, "size has been asked for").to.be.greaterThan(RUNS / 3);
  });
});
