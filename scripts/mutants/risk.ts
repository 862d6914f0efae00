import type { Mutant } from "./mutant.js";

/* Mistakes in caps, in the fund's rules, and in how a market ends. */

const CAPS = "test/Caps.ts";
const FUND = "test/InsuranceFund.ts";
const WINDING = "test/Winding.ts";

export const RISK_MUTANTS: readonly Mutant[] = [
  {
    id: "top-cap-off-by-one",
    file: "libraries/Matching.sol",
    what: "a maker of a top leverage may go one lot above the cap",
    from: "return lots > Caps.topCap(s, m, w.price.mark);",
    to: "return lots > Caps.topCap(s, m, w.price.mark) + fill.openLots;",
    test: CAPS,
  },
  {
    id: "top-lots-wrong-side",
    file: "libraries/Caps.sol",
    what: "shorts of top leverages are counted as longs",
    from: "if (side == Side.Long) caps.topLong",
    to: "if (side == Side.Long || lots > before) caps.topLong",
    test: CAPS,
  },
  {
    id: "raise-uncounted",
    file: "libraries/Orders.sol",
    what: "a position is moved up to a top leverage whatever room there is",
    from: "bool isRaised = class > Keys.leverageOfKind(held.kind);",
    to: "bool isRaised = class < Keys.leverageOfKind(held.kind);",
    test: CAPS,
  },
  {
    id: "cap-grows-twice",
    file: "libraries/Caps.sol",
    what: "a step of the ramp does not begin the time of the next",
    from: "m.caps.since = uint32(block.timestamp);",
    to: "if (m.caps.since == 0) m.caps.since = uint32(block.timestamp);",
    test: CAPS,
  },
  {
    id: "drawdown-without-hysteresis",
    file: "libraries/Budgets.sol",
    what: "a market grows again as soon as it is below its limit",
    from: "if (drawdown(m) > (m.config.drawdownLimit * PARTS_PER_PPM) / 2) return;",
    to: "if (drawdown(m) > (m.config.drawdownLimit * PARTS_PER_PPM)) return;",
    test: CAPS,
  },
  {
    id: "target-of-one-market",
    file: "libraries/Fees.sol",
    what: "the fund's target is that of the market that was poked last",
    from: "uint72 total = s.fundTarget + target - before;",
    to: "uint72 total = target;",
    test: CAPS,
  },
  {
    id: "income-at-once",
    file: "InsuranceFund.sol",
    what: "income counts for the price when it arrives",
    from: "left += gain;",
    to: "",
    test: FUND,
  },
  {
    id: "deposit-is-income",
    file: "InsuranceFund.sol",
    what: "what is staked streams like income",
    from: "_income.seen += (assets * SCALE).toUint128();",
    to: "",
    test: FUND,
  },
  {
    id: "distress-never-ends",
    file: "libraries/Distress.sol",
    what: "an account that recovered still counts as under liquidation",
    from: "s.distress.maintenance -= s.money[account].distress;",
    to: "",
    test: FUND,
  },
  {
    id: "average-of-the-end",
    file: "libraries/Winding.sol",
    what: "the last interval of a market counts at the index of its end",
    from: "wind.sum = SafeCastLib.toUint128(wind.sum + stood * (upTo - wind.last));",
    to: "wind.sum = SafeCastLib.toUint128(wind.sum + m.price.index * (upTo - wind.last));",
    test: WINDING,
  },
  {
    id: "ended-fresh-forgotten",
    file: "libraries/Deleverage.sol",
    what: "in an ended market profit is paid out as if it had made its contribution",
    from: "(, tally) = Positions.change(s, price, account, fill, 0, tally);",
    to: "(, , , tally) = Positions.takeOut(s, price, account, tally);\n            fill;",
    test: WINDING,
  },
];
