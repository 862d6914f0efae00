/*
 * Mutants that change bytecode and nothing that anyone can observe, each with the reason. They do not count for the score.
 */

export type Equivalent = {
  /** Below contracts/. */
  readonly file: string;
  /** The line, without the blanks around it. */
  readonly line: string;
  /** As `npm run mutation -- --list` says it. */
  readonly what: string;
  /** Why nobody can tell. */
  readonly because: string;
};

export const EQUIVALENT: readonly Equivalent[] = [
  {
    file: "libraries/Accounts.sol",
    line: "if ((markets >> id) & 1 != 0) settleMarket(s, account, id);",
    what: "& → |",
    because:
      "In a market that an account is not in, touch, settle and store find no order, no position, no fresh profit and nothing to store.",
  },
  {
    file: "libraries/Cohorts.sol",
    line: "h.storedLots = h.lots;",
    what: "h.storedLots = h.lots; → nothing",
    because: "No handle is saved twice: Positions.place ends with it, or loads another one.",
  },
  {
    file: "libraries/Deleverage.sol",
    line: "isReduceOnly: false",
    what: "false → true",
    because: "Matching.prepare returns before it looks at this, because the taker is 0.",
  },
  {
    file: "libraries/Deleverage.sol",
    line: "ev.markets = 1 << uint256(marketId);",
    what: "1 → (1 - 1)",
    because:
      "A preview has one market, and its set of markets is only asked how many stand before it: none, in the empty set too.",
  },
  {
    file: "libraries/Distress.sol",
    line: "return clock == 0 ? 0 : block.timestamp.zeroFloorSub(clock.max(freshSince));",
    what: "0 → (0 + 1)",
    because:
      "Both callers have a clock that runs, `hasRunOut` by its first line and `begin` by `startClock`, and none started in second 1.",
  },
  {
    file: "libraries/HealthMath.sol",
    line: "copy.prudent = h.prudent;",
    what: "copy.prudent = h.prudent; → nothing",
    because:
      "What is copied is asked for equity and maintenance alone: by isNotPoorer and isNotPoorerAtPending, isAtTarget and lotsToTarget.",
  },
  {
    file: "libraries/Positions.sol",
    line: "if (againstMark > amount) amount = againstMark;",
    what: "> → >=",
    because: "Where the two are equal, the assignment stores what is there already.",
  },
  {
    file: "libraries/Prices.sol",
    line: "if (publishTime == 0) return Grade.Dead;",
    what: "0 → (0 + 1)",
    because: "What was published in the first two seconds of 1970 is dead by its age too.",
  },
  {
    file: "oracle/IndexOracle.sol",
    line: "if (!isAnswered || answer.length < ANSWER_BYTES) return (quote, 0);",
    what: "0 → (0 + 1)",
    because: "A quote whose price is 0 is left out before anyone looks at its confidence.",
  },
];
