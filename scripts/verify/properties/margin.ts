import type { Property } from "./property.js";
import { at, CHANGES, FLOWS, MODEL, SAME_STATE, TRIALS, WATERFALL } from "./property.js";

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
    what: "Every function that could add risk ends at the judge.",
    checkedBy: [
      ...at("test/input/matrix.test.ts", "has a row for every function"),
      ...at(CHANGES, "function b1("),
      ...at(WATERFALL, "function d14("),
    ],
    missing: "A list that says of every function whether it is judged, which a new one would miss.",
  },
  {
    id: "B5",
    what: "Requirements grow with notional and share of the market, without a step, and maintenance is below initial.",
    checkedBy: [
      ...at(FUZZ, "testFuzz_requirementNeverFalls", "testFuzz_requirementHasNoStep"),
      ...at(FUZZ, "testFuzz_maintenanceIsHalfRoundedUpOnce"),
      ...at(TIERS, "function maintenanceNeverFalls(", "function noJumpAtAnyEdge("),
    ],
    missing: "That they grow with the share of open interest is shown for single cases only.",
  },
  {
    id: "B6",
    what: "Maintenance covers the stated move and the costs of a sale, and initial margin is twice that.",
    checkedBy: [
      ...at("test/Listing.ts", "margin below a stated move"),
      ...at(FUZZ, "testFuzz_maintenanceIsHalfRoundedUpOnce"),
      ...at("test/Caps.ts", "are what the fund could pay for after a stated move"),
    ],
    because: "The top leverages are above it and have a cap by what the fund can pay.",
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
      ...at(CHANGES, "function inv6("),
      ...at(FLOWS, "an account lost by what others did"),
    ],
    because: "Isolated margin is a second account.",
    missing: "An owner's other account in an event, by itself.",
  },
  {
    id: "B11",
    what: "Liquidating, deleveraging and withdrawing never end in an arithmetic error.",
    checkedBy: [
      ...at("contracts/test/invariants/Calls.t.sol", "WHAT A CALL MAY REVERT WITH"),
      ...at("test/input/matrix.test.ts", "ends by name: ${row}"),
      ...at(MODEL, SAME_STATE),
    ],
    missing: "Parameters all over their bounds: runs use those of four markets.",
  },
  {
    id: "B12",
    what: "The average entry does not depend on the order of fills at one price.",
    checkedBy: at("test/Positions.ts", "averages several prices of one fill from their exact sum"),
    missing: "Several fills in another order.",
  },
];
