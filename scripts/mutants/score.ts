/* How much a sample says of the whole. */

export type Score = { readonly killed: number; readonly judged: number };
export type Interval = { readonly share: number; readonly low: number; readonly high: number };

/** Of a normal distribution: 95 % are within so many standard deviations. */
const DEVIATIONS = 1.959964;

/** Wilson's interval of 95 %, which holds near 0 and 1 and for few trials too. */
export function intervalOf({ killed, judged }: Score): Interval {
  if (judged === 0) return { share: 0, low: 0, high: 1 };
  const share = killed / judged;
  const z2 = DEVIATIONS ** 2 / judged;
  const middle = share + z2 / 2;
  const width = DEVIATIONS * Math.sqrt((share * (1 - share)) / judged + z2 / (4 * judged));
  return {
    share,
    low: Math.max(0, (middle - width) / (1 + z2)),
    high: Math.min(1, (middle + width) / (1 + z2)),
  };
}
