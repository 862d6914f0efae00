/**
 * The keepers of a replay: the code that guards a live market, on a chain in this process. They take turns in a fixed order,
 * so that a run is the same every time: a keeper goes on until it has sent a transaction, then the next one does; when all of them wait,
 * the block is made.
 */

import { decodeDone, encodeAction, targetOf } from "../keeper/actions.js";
import type { Action } from "../keeper/actions.js";
import { createChainEffects } from "../keeper/chain.js";
import { MAX_GAS } from "../keeper/config.js";
import type { Effects, Simulation } from "../keeper/effects.js";
import type { Intent, Sent } from "../keeper/send.js";
import { createKeeperTick } from "../keeper/tick.js";
import type { TickPolicy, TickReport } from "../keeper/tick.js";
import { decodeError } from "../package/errors.js";
import { WHOLE } from "../lib/units.js";
import { MOST_GAS } from "./chain.js";
import type { Mined } from "./chain.js";
import type { Call } from "./record.js";
import type { Scenario } from "./scenario.js";
import type { Participant, Session } from "./session.js";

export type Keepers = {
  /** Lets every keeper work, one after the other, until it waits for a block or its round is over. */
  readonly work: () => Promise<void>;
  /** Hands over what was mined; the keepers see it when they work next. */
  readonly deliver: (mined: readonly Mined[]) => void;
  /** Whether there may be more to do before the next price. */
  readonly isBusy: () => boolean;
};

const PAGE = 80;
/** What the contract allows. */
const MAX_FILLS = 100n;
const MAX_STEPS = 256n;
const MAX_ITEMS = 100n;
const MAX_SPLITS = 64;
const MAX_TRANSACTIONS = 16;
/** An idle market is refreshed after this many seconds. */
const POKE_AFTER = 60n;
const BACKOFF = { first: 2n, longest: 30n };
/** What a keeper with money asks for: 0.3 % off mark, and three times its free margin at most. */
const MIN_DISCOUNT = 3_000n;
const TAKEOVER_LEVERAGE = 3n;

type Waiting = {
  readonly hash: string;
  readonly resume: (sent: Sent) => void;
  /** What became of it, once it is mined. */
  sent?: Sent;
};

type Turn = {
  /** What it is about to send. */
  action: Action | undefined;
  waiting: Waiting | undefined;
  isRunning: boolean;
  /** There was something to do in the last round, or something that may come due. */
  isBusy: boolean;
  failure: Error | undefined;
  /** Ends when the keeper sends, or its round is over. */
  paused: Promise<void>;
  pause: () => void;
};

export function createKeepers(
  session: Session,
  crew: readonly Participant[],
  scenario: Scenario,
): Keepers {
  const turns = crew.map((keeper) => {
    const turn = idle();
    const tick = createKeeperTick(effectsOf(session, keeper, turn), policyOf(keeper, scenario));
    return { turn, tick };
  });

  return {
    async work() {
      for (const { turn, tick } of turns) {
        const { waiting } = turn;
        if (waiting !== undefined && waiting.sent === undefined) continue;
        arm(turn);
        if (waiting?.sent !== undefined) {
          turn.waiting = undefined;
          waiting.resume(waiting.sent);
        } else {
          void run(turn, tick);
        }
        await turn.paused;
        if (turn.failure !== undefined) throw turn.failure;
      }
    },
    deliver(mined) {
      for (const { turn } of turns) {
        const found = mined.find(({ hash }) => hash === turn.waiting?.hash);
        if (found !== undefined && turn.waiting !== undefined) turn.waiting.sent = sentOf(found);
      }
    },
    isBusy: () => turns.some(({ turn }) => turn.isRunning || turn.isBusy),
  };
}

function idle(): Turn {
  return {
    action: undefined,
    waiting: undefined,
    isRunning: false,
    isBusy: false,
    failure: undefined,
    paused: Promise.resolve(),
    pause: () => {},
  };
}

/** From here on the keeper is at work; `paused` ends at its next stop. */
function arm(turn: Turn): void {
  turn.paused = new Promise((resolve) => {
    turn.pause = resolve;
  });
}

async function run(turn: Turn, tick: () => Promise<TickReport>): Promise<void> {
  turn.isRunning = true;
  try {
    const { transactions, skips } = await tick();
    const { poke: _, ...work } = transactions;
    const hasWorked = Object.values(work).some((count) => count > 0);
    const isWatching = Object.keys(skips).some((name) => /^(liquidate|takeover)\./.test(name));
    turn.isBusy = hasWorked || isWatching;
  } catch (error) {
    turn.failure = error instanceof Error ? error : new Error(String(error));
  }
  turn.isRunning = false;
  turn.pause();
}

const CALLS: Readonly<Record<Action["kind"], Call>> = {
  liquidate: "liquidate",
  takeover: "takeover",
  deleverage: "deleverage",
  continueEvent: "continueEvent",
  poke: "poke",
  release: "release",
  noteIncome: "noteIncome",
};

function effectsOf(session: Session, { owner }: Participant, turn: Turn): Effects {
  const { chain, exchange, ballast } = session;
  const provider = chain.connection.ethers.provider;
  const send = async ({ to, data }: Intent): Promise<Sent> => {
    const { action } = turn;
    if (action === undefined) throw new Error("a keeper sends what it was told to");
    const accounts = "accounts" in action ? action.accounts.length : 0;
    const call = CALLS[action.kind];
    const hash = await chain.submit({ call, from: owner, to, data, gas: MOST_GAS, accounts });
    return new Promise((resume) => {
      turn.waiting = { hash, resume };
      turn.pause();
    });
  };
  const effects = createChainEffects({
    provider: async () => provider,
    exchange,
    vault: ballast.addresses["vault"] ?? "",
    lens: ballast.addresses["lens"] ?? "",
    // Nobody stakes in a replay.
    fund: "",
    from: owner,
    send,
    page: PAGE,
    maxGas: MAX_GAS,
    log: () => {},
  });
  return {
    ...effects,
    simulate: (action) => simulate(session, owner, action),
    send(action, gas) {
      turn.action = action;
      return effects.send(action, gas);
    },
  };
}

/** On top of what waits to be mined, with all the gas that a transaction may have: no estimate is needed here. */
async function simulate(session: Session, from: string, action: Action): Promise<Simulation> {
  const vault = session.ballast.addresses["vault"] ?? "";
  const to = targetOf(action, { exchange: session.exchange, vault, fund: "" });
  const request = { from, to, data: encodeAction(action), gasLimit: MOST_GAS };
  try {
    const { provider } = session.chain.connection.ethers;
    const result = await provider.call({ ...request, blockTag: "pending" });
    return { ok: true, done: decodeDone(action, result), gas: BigInt(MOST_GAS) };
  } catch (error) {
    return { ok: false, reason: decodeError(error)?.text ?? "reverted" };
  }
}

function sentOf({ hash, isDone, gas, logs }: Mined): Sent {
  const receipt = { status: isDone ? 1 : 0, hash, gasUsed: BigInt(gas), logs };
  return { status: isDone ? "mined" : "reverted", receipt };
}

function policyOf({ account }: Participant, { keepers, population }: Scenario): TickPolicy {
  const capital = (population.openInterest * keepers.capital) / WHOLE / BigInt(keepers.count);
  return {
    ...(capital > 0n ? { account } : {}),
    rewardTo: account,
    minDiscount: MIN_DISCOUNT,
    maxTakeover: capital,
    takeoverLeverage: TAKEOVER_LEVERAGE,
    pokeAfter: POKE_AFTER,
    // Nobody withdraws in a replay.
    releaseAfter: 0n,
    noteAbove: 0n,
    noteAfter: 0n,
    maxFills: MAX_FILLS,
    maxSteps: MAX_STEPS,
    maxItems: MAX_ITEMS,
    maxAccounts: keepers.batch,
    maxGas: MAX_GAS,
    maxTransactions: MAX_TRANSACTIONS,
    maxSplits: MAX_SPLITS,
    dryRun: false,
    backoff: BACKOFF,
  };
}
