import {
  accountOf,
  cohortCost,
  cohortLots,
  equity,
  freshOf,
  holdings,
  marketOf,
  sideLots,
} from "./cohorts.js";
import { advanceFreshEpoch, resyncFresh } from "./fresh.js";
import { chooseLeverage, fill, resync, touch } from "./positions.js";
import type { Fill, SettleError, Settled } from "./positions.js";
import { deleverage } from "./deleverage.js";
import type { Deleverage, SideReceipt } from "./deleverage.js";
import type { Rational } from "./rational.js";
import { rational, sum, ZERO } from "./rational.js";
import type { AccountId, DeficitRule, MarketId, Options, QuantityRule, State } from "./types.js";
import { require } from "./types.js";

/*
 * THE REFERENCE MODEL
 * Sections 5 to 8 of the design once more, without anything that makes it cheap: every event is applied to every
 * member at once, in exact fractions. Nothing here is shared with the contracts.
 */

export type MarketConfig = {
  readonly id: MarketId;
  readonly unit: bigint;
  readonly mark: bigint;
  readonly quantity?: QuantityRule;
  readonly deficit?: DeficitRule;
  readonly principalRate?: Rational;
};

export type Model = ReturnType<typeof createModel>;

const DEFAULTS: Options = {
  leverageTable: [1n, 2n, 3n, 5n, 10n, 20n, 50n, 100n],
  defaultLeverageClass: 4,
  shares: "exact",
  freshUnit: 10n ** 12n,
  passOn: true,
};

export function createModel(options: Partial<Options> = {}) {
  const state: State = {
    options: { ...DEFAULTS, ...options },
    accounts: new Map(),
    markets: new Map(),
    now: 0n,
    fund: ZERO,
    treasury: ZERO,
    dustMoney: ZERO,
    paidIn: 0n,
  };
  return {
    state,
    list: (config: MarketConfig) => list(state, config),
    deposit: (id: AccountId, amount: bigint) => pay(state, id, amount),
    withdraw: (id: AccountId, amount: bigint) => pay(state, id, -amount),
    fundDeposit: (amount: bigint) => fundDeposit(state, amount),
    transfer: (from: AccountId, to: AccountId, amount: bigint) => transfer(state, from, to, amount),
    setTime: (now: bigint) => setTime(state, now),
    setMark: (id: MarketId, mark: bigint) => setMark(state, id, mark),
    setLive: (id: MarketId, live: boolean) => setLive(state, id, live),
    addFunding: (id: MarketId, delta: bigint) => addFunding(state, id, delta),
    setRules: (id: MarketId, quantity: QuantityRule, deficit: DeficitRule) =>
      setRules(state, id, quantity, deficit),
    advanceFreshEpoch: (id: MarketId, epoch: bigint) =>
      advanceFreshEpoch(state, marketOf(state, id), epoch),
    fill: (trade: Fill) => fill(state, trade),
    touch: (id: AccountId, market: MarketId) => touch(state, id, market),
    resync: (id: AccountId, market: MarketId, actual: Settled): SettleError =>
      resync(state, id, market, actual),
    resyncFresh: (id: AccountId, market: MarketId, actual: { current: bigint; previous: bigint }) =>
      resyncFresh(state, id, market, actual),
    chooseLeverage: (id: AccountId, market: MarketId, leverageClass: number, delay = 0n) =>
      chooseLeverage(state, id, market, { leverageClass, delay }),
    deleverage: (event: Deleverage): SideReceipt[] => deleverage(state, event),
    equity: (id: AccountId, prices?: ReadonlyMap<MarketId, bigint>) => equity(state, id, prices),
    snapshot: () => snapshot(state),
    residue: () => residue(state),
    lotImbalance: (id: MarketId) => lotImbalance(state, id),
  };
}

/** Everything as plain strings and numbers, sorted, so that two states can be compared with deep equality. */
export function snapshot(state: State) {
  return {
    fund: text(state.fund),
    treasury: text(state.treasury),
    dustMoney: text(state.dustMoney),
    accounts: sorted(state.accounts).map(([id, account]) => ({
      id,
      balance: text(account.balance),
      positions: sorted(account.positions).map(([market, position]) => ({
        market,
        side: Number(position.side),
        lots: text(position.lots),
        cost: text(position.cost),
        haircut: text(position.haircut),
        entry: text(position.entry),
        leverageClass: position.leverageClass,
      })),
      fresh: sorted(account.fresh).map(([market, { side, current, previous }]) => ({
        market,
        side: Number(side),
        current: text(current),
        previous: text(previous),
      })),
    })),
    markets: sorted(state.markets).map(([id, market]) => ({
      id,
      shortfall: text(market.shortfall),
      dustLots: { long: text(market.dust.long.lots), short: text(market.dust.short.lots) },
      dustCost: { long: text(market.dust.long.cost), short: text(market.dust.short.cost) },
      cohorts: [...market.cohorts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, cohort]) => ({
          side: Number(cohort.side),
          leverageClass: cohort.leverageClass,
          priceClass: cohort.priceClass,
          lots: text(cohortLots(state, market, cohort)),
          cost: text(cohortCost(state, market, cohort)),
          members: cohort.members.size,
        })),
    })),
  };
}

/** Money that exists minus money that should: zero, exactly, after every operation. */
export function residue(state: State): Rational {
  const accounts = [...state.accounts.values()].map((account) =>
    account.balance.plus(freshOf(account)),
  );
  const markets = [...state.markets.values()].map((market) => {
    const cohorts = [...market.cohorts.values()].flatMap((cohort) =>
      holdings(state, market, cohort).map((held) => held.cost.times(cohort.side)),
    );
    const dust = market.dust.long.cost.minus(market.dust.short.cost);
    return sum([...cohorts, dust, market.shortfall]).negated();
  });
  const house = sum([state.fund, state.treasury, state.dustMoney]);
  return sum([...accounts, ...markets, house]).minus(state.paidIn);
}

/** Long lots minus short lots, dust included: zero after every operation. */
export function lotImbalance(state: State, id: MarketId): Rational {
  const market = marketOf(state, id);
  return sideLots(state, market, 1n).minus(sideLots(state, market, -1n));
}

function list(state: State, config: MarketConfig): void {
  require(!state.markets.has(config.id), "market is new", { id: config.id });
  state.markets.set(config.id, {
    id: config.id,
    unit: config.unit,
    mark: config.mark,
    funding: 0n,
    live: true,
    principalRate: config.principalRate,
    quantity: config.quantity ?? "Front",
    deficit: config.deficit ?? "Winners",
    cohorts: new Map(),
    given: new Map(),
    dust: { long: { lots: ZERO, cost: ZERO }, short: { lots: ZERO, cost: ZERO } },
    freshEpoch: 0n,
    shortfall: ZERO,
  });
}

function pay(state: State, id: AccountId, amount: bigint): void {
  const account = accountOf(state, id);
  account.balance = account.balance.plus(amount);
  state.paidIn += amount;
}

function fundDeposit(state: State, amount: bigint): void {
  state.fund = state.fund.plus(amount);
  state.paidIn += amount;
}

function transfer(state: State, from: AccountId, to: AccountId, amount: bigint): void {
  accountOf(state, from).balance = accountOf(state, from).balance.minus(amount);
  accountOf(state, to).balance = accountOf(state, to).balance.plus(amount);
}

function setTime(state: State, now: bigint): void {
  require(now >= state.now, "time never falls", { from: state.now, to: now });
  state.now = now;
}

function setMark(state: State, id: MarketId, mark: bigint): void {
  marketOf(state, id).mark = mark;
}

function setLive(state: State, id: MarketId, live: boolean): void {
  marketOf(state, id).live = live;
}

/** Longs pay `delta` (scale 2^32) per lot, shorts receive it. */
function addFunding(state: State, id: MarketId, delta: bigint): void {
  marketOf(state, id).funding += delta;
}

function setRules(state: State, id: MarketId, quantity: QuantityRule, deficit: DeficitRule): void {
  Object.assign(marketOf(state, id), { quantity, deficit });
}

function sorted<Value>(map: ReadonlyMap<number, Value>): [number, Value][] {
  return [...map].sort(([a], [b]) => a - b);
}

function text(value: Rational | bigint): string {
  return (typeof value === "bigint" ? rational(value) : value).toString();
}
