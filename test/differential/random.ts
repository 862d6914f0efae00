/* A seeded generator, so that every run can be repeated. */

export type Random = ReturnType<typeof createRandom>;

const WORD = 2n ** 64n;

export function createRandom(seed: bigint) {
  let state = seed % WORD;

  /** SplitMix64. */
  function word(): bigint {
    state = (state + 0x9e3779b97f4a7c15n) % WORD;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) % WORD;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) % WORD;
    return z ^ (z >> 31n);
  }

  /** Uniform in min..max, both included. */
  function between(min: bigint, max: bigint): bigint {
    const wide = word() * WORD + word();
    return min + (wide % (max - min + 1n));
  }

  return {
    between,
    /** True once in `n` times. */
    oneIn: (n: bigint) => between(1n, n) === 1n,
    /** As many bits as drawn, so that all orders of magnitude come up; at least 1. */
    magnitude: (bits: bigint) => {
      const size = between(1n, bits);
      return between(2n ** (size - 1n), 2n ** size - 1n);
    },
    pick: <Item>(items: readonly Item[]): Item => {
      const item = items[Number(between(0n, BigInt(items.length) - 1n))];
      if (item === undefined) throw new RangeError("nothing to pick from");
      return item;
    },
  };
}
