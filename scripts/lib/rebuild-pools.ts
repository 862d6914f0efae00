import type { EventNamed } from "./events.js";
import {
  checkpointKey,
  classKey,
  cohortName,
  LEVERAGES,
  SHORT,
  sideOf,
  TOP_CLASS,
} from "./keys.js";
import { freshMarkKey } from "./state.js";
import type { Cohort, MarketState } from "./state.js";
import { decode, isZero, zero } from "./words.js";

/* Positions, cohorts, price classes and fresh profit from their events. Words come as they are stored. */

const SUMMARY = LEVERAGES.length * 2 ** 4;
const SUMMARY_BITS = 16;

export function positionChanged(
  market: MarketState,
  args: EventNamed<"PositionChanged">["args"],
): void {
  const account = Number(args.account);
  const position = decode("Position", [BigInt(args.position)]);
  if (isZero(position)) market.positions.delete(account);
  else market.positions.set(account, position);
  cohortChanged(market, args);
}

/** The price class of the cohort and the bitmap of occupied classes follow from the cohort. */
export function cohortChanged(
  market: MarketState,
  args: { readonly cohort: bigint; readonly cohortWord: string },
): void {
  const key = Number(args.cohort);
  const before = market.cohorts.get(key) ?? zero("Cohort");
  const after = decode("Cohort", [BigInt(args.cohortWord)]);
  if (isZero(after)) market.cohorts.delete(key);
  else market.cohorts.set(key, after);
  changeClass(market, key, { before, after });
  changeTop(market, key, after.lots - before.lots);
  const isOccupied = after.lots > 0n;
  if (isOccupied !== before.lots > 0n) markOccupied(market, key, isOccupied);
}

export function checkpointWritten(
  market: MarketState,
  args: EventNamed<"CheckpointWritten">["args"],
): void {
  const words = [BigInt(args.word), BigInt.asUintN(256, args.cash), args.given];
  const key = checkpointKey(Number(args.cohort), Number(args.number));
  market.checkpoints.set(key, decode("Checkpoint", words));
}

export function classCharged(
  market: MarketState,
  args: EventNamed<"Haircut" | "PrincipalCharged">["args"],
): void {
  const key = classKey(sideOf(args.side), Number(args.priceClass));
  const priceClass = market.classes.get(key);
  if (priceClass !== undefined) priceClass.haircut = args.haircutIndex;
}

/** A record that is gone does not say of which side it was, but the one before does. */
export function freshChanged(market: MarketState, args: EventNamed<"FreshChanged">["args"]): void {
  const account = Number(args.account);
  const record = decode("FreshRecord", [BigInt(args.record)]);
  const { tag } = isZero(record) ? (market.freshRecords.get(account) ?? record) : record;
  if (isZero(record)) market.freshRecords.delete(account);
  else market.freshRecords.set(account, record);
  market.fresh[sideOf(tag & 1n)] = decode("FreshSide", [BigInt(args.side)]);
}

export function freshSideChanged(
  market: MarketState,
  args: EventNamed<"FreshSideChanged">["args"],
): void {
  market.fresh[sideOf(args.side)] = decode("FreshSide", [BigInt(args.word)]);
}

/** An event leaves a mark of what the side's keep was at the end of the epoch; FreshSideChanged came before. */
export function freshCharged(market: MarketState, args: EventNamed<"FreshCharged">["args"]): void {
  const side = Number(args.side);
  const { epoch, keep, generation } = market.fresh[sideOf(side)];
  market.freshMarks.set(freshMarkKey(side, Number(epoch)), { keep, generation });
}

/** What the top leverage classes of a side hold is counted beside their cohorts. */
function changeTop({ caps }: MarketState, key: number, lots: bigint): void {
  const { side, leverage } = cohortName(key);
  if (leverage < TOP_CLASS) return;
  if (side === SHORT) caps.topShort += lots;
  else caps.topLong += lots;
}

type Change = { readonly before: Cohort; readonly after: Cohort };

function changeClass(market: MarketState, cohort: number, { before, after }: Change): void {
  const { side, priceClass } = cohortName(cohort);
  const key = classKey(side, priceClass);
  const known = market.classes.get(key) ?? zero("PriceClass");
  known.lots += after.lots - before.lots;
  known.members += after.members - before.members;
  // A class without lots forgets its haircuts: nobody holds a lot that gave.
  if (known.lots === 0n) known.haircut = 0n;
  if (isZero(known)) market.classes.delete(key);
  else market.classes.set(key, known);
}

function markOccupied(market: MarketState, cohort: number, isSet: boolean): void {
  const { side, leverage, priceClass } = cohortName(cohort);
  const word = Math.floor(priceClass / 2 ** 8);
  const base = side === SHORT ? 2 ** 8 : 0;
  const places = [
    [base + leverage * 2 ** 4 + word, priceClass % 2 ** 8],
    [base + SUMMARY, leverage * SUMMARY_BITS + word],
  ] as const;
  for (const [key, bit] of places) {
    const before = market.occupied.get(key) ?? 0n;
    const mask = 1n << BigInt(bit);
    const after = isSet ? before | mask : before & ~mask;
    if (after === 0n) market.occupied.delete(key);
    else market.occupied.set(key, after);
    if (!isSet && after !== 0n) return;
  }
}
