import type { Rational } from "./rational.js";
import { min, rational, sum, ZERO } from "./rational.js";
import type {
  Account,
  AccountId,
  Cohort,
  Held,
  Lots,
  Market,
  MarketId,
  Position,
  Side,
  State,
} from "./types.js";
import { require } from "./types.js";

/* Look-ups, values, and who is a member of which cohort. */

export function accountOf(state: State, id: AccountId): Account {
  const known = state.accounts.get(id);
  if (known !== undefined) return known;
  const account: Account = {
    balance: ZERO,
    positions: new Map(),
    leverage: new Map(),
    pending: new Map(),
    fresh: new Map(),
  };
  state.accounts.set(id, account);
  return account;
}

export function marketOf(state: State, id: MarketId): Market {
  const market = state.markets.get(id);
  require(market !== undefined, "market is listed", { id });
  return market;
}

export function positionOf(state: State, id: AccountId, market: Market): Position {
  const position = state.accounts.get(id)?.positions.get(market.id);
  require(position !== undefined, "position exists", { account: id, market: market.id });
  return position;
}

export function opposite(side: Side): Side {
  return side === 1n ? -1n : 1n;
}

/** Price minus funding: the same number for both sides of a trade, whenever they trade. */
export function fundingFree(market: Market, price: bigint): Rational {
  return rational(price).minus(rational(market.funding, 2n ** 32n));
}

/** side · lots · (price − F): what these lots are worth, before their cost. */
export function worth(market: Market, side: Side, lots: Rational, price: bigint): Rational {
  return fundingFree(market, price).times(lots).times(side);
}

/** Unrealised profit at a price, funding included, not rounded. */
export function valueAt(market: Market, position: Position, price: bigint): Rational {
  return worth(market, position.side, position.lots, price).minus(
    position.cost.times(position.side),
  );
}

export function freshOf(account: Account): Rational {
  return sum([...account.fresh.values()].map((fresh) => fresh.current.plus(fresh.previous)));
}

/** Balance + fresh profit + the value of all positions, at the stored marks or at the prices given. */
export function equity(
  state: State,
  id: AccountId,
  prices: ReadonlyMap<MarketId, bigint> = new Map(),
): Rational {
  const account = accountOf(state, id);
  const values = [...account.positions].map(([marketId, position]) => {
    const market = marketOf(state, marketId);
    return valueAt(market, position, prices.get(marketId) ?? market.mark);
  });
  return sum([account.balance, freshOf(account), ...values]);
}

export function classKey(side: Side, priceClass: number): string {
  return `${side}/${priceClass}`;
}

/** Q: the lots of all members and of the cohort's own dust. Always whole. */
export function cohortLots(state: State, market: Market, cohort: Cohort): Rational {
  return sum(holdings(state, market, cohort).map((held) => held.lots));
}

/** V: the cost of the same. */
export function cohortCost(state: State, market: Market, cohort: Cohort): Rational {
  return sum(holdings(state, market, cohort).map((held) => held.cost));
}

/** Everything that a cohort consists of. */
export function holdings(state: State, market: Market, cohort: Cohort): Held[] {
  const members = [...cohort.members].map((id) => positionOf(state, id, market));
  return [...members, cohort.dust];
}

/** Lots of a price class over all leverages. */
export function classLots(state: State, market: Market, side: Side, priceClass: number): Rational {
  const cohorts = [...market.cohorts.values()].filter(
    (cohort) => cohort.side === side && cohort.priceClass === priceClass,
  );
  return sum(cohorts.map((cohort) => cohortLots(state, market, cohort)));
}

/** Lots of a whole side: cohorts and market dust. */
export function sideLots(state: State, market: Market, side: Side): Rational {
  const cohorts = [...market.cohorts.values()].filter((cohort) => cohort.side === side);
  const lots = cohorts.map((cohort) => cohortLots(state, market, cohort));
  return sum([dustOf(market, side).lots, ...lots]);
}

export function dustOf(market: Market, side: Side): Lots {
  return side === 1n ? market.dust.long : market.dust.short;
}

export function findCohort(market: Market, key: CohortName): Cohort | undefined {
  return market.cohorts.get(cohortKey(key));
}

/** Enters the position into the cohort of its class. A class without lots forgets its haircuts. */
export function join(state: State, market: Market, id: AccountId, name: CohortName): void {
  const { side, priceClass } = name;
  if (classLots(state, market, side, priceClass).isZero()) {
    market.given.delete(classKey(side, priceClass));
  }
  const key = cohortKey(name);
  const cohort = market.cohorts.get(key) ?? {
    ...name,
    members: new Set<AccountId>(),
    dust: { lots: ZERO, cost: ZERO },
  };
  market.cohorts.set(key, cohort);
  cohort.members.add(id);
}

/** Takes a member out, with its lots. What the last member leaves becomes dust of the market. */
export function leave(state: State, market: Market, id: AccountId, name: CohortName): void {
  const cohort = findCohort(market, name);
  require(cohort?.members.delete(id) === true, "position is in its cohort", { account: id });
  if (cohort.members.size > 0) return;
  market.cohorts.delete(cohortKey(name));
  addDust(state, market, cohort.side, cohort.dust);
}

/** Long and short dust lots close each other; the difference of their costs is account 3's. */
export function cancelDust(state: State, market: Market): void {
  const lots = min(market.dust.long.lots, market.dust.short.lots);
  if (lots.isZero()) return;
  const longCost = removeLots(market.dust.long, lots);
  const shortCost = removeLots(market.dust.short, lots);
  state.dustMoney = state.dustMoney.plus(shortCost).minus(longCost);
}

/** Takes lots out of a holding with their part of its cost, which is returned. */
export function removeLots(held: Lots, lots: Rational): Rational {
  const cost = lots.equals(held.lots) ? held.cost : held.cost.times(lots).over(held.lots);
  held.lots = held.lots.minus(lots);
  held.cost = held.cost.minus(cost);
  return cost;
}

export type CohortName = {
  readonly side: Side;
  readonly leverageClass: number;
  readonly priceClass: number;
};

function addDust(state: State, market: Market, side: Side, { lots, cost }: Lots): void {
  require(!lots.isNegative() && lots.isWhole(), "dust lots are whole", { lots });
  if (lots.isZero()) {
    state.dustMoney = state.dustMoney.minus(cost.times(side));
    return;
  }
  const dust = dustOf(market, side);
  dust.lots = dust.lots.plus(lots);
  dust.cost = dust.cost.plus(cost);
}

function cohortKey({ side, leverageClass, priceClass }: CohortName): string {
  return `${side}/${leverageClass}/${priceClass}`;
}
