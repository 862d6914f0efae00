import type { EventName, EventNamed, ExchangeEvent } from "./events.js";
import { DUST, FIRST_ACCOUNT, FUND, SHORT, sideOf, TREASURY } from "./keys.js";
import { WHOLE } from "./units.js";
import { copyState, emptyMarket, emptyState, nonceKey, operatorKey } from "./state.js";
import type { MarketConfig, MarketState, Money, State } from "./state.js";
import {
  levelKilled,
  orderFilled,
  orderPlaced,
  orderRemoved,
  ordersKilled,
  restingOf,
} from "./rebuild-book.js";
import {
  checkpointWritten,
  classCharged,
  cohortChanged,
  freshChanged,
  freshCharged,
  freshSideChanged,
  positionChanged,
} from "./rebuild-pools.js";
import { decode, zero } from "./words.js";

/*
 * The state of the exchange from its events alone. What an event does not carry follows by a rule of the contracts, stated
 * where it is applied. Not rebuilt: what `compareStates` lists as unknown to events.
 */

/** What the constructor sets and no event says. */
export type Genesis = {
  readonly exchange: string;
  readonly vault: string;
  readonly oracle: string;
  /** Quote per unit of the token's own decimals. */
  readonly tokenScale: bigint;
};

/** What is being rebuilt. */
export type Rebuild = {
  readonly state: State;
  /** Fills of one taker at one tick, in a row: what decides whether they count as the last trade. */
  fills: Fills | undefined;
};

type Fills = {
  readonly market: bigint;
  readonly taker: bigint;
  readonly tick: bigint;
  quote: bigint;
};

/** A trade counts for the mark from this part of the notional that impact prices are taken for. */
const TRADES_PER_IMPACT = 10n;

type Handler<Name extends EventName> = (
  state: State,
  args: EventNamed<Name>["args"],
  time: bigint,
) => void;

export function createRebuild(genesis: Genesis): Rebuild {
  const state = emptyState();
  state.header.vault = BigInt(genesis.vault);
  state.header.oracle = BigInt(genesis.oracle);
  state.header.tokenScale = genesis.tokenScale;
  state.header.accountCount = BigInt(FIRST_ACCOUNT - 1);
  const owner = BigInt(genesis.exchange);
  for (const house of [TREASURY, DUST]) {
    state.accounts.set(house, { ...zero("Account"), owner });
  }
  return { state, fills: undefined };
}

export function copyRebuild({ state, fills }: Rebuild): Rebuild {
  return { state: copyState(state), fills: fills && { ...fills } };
}

/** @param time Of the event's block, unix. */
export function applyEvent(rebuild: Rebuild, event: ExchangeEvent, time: bigint): void {
  noteTrade(rebuild, event, time);
  // Name and arguments belong together; the compiler cannot see it through the table.
  const handler = HANDLERS[event.name] as (state: State, args: unknown, time: bigint) => void;
  handler(rebuild.state, event.args, time);
}

export function marketOf(state: State, id: bigint | number): MarketState {
  let market = state.markets.get(Number(id));
  if (market === undefined) state.markets.set(Number(id), (market = emptyMarket()));
  return market;
}

const ignore = () => {};

const HANDLERS: { readonly [Name in EventName]: Handler<Name> } = {
  AccountOpened(state, { account, owner }) {
    state.accounts.set(Number(account), { ...zero("Account"), owner: BigInt(owner) });
    state.header.accountCount = account;
  },
  Deposited: (state, args) => setBalance(state, args.account, args.balance),
  Withdrawn: (state, args) => setBalance(state, args.account, args.balance),
  Transferred(state, args) {
    setBalance(state, args.from, args.fromBalance);
    setBalance(state, args.to, args.toBalance);
  },
  OperatorSet(state, { account, operator, scope, expiry }) {
    const key = operatorKey(Number(account), operator);
    if (scope + expiry === 0n) state.operators.delete(key);
    else state.operators.set(key, { scope, expiry });
  },
  NonceUsed(state, { owner, nonce }) {
    const key = nonceKey(owner, nonce >> 8n);
    state.nonces.set(key, (state.nonces.get(key) ?? 0n) | (1n << (nonce & 0xffn)));
  },
  BalanceChanged: (state, args) => setBalance(state, args.account, args.balance),
  LeverageChosen(state, args) {
    const resting = restingOf(marketOf(state, args.market), Number(args.account));
    resting.leverage = (args.pendingClass << 4n) | (args.class + 1n);
    resting.pendingSince = args.pendingSince;
  },

  OrderPlaced(state, args) {
    orderPlaced(marketOf(state, args.market), args);
    markMarket(state, args.market, args.account);
  },
  OrderRemoved(state, args) {
    orderRemoved(marketOf(state, args.market), args);
    markMarket(state, args.market, args.account);
  },
  LevelKilled: (state, args) => levelKilled(marketOf(state, args.market), args),
  OrdersKilled: (state, args) => ordersKilled(marketOf(state, args.market), args),
  Filled(state, args) {
    orderFilled(marketOf(state, args.market), args);
    markMarket(state, args.market, args.maker);
  },

  PositionChanged(state, args) {
    positionChanged(marketOf(state, args.market), args);
    setBalance(state, args.account, args.balance);
    markMarket(state, args.market, args.account);
  },
  Settled: ignore,
  CohortChanged: (state, args) => cohortChanged(marketOf(state, args.market), args),
  CheckpointWritten: (state, args) => checkpointWritten(marketOf(state, args.market), args),
  FreshChanged(state, args) {
    freshChanged(marketOf(state, args.market), args);
    markMarket(state, args.market, args.account);
  },
  FreshSideChanged: (state, args) => freshSideChanged(marketOf(state, args.market), args),

  MarketListed(state, { market, config }) {
    const listed = marketOf(state, market);
    listed.config = configOf(config);
    listed.book.status = 1n;
    state.header.marketCount = BigInt(state.markets.size);
  },
  MarketConfigured(state, { market, config }) {
    marketOf(state, market).config = configOf(config);
  },
  StatusChanged(state, { market, status }) {
    marketOf(state, market).book.status = status;
  },
  CapChanged(state, { market, cap, full, since }) {
    const { config, caps } = marketOf(state, market);
    config.openInterestCap = cap;
    [caps.full, caps.since] = [full, since];
  },
  WindChanged(state, { market, word }) {
    marketOf(state, market).wind = decode("WindSlot", [BigInt(word)]);
  },
  // What it changes is in the words of the refresh that it is part of.
  MarketEnded: ignore,
  FundTargetChanged(state, { market, target, total }) {
    marketOf(state, market).volatility.fundTarget = target;
    state.header.fundTarget = total;
  },
  Refreshed(state, args) {
    const market = marketOf(state, args.market);
    market.price = decode("MarkSlot", [BigInt(args.price)]);
    market.book = decode("BookSlot", [BigInt(args.book)]);
    market.sample = decode("SampleSlot", [BigInt(args.sample)]);
  },
  VolatilitySampled(state, { market, variance, index, sampled }) {
    Object.assign(marketOf(state, market).volatility, { variance, index, sampled });
  },
  TotalsChanged(state, args) {
    const market = marketOf(state, args.market);
    market.flow = decode("FlowSlot", [BigInt(args.flow)]);
    market.pool = decode("PoolSlot", [BigInt(args.pool)]);
  },
  // The pot is emptied; balances follow in their own events.
  FeesShared(state, args) {
    const { flow } = marketOf(state, args.market);
    [flow.fees, flow.rest] = [0n, 0n];
  },
  FeeShareChanged(state, { fundShare }) {
    state.header.fundShare = fundShare;
  },
  FundBound(state, { fund }) {
    state.header.fund = BigInt(fund);
    state.accounts.set(FUND, { ...zero("Account"), owner: BigInt(fund) });
  },

  ClockStarted(state, { account, time, distress }) {
    setClock(state, account, { time, distress });
    state.distress.since = time;
  },
  ClockCleared: (state, { account }) => setClock(state, account, { time: 0n, distress: 0n }),
  Skipped: ignore,
  Liquidated: ignore,
  LiquidationEnded: ignore,
  AccountDeleveraged(state, args) {
    setBalance(state, args.account, args.balance);
    noteEvent(state, args.id);
  },
  GainCharged: ignore,
  Deleveraged,
  Haircut: (state, args) => classCharged(marketOf(state, args.market), args),
  PrincipalCharged: (state, args) => classCharged(marketOf(state, args.market), args),
  FreshCharged: (state, args) => freshCharged(marketOf(state, args.market), args),
  CohortCut: ignore,
  DustChanged(state, { market, longLots, shortLots, longCost, shortCost }) {
    marketOf(state, market).dust = { longLots, shortLots, longCost, shortCost };
  },
  ShortfallChanged(state, { market, shortfall }) {
    marketOf(state, market).pool.shortfall = shortfall;
  },
  BudgetDrawn(state, { market, bucket }) {
    marketOf(state, market).bucket = decode("BucketSlot", [BigInt(bucket)]);
  },
  FundDrawn(state, { drawn }) {
    state.drawn = decode("FundSlot", [BigInt(drawn)]);
  },
  EventStored: (state, args) => noteEvent(state, args.id),
  EventFinished: ignore,
};

/** The event charged the side if not fund and shortfall alone paid; the market remembers the last that did. */
function Deleveraged(state: State, args: EventNamed<"Deleveraged">["args"], time: bigint): void {
  noteEvent(state, args.id);
  const { deficit, fundWithin, fundBeyond, shortfall } = args.receipt;
  if (deficit === fundWithin + fundBeyond + shortfall) return;
  const { charges } = marketOf(state, args.market);
  if (sideOf(args.side) === SHORT) [charges.shortEvent, charges.shortTime] = [args.id, time];
  else [charges.longEvent, charges.longTime] = [args.id, time];
}

/** The last trade is one level's fills of one taker, if they are large enough. A taker's own change ends them. */
function noteTrade(rebuild: Rebuild, { name, args }: ExchangeEvent, time: bigint): void {
  if (name === "PositionChanged" && args.account === rebuild.fills?.taker)
    rebuild.fills = undefined;
  if (name !== "Filled") return;
  const { market, taker, tick } = args;
  const last = rebuild.fills;
  const isSame = last?.market === market && last.taker === taker && last.tick === tick;
  const fills = isSame ? last : { market, taker, tick, quote: 0n };
  rebuild.fills = fills;
  const { book, config } = marketOf(rebuild.state, market);
  fills.quote += tick * config.unit * args.lots;
  if (fills.quote * TRADES_PER_IMPACT < config.impactNotional * WHOLE) return;
  [book.lastTick, book.lastTradeTime] = [tick, time];
}

function noteEvent(state: State, id: bigint): void {
  if (id > state.header.eventCount) state.header.eventCount = id;
}

function setBalance(state: State, id: bigint, balance: bigint): void {
  changeMoney(state, Number(id), { balance });
}

/** A record of zeros is none. */
function changeMoney(state: State, account: number, change: Partial<Money>): void {
  const money = { ...(state.money.get(account) ?? zero("Money")), ...change };
  const isZero = money.balance === 0n && money.freshMarkets === 0n && money.distress === 0n;
  if (isZero) state.money.delete(account);
  else state.money.set(account, money);
}

type Clock = { readonly time: bigint; readonly distress: bigint };

/** What the account stood for under its last clock no longer counts. */
function setClock(state: State, id: bigint, { time, distress }: Clock): void {
  const account = state.accounts.get(Number(id));
  if (account !== undefined) account.clock = time;
  const before = state.money.get(Number(id))?.distress ?? 0n;
  state.distress.maintenance += distress - before;
  changeMoney(state, Number(id), { distress });
}

/** Account.markets: a position, an order or fresh profit there. Money.freshMarkets: the last alone. */
function markMarket(state: State, marketId: bigint, id: bigint): void {
  const [market, account] = [marketOf(state, marketId), Number(id)];
  const bit = 1n << marketId;
  const isFresh = market.freshRecords.has(account);
  const hasOrders = (market.resting.get(account)?.used ?? 0n) !== 0n;
  const isIn = isFresh || hasOrders || market.positions.has(account);
  const known = state.accounts.get(account);
  if (known !== undefined) known.markets = isIn ? known.markets | bit : known.markets & ~bit;
  const fresh = state.money.get(account)?.freshMarkets ?? 0n;
  changeMoney(state, account, { freshMarkets: isFresh ? fresh | bit : fresh & ~bit });
}

/** The event's struct is the stored one, under the same names. */
function configOf(config: EventNamed<"MarketConfigured">["args"]["config"]): MarketConfig {
  const stored = zero("MarketConfig");
  // Keys of the struct itself.
  for (const field of Object.keys(stored) as (keyof MarketConfig)[]) stored[field] = config[field];
  return stored;
}
