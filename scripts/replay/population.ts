/**
 * Who holds what before the crash, and how each of them got there.
 *
 * Sizes are lognormal, leverages and entry prices are drawn from the scenario. Lots long equal lots short exactly. The
 * positions come from real trades at real entry prices: before the crash the index visits every entry price once, and
 * a dealer, flat before and after, takes the other side of every opening (see `planOpenings`).
 */

import { LEVERAGES, TOP_CLASS } from "../lib/keys.js";
import { createRandom } from "../lib/random.js";
import type { Random } from "../lib/random.js";
import { WHOLE, max, sum } from "../lib/units.js";
import { DEFAULT_TIERS, feeUp, initialMarginUp, maintenanceMarginUp } from "./margin.js";
import type { Tiers } from "./margin.js";
import { toTick } from "./path.js";
import type { Scale } from "./path.js";
import type { Scenario, SidePopulation } from "./scenario.js";

export type Side = "long" | "short";

export type Trader = {
  /** From 0, longs first. */
  readonly index: number;
  readonly side: Side;
  readonly leverage: number;
  readonly lots: bigint;
  /** Ticks. */
  readonly entry: bigint;
  /** A short that hedges spot or another market. */
  readonly isHedge: boolean;
  /** By size among its side, 1 smallest to 10 largest. */
  readonly decile: number;
  /** Paid in before the opening, quote. Enough for initial margin and fee at the entry price. */
  readonly deposit: bigint;
  /** Paid in before the crash by those who would otherwise be near liquidation at the first price, quote. */
  readonly topUp: bigint;
};

export type Stage = {
  /** The price of the market when the traders are made, 18 decimals. */
  readonly price: bigint;
  readonly scale: Scale;
  readonly tiers?: Tiers;
  /** What the top leverages of a side may hold together; whoever finds no room there takes the next lower one. */
  readonly topLots?: bigint;
  readonly seed: number;
};

/** A long opens while the index is up to a step above its entry price, and margin is asked for at the mark; ppm. */
const MARK_SLACK = 4_000n;
/** The maker's fee, and a little; ppm of notional. */
const FEE_SLACK = 200n;
/** No position is smaller, in settlement units: the exchange refuses dust. */
const LEAST_NOTIONAL = 20n * WHOLE;
const DECILES = 10;
/** Leverages from here on have a cap of their own. */
const TOP_LEVERAGE = Number(LEVERAGES[TOP_CLASS]);
const HIGHEST_BELOW_TOP = Number(LEVERAGES[TOP_CLASS - 1]);

export function createPopulation(scenario: Scenario["population"], stage: Stage): Trader[] {
  const random = createRandom(stage.seed);
  const lots = lotsOf(scenario.openInterest, stage);
  const longs = createSide("long", { scenario, lots, stage, random: random.fork(), first: 0 });
  const first = longs.length;
  return [
    ...longs,
    ...createSide("short", { scenario, lots, stage, random: random.fork(), first }),
  ];
}

function lotsOf(openInterest: bigint, { price, scale }: Stage): bigint {
  const ticks = price / scale.tick;
  return openInterest / (ticks * scale.unit);
}

type SidePlan = {
  readonly scenario: Scenario["population"];
  readonly lots: bigint;
  readonly stage: Stage;
  readonly random: Random;
  readonly first: number;
};

function createSide(side: Side, plan: SidePlan): Trader[] {
  const { scenario, stage, first } = plan;
  // Every property has its own sequence: more accounts do not change the leverages of the first ones.
  const [forSizes, forLeverages, forEntries, forHedges] = [0, 1, 2, 3].map(() =>
    plan.random.fork(),
  );
  if (!forSizes || !forLeverages || !forEntries || !forHedges) throw new Error("four sequences");

  const sizes = createSizes(plan, forSizes);
  const deciles = decilesOf(sizes);
  let room = stage.topLots;
  return sizes.map((lots, at) => {
    const options = scenario[side];
    let leverage = pickLeverage(options, forLeverages);
    if (room !== undefined && leverage >= TOP_LEVERAGE) {
      if (lots > room) leverage = HIGHEST_BELOW_TOP;
      else room -= lots;
    }
    const entry = pickEntry(options, stage, forEntries);
    const isHedge = isBelow(forHedges.uniform(), scenario.hedgeShare) && side === "short";
    const position = { side, lots, entry, leverage };
    const money = moneyOf(position, scenario.equityFloor, stage);
    return { index: first + at, ...position, isHedge, decile: deciles[at] ?? 1, ...money };
  });
}

/** Lognormal sizes that sum to the lots wanted. What rounding and the least size change, the largest account bears. */
function createSizes({ scenario, lots, stage }: SidePlan, random: Random): bigint[] {
  const sigma = toNumber(scenario.sizeSigma);
  const weights = Array.from({ length: scenario.accountsPerSide }, () =>
    Math.exp(sigma * random.normal()),
  );
  const total = weights.reduce((all, weight) => all + weight, 0);
  const ticks = stage.price / stage.scale.tick;
  const least = LEAST_NOTIONAL / (ticks * stage.scale.unit) + 1n;
  const sizes = weights.map((weight) => max(scaleBy(lots, weight / total), least));

  const largest = sizes.reduce((best, size, at) => (size > (sizes[best] ?? 0n) ? at : best), 0);
  const rest = lots - sum(sizes);
  const adjusted = (sizes[largest] ?? 0n) + rest;
  if (adjusted < least) {
    throw new RangeError(
      `open interest is too small for ${scenario.accountsPerSide} accounts a side`,
    );
  }
  return sizes.with(largest, adjusted);
}

/** `share` of `whole`, at a resolution of 2^-52. */
function scaleBy(whole: bigint, share: number): bigint {
  const resolution = 2 ** 52;
  return (whole * BigInt(Math.floor(share * resolution))) / BigInt(resolution);
}

function decilesOf(sizes: readonly bigint[]): number[] {
  const order = [...sizes.keys()].sort((a, b) => {
    const [x = 0n, y = 0n] = [sizes[a], sizes[b]];
    return x === y ? a - b : x < y ? -1 : 1;
  });
  const deciles = new Array<number>(sizes.length);
  for (const [rank, at] of order.entries()) {
    deciles[at] = Math.floor((rank * DECILES) / sizes.length) + 1;
  }
  return deciles;
}

function pickLeverage({ leverages }: SidePopulation, random: Random): number {
  const at = random.pick(leverages.map(({ weight }) => toNumber(weight)));
  const chosen = leverages[at];
  if (chosen === undefined) throw new RangeError("no leverage to pick from");
  return chosen.leverage;
}

/** Uniform over the ticks between the two multiples of the price. */
function pickEntry({ entry }: SidePopulation, { price, scale }: Stage, random: Random): bigint {
  const tickAt = (multiple: bigint): bigint =>
    toTick((price * multiple) / WHOLE, scale) / scale.tick;
  return random.between(tickAt(entry.from), tickAt(entry.to));
}

type Position = Pick<Trader, "side" | "lots" | "entry" | "leverage">;

function moneyOf(
  position: Position,
  floor: bigint,
  stage: Stage,
): Pick<Trader, "deposit" | "topUp"> {
  const { side, lots, entry, leverage } = position;
  const tiers = stage.tiers ?? DEFAULT_TIERS;
  const notionalAt = (ticks: bigint): bigint => ticks * stage.scale.unit * lots;
  const atEntry = notionalAt(entry);
  const atMark = atEntry + feeUp(atEntry, MARK_SLACK);
  const deposit = initialMarginUp(atMark, leverage, tiers) + feeUp(atEntry, FEE_SLACK);

  const atStart = notionalAt(stage.price / stage.scale.tick);
  const profit = side === "long" ? atStart - atEntry : atEntry - atStart;
  const needed = (maintenanceMarginUp(atStart, tiers) * floor) / WHOLE + feeUp(atStart, FEE_SLACK);
  return { deposit, topUp: max(0n, needed - deposit - profit) };
}

function toNumber(value: bigint): number {
  return Number(value) / Number(WHOLE);
}

function isBelow(uniform: number, share: bigint): boolean {
  return uniform < toNumber(share);
}
