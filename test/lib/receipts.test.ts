import { expect } from "chai";
import fc from "fast-check";
import { LONG, cohortKey, cohortName, priceClassOf, SHORT } from "../../scripts/lib/keys.js";
import {
  classOrder,
  guaranteedProfit,
  queueOrder,
  splitByWeight,
} from "../../scripts/lib/queue.js";
import { ALL_RULES, takeByRules } from "../../scripts/lib/receipts.js";
import type { Rules, SideBefore } from "../../scripts/lib/receipts.js";
import { createModel } from "../model/model.js";
import type { Model } from "../model/model.js";
import { beforeCrash, crash, LONG_CLASS, LONG_COHORT, stepFrom } from "./crash.js";
import { UNIT } from "./story.js";

const SEED = 0xba11a57;
const MARKET_UNIT = 10n ** 12n;

describe("queue", () => {
  it("puts the best return on committed margin first, ties to the higher leverage, then to the better entry", () => {
    const at = (leverage: number, ticks: bigint) =>
      cohortKey({ side: LONG, leverage, priceClass: priceClassOf(ticks << 16n) });
    const quote = { mark: 1100n * UNIT, unit: UNIT };
    // 1x from 500 makes 120 %; 20x from 1000 makes 184 %; 5x from 2000 loses 227 %.
    const cohorts = [at(3, 2000n), at(0, 500n), at(5, 1000n), at(0, 600n)];
    expect(queueOrder(quote, cohorts)).to.deep.equal([
      at(5, 1000n),
      at(0, 500n),
      at(0, 600n),
      at(3, 2000n),
    ]);
  });

  it("puts the higher leverage first where the mark is at the edge of a class, and nobody has a score", () => {
    const priceClass = priceClassOf(1000n << 16n);
    const at = (leverage: number) => cohortKey({ side: LONG, leverage, priceClass });
    const quote = { mark: 1008n * UNIT, unit: UNIT };
    expect(queueOrder(quote, [at(1), at(7), at(4)])).to.deep.equal([at(7), at(4), at(1)]);
  });

  it("counts what the least profitable member of a class has, less what its lots have given", () => {
    const quote = { mark: 1100n * UNIT, unit: UNIT };
    const held = { priceClass: priceClassOf(1000n << 16n), lots: 10n, haircut: 0n };
    // The class is [1000, 1008).
    expect(guaranteedProfit(quote, LONG, held)).to.equal(920n * UNIT);
    expect(guaranteedProfit(quote, LONG, { ...held, haircut: UNIT << 54n })).to.equal(910n * UNIT);
    expect(guaranteedProfit(quote, SHORT, held)).to.equal(0n);
    expect(guaranteedProfit({ ...quote, mark: 900n * UNIT }, SHORT, held)).to.equal(1000n * UNIT);
  });

  it("splits by cumulative floors", () => {
    expect(splitByWeight(100n, [1n, 1n, 1n])).to.deep.equal([33n, 33n, 34n]);
    expect(splitByWeight(100n, [0n, 0n])).to.deep.equal([0n, 0n]);
    expect(classOrder(SHORT, [3, 9, 5])).to.deep.equal([9, 5, 3]);
  });
});

/** The side of a model's market as an event would find it; nothing was charged before. */
function sideOf(model: Model, mark: bigint): SideBefore {
  const market = model.snapshot().markets[0];
  const cohorts = new Map<number, bigint>();
  const classes = new Map<number, { lots: bigint; haircut: bigint }>();
  for (const { side, leverageClass, priceClass, lots } of market?.cohorts ?? []) {
    if (side !== 1) continue;
    cohorts.set(cohortKey({ side: LONG, leverage: leverageClass, priceClass }), BigInt(lots));
    const known = classes.get(priceClass)?.lots ?? 0n;
    classes.set(priceClass, { lots: known + BigInt(lots), haircut: 0n });
  }
  return { side: LONG, quote: { mark, unit: MARKET_UNIT }, classes, fresh: 0n, cohorts };
}

describe("what rules take", () => {
  const position = fc.record({
    account: fc.integer({ min: 0, max: 5 }),
    ticks: fc.bigInt({ min: 700n, max: 1300n }),
    lots: fc.bigInt({ min: 1n, max: 60n }),
    leverage: fc.integer({ min: 0, max: 7 }),
  });

  for (const rules of ALL_RULES) {
    it(`is what the reference model takes by ${rules.quantity} and ${rules.deficit}`, () => {
      const property = fc.property(
        fc.array(position, { minLength: 1, maxLength: 8 }),
        fc.bigInt({ min: 900n, max: 2500n }),
        fc.bigInt({ min: 0n, max: 10n ** 17n }),
        (positions, ticks, deposit) => expectModel(rules, positions, { ticks, deposit }),
      );
      fc.assert(property, { seed: SEED, numRuns: 60 });
    });
  }

  type Opening = { account: number; ticks: bigint; lots: bigint; leverage: number };

  function expectModel(
    { quantity, deficit }: Rules,
    positions: readonly Opening[],
    { ticks, deposit }: { ticks: bigint; deposit: bigint },
  ): void {
    const model = createModel({ shares: "whole", freshUnit: undefined });
    model.list({ id: 0, unit: MARKET_UNIT, mark: 1000n * MARKET_UNIT, quantity, deficit });
    for (let id = 0; id < 6; id++) model.deposit(id, 10n ** 24n);
    model.deposit(9, deposit);
    for (const { account, ticks: price, lots, leverage } of positions) {
      model.chooseLeverage(account, 0, leverage, 0n);
      model.fill({ market: 0, buyer: account, seller: 9, lots, ticks: price });
    }
    const mark = ticks * MARKET_UNIT;
    model.setMark(0, mark);
    const before = sideOf(model, mark);
    const [receipt] = model.deleverage({ accounts: [9] });
    if (receipt === undefined) return;
    const whole = (value: { toString(): string }) => BigInt(value.toString());
    const lots = whole(receipt.lots);
    const taken = takeByRules(
      before,
      { charge: whole(receipt.deficit), lots },
      { quantity, deficit },
    );

    expect(taken.base, "base").to.equal(whole(receipt.base));
    const haircuts = receipt.haircuts.map(({ priceClass, amount }) => ({
      priceClass,
      amount: whole(amount),
    }));
    expect(taken.charges, "charges").to.deep.equal(taken.base === 0n ? [] : haircuts);
    const cuts = receipt.cuts.map(({ leverageClass, priceClass, lots: closed, discount }) => ({
      cohort: cohortKey({ side: LONG, leverage: leverageClass, priceClass }),
      lots: whole(closed),
      discount: whole(discount),
    }));
    expect(taken.cuts, "cuts").to.deep.equal(cuts.filter((cut) => cut.lots > 0n));
  }
});

describe("a receipt from the log", () => {
  it("has the side as it was before the event, and what was taken", () => {
    const story = beforeCrash();
    const from = story.events.length;
    crash(story);
    const [receipt] = stepFrom(story, from).step.receipts;
    expect(receipt?.before.cohorts).to.deep.equal(new Map([[LONG_COHORT, 18n]]));
    expect(receipt?.before.classes).to.deep.equal(
      new Map([[LONG_CLASS, { lots: 18n, haircut: 0n }]]),
    );
    expect(receipt?.cuts).to.deep.equal([{ cohort: LONG_COHORT, lots: 15n, discount: 0n }]);
    expect(receipt?.haircuts.map(({ amount }) => amount)).to.deep.equal([receipt?.receipt.deficit]);
    expect(cohortName(LONG_COHORT)).to.include({ leverage: 0, side: LONG });
  });

  it("tells what each other rule would have taken", () => {
    const story = beforeCrash();
    crash(story);
    const [receipt] = stepFrom(story, 0).step.receipts;
    if (receipt === undefined) throw new Error("there is a receipt");
    const need = { charge: receipt.receipt.deficit, lots: receipt.receipt.queueLots };
    const taken = ALL_RULES.map((rules) => takeByRules(receipt.before, need, rules));
    const discounts = taken.map(({ cuts }) =>
      cuts.reduce((total, { discount }) => total + discount, 0n),
    );
    expect(discounts).to.deep.equal([0n, need.charge, 0n, need.charge]);
    expect(taken.map(({ base }) => base > 0n)).to.deep.equal([true, false, true, false]);
  });
});
