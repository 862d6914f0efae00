import { MaxUint256 } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { buy, createWorld, sell } from "./fixtures.js";

/** A world of two accounts. The winner has taken everything out, more than the vault's room, a hundredth an hour: the rest waits. */
export async function createQueued(connection: NetworkConnection) {
  const world = await createWorld(connection, {
    deployment: { outflow: { share: 10_000, floor: 1 } },
  });
  const { exchange, openTrader, trade, execute, setPrice } = world;
  const [winner, loser] = [await openTrader("2000"), await openTrader("2000")];
  await trade(winner, loser, { price: "10000", size: "1" });
  await setPrice("10100");
  await execute(loser, buy("10100", "1", { timeInForce: "postOnly" }));
  await execute(winner, sell("10100", "1", { timeInForce: "ioc" }));
  // Until the profit is not fresh any more.
  await setPrice("10100", 0, 500n);
  const { account, signer } = winner;
  const asked = await exchange.connect(signer).withdraw(account, MaxUint256, signer.address);
  return { world, winner, loser, asked };
}
