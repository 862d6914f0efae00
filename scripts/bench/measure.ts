import type { ContractTransactionResponse } from "ethers";
import hre from "hardhat";
import type { Trader, World, WorldOptions } from "../lib/world.js";
import { createWorld } from "../lib/world.js";

/* What every benchmark needs: a world of its own, and the gas of one transaction. */

export type Row = {
  readonly name: string;
  readonly gas: bigint;
};

/** Runs on a fresh chain, which is gone afterwards. Production bytecode, limits and hard fork. */
export async function inWorld<Result>(
  options: WorldOptions,
  run: (world: World) => Promise<Result>,
): Promise<Result> {
  const connection = await hre.network.create();
  try {
    return await run(await createWorld(connection, options));
  } finally {
    await connection.close();
  }
}

/** Gas of a mined transaction, intrinsic gas included, refunds deducted. Each is the first call of its block. */
export async function gasOf(sent: Promise<ContractTransactionResponse>): Promise<bigint> {
  const receipt = await (await sent).wait();
  if (receipt === null) throw new Error("the transaction was not mined");
  return receipt.gasUsed;
}

/** The same, of a call that is known to have done its job: it must emit the event as often as said. */
export async function gasOfEvents(
  { ballast }: World,
  sent: Promise<ContractTransactionResponse>,
  wanted: { readonly event: string; readonly times: number },
): Promise<bigint> {
  const receipt = await (await sent).wait();
  if (receipt === null) throw new Error("the transaction was not mined");
  const names = receipt.logs.map((log) => ballast.exchange.interface.parseLog(log)?.name);
  const times = names.filter((name) => name === wanted.event).length;
  if (times !== wanted.times) {
    throw new Error(`${wanted.event} was emitted ${times} times instead of ${wanted.times}`);
  }
  return receipt.gasUsed;
}

/** Traders with the same deposit, each with an owner that is none of the others' as far as there are owners. */
export async function openTraders(world: World, count: number, deposit: string): Promise<Trader[]> {
  const traders: Trader[] = [];
  for (let i = 0; i < count; i++) traders.push(await world.openTrader(deposit));
  await world.again();
  return traders;
}

/** Of `count` things that one call did, what each but the first cost. */
export function further(many: bigint, one: bigint, count: number): bigint {
  return (many - one) / BigInt(count - 1);
}

export function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new RangeError(`there is no item ${index}`);
  return item;
}
