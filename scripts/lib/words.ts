import { keccak256 } from "ethers";
import { placesOf, STRUCTS } from "./layout.js";
import type { Place, Struct, StructName } from "./layout.js";

/* Storage words: decoding, encoding, and the slots of mapping entries. */

type Codec = { readonly places: readonly Place[]; readonly slots: number };

// Object.keys of a literal has exactly its keys.
const NAMES = Object.keys(STRUCTS) as StructName[];
const CODECS = new Map<StructName, Codec>(NAMES.map((name) => [name, codecOf(name)]));

/** How many slots a struct takes. */
export function slotsOf(name: StructName): number {
  return codec(name).slots;
}

/** @param words The struct's words, lowest slot first; a missing one counts as zero. */
export function decode<Name extends StructName>(
  name: Name,
  words: readonly bigint[],
): Struct<Name> {
  const decoded: Record<string, bigint> = {};
  for (const { field, slot, shift, bits, isSigned } of codec(name).places) {
    const raw = (words[slot] ?? 0n) >> shift;
    decoded[field] = isSigned
      ? BigInt.asIntN(Number(bits), raw)
      : BigInt.asUintN(Number(bits), raw);
  }
  // Filled from the same table that the type is made of.
  return decoded as Struct<Name>;
}

export function encode<Name extends StructName>(name: Name, value: Struct<Name>): bigint[] {
  const { places, slots } = codec(name);
  const words = new Array<bigint>(slots).fill(0n);
  const fields: Readonly<Record<string, bigint>> = value;
  for (const { field, slot, shift, bits } of places) {
    const raw = BigInt.asUintN(Number(bits), fields[field] ?? 0n);
    words[slot] = (words[slot] ?? 0n) | (raw << shift);
  }
  return words;
}

/** A struct whose words are all zero: what a mapping says of a key that was never written. */
export function zero<Name extends StructName>(name: Name): Struct<Name> {
  return decode(name, []);
}

export function isZero(value: Readonly<Record<string, bigint>>): boolean {
  for (const field in value) if (value[field] !== 0n) return false;
  return true;
}

export function toHex(word: bigint): string {
  return BigInt.asUintN(256, word).toString(16).padStart(64, "0");
}

const entrySlots = new Map<bigint, Map<bigint, bigint>>();

/** The slot of `mapping[key]`, where `base` is the mapping's own slot. Remembered, because hashing is what costs. */
export function entrySlot(base: bigint, key: bigint): bigint {
  let entries = entrySlots.get(base);
  if (entries === undefined) entrySlots.set(base, (entries = new Map<bigint, bigint>()));
  let slot = entries.get(key);
  if (slot === undefined) {
    slot = BigInt(keccak256(`0x${toHex(key)}${toHex(base)}`));
    entries.set(key, slot);
  }
  return slot;
}

function codec(name: StructName): Codec {
  return CODECS.get(name) ?? codecOf(name);
}

function codecOf(name: StructName): Codec {
  const places = placesOf(name);
  return { places, slots: (places.at(-1)?.slot ?? 0) + 1 };
}
