import { exchangeInterface } from "./events.js";
import type { EventName, EventNamed, ExchangeEvent, RawLog } from "./events.js";
import { accountOfOrder, checkpointKey, levelKey, sideOfFlags } from "./keys.js";
import { freshMarkKey, nonceKey, operatorKey } from "./state.js";
import { decode } from "./words.js";

/*
 * Which keys of the exchange's mappings have ever been written. Storage cannot list them, events can.
 * Fed with every event from the first on, in any order.
 */

export type KnownMarket = {
  /** Accounts that had a position, an order, fresh profit or a chosen leverage here. */
  readonly accounts: Set<number>;
  /** Level keys. */
  readonly levels: Set<number>;
  readonly cohorts: Set<number>;
  readonly checkpoints: Set<number>;
  readonly freshMarks: Set<number>;
};

export type Known = {
  readonly markets: Map<number, KnownMarket>;
  readonly operators: Map<string, { readonly account: number; readonly operator: string }>;
  readonly nonces: Map<string, { readonly owner: string; readonly word: bigint }>;
};

export function createKnown(): Known {
  return { markets: new Map(), operators: new Map(), nonces: new Map() };
}

export function copyKnown(known: Known): Known {
  return structuredClone(known);
}

export function knownMarket(known: Known, id: number): KnownMarket {
  let market = known.markets.get(id);
  if (market === undefined) {
    market = {
      accounts: new Set(),
      levels: new Set(),
      cohorts: new Set(),
      checkpoints: new Set(),
      freshMarks: new Set(),
    };
    known.markets.set(id, market);
  }
  return market;
}

export function track(known: Known, { name, args }: ExchangeEvent): void {
  // Name and arguments belong together; the compiler cannot see it through the table.
  const tracker = TRACKERS[name] as ((known: Known, args: unknown) => void) | undefined;
  tracker?.(known, args);
}

type Tracker<Name extends EventName> = (known: Known, args: EventNamed<Name>["args"]) => void;

const noteAccount = (
  known: Known,
  args: { readonly market: bigint; readonly account: bigint },
): void => {
  knownMarket(known, Number(args.market)).accounts.add(Number(args.account));
};

const TRACKERS: { readonly [Name in EventName]?: Tracker<Name> } = {
  OperatorSet(known, args) {
    const [account, operator] = [Number(args.account), args.operator];
    known.operators.set(operatorKey(account, operator), { account, operator });
  },
  NonceUsed(known, { owner, nonce }) {
    const word = nonce >> 8n;
    known.nonces.set(nonceKey(owner, word), { owner, word });
  },
  MarketListed: (known, args) => void knownMarket(known, Number(args.market)),
  OrderPlaced(known, args) {
    const market = knownMarket(known, Number(args.market));
    market.accounts.add(accountOfOrder(Number(args.order)));
    market.levels.add(levelKey(sideOfFlags(args.flags), Number(args.tick)));
  },
  LeverageChosen: noteAccount,
  OrdersKilled: noteAccount,
  FreshChanged: noteAccount,
  PositionChanged(known, args) {
    noteAccount(known, args);
    knownMarket(known, Number(args.market)).cohorts.add(Number(args.cohort));
  },
  CohortChanged(known, args) {
    knownMarket(known, Number(args.market)).cohorts.add(Number(args.cohort));
  },
  CheckpointWritten(known, args) {
    const market = knownMarket(known, Number(args.market));
    market.cohorts.add(Number(args.cohort));
    market.checkpoints.add(checkpointKey(Number(args.cohort), Number(args.number)));
  },
  // A charge says so first, and leaves a mark in the epoch that the side is in.
  FreshSideChanged(known, args) {
    const { epoch } = decode("FreshSide", [BigInt(args.word)]);
    const key = freshMarkKey(Number(args.side), Number(epoch));
    knownMarket(known, Number(args.market)).freshMarks.add(key);
  },
};

const tracked = new Set(
  Object.keys(TRACKERS).map((name) => exchangeInterface.getEvent(name as EventName).topicHash),
);

/** Whether a log says of new keys, so that the others need not be decoded. */
export function isTracked({ topics }: RawLog): boolean {
  return tracked.has(topics[0] ?? "");
}
