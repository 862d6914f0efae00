import { formatUnits, parseUnits } from "ethers";

/*
 * Decimal text to the exchange's integers and back. A market counts sizes in lots and prices in ticks; money inside the
 * exchange is quote, 1e-18 of a unit of the settlement token, and prices there are quote per lot.
 */

/** What of a market's configuration the conversions need; `readMarket` gives it. */
export type MarketUnits = {
  /** Quote per lot and tick. */
  readonly unit: bigint;
  /** A lot is 10^-lotDecimals of the base asset. */
  readonly lotDecimals: number;
};

const QUOTE_DECIMALS = 18;

export class NotOnTickError extends Error {
  constructor(
    readonly price: string,
    readonly tickSize: string,
  ) {
    super(`${price} is no multiple of ${tickSize}`);
    this.name = "NotOnTickError";
  }
}

/** A price that must be a whole number of ticks. */
export function toTicks(price: string, market: MarketUnits): bigint {
  const tick = toTicksDown(price, market);
  if (tick !== toTicksUp(price, market)) throw new NotOnTickError(price, fromTicks(1n, market));
  return tick;
}

export function toTicksDown(price: string, market: MarketUnits): bigint {
  return parseUnits(price, QUOTE_DECIMALS) / tickSize(market);
}

export function toTicksUp(price: string, market: MarketUnits): bigint {
  const size = tickSize(market);
  return (parseUnits(price, QUOTE_DECIMALS) + size - 1n) / size;
}

export function fromTicks(tick: bigint, market: MarketUnits): string {
  return formatUnits(tick * tickSize(market), QUOTE_DECIMALS);
}

/** A size that must be a whole number of lots. */
export function toLots(size: string, { lotDecimals }: MarketUnits): bigint {
  return parseUnits(size, lotDecimals);
}

export function fromLots(lots: bigint, { lotDecimals }: MarketUnits): string {
  return formatUnits(lots, lotDecimals);
}

export function toQuote(amount: string): bigint {
  return parseUnits(amount, QUOTE_DECIMALS);
}

export function fromQuote(quote: bigint): string {
  return formatUnits(quote, QUOTE_DECIMALS);
}

/** A price in quote per lot (mark, index, liquidation price) as settlement units per base unit. */
export function fromPrice(price: bigint, { lotDecimals }: MarketUnits): string {
  return fromQuote(price * 10n ** BigInt(lotDecimals));
}

/** A rank's score, return on committed margin, as a number of times: 0.25 is 25 %. */
export function fromScore(score: bigint): string {
  return formatUnits(score, QUOTE_DECIMALS);
}

/** Settlement units per base unit and tick, scale 1e18. */
function tickSize({ unit, lotDecimals }: MarketUnits): bigint {
  return unit * 10n ** BigInt(lotDecimals);
}
