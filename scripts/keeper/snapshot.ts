import type { WorkKind } from "./decisions.js";
import { isLiquidatable, limitPrice } from "./math.js";
import type {
  AccountView,
  FundView,
  Head,
  MarketView,
  OutflowView,
  PositionView,
} from "./views.js";

/** Everything that decisions rest on, read at one block. */
export type Snapshot = {
  readonly head: Head;
  readonly markets: readonly MarketView[];
  readonly accounts: readonly AccountView[];
  /** Of the accounts that `accountsToDetail` and a `Search` named. */
  readonly positions: readonly PositionView[];
  readonly outflow: OutflowView;
  /** Undefined if the exchange has no fund that the keeper may call. */
  readonly fund: FundView | undefined;
  /** Work that failed before and may be tried again only from a time on; see `workKey`. */
  readonly notBefore: ReadonlyMap<string, bigint>;
};

/** The name under which a piece of work backs off. */
export function workKey(kind: WorkKind, subject: number): string {
  return `${kind}:${subject}`;
}

/** A snapshot with its lists by key. */
export type Indexed = Pick<Snapshot, "head" | "notBefore"> & {
  readonly markets: ReadonlyMap<number, MarketView>;
  readonly positions: ReadonlyMap<number, readonly PositionView[]>;
};

export function indexed({ head, notBefore, markets, positions }: Snapshot): Indexed {
  return {
    head,
    notBefore,
    markets: new Map(markets.map((view) => [view.market, view])),
    positions: byAccount(positions),
  };
}

function byAccount(positions: readonly PositionView[]): Map<number, PositionView[]> {
  const groups = new Map<number, PositionView[]>();
  for (const position of positions) {
    const group = groups.get(position.account);
    if (group === undefined) groups.set(position.account, [position]);
    else group.push(position);
  }
  return groups;
}

export function isBlocked({ head, notBefore }: Indexed, kind: WorkKind, subject: number): boolean {
  return (notBefore.get(workKey(kind, subject)) ?? 0n) > head.now;
}

export type HealthState = "below" | "flat" | "healthy" | "healthyAtIndex" | "healthyAtPending";

export function healthOf(view: AccountView): HealthState {
  // A flat account that a haircut of its realised profit left below zero is closed like others.
  if (view.notional === 0n && view.maintenance === 0n && view.equity >= 0n) return "flat";
  if (view.equity >= view.maintenance) return "healthy";
  if (view.equityAtIndex >= view.maintenanceAtIndex) return "healthyAtIndex";
  if (!isLiquidatable(view)) return "healthyAtPending";
  return "below";
}

/** Seconds that the clock has run: only while every live market of the account is fresh. */
export function elapsed(
  view: AccountView,
  markets: readonly MarketView[],
  { head }: Indexed,
): bigint {
  if (view.clock === 0n) return 0n;
  const live = markets.filter(({ grade }) => grade !== "dead");
  if (live.some(({ grade }) => grade !== "fresh")) return 0n;
  const since = [view.clock, ...live.map(({ freshSince }) => freshSince)];
  const start = since.reduce((a, b) => (a > b ? a : b), 0n);
  return head.now > start ? head.now - start : 0n;
}

export function marketsOf(account: number, { positions, markets }: Indexed): MarketView[] {
  const held = positions.get(account) ?? [];
  return held.map(({ market }) => markets.get(market)).filter((view) => view !== undefined);
}

export function limitOf(
  view: AccountView,
  { side, zeroPrice, market }: PositionView,
  snapshot: Indexed,
): bigint {
  const { mark, slip0, clock } = snapshot.markets.get(market) ?? { mark: 0n, slip0: 0n, clock: 1n };
  const ran = elapsed(view, marketsOf(view.account, snapshot), snapshot);
  return limitPrice({ side, mark, zeroPrice, slip0, elapsed: ran, duration: clock });
}
