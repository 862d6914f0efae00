import type { Snapshot } from "../../scripts/keeper/snapshot.js";
import type { Policy } from "../../scripts/keeper/decide.js";
import type { AccountView, MarketView, PositionView } from "../../scripts/keeper/views.js";

/* Views with plain numbers, to be changed field by field. */

export const NOW = 10_000n;

/** Fresh since long ago, refreshed a second ago; mark 1,000, ticks of 1. */
export function market(changes: Partial<MarketView> = {}): MarketView {
  return {
    market: 1,
    mark: 1_000n,
    unit: 1n,
    bestBid: 999n,
    bestAsk: 1_001n,
    band: 50_000n,
    grade: "fresh",
    refreshed: NOW - 1n,
    freshSince: 1n,
    pendingSince: 0n,
    openInterest: 1n,
    hasEvent: false,
    isReduceOnly: false,
    isEnded: false,
    dues: 0n,
    minNotional: 1_000n,
    slip0: 2_000n,
    clock: 30n,
    ...changes,
  };
}

/** One equity and maintenance at all three prices. */
export function account(
  id: number,
  equity: bigint,
  maintenance: bigint,
  changes: Partial<AccountView> = {},
): AccountView {
  return {
    account: id,
    owner: "0x0000000000000000000000000000000000000001",
    clock: 0n,
    equity,
    maintenance,
    equityAtIndex: equity,
    maintenanceAtIndex: maintenance,
    equityAtPending: equity,
    maintenanceAtPending: maintenance,
    prudent: equity,
    initial: maintenance * 2n,
    notional: maintenance * 20n,
    ...changes,
  };
}

export function position(id: number, changes: Partial<PositionView> = {}): PositionView {
  return { account: id, market: 1, side: "long", lots: 100n, zeroPrice: 950n, ...changes };
}

export function snapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    head: { number: 7, timestamp: NOW, now: NOW },
    markets: [market()],
    accounts: [],
    positions: [],
    outflow: { waiting: 0n, releasable: 0n, rate: 3_600n },
    fund: undefined,
    notBefore: new Map(),
    ...changes,
  };
}

export const POLICY: Policy = {
  minDiscount: 10_000n,
  maxTakeover: 1_000_000n,
  takeoverLeverage: 2n,
  pokeAfter: 30n,
  releaseAfter: 300n,
  noteAbove: 10n,
  noteAfter: 3_600n,
};
