import { MARKET_SLOTS, STATE_SLOTS } from "../lib/layout.js";
import type { Struct, StructName } from "../lib/layout.js";
import { decode, entrySlot, slotsOf, toHex } from "../lib/words.js";
import type { Ballast } from "./ballast.js";

/* What no function of the exchange tells, from its storage. */

/** The block that everything of one answer is read at. */
export type Moment = {
  readonly number: number;
  /** Unix time. */
  readonly time: bigint;
};

export async function latest({ exchange }: Ballast): Promise<Moment> {
  const block = await exchange.runner?.provider?.getBlock("latest");
  if (block === null || block === undefined) throw new RangeError("the runner has no block");
  return { number: block.number, time: BigInt(block.timestamp) };
}

export async function readStruct<Name extends StructName>(
  { exchange }: Ballast,
  name: Name,
  { slot, at }: { readonly slot: bigint; readonly at: Moment },
): Promise<Struct<Name>> {
  const slots = Array.from({ length: slotsOf(name) }, (_, i) => `0x${toHex(slot + BigInt(i))}`);
  const words = await exchange.extsload(slots, { blockTag: at.number });
  return decode(name, words.map(BigInt));
}

export function slotOfState(member: keyof typeof STATE_SLOTS): bigint {
  return BigInt(STATE_SLOTS[member]);
}

export function slotOfMarket(market: number, member: keyof typeof MARKET_SLOTS): bigint {
  return entrySlot(slotOfState("markets"), BigInt(market)) + BigInt(MARKET_SLOTS[member]);
}
