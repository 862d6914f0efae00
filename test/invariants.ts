import type { ContractTransactionResponse, Provider, TransactionResponse } from "ethers";
import { auditBlock, copyAuditor, createAuditor } from "../scripts/lib/auditor.js";
import type { Auditor } from "../scripts/lib/auditor.js";
import { describeViolation } from "../scripts/lib/audit/violation.js";
import type { Violation } from "../scripts/lib/audit/violation.js";
import { exchangeInterface } from "../scripts/lib/events.js";
import { createReader } from "../scripts/lib/read.js";
import type { State } from "../scripts/lib/state.js";
import type { IExchange } from "../typechain-types/index.js";
import { IMarginVault__factory, TestToken__factory } from "../typechain-types/index.js";

/*
 * Proves after every transaction of a test that the books are right. A fixture calls `watch` once, right after the deployment;
 * every test that runs then ends with a look at all blocks that came since the last one. Nothing can be forgotten, and a
 * test that breaks an invariant fails with its name, the block, and the call that did it.
 */

export class InvariantError extends Error {
  constructor(
    readonly block: number,
    readonly calls: readonly string[],
    readonly violations: readonly Violation[],
  ) {
    const told = violations
      .slice(0, SHOWN)
      .map((violation) => `\n  ${describeViolation(violation)}`);
    const more = violations.length > SHOWN ? `\n  and ${violations.length - SHOWN} more` : "";
    super(`after ${calls.join(", ")} in block ${block}:${told.join("")}${more}`);
    this.name = "InvariantError";
  }
}

export type Watcher = {
  /** Looks at all blocks since the last look. */
  check(): Promise<void>;
  /** Storage as of the last look. */
  state(): State;
  /** Sends one transaction and looks at once. */
  step(sent: Promise<ContractTransactionResponse>): Promise<ContractTransactionResponse>;
};

/** What a watcher knew at the end of a block. */
type Mark = { readonly number: number; readonly hash: string; readonly auditor: Auditor };

const SHOWN = 8;
/** Blocks that a test may go back; beyond, the watcher starts again at the first. */
const MARKS = 256;

const watchers = new Set<Watcher>();

/** Watches an exchange from now on. Everything since its deployment is taken in first. */
export async function watch(exchange: IExchange, provider: Provider): Promise<Watcher> {
  const address = await exchange.getAddress();
  const [vault, oracle] = [await exchange.vault(), await exchange.oracle()];
  const custodian = IMarginVault__factory.connect(vault, provider);
  const token = TestToken__factory.connect(await custodian.token(), provider);
  const decimals = await custodian.decimals();
  const tokenScale = 10n ** (18n - decimals);
  const deployed = await deploymentOf(provider, address);

  const custodyAt = async (blockTag: number) => ({
    tracked: await custodian.tracked({ blockTag }),
    queued: await custodian.queued({ blockTag }),
    held: await token.balanceOf(vault, { blockTag }),
  });

  const fresh = createAuditor({ exchange: address, vault, oracle, tokenScale });
  let auditor = copyAuditor(fresh);
  let last = { number: deployed - 1, hash: await hashOf(provider, deployed - 1) };
  let marks: Mark[] = [{ ...last, auditor: fresh }];
  /** What broke once stays broken until the chain is turned back; it is told once. */
  let isBroken = false;

  async function check(): Promise<void> {
    if (!(await goBackIfReverted()) || isBroken) return;
    const latest = await provider.getBlockNumber();
    for (let number = last.number + 1; number <= latest; number++) await look(number);
  }

  /** A fixture may have turned the chain back. @returns Whether the exchange is there now. */
  async function goBackIfReverted(): Promise<boolean> {
    if ((await hashOf(provider, last.number)) === last.hash) return true;
    for (;;) {
      const mark = marks.at(-1);
      if (mark === undefined) throw new Error("the first mark is never dropped");
      if ((await hashOf(provider, mark.number)) === mark.hash) {
        auditor = copyAuditor(mark.auditor);
        last = { number: mark.number, hash: mark.hash };
        isBroken = false;
        return (await provider.getCode(address)) !== "0x";
      }
      if (marks.length === 1) return false;
      marks.pop();
    }
  }

  async function look(number: number): Promise<void> {
    const block = await provider.getBlock(number, true);
    if (block === null || block.hash === null) throw new Error(`block ${number} is there`);
    last = { number, hash: block.hash };
    const calls = block.prefetchedTransactions;
    if (calls.length === 0) return;
    const logs = await provider.getLogs({ address, fromBlock: number, toBlock: number });
    if (logs.length === 0 && !calls.some(({ to }) => to === address)) return;
    const audit = await auditBlock(auditor, {
      logs,
      time: BigInt(block.timestamp),
      read: createReader(provider, address, number),
      custody: await custodyAt(number),
    });
    if (audit.violations.length > 0) {
      isBroken = true;
      throw new InvariantError(number, calls.map(nameOf), audit.violations);
    }
    marks.push({ ...last, auditor: copyAuditor(auditor) });
    if (marks.length > MARKS) marks = [...marks.slice(0, 1), ...marks.slice(-MARKS / 2)];
  }

  const watcher: Watcher = {
    check,
    state: () => auditor.state,
    async step(sent) {
      const transaction = await sent;
      await transaction.wait();
      await check();
      return transaction;
    },
  };
  watchers.add(watcher);
  return watcher;
}

async function checkAll(): Promise<void> {
  for (const watcher of watchers) {
    try {
      await watcher.check();
    } catch (error) {
      if (!isClosed(error)) throw error;
      watchers.delete(watcher);
    }
  }
}

/** A test that closed its own chain took its exchange with it. */
function isClosed(error: unknown): boolean {
  return error instanceof Error && error.message.includes("The provider has been closed");
}

/*
 * A hook that fails ends the whole run. So every test is wrapped instead: it does what it does, then the look is part of it. A
 * root hook, because this module is loaded before any suite is described.
 */
beforeEach("watch the books", function () {
  const test = this.currentTest;
  const run = test?.fn;
  if (test === undefined || run === undefined || run.length > 0) return;
  // Mocha calls it with its own context, and waits for what it returns.
  test.fn = async function (this: Mocha.Context) {
    const body = run as (this: Mocha.Context) => unknown;
    await body.call(this);
    await checkAll();
  };
});

async function hashOf(provider: Provider, number: number): Promise<string> {
  return (await provider.getBlock(number))?.hash ?? "";
}

/** The block in which the code appeared: the first one that has it, by halving. */
async function deploymentOf(provider: Provider, address: string): Promise<number> {
  let [without, with_] = [-1, await provider.getBlockNumber()];
  while (with_ - without > 1) {
    const middle = Math.floor((without + with_) / 2);
    if ((await provider.getCode(address, middle)) === "0x") without = middle;
    else with_ = middle;
  }
  return with_;
}

function nameOf({ data }: TransactionResponse): string {
  return exchangeInterface.parseTransaction({ data })?.name ?? data.slice(0, 10);
}
