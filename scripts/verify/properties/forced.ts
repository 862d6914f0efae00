import type { Property } from "./property.js";
import { at, CALLS, COALITION, EVENTS, MODEL, SAME_STATE, TRIALS, WATERFALL } from "./property.js";

/* D: forced sales. */

const LIQUIDATION = "test/Liquidation.ts";

export const FORCED_SALES: readonly Property[] = [
  {
    id: "D1",
    what: "An account is sold if and only if it is below maintenance at mark and at index and has a price.",
    checkedBy: [
      ...at(WATERFALL, "function d1("),
      ...at(LIQUIDATION, "needs the account to be below maintenance at mark and at index"),
      ...at("test/Margin.ts", "is not for who has just what is needed at ${at}"),
    ],
  },
  {
    id: "D2",
    what: "A forced sale leaves no worse a ratio, or no position.",
    checkedBy: [
      ...at(WATERFALL, "function inv15("),
      ...at(EVENTS, "a forced sale lowered the margin ratio"),
    ],
  },
  {
    id: "D3",
    what: "No sale goes beyond the zero price, and who was solvent stays so.",
    checkedBy: [
      ...at(WATERFALL, "function d3(", 'Broken("D3"'),
      ...at(LIQUIDATION, "takes no bid worse than the limit, which moves to the zero price"),
    ],
  },
  {
    id: "D4",
    what: "No more is sold than brings the account to its target, or what would be left is too small.",
    checkedBy: [
      ...at("test/MarginRandom.ts", "sells the least lots that surely reach the target"),
      ...at(LIQUIDATION, "sells only until equity is 1.25 × maintenance"),
    ],
  },
  {
    id: "D5",
    what: "A penalty is paid from what the account has left, never by the fund.",
    checkedBy: [
      ...at(WATERFALL, "function d5("),
      ...at("test/MarginRandom.ts", "takes at most a penalty's rate, and what equity"),
    ],
  },
  {
    id: "D6",
    what: "A caller's reward is a share of the penalty, and a call that sells nothing brings none.",
    checkedBy: [
      ...at(WATERFALL, 'Broken("D6"'),
      ...at(LIQUIDATION, "takes a penalty for what the book took, not for what it was offered"),
    ],
  },
  {
    id: "D7",
    what: "To open and be liquidated by one's own accounts brings nothing while prices go in small steps.",
    checkedBy: [
      ...at(
        "test/attacks/closed.test.ts",
        "never have more than was paid in while keepers keep up",
      ),
      ...at(COALITION, "test_A14_insideTheEnvelopeACoalitionGainsNothing"),
      ...at("test/attacks/incidents.test.ts", "pays nothing while keepers are awake"),
    ],
    because: "Over a gap it brings at most what the fund pays (A14).",
  },
  {
    id: "D8",
    what: "Who can be liquidated can be resolved: blocked, without a book, with all order slots, with an empty fund.",
    checkedBy: [
      ...at("test/attacks/emptyfund.test.ts", "never makes a step of the waterfall revert"),
      ...at("test/attacks/tokens.test.ts", "is liquidated and deleveraged like anybody"),
      ...at(LIQUIDATION, "cancels all orders, and starts the clock though nobody buys"),
      ...at("test/properties/forced.test.ts", "who has as many orders as there may be (D8)"),
      ...at(CALLS, "WHAT A CALL MAY REVERT WITH"),
    ],
    because: "With all order slots of two markets; an account may be in eight.",
  },
  {
    id: "D9",
    what: "What an event takes does not depend on the order of names, nor a sale at one price on the order of calls.",
    checkedBy: [
      ...at(TRIALS, "function inv14("),
      ...at("test/properties/forced.test.ts", "where the book has enough at one price (D9)"),
      ...at("test/DeleverageEdges.ts", "draws no more when a wave is split"),
    ],
    because:
      "In a thin book who is sold first gets the better bids; waves in several events are measured (E3).",
  },
  {
    id: "D10",
    what: "All of a market can be due at once and is closed in one call, whether the fund can pay or not.",
    checkedBy: [
      ...at("test/attacks/liveness.test.ts", "all longs are insolvent with the fund's money alone"),
      ...at("test/attacks/liveness.test.ts", "closes it with neither: principal pays"),
      ...at(COALITION, "test_D10_whatNobodyCanPayIsAShortfall"),
      ...at("contracts/test/invariants/Run.t.sol", "requireSeen(Seen.WholeMarket"),
    ],
  },
  {
    id: "D11",
    what: "The price of a forced sale does not depend on who calls.",
    checkedBy: at("test/properties/forced.test.ts", "have one price, whoever calls (D11)"),
  },
  {
    id: "D12",
    what: "A forced sale cancels its owner's orders first.",
    checkedBy: [
      ...at(LIQUIDATION, "cancels all orders, and starts the clock though nobody buys"),
      ...at(MODEL, SAME_STATE),
    ],
  },
  {
    id: "D13",
    what: "After a restart of the sequencer nobody is sold until the grace is over.",
    checkedBy: [
      ...at("test/attacks/restart.test.ts", "within the grace it only pays in"),
      ...at("test/ChainlinkSource.ts", "has none until the grace period is over, to the second"),
      ...at(LIQUIDATION, "counts the clock from the moment all markets are fresh again"),
    ],
    because:
      "There is no pause. After any other gap the clock of takeovers and events starts anew.",
  },
  {
    id: "D14",
    what: "Who takes a position over has initial margin afterwards.",
    checkedBy: [
      ...at(WATERFALL, "function d14("),
      ...at(
        "test/properties/powers.test.ts",
        "refuse by ${name} what would leave too little margin (B4)",
      ),
    ],
  },
  {
    id: "D15",
    what: "A forced sale never raises open interest.",
    checkedBy: at(WATERFALL, "function d15("),
  },
  {
    id: "D16",
    what: "Who trades around a forced sale takes no more of it than its limit is away from mark.",
    checkedBy: [
      ...at("test/properties/forced.test.ts", "no more than their limit is away from mark (D16)"),
      ...at(WATERFALL, "D3: limit"),
      ...at("test/attacks/prices.test.ts", "brings whoever takes over nothing of them"),
      ...at("test/attacks/container.test.ts", "earns liqSlip from the fund while its budget lasts"),
    ],
  },
];
