/** Plots over time: price and mark, open interest, the fund. */

import {
  baseNumber,
  elapsed,
  formatPrice,
  money,
  moneyNumber,
  percent,
  price,
  priceNumber,
  shortNumber,
  utc,
} from "../figures.js";
import type { Metrics } from "../metrics.js";
import type { RunRecord, StepRecord } from "../record.js";
import { areaOf, bottomAxis, filled, leftAxis, polyline, stepped } from "./frame.js";
import type { Area, Figure, Point, Size } from "./frame.js";
import { around, clockTicks, element, fromZero, hint, linear } from "./svg.js";
import type { Scale } from "./svg.js";

type Clock = { readonly x: Scale; readonly axis: string; readonly at: (time: number) => number };

/** The time axis: since the start, or by the clock of the candles. */
function clockOf({ setting, steps }: RunRecord, area: Area, size: Size): Clock {
  const start = steps[0]?.time ?? 0;
  const end = steps.at(-1)?.time ?? 1;
  const x = linear([0, Math.max(1, end - start)], [area.left, area.right]);
  const source = steps[0]?.sourceTime ?? 0;
  const isDated = setting.candles !== undefined;
  const axis = bottomAxis(area, {
    scale: x,
    ticks: clockTicks(end - start, size.isNarrow ? 4 : 9),
    format: (seconds) => (isDated ? utc(source + seconds).slice(11) : elapsed(seconds)),
    label: isDated ? `${utc(source).slice(0, 10)}, UTC` : "minutes since the start",
  });
  return { x, axis, at: (time) => x.at(time - start) };
}

export function priceFigure(record: RunRecord): Figure {
  const { setting, steps, events } = record;
  return {
    id: "price",
    title: "Price and mark",
    caption:
      "The index comes from the price sources; the mark, which margin and liquidations use, follows it and may lean towards the book. Dots are deleveragings.",
    legend: [
      { label: "index", swatch: "c-index", shape: "line" },
      { label: "mark", swatch: "c-mark", shape: "line" },
      { label: "deleveraging", swatch: "c-event", shape: "dot" },
    ],
    draw: (size) => {
      const area = areaOf(size, { left: 62 });
      const clock = clockOf(record, area, size);
      const prices = steps.flatMap(({ index, mark }) => [index, mark]);
      const domain = around(prices.map((one) => priceNumber(one, setting.scale)));
      const y = linear(domain, [area.bottom, area.top]);
      const course = (value: (step: StepRecord) => bigint): Point[] =>
        steps.map((step) => [clock.at(step.time), y.at(priceNumber(value(step), setting.scale))]);
      const dots = events.map((event) =>
        element(
          "circle",
          {
            class: "dot c-event",
            cx: clock.at(event.time),
            cy: y.at(priceNumber(event.mark, setting.scale)),
            r: 4,
          },
          hint(
            `Event ${event.id}: ${event.named} accounts closed at ${price(event.mark, setting.scale)}, ${money(event.deficit)} missing`,
          ),
        ),
      );
      return [
        leftAxis(area, { scale: y, format: formatPrice, label: "price, settlement units" }),
        clock.axis,
        polyline(stepped(course(({ index }) => index)), "line c-index"),
        polyline(stepped(course(({ mark }) => mark)), "line dashed c-mark"),
        ...dots,
      ].join("\n");
    },
  };
}

export function openInterestFigure(record: RunRecord): Figure {
  const { setting, steps, events, liquidations } = record;
  const whole = baseNumber(steps[0]?.openInterest ?? 1n, setting.scale);
  const soFar = (step: StepRecord, entries: readonly { step: number; lots: bigint }[]): number =>
    entries
      .filter((entry) => entry.step <= step.step)
      .reduce((total, { lots }) => total + baseNumber(lots, setting.scale), 0);
  const closed = events.map(({ step, queueLots }) => ({ step, lots: queueLots }));
  const booked = [
    ...liquidations,
    ...events.map(({ step, bookLots }) => ({ step, lots: bookLots })),
  ];

  return {
    id: "interest",
    title: "Open interest",
    caption:
      "Contracts open on each side, as a share of the start, and what was sold by force so far: to the book, or by closing counterparties in the queue.",
    legend: [
      { label: "open interest", swatch: "c-interest", shape: "line" },
      { label: "sold to the book", swatch: "c-book", shape: "line" },
      { label: "closed in the queue", swatch: "c-queue", shape: "line" },
    ],
    draw: (size) => {
      const area = areaOf(size, { left: 48 });
      const clock = clockOf(record, area, size);
      const open = steps.map((step) => baseNumber(step.openInterest, setting.scale) / whole);
      const y = linear(fromZero([1, ...open]), [area.bottom, area.top]);
      const course = (value: (step: StepRecord, at: number) => number): Point[] =>
        stepped(steps.map((step, at) => [clock.at(step.time), y.at(value(step, at))]));
      const left = course((_, at) => open[at] ?? 0);
      return [
        filled(left, area.bottom, "fill c-interest"),
        leftAxis(area, {
          scale: y,
          format: (share) => `${Math.round(share * 100)} %`,
          label: "of open interest at the start",
        }),
        clock.axis,
        polyline(left, "line c-interest"),
        polyline(
          course((step) => soFar(step, booked) / whole),
          "line c-book",
        ),
        polyline(
          course((step) => soFar(step, closed) / whole),
          "line c-queue",
        ),
      ].join("\n");
    },
  };
}

export function fundFigure(record: RunRecord, metrics: Metrics): Figure {
  const { steps } = record;
  const lowest = percent(moneyNumber(metrics.fund.lowest) / (moneyNumber(metrics.fund.start) || 1));
  return {
    id: "fund",
    title: "The insurance fund",
    isHalf: true,
    caption: `What the fund holds after each price. It pays before any winner does, within budgets that keep it alive; at its lowest it had ${lowest} of its start.`,
    legend: [],
    draw: (size) => {
      const area = areaOf(size);
      const clock = clockOf(record, area, { ...size, isNarrow: true });
      const y = linear(fromZero(steps.map(({ fund }) => moneyNumber(fund))), [
        area.bottom,
        area.top,
      ]);
      const points = stepped(
        steps.map(({ time, fund }) => [clock.at(time), y.at(moneyNumber(fund))]),
      );
      const dots = steps.map(({ time, fund }) =>
        element(
          "circle",
          { class: "dot small c-fund", cx: clock.at(time), cy: y.at(moneyNumber(fund)), r: 2.5 },
          hint(money(fund)),
        ),
      );
      return [
        filled(points, area.bottom, "fill c-fund"),
        leftAxis(area, { scale: y, format: shortNumber, label: "settlement units" }),
        clock.axis,
        polyline(points, "line c-fund"),
        ...(steps.length <= 60 ? dots : []),
      ].join("\n");
    },
  };
}
