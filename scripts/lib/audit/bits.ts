import { FIRST_ACCOUNT } from "../keys.js";
import type { State } from "../state.js";
import type { Findings } from "./violation.js";

/* An account's bitmaps of markets: a market that is missing there is missing in its margin. */

/** Bounds.MARKETS_PER_ACCOUNT in contracts/types/Keys.sol. */
const MARKETS_PER_ACCOUNT = 8;

export function checkBits(findings: Findings, state: State): void {
  for (const [id, account] of state.accounts) {
    if (id < FIRST_ACCOUNT) continue;
    const money = state.money.get(id);
    let [isIn, isFresh] = [0n, 0n];
    for (const [market, { positions, resting, freshRecords }] of state.markets) {
      const bit = 1n << BigInt(market);
      if (freshRecords.has(id)) isFresh |= bit;
      if (positions.has(id) || (resting.get(id)?.used ?? 0n) !== 0n) isIn |= bit;
    }
    const missing = (isIn & ~account.markets) | (isFresh & ~(money?.freshMarkets ?? 0n));
    findings.check(missing === 0n, "markets", () => ({
      what: "an account is in a market that its bitmap does not know",
      numbers: { account: id, missing: missing.toString(2) },
    }));
    const count = [...account.markets.toString(2)].filter((digit) => digit === "1").length;
    findings.check(count <= MARKETS_PER_ACCOUNT, "markets", () => ({
      what: "an account is in too many markets",
      numbers: { account: id, count },
    }));
  }
}
