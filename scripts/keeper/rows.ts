/*
 * A lens page decoded word by word. Its rows are structs of static fields, so that each is as many words as it has fields;
 * the general decoder takes seconds for the ten thousand accounts that one round reads.
 */

const WORD = 64;
const SIGN = 1n << 255n;
const MODULUS = 1n << 256n;

/** Splits what a function that returns one array of static structs answered. */
export function decodeRows(result: string, fields: number): bigint[][] {
  const words = result.slice("0x".length);
  const start = (Number(wordAt(words, 0)) / 32) * WORD;
  const count = Number(wordAt(words, start));
  const needed = start + WORD + count * fields * WORD;
  if (words.length < needed) throw new RangeError(`${count} rows do not fit`);
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: fields }, (_field, i) =>
      wordAt(words, start + WORD + (row * fields + i) * WORD),
    ),
  );
}

/** A word as a signed number. */
export function signed(word: bigint): bigint {
  return word >= SIGN ? word - MODULUS : word;
}

function wordAt(words: string, position: number): bigint {
  return BigInt(`0x${words.slice(position, position + WORD)}`);
}
