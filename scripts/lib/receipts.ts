import type { EventNamed } from "./events.js";
import { min, sum } from "./units.js";
import type { SideIndex } from "./keys.js";
import { classOrder, guaranteedProfit, queueOrder, splitByWeight } from "./queue.js";
import type { Quote } from "./queue.js";

/*
 * What an event took from one side of a market, and what the same needs would have taken by any other pair of rules.
 * Receipts come from the log alone, see trace.ts.
 */

export type QuantityRule = "Front" | "ProRata";
export type DeficitRule = "Winners" | "Queue";
export type Rules = { readonly quantity: QuantityRule; readonly deficit: DeficitRule };

export const ALL_RULES: readonly Rules[] = (["Front", "ProRata"] as const).flatMap((quantity) =>
  (["Winners", "Queue"] as const).map((deficit) => ({ quantity, deficit })),
);

/** A side as the event found it. */
export type SideBefore = {
  readonly side: SideIndex;
  readonly quote: Quote;
  /** By price class; lots and U before any charge. */
  readonly classes: ReadonlyMap<number, { readonly lots: bigint; readonly haircut: bigint }>;
  /** Fresh profit, quote. */
  readonly fresh: bigint;
  /** By cohort key: lots before any cut. */
  readonly cohorts: ReadonlyMap<number, bigint>;
};

export type Need = {
  /** What the fund left of the deficit, quote. */
  readonly charge: bigint;
  /** To be closed in the queue. */
  readonly lots: bigint;
};

export type ClassCharge = { readonly priceClass: number; readonly amount: bigint };
export type Cut = { readonly cohort: number; readonly lots: bigint; readonly discount: bigint };

export type Taken = {
  /** Guaranteed and fresh profit; 0 where nobody asks for it. */
  readonly base: bigint;
  readonly charges: readonly ClassCharge[];
  readonly freshCharge: bigint;
  readonly cuts: readonly Cut[];
  /** Part of the charge that neither profit nor closed lots bear. */
  readonly uncovered: bigint;
};

export type Receipt = {
  readonly id: bigint;
  readonly market: number;
  readonly side: SideIndex;
  readonly receipt: EventNamed<"Deleveraged">["args"]["receipt"];
  readonly before: SideBefore;
  readonly haircuts: readonly EventNamed<"Haircut">["args"][];
  readonly principals: readonly EventNamed<"PrincipalCharged">["args"][];
  readonly freshCharge: bigint;
  readonly cuts: readonly Cut[];
};

/** What a pair of rules takes from a side. Pure; the same in, the same out. */
export function takeByRules(before: SideBefore, need: Need, rules: Rules): Taken {
  const order = queueOrder(before.quote, before.cohorts.keys());
  const sizes = order.map((cohort) => before.cohorts.get(cohort) ?? 0n);
  const lots =
    rules.quantity === "ProRata" ? splitByWeight(need.lots, sizes) : takeInOrder(need.lots, sizes);
  const isQueue = rules.deficit === "Queue" && need.lots > 0n;
  const discounts = isQueue ? splitByWeight(need.charge, lots) : lots.map(() => 0n);
  const cuts = order
    .map((cohort, i) => ({ cohort, lots: lots[i] ?? 0n, discount: discounts[i] ?? 0n }))
    .filter((cut) => cut.lots > 0n);
  if (rules.deficit === "Queue") {
    const uncovered = need.charge - sum(discounts);
    return { base: 0n, charges: [], freshCharge: 0n, cuts, uncovered };
  }
  return { ...chargeProfit(before, need.charge), cuts };
}

/** Guaranteed profit of every class that has some, in rank order. */
export function profitsOf({ side, quote, classes }: SideBefore): ClassCharge[] {
  return classOrder(side, classes.keys())
    .map((priceClass) => {
      const { lots, haircut } = classes.get(priceClass) ?? { lots: 0n, haircut: 0n };
      return { priceClass, amount: guaranteedProfit(quote, side, { priceClass, lots, haircut }) };
    })
    .filter(({ amount }) => amount > 0n);
}

function chargeProfit(before: SideBefore, charge: bigint): Omit<Taken, "cuts"> {
  const profits = profitsOf(before);
  const weights = [...profits.map(({ amount }) => amount), before.fresh];
  const base = sum(weights);
  const taken = min(charge, base);
  const shares = splitByWeight(taken, weights);
  const charges = profits.map(({ priceClass }, i) => ({ priceClass, amount: shares[i] ?? 0n }));
  return { base, charges, freshCharge: shares.at(-1) ?? 0n, uncovered: charge - taken };
}

function takeInOrder(lots: bigint, sizes: readonly bigint[]): bigint[] {
  let left = lots;
  return sizes.map((size) => {
    const part = min(left, size);
    left -= part;
    return part;
  });
}
