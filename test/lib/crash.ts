import { createTracer, trace as follow } from "../../scripts/lib/trace.js";
import type { Receipt } from "../../scripts/lib/receipts.js";
import { noteCrossing } from "../../scripts/lib/audit/pools.js";
import type { Crossings } from "../../scripts/lib/audit/pools.js";
import type { Step } from "../../scripts/lib/audit/step.js";
import { cohortKey, LONG, priceClassOf, SHORT } from "../../scripts/lib/keys.js";
import { applyEvent, createRebuild } from "../../scripts/lib/rebuild.js";
import { copyState } from "../../scripts/lib/state.js";
import { cut, GENESIS, haircut, openExchange, place, setMark, takeOut, trade } from "./story.js";
import type { Story } from "./story.js";

/* One crash, told twice: what led to it, and the event itself. */

export const LONG_CLASS = priceClassOf(1000n << 16n);
export const LONG_COHORT = cohortKey({ side: LONG, leverage: 0, priceClass: LONG_CLASS });

/** 10 and 12 are long 13 and 5 against 13, short 3, and 11, short 15 with hardly any margin; 10 and 12 quote. */
export function beforeCrash(): Story {
  const story = openExchange(1000n, 2n, 1000n, 1000n);
  trade(story, { maker: 13, taker: 10, side: LONG, tick: 1000n, lots: 3n });
  trade(story, { maker: 11, taker: 10, side: LONG, tick: 1000n, lots: 10n });
  trade(story, { maker: 11, taker: 12, side: LONG, tick: 1000n, lots: 5n });
  place(story, 10, { slot: 0, side: LONG, tick: 990n, lots: 3n });
  place(story, 12, { slot: 0, side: LONG, tick: 990n, lots: 4n });
  place(story, 12, { slot: 1, side: LONG, tick: 700n, lots: 1n });
  place(story, 12, { slot: 2, side: SHORT, tick: 1300n, lots: 2n });
  place(story, 12, { slot: 3, side: SHORT, tick: 1300n, lots: 2n, flags: 3n });
  return story;
}

/** The price rises by a fifth: 11 is closed, the longs give what it is missing, then 15 of their 18 lots. */
export function crash(story: Story): void {
  story.time += 2n;
  setMark(story, 1200n);
  const deficit = takeOut(story, 11, { id: 1n });
  haircut(story, { id: 1n, side: LONG, priceClass: LONG_CLASS }, deficit);
  cut(story, { id: 1n, cohort: LONG_COHORT }, 15n);
  const dust = { longLots: 0n, shortLots: 0n, longCost: 0n, shortCost: 0n };
  story.emit("DustChanged", { market: 0n, ...dust });
  const base = 18n * (1200n - 1008n) * 10n ** 15n;
  const receipt = {
    ...NO_RECEIPT,
    mark: 1200n * 10n ** 15n,
    lots: 15n,
    queueLots: 15n,
    deficit,
    haircut: deficit,
    base,
  };
  // The interface's own struct has the same fields.
  story.emit("Deleveraged", { id: 1n, market: 0n, side: 0n, receipt: receipt as never });
}

const NO_RECEIPT = {
  parent: 0n,
  quantityRule: 0n,
  deficitRule: 0n,
  mark: 0n,
  lots: 0n,
  bookLots: 0n,
  dustLots: 0n,
  queueLots: 0n,
  deficit: 0n,
  fundBefore: 0n,
  fundWithin: 0n,
  base: 0n,
  haircut: 0n,
  freshCharge: 0n,
  discount: 0n,
  fundBeyond: 0n,
  principal: 0n,
  shortfall: 0n,
};

/** What an auditor sees of the events from the `from`th on, as one step. */
export function stepFrom(story: Story, from: number): { step: Step; crossings: Crossings } {
  const rebuild = createRebuild(GENESIS);
  const tracer = createTracer();
  const crossings: Crossings = new Map();
  const receipts: Receipt[] = [];
  let before = copyState(rebuild.state);
  story.events.forEach((event, i) => {
    if (i === from) before = copyState(rebuild.state);
    noteCrossing(crossings, event, rebuild.state);
    const receipt = follow(tracer, event, { state: rebuild.state, time: story.time });
    if (receipt !== undefined && i >= from) receipts.push(receipt);
    applyEvent(rebuild, event, story.time);
  });
  const custody = { tracked: story.tracked, queued: 0n, held: story.tracked };
  const step: Step = {
    before,
    after: rebuild.state,
    custody: { before: custody, after: custody },
    events: story.events.slice(from),
    receipts,
    time: story.time,
  };
  return { step, crossings };
}
