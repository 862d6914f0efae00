import type { Property } from "./property.js";
import {
  at,
  BUDGETS,
  CHANGES,
  EVENTS,
  INSPECTOR,
  LASTING,
  MODEL,
  SAME_STATE,
  WATERFALL,
} from "./property.js";

/* E: the fund. F: deleveraging. */

const LIQUIDATION = "test/Liquidation.ts";
const FUND = "test/InsuranceFund.ts";
const DELEVERAGE = "test/Deleverage.ts";
const AS_THE_MODEL = "does as the model does by ${name}, twice in a row";
const SHARES = "scripts/verify/lemmas/SharesLemmas.sol";

export const INSURANCE: readonly Property[] = [
  {
    id: "E1",
    what: "The fund is never below zero.",
    checkedBy: [...at(LASTING, "function inv10("), ...at(EVENTS, "the fund is negative")],
  },
  {
    id: "E2",
    what: "The fund falls only by deficits, rewards and exits that are due.",
    checkedBy: [
      ...at(CHANGES, "function e2("),
      ...at(BUDGETS, "the fund paid more than it may"),
      ...at(MODEL, SAME_STATE),
    ],
  },
  {
    id: "E3",
    what: "Draws keep to the budgets of the event, of the market and of all markets.",
    checkedBy: [
      ...at(WATERFALL, 'Broken("E3"'),
      ...at(BUDGETS, "the fund paid more than it may"),
      ...at("test/Budgets.ts", "keep a day's draws to 40 %, however many waves there are"),
    ],
    because:
      "A wave that is closed account by account may draw more than at once; how much is measured.",
  },
  {
    id: "E4",
    what: "A first staker who gives tokens away takes nothing of the next one.",
    checkedBy: [
      ...at(
        "test/properties/shares.test.ts",
        "no gift before a stake brings its giver anything (E4)",
      ),
      ...at(
        "test/attacks/money.test.ts",
        "pay the first depositor of a fund that looks at its balance",
      ),
      ...at(FUND, "refuses a deposit that is worth no share"),
    ],
  },
  {
    id: "E5",
    what: "Into shares and back never brings more, and previews say what is done.",
    checkedBy: at("test/properties/shares.test.ts", "and previews are what is done (E5)"),
  },
  {
    id: "E6",
    what: "Nobody steps in or out ahead of a loss that is known: an event, a jump, much liquidation.",
    checkedBy: [
      ...at(CHANGES, "function e6("),
      ...at(LASTING, "E6: distress"),
      ...at(FUND, "while a jump is pending, for an hour at most"),
      ...at(FUND, "while much is under liquidation, and not for little"),
      ...at(FUND, "pays an exit after the cooldown, at the price of that moment"),
    ],
    because: "For an hour at most after a jump began or the last account fell below.",
  },
  {
    id: "E7",
    what: "Winners are charged only for what the fund's budget leaves.",
    checkedBy: [
      ...at(WATERFALL, 'Broken("E7"'),
      ...at(BUDGETS, "others were charged before the fund had paid what it may"),
    ],
  },
  {
    id: "E8",
    what: "A share of the fund falls only in an event.",
    checkedBy: at(CHANGES, "function e8("),
  },
];

export const DELEVERAGING: readonly Property[] = [
  {
    id: "F1",
    what: "Only insolvent accounts and those whose clock ran out are closed, and charges are for the rest of a deficit.",
    checkedBy: [
      ...at(WATERFALL, "function f1Account(", "function f1("),
      ...at(LIQUIDATION, "lets nobody deleverage before the clock has run for its time"),
    ],
  },
  {
    id: "F2",
    what: "Both sides close the same lots, at mark or, by the other rule, at the insolvent account's price.",
    checkedBy: [
      ...at(DELEVERAGE, AS_THE_MODEL),
      ...at("test/DeleverageRandom.ts", "does to everyone what the eager model does"),
      ...at(MODEL, SAME_STATE),
    ],
  },
  {
    id: "F3",
    what: "Lots are taken in the published order, which nobody chooses.",
    checkedBy: [
      ...at(WATERFALL, "function f3("),
      ...at(EVENTS, "cohorts were not cut in the order of the queue"),
      ...at(DELEVERAGE, "front: closes higher committed leverage first, then the better entry"),
    ],
  },
  {
    id: "F4",
    what: "An event makes nobody grow or turn.",
    checkedBy: at(WATERFALL, "function f4("),
    because: "But makers of the book whom it meets, within their margin (INV-12).",
  },
  {
    id: "F5",
    what: "Nobody gives more than its profit, and an event that follows names the one before.",
    checkedBy: [
      ...at(WATERFALL, "function f5("),
      ...at(EVENTS, "a lot has given more than its price profit"),
      ...at("test/DeleverageEdges.ts", "names the event that may have caused it, for an hour"),
    ],
  },
  {
    id: "F6",
    what: "Cohorts are scored at the event's mark, and a class without guaranteed profit gives nothing.",
    checkedBy: [
      ...at(EVENTS, "a class gave another share than its profit's"),
      ...at("test/lib/receipts.test.ts", "counts what the least profitable member of a class has"),
    ],
  },
  {
    id: "F7",
    what: "Lots closed are lots needed and money taken is money missing, to the wei.",
    checkedBy: [
      ...at(WATERFALL, "function f7("),
      ...at(EVENTS, "a deficit is not what was paid for it", "lots are not what was closed"),
      ...at(SHARES, "function theLastTakesTheRest(", "function twoPartsAreTheWhole("),
    ],
  },
  {
    id: "F8",
    what: "Open interest falls by what was closed, on both sides.",
    checkedBy: [...at(WATERFALL, "function f8("), ...at(LASTING, "function inv2(")],
  },
  {
    id: "F9",
    what: "An event that does not fit into a call goes on in bounded steps to the same end.",
    checkedBy: at("test/ContinueEvent.ts", "and ends like the single event, however it is cut"),
  },
  {
    id: "F10",
    what: "Dust in the queue costs an event bounded gas a cohort and its owner a bond.",
    checkedBy: at(
      "test/attacks/griefing.test.ts",
      "costs a bounded amount of gas a cohort, a bond each, and stops no event",
    ),
    because:
      "Accounts are not walked, cohorts are: sixty of dust stand for any number of accounts.",
  },
  {
    id: "F11",
    what: "What an event takes is fixed before anything moves, also over several calls.",
    checkedBy: [
      ...at("test/ContinueEvent.ts", "charges the fresh profit that was there when it began"),
      ...at(EVENTS, "the base of a haircut is not the profit before the event"),
    ],
    because: "A call that reverts leaves nothing behind.",
  },
  {
    id: "F12",
    what: "The queue holds every position once and hands every cohort out once.",
    checkedBy: at(
      INSPECTOR,
      "F12: cohorts of the queue",
      "F12: a member outside the queue",
      "F12: members of the queue",
    ),
  },
  {
    id: "F13",
    what: "After an event every position that is left can be closed by its owner.",
    checkedBy: [
      ...at(
        "test/properties/forced.test.ts",
        "leave every position such that its owner can close it",
      ),
      ...at("contracts/test/invariants/Endings.t.sol", "function k3("),
    ],
  },
  {
    id: "F14",
    what: "How many hedged accounts an event cuts is measured and reported.",
    checkedBy: [
      ...at("test/replay/metrics.test.ts", "hedgesCut: 1"),
      ...at(
        "test/replay/population.test.ts",
        "follows the weights of leverages, entry prices and hedges",
      ),
    ],
    because: "A hedge is no protection from the queue, and nothing promises one.",
  },
];
