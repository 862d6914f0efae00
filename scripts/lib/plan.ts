import type { Struct, StructName } from "./layout.js";
import { decode, entrySlot, isZero, slotsOf } from "./words.js";

/** Reads words at slots, all of the same block. */
export type WordReader = (slots: readonly bigint[]) => Promise<bigint[]>;

export type Entries<Value> = {
  /** The mapping's own slot. */
  readonly base: bigint;
  readonly keys: Iterable<number>;
  /** Gets the entries that are not zero. */
  readonly into: Map<number, Value>;
};

/** Slots to read in one go, and where their words belong. */
export type ReadPlan = {
  struct<Name extends StructName>(
    name: Name,
    slot: bigint,
    take: (value: Struct<Name>) => void,
  ): void;
  word(slot: bigint, take: (word: bigint) => void): void;
  structs<Name extends StructName>(name: Name, entries: Entries<Struct<Name>>): void;
  words(entries: Entries<bigint>): void;
  run(read: WordReader): Promise<void>;
};

export function createPlan(): ReadPlan {
  const slots: bigint[] = [];
  const takes: ((words: readonly bigint[]) => void)[] = [];

  const struct: ReadPlan["struct"] = (name, slot, take) => {
    const first = slots.length;
    const count = slotsOf(name);
    for (let i = 0; i < count; i++) slots.push(slot + BigInt(i));
    takes.push((words) => take(decode(name, words.slice(first, first + count))));
  };
  const word: ReadPlan["word"] = (slot, take) => {
    const place = slots.push(slot) - 1;
    takes.push((words) => take(words[place] ?? 0n));
  };
  return {
    struct,
    word,
    structs(name, { base, keys, into }) {
      for (const key of keys) {
        struct(name, entrySlot(base, BigInt(key)), (value) => {
          if (!isZero(value)) into.set(key, value);
        });
      }
    },
    words({ base, keys, into }) {
      for (const key of keys) {
        word(entrySlot(base, BigInt(key)), (value) => {
          if (value !== 0n) into.set(key, value);
        });
      }
    },
    async run(read) {
      const words = slots.length > 0 ? await read(slots) : [];
      for (const take of takes) take(words);
    },
  };
}
