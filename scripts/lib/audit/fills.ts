import { sideOf, signOf } from "../keys.js";
import type { Margin } from "../margin.js";
import type { Margins } from "./flows.js";
import { named } from "./step.js";
import type { Step } from "./step.js";
import type { Findings } from "./violation.js";

/* INV-12: a fill leaves nobody who grew without margin. At the marks after the transaction. */

type Party = {
  /** Whether every fill was worse than mark for it. */
  isWorse: boolean;
  isTaker: boolean;
};

export function checkFills(findings: Findings, step: Step, { before, after }: Margins): void {
  // What an event took afterwards is no fault of a fill.
  const charged = step.events.some(({ name }) => name === "CohortCut" || name === "Haircut");
  if (charged) return;
  for (const [id, party] of partiesOf(step)) {
    const [was, is] = [before.get(id), after.get(id)];
    if (is === undefined) continue;
    if (grew(was, is)) checkGrown(findings, id, [party, is]);
    else if (party.isWorse && was !== undefined) checkShrunk(findings, id, [was, is]);
  }
}

/** Makers of all fills, takers that are not sold by force, and who took over. */
function partiesOf(step: Step): Map<number, Party> {
  const forced = new Set(named(step, "Liquidated").map(({ account }) => account));
  const parties = new Map<number, Party>();
  for (const { market, maker, taker, side, tick } of named(step, "Filled")) {
    const { price, config } = step.after.markets.get(Number(market)) ?? {};
    const quote = tick * (config?.unit ?? 0n);
    // The maker's side is the other one: who sold gets more by a higher price.
    const isWorse = signOf(sideOf(side)) * (quote - (price?.mark ?? 0n)) < 0n;
    const known = parties.get(Number(maker));
    const worse = isWorse && known?.isWorse !== false;
    parties.set(Number(maker), { isWorse: worse, isTaker: known?.isTaker ?? false });
    if (taker === 0n || forced.has(taker)) continue;
    parties.set(Number(taker), { isWorse: false, isTaker: true });
  }
  for (const { buyer } of named(step, "Liquidated")) {
    if (buyer !== 0n) parties.set(Number(buyer), { isWorse: false, isTaker: true });
  }
  return parties;
}

function grew(was: Margin | undefined, is: Margin): boolean {
  return is.holdings.some((holding) => {
    const held = was?.holdings.find(({ market }) => market === holding.market);
    return held === undefined || held.side !== holding.side || holding.lots > held.lots;
  });
}

function checkGrown(
  findings: Findings,
  account: number,
  [{ isTaker }, { equity, maintenance, initial }]: readonly [Party, Margin],
): void {
  const needed = isTaker ? initial : maintenance;
  findings.check(equity >= needed, "INV-12", () => ({
    what: isTaker ? "a taker grew below initial margin" : "a maker grew below maintenance margin",
    numbers: { account, equity, needed },
  }));
}

function checkShrunk(
  findings: Findings,
  account: number,
  [was, is]: readonly [Margin, Margin],
): void {
  const kept =
    is.maintenance === 0n
      ? is.equity >= 0n
      : is.equity * was.maintenance >= was.equity * is.maintenance;
  findings.check(kept, "INV-12", () => ({
    what: "a maker that shrank worse than mark has a lower margin ratio",
    numbers: {
      account,
      equity: is.equity,
      maintenance: is.maintenance,
      equityBefore: was.equity,
      maintenanceBefore: was.maintenance,
    },
  }));
}
