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
    file: "libraries/Positions.sol",
    line: "if (againstMark > amount) amount = againstMark;",
    what: "> → >=",
    because: "Where the two are equal, the assignment stores what is there already.",
  },
];
