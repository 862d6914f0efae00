/**
 * The crash itself: every 15 seconds a price, market makers around it, and keepers at work in the blocks until the next
 * one. Invariants are checked after every block.
 */

import { HOUSE, FUND } from "../lib/keys.js";
import { marginOf } from "../lib/margin.js";
import { MICRO } from "../lib/keys.js";
import type { State } from "../lib/state.js";
import { WHOLE } from "../lib/units.js";
import { cancelAll, encodeExecute, place } from "./actions.js";
import type { ActionStruct } from "../../typechain-types/interfaces/IExchange.js";
import { perLot } from "./exchange.js";
import { MARKET } from "./market.js";
import type { BlockView } from "./follower.js";
import type { Keepers } from "./keepers.js";
import { MAKERS, quotesAround } from "./makers.js";
import type { PricePath, PricePoint } from "./path.js";
import type { Progress } from "./progress.js";
import type { StepRecord } from "./record.js";
import type { Recorder } from "./recorder.js";
import type { Scenario } from "./scenario.js";
import { BLOCK_SECONDS, callOf } from "./session.js";
import type { Participant, Session } from "./session.js";
import { makerLeverage } from "./setup.js";
import type { Cast } from "./setup.js";

export type Act = {
  readonly session: Session;
  readonly scenario: Scenario;
  readonly path: PricePath;
  readonly cast: Cast;
  readonly keepers: Keepers;
  readonly recorder: Recorder;
  readonly progress: Progress;
};

export type Outcome = {
  readonly steps: readonly StepRecord[];
  /** When the first price stood, before anyone acted. */
  readonly start: State;
  /** After the last step in which an event happened; the start if none did. */
  readonly atLastEvent: { readonly state: State; readonly time: bigint };
  readonly end: State;
};

const QUOTE_GAS = 8_000_000;
const POKE_GAS = 1_000_000;
/** Blocks between two looks of keepers who found nothing to do. */
const IDLE_BLOCKS = 3;
/** How long keepers go on after the last price: it is fresh for longer. */
const LAST_SECONDS = 28;

export async function playCrash(act: Act): Promise<Outcome> {
  const { session, path, recorder, progress } = act;
  const steps: StepRecord[] = [];
  let start = session.follower.state();
  let atLastEvent = { state: start, time: BigInt(session.time()) };
  progress.begin("Crash", path.points.length);

  for (const [step, point] of path.points.entries()) {
    const opening = await openStep(act, point, step);
    if (step === 0) start = opening.after;
    if (step === 0) atLastEvent = { state: start, time: opening.time };
    const events = recorder.events.length;
    const next = path.points[step + 1];
    const until = next === undefined ? blockOf(act, point) + LAST_SECONDS : blockOf(act, next);
    const solvency = await letWork(act, { step, opening, until });
    const state = session.follower.state();
    steps.push(stepOf(act, { step, point, opening, state, solvency }));
    if (recorder.events.length > events) atLastEvent = { state, time: BigInt(session.time()) };
    progress.advance(`${recorder.events.length} events`);
  }
  progress.end();
  return { steps, start, atLastEvent, end: session.follower.state() };
}

/** The first block at or after the time of a price. */
function blockOf({ path }: Act, { seconds }: PricePoint): number {
  return path.start + Math.ceil(seconds / BLOCK_SECONDS) * BLOCK_SECONDS;
}

/** The price comes, the market is refreshed, and makers move their quotes. */
async function openStep(act: Act, point: PricePoint, step: number): Promise<BlockView> {
  const { session, path, cast, recorder } = act;
  const { chain } = session;
  await chain.submit(await session.publish(point.price, path.start + point.seconds));
  const publisher = await chain.actor("publisher");
  const poke = { call: "poke", name: "poke", args: [MARKET], gas: POKE_GAS } as const;
  await chain.submit(callOf(session, publisher, poke));
  if (point.isMove || step === 0) {
    // All old quotes go before new ones come, or one maker would trade with what another left behind.
    for (const maker of cast.makers) await execute(session, maker, [cancelAll()]);
    const quotes = quotesFor(act, point, session.follower.state());
    const first = step === 0 ? [makerLeverage()] : [];
    for (const maker of cast.makers) await execute(session, maker, [...first, ...quotes]);
  }
  const view = await session.block(blockOf(act, point));
  recorder.record(view, step);
  act.keepers.deliver(view.mined);
  return view;
}

function quotesFor(
  { scenario, session }: Act,
  { price }: PricePoint,
  state: State,
): ActionStruct[] {
  const { scale } = session;
  const index = price / scale.tick;
  const market = state.markets.get(MARKET);
  const openInterest = market?.flow.openInterest ?? 0n;
  const least = ((market?.config.minNotional ?? 0n) * MICRO) / perLot(price, scale) + 1n;
  const depth = (openInterest * scenario.book.depth) / WHOLE / BigInt(MAKERS);
  return quotesAround(scenario.book, { index, depth, least }).map((quote) => place(quote, "gtc"));
}

async function execute(
  { chain, exchange }: Session,
  { account, owner }: Participant,
  actions: readonly ActionStruct[],
): Promise<void> {
  if (actions.length === 0) return;
  const data = encodeExecute(account, actions);
  await chain.submit({ call: "quote", from: owner, to: exchange, data, gas: QUOTE_GAS });
}

type Window = { readonly step: number; readonly opening: BlockView; readonly until: number };

/** @returns seconds until nobody was insolvent; undefined if somebody still is. */
async function letWork(act: Act, { step, opening, until }: Window): Promise<number | undefined> {
  const { session, keepers, recorder, scenario } = act;
  const start = session.time();
  let solvency = distressOf(opening.after, opening.time).insolvent === 0 ? 0 : undefined;
  const usual = scenario.keepers.everyBlocks;
  for (let time = start + BLOCK_SECONDS; time < until;) {
    await session.chain.prepare(time);
    await keepers.work();
    const hasWork = session.chain.waiting() > 0;
    if (hasWork) {
      const view = await session.block(time);
      keepers.deliver(view.mined);
      recorder.record(view, step);
      const { insolvent } = distressOf(view.after, view.time);
      solvency = insolvent > 0 ? undefined : (solvency ?? time - start);
    } else if (!keepers.isBusy()) {
      break;
    }
    // Where nothing was to be done, all that can happen is that a clock runs out.
    time += BLOCK_SECONDS * (hasWork ? usual : Math.max(usual, IDLE_BLOCKS));
  }
  return solvency;
}

export type Distress = { readonly belowMaintenance: number; readonly insolvent: number };

/** Open accounts that cannot keep their positions, and those that have less than nothing. */
export function distressOf(state: State, time: bigint): Distress {
  let [belowMaintenance, insolvent] = [0, 0];
  for (const account of state.accounts.keys()) {
    if (HOUSE.includes(account)) continue;
    const margin = marginOf(state, account, { markets: state.markets, time });
    if (margin.holdings.length === 0 && margin.equity >= 0n) continue;
    if (margin.equity < margin.maintenance) belowMaintenance += 1;
    if (margin.equity < 0n) insolvent += 1;
  }
  return { belowMaintenance, insolvent };
}

type Ended = {
  readonly step: number;
  readonly point: PricePoint;
  readonly opening: BlockView;
  readonly state: State;
  readonly solvency: number | undefined;
};

function stepOf({ session }: Act, { step, point, opening, state, solvency }: Ended): StepRecord {
  const before = distressOf(opening.after, opening.time);
  const left = distressOf(state, BigInt(session.time()));
  const market = state.markets.get(MARKET);
  return {
    step,
    time: Number(opening.time),
    sourceTime: point.time,
    isMove: point.isMove,
    index: perLot(point.price, session.scale),
    mark: opening.after.markets.get(MARKET)?.price.mark ?? 0n,
    openInterest: market?.flow.openInterest ?? 0n,
    fund: state.money.get(FUND)?.balance ?? 0n,
    shortfall: market?.pool.shortfall ?? 0n,
    ...before,
    belowMaintenanceLeft: left.belowMaintenance,
    insolventLeft: left.insolvent,
    secondsToSolvency: solvency,
  };
}
