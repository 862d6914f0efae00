/*
 * Deliberate mistakes: signs, roundings, forgotten settlements, swapped sides, off-by-ones. Each names the test that must fail
 * when it is made. `npm run mutants` makes them one by one in a copy of the project.
 */

export type Mutant = {
  readonly id: string;
  /** Below contracts/. */
  readonly file: string;
  readonly what: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
  /** The test file that fails. */
  readonly test: string;
};

const LIVE = "test/lib/live.test.ts";
const LENS = "test/ExchangeLens.ts";
const ACCOUNTS = "test/Accounts.ts";
const LISTING = "test/Listing.ts";
const CRASH = "test/stories/crash.test.ts";

export const MUTANTS: readonly Mutant[] = [
  {
    id: "cohort-cash-sign",
    file: "libraries/CohortMath.sol",
    what: "cash of closings taken from the members instead of paid",
    from: "self.cash += paid;",
    to: "self.cash -= paid;",
    test: LIVE,
  },
  {
    id: "cohort-mantissa-kept",
    file: "libraries/CohortMath.sol",
    what: "a cut leaves one lot too many to each member",
    from: "(uint256(self.mantissa) * (lots - closed)) / lots",
    to: "(uint256(self.mantissa) * (lots - closed + 1)) / lots",
    test: "test/Cohorts.ts",
  },
  {
    id: "cohort-given-forgotten",
    file: "libraries/CohortMath.sol",
    what: "the closed part of a haircut is not charged to the closed lots",
    from: "self.given += shiftUp(uint256(self.mantissa) * due);",
    to: "",
    test: LIVE,
  },
  {
    id: "settle-haircut-sign",
    file: "libraries/CohortMath.sol",
    what: "a haircut lowers the cost of the remaining lots",
    from: "weight += int256(lots * (to.haircut - from.haircut));",
    to: "weight -= int256(lots * (to.haircut - from.haircut));",
    test: LIVE,
  },
  {
    id: "settle-floored-cost",
    file: "libraries/CohortMath.sol",
    what: "cash uses the cost of the floored size: the fraction of a lot is paid out twice",
    from: "SignedMath.mulDivFloor(weight, to.mantissa, base << HAIRCUT_BITS)",
    to: "SignedMath.mulDivFloor(weight, (lots * to.mantissa) / base, lots << HAIRCUT_BITS)",
    test: "test/differential/cohorts.test.ts",
  },
  {
    id: "funding-side",
    file: "libraries/CohortMath.sol",
    what: "shorts pay funding with longs",
    from: "return side.sign() * (int256(quote << FUNDING_BITS) - int256(lots) * funding);",
    to: "return side.sign() * int256(quote << FUNDING_BITS) - int256(lots) * funding;",
    test: "test/Cohorts.ts",
  },
  {
    id: "charge-rounding",
    file: "libraries/Cohorts.sol",
    what: "the haircut of a class rounds down and takes less than what is missing",
    from: "FixedPointMathLib.divUp(amount << CohortMath.HAIRCUT_BITS, lots)",
    to: "(amount << CohortMath.HAIRCUT_BITS) / lots",
    test: "test/Cohorts.ts",
  },
  {
    id: "charge-pool-forgotten",
    file: "libraries/Cohorts.sol",
    what: "a haircut does not leave the unsettled pool",
    from: "m.pool.unsettled = SafeCastLib.toInt128(m.pool.unsettled - int256(amount));",
    to: "",
    test: LIVE,
  },
  {
    id: "cut-released-forgotten",
    file: "libraries/Cohorts.sol",
    what: "the cost of cut lots is not released",
    from: "tally.unsettled += proceeds - h.side.sign() * released;",
    to: "tally.unsettled += proceeds;",
    test: LIVE,
  },
  {
    id: "profit-without-haircut",
    file: "libraries/Cohorts.sol",
    what: "guaranteed profit ignores what was given before",
    from: `                    int256(edge << (CohortMath.HAIRCUT_BITS - Queue.EDGE_BITS))) -
                int256(uint256(class.haircut));`,
    to: `                    int256(edge << (CohortMath.HAIRCUT_BITS - Queue.EDGE_BITS)));`,
    test: "test/Deleverage.ts",
  },
  {
    id: "queue-far-edge",
    file: "libraries/Queue.sol",
    what: "longs are scored from the lower edge of their class",
    from: "if (side == Side.Long) mantissa++;",
    to: "if (side == Side.Short) mantissa++;",
    test: LENS,
  },
  {
    id: "queue-ties",
    file: "libraries/Queue.sol",
    what: "the queue starts at the lowest leverage",
    from: "if (isAhead(heads, leverage, best)) best = leverage;",
    to: "if (!isAhead(heads, leverage, best)) best = leverage;",
    test: LENS,
  },
  {
    id: "open-cost-rounding",
    file: "libraries/Positions.sol",
    what: "the cost of an opening rounds for the trader",
    from: "int256 cost = CohortMath.worthCeil(side, lots, fill.openQuote, price.funding);",
    to: "int256 cost = CohortMath.worthFloor(side, lots, fill.openQuote, price.funding);",
    test: "test/differential/cohorts.test.ts",
  },
  {
    id: "close-fresh-forgotten",
    file: "libraries/Positions.sol",
    what: "realised profit goes to the balance at once",
    from: "if (fresh != 0) {",
    to: "if (false) {",
    test: ACCOUNTS,
  },
  {
    id: "event-cash-forgotten",
    file: "libraries/Positions.sol",
    what: "settling does not pay the cash of past events",
    from: "cash = w.eventCash + w.cash;",
    to: "cash = w.cash;",
    test: LIVE,
  },
  {
    id: "entry-average",
    file: "libraries/Positions.sol",
    what: "the average entry forgets what was held",
    from: "w.entry = (held * w.entry + ticks) / w.lots;",
    to: "w.entry = ticks / lots;",
    test: "test/differential/cohorts.test.ts",
  },
  {
    id: "bond-sign",
    file: "libraries/Positions.sol",
    what: "whoever opens a cohort is paid the bond",
    from: "cash -= bonds * int256(m.config.cohortBond * MICRO);",
    to: "cash += bonds * int256(m.config.cohortBond * MICRO);",
    test: LIVE,
  },
  {
    id: "open-interest-forgotten",
    file: "libraries/Positions.sol",
    what: "closing a long does not lower open interest",
    from: `        if (side == Side.Long) tally.longLots -= int256(lots);
        w.lots -= lots;`,
    to: "        w.lots -= lots;",
    test: "test/Positions.ts",
  },
  {
    id: "fresh-charge-sign",
    file: "libraries/Fresh.sol",
    what: "charging fresh profit adds to the pool",
    from: "tally.unsettled -= int256(amount);",
    to: "tally.unsettled += int256(amount);",
    test: "test/differential/cohorts.test.ts",
  },
  {
    id: "fund-not-first",
    file: "libraries/Deleverage.sol",
    what: "the winners pay the whole deficit, the fund its part as well",
    from: "uint256 left = deficit - to.within;",
    to: "uint256 left = deficit;",
    test: LIVE,
  },
  {
    id: "deficit-other-side",
    file: "libraries/Deleverage.sol",
    what: "the losers' own side pays",
    from: "return pot.work.sides[closed.opposite().index()];",
    to: "return pot.work.sides[closed.index()];",
    test: LIVE,
  },
  {
    id: "principal-first",
    file: "libraries/Ladder.sol",
    what: "haircut shares are weighted by nothing: the first class pays all",
    from: "uint256 share = Shares.next(to.split, weight);",
    to: "uint256 share = Shares.next(to.split, to.split.weight - to.split.cumulative);",
    test: "test/Deleverage.ts",
  },
  {
    id: "shares-not-cumulative",
    file: "libraries/Shares.sol",
    what: "shares are floored one by one and lose what is missing",
    from: "share = upToHere - split.given;",
    to: "share = (uint256(split.amount) * weight) / split.weight;",
    test: "test/Deleverage.ts",
  },
  {
    id: "penalty-to-nobody",
    file: "libraries/Liquidation.sol",
    what: "the penalty leaves the account and does not arrive",
    from: "pay(s, House.FUND, kept.toInt256(), IExchangeEvents.BalanceReason.Penalty);",
    to: "",
    test: "test/Liquidation.ts",
  },
  {
    id: "penalty-not-counted",
    file: "libraries/Margin.sol",
    what: "a forced sale stops at the target and the penalty takes the account below it again",
    from: "loss += int256(FixedPointMathLib.divUp(salePrice * config.penalty, PPM));",
    to: "",
    test: "test/Liquidation.ts",
  },
  {
    id: "liquidate-the-healthy",
    file: "libraries/Margin.sol",
    what: "an account below maintenance at mark alone can be liquidated",
    from: "h.equityAtIndex < int256(h.maintenanceAtIndex) &&",
    to: "",
    test: "test/Margin.ts",
  },
  {
    id: "judge-maintenance",
    file: "libraries/Margin.sol",
    what: "the judge is content with maintenance margin",
    from: "if (h.prudent >= int256(h.initial)) return;",
    to: "if (h.prudent >= int256(h.maintenance)) return;",
    test: "test/Margin.ts",
  },
  {
    id: "withdraw-fresh",
    file: "libraries/Margin.sol",
    what: "a waiting jump does not stop withdrawals",
    from: "if (a.isPending && a.health.maintenance != 0) return 0;",
    to: "",
    test: "test/Margin.ts",
  },
  {
    id: "tier-edge",
    file: "libraries/Tiers.sol",
    what: "the second bracket counts from zero",
    from: "uint256 scaled = t.cap1 * t.leverage2 + part * t.leverage1;",
    to: "uint256 scaled = part * t.leverage1;",
    test: "test/Margin.ts",
  },
  {
    id: "maker-fee-lost",
    file: "libraries/Positions.sol",
    what: "fees are taken and not booked",
    from: "tally.fees += SafeCastLib.toInt256(fee);",
    to: "",
    test: CRASH,
  },
  {
    id: "deposit-scale",
    file: "libraries/Accounts.sol",
    what: "a deposit credits token units as quote",
    from: "int256 balance = Ledger.credit(s, account, (amount * s.tokenScale).toInt256());",
    to: "int256 balance = Ledger.credit(s, account, amount.toInt256());",
    test: ACCOUNTS,
  },
  {
    id: "nonce-reuse",
    file: "libraries/Accounts.sol",
    what: "a signature can be used again",
    from: "words[nonce >> 8] = word | bit;",
    to: "",
    test: ACCOUNTS,
  },
  {
    id: "operator-forever",
    file: "libraries/Access.sol",
    what: "an operator's right does not end",
    from: "block.timestamp < operator.expiry ? operator.scope : 0",
    to: "operator.expiry != 0 ? operator.scope : 0",
    test: ACCOUNTS,
  },
  {
    id: "guardian-upwards",
    file: "libraries/Listing.sol",
    what: "the guardian can raise the cap of leverage",
    from: 'atMost("maxLeverage", maxLeverage, config.maxLeverage);',
    to: "",
    test: LISTING,
  },
  {
    id: "fees-share",
    file: "libraries/Fees.sol",
    what: "the treasury gets all fees when the fund is empty",
    from: "if (held <= 0) return 0;",
    to: "if (held <= 0) return fees;",
    test: LISTING,
  },
  {
    id: "book-level-lots",
    file: "libraries/Book.sol",
    what: "an order that leaves stays in the size of its level",
    from: "level.lots -= order.lots;",
    to: "",
    test: LIVE,
  },
];
