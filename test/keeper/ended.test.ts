import { expect } from "chai";
import fc from "fast-check";
import { decide } from "../../scripts/keeper/decide.js";
import { createSearch } from "../../scripts/keeper/ended.js";
import type { Snapshot } from "../../scripts/keeper/snapshot.js";
import { createKeeperTick } from "../../scripts/keeper/tick.js";
import { fakeEffects, TICK_POLICY } from "./fakes.js";
import { account, market, NOW, POLICY, position, snapshot } from "./views.js";

const ended = market({ isEnded: true });
const open = market({ market: 2 });
const healthy = account(11, 500n, 100n);

describe("keeper: decide about ended markets", () => {
  /** What is decided about account 11, without takeovers. */
  const about = (state: Partial<Snapshot>) =>
    decide(snapshot({ markets: [ended, open], ...state }), POLICY)
      .filter((decision) =>
        decision.kind === "skip"
          ? decision.subject === 11 && ["account", "liquidate"].includes(decision.from)
          : "account" in decision && decision.account === 11,
      )
      .map((decision) => {
        const why =
          decision.kind === "skip" ? decision.reason : "cause" in decision && decision.cause;
        return `${decision.kind} ${why}`;
      });

  const cases = [
    ["is healthy", healthy, [position(11)], "deleverage ended"],
    [
      "is in another market too",
      healthy,
      [position(11, { market: 2 }), position(11)],
      "deleverage ended",
    ],
    ["is in another market only", healthy, [position(11, { market: 2 })], "skip healthy"],
    ["was not looked at", healthy, [], "skip healthy"],
    ["lacks margin", account(11, 99n, 100n), [position(11)], "deleverage ended"],
    ["has nothing, to the wei", account(11, 0n, 100n), [position(11)], "deleverage ended"],
    ["is insolvent", account(11, -1n, 100n), [position(11)], "deleverage insolvent"],
    [
      "has run out of time",
      account(11, 99n, 100n, { clock: NOW - 30n }),
      [position(11)],
      "deleverage expired",
    ],
    [
      "has less than nothing at mark alone",
      account(11, -1n, 100n, { equityAtIndex: 1n }),
      [position(11)],
      "liquidate startsClock",
    ],
    [
      "is under liquidation in a market without a buyer",
      account(11, -1n, 100n, { equityAtIndex: 1n, clock: NOW }),
      [position(11)],
      "skip noBids",
    ],
  ] as const;
  for (const [name, view, positions, expected] of cases) {
    it(`${expected}: an account that ${name}`, () => {
      expect(about({ accounts: [view], positions })).to.deep.equal([expected]);
    });
  }

  it("misses nothing of an account that it closes there", () => {
    const [, , decision] = decide(
      snapshot({ markets: [ended, open], accounts: [healthy], positions: [position(11)] }),
      POLICY,
    );
    expect(decision).to.deep.equal({
      kind: "deleverage",
      account: 11,
      missing: 0n,
      cause: "ended",
    });
  });

  it("waits for an event in any market of the account, and rests after a failure", () => {
    const state = { accounts: [healthy], positions: [position(11), position(11, { market: 2 })] };
    const waiting = market({ market: 2, hasEvent: true });
    expect(about({ ...state, markets: [ended, waiting] })).to.deep.equal(["skip healthy"]);
    const notBefore = new Map([["deleverage:11", NOW + 1n]]);
    expect(about({ ...state, notBefore })).to.deep.equal(["skip healthy"]);
  });

  it("has no other work there", () => {
    const state = snapshot({
      markets: [market({ isEnded: true, refreshed: 1n, openInterest: 5n })],
      accounts: [
        account(11, -1n, 100n, { equityAtIndex: 1n, clock: NOW - 29n }),
        account(50, 0n, 0n, { prudent: 100_000n, initial: 0n }),
      ],
      positions: [position(11)],
    });
    const skips = decide(state, { ...POLICY, account: 50 }).map((decision) =>
      decision.kind === "skip" ? `${decision.from} ${decision.reason}` : decision.kind,
    );
    expect(skips).to.include.members(["poke ended", "takeover ended", "liquidate noBids"]);
    expect(skips).to.not.include.members(["poke", "takeover", "liquidate"]);
  });

  it("pokes one for what is left to do there, unless it never pokes, and rests after a failure", () => {
    const pokes = (changes: Partial<Snapshot>, policy = POLICY) =>
      decide(snapshot({ markets: [market({ isEnded: true, dues: 1n })], ...changes }), policy)
        .filter((one) => one.kind === "poke" || (one.kind === "skip" && one.from === "poke"))
        .map((one) => (one.kind === "skip" ? one.reason : "cause" in one && one.cause));
    expect(pokes({})).to.deep.equal(["dues"]);
    expect(pokes({}, { ...POLICY, pokeAfter: 0n })).to.deep.equal(["never"]);
    expect(pokes({ notBefore: new Map([["poke:1", NOW + 1n]]) })).to.deep.equal(["backoff"]);
  });
});

describe("keeper: the search for who is in an ended market", () => {
  const holders = [14, 12, 11, 13].map((id) => account(id, 500n, 100n));
  const flat = account(10, 500n, 0n);

  it("names nobody while no ended market has open interest", () => {
    const search = createSearch(9);
    expect(search(holders, [open])).to.deep.equal([]);
    expect(search(holders, [market({ isEnded: true, openInterest: 0n }), open])).to.deep.equal([]);
    expect(search([...holders, flat], [ended])).to.deep.equal([11, 12, 13, 14]);
  });

  it("goes round, whoever has left or come meanwhile", () => {
    const search = createSearch(3);
    expect(search(holders, [ended])).to.deep.equal([11, 12, 13]);
    expect(search(holders, [ended])).to.deep.equal([14, 11, 12]);
    expect(search([...holders.slice(0, 3), account(15, 1n, 1n)], [ended])).to.deep.equal([
      14, 15, 11,
    ]);
    expect(search([], [ended])).to.deep.equal([]);
    expect(search(holders, [ended])).to.deep.equal([11, 12, 13]);
  });

  it("names each within as many rounds as they need", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 30 }),
        (most, count) => {
          const views = Array.from({ length: count }, (_, i) => account(100 + i, 1n, 1n));
          const search = createSearch(most);
          search(views.slice(0, Math.ceil(count / 2)), [ended]);
          const rounds = Math.ceil(count / most);
          const found = Array.from({ length: rounds }, () => search(views, [ended]));
          for (const each of found) expect(each.length).to.be.at.most(most);
          expect(new Set(found.flat()).size).to.equal(count);
        },
      ),
      { seed: 5 },
    );
  });
});

describe("keeper: a round with an ended market", () => {
  it("closes those that are due in calls of their own, before the others", async () => {
    const ids = [11, 12, 13, 14, 15, 16];
    const fx = fakeEffects({
      markets: [ended],
      accounts: ids.map((id) => account(id, id < 13 ? -BigInt(id) : 1_000n, 100n)),
      positions: ids.map((id) => position(id)),
    });
    const report = await createKeeperTick(fx, { ...TICK_POLICY, maxAccounts: 3 })();
    const named = fx.sent.map((action) => ("accounts" in action ? action.accounts : []));
    expect(named).to.deep.equal([[12, 11], [13, 14, 15], [16]]);
    expect(fx.sent.every(({ kind }) => kind === "deleverage")).to.equal(true);
    expect(report.decisions).to.include({ deleverage: 6, liquidate: 0 });
  });

  it("reads the positions of 200 accounts and of whoever is under liquidation", async () => {
    const ids = Array.from({ length: 450 }, (_, i) => 10 + i);
    const read: number[][] = [];
    const accounts = ids.map((id) => account(id, 1_000n, 100n));
    const fx = fakeEffects(
      { markets: [ended], accounts: [...accounts, account(999, 99n, 100n, { clock: NOW })] },
      {
        positions: async (_head, wanted) => {
          read.push([...wanted]);
          return [];
        },
      },
    );
    const tick = createKeeperTick(fx, TICK_POLICY);
    for (let round = 0; round < 3; round += 1) await tick();
    expect(read.map(({ length }) => length)).to.deep.equal([201, 201, 200]);
    expect(new Set(read.flat()).size).to.equal(451);
  });
});
