import type { World } from "../fixtures.js";
import { TOKEN } from "../fixtures.js";
import type { Trader } from "../../scripts/lib/world.js";

/* Who attacks together, and what it brought them: all that they have or took out, less all that they paid in. */

/** Quote of a hundredth of a settlement unit. */
const CENT = 10n ** 16n;
const FUND = 1;

export type Coalition = {
  readonly members: readonly Trader[];
  /** Paid in by all, in hundredths of a settlement unit. */
  readonly paidIn: bigint;
};

export async function gather(world: World, deposits: readonly string[]): Promise<Coalition> {
  const members: Trader[] = [];
  let paidIn = 0n;
  for (const deposit of deposits) {
    members.push(await world.openTrader(deposit));
    paidIn += BigInt(Math.round(Number(deposit) * 100));
  }
  return { members, paidIn };
}

/** Equity at mark, fresh profit in it, and tokens outside, in hundredths of a unit. */
export async function gainOf(world: World, { members, paidIn }: Coalition): Promise<bigint> {
  let has = 0n;
  const owners = new Set<string>();
  for (const member of members) {
    has += (await world.health(member)).health.equity / CENT;
    owners.add(member.signer.address);
  }
  for (const owner of owners) {
    has += (await world.ballast.token.balanceOf(owner)) / (TOKEN / 100n);
  }
  return has - paidIn;
}

export async function fundOf({ exchange }: World): Promise<bigint> {
  return (await exchange.balanceOf(FUND)) / CENT;
}

/** All that may be taken out now. @returns Whether there was anything. */
export async function withdrawAll(world: World, { account, signer }: Trader): Promise<boolean> {
  const { withdrawable } = await world.health({ account, signer });
  if (withdrawable < 10n ** 18n / TOKEN) return false;
  await world.exchange.connect(signer).withdraw(account, 2n ** 256n - 1n, signer.address);
  return true;
}

/** In hundredths, for bounds. */
export const units = (amount: number): bigint => BigInt(Math.round(amount * 100));
