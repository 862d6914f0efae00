import type { TransactionReceipt } from "ethers";
import { parseEvents } from "../lib/events.js";
import { classKey, cohortName, FIRST_ACCOUNT, HOUSE, LONG, orderId, SHORT } from "../lib/keys.js";
import { createKnown, track } from "../lib/known.js";
import type { KnownMarket } from "../lib/known.js";
import { MARKET_SLOTS, STATE_SLOTS } from "../lib/layout.js";
import { occupiedKeys, tickWords } from "../lib/read.js";
import { entrySlot, slotsOf } from "../lib/words.js";
import type { World } from "../lib/world.js";

/*
 * What the gas of a transaction goes to: every storage access by the name of what lies in the slot, found in the trace of the
 * virtual machine.
 */

export type Use = { reads: number; writes: number; gas: number };

/** Gas of one transaction by what it was spent on. Averages, if it is a difference of two. */
export type Parts = {
  /** 21,000 and the data. */
  readonly intrinsic: number;
  /** By the name of the struct or mapping in the exchange's storage. A slot that is read and then written is a write. */
  readonly storage: ReadonlyMap<string, Use>;
  /** Storage of other contracts: oracle, sources, vault, token. */
  readonly elsewhere: number;
  /** Accounts that are called for the first time, linked libraries among them. */
  readonly calls: number;
  readonly logs: number;
  /** Computation and memory. */
  readonly rest: number;
  /** As deducted. */
  readonly refund: number;
};

type Step = {
  readonly op: string;
  readonly gas: number;
  readonly gasCost: number;
  readonly depth: number;
  readonly stack: readonly string[];
};

/** EIP-2929: what a call costs more when its target was not called before. */
const COLD_CALL = 2_500;
const CALLS = new Set(["CALL", "STATICCALL", "DELEGATECALL", "CALLCODE"]);
export async function partsOf(world: World, receipt: TransactionReceipt): Promise<Parts> {
  const names = await namesOf(world);
  const trace = (await world.connection.ethers.provider.send("debug_traceTransaction", [
    receipt.hash,
    { disableMemory: true, disableStorage: true },
  ])) as { readonly structLogs: readonly Step[] };
  const exchange = BigInt(await world.exchange.getAddress());
  return gather(trace.structLogs, { exchange, names, receipt });
}

type Where = {
  readonly exchange: bigint;
  readonly names: ReadonlyMap<bigint, string>;
  readonly receipt: TransactionReceipt;
};

function gather(steps: readonly Step[], { exchange, names, receipt }: Where): Parts {
  const storage = new Map<string, Use>();
  const written = new Set<bigint>();
  const touched = new Set<bigint>();
  const called = new Set<bigint>();
  // Whose storage each depth works on.
  const owners = [0n, BigInt(receipt.to ?? 0)];
  const sums = { elsewhere: 0, logs: 0, calls: 0 };
  for (const { op, depth, gasCost, stack } of steps) {
    const owner = owners[depth] ?? 0n;
    if (op.startsWith("LOG")) sums.logs += gasCost;
    if (CALLS.has(op)) {
      const target = wordAt(stack, 1);
      owners[depth + 1] = op === "DELEGATECALL" || op === "CALLCODE" ? owner : target;
      // Precompiles are always warm.
      if (target > 0xffn && target !== exchange && !called.has(target)) sums.calls += COLD_CALL;
      called.add(target);
    }
    if (op !== "SLOAD" && op !== "SSTORE") continue;
    if (owner !== exchange) {
      sums.elsewhere += gasCost;
      continue;
    }
    const slot = wordAt(stack, 0);
    const name = names.get(slot) ?? "other";
    let use = storage.get(name);
    if (use === undefined) storage.set(name, (use = { reads: 0, writes: 0, gas: 0 }));
    use.gas += gasCost;
    if (!touched.has(slot)) use.reads += 1;
    touched.add(slot);
    if (op === "SSTORE" && !written.has(slot)) {
      // It counted as a read so far.
      use.reads -= 1;
      use.writes += 1;
      written.add(slot);
    }
  }
  const first = steps[0]?.gas ?? 0;
  const last = steps.at(-1);
  const spent = first - (last === undefined ? 0 : last.gas - last.gasCost);
  const used = Number(receipt.gasUsed);
  // What was gone before the first instruction: hardhat.config.ts gives every transaction the same limit.
  const intrinsic = GAS_LIMIT - first;
  const refund = intrinsic + spent - used;
  const known = [...storage.values()].reduce((total, { gas }) => total + gas, 0);
  const rest = spent - known - sums.elsewhere - sums.logs - sums.calls;
  return { intrinsic, storage, ...sums, rest, refund };
}

/** Of hardhat.config.ts. */
const GAS_LIMIT = 16_777_216;

export function differenceOf(many: Parts, one: Parts, count: number): Parts {
  const storage = new Map<string, Use>();
  for (const name of new Set([...many.storage.keys(), ...one.storage.keys()])) {
    const [a, b] = [many.storage.get(name) ?? NONE, one.storage.get(name) ?? NONE];
    storage.set(name, {
      reads: (a.reads - b.reads) / count,
      writes: (a.writes - b.writes) / count,
      gas: (a.gas - b.gas) / count,
    });
  }
  return {
    storage,
    intrinsic: (many.intrinsic - one.intrinsic) / count,
    elsewhere: (many.elsewhere - one.elsewhere) / count,
    calls: (many.calls - one.calls) / count,
    logs: (many.logs - one.logs) / count,
    rest: (many.rest - one.rest) / count,
    refund: (many.refund - one.refund) / count,
  };
}

const NONE: Use = { reads: 0, writes: 0, gas: 0 };

function wordAt(stack: readonly string[], fromTop: number): bigint {
  return BigInt(stack.at(-1 - fromTop) ?? "0x0");
}

/** Names of all slots of the exchange that events so far can have led to. */
async function namesOf({ exchange, connection }: World): Promise<ReadonlyMap<bigint, string>> {
  const logs = await connection.ethers.provider.getLogs({
    address: await exchange.getAddress(),
    fromBlock: 0,
  });
  const known = createKnown();
  for (const event of parseEvents(logs)) track(known, event);
  const accounts = [...HOUSE];
  const count = Number(await exchange.accountCount());
  for (let id = FIRST_ACCOUNT; id <= count; id++) accounts.push(id);

  const names = new Map<bigint, string>();
  const put: Put = (slot, name, slots = 1) => {
    for (let i = 0; i < slots; i++) names.set(slot + BigInt(i), name);
  };
  put(BigInt(STATE_SLOTS.header), "Header", slotsOf("Header"));
  put(BigInt(STATE_SLOTS.drawn), "FundSlot");
  for (const id of accounts) {
    put(entrySlot(BigInt(STATE_SLOTS.accounts), BigInt(id)), "Account");
    put(entrySlot(BigInt(STATE_SLOTS.money), BigInt(id)), "Money");
  }
  for (const [id, market] of known.markets) {
    const base = entrySlot(BigInt(STATE_SLOTS.markets), BigInt(id));
    putFixed(put, base);
    putOfAccounts(put, base, accounts);
    putKnown(put, base, market);
  }
  return names;
}

/** Slots of one account's orders that benchmarks use. */
const ORDER_SLOTS = 4;

type Put = (slot: bigint, name: string, slots?: number) => void;
type Member = keyof typeof MARKET_SLOTS;

function memberAt(base: bigint, member: Member): bigint {
  return base + BigInt(MARKET_SLOTS[member]);
}

function entryAt(base: bigint, member: Member, key: number): bigint {
  return entrySlot(memberAt(base, member), BigInt(key));
}

function putFixed(put: Put, base: bigint): void {
  put(memberAt(base, "price"), "MarkSlot");
  put(memberAt(base, "book"), "BookSlot");
  put(memberAt(base, "sample"), "SampleSlot");
  put(memberAt(base, "flow"), "FlowSlot");
  put(memberAt(base, "pool"), "PoolSlot");
  put(memberAt(base, "config"), "MarketConfig", slotsOf("MarketConfig"));
  put(memberAt(base, "dust"), "DustSlot", slotsOf("DustSlot"));
  put(memberAt(base, "bucket"), "BucketSlot");
  put(memberAt(base, "charges"), "ChargeSlot");
  put(memberAt(base, "volatility"), "VolatilitySlot");
  put(memberAt(base, "caps"), "CapSlot");
  put(memberAt(base, "wind"), "WindSlot");
  put(memberAt(base, "fresh"), "FreshSide", 2);
}

function putOfAccounts(put: Put, base: bigint, accounts: readonly number[]): void {
  for (const account of accounts) {
    put(entryAt(base, "positions", account), "Position");
    put(entryAt(base, "resting", account), "Resting");
    put(entryAt(base, "freshRecords", account), "FreshRecord");
    for (let slot = 0; slot < ORDER_SLOTS; slot++) {
      put(entryAt(base, "orders", orderId(account, slot)), "Order");
    }
  }
}

function putKnown(put: Put, base: bigint, market: KnownMarket): void {
  for (const key of market.levels) put(entryAt(base, "levels", key), "Level");
  const words = tickWords([...market.levels]);
  for (const side of [LONG, SHORT]) {
    const ofSide = entryAt(base, "ticks", side);
    for (const word of words) put(entrySlot(ofSide, BigInt(word)), "ticks");
  }
  for (const key of market.cohorts) {
    const { side, priceClass } = cohortName(key);
    put(entryAt(base, "cohorts", key), "Cohort");
    put(entryAt(base, "classes", classKey(side, priceClass)), "PriceClass");
  }
  for (const word of occupiedKeys(market.cohorts)) put(entryAt(base, "occupied", word), "occupied");
  for (const key of market.checkpoints) {
    put(entryAt(base, "checkpoints", key), "Checkpoint", slotsOf("Checkpoint"));
  }
  for (const key of market.freshMarks) put(entryAt(base, "freshMarks", key), "FreshMark");
}
