/** The report's sentences: what happened, for someone who trades and does not read code. */

import { sum } from "../../lib/units.js";
import {
  elapsed,
  integer,
  money,
  opposite,
  percent,
  percentOf,
  plural,
  price,
  utc,
} from "../figures.js";
import { envelopeOf } from "../envelope.js";
import type { Envelope } from "../envelope.js";
import type { Metrics } from "../metrics.js";
import { isWhole } from "../record.js";
import type { EventRecord, RunRecord, StepRecord } from "../record.js";
import { splitRule } from "../scenario.js";

/** Steps told one by one at most: those with the largest deficits. */
const MOST_PARAGRAPHS = 8;

/** The one sentence that matters. */
export function verdict(record: RunRecord, metrics: Metrics): string {
  if (!isWhole(record))
    return "An invariant broke. The figures below cannot be trusted until it is understood.";
  const { money: paid, adl } = metrics;
  if (adl.events === 0)
    return "Every loss was covered by the margin of the one who made it. Nobody was deleveraged.";
  if (paid.deficit === 0n) {
    return `Positions were closed in the queue, but every loss was covered by the margin of the one who made it. Nobody gave up profit.`;
  }
  if (paid.shortfall > 0n)
    return `${money(paid.shortfall)} could not be paid by anyone yet; the market only shrinks until it is repaid.`;
  return `${money(paid.deficit)} was missing, ${money(paid.fundPaid + paid.taken)} was taken: not one unit more than was needed, and nobody is owed anything.`;
}

/** The run in three or four sentences. */
export function summary(record: RunRecord, metrics: Metrics): string[] {
  const { money: paid, openInterest, adl, liquidated } = metrics;
  const paragraphs = [courseOf(record)];

  const forced: string[] = [];
  if (liquidated.accounts > 0) {
    forced.push(
      `${plural(liquidated.accounts, "account")} fell below maintenance margin in time to sell into the book, for ${money(liquidated.notional)} in all.`,
    );
  }
  if (adl.events > 0) {
    forced.push(
      `${plural(adl.closedAccounts, "account")} could not be saved by selling into the book in time and ${adl.closedAccounts === 1 ? "was" : "were"} closed in ${plural(adl.events, "event")}. ` +
        `What the book did not take was closed against the front of the queue: ${percent(adl.ofSide)} of all positions on that side.`,
    );
  }
  if (forced.length > 0) paragraphs.push(forced.join(" "));
  if (paid.deficit > 0n) {
    paragraphs.push(
      `Together they had lost ${money(paid.deficit)} more than their margin, ${percentOf(paid.deficit, openInterest)} of open interest. ` +
        `The insurance fund paid ${money(paid.fundPaid)} of it, as much as its budgets allow. ${winnersSentence(record, metrics)}`,
    );
  }
  return paragraphs;
}

function courseOf(record: RunRecord): string {
  const { setting, steps } = record;
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return "";
  const lowest = steps.reduce((least, step) => (step.index < least.index ? step : least), first);
  const highest = steps.reduce((most, step) => (step.index > most.index ? step : most), first);
  const extreme = first.index - lowest.index >= highest.index - first.index ? lowest : highest;
  const change = signed(first, extreme);
  const end = extreme === last ? "" : `, and ended at ${price(last.index, setting.scale)}`;
  return `In ${duration(extreme.time - first.time)} the price went from ${price(first.index, setting.scale)} to ${price(extreme.index, setting.scale)} (${change})${end}. ${worstOf(envelopeOf(record))}`;
}

function worstOf({ worst, seconds, stated, times }: Envelope): string {
  return `The worst move within ${seconds} seconds was ${percent(worst)}, ${times.toFixed(1)} times the ${percent(stated)} that the market was listed for.`;
}

function signed(from: StepRecord, to: StepRecord): string {
  const change = percentOf(to.index - from.index, from.index);
  return change.startsWith("−") ? change : `+${change}`;
}

function duration(seconds: number): string {
  if (seconds < 120) return plural(seconds, "second");
  return plural(Math.round(seconds / 60), "minute");
}

function winnersSentence({ setting }: RunRecord, { money: paid, haircut }: Metrics): string {
  if (paid.taken === 0n) return "That was all of it: no winner gave anything.";
  if (splitRule(setting.rule).deficit === "Queue") {
    return (
      `The other ${money(paid.taken)} fell on those at the front of the queue, who were closed at the price at which the losers' margin ran out. ` +
      `The hardest hit gave ${percent(haircut.largest)} of its profit; ${percent(haircut.even)} would have been enough had everyone in profit given the same.`
    );
  }
  return (
    `The other ${money(paid.taken)} came from everyone who was in profit when it was missing, in proportion: ${percent(haircut.mean)} of profit on average, at most ${percent(haircut.largest)}. ` +
    `Positions closed in the queue were closed at the mark, so being cut cost nobody more than not being cut.`
  );
}

export type Paragraph = { readonly time: string; readonly text: string };

/** What happened step by step. */
export function story(record: RunRecord): Paragraph[] {
  const bySize = [...record.steps]
    .map((step) => ({ step, weight: weightOf(step, record) }))
    .filter(({ weight }) => weight > 0n)
    .sort((a, b) => (a.weight < b.weight ? 1 : a.weight > b.weight ? -1 : 0));
  const told = new Set(bySize.slice(0, MOST_PARAGRAPHS).map(({ step }) => step.step));
  return record.steps
    .filter(({ step }) => told.has(step))
    .map((step) => ({ time: timeOf(step, record), text: stepText(step, record) }));
}

/** Deficits first, then how much was closed. */
function weightOf({ step }: StepRecord, { events, liquidations }: RunRecord): bigint {
  const mine = events.filter((event) => event.step === step);
  const sales = liquidations.filter((sale) => sale.step === step);
  return (
    sum(mine.map(({ deficit }) => deficit)) * 1_000_000n +
    sum(mine.map(({ lots }) => lots)) +
    sum(sales.map(({ lots }) => lots))
  );
}

function timeOf(step: StepRecord, { setting, steps }: RunRecord): string {
  if (setting.candles !== undefined) return `${utc(step.sourceTime).slice(11)} UTC`;
  return elapsed(step.time - (steps[0]?.time ?? 0));
}

function stepText(step: StepRecord, record: RunRecord): string {
  const { setting, events, liquidations, steps } = record;
  const before = steps.find((other) => other.step === step.step - 1);
  const moved =
    before === undefined || before.index === step.index ? "" : `, ${signed(before, step)}`;
  const sentences = [`Price ${price(step.index, setting.scale)}${moved}.`];

  if (step.belowMaintenance > 0) {
    sentences.push(
      `${plural(step.belowMaintenance, "account")} ${step.belowMaintenance === 1 ? "is" : "are"} below maintenance margin, ${integer(step.insolvent)} of them insolvent.`,
    );
  }
  const sales = liquidations.filter((sale) => sale.step === step.step);
  if (sales.length > 0) {
    sentences.push(
      `Forced sales find buyers in the book for ${money(sum(sales.map(({ quote }) => quote)))}.`,
    );
  }
  const mine = events.filter((event) => event.step === step.step);
  if (mine.length > 0) sentences.push(eventsText(mine, record));
  if (step.insolvent > 0 && step.secondsToSolvency !== undefined) {
    sentences.push(
      `Nobody is insolvent any more after ${plural(step.secondsToSolvency, "second")}.`,
    );
  }
  return sentences.join(" ");
}

function eventsText(events: readonly EventRecord[], { setting }: RunRecord): string {
  const total = (amount: (event: EventRecord) => bigint): bigint => sum(events.map(amount));
  const deficit = total((event) => event.deficit);
  const fund = total((event) => event.fundWithin + event.fundBeyond);
  const queue = total((event) => event.queueLots);
  const named = events.reduce((all, event) => all + event.named, 0);
  const side = events[0]?.side ?? "short";
  const sentences = [
    `${plural(new Set(events.map(({ id }) => id)).size, "deleveraging")} closed ${plural(named, `${opposite(side)} account`)}.`,
  ];

  if (deficit > 0n) {
    const parts = (
      [
        ["the fund", fund],
        ["the winners' profit", total((event) => event.haircut + event.discount)],
        ["their principal", total((event) => event.principal)],
        ["nobody yet", total((event) => event.shortfall)],
      ] as const
    )
      .filter(([, amount]) => amount > 0n)
      .map(([who, amount]) => `${who} ${money(amount)}`);
    const base = events.reduce((most, event) => (event.base > most ? event.base : most), 0n);
    const haircut = total((event) => event.haircut);
    const share = haircut > 0n && base > 0n ? ` (${percentOf(haircut, base)} of it)` : "";
    sentences.push(`Missing: ${money(deficit)}. Paid by: ${parts.join(", ")}${share}.`);
  }
  if (queue > 0n) {
    const lots = total((event) => event.lots);
    const share = queue === lots ? "All" : percentOf(queue, lots);
    sentences.push(
      `${share} of their lots were closed against the front of the ${side} queue, at ${price(events[0]?.mark ?? 0n, setting.scale)}.`,
    );
  }
  return sentences.join(" ");
}
