import { expect } from "chai";
import { IExchangeLens__factory } from "../../typechain-types/index.js";
import { createBackoff, pause } from "../../scripts/keeper/backoff.js";
import { loadConfig } from "../../scripts/keeper/config.js";
import { createHealth, serveHealth } from "../../scripts/keeper/health.js";
import { loadKey } from "../../scripts/keeper/key.js";
import { createLog, EVENTS } from "../../scripts/keeper/log.js";
import { runLoop } from "../../scripts/keeper/loop.js";
import { decodeHealths } from "../../scripts/keeper/read.js";
import { readFileSync } from "node:fs";
import type { Line } from "./fakes.js";

describe("keeper: config", () => {
  it("needs only a network", () => {
    const configured = loadConfig({ network: "localhost" }, {});
    expect(configured).to.have.nested.property(
      "config.deployment",
      "out/deployments/localhost.json",
    );
    expect(configured).to.have.nested.property("config.rpc[0]", "http://127.0.0.1:8545");
    expect(configured).to.have.nested.property("config.policy.rewardTo", 0);
    expect(configured).to.not.have.nested.property("config.policy.account");
    expect(configured).to.have.nested.property("config.policy.noteAbove", 10n ** 19n);
    expect(configured).to.have.nested.property("config.policy.noteAfter", 3_600n);
  });

  it("reads amounts in units and pays rewards to the own account unless told otherwise", () => {
    const given = { network: "localhost", account: "12", maxTakeover: "2.5", maxFee: "1.5" };
    const note = loadConfig({ ...given, noteAbove: "0.5", noteAfter: "60" }, {});
    expect(note).to.have.nested.property("config.policy.noteAbove", 500_000_000_000_000_000n);
    expect(note).to.have.nested.property("config.policy.noteAfter", 60n);
    const own = loadConfig(given, {});
    expect(own).to.have.nested.property("config.policy.maxTakeover", 2_500_000_000_000_000_000n);
    expect(own).to.have.nested.property("config.maxFeePerGas", 1_500_000_000n);
    expect(own).to.have.nested.property("config.policy.rewardTo", 12);
    const cold = loadConfig({ ...given, rewardTo: "99" }, {});
    expect(cold).to.have.nested.property("config.policy.rewardTo", 99);
    expect(cold).to.have.nested.property("config.policy.account", 12);
  });

  it("takes providers from the environment where no option names one", () => {
    const env = { BALLAST_KEEPER_RPC: "https://a.example,https://b.example" };
    expect(loadConfig({ network: "main" }, env)).to.have.nested.property("config.rpc.length", 2);
    const given = loadConfig({ network: "main", rpc: ["https://c.example"] }, env);
    expect(given).to.have.nested.property("config.rpc.length", 1);
  });

  it("reports every problem at once", () => {
    const options = {
      network: "a/b",
      rpc: ["ftp://x"],
      account: "3",
      interval: "soon",
      maxFee: "-1",
      what: 1,
    };
    const configured = loadConfig(options, {});
    const problems = configured.ok ? [] : configured.problems;
    for (const field of ["network", "rpc.0", "account", "interval", "maxFee"]) {
      expect(
        problems.some((problem) => problem.startsWith(`${field}:`)),
        field,
      ).to.equal(true);
    }
    expect(problems.join()).to.include("what");
  });

  it("keeps the key out of its result", () => {
    const key = `0x${"ab".repeat(32)}`;
    const configured = loadConfig({ network: "localhost" }, { BALLAST_KEEPER_KEY: key });
    expect(configured.ok).to.equal(true);
    const text = JSON.stringify(configured, (_name, value: unknown) =>
      typeof value === "bigint" ? value.toString() : value,
    );
    expect(text).to.not.include("abab");
  });
});

describe("keeper: key", () => {
  const key = `0x${"ab".repeat(32)}`;
  const cases = [
    ["the environment", { fromEnvironment: key, file: undefined }, true],
    [
      "a file of mode 0600",
      { fromEnvironment: undefined, file: { mode: 0o100600, text: `${key}\n` } },
      true,
    ],
    [
      "a file that others read",
      { fromEnvironment: undefined, file: { mode: 0o100644, text: key } },
      false,
    ],
    [
      "a file that the group reads",
      { fromEnvironment: undefined, file: { mode: 0o100640, text: key } },
      false,
    ],
    ["nothing", { fromEnvironment: undefined, file: undefined }, false],
    ["something else", { fromEnvironment: "secret", file: undefined }, false],
  ] as const;
  for (const [name, source, ok] of cases) {
    it(`${ok ? "comes from" : "does not come from"} ${name}`, () => {
      const loaded = loadKey(source);
      expect(loaded.ok).to.equal(ok);
      if (!loaded.ok) expect(loaded.problem).to.not.match(/abab|secret/);
    });
  }
});

describe("keeper: log", () => {
  it("writes the event, its level, and amounts as text", () => {
    const lines: string[] = [];
    const log = createLog("debug", { write: (line) => void lines.push(line) });
    log("tx.mined", { gasUsed: 12n, accounts: [1n, 2], nested: { lots: 3n } });
    log("tick.failed", { reason: "TimeoutError" });
    const parsed = lines.map((line): unknown => JSON.parse(line));
    expect(parsed[0]).to.deep.include({
      level: "info",
      event: "tx.mined",
      gasUsed: "12",
      accounts: ["1", 2],
      nested: { lots: "3" },
    });
    expect(parsed[1]).to.deep.include({ level: "error", event: "tick.failed" });
  });

  it("has its table in the handbook", () => {
    const handbook = readFileSync(new URL("../../docs/keeper.md", import.meta.url), "utf8");
    const rows = [...handbook.matchAll(/^\| `([\w.]+)` \| (\w+) \| (.+) \|$/gm)];
    const documented = rows.map(([, event, level, meaning]) => [event, level, meaning]);
    const written = Object.entries(EVENTS).map(([event, [level, meaning]]) => [
      event,
      level,
      meaning,
    ]);
    expect(documented).to.deep.equal(written);
  });
});

describe("keeper: loop", () => {
  it("goes on after a round that fails, and begins rounds at the interval", async () => {
    let time = 0;
    let rounds = 0;
    const slept: number[] = [];
    const lines: Line[] = [];
    await runLoop({
      tick: async () => {
        rounds += 1;
        time += rounds === 2 ? 2_500 : 300;
        if (rounds === 1) throw new RangeError("no block");
      },
      log: (event, context = {}) => lines.push({ event, context }),
      interval: 1_000,
      isStopping: () => rounds >= 4,
      sleep: async (milliseconds) => {
        slept.push(milliseconds);
        time += milliseconds;
      },
      now: () => time,
    });
    expect(rounds).to.equal(4);
    expect(lines).to.deep.equal([{ event: "tick.failed", context: { reason: "RangeError" } }]);
    // The second took too long, so that the third came at once; after the fourth nothing is waited for.
    expect(slept).to.deep.equal([700, 700]);
  });
});

describe("keeper: health", () => {
  it("is ready while rounds are done, and counts every line", () => {
    let time = 0;
    const passed: string[] = [];
    const health = createHealth({
      log: (event) => passed.push(event),
      now: () => time,
      patience: 60,
    });
    const status = (path: string) => health.answer(path).status;
    expect([status("/livez"), status("/readyz"), status("/else")]).to.deep.equal([200, 503, 404]);
    health.log("tick.failed");
    expect(status("/readyz")).to.equal(503);
    health.log("tick.done");
    time = 60;
    expect(status("/readyz")).to.equal(200);
    time = 61;
    expect(status("/readyz")).to.equal(503);
    const { text } = health.answer("/metrics");
    expect(text).to.include('ballast_keeper_events_total{event="tick.done"} 1\n');
    expect(text).to.include('ballast_keeper_events_total{event="tx.mined"} 0\n');
    expect(text).to.include("ballast_keeper_ready 0\n");
    expect(passed).to.deep.equal(["tick.failed", "tick.done"]);
  });

  it("is served on this machine", async () => {
    const health = createHealth({ log: () => undefined, now: () => 0, patience: 1 });
    const server = await serveHealth(health, 0);
    const response = await fetch(`http://127.0.0.1:${server.port}/livez`);
    expect([response.status, await response.text()]).to.deep.equal([200, "lives\n"]);
    server.close();
  });
});

describe("keeper: backoff", () => {
  it("doubles up to its longest", () => {
    const limits = { first: 2n, longest: 60n };
    expect([0, 1, 2, 4, 5, 1_000].map((count) => pause(count, limits))).to.deep.equal([
      2n,
      4n,
      8n,
      32n,
      60n,
      60n,
    ]);
  });
});

describe("keeper: backoff in use", () => {
  it("grows with every failure in a row and ends with a success", () => {
    const backoff = createBackoff({ first: 2n, longest: 60n });
    const until = () => backoff.notBefore().get("poke:1");
    backoff.failed("poke:1", 100n);
    expect(until()).to.equal(102n);
    backoff.failed("poke:1", 102n);
    expect(until()).to.equal(106n);
    backoff.succeeded("poke:1");
    expect(until()).to.equal(undefined);
    backoff.failed("poke:1", 200n);
    expect(until()).to.equal(202n);
  });
});

describe("keeper: lens pages", () => {
  it("decodes what the general decoder does, signs included", () => {
    const lens = IExchangeLens__factory.createInterface();
    const rows = [10, 11, 4_294_967_295].map((account, i) => ({
      account,
      owner: "0x00000000000000000000000000000000000000a1",
      balance: -5n - BigInt(i),
      withdrawable: 1n,
      liquidatable: i === 1,
      clock: 1_700_000_000n,
      health: {
        equity: -(10n ** 30n) * BigInt(i),
        equityAtIndex: 2n,
        prudent: -3n,
        initial: 4n,
        initialCalm: 77n,
        maintenance: 5n,
        maintenanceAtIndex: 6n,
        equityAtPending: -7n,
        maintenanceAtPending: 8n,
        fresh: 9n,
        notional: 2n ** 200n,
      },
    }));
    const encoded = lens.encodeFunctionResult("healths", [rows]);
    expect(decodeHealths(encoded)).to.deep.equal(
      rows.map(({ account, clock, health }) => ({
        account,
        owner: "0x00000000000000000000000000000000000000A1",
        clock,
        equity: health.equity,
        equityAtIndex: 2n,
        prudent: -3n,
        initial: 4n,
        maintenance: 5n,
        maintenanceAtIndex: 6n,
        equityAtPending: -7n,
        maintenanceAtPending: 8n,
        notional: 2n ** 200n,
      })),
    );
    expect(decodeHealths(lens.encodeFunctionResult("healths", [[]]))).to.deep.equal([]);
  });
});
