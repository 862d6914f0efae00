import { expect } from "chai";
import { decide } from "../../scripts/keeper/decide.js";
import type { Decision } from "../../scripts/keeper/decisions.js";
import { limitPrice, priceAway, tickTowardsMark } from "../../scripts/keeper/math.js";
import type { MarketView, PositionView } from "../../scripts/keeper/views.js";
import { account, market, NOW, POLICY, position, snapshot } from "./views.js";

const OWN = 50;
const policy = { ...POLICY, account: OWN };

/** One account whose clock has run 20 of 30 s; its limit is 2 + (50 − 2) · 20 / 30 = 34 below mark. */
function takeovers(
  changes: Partial<MarketView>,
  held: Partial<PositionView> = {},
  free = 10_000n,
): Decision[] {
  const state = snapshot({
    markets: [market({ clock: 30n, ...changes })],
    accounts: [
      account(11, 99n, 100n, { clock: NOW - 20n }),
      account(OWN, 0n, 0n, { prudent: free, initial: 0n }),
    ],
    positions: [position(11, held)],
  });
  return decide(state, policy).filter(
    (decision) =>
      decision.kind === "takeover" || (decision.kind === "skip" && decision.from === "takeover"),
  );
}

describe("keeper: takeovers", () => {
  it("takes what margin allows, bounded by its own price", () => {
    expect(takeovers({})).to.deep.equal([
      { kind: "takeover", account: 11, to: OWN, market: 1, lots: 20n, worstPrice: 990n },
    ]);
    expect(takeovers({}, { side: "short", zeroPrice: 1_050n })).to.deep.equal([
      { kind: "takeover", account: 11, to: OWN, market: 1, lots: 20n, worstPrice: 1_010n },
    ]);
  });

  const lots = [
    ["no more than the position", { lots: 7n }, 10_000n, 7n],
    ["no more than margin carries", { lots: 100n }, 4_999n, 9n],
    ["what is just large enough", { lots: 1n }, 10_000n, 1n],
    ["no more than policy allows", { lots: 5_000n }, 10_000_000n, 1_000n],
  ] as const;
  for (const [name, held, free, expected] of lots) {
    it(`takes ${name}`, () => {
      expect(takeovers({}, held, free)).to.have.nested.property("[0].lots", expected);
    });
  }

  const skips: readonly (readonly [string, Partial<MarketView>, Partial<PositionView>, bigint])[] =
    [
      ["noMargin", {}, {}, 0n],
      ["tooSmall", { minNotional: 1_001n }, {}, 999n],
      ["eventPending", { hasEvent: true }, {}, 10_000n],
      ["reduceOnly", { isReduceOnly: true }, {}, 10_000n],
      ["noPrice", { grade: "dead" }, {}, 10_000n],
      ["noZeroPrice", {}, { zeroPrice: 0n }, 10_000n],
      ["notProfitable", { freshSince: NOW - 1n }, {}, 10_000n],
      ["notProfitable", {}, { zeroPrice: 991n }, 10_000n],
      ["noMarket", { market: 2 }, {}, 10_000n],
    ];
  for (const [reason, changes, held, free] of skips) {
    it(`skips with ${reason}`, () => {
      expect(takeovers(changes, held, free)).to.deep.equal([
        { kind: "skip", from: "takeover", subject: 11, reason },
      ]);
    });
  }

  it("waits until the limit is a wei better than its bound", () => {
    // Limits of a clock of 100 s at 1,000,000: 2,000 + 48,000 · t / 100 from mark.
    const large = { mark: 1_000_000n, clock: 100n, minNotional: 0n };
    const after = (seconds: bigint) =>
      takeovers({ ...large, freshSince: NOW - seconds }, { zeroPrice: 950_000n }, 10_000_000n)[0]
        ?.kind;
    expect([after(16n), after(17n)]).to.deep.equal(["skip", "takeover"]);
  });

  it("spends its margin once, on the worst account first", () => {
    const state = snapshot({
      accounts: [
        account(11, 99n, 100n, { clock: NOW - 20n }),
        account(12, 40n, 100n, { clock: NOW - 20n }),
        account(OWN, 0n, 0n, { prudent: 15_000n, initial: 0n }),
      ],
      positions: [position(11, { lots: 20n }), position(12, { lots: 20n })],
    });
    const taken = decide(state, policy).filter((decision) => decision.kind === "takeover");
    expect(taken.map(({ account: id, lots: size }) => [id, size])).to.deep.equal([
      [12, 20n],
      [11, 10n],
    ]);
  });

  it("takes nothing without an account", () => {
    const state = snapshot({
      accounts: [account(11, 99n, 100n, { clock: NOW - 20n })],
      positions: [position(11)],
    });
    const reasons = decide(state, POLICY).filter(
      (decision) => decision.kind === "skip" && decision.from === "takeover",
    );
    expect(reasons).to.have.nested.property("[0].reason", "noAccount");
  });
});

describe("keeper: math", () => {
  it("moves a limit from slip0 to the zero price", () => {
    const sale = { mark: 1_000_000n, zeroPrice: 950_000n, slip0: 2_000n, duration: 30n } as const;
    const at = (elapsed: bigint) => limitPrice({ ...sale, side: "long", elapsed });
    // 2,000 and 50,000 from mark; 26,000 half way; four wei short of the zero price at the end.
    expect([0n, 15n, 29n, 30n, 99n].map(at)).to.deep.equal([
      998_000n,
      974_000n,
      951_600n,
      950_004n,
      950_004n,
    ]);
    const mirrored = { ...sale, zeroPrice: 1_050_000n, side: "short" } as const;
    expect(limitPrice({ ...mirrored, elapsed: 15n })).to.equal(1_026_000n);
  });

  it("keeps a limit between mark and the zero price", () => {
    const sale = { mark: 1_000_000n, slip0: 2_000n, duration: 30n, elapsed: 0n } as const;
    const long = (zeroPrice: bigint) => limitPrice({ ...sale, side: "long", zeroPrice });
    expect([999_000n, 999_996n, 1_000_000n, 1_010_000n].map(long)).to.deep.equal([
      999_004n,
      1_000_000n,
      1_000_000n,
      1_000_000n,
    ]);
  });

  it("rounds ticks towards mark and own bounds away from it", () => {
    expect(tickTowardsMark("long", 101n, 10n)).to.equal(11n);
    expect(tickTowardsMark("short", 109n, 10n)).to.equal(10n);
    expect(priceAway("long", 999n, 10_000n)).to.equal(989n);
    expect(priceAway("short", 999n, 10_000n)).to.equal(1_009n);
    expect(priceAway("short", 1_000n, 10_000n)).to.equal(1_010n);
  });
});
