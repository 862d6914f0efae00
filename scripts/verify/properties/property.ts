/* What a property says of itself. */

/** A place where something is checked, and words that stand there. */
type CheckedAt = { readonly file: string; readonly says: string };

export type Property = {
  readonly id: string;
  /** One sentence that holds. */
  readonly what: string;
  readonly checkedBy: readonly CheckedAt[];
  /** In what this design differs, or why the property does not apply to it. */
  readonly because?: string;
  /** What of it no machine checks. */
  readonly missing?: string;
};

/** Words of one file. */
export function at(file: string, ...says: readonly string[]): CheckedAt[] {
  return says.map((each) => ({ file, says: each }));
}

/* Files that many properties are checked in. */
const RUNS = "contracts/test/invariants";
const AUDIT = "scripts/lib/audit";
export const LASTING = `${RUNS}/Lasting.t.sol`;
export const CHANGES = `${RUNS}/Changes.t.sol`;
export const WATERFALL = `${RUNS}/Waterfall.t.sol`;
export const TIME = `${RUNS}/Time.t.sol`;
export const TRIALS = `${RUNS}/Trials.t.sol`;
export const ENDINGS = `${RUNS}/Endings.t.sol`;
export const INSPECTOR = `${RUNS}/Inspector.sol`;
export const COALITION = `${RUNS}/Coalition.t.sol`;
export const CALLS = `${RUNS}/Calls.t.sol`;
export const MONEY = `${AUDIT}/money.ts`;
export const FLOWS = `${AUDIT}/flows.ts`;
export const FILLS = `${AUDIT}/fills.ts`;
export const BUDGETS = `${AUDIT}/budgets.ts`;
export const BOOK = `${AUDIT}/book.ts`;
export const POOLS = `${AUDIT}/pools.ts`;
export const UNSETTLED = `${AUDIT}/unsettled.ts`;
export const EVENTS = `${AUDIT}/waterfall.ts`;
export const MODEL = "test/exchange/differential.test.ts";
/** The title of the runs against the reference model. */
export const SAME_STATE = "has the same state after every command";
