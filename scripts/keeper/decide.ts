import { skip } from "./decisions.js";
import type { Decision, Deleverage } from "./decisions.js";
import {
  ceilDiv,
  compare,
  isAtTarget,
  isBetterFor,
  isInsolvent,
  isLiquidatable,
  priceAway,
  tickTowardsMark,
} from "./math.js";
import { elapsed, healthOf, indexed, isBlocked, limitOf, marketsOf } from "./snapshot.js";
import type { HealthState, Indexed, Snapshot } from "./snapshot.js";
import { decideTakeovers } from "./takeover.js";
import type { TakeoverPolicy } from "./takeover.js";
import type { AccountView, FundView, MarketView, OutflowView, PositionView } from "./views.js";

export type Policy = TakeoverPolicy & {
  /** Seconds after which an idle market is refreshed; while a jump waits or its price is aged, a third of it. 0 never. */
  readonly pokeAfter: bigint;
  /** Seconds of refill that a part of the queue must be worth to be paid; the end of the queue always is. 0 never pays. */
  readonly releaseAfter: bigint;
  /** Income of the fund, quote, from which it is noted. 0 never. */
  readonly noteAbove: bigint;
  /** Seconds from one note to the next. */
  readonly noteAfter: bigint;
};

/** Accounts whose positions matter: those under liquidation whose clock runs. */
export function accountsToDetail(accounts: readonly AccountView[]): number[] {
  return accounts
    .filter((view) => view.clock !== 0n && isLiquidatable(view))
    .map(({ account }) => account);
}

/**
 * Pure: the same snapshot gives the same decisions. Each account and each market appears, if only as a skip with its
 * reason. Worst first, so that a bound on transactions drops the safest.
 */
export function decide(snapshot: Snapshot, policy: Policy): Decision[] {
  const accounts = [...snapshot.accounts].sort(worstFirst);
  const book = indexed(snapshot);
  return [
    ...snapshot.markets.map((market) => decideEvent(market, book)),
    ...accounts.map((view) => decideAccount(view, book)),
    ...decideTakeovers(accounts, book, policy),
    decideNote(snapshot.fund, book, policy),
    decideRelease(snapshot.outflow, book, policy),
    ...snapshot.markets.map((market) => decidePoke(market, book, policy)),
  ];
}

/** Insolvent accounts by what is missing, then the others by equity / maintenance; equals by their number. */
function worstFirst(a: AccountView, b: AccountView): number {
  const isFlat = compare(flatness(a), flatness(b));
  if (isFlat !== 0) return isFlat;
  if (a.equity < 0n || b.equity < 0n) {
    return compare(a.equity, b.equity) || a.account - b.account;
  }
  return compare(a.equity * b.maintenance, b.equity * a.maintenance) || a.account - b.account;
}

function flatness(view: AccountView): bigint {
  return view.maintenance === 0n && view.equity >= 0n ? 1n : 0n;
}

function decideAccount(view: AccountView, snapshot: Indexed): Decision {
  const { account } = view;
  const health = healthOf(view);
  const cause = causeToDeleverage(view, health, snapshot);
  if (cause !== undefined && !isBlocked(snapshot, "deleverage", account)) {
    return { kind: "deleverage", account, missing: cause === "ended" ? 0n : -view.equity, cause };
  }
  if (health !== "below") return decideHealthy(view, health, snapshot);
  // What cannot be closed as an event now can at least be reduced.
  if (isBlocked(snapshot, "liquidate", account)) return skip("liquidate", account, "backoff");
  const missing = view.maintenance - view.equity;
  if (view.clock === 0n) return { kind: "liquidate", account, missing, cause: "startsClock" };
  const positions = snapshot.positions.get(account) ?? [];
  return positions.some((position) => hasBuyer(view, position, snapshot))
    ? { kind: "liquidate", account, missing, cause: "inBook" }
    : skip("liquidate", account, "noBids");
}

/** An account that has recovered keeps its clock until somebody asks: next time it would have run out at once. */
function decideHealthy(
  view: AccountView,
  reason: Exclude<HealthState, "below">,
  snapshot: Indexed,
): Decision {
  const { account } = view;
  if (view.clock === 0n || !isAtTarget(view)) return skip("account", account, reason);
  if (isBlocked(snapshot, "liquidate", account)) return skip("liquidate", account, "backoff");
  return { kind: "liquidate", account, missing: 0n, cause: "clearsClock" };
}

/** Whether the best order of the other side is no worse than today's limit. */
function hasBuyer(view: AccountView, position: PositionView, snapshot: Indexed): boolean {
  const market = snapshot.markets.get(position.market);
  if (market === undefined || market.isEnded || market.hasEvent) return false;
  if (market.grade === "dead") return false;
  const { side } = position;
  const best = side === "long" ? market.bestBid : market.bestAsk;
  if (best === 0n) return false;
  const band = priceAway(side, market.mark, market.band);
  const limit = limitOf(view, position, snapshot);
  const worst = isBetterFor(side, limit, band) ? limit : band;
  return !isBetterFor(side, tickTowardsMark(side, worst, market.unit), best);
}

function causeToDeleverage(
  view: AccountView,
  health: HealthState,
  snapshot: Indexed,
): Deleverage["cause"] | undefined {
  const markets = marketsOf(view.account, snapshot);
  if (health === "below") {
    if (isInsolvent(view)) return "insolvent";
    if (hasRunOut(view, markets, snapshot)) return "expired";
  }
  // What an account without equity lost belongs to the event that closes it, so it is not closed market by market.
  return view.equity >= 0n && isInEnded(markets) ? "ended" : undefined;
}

function hasRunOut(view: AccountView, markets: readonly MarketView[], snapshot: Indexed): boolean {
  if (view.clock === 0n || markets.length === 0) return false;
  return markets.every((market) => elapsed(view, markets, snapshot) >= market.clock);
}

/** While an event waits in one of its markets the contract leaves the account alone. */
function isInEnded(markets: readonly MarketView[]): boolean {
  return markets.some(({ isEnded }) => isEnded) && markets.every(({ hasEvent }) => !hasEvent);
}

function decideEvent({ market, hasEvent }: MarketView, snapshot: Indexed): Decision {
  if (!hasEvent) return skip("continueEvent", market, "noEvent");
  if (isBlocked(snapshot, "continueEvent", market)) return skip("continueEvent", market, "backoff");
  return { kind: "continueEvent", market };
}

function decidePoke(view: MarketView, snapshot: Indexed, { pokeAfter }: Policy): Decision {
  const { market } = view;
  if (pokeAfter === 0n) return skip("poke", market, "never");
  if (view.isEnded) return decideDues(view, snapshot);
  if (view.openInterest === 0n) return skip("poke", market, "unused");
  const isWaiting = view.pendingSince !== 0n || view.grade === "aged";
  const age = snapshot.head.now - view.refreshed;
  if (age < (isWaiting ? ceilDiv(pokeAfter, 3n) : pokeAfter)) return skip("poke", market, "recent");
  if (isBlocked(snapshot, "poke", market)) return skip("poke", market, "backoff");
  return { kind: "poke", market, cause: isWaiting ? "waiting" : "stale" };
}

/** Its price is for ever; what is left to do there is done once. */
function decideDues({ market, dues }: MarketView, snapshot: Indexed): Decision {
  if (dues === 0n) return skip("poke", market, "ended");
  if (isBlocked(snapshot, "poke", market)) return skip("poke", market, "backoff");
  return { kind: "poke", market, cause: "dues" };
}

/** The queue has no number of its own: its subject is always this. */
export const QUEUE = 0;
const HOUR = 3_600n;

/** Anyone may release any part at any time; paying a little in every block would cost more than it is worth. */
function decideRelease(
  { waiting, releasable, rate }: OutflowView,
  snapshot: Indexed,
  { releaseAfter }: Policy,
): Decision {
  if (releaseAfter === 0n) return skip("release", QUEUE, "never");
  if (waiting === 0n) return skip("release", QUEUE, "nothingWaits");
  const isWorth = releasable === waiting || releasable * HOUR >= rate * releaseAfter;
  if (releasable === 0n || !isWorth) return skip("release", QUEUE, "noRoom");
  if (isBlocked(snapshot, "release", QUEUE)) return skip("release", QUEUE, "backoff");
  return { kind: "release", amount: releasable };
}

/** The ledger account that is the fund's. */
export const FUND = 1;

/** Until it is noted, income waits for whoever steps in next; to note every fee would cost more than it is worth. */
function decideNote(
  fund: FundView | undefined,
  snapshot: Indexed,
  { noteAbove, noteAfter }: Policy,
): Decision {
  if (noteAbove === 0n) return skip("noteIncome", FUND, "never");
  if (fund === undefined) return skip("noteIncome", FUND, "noFund");
  const income = fund.held - fund.noted;
  if (income < noteAbove) return skip("noteIncome", FUND, "noIncome");
  if (snapshot.head.now < fund.notedAt + noteAfter) return skip("noteIncome", FUND, "recent");
  if (isBlocked(snapshot, "noteIncome", FUND)) return skip("noteIncome", FUND, "backoff");
  return { kind: "noteIncome", income };
}
