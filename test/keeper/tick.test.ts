import { expect } from "chai";
import fc from "fast-check";
import type { Action } from "../../scripts/keeper/actions.js";
import type { Outcome, Simulation } from "../../scripts/keeper/effects.js";
import { createKeeperTick } from "../../scripts/keeper/tick.js";
import { fakeEffects, TICK_POLICY } from "./fakes.js";
import { account, market, NOW, position, snapshot } from "./views.js";

const below = (id: number, equity = 50n) => account(id, equity, 100n);

function accountsIn(action: Action): readonly number[] {
  return "accounts" in action ? action.accounts : [];
}

describe("keeper: tick", () => {
  it("asks the book before it asks winners, and continues events before all", async () => {
    const fx = fakeEffects({
      markets: [market({ refreshed: 1n }), market({ market: 2, hasEvent: true, openInterest: 0n })],
      accounts: [
        below(11),
        account(12, -5n, 100n),
        account(13, 60n, 100n, { clock: NOW - 20n }),
        account(50, 0n, 0n, { prudent: 100_000n, initial: 0n }),
      ],
      positions: [position(13)],
    });
    const report = await createKeeperTick(fx, { ...TICK_POLICY, account: 50 })();
    expect(fx.sent).to.deep.equal([
      { kind: "continueEvent", market: 2, maxSteps: 64n, rewardTo: 77 },
      { kind: "liquidate", accounts: [11, 13], maxFills: 100n, rewardTo: 77 },
      { kind: "takeover", from: 13, to: 50, market: 1, lots: 100n, worstPrice: 990n },
      { kind: "deleverage", accounts: [12], maxFills: 100n, rewardTo: 77 },
      { kind: "poke", market: 1 },
    ]);
    expect(fx.simulated).to.deep.equal(fx.sent);
    expect(report.transactions).to.deep.equal({
      continueEvent: 1,
      liquidate: 1,
      takeover: 1,
      deleverage: 1,
      poke: 1,
      release: 0,
      noteIncome: 0,
    });
    expect(report.decisions).to.deep.include({ liquidate: 2, deleverage: 1, takeover: 1, poke: 1 });
    expect(report.skips).to.deep.include({ "account.flat": 1, "continueEvent.noEvent": 1 });
  });

  it("pays the vault's queue, after everything else and with one call", async () => {
    const fx = fakeEffects({
      markets: [market({ refreshed: 1n })],
      outflow: { waiting: 500n, releasable: 500n, rate: 3_600n },
    });
    const report = await createKeeperTick(fx, TICK_POLICY)();
    expect(fx.sent).to.deep.equal([
      { kind: "poke", market: 1 },
      { kind: "release", maxItems: 32n },
    ]);
    expect(report.decisions).to.include({ release: 1 });
    expect(report.transactions).to.include({ release: 1 });
  });

  it("notes the fund's income last, with a call to the fund", async () => {
    const fx = fakeEffects({
      outflow: { waiting: 500n, releasable: 500n, rate: 3_600n },
      fund: { held: 110n, noted: 100n, notedAt: 0n },
    });
    const report = await createKeeperTick(fx, TICK_POLICY)();
    expect(fx.sent).to.deep.equal([{ kind: "release", maxItems: 32n }, { kind: "noteIncome" }]);
    expect(report.decisions).to.include({ noteIncome: 1 });
  });

  it("makes all that can be closed one event", async () => {
    const accounts = [11, 12, 13, 14].map((id) => account(id, -BigInt(id), 100n));
    const fx = fakeEffects({ accounts });
    await createKeeperTick(fx, TICK_POLICY)();
    expect(fx.sent.map(accountsIn)).to.deep.equal([[14, 13, 12, 11]]);
  });

  it("cuts an event only where gas asks for it", async () => {
    const accounts = [11, 12, 13, 14].map((id) => account(id, -BigInt(id), 100n));
    const fx = fakeEffects(
      { accounts },
      {
        simulate: async (action) => ({
          ok: true,
          done: 1n,
          gas: BigInt(accountsIn(action).length) * 400n,
        }),
      },
    );
    await createKeeperTick(fx, TICK_POLICY)();
    expect(fx.sent.map(accountsIn)).to.deep.equal([
      [14, 13],
      [12, 11],
    ]);
    expect(fx.lines).to.deep.include({
      event: "action.split",
      context: { action: "deleverage", subjects: 4, reason: "gas" },
    });
  });

  it("sends the parts of a batch before what is safer", async () => {
    const accounts = [11, 12, 13, 14, 15].map((id) => below(id, BigInt(id)));
    const simulate = async (action: Action): Promise<Simulation> => ({
      ok: true,
      done: 1n,
      gas: BigInt(accountsIn(action).length) * 400n,
    });
    const fx = fakeEffects({ accounts }, { simulate });
    await createKeeperTick(fx, TICK_POLICY)();
    expect(fx.sent.map(accountsIn)).to.deep.equal([[11, 12], [13, 14], [15]]);
  });

  it("finds the account that spoils a batch, and lets it rest", async () => {
    const fx = fakeEffects(
      { accounts: [11, 12, 13, 14].map((id) => below(id, BigInt(id))) },
      { simulate: spoiltBy(13) },
    );
    const tick = createKeeperTick(fx, TICK_POLICY);
    await tick();
    expect(fx.sent.map(accountsIn)).to.deep.equal([[11, 12], [14]]);
    expect(fx.lines).to.deep.include({
      event: "action.rejected",
      context: { action: "liquidate", subjects: [13], reason: "Locked()" },
    });
    const { skips } = await tick();
    expect(skips).to.include({ "liquidate.backoff": 1 });
    expect(fx.sent.map(accountsIn).at(-1)).to.deep.equal([11, 12, 14]);
  });

  it("sends nothing that would do nothing, unless it starts or clears a clock", async () => {
    const nothing = async (): Promise<Simulation> => ({ ok: true, done: 0n, gas: 1n });
    const state = {
      accounts: [account(12, -1n, 100n), account(13, 60n, 100n, { clock: NOW - 1n })],
      positions: [position(13)],
    };
    const idle = fakeEffects(state, { simulate: nothing });
    await createKeeperTick(idle, TICK_POLICY)();
    expect(idle.sent).to.deep.equal([]);
    expect(idle.lines.map(({ event }) => event)).to.include("action.idle");

    const recovered = account(13, 500n, 100n, { clock: NOW - 1n });
    for (const view of [below(11), recovered]) {
      const clocks = fakeEffects({ accounts: [view] }, { simulate: nothing });
      await createKeeperTick(clocks, TICK_POLICY)();
      expect(clocks.sent.map(accountsIn)).to.deep.equal([[view.account]]);
    }
  });

  it("sends nothing in a dry run, and says what it would have sent", async () => {
    const fx = fakeEffects({ accounts: [below(11)] });
    await createKeeperTick(fx, { ...TICK_POLICY, dryRun: true })();
    expect(fx.sent).to.deep.equal([]);
    expect(fx.lines).to.deep.include({
      event: "action.simulated",
      context: {
        kind: "liquidate",
        accounts: [11],
        maxFills: 100n,
        rewardTo: 77,
        gas: 1n,
        done: 1n,
      },
    });
  });

  it("lets accounts rest that a mined call left out, but not for want of fills", async () => {
    const fx = fakeEffects(
      { accounts: [below(11), below(12), below(13)] },
      {
        send: async (): Promise<Outcome> => ({
          status: "mined",
          hash: "0x1",
          gasUsed: 1n,
          left: [
            { account: 12, reason: "NotFresh" },
            { account: 13, reason: "OutOfFills" },
          ],
        }),
      },
    );
    const tick = createKeeperTick(fx, TICK_POLICY);
    await tick();
    await tick();
    expect(fx.sent.map(accountsIn)).to.deep.equal([
      [11, 12, 13],
      [11, 13],
    ]);
  });

  it("bounds what one tick sends, the safest waits", async () => {
    const accounts = [11, 12, 13, 14, 15].map((id) => below(id, BigInt(id)));
    const fx = fakeEffects({ accounts });
    await createKeeperTick(fx, { ...TICK_POLICY, maxAccounts: 1, maxTransactions: 2 })();
    expect(fx.sent.map(accountsIn)).to.deep.equal([[11], [12]]);
    expect(fx.lines).to.deep.include({
      event: "tick.bounded",
      context: { kind: "liquidate", transactions: 2, splits: 0, waiting: 3 },
    });
  });

  it("stops between two actions when asked to", async () => {
    let stopping = false;
    const fx = fakeEffects(
      { accounts: [below(11), account(12, -1n, 100n)] },
      {
        send: async () => {
          stopping = true;
          return { status: "mined", hash: "0x1", gasUsed: 1n, left: [] };
        },
        isStopping: () => stopping,
      },
    );
    await createKeeperTick(fx, TICK_POLICY)();
    expect(fx.sent.map(({ kind }) => kind)).to.deep.equal(["liquidate"]);
  });

  it("never overlaps: a second call gets the first one's report", async () => {
    let heads = 0;
    const { head } = snapshot();
    const fx = fakeEffects(
      {},
      {
        head: async () => {
          heads += 1;
          return head;
        },
      },
    );
    const tick = createKeeperTick(fx, TICK_POLICY);
    const [first, second] = await Promise.all([tick(), tick()]);
    expect(heads).to.equal(1);
    expect(second).to.equal(first);
    await tick();
    expect(heads).to.equal(2);
  });

  it("fails as a whole when it cannot read, and works the next time", async () => {
    let isDown = true;
    const fx = fakeEffects(
      { accounts: [below(11)] },
      {
        markets: async () => {
          if (isDown) throw new Error("no answer");
          return [market()];
        },
      },
    );
    const tick = createKeeperTick(fx, TICK_POLICY);
    const failure = await tick().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.an("error");
    expect(fx.sent).to.deep.equal([]);
    isDown = false;
    await tick();
    expect(fx.sent).to.have.lengthOf(1);
  });
});

describe("keeper: tick, whatever fails", () => {
  type Fault = "none" | "simulateThrows" | "rejected" | "sendThrows" | "reverted" | "dropped";
  const faults: readonly Fault[] = [
    "none",
    "simulateThrows",
    "rejected",
    "sendThrows",
    "reverted",
    "dropped",
  ];

  it("every healthy piece of work is done in each tick, every failed one has a line", async () => {
    const ids = [11, 12, 13, 14, 15, 16];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...faults), { minLength: 6, maxLength: 6 }),
        async (assigned) => {
          const faultOf = (action: Action): Fault =>
            accountsIn(action).length === 1
              ? (assigned[ids.indexOf(accountsIn(action)[0] ?? 0)] ?? "none")
              : "none";
          const fx = fakeEffects(
            { accounts: ids.map((id, i) => below(id, i % 2 === 0 ? 10n : -10n)) },
            {
              simulate: async (action) => {
                const fault = faultOf(action);
                if (fault === "simulateThrows") throw new Error("hung up");
                if (fault === "rejected") return { ok: false, reason: "Locked()" };
                return { ok: true, done: 1n, gas: 1n };
              },
              send: async (action) => {
                const fault = faultOf(action);
                if (fault === "sendThrows") throw new Error("hung up");
                if (fault === "reverted") return { status: "reverted", hash: "0x1", gasUsed: 1n };
                if (fault === "dropped") return { status: "dropped", reason: "too expensive" };
                return { status: "mined", hash: "0x1", gasUsed: 1n, left: [] };
              },
            },
          );
          await createKeeperTick(fx, { ...TICK_POLICY, maxAccounts: 1 })();
          const mined = fx.lines.filter(({ event }) => event === "tx.mined").length;
          const failed = fx.lines.filter(({ event }) => FAILURES.has(event)).length;
          expect(mined).to.equal(assigned.filter((fault) => fault === "none").length);
          expect(mined + failed).to.equal(ids.length);
          expect(fx.simulated.flatMap(accountsIn).sort()).to.deep.equal(ids);
          expect(fx.lines.at(-1)?.event).to.equal("tick.done");
        },
      ),
      { seed: 7, numRuns: 300 },
    );
  });
});

const FAILURES: ReadonlySet<string> = new Set([
  "action.rejected",
  "action.failed",
  "tx.reverted",
  "tx.dropped",
]);

function spoiltBy(id: number): (action: Action) => Promise<Simulation> {
  return async (action) =>
    accountsIn(action).includes(id)
      ? { ok: false, reason: "Locked()" }
      : { ok: true, done: 1n, gas: 1n };
}
