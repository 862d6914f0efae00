import { LONG, opposite, SHORT } from "../keys.js";
import type { SideIndex } from "../keys.js";
import { splitByWeight } from "../queue.js";
import type { Receipt } from "../receipts.js";
import type { MarketState, State } from "../state.js";
import { max, min, PPM, sum } from "../units.js";
import { named } from "./step.js";
import type { Step } from "./step.js";
import type { Findings } from "./violation.js";

/*
 * INV-10 and INV-8: what the fund may pay in an event, from its leaky buckets as they were before, and whether it paid
 * exactly that: no more, and no less while winners were charged.
 */

const WAVE = 3_600n;
const DAY = 86_400n;
/** ppm of the fund that all markets together may draw. */
const ALL_MARKETS = 800_000n;

/** What the fund paid for one side, in its two parts. */
type Paid = { readonly within: bigint; readonly beyond: bigint };
type Permit = { within: bigint; share: bigint };

export function checkBudgets(findings: Findings, step: Step): void {
  const events = new Map<bigint, Receipt[]>();
  for (const receipt of step.receipts) {
    events.set(receipt.id, [...(events.get(receipt.id) ?? []), receipt]);
  }
  for (const [id, receipts] of events) {
    if (!isKnown(step, id, events.size)) continue;
    const expected = paymentsOf(step.before, receipts, step.time);
    for (const [i, { market, side, receipt }] of receipts.entries()) {
      const { within, beyond } = expected[i] ?? { within: 0n, beyond: 0n };
      const where = { event: id, market, side, fundBefore: receipt.fundBefore };
      const isTooMuch = receipt.fundWithin > within || receipt.fundBeyond > beyond;
      findings.check(!isTooMuch, "INV-10", () => ({
        what: "the fund paid more than it may",
        numbers: { ...where, within, paid: receipt.fundWithin, beyond, more: receipt.fundBeyond },
      }));
      const isTooLittle = receipt.fundWithin < within || receipt.fundBeyond < beyond;
      findings.check(!isTooLittle, "INV-8", () => ({
        what: "others were charged before the fund had paid what it may",
        numbers: { ...where, within, paid: receipt.fundWithin, beyond, more: receipt.fundBeyond },
      }));
    }
  }
}

/**
 * Whether the buckets before the event are those before the step: it is the only one, it began here, and the fund paid for
 * nothing else before it. Where gains of its accounts were charged the fund paid in several rounds, of which receipts show the sum.
 */
function isKnown(step: Step, id: bigint, events: number): boolean {
  const draws = named(step, "FundDrawn").length - named(step, "BudgetDrawn").length;
  const isWhole = named(step, "AccountDeleveraged").some((account) => account.id === id);
  const isStored = named(step, "EventStored").length + named(step, "EventFinished").length > 0;
  const isOneRound = named(step, "GainCharged").length === 0;
  return events === 1 && draws === 0 && isWhole && !isStored && isOneRound;
}

function paymentsOf(before: State, receipts: readonly Receipt[], time: bigint): Paid[] {
  const fund = receipts[0]?.receipt.fundBefore ?? 0n;
  const { drawn } = before;
  const level = leaked(drawn.drawn, (drawn.size * ALL_MARKETS) / PPM, [time - drawn.since, DAY]);
  const size = fund + level;
  let left = min(fund, max((size * ALL_MARKETS) / PPM - level, 0n));

  const ids = [...new Set(receipts.map(({ market }) => market))].sort((a, b) => a - b);
  const permits = new Map(ids.map((id) => [id, permitOf(before.markets.get(id), size, time)]));
  const deficits = ids.map((id) =>
    sum(ofMarket(receipts, id).map(({ receipt }) => receipt.deficit)),
  );
  const wants = ids.map((id, i) => min(deficits[i] ?? 0n, permits.get(id)?.within ?? 0n));
  const parts = splitByWeight(min(sum(wants), left), wants);
  left -= sum(parts);

  const paid = new Map<Receipt, Paid>();
  ids.forEach((id, i) => {
    const permit = permits.get(id) ?? { within: 0n, share: 0n };
    permit.share -= parts[i] ?? 0n;
    // By the side of the closed accounts, longs first; receipts name the side that pays.
    const sides = [LONG, SHORT].map((closed) => bySide(receipts, id, opposite(closed)));
    const shares = splitByWeight(
      parts[i] ?? 0n,
      sides.map((found) => found?.receipt.deficit ?? 0n),
    );
    sides.forEach((found, side) => {
      if (found !== undefined) paid.set(found, { within: shares[side] ?? 0n, beyond: 0n });
    });
  });
  for (const id of ids) {
    const permit = permits.get(id) ?? { within: 0n, share: 0n };
    for (const closed of [LONG, SHORT]) {
      const found = bySide(receipts, id, opposite(closed));
      if (found === undefined) continue;
      const { within } = paid.get(found) ?? { within: 0n };
      const beyond = min(min(wantedBeyond(found, within), permit.share), left);
      permit.share -= beyond;
      left -= beyond;
      paid.set(found, { within, beyond });
    }
  }
  return receipts.map((receipt) => paid.get(receipt) ?? { within: 0n, beyond: 0n });
}

/** What neither the event budget nor profit covers. Under the Queue rule closed lots bear all, if there are any. */
function wantedBeyond({ receipt }: Receipt, within: bigint): bigint {
  if (receipt.deficitRule === 1n && receipt.queueLots > 0n) return 0n;
  return receipt.deficit - within - receipt.haircut - receipt.discount;
}

function permitOf(market: MarketState | undefined, size: bigint, time: bigint): Permit {
  if (market === undefined) return { within: 0n, share: 0n };
  const { bucket, config } = market;
  const ofFund = (rate: bigint) => (size * rate) / PPM;
  const elapsed = time - bucket.since;
  const wave = leaked(bucket.wave, ofFund(config.eventBudget), [elapsed, WAVE]);
  const day = leaked(bucket.day, ofFund(config.marketShare), [elapsed, DAY]);
  const share = max(ofFund(config.marketShare) - day, 0n);
  const ofDay = max(ofFund(config.dayBudget) - day, 0n);
  return { share, within: min(min(max(ofFund(config.eventBudget) - wave, 0n), ofDay), share) };
}

/** What is left in a bucket that leaks its capacity in a window. */
function leaked(
  drawn: bigint,
  capacity: bigint,
  [elapsed, window]: readonly [bigint, bigint],
): bigint {
  return max(drawn - (capacity * elapsed) / window, 0n);
}

function ofMarket(receipts: readonly Receipt[], id: number): Receipt[] {
  return receipts.filter(({ market }) => market === id);
}

function bySide(receipts: readonly Receipt[], id: number, side: SideIndex): Receipt | undefined {
  return ofMarket(receipts, id).find((receipt) => receipt.side === side);
}
