/** How long work that failed rests, in seconds of the chain: 1, 2, 4 … times `first`, at most `longest`. */
export type BackoffLimits = { readonly first: bigint; readonly longest: bigint };

export type Backoff = {
  readonly failed: (key: string, now: bigint) => void;
  readonly succeeded: (key: string) => void;
  /** For `Snapshot.notBefore`. */
  readonly notBefore: () => ReadonlyMap<string, bigint>;
};

/** Remembers failures between ticks. A restart forgets them, which costs a few simulations. */
export function createBackoff(limits: BackoffLimits): Backoff {
  const failures = new Map<string, number>();
  const times = new Map<string, bigint>();
  return {
    failed(key, now) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      times.set(key, now + pause(count, limits));
    },
    succeeded(key) {
      failures.delete(key);
      times.delete(key);
    },
    notBefore: () => times,
  };
}

/** Seconds to rest after `count` earlier failures. */
export function pause(count: number, { first, longest }: BackoffLimits): bigint {
  const doublings = Math.min(count, 32);
  const wanted = first << BigInt(doublings);
  return wanted < longest ? wanted : longest;
}
