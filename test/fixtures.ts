import type { NetworkConnection } from "hardhat/types/network";
import { createWorld as create } from "../scripts/lib/world.js";
import type { World, WorldOptions } from "../scripts/lib/world.js";
import { watch } from "./invariants.js";

/*
 * What tests start from: the real deployment with two markets, and verbs to play with it. Nothing here is mocked, and every
 * transaction of every test that starts here is followed by a look at the books (see invariants.ts).
 */

export * from "../scripts/lib/world.js";

/** The world of scripts/lib/world.ts, watched. */
export async function createWorld(
  connection: NetworkConnection,
  options?: WorldOptions,
): Promise<World> {
  const world = await create(connection, options);
  await watch(world.exchange, connection.ethers.provider);
  return world;
}
