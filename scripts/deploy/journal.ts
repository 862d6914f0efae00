import { existsSync, readdirSync } from "node:fs";

/*
 * Ignition keeps a journal of each deployment, by a name, and would go on with the one it finds: a second deployment to a chain, or
 * the first to a local chain that was started anew, would be taken for done. So each gets a name of its own,
 * `ballast-<chain id>-<number>`, and only `--resume` goes on with the last.
 */

/** @param folder Where the journals are; need not be there. */
export function journalName(folder: string, chainId: bigint, resume: boolean): string {
  const prefix = `ballast-${chainId}-`;
  const last = Math.max(0, ...numbersIn(folder, prefix));
  if (!resume) return `${prefix}${last + 1}`;
  if (last === 0) throw new NothingToResumeError(chainId);
  return `${prefix}${last}`;
}

export class NothingToResumeError extends Error {
  constructor(readonly chainId: bigint) {
    super(`no deployment to chain ${chainId} was begun here, so there is none to go on with`);
    this.name = "NothingToResumeError";
  }
}

function numbersIn(folder: string, prefix: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)));
}
