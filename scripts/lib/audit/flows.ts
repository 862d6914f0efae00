import { abs, divCeil, sum, PPM } from "../units.js";
import { FIRST_ACCOUNT, STATUS, TREASURY } from "../keys.js";
import { marginOf } from "../margin.js";
import type { Margin } from "../margin.js";
import type { State } from "../state.js";
import { houseMoney, shortfallOf } from "./money.js";
import { has, named } from "./step.js";
import type { Step } from "./step.js";
import type { Findings } from "./violation.js";

/* INV-3 and INV-6: nothing appears, nothing vanishes, and nobody pays for what others do. */

/** Roundings of one account in one block, quote. */
const WEI_PER_CHANGE = 16n;

/** Margins of all accounts, before and after, at the prices and the time after. */
export type Margins = {
  readonly before: ReadonlyMap<number, Margin>;
  readonly after: ReadonlyMap<number, Margin>;
};

export function marginsOf({ before, after, time }: Step): Margins {
  const prices = { markets: after.markets, time };
  const all = (state: State) => {
    const margins = new Map<number, Margin>();
    for (const id of after.accounts.keys()) {
      if (id >= FIRST_ACCOUNT) margins.set(id, marginOf(state, id, prices));
    }
    return margins;
  };
  return { before: all(before), after: all(after) };
}

/** Tokens that came in less tokens that went out, in the token's decimals, as the events say. */
export function netDeposits(step: Step): bigint {
  const deposits = sum(named(step, "Deposited").map(({ amount }) => amount));
  return deposits - sum(named(step, "Withdrawn").map(({ amount }) => amount));
}

export function checkFlows(findings: Findings, step: Step, margins: Margins): void {
  checkCustody(findings, step);
  checkFees(findings, step);
  checkZeroSum(findings, step, margins);
  checkBystanders(findings, step, margins);
}

function checkCustody(findings: Findings, step: Step): void {
  const { before, after } = step.custody;
  const [changed, moved] = [after.tracked - before.tracked, netDeposits(step)];
  findings.check(changed === moved, "INV-3", () => ({
    what: "tracked tokens changed by something else than deposits and withdrawals",
    numbers: { changed, moved },
  }));
}

/** Fees of makers and takers are what markets collected. */
function checkFees(findings: Findings, step: Step): void {
  const paid = feesOf(step);
  for (const [id, { flow }] of step.after.markets) {
    const shared = named(step, "FeesShared").filter(({ market }) => Number(market) === id);
    // What a market that has ended takes from fresh profit is no income.
    const taken = named(step, "FreshCharged")
      .filter(({ id: event, market }) => event === 0n && Number(market) === id)
      .map(({ amount }) => amount);
    const repaid = shared.length > 0 ? repaidShortfall(step, id) - sum(taken) : 0n;
    const out = sum(shared.map(({ fund, treasury }) => fund + treasury)) + repaid;
    const collected = flow.fees + out - (step.before.markets.get(id)?.flow.fees ?? 0n);
    const fees = paid.get(id) ?? 0n;
    findings.check(collected === fees, "INV-3", () => ({
      what: "a market's fees are not those of its fills",
      numbers: { market: id, collected, fees },
    }));
  }
}

/** What a sharing of fees took off the market's shortfall: events only ever add to it. */
function repaidShortfall(step: Step, id: number): bigint {
  const before = step.before.markets.get(id)?.pool.shortfall ?? 0n;
  const added = step.receipts.filter(({ market }) => market === id);
  const total = before + sum(added.map(({ receipt }) => receipt.shortfall));
  return total - (step.after.markets.get(id)?.pool.shortfall ?? 0n);
}

/** By market. A taker pays once for all its fills up to the change of its position, nothing in a forced sale. */
function feesOf(step: Step): Map<number, bigint> {
  const fees = new Map<number, bigint>();
  const open = new Map<string, bigint>();
  const add = (market: bigint, fee: bigint) =>
    fees.set(Number(market), (fees.get(Number(market)) ?? 0n) + fee);
  step.events.forEach((event, i) => {
    if (event.name === "Filled") {
      const { market, taker, tick, lots, makerFee } = event.args;
      const key = `${market}/${taker}`;
      const unit = step.after.markets.get(Number(market))?.config.unit ?? 0n;
      add(market, makerFee);
      open.set(key, (open.get(key) ?? 0n) + tick * unit * lots);
    } else if (event.name === "PositionChanged") {
      const { market, account } = event.args;
      const key = `${market}/${account}`;
      const quote = open.get(key);
      if (quote === undefined || isForced(step, i, account)) return;
      open.delete(key);
      const rate = step.after.markets.get(Number(market))?.config.takerFee ?? 0n;
      add(market, divCeil(quote * rate, PPM));
    }
  });
  return fees;
}

/** The end of a forced sale into the book follows the change of the position that it sold from. */
function isForced(step: Step, from: number, account: bigint): boolean {
  for (const event of step.events.slice(from + 1)) {
    if (event.name === "Liquidated") return event.args.account === account;
    if (event.name === "Filled" || event.name === "PositionChanged") return false;
  }
  return false;
}

/**
 * What users have more is what they brought, less what the house has more. Fractions of lots that a cut leaves in
 * cohorts change hands for less than this sees, so events are left to INV-1 and the receipts.
 */
function checkZeroSum(findings: Findings, step: Step, { before, after }: Margins): void {
  if (has(step, "CohortCut", "Haircut", "PrincipalCharged", "FreshCharged", "EventStored")) return;
  const equity = (margins: ReadonlyMap<number, Margin>) =>
    sum([...margins.values()].map((margin) => margin.equity));
  const users = equity(after) - equity(before);
  const house = houseMoney(step.after) - houseMoney(step.before);
  const owed = shortfallOf(step.after) - shortfallOf(step.before);
  const brought = netDeposits(step) * step.after.header.tokenScale;
  const changes = step.events.filter(({ name }) => name === "PositionChanged").length;
  const left = brought + owed - users - house;
  const bound = WEI_PER_CHANGE * BigInt(1 + 2 * changes + after.size) + fractionsOf(step);
  findings.check(abs(left) <= bound, "INV-3", () => ({
    what: "changes of all accounts and the house do not cancel",
    numbers: { users, house, shortfall: owed, brought, left, bound },
  }));
}

/**
 * Where a market has ended, the lots that account 3 takes over meet those that it has, and with them fractions of lots that earlier
 * cuts left: less than a lot for each account that is closed.
 */
function fractionsOf(step: Step): bigint {
  const closed = step.events.filter(({ name }) => name === "AccountDeleveraged").length;
  const ended = [...step.before.markets.values()].filter(
    ({ book }) => (book.status & STATUS.ended) !== 0n,
  );
  return BigInt(closed) * sum(ended.map(({ price }) => price.mark));
}

/** An account that did nothing and was not charged has as much as before, at the same prices. */
function checkBystanders(findings: Findings, step: Step, { before, after }: Margins): void {
  if (has(step, "CohortCut", "Haircut", "PrincipalCharged", "FreshCharged")) return;
  const involved = involvedIn(step);
  for (const [id, { equity }] of after) {
    const was = before.get(id)?.equity ?? 0n;
    findings.check(involved.has(id) || equity >= was - WEI_PER_CHANGE, "INV-6", () => ({
      what: "an account lost by what others did",
      numbers: { account: id, before: was, after: equity },
    }));
  }
}

/** Everyone who traded, moved money, was sold, or joined or left a cohort. */
function involvedIn(step: Step): Set<number> {
  const ids = new Set<bigint>([BigInt(TREASURY)]);
  for (const { name, args } of step.events) {
    if (name === "Filled") ids.add(args.maker).add(args.taker);
    if (name === "Transferred") ids.add(args.from).add(args.to);
    if (name === "Withdrawn" || name === "Liquidated" || name === "LiquidationEnded")
      ids.add(args.account);
    if (name === "Liquidated") ids.add(args.buyer);
    if (name === "AccountDeleveraged" || name === "LeverageChosen") ids.add(args.account);
  }
  return new Set([...ids].map(Number));
}
