import type { Ballast } from "./ballast.js";
import type { MarketUnits } from "./units.js";

/*
 * What the lens says, as plain objects. Money is quote, prices are quote per lot, times are unix seconds. Everything is what
 * a call now would find: prices refreshed, events of the queue applied.
 */

export type PositionSide = "long" | "short";

export type Health = {
  readonly account: number;
  readonly owner: string;
  readonly balance: bigint;
  readonly withdrawable: bigint;
  readonly liquidatable: boolean;
  /** When the clock of a forced sale started, 0 while none runs. */
  readonly clock: bigint;
  readonly equity: bigint;
  readonly initialMargin: bigint;
  readonly maintenanceMargin: bigint;
  /** Realised profit inside equity that cannot be withdrawn yet. */
  readonly fresh: bigint;
  readonly notional: bigint;
};

export async function readHealth(ballast: Ballast, account: number): Promise<Health> {
  const [health] = await readHealths(ballast, [account]);
  if (health === undefined) throw new RangeError(`no account ${account}`);
  return health;
}

/** Accounts that one call of the lens is asked for: views slow down as their memory grows. */
const PAGE = 250;

export async function readHealths(
  ballast: Ballast,
  accounts: readonly number[],
): Promise<Health[]> {
  const pages = Array.from({ length: Math.ceil(accounts.length / PAGE) }, (_, i) =>
    ballast.lens.healths.staticCall(accounts.slice(i * PAGE, (i + 1) * PAGE)),
  );
  return (await Promise.all(pages)).flat().map((row) => ({
    account: Number(row.account),
    owner: row.owner,
    balance: row.balance,
    withdrawable: row.withdrawable,
    liquidatable: row.liquidatable,
    clock: row.clock,
    equity: row.health.equity,
    initialMargin: row.health.initial,
    maintenanceMargin: row.health.maintenance,
    fresh: row.health.fresh,
    notional: row.health.notional,
  }));
}

export type PositionInfo = {
  readonly market: number;
  readonly side: PositionSide;
  readonly lots: bigint;
  readonly entry: bigint;
  readonly unrealised: bigint;
  /** Mark at which maintenance margin is reached, other markets unchanged; 0 if there is none. */
  readonly liquidationPrice: bigint;
  readonly zeroPrice: bigint;
  /** Classes of LEVERAGES: which one counts in the queue, and which one was chosen. */
  readonly leverageClass: number;
  readonly chosenClass: number;
  readonly pendingHaircut: bigint;
};

export async function readPositions(ballast: Ballast, account: number): Promise<PositionInfo[]> {
  const rows = await ballast.lens.positions.staticCall(account);
  return rows.map((row) => ({
    market: Number(row.market),
    side: sideOf(row.side),
    lots: row.lots,
    entry: row.entry,
    unrealised: row.unrealised,
    liquidationPrice: row.liquidationPrice,
    zeroPrice: row.zeroPrice,
    leverageClass: Number(row.leverageClass),
    chosenClass: Number(row.chosenClass),
    pendingHaircut: row.pendingHaircut,
  }));
}

/** Where an account stands in the queue of auto-deleveraging. */
export type Rank = {
  readonly side: PositionSide;
  readonly lots: bigint;
  /** Return on committed margin, scale 1e18. */
  readonly score: bigint;
  /** Open interest that would be closed before this account's. */
  readonly lotsAhead: bigint;
  readonly sideLots: bigint;
  /** 5 is the front fifth of the side, 1 the back, 0 without a position. */
  readonly lights: number;
};

export async function readRank(ballast: Ballast, account: number, market: number): Promise<Rank> {
  const row = await ballast.lens.rank.staticCall(account, market);
  return {
    side: sideOf(row.side),
    lots: row.lots,
    score: row.score,
    lotsAhead: row.lotsAhead,
    sideLots: row.sideLots,
    lights: Number(row.lights),
  };
}

/** A market as it was last refreshed. */
export type MarketInfo = MarketUnits & {
  readonly market: number;
  readonly mark: bigint;
  readonly index: bigint;
  /** Ticks, 0 if there is none. */
  readonly bestBid: bigint;
  readonly bestAsk: bigint;
  /** Lots. */
  readonly openInterest: bigint;
  /** Quote that nobody could pay yet. */
  readonly shortfall: bigint;
};

export async function readMarket({ exchange }: Ballast, market: number): Promise<MarketInfo> {
  const [config, state] = await Promise.all([exchange.configOf(market), exchange.marketOf(market)]);
  return {
    market,
    unit: config.unit,
    lotDecimals: Number(config.lotDecimals),
    mark: state.price.mark,
    index: state.price.index,
    bestBid: state.book.bestBid,
    bestAsk: state.book.bestAsk,
    openInterest: state.flow.openInterest,
    shortfall: state.pool.shortfall,
  };
}

function sideOf(side: bigint): PositionSide {
  return side === 0n ? "long" : "short";
}
