import type { AccountView, MarketView } from "./views.js";

/* Who is still in a market that has ended: anyone may close them there, and nothing on the chain lists them. */

/** Names accounts whose positions are to be looked at in this round, in the order of their ids. */
export type Search = (
  accounts: readonly AccountView[],
  markets: readonly MarketView[],
) => readonly number[];

/**
 * Goes round all accounts that hold anything, while an ended market has open interest. Its only memory is where the last round
 * stopped: whoever starts anew looks at everybody again.
 * @param most Accounts in one round: each is a call.
 */
export function createSearch(most: number): Search {
  let last = 0;
  return (accounts, markets) => {
    if (!markets.some(({ isEnded, openInterest }) => isEnded && openInterest !== 0n)) return [];
    const holders = accounts
      .filter(({ notional }) => notional !== 0n)
      .map(({ account }) => account)
      .sort((a, b) => a - b);
    const next = holders.filter((account) => account > last);
    const before = holders.filter((account) => account <= last);
    const found = [...next, ...before].slice(0, most);
    last = found.at(-1) ?? 0;
    return found;
  };
}
