/** The few actions that the replay's traders and market makers take, as `Exchange.execute` wants them. */

import type { Interface } from "ethers";
import { Exchange__factory } from "../../typechain-types/factories/Exchange__factory.js";
import type { ActionStruct } from "../../typechain-types/interfaces/IExchange.js";
import { LEVERAGES } from "./scenario.js";
import { MARKET } from "./market.js";
import type { Side } from "./population.js";

const KIND = { place: 0, cancelAll: 3, setLeverage: 4 } as const;
const TIME_IN_FORCE = { gtc: 0, ioc: 1, postOnly: 3 } as const;

const NOTHING: ActionStruct = {
  kind: KIND.place,
  market: MARKET,
  side: 0,
  timeInForce: TIME_IN_FORCE.gtc,
  reduceOnly: false,
  tick: 0,
  lots: 0,
  expiry: 0,
  slot: 0,
};

export type Quote = { readonly side: Side; readonly tick: bigint; readonly lots: bigint };

export function place(
  { side, tick, lots }: Quote,
  timeInForce: keyof typeof TIME_IN_FORCE,
): ActionStruct {
  const index = side === "long" ? 0 : 1;
  return { ...NOTHING, side: index, tick, lots, timeInForce: TIME_IN_FORCE[timeInForce] };
}

export function cancelAll(): ActionStruct {
  return { ...NOTHING, kind: KIND.cancelAll };
}

export function chooseLeverage(leverage: number): ActionStruct {
  return { ...NOTHING, kind: KIND.setLeverage, slot: leverageClass(leverage) };
}

/** Index into the exchange's table. */
export function leverageClass(leverage: number): number {
  const at = LEVERAGES.findIndex((known) => known === leverage);
  if (at < 0) throw new RangeError(`there is no leverage ${leverage}`);
  return at;
}

export const exchangeAbi = Exchange__factory.createInterface();
/** For events and errors by name. */
export const anyAbi: Interface = exchangeAbi;

export function encodeExecute(account: number, actions: readonly ActionStruct[]): string {
  return exchangeAbi.encodeFunctionData("execute", [account, [...actions]]);
}
