/** How far the index went in the time that a forced sale takes, against what the market was listed for. */

import { ratio } from "../lib/units.js";
import type { RunRecord } from "./record.js";

/** The move that the market was listed for, and the worst that came in the same time. */
export type Envelope = {
  /** Until a forced sale is through: the age of a fresh price and the clock. */
  readonly seconds: number;
  readonly stated: number;
  readonly worst: number;
  /** worst / stated. */
  readonly times: number;
};

const PPM = 1_000_000;

/** Of every price, what the index had moved since the last one that is at least as old as a forced sale takes. */
export function envelopeOf({ setting, steps }: RunRecord): Envelope {
  const parameter = (name: string): number =>
    Number(setting.parameters.find((listed) => listed.name === name)?.value ?? 0);
  const seconds = parameter("freshFor") + parameter("clock");
  const stated = parameter("move") / PPM;
  let worst = 0;
  for (const [at, { time, index }] of steps.entries()) {
    const since = steps.slice(0, at).filter((earlier) => time - earlier.time <= seconds);
    for (const { index: before } of since) {
      const moved = index > before ? index - before : before - index;
      worst = Math.max(worst, ratio(moved, before));
    }
  }
  return { seconds, stated, worst, times: stated === 0 ? 0 : worst / stated };
}
