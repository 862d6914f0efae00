import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { deployHarness, deployMarket, FUND, networkHelpers } from "./differential/fixture.js";
import type { Inspection, Market } from "./differential/fixture.js";
import { parseRational } from "./model/rational.js";
import { splitWhole } from "./model/queue.js";
import { rational } from "./model/rational.js";

/* The vectors of the cohort arithmetic, run through the contracts' own libraries. */

const FILE = resolve(import.meta.dirname, "../../shared/data/adl-vectors.json");
const ACCOUNTS = 7;
/** Account 0 of the vectors; lower ids belong to the house. */
const FIRST = 10;
const BALANCE_TOLERANCE = 50n;

type Operation =
  | { t: "deposit"; a: number; x: string }
  | { t: "fundDeposit"; x: string }
  | { t: "trade"; m: number; buy: number; sell: number; d: string; p: string }
  | { t: "mark"; m: number; M: string }
  | { t: "fund"; m: number; dF: string }
  | { t: "lev"; a: number; m: number; l: number }
  | { t: "touch"; a: number; m: number }
  | {
      t: "delev";
      a: number;
      quant: "Front" | "ProRata";
      rule: "Winners" | "Queue";
      budget: string;
    };

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
      exact: { size: string };
    }[];
    balanceExact: Record<string, string>;
    dustLots: { long: string; short: string }[];
    cohorts: {
      market: number;
      side: number;
      lev: number;
      cls: number;
      Q: string;
      n: number;
    }[];
  };
};

type VectorFile = { unit: string; initialMark: string[]; vectors: Vector[] };

const ids = Array.from({ length: ACCOUNTS }, (_, i) => FIRST + i);

async function deploy() {
  const harness = await deployHarness();
  // The shape is stated where the vectors are specified.
  const file = JSON.parse(readFileSync(FILE, "utf8")) as VectorFile;
  const unit = BigInt(file.unit);
  const markets: Market[] = [];
  for (const [id, mark] of file.initialMark.entries()) {
    const terms = { unit, mark: BigInt(mark), defaultLeverage: 0 };
    markets.push(await deployMarket(harness, id, ids, terms));
  }
  return { markets };
}

function at<Item>(items: readonly Item[], i: number): Item {
  const item = items[i];
  if (item === undefined) throw new RangeError(`nothing at ${i}`);
  return item;
}

async function apply(markets: readonly Market[], op: Operation): Promise<void> {
  switch (op.t) {
    case "deposit":
      await at(markets, 0).deposit(FIRST + op.a, BigInt(op.x));
      return;
    case "fundDeposit":
      await at(markets, 0).deposit(FUND, BigInt(op.x));
      return;
    case "trade":
      await at(markets, op.m).trade(FIRST + op.buy, FIRST + op.sell, BigInt(op.d), BigInt(op.p));
      return;
    case "mark":
      await at(markets, op.m).setMark(BigInt(op.M));
      return;
    case "fund":
      await at(markets, op.m).addFunding(BigInt(op.dF));
      return;
    case "lev":
      await at(markets, op.m).setLeverage(FIRST + op.a, op.l);
      return;
    case "touch":
      await at(markets, op.m).settle(FIRST + op.a);
      return;
    case "delev":
      await deleverage(markets, op);
  }
}

type Part = { market: Market; side: number; lots: bigint; profit: bigint; all: Inspection };

/** The event of the vectors: no cap per lot, no fresh profit, a fund budget of 0. */
async function deleverage(
  markets: readonly Market[],
  op: Operation & { t: "delev" },
): Promise<void> {
  expect(op.budget).to.equal("0");
  const account = FIRST + op.a;
  let equity = 0n;
  const parts: Part[] = [];
  for (const market of markets) {
    const all = await market.inspect();
    const member = at(all.members, op.a);
    if (parts.length === 0) equity += member.balance;
    const { lots, kind, cost } = member.settled;
    if (lots === 0n) continue;
    const side = Number(kind & 1n);
    const sign = side === 0 ? 1n : -1n;
    const free =
      sign * (lots * (await markOf(market)) * 2n ** 32n - lots * (await fundingOf(market)));
    const profit = (free >> 32n) - sign * cost;
    equity += member.cash + profit;
    parts.push({ market, side, lots, profit, all });
  }
  const deficit = equity < 0n ? -equity : 0n;
  const losses = parts.map(({ profit }) => rational(profit < 0n ? -profit : 0n));
  const shares = splitWhole(rational(deficit), losses).map((share) => share.floor());
  for (const [i, part] of parts.entries()) await close(part, account, shares[i] ?? 0n, op);
  if (deficit > 0n) await at(markets, 0).harness.move(FUND, account, deficit);
}

async function close(
  { market, side, lots, all }: Part,
  account: number,
  deficit: bigint,
  op: Operation & { t: "delev" },
): Promise<void> {
  const payers = 1 - side;
  const dustLots = payers === 0 ? all.dust.longLots : all.dust.shortLots;
  const fromDust = dustLots < lots ? dustLots : lots;
  const view = at(all.sides, payers);
  const sizes = view.queue.map(({ cohort }) => cohort.lots);
  const takes =
    op.quant === "Front" ? inOrder(lots - fromDust, sizes) : split(lots - fromDust, sizes);
  const isQueue = op.rule === "Queue";
  const discounts = isQueue ? split(deficit, takes) : takes.map(() => 0n);
  const charges = isQueue ? [] : chargesOf(view.classes, deficit);
  await market.run({
    accounts: [account],
    charges: charges.map((charge) => ({ side: BigInt(payers), ...charge })),
    dust: payers === 0 ? [fromDust, 0n] : [0n, fromDust],
    cuts: view.queue
      .map(({ key }, i) => ({
        cohort: Number(key),
        lots: takes[i] ?? 0n,
        discount: discounts[i] ?? 0n,
      }))
      .filter((cut) => cut.lots > 0n),
  });
}

/** By guaranteed profit; what that does not cover, by lots. */
function chargesOf(
  classes: readonly { priceClass: bigint; lots: bigint; profit: bigint }[],
  deficit: bigint,
): { priceClass: number; amount: bigint }[] {
  const base = classes.reduce((sum, { profit }) => sum + profit, 0n);
  const haircut = deficit < base ? deficit : base;
  const first = split(
    haircut,
    classes.map(({ profit }) => profit),
  );
  const rest = split(
    deficit - haircut,
    classes.map(({ lots }) => lots),
  );
  return classes.map(({ priceClass }, i) => ({
    priceClass: Number(priceClass),
    amount: (first[i] ?? 0n) + (rest[i] ?? 0n),
  }));
}

function split(amount: bigint, weights: readonly bigint[]): bigint[] {
  return splitWhole(
    rational(amount),
    weights.map((weight) => rational(weight)),
  ).map((share) => share.floor());
}

function inOrder(lots: bigint, sizes: readonly bigint[]): bigint[] {
  let left = lots;
  return sizes.map((size) => {
    const taken = size < left ? size : left;
    left -= taken;
    return taken;
  });
}

async function markOf(market: Market): Promise<bigint> {
  return (await market.harness.priceOf(market.id)).mark;
}

async function fundingOf(market: Market): Promise<bigint> {
  return (await market.harness.priceOf(market.id)).funding;
}

function expectMembers(states: readonly Inspection[], { expected }: Vector): void {
  for (const { account, market, side, leverageClass, entry_2m16ticks, exact } of expected.members) {
    const { settled, stored } = at(at(states, market).members, account);
    const size = parseRational(exact.size).floor();
    const name = `size of account ${account} in market ${market}`;
    expect(settled.lots === size || settled.lots === size - 1n, name).to.equal(true);
    if (stored.lots === 0n) continue;
    expect(stored.entry, "entry").to.equal(BigInt(entry_2m16ticks));
    expect(stored.kind, "kind").to.equal(BigInt(leverageClass * 2 + (side === 1 ? 0 : 1)));
  }
}

function expectBalances(states: readonly Inspection[], { expected }: Vector): void {
  for (const [account, exact] of Object.entries(expected.balanceExact)) {
    const cash = states.reduce((sum, all) => sum + at(all.members, Number(account)).cash, 0n);
    const balance = at(at(states, 0).members, Number(account)).balance + cash;
    const error = parseRational(exact).minus(balance);
    const isNear = error.compare(BALANCE_TOLERANCE) <= 0 && error.compare(-BALANCE_TOLERANCE) >= 0;
    expect(isNear, `balance of account ${account}: off by ${error.floor()}`).to.equal(true);
  }
}

function expectCohorts(states: readonly Inspection[], { expected }: Vector): void {
  for (const [market, { long, short }] of expected.dustLots.entries()) {
    const { dust } = at(states, market);
    expect([dust.longLots, dust.shortLots], "dust lots").to.deep.equal([
      BigInt(long),
      BigInt(short),
    ]);
  }
  const actual = states.flatMap((all, market) => {
    const named = new Map(all.named.map(({ key, cohort }) => [key, cohort]));
    return [...named]
      .filter(([, cohort]) => cohort.members > 0n)
      .map(([key, { lots, members }]) => `${market} ${key} ${lots} ${members}`);
  });
  const wanted = expected.cohorts.map(({ market, side, lev, cls, Q, n }) => {
    const key = ((side === 1 ? 0 : 1) << 15) | (lev << 12) | cls;
    return `${market} ${key} ${Q} ${n}`;
  });
  expect(actual.sort()).to.deep.equal(wanted.sort());
}

describe("ADL vectors", () => {
  if (!existsSync(FILE)) {
    it.skip(`are skipped because ${FILE} is not there`);
    return;
  }
  const file = JSON.parse(readFileSync(FILE, "utf8")) as VectorFile;

  for (const vector of file.vectors) {
    it(vector.name, async () => {
      const { markets } = await networkHelpers.loadFixture(deploy);
      for (const op of vector.ops) await apply(markets, op);
      const states = await Promise.all(markets.map(async (market) => market.inspect()));
      expectMembers(states, vector);
      expectBalances(states, vector);
      expectCohorts(states, vector);
    });
  }
});
