import type { Exchange, Vault } from "./types.js";
import { least, most, PPM, refuseUnless } from "./types.js";

/*
 * What the tokens do: principal leaves at once, what is beyond it as far as an hourly limit has room, the rest in the order of asking.
 * Amounts are token units; room has a unit for every unit and second of an hour, so that it fills without rounding.
 */

const HOUR = 3_600n;

export const vaultSeen = { waited: 0, released: 0 };

export function openVault(limit: { share: bigint; floor: bigint }, now: bigint): Vault {
  const flow = { reserve: 0n, room: limit.floor * HOUR, since: now };
  return { ...limit, ...flow, line: [], first: 0n, next: 0n, netDeposits: new Map() };
}

export function pull(x: Exchange, owner: string, amount: bigint): void {
  const { vault } = x;
  refill(x);
  vault.reserve += amount;
  vault.netDeposits.set(owner, principalOf(vault, owner) + amount);
}

export function payOut(x: Exchange, owner: string, amount: bigint): void {
  const { vault } = x;
  const principal = least(amount, principalOf(vault, owner));
  const [rest, waiting] = [amount - principal, waitingIn(vault)];
  refuseUnless(principal <= vault.reserve, "NotCovered");
  refuseUnless(rest <= most(0n, vault.reserve - waiting - principal), "NotCovered");
  refill(x);
  const fitting = waiting === 0n ? least(rest, vault.room / HOUR) : 0n;
  vault.reserve -= principal + fitting;
  vault.room -= fitting * HOUR;
  vault.netDeposits.set(owner, principalOf(vault, owner) - principal);
  if (rest > fitting) {
    vault.line.push(rest - fitting);
    vault.next++;
    vaultSeen.waited++;
  }
}

/** As many of those who wait as there is room for, in turn. */
export function release(x: Exchange, maxItems: bigint): void {
  const { vault } = x;
  for (let item = 0n; item < maxItems; item++) {
    const releasable = releasableOf(x);
    if (releasable === 0n) return;
    refill(x);
    const [head = 0n] = vault.line;
    const amount = least(releasable, head);
    vault.reserve -= amount;
    vault.room -= amount * HOUR;
    vaultSeen.released++;
    vault.line[0] = head - amount;
    if (amount < head) continue;
    vault.line.shift();
    vault.first++;
  }
}

/** As the vault says it of itself, room in token units. */
export function outflowOf(x: Exchange) {
  const { vault } = x;
  const { first, next } = vault;
  const room = roomOf(x) / HOUR;
  return {
    waiting: waitingIn(vault),
    room,
    rate: rateOf(vault),
    releasable: releasableOf(x),
    first,
    next,
  };
}

export function principalOf({ netDeposits }: Vault, owner: string): bigint {
  return netDeposits.get(owner) ?? 0n;
}

export function waitingIn({ line }: Vault): bigint {
  return line.reduce((sum, amount) => sum + amount, 0n);
}

function refill(x: Exchange): void {
  Object.assign(x.vault, { room: roomOf(x), since: x.core.now });
}

function roomOf({ vault, core }: Exchange): bigint {
  const rate = rateOf(vault);
  return least(vault.room + rate * least(core.now - vault.since, HOUR), rate * HOUR);
}

/** An hour's: a share of what stands in the vault and nobody waits for, and the floor at least. */
function rateOf(vault: Vault): bigint {
  const stands = most(0n, vault.reserve - waitingIn(vault));
  return most((stands * vault.share) / PPM, vault.floor);
}

function releasableOf(x: Exchange): bigint {
  return least(least(waitingIn(x.vault), roomOf(x) / HOUR), x.vault.reserve);
}
