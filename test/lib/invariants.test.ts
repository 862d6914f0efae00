import { expect } from "chai";
import type { Facts } from "../../scripts/lib/invariants.js";
import { checkState, checkStep } from "../../scripts/lib/invariants.js";
import type { EventName, EventNamed, ExchangeEvent } from "../../scripts/lib/events.js";
import { describeViolation } from "../../scripts/lib/audit/violation.js";
import type { InvariantId, Violation } from "../../scripts/lib/audit/violation.js";
import type { Step } from "../../scripts/lib/audit/step.js";
import { FUND, levelKey, LONG, orderId, SHORT } from "../../scripts/lib/keys.js";
import { marketOf } from "../../scripts/lib/rebuild.js";
import { copyState, tickWordKey } from "../../scripts/lib/state.js";
import type { MarketState, State } from "../../scripts/lib/state.js";
import { beforeCrash, crash, LONG_COHORT, stepFrom } from "./crash.js";
import { openExchange, place, setMark, trade } from "./story.js";
import type { Story } from "./story.js";

const texts = (violations: readonly Violation[]) => violations.map(describeViolation);

function at<Value>(map: ReadonlyMap<number, Value>, key: number): Value {
  const value = map.get(key);
  if (value === undefined) throw new RangeError(`nothing at ${key}`);
  return value;
}

/** The world after the crash, as one step. */
function crashed(): { step: Step; facts: Facts } {
  const story = beforeCrash();
  const from = story.events.length;
  crash(story);
  const { step, crossings } = stepFrom(story, from);
  return { step, facts: { custody: step.custody.after, crossings, time: story.time } };
}

/** What a few more events make of a story, as one step. */
function after(story: Story, tell: (story: Story) => void): Step {
  const from = story.events.length;
  tell(story);
  return stepFrom(story, from).step;
}

describe("invariants of a state", () => {
  it("hold before and after a crash", () => {
    const quiet = stepFrom(beforeCrash(), 0);
    const { time, custody } = quiet.step;
    const facts = { custody: custody.after, crossings: quiet.crossings, time };
    expect(texts(checkState(quiet.step.after, facts))).to.deep.equal([]);
    const loud = crashed();
    expect(texts(checkState(loud.step.after, loud.facts))).to.deep.equal([]);
  });

  const cases: [InvariantId, string, (state: State, market: MarketState) => void][] = [
    ["INV-1", "a wei too much in a balance", (state) => void (at(state.money, 10).balance += 1n)],
    ["INV-1", "a wei too much in a pot", (_, market) => void (market.flow.fees += 1n)],
    ["INV-1", "a wei missing in the pool", (_, market) => void (market.pool.unsettled -= 1n)],
    ["INV-1", "a bond that nobody holds", (_, market) => void (market.flow.bonds += 1n)],
    ["INV-1", "a shortfall from nowhere", (_, market) => void (market.pool.shortfall = 1n)],
    ["INV-1", "dust that costs something", (_, market) => void (market.dust.shortCost = 1n)],
    ["INV-2", "a lot of dust from nowhere", (_, market) => void (market.dust.longLots = 1n)],
    ["INV-2", "another open interest", (_, market) => void (market.flow.openInterest += 1n)],
    [
      "INV-4",
      "a member with more lots than its cohort has for it",
      (_, market) => void (at(market.positions, 10).lots += 20n),
    ],
    [
      "INV-4",
      "a cohort with lots that nobody left",
      (_, market) => void (at(market.cohorts, LONG_COHORT).lots += 4n),
    ],
    [
      "INV-4",
      "a cohort with cost that nobody left",
      (_, market) => void (at(market.cohorts, LONG_COHORT).cost += 6n * 10n ** 18n),
    ],
    [
      "INV-4",
      "a member too many",
      (_, market) => void (at(market.cohorts, LONG_COHORT).members += 1n),
    ],
    [
      "INV-4",
      "a checkpoint that is named but may be overwritten",
      (_, market) => void (at(market.positions, 10).checkpoint = 1n),
    ],
    [
      "INV-4",
      "a price class that is no sum",
      (_, market) => void (at(market.classes, 1661).lots += 1n),
    ],
    ["INV-4", "a bit without a cohort", (_, market) => void market.occupied.set(3, 1n)],
    ["INV-4", "a cohort without a bit", (_, market) => void market.occupied.clear()],
    [
      "INV-5",
      "a level that says more than its orders",
      (_, market) => void (at(market.levels, levelKey(LONG, 990)).lots += 1n),
    ],
    [
      "INV-5",
      "a queue in another order than its links",
      (_, market) => void (at(market.orders, orderId(12, 0)).prev = 0n),
    ],
    [
      "INV-5",
      "a queue that ends too early",
      (_, market) => void (at(market.orders, orderId(10, 0)).next = 0n),
    ],
    ["INV-5", "a better bid that is not best", (_, market) => void (market.book.bestBid = 700n)],
    ["INV-5", "a best ask that is not there", (_, market) => void (market.book.bestAsk = 1200n)],
    [
      "INV-5",
      "a bit without a level",
      (_, market) => void market.ticks.set(tickWordKey(LONG, 9), 1n),
    ],
    [
      "INV-5",
      "a reservation of nothing",
      (_, market) => void (at(market.resting, 12).bidLots += 1n),
    ],
    [
      "INV-5",
      "a reduce-only order that reserves",
      (_, market) => void (at(market.resting, 12).askLots += 2n),
    ],
    [
      "INV-5",
      "a slot in use without order",
      (_, market) => void (at(market.resting, 12).used |= 16n),
    ],
  ];
  cases.push(
    [
      "markets",
      "a market that an account's bitmap does not know",
      (state) => void (at(state.accounts, 12).markets = 0n),
    ],
    ["markets", "too many markets", (state) => void (at(state.accounts, 12).markets = 0x1ffn)],
  );
  for (const [id, name, break_] of cases) {
    it(`${id} does not hold with ${name}`, () => {
      const { step, facts } = crashed();
      const state = copyState(step.after);
      break_(state, marketOf(state, 0));
      const ids = new Set(checkState(state, facts).map((violation) => violation.id));
      expect([...ids]).to.include(id);
    });
  }

  it("INV-1 counts every token that the vault has pulled", () => {
    const { step, facts } = crashed();
    const { tracked, queued, held } = facts.custody;
    const less = { ...facts, custody: { tracked: tracked - 1n, queued, held } };
    expect(checkState(step.after, less).map(({ id }) => id)).to.deep.equal(["INV-1"]);
    const poor = { ...facts, custody: { tracked, queued, held: held - 1n } };
    expect(checkState(step.after, poor).map(({ id }) => id)).to.deep.equal(["custody"]);
    const gift = { ...facts, custody: { tracked, queued, held: held + 1n } };
    expect(checkState(step.after, gift)).to.deep.equal([]);
    const unpaid = { ...facts, custody: { tracked, queued: queued + 1n, held } };
    expect(checkState(step.after, unpaid).map(({ id }) => id)).to.deep.equal(["custody"]);
  });

  it("INV-5 does not hold when a live bid meets a live ask, but does when one of them is dead", () => {
    const story = beforeCrash();
    place(story, 10, { slot: 5, side: LONG, tick: 1300n, lots: 1n });
    const look = () => {
      const { step, crossings } = stepFrom(story, 0);
      const facts = { custody: step.custody.after, crossings, time: story.time };
      return texts(checkState(step.after, facts));
    };
    expect(look()).to.deep.equal([
      "INV-5: a live bid meets a live ask (market 0, bid 1300, ask 1300)",
    ]);
    story.emit("OrdersKilled", { market: 0n, account: 10n, side: BigInt(LONG), epoch: 1n });
    expect(look()).to.deep.equal([]);
  });

  it("INV-2 counts the lots that a stored event still has to close", () => {
    const { step, facts } = crashed();
    const state = copyState(step.after);
    const market = marketOf(state, 0);
    const shorts = [...market.cohorts].find(([key, { lots }]) => key >= 2 ** 15 && lots > 0n);
    if (shorts === undefined) throw new Error("there are shorts");
    shorts[1].lots += 7n;
    at(market.classes, 4096 + (shorts[0] % 4096)).lots += 7n;
    market.pending.head.id = 2n;
    Object.assign(market.pending.sides[SHORT], { stage: 3n, lots: 20n, bookLots: 8n, given: 5n });
    expect(texts(checkState(state, facts).filter(({ id }) => id === "INV-2"))).to.deep.equal([]);
    market.pending.sides[SHORT].given = 6n;
    expect(checkState(state, facts).map(({ id }) => id)).to.include("INV-2");
  });
});

/** Replaces the arguments of the last event of a name. */
function revise<Name extends EventName>(
  events: readonly ExchangeEvent[],
  name: Name,
  changes: Partial<EventNamed<Name>["args"]>,
): ExchangeEvent[] {
  const last = events.findLastIndex((event) => event.name === name);
  return events.map((event, i) =>
    // The same event with other numbers.
    i === last
      ? ({ name, args: { ...event.args, ...changes } } as unknown as ExchangeEvent)
      : event,
  );
}

describe("invariants of what happened", () => {
  it("hold in a crash", () => {
    expect(texts(checkStep(crashed().step))).to.deep.equal([]);
  });

  it("hold in a trade", () => {
    const step = after(beforeCrash(), (story) =>
      trade(story, { maker: 12, taker: 10, side: SHORT, tick: 1000n, lots: 2n }),
    );
    expect(texts(checkStep(step))).to.deep.equal([]);
  });

  it("INV-3 does not hold when tokens come without a deposit", () => {
    const { step } = crashed();
    const { tracked, queued, held } = step.custody.after;
    const custody = {
      before: step.custody.before,
      after: { tracked: tracked + 1n, queued, held: held + 1n },
    };
    expect(checkStep({ ...step, custody }).map(({ id }) => id)).to.include("INV-3");
  });

  it("INV-3 does not hold when fees are not those of the fills", () => {
    const step = after(beforeCrash(), (story) =>
      trade(story, { maker: 12, taker: 10, side: SHORT, tick: 1000n, lots: 2n }),
    );
    const events = revise(step.events, "Filled", { makerFee: 1n });
    expect(texts(checkStep({ ...step, events })).join()).to.match(/^INV-3: a market's fees/);
  });

  it("INV-3 does not hold when an account gains what nobody loses", () => {
    const step = after(beforeCrash(), (story) =>
      story.emit("BalanceChanged", { account: 12n, reason: 0n, balance: 2n * 10n ** 21n }),
    );
    expect(texts(checkStep(step)).join()).to.match(/^INV-3: changes of all accounts/);
  });

  it("INV-6 does not hold when a bystander loses", () => {
    const step = after(beforeCrash(), (story) => {
      story.emit("BalanceChanged", { account: 12n, reason: 0n, balance: 0n });
      story.emit("BalanceChanged", { account: 1n, reason: 0n, balance: 10n ** 21n });
    });
    expect(checkStep(step).map(({ id }) => id)).to.include("INV-6");
  });

  it("INV-7 does not hold when an account of an event is not flat or not at zero", () => {
    const { step } = crashed();
    const open = copyState(step.after);
    marketOf(open, 0).positions.set(11, at(marketOf(step.before, 0).positions, 11));
    expect(checkStep({ ...step, after: open }).map(({ id }) => id)).to.include("INV-7");
    const rich = copyState(step.after);
    rich.money.set(11, { balance: 1n, freshMarkets: 0n, distress: 0n });
    expect(checkStep({ ...step, after: rich }).map(({ id }) => id)).to.include("INV-7");
  });

  it("INV-10 does not hold when the fund is negative", () => {
    const { step } = crashed();
    const poor = copyState(step.after);
    poor.money.set(FUND, { balance: -1n, freshMarkets: 0n, distress: 0n });
    expect(checkStep({ ...step, after: poor }).map(({ id }) => id)).to.include("INV-10");
  });

  it("INV-12 does not hold when a maker that grew is below maintenance, a taker below initial margin", () => {
    const setUp = () => openExchange(1000n, 3n, 3n);
    const made = after(setUp(), (story) =>
      trade(story, { maker: 11, taker: 10, side: LONG, tick: 1000n, lots: 400n }),
    );
    expect(texts(checkStep(made)).join()).to.match(/^INV-12: a maker grew/);
    const taken = after(setUp(), (story) =>
      trade(story, { maker: 10, taker: 12, side: LONG, tick: 1000n, lots: 40n }),
    );
    expect(texts(checkStep(taken)).join()).to.match(/^INV-12: a taker grew/);
    const fine = after(setUp(), (story) =>
      trade(story, { maker: 12, taker: 10, side: LONG, tick: 1000n, lots: 40n }),
    );
    expect(texts(checkStep(fine))).to.deep.equal([]);
  });

  it("INV-12 does not hold when a maker that shrinks worse than mark has a lower ratio", () => {
    const step = after(openExchange(1000n, 10n), (story) => {
      trade(story, { maker: 11, taker: 10, side: SHORT, tick: 1000n, lots: 40n });
      setMark(story, 1000n);
    });
    expect(texts(checkStep(step))).to.deep.equal([]);
    const story = openExchange(1000n, 10n);
    trade(story, { maker: 11, taker: 10, side: SHORT, tick: 1000n, lots: 40n });
    const shrunk = after(story, (told) =>
      trade(told, { maker: 11, taker: 10, side: LONG, tick: 600n, lots: 20n }),
    );
    expect(texts(checkStep(shrunk)).join()).to.match(/^INV-12: a maker that shrank/);
  });

  it("INV-15 does not hold when a forced sale lowers the ratio", () => {
    const sale = {
      account: 11n,
      equityBefore: 10n,
      maintenanceBefore: 20n,
      equityAfter: 4n,
      maintenanceAfter: 10n,
      penalty: 0n,
      reward: 0n,
    };
    const look = (equityAfter: bigint) =>
      checkStep(
        after(beforeCrash(), (story) => story.emit("LiquidationEnded", { ...sale, equityAfter })),
      );
    expect(look(4n).map(({ id }) => id)).to.deep.equal(["INV-15"]);
    expect(look(5n)).to.deep.equal([]);
    const below = { ...sale, equityBefore: -(10n ** 18n) };
    const insolvent = (equityAfter: bigint) =>
      checkStep(
        after(beforeCrash(), (story) => story.emit("LiquidationEnded", { ...below, equityAfter })),
      );
    expect(insolvent(-(10n ** 18n))).to.deep.equal([]);
    expect(insolvent(-(10n ** 18n) - 1_000n).map(({ id }) => id)).to.deep.equal(["INV-15"]);
  });

  describe("receipts", () => {
    type Change = (step: Step) => Step["receipts"][number];
    const first = ({ receipts: [receipt] }: Step) => {
      if (receipt === undefined) throw new Error("the crash has a receipt");
      return receipt;
    };
    const said =
      (changes: (receipt: ReturnType<typeof first>["receipt"]) => object): Change =>
      (step) => {
        const receipt = first(step);
        return { ...receipt, receipt: { ...receipt.receipt, ...changes(receipt.receipt) } };
      };
    const taken =
      (changes: (receipt: ReturnType<typeof first>) => object): Change =>
      (step) => ({ ...first(step), ...changes(first(step)) });

    const cases: [InvariantId, string, Change][] = [
      ["INV-8", "a deficit that nobody paid", said(({ deficit }) => ({ deficit: deficit + 1n }))],
      ["INV-8", "a lot that nobody closed", said(({ lots }) => ({ lots: lots + 1n }))],
      ["INV-8", "a share that is not in the sum", taken(() => ({ haircuts: [] }))],
      ["INV-8", "a charge on fresh profit unsaid", taken(() => ({ freshCharge: 1n }))],
      ["INV-8", "a cut that is not in the sum", taken(() => ({ cuts: [] }))],
      [
        "INV-8",
        "a cut of a cohort that is not at the front",
        taken(({ before }) => ({
          before: { ...before, cohorts: new Map([...before.cohorts, [LONG_COHORT - 20, 3n]]) },
        })),
      ],
      [
        "INV-8",
        "a discount that nobody bears",
        said(({ haircut }) => ({ haircut: 0n, discount: haircut })),
      ],
      [
        "INV-8",
        "winners who pay before the fund has paid what it may",
        said(() => ({ fundBefore: 10n ** 18n })),
      ],
      [
        "INV-10",
        "a fund that pays more than its budget",
        said(({ haircut }) => ({ fundBefore: 10n ** 18n, fundWithin: haircut, haircut: 0n })),
      ],
      [
        "INV-10",
        "a fund that pays more than the market's share",
        said(({ haircut }) => ({ fundBefore: 10n ** 18n, fundBeyond: haircut, haircut: 0n })),
      ],
      [
        "INV-13",
        "a lot that gave more than its profit",
        taken(({ haircuts }) => ({
          haircuts: haircuts.map((part) => ({ ...part, haircutIndex: 1n << 117n })),
        })),
      ],
      [
        "INV-13",
        "principal beyond the lowest maintenance rate",
        (step) => {
          const { haircuts, ...receipt } = first(step);
          const principals = haircuts.map((part) => ({ ...part, lots: 18n }));
          const { haircut } = receipt.receipt;
          const parts = { haircut: 0n, principal: haircut };
          return {
            ...receipt,
            haircuts: [],
            principals,
            receipt: { ...receipt.receipt, ...parts },
          };
        },
      ],
      ["INV-14", "another base than the profit before", said(({ base }) => ({ base: base + 1n }))],
      [
        "INV-14",
        "a base without the fresh profit",
        taken(({ before }) => ({ before: { ...before, fresh: 10n ** 12n } })),
      ],
    ];
    for (const [id, name, change] of cases) {
      it(`${id} does not hold with ${name}`, () => {
        const { step } = crashed();
        const ids = checkStep({ ...step, receipts: [change(step)] }).map(
          (violation) => violation.id,
        );
        expect(ids).to.include(id);
      });
    }
  });
});
