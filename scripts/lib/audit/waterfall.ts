import { sum } from "../units.js";
import { FUND, signOf, STATUS } from "../keys.js";
import { lowestMaintenance, marginOf } from "../margin.js";
import { nearEdge } from "../queue.js";
import { takeByRules } from "../receipts.js";
import type { DeficitRule, QuantityRule, Receipt, Taken } from "../receipts.js";
import { checkBudgets } from "./budgets.js";
import { named } from "./step.js";
import type { Step } from "./step.js";
import type { Findings } from "./violation.js";

/* INV-7, INV-8, INV-10, INV-13, INV-14, INV-15: forced sales and events, from what they say and what they left. */

const QUANTITY_RULES: readonly QuantityRule[] = ["Front", "ProRata"];
const DEFICIT_RULES: readonly DeficitRule[] = ["Winners", "Queue"];
const HAIRCUT_BITS = 54n;
/** What closing lots and their funding may lose to rounding, all sales of a call together, quote. */
const SALE_ROUNDING = 256n;
/** Of BalanceReason in contracts/interfaces/IExchangeEvents.sol. */
const REWARD = 5n;
/** Charges of one class that may each have been rounded up by one unit of the scale of U. */
const HAIRCUT_SLACK = 1_000n;

export function checkWaterfall(findings: Findings, step: Step): void {
  checkSales(findings, step);
  checkClosed(findings, step);
  checkFund(findings, step);
  checkBudgets(findings, step);
  for (const receipt of step.receipts) {
    checkSums(findings, receipt);
    checkQueue(findings, receipt);
    checkCharges(findings, receipt);
    checkPrincipal(findings, step, receipt);
  }
}

/**
 * INV-15, from what forced sales say about themselves. Below zero a smaller position makes the ratio worse at any price, so
 * there it is equity that must not fall.
 */
function checkSales(findings: Findings, step: Step): void {
  for (const sale of named(step, "LiquidationEnded")) {
    const { account, equityBefore, maintenanceBefore, equityAfter, maintenanceAfter } = sale;
    const isKept =
      equityBefore < 0n
        ? equityAfter >= equityBefore - SALE_ROUNDING
        : maintenanceAfter === 0n
          ? equityAfter >= 0n
          : equityAfter * maintenanceBefore >= equityBefore * maintenanceAfter;
    findings.check(isKept, "INV-15", () => ({
      what: "a forced sale lowered the margin ratio",
      numbers: { account, equityBefore, maintenanceBefore, equityAfter, maintenanceAfter },
    }));
  }
}

/**
 * INV-7. A position that is left can only be in a market that had no price; or anywhere, if the account was closed only where a
 * market has ended.
 */
function checkClosed(findings: Findings, step: Step): void {
  for (const { account: id, deficit } of named(step, "AccountDeleveraged")) {
    const account = Number(id);
    if (isBack(step, id)) continue;
    const prices = { markets: step.after.markets, time: step.time };
    const { equity, holdings } = marginOf(step.after, account, prices);
    const isPart = deficit === 0n && wasInEnded(step, account);
    const open = holdings.filter(({ market }) =>
      isPart ? isEnded(step, market) : step.after.markets.get(market)?.book.grade !== 0n,
    );
    findings.check(open.length === 0, "INV-7", () => ({
      what: "an account of an event is not flat",
      numbers: { account, market: open[0]?.market ?? 0, lots: open[0]?.lots ?? 0n },
    }));
    findings.check(deficit === 0n || holdings.length > 0 || equity === 0n, "INV-7", () => ({
      what: "an insolvent account has not ended at zero",
      numbers: { account, deficit, equity },
    }));
  }
}

function isEnded(step: Step, market: number): boolean {
  return ((step.after.markets.get(market)?.book.status ?? 0n) & STATUS.ended) !== 0n;
}

function wasInEnded(step: Step, account: number): boolean {
  return [...step.before.markets].some(
    ([market, { positions }]) => positions.has(account) && isEnded(step, market),
  );
}

/** Whether the account traded again in the same block, or was rewarded as the caller's account. */
function isBack(step: Step, id: bigint): boolean {
  return (
    named(step, "Filled").some(({ maker, taker }) => maker === id || taker === id) ||
    named(step, "BalanceChanged").some(({ account, reason }) => account === id && reason === REWARD)
  );
}

function checkFund(findings: Findings, step: Step): void {
  const fund = step.after.money.get(FUND)?.balance ?? 0n;
  findings.check(fund >= 0n, "INV-10", () => ({
    what: "the fund is negative",
    numbers: { fund },
  }));
}

/** INV-8: money taken is money missing, lots closed are lots needed, and the parts are what their events say. */
function checkSums(findings: Findings, { id, market, side, receipt, ...taken }: Receipt): void {
  const where = { event: id, market, side };
  const equal = (what: string, said: bigint, found: bigint) =>
    findings.check(said === found, "INV-8", () => ({ what, numbers: { ...where, said, found } }));
  const { deficit, fundWithin, haircut, discount, fundBeyond, principal, shortfall } = receipt;
  const parts = fundWithin + haircut + discount + fundBeyond + principal + shortfall;
  equal("a deficit is not what was paid for it", deficit, parts);
  const { lots, bookLots, dustLots, queueLots } = receipt;
  equal("lots are not what was closed", lots, bookLots + dustLots + queueLots);
  const ofClasses = sum(taken.haircuts.map(({ amount }) => amount));
  equal("a haircut is not the sum of its shares", haircut, ofClasses + taken.freshCharge);
  equal("the charge on fresh profit is another", receipt.freshCharge, taken.freshCharge);
  const principals = sum(taken.principals.map(({ amount }) => amount));
  equal("principal is not the sum of its shares", principal, principals);
  const cut = sum(taken.cuts.map((part) => part.lots));
  equal("lots of the queue are not the sum of the cuts", queueLots, cut);
  const discounts = sum(taken.cuts.map((part) => part.discount));
  equal("a discount is not the sum of its shares", discount, discounts);
}

/** INV-8: the cohorts that were cut are those at the front, by scores recomputed at the event's mark. */
function checkQueue(findings: Findings, receipt: Receipt): void {
  const { cuts } = receipt;
  const expected = expectedOf(receipt).cuts;
  const place = cuts.findIndex((cut, i) => {
    const should = expected[i];
    const isSame = should?.cohort === cut.cohort && should.lots === cut.lots;
    return !isSame || should.discount !== cut.discount;
  });
  findings.check(place < 0 && cuts.length === expected.length, "INV-8", () => ({
    what: "cohorts were not cut in the order of the queue",
    numbers: {
      event: receipt.id,
      market: receipt.market,
      place,
      cut: cuts[place]?.cohort ?? -1,
      lots: cuts[place]?.lots ?? 0n,
      should: expected[place]?.cohort ?? -1,
      shouldLots: expected[place]?.lots ?? 0n,
    },
  }));
}

/** INV-14 and INV-13: the base is the profit that was there before, and no class gives more than its own. */
function checkCharges(findings: Findings, receipt: Receipt): void {
  const { id, market, haircuts, before } = receipt;
  if (DEFICIT_RULES[Number(receipt.receipt.deficitRule)] !== "Winners") return;
  const { base, haircut } = receipt.receipt;
  const expected = expectedOf(receipt);
  findings.check(haircut === 0n || base === expected.base, "INV-14", () => ({
    what: "the base of a haircut is not the profit before the event",
    numbers: { event: id, market, base, expected: expected.base, fresh: before.fresh },
  }));
  const shares = new Map(haircuts.map(({ priceClass, amount }) => [Number(priceClass), amount]));
  for (const { priceClass, amount } of haircut === 0n ? [] : expected.charges) {
    const share = shares.get(priceClass) ?? 0n;
    findings.check(share === amount, "INV-14", () => ({
      what: "a class gave another share than its profit's",
      numbers: { event: id, market, class: priceClass, share, expected: amount },
    }));
  }
  for (const { priceClass, amount, lots, haircutIndex } of haircuts) {
    const edge = nearEdge(before.quote.unit, before.side, Number(priceClass)) << 32n;
    const gain = signOf(before.side) * ((before.quote.mark << HAIRCUT_BITS) - edge);
    // Rounding of U adds at most one unit of its scale a charge.
    findings.check(haircutIndex <= gain + HAIRCUT_SLACK, "INV-13", () => ({
      what: "a lot has given more than its price profit",
      numbers: { event: id, market, class: priceClass, lots, amount, haircutIndex, gain },
    }));
  }
}

/** INV-13: beyond profit, at most the lowest maintenance rate of mark for each lot. */
function checkPrincipal(findings: Findings, step: Step, receipt: Receipt): void {
  const { id, market, principals, before } = receipt;
  const config = step.after.markets.get(market)?.config;
  const { principal, mark } = receipt.receipt;
  if (config === undefined || principal === 0n) return;
  const lots = sum(principals.map((part) => part.lots));
  const most = (mark * lots) / lowestMaintenance(config);
  findings.check(principal <= most, "INV-13", () => ({
    what: "principal was charged beyond the lowest maintenance rate",
    numbers: { event: id, market, side: before.side, principal, most, lots },
  }));
}

function expectedOf({ receipt, before }: Receipt): Taken {
  const quantity = QUANTITY_RULES[Number(receipt.quantityRule)] ?? "Front";
  const deficit = DEFICIT_RULES[Number(receipt.deficitRule)] ?? "Winners";
  // Under the queue's rule the fund's second part and the shortfall stand for what no closed lot could bear.
  const charge = deficit === "Queue" ? receipt.discount : receipt.deficit - receipt.fundWithin;
  return takeByRules(before, { charge, lots: receipt.queueLots }, { quantity, deficit });
}
