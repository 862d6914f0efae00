import type { Planted } from "../../scripts/mutants/mutant.js";

/* Mistakes about keys, and about who calls and when. */

const KEYS = "test/attacks/keys.test.ts";
const LIQUIDATION = "test/Liquidation.ts";

export const KEYS_AND_TIME: readonly Planted[] = [
  {
    id: "listing-at-once",
    from: "Drift, 2026",
    file: "scripts/deploy/roles.ts",
    what: "a role that adds risk has no delay",
    text: 'new Set<RoleName>(["listing", "treasury", "oracle"])',
    planted: 'new Set<RoleName>(["treasury", "oracle"])',
    tests: [KEYS, "test/stories/crash.test.ts"],
  },
  {
    id: "market-starts-full",
    from: "Drift, 2026",
    file: "libraries/Caps.sol",
    what: "a market that was just listed takes all of its cap",
    text: "uint64 first = uint64((uint256(full) * m.config.capStart) / PERCENT);",
    planted: "uint64 first = full;",
    tests: ["test/Caps.ts", KEYS],
  },
  {
    id: "fund-bound-again",
    from: "Drift, 2026",
    file: "libraries/Listing.sol",
    what: "a role can give the insurance fund's account to somebody else",
    text: "require(s.fund == address(0), IExchangeErrors.FundAlreadyBound(s.fund));",
    planted: "",
    tests: ["test/Listing.ts", KEYS],
  },
  {
    id: "won-with-nothing-bid",
    from: "Maker, 2020",
    file: "libraries/Liquidation.sol",
    what: "who takes a position over names the price",
    text: "uint256 salePrice = tickTowardsMark(side, limit, price.unit) * price.unit;",
    planted:
      "limit;\n        uint256 salePrice = offer.worstPrice - (offer.worstPrice % price.unit);",
    tests: [LIQUIDATION, "test/exchange/differential.test.ts"],
  },
  {
    id: "walk-without-end",
    from: "loops without a bound",
    file: "libraries/Matching.sol",
    what: "one call walks as far as there are orders",
    text: "w.maxSteps = t.maxFills;",
    planted: "w.maxSteps = type(uint256).max;",
    tests: ["test/Matching.ts"],
  },
  {
    id: "markets-without-end",
    from: "loops without a bound",
    file: "libraries/AccountMarkets.sol",
    what: "an account may be in more markets than one call can measure",
    text: "count <= Bounds.MARKETS_PER_ACCOUNT,",
    planted: "count != 0,",
    tests: ["test/Orders.ts", "test/Positions.ts", "test/input/matrix.test.ts"],
  },
  {
    id: "dust-stays",
    from: "loops without a bound",
    file: "libraries/Orders.sol",
    what: "positions that are not worth liquidating may be left",
    text: "require(lots == 0 || notional >= least, IExchangeErrors.PositionTooSmall(notional, least));",
    planted: "least;",
    tests: ["test/Orders.ts"],
  },
  {
    id: "waiting-price-ignored",
    from: "keepers that are held up",
    file: "libraries/HealthMath.sol",
    what: "while a jump waits, margin is measured as if none did",
    text: "int256 worse = FixedPointMathLib.min(atMark, atPending);",
    planted: "int256 worse = atMark;",
    tests: ["test/Margin.ts", "test/MarginOracle.ts"],
  },
  {
    id: "profit-matures-in-an-event",
    from: "keepers that are held up",
    file: "libraries/Fresh.sol",
    what: "profit matures while an event that must charge it waits",
    text: "m.book.status & MarketStatus.EVENT != 0 ||",
    planted: "",
    tests: ["test/Fresh.ts", "test/ContinueEvent.ts"],
  },
  {
    id: "sale-without-a-limit",
    from: "liquidations in a moved book",
    file: "libraries/Margin.sol",
    what: "a forced sale may go to the zero price at once",
    text: "int256 distance = scheduled(config, price.mark, uint256(toZero), elapsed);",
    planted: "elapsed;\n        config;\n        int256 distance = toZero;",
    tests: ["test/Margin.ts", LIQUIDATION],
  },
  {
    id: "fills-outside-the-band",
    from: "liquidations in a moved book",
    file: "libraries/Matching.sol",
    what: "fills happen as far from mark as somebody has put an order",
    text: "? FixedPointMathLib.min(t.limitTick, highest)",
    planted: "? t.limitTick",
    tests: ["test/Matching.ts"],
  },
];
