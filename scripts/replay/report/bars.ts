/** Bar plots: who paid what was missing, and what groups of winners gave. */

import { elapsed, money, moneyNumber, percent, plural, shortNumber, utc } from "../figures.js";
import type { Group, Metrics } from "../metrics.js";
import type { EventRecord, RunRecord } from "../record.js";
import { areaOf, baseLine, leftAxis } from "./frame.js";
import type { Area, Figure, LegendEntry, Size } from "./frame.js";
import { element, fromZero, hint, linear, text } from "./svg.js";
import type { Scale } from "./svg.js";

type Payer = {
  readonly label: string;
  readonly swatch: string;
  readonly amount: (event: EventRecord) => bigint;
};

const PAYERS: readonly Payer[] = [
  { label: "fund", swatch: "c-fund", amount: (event) => event.fundWithin + event.fundBeyond },
  { label: "haircut of profit", swatch: "c-haircut", amount: (event) => event.haircut },
  {
    label: "closed at the bankruptcy price",
    swatch: "c-discount",
    amount: (event) => event.discount,
  },
  { label: "principal", swatch: "c-principal", amount: (event) => event.principal },
  { label: "nobody yet", swatch: "c-shortfall", amount: (event) => event.shortfall },
];

/** More bars than this are put together. */
const MOST_BARS = { wide: 16, narrow: 6 };

type Bin = { readonly label: string; readonly amounts: readonly bigint[] };

export function payersFigure(record: RunRecord): Figure {
  const missing = record.events.filter(({ deficit }) => deficit > 0n);
  const used = PAYERS.filter(({ amount }) => missing.some((event) => amount(event) > 0n));
  const legend = used.map(({ label, swatch }): LegendEntry => ({ label, swatch }));
  return {
    id: "payers",
    title: "Who paid what was missing",
    isHalf: true,
    caption:
      "Losses beyond the margin of those who were closed, by the time they appeared. Each bar is exactly as high as what was missing.",
    legend,
    isEmpty:
      missing.length > 0
        ? undefined
        : "Nothing was missing: every account that was closed could pay for itself.",
    draw: (size) => {
      const bins = binsOf(record, used, size.isNarrow ? MOST_BARS.narrow : 8);
      const area = areaOf(size);
      const totals = bins.map(({ amounts }) => amounts.reduce((a, b) => a + moneyNumber(b), 0));
      const y = linear(fromZero(totals), [area.bottom, area.top]);
      const bars = bins.map((bin, at) => stack(bin, used, { area, y, at, count: bins.length }));
      return [
        leftAxis(area, { scale: y, format: shortNumber, label: "settlement units" }),
        ...bars,
        baseLine(area),
        text(record.setting.candles === undefined ? "minutes since the start" : "UTC", {
          class: "unit end",
          x: area.right,
          y: area.bottom + 38,
        }),
      ].join("\n");
    },
  };
}

/** Steps with a deficit, neighbours put together until they fit. */
function binsOf(
  { events, steps, setting }: RunRecord,
  payers: readonly Payer[],
  most: number,
): Bin[] {
  const start = steps[0]?.time ?? 0;
  const hit = steps.filter(({ step }) =>
    events.some((event) => event.step === step && event.deficit > 0n),
  );
  const size = Math.ceil(hit.length / most);
  const bins: Bin[] = [];
  for (let at = 0; at < hit.length; at += size) {
    const together = hit.slice(at, at + size);
    const numbers = new Set(together.map(({ step }) => step));
    const members = events.filter(({ step }) => numbers.has(step));
    const first = together[0];
    if (first === undefined) continue;
    bins.push({
      label:
        setting.candles === undefined
          ? elapsed(first.time - start)
          : utc(first.sourceTime).slice(11),
      amounts: payers.map(({ amount }) =>
        members.reduce((total, event) => total + amount(event), 0n),
      ),
    });
  }
  return bins;
}

type Place = {
  readonly area: Area;
  readonly y: Scale;
  readonly at: number;
  readonly count: number;
};

function stack(bin: Bin, payers: readonly Payer[], { area, y, at, count }: Place): string {
  const slot = (area.right - area.left) / count;
  const width = Math.min(64, slot * 0.7);
  const x = area.left + slot * (at + 0.5) - width / 2;
  let below = 0;
  const parts = bin.amounts.map((amount, which) => {
    const payer = payers[which];
    const value = moneyNumber(amount);
    if (payer === undefined || value === 0) return "";
    const [top, bottom] = [y.at(below + value), y.at(below)];
    below += value;
    const label = `${bin.label}: ${payer.label} ${money(amount)}`;
    return element(
      "rect",
      { class: `bar ${payer.swatch}`, x, y: top, width, height: bottom - top },
      hint(label),
    );
  });
  return `${parts.join("")}${text(bin.label, { class: "tick middle", x: x + width / 2, y: area.bottom + 18 })}`;
}

export function leverageFigure(metrics: Metrics): Figure {
  return groupsFigure(
    {
      id: "leverage",
      title: "What each leverage gave",
      caption:
        "Share of profit given by the winners of each committed leverage. The dark line is the account that gave most.",
      axis: "committed leverage",
    },
    metrics.haircut.byLeverage,
  );
}

export function decileFigure(metrics: Metrics): Figure {
  return groupsFigure(
    {
      id: "size",
      title: "What small and large gave",
      caption:
        "Share of profit given by the winners of each tenth of accounts, smallest positions at the left. The dark line is the account that gave most.",
      axis: "tenth of accounts by size",
    },
    metrics.haircut.byDecile,
  );
}

type Words = {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly axis: string;
};

function groupsFigure(words: Words, groups: readonly Group[]): Figure {
  const { id, title, caption, axis } = words;
  const isEmpty = groups.every(({ taken }) => taken === 0n);
  return {
    id,
    title,
    caption,
    isHalf: true,
    legend: [
      { label: "of the group's profit", swatch: "c-haircut" },
      { label: "most of one account", swatch: "c-most", shape: "line" },
    ],
    isEmpty: isEmpty ? "No profit was taken from anyone." : undefined,
    draw: (size) => {
      const area = areaOf(size, { left: 48 });
      const y = linear(fromZero(groups.flatMap(({ share, largest }) => [share, largest])), [
        area.bottom,
        area.top,
      ]);
      return [
        leftAxis(area, {
          scale: y,
          format: percent,
          label: "share of profit",
        }),
        ...groups.map((group, at) => groupBar(group, { area, y, at, count: groups.length })),
        baseLine(area),
        text(axis, { class: "unit end", x: area.right, y: area.bottom + 38 }),
      ].join("\n");
    },
  };
}

function groupBar(group: Group, { area, y, at, count }: Place): string {
  const slot = (area.right - area.left) / count;
  const width = Math.min(48, slot * 0.62);
  const center = area.left + slot * (at + 0.5);
  const top = y.at(group.share);
  const most = y.at(group.largest);
  const label = `${group.name}: ${money(group.taken)} of ${money(group.profit)} (${percent(group.share)}); at most ${percent(group.largest)}; ${group.touched} of ${plural(group.accounts, "account")} in profit touched`;
  return [
    element(
      "rect",
      { class: "bar c-haircut", x: center - width / 2, y: top, width, height: area.bottom - top },
      hint(label),
    ),
    group.largest > 0
      ? element("line", {
          class: "most c-most",
          x1: center - width / 2 - 3,
          x2: center + width / 2 + 3,
          y1: most,
          y2: most,
        })
      : "",
    text(group.name, { class: "tick middle", x: center, y: area.bottom + 18 }),
  ].join("");
}

export function hazardFigure(metrics: Metrics): Figure {
  const classes = metrics.hazard;
  return {
    id: "hazard",
    title: "What each leverage left unpaid",
    isHalf: true,
    caption:
      "Losses beyond margin, per position at the start: the free insurance that a leverage class drew from everyone else.",
    legend: [],
    isEmpty: classes.every(({ deficit }) => deficit === 0n)
      ? "No account lost more than its margin."
      : undefined,
    draw: (size: Size) => {
      const area = areaOf(size, { left: 52 });
      const y = linear(fromZero(classes.map(({ perNotional }) => perNotional)), [
        area.bottom,
        area.top,
      ]);
      const slot = (area.right - area.left) / classes.length;
      const bars = classes.map(({ leverage, perNotional, deficit, insolvent, accounts }, at) => {
        const width = Math.min(48, slot * 0.62);
        const center = area.left + slot * (at + 0.5);
        const top = y.at(perNotional);
        const label = `${leverage}×: ${money(deficit)} unpaid, ${insolvent} of ${accounts} insolvent`;
        return (
          element(
            "rect",
            {
              class: "bar c-unpaid",
              x: center - width / 2,
              y: top,
              width,
              height: area.bottom - top,
            },
            hint(label),
          ) + text(`${leverage}×`, { class: "tick middle", x: center, y: area.bottom + 18 })
        );
      });
      return [
        leftAxis(area, { scale: y, format: percent, label: "unpaid, of position" }),
        ...bars,
        baseLine(area),
        text("committed leverage", { class: "unit end", x: area.right, y: area.bottom + 38 }),
      ].join("\n");
    },
  };
}
