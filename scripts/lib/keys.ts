/* Ids and keys as contracts/types/Keys.sol puts them together. All fit a double exactly. */

/** 0 long and bid, 1 short and ask: the index in Solidity. */
export type SideIndex = 0 | 1;

export const LONG: SideIndex = 0;
export const SHORT: SideIndex = 1;

export const FUND = 1;
export const TREASURY = 2;
export const DUST = 3;
export const HOUSE: readonly number[] = [FUND, TREASURY, DUST];
/** The first id that a user can get. */
export const FIRST_ACCOUNT = 10;

/** Bits of BookSlot.status. */
export const STATUS = {
  listed: 1n,
  reduceOnly: 2n,
  event: 4n,
  windingDown: 8n,
  drawdown: 16n,
  ended: 32n,
} as const;

/** Quote of one micro unit. */
export const MICRO = 10n ** 12n;

export const LEVERAGES: readonly bigint[] = [1n, 2n, 3n, 5n, 10n, 20n, 50n, 100n];
/** The first of the leverage classes that have a cap of their own. */
export const TOP_CLASS = 5;

export function opposite(side: SideIndex): SideIndex {
  return side === LONG ? SHORT : LONG;
}

/** +1 for long, −1 for short. */
export function signOf(side: SideIndex): bigint {
  return side === LONG ? 1n : -1n;
}

export function sideOf(value: bigint | number): SideIndex {
  return BigInt(value) === 0n ? LONG : SHORT;
}

export function orderId(account: number, slot: number): number {
  return account * 2 ** 8 + slot;
}

export function accountOfOrder(id: number): number {
  return Math.floor(id / 2 ** 8);
}

export function slotOfOrder(id: number): number {
  return id % 2 ** 8;
}

export function sideOfFlags(flags: bigint): SideIndex {
  return sideOf(flags & 1n);
}

export function isReduceOnly(flags: bigint): boolean {
  return (flags & 2n) !== 0n;
}

export function levelKey(side: SideIndex, tick: number): number {
  return side * 2 ** 24 + tick;
}

export function sideOfLevel(key: number): SideIndex {
  return key >= 2 ** 24 ? SHORT : LONG;
}

export function tickOfLevel(key: number): number {
  return key % 2 ** 24;
}

export type CohortName = {
  readonly side: SideIndex;
  readonly leverage: number;
  readonly priceClass: number;
};

export function cohortKey({ side, leverage, priceClass }: CohortName): number {
  return side * 2 ** 15 + leverage * 2 ** 12 + priceClass;
}

export function cohortName(key: number): CohortName {
  return {
    side: key >= 2 ** 15 ? SHORT : LONG,
    leverage: Math.floor(key / 2 ** 12) % 8,
    priceClass: key % 2 ** 12,
  };
}

export function checkpointKey(cohort: number, number: number): number {
  return cohort * 2 ** 24 + number;
}

export function classKey(side: SideIndex, priceClass: number): number {
  return side * 2 ** 12 + priceClass;
}

export function sideOfKind(kind: bigint): SideIndex {
  return sideOf(kind & 1n);
}

export function leverageOfKind(kind: bigint): number {
  return Number(kind >> 1n);
}

/** Key of the cohort that a position is in. */
export function cohortOfPosition(position: {
  readonly kind: bigint;
  readonly entry: bigint;
}): number {
  const side = sideOfKind(position.kind);
  const priceClass = priceClassOf(position.entry);
  return cohortKey({ side, leverage: leverageOfKind(position.kind), priceClass });
}

/** Exponent and six leading mantissa bits of an average entry in ticks · 2^16. */
export function priceClassOf(entry: bigint): number {
  const exponent = BigInt(entry.toString(2).length - 1);
  return Number(64n * exponent + ((entry * 64n) >> exponent) - 64n);
}
