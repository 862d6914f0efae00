import { expect } from "chai";
import fc from "fast-check";
import { accountsToDetail, decide } from "../../scripts/keeper/decide.js";
import type { Decision } from "../../scripts/keeper/decisions.js";
import { workKey } from "../../scripts/keeper/snapshot.js";
import { account, market, NOW, POLICY, position, snapshot } from "./views.js";

/** The decisions about one account, without takeovers. */
function aboutAccount(decisions: readonly Decision[], id: number): Decision[] {
  return decisions.filter((decision) =>
    decision.kind === "skip"
      ? decision.subject === id && ["account", "liquidate"].includes(decision.from)
      : "account" in decision && decision.account === id && decision.kind !== "takeover",
  );
}

describe("keeper: decide about accounts", () => {
  const started = NOW - 10n;
  const cases = [
    ["is flat", account(11, 5n, 0n), [], "skip flat"],
    ["is flat and owes a wei", account(11, -1n, 0n), [], "deleverage insolvent"],
    ["has maintenance to the wei", account(11, 100n, 100n), [], "skip healthy"],
    ["lacks a wei", account(11, 99n, 100n), [], "liquidate startsClock"],
    [
      "is safe at index",
      account(11, 99n, 100n, { equityAtIndex: 100n }),
      [],
      "skip healthyAtIndex",
    ],
    [
      "is safe at the price that waits",
      account(11, 99n, 100n, { equityAtPending: 100n }),
      [],
      "skip healthyAtPending",
    ],
    ["has a wei less than nothing", account(11, -1n, 100n), [], "deleverage insolvent"],
    ["has nothing", account(11, 0n, 100n), [], "liquidate startsClock"],
    [
      "has nothing left at mark, but at index",
      account(11, -1n, 100n, { equityAtIndex: 0n }),
      [],
      "liquidate startsClock",
    ],
    [
      "is under liquidation with a bid inside its limit",
      account(11, 99n, 100n, { clock: started }),
      [position(11)],
      "liquidate inBook",
    ],
    [
      "is under liquidation, short, with an ask inside its limit",
      account(11, 99n, 100n, { clock: started }),
      [position(11, { side: "short", zeroPrice: 1_050n })],
      "liquidate inBook",
    ],
    [
      "was under liquidation for its whole time",
      account(11, 99n, 100n, { clock: NOW - 30n }),
      [position(11)],
      "deleverage expired",
    ],
    [
      "was under liquidation for a second less",
      account(11, 99n, 100n, { clock: NOW - 29n }),
      [position(11)],
      "liquidate inBook",
    ],
    [
      "has recovered, not to its target",
      account(11, 124n, 100n, { clock: started }),
      [],
      "skip healthy",
    ],
    [
      "has recovered to its target",
      account(11, 125n, 100n, { clock: started }),
      [],
      "liquidate clearsClock",
    ],
  ] as const;

  for (const [name, view, positions, expected] of cases) {
    it(`${expected}: an account that ${name}`, () => {
      const decisions = decide(snapshot({ accounts: [view], positions }), POLICY);
      expect(aboutAccount(decisions, 11).map(describeShortly)).to.deep.equal([expected]);
    });
  }

  it("waits while the book is worse than the limit", () => {
    const view = account(11, 99n, 100n, { clock: NOW });
    // The clock has not run: the limit is 0.2 % from mark, 998.
    const table = [
      [998n, "liquidate inBook"],
      [997n, "skip noBids"],
      [0n, "skip noBids"],
    ] as const;
    for (const [bestBid, expected] of table) {
      const state = snapshot({
        accounts: [view],
        positions: [position(11)],
        markets: [market({ bestBid })],
      });
      expect(aboutAccount(decide(state, POLICY), 11).map(describeShortly)).to.deep.equal([
        expected,
      ]);
    }
  });

  it("expects no fill outside the band", () => {
    const view = account(11, 99n, 100n, { clock: NOW - 20n });
    for (const [bestBid, expected] of [
      [985n, "liquidate inBook"],
      [984n, "skip noBids"],
    ] as const) {
      const state = snapshot({
        accounts: [view],
        positions: [position(11, { zeroPrice: 900n })],
        markets: [market({ bestBid, band: 15_000n })],
      });
      expect(aboutAccount(decide(state, POLICY), 11).map(describeShortly)).to.deep.equal([
        expected,
      ]);
    }
  });

  it("does not count time before all markets were fresh", () => {
    const view = account(11, 99n, 100n, { clock: 1n });
    for (const [changes, expected] of [
      [{ freshSince: NOW - 30n }, "deleverage expired"],
      [{ freshSince: NOW - 29n }, "liquidate inBook"],
      [{ grade: "aged" }, "liquidate inBook"],
      [{ clock: 20_000n }, "liquidate inBook"],
    ] as const) {
      const state = snapshot({
        accounts: [view],
        positions: [position(11), position(11, { market: 2 })],
        markets: [market(), market({ market: 2, ...changes })],
      });
      expect(aboutAccount(decide(state, POLICY), 11).map(describeShortly)).to.deep.equal([
        expected,
      ]);
    }
  });

  it("reduces an account whose closing rests after a failure", () => {
    const state = snapshot({
      accounts: [account(11, -1n, 100n)],
      notBefore: new Map([[workKey("deleverage", 11), NOW + 1n]]),
    });
    expect(aboutAccount(decide(state, POLICY), 11).map(describeShortly)).to.deep.equal([
      "liquidate startsClock",
    ]);
  });

  it("rests until the time, and not at it", () => {
    for (const [time, expected] of [
      [NOW + 1n, "skip backoff"],
      [NOW, "liquidate startsClock"],
    ] as const) {
      const state = snapshot({
        accounts: [account(11, 99n, 100n)],
        notBefore: new Map([[workKey("liquidate", 11), time]]),
      });
      expect(aboutAccount(decide(state, POLICY), 11).map(describeShortly)).to.deep.equal([
        expected,
      ]);
    }
  });

  it("puts the worst first, whatever order it reads them in", () => {
    const worst = [
      account(15, -50n, 100n),
      account(14, -1n, 9n),
      account(13, 10n, 100n),
      account(19, 20n, 100n),
      account(20, 20n, 100n),
      account(12, 15n, 16n),
    ];
    const expected = [15, 14, 13, 19, 20, 12];
    const acting = (views: typeof worst) =>
      decide(snapshot({ accounts: views }), POLICY)
        .filter(({ kind }) => kind === "liquidate" || kind === "deleverage")
        .map((decision) => ("account" in decision ? decision.account : undefined));
    fc.assert(
      fc.property(fc.shuffledSubarray(worst, { minLength: worst.length }), (views) => {
        expect(acting(views)).to.deep.equal(expected);
      }),
      { seed: 1 },
    );
  });
});

describe("keeper: decide about markets", () => {
  const cases = [
    ["continueEvent", { hasEvent: true }, "continueEvent"],
    ["skip noEvent", { hasEvent: false }, "skip noEvent"],
  ] as const;
  for (const [name, changes, expected] of cases) {
    it(`${name}`, () => {
      const decisions = decide(snapshot({ markets: [market(changes)] }), POLICY);
      expect(describeShortly(decisions[0])).to.equal(expected);
    });
  }

  const pokes = [
    ["a market that was refreshed 29 s ago", { refreshed: NOW - 29n }, "skip recent"],
    ["a market that was refreshed 30 s ago", { refreshed: NOW - 30n }, "poke stale"],
    ["a jump that was looked at 9 s ago", { refreshed: NOW - 9n, pendingSince: 1n }, "skip recent"],
    [
      "a jump that was looked at 10 s ago",
      { refreshed: NOW - 10n, pendingSince: 1n },
      "poke waiting",
    ],
    ["an aged price 9 s ago", { refreshed: NOW - 9n, grade: "aged" }, "skip recent"],
    ["an aged price 10 s ago", { refreshed: NOW - 10n, grade: "aged" }, "poke waiting"],
    ["a market without positions", { refreshed: 1n, openInterest: 0n }, "skip unused"],
  ] as const;
  for (const [name, changes, expected] of pokes) {
    it(`${expected}: ${name}`, () => {
      const decisions = decide(snapshot({ markets: [market(changes)] }), POLICY);
      expect(describeShortly(decisions.at(-1))).to.equal(expected);
    });
  }

  it("never pokes if told so", () => {
    const state = snapshot({ markets: [market({ refreshed: 1n })] });
    const decisions = decide(state, { ...POLICY, pokeAfter: 0n });
    expect(describeShortly(decisions.at(-1))).to.equal("skip never");
  });
});

describe("keeper: decide about the vault's queue", () => {
  // 3,600 an hour: 300 seconds are 300.
  const cases = [
    ["nobody waits", { waiting: 0n, releasable: 0n }, "skip nothingWaits"],
    ["nothing may go yet", { waiting: 900n, releasable: 0n }, "skip noRoom"],
    ["a part of 299 seconds", { waiting: 900n, releasable: 299n }, "skip noRoom"],
    ["a part of 300 seconds", { waiting: 900n, releasable: 300n }, "release"],
    ["the end of the queue", { waiting: 1n, releasable: 1n }, "release"],
    ["nothing, with a rate of zero", { waiting: 1n, releasable: 0n, rate: 0n }, "skip noRoom"],
  ] as const;
  for (const [name, changes, expected] of cases) {
    it(`${expected}: ${name}`, () => {
      const outflow = { rate: 3_600n, ...changes };
      const decisions = decide(snapshot({ markets: [], outflow }), POLICY);
      expect(describeShortly(decisions.at(-1))).to.equal(expected);
    });
  }

  it("rests after a failure, and never pays if told so", () => {
    const outflow = { waiting: 1n, releasable: 1n, rate: 3_600n };
    const notBefore = new Map([["release:0", NOW + 1n]]);
    const rested = decide(snapshot({ markets: [], outflow, notBefore }), POLICY);
    expect(describeShortly(rested.at(-1))).to.equal("skip backoff");
    const never = decide(snapshot({ markets: [], outflow }), { ...POLICY, releaseAfter: 0n });
    expect(describeShortly(never.at(-1))).to.equal("skip never");
  });
});

describe("keeper: decide about the fund's income", () => {
  const last = (changes: Parameters<typeof snapshot>[0], policy = POLICY) =>
    describeShortly(
      decide(snapshot({ markets: [], ...changes }), policy).find(
        (decision) =>
          decision.kind === "noteIncome" ||
          (decision.kind === "skip" && decision.from === "noteIncome"),
      ),
    );
  const fund = { held: 110n, noted: 100n, notedAt: NOW - 3_600n };
  const cases = [
    ["ten after an hour", {}, "noteIncome"],
    ["a wei less", { held: 109n }, "skip noIncome"],
    ["a loss", { held: 1n }, "skip noIncome"],
    ["ten a second earlier", { notedAt: NOW - 3_599n }, "skip recent"],
    ["ten, never noted", { notedAt: 0n }, "noteIncome"],
  ] as const;
  for (const [name, changes, expected] of cases) {
    it(`${expected}: ${name}`, () => {
      expect(last({ fund: { ...fund, ...changes } })).to.equal(expected);
    });
  }

  it("rests after a failure, never notes if told so, and needs a fund", () => {
    const notBefore = new Map([["noteIncome:1", NOW + 1n]]);
    expect(last({ fund, notBefore })).to.equal("skip backoff");
    expect(last({ fund }, { ...POLICY, noteAbove: 0n })).to.equal("skip never");
    expect(last({ fund }, { ...POLICY, noteAfter: 3_601n })).to.equal("skip recent");
    expect(last({})).to.equal("skip noFund");
  });
});

describe("keeper: decide, any state", () => {
  const money = fc.bigInt({ min: -1_000n, max: 1_000n });
  const requirement = fc.bigInt({ min: 0n, max: 500n });
  const time = fc.bigInt({ min: NOW - 60n, max: NOW });
  const anyAccount = (id: number) =>
    fc
      .record({
        clock: fc.oneof(fc.constant(0n), time),
        equity: money,
        maintenance: requirement,
        equityAtIndex: money,
        maintenanceAtIndex: requirement,
        equityAtPending: money,
        maintenanceAtPending: requirement,
        notional: fc.bigInt({ min: 0n, max: 1_000n }),
      })
      .map((changes) => account(id, 0n, 0n, changes));
  const anyPosition = (id: number) =>
    fc
      .record({
        side: fc.constantFrom("long" as const, "short" as const),
        lots: fc.bigInt({ min: 1n, max: 1_000n }),
        zeroPrice: fc.bigInt({ min: 0n, max: 2_000n }),
      })
      .map((changes) => position(id, changes));
  const anyMarket = fc
    .record({
      grade: fc.constantFrom("dead" as const, "aged" as const, "fresh" as const),
      hasEvent: fc.boolean(),
      isReduceOnly: fc.boolean(),
      isEnded: fc.boolean(),
      bestBid: fc.bigInt({ min: 0n, max: 1_000n }),
      bestAsk: fc.bigInt({ min: 0n, max: 2_000n }),
      freshSince: time,
      refreshed: time,
      pendingSince: fc.constantFrom(0n, 1n),
    })
    .map(market);
  const anyState = fc
    .tuple(
      fc.tuple(...[11, 12, 13, 14].map(anyAccount)),
      fc.tuple(...[11, 12, 13, 14].map(anyPosition)),
      anyMarket,
    )
    .map(([accounts, positions, only]) => {
      const detailed = accountsToDetail(accounts);
      return snapshot({
        accounts,
        positions: positions.filter((held) => detailed.includes(held.account)),
        markets: [only],
      });
    });
  const policy = { ...POLICY, account: 14 };
  const runs = { seed: 20_251_010, numRuns: 2_000 };

  it("reduces or closes only accounts that are below maintenance at all three prices", () => {
    fc.assert(
      fc.property(anyState, (state) => {
        for (const decision of decide(state, policy)) {
          if (!("account" in decision)) continue;
          if (decision.kind === "liquidate" && decision.cause === "clearsClock") continue;
          if (decision.kind === "deleverage" && decision.cause === "ended") {
            expect(state.markets.some(({ isEnded }) => isEnded)).to.equal(true);
            continue;
          }
          const view = state.accounts.find(({ account: id }) => id === decision.account);
          expect(view, "known account").to.not.equal(undefined);
          if (view === undefined) continue;
          expect(view.equity < view.maintenance).to.equal(true);
          expect(view.equityAtIndex < view.maintenanceAtIndex).to.equal(true);
          expect(view.equityAtPending < view.maintenanceAtPending).to.equal(true);
          if (decision.kind === "deleverage" && decision.cause === "insolvent") {
            expect(
              view.equity < 0n && view.equityAtIndex < 0n && view.equityAtPending < 0n,
            ).to.equal(true);
          }
        }
      }),
      runs,
    );
  });

  it("names each account exactly once, with a reason if it does nothing", () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const decisions = decide(state, policy);
        for (const { account: id } of state.accounts) {
          expect(aboutAccount(decisions, id)).to.have.lengthOf(1);
        }
        for (const decision of decisions) {
          if (decision.kind === "skip") expect(decision.reason).to.match(/^[a-z][A-Za-z]+$/);
        }
      }),
      runs,
    );
  });

  it("gives the same decisions for the same state and does not touch it", () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const copy = structuredClone(state);
        expect(decide(state, policy)).to.deep.equal(decide(copy, policy));
        expect(state).to.deep.equal(copy);
      }),
      { ...runs, numRuns: 200 },
    );
  });

  it("never takes over more than its margin and its policy allow, never at a worse price", () => {
    fc.assert(
      fc.property(anyState, fc.bigInt({ min: 0n, max: 5_000n }), (state, free) => {
        const own = account(14, 0n, 0n, { prudent: free, initial: 0n });
        const accounts = [...state.accounts.filter(({ account: id }) => id !== 14), own];
        const decisions = decide({ ...state, accounts }, policy);
        const takeovers = decisions.filter((decision) => decision.kind === "takeover");
        const taken = takeovers.reduce((sum, { lots }) => sum + lots * 1_000n, 0n);
        expect(taken <= free * policy.takeoverLeverage, `${taken} of ${free}`).to.equal(true);
        for (const { account: id, to, worstPrice, lots } of takeovers) {
          expect(to).to.equal(14);
          const held = state.positions.find(({ account: holder }) => holder === id);
          expect(worstPrice).to.equal(held?.side === "long" ? 990n : 1_010n);
          expect(lots > 0n && lots <= (held?.lots ?? 0n)).to.equal(true);
        }
      }),
      runs,
    );
  });
});

/** Kind and cause or reason. */
function describeShortly(decision: Decision | undefined): string {
  if (decision === undefined) return "nothing";
  if (decision.kind === "skip") return `skip ${decision.reason}`;
  return "cause" in decision ? `${decision.kind} ${decision.cause}` : decision.kind;
}
