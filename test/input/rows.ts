import type { ParamType } from "ethers";
import { ZeroAddress, ZeroHash } from "ethers";

/*
 * Bad input: what each argument may be at its boundaries, by its type and by what it names. The matrix makes the product of these
 * with every caller; nothing here says which calls exist.
 */

/** Who and what there is to name. */
export type Named = {
  readonly account: number;
  /** Of the same owner. */
  readonly second: number;
  /** Of somebody else. */
  readonly other: number;
  readonly owner: string;
  readonly contract: string;
  /** What fields of structs are when they are fine. */
  readonly plain: Readonly<Record<string, unknown>>;
};

/** Arguments beyond what a call takes at most. */
const TOO_LONG = 201;
const UNKNOWN_ACCOUNT = 999_999;
const UNKNOWN_MARKET = 47;

/** What an argument of this type is at its boundaries. The first is the plainest. */
function boundariesOf(param: ParamType, named: Named): unknown[] {
  const { name, baseType, type } = param;
  const members = ENUMS[name];
  if (members !== undefined && type === "uint8") {
    return Array.from({ length: members }, (_, i) => i);
  }
  if (baseType === "array") return arraysOf(param, named);
  if (baseType === "tuple") return tuplesOf(param, named);
  if (baseType === "address") return [named.owner, ZeroAddress, named.contract];
  if (baseType === "bool") return [false, true];
  if (baseType === "string") return ["", "x".repeat(100)];
  if (baseType === "bytes") return ["0x", "0xdeadbeef", `0x${"00".repeat(65)}`];
  if (baseType.startsWith("bytes")) return [ZeroHash, `0x${"ff".repeat(32)}`];
  if (isAccount(name, type))
    return [named.account, named.second, named.other, 0, 1, 2, 3, 4, UNKNOWN_ACCOUNT];
  if (isMarket(name, type)) return [0, 1, 2, UNKNOWN_MARKET, 65_535];
  return numbersOf(type);
}

/** 0, 1, and the largest of the type; 2 to the 128th and its neighbours where they fit. */
function numbersOf(type: string): bigint[] {
  const bits = Number(/\d+$/.exec(type)?.[0] ?? 256);
  const largest = 2n ** BigInt(bits) - 1n;
  const middle = bits > 128 ? [2n ** 127n, 2n ** 128n] : [];
  return [1n, 0n, largest, ...middle];
}

function arraysOf({ arrayChildren }: ParamType, named: Named): unknown[][] {
  if (arrayChildren === null) throw new Error("an array has elements");
  const inner = boundariesOf(arrayChildren, named);
  const [first] = inner;
  return [...inner.map((each) => [each]), [], [first, first], Array<unknown>(TOO_LONG).fill(first)];
}

/** One field at a time leaves the plainest value; of what has a kind, of each kind. */
function tuplesOf({ components }: ParamType, named: Named): unknown[][] {
  const names = (components ?? []).map(({ name }) => name);
  const fields = (components ?? []).map((field) => valuesOfField(field, named));
  const kind = names.indexOf("kind");
  const plains = (kind < 0 ? [undefined] : (fields[kind] ?? [])).map((value) =>
    fields.map(([first], place) => (place === kind ? value : first)),
  );
  return plains.flatMap((plain) => [plain, ...variedFrom(plain, fields)]);
}

function variedFrom(plain: readonly unknown[], fields: readonly unknown[][]): unknown[][] {
  return fields.flatMap((values, place) =>
    values.slice(1).map((value) => plain.map((each, i) => (i === place ? value : each))),
  );
}

function valuesOfField(field: ParamType, named: Named): unknown[] {
  const values = boundariesOf(field, named);
  const plain = named.plain[field.name];
  return plain === undefined ? values : [plain, ...values];
}

/** How many members an enum has. The decoder checks it before any of our code runs: what is beyond is no input of ours. */
const ENUMS: Readonly<Record<string, number>> = {
  kind: 5,
  side: 2,
  loser: 2,
  timeInForce: 4,
  quantityRule: 2,
  deficitRule: 2,
};

function isAccount(name: string, type: string): boolean {
  return type === "uint32" && name !== "expiry";
}

function isMarket(name: string, type: string): boolean {
  return type === "uint16" && name === "market";
}

/**
 * Argument lists: the plainest one, each argument alone at each of its boundaries, and all of them together at the same place of
 * their lists.
 */
export function argumentsOf(params: readonly ParamType[], named: Named): unknown[][] {
  const values = params.map((param) => boundariesOf(param, named));
  const plain = values.map(([first]) => first);
  const alone = values.flatMap((each, place) =>
    each.slice(1).map((value) => plain.map((other, i) => (i === place ? value : other))),
  );
  const together = [1, 2].map((place) => values.map((each) => each[place % each.length]));
  const lists = [plain, ...alone, ...(params.length > 1 ? together : [])];
  const seen = new Map(lists.map((list) => [textOf(list), list]));
  return [...seen.values()];
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? `${each}` : each));
}
