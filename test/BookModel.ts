export const LONG = 0n;
export const SHORT = 1n;
export const LONG_AGO = 1n;
const ANY_SLOT = 255n;

export type Placing = {
  readonly account: bigint;
  readonly side: bigint;
  readonly tick: bigint;
  readonly lots: bigint;
  readonly expiry?: bigint;
  readonly isReduceOnly?: boolean;
  readonly slot?: bigint;
};

export function newOrder({ expiry = 0n, isReduceOnly = false, slot = ANY_SLOT, ...rest }: Placing) {
  return { ...rest, expiry, isReduceOnly, slot };
}

export function idOf(account: bigint, slot: bigint): bigint {
  return account * 256n + slot;
}

/** An order as the model knows it: who it is, and whether it is still in a queue or still reserved. */
export type Known = Required<Omit<Placing, "slot" | "lots">> & {
  readonly id: bigint;
  lots: bigint;
  isLinked: boolean;
  isReserved: boolean;
};

/**
 * The book as plain lists: one array of orders in the order of their arrival. Every rule is a filter over it.
 */
export class NaiveBook {
  orders: Known[] = [];
  now = LONG_AGO;

  levels(): { side: bigint; tick: bigint }[] {
    const linked = this.orders.filter(({ isLinked }) => isLinked);
    const keys = new Set(linked.map(({ side, tick }) => `${side}:${tick}`));
    return [...keys].map((key) => {
      const [side = "", tick = ""] = key.split(":");
      return { side: BigInt(side), tick: BigInt(tick) };
    });
  }

  queue(side: bigint, tick: bigint): Known[] {
    return this.orders.filter((o) => o.isLinked && o.side === side && o.tick === tick);
  }

  best(side: bigint): bigint {
    const ticks = this.levels()
      .filter((level) => level.side === side)
      .map(({ tick }) => tick)
      .sort((a, b) => (a < b ? -1 : 1));
    return (side === LONG ? ticks.at(-1) : ticks[0]) ?? 0n;
  }

  /** The lowest slot that no order of the account has. */
  freeSlot(account: bigint): bigint {
    const taken = new Set(this.of(account).map(({ id }) => id));
    for (let slot = 0n; ; slot++) if (!taken.has(idOf(account, slot))) return slot;
  }

  of(account: bigint): Known[] {
    return this.orders.filter((o) => o.account === account);
  }

  reserved(account: bigint, side: bigint): bigint {
    return this.of(account)
      .filter((o) => o.side === side && o.isReserved && !o.isReduceOnly)
      .reduce((total, { lots }) => total + lots, 0n);
  }

  append(placing: Placing): Known {
    const { account, slot = this.freeSlot(account) } = placing;
    const marks = { id: idOf(account, slot), isLinked: true, isReserved: true };
    const known = { ...newOrder(placing), ...marks };
    this.orders.push(known);
    return known;
  }

  drop(gone: (order: Known) => boolean): void {
    this.orders = this.orders.filter((order) => !gone(order));
  }

  killLevel(side: bigint, tick: bigint): void {
    for (const order of this.queue(side, tick)) order.isLinked = false;
  }

  killSide(account: bigint, side: bigint): void {
    for (const order of this.of(account)) if (order.side === side) order.isReserved = false;
  }

  touch(account: bigint): void {
    this.drop((o) => o.account === account && (!o.isLinked || !o.isReserved));
  }

  isExpired({ expiry }: Known): boolean {
    return expiry !== 0n && expiry <= this.now;
  }

  /** Whole levels in front of the edge, then dead and expired orders, as far as the first live one. */
  sweep(side: bigint, limit: bigint, edge: bigint, maxSteps: bigint): bigint {
    for (let steps = 0n; ; steps++) {
      const tick = this.best(side);
      if (steps === maxSteps || !isReached(side, tick, limit)) return steps;
      const first = this.queue(side, tick)[0];
      if (isInFront(side, tick, edge)) this.killLevel(side, tick);
      else if (first !== undefined && (!first.isReserved || this.isExpired(first))) {
        this.drop(({ id }) => id === first.id);
      } else return steps;
    }
  }
}

/** Whether an order at `limit` on the other side meets a level of `side` at `tick`; 0 is no level. */
export function isReached(side: bigint, tick: bigint, limit: bigint): boolean {
  if (tick === 0n) return false;
  return side === LONG ? tick >= limit : tick <= limit;
}

export function isInFront(side: bigint, tick: bigint, other: bigint): boolean {
  return side === LONG ? tick > other : tick < other;
}
