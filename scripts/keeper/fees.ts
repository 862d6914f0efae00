/** Wei per gas. */
export type Fees = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint };

export type FeeLimits = {
  /** Above this nothing is sent. */
  readonly maxFeePerGas: bigint;
  /** How often a transaction may be sent in all. */
  readonly maxAttempts: number;
};

/** Nodes refuse a replacement that does not raise both fees by a tenth; an eighth leaves room for rounding. */
const BUMP_NUMERATOR = 9n;
const BUMP_DENOMINATOR = 8n;

/** What to send first: the market's fees, within the limit. */
export function firstFees(market: Fees, limits: FeeLimits): Fees {
  const maxFeePerGas = least(market.maxFeePerGas, limits.maxFeePerGas);
  return { maxFeePerGas, maxPriorityFeePerGas: least(market.maxPriorityFeePerGas, maxFeePerGas) };
}

/**
 * What takes the place of a transaction that is not mined: an eighth more, or the market's fees if they are higher.
 * @param attempts Times that it was sent.
 */
export function bumpFees(
  sent: Fees & { readonly attempts: number },
  market: Fees,
  limits: FeeLimits,
): Fees | "drop" {
  if (sent.attempts >= limits.maxAttempts) return "drop";
  const leastFee = raised(sent.maxFeePerGas);
  const leastTip = raised(sent.maxPriorityFeePerGas);
  const wanted = greatest(leastFee, market.maxFeePerGas);
  // A smaller bump than the least would be refused.
  if (leastFee > limits.maxFeePerGas) return "drop";
  const maxFeePerGas = least(wanted, limits.maxFeePerGas);
  const tip = greatest(leastTip, market.maxPriorityFeePerGas);
  return { maxFeePerGas, maxPriorityFeePerGas: least(tip, maxFeePerGas) };
}

function raised(fee: bigint): bigint {
  return (fee * BUMP_NUMERATOR + BUMP_DENOMINATOR - 1n) / BUMP_DENOMINATOR;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function greatest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
