import type { Property } from "./property.js";
import { at, CHANGES, FLOWS, TRIALS } from "./property.js";

/* B: margin and positions. */

const FUZZ = "contracts/test/Margin.t.sol";
const TIERS = "scripts/verify/lemmas/TiersLemmas.sol";

export const MARGIN: readonly Property[] = [
  {
    id: "B1",
    what: "Who added risk has initial margin afterwards.",
    checkedBy: [
      ...at(CHANGES, "function b1("),
      ...at("test/MarginRandom.ts", "judges as the model does"),
    ],
  },
  {
    id: "B2",
    what: "No call of a user brings an account that has maintenance margin below it.",
    checkedBy: at(CHANGES, "function b2("),
    because: "But for the haircut of an event, whose consequence names it (F5).",
  },
  {
    id: "B3",
    what: "Below maintenance an owner can only reduce, cancel and pay in.",
    checkedBy: [
      ...at(CHANGES, 'Broken("B3"'),
      ...at("test/Margin.ts", "an account that is ${name}"),
    ],
  },
  {
    id: "B4",
    what: "Every function of the exchange is judged, or is on a list that says why not.",
    checkedBy: [
      ...at(
        "test/properties/powers.test.ts",
        "are all judged, or reviewed and left out for a reason (B4)",
      ),
      ...at(
        "test/properties/powers.test.ts",
        "refuse by ${name} what would leave too little margin (B4)",
      ),
      ...at(CHANGES, "function b1("),
    ],
  },
  {
    id: "B5",
    what: "Requirements grow with notional, share and crowd, without a step at an edge; maintenance is below initial.",
    checkedBy: [
      ...at(FUZZ, "testFuzz_requirementNeverFalls", "testFuzz_requirementHasNoStep"),
      ...at(TIERS, "function maintenanceNeverFalls(", "function noJumpAtAnyEdge("),
      ...at(
        "test/properties/sizes.test.ts",
        "never falls with its size or with open interest, nor does its rate",
      ),
    ],
  },
  {
    id: "B6",
    what: "The stated move and the costs of a sale fit the highest leverage below the top ones.",
    checkedBy: [
      ...at("test/Listing.ts", "margin below a stated move"),
      ...at(FUZZ, "testFuzz_maintenanceIsHalfRoundedUpOnce"),
      ...at("test/attacks/worn.test.ts", "where the first bracket has the envelope's leverage"),
    ],
    because: "Maintenance is of the bracket, not of the account's leverage.",
    missing:
      "A first bracket of a top leverage: its maintenance is below the move, for every account (H12).",
  },
  {
    id: "B7",
    what: "Who grows stays within his share and the market within its cap; at the cap all may reduce.",
    checkedBy: [
      ...at(CHANGES, "function b7("),
      ...at("test/Orders.ts", "refuses what adds, and lets positions change hands and shrink"),
      ...at("test/RiskCaps.ts", "stop it at its share of the market, orders included"),
    ],
  },
  {
    id: "B8",
    what: "No order and no forced sale leaves a position below the least notional.",
    checkedBy: [
      ...at("test/Orders.ts", "is a position below the least notional, closed in part or turned"),
      ...at("test/Liquidation.ts", "closes a rest below the minimum too"),
    ],
    because:
      "What a thin book, a maker's fill or a cut leaves may be less; a forced sale closes it.",
    missing: "Those rests, which the design allows.",
  },
  {
    id: "B9",
    what: "Views say to the wei what the call then does.",
    checkedBy: [
      ...at("test/ExchangeLens.ts", "say to the wei what deleverage then does"),
      ...at("test/MarginVault.ts", "preview says what pay does"),
      ...at(TRIALS, "function inv11("),
    ],
  },
  {
    id: "B10",
    what: "A loss in one account touches no other account of its owner.",
    checkedBy: [
      ...at("test/properties/forced.test.ts", "leave an owner's other account what it has (B10)"),
      ...at(CHANGES, "function inv6("),
      ...at(FLOWS, "an account lost by what others did"),
    ],
    because: "Isolated margin is a second account.",
  },
  {
    id: "B11",
    what: "Under any parameters within bounds, liquidating, deleveraging and withdrawing end in no arithmetic error.",
    checkedBy: [
      ...at("test/properties/bounds.test.ts", "and nothing ends in an arithmetic error (B11)"),
      ...at("contracts/test/invariants/Calls.t.sol", "WHAT A CALL MAY REVERT WITH"),
      ...at("test/input/matrix.test.ts", "ends by name: ${row}"),
    ],
    because: "At random: every field that may change, at its bounds and between.",
  },
  {
    id: "B12",
    what: "Entry and cost do not depend on the order of fills at one price, but for a wei.",
    checkedBy: [
      ...at("test/properties/parts.test.ts", "in whatever order they come (B12)"),
      ...at("test/Positions.ts", "averages several prices of one fill from their exact sum"),
    ],
    because: "An entry has 2^-16 of a tick for each fill.",
  },
];
