import type { ActionStruct } from "../../typechain-types/interfaces/IExchange.js";

/* Actions for `exchange.execute(account, actions)`. */

export type Action = ActionStruct;
export type OrderSide = "buy" | "sell";
export type TimeInForce = "goodTilCancelled" | "immediateOrCancel" | "fillOrKill" | "postOnly";

/** In the contract's order. */
const KINDS = ["place", "replace", "cancel", "cancelAll", "setLeverage"] as const;
const TIMES_IN_FORCE: readonly TimeInForce[] = [
  "goodTilCancelled",
  "immediateOrCancel",
  "fillOrKill",
  "postOnly",
];

/** What an account can commit to; the place in this list is the class. */
export const LEVERAGES = [1, 2, 3, 5, 10, 20, 50, 100] as const;
export type Leverage = (typeof LEVERAGES)[number];

export type Order = {
  readonly market: number;
  readonly side: OrderSide;
  /** The worst price, in ticks. */
  readonly tick: bigint;
  readonly lots: bigint;
  readonly timeInForce?: TimeInForce;
  readonly reduceOnly?: boolean;
  /** Unix time from which a resting order counts as gone. */
  readonly expiry?: number;
};

export function limitOrder(order: Order): Action {
  return { ...fieldsOf(order), kind: KINDS.indexOf("place") };
}

/** Fills at once, at `tick` at worst, or not at all. */
export function marketOrder(order: Omit<Order, "timeInForce" | "expiry">): Action {
  return limitOrder({ ...order, timeInForce: "immediateOrCancel" });
}

/** Takes the place of what is left of the order in a slot. */
export function replaceOrder(slot: number, order: Order): Action {
  return { ...fieldsOf(order), kind: KINDS.indexOf("replace"), slot };
}

/** @param slot See `slotOf`. */
export function cancelOrder(market: number, slot: number): Action {
  return { ...EMPTY, kind: KINDS.indexOf("cancel"), market, slot };
}

export function cancelAllOrders(market: number): Action {
  return { ...EMPTY, kind: KINDS.indexOf("cancelAll"), market };
}

export function setLeverage(market: number, leverage: Leverage): Action {
  return {
    ...EMPTY,
    kind: KINDS.indexOf("setLeverage"),
    market,
    slot: LEVERAGES.indexOf(leverage),
  };
}

/** The order slot inside an order's id. */
export function slotOf(order: bigint): number {
  return Number(order & 0xffn);
}

const EMPTY: Action = {
  kind: 0,
  market: 0,
  side: 0,
  timeInForce: 0,
  reduceOnly: false,
  tick: 0n,
  lots: 0n,
  expiry: 0,
  slot: 0,
};

function fieldsOf({ market, side, tick, lots, ...rest }: Order): Action {
  const { timeInForce = "goodTilCancelled", reduceOnly = false, expiry = 0 } = rest;
  return {
    ...EMPTY,
    market,
    side: side === "buy" ? 0 : 1,
    timeInForce: TIMES_IN_FORCE.indexOf(timeInForce),
    reduceOnly,
    tick,
    lots,
    expiry,
  };
}
