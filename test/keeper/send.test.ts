import { expect } from "chai";
import { Wallet } from "ethers";
import { encodeAction } from "../../scripts/keeper/actions.js";
import { bumpFees, firstFees } from "../../scripts/keeper/fees.js";
import { serialQueue } from "../../scripts/keeper/queue.js";
import { createSender, whyRefused } from "../../scripts/keeper/send.js";
import type { SendLimits, TxPort, Unsigned } from "../../scripts/keeper/send.js";
import type { Line } from "./fakes.js";

const TARGET = "0x00000000000000000000000000000000000000A1";
const VAULT = "0x00000000000000000000000000000000000000B2";
const FUND = "0x00000000000000000000000000000000000000C3";
const wallet = new Wallet(`0x${"11".repeat(32)}`);
const GWEI = 10n ** 9n;

const LIMITS: SendLimits = {
  chainId: 31_337,
  targets: { exchange: TARGET, vault: VAULT, fund: FUND },
  maxGas: 1_000_000n,
  maxFeePerGas: 100n * GWEI,
  maxAttempts: 4,
  pollEvery: 500,
  polls: 3,
};

const INTENT = { to: TARGET, data: encodeAction({ kind: "poke", market: 0 }), gas: 100_000n };

type Script = {
  /** What the node says to each broadcast; accepted after the end. */
  readonly answers?: readonly (Error | undefined)[];
  /** After how many looks, over all, which broadcast is found mined. */
  readonly mined?: { readonly looks: number; readonly attempt: number; readonly status?: number };
  readonly isStopping?: () => boolean;
};

function scripted({ answers = [], mined, isStopping = () => false }: Script) {
  const transactions: Unsigned[] = [];
  const hashes: string[] = [];
  const lines: Line[] = [];
  let slept = 0;
  const port: TxPort = {
    nonce: async () => 5,
    fees: async () => ({ maxFeePerGas: 8n * GWEI, maxPriorityFeePerGas: GWEI }),
    sign: async (transaction) => {
      transactions.push(transaction);
      return wallet.signTransaction(transaction);
    },
    broadcast: async () => {
      const answer = answers[transactions.length - 1];
      if (answer !== undefined) throw answer;
    },
    receipt: async (hash) => {
      if (!hashes.includes(hash)) hashes.push(hash);
      if (mined === undefined || slept < mined.looks) return null;
      if (hash !== hashes[mined.attempt]) return null;
      return { status: mined.status ?? 1, hash, gasUsed: 50_000n, logs: [] };
    },
    sleep: async () => {
      slept += 1;
    },
  };
  const send = createSender({
    port,
    limits: LIMITS,
    queue: serialQueue(`test ${Math.random()}`),
    log: (event, context = {}) => lines.push({ event, context }),
    isStopping,
  });
  return { send, transactions, lines, slept: () => slept };
}

describe("keeper: fees", () => {
  const limits = { maxFeePerGas: 100n, maxAttempts: 3 };
  const market = { maxFeePerGas: 40n, maxPriorityFeePerGas: 2n };
  const fees = (maxFeePerGas: bigint, maxPriorityFeePerGas: bigint) => ({
    maxFeePerGas,
    maxPriorityFeePerGas,
  });
  const cases = [
    ["an eighth more, rounded up", { ...fees(41n, 3n), attempts: 1 }, fees(47n, 4n)],
    ["the market's, if they are higher", { ...fees(8n, 1n), attempts: 1 }, fees(40n, 2n)],
    ["at the limit at most", { ...fees(88n, 80n), attempts: 2 }, fees(99n, 90n)],
    ["given up where the least bump passes the limit", { ...fees(89n, 1n), attempts: 1 }, "drop"],
    ["given up after the last attempt", { ...fees(41n, 3n), attempts: 3 }, "drop"],
  ] as const;
  for (const [name, sent, expected] of cases) {
    it(`are ${name}`, () => expect(bumpFees(sent, market, limits)).to.deep.equal(expected));
  }

  it("begin at the market's, within the limit", () => {
    expect(firstFees(market, limits)).to.deep.equal(market);
    expect(firstFees(fees(300n, 200n), limits)).to.deep.equal(fees(100n, 100n));
  });
});

describe("keeper: send", () => {
  it("is mined at once", async () => {
    const { send, transactions, lines } = scripted({ mined: { looks: 0, attempt: 0 } });
    const sent = await send(INTENT);
    expect(sent.status).to.equal("mined");
    expect(transactions).to.have.lengthOf(1);
    expect(transactions[0]).to.deep.include({ nonce: 5, data: INTENT.data, value: 0n, to: TARGET });
    expect(lines.map(({ event }) => event)).to.deep.equal(["tx.sent"]);
  });

  it("says so when the mined transaction reverted", async () => {
    const { send } = scripted({ mined: { looks: 0, attempt: 0, status: 0 } });
    expect((await send(INTENT)).status).to.equal("reverted");
  });

  it("replaces what is not mined in time, under the same nonce", async () => {
    const { send, transactions, lines } = scripted({ mined: { looks: 7, attempt: 2 } });
    expect((await send(INTENT)).status).to.equal("mined");
    expect(transactions.map(({ nonce }) => nonce)).to.deep.equal([5, 5, 5]);
    expect(transactions.map(({ maxFeePerGas }) => maxFeePerGas)).to.deep.equal([
      8_000_000_000n,
      9_000_000_000n,
      10_125_000_000n,
    ]);
    expect(new Set(transactions.map(({ data }) => data)).size).to.equal(1);
    expect(lines.map(({ event }) => event)).to.deep.equal([
      "tx.sent",
      "tx.replaced",
      "tx.replaced",
    ]);
  });

  it("finds an earlier attempt mined after it was replaced", async () => {
    const { send } = scripted({ mined: { looks: 4, attempt: 0 } });
    expect((await send(INTENT)).status).to.equal("mined");
  });

  it("gives up after all attempts and keeps the hash", async () => {
    const { send, transactions } = scripted({});
    const sent = await send(INTENT);
    expect(sent).to.deep.include({ status: "dropped", reason: "not mined in time" });
    expect(sent).to.have.property("hash").that.matches(/^0x/);
    expect(transactions).to.have.lengthOf(4);
  });

  const faults = [
    ["already known is as good as accepted", "already known", { looks: 0, attempt: 0 }, "mined", 1],
    ["an unknown failure may have arrived", "socket hang up", { looks: 2, attempt: 0 }, "mined", 1],
    [
      "underpriced raises the fees at once",
      "replacement transaction underpriced",
      { looks: 1, attempt: 0 },
      "mined",
      2,
    ],
    [
      "a used nonce ends this one, the next round decides anew",
      "nonce too low",
      undefined,
      "dropped",
      1,
    ],
    ["an empty purse ends it", "insufficient funds for gas", undefined, "dropped", 1],
  ] as const;
  for (const [name, message, mined, status, attempts] of faults) {
    it(name, async () => {
      const { send, transactions } = scripted({
        answers: [new Error(message)],
        ...(mined === undefined ? {} : { mined }),
      });
      expect((await send(INTENT)).status).to.equal(status);
      expect(transactions).to.have.lengthOf(attempts);
    });
  }

  it("looks a last few times when the process ends, and sends nothing again", async () => {
    const { send, transactions, slept } = scripted({ isStopping: () => true });
    expect(await send(INTENT)).to.deep.include({ status: "dropped", reason: "stopping" });
    expect(transactions).to.have.lengthOf(1);
    expect(slept()).to.be.at.most(8);
  });

  it("sends one at a time for one signer", async () => {
    const queue = serialQueue("one signer");
    expect(serialQueue("one signer")).to.equal(queue);
    const order: string[] = [];
    const task = (name: string) => async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
    };
    await Promise.all([queue(task("a")), queue(task("b"))]);
    expect(order).to.deep.equal(["a begins", "a ends", "b begins", "b ends"]);
  });
});

describe("keeper: what is never signed", () => {
  const good: Unsigned = {
    type: 2,
    chainId: LIMITS.chainId,
    nonce: 0,
    to: TARGET,
    data: INTENT.data,
    value: 0n,
    gasLimit: LIMITS.maxGas,
    maxFeePerGas: LIMITS.maxFeePerGas,
    maxPriorityFeePerGas: 1n,
  };
  it("anything but the seven calls within the limits", () => {
    expect(whyRefused(good, LIMITS)).to.equal(undefined);
    // approve(address,uint256) and withdraw(uint32,uint256,address).
    for (const data of ["0x095ea7b3", "0x", "0xd1ea2d43"]) {
      expect(whyRefused({ ...good, data }, LIMITS)).to.equal("another function");
    }
    const release = encodeAction({ kind: "release", maxItems: 1n });
    expect(whyRefused({ ...good, to: VAULT, data: release }, LIMITS)).to.equal(undefined);
    expect(whyRefused({ ...good, data: release }, LIMITS)).to.equal("another function");
    expect(whyRefused({ ...good, to: VAULT }, LIMITS)).to.equal("another function");
    const note = encodeAction({ kind: "noteIncome" });
    expect(whyRefused({ ...good, to: FUND, data: note }, LIMITS)).to.equal(undefined);
    expect(whyRefused({ ...good, to: VAULT, data: note }, LIMITS)).to.equal("another function");
    expect(whyRefused({ ...good, chainId: 1 }, LIMITS)).to.equal("another chain");
    expect(whyRefused({ ...good, to: wallet.address }, LIMITS)).to.equal("another contract");
    expect(whyRefused({ ...good, gasLimit: LIMITS.maxGas + 1n }, LIMITS)).to.equal("too much gas");
    const fee = LIMITS.maxFeePerGas + 1n;
    expect(whyRefused({ ...good, maxFeePerGas: fee }, LIMITS)).to.equal("too high a fee");
    // The type allows no other value; a caller without types might.
    const withValue = { ...good, value: 1n as 0n };
    expect(whyRefused(withValue, LIMITS)).to.equal("value");
  });
});
