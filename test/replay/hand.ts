/** A run small enough to check by hand: four shorts, two deleveragings. Prices are 100 → 80 → 90, a lot is one base unit. */

import type {
  AccountRecord,
  EventRecord,
  Holding,
  RunRecord,
  StepRecord,
} from "../../scripts/replay/record.js";

const E18 = 10n ** 18n;
const quote = (whole: number): bigint => BigInt(Math.round(whole * 100)) * (E18 / 100n);

function shorts(lots: bigint, entry: number, equity: number): Holding {
  return { side: "short", lots, entry: quote(entry), equity: quote(equity) };
}

type Start = Pick<AccountRecord, "account" | "leverage" | "decile" | "isHedge"> & {
  deposited: number;
};

function account(start: Start, holdings: readonly [Holding, Holding, Holding]): AccountRecord {
  const [first, atLastEvent, end] = holdings;
  return {
    ...start,
    role: "trader",
    deposited: quote(start.deposited),
    start: first,
    atLastEvent,
    end,
  };
}

function event(id: number, parts: Partial<EventRecord>): EventRecord {
  return {
    id,
    parent: 0,
    step: 1,
    time: 1_064,
    side: "short",
    mark: quote(80),
    named: 3,
    lots: 10n,
    bookLots: 2n,
    dustLots: 0n,
    queueLots: 8n,
    deficit: quote(50),
    fundBefore: quote(100),
    fundWithin: quote(20),
    base: quote(300),
    haircut: quote(30),
    freshCharge: 0n,
    discount: 0n,
    fundBeyond: 0n,
    principal: 0n,
    shortfall: 0n,
    priceClasses: 3,
    cuts: [],
    gas: 400_000,
    transactions: 1,
    ...parts,
  };
}

function step(at: number, parts: Partial<StepRecord>): StepRecord {
  return {
    step: at,
    time: 1_000 + at * 60,
    sourceTime: 1_000 + at * 60,
    isMove: at > 0,
    index: quote(100),
    mark: quote(100),
    openInterest: 40n,
    fund: quote(100),
    shortfall: 0n,
    belowMaintenance: 0,
    insolvent: 0,
    belowMaintenanceLeft: 0,
    insolventLeft: 0,
    secondsToSolvency: 0,
    ...parts,
  };
}

const CUT = {
  side: "short",
  leverage: 10,
  from: quote(99),
  to: quote(100),
  lotsBefore: 10n,
  members: 1,
  discount: 0n,
} as const;

export const HAND: RunRecord = {
  setting: {
    id: "by-hand",
    title: "By hand",
    description: "Four shorts.",
    seed: 1,
    rule: "Front/Winners",
    scale: { tick: E18, lotDecimals: 0, unit: E18 },
    accountsPerSide: 4,
    parameters: [],
  },
  accounts: [
    // Gained 200 of 10 lots from 100 to 80; gave 20 and then 10; closed fully.
    account({ account: 11, leverage: 10, decile: 10, isHedge: true, deposited: 100 }, [
      shorts(10n, 100, 100),
      shorts(0n, 0, 270),
      shorts(0n, 0, 270),
    ]),
    // Gained 100, gave 10; half of it closed.
    account({ account: 12, leverage: 10, decile: 5, isHedge: false, deposited: 50 }, [
      shorts(5n, 100, 50),
      shorts(2n, 100, 140),
      shorts(2n, 100, 120),
    ]),
    // Gained 100, gave nothing.
    account({ account: 13, leverage: 2, decile: 5, isHedge: true, deposited: 250 }, [
      shorts(5n, 100, 250),
      shorts(5n, 100, 350),
      shorts(5n, 100, 300),
    ]),
    // Lost 40.
    account({ account: 14, leverage: 2, decile: 1, isHedge: false, deposited: 100 }, [
      shorts(2n, 60, 20),
      shorts(2n, 60, 60),
      shorts(2n, 60, 40),
    ]),
  ],
  steps: [
    step(0, {}),
    step(1, {
      index: quote(80),
      mark: quote(80),
      openInterest: 30n,
      fund: quote(70),
      belowMaintenance: 4,
      insolvent: 3,
      secondsToSolvency: 6,
    }),
    step(2, { index: quote(90), mark: quote(90), openInterest: 30n, fund: quote(75) }),
  ],
  liquidations: [
    {
      step: 1,
      time: 1_062,
      account: 3,
      buyer: 0,
      side: "long",
      lots: 4n,
      quote: quote(318),
      mark: quote(80),
    },
    {
      step: 1,
      time: 1_066,
      account: 3,
      buyer: 0,
      side: "long",
      lots: 2n,
      quote: quote(158),
      mark: quote(80),
    },
  ],
  events: [
    event(1, {
      cuts: [
        { ...CUT, cohort: 7, lots: 6n },
        { ...CUT, cohort: 9, lots: 2n, lotsBefore: 5n, members: 2 },
      ],
    }),
    event(2, {
      parent: 1,
      named: 1,
      lots: 4n,
      bookLots: 0n,
      queueLots: 4n,
      deficit: quote(20),
      fundBefore: quote(80),
      fundWithin: quote(5),
      fundBeyond: quote(5),
      haircut: quote(10),
      base: quote(200),
      gas: 200_000,
      cuts: [{ ...CUT, cohort: 7, lots: 4n, lotsBefore: 4n }],
    }),
  ],
  losses: [
    {
      event: 1,
      account: 11,
      side: "short",
      lotsBefore: 10n,
      lotsClosed: 6n,
      profit: quote(200),
      taken: quote(20),
    },
    {
      event: 1,
      account: 12,
      side: "short",
      lotsBefore: 5n,
      lotsClosed: 3n,
      profit: quote(100),
      taken: quote(10),
    },
    {
      event: 2,
      account: 11,
      side: "short",
      lotsBefore: 4n,
      lotsClosed: 4n,
      profit: quote(80),
      taken: quote(10),
    },
  ],
  closed: [
    { event: 1, account: 1, side: "long", lots: 6n, mark: quote(80), deficit: quote(40) },
    { event: 1, account: 2, side: "long", lots: 4n, mark: quote(80), deficit: quote(10) },
    { event: 2, account: 14, side: "short", lots: 0n, mark: quote(80), deficit: quote(20) },
  ],
  transactions: [
    { step: 1, call: "price", accounts: 0, gas: 50_000 },
    { step: 1, call: "deleverage", accounts: 3, gas: 400_000 },
    { step: 1, call: "deleverage", accounts: 1, gas: 200_000 },
  ],
  queue: [
    {
      cohort: 7,
      side: "short",
      leverage: 10,
      from: quote(99),
      to: quote(100),
      members: 1,
      lotsBefore: 10n,
      lotsAfter: 0n,
    },
    {
      cohort: 9,
      side: "short",
      leverage: 10,
      from: quote(100),
      to: quote(101),
      members: 2,
      lotsBefore: 5n,
      lotsAfter: 3n,
    },
  ],
  invariants: [{ id: "INV-1", text: "Tokens held equal what is owed.", checks: 3, failures: [] }],
};
