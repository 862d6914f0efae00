/** Plots of many single things: every winner, the cohorts of the queue, every deleveraging. */

import { sum } from "../../lib/units.js";
import {
  baseNumber,
  integer,
  money,
  moneyNumber,
  percent,
  percentOf,
  plural,
  price,
  shortNumber,
} from "../figures.js";
import type { Contribution, Metrics } from "../metrics.js";
import type { EventRecord, QueueRecord, RunRecord } from "../record.js";
import { areaOf, bottomAxis, leftAxis } from "./frame.js";
import type { Area, Figure } from "./frame.js";
import { element, fromZero, hint, linear, logarithmic, text } from "./svg.js";
import type { Scale } from "./svg.js";

/** Leverages share eight steps of one colour, light for low and dark for high. */
const LEVERAGE_STEPS = [1, 2, 3, 5, 10, 20, 50, 100] as const;

function leverageClass(leverage: number): string {
  const at = LEVERAGE_STEPS.findIndex((step) => step >= leverage);
  return `l-${at < 0 ? LEVERAGE_STEPS.length - 1 : at}`;
}

export function winnersFigure({ contributions, haircut }: Metrics): Figure {
  const winners = contributions.filter(
    ({ profit, account }) => profit > 0n && account.role === "trader",
  );
  const groups = [
    { label: "trader", swatch: "c-trader", isHedge: false },
    { label: "hedge", swatch: "c-hedge", isHedge: true },
  ];
  return {
    id: "winners",
    title: "Every winner: profit, and the share that was taken",
    caption: `Each dot is an account that was in profit. The line is the share that all would have given, had all given the same: ${percent(haircut.even)}.`,
    legend: [
      ...groups.map(({ label, swatch }) => ({ label, swatch, shape: "dot" as const })),
      { label: "the same share for all", swatch: "c-even", shape: "line" },
    ],
    isEmpty: winners.length > 0 ? undefined : "No account was in profit.",
    draw: (size) => {
      const area = areaOf(size, { left: 48 });
      const profits = winners.map(({ profit }) => moneyNumber(profit));
      const low = 10 ** Math.floor(Math.log10(Math.max(0.01, Math.min(...profits))));
      const high = 10 ** Math.ceil(Math.log10(Math.max(low * 10, ...profits)));
      const x = logarithmic([low, high], [area.left, area.right]);
      const y = linear(fromZero([...winners.map(({ share }) => share), haircut.even]), [
        area.bottom,
        area.top,
      ]);
      const even = y.at(haircut.even);
      return [
        leftAxis(area, {
          scale: y,
          format: percent,
          label: "share of profit taken",
        }),
        bottomAxis(area, {
          scale: x,
          format: shortNumber,
          label: "profit before, settlement units",
        }),
        element("line", {
          class: "line dashed c-even",
          x1: area.left,
          x2: area.right,
          y1: even,
          y2: even,
        }),
        ...winners.map((winner) => winnerDot(winner, x, y)),
      ].join("\n");
    },
  };
}

function winnerDot(
  { account, profit, share, taken, lotsClosed }: Contribution,
  x: Scale,
  y: Scale,
): string {
  const closed = percentOf(lotsClosed, account.start.lots);
  const label = `Account ${account.account}, ${account.leverage}× ${account.start.side}: ${money(taken)} of ${money(profit)} taken (${percent(share)}), ${closed} of its position closed`;
  return element(
    "circle",
    {
      class: `mark ${account.isHedge ? "c-hedge" : "c-trader"}`,
      cx: x.at(moneyNumber(profit)),
      cy: y.at(share),
      r: 3.5,
    },
    hint(label),
  );
}

export function queueFigure(record: RunRecord): Figure {
  const { queue, setting } = record;
  const side = queue[0]?.side ?? "short";
  const total = sum(queue.map(({ lotsBefore }) => lotsBefore));
  const leverages = [...new Set(queue.map(({ leverage }) => leverage))].sort((a, b) => a - b);
  return {
    id: "queue",
    title: "The queue, before and after",
    caption: `All ${side} positions from the front of the queue to its back, each cohort as wide as its lots before the crash. Upper strip: before. Lower strip: what is left; pale parts were closed.`,
    legend: leverages.map((leverage) => ({
      label: `${leverage}×`,
      swatch: leverageClass(leverage),
    })),
    isEmpty: total > 0n ? undefined : "The queue was empty.",
    draw: (size) => {
      const area = areaOf({ ...size, height: size.height - 10 }, { left: 8, right: 8, top: 30 });
      const x = linear([0, 1], [area.left, area.right]);
      const middle = (area.top + area.bottom) / 2;
      const strips: readonly Strip[] = [
        { name: "before", top: area.top, bottom: middle - 22, left: (cohort) => cohort.lotsBefore },
        {
          name: "after",
          top: middle + 6,
          bottom: area.bottom - 8,
          left: (cohort) => cohort.lotsAfter,
        },
      ];
      const axis = bottomAxis(area, {
        scale: x,
        format: (share) => `${Math.round(share * 100)} %`,
        label: "share of the side's open interest, front of the queue at the left",
      });
      return [
        ...strips.map((strip) => drawStrip(strip, { record, x, total, area })),
        axis,
        text(`${shortNumber(baseNumber(total, setting.scale))} base units`, {
          class: "unit end",
          x: area.right,
          y: area.top - 8,
        }),
      ].join("\n");
    },
  };
}

type Strip = {
  readonly name: string;
  readonly top: number;
  readonly bottom: number;
  readonly left: (cohort: QueueRecord) => bigint;
};
type Canvas = {
  readonly record: RunRecord;
  readonly x: Scale;
  readonly total: bigint;
  readonly area: Area;
};

function drawStrip({ name, top, bottom, left }: Strip, { record, x, total, area }: Canvas): string {
  let passed = 0n;
  const shareAt = (lots: bigint): number => Number((lots * 1_000_000n) / total) / 1e6;
  const bars = record.queue.map((cohort) => {
    const from = x.at(shareAt(passed));
    passed += cohort.lotsBefore;
    const width = Math.max(0.4, x.at(shareAt(passed)) - from - 0.4);
    const kept =
      cohort.lotsBefore === 0n
        ? 0
        : Math.min(1, Number((left(cohort) * 1_000_000n) / cohort.lotsBefore) / 1e6);
    const height = bottom - top;
    const swatch = leverageClass(cohort.leverage);
    const { scale } = record.setting;
    const label = `${cohort.leverage}× ${cohort.side} entered at ${price(cohort.from, scale)} to ${price(cohort.to, scale)}: ${plural(cohort.members, "member")}, ${integer(Math.round((1 - kept) * 100))} % closed`;
    return element(
      "g",
      {},
      hint(label) +
        element("rect", { class: `gone ${swatch}`, x: from, y: top, width, height }) +
        element("rect", {
          class: `kept ${swatch}`,
          x: from,
          y: bottom - height * kept,
          width,
          height: height * kept,
        }),
    );
  });
  return `${text(name, { class: "strip", x: area.left, y: top - 6 })}${bars.join("")}`;
}

/** Both sides of one event in one row. */
type EventTotal = {
  readonly id: number;
  readonly named: number;
  readonly gas: number;
  readonly members: number;
  readonly cohorts: number;
};

function totalsOf(events: readonly EventRecord[]): EventTotal[] {
  const totals = new Map<number, EventTotal>();
  for (const { id, named, gas, cuts } of events) {
    const before = totals.get(id);
    totals.set(id, {
      id,
      named: Math.max(named, before?.named ?? 0),
      gas: Math.max(gas, before?.gas ?? 0),
      members: cuts.reduce((all, { members }) => all + members, before?.members ?? 0),
      cohorts: cuts.length + (before?.cohorts ?? 0),
    });
  }
  return [...totals.values()];
}

export function gasFigure({ events }: RunRecord): Figure {
  const totals = totalsOf(events);
  const most = totals.reduce((all, { members }) => Math.max(all, members), 1);
  return {
    id: "gas",
    title: "What a deleveraging costs",
    isHalf: true,
    caption: `Gas grows with the accounts that are closed, which must each be touched, and not with the counterparties who are cut: the larger a dot, the more of them (up to ${integer(most)}).`,
    legend: [],
    isEmpty: totals.length > 0 ? undefined : "There was no deleveraging.",
    draw: (size) => {
      const area = areaOf(size, { left: 52 });
      const x = linear(
        fromZero(totals.map(({ named }) => named)),
        [area.left, area.right],
        size.isNarrow ? 4 : 6,
      );
      const y = linear(fromZero(totals.map(({ gas }) => gas)), [area.bottom, area.top]);
      const dots = totals.map(({ id, named, gas, members, cohorts }) =>
        element(
          "circle",
          {
            class: "mark c-gas",
            cx: x.at(named),
            cy: y.at(gas),
            r: 3 + 9 * Math.sqrt(members / most),
          },
          hint(
            `Event ${id}: ${plural(named, "account")} closed against ${plural(members, "counterparty", "counterparties")} in ${plural(cohorts, "cohort")}, ${integer(gas)} gas`,
          ),
        ),
      );
      return [
        leftAxis(area, { scale: y, format: shortNumber, label: "gas" }),
        bottomAxis(area, { scale: x, format: shortNumber, label: "accounts closed" }),
        ...dots,
      ].join("\n");
    },
  };
}
