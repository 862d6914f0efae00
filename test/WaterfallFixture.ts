import { expect } from "chai";
import hre, { network } from "hardhat";
import type { ContractTransactionResponse } from "ethers";
import { WaterfallHarness__factory } from "../typechain-types/factories/test/WaterfallHarness__factory.js";
import { checkLots, checkMoney } from "../scripts/lib/audit/money.js";
import { createFindings } from "../scripts/lib/audit/violation.js";
import { eventsNamed, parseEvents } from "../scripts/lib/events.js";
import type { EventNamed, ExchangeEvent } from "../scripts/lib/events.js";
import { createKnown, track } from "../scripts/lib/known.js";
import { createReader, readState } from "../scripts/lib/read.js";
import type { State } from "../scripts/lib/state.js";
import { createModel } from "./model/model.js";
import type { Deleverage, SideReceipt } from "./model/deleverage.js";
import { rational, sum } from "./model/rational.js";

/* The waterfall over a harness, with the reference model beside it: every verb is done in both. */

/** Quote per lot and tick. */
export const UNIT = 10n ** 10n;
/** Lots that tests count in: one of them gains 0.01 units a tick. A lot is small, as on a real market. */
export const SIZE = 10n ** 6n;
/** What `SIZE` lots gain with one tick. */
export const TICK = SIZE * UNIT;
export const WHOLE = 10n ** 18n;
export const FUND = 1;
export const [LONG, SHORT] = [0n, 1n];
export const [DEAD, AGED, FRESH] = [0n, 1n, 2n];
export const [FRONT, PRO_RATA] = [0n, 1n];
export const [WINNERS, QUEUE] = [0n, 1n];
/** Index into the leverage table: 10. */
const DEFAULT_LEVERAGE = 4n;
/** Enough for any call; without it every transaction would be estimated first. */
const GAS = { gasLimit: 16_000_000n };

export const { ethers, networkHelpers } = await network.create();

export type MarketOptions = {
  readonly unit?: bigint;
  /** Ticks. */
  readonly mark?: bigint;
  readonly quantityRule?: bigint;
  readonly deficitRule?: bigint;
  readonly freshEpoch?: bigint;
  readonly penalty?: bigint;
  readonly callerShare?: bigint;
  readonly eventBudget?: bigint;
  readonly dayBudget?: bigint;
  readonly marketShare?: bigint;
  readonly liqSlip?: bigint;
  readonly slip0?: bigint;
  readonly minNotional?: bigint;
};

/** 1 M → 50, so that the lowest maintenance rate is 1 %. */
const CONFIG = {
  unit: UNIT,
  tierCap1: 1_000_000n,
  tierCap2: 5_000_000n,
  tierCap3: 20_000_000n,
  tierLeverage1: 50n,
  tierLeverage2: 20n,
  tierLeverage3: 10n,
  tierLeverage4: 5n,
  maxDeviation: 10_000n,
  maxLeverage: 7n,
  defaultLeverage: DEFAULT_LEVERAGE,
  concentration: 0n,
  accountShare: 100n,
  crowdingFrom: 100n,
  openInterestCap: 2n ** 60n,
  minNotional: 0n,
  makerFee: 0n,
  takerFee: 500n,
  band: 50_000n,
  cohortBond: 0n,
  freshEpoch: 0n,
  classDelay: 900n,
  lotDecimals: 0n,
  maxJump: 80_000n,
  maxSpread: 5000n,
  maxPending: 60n,
  freshFor: 30_000n,
  agedFor: 60_000n,
  premiumWindow: 150n,
  sampleInterval: 10n,
  impactNotional: 20_000n,
  maxFunding: 7500n,
  interest: 100n,
  maxAccrual: 3600n,
  lastTradeFor: 60n,
  slip0: 2000n,
  clock: 30n,
  liqSlip: 5000n,
  penalty: 5000n,
  callerShare: 100_000n,
  eventBudget: 200_000n,
  dayBudget: 400_000n,
  marketShare: 600_000n,
  fundTarget: 50_000n,
  maxDead: 86_400n,
  quantityRule: FRONT,
  deficitRule: WINNERS,
  volatilityFactor: 0n,
  volatilityHorizon: 600n,
  volatilityWindow: 3600n,
  move: 1000n,
  topShare: 100n,
  capStart: 100n,
  capRamp: 0n,
  drawdownLimit: 1_000_000n,
  windWindow: 86_400n,
};

export const LOWEST_RATE = rational(1n, 100n);

export type Receipt = EventNamed<"Deleveraged">["args"];
export type Lab = Awaited<ReturnType<typeof createLab>>;

async function deployLinked(name: string, known = new Map<string, string>()): Promise<string> {
  const { linkReferences } = await hre.artifacts.readArtifact(name);
  const libraries: Record<string, string> = {};
  for (const library of Object.values(linkReferences).flatMap((of) => Object.keys(of))) {
    libraries[library] = known.get(library) ?? (await deployLinked(library, known));
  }
  const factory = await ethers.getContractFactory(name, { libraries });
  const address = await (await factory.deploy()).getAddress();
  known.set(name, address);
  return address;
}

/** Libraries are deployed once; every test goes back to here. */
export async function deployHarness() {
  return deployLinked("WaterfallHarness");
}

export async function createLab(address: string, markets: readonly MarketOptions[] = [{}]) {
  const signer = await ethers.provider.getSigner(0);
  const harness = WaterfallHarness__factory.connect(address, signer);
  const isFresh = markets.some(({ freshEpoch = 0n }) => freshEpoch > 0n);
  const model = createModel({ shares: "whole", ...(isFresh ? {} : { freshUnit: undefined }) });
  const lab = { address, harness, model, known: createKnown(), paidIn: 0n, marks: [] as bigint[] };
  for (const [id, options] of markets.entries()) {
    const { mark = 1000n, ...changes } = options;
    const config = { ...CONFIG, ...changes };
    await done(lab, harness.list(config, GAS));
    model.list({
      id,
      unit: config.unit,
      mark: mark * config.unit,
      quantity: config.quantityRule === FRONT ? "Front" : "ProRata",
      deficit: config.deficitRule === WINNERS ? "Winners" : "Queue",
      principalRate: LOWEST_RATE,
    });
    lab.marks.push(mark * config.unit);
    await setPrice(lab, id, { mark: mark * config.unit });
  }
  return { ...lab, ...verbsOf(lab, markets) };
}

type Base = {
  readonly address: string;
  readonly harness: ReturnType<typeof WaterfallHarness__factory.connect>;
  readonly model: ReturnType<typeof createModel>;
  readonly known: ReturnType<typeof createKnown>;
  paidIn: bigint;
  /** Quote per lot, by market. */
  readonly marks: bigint[];
};

async function done(
  lab: Base,
  sent: Promise<ContractTransactionResponse>,
): Promise<{ events: ExchangeEvent[]; gasUsed: bigint }> {
  const receipt = await (await sent).wait();
  if (receipt === null) throw new Error("the transaction was mined");
  const events = parseEvents(receipt.logs);
  for (const event of events) track(lab.known, event);
  return { events, gasUsed: receipt.gasUsed };
}

type PriceChange = {
  readonly mark?: bigint;
  readonly index?: bigint;
  readonly funding?: bigint;
  readonly grade?: bigint;
};

async function setPrice(lab: Base, id: number, change: PriceChange): Promise<void> {
  const market = lab.model.state.markets.get(id);
  const { mark = lab.marks[id] ?? 0n, index = mark, grade = FRESH } = change;
  const funding = change.funding ?? market?.funding ?? 0n;
  lab.marks[id] = mark;
  await done(lab, lab.harness.setPrice(id, { mark, index, funding }, grade, GAS));
  lab.model.setMark(id, mark);
  lab.model.addFunding(id, funding - (market?.funding ?? 0n));
  lab.model.setLive(id, grade !== DEAD);
}

function verbsOf(lab: Base, markets: readonly MarketOptions[]) {
  const { harness, model } = lab;
  const unitOf = (market: number) => markets[market]?.unit ?? UNIT;

  let owners = 0n;
  /** Every account has an owner of its own, because nobody trades with himself. */
  async function open(balance: bigint): Promise<number> {
    owners += 1n;
    const owner = `0x${(2n ** 159n + owners).toString(16)}`;
    const id = Number(await harness.openAccount.staticCall(owner));
    await done(lab, harness.openAccount(owner, GAS));
    await credit(id, balance);
    return id;
  }

  async function credit(account: number, amount: bigint): Promise<void> {
    lab.paidIn += amount;
    await done(lab, harness.credit(account, amount, GAS));
    if (account === FUND) model.fundDeposit(amount);
    else model.deposit(account, amount);
  }

  async function openMany(count: number, balance: bigint): Promise<number[]> {
    const first = Number(await harness.openAccount.staticCall(lab.address));
    for (let left = count; left > 0; left -= 200) {
      await done(lab, harness.openMany(Math.min(left, 200), balance, GAS));
    }
    const ids = Array.from({ length: count }, (_, i) => first + i);
    for (const id of ids) model.deposit(id, balance);
    lab.paidIn += balance * BigInt(count);
    return ids;
  }

  /** One lot from each seller, at its own price. */
  async function tradeMany(
    buyer: number,
    sellers: readonly number[],
    ticks: readonly bigint[],
  ): Promise<void> {
    await done(lab, harness.tradeMany(0, buyer, [...sellers], [...ticks], GAS));
    for (const [i, seller] of sellers.entries()) {
      model.fill({ market: 0, buyer, seller, lots: 1n, ticks: ticks[i] ?? 0n });
    }
  }

  /** `buyer` and `seller` trade at a price in ticks. */
  async function trade(
    buyer: number,
    seller: number,
    { lots, ticks, market = 0 }: { lots: bigint; ticks: bigint; market?: number },
  ): Promise<void> {
    await done(lab, harness.trade(market, buyer, seller, lots, ticks, GAS));
    model.fill({ market, buyer, seller, lots, ticks });
  }

  const setTicks = async (ticks: bigint, market = 0) =>
    setPrice(lab, market, { mark: ticks * unitOf(market) });

  async function setLeverage(account: number, leverageClass: number, market = 0): Promise<void> {
    await done(lab, harness.setLeverage(market, account, leverageClass, GAS));
    model.chooseLeverage(account, market, leverageClass);
  }

  /** Only in the harness. */
  const place = async (account: number, side: bigint, lots: bigint, ticks: bigint, market = 0) =>
    done(lab, harness.place(market, account, side, ticks, lots, GAS));

  const deleverage = async (accounts: readonly number[], maxFills = 0n, rewardTo = 0) =>
    done(lab, harness.deleverage([...accounts], maxFills, rewardTo, GAS));

  /** The same event in both, compared side by side. */
  async function event(
    accounts: readonly number[],
    { maxFills = 0n, ...expected }: Omit<Deleverage, "accounts"> & { maxFills?: bigint } = {},
  ) {
    const { events, gasUsed } = await deleverage(accounts, maxFills);
    const receipts = model.deleverage({ accounts, ...expected });
    expectSame(events, receipts);
    await audit();
    await expectSameAccounts();
    return { events, receipts, gasUsed };
  }

  /**
   * Settles an account in both and gives the model the harness's whole numbers, so that what rounding did so far does
   * not grow into another lot.
   */
  async function resync(account: number): Promise<void> {
    for (const market of markets.keys()) {
      await done(lab, harness.settle(market, account, GAS));
      const { position } = await harness.settledOf(market, account);
      const balance = await harness.balanceOf(account);
      model.resync(account, market, { lots: position.lots, cost: position.cost, balance });
    }
  }

  /** An event after others: amounts within what rounding has moved, lots exactly. */
  async function laterEvent(
    accounts: readonly number[],
    tolerance: bigint,
  ): Promise<ExchangeEvent[]> {
    const { events } = await deleverage(accounts);
    const permits = permitsOf(events);
    expectClose(events, model.deleverage({ accounts, permits }), tolerance);
    await audit();
    await expectSameAccounts();
    return events;
  }

  /** INV-1 and INV-2. Returns the whole state. */
  async function audit(): Promise<State> {
    const state = await readState(createReader(ethers.provider, lab.address), lab.known);
    const findings = createFindings();
    checkMoney(findings, state, { tracked: lab.paidIn, queued: 0n, held: lab.paidIn });
    checkLots(findings, state);
    expect(findings.list).to.deep.equal([]);
    return state;
  }

  /** Sizes within a lot, which a member of a cohort that was cut in part may leave to it, and equity within its worth. */
  async function expectSameAccounts(
    tolerance = (lab.marks[0] ?? 0n) + (lab.marks[1] ?? 0n),
  ): Promise<void> {
    for (const [id, account] of model.state.accounts) {
      const { equity } = await harness.healthOf(id);
      const difference = rational(equity).minus(model.equity(id)).floor();
      const text = `account ${id}: equity ${equity}, the model's ${model.equity(id).floor()}`;
      expect(difference >= -tolerance && difference <= tolerance, text).to.equal(true);
      for (const market of markets.keys()) {
        const [position] = await harness.settledOf(market, id);
        const exact = account.positions.get(market)?.lots.floor() ?? 0n;
        const isSame = position.lots === exact || position.lots === exact - 1n;
        const size = `account ${id} has ${position.lots} lots in market ${market}, not ${exact}`;
        expect(isSame, size).to.equal(true);
      }
    }
    expect(await harness.balanceOf(FUND), "the fund").to.equal(model.state.fund.floor());
  }

  return {
    open,
    openMany,
    tradeMany,
    credit,
    trade,
    setTicks,
    setPrice: async (market: number, change: PriceChange) => setPrice(lab, market, change),
    setLeverage,
    place,
    deleverage,
    event,
    resync,
    laterEvent,
    audit,
    expectSameAccounts,
    done: async (sent: Promise<ContractTransactionResponse>) => done(lab, sent),
    equity: async (account: number) => (await harness.healthOf(account)).equity,
    lotsOf: async (account: number, market = 0) =>
      (await harness.settledOf(market, account)).position.lots,
  };
}

/** The receipts of the log are the model's, to the wei. */
export function expectSame(events: readonly ExchangeEvent[], expected: readonly SideReceipt[]) {
  const found = new Map(
    eventsNamed(events, "Deleveraged").map(({ args }) => [keyOf(args.market, args.side), args]),
  );
  for (const side of expected) {
    const key = keyOf(BigInt(side.market), side.side === 1n ? SHORT : LONG);
    const args = found.get(key);
    if (args === undefined) {
      expect(side.deficit.isZero() && side.lots.isZero(), `receipt of ${key}`).to.equal(true);
      continue;
    }
    expect(plain(args.receipt), key).to.deep.equal(plainOf(side));
    expectSameCharges(events, args, side);
    expectSameCuts(events, args, side);
    found.delete(key);
  }
  expect([...found.keys()], "no other receipts").to.deep.equal([]);
}

function keyOf(market: bigint, payers: bigint): string {
  return `market ${market}, ${payers === LONG ? "longs" : "shorts"} pay`;
}

function plain(receipt: Receipt["receipt"]) {
  const { lots, dustLots, queueLots, bookLots, deficit, fundWithin, base } = receipt;
  const { haircut, freshCharge, discount, fundBeyond, principal, shortfall } = receipt;
  return {
    lots: lots - bookLots,
    dustLots,
    queueLots,
    deficit,
    fundWithin,
    base: deficit > 0n ? base : 0n,
    haircut,
    freshCharge,
    discount,
    fundBeyond,
    principal,
    shortfall,
  };
}

function plainOf(side: SideReceipt) {
  const haircuts = sum(side.haircuts.map(({ amount }) => amount));
  return {
    lots: side.lots.floor(),
    dustLots: side.dustLots.floor(),
    queueLots: sum(side.cuts.map(({ lots }) => lots)).floor(),
    deficit: side.deficit.floor(),
    fundWithin: side.fundWithin.floor(),
    base: side.deficit.isPositive() ? side.base.floor() : 0n,
    haircut: haircuts.plus(side.freshCharge).floor(),
    freshCharge: side.freshCharge.floor(),
    discount: side.discount.floor(),
    fundBeyond: side.fundBeyond.floor(),
    principal: sum(side.principal.map(({ amount }) => amount)).floor(),
    shortfall: side.shortfall.floor(),
  };
}

function expectSameCharges(
  events: readonly ExchangeEvent[],
  { market, side }: Receipt,
  expected: SideReceipt,
): void {
  const ofSide = (name: "Haircut" | "PrincipalCharged") =>
    eventsNamed(events, name)
      .filter(({ args }) => args.market === market && args.side === side)
      .filter(({ args }) => args.amount > 0n)
      .map(({ args }) => `${args.priceClass}: ${args.amount}`);
  const lines = (charges: SideReceipt["haircuts"]) =>
    charges
      .filter(({ amount }) => amount.isPositive())
      .map(({ priceClass, amount }) => `${priceClass}: ${amount.floor()}`);
  expect(ofSide("Haircut")).to.deep.equal(lines(expected.haircuts));
  expect(ofSide("PrincipalCharged")).to.deep.equal(lines(expected.principal));
}

function expectSameCuts(
  events: readonly ExchangeEvent[],
  { market, side }: Receipt,
  expected: SideReceipt,
): void {
  const found = eventsNamed(events, "CohortCut")
    .filter(({ args }) => args.market === market && args.cohort >> 15n === side)
    .map(({ args }) => `${args.cohort & 0x7fffn}: ${args.lots} at ${args.discount}`);
  const lines = expected.cuts.map(
    ({ leverageClass, priceClass, lots, discount }) =>
      `${leverageClass * 4096 + priceClass}: ${lots.floor()} at ${discount.floor()}`,
  );
  expect(found).to.deep.equal(lines);
}

/** What the fund paid, market by market, as the model wants to be told. */
function permitsOf(events: readonly ExchangeEvent[]) {
  const permits = new Map<number, { event: bigint; beyond: bigint }>();
  for (const { args } of eventsNamed(events, "Deleveraged")) {
    const { event, beyond } = permits.get(Number(args.market)) ?? { event: 0n, beyond: 0n };
    const { fundWithin, fundBeyond } = args.receipt;
    permits.set(Number(args.market), { event: event + fundWithin, beyond: beyond + fundBeyond });
  }
  return permits;
}

/** The receipts of the log are the model's, amounts within a tolerance. */
function expectClose(
  events: readonly ExchangeEvent[],
  expected: readonly SideReceipt[],
  tolerance: bigint,
): void {
  const receipts = eventsNamed(events, "Deleveraged").map(({ args }) => args);
  for (const side of expected) {
    const payers = side.side === 1n ? SHORT : LONG;
    const found = receipts.find(
      ({ market, side: paying }) => Number(market) === side.market && paying === payers,
    );
    if (found === undefined) {
      expect(side.deficit.isZero() && side.lots.isZero(), "a receipt").to.equal(true);
      continue;
    }
    const [is, should] = [plain(found.receipt), plainOf(side)];
    // Both are made by functions of one type, so they have the same fields.
    for (const name of Object.keys(is) as (keyof typeof is)[]) {
      const difference = is[name] - should[name];
      const bound = name.endsWith("ots") ? 0n : tolerance;
      const isClose = difference <= bound && -difference <= bound;
      expect(isClose, `${name}: ${is[name]}, the model's ${should[name]}`).to.equal(true);
    }
  }
}
