import type { ExchangeEvent } from "./events.js";
import { accountOfOrder, checkpointKey, levelKey, sideOf, sideOfFlags } from "./keys.js";
import { freshMarkKey, nonceKey, operatorKey } from "./state.js";

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
  switch (name) {
    case "OperatorSet": {
      const [account, operator] = [Number(args.account), args.operator];
      known.operators.set(operatorKey(account, operator), { account, operator });
      return;
    }
    case "NonceUsed": {
      const [owner, word] = [args.owner, args.nonce >> 8n];
      known.nonces.set(nonceKey(owner, word), { owner, word });
      return;
    }
    case "MarketListed":
      knownMarket(known, Number(args.market));
      return;
    case "OrderPlaced": {
      const market = knownMarket(known, Number(args.market));
      market.accounts.add(accountOfOrder(Number(args.order)));
      market.levels.add(levelKey(sideOfFlags(args.flags), Number(args.tick)));
      return;
    }
    case "LeverageChosen":
    case "OrdersKilled":
    case "FreshChanged":
      knownMarket(known, Number(args.market)).accounts.add(Number(args.account));
      return;
    case "PositionChanged": {
      const market = knownMarket(known, Number(args.market));
      market.accounts.add(Number(args.account));
      market.cohorts.add(Number(args.cohort));
      return;
    }
    case "CohortChanged":
      knownMarket(known, Number(args.market)).cohorts.add(Number(args.cohort));
      return;
    case "CheckpointWritten": {
      const market = knownMarket(known, Number(args.market));
      market.cohorts.add(Number(args.cohort));
      market.checkpoints.add(checkpointKey(Number(args.cohort), Number(args.number)));
      return;
    }
    default:
  }
}
