/*
 * Which tests look at which contract, the cheapest and nearest first, and last what looks at everything. A mutant survives when none of
 * them fails.
 */

const BROAD: readonly string[] = ["test/lib/live.test.ts", "test/exchange/differential.test.ts"];

const ACCOUNTS = "test/Accounts.ts";
const BOOK = "test/Book.ts";
const BOTH_SIDES = "test/attacks/both-sides.test.ts";
const CAPS = "test/Caps.ts";
const COHORTS = "test/Cohorts.ts";
const CONTINUED = "test/ContinueEvent.ts";
const DELEVERAGE = "test/Deleverage.ts";
const EDGES = "test/DeleverageEdges.ts";
const EVENT_BOOK = "test/DeleverageBook.ts";
const EVENT_RANDOM = "test/DeleverageRandom.ts";
const FILLS = "test/MarginFills.ts";
const FRESH = "test/Fresh.ts";
const FUND = "test/InsuranceFund.ts";
const FUNDING = "test/Funding.ts";
const LENS = "test/ExchangeLens.ts";
const LIQUIDATION = "test/Liquidation.ts";
const LISTING = "test/Listing.ts";
const MARGIN = "test/Margin.ts";
const MARGIN_RANDOM = "test/MarginRandom.ts";
const MATCHING = "test/Matching.ts";
const MATCHING_RANDOM = "test/MatchingRandom.ts";
const MODEL = "test/differential/cohorts.test.ts";
const NAMED = "test/DeleverageNamed.ts";
const ORDERS = "test/Orders.ts";
const POSITIONS = "test/Positions.ts";
const PRICES = "test/Prices.ts";
const PRICES_RANDOM = "test/PricesRandom.ts";
const QUEUE = "test/Queue.ts";
const REPLACE = "test/OrdersReplace.ts";
const RISK_CAPS = "test/RiskCaps.ts";
const SALES_RANDOM = "test/LiquidationRandom.ts";
const VOLATILITY = "test/Volatility.ts";
const WINDING = "test/Winding.ts";

const EVENTS = [DELEVERAGE, EVENT_BOOK, EDGES, EVENT_RANDOM];
const LARGE_EVENTS = [BOTH_SIDES, NAMED, CONTINUED];

/** By file below contracts/, those that carry risk. */
const LOOKS: Readonly<Record<string, readonly string[]>> = {
  "InsuranceFund.sol": [FUND, CAPS, "test/attacks/exits.test.ts"],
  "MarginVault.sol": [
    "test/MarginVault.ts",
    "test/MarginVaultRandom.ts",
    "test/MarginVaultAttacks.ts",
    ACCOUNTS,
    "test/attacks/tokens.test.ts",
  ],
  "libraries/Accounts.sol": [ACCOUNTS, LISTING, WINDING, FRESH, FUND, CAPS, RISK_CAPS, MARGIN],
  "libraries/Book.sol": [BOOK, MATCHING, ORDERS, REPLACE, MATCHING_RANDOM],
  "libraries/Budgets.sol": ["test/Budgets.ts", CAPS, DELEVERAGE, EVENT_BOOK, EDGES],
  "libraries/Caps.sol": [CAPS, RISK_CAPS, LISTING, ORDERS, MATCHING],
  "libraries/CohortMath.sol": [COHORTS, POSITIONS, FUNDING, MODEL, DELEVERAGE, FILLS],
  "libraries/Cohorts.sol": [COHORTS, QUEUE, POSITIONS, MODEL, LENS, DELEVERAGE, NAMED],
  "libraries/Deleverage.sol": [...EVENTS, FUND, LENS, WINDING, ...LARGE_EVENTS],
  "libraries/Distress.sol": [LIQUIDATION, FUND, DELEVERAGE, EVENT_BOOK, EDGES, ORDERS, CONTINUED],
  "libraries/Fees.sol": [LISTING, CAPS, MATCHING, POSITIONS, FUND, WINDING],
  "libraries/Forced.sol": [LIQUIDATION, DELEVERAGE, EDGES],
  "libraries/Fresh.sol": [FRESH, MODEL, ACCOUNTS, DELEVERAGE, EDGES, WINDING],
  "libraries/Funding.sol": [FUNDING, PRICES],
  "libraries/HealthMath.sol": [MARGIN, FILLS, RISK_CAPS, LIQUIDATION, CAPS, MARGIN_RANDOM],
  "libraries/JumpGuard.sol": [PRICES, MARGIN, PRICES_RANDOM],
  "libraries/Ladder.sol": [...EVENTS, LENS, ...LARGE_EVENTS],
  "libraries/Ledger.sol": [ACCOUNTS, COHORTS, LIQUIDATION],
  "libraries/Liquidation.sol": [LIQUIDATION, SALES_RANDOM, CAPS, FUND, WINDING, CONTINUED],
  "libraries/Margin.sol": [
    MARGIN,
    FILLS,
    LIQUIDATION,
    RISK_CAPS,
    ACCOUNTS,
    ORDERS,
    CAPS,
    SALES_RANDOM,
    LENS,
    MARGIN_RANDOM,
  ],
  "libraries/Matching.sol": [MATCHING, ORDERS, REPLACE, CAPS, FILLS, LIQUIDATION, MATCHING_RANDOM],
  "libraries/Orders.sol": [ORDERS, REPLACE, MATCHING, ACCOUNTS, CAPS, RISK_CAPS, LISTING],
  "libraries/Positions.sol": [POSITIONS, COHORTS, FRESH, MODEL, ACCOUNTS, CAPS, DELEVERAGE],
  "libraries/Prices.sol": [PRICES, FUNDING, VOLATILITY, WINDING, MARGIN, PRICES_RANDOM],
  "libraries/Queue.sol": [QUEUE, COHORTS, LENS, DELEVERAGE, EVENT_RANDOM],
  "libraries/Shares.sol": [COHORTS, DELEVERAGE, EDGES, NAMED],
  "libraries/Tiers.sol": [MARGIN, FILLS, LIQUIDATION, LISTING, SALES_RANDOM, LENS, MARGIN_RANDOM],
  "libraries/Volatility.sol": [VOLATILITY, RISK_CAPS, PRICES],
  "libraries/Winding.sol": [WINDING, LISTING, "test/attacks/closed.test.ts"],
  "oracle/ChainlinkSource.sol": ["test/ChainlinkSource.ts"],
  "oracle/IndexOracle.sol": ["test/IndexOracle.ts", PRICES],
  "oracle/PythSource.sol": ["test/PythSource.ts"],
  "oracle/SignedFeed.sol": ["test/SignedFeed.ts"],
};

/** What the exchange does not call on its way: the broad tests would not see it. */
const ALONE = /^oracle\/(Chainlink|Pyth)/;

/** The files of which mutants are made. */
export const FILES: readonly string[] = Object.keys(LOOKS).sort();

export function testsFor(file: string): string[] {
  const near = LOOKS[file] ?? [];
  return [...new Set([...near, ...(ALONE.test(file) ? [] : BROAD)])];
}
