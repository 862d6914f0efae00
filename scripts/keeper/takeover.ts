import { skip } from "./decisions.js";
import type { Decision, Skip, SkipReason, Takeover } from "./decisions.js";
import { ceilDiv, isBetterFor, least, priceAway, tickTowardsMark } from "./math.js";
import { healthOf, isBlocked, limitOf } from "./snapshot.js";
import type { Indexed } from "./snapshot.js";
import type { AccountView, MarketView, PositionView } from "./views.js";

export type TakeoverPolicy = {
  /** The keeper's own account, which takes positions over. */
  readonly account?: number;
  /** The least gain of a takeover against mark, ppm. */
  readonly minDiscount: bigint;
  /** Most notional taken over from one position, quote. */
  readonly maxTakeover: bigint;
  /** Notional per unit of free margin that a takeover may use. */
  readonly takeoverLeverage: bigint;
};

/** Margin is spent once: what a worse account's position takes is not there for the next. */
export function decideTakeovers(
  accounts: readonly AccountView[],
  snapshot: Indexed,
  policy: TakeoverPolicy,
): Decision[] {
  const own = accounts.find(({ account }) => account === policy.account);
  let free = own === undefined ? 0n : own.prudent - own.initial;
  return accounts.flatMap((view) => {
    const positions = snapshot.positions.get(view.account) ?? [];
    return positions.map((position) => {
      const decision = decideTakeover(view, position, { snapshot, policy, own, free });
      if (decision.kind === "takeover") {
        const mark = snapshot.markets.get(decision.market)?.mark ?? 0n;
        free -= ceilDiv(decision.lots * mark, policy.takeoverLeverage);
      }
      return decision;
    });
  });
}

type TakeoverContext = {
  readonly snapshot: Indexed;
  readonly policy: TakeoverPolicy;
  readonly own: AccountView | undefined;
  readonly free: bigint;
};

function decideTakeover(
  view: AccountView,
  position: PositionView,
  context: TakeoverContext,
): Takeover | Skip {
  const { snapshot, policy, own } = context;
  const { account } = view;
  const skipped = (reason: SkipReason): Skip => skip("takeover", account, reason);
  if (own === undefined) return skipped("noAccount");
  if (own.account === account) return skipped("ownAccount");
  if (healthOf(view) !== "below") return skipped("healthy");
  if (view.clock === 0n) return skipped("clockNotStarted");
  if (isBlocked(snapshot, "takeover", account)) return skipped("backoff");
  const market = snapshot.markets.get(position.market);
  if (market === undefined) return skipped("noMarket");
  const barred = whyNoTakeover(market, position);
  if (barred !== undefined) return skipped(barred);

  const worstPrice = priceAway(position.side, market.mark, policy.minDiscount);
  const limit = limitOf(view, position, snapshot);
  const price = tickTowardsMark(position.side, limit, market.unit) * market.unit;
  const isProfitable = !isBetterFor(position.side, price, worstPrice);
  if (!isProfitable) return skipped("notProfitable");
  const lots = lotsWithin(position, market, context);
  if (lots === 0n) return skipped(context.free > 0n ? "tooSmall" : "noMargin");
  return { kind: "takeover", account, to: own.account, market: market.market, lots, worstPrice };
}

function whyNoTakeover(market: MarketView, position: PositionView): SkipReason | undefined {
  if (market.isEnded) return "ended";
  if (market.hasEvent) return "eventPending";
  if (market.isReduceOnly) return "reduceOnly";
  if (market.grade === "dead" || market.mark === 0n) return "noPrice";
  if (position.zeroPrice === 0n) return "noZeroPrice";
  return undefined;
}

/** What policy and free margin allow; nothing if that is less than a position may be and less than the whole. */
function lotsWithin(position: PositionView, market: MarketView, context: TakeoverContext): bigint {
  const { policy, free } = context;
  if (free <= 0n) return 0n;
  const budget = least(free * policy.takeoverLeverage, policy.maxTakeover);
  const lots = least(budget / market.mark, position.lots);
  return lots * market.mark < market.minNotional ? 0n : lots;
}
