import type { EventName, EventNamed, ExchangeEvent } from "./events.js";
import { freshPool } from "./fresh.js";
import { cohortName, LONG, SHORT, sideOf } from "./keys.js";
import type { SideIndex } from "./keys.js";
import type { Cut, Receipt, SideBefore } from "./receipts.js";
import type { MarketState, State } from "./state.js";
import { marketOf } from "./rebuild.js";

/* Follows events of auto-deleveraging through the log, also over several transactions, and ends each side in a receipt. */

type SideTrace = {
  /** As the last account had left its cohorts: classes by price class, fresh profit in quote. */
  readonly classes: SideBefore["classes"];
  readonly fresh: bigint;
  /** By cohort key; taken with the first cut. */
  cohorts: Map<number, bigint> | undefined;
  readonly haircuts: EventNamed<"Haircut">["args"][];
  readonly principals: EventNamed<"PrincipalCharged">["args"][];
  freshCharge: bigint;
  readonly cuts: Cut[];
};

type Sides = readonly [SideTrace, SideTrace];

export type Tracer = {
  /** By event id, then market: the last event, and those that are stored. */
  readonly open: Map<bigint, Map<number, Sides>>;
  /** Ids of stored events, one entry a market that has not finished. */
  readonly stored: bigint[];
};

/** The state and the time right before an event of the log. */
export type Moment = { readonly state: State; readonly time: bigint };

type Handler<Name extends EventName> = (
  tracer: Tracer,
  args: EventNamed<Name>["args"],
  moment: Moment,
) => Receipt | undefined;

export function createTracer(): Tracer {
  return { open: new Map(), stored: [] };
}

export function copyTracer(tracer: Tracer): Tracer {
  return structuredClone(tracer);
}

/** @returns A receipt, if this event of the log ends one side of an event. */
export function trace(tracer: Tracer, event: ExchangeEvent, moment: Moment): Receipt | undefined {
  // Name and arguments belong together; the compiler cannot see it through the table.
  const handler = HANDLERS[event.name] as
    ((tracer: Tracer, args: unknown, moment: Moment) => Receipt | undefined) | undefined;
  return handler?.(tracer, event.args, moment);
}

const HANDLERS: { readonly [Name in EventName]?: Handler<Name> } = {
  // Between the last of these and the first charge nothing changes.
  AccountDeleveraged(tracer, { id }, { state, time }) {
    for (const old of tracer.open.keys()) {
      if (old !== id && !tracer.stored.includes(old)) tracer.open.delete(old);
    }
    const markets = [...state.markets].map(
      ([market, found]) =>
        [market, [sideAt(found, LONG, time), sideAt(found, SHORT, time)]] as const,
    );
    tracer.open.set(id, new Map<number, Sides>(markets));
    return undefined;
  },
  EventStored(tracer, { id }) {
    tracer.stored.push(id);
    return undefined;
  },
  EventFinished(tracer, { id }) {
    const place = tracer.stored.indexOf(id);
    if (place >= 0) tracer.stored.splice(place, 1);
    return undefined;
  },
  Haircut(tracer, args) {
    sideOfEvent(tracer, args).haircuts.push(args);
    return undefined;
  },
  PrincipalCharged(tracer, args) {
    sideOfEvent(tracer, args).principals.push(args);
    return undefined;
  },
  FreshCharged(tracer, args) {
    // The shortfall of a market that has ended belongs to no event.
    if (args.id === 0n) return undefined;
    sideOfEvent(tracer, args).freshCharge += args.amount;
    return undefined;
  },
  CohortCut(tracer, { id, market, cohort, lots, discount }, { state }) {
    const key = Number(cohort);
    const { side } = cohortName(key);
    const traced = sideOfEvent(tracer, { id, market, side: BigInt(side) });
    if (traced.cohorts === undefined) {
      traced.cohorts = lotsOf(marketOf(state, market), side);
      // The cohort says what it is now before the cut is reported.
      traced.cohorts.set(key, (traced.cohorts.get(key) ?? 0n) + lots);
    }
    traced.cuts.push({ cohort: key, lots, discount });
    return undefined;
  },
  Deleveraged(tracer, { id, market: marketId, side, receipt }, { state }) {
    const traced = sideOfEvent(tracer, { id, market: marketId, side });
    const market = marketOf(state, marketId);
    const before: SideBefore = {
      side: sideOf(side),
      quote: { mark: receipt.mark, unit: market.config.unit },
      classes: traced.classes,
      fresh: traced.fresh,
      cohorts: traced.cohorts ?? lotsOf(market, sideOf(side)),
    };
    const { haircuts, principals, freshCharge, cuts } = traced;
    const taken = { haircuts, principals, freshCharge, cuts };
    return { id, market: Number(marketId), side: sideOf(side), receipt, before, ...taken };
  },
};

function sideOfEvent(
  { open }: Tracer,
  { id, market, side }: { readonly id: bigint; readonly market: bigint; readonly side: bigint },
): SideTrace {
  const traced = open.get(id)?.get(Number(market))?.[sideOf(side)];
  if (traced === undefined) throw new RangeError(`event ${id} has no account in the log`);
  return traced;
}

function sideAt(market: MarketState, side: SideIndex, time: bigint): SideTrace {
  const classes = new Map<number, { lots: bigint; haircut: bigint }>();
  for (const [key, { lots, haircut }] of market.classes) {
    if (sideOf(key >> 12) !== side || lots === 0n) continue;
    classes.set(key % 2 ** 12, { lots, haircut });
  }
  return {
    classes,
    fresh: freshPool(market, side, time),
    cohorts: undefined,
    haircuts: [],
    principals: [],
    freshCharge: 0n,
    cuts: [],
  };
}

function lotsOf(market: MarketState, side: SideIndex): Map<number, bigint> {
  const lots = new Map<number, bigint>();
  for (const [key, cohort] of market.cohorts) {
    if (cohortName(key).side === side && cohort.lots > 0n) lots.set(key, cohort.lots);
  }
  return lots;
}
