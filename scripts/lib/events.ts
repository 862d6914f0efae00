import type { EventFragment, Result } from "ethers";
import type { TypedContractEvent } from "../../typechain-types/common.js";
import { IExchange__factory } from "../../typechain-types/index.js";
import type { IExchange } from "../../typechain-types/index.js";

/* Logs of the exchange as typed values: a discriminated union over `name`. */

type Filters = IExchange["filters"];
export type EventName = Exclude<keyof Filters, `${string}(${string}`>;

/** The named arguments. All three have to be inferred, or none is. */
type ArgumentsOf<Filter> =
  Filter extends TypedContractEvent<infer Input, infer Output, infer Arguments>
    ? [Input, Output] extends [unknown[], unknown[]]
      ? Arguments
      : never
    : never;

type EventOf<Name extends EventName> = {
  readonly name: Name;
  readonly args: Readonly<ArgumentsOf<Filters[Name]>>;
};

export type ExchangeEvent = { readonly [Name in EventName]: EventOf<Name> }[EventName];

/** One kind of event. */
export type EventNamed<Name extends EventName> = Extract<ExchangeEvent, { name: Name }>;

/** What a provider gives; more fields do not matter. */
export type RawLog = {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
};

export const exchangeInterface = IExchange__factory.createInterface();

/** By topic: the interface would hash every event's signature for each log. */
const fragments = new Map<string, EventFragment>();
exchangeInterface.forEachEvent((fragment) => fragments.set(fragment.topicHash, fragment));

/** The event in a log, or undefined if it is none of the exchange's. */
export function parseEvent({ topics, data }: RawLog): ExchangeEvent | undefined {
  const fragment = fragments.get(topics[0] ?? "");
  if (fragment === undefined) return undefined;
  const args = objectOf(exchangeInterface.decodeEventLog(fragment, data, topics));
  // The interface is the one that the type was generated from.
  return { name: fragment.name, args } as unknown as ExchangeEvent;
}

export function parseEvents(logs: readonly RawLog[]): ExchangeEvent[] {
  return logs.map(parseEvent).filter((event) => event !== undefined);
}

/** The log that the exchange would have written; for tests and for replaying what was recorded. */
export function encodeEvent(event: ExchangeEvent, address: string): RawLog {
  const fragment = exchangeInterface.getEvent(event.name);
  const values: Readonly<Record<string, unknown>> = event.args;
  const inputs = fragment.inputs.map((input) => values[input.name]);
  return { address, ...exchangeInterface.encodeEventLog(fragment, inputs) };
}

export function eventsNamed<Name extends EventName>(
  events: readonly ExchangeEvent[],
  name: Name,
): EventNamed<Name>[] {
  return events.filter((event): event is EventNamed<Name> => event.name === name);
}

/** Named values, with those of nested structs as objects too. */
function objectOf(result: Result): Record<string, unknown> {
  return result.toObject(true);
}
