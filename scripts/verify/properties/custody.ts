import type { Property } from "./property.js";
import {
  at,
  CHANGES,
  COALITION,
  EVENTS,
  FLOWS,
  LASTING,
  MODEL,
  MONEY,
  SAME_STATE,
  TIME,
  WATERFALL,
} from "./property.js";

/* A: whose money is where. */

export const CUSTODY: readonly Property[] = [
  {
    id: "A1",
    what: "The vault has at least what it tracks and what waits in its queue.",
    checkedBy: [
      ...at(LASTING, "function a1("),
      ...at(MONEY, "the vault holds less than it should"),
    ],
    because:
      "An account may owe without a position when a haircut took its fresh profit; the fund pays for it.",
  },
  {
    id: "A2",
    what: "What is tracked and what nobody could pay is exactly what is owed, roundings booked.",
    checkedBy: [
      ...at(LASTING, "function inv1("),
      ...at(MONEY, "tracked tokens and shortfalls are not what is owed"),
      ...at(MODEL, SAME_STATE),
    ],
  },
  {
    id: "A3",
    what: "Tokens given to any contract change no equity, no share and no figure of the fund.",
    checkedBy: [
      ...at("test/attacks/money.test.ts", "change no account, no share and no figure of the fund"),
      ...at("test/attacks/tokens.test.ts", "may be given to vault, fund and exchange"),
      ...at("contracts/test/invariants/Handlers.t.sol", "function donateAny("),
    ],
  },
  {
    id: "A4",
    what: "Signed sizes of a market add up to nothing.",
    checkedBy: [...at(LASTING, "INV-2: sides"), ...at(MONEY, "long and short lots differ")],
  },
  {
    id: "A5",
    what: "Open interest is the longs and the shorts, added up anew from cohorts and from accounts.",
    checkedBy: [
      ...at(LASTING, "A5: accounts hold more", "A5: accounts hold less", "INV-2: long"),
      ...at(MONEY, "long lots are not the open interest"),
    ],
  },
  {
    id: "A6",
    what: "Moves of the price take from one side what they give the other, roundings left inside.",
    checkedBy: [
      ...at(TIME, "function a6("),
      ...at(CHANGES, "function inv3("),
      ...at("scripts/verify/lemmas/SignedMathLemmas.sol", "function ceilOfMinusIsMinusFloor("),
    ],
  },
  {
    id: "A7",
    what: "Funding that one side pays is what the other receives, roundings left inside.",
    checkedBy: [
      ...at(TIME, "function a6("),
      ...at("test/Cohorts.ts", "pay and receive funding alike, however much of each was cut"),
      ...at("contracts/test/CohortMath.t.sol", "testFuzz_bothSidesOfATradeMeet"),
    ],
  },
  {
    id: "A8",
    what: "No fee is below zero, and what fills were charged is what the pots received.",
    checkedBy: [
      ...at(CHANGES, "function a8("),
      ...at(FLOWS, "a market's fees are not those of its fills"),
      ...at("test/attacks/money.test.ts", "cannot be written as ${field}, nor one above its bound"),
    ],
    because: "There are no rebates.",
  },
  {
    id: "A9",
    what: "Who pays in and takes all out has what was paid in, to the unit.",
    checkedBy: [
      ...at(LASTING, "function a13("),
      ...at("test/Accounts.ts", "gives a flat account everything back, to the last unit"),
    ],
  },
  {
    id: "A10",
    what: "Many small operations bring their user no more than one large one.",
    checkedBy: [
      ...at("test/properties/parts.test.ts", "bring no more by fills, whoever is the taker (A10)"),
      ...at("test/properties/parts.test.ts", "bring no more by closing (A10)"),
      ...at("test/properties/parts.test.ts", "bring no more by paying in and taking out (A10)"),
      ...at(
        "test/properties/parts.test.ts",
        "bring no more by touching what funding accrues on (A10)",
      ),
      ...at("test/properties/parts.test.ts", "by selling one bid at a time (A10)"),
    ],
    because: "Who is above maintenance again after a part of a forced sale is not sold further.",
  },
  {
    id: "A11",
    what: "A call changes what is stored of its accounts, of those whom it meets, and listed totals.",
    checkedBy: [
      ...at("test/properties/frames.test.ts", "of those whom it meets, and what is listed (A11)"),
      ...at("scripts/lib/auditor.ts", "compareStates(auditor.rebuild.state, after)"),
    ],
    missing: "Functions of roles, those with a permit or a signature, and `continueEvent`.",
  },
  {
    id: "A12",
    what: "At unchanged prices nobody loses by a call that neither filled, sold nor named him.",
    checkedBy: [
      ...at(CHANGES, "function inv6("),
      ...at(FLOWS, "an account lost by what others did"),
    ],
  },
  {
    id: "A13",
    what: "An account without position and order loses no wei by what others do.",
    checkedBy: [...at(LASTING, "function a13("), ...at(WATERFALL, "function a13Event(")],
  },
  {
    id: "A14",
    what: "Who owns a market among his accounts gains nothing in small steps, over a gap what the fund paid.",
    checkedBy: [
      ...at(LASTING, "function a14("),
      ...at(COALITION, "test_A14_insideTheEnvelopeACoalitionGainsNothing"),
      ...at(WATERFALL, "INV-18: profit left"),
      ...at(
        "test/attacks/closed.test.ts",
        "never have more than was paid in while keepers keep up",
      ),
      ...at("test/attacks/oracle.test.ts", "sees one price: what pays over two blocks"),
    ],
    because: "With 2 to 16 accounts, and steps of a tenth to a fifth of a percent.",
    missing:
      "The whole move that a listing states: where the first bracket has 50 times it brings something (H12).",
  },
  {
    id: "A15",
    what: "Profit on paper and fresh profit cannot be taken out.",
    checkedBy: [
      ...at(LASTING, "function a15("),
      ...at("test/Accounts.ts", "never pays out unrealised or fresh profit"),
    ],
  },
  {
    id: "A16",
    what: "What the system owes rises only by tokens that came.",
    checkedBy: [
      ...at(LASTING, "function inv1("),
      ...at(FLOWS, "tracked tokens changed by something else than deposits and withdrawals"),
      ...at(EVENTS, "a deficit is not what was paid for it"),
    ],
  },
];
