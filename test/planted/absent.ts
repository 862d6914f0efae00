/* Known cases that cannot be put into these contracts, each with the reason. */

export type Absent = { readonly from: string; readonly because: string };

export const ABSENT: readonly Absent[] = [
  {
    from: "cascade of 10 October 2025",
    because:
      "Margin was valued by the venue's own book. Here it is one token, which is counted and never priced: there is no valuation to " +
      "plant a mistake in.",
  },
  {
    from: "Perp Protocol v1, 2022 (price by a curve)",
    because:
      "Its prices came from a curve that liquidations moved. There is no curve here; what its fund lacked, a budget, is planted.",
  },
  {
    from: "Gains forks, 2024 (orders on the wrong side)",
    because:
      "There are no trigger prices. The other half of the case, a cast of a negative number, is planted.",
  },
  {
    from: "Maker, 2020 (keepers whose fees were too low)",
    because:
      "What keepers pay for their transactions is decided off chain, in scripts/keeper, and has its own tests. The missing reserve price is planted.",
  },
  {
    from: "Percolator markets, 2026 (d): decoys in a buffer of risk",
    because:
      "No list of candidates is kept: whoever calls names the accounts, and each is looked at on its own.",
  },
  {
    from: "Hyperliquid JELLY, 2025 (a vault that inherits positions)",
    because:
      "No account of the exchange takes positions over. What its vault shared, money between markets, is planted.",
  },
];
