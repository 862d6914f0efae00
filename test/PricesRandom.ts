import { expect } from "chai";
import fc from "fast-check";
import {
  bookPrice,
  fundingDue,
  guardTime,
  guardUpdate,
  impactPrice,
  isTooWide,
  markOf,
  nextPremium,
  NOTHING,
  PREMIUM_SCALE,
} from "./model/prices.js";
import type { Grade, Guard, LevelAt, Reading, Rules, Sample, Side } from "./model/prices.js";
import { rational } from "./model/rational.js";
import type { Rational } from "./model/rational.js";
import {
  configOf,
  deployPrices,
  GRADES,
  MARKET,
  networkHelpers,
  refreshAt,
  RULES,
  say,
  setSides,
  START,
  stored,
  trade,
} from "./PricesFixture.js";
import type { Stage } from "./PricesFixture.js";

/*
 * Whole markets at random, every refresh against the model. Numbers that are rounded on the way (impact prices, the premium)
 * are checked within their bound and then taken over, so that index, mark, leg, grade and funding must be equal exactly.
 */

const SEED = 0xba11a57;
const INDEX = 600_000_000_000_000n;
const TICK = INDEX / RULES.unit;
const SCALE = 2n ** 32n;
/** Seconds after START, so that an update may have been published before the first step. */
const BEGIN = 1000n;
const RANK: Record<Grade, number> = { dead: 0, aged: 1, fresh: 2 };

type Book = { readonly bids: readonly LevelAt[]; readonly asks: readonly LevelAt[] };

/** One second or more, then what the world looks like. */
type Step = {
  readonly wait: bigint;
  /** ppm of the first price. */
  readonly move: bigint;
  readonly lag: bigint;
  readonly grade: Grade;
  readonly agreeing: number;
  readonly book: Book;
  readonly trade: { readonly tick: bigint; readonly quote: bigint } | undefined;
};

/** What the model knows of a market. */
type World = {
  now: bigint;
  guard: Guard;
  grade: Grade;
  freshSince: bigint | undefined;
  refreshed: bigint;
  mark: bigint;
  premium: bigint;
  funding: bigint;
  sample: Sample;
  last: { readonly tick: bigint; readonly time: bigint } | undefined;
};

function emptyWorld(): World {
  return {
    now: BEGIN,
    guard: { index: undefined, waiting: undefined, seen: 0n },
    grade: "dead",
    freshSince: undefined,
    refreshed: 0n,
    mark: 0n,
    premium: 0n,
    funding: 0n,
    sample: { bid: undefined, ask: undefined, time: -START },
    last: undefined,
  };
}

function ageGrade(seen: bigint, now: bigint, rules: Rules): Grade {
  if (seen === 0n || now - seen > rules.agedFor) return "dead";
  return now - seen > rules.freshFor ? "aged" : "fresh";
}

function worst(...grades: readonly Grade[]): Grade {
  return grades.reduce((a, b) => (RANK[a] < RANK[b] ? a : b));
}

/** Funding of the time since the last refresh; rounded towards zero, as bigint division does. */
function accrue(world: World, rules: Rules): void {
  const { index, waiting, seen } = world.guard;
  if (index === undefined || waiting !== undefined || world.grade === "dead") return;
  const alive = seen + rules.agedFor < world.now ? seen + rules.agedFor : world.now;
  const elapsed = alive - world.refreshed;
  if (elapsed <= 0n) return;
  const charged = elapsed > rules.maxAccrual ? rules.maxAccrual : elapsed;
  const due = fundingDue(world.premium, index, charged, rules).times(SCALE);
  world.funding += due.num / due.den;
}

function updateIndex(world: World, reading: Reading, rules: Rules): void {
  const seenBefore = world.guard.seen;
  if (reading.grade !== "dead") {
    const agreed = reading.grade === "fresh" && reading.agreeing >= 2;
    const update = { price: reading.price, time: reading.time, agreed };
    world.guard = guardUpdate(world.guard, update, world.now, rules);
    world.guard = guardTime(world.guard, world.now, rules);
  }
  const { seen, waiting } = world.guard;
  const atBest: Grade = waiting === undefined ? "fresh" : "aged";
  world.grade = worst(reading.grade, ageGrade(seen, world.now, rules), atBest);
  const isUnbroken = world.freshSince !== undefined && seen - seenBefore <= rules.freshFor;
  if (world.grade !== "fresh") world.freshSince = undefined;
  else if (!isUnbroken) world.freshSince = world.now;
}

/** Impact prices may be off by one part of 2^8 of a tick, never towards the other side. */
function expectImpact(actual: bigint, exact: Rational | undefined, side: Side, unit: bigint): void {
  if (exact === undefined) {
    expect(actual, `${side}: thin`).to.equal(0n);
    return;
  }
  const ticks = exact.times(256n).over(unit);
  const error = rational(actual)
    .minus(ticks)
    .times(side === "bids" ? -1n : 1n);
  expect(error.isNegative(), `${side}: towards the other side`).to.equal(false);
  expect(
    error.compare(rational(101n, 100n)) < 0,
    `${side}: ${actual} for ${ticks.floor()}`,
  ).to.equal(true);
}

type Stored = Awaited<ReturnType<typeof stored>>;

function checkSample(now: Stored, world: World, book: Book, rules: Rules): void {
  const { index } = world.guard;
  if (index === undefined) throw new RangeError("a live market has an index");
  const around = world.mark === 0n ? index : world.mark;
  const bid = impactPrice(book.bids, "bids", around, rules);
  const ask = impactPrice(book.asks, "asks", around, rules);
  const isCrossed = bid !== undefined && ask !== undefined && ask.compare(bid) <= 0;
  const isWide = bid !== undefined && ask !== undefined && !isCrossed && isTooWide(bid, ask, rules);
  expectImpact(now.bid, isWide ? undefined : bid, "bids", rules.unit);
  expectImpact(now.ask, isWide ? undefined : ask, "asks", rules.unit);
  const toQuote = (price: bigint) => (price === 0n ? undefined : (price * rules.unit) / 256n);
  world.sample = { bid: toQuote(now.bid), ask: toQuote(now.ask), time: world.now };
}

function checkPremium(now: Stored, world: World, before: bigint, rules: Rules): void {
  const scaled = world.premium * PREMIUM_SCALE;
  const next = nextPremium(scaled, world.sample, before, world.now, rules);
  const { premium } = now;
  const error = premium * PREMIUM_SCALE - next;
  expect(error < 0n ? -error : error, "premium").to.be.lessThan(4n * PREMIUM_SCALE);
  world.premium = premium;
}

async function checkStep(stage: Stage, world: World, step: Step, rules: Rules): Promise<string[]> {
  const before = world.guard.index;
  const price = (INDEX * (1_000_000n + step.move)) / 1_000_000n;
  const reading: Reading =
    step.grade === "dead"
      ? NOTHING
      : {
          price,
          time: world.now + step.wait - step.lag,
          grade: step.grade,
          agreeing: step.agreeing,
        };
  await say(stage, reading);
  await setSides(stage, step.book);
  if (step.trade !== undefined) {
    await trade(stage, step.trade.tick, step.trade.quote);
    const counts = step.trade.quote * 10n >= rules.impactNotional;
    if (counts) world.last = { tick: step.trade.tick, time: world.now };
  }

  world.now += step.wait;
  const leg = await refreshAt(stage, world.now);
  const now = await stored(stage);
  accrue(world, rules);
  updateIndex(world, reading, rules);
  const { index, waiting } = world.guard;
  const isLive = world.grade !== "dead";
  const isDue = world.now - world.sample.time >= rules.sampleInterval;
  if (isLive && waiting === undefined && isDue) {
    checkPremium(now, world, before ?? 0n, rules);
    checkSample(now, world, step.book, rules);
  }
  let expectedLeg = "index";
  if (isLive && index !== undefined) {
    const counts = world.last !== undefined && world.now - world.last.time < rules.lastTradeFor;
    const last = counts && world.last !== undefined ? world.last.tick * rules.unit : undefined;
    const book = bookPrice({ bid: world.sample.bid, ask: world.sample.ask, last });
    const result = markOf({ index, premium: world.premium, book }, rules);
    world.mark = result.mark;
    expectedLeg = result.leg;
  }
  world.refreshed = world.now;
  expectWorld(now, world);
  expect(leg, "leg").to.equal(expectedLeg);
  return [leg, world.grade, waiting === undefined ? "steady" : "waiting", sidesOf(world.sample)];
}

function sidesOf({ bid, ask }: Sample): string {
  if (bid === undefined) return ask === undefined ? "no side" : "asks only";
  return ask === undefined ? "bids only" : "two sides";
}

function expectWorld(now: Stored, world: World): void {
  const { index, waiting, seen } = world.guard;
  expect({ ...now, bid: 0n, ask: 0n, sampled: 0n }).to.deep.equal({
    index: index ?? 0n,
    mark: world.mark,
    funding: world.funding,
    grade: world.grade,
    gradeNow: world.grade,
    pending: waiting?.price,
    pendingSince: waiting?.since,
    freshSince: world.freshSince,
    refreshed: world.refreshed,
    publishTime: seen === 0n ? undefined : seen,
    premium: world.premium,
    bid: 0n,
    ask: 0n,
    sampled: 0n,
  });
}

/* WHAT IS DRAWN */

function integer(from: number | bigint, to: number | bigint): fc.Arbitrary<bigint> {
  return fc.bigInt({ min: BigInt(from), max: BigInt(to) });
}

/** Levels around the index, mostly near; about one impact notional is a third of 10^8 lots. */
function levels(side: Side): fc.Arbitrary<LevelAt[]> {
  const sign = side === "bids" ? -1n : 1n;
  const away = fc.oneof(integer(-300, 900), integer(-1500, 7000));
  const level = fc.record({
    tick: away.map((distance) => TICK + sign * distance),
    lots: fc.oneof(integer(1, 10n ** 7n), integer(10n ** 7n, 10n ** 8n), fc.constant(0n)),
  });
  return fc.uniqueArray(level, { selector: ({ tick }) => tick, maxLength: 6 });
}

/** Levels anywhere, or a deep pair somewhere near. */
const books: fc.Arbitrary<Book> = fc.oneof(
  fc.record({ bids: levels("bids"), asks: levels("asks") }),
  integer(-900, 900).map((shift) => ({
    bids: [{ tick: TICK + shift - 2n, lots: 2n * 10n ** 8n }],
    asks: [{ tick: TICK + shift + 2n, lots: 2n * 10n ** 8n }],
  })),
);

const steps: fc.Arbitrary<Step> = fc.record({
  wait: fc.oneof(integer(1, 4), integer(5, 40), integer(41, 700)),
  move: fc.oneof(integer(-2000, 2000), integer(-20_000, 20_000), integer(-300_000, 300_000)),
  lag: fc.oneof(integer(0, 3), integer(0, 40)),
  grade: fc.constantFrom<Grade>("fresh", "fresh", "fresh", "aged", "aged", "dead"),
  agreeing: fc.integer({ min: 0, max: 3 }),
  book: books,
  trade: fc.option(
    fc.record({
      tick: integer(TICK - 2000n, TICK + 2000n),
      quote: integer(RULES.impactNotional / 20n, RULES.impactNotional),
    }),
    { nil: undefined },
  ),
});

const rulesets: fc.Arbitrary<Rules> = fc.record({
  unit: fc.constant(RULES.unit),
  band: integer(5000, 200_000),
  maxDeviation: integer(500, 50_000),
  maxJump: integer(10_000, 200_000),
  maxPending: integer(5, 600),
  freshFor: integer(5, 60),
  agedFor: integer(60, 600),
  premiumWindow: integer(10, 600),
  sampleInterval: integer(1, 60),
  impactNotional: integer(100, 60_000).map((whole) => whole * 10n ** 18n),
  maxFunding: integer(0, 40_000),
  interest: integer(0, 300),
  maxAccrual: integer(60, 3600),
  lastTradeFor: integer(1, 600),
});

/** The book of a step replaces the one before. */
function replaceBook(step: Step, before: Book): Step {
  const emptied = (now: readonly LevelAt[], old: readonly LevelAt[]) => [
    ...old.filter(({ tick }) => !now.some((level) => level.tick === tick)).map(clear),
    ...now,
  ];
  return {
    ...step,
    book: {
      bids: emptied(step.book.bids, before.bids),
      asks: emptied(step.book.asks, before.asks),
    },
  };
}

function clear({ tick }: LevelAt): LevelAt {
  return { tick, lots: 0n };
}

async function play(rules: Rules, path: readonly Step[]): Promise<string[]> {
  const stage = await networkHelpers.loadFixture(deployPrices);
  await networkHelpers.time.setNextBlockTimestamp(START + BEGIN);
  await stage.harness.setConfig(MARKET, configOf(rules));
  const world = emptyWorld();
  const seen: string[] = [];
  let book: Book = { bids: [], asks: [] };
  for (const step of path) {
    seen.push(...(await checkStep(stage, world, replaceBook(step, book), rules)));
    book = step.book;
  }
  return seen;
}

/** What must have been met, lest the property says nothing. (The marks of book and clamp are the next property's.) */
const TAGS = [
  ...["index", "premium", "dead", "aged", "fresh", "steady", "waiting"],
  ...["no side", "asks only", "bids only", "two sides"],
];

describe("Prices at random", () => {
  it("agrees with the model over whole markets", async function () {
    this.timeout(600_000);
    const seen = new Map<string, number>();
    const property = fc.asyncProperty(
      rulesets,
      fc.array(steps, { minLength: 12, maxLength: 24 }),
      async (rules, path) => {
        for (const tag of await play(rules, path)) seen.set(tag, (seen.get(tag) ?? 0) + 1);
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: 30, endOnFailure: true });
    for (const tag of TAGS) expect(seen.get(tag) ?? 0, tag).to.be.greaterThan(5);
  });

  it("takes the median of any book, premium and index, and clamps it", async function () {
    this.timeout(600_000);
    const stage = await networkHelpers.loadFixture(deployPrices);
    const seen = new Set<string>();
    const property = fc.asyncProperty(
      fc.record({
        index: integer(10n ** 6n, 2n ** 62n),
        premium: fc.oneof(integer(-30_000, 30_000), integer(-999_000, 999_000)),
        bid: fc.option(integer(980_000, 1_005_000), { nil: undefined }),
        spread: integer(0, 20_000),
        hasAsk: fc.boolean(),
        last: fc.option(integer(970_000, 1_030_000), { nil: undefined }),
      }),
      async (drawn) => {
        seen.add(await checkMark(stage, drawn));
      },
    );
    await fc.assert(property, { seed: SEED, numRuns: 300, endOnFailure: true });
    expect([...seen].toSorted()).to.deep.equal(["book", "clamped", "index", "premium"]);
  });
});

type Drawn = {
  readonly index: bigint;
  readonly premium: bigint;
  readonly bid: bigint | undefined;
  readonly spread: bigint;
  readonly hasAsk: boolean;
  readonly last: bigint | undefined;
};

/** One refresh with words set by hand; numbers other than the index are ppm of it. */
async function checkMark(stage: Stage, drawn: Drawn): Promise<string> {
  const { index } = drawn;
  const part = (ppm: bigint) => (index * ppm) / 1_000_000n;
  // A unit that leaves prices about 2^22 ticks.
  const unit = index / 2n ** 22n + 1n;
  const inTicks = (ppm: bigint | undefined) => (ppm === undefined ? 0n : (part(ppm) * 256n) / unit);
  const bid = inTicks(drawn.bid);
  const ask = drawn.hasAsk ? inTicks((drawn.bid ?? 990_000n) + drawn.spread) : 0n;
  const lastTick = drawn.last === undefined ? 0n : part(drawn.last) / unit;
  const premium = part(drawn.premium);
  const rules = { ...RULES, unit };

  const now = BigInt(await networkHelpers.time.latest());
  await networkHelpers.time.setNextBlockTimestamp(now);
  await stage.harness.setConfig(MARKET, { ...configOf(rules), lotDecimals: 0n });
  await networkHelpers.time.setNextBlockTimestamp(now);
  await stage.oracle.set(index, now, GRADES.indexOf("fresh"), 3);
  await networkHelpers.time.setNextBlockTimestamp(now);
  await stage.harness.setWords(
    MARKET,
    { funding: 0n, mark: index, index },
    {
      bestBid: 0n,
      bestAsk: 0n,
      lastTick,
      lastTradeTime: lastTick === 0n ? 0n : now,
      refreshed: now,
      kills: 0n,
      grade: 2n,
      status: 1n,
      freshSince: now,
      pendingSince: 0n,
      volatilityRate: 0n,
    },
    { premium, bid, ask, sampled: now, publishTime: now, pendingIndex: 0n },
  );
  const leg = await refreshAt(stage, now + 1n - START);

  const quote = (price: bigint) => (price === 0n ? undefined : (price * unit) / 256n);
  const last = lastTick === 0n ? undefined : lastTick * unit;
  const book = bookPrice({ bid: quote(bid), ask: quote(ask), last });
  const expected = markOf({ index, premium, book }, rules);
  expect((await stored(stage)).mark).to.equal(expected.mark);
  expect(leg).to.equal(expected.leg);
  return leg;
}
