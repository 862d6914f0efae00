import type { Property } from "./property.js";
import {
  at,
  BOOK,
  BUDGETS,
  CHANGES,
  COALITION,
  ENDINGS,
  EVENTS,
  FILLS,
  FLOWS,
  INSPECTOR,
  LASTING,
  MODEL,
  MONEY,
  POOLS,
  SAME_STATE,
  TRIALS,
  UNSETTLED,
  WATERFALL,
} from "./property.js";

/* The invariants of docs/invariants.md. */

export const INVARIANTS: readonly Property[] = [
  {
    id: "INV-1",
    what: "Tracked tokens and shortfalls are what is owed, and the vault holds no less than it says.",
    checkedBy: [
      ...at(LASTING, "function inv1(", "function a1("),
      ...at(MONEY, "tracked tokens and shortfalls are not what is owed"),
      ...at(MODEL, SAME_STATE),
    ],
  },
  {
    id: "INV-2",
    what: "Long lots are short lots in every market, dust included.",
    checkedBy: [
      ...at(LASTING, "function inv2("),
      ...at(MONEY, "long and short lots differ", "long lots are not the open interest"),
    ],
  },
  {
    id: "INV-3",
    what: "Trades, funding, haircuts and cuts move money and make none.",
    checkedBy: [
      ...at(CHANGES, "function inv3("),
      ...at(FLOWS, "changes of all accounts and the house do not cancel"),
      ...at(UNSETTLED, "the unsettled pool is not what accounts will draw from it"),
    ],
  },
  {
    id: "INV-4",
    what: "A cohort is its members and the fractions that they left, and an empty one has no bit.",
    checkedBy: [
      ...at(POOLS, "a cohort's lots are not its members' and what they left"),
      ...at(POOLS, "the bitmap of price classes is not that of the cohorts with lots"),
      ...at(INSPECTOR, "INV-4: members"),
    ],
  },
  {
    id: "INV-5",
    what: "The book is uncrossed, its levels are their orders first in first out, and its bitmap shows those.",
    checkedBy: [
      ...at(BOOK, "a level's queue is broken", "a live bid meets a live ask"),
      ...at(BOOK, "the bitmap of ticks is not that of the levels with lots"),
      ...at(INSPECTOR, "function checkBook("),
    ],
  },
  {
    id: "INV-6",
    what: "Nobody has less at mark by what others do, but for the ways that are named.",
    checkedBy: [
      ...at(CHANGES, "function inv6("),
      ...at(FLOWS, "an account lost by what others did"),
    ],
  },
  {
    id: "INV-7",
    what: "An account of an event ends flat where there is a price, at zero if it was insolvent.",
    checkedBy: [
      ...at(WATERFALL, "function inv7("),
      ...at(EVENTS, "an account of an event is not flat"),
      ...at(EVENTS, "an insolvent account has not ended at zero"),
    ],
  },
  {
    id: "INV-8",
    what: "The fund's budget comes first, lots go in the queue's order, and what is taken is what is missing.",
    checkedBy: [
      ...at(WATERFALL, "function inv8(", "function f7("),
      ...at(EVENTS, "cohorts were not cut in the order of the queue"),
      ...at(BUDGETS, "others were charged before the fund had paid what it may"),
    ],
  },
  {
    id: "INV-9",
    what: "Principal of who is flat leaves at once; cancelling, topping up and reducing stay open.",
    checkedBy: [
      ...at(CHANGES, "function inv9("),
      ...at("test/MarginVault.ts", "INV-9: principal leaves at once while a queue waits"),
      ...at("test/Orders.ts", "refuses a new order and lets orders be cancelled"),
      ...at("test/Orders.ts", "lets positions be reduced"),
    ],
  },
  {
    id: "INV-10",
    what: "The fund is never below zero and pays no more than its budgets.",
    checkedBy: [
      ...at(LASTING, "function inv10("),
      ...at(EVENTS, "the fund is negative"),
      ...at(BUDGETS, "the fund paid more than it may"),
    ],
  },
  {
    id: "INV-11",
    what: "Who is settled late has what settling at every event would have given.",
    checkedBy: [
      ...at(TRIALS, "function inv11("),
      ...at("test/differential/cohorts.test.ts", "agrees over random operations, lots"),
      ...at("test/DeleverageRandom.ts", "does to everyone what the eager model does"),
    ],
  },
  {
    id: "INV-12",
    what: "No fill leaves a maker or a taker that grew without its margin, or a maker with a worse ratio off mark.",
    checkedBy: [
      ...at(CHANGES, "function inv12("),
      ...at(FILLS, "a taker grew below initial margin"),
      ...at(FILLS, "a maker that shrank worse than mark has a lower margin ratio"),
      ...at("test/MarginRandom.ts", "checks makers on the state that the fill leaves (INV-12)"),
    ],
  },
  {
    id: "INV-13",
    what: "A lot gives its price profit at most; beyond that only principal, with an event and a bound.",
    checkedBy: [
      ...at(WATERFALL, "function inv13("),
      ...at(EVENTS, "a lot has given more than its price profit"),
      ...at(EVENTS, "principal was charged beyond the lowest maintenance rate"),
    ],
  },
  {
    id: "INV-14",
    what: "Shares are of what was there before any lot moved, and the order of names changes nothing.",
    checkedBy: [
      ...at(TRIALS, "function inv14("),
      ...at(EVENTS, "the base of a haircut is not the profit before the event"),
      ...at("test/Deleverage.ts", "does not depend on the order of the accounts (INV-14)"),
    ],
  },
  {
    id: "INV-15",
    what: "A forced sale never lowers equity for maintenance, its penalty included.",
    checkedBy: [
      ...at(WATERFALL, "function inv15("),
      ...at(EVENTS, "a forced sale lowered the margin ratio"),
      ...at("test/LiquidationRandom.ts", "never lower equity / maintenance"),
    ],
  },
  {
    id: "INV-16",
    what: "Whoever is below maintenance at mark and index can be resolved by bounded calls.",
    checkedBy: [
      ...at(ENDINGS, "function inv16("),
      ...at("test/attacks/emptyfund.test.ts", "never makes a step of the waterfall revert"),
    ],
  },
  {
    id: "INV-17",
    what: "A block's mark does not depend on what the block does to the book.",
    checkedBy: [
      ...at(CHANGES, "function inv17("),
      ...at("test/Prices.ts", "and not by what the block does later (INV-17)"),
    ],
  },
  {
    id: "INV-18",
    what: "Accounts that trade among themselves have at most what they brought and what the fund paid.",
    checkedBy: [
      ...at(LASTING, "function a14("),
      ...at(COALITION, "test_A14_insideTheEnvelopeACoalitionGainsNothing"),
      ...at(
        "test/attacks/closed.test.ts",
        "never have more than was paid in while keepers keep up",
      ),
      ...at("test/attacks/closed.test.ts", "have at most what the fund paid and the market owes"),
    ],
  },
];
