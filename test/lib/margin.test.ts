import { expect } from "chai";
import fc from "fast-check";
import { cohortOfPosition, LONG, MICRO, SHORT } from "../../scripts/lib/keys.js";
import { freshOf, freshPool } from "../../scripts/lib/fresh.js";
import { initialOf, leverageOf, maintenanceOf, marginOf } from "../../scripts/lib/margin.js";
import { emptyMarket, emptyState, freshMarkKey } from "../../scripts/lib/state.js";
import type { MarketState, State } from "../../scripts/lib/state.js";
import { zero } from "../../scripts/lib/words.js";
import { holdingInitialMargin, holdingMaintenance, marginEquity } from "../model/margin.js";
import type { Holding } from "../model/margin.js";
import { ZERO } from "../model/rational.js";
import { CONFIG } from "./story.js";

const SEED = 0xba11a57;
const WHOLE = 10n ** 18n;
const FULL = 2n ** 79n;
const TIERS: Holding["tiers"] = [
  { upTo: 1_000_000n * WHOLE, maxLeverage: 50n },
  { upTo: 5_000_000n * WHOLE, maxLeverage: 20n },
  { upTo: 20_000_000n * WHOLE, maxLeverage: 10n },
  { upTo: undefined, maxLeverage: 5n },
];

const holding = fc.record({
  side: fc.constantFrom(1n as const, -1n as const),
  lots: fc.bigInt({ min: 1n, max: 10n ** 9n }),
  cost: fc.bigInt({ min: -(10n ** 27n), max: 10n ** 27n }),
  mark: fc.bigInt({ min: 1n, max: 10n ** 17n }),
  funding: fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n }),
  chosen: fc.integer({ min: 0, max: 7 }),
});
type Drawn = typeof holding extends fc.Arbitrary<infer Value> ? Value : never;

/** One account, number 10, with these positions, one a market, settled. */
function stateOf(drawn: readonly Drawn[], balance: bigint): State {
  const state = emptyState();
  state.money.set(10, { balance, freshMarkets: 0n, distress: 0n });
  drawn.forEach(({ side, lots, cost, mark, funding, chosen }, id) => {
    const market = emptyMarket();
    market.config = { ...CONFIG };
    market.price = { mark, index: mark, funding };
    const kind = side === 1n ? 0n : 1n;
    const position = { lots, cost, entry: 65_536_000n, checkpoint: 0n, kind };
    market.positions.set(10, position);
    const cohort = { lots, members: 1n, checkpoint: 0n, referenced: 1n, cost };
    market.cohorts.set(cohortOfPosition(position), cohort);
    market.resting.set(10, { ...zero("Resting"), leverage: BigInt(chosen) + 1n });
    state.markets.set(id, market);
  });
  return state;
}

describe("margin", () => {
  it("is what the reference model says, each requirement rounded up", () => {
    const property = fc.property(
      fc.array(holding, { maxLength: 4 }),
      fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }),
      (drawn, balance) => {
        const state = stateOf(drawn, balance);
        const margin = marginOf(state, 10, { markets: state.markets, time: 0n });
        const leverages = [1n, 2n, 3n, 5n, 10n, 20n, 50n, 100n];
        const holdings = drawn.map(({ chosen, ...held }): Holding => ({
          ...held,
          index: held.mark,
          bids: 0n,
          asks: 0n,
          leverage: leverages[chosen] ?? 0n,
          tiers: TIERS,
          volatilityRate: ZERO,
          openInterestRate: ZERO,
        }));
        expect(margin.equity).to.equal(marginEquity({ balance, fresh: 0n, holdings }, "mark"));
        const total = (of: (held: Holding) => { ceil(): bigint }) =>
          holdings.reduce((sum, held) => sum + of(held).ceil(), 0n);
        expect(margin.maintenance).to.equal(total((held) => holdingMaintenance(held)));
        expect(margin.initial).to.equal(total(holdingInitialMargin));
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 300 });
  });

  it("asks 2 % of the first million, 5 % of the next four, half of it for maintenance", () => {
    expect(initialOf(CONFIG, 3_000_000n * WHOLE, 100n)).to.equal(120_000n * WHOLE);
    expect(maintenanceOf(CONFIG, 3_000_000n * WHOLE)).to.equal(60_000n * WHOLE);
    expect(initialOf(CONFIG, 3_000_000n * WHOLE, 2n)).to.equal(1_500_000n * WHOLE);
    expect(maintenanceOf(CONFIG, 1n)).to.equal(1n);
  });

  it("takes the market's class where none was chosen, and never more than the market allows", () => {
    const market = emptyMarket();
    market.config = { ...CONFIG, defaultLeverage: 4n, maxLeverage: 5n };
    expect(leverageOf(market, 10)).to.equal(10n);
    market.resting.set(10, { ...zero("Resting"), leverage: 0x18n });
    expect(leverageOf(market, 10)).to.equal(20n);
    market.resting.set(10, { ...zero("Resting"), leverage: 0x12n });
    expect(leverageOf(market, 10)).to.equal(2n);
  });
});

describe("fresh profit", () => {
  /** Realised in epoch 100: 50 micro units current, 30 previous. */
  function market(): MarketState {
    const made = emptyMarket();
    made.config = { ...CONFIG, freshEpoch: 240n };
    const bucket = { epoch: 100n, current: 50n, previous: 30n, keep: FULL };
    made.freshRecords.set(10, { ...bucket, tag: 1n });
    made.fresh[SHORT] = { ...bucket, generation: 0n };
    return made;
  }
  const at = (made: MarketState, epoch: bigint) => {
    const { fresh, matured } = freshOf(made, 10, epoch * 240n);
    return [fresh / MICRO, matured / MICRO];
  };

  it("matures one bucket an epoch", () => {
    expect([at(market(), 100n), at(market(), 101n), at(market(), 102n)]).to.deep.equal([
      [80n, 0n],
      [50n, 30n],
      [0n, 80n],
    ]);
    expect(freshPool(market(), SHORT, 101n * 240n)).to.equal(50n * MICRO);
    expect(freshPool(market(), LONG, 101n * 240n)).to.equal(0n);
  });

  it("stands still while a jump waits or a shortfall stands", () => {
    const waiting = market();
    waiting.book.pendingSince = 1n;
    const short = market();
    short.pool.shortfall = 1n;
    expect([at(waiting, 105n), at(short, 105n)]).to.deep.equal([
      [80n, 0n],
      [80n, 0n],
    ]);
  });

  it("keeps what haircuts left of it, and what had matured before them", () => {
    const charged = market();
    charged.fresh[SHORT] = {
      epoch: 101n,
      generation: 0n,
      current: 0n,
      previous: 25n,
      keep: FULL / 2n,
    };
    charged.freshMarks.set(freshMarkKey(SHORT, 101), { keep: FULL / 2n, generation: 0n });
    // The 30 had matured at the end of epoch 100; of the 50 half is left.
    expect(at(charged, 101n)).to.deep.equal([25n, 30n]);
    expect(at(charged, 102n)).to.deep.equal([0n, 55n]);
  });

  it("is worth 2^-31 of it a generation later, and nothing after two", () => {
    const worn = market();
    worn.freshRecords.set(10, {
      epoch: 100n,
      tag: 1n,
      current: 2n ** 40n,
      previous: 0n,
      keep: FULL,
    });
    const after = (generation: bigint) => {
      worn.fresh[SHORT] = { epoch: 100n, generation, current: 0n, previous: 0n, keep: FULL };
      return at(worn, 100n);
    };
    expect([after(1n), after(2n)]).to.deep.equal([
      [2n ** 9n, 0n],
      [0n, 0n],
    ]);
  });
});
