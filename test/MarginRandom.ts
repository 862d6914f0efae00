import { expect } from "chai";
import fc from "fast-check";
import type { Interface, Result } from "ethers";
import {
  distressed,
  elapsed,
  event,
  fill,
  money,
  part,
  saleParts,
  twoFills,
  twoStates,
  world,
} from "./MarginCases.js";
import { ACCOUNT, ask, BEFORE, readAll } from "./MarginFixture.js";
import type { Reader } from "./MarginFixture.js";
import { deployMargin, networkHelpers } from "./MarginHand.js";
import {
  afterFill,
  allowsMaker,
  bondOf,
  cohortAfter,
  cohortOf,
  healthOf,
  holdingIn,
  isAllowed,
  overCap,
  isHealthKept,
  isLiquidatable,
  larger,
  LIMIT_ROUNDING,
  limitPrice,
  lotsToTarget,
  marketOf,
  MICRO,
  modelAccount,
  modelHolding,
  penalty,
  PPM,
  settledBalance,
  settledPart,
  slackAt,
  withdrawable,
  zeroDistance,
  zeroPrice,
} from "./MarginOracle.js";
import type { FillCase, World } from "./MarginOracle.js";
import {
  holdingMaintenance,
  isLiquidatable as isLiquidatableExactly,
  limitPrice as exactLimitPrice,
  prudentEquity,
  withdrawable as exactlyWithdrawable,
} from "./model/margin.js";
import { rational } from "./model/rational.js";

const SEED = 0xba11a57;
const RUNS = Number(process.env.MARGIN_RUNS ?? 400);

function fields(health: unknown): Record<string, bigint> {
  // A struct comes as ethers' Result, which knows its names.
  return (health as Result).toObject() as Record<string, bigint>;
}

async function check<T>(
  arbitrary: fc.Arbitrary<T>,
  test: (reader: Reader, value: T) => Promise<void>,
) {
  const reader = await networkHelpers.loadFixture(deployMargin);
  const property = fc.asyncProperty(arbitrary, async (value) => test(reader, value));
  await fc.assert(property, { seed: SEED, numRuns: RUNS });
}

function ownMaintenance(at: World, id: number): bigint {
  const held = holdingIn(at, id);
  if (held === undefined) return 0n;
  return holdingMaintenance(modelHolding(marketOf(at, id), held, marketOf(at, id).mark)).ceil();
}

describe("Margin, against the model at random", function () {
  this.timeout(600_000);

  it("finds the model's health, and what follows from it", async () => {
    await check(world, async (reader, at) => {
      const h = healthOf(at);
      const answers = await readAll(
        reader,
        at,
        ["health", ACCOUNT],
        ["withdrawable", ACCOUNT],
        ["settledBalance", ACCOUNT],
        ["coverage", ACCOUNT],
        ["isLiquidatable", ACCOUNT],
      );
      expect(fields(answers[0])).to.deep.equal(h);
      expect(answers.slice(1)).to.deep.equal([
        withdrawable(at),
        settledBalance(at),
        [settledPart(at), h.initialCalm],
        isLiquidatable(h),
      ]);
    });
  });

  it("agrees with the exact model where no jump waits and no rounding decides", async () => {
    const calm = world.map(({ markets, account }) => ({
      account,
      markets: markets.map((market) => ({ ...market, pending: undefined })),
    }));
    await check(calm, async (reader, at) => {
      const exact = modelAccount(at, "mark");
      const [health, free, failing] = await readAll(
        reader,
        at,
        ["health", ACCOUNT],
        ["withdrawable", ACCOUNT],
        ["isLiquidatable", ACCOUNT],
      );
      expect(fields(health).prudent).to.equal(prudentEquity(exact));
      const kept = exactlyWithdrawable(exact) - BigInt(String(free));
      expect(Number(kept)).to.be.within(0, at.markets.length);
      if (isLiquidatableExactly(exact)) expect(failing).to.equal(true);
    });
  });

  it("judges as the model does", async () => {
    let refused = 0;
    let capped = 0;
    await check(twoStates, async (reader, states) => {
      const abi: Interface = reader.harness.interface;
      const before = { markets: states.markets, account: states.before };
      const call = abi.encodeFunctionData("judge", [BEFORE, ACCOUNT]);
      const [reply] = await ask(reader, states, [call]);
      const allowed = isAllowed(before, states);
      expect(reply?.ok).to.equal(allowed);
      if (allowed) return;
      refused++;
      const { prudent, initial } = healthOf(states);
      const error = abi.parseError(reply?.result ?? "0x");
      const over = overCap(before, states);
      if (over !== undefined) {
        capped++;
        expect(error?.name).to.equal("AccountCapReached");
        expect(error?.args.map(BigInt)).to.deep.equal(over.map(BigInt));
        return;
      }
      expect(error?.name).to.equal("MarginTooLow");
      expect(error?.args).to.deep.equal([prudent, initial]);
    });
    expect(refused).to.be.within(RUNS / 10, (RUNS * 9) / 10);
    expect(capped).to.be.greaterThan(RUNS / 50);
  });

  it("checks makers on the state that the fill leaves (INV-12)", async () => {
    let refused = 0;
    await check(fill, async (reader, { world: at, fill: trade }) => {
      const side = trade.side === 1n ? 0 : 1;
      const { market, lots, price, fee } = trade;
      const call = ["allowsMaker", market, ACCOUNT, side, lots, price, fee] as const;
      const expected = allowsMaker(at, trade);
      if (!expected) refused++;
      expect(await readAll(reader, at, call)).to.deep.equal([expected]);
    });
    expect(refused).to.be.within(RUNS / 10, (RUNS * 9) / 10);
  });

  it("foresees what the fill itself leaves (INV-12)", async () => {
    await check(twoFills, async (reader, { world: start, first, second }) => {
      const args = ({ market, side, lots, price, fee }: FillCase) =>
        [market, ACCOUNT, side === 1n ? 0 : 1, lots, price, fee] as const;
      const [, allowed, , left] = await readAll(
        reader,
        start,
        ["trade", ...args(first)],
        ["allowsMaker", ...args(second)],
        ["trade", ...args(second)],
        ["health", ACCOUNT],
      );
      const opened = afterFill(start, { ...first, fee: first.fee + bondOf(start, first) });
      expect(allowed).to.equal(allowsMaker(opened, second));
      const bond = bondOf(opened, second);
      const after = afterFill(opened, { ...second, fee: second.fee + bond });
      // The cohort that it was alone in gives its bond back when it is left: the check does not count on that.
      const held = holdingIn(opened, 0);
      const leaves = held !== undefined && cohortOf(held) !== cohortAfter(opened, second);
      const returned = leaves ? marketOf(start, 0).cohortBond * MICRO : 0n;
      const balance = after.account.balance + returned;
      const expected = healthOf({ ...after, account: { ...after.account, balance } });
      // Profit that the fill realised is fresh, which moves it and changes no equity.
      const fresh = fields(left).fresh ?? 0n;
      expect(fields(left)).to.deep.equal({ ...expected, fresh });
    });
  });

  it("sees an account as settling it leaves it", async () => {
    await check(fc.tuple(twoFills, event), async (reader, [fills, cut]) => {
      const { first, second } = fills;
      // A position that was closed gives its cohort's bond back: that is no equity before it is paid.
      const markets = fills.world.markets.map((market) => ({ ...market, cohortBond: 0n }));
      const start = { ...fills.world, markets };
      const side = first.side === 1n ? 0 : 1;
      const haircut = (first.lots * first.price * cut.haircut) / PPM;
      const lots = (first.lots * cut.lots) / PPM;
      const elsewhere = markets.length > 1 ? 1 : 0;
      const makers = [second, { ...second, market: elsewhere }].map((trade) => {
        const [into, price] = [trade.side === 1n ? 0 : 1, marketOf(start, trade.market).mark];
        return ["allowsMaker", trade.market, ACCOUNT, into, trade.lots, price, 0n] as const;
      });
      const views = [["health", ACCOUNT], ["settledBalance", ACCOUNT], ...makers] as const;
      const answers = await readAll(
        reader,
        start,
        ["trade", 0, ACCOUNT, side, first.lots, first.price, 0n],
        ["happen", 0, ACCOUNT, haircut, lots],
        ...views,
        ["settle", 0, ACCOUNT],
        ...views,
      );
      const before = answers.slice(2, 2 + views.length);
      expect(answers.slice(-views.length)).to.deep.equal(before);
    });
  });

  it("finds the maintenance and the zero price of every position", async () => {
    await check(world, async (reader, at) => {
      const ids = at.account.holdings.map(({ market }) => market);
      const calls = ids.flatMap((id) => [
        ["maintenanceOf", id, ACCOUNT] as const,
        ["zeroPrice", id, ACCOUNT] as const,
      ]);
      const expected = ids.flatMap((id) => [ownMaintenance(at, id), zeroPrice(at, id)]);
      expect(await readAll(reader, at, ...calls)).to.deep.equal(expected);
    });
  });

  it("moves the limit from slip0 to the zero price, a few wei short of it", async () => {
    await check(fc.tuple(distressed, elapsed), async (reader, [at, seconds]) => {
      const expected = limitPrice(at, 0, seconds);
      const answers = await readAll(reader, at, ["limit", 0, ACCOUNT, seconds]);
      expect(answers).to.deep.equal([[expected, zeroPrice(at, 0)]]);
      const held = holdingIn(at, 0);
      if (held === undefined) return;
      const { slip0, clock, mark } = marketOf(at, 0);
      const model = modelHolding(marketOf(at, 0), held, mark);
      const exact = exactLimitPrice(modelAccount(at, "mark"), model, {
        slip0: rational(slip0, 1_000_000n),
        elapsed: seconds,
        duration: clock,
      });
      // Never beyond the exact limit, but for what rounding the position's own requirement up by a wei can do.
      const slack = zeroDistance(at, 0).over(ownMaintenance(at, 0));
      const inside = exact.minus(expected).times(-held.side);
      expect(inside.plus(slack).compare(-1n)).to.be.greaterThanOrEqual(0);
    });
  });

  it("sells the least lots that surely reach the target", async () => {
    const seen = { none: 0, some: 0, all: 0 };
    await check(fc.tuple(distressed, saleParts), async (reader, [at, parts]) => {
      const price = (marketOf(at, 0).mark * parts) / 1000n;
      const expected = lotsToTarget(at, 0, price);
      expect(await readAll(reader, at, ["lotsToTarget", 0, ACCOUNT, price])).to.deep.equal([
        expected,
      ]);
      const held = holdingIn(at, 0)?.lots ?? 0n;
      seen[expected === 0n ? "none" : expected === held ? "all" : "some"]++;
    });
    expect(seen.some).to.be.greaterThan(RUNS / 5);
  });

  it("keeps equity / maintenance in every sale at the limit, penalty included (INV-15)", async () => {
    await check(fc.tuple(distressed, elapsed, part), async (reader, [at, seconds, sold]) => {
      const held = holdingIn(at, 0);
      if (held === undefined) return;
      const [limits] = await readAll(reader, at, ["limit", 0, ACCOUNT, seconds]);
      const price = BigInt(String((limits as bigint[])[0]));
      const lots = larger(1n, (held.lots * sold) / 1000n);
      const side = -held.side === 1n ? 1n : -1n;
      const left = afterFill(at, { market: 0, side, lots, price, fee: 0n });
      const [was, now] = [healthOf(at), healthOf(left)];
      // A share of equity below a few wei is lost in rounding: then the limit is mark, and nothing else can be kept.
      if (zeroDistance(at, 0).compare(LIMIT_ROUNDING) <= 0) return;
      expect(isHealthKept(was, now)).to.equal(true);
      const [taken] = await readAll(reader, left, ["penalty", 2n ** 127n, was, now]);
      const equity = now.equity - BigInt(String(taken));
      expect(isHealthKept(was, { ...now, equity })).to.equal(true);
      if (now.maintenance > 0n && was.equity > 0n) {
        expect(isHealthKept(was, { ...now, equity: equity - 1n })).to.equal(false);
      }
    });
  });

  it("finds the last mark that maintenance survives", async () => {
    await check(world, async (reader, at) => {
      const held = holdingIn(at, 0);
      const [found] = await readAll(reader, at, ["liquidationPrice", 0, ACCOUNT]);
      const answer = BigInt(String(found));
      if (held === undefined) expect(answer).to.equal(0n);
      else if (answer > 0n) {
        expect(slackAt(at, 0, answer) >= 0n).to.equal(true);
        expect(slackAt(at, 0, answer - held.side) < 0n).to.equal(true);
      } else if (held.side === 1n) expect(slackAt(at, 0, 0n) >= 0n).to.equal(true);
      else expect(slackAt(at, 0, 1n) < 0n).to.equal(true);
    });
  });

  it("takes at most a penalty's rate, and what equity / maintenance can spare", async () => {
    await check(fc.tuple(twoStates, money), async (reader, [states, rate]) => {
      const was = healthOf({ markets: states.markets, account: states.before });
      const now = healthOf(states);
      const expected = penalty(rate, was, now);
      expect(await readAll(reader, states, ["penalty", rate, was, now])).to.deep.equal([expected]);
    });
  });
});
