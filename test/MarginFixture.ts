import type { BytesLike, Interface } from "ethers";
import type { MarginHarness } from "../typechain-types/index.js";
import type { AccountCase, FreshCase, HoldingCase, MarketCase, World } from "./MarginOracle.js";
import { cohortOf, holdingIn, IN_FORCE, WHOLE } from "./MarginOracle.js";

/*
 * Writes worlds of the oracle into a harness. Everything that belongs to one world goes into one static call, which leaves
 * nothing behind: a case costs no transaction and cannot disturb the next.
 */

export const ACCOUNT = 10;
/** What `ACCOUNT` was before, where two states are compared. */
export const BEFORE = 11;

/** Seconds, so many that no run of tests reaches the end of one. */
const EPOCH = 2n ** 24n - 1n;
const KEEP_ALL = 2n ** 79n;

const DEAD = 0;
const FRESH = 2;

/** Tiers 1 M → 50, 5 M → 20, 20 M → 10, more → 5; a lot is worth one unit. */
export const MARKET: MarketCase = {
  unit: 10n ** 12n,
  mark: WHOLE,
  index: WHOLE,
  pending: undefined,
  funding: 0n,
  dead: false,
  caps: [1_000_000n, 5_000_000n, 20_000_000n],
  tierLeverages: [50n, 20n, 10n, 5n],
  maxLeverage: 7,
  defaultLeverage: 4,
  slip0: 2000n,
  penalty: 0n,
  clock: 30n,
  minNotional: 0n,
  cohortBond: 0n,
  openInterestCap: 2n ** 60n,
  accountShare: 100n,
  concentration: 0n,
  crowdingFrom: 100n,
  openInterest: 0n,
  volatilityRate: 0n,
};

export function holding(changes: Partial<HoldingCase> = {}): HoldingCase {
  const flat = { market: 0, side: 1n, lots: 0n, cost: 0n, entry: 1n << 36n } as const;
  return { ...flat, bids: 0n, asks: 0n, chosen: undefined, ...changes };
}

function configOf(market: MarketCase) {
  const [tierCap1, tierCap2, tierCap3] = market.caps;
  const [tierLeverage1, tierLeverage2, tierLeverage3, tierLeverage4] = market.tierLeverages;
  return {
    unit: market.unit,
    tierCap1,
    tierCap2,
    tierCap3,
    tierLeverage1,
    tierLeverage2,
    tierLeverage3,
    tierLeverage4,
    maxDeviation: 10_000n,
    maxLeverage: market.maxLeverage,
    defaultLeverage: market.defaultLeverage,
    concentration: market.concentration,
    accountShare: market.accountShare,
    crowdingFrom: market.crowdingFrom,
    openInterestCap: market.openInterestCap,
    minNotional: market.minNotional,
    makerFee: 100n,
    takerFee: 500n,
    band: 50_000n,
    cohortBond: market.cohortBond,
    freshEpoch: EPOCH,
    classDelay: 900n,
    lotDecimals: 0n,
    maxJump: 80_000n,
    maxSpread: 5000n,
    maxPending: 60n,
    freshFor: 30n,
    agedFor: 300n,
    premiumWindow: 150n,
    sampleInterval: 10n,
    impactNotional: 20_000n,
    maxFunding: 7500n,
    interest: 100n,
    maxAccrual: 3600n,
    lastTradeFor: 60n,
    slip0: market.slip0,
    clock: market.clock,
    liqSlip: 5000n,
    penalty: market.penalty,
    callerShare: 100_000n,
    eventBudget: 200_000n,
    dayBudget: 400_000n,
    marketShare: 600_000n,
    fundTarget: 50_000n,
    maxDead: 86_400n,
    quantityRule: 0n,
    deficitRule: 0n,
    volatilityFactor: 30n,
    volatilityHorizon: 600n,
    volatilityWindow: 3600n,
    move: 1000n,
    topShare: 100n,
    capStart: 100n,
    capRamp: 0n,
    drawdownLimit: 1_000_000n,
    windWindow: 86_400n,
  };
}

function marketState(market: MarketCase) {
  return {
    price: { funding: market.funding, mark: market.mark, index: market.index },
    grade: market.dead ? DEAD : FRESH,
    isPending: market.pending !== undefined,
    pendingIndex: market.pending ?? 0n,
    volatilityRate: market.volatilityRate,
    openInterest: market.openInterest,
    config: configOf(market),
  };
}

function holdingState({ market, side, lots, cost, entry, bids, asks, chosen }: HoldingCase) {
  const kind = (IN_FORCE << 1) | (side === 1n ? 0 : 1);
  return {
    market,
    position: { lots, cost, entry, checkpoint: 0n, kind },
    resting: {
      used: bids + asks > 0n ? 1n : 0n,
      bidLots: bids,
      askLots: asks,
      bidEpoch: 0n,
      askEpoch: 0n,
      leverage: chosen === undefined ? 0 : chosen + 1,
      pendingSince: 0n,
      killsSeen: 0n,
    },
  };
}

function accountCall(harness: MarginHarness, id: number, account: AccountCase): string {
  const markets = account.holdings.reduce((bits, { market }) => bits | (1n << BigInt(market)), 0n);
  return harness.interface.encodeFunctionData("setAccount", [
    id,
    markets,
    account.balance,
    account.holdings.map(holdingState),
  ]);
}

function freshCall({ harness, now }: Reader, { current, previous, epochsAgo }: FreshCase): string {
  const epoch = BigInt(now) / EPOCH - BigInt(epochsAgo);
  const record = { epoch, tag: 0n, current, previous, keep: KEEP_ALL };
  return harness.interface.encodeFunctionData("setFresh", [0, ACCOUNT, record]);
}

/** A cohort that has a member: the position's own, and those of others. */
function cohortCalls(harness: MarginHarness, world: World): string[] {
  const held = holdingIn(world, 0);
  const own = held === undefined ? [] : [cohortOf(held)];
  return [...own, ...(world.cohorts ?? [])].map((cohort) =>
    harness.interface.encodeFunctionData("setCohortMembers", [0, cohort, 1n]),
  );
}

export type Reader = {
  readonly harness: MarginHarness;
  /** Unix time of the latest block. */
  readonly now: number;
};

export type Reply = { readonly ok: boolean; readonly result: BytesLike };

type Written = World & { readonly before?: AccountCase };

/** The calls that write a world, and what the account was before if given. */
function writesOf(reader: Reader, world: Written): string[] {
  const { harness } = reader;
  const { fresh } = world.account;
  return [
    ...world.markets.map((market, id) =>
      harness.interface.encodeFunctionData("setMarket", [id, marketState(market)]),
    ),
    accountCall(harness, ACCOUNT, world.account),
    ...cohortCalls(harness, world),
    ...(fresh === undefined ? [] : [freshCall(reader, fresh)]),
    ...(world.before === undefined ? [] : [accountCall(harness, BEFORE, world.before)]),
  ];
}

/** Writes the world, then makes the calls. */
export async function ask(
  reader: Reader,
  world: Written,
  calls: readonly string[],
): Promise<Reply[]> {
  const writes = writesOf(reader, world);
  const { oks, results } = await reader.harness.batch.staticCall([...writes, ...calls]);
  const replies = oks.map((ok, i) => ({ ok, result: results[i] ?? "0x" }));
  if (replies.slice(0, writes.length).some(({ ok }) => !ok)) throw new Error("world not written");
  return replies.slice(writes.length);
}

type Call = readonly [view: string, ...args: readonly unknown[]];

/** Makes calls on a world, all on one state, and decodes their answers. */
export async function readAll(
  reader: Reader,
  at: World,
  ...calls: readonly Call[]
): Promise<unknown[]> {
  const abi: Interface = reader.harness.interface;
  const data = calls.map(([view, ...args]) => abi.encodeFunctionData(view, args));
  const replies = await ask(reader, at, data);
  return replies.map(({ ok, result }, i) => {
    const view = calls[i]?.[0] ?? "";
    if (!ok) throw new Error(`${view} reverted: ${String(result)}`);
    const values: unknown[] = abi.decodeFunctionResult(view, result).toArray();
    return values.length === 1 ? values[0] : values;
  });
}
