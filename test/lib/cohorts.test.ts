import { expect } from "chai";
import { createRandom } from "../../scripts/lib/random.js";
import { effectiveCost, settledPosition, valueAt } from "../../scripts/lib/cohorts.js";
import {
  cohortKey,
  cohortOfPosition,
  LONG,
  priceClassOf,
  SHORT,
  signOf,
} from "../../scripts/lib/keys.js";
import type { SideIndex } from "../../scripts/lib/keys.js";
import { marketOf } from "../../scripts/lib/rebuild.js";
import type { Rational } from "../model/rational.js";
import { rational, ZERO } from "../model/rational.js";
import { cut, haircut, openExchange, setMark, trade, UNIT } from "./story.js";

const SEED = 0xba11a57;
const CLASS = priceClassOf(1000n << 16n);
const RICH = 10n ** 12n;

/** A member in exact fractions. */
type Member = { lots: Rational; cost: Rational; cash: Rational; given: Rational };

/** One cohort of one side, told by its events and kept beside in fractions. */
function createPool(side: SideIndex, sizes: readonly bigint[]) {
  const story = openExchange(RICH, ...sizes.map(() => RICH), RICH, RICH);
  const exact = new Map<number, Member>();
  const key = cohortKey({ side, leverage: 0, priceClass: CLASS });
  const sign = signOf(side);

  function join(account: number, lots: bigint): void {
    trade(story, { maker: 10, taker: account, side, tick: 1000n, lots });
    const cost = rational(lots * 1000n * UNIT);
    exact.set(account, { lots: rational(lots), cost, cash: ZERO, given: ZERO });
  }
  sizes.forEach((lots, i) => join(11 + i, lots));
  const pool = () => marketOf(story.state, 0);
  const total = () => pool().cohorts.get(key)?.lots ?? 0n;

  return {
    story,
    key,
    exact,
    join,
    pool,
    total,
    settled(account: number) {
      const position = pool().positions.get(account);
      if (position === undefined) throw new Error("there is a position");
      expect(cohortOfPosition(position)).to.equal(key);
      return settledPosition(pool(), position);
    },
    haircut(amount: bigint) {
      for (const member of exact.values()) {
        const share = member.lots.times(rational(amount, total()));
        member.cost = member.cost.plus(share.times(sign));
        member.given = member.given.plus(share);
      }
      haircut(story, { id: 1n, side, priceClass: CLASS }, amount);
    },
    cut(lots: bigint) {
      const part = rational(lots, total());
      const { mark } = pool().price;
      for (const member of exact.values()) {
        const value = member.lots.times(mark).minus(member.cost).times(sign);
        member.cash = member.cash.plus(value.times(part));
        member.lots = member.lots.minus(member.lots.times(part));
        member.cost = member.cost.minus(member.cost.times(part));
      }
      // Cohorts are cut by events, and these name their accounts first.
      const none = { equity: 0n, deficit: 0n, penalty: 0n, balance: 0n };
      story.emit("AccountDeleveraged", { id: 1n, account: 10n, ...none });
      cut(story, { id: 1n, cohort: key }, lots);
    },
  };
}

describe("settlement of a member", () => {
  it("pays a short of 10 at 1000 that is closed at 900 its profit of 1000 ticks", () => {
    const pool = createPool(SHORT, [10n]);
    setMark(pool.story, 900n);
    pool.cut(10n);
    const { lots, cost, cash } = pool.settled(11);
    expect([lots, cost, cash]).to.deep.equal([0n, 0n, 1000n * UNIT]);
  });

  it("leaves 6 and 3 of 10 and 5 when 5 are cut, and a lot of dust", () => {
    const pool = createPool(LONG, [10n, 5n]);
    pool.cut(5n);
    expect([pool.settled(11).lots, pool.settled(12).lots, pool.total()]).to.deep.equal([
      6n,
      3n,
      10n,
    ]);
  });

  it("takes a haircut as cost, also before the cohort has taken it over", () => {
    const pool = createPool(LONG, [10n, 5n]);
    pool.haircut(30n * UNIT);
    const { lots, cost, cash, haircut: given } = pool.settled(11);
    expect([lots, cost, cash, given]).to.deep.equal([10n, 10_020n * UNIT, 0n, 20n * UNIT]);
    expect(effectiveCost(pool.pool(), pool.key)).to.equal(15_030n * UNIT);
    expect(pool.pool().cohorts.get(pool.key)?.cost).to.equal(15_000n * UNIT);
  });

  it("does not charge who joins after an event", () => {
    const pool = createPool(LONG, [90n]);
    pool.cut(45n);
    pool.join(12, 40n);
    expect([pool.settled(11).lots, pool.settled(12).lots]).to.deep.equal([45n, 40n]);
  });

  it("goes in steps where the exponents lie further apart than one settlement reaches", () => {
    const many = 2n ** 50n;
    const pool = createPool(LONG, [many, 1n]);
    pool.cut(many);
    pool.join(13, many);
    pool.cut(many);
    pool.join(14, many);
    const exponents = [...pool.pool().checkpoints.values()].map(({ exponent }) => exponent);
    expect(exponents).to.deep.equal([51n, 101n]);
    expect([11, 13, 14].map((account) => pool.settled(account).lots)).to.deep.equal([0n, 0n, many]);
    expect(pool.settled(11).cuts).to.equal(1);
  });

  it("stops members of before at the checkpoint that emptied the cohort", () => {
    const pool = createPool(SHORT, [10n, 4n]);
    setMark(pool.story, 900n);
    pool.cut(14n);
    const [stored] = [...pool.pool().cohorts.values()].filter(({ lots }) => lots === 0n);
    expect(stored?.members).to.equal(2n);
    // The next member restarts it 65 exponents further.
    const { story } = pool;
    story.emit("CheckpointWritten", {
      market: 0n,
      cohort: BigInt(pool.key),
      number: 2n,
      word: `0x${((65n << 96n) | (2n ** 95n)).toString(16).padStart(64, "0")}`,
      cash: 0n,
      given: 0n,
    });
    const cohort = pool.pool().cohorts.get(pool.key);
    if (cohort !== undefined) Object.assign(cohort, { checkpoint: 2n, lots: 5n, members: 3n });
    expect(pool.settled(11).lots).to.equal(0n);
    expect(pool.settled(11).cash).to.equal(1000n * UNIT);
  });

  for (const side of [LONG, SHORT]) {
    it(`is what exact fractions say after any events, side ${side}`, () => {
      const random = createRandom(SEED + side);
      for (let run = 0; run < 10; run++) {
        const sizes = Array.from({ length: 4 }, () => random.between(1n, 10n ** 6n));
        const pool = createPool(side, sizes);
        for (let event = 0; event < 6; event++) {
          setMark(pool.story, random.between(700n, 1400n));
          if (random.uniform() < 0.5) pool.haircut(random.between(1n, pool.total() * UNIT));
          else if (pool.total() > 1n) pool.cut(random.between(1n, pool.total() - 1n));
        }
        for (const [account, member] of pool.exact) expectExact(pool.settled(account), member);
      }
    });
  }
});

function expectExact(settled: ReturnType<typeof settledPosition>, member: Member): void {
  const floor = member.lots.floor();
  expect(floor - settled.lots, "lots").to.be.oneOf([0n, 1n]);
  const near = (what: string, found: bigint, exact: Rational) => {
    const error = exact.minus(found);
    expect(
      error.compare(-40n) >= 0 && error.compare(40n) <= 0,
      `${what} ${error.floor()}`,
    ).to.equal(true);
  };
  near("cash", settled.cash, member.cash);
  const kept = member.lots.isZero() ? ZERO : rational(settled.lots).over(member.lots);
  near("cost", settled.cost, member.cost.times(kept));
}

describe("value of a position", () => {
  it("counts funding against the long and for the short, both rounded down", () => {
    const funding = 3n * 2n ** 32n + 1n;
    const held = { lots: 7n, cost: 700n };
    expect(valueAt({ ...held, side: LONG }, 110n, funding)).to.equal(770n - 700n - 22n);
    expect(valueAt({ ...held, side: SHORT }, 110n, funding)).to.equal(-770n + 700n + 21n);
  });
});
