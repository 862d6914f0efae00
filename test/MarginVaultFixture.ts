import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { NetworkConnection } from "hardhat/types/network";
import { MarginVault__factory } from "../typechain-types/factories/MarginVault__factory.js";
import { TestToken__factory } from "../typechain-types/factories/test/TestToken__factory.js";
import type { MarginVault, TestToken } from "../typechain-types/index.js";

/* A vault alone: whoever deploys it is its exchange, so that a test says what is paid in and asked for. */

/** A whole unit of a token with six decimals. */
export const UNIT = 10n ** 6n;
export const HOUR = 3_600n;

/** A unit a second, and a tenth of what is tracked above 36,000 units. */
export const LIMIT = { share: 100_000, floor: 3_600 };

const RICH = 10n ** 15n;

export type Actors = {
  readonly exchange: HardhatEthersSigner;
  readonly alice: HardhatEthersSigner;
  readonly bob: HardhatEthersSigner;
  readonly carol: HardhatEthersSigner;
  readonly mallory: HardhatEthersSigner;
};

export type Alone<Token extends TestToken = TestToken> = Actors & {
  readonly token: Token;
  readonly vault: MarginVault;
};

export async function actorsOf({ ethers }: NetworkConnection): Promise<Actors> {
  const [exchange, alice, bob, carol, mallory] = await ethers.getSigners();
  if (!exchange || !alice || !bob || !carol || !mallory)
    throw new Error("the network has accounts");
  return { exchange, alice, bob, carol, mallory };
}

/** Everybody has tokens and has approved the vault. */
export async function vaultFor<Token extends TestToken>(
  actors: Actors,
  token: Token,
  limit = LIMIT,
): Promise<Alone<Token>> {
  const vault = await new MarginVault__factory(actors.exchange).deploy(token, limit);
  for (const actor of Object.values(actors)) {
    await token.mint(actor.address, RICH);
    await token.connect(actor).approve(vault, RICH);
  }
  return { ...actors, token, vault };
}

export async function alone(connection: NetworkConnection, limit = LIMIT): Promise<Alone> {
  const actors = await actorsOf(connection);
  return vaultFor(actors, await new TestToken__factory(actors.exchange).deploy(6), limit);
}
