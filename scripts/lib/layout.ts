/*
 * Where the exchange keeps what: contracts/types/State.sol, field by field. A test compares this with what the
 * compiler says, so neither can change alone.
 */

/** The elementary types that storage uses; an enum is a uint8. */
type Primitive = `uint${number}` | `int${number}` | "address";
type Fields = Readonly<Record<string, Primitive>>;

export const STRUCTS = {
  Account: { owner: "address", markets: "uint48", clock: "uint40", feeTier: "uint8" },
  Money: { balance: "int128", freshMarkets: "uint48", distress: "uint80" },
  Operator: { scope: "uint8", expiry: "uint40" },
  Position: {
    lots: "uint64",
    cost: "int120",
    entry: "uint40",
    checkpoint: "uint24",
    kind: "uint8",
  },
  Cohort: {
    lots: "uint64",
    members: "uint32",
    checkpoint: "uint24",
    referenced: "uint8",
    cost: "int128",
  },
  Checkpoint: {
    mantissa: "uint96",
    exponent: "uint24",
    haircut: "uint136",
    cash: "int256",
    given: "uint256",
  },
  PriceClass: { lots: "uint64", members: "uint32", haircut: "uint136" },
  FreshSide: {
    epoch: "uint32",
    generation: "uint16",
    current: "uint64",
    previous: "uint64",
    keep: "uint80",
  },
  FreshRecord: {
    epoch: "uint32",
    tag: "uint16",
    current: "uint64",
    previous: "uint64",
    keep: "uint80",
  },
  FreshMark: { keep: "uint80", generation: "uint16" },
  Resting: {
    used: "uint32",
    bidLots: "uint64",
    askLots: "uint64",
    bidEpoch: "uint16",
    askEpoch: "uint16",
    leverage: "uint8",
    pendingSince: "uint32",
    killsSeen: "uint24",
  },
  Order: {
    lots: "uint56",
    tick: "uint24",
    prev: "uint40",
    next: "uint40",
    expiry: "uint32",
    levelEpoch: "uint24",
    sideEpoch: "uint16",
    flags: "uint8",
  },
  Level: { head: "uint40", tail: "uint40", lots: "uint64", epoch: "uint24" },
  MarkSlot: { funding: "int128", mark: "uint64", index: "uint64" },
  BookSlot: {
    bestBid: "uint24",
    bestAsk: "uint24",
    lastTick: "uint24",
    lastTradeTime: "uint32",
    refreshed: "uint32",
    kills: "uint24",
    grade: "uint8",
    status: "uint8",
    freshSince: "uint32",
    pendingSince: "uint32",
    volatilityRate: "uint16",
  },
  VolatilitySlot: {
    variance: "uint96",
    index: "uint64",
    sampled: "uint32",
    fundTarget: "uint64",
  },
  CapSlot: { full: "uint64", topLong: "uint64", topShort: "uint64", since: "uint32" },
  WindSlot: { from: "uint32", until: "uint32", last: "uint32", sum: "uint128" },
  SampleSlot: {
    premium: "int64",
    bid: "uint32",
    ask: "uint32",
    sampled: "uint32",
    publishTime: "uint32",
    pendingIndex: "uint64",
  },
  FlowSlot: { openInterest: "uint64", fees: "uint96", rest: "int64", bonds: "uint32" },
  PoolSlot: { unsettled: "int128", shortfall: "uint128" },
  MarketConfig: {
    unit: "uint64",
    tierCap1: "uint32",
    tierCap2: "uint32",
    tierCap3: "uint32",
    tierLeverage1: "uint8",
    tierLeverage2: "uint8",
    tierLeverage3: "uint8",
    tierLeverage4: "uint8",
    maxDeviation: "uint24",
    maxLeverage: "uint8",
    defaultLeverage: "uint8",
    concentration: "uint8",
    accountShare: "uint8",
    crowdingFrom: "uint8",
    openInterestCap: "uint64",
    minNotional: "uint32",
    makerFee: "uint24",
    takerFee: "uint24",
    band: "uint24",
    cohortBond: "uint32",
    freshEpoch: "uint24",
    classDelay: "uint24",
    lotDecimals: "uint8",
    maxJump: "uint24",
    maxSpread: "uint24",
    maxPending: "uint16",
    freshFor: "uint16",
    agedFor: "uint16",
    premiumWindow: "uint16",
    sampleInterval: "uint16",
    impactNotional: "uint32",
    maxFunding: "uint24",
    interest: "uint24",
    maxAccrual: "uint16",
    lastTradeFor: "uint16",
    slip0: "uint24",
    clock: "uint16",
    liqSlip: "uint24",
    penalty: "uint24",
    callerShare: "uint24",
    eventBudget: "uint24",
    dayBudget: "uint24",
    marketShare: "uint24",
    fundTarget: "uint24",
    maxDead: "uint32",
    quantityRule: "uint8",
    deficitRule: "uint8",
    volatilityFactor: "uint8",
    volatilityHorizon: "uint16",
    volatilityWindow: "uint24",
    move: "uint24",
    topShare: "uint8",
    capStart: "uint8",
    capRamp: "uint32",
    drawdownLimit: "uint24",
    windWindow: "uint32",
  },
  DustSlot: { longLots: "uint64", shortLots: "uint64", longCost: "int128", shortCost: "int128" },
  BucketSlot: { wave: "uint96", day: "uint96", since: "uint32", drawdown: "uint32" },
  FundSlot: { drawn: "uint96", size: "uint96", since: "uint32" },
  ChargeSlot: {
    longEvent: "uint64",
    shortEvent: "uint64",
    longTime: "uint32",
    shortTime: "uint32",
  },
  /** Without its sides, which follow it. */
  EventSlot: {
    id: "uint64",
    mark: "uint64",
    funding: "int128",
    rest: "int128",
    fundBefore: "uint128",
    quantityRule: "uint8",
  },
  /** With the fields of its Split, which happens to fill whole slots. */
  EventSide: {
    stage: "uint8",
    cursor: "uint16",
    lots: "uint64",
    bookLots: "uint64",
    dustLots: "uint64",
    amount: "uint128",
    weight: "uint128",
    cumulative: "uint128",
    given: "uint128",
    deficit: "uint128",
    within: "uint128",
    base: "uint128",
    fresh: "uint128",
    haircut: "uint128",
    freshCharge: "uint128",
    beyond: "uint128",
    principal: "uint128",
    shortfall: "uint128",
    discount: "uint128",
    discountGiven: "uint128",
    parent: "uint64",
    sideLots: "uint64",
    passed: "uint64",
  },
  /** The fields of State before its mappings, without the slot of `drawn` between them. */
  Header: {
    vault: "address",
    tokenScale: "uint64",
    accountCount: "uint32",
    oracle: "address",
    marketCount: "uint16",
    eventCount: "uint64",
    fund: "address",
    fundShare: "uint24",
    fundTarget: "uint72",
  },
  DistressSlot: { maintenance: "uint96", since: "uint32" },
} as const satisfies Record<string, Fields>;

export type StructName = keyof typeof STRUCTS;

/** A decoded struct: every field a bigint, addresses too. */
export type Struct<Name extends StructName> = {
  -readonly [Field in keyof (typeof STRUCTS)[Name]]: bigint;
};

/** First slots of State's members, relative to slot 0 of the exchange. */
export const STATE_SLOTS = {
  header: 0,
  drawn: 3,
  distress: 4,
  accounts: 5,
  money: 6,
  operators: 7,
  nonces: 8,
  markets: 9,
} as const;

/** First slots of Market's members, relative to the market's own first slot. */
export const MARKET_SLOTS = {
  price: 0,
  book: 1,
  sample: 2,
  flow: 3,
  pool: 4,
  config: 5,
  dust: 10,
  bucket: 12,
  charges: 13,
  fresh: 14,
  volatility: 16,
  caps: 17,
  wind: 18,
  positions: 19,
  resting: 20,
  freshRecords: 21,
  orders: 22,
  levels: 23,
  ticks: 24,
  cohorts: 25,
  checkpoints: 26,
  classes: 27,
  occupied: 28,
  freshMarks: 29,
  pending: 30,
} as const;

export type Place = {
  readonly field: string;
  readonly slot: number;
  /** Bits above the least significant one. */
  readonly shift: bigint;
  readonly bits: bigint;
  readonly isSigned: boolean;
};

const WORD_BITS = 256n;

/** Where the compiler puts each field: in order, from the low end, a new slot when the next one does not fit. */
export function placesOf(name: StructName): readonly Place[] {
  const fields: Fields = STRUCTS[name];
  let slot = 0;
  let shift = 0n;
  return Object.entries(fields).map(([field, type]) => {
    const bits = bitsOf(type);
    if (shift + bits > WORD_BITS) {
      slot += 1;
      shift = 0n;
    }
    const place = { field, slot, shift, bits, isSigned: type.startsWith("int") };
    shift += bits;
    return place;
  });
}

function bitsOf(type: Primitive): bigint {
  return type === "address" ? 160n : BigInt(type.replace(/^u?int/, ""));
}
