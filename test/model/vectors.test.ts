import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { createModel } from "./model.js";
import type { Model } from "./model.js";
import { parseRational, rational } from "./rational.js";
import type { DeficitRule, QuantityRule } from "./types.js";

const FILE = resolve(import.meta.dirname, "../../../shared/data/adl-vectors.json");

type Operation =
  | { t: "deposit"; a: number; x: string }
  | { t: "fundDeposit"; x: string }
  | { t: "trade"; m: number; buy: number; sell: number; d: string; p: string }
  | { t: "mark"; m: number; M: string }
  | { t: "fund"; m: number; dF: string }
  | { t: "lev"; a: number; m: number; l: number }
  | { t: "touch"; a: number; m: number }
  | { t: "delev"; a: number; quant: QuantityRule; rule: DeficitRule; budget: string };

type Vector = {
  name: string;
  ops: Operation[];
  expected: {
    members: {
      account: number;
      market: number;
      side: number;
      leverageClass: number;
      entry_2m16ticks: string;
      exact: { size: string; cost: string; haircut: string };
      lazy: { size: string };
    }[];
    balanceExact: Record<string, string>;
    balanceLazy_withPending: Record<string, string>;
    dustLots: { long: string; short: string }[];
    cohorts: {
      market: number;
      side: number;
      lev: number;
      cls: number;
      Q: string;
      V: string;
      n: number;
    }[];
  };
};

type VectorFile = {
  unit: string;
  initialMark: string[];
  leverageTable: number[];
  vectors: Vector[];
};

/** What the vectors were made with: nothing is fresh, and the rest of a deficit has no limit per lot. */
function modelOf(file: VectorFile): Model {
  const model = createModel({
    leverageTable: file.leverageTable.map(BigInt),
    defaultLeverageClass: 0,
    freshUnit: undefined,
  });
  file.initialMark.forEach((mark, id) =>
    model.list({ id, unit: BigInt(file.unit), mark: BigInt(mark) }),
  );
  return model;
}

function apply(model: Model, op: Operation): void {
  switch (op.t) {
    case "deposit":
      return model.deposit(op.a, BigInt(op.x));
    case "fundDeposit":
      return model.fundDeposit(BigInt(op.x));
    case "trade": {
      const [lots, ticks] = [BigInt(op.d), BigInt(op.p)];
      return model.fill({ market: op.m, buyer: op.buy, seller: op.sell, lots, ticks });
    }
    case "mark":
      return model.setMark(op.m, BigInt(op.M));
    case "fund":
      return model.addFunding(op.m, BigInt(op.dF));
    case "lev":
      return model.chooseLeverage(op.a, op.m, op.l);
    case "touch":
      return model.touch(op.a, op.m);
    case "delev": {
      for (const id of model.state.markets.keys()) model.setRules(id, op.quant, op.rule);
      const permit = { event: BigInt(op.budget), beyond: 0n };
      const permits = new Map([...model.state.markets.keys()].map((id) => [id, permit]));
      model.deleverage({ accounts: [op.a], permits });
    }
  }
}

function expectVector(model: Model, { expected }: Vector): void {
  const actual = model.snapshot();

  const positions = actual.accounts.flatMap((account) =>
    account.positions.map(({ market, side, lots, cost, haircut, entry, leverageClass }) => ({
      account: account.id,
      market,
      side,
      leverageClass,
      entry_2m16ticks: entry,
      exact: { size: lots, cost, haircut },
    })),
  );
  expect(positions, "positions").to.deep.equal(
    expected.members.map(({ account, market, side, leverageClass, entry_2m16ticks, exact }) => ({
      account,
      market,
      side,
      leverageClass,
      entry_2m16ticks,
      exact,
    })),
  );

  const balances = Object.fromEntries(actual.accounts.map(({ id, balance }) => [id, balance]));
  expect(balances, "balances").to.deep.equal(expected.balanceExact);
  for (const [id, lazy] of Object.entries(expected.balanceLazy_withPending)) {
    const error = parseRational(balances[id] ?? "0").minus(BigInt(lazy));
    expect(error.compare(-50n) >= 0 && error.compare(50n) <= 0, `balance of ${id}`).to.equal(true);
  }

  const dust = actual.markets.map(({ dustLots }) => dustLots);
  expect(dust, "dust lots").to.deep.equal(expected.dustLots);

  const cohorts = actual.markets.flatMap(({ id, cohorts }) =>
    cohorts.map((cohort) => ({
      market: id,
      side: cohort.side,
      lev: cohort.leverageClass,
      cls: cohort.priceClass,
      Q: cohort.lots,
      // The vectors hold the integer model's V: a charge of a cohort is floored there, so V can be off by a wei.
      V: parseRational(cohort.cost),
      n: cohort.members,
    })),
  );
  expect(cohorts.length, "number of cohorts").to.equal(expected.cohorts.length);
  for (const { market, side, lev, cls, Q, V, n } of expected.cohorts) {
    const found = cohorts.find(
      (other) =>
        other.market === market && other.side === side && other.lev === lev && other.cls === cls,
    );
    expect(found, `cohort ${cls}`).to.include({ Q, n });
    const error = (found?.V ?? rational(0n)).minus(BigInt(V));
    expect(error.compare(-1n) > 0 && error.compare(1n) < 0, `cost of cohort ${cls}`).to.equal(true);
  }
}

describe("reference model: vectors", () => {
  if (!existsSync(FILE)) {
    it.skip(`is skipped because ${FILE} is not there`);
    return;
  }
  const file = JSON.parse(readFileSync(FILE, "utf8")) as VectorFile;

  for (const vector of file.vectors) {
    it(vector.name, () => {
      const model = modelOf(file);
      for (const op of vector.ops) {
        apply(model, op);
        expect(model.residue().toString(), "INV-1").to.equal("0");
        for (const id of model.state.markets.keys()) {
          expect(model.lotImbalance(id).toString(), "INV-2").to.equal("0");
        }
      }
      expectVector(model, vector);
    });
  }
});
