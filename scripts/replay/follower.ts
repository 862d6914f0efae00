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
import { createReader, readState } from "../lib/read.js";
import { applyEvent, createRebuild } from "../lib/rebuild.js";
import type { Genesis, Rebuild } from "../lib/rebuild.js";
import type { Receipt } from "../lib/receipts.js";
import type { State } from "../lib/state.js";
import { createTracer, trace } from "../lib/trace.js";
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

/** Transactions before the replay took the clock count as one block. */
export async function createFollower(
  chain: Chain,
  ballast: Ballast,
  tally: Tally,
): Promise<Follower> {
  const caller = chain.connection.ethers.provider;
  const exchange = await ballast.exchange.getAddress();
  const genesis: Genesis = {
    exchange,
    vault: await ballast.vault.getAddress(),
    oracle: await ballast.oracle.getAddress(),
    tokenScale: 10n ** (18n - (await ballast.token.decimals())),
  };
  const known = createKnown();
  const rebuild = createRebuild(genesis);
  const tracer = createTracer();
  const crossings: Crossings = new Map();
  const read = createReader(caller, exchange);

  const custodyOf = async (): Promise<Custody> => ({
    tracked: await ballast.vault.tracked(),
    held: await ballast.token.balanceOf(genesis.vault),
  });

  const take = (log: RawLog, time: bigint, receipts: Receipt[]): ExchangeEvent | undefined => {
    const event =
      log.address.toLowerCase() === exchange.toLowerCase() ? parseEvent(log) : undefined;
    if (event === undefined) return undefined;
    track(known, event);
    noteCrossing(crossings, event, rebuild.state);
    const receipt = trace(tracer, event, { state: rebuild.state, time });
    if (receipt !== undefined) receipts.push(receipt);
    applyEvent(rebuild, event, time);
    return event;
  };

  const first = await caller.getLogs({ address: exchange, fromBlock: 0, toBlock: "latest" });
  const deployed = BigInt((await caller.getBlock("latest"))?.timestamp ?? 0);
  for (const log of first) take(log, deployed, []);
  let before = await readState(read, known);
  let custody = await custodyOf();

  const follow = async (mined: readonly Mined[], at: number): Promise<BlockView> => {
    const time = BigInt(at);
    const receipts: Receipt[] = [];
    const logged = mined.flatMap((transaction) =>
      transaction.logs.flatMap((log) => {
        const event = take(log, time, receipts);
        return event === undefined ? [] : [{ event, mined: transaction }];
      }),
    );
    const events = logged.map(({ event }) => event);
    const after = await readState(read, known);
    const held = await custodyOf();
    const step: Step = {
      before,
      after,
      custody: { before: custody, after: held },
      events,
      receipts,
      time,
    };
    checkBlock(tally, { step, rebuild, crossings });
    [before, custody] = [after, held];
    return { ...step, mined, logged };
  };
  return { follow, state: () => before };
}

type Checked = { readonly step: Step; readonly rebuild: Rebuild; readonly crossings: Crossings };

function checkBlock(tally: Tally, { step, rebuild, crossings }: Checked): void {
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
