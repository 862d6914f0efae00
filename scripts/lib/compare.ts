import type { State } from "./state.js";

/* Two states of the exchange, field by field: what the events say against what storage says. */

export type Difference = {
  /** Where, as in `markets.0.positions.12.lots`. */
  readonly path: string;
  readonly rebuilt: bigint;
  readonly read: bigint;
};

/**
 * What events do not say, on purpose. An event that waits is known once it is finished. Which kills an account has seen is a
 * cache of its last touch; so is a market that it is no longer in, until it is touched there (audit/bits.ts checks the rest).
 */
const UNKNOWN = /^markets\.\d+\.(pending\.|resting\.\d+\.killsSeen$)|^accounts\.\d+\.markets$/;
const CHECKPOINT = /^markets\.(\d+)\.checkpoints\.(\d+)\./;

export function compareStates(rebuilt: State, read: State): Difference[] {
  const differences: Difference[] = [];
  compare(differences, "", [rebuilt, read]);
  return differences.filter(({ path }) => !UNKNOWN.test(path) && !isUnread(path, read));
}

export function describeDifference({ path, rebuilt, read }: Difference): string {
  return `${path}: events say ${rebuilt}, storage says ${read}`;
}

/** Only those checkpoints are read that a member may need. */
function isUnread(path: string, read: State): boolean {
  const [, market, key] = CHECKPOINT.exec(path) ?? [];
  if (market === undefined) return false;
  return read.markets.get(Number(market))?.checkpoints.has(Number(key)) === false;
}

/** A word that one side does not have is zero. */
function compare(
  into: Difference[],
  path: string,
  [rebuilt, read]: readonly [unknown, unknown],
): void {
  if (typeof rebuilt === "bigint" || typeof read === "bigint") {
    const pair = { rebuilt: numberIn(rebuilt), read: numberIn(read) };
    if (pair.rebuilt !== pair.read) into.push({ path, ...pair });
    return;
  }
  const [left, right] = [entriesOf(rebuilt), entriesOf(read)];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const pair = [left.get(key), right.get(key)] as const;
    if (pair[0] === pair[1]) continue;
    compare(into, path === "" ? String(key) : `${path}.${String(key)}`, pair);
  }
}

function entriesOf(value: unknown): ReadonlyMap<unknown, unknown> {
  if (value instanceof Map) return value;
  return new Map<unknown, unknown>(Object.entries(value ?? {}));
}

function numberIn(value: unknown): bigint {
  return typeof value === "bigint" ? value : 0n;
}
