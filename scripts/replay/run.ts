/** A replay from its plan to its record: sets up, plays the crash, closes the books. */

import { MaxUint256, getBigInt } from "ethers";
import { cohortName, LONG, SHORT } from "../lib/keys.js";
import type { SideIndex } from "../lib/keys.js";
import { queueOrder } from "../lib/queue.js";
import type { State } from "../lib/state.js";
import { sum } from "../lib/units.js";
import { anyAbi } from "./actions.js";
import { createChain } from "./chain.js";
import { distressOf, playCrash } from "./crash.js";
import type { Outcome } from "./crash.js";
import { createPublisher, deploy } from "./exchange.js";
import { MARKET, listedParameters, marketOf, topLotsOf } from "./market.js";
import { createFollower } from "./follower.js";
import { createTally } from "./invariants.js";
import type { Tally } from "./invariants.js";
import { createKeepers } from "./keepers.js";
import { planOpenings } from "./openings.js";
import { scaleOf } from "./path.js";
import type { ReplayPlan } from "./plan.js";
import { createPopulation } from "./population.js";
import type { Trader } from "./population.js";
import type { Progress } from "./progress.js";
import { createRecorder, describeCohort, holdingOf } from "./recorder.js";
import type { Recorder } from "./recorder.js";
import type { AccountRecord, QueueRecord, RunRecord, Setting } from "./record.js";
import { BLOCK_SECONDS, callOf, createSession, requireDone } from "./session.js";
import type { Session } from "./session.js";
import { accountOf, depositOf, fundAtOpening, makerDeposit, setUp, setupSeconds } from "./setup.js";
import type { Cast, Stage } from "./setup.js";

/** Between the deployment, whose time is nobody's business, and the first block of the replay. */
const DAY = 86_400;
/** Settlements in one block. */
const SETTLE_PER_BLOCK = 50;
const SETTLE_GAS = 1_000_000;

export async function runReplay(plan: ReplayPlan, progress: Progress): Promise<RunRecord> {
  const { scenario, path, parameters } = plan;
  const first = path.points[0];
  if (first === undefined) throw new RangeError("a path has at least one price");
  const scale = scaleOf(first.price);
  const tiers = tiersOf(plan);
  const { seed, population } = scenario;
  const fund = fundAtOpening(scenario);
  const topLots = topLotsOf(scenario, parameters, { price: first.price, scale, fund });
  const traders = createPopulation(population, { price: first.price, scale, tiers, topLots, seed });
  const stops = planOpenings(traders, first.price / scale.tick);
  const stage: Stage = { scenario, traders, stops };
  const start = path.start - setupSeconds(stage);

  progress.begin("Deploying", 1);
  const chain = await createChain(start - DAY);
  try {
    const ballast = await deploy(chain, parameters);
    await chain.takeClock();
    const publish = await createPublisher(chain, ballast);
    const tally = createTally();
    const follower = await createFollower(chain, ballast, tally);
    const exchange = await ballast.exchange.getAddress();
    const session = createSession({ chain, ballast, exchange, scale, publish, follower, start });
    progress.end();

    const cast = await setUp(session, stage, progress);
    const keepers = createKeepers(session, cast.keepers, scenario);
    const recorder = createRecorder();
    const act = { session, scenario, path, cast, keepers, recorder, progress };
    const outcome = await playCrash(act);
    await closeBooks({ session, cast, tally, progress }, outcome);
    return recordOf({ plan, stage, cast, outcome, recorder, tally });
  } finally {
    await chain.connection.close();
  }
}

/** Leverage and size brackets as the market is listed with. */
function tiersOf({ parameters }: ReplayPlan): { caps: number[]; leverages: number[] } {
  const { tiers } = marketOf(parameters);
  return {
    caps: tiers.flatMap(({ upTo }) => (upTo === null ? [] : [upTo])),
    leverages: tiers.map(({ leverage }) => leverage),
  };
}

type Books = {
  readonly session: Session;
  readonly cast: Cast;
  readonly tally: Tally;
  readonly progress: Progress;
};

/** Everyone is settled, so that what waits in cohorts is paid out too; then those without a position could leave with all they have. */
async function closeBooks(books: Books, { end }: Outcome): Promise<void> {
  const { session, cast, tally, progress } = books;
  const everyone = [...cast.traders, ...cast.makers, ...cast.keepers];
  progress.begin("Settling", everyone.length);
  const banker = await session.chain.actor("banker");
  for (let from = 0; from < everyone.length; from += SETTLE_PER_BLOCK) {
    for (const { account } of everyone.slice(from, from + SETTLE_PER_BLOCK)) {
      const settle = { call: "settle", name: "settle", args: [account, MARKET] } as const;
      await session.chain.submit(callOf(session, banker, { ...settle, gas: SETTLE_GAS }));
      progress.advance();
    }
    const { mined } = await session.block();
    await requireDone(session, mined);
  }
  progress.end();
  const { insolvent } = distressOf(end, BigInt(session.time()));
  tally.checkedOnce("INV-16");
  if (insolvent > 0) tally.fail("INV-16", `${insolvent} accounts are insolvent at the end`);
  await checkWithdrawals(books);
}

/** INV-9: asked of the contract, from the owner, for everything. */
async function checkWithdrawals({ session, cast, tally }: Books): Promise<void> {
  const state = session.follower.state();
  const scale = state.header.tokenScale;
  await session.chain.prepare(session.time() + BLOCK_SECONDS);
  for (const { account, owner } of [...cast.traders, ...cast.makers]) {
    const balance = state.money.get(account)?.balance ?? 0n;
    const isFlat = !state.markets.get(MARKET)?.positions.has(account);
    if (!isFlat || balance < scale) continue;
    tally.checkedOnce("INV-9");
    const data = anyAbi.encodeFunctionData("withdraw", [account, MaxUint256, owner]);
    const { provider } = session.chain.connection.ethers;
    const request = { from: owner, to: session.exchange, data, blockTag: "pending" };
    const paid = await provider.call(request).then(getBigInt, () => 0n);
    if (paid !== balance / scale) {
      tally.fail("INV-9", `account ${account} has ${balance} but can withdraw ${paid * scale}`);
    }
  }
}

type Run = {
  readonly plan: ReplayPlan;
  readonly stage: Stage;
  readonly cast: Cast;
  readonly outcome: Outcome;
  readonly recorder: Recorder;
  readonly tally: Tally;
};

function recordOf(run: Run): RunRecord {
  const { plan, recorder, outcome, tally } = run;
  const { liquidations, events, losses, closed, transactions } = recorder;
  return {
    setting: settingOf(plan),
    accounts: accountsOf(run),
    steps: outcome.steps,
    liquidations,
    events,
    losses,
    closed,
    transactions,
    queue: queueOf(run),
    invariants: tally.records(),
  };
}

function settingOf({ scenario, path, parameters, candles }: ReplayPlan): Setting {
  const { id, title, description, seed, rule, population } = scenario;
  return {
    id,
    title,
    description,
    seed,
    rule,
    scale: scaleOf(path.points[0]?.price ?? 1n),
    accountsPerSide: population.accountsPerSide,
    ...(candles === undefined ? {} : { candles }),
    parameters: listedParameters(parameters),
  };
}

function accountsOf({ stage, cast, outcome }: Run): AccountRecord[] {
  const { start, atLastEvent, end, steps } = outcome;
  const startTime = BigInt(steps[0]?.time ?? 0);
  const endTime = BigInt(steps.at(-1)?.time ?? 0);
  const holdings = (account: number): Pick<AccountRecord, "start" | "atLastEvent" | "end"> => ({
    start: holdingOf(start, account, startTime),
    atLastEvent: holdingOf(atLastEvent.state, account, atLastEvent.time),
    end: holdingOf(end, account, endTime),
  });
  const traders = stage.traders.map((trader: Trader): AccountRecord => {
    const account = accountOf(cast, trader);
    const { isHedge, leverage, decile } = trader;
    const deposited = depositOf(trader);
    return { account, role: "trader", isHedge, leverage, decile, deposited, ...holdings(account) };
  });
  const makers = cast.makers.map(({ account }): AccountRecord => ({
    account,
    role: "maker",
    isHedge: false,
    leverage: 0,
    decile: 0,
    deposited: makerDeposit(stage.scenario),
    ...holdings(account),
  }));
  return [...traders, ...makers];
}

/** The side that was cut most, or the shorts, in the order of the queue at the last event's mark. */
function queueOf({ outcome, recorder }: Run): QueueRecord[] {
  const { start, end, steps } = outcome;
  const cutOf = (side: string): bigint =>
    sum(recorder.events.filter((event) => event.side === side).map(({ queueLots }) => queueLots));
  const side: SideIndex = cutOf("long") > cutOf("short") ? LONG : SHORT;
  const mark = recorder.events.at(-1)?.mark ?? steps.at(-1)?.mark ?? 0n;
  const unit = start.markets.get(MARKET)?.config.unit ?? 0n;
  const before = cohortsOf(start, side);
  const after = cohortsOf(end, side);
  return queueOrder({ mark, unit }, before.keys()).map((cohort) => ({
    ...describeCohort(cohort, unit),
    members: Number(before.get(cohort)?.members ?? 0n),
    lotsBefore: before.get(cohort)?.lots ?? 0n,
    lotsAfter: after.get(cohort)?.lots ?? 0n,
  }));
}

function cohortsOf(state: State, side: SideIndex): Map<number, { lots: bigint; members: bigint }> {
  const cohorts = [...(state.markets.get(MARKET)?.cohorts ?? [])];
  return new Map(cohorts.filter(([key, { lots }]) => cohortName(key).side === side && lots > 0n));
}
