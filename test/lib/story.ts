import { Rational } from "../model/rational.js";
import { encodeEvent, parseEvent } from "../../scripts/lib/events.js";
import type { EventName, EventNamed, ExchangeEvent } from "../../scripts/lib/events.js";
import {
  checkpointKey,
  classKey,
  cohortName,
  cohortOfPosition,
  LONG,
  orderId,
  SHORT,
  signOf,
} from "../../scripts/lib/keys.js";
import type { SideIndex } from "../../scripts/lib/keys.js";
import type { Struct, StructName } from "../../scripts/lib/layout.js";
import { applyEvent, createRebuild, marketOf } from "../../scripts/lib/rebuild.js";
import type { Genesis } from "../../scripts/lib/rebuild.js";
import type { Cohort, MarketConfig, Position, State } from "../../scripts/lib/state.js";
import { encode, toHex, zero } from "../../scripts/lib/words.js";

/*
 * Tells what happens on an exchange by the events it would write: a stand-in for the contracts where the readers of their
 * events are tested. Numbers follow the formulas of CohortMath; one market, no funding, no leverage but class 0.
 */

export const EXCHANGE = "0x00000000000000000000000000000000000000e1";
export const GENESIS: Genesis = {
  exchange: EXCHANGE,
  vault: "0x00000000000000000000000000000000000000e2",
  oracle: "0x00000000000000000000000000000000000000e3",
  tokenScale: 10n ** 12n,
};
/** Quote per lot and tick: a thousand ticks are one settlement unit a lot. */
export const UNIT = 10n ** 15n;
export const TOKEN = 10n ** 6n;
const SCALE_54 = 2n ** 54n;
const FULL = 2n ** 95n;

export const CONFIG: MarketConfig = {
  ...zero("MarketConfig"),
  unit: UNIT,
  tierCap1: 1_000_000n,
  tierCap2: 5_000_000n,
  tierCap3: 20_000_000n,
  tierLeverage1: 50n,
  tierLeverage2: 20n,
  tierLeverage3: 10n,
  tierLeverage4: 5n,
  maxLeverage: 7n,
  defaultLeverage: 4n,
  makerFee: 100n,
  takerFee: 500n,
  band: 50_000n,
  cohortBond: 100_000n,
  freshEpoch: 240n,
  impactNotional: 10n,
  eventBudget: 200_000n,
  dayBudget: 400_000n,
  marketShare: 600_000n,
};

export type Trade = {
  readonly maker: number;
  readonly taker: number;
  /** What the taker does. */
  readonly side: SideIndex;
  readonly tick: bigint;
  readonly lots: bigint;
};

export type Story = {
  readonly state: State;
  readonly events: ExchangeEvent[];
  /** Tokens that the vault has pulled less what it has paid. */
  tracked: bigint;
  time: bigint;
  emit<Name extends EventName>(name: Name, args: EventNamed<Name>["args"]): void;
};

export function createStory(): Story {
  const rebuild = createRebuild(GENESIS);
  const story: Story = {
    state: rebuild.state,
    events: [],
    tracked: 0n,
    time: 1_000_000n,
    emit(name, args) {
      // Through a real log, so that the codec is part of what is tested. Name and arguments belong together.
      const log = encodeEvent({ name, args } as unknown as ExchangeEvent, EXCHANGE);
      const event = parseEvent(log);
      if (event === undefined) throw new Error(`${name} is an event`);
      story.events.push(event);
      applyEvent(rebuild, event, story.time);
    },
  };
  return story;
}

export function word<Name extends StructName>(name: Name, value: Struct<Name>): string {
  return `0x${toHex(encode(name, value)[0] ?? 0n)}`;
}

/** A market at 1000 ticks, and accounts 10, 11, 12, … with these deposits in settlement units. */
export function openExchange(...deposits: readonly bigint[]): Story {
  const story = createStory();
  const owner = (i: number) => `0x${(0xa0 + i).toString(16).padStart(40, "0")}`;
  // The interface's own struct has the same fields.
  story.emit("MarketListed", { market: 0n, name: "TEST", config: CONFIG as never });
  setMark(story, 1000n);
  story.emit("FundBound", { fund: owner(99) });
  deposits.forEach((amount, i) => {
    const account = BigInt(10 + i);
    story.emit("AccountOpened", { account, owner: owner(i) });
    deposit(story, account, amount * TOKEN);
  });
  return story;
}

export function deposit(story: Story, account: bigint, amount: bigint): void {
  const balance = balanceOf(story, account) + amount * GENESIS.tokenScale;
  story.tracked += amount;
  story.emit("Deposited", { account, payer: EXCHANGE, amount, balance });
}

export function setMark(story: Story, ticks: bigint): void {
  const { price, book, sample } = marketOf(story.state, 0);
  const level = ticks * UNIT;
  story.emit("Refreshed", {
    market: 0n,
    price: word("MarkSlot", { ...price, mark: level, index: level }),
    book: word("BookSlot", { ...book, grade: 2n, refreshed: story.time }),
    sample: word("SampleSlot", sample),
    leg: 0n,
  });
}

export function balanceOf(story: Story, account: bigint): bigint {
  return story.state.money.get(Number(account))?.balance ?? 0n;
}

export function place(
  story: Story,
  account: number,
  order: { slot: number; side: SideIndex; tick: bigint; lots: bigint; flags?: bigint },
): bigint {
  const id = BigInt(orderId(account, order.slot));
  const { tick, lots, side } = order;
  const flags = order.flags ?? BigInt(side);
  const args = { market: 0n, account: BigInt(account), order: id, tick, lots, expiry: 0n, flags };
  story.emit("OrderPlaced", args);
  return id;
}

/** The maker's order rests in its slot 31, then the taker meets it. */
export function trade(story: Story, { maker, taker, side, tick, lots }: Trade): void {
  const makerSide = side === LONG ? SHORT : LONG;
  const order = place(story, maker, { slot: 31, side: makerSide, tick, lots });
  const quote = tick * UNIT * lots;
  const makerFee = ceil(quote * CONFIG.makerFee, 1_000_000n);
  const takerFee = ceil(quote * CONFIG.takerFee, 1_000_000n);
  story.emit("Filled", {
    market: 0n,
    maker: BigInt(maker),
    taker: BigInt(taker),
    order,
    side: BigInt(side),
    tick,
    lots,
    makerFee,
  });
  const totals = { fees: makerFee + takerFee, rest: 0n, bonds: 0n, longLots: 0n, unsettled: 0n };
  change(story, { account: maker, side: makerSide, tick, lots, fee: makerFee }, totals);
  change(story, { account: taker, side, tick, lots, fee: takerFee }, totals);
  storeTotals(story, totals);
}

export type Totals = {
  fees: bigint;
  rest: bigint;
  bonds: bigint;
  longLots: bigint;
  unsettled: bigint;
};

export function storeTotals(story: Story, totals: Totals): void {
  const { flow, pool } = marketOf(story.state, 0);
  story.emit("TotalsChanged", {
    market: 0n,
    flow: word("FlowSlot", {
      openInterest: flow.openInterest + totals.longLots,
      fees: flow.fees + totals.fees,
      rest: flow.rest + totals.rest,
      bonds: flow.bonds + totals.bonds,
    }),
    pool: word("PoolSlot", { ...pool, unsettled: pool.unsettled + totals.unsettled }),
  });
}

type Change = { account: number; side: SideIndex; tick: bigint; lots: bigint; fee: bigint };

/** Opens, adds to or closes a position whose cohort saw no event. */
function change(story: Story, { account, side, tick, lots, fee }: Change, totals: Totals): void {
  const market = marketOf(story.state, 0);
  const held = market.positions.get(account);
  const quote = tick * UNIT * lots;
  let balance = balanceOf(story, BigInt(account)) - fee;
  let after: Position;
  if (held !== undefined && Number(held.kind & 1n) !== side) {
    const released = held.lots === lots ? held.cost : (held.cost * lots) / held.lots;
    balance += signOf(Number(held.kind & 1n) === 0 ? LONG : SHORT) * (quote - released);
    after = { ...held, lots: held.lots - lots, cost: held.cost - released };
    if (side === SHORT) totals.longLots -= lots;
  } else {
    const before = held?.lots ?? 0n;
    const entry = (before * (held?.entry ?? 0n) + lots * tick * 2n ** 16n) / (before + lots);
    const cost = (held?.cost ?? 0n) + quote;
    after = { lots: before + lots, cost, entry, checkpoint: 0n, kind: BigInt(side) };
    if (side === LONG) totals.longLots += lots;
  }
  move(story, { account, before: held, after }, { balance, totals });
}

type Move = { account: number; before: Position | undefined; after: Position };

function move(
  story: Story,
  { account, before, after }: Move,
  { balance, totals }: { balance: bigint; totals: Totals },
): void {
  const bond = CONFIG.cohortBond * 10n ** 12n;
  const isOpen = after.lots > 0n;
  const [from, to] = [before && cohortOfPosition(before), cohortOfPosition(after)];
  let stored = cohortOf(story, to);
  if (before !== undefined && from !== undefined && (from !== to || !isOpen)) {
    const left = without(cohortOf(story, from), before);
    if (left.members === 0n) {
      totals.bonds -= 1n;
      balance += bond;
    }
    if (isOpen) {
      story.emit("CohortChanged", {
        market: 0n,
        cohort: BigInt(from),
        cohortWord: word("Cohort", left),
      });
    } else stored = left;
  } else if (before !== undefined) stored = without(stored, before);
  if (isOpen) {
    if (stored.members === 0n && before === undefined) {
      totals.bonds += 1n;
      balance -= bond;
    }
    stored = {
      lots: stored.lots + after.lots,
      members: stored.members + 1n,
      checkpoint: stored.checkpoint,
      referenced: 1n,
      cost: stored.cost + after.cost,
    };
    after = { ...after, checkpoint: stored.checkpoint };
  }
  story.emit("PositionChanged", {
    market: 0n,
    account: BigInt(account),
    position: isOpen ? word("Position", after) : `0x${toHex(0n)}`,
    cohort: BigInt(isOpen ? to : (from ?? to)),
    cohortWord: word("Cohort", stored),
    balance,
  });
}

function without(cohort: Cohort, position: Position): Cohort {
  const { lots, cost, members } = cohort;
  return {
    ...cohort,
    lots: lots - position.lots,
    cost: cost - position.cost,
    members: members - 1n,
  };
}

function cohortOf(story: Story, key: number): Cohort {
  return marketOf(story.state, 0).cohorts.get(key) ?? zero("Cohort");
}

/** The account's position leaves its cohort at mark; if that is not enough its balance is set to 0. */
export function takeOut(story: Story, account: number, { id }: { id: bigint }): bigint {
  const market = marketOf(story.state, 0);
  const held = market.positions.get(account);
  if (held === undefined) throw new Error("there is a position");
  const side = Number(held.kind) === 0 ? LONG : SHORT;
  const profit = signOf(side) * (held.lots * market.price.mark - held.cost);
  const totals = { fees: 0n, rest: 0n, bonds: 0n, longLots: 0n, unsettled: 0n };
  totals.rest = -profit - signOf(side) * held.cost;
  if (side === LONG) totals.longLots = -held.lots;
  const balance = balanceOf(story, BigInt(account)) + profit;
  move(story, { account, before: held, after: { ...held, lots: 0n } }, { balance, totals });
  const equity = balanceOf(story, BigInt(account));
  const deficit = equity < 0n ? -equity : 0n;
  story.emit("AccountDeleveraged", {
    id,
    account: BigInt(account),
    equity,
    deficit,
    penalty: 0n,
    balance: equity + deficit,
  });
  storeTotals(story, totals);
  return deficit;
}

/** U += ⌈amount · 2^54 / ΣQ⌉; the amount leaves the pool. */
export function haircut(
  story: Story,
  { id, side, priceClass }: { id: bigint; side: SideIndex; priceClass: number },
  amount: bigint,
): void {
  const market = marketOf(story.state, 0);
  const { lots, haircut: before } =
    market.classes.get(classKey(side, priceClass)) ?? zero("PriceClass");
  const haircutIndex = before + ceil(amount * SCALE_54, lots);
  const where = { id, market: 0n, side: BigInt(side), priceClass: BigInt(priceClass) };
  story.emit("Haircut", { ...where, lots, amount, haircutIndex });
  storeTotals(story, { fees: 0n, rest: 0n, bonds: 0n, longLots: 0n, unsettled: -amount });
}

/** Takes haircuts over, then closes lots of a cohort at mark. */
export function cut(
  story: Story,
  { id, cohort: key }: { id: bigint; cohort: number },
  lots: bigint,
): void {
  const market = marketOf(story.state, 0);
  const { side, priceClass } = cohortName(key);
  const sign = signOf(side);
  const cohort = { ...cohortOf(story, key) };
  const stored = market.checkpoints.get(checkpointKey(key, Number(cohort.checkpoint)));
  const at = { ...(stored ?? { ...zero("Checkpoint"), mantissa: FULL }) };
  const index = market.classes.get(classKey(side, priceClass))?.haircut ?? 0n;
  const due = index - at.haircut;
  const takenOver = ceil(cohort.lots * due, SCALE_54);
  at.given += ceil(at.mantissa * due, SCALE_54);
  at.haircut = index;
  cohort.cost += sign * takenOver;

  const proceeds = sign * lots * market.price.mark;
  const released = sign * Rational.of(sign * cohort.cost * lots, cohort.lots).floor();
  at.cash += Rational.of(at.mantissa * proceeds, cohort.lots).floor();
  if (lots === cohort.lots) at.mantissa = 0n;
  else {
    at.mantissa = (at.mantissa * (cohort.lots - lots)) / cohort.lots;
    while (at.mantissa < FULL) {
      at.mantissa *= 2n;
      at.exponent += 1n;
      at.cash *= 2n;
      at.given *= 2n;
    }
  }
  cohort.checkpoint += 1n;
  cohort.referenced = 0n;
  cohort.lots -= lots;
  cohort.cost -= released;
  const totals = { fees: 0n, rest: -proceeds, bonds: 0n, longLots: 0n, unsettled: 0n };
  totals.unsettled = takenOver + proceeds - sign * released;
  if (side === LONG) totals.longLots = -lots;
  story.emit("CheckpointWritten", {
    market: 0n,
    cohort: BigInt(key),
    number: cohort.checkpoint,
    word: word("Checkpoint", at),
    // Both count modulo 2^256.
    cash: BigInt.asIntN(256, at.cash),
    given: BigInt.asUintN(256, at.given),
  });
  const names = { market: 0n, cohort: BigInt(key) };
  story.emit("CohortChanged", { ...names, cohortWord: word("Cohort", cohort) });
  story.emit("CohortCut", { id, ...names, lots, proceeds, discount: 0n });
  storeTotals(story, totals);
}

function ceil(dividend: bigint, divisor: bigint): bigint {
  return Rational.of(dividend, divisor).ceil();
}
