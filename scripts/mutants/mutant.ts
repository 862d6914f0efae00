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
