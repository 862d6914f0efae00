/** Turns blocks into the record: forced sales, deleveragings, what each winner lost, gas. */

import { HOUSE, LEVERAGES, SHORT, cohortName, sideOf } from "../lib/keys.js";
import type { EventNamed } from "../lib/events.js";
import { marginOf } from "../lib/margin.js";
import type { Prices } from "../lib/margin.js";
import { nearEdge } from "../lib/queue.js";
import type { Receipt } from "../lib/receipts.js";
import type { State } from "../lib/state.js";
import { abs, sum } from "../lib/units.js";
import { MARKET } from "./market.js";
import type { BlockView, Logged } from "./follower.js";
import type { Side } from "./population.js";
import type {
  ClosedRecord,
  CohortCutRecord,
  EventRecord,
  Holding,
  LiquidationRecord,
  LossRecord,
  TransactionRecord,
} from "./record.js";

export type Lists = {
  readonly liquidations: LiquidationRecord[];
  readonly events: EventRecord[];
  readonly losses: LossRecord[];
  readonly closed: ClosedRecord[];
  readonly transactions: TransactionRecord[];
};

export type Recorder = Lists & {
  /** Takes in a block of a step. */
  readonly record: (view: BlockView, step: number) => void;
};

/** Scale of edges of price classes. */
const EDGE_BITS = 22n;
/** Scale of average entry prices, in ticks. */
const ENTRY_BITS = 16n;
/** Rounding of an account in one block, quote; no loss is as small. */
const DUST = 10_000n;

export function createRecorder(): Recorder {
  const lists: Lists = { liquidations: [], events: [], losses: [], closed: [], transactions: [] };
  const gasOf = new Map<number, { gas: number; transactions: number }>();
  return {
    ...lists,
    record(view, step) {
      const place = { view, step, time: Number(view.time) };
      for (const { request, gas } of view.mined) {
        lists.transactions.push({ step, call: request.call, accounts: request.accounts ?? 0, gas });
      }
      noteGas(gasOf, view);
      lists.liquidations.push(...liquidationsOf(place));
      lists.closed.push(...closedOf(view));
      for (const receipt of view.receipts) {
        const spent = gasOf.get(Number(receipt.id)) ?? { gas: 0, transactions: 0 };
        lists.events.push(eventOf(place, receipt, spent));
      }
      if (view.receipts.length > 0) lists.losses.push(...lossesOf(view));
    },
  };
}

type Place = { readonly view: BlockView; readonly step: number; readonly time: number };

export function sideName(side: bigint | number): Side {
  return sideOf(side) === SHORT ? "short" : "long";
}

function namedIn<Name extends Logged["event"]["name"]>(
  view: BlockView,
  name: Name,
): EventNamed<Name>["args"][] {
  // The union's members carry their arguments under their name.
  return view.events
    .filter((event) => event.name === name)
    .map(({ args }) => args as EventNamed<Name>["args"]);
}

/** An event's gas is that of every transaction that worked on it. */
function noteGas(gasOf: Map<number, { gas: number; transactions: number }>, view: BlockView): void {
  for (const mined of view.mined) {
    const ids = new Set<number>();
    for (const { event, mined: by } of view.logged) {
      if (by !== mined) continue;
      if (
        event.name === "AccountDeleveraged" ||
        event.name === "CohortCut" ||
        event.name === "Deleveraged"
      ) {
        ids.add(Number(event.args.id));
      }
    }
    for (const id of ids) {
      const { gas, transactions } = gasOf.get(id) ?? { gas: 0, transactions: 0 };
      gasOf.set(id, { gas: gas + mined.gas, transactions: transactions + 1 });
    }
  }
}

function liquidationsOf({ view, step, time }: Place): LiquidationRecord[] {
  return namedIn(view, "Liquidated").map(({ account, buyer, lots, quote, mark, market }) => {
    const position = view.before.markets.get(Number(market))?.positions.get(Number(account));
    return {
      step,
      time,
      account: Number(account),
      buyer: Number(buyer),
      side: sideName((position?.kind ?? 0n) & 1n),
      lots,
      quote,
      mark,
    };
  });
}

function closedOf(view: BlockView): ClosedRecord[] {
  const { after, before, time } = view;
  return namedIn(view, "AccountDeleveraged").map(({ id, account, deficit }) => {
    const prices = { markets: after.markets, time };
    const [held] = marginOf(before, Number(account), prices).holdings;
    const mark = after.markets.get(MARKET)?.price.mark ?? 0n;
    const side = sideName(held?.side ?? 0);
    return {
      event: Number(id),
      account: Number(account),
      side,
      lots: held?.lots ?? 0n,
      mark,
      deficit,
    };
  });
}

function eventOf(
  { view, step, time }: Place,
  { id, side, receipt, before, haircuts, cuts }: Receipt,
  spent: { gas: number; transactions: number },
): EventRecord {
  const { quantityRule: _quantity, deficitRule: _deficit, parent, ...amounts } = receipt;
  const { unit } = before.quote;
  const named = namedIn(view, "AccountDeleveraged").filter((args) => args.id === id).length;
  return {
    ...amounts,
    ...spent,
    id: Number(id),
    parent: Number(parent),
    step,
    time,
    side: sideName(side),
    named,
    priceClasses: haircuts.length,
    cuts: cuts.map(({ cohort, lots, discount }): CohortCutRecord => ({
      ...describeCohort(cohort, unit),
      lotsBefore: before.cohorts.get(cohort) ?? 0n,
      members: Number(view.before.markets.get(MARKET)?.cohorts.get(cohort)?.members ?? 0n),
      lots,
      discount,
    })),
  };
}

export type CohortWords = Pick<CohortCutRecord, "cohort" | "side" | "leverage" | "from" | "to">;

/** A cohort's key in words: side, leverage, and the prices between which its members entered. */
export function describeCohort(cohort: number, unit: bigint): CohortWords {
  const { side, leverage, priceClass } = cohortName(cohort);
  return {
    cohort,
    side: sideName(side),
    leverage: Number(LEVERAGES[leverage] ?? 0n),
    // The near edge of a short class is its lower one, and the next class begins where this one ends.
    from: nearEdge(unit, SHORT, priceClass) >> EDGE_BITS,
    to: nearEdge(unit, SHORT, priceClass + 1) >> EDGE_BITS,
  };
}

/** Everyone who has less than before at the same prices, or fewer lots, because of the events of this block. */
function lossesOf(view: BlockView): LossRecord[] {
  const { before, after, time } = view;
  const prices: Prices = { markets: after.markets, time };
  const last = view.receipts.at(-1);
  const event = Number(last?.id ?? 0n);
  const mark = after.markets.get(MARKET)?.price.mark ?? 0n;
  const bystanders = [...after.accounts.keys()].filter((account) => !HOUSE.includes(account));
  const busy = busyIn(view);
  return bystanders.flatMap((account): LossRecord[] => {
    if (busy.closed.has(account)) return [];
    const was = marginOf(before, account, prices);
    const is = marginOf(after, account, prices);
    const [held, left] = [was.holdings[0], is.holdings[0]];
    if (held === undefined) return [];
    const side = sideName(held.side);
    const given = haircutOf(view, account, left?.haircut ?? 0n) - held.haircut;
    // A fill of its own changes equity too: there only what its receipt says counts.
    const taken = busy.traded.has(account) ? given : was.equity - is.equity;
    const lotsClosed = busy.traded.has(account) ? 0n : held.lots - (left?.lots ?? 0n);
    if (abs(taken) <= DUST && lotsClosed === 0n) return [];
    const sign = held.side === SHORT ? -1n : 1n;
    const profit = sign * held.lots * (mark - entryOf(before, account));
    return [{ event, account, side, lotsBefore: held.lots, lotsClosed, profit, taken }];
  });
}

function busyIn(view: BlockView): { traded: Set<number>; closed: Set<number> } {
  const traded = new Set<number>();
  for (const { maker, taker } of namedIn(view, "Filled"))
    traded.add(Number(maker)).add(Number(taker));
  const closed = new Set(namedIn(view, "AccountDeleveraged").map(({ account }) => Number(account)));
  for (const { account } of namedIn(view, "LiquidationEnded")) closed.add(Number(account));
  return { traded, closed };
}

/** Haircuts that an account was told in this block, and those that wait for its next touch. */
function haircutOf(view: BlockView, account: number, waiting: bigint): bigint {
  const told = namedIn(view, "Settled").filter((args) => Number(args.account) === account);
  return waiting + sum(told.map(({ haircut }) => haircut));
}

/** Average entry, quote per lot; 0 without a position. */
function entryOf(state: State, account: number): bigint {
  const market = state.markets.get(MARKET);
  const entry = market?.positions.get(account)?.entry ?? 0n;
  return (entry * (market?.config.unit ?? 0n)) >> ENTRY_BITS;
}

/** What an account has, at the state's own prices. */
export function holdingOf(state: State, account: number, time: bigint): Holding {
  const { equity, holdings } = marginOf(state, account, { markets: state.markets, time });
  const [held] = holdings;
  if (held === undefined) return { side: "long", lots: 0n, entry: 0n, equity };
  return { side: sideName(held.side), lots: held.lots, entry: entryOf(state, account), equity };
}
