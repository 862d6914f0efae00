/** What every plot has: a drawing area with axes, drawn twice, once for a desk and once for a phone. */

import { digits, element, escape, text } from "./svg.js";
import type { Scale } from "./svg.js";

export type Size = { readonly width: number; readonly height: number; readonly isNarrow: boolean };
export type Area = {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
};

export type LegendEntry = {
  readonly label: string;
  readonly swatch: string;
  readonly shape?: "line" | "dot" | "box";
};

export type Figure = {
  readonly id: string;
  readonly title: string;
  /** What the plot shows, in one sentence: the caption, and the plot's accessible description. */
  readonly caption: string;
  readonly legend: readonly LegendEntry[];
  /** Half of the page at a desk. */
  readonly isHalf?: boolean;
  readonly draw: (size: Size) => string;
  /** Shown in place of the plot where there is nothing to plot. */
  readonly isEmpty?: string | undefined;
};

const WIDE: Size = { width: 1040, height: 340, isNarrow: false };
const HALF: Size = { width: 500, height: 320, isNarrow: false };
const NARROW: Size = { width: 358, height: 300, isNarrow: true };

export function renderFigure(figure: Figure): string {
  const body =
    figure.isEmpty === undefined
      ? `${renderLegend(figure.legend)}${drawing(figure, figure.isHalf ? HALF : WIDE)}${drawing(figure, NARROW)}`
      : `<p class="nothing">${escape(figure.isEmpty)}</p>`;
  return `<figure id="${figure.id}"${figure.isHalf ? ' class="half"' : ""}>
<h3>${escape(figure.title)}</h3>
<figcaption>${escape(figure.caption)}</figcaption>
${body}
</figure>`;
}

function drawing(figure: Figure, size: Size): string {
  const id = `${figure.id}-${size.isNarrow ? "narrow" : "wide"}`;
  return `<svg class="${size.isNarrow ? "narrow" : "wide"}" role="img" aria-labelledby="${id}-title ${id}-description" viewBox="0 0 ${size.width} ${size.height}">
<title id="${id}-title">${escape(figure.title)}</title>
<desc id="${id}-description">${escape(figure.caption)}</desc>
${figure.draw(size)}
</svg>`;
}

function renderLegend(entries: readonly LegendEntry[]): string {
  if (entries.length === 0) return "";
  const items = entries.map(
    ({ label, swatch, shape = "box" }) =>
      `<li><i class="swatch ${shape} ${swatch}"></i>${escape(label)}</li>`,
  );
  return `<ul class="legend">${items.join("")}</ul>\n`;
}

/** The drawing area inside the labels. */
export function areaOf({ width, height }: Size, room: Partial<Area> = {}): Area {
  const { left = 56, right = 14, top = 26, bottom = 44 } = room;
  return { left, right: width - right, top, bottom: height - bottom };
}

export type Axis = {
  readonly scale: Scale;
  readonly label: string;
  readonly format: (value: number) => string;
  /** Instead of the scale's own. */
  readonly ticks?: readonly number[];
};

/** Horizontal grid lines, their values at the left, and the unit above them. */
export function leftAxis(area: Area, { scale, label, format, ticks = scale.ticks }: Axis): string {
  const lines = ticks.map((value) => {
    const y = scale.at(value);
    return (
      element("line", { class: "grid", x1: area.left, x2: area.right, y1: y, y2: y }) +
      text(format(value), { class: "tick end", x: area.left - 8, y: y + 4 })
    );
  });
  return `${lines.join("")}${text(label, { class: "unit", x: 0, y: 12 })}`;
}

/** Values below the area, and what they are at its lower right. */
export function bottomAxis(
  area: Area,
  { scale, label, format, ticks = scale.ticks }: Axis,
): string {
  const marks = ticks.map((value) => {
    const x = scale.at(value);
    return (
      element("line", { class: "axis", x1: x, x2: x, y1: area.bottom, y2: area.bottom + 4 }) +
      text(format(value), { class: "tick middle", x, y: area.bottom + 18 })
    );
  });
  return `${baseLine(area)}${marks.join("")}${text(label, { class: "unit end", x: area.right, y: area.bottom + 38 })}`;
}

export function baseLine(area: Area): string {
  return element("line", {
    class: "axis",
    x1: area.left,
    x2: area.right,
    y1: area.bottom,
    y2: area.bottom,
  });
}

export type Point = readonly [x: number, y: number];

export function polyline(points: readonly Point[], className: string): string {
  return element("polyline", { class: className, points: pointsOf(points) });
}

/** The area between a line and the bottom. */
export function filled(points: readonly Point[], bottom: number, className: string): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return "";
  const outline: Point[] = [[first[0], bottom], ...points, [last[0], bottom]];
  return element("polygon", { class: className, points: pointsOf(outline) });
}

/** A value that stands until the next one: steps instead of slopes. */
export function stepped(points: readonly Point[]): Point[] {
  return points.flatMap((point, at): Point[] => {
    const before = points[at - 1];
    return before === undefined ? [point] : [[point[0], before[1]], point];
  });
}

function pointsOf(points: readonly Point[]): string {
  return points.map(([x, y]) => `${digits(x)},${digits(y)}`).join(" ");
}
