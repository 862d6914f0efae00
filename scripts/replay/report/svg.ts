/** Building blocks of the plots: elements as text, numbers in a fixed form, scales with round ticks. */

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** One element. Children are markup already; text must be escaped by its maker. */
export function element(name: string, attributes: Attributes, children = ""): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        ` ${key}="${typeof value === "number" ? digits(value) : escape(String(value))}"`,
    )
    .join("");
  return children === "" && name !== "text" && name !== "g"
    ? `<${name}${written}/>`
    : `<${name}${written}>${children}</${name}>`;
}

export function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** At most one digit behind the point: a tenth of a pixel. */
export function digits(value: number): string {
  const text = value.toFixed(1).replace(/\.0$/, "");
  return text === "-0" ? "0" : text;
}

export function text(content: string, attributes: Attributes): string {
  return element("text", attributes, escape(content));
}

/** What a pointer sees when it rests on a mark, and what a screen reader may read. */
export function hint(content: string): string {
  return `<title>${escape(content)}</title>`;
}

export type Scale = {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
};

/** From values to pixels; ticks are round numbers inside the domain. */
export function linear(
  [low, high]: readonly [number, number],
  [from, to]: readonly [number, number],
  wanted = 5,
): Scale {
  const span = high - low || 1;
  return {
    at: (value) => from + ((value - low) / span) * (to - from),
    ticks: roundTicks(low, high, wanted),
  };
}

/** For amounts over several orders of magnitude; ticks are powers of ten. `low` > 0. */
export function logarithmic(
  [low, high]: readonly [number, number],
  [from, to]: readonly [number, number],
): Scale {
  const [start, end] = [Math.log10(low), Math.log10(Math.max(high, low * 1.001))];
  const first = Math.ceil(start - 1e-9);
  const last = Math.floor(end + 1e-9);
  return {
    at: (value) =>
      from + ((Math.log10(Math.max(value, low)) - start) / (end - start)) * (to - from),
    ticks: Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => 10 ** (first + at)),
  };
}

/** A domain that starts at zero and ends at the tick above the largest value. */
export function fromZero(values: readonly number[], wanted = 5): readonly [number, number] {
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  if (largest === 0) return [0, 1];
  const step = stepOf(largest, wanted);
  return [0, Math.ceil(largest / step - 1e-9) * step];
}

/** A domain around the values, widened to whole ticks. */
export function around(values: readonly number[], wanted = 5): readonly [number, number] {
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  if (!Number.isFinite(low)) return [0, 1];
  const step = stepOf(high - low || Math.abs(high) || 1, wanted);
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step || step];
}

function roundTicks(low: number, high: number, wanted: number): number[] {
  const step = stepOf(high - low || 1, wanted);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, at) => tidy((first + at) * step));
}

/** 1, 2 or 5 times a power of ten, so that about `wanted` of them fill the span. */
function stepOf(span: number, wanted: number): number {
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((one) => one * power >= rough - 1e-12) ?? 10;
  return factor * power;
}

/** Removes what floating point added. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

/** Seconds between ticks of a time axis: round on a clock. */
const CLOCK_STEPS = [15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400];

export function clockTicks(seconds: number, wanted: number): number[] {
  const step = CLOCK_STEPS.find((one) => seconds / one <= wanted) ?? 7 * 86_400;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, at) => at * step);
}
