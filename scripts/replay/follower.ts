/**
 * Follows the chain block by block: rebuilds the exchange's state from its events alone, reads the same from storage,
 * compares the two, and checks every invariant that state and log can prove.
 */

import type { Ballast } from "../deploy/deploy.js";
import { noteCrossing } from "../lib/audit/pools.js";
import type { Crossings } from "../lib/audit/pools.js";
import type { Custody } from "../lib/audit/money.js";
import type { Step } from "../lib/audit/step.js";
import { describeViolation } from "../lib/audit/violation.js";
import { compareStates, describeDifference } from "../lib/compare.js";
import { parseEvent } from "../lib/events.js";
import type { ExchangeEvent, RawLog } from "../lib/events.js";
import { checkState, checkStep } from "../lib/invariants.js";
import { createKnown, track } from "../lib/known.js";
import type { Known } from "../lib/known.js";
import { createReader, readState } from "../lib/read.js";
import { applyEvent, createRebuild } from "../lib/rebuild.js";
import type { Genesis, Rebuild } from "../lib/rebuild.js";
import type { Receipt } from "../lib/receipts.js";
import type { State } from "../lib/state.js";
import { createTracer, trace } from "../lib/trace.js";
import type { Tracer } from "../lib/trace.js";
import type { Chain, Mined } from "./chain.js";
import type { Tally } from "./invariants.js";

/** An event of the exchange and the transaction that wrote it. */
export type Logged = { readonly event: ExchangeEvent; readonly mined: Mined };

/** What a block changed. */
export type BlockView = Step & {
  readonly mined: readonly Mined[];
  readonly logged: readonly Logged[];
};

export type Follower = {
  /** Takes in a block that was just made. */
  readonly follow: (mined: readonly Mined[], time: number) => Promise<BlockView>;
  /** As storage had it after the last block. */
  readonly state: () => State;
};

/** What has been gathered from the log so far. */
type Log = {
  readonly exchange: string;
  readonly known: Known;
  readonly rebuild: Rebuild;
  readonly tracer: Tracer;
  readonly crossings: Crossings;
};

/** Transactions before the replay took the clock count as one block. */
export async function createFollower(
  chain: Chain,
  ballast: Ballast,
  tally: Tally,
): Promise<Follower> {
  const caller = chain.connection.ethers.provider;
  const genesis = await genesisOf(ballast);
  const { exchange, vault } = genesis;
  const log: Log = {
    exchange,
    known: createKnown(),
    rebuild: createRebuild(genesis),
    tracer: createTracer(),
    crossings: new Map(),
  };
  const read = createReader(caller, exchange);
  const custodyOf = async (): Promise<Custody> => ({
    tracked: await ballast.vault.tracked(),
    queued: await ballast.vault.queued(),
    held: await ballast.token.balanceOf(vault),
  });

  const first = await caller.getLogs({ address: exchange, fromBlock: 0, toBlock: "latest" });
  const deployed = BigInt((await caller.getBlock("latest"))?.timestamp ?? 0);
  for (const line of first) take(log, line, deployed);
  let before = await readState(read, log.known);
  let custody = await custodyOf();

  const follow = async (mined: readonly Mined[], at: number): Promise<BlockView> => {
    const time = BigInt(at);
    const taken = mined.flatMap((transaction) =>
      transaction.logs.map((line) => ({ ...take(log, line, time), mined: transaction })),
    );
    const logged = taken.flatMap(({ event, mined: by }) => (event ? [{ event, mined: by }] : []));
    const receipts = taken.flatMap(({ receipt }) => receipt ?? []);
    const after = await readState(read, log.known);
    const held = await custodyOf();
    const step: Step = {
      before,
      after,
      custody: { before: custody, after: held },
      events: logged.map(({ event }) => event),
      receipts,
      time,
    };
    checkBlock(tally, step, log);
    [before, custody] = [after, held];
    return { ...step, mined, logged };
  };
  return { follow, state: () => before };
}

async function genesisOf({ exchange, vault, oracle, token }: Ballast): Promise<Genesis> {
  return {
    exchange: await exchange.getAddress(),
    vault: await vault.getAddress(),
    oracle: await oracle.getAddress(),
    tokenScale: 10n ** (18n - (await token.decimals())),
  };
}

type Taken = { readonly event?: ExchangeEvent; readonly receipt?: Receipt | undefined };

function take({ exchange, ...log }: Log, line: RawLog, time: bigint): Taken {
  if (line.address.toLowerCase() !== exchange.toLowerCase()) return {};
  const event = parseEvent(line);
  if (event === undefined) return {};
  track(log.known, event);
  noteCrossing(log.crossings, event, log.rebuild.state);
  const receipt = trace(log.tracer, event, { state: log.rebuild.state, time });
  applyEvent(log.rebuild, event, time);
  return { event, receipt };
}

function checkBlock(tally: Tally, step: Step, { rebuild, crossings }: Log): void {
  const { after, custody, time } = step;
  const facts = { custody: custody.after, crossings, time };
  for (const violation of [...checkState(after, facts), ...checkStep(step)]) {
    tally.fail(violation.id, `${time}: ${describeViolation(violation)}`);
  }
  for (const difference of compareStates(rebuild.state, after)) {
    tally.fail("events", `${time}: ${describeDifference(difference)}`);
  }
  tally.checked();
}
