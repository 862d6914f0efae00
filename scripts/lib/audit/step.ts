import type { EventName, EventNamed, ExchangeEvent } from "../events.js";
import type { Receipt } from "../receipts.js";
import type { State } from "../state.js";
import type { Custody } from "./money.js";

/** What happened between two looks at the exchange: the transactions of one block. */
export type Step = {
  readonly before: State;
  readonly after: State;
  readonly custody: { readonly before: Custody; readonly after: Custody };
  readonly events: readonly ExchangeEvent[];
  /** Sides of events that ended here. */
  readonly receipts: readonly Receipt[];
  /** Of the block, unix. */
  readonly time: bigint;
};

export function has(step: Step, ...names: readonly EventName[]): boolean {
  return step.events.some((event) => names.includes(event.name));
}

export function named<Name extends EventName>(step: Step, name: Name): EventNamed<Name>["args"][] {
  const found: EventNamed<Name>["args"][] = [];
  for (const event of step.events) {
    // The union's members carry their arguments under their name.
    if (event.name === name) found.push(event.args as EventNamed<Name>["args"]);
  }
  return found;
}
