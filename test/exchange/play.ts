import type { State } from "../../scripts/lib/state.js";
import { marketOf } from "../model/cohorts.js";
import type { AccountId, MarketId, Side } from "../model/types.js";
import {
  copyExchange,
  createExchange,
  deposit,
  poke,
  reopen,
  say,
  setTime,
  settleMarket,
  trade,
  transfer,
  withdraw,
} from "../reference/exchange.js";
import { changeCap, lowerCap } from "../reference/caps.js";
import { executeExit, requestExit, sharesOf, stake } from "../reference/fund.js";
import { principalOf, release } from "../reference/vault.js";
import { isWaiting } from "../reference/jumps.js";
import { healthOf, withdrawable } from "../reference/health.js";
import { liquidate, takeover } from "../reference/liquidation.js";
import { windDown, windingSeen } from "../reference/winding.js";
import type { Action } from "../reference/orders.js";
import { chosenClass, closableBy, heldBy } from "../reference/positions.js";
import type { Config, Exchange } from "../reference/types.js";
import {
  bookSide,
  least,
  LEVERAGES,
  MICRO,
  most,
  opposite,
  Refused,
  venueOf,
} from "../reference/types.js";
import { deleverage } from "../reference/event.js";
import { adopt, observeGaps } from "./adopt.js";
import type { Adopted } from "./adopt.js";
import { differences } from "./compare.js";
import { RICHEST, WINNER } from "./commands.js";
import type { ActionDraft, Alone, Command, OrderDraft, Size, Step } from "./commands.js";
import { ACCOUNTS, both, OPENING, OWNERS, UNUSED } from "./world.js";
import type { Call, Real, Said, Sent } from "./world.js";

/* One run: every command goes to the contracts and to the model, and then everything is compared. */

export type Counts = {
  commands: number;
  /** Figures that were compared. */
  comparisons: number;
  readonly by: Record<string, number>;
  readonly refused: Record<string, number>;
};

export class Difference extends Error {
  constructor(
    readonly at: number,
    readonly command: Command,
    readonly lines: readonly string[],
  ) {
    const text = JSON.stringify(command, (_key, value: unknown) =>
      typeof value === "bigint" ? value.toString() : value,
    );
    super(`command ${at} ${text}\n${lines.join("\n")}`);
    this.name = "Difference";
  }
}

const TOKEN_DECIMALS = 6;
/** Seconds after which a price is said again. */
const AGE = 10n;
/** Commands for which nothing is said behind one source alone. */
const QUIET = 9;
/** Seconds without prices after which a market may be wound down: only the first ever is. */
const TOO_LONG = 80_000;
const STEP = 1000n;
const TIMES = { gtc: 0, ioc: 1, fok: 2, postOnly: 3 } as const;
const KINDS = { place: 0, replace: 1, cancel: 2, cancelAll: 3, leverage: 4 } as const;

export async function createRun(real: Real, counts: Counts) {
  const start = await real.state();
  let x = openModel(real, start, real.now());
  const prices = [0, 1].map((kind) => OPENING.find((it) => it.kind === kind)?.price ?? 0n);
  const quiet = [0, 0];
  let at = 0;
  let last = start;
  const events: Adopted = { count: 0n };

  /** @throws Difference */
  async function play({ command, seconds }: Step): Promise<void> {
    at++;
    counts.commands++;
    counts.by[command.kind] = (counts.by[command.kind] ?? 0) + 1;
    const wait = BigInt(command.kind === "wait" ? command.seconds : seconds);
    if (command.kind === "price") movePrice(command.market, BigInt(command.permille));
    if (command.kind === "alone") prices[command.market] = aloneFrom(x, real, command);
    const planned = plan({ real, x, last }, command, wait);
    const said = saying(command, wait);
    const sent = await real.block(planned?.call, wait, said);
    const state = await real.state();
    const cleared = windingSeen.cleared;
    const error = follow(sent, said, planned?.act);
    const isEvent = command.kind === "deleverage" || windingSeen.cleared > cleared;
    const lines = isEvent ? adopt(x, state, events) : [];
    const compared = differences(x, state, sent.tokens);
    counts.comparisons += compared.count;
    lines.push(...compared.lines);
    last = state;
    if (error !== sent.error) lines.unshift(`refused: model ${error}, chain ${sent.error}`);
    if (lines.length > 0) throw new Difference(at, command, lines);
    if (error !== undefined) counts.refused[error] = (counts.refused[error] ?? 0) + 1;
  }

  /** Prices are said again before they are aged, but for a wait that is to see them so, and behind one source alone. */
  function saying(command: Command, wait: bigint): Said[] {
    const silent = command.kind === "wait" && command.isStale;
    const kinds = silent ? [1] : [0, 1];
    if (silent && command.seconds < TOO_LONG) return [];
    return kinds.flatMap((kind) => sayingOf(kind, command, wait));
  }

  function sayingOf(kind: number, command: Command, wait: bigint): Said[] {
    const price = prices[kind] ?? 0n;
    const isOwn = "market" in command && command.market === kind;
    if (command.kind === "alone" && isOwn) {
      quiet[kind] = QUIET;
      return [{ kind, source: command.source, price, ago: BigInt(command.ago) }];
    }
    const isMoved = command.kind === "price" && isOwn;
    const left = isMoved || command.kind === "wait" ? 0 : Math.max((quiet[kind] ?? 0) - 1, 0);
    quiet[kind] = left;
    const age = x.core.now + wait - venueOf(x, real.markets()[kind] ?? 0).prices.publishTime;
    if (left > 0 || (!isMoved && age < AGE)) return [];
    const apart = isMoved ? BigInt(command.apart ?? 0) : 0n;
    return both(kind, price, (price * (1000n + apart)) / 1000n);
  }

  function movePrice(kind: number, permille: bigint): void {
    prices[kind] = ((prices[kind] ?? 0n) * (1000n + permille)) / 1000n;
  }

  /** Does to the model what the block did. @returns The error with which the model refuses. */
  function follow(
    { time }: Sent,
    said: readonly Said[],
    act?: (x: Exchange) => void,
  ): string | undefined {
    setTime(x, time);
    observeGaps(x, last);
    for (const { kind, source, price, ago } of said) {
      say(x, real.markets()[kind] ?? 0, source, { price, publishTime: time - ago });
    }
    for (const id of x.venues.keys()) poke(x, id);
    if (act === undefined) return undefined;
    const before = copyExchange(x);
    observeGaps(x, last);
    try {
      act(x);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      x = before;
      return error.error;
    }
    return undefined;
  }

  return { play, model: () => x };
}

type Now = { readonly real: Real; readonly x: Exchange; readonly last: State };

type Planned = { readonly call: Call; readonly act: (x: Exchange) => void };

/** What a command is, to the contracts and to the model. */
function plan({ real, x, last }: Now, command: Command, wait: bigint): Planned | undefined {
  const marketAt = (kind: number): MarketId => real.markets()[kind] ?? 0;
  switch (command.kind) {
    case "trade": {
      const market = marketAt(command.batch[0]?.market ?? 0);
      const id = command.account === WINNER ? winner(x, market) : accountAt(command.account);
      const at = { x, id, time: x.core.now + wait };
      const actions = command.batch.map((it) => actionOf(at, marketAt(it.market), it.action));
      const data = real.encode("execute", [id, actions.map(encodeAction)]);
      return { call: callOf(real, id, data), act: (model) => trade(model, id, actions) };
    }
    case "deposit": {
      const id = accountAt(command.account);
      const amount = units(command.cents);
      const data = real.encode("deposit", [id, amount]);
      return { call: callOf(real, id, data), act: (model) => deposit(model, id, amount) };
    }
    case "withdraw": {
      const id = command.account === RICHEST ? richest(x) : accountAt(command.account);
      const available = withdrawable(x, id) / x.tokenScale;
      const amount = partOf(available, command.permille);
      const to = real.owners[(id - ACCOUNTS[0]) % OWNERS] ?? "";
      const data = real.encode("withdraw", [id, amount ?? 2n ** 256n - 1n, to]);
      return { call: callOf(real, id, data), act: (model) => withdraw(model, id, amount) };
    }
    case "transfer": {
      const [from, to] = [accountAt(command.from), accountAt(command.to)];
      const amount = partOf(withdrawable(x, from), command.permille) ?? 0n;
      const data = real.encode("transfer", [from, to, amount]);
      return { call: callOf(real, from, data), act: (it) => transfer(it, from, to, amount) };
    }
    case "settle": {
      const id = accountAt(command.account);
      const market = marketAt(command.market);
      const data = real.encode("settle", [id, market]);
      return { call: callOf(real, id, data), act: (it) => settleMarket(it, id, market) };
    }
    case "fund": {
      const amount = units(command.cents);
      const staker = stakerAt(real, command.staker ?? 0);
      const values: [bigint, string] = [amount, staker.address];
      const data = real.ballast.fund.interface.encodeFunctionData("deposit", values);
      const call = { owner: staker.owner, to: real.fund, data };
      return { call, act: (it) => stake(it, staker.address, amount) };
    }
    case "askExit": {
      const { owner, address } = stakerAt(real, command.staker);
      const shares = partOf(sharesOf(x, address), command.permille) ?? 0n;
      const data = real.ballast.fund.interface.encodeFunctionData("requestExit", [shares]);
      const call = { owner, to: real.fund, data };
      return { call, act: (it) => requestExit(it, address, shares) };
    }
    case "exit": {
      const { address } = stakerAt(real, command.staker);
      const data = real.ballast.fund.interface.encodeFunctionData("executeExit", [address]);
      const call = { owner: 0, to: real.fund, data };
      return { call, act: (it) => executeExit(it, address) };
    }
    case "release": {
      const { maxItems } = command;
      const data = real.ballast.vault.interface.encodeFunctionData("release", [maxItems]);
      const call = { owner: 0, to: real.vault, data };
      return { call, act: (it) => release(it, BigInt(maxItems)) };
    }
    case "liquidate": {
      const ids = (command.accounts ?? ACCOUNTS.map((_, i) => i)).map(accountAt);
      const rewardTo = rewardAt(command.rewardTo);
      const data = real.encode("liquidate", [ids, command.maxFills, rewardTo]);
      const terms = { maxFills: BigInt(command.maxFills), rewardTo };
      return { call: callOf(real, ACCOUNTS[0], data), act: (it) => liquidate(it, ids, terms) };
    }
    case "deleverage": {
      const ids = (command.accounts ?? ACCOUNTS.map((_, i) => i)).map(accountAt);
      const rewardTo = rewardAt(command.rewardTo);
      const data = real.encode("deleverage", [ids, command.maxFills, rewardTo]);
      const terms = { maxFills: BigInt(command.maxFills), rewardTo };
      return { call: callOf(real, ACCOUNTS[0], data), act: (it) => deleverage(it, ids, terms) };
    }
    case "takeover": {
      const to = accountAt(command.to);
      const market = marketAt(command.market);
      const from = weakest(x, market);
      const side = heldBy(x, from, market)?.side ?? 1n;
      const { mark } = marketOf(x.core, market);
      const worstPrice = (mark * (1000n + side * BigInt(command.worst))) / 1000n;
      const lots = lotsOf({ x, id: to, time: 0n }, market, opposite(side), command.size);
      const data = real.encode("takeover", [from, to, market, lots, worstPrice]);
      const order = { from, to, market, lots, worstPrice };
      return { call: callOf(real, to, data), act: (it) => takeover(it, order) };
    }
    case "cap": {
      const market = marketAt(command.market);
      const { openInterestCap: cap, maxLeverageClass } = venueOf(x, market).config;
      const next = (cap * BigInt(command.percent)) / 100n;
      if (command.by === "guardian") {
        const data = real.encode("reduceRisk", [market, next, maxLeverageClass, false]);
        return { call: roleCall(real, data), act: (it) => lowerCap(it, market, next) };
      }
      const data = real.encode("setConfig", [market, changedConfig(last, market, next)]);
      return { call: roleCall(real, data), act: (it) => changeCap(it, market, next) };
    }
    case "windDown": {
      const market = marketAt(command.market);
      const data = real.encode("windDown", [market]);
      return { call: roleCall(real, data), act: (it) => windDown(it, market) };
    }
    case "reopen": {
      const market = marketAt(command.market);
      const data = real.encode("reopen", [market]);
      return { call: roleCall(real, data), act: (it) => reopen(it, market) };
    }
    case "price":
    case "alone":
    case "wait":
      return undefined;
  }
}

function roleCall(real: Real, data: string): Call {
  return { owner: 0, to: real.address, data };
}

function changedConfig({ markets }: State, id: MarketId, openInterestCap: bigint) {
  const stored = markets.get(id)?.config;
  if (stored === undefined) throw new RangeError(`market ${id} is listed`);
  return { ...stored, openInterestCap };
}

/** Permille from the index, or from the price that waits if one does; 18 decimals. */
function aloneFrom(x: Exchange, real: Real, { market, from, permille }: Alone): bigint {
  const { prices, config } = venueOf(x, real.markets()[market] ?? 0);
  const base = from === "waiting" && isWaiting(prices) ? prices.waiting : prices.index;
  return (base * 10n ** config.lotDecimals * BigInt(1000 + permille)) / 1000n;
}

/** The account in a market whose equity is nearest to what it needs, or below. */
function weakest(x: Exchange, market: MarketId): AccountId {
  const room = (id: AccountId) => {
    const { equity, maintenance } = healthOf(x, id);
    return Number(equity - maintenance);
  };
  const holders = ACCOUNTS.filter((id) => heldBy(x, id, market) !== undefined);
  return holders.sort((a, b) => room(a) - room(b))[0] ?? ACCOUNTS[0];
}

function winner(x: Exchange, market: MarketId): AccountId {
  const { mark } = marketOf(x.core, market);
  const profit = (id: AccountId) => {
    const held = heldBy(x, id, market);
    if (held === undefined) return -Infinity;
    return Number(held.side * (held.lots * mark - held.cost));
  };
  return ACCOUNTS.toSorted((a, b) => profit(b) - profit(a))[0] ?? ACCOUNTS[0];
}

function richest(x: Exchange): AccountId {
  const beyond = (id: AccountId) => {
    const principal = principalOf(x.vault, x.owners.get(id) ?? "") * x.tokenScale;
    return Number(withdrawable(x, id) - principal);
  };
  return ACCOUNTS.toSorted((a, b) => beyond(b) - beyond(a))[0] ?? ACCOUNTS[0];
}

/** Beyond the last: nobody. */
function rewardAt(index: number): AccountId {
  return ACCOUNTS[index] ?? 0;
}

/** More than all is one more, so that the border is met. */
function partOf(available: bigint, permille: number | undefined): bigint | undefined {
  if (permille === undefined) return undefined;
  if (permille > 1000) return available + 1n;
  return (available * BigInt(permille)) / 1000n;
}

function callOf(real: Real, id: AccountId, data: string): Call {
  return { owner: (id - ACCOUNTS[0]) % OWNERS, to: real.address, data };
}

function stakerAt(real: Real, index: number): { owner: number; address: string } {
  const owner = OWNERS + index;
  return { owner, address: real.owners[owner] ?? "" };
}

function accountAt(index: number): AccountId {
  return ACCOUNTS[index] ?? ACCOUNTS[0];
}

function units(cents: number): bigint {
  return BigInt(cents) * 10n ** BigInt(TOKEN_DECIMALS - 2);
}

/* ORDERS */

type At = { readonly x: Exchange; readonly id: AccountId; readonly time: bigint };

function actionOf(at: At, market: MarketId, draft: ActionDraft): Action {
  switch (draft.kind) {
    case "place":
      return { kind: "place", ...wishOf(at, market, draft) };
    case "replace": {
      const slot = slotOf(at, market, draft.slot);
      const wish = wishOf(at, market, draft);
      const orders = venueOf(at.x, market).book.of(BigInt(at.id));
      const known = orders.find(({ id }) => id % 256n === slot);
      const { tick, expiry } = draft.keepsTick && known !== undefined ? known : wish;
      return { kind: "replace", slot, ...wish, tick, expiry };
    }
    case "cancel":
      return { kind: "cancel", market, slot: slotOf(at, market, draft.slot) };
    case "cancelAll":
      return { kind: "cancelAll", market };
    case "leverage":
      return { kind: "leverage", market, leverageClass: draft.leverageClass };
  }
}

/** One that is taken, if any is. */
function slotOf({ x, id }: At, market: MarketId, index: number): bigint {
  const orders = venueOf(x, market).book.of(BigInt(id));
  return (orders[index % Math.max(orders.length, 1)]?.id ?? 0n) % 256n;
}

function wishOf({ x, id, time }: At, market: MarketId, draft: OrderDraft) {
  const { unit, mark } = x.core.markets.get(market) ?? { unit: 1n, mark: 0n };
  const turns = "closes" in draft.size && heldBy(x, id, market)?.side === BigInt(draft.side);
  const way = turns ? -1 : 1;
  const steps = (mark * STEP) / (unit * ROUND) + BigInt(way * draft.offset);
  const tick = (steps * ROUND) / STEP;
  const side = way * draft.side === 1 ? 1n : (-1n as const);
  const lots = lotsOf({ x, id, time }, market, side, draft.size);
  const { timeInForce, reduceOnly } = draft;
  const expiry = draft.expiry === 0 ? 0n : time + BigInt(draft.expiry);
  return { market, side, timeInForce, reduceOnly, tick, lots, expiry } as const;
}

function lotsOf({ x, id }: At, market: MarketId, side: Side, size: Size): bigint {
  const { mark } = marketOf(x.core, market);
  if ("closes" in size) return most(1n, closableBy(x, id, market, side));
  if ("cents" in size) return (BigInt(size.cents) * 10n ** 16n) / mark;
  const { config } = venueOf(x, market);
  const leverage = LEVERAGES[Math.min(chosenClass(x, id, market), config.maxLeverageClass)] ?? 1n;
  const equity = most(0n, healthOf(x, id).equity);
  const power = BigInt("meets" in size ? size.meets : size.power);
  const lots = most(1n, (equity * leverage * power) / (1000n * mark));
  if ("power" in size) return lots;
  const { book } = venueOf(x, market);
  const other = bookSide(opposite(side));
  const [first] = book.queue(other, book.best(other));
  return least(lots, first?.lots ?? lots);
}

/** A step is a thousandth of this many ticks: the price at which both markets open. */
const ROUND = 100_000n;

function encodeAction(action: Action) {
  const none = { side: 0, timeInForce: 0, reduceOnly: false, tick: 0n, lots: 0n, expiry: 0n };
  const head = { kind: KINDS[action.kind], market: action.market, slot: 0n };
  switch (action.kind) {
    case "place":
    case "replace": {
      const { side, timeInForce, reduceOnly, tick, lots, expiry } = action;
      const slot = action.kind === "replace" ? action.slot : 0n;
      const own = { side: side === 1n ? 0 : 1, timeInForce: TIMES[timeInForce], reduceOnly };
      return { ...head, ...own, tick, lots, expiry, slot };
    }
    case "cancel":
      return { ...none, ...head, slot: action.slot };
    case "cancelAll":
      return { ...none, ...head };
    case "leverage":
      return { ...none, ...head, slot: BigInt(action.leverageClass) };
  }
}

/* THE START */

function openModel(real: Real, state: State, start: bigint): Exchange {
  const x = createExchange({
    markets: [...state.markets].map(([id, { config, caps }]) => ({
      id,
      config: configIn(config),
      growth: { full: caps.full, since: caps.since },
      quantity: config.quantityRule === 0n ? "Front" : "ProRata",
      deficit: config.deficitRule === 0n ? "Winners" : "Queue",
    })),
    owners: new Map(ACCOUNTS.map((id, i) => [id, real.owners[i % OWNERS] ?? ""])),
    fundShare: state.header.fundShare,
    tokenScale: state.header.tokenScale,
    stakers: real.owners.slice(OWNERS),
    outflow: real.limit,
    cooldown: real.cooldown,
    now: start - UNUSED,
  });
  setTime(x, start - UNUSED);
  for (const id of ACCOUNTS) {
    deposit(x, id, (state.money.get(id)?.balance ?? 0n) / x.tokenScale);
  }
  setTime(x, start);
  for (const { kind, source, price } of OPENING) {
    say(x, real.markets()[kind] ?? 0, source, { price, publishTime: start });
  }
  for (const id of x.venues.keys()) poke(x, id);
  return x;
}

type MarketOf = State["markets"] extends Map<number, infer Value> ? Value : never;

function configIn(config: MarketOf["config"]): Config {
  const tier = (upTo: bigint, maxLeverage: bigint) => ({ upTo: upTo * 10n ** 18n, maxLeverage });
  return {
    ...config,
    tiers: [
      tier(config.tierCap1, config.tierLeverage1),
      tier(config.tierCap2, config.tierLeverage2),
      tier(config.tierCap3, config.tierLeverage3),
      { upTo: undefined, maxLeverage: config.tierLeverage4 },
    ],
    minNotional: config.minNotional * MICRO,
    cohortBond: config.cohortBond * MICRO,
    maxLeverageClass: Number(config.maxLeverage),
    defaultLeverageClass: Number(config.defaultLeverage),
  };
}
