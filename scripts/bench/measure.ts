import type { ContractTransactionReceipt, ContractTransactionResponse } from "ethers";
import hre from "hardhat";
import type { Trader, World, WorldOptions } from "../lib/world.js";
import { createWorld } from "../lib/world.js";
import { differenceOf, partsOf } from "./slots.js";
import type { Parts } from "./slots.js";

/* What every benchmark needs: a world of its own, and the gas of one transaction. */

/** Of one thing: a transaction, or the difference of two divided by how many more of it the first one did. */
export type Cost = {
  readonly gas: bigint;
  readonly receipt: ContractTransactionReceipt;
  readonly without?: { readonly receipt: ContractTransactionReceipt; readonly count: number };
};

export type Draft = { readonly name: string; readonly cost: Cost };

export type Row = {
  readonly name: string;
  readonly gas: bigint;
  readonly parts?: Parts;
};

/** Runs a benchmark in a world of its own. @param withParts Finds out what the gas was spent on, too. */
export async function rowsOf(
  options: WorldOptions,
  bench: (world: World) => Promise<Draft[]>,
  withParts: boolean,
): Promise<Row[]> {
  return inWorld(options, async (world) => {
    const rows: Row[] = [];
    for (const { name, cost } of await bench(world)) {
      const row = { name, gas: cost.gas };
      rows.push(withParts ? { ...row, parts: await explain(world, cost) } : row);
    }
    return rows;
  });
}

async function explain(world: World, { receipt, without }: Cost): Promise<Parts> {
  const parts = await partsOf(world, receipt);
  if (without === undefined) return parts;
  return differenceOf(parts, await partsOf(world, without.receipt), without.count);
}

const HOUR = 3600;

/** Runs on a fresh chain, which is gone afterwards. Production bytecode, limits and hard fork. */
export async function inWorld<Result>(
  options: WorldOptions,
  run: (world: World) => Promise<Result>,
): Promise<Result> {
  const connection = await hre.network.create();
  try {
    // Epochs and samples follow the clock. A chain starts at the machine's; this one starts at a full hour, so that each run has the same.
    const { time } = connection.networkHelpers;
    await time.increaseTo((Math.floor((await time.latest()) / HOUR) + 2) * HOUR);
    return await run(await createWorld(connection, options));
  } finally {
    await connection.close();
  }
}

/** Gas of a mined transaction, intrinsic gas included, refunds deducted. Each is the first call of its block. */
export async function costOf(sent: Promise<ContractTransactionResponse>): Promise<Cost> {
  const receipt = await (await sent).wait();
  if (receipt === null) throw new Error("the transaction was not mined");
  return { gas: receipt.gasUsed, receipt };
}

/** The same, of a call that is known to have done its job: it must emit the event as often as said. */
export async function costOfEvents(
  { ballast }: World,
  sent: Promise<ContractTransactionResponse>,
  wanted: { readonly event: string; readonly times: number },
): Promise<Cost> {
  const cost = await costOf(sent);
  const names = cost.receipt.logs.map((log) => ballast.exchange.interface.parseLog(log)?.name);
  const times = names.filter((name) => name === wanted.event).length;
  if (times !== wanted.times) {
    throw new Error(`${wanted.event} was emitted ${times} times instead of ${wanted.times}`);
  }
  return cost;
}

/** Traders with the same deposit, each with an owner that is none of the others' as far as there are owners. */
export async function openTraders(world: World, count: number, deposit: string): Promise<Trader[]> {
  const traders: Trader[] = [];
  for (let i = 0; i < count; i++) traders.push(await world.openTrader(deposit));
  await world.again();
  return traders;
}

/** Of `count` things that one call did, what each but the first cost. */
export function further(many: Cost, one: Cost, count: number): Cost {
  const more = count - 1;
  return {
    gas: (many.gas - one.gas) / BigInt(more),
    receipt: many.receipt,
    without: { receipt: one.receipt, count: more },
  };
}

export function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new RangeError(`there is no item ${index}`);
  return item;
}
