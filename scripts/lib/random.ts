/** Seeded randomness: the same seed gives the same numbers on every machine. */

import { uniformBigInt } from "pure-rand/distribution/uniformBigInt";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { skipN } from "pure-rand/utils/skipN";
import type { JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator";

export type Random = {
  /** In [0, 1). */
  readonly uniform: () => number;
  /** In [from, to], both ends included. */
  readonly between: (from: bigint, to: bigint) => bigint;
  /** Mean 0, deviation 1. */
  readonly normal: () => number;
  /** One of the indexes of `weights`, each as likely as its share of their sum. */
  readonly pick: (weights: readonly number[]) => number;
  /** An independent sequence: what it is asked for does not change what this one answers later. */
  readonly fork: () => Random;
};

/** The generator's state is mostly zeros or ones after a small seed, and so are its first numbers. */
const WARM_UP = 64;

/** @param seed Any 32-bit integer. */
export function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  skipN(generator, WARM_UP);
  return wrap(generator);
}

function wrap(generator: JumpableRandomGenerator): Random {
  const uniform = (): number => uniformFloat64(generator);

  return {
    uniform,
    between: (from, to) => uniformBigInt(generator, from, to),
    normal: () => normal(uniform),
    pick: (weights) => pick(weights, uniform()),
    fork: () => {
      const child = generator.clone();
      // The child keeps this place; this one jumps 2^64 numbers ahead, so the two never meet.
      generator.jump();
      return wrap(child);
    },
  };
}

/** Marsaglia's polar method: exact, and its only inexact functions are log and sqrt. */
function normal(uniform: () => number): number {
  for (;;) {
    const x = 2 * uniform() - 1;
    const y = 2 * uniform() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
  }
}

function pick(weights: readonly number[], uniform: number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let left = uniform * total;
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return index;
  }
  return weights.length - 1;
}
