/** A deliberate mistake, written down by hand. */
export type Mutant = {
  readonly id: string;
  /** Below contracts/. */
  readonly file: string;
  readonly what: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
  /** The test file that fails. */
  readonly test: string;
};

/** A piece of a source to be replaced by another text. */
export type Change = {
  /** Below contracts/. */
  readonly file: string;
  /** Characters from the start of the file. */
  readonly from: number;
  readonly until: number;
  readonly to: string;
};

/** A mistake that others made, put into our contracts. */
export type Planted = {
  readonly id: string;
  /** What it is taken from: a case below, or "edge" for one that is off by one. */
  readonly from: string;
  /** Below contracts/; "scripts/…" for what deploys them. */
  readonly file: string;
  readonly what: string;
  /** Stands in the file exactly once. */
  readonly text: string;
  readonly planted: string;
  /** The test files that look there, the one that is to find it first. */
  readonly tests: readonly string[];
};
