import type { Known, KnownMarket } from "./known.js";
import { knownMarket } from "./known.js";
import {
  classKey,
  cohortName,
  cohortOfPosition,
  FIRST_ACCOUNT,
  HOUSE,
  LEVERAGES,
  orderId,
  sideOfLevel,
  tickOfLevel,
} from "./keys.js";
import { MARKET_SLOTS, STATE_SLOTS } from "./layout.js";
import { createPlan } from "./plan.js";
import type { ReadPlan, WordReader } from "./plan.js";
import { emptyMarket, emptyState, tickWordKey } from "./state.js";
import type { MarketState, State } from "./state.js";
import { entrySlot, slotsOf, toHex } from "./words.js";

/*
 * Reads the whole state of the exchange from storage, as raw words, in three steps: the header, what the known keys lead
 * to, and what the words just read lead to.
 */

/** What is read of one market, and where to. */
type Target = {
  readonly base: bigint;
  readonly market: MarketState;
  readonly known: KnownMarket;
};

const SUMMARY = LEVERAGES.length * 2 ** 4;
const TICK_MIDDLE = 2 ** 16;
const TICK_ROOT = 2 ** 17;
/** Slots that one call reads at most: a cold read is 2,100 gas. */
const CHUNK = 5_000;
/** extsload(bytes32[]). */
const EXTSLOAD = "0xdbd035ff";

/** What a provider of ethers can do, in part. */
export type Caller = {
  call(request: { to: string; data: string; blockTag?: number | string }): Promise<string>;
};

/** Reads words through `Exchange.extsload`. Coded by hand, because a bulk read is what a decoder is slow at. */
export function createReader(
  caller: Caller,
  exchange: string,
  blockTag: number | "latest" = "latest",
): WordReader {
  return async (slots) => {
    const words: bigint[] = [];
    for (let from = 0; from < slots.length; from += CHUNK) {
      const chunk = slots.slice(from, from + CHUNK);
      const head = toHex(32n) + toHex(BigInt(chunk.length));
      const data = EXTSLOAD + head + chunk.map(toHex).join("");
      const result = await caller.call({ to: exchange, data, blockTag });
      for (let i = 0; i < chunk.length; i++) {
        const start = 2 + 64 * (2 + i);
        words.push(BigInt(`0x${result.slice(start, start + 64)}`));
      }
    }
    return words;
  };
}

/** @param only The markets to read; all of them if it is left out. */
export async function readState(
  read: WordReader,
  known: Known,
  only?: readonly number[],
): Promise<State> {
  const state = emptyState();
  const head = createPlan();
  head.struct("Header", BigInt(STATE_SLOTS.header), (header) => (state.header = header));
  head.struct("FundSlot", BigInt(STATE_SLOTS.drawn), (drawn) => (state.drawn = drawn));
  head.struct("DistressSlot", BigInt(STATE_SLOTS.distress), (value) => (state.distress = value));
  await head.run(read);

  const targets: Target[] = [];
  for (let id = 0; id < Number(state.header.marketCount); id++) {
    if (only?.includes(id) === false) continue;
    const market = emptyMarket();
    state.markets.set(id, market);
    const base = entrySlot(BigInt(STATE_SLOTS.markets), BigInt(id));
    targets.push({ base, market, known: knownMarket(known, id) });
  }
  const middle = createPlan();
  planAccounts(middle, state, known);
  for (const target of targets) {
    planFixed(middle, target);
    planKnown(middle, target);
  }
  await middle.run(read);

  const last = createPlan();
  for (const target of targets) planFound(last, target);
  await last.run(read);
  return state;
}

function planAccounts(plan: ReadPlan, state: State, known: Known): void {
  const keys = [...HOUSE];
  for (let id = FIRST_ACCOUNT; id <= Number(state.header.accountCount); id++) keys.push(id);
  plan.structs("Account", { base: BigInt(STATE_SLOTS.accounts), keys, into: state.accounts });
  plan.structs("Money", { base: BigInt(STATE_SLOTS.money), keys, into: state.money });
  for (const [key, { account, operator }] of known.operators) {
    const ofAccount = entrySlot(BigInt(STATE_SLOTS.operators), BigInt(account));
    plan.struct("Operator", entrySlot(ofAccount, BigInt(operator)), (value) => {
      if (value.scope + value.expiry !== 0n) state.operators.set(key, value);
    });
  }
  for (const [key, { owner, word }] of known.nonces) {
    const ofOwner = entrySlot(BigInt(STATE_SLOTS.nonces), BigInt(owner));
    plan.word(entrySlot(ofOwner, word), (value) => {
      if (value !== 0n) state.nonces.set(key, value);
    });
  }
}

function planFixed(plan: ReadPlan, { base, market }: Target): void {
  const at = (slot: number) => base + BigInt(slot);
  plan.struct("MarkSlot", at(MARKET_SLOTS.price), (value) => (market.price = value));
  plan.struct("BookSlot", at(MARKET_SLOTS.book), (value) => (market.book = value));
  plan.struct("SampleSlot", at(MARKET_SLOTS.sample), (value) => (market.sample = value));
  plan.struct("FlowSlot", at(MARKET_SLOTS.flow), (value) => (market.flow = value));
  plan.struct("PoolSlot", at(MARKET_SLOTS.pool), (value) => (market.pool = value));
  plan.struct("MarketConfig", at(MARKET_SLOTS.config), (value) => (market.config = value));
  plan.struct("DustSlot", at(MARKET_SLOTS.dust), (value) => (market.dust = value));
  plan.struct("BucketSlot", at(MARKET_SLOTS.bucket), (value) => (market.bucket = value));
  plan.struct("ChargeSlot", at(MARKET_SLOTS.charges), (value) => (market.charges = value));
  const volatility = at(MARKET_SLOTS.volatility);
  plan.struct("VolatilitySlot", volatility, (value) => (market.volatility = value));
  plan.struct("CapSlot", at(MARKET_SLOTS.caps), (value) => (market.caps = value));
  plan.struct("WindSlot", at(MARKET_SLOTS.wind), (value) => (market.wind = value));
  const pending = MARKET_SLOTS.pending;
  plan.struct("EventSlot", at(pending), (value) => (market.pending.head = value));
  for (const side of [0, 1] as const) {
    plan.struct(
      "FreshSide",
      at(MARKET_SLOTS.fresh + side),
      (value) => (market.fresh[side] = value),
    );
    const first = pending + slotsOf("EventSlot") + side * slotsOf("EventSide");
    plan.struct("EventSide", at(first), (value) => (market.pending.sides[side] = value));
  }
}

/** What the keys from events lead to. */
function planKnown(plan: ReadPlan, { base, market, known }: Target): void {
  const at = (member: keyof typeof MARKET_SLOTS) => base + BigInt(MARKET_SLOTS[member]);
  const { accounts: keys } = known;
  plan.structs("Position", { base: at("positions"), keys, into: market.positions });
  plan.structs("Resting", { base: at("resting"), keys, into: market.resting });
  plan.structs("FreshRecord", { base: at("freshRecords"), keys, into: market.freshRecords });
  plan.structs("Level", { base: at("levels"), keys: known.levels, into: market.levels });
  plan.structs("Cohort", { base: at("cohorts"), keys: known.cohorts, into: market.cohorts });
  const classes = new Set([...known.cohorts].map(classOfCohort));
  plan.structs("PriceClass", { base: at("classes"), keys: classes, into: market.classes });
  const marks = { base: at("freshMarks"), keys: known.freshMarks, into: market.freshMarks };
  plan.structs("FreshMark", marks);
  const words = occupiedKeys(known.cohorts);
  plan.words({ base: at("occupied"), keys: words, into: market.occupied });
  for (const side of [0, 1] as const) {
    const words = tickWords([...known.levels].filter((key) => sideOfLevel(key) === side));
    const ofSide = entrySlot(at("ticks"), BigInt(side));
    for (const word of words) {
      plan.word(entrySlot(ofSide, BigInt(word)), (value) => {
        if (value !== 0n) market.ticks.set(tickWordKey(side, word), value);
      });
    }
  }
}

/** What the words read before lead to: orders in used slots, and the checkpoints that members may need. */
function planFound(plan: ReadPlan, { base, market, known }: Target): void {
  const orders: number[] = [];
  for (const [account, { used }] of market.resting) {
    for (let slot = 0; used >> BigInt(slot) !== 0n; slot++) {
      if ((used >> BigInt(slot)) & 1n) orders.push(orderId(account, slot));
    }
  }
  const bases = BigInt(MARKET_SLOTS.orders) + base;
  plan.structs("Order", { base: bases, keys: orders, into: market.orders });
  const checkpoints = BigInt(MARKET_SLOTS.checkpoints) + base;
  const keys = neededCheckpoints(market, known);
  plan.structs("Checkpoint", { base: checkpoints, keys, into: market.checkpoints });
}

/** Of every cohort that has lots or members: from the oldest checkpoint that a member names to the current one. */
function neededCheckpoints(market: MarketState, known: KnownMarket): number[] {
  const oldest = new Map<number, number>();
  for (const [key, cohort] of market.cohorts) oldest.set(key, Number(cohort.checkpoint));
  for (const position of market.positions.values()) {
    if (position.lots === 0n) continue;
    const key = cohortOfPosition(position);
    const number = Number(position.checkpoint);
    oldest.set(key, Math.min(number, oldest.get(key) ?? number));
  }
  return [...known.checkpoints].filter((key) => {
    const [cohort, number] = [Math.floor(key / 2 ** 24), key % 2 ** 24];
    return number >= (oldest.get(cohort) ?? 0);
  });
}

function classOfCohort(key: number): number {
  const { side, priceClass } = cohortName(key);
  return classKey(side, priceClass);
}

/** Words of the bitmap of price classes that hold these cohorts, and both summaries, which tell of any other. */
export function occupiedKeys(cohorts: Iterable<number>): Set<number> {
  const keys = new Set([SUMMARY, 2 ** 8 + SUMMARY]);
  for (const cohort of cohorts) {
    const { side, leverage, priceClass } = cohortName(cohort);
    keys.add(side * 2 ** 8 + leverage * 2 ** 4 + Math.floor(priceClass / 2 ** 8));
  }
  return keys;
}

/** The words of the bitmap of ticks that say something about these levels. */
export function tickWords(levels: readonly number[]): Set<number> {
  const words = new Set([TICK_ROOT]);
  for (const key of levels) {
    const tick = tickOfLevel(key);
    words.add(Math.floor(tick / 2 ** 8));
    words.add(TICK_MIDDLE + Math.floor(tick / 2 ** 16));
  }
  return words;
}
