import { expect } from "chai";
import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createRpc, NoProviderError } from "../../scripts/keeper/rpc.js";
import type { Line } from "./fakes.js";

type Behaviour = {
  readonly chainId?: number;
  readonly number?: number;
  /** Tells chains apart. */
  readonly fork?: string;
  readonly fault?: "hang" | "status" | "halfJson";
};

const LIMITS = { chainId: 31_337, timeout: 400, maxLag: 3 };

describe("keeper: providers", () => {
  const servers: Server[] = [];
  const closers: (() => void)[] = [];
  after(() => {
    for (const close of closers) close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function serve(behaviour: Behaviour): Promise<string> {
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => answer(response, body, behaviour));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo; // It listens on a port.
    return `http://127.0.0.1:${port}`;
  }

  async function choose(urls: readonly string[]): Promise<{ url: string; lines: Line[] }> {
    const lines: Line[] = [];
    const rpc = createRpc(urls, LIMITS, (event, context = {}) => lines.push({ event, context }));
    closers.push(rpc.close);
    try {
      await rpc.choose();
      const switched = lines.find(({ event }) => event === "rpc.switched");
      const to = switched?.context["to"];
      const name = typeof to === "string" ? to : "rpc-1";
      return { url: name, lines };
    } catch (error) {
      if (!(error instanceof NoProviderError)) throw error;
      return { url: "none", lines };
    }
  }

  const sound: Behaviour = { number: 100 };
  const cases: readonly (readonly [string, readonly Behaviour[], string, string | undefined])[] = [
    ["one that is sound", [sound], "rpc-1", undefined],
    ["the first of two", [sound, { number: 101 }], "rpc-1", undefined],
    [
      "the second, as the first is of another chain",
      [{ ...sound, chainId: 1 }, sound],
      "rpc-2",
      "another chain",
    ],
    [
      "the second, as the first hangs",
      [{ ...sound, fault: "hang" }, sound],
      "rpc-2",
      "TimeoutError",
    ],
    [
      "the second, as the first answers with an error",
      [{ ...sound, fault: "status" }, sound],
      "rpc-2",
      undefined,
    ],
    [
      "the second, as the first answers half",
      [{ ...sound, fault: "halfJson" }, sound],
      "rpc-2",
      undefined,
    ],
    ["the second, as the first is far behind", [{ number: 90 }, sound], "rpc-2", "behind"],
    ["the first, though a little behind", [{ number: 97 }, sound], "rpc-1", undefined],
    [
      "none, as two disagree",
      [sound, { ...sound, fork: "b" }],
      "none",
      "rpc-1: providers disagree",
    ],
    [
      "none, as no chain is the right one",
      [{ ...sound, chainId: 1 }],
      "none",
      "rpc-1: another chain",
    ],
  ];
  for (const [name, behaviours, expected, reason] of cases) {
    it(`asks ${name}`, async () => {
      const urls = await Promise.all(behaviours.map(serve));
      const { url, lines } = await choose(urls);
      expect(url).to.equal(expected);
      if (reason !== undefined) expect(JSON.stringify(lines)).to.include(reason);
      // Addresses may hold keys.
      expect(JSON.stringify(lines)).to.not.include("127.0.0.1");
    });
  }

  it("asks none where nobody listens", async () => {
    const { url } = await choose(["http://127.0.0.1:9"]);
    expect(url).to.equal("none");
  });
});

function answer(response: ServerResponse, body: string, behaviour: Behaviour): void {
  if (behaviour.fault === "hang") return;
  if (behaviour.fault === "status") {
    response.writeHead(400).end("no");
    return;
  }
  // What ethers sends: one request or a list of them.
  type Request = {
    readonly id: number;
    readonly method: string;
    readonly params: readonly unknown[];
  };
  const requests = JSON.parse(body) as Request | Request[];
  const answers = [requests].flat().map(({ id, method, params }) => ({
    jsonrpc: "2.0",
    id,
    result: resultOf(method, params, behaviour),
  }));
  const text = JSON.stringify(Array.isArray(requests) ? answers : answers[0]);
  response.writeHead(200, { "content-type": "application/json" });
  response.end(behaviour.fault === "halfJson" ? text.slice(0, text.length / 2) : text);
}

function resultOf(method: string, params: readonly unknown[], behaviour: Behaviour): unknown {
  const { chainId = LIMITS.chainId, number = 100, fork = "a" } = behaviour;
  if (method === "eth_chainId") return `0x${chainId.toString(16)}`;
  if (method === "eth_blockNumber") return `0x${number.toString(16)}`;
  if (method !== "eth_getBlockByNumber") return null;
  const word = (text: string) => `0x${text.repeat(64).slice(0, 64)}`;
  const zero = word("0");
  return {
    number: params[0],
    hash: word(fork),
    parentHash: zero,
    timestamp: "0x1",
    nonce: "0x0000000000000000",
    difficulty: "0x0",
    gasLimit: "0x1",
    gasUsed: "0x0",
    miner: zero.slice(0, 42),
    extraData: "0x",
    stateRoot: zero,
    receiptsRoot: zero,
    transactions: [],
  };
}
