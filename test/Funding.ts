import { expect } from "chai";
import fc from "fast-check";
import { fundingDue, NOTHING } from "./model/prices.js";
import type { Reading } from "./model/prices.js";
import {
  alone,
  configOf,
  deployHarness as deployPricesHarness,
  deployPrices,
  ethers,
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
} from "./PricesFixture.js";
import type { Stage } from "./PricesFixture.js";

const SEED = 0xba11a57;
const SCALE = 2n ** 32n;
const HOURS_8 = 28_800n;
/** Quote per lot. */
const INDEX = PRICE / LOTS_PER_BASE;
const INTEREST = 100n;
const MAX_FUNDING = 7500n;

async function deployHarness() {
  const harness = await deployPricesHarness(await ethers.provider.getSigner(0));
  return { harness };
}

function ppm(parts: bigint): bigint {
  return (INDEX * parts) / 1_000_000n;
}

/** A market whose book stands 0.2 % above the index, ten seconds after the first price. */
async function withPremium(): Promise<Stage> {
  const stage = await networkHelpers.loadFixture(deployPrices);
  await say(stage, fresh(INDEX, 10n));
  await setBook(stage, "bids", [{ tick: 120_238n, lots: lotsFor(120_238n) }]);
  await setBook(stage, "asks", [{ tick: 120_242n, lots: lotsFor(120_242n) }]);
  await refreshAt(stage, 10n);
  await refreshAt(stage, 20n);
  await refreshAt(stage, 30n);
  expect((await stored(stage)).premium > ppm(100n), "a premium to begin with").to.equal(true);
  return stage;
}

/** What F moved by between two times, with the given reading at the later one. */
async function fundingOver(stage: Stage, to: bigint, reading: Reading): Promise<bigint> {
  const before = (await stored(stage)).funding;
  await say(stage, reading);
  await refreshAt(stage, to);
  return (await stored(stage)).funding - before;
}

describe("Funding", () => {
  describe("the rate", () => {
    /** premium → rate, both ppm of the index per 8 hours; interest 0.01 %, cap 0.75 %. */
    const TABLE: readonly (readonly [premium: bigint, rate: bigint])[] = [
      // Inside ±0.05 % of interest the rate is interest itself.
      [0n, 100n],
      [100n, 100n],
      [600n, 100n],
      [-400n, 100n],
      // Outside it is the premium, less or more the pull.
      [601n, 101n],
      [-401n, 99n],
      [2000n, 1500n],
      [-2000n, -1500n],
      // The cap, from both sides.
      [8000n, 7500n],
      [8001n, 7500n],
      [-8000n, -7500n],
      [-30_000n, -7500n],
    ];
    for (const [premium, rate] of TABLE) {
      it(`is ${rate} ppm for a premium of ${premium} ppm`, async () => {
        const { harness } = await networkHelpers.loadFixture(deployHarness);
        const due = await harness.accrual(ppm(premium), INDEX, INTEREST, MAX_FUNDING, HOURS_8);
        expect(due).to.equal(ppm(rate) * SCALE);
      });
    }

    it("is the model's for any numbers, rounded towards zero and never above the cap", async () => {
      const { harness } = await networkHelpers.loadFixture(deployHarness);
      const drawn = fc.record({
        index: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
        premium: fc.bigInt({ min: -50_000n, max: 50_000n }),
        odd: fc.bigInt({ min: -999n, max: 999n }),
        interest: fc.bigInt({ min: 0n, max: 40_000n }),
        maxFunding: fc.bigInt({ min: 0n, max: 40_000n }),
        elapsed: fc.bigInt({ min: 1n, max: 28_800n }),
      });
      const property = fc.asyncProperty(drawn, async (values) => {
        const { index, interest, maxFunding, elapsed } = values;
        const premium = (index * values.premium) / 1_000_000n + values.odd;
        const exact = fundingDue(premium, index, elapsed, { interest, maxFunding }).times(SCALE);
        const due = await harness.accrual(premium, index, interest, maxFunding, elapsed);
        expect(due).to.equal(exact.num / exact.den);
        const cap = (index * maxFunding * elapsed * SCALE) / (1_000_000n * HOURS_8);
        expect(due <= cap && due >= -cap).to.equal(true);
      });
      await fc.assert(property, { seed: SEED, numRuns: 500 });
    });

    it("fits its type for a century at the highest cap and price", async () => {
      const { harness } = await networkHelpers.loadFixture(deployHarness);
      const index = 2n ** 63n - 1n;
      const due = await harness.accrual(index, index, 40_000n, 40_000n, HOURS_8);
      const periods = (100n * 366n * 86_400n) / HOURS_8;
      expect(due * periods).to.be.lessThan(2n ** 127n);
    });
  });

  describe("accrual", () => {
    it("charges each interval with the premium and the index stored at its start", async () => {
      const stage = await withPremium();
      const { premium } = await stored(stage);
      // The reading and the book of the interval's end do not count.
      const moved = await fundingOver(stage, 57n, fresh(INDEX + ppm(50_000n), 57n));
      const terms = { interest: INTEREST, maxFunding: MAX_FUNDING };
      const due = fundingDue(premium, INDEX, 27n, terms).times(SCALE);
      expect(moved).to.equal(due.num / due.den);
    });

    it("counts a block once, however often it is touched", async () => {
      const stage = await withPremium();
      const { funding } = await stored(stage);
      await networkHelpers.time.setNextBlockTimestamp(START + 30n);
      await stage.harness.refreshTwice(MARKET);
      expect((await stored(stage)).funding).to.equal(funding);
    });

    it("is the same in two steps as in one while the premium stands, but for the dust of rounding", async () => {
      const { harness } = await networkHelpers.loadFixture(deployHarness);
      const premium = ppm(1777n) + 3n;
      const once = await harness.accrual(premium, INDEX, INTEREST, MAX_FUNDING, 100n);
      const first = await harness.accrual(premium, INDEX, INTEREST, MAX_FUNDING, 37n);
      const second = await harness.accrual(premium, INDEX, INTEREST, MAX_FUNDING, 63n);
      expect(once - first - second).to.be.within(0n, 1n);
    });

    it("charges at most maxAccrual seconds at once", async () => {
      const stage = await withPremium();
      const { premium } = await stored(stage);
      await networkHelpers.time.setNextBlockTimestamp(START + 30n);
      await stage.harness.setConfig(MARKET, configOf({ ...RULES, maxAccrual: 60n }));
      const moved = await fundingOver(stage, 130n, fresh(INDEX, 130n));
      const terms = { interest: INTEREST, maxFunding: MAX_FUNDING };
      const due = fundingDue(premium, INDEX, 60n, terms).times(SCALE);
      expect(moved).to.equal(due.num / due.den);
    });

    it("stops when the index dies, also when nobody calls", async () => {
      const stage = await withPremium();
      const { premium } = await stored(stage);
      // Published at 10, so aged until 310.
      const moved = await fundingOver(stage, 1000n, fresh(INDEX, 1000n));
      const terms = { interest: INTEREST, maxFunding: MAX_FUNDING };
      const due = fundingDue(premium, INDEX, 310n - 30n, terms).times(SCALE);
      expect(moved).to.equal(due.num / due.den);
    });

    it("charges nothing while the index is dead", async () => {
      const stage = await withPremium();
      await say(stage, NOTHING);
      await refreshAt(stage, 32n);
      expect(await fundingOver(stage, 60n, fresh(INDEX, 60n))).to.equal(0n);
      expect(await fundingOver(stage, 70n, fresh(INDEX, 60n))).to.not.equal(0n);
    });

    it("charges nothing while a jump waits", async () => {
      const stage = await withPremium();
      await say(stage, alone(INDEX / 2n, 40n));
      await refreshAt(stage, 40n);
      expect(await fundingOver(stage, 60n, alone(INDEX, 60n))).to.equal(0n);
      expect(await fundingOver(stage, 70n, alone(INDEX, 70n))).to.not.equal(0n);
    });

    it("begins with the first price: no market is charged for the time before", async () => {
      const stage = await networkHelpers.loadFixture(deployPrices);
      await say(stage, NOTHING);
      await refreshAt(stage, 5n);
      expect(await fundingOver(stage, 4000n, fresh(INDEX, 4000n))).to.equal(0n);
    });
  });

  it("cannot be moved far by one block's book: a sample has ten seconds of weight", async () => {
    const stage = await networkHelpers.loadFixture(deployPrices);
    await say(stage, fresh(INDEX, 10n));
    await refreshAt(stage, 10n);
    // The highest bid that the band allows, for one block.
    await setBook(stage, "bids", [{ tick: 125_000n, lots: lotsFor(125_000n, 50n) }]);
    await setBook(stage, "asks", [{ tick: 125_004n, lots: lotsFor(125_004n, 50n) }]);
    await refreshAt(stage, 20n);
    await setBook(stage, "bids", [{ tick: 125_000n, lots: 0n }]);
    await setBook(stage, "asks", [{ tick: 125_004n, lots: 0n }]);
    await refreshAt(stage, 30n);
    // 1 % · (1 − e^(−10/150)) = 645 ppm of the index.
    expect((await stored(stage)).premium).to.be.within(ppm(640n), ppm(646n));
  });

  it("gives one quote no more weight than six intervals, however long nobody calls", async () => {
    const stage = await networkHelpers.loadFixture(deployPrices);
    await say(stage, fresh(INDEX, 10n));
    await setBook(stage, "bids", [{ tick: 120_238n, lots: lotsFor(120_238n) }]);
    await setBook(stage, "asks", [{ tick: 120_242n, lots: lotsFor(120_242n) }]);
    await refreshAt(stage, 10n);
    await say(stage, fresh(INDEX, 200n));
    await refreshAt(stage, 200n);
    // 2,000 ppm stood for 60 s and nothing for 130.
    const expected = 2000 * (1 - Math.exp(-60 / 150)) * Math.exp(-130 / 150);
    const premium = Number(((await stored(stage)).premium * 10n ** 12n) / INDEX) / 1e6;
    expect(Math.abs(premium - expected)).to.be.lessThan(1e-5);
  });

  it("averages a constant mid by the closed form", async () => {
    const stage = await networkHelpers.loadFixture(deployPrices);
    await say(stage, fresh(INDEX, 10n));
    await setBook(stage, "bids", [{ tick: 120_238n, lots: lotsFor(120_238n) }]);
    await setBook(stage, "asks", [{ tick: 120_242n, lots: lotsFor(120_242n) }]);
    for (let time = 10n; time <= 310n; time += 10n) {
      await say(stage, fresh(INDEX, time));
      await refreshAt(stage, time);
      const expected = 2000 * (1 - Math.exp(-(Number(time) - 10) / 150));
      const premium = Number(((await stored(stage)).premium * 10n ** 12n) / INDEX) / 1e6;
      expect(Math.abs(premium - expected), `at ${time}`).to.be.lessThan(1e-5);
    }
  });
});
