import { expect } from "chai";
import { accountOf, cohortLots, freshOf, marketOf, valueAt } from "../model/cohorts.js";
import { frontOrder } from "../model/queue.js";
import { createModel } from "../model/model.js";
import type { Model } from "../model/model.js";
import { max, rational, ZERO } from "../model/rational.js";
import type { Rational } from "../model/rational.js";
import { keyOf, runEvent } from "./eager.js";
import { deployHarness, deployMarket, memberOf, MICRO, networkHelpers, UNIT } from "./fixture.js";
import type { Inspection, Member } from "./fixture.js";
import type { Random } from "./random.js";

/*
 * The contract and the eager model side by side. Whoever is touched is first set to the contract's whole numbers in the model,
 * so that errors count from one settlement to the next; after the touch both must agree to the wei.
 */

const ID = 1;
const FRESH_EPOCH = 240n;
const CLASS_DELAY = 900n;
const RICH = 10n ** 30n;

export type Profile = {
  readonly name: string;
  /** A fill has at most this many bits of lots. */
  readonly bits: bigint;
  readonly accounts: number;
  /** What funding moves by at most, scale 2^32. */
  readonly funding: bigint;
};

export type Counts = {
  steps: number;
  events: number;
  cuts: number;
  emptied: number;
  bothCut: number;
  compared: number;
  acrossEvents: number;
};

export type World = Awaited<ReturnType<typeof createWorld>>;

type Seen = { events: bigint; most: Rational };

export async function createWorld(profile: Profile, random: Random, counts: Counts) {
  const ids = Array.from({ length: profile.accounts }, (_, i) => 10 + i);
  const market = await deployMarket(await deployHarness(), ID, ids, {
    freshEpoch: Number(FRESH_EPOCH),
    classDelay: Number(CLASS_DELAY),
  });
  const model = createModel({ shares: "whole", freshUnit: MICRO });
  model.list({ id: ID, unit: UNIT, mark: market.terms.mark });
  for (const id of ids) {
    await market.deposit(id, RICH);
    model.deposit(id, RICH);
  }
  const world = { market, model, profile, random, counts, ids, all: await market.inspect() };
  const seen = new Map<number, Seen>(ids.map((id) => [id, { events: 0n, most: ZERO }]));
  /** Sides whose cohorts were cut since the other side's last touch of any member. */
  const cutSince = new Map<bigint, boolean>();

  let clock = BigInt(await networkHelpers.time.latest());

  async function step(): Promise<void> {
    await passTime();
    const touched = await act(random.between(1n, 100n));
    if (touched === undefined) return;
    world.all = await market.check();
    for (const id of touched) expectSame(model, memberOf(world.all, id));
    compare();
  }

  /** One operation on both. Returns who was touched; nothing if the contract did nothing but store a price. */
  async function act(roll: bigint): Promise<number[] | undefined> {
    if (roll <= 28n) return trade();
    if (roll <= 34n) return moveMark();
    if (roll <= 38n) return moveFunding();
    if (roll <= 43n) return touch(random.pick(ids));
    if (roll <= 48n) return chooseLeverage();
    return event();
  }

  /** A second passes; sometimes enough for epochs and delays. No step comes so late in an epoch that a view would see the next. */
  async function passTime(): Promise<void> {
    const jump = random.oneIn(12n) ? random.pick([60n, 240n, 480n, 1000n]) : 1n;
    let now = clock + jump;
    if (now % FRESH_EPOCH > FRESH_EPOCH - 10n) now += 12n;
    if (now / FRESH_EPOCH !== model.state.now / FRESH_EPOCH) {
      // Before profit matures into balances, so that its rounding, in micro units, is not taken for one of cash.
      for (const id of ids) resyncFresh(id);
      await networkHelpers.time.increaseTo(now);
      world.all = await market.inspect();
      now++;
    }
    clock = now;
    await networkHelpers.time.setNextBlockTimestamp(now);
    model.setTime(now);
    model.advanceFreshEpoch(ID, now / FRESH_EPOCH);
  }

  async function trade(): Promise<number[]> {
    const buyer = random.pick(ids);
    const seller = random.pick(ids.filter((id) => id !== buyer));
    const lots = random.magnitude(profile.bits);
    const { mark } = marketOf(model.state, ID);
    const ticks = (mark * random.between(97n, 103n)) / (100n * UNIT) || 1n;
    const fees = { buyerFee: random.between(0n, 9n), sellerFee: random.between(0n, 9n) };
    resync(buyer);
    resync(seller);
    model.fill({ market: ID, buyer, seller, lots, ticks, ...fees });
    await market.trade(buyer, seller, lots, ticks, fees);
    return [buyer, seller];
  }

  async function moveMark(): Promise<undefined> {
    const mark = random.between(300n, 1500n) * UNIT + random.between(0n, 999n);
    model.setMark(ID, mark);
    await market.setMark(mark);
    return undefined;
  }

  async function moveFunding(): Promise<undefined> {
    const delta = random.between(-profile.funding, profile.funding);
    model.addFunding(ID, delta);
    await market.addFunding(delta);
    return undefined;
  }

  async function touch(id: number): Promise<number[]> {
    resync(id);
    model.touch(id, ID);
    await market.settle(id);
    return [id];
  }

  async function chooseLeverage(): Promise<number[]> {
    const id = random.pick(ids);
    const leverageClass = Number(random.between(0n, 7n));
    const delay = random.oneIn(2n) ? CLASS_DELAY : 0n;
    resync(id);
    model.chooseLeverage(id, ID, leverageClass, delay);
    await market.setLeverage(id, leverageClass, Number(delay));
    return [id];
  }

  async function event(): Promise<number[]> {
    const victims = random.oneIn(3n) ? [] : [random.pick(ids)];
    if (random.oneIn(4n)) victims.push(random.pick(ids.filter((id) => !victims.includes(id))));
    for (const id of victims) resync(id);
    const freshPools = world.all.sides.map(({ fresh }) => fresh);
    const { plan, cutSides, emptied } = runEvent(model, ID, { victims, freshPools, random });
    await market.run(plan);
    for (const one of seen.values())
      one.events += BigInt(plan.charges.length > 0) + BigInt(plan.cuts.length > 0) + 1n;
    counts.events++;
    counts.cuts += plan.cuts.length;
    counts.emptied += emptied;
    for (const side of cutSides) cutSince.set(side, true);
    if (cutSides.length === 2 || cutSides.some((side) => cutSince.get(-side) === true))
      counts.bothCut++;
    world.all = await market.inspect();
    for (const id of victims) resyncFresh(id);
    return victims;
  }

  /** Sets a member of the model to what the contract says it has, and checks how far that is from exact. */
  function resync(id: number): void {
    const member = memberOf(world.all, id);
    const { settled, balance, cash, matured } = member;
    const position = accountOf(model.state, id).positions.get(ID);
    const exactLots = position?.lots ?? ZERO;
    const noted = seen.get(id) ?? { events: 0n, most: ZERO };
    resyncFresh(id);
    const actual = {
      lots: settled.lots,
      cost: settled.cost,
      balance: balance + cash + matured * MICRO,
    };
    const error = model.resync(id, ID, actual);
    expectNear(id, { error, exactLots, settled: settled.lots, side: position?.side ?? 1n, noted });
    seen.set(id, { events: 0n, most: ZERO });
  }

  /** Fresh profit is in micro units, and a side's total may be off by some of them, so the error has either sign. */
  function resyncFresh(id: number): void {
    const { current, previous } = memberOf(world.all, id);
    const events = seen.get(id)?.events ?? 0n;
    const fresh = freshOf(accountOf(model.state, id));
    const most = rational((events + 2n) * MICRO).plus(fresh.over(2n ** 40n));
    const actual = { current: current * MICRO, previous: previous * MICRO };
    const error = model.resyncFresh(id, ID, actual);
    for (const one of [error.current, error.previous]) {
      const isNear = one.compare(most) <= 0 && one.compare(most.negated()) >= 0;
      expect(isNear, `fresh profit of account ${id}, exact − actual = ${one.toString()}`).to.equal(
        true,
      );
    }
  }

  /** Every member's view against the exact state, sizes of cohorts, and what must hold anyway. */
  function compare(): void {
    expectCohorts(model, world.all);
    for (const id of ids) {
      const noted = seen.get(id);
      const position = accountOf(model.state, id).positions.get(ID);
      const member = memberOf(world.all, id);
      if (position === undefined || noted === undefined) continue;
      noted.most = max(noted.most, sizeOf(model, id));
      const gap = position.lots.minus(member.settled.lots);
      expectLots(id, gap, position.lots);
      counts.compared++;
      if (noted.events > 0n) counts.acrossEvents++;
    }
  }

  return { step, model, market };
}

type Near = {
  readonly error: { readonly lots: Rational; readonly cost: Rational; readonly balance: Rational };
  readonly exactLots: Rational;
  readonly settled: bigint;
  readonly side: bigint;
  readonly noted: Seen;
};

/** exact − 1 < size ≤ exact: never more than is there, and less than a lot is lost in one settlement. */
function expectLots(id: number, gap: Rational, exact: Rational): void {
  const wear = exact.over(2n ** 80n);
  const isWithin = gap.plus(wear).compare(0n) >= 0 && gap.minus(wear).compare(1n) <= 0;
  expect(isWithin, `INV-11: lots of account ${id}, exact − actual = ${gap.toString()}`).to.equal(
    true,
  );
}

/**
 * Equity: at most 2n + 6 wei and n·N·2^-95 below exact after n events, and hardly ever above. The cost of the fraction that is
 * lost with rounding the size belongs to the cohort, so equity is compared with cost for the exact size.
 */
function expectNear(id: number, { error, exactLots, settled, side, noted }: Near): void {
  expectLots(id, error.lots, exactLots);
  if (settled === 0n && !exactLots.isZero()) return;
  const scale = settled === 0n ? ZERO : error.cost.times(exactLots).over(settled);
  const equity = error.balance.minus(scale.times(side));
  const wear = noted.most.times(noted.events + 1n).over(2n ** 90n);
  const below = wear.plus(2n * noted.events + 8n);
  const above = wear.plus(3n).negated();
  const isWithin = equity.compare(above) >= 0 && equity.compare(below) <= 0;
  expect(
    isWithin,
    `INV-11: equity of account ${id}, exact − actual = ${equity.toString()}`,
  ).to.equal(true);
}

/** After a touch both have whole numbers, and the same. */
function expectSame(model: Model, member: Member): void {
  const id = Number(member.account);
  const { settled, stored } = member;
  const account = accountOf(model.state, id);
  const position = account.positions.get(ID);
  const name = `account ${id}`;
  const balance = member.balance + member.cash + member.matured * MICRO;
  expect(account.balance.toString(), `balance of ${name}`).to.equal(balance.toString());
  const fresh = account.fresh.get(ID);
  expect((fresh?.current ?? ZERO).toString(), `fresh of ${name}`).to.equal(
    (member.current * MICRO).toString(),
  );
  expect((fresh?.previous ?? ZERO).toString(), `fresh of ${name}`).to.equal(
    (member.previous * MICRO).toString(),
  );
  expect(stored.lots, `stored lots of ${name}`).to.equal(settled.lots);
  expect((position?.lots ?? ZERO).toString(), `lots of ${name}`).to.equal(settled.lots.toString());
  if (position === undefined) return;
  expect(position.cost.toString(), `cost of ${name}`).to.equal(settled.cost.toString());
  expect(position.entry, `entry of ${name}`).to.equal(settled.entry);
  const kind = BigInt(position.leverageClass * 2) + (position.side === 1n ? 0n : 1n);
  expect(kind, `kind of ${name}`).to.equal(settled.kind);
}

/** Queue order and the lots of every cohort, and the dust. */
function expectCohorts(model: Model, all: Inspection): void {
  const market = marketOf(model.state, ID);
  for (const [i, side] of ([1n, -1n] as const).entries()) {
    const expected = frontOrder(model.state, market, side).map(
      (cohort) => [keyOf(cohort), cohortLots(model.state, market, cohort).toString()] as const,
    );
    const actual = all.sides[i]?.queue.map(({ key, cohort }) => [
      Number(key),
      cohort.lots.toString(),
    ]);
    expect(actual, "the queue").to.deep.equal(expected);
  }
  expect(all.dust.longLots.toString(), "dust").to.equal(market.dust.long.lots.toString());
  expect(all.dust.shortLots.toString(), "dust").to.equal(market.dust.short.lots.toString());
}

function sizeOf(model: Model, id: number): Rational {
  const market = marketOf(model.state, ID);
  const position = accountOf(model.state, id).positions.get(ID);
  if (position === undefined) return ZERO;
  const cost = position.cost.isNegative() ? position.cost.negated() : position.cost;
  const value = valueAt(market, position, market.mark);
  return max(cost, position.lots.times(market.mark), value, value.negated());
}
