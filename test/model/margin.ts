import { max, min, rational, sum, ZERO } from "./rational.js";
import type { Rational } from "./rational.js";
import type { Side } from "./types.js";
import { require } from "./types.js";

/*
 * Margin and forced sales as functions of plain numbers. Requirements, prices and penalties
 * are exact; whoever compares rounds them: what is required up, what is allowed down.
 */

/** A bracket: notional beyond the previous bracket's `upTo` needs 1 / maxLeverage of itself. */
export type Tier = { readonly upTo: bigint | undefined; readonly maxLeverage: bigint };

/** One position with its orders, as the contract stores it. Lots of a flat market with orders are zero. */
export type Holding = {
  readonly side: Side;
  readonly lots: bigint;
  readonly cost: bigint;
  /** Lots of all resting bids and asks that may grow the position. */
  readonly bids: bigint;
  readonly asks: bigint;
  readonly leverage: bigint;
  readonly tiers: readonly Tier[];
  readonly volatilityRate: Rational;
  readonly openInterestRate: Rational;
  /** Scale 2^32. */
  readonly funding: bigint;
  readonly mark: bigint;
  readonly index: bigint;
  /** A dead market: profit counts as zero for initial margin and withdrawal, loss in full. */
  readonly dead?: boolean;
};

/** What volatility and concentration ask for is for new risk alone. */
export const CALM = { volatilityRate: ZERO } as const;

export type MarginAccount = {
  readonly balance: bigint;
  readonly fresh: bigint;
  readonly holdings: readonly Holding[];
};

export type PriceKind = "mark" | "index";

/** floor(side · lots · (price − F)) − side · cost. */
export function unrealised(holding: Holding, at: PriceKind): bigint {
  const { side, lots, cost, funding } = holding;
  const price = rational(holding[at]).minus(rational(funding, 2n ** 32n));
  return price.times(side * lots).floor() - side * cost;
}

export function marginEquity(account: MarginAccount, at: PriceKind): bigint {
  const values = account.holdings.map((holding) => unrealised(holding, at));
  return values.reduce((total, value) => total + value, account.balance + account.fresh);
}

/** Equity for initial margin and withdrawal: the profit of a dead market does not count. */
export function prudentEquity(account: MarginAccount): bigint {
  const ignored = account.holdings.map((holding) => {
    const value = unrealised(holding, "mark");
    return holding.dead === true && value > 0n ? value : 0n;
  });
  return ignored.reduce((total, value) => total - value, marginEquity(account, "mark"));
}

/** What the tiers ask of a notional: every bracket of it at its own rate. */
export function tierRequirement(tiers: readonly Tier[], notional: bigint): Rational {
  let from = 0n;
  let requirement = ZERO;
  for (const { upTo, maxLeverage } of tiers) {
    const to = upTo === undefined || upTo > notional ? notional : upTo;
    if (to > from) requirement = requirement.plus(rational(to - from, maxLeverage));
    from = to > from ? to : from;
  }
  require(from >= notional, "the last tier has no end", { notional });
  return requirement;
}

/** The largest of four rates, on the worst that the position and its orders can become. */
export function holdingInitialMargin(holding: Holding): Rational {
  const signed = holding.side * holding.lots;
  const [up, down] = [absolute(signed + holding.bids), absolute(signed - holding.asks)];
  const notional = (up > down ? up : down) * holding.mark;
  return max(
    rational(notional, holding.leverage),
    tierRequirement(holding.tiers, notional),
    holding.volatilityRate.times(notional),
    holding.openInterestRate.times(notional),
  );
}

/** Half of the tier requirement, on the position alone. */
export function holdingMaintenance(holding: Holding, at: PriceKind = "mark"): Rational {
  return maintenanceOf(holding, holding.lots, at);
}

export function initialMargin(account: MarginAccount): Rational {
  return sum(account.holdings.map(holdingInitialMargin));
}

export function maintenance(account: MarginAccount, at: PriceKind = "mark"): Rational {
  return sum(account.holdings.map((holding) => holdingMaintenance(holding, at)));
}

/** Below maintenance with all markets at mark, and again with all at index. */
export function isLiquidatable(account: MarginAccount): boolean {
  const below = (at: PriceKind) => maintenance(account, at).compare(marginEquity(account, at)) > 0;
  return below("mark") && below("index");
}

/** min(balance, equity − fresh) − IM without the storm's rate; never below zero. Unrealised and fresh profit stay in. */
export function withdrawable(account: MarginAccount): bigint {
  const settled = prudentEquity(account) - account.fresh;
  const free = account.balance < settled ? account.balance : settled;
  const calm = account.holdings.map((holding) => ({ ...holding, ...CALM }));
  const amount = rational(free)
    .minus(initialMargin({ ...account, holdings: calm }))
    .floor();
  return amount > 0n ? amount : 0n;
}

/** The judge: enough initial margin, or risk only fell. Holdings are matched by their place in the list. */
export function isAllowed(before: MarginAccount, after: MarginAccount): boolean {
  if (initialMargin(after).compare(prudentEquity(after)) <= 0) return true;
  return riskOnlyFell(before, after) && isHealthNotLower(before, after);
}

/** Every size moved towards zero and kept its sign, and nothing new is reserved. */
export function riskOnlyFell(before: MarginAccount, after: MarginAccount): boolean {
  return after.holdings.every((now, i) => {
    const was = before.holdings[i];
    if (was === undefined) return now.lots + now.bids + now.asks === 0n;
    const shrank = now.lots === 0n || (now.side === was.side && now.lots <= was.lots);
    return shrank && now.bids <= was.bids && now.asks <= was.asks;
  });
}

/** equity / MM, by cross-multiplication; a closed account needs equity ≥ 0. */
export function isHealthNotLower(before: MarginAccount, after: MarginAccount): boolean {
  const now = maintenance(after);
  const equityNow = marginEquity(after, "mark");
  if (now.isZero()) return equityNow >= 0n;
  const left = maintenance(before).times(equityNow);
  return left.compare(now.times(marginEquity(before, "mark"))) >= 0;
}

/** The price at which selling the whole position uses up its share of equity, E · MM_i / MM. */
export function zeroPrice(account: MarginAccount, holding: Holding): Rational {
  require(holding.lots > 0n, "position is open");
  const share = holdingMaintenance(holding)
    .over(maintenance(account))
    .times(marginEquity(account, "mark"));
  return rational(holding.mark).minus(share.times(holding.side).over(holding.lots));
}

export type Clock = {
  readonly slip0: Rational;
  readonly elapsed: bigint;
  readonly duration: bigint;
};

/**
 * The worst price a forced sale may have: from mark ∓ slip0 to the zero price over the clock's time, never
 * beyond the zero price, and at mark when equity is already gone.
 */
export function limitPrice(account: MarginAccount, holding: Holding, clock: Clock): Rational {
  const mark = rational(holding.mark);
  const toZero = mark.minus(zeroPrice(account, holding)).times(holding.side);
  const start = mark.times(clock.slip0);
  const passed = rational(
    clock.elapsed < clock.duration ? clock.elapsed : clock.duration,
    clock.duration,
  );
  const scheduled = start.plus(toZero.minus(start).times(passed));
  const distance = max(ZERO, min(scheduled, toZero));
  return mark.minus(distance.times(holding.side));
}

/**
 * The least lots of one position that, sold at a price, bring equity to 1.25 × MM with the penalty paid; all of them if no
 * number does, or if the rest would be smaller than the minimum notional.
 */
export function lotsToTarget(
  account: MarginAccount,
  holding: Holding,
  sale: { readonly price: Rational; readonly penalty: Rational; readonly minNotional: bigint },
): bigint {
  const isEnough = (lots: bigint) => reachesTarget(account, holding, sale, lots);
  if (isEnough(0n)) return 0n;
  // Between two bracket edges everything is linear, so the first point that is enough ends the right stretch.
  const points = [...bracketEdges(holding), holding.lots];
  const first = points.findIndex(isEnough);
  if (first < 0) return holding.lots;
  let enough = points[first] ?? holding.lots;
  let short = points[first - 1] ?? 0n;
  while (enough - short > 1n) {
    const middle = (enough + short) / 2n;
    if (isEnough(middle)) enough = middle;
    else short = middle;
  }
  return (holding.lots - enough) * holding.mark < sale.minNotional ? holding.lots : enough;
}

/** At most the rate, and at most what keeps equity / MM where it was; a flat account pays from what is left. */
export function penalty(
  rateAmount: Rational,
  before: { readonly equity: bigint; readonly maintenance: Rational },
  after: { readonly equity: bigint; readonly maintenance: Rational },
): bigint {
  const kept = before.maintenance.isZero()
    ? ZERO
    : after.maintenance.times(before.equity).over(before.maintenance);
  const room = rational(after.equity).minus(after.maintenance.isZero() ? ZERO : kept);
  return max(ZERO, min(rateAmount, room)).floor();
}

function reachesTarget(
  account: MarginAccount,
  holding: Holding,
  { price, penalty: rate }: { readonly price: Rational; readonly penalty: Rational },
  lots: bigint,
): boolean {
  const loss = rational(holding.mark)
    .minus(price)
    .times(holding.side * lots)
    .plus(price.times(rate).times(lots));
  const rest = maintenance(account)
    .minus(holdingMaintenance(holding))
    .plus(maintenanceOf(holding, holding.lots - lots, "mark"));
  const left = rational(marginEquity(account, "mark")).minus(loss);
  return left.compare(rest.times(rational(5n, 4n))) >= 0;
}

/** Lots to sell, ascending, after which the rest is just inside or just beyond a bracket. */
function bracketEdges({ lots, mark, tiers }: Holding): bigint[] {
  const ends = tiers.map(({ upTo }) => upTo).filter((upTo) => upTo !== undefined);
  const rests = ends.flatMap((upTo) => [upTo / mark + 1n, upTo / mark]);
  return rests
    .filter((rest) => rest < lots)
    .map((rest) => lots - rest)
    .sort((a, b) => (a < b ? -1 : 1));
}

function maintenanceOf(holding: Holding, lots: bigint, at: PriceKind): Rational {
  return tierRequirement(holding.tiers, lots * holding[at]).over(2n);
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}
