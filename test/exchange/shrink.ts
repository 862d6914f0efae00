/*
 * The least that still fails: parts are left out, large ones first, as long as what is left fails. Commands are relative to what they
 * find, so that others stay sensible when some before them are gone.
 */

export type Limits = {
  /** Milliseconds since the epoch. */
  readonly until: number;
};

export async function shrink<Item>(
  items: readonly Item[],
  isFailing: (items: readonly Item[]) => Promise<boolean>,
  { until }: Limits,
): Promise<readonly Item[]> {
  let least = items;
  for (let size = Math.ceil(items.length / 2); size > 0; size = Math.floor(size / 2)) {
    // From the end on, because what comes last seldom matters for what comes before.
    for (let from = least.length - size; from > -size; from -= size) {
      if (Date.now() >= until) return least;
      const without = [...least.slice(0, Math.max(from, 0)), ...least.slice(from + size)];
      if (without.length < least.length && (await isFailing(without))) least = without;
    }
  }
  return least;
}
