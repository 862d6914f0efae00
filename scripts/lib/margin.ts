import { settledPosition, valueAt } from "./cohorts.js";
import type { Settled } from "./cohorts.js";
import { freshOf } from "./fresh.js";
import { abs, divCeil, max, WHOLE } from "./units.js";
import { LEVERAGES, LONG } from "./keys.js";
import type { MarketConfig, MarketState, State } from "./state.js";

/*
 * Margin of an account as if it were settled now, at the stored prices: the numbers of contracts/libraries/Margin.sol at mark.
 * A price that waits and a dead market are left out; they only ever ask for more.
 */

export type Holding = Settled & { readonly market: number };

export type Margin = {
  /** At mark. */
  readonly equity: bigint;
  readonly maintenance: bigint;
  /** On positions alone, without what orders reserve. */
  readonly initial: bigint;
  readonly holdings: readonly Holding[];
};

/** Whose prices and parameters count; another state than the positions' to compare two moments at one price. */
export type Prices = { readonly markets: State["markets"]; readonly time: bigint };

export function marginOf(state: State, account: number, prices: Prices): Margin {
  let equity = state.money.get(account)?.balance ?? 0n;
  let maintenance = 0n;
  let initial = 0n;
  const holdings: Holding[] = [];
  for (const [id, market] of state.markets) {
    const { fresh, matured } = freshOf(market, account, prices.time);
    equity += fresh + matured;
    const position = market.positions.get(account);
    if (position === undefined) continue;
    const settled = settledPosition(market, position);
    equity += settled.cash;
    if (settled.lots === 0n) continue;
    const { price, config } = prices.markets.get(id) ?? market;
    equity += valueAt(settled, price.mark, price.funding);
    const notional = settled.lots * price.mark;
    maintenance += maintenanceOf(config, notional);
    initial += initialOf(config, notional, leverageOf(market, account));
    holdings.push({ ...settled, market: id });
  }
  return { equity, maintenance, initial, holdings };
}

/** Half of what the tiers ask, rounded up once. */
export function maintenanceOf(config: MarketConfig, notional: bigint): bigint {
  return tierShare(config, notional, 2n);
}

/** The larger of what the chosen leverage and the tiers ask. */
export function initialOf(config: MarketConfig, notional: bigint, leverage: bigint): bigint {
  return max(divCeil(notional, leverage), tierShare(config, notional, 1n));
}

/** The leverage that an account chose in a market, within what the market allows. */
export function leverageOf(market: MarketState, account: number): bigint {
  const chosen = (market.resting.get(account)?.leverage ?? 0n) & 0xfn;
  const { defaultLeverage, maxLeverage } = market.config;
  const wanted = chosen === 0n ? defaultLeverage : chosen - 1n;
  return LEVERAGES[Number(wanted < maxLeverage ? wanted : maxLeverage)] ?? 1n;
}

/** The lowest maintenance rate of a market, as a fraction 1 / n. */
export function lowestMaintenance(config: MarketConfig): bigint {
  return 2n * config.tierLeverage1;
}

/** Position plus orders of one side, at worst. */
export function worstLots(market: MarketState, account: number, held: Settled | undefined): bigint {
  const resting = market.resting.get(account);
  const [bids, asks] = [resting?.bidLots ?? 0n, resting?.askLots ?? 0n];
  const lots = held?.lots ?? 0n;
  const [adding, against] = (held?.side ?? LONG) === LONG ? [bids, asks] : [asks, bids];
  return max(lots + adding, abs(lots - against));
}

/** Σ over brackets of the part inside / (leverage · divisor), exactly, then rounded up. */
function tierShare(config: MarketConfig, notional: bigint, divisor: bigint): bigint {
  const caps = [config.tierCap1, config.tierCap2, config.tierCap3].map((cap) => cap * WHOLE);
  const leverages = [
    config.tierLeverage1,
    config.tierLeverage2,
    config.tierLeverage3,
    config.tierLeverage4,
  ];
  const scale = leverages.reduce((product, leverage) => product * leverage, 1n);
  let [scaled, from] = [0n, 0n];
  leverages.forEach((leverage, bracket) => {
    const cap = caps[bracket];
    const to = cap !== undefined && cap < notional ? cap : notional;
    if (to <= from) return;
    scaled += (to - from) * (scale / leverage);
    from = to;
  });
  return divCeil(scaled, scale * divisor);
}
