import { effectiveCost, settledPosition } from "../cohorts.js";
import { freshOf } from "../fresh.js";
import { cohortName, signOf } from "../keys.js";
import type { MarketState, State } from "../state.js";
import { sum } from "../units.js";
import type { Findings } from "./violation.js";

/*
 * INV-3: what a market's unsettled pool holds is what events left there for members, who draw it when they are settled, and
 * realised profit that is fresh or has just matured. INV-1 cannot see a wrong amount there, because a settlement only moves it
 * from the pool to a balance.
 */

/**
 * Quote, a cent. What the roundings against members may add up to: below 2^10 for each charge of a price class, a few for each cut
 * and settlement, and 10^12 for each record of fresh profit that a charge met, since those are kept in micro units.
 */
const DUST = 10n ** 16n;
/** Quote: what one settlement may be paid too much, since it rounds its parts one by one. */
const WEI_PER_MEMBER = 2n;

export function checkUnsettled(findings: Findings, state: State, time: bigint): void {
  for (const [id, market] of state.markets) {
    // An event that waits has drawn some of it already.
    if (market.pending.head.id !== 0n) continue;
    const pool = market.pool.unsettled + haircutsDue(market);
    const cash = sum([...market.positions.values()].map((p) => settledPosition(market, p).cash));
    const drawn = cash + realised(market, time);
    const least = -WEI_PER_MEMBER * BigInt(market.positions.size);
    findings.check(pool - drawn >= least && pool - drawn <= DUST, "INV-3", () => ({
      what: "the unsettled pool is not what accounts will draw from it",
      numbers: { market: id, pool, drawn, difference: pool - drawn },
    }));
  }
}

/** Haircuts that have left the pool and come back to it when the cohorts' costs rise by them. */
function haircutsDue(market: MarketState): bigint {
  const due = [...market.cohorts].map(
    ([key, { cost }]) => signOf(cohortName(key).side) * (effectiveCost(market, key) - cost),
  );
  return sum(due);
}

function realised(market: MarketState, time: bigint): bigint {
  const amounts = [...market.freshRecords.keys()].map((account) => freshOf(market, account, time));
  return sum(amounts.map(({ fresh, matured }) => fresh + matured));
}
