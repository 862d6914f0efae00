import type { Property } from "./property.js";
import { at, CHANGES, LASTING, MODEL, SAME_STATE, TIME } from "./property.js";

/* G: funding. H: index and mark. */

const FUNDING = "test/Funding.ts";
const PRICES = "test/Prices.ts";
const ORACLE = "test/IndexOracle.ts";
const FEED = "test/SignedFeed.ts";
const CHAINLINK = "test/ChainlinkSource.ts";

export const FUNDING_RATES: readonly Property[] = [
  {
    id: "G1",
    what: "The rate keeps to its cap.",
    checkedBy: [
      ...at(TIME, "function g1("),
      ...at(FUNDING, "rounded towards zero and never above the cap"),
      ...at("scripts/verify/lemmas/PriceLemmas.sol", "function fundingIsInsideItsCap("),
    ],
  },
  {
    id: "G2",
    what: "A second touch in a block accrues nothing.",
    checkedBy: [
      ...at(FUNDING, "counts a block once, however often it is touched"),
      ...at(TIME, "function k4("),
    ],
  },
  {
    id: "G3",
    what: "Funding sums to nothing (A7).",
    checkedBy: [
      ...at(TIME, "function a6("),
      ...at("test/Cohorts.ts", "pay and receive funding alike, however much of each was cut"),
    ],
  },
  {
    id: "G4",
    what: "A position pays from its opening on, not for the time before.",
    checkedBy: [
      ...at(
        "test/Positions.ts",
        "shifts the price by the funding index and rounds cost against both",
      ),
      ...at(MODEL, SAME_STATE),
    ],
  },
  {
    id: "G5",
    what: "The book of one block moves the rate by what its seconds weigh.",
    checkedBy: at(
      FUNDING,
      "cannot be moved far by one block's book",
      "gives one quote no more weight",
    ),
  },
  {
    id: "G6",
    what: "Nothing accrues while there is no price or a jump waits.",
    checkedBy: at(
      FUNDING,
      "charges nothing while the index is dead",
      "charges nothing while a jump waits",
      "stops when the index dies, also when nobody calls",
    ),
    because: "There is no pause.",
  },
  {
    id: "G7",
    what: "The index of funding moves by the cap for the time that passed at most, and is never set back.",
    checkedBy: at(TIME, "function g1("),
  },
  {
    id: "G8",
    what: "Equity that liquidations and withdrawals go by has funding in it.",
    checkedBy: [
      ...at("test/Margin.ts", "floors each value and charges longs what shorts receive in funding"),
      ...at("test/MarginRandom.ts", "sees an account as settling it leaves it"),
    ],
  },
  {
    id: "G9",
    what: "A century at the highest rate and price fits, and a call charges a bounded time.",
    checkedBy: at(
      FUNDING,
      "fits its type for a century at the highest cap and price",
      "charges at most maxAccrual seconds at once",
    ),
  },
];

export const PRICE_RULES: readonly Property[] = [
  {
    id: "H1",
    what: "No price beyond its age opens, fills, sells or pays anything.",
    checkedBy: [
      ...at(PRICES, "ages by the clock alone, also when nobody calls"),
      ...at("test/Orders.ts", "refuses a new order and lets orders be cancelled"),
      ...at("test/Orders.ts", "a dead price lets nothing be reduced"),
      ...at("test/DeleverageEdges.ts", "skips with a reason, and closes the others"),
      ...at("test/attacks/restart.test.ts", "by default nobody can trade"),
    ],
    because: "An aged price still serves to reduce and for forced sales.",
  },
  {
    id: "H2",
    what: "A price is above zero, within its bounds and of known decimals, or it is none.",
    checkedBy: [
      ...at(ORACLE, "leaves out a price beyond the market's bounds"),
      ...at(
        CHAINLINK,
        "reverts for an answer of zero or less",
        "brings ${answer} with ${decimals}",
      ),
      ...at(PRICES, "has no use for a price that a word cannot hold"),
    ],
  },
  {
    id: "H3",
    what: "A move beyond the bound waits until something confirms it, and is aged meanwhile.",
    checkedBy: [
      ...at(PRICES, "one quote more waits", "two agreeing sources confirm at once"),
      ...at(PRICES, "keeps a fresh reading aged while a jump waits, and the mark at the old index"),
    ],
  },
  {
    id: "H4",
    what: "Of three sources and more the index is the median; of two one is taken, or none.",
    checkedBy: at(
      ORACLE,
      "agrees with the model for every combination of up to three kinds of answers",
      "agrees with the model for any four or five",
    ),
  },
  {
    id: "H5",
    what: "Times of publication rise, and none lies ahead.",
    checkedBy: [
      ...at(PRICES, "moves the index only by an update that was published later"),
      ...at(ORACLE, "from the future is nothing"),
      ...at(FEED, "refuses a time that has not come"),
    ],
    because: "Orders are filled at their own prices, not at an index that comes after them.",
  },
  {
    id: "H6",
    what: "The mark is near the index.",
    checkedBy: [
      ...at(LASTING, "function h6("),
      ...at(
        "test/PricesRandom.ts",
        "takes the median of any book, premium and index, and clamps it",
      ),
    ],
  },
  {
    id: "H7",
    what: "While the sequencer is down and for a grace after it there is no price.",
    checkedBy: at(
      CHAINLINK,
      "has no price while the sequencer is down",
      "has none until the grace period is over, to the second",
    ),
  },
  {
    id: "H8",
    what: "The own book can move the mark to its bound, never the index, and liquidates nobody by itself.",
    checkedBy: [
      ...at("test/attacks/oracle.test.ts", "moves the mark to its bound and liquidates nobody"),
      ...at(
        "test/attacks/incidents.test.ts",
        "liquidates nobody, and earns at most the bound of funding",
      ),
      ...at(MODEL, SAME_STATE),
    ],
    because: "Collateral is one token, counted as itself.",
  },
  {
    id: "H9",
    what: "A price counts that enough known signers signed for this feed, chain and contract.",
    checkedBy: [
      ...at(FEED, "refuses a signature of nobody known, and one over anything else"),
      ...at(FEED, "refuses a signature for another chain, contract, name or version"),
      ...at(ORACLE, "belong to the authority's role"),
      ...at(
        "test/attacks/keys.test.ts",
        "is met with a row for every function that asks for a role",
      ),
    ],
  },
  {
    id: "H10",
    what: "A change of parameters moves nobody's equity.",
    checkedBy: [
      ...at("test/properties/powers.test.ts", "moves nobody's equity, whatever it changes (H10)"),
      ...at("test/Listing.ts", "leaves alone what stored amounts are counted in"),
      ...at(
        "test/attacks/keys.test.ts",
        "lowers no equity and raises no maintenance margin as guardian",
      ),
    ],
    because:
      "A mark that stands away from the index keeps to a narrower bound from the next price on.",
    missing: "A second source to compare with when a feed is wired.",
  },
  {
    id: "H11",
    what: "While a jump waits nobody grows, and no profit leaves.",
    checkedBy: [
      ...at("test/attacks/exits.test.ts", "with defaults nothing is paid out"),
      ...at(PRICES, "keeps a fresh reading aged while a jump waits"),
      ...at("test/Orders.ts", "an aged price"),
      ...at("test/Fresh.ts", "stands still while a jump waits or a shortfall stands"),
    ],
  },
  {
    id: "H12",
    what: "A listing is refused where move, funding and costs of a sale exceed half of one by the leverage below the top ones.",
    checkedBy: [
      ...at("test/Listing.ts", "margin below a stated move", "the same at five times"),
      ...at("test/Caps.ts", "are what the fund could pay for after a stated move"),
      ...at("test/attacks/worn.test.ts", "where the first bracket has the envelope's leverage"),
      ...at("test/attacks/worn.test.ts", "else what the fund pays (H12)"),
    ],
    because: "Known, with its reason: decision 018.",
    missing:
      "That maintenance covers it at every notional, which it does not where the first bracket has a top leverage.",
  },
  {
    id: "H13",
    what: "Prices that come and go in one transaction are one price, and bring nobody profit.",
    checkedBy: [
      ...at(
        "test/attacks/oracle.test.ts",
        "sees one price: what pays over two blocks costs a fee in one",
      ),
      ...at(PRICES, "does not move the index twice in a block"),
      ...at(CHANGES, "function inv17("),
    ],
  },
];
