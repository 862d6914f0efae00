import { HDNodeWallet, Mnemonic } from "ethers";
import hre from "hardhat";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { createWorld } from "../fixtures.js";
import type { World } from "../fixtures.js";

/* A node of its own on a free port with the real deployment, and keepers as processes beside it. */

const ROOT = resolve(import.meta.dirname, "../..");
const MNEMONIC = "test test test test test test test test test test test junk";
/** The last of the accounts that a test node fills. */
const KEEPER_INDEX = 19;

export type Node = {
  readonly url: string;
  readonly world: World;
  /** Path of the file with the addresses. */
  readonly deployment: string;
  readonly close: () => Promise<void>;
};

export async function startNode(): Promise<Node> {
  const connection = await hre.network.create();
  const server = await serve((method, params) => connection.provider.request({ method, params }));
  const world = await createWorld(connection);
  const folder = mkdtempSync(join(tmpdir(), "ballast-"));
  const deployment = join(folder, "node.json");
  const record = {
    chainId: Number(world.chainId),
    addresses: world.ballast.addresses,
    markets: world.parameters.markets.map(({ name }) => name),
  };
  writeFileSync(deployment, JSON.stringify(record));
  return {
    url: server.url,
    world,
    deployment,
    async close() {
      server.close();
      await connection.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Request = { readonly id: unknown; readonly method: string; readonly params?: unknown[] };

/** The chain of this process over HTTP, so that tests act at once and keepers as they do elsewhere. */
async function serve(ask: (method: string, params: unknown[]) => Promise<unknown>) {
  const answer = async ({ id, method, params = [] }: Request) => {
    try {
      return { jsonrpc: "2.0", id, result: await ask(method, params) };
    } catch (error) {
      return { jsonrpc: "2.0", id, error: plainError(error) };
    }
  };
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const asked = JSON.parse(body) as Request | Request[]; // What the keeper's client sends.
      const answers = Array.isArray(asked)
        ? await Promise.all(asked.map(answer))
        : await answer(asked);
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(answers));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo; // It listens on a port.
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** As a node answers: code, message, and the revert bytes. */
function plainError(error: unknown): object {
  const message = error instanceof Error ? error.message : "unknown";
  const fields = { code: -32_000, data: undefined, ...(error instanceof Error ? error : {}) };
  return { code: fields.code, message, data: fields.data };
}

export function walletAt(index: number): HDNodeWallet {
  const path = `m/44'/60'/0'/0/${index}`;
  return HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(MNEMONIC), path);
}

export const keeperWallet = walletAt(KEEPER_INDEX);

export type Line = Readonly<Record<string, unknown>> & { readonly event: string };

export type Keeper = {
  readonly lines: readonly Line[];
  readonly child: ChildProcess;
  /** Resolves with the first line of an event, also one that came already. */
  readonly line: (event: string) => Promise<Line>;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
};

export type KeeperOptions = {
  readonly url: string;
  readonly deployment: string;
  readonly key?: string;
};

/** The keeper as `npm run keeper` starts it. */
export function startKeeper({ url, deployment, key }: KeeperOptions, ...options: string[]): Keeper {
  const child = spawn(
    process.execPath,
    [
      ...["--import", "tsx", "scripts/keeper/index.ts", "--network", "test"],
      ...["--rpc", url, "--deployment", deployment, ...options],
    ],
    {
      cwd: ROOT,
      env: { ...process.env, BALLAST_KEEPER_KEY: key ?? keeperWallet.privateKey },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (text) => {
    lines.push(JSON.parse(text) as Line); // The keeper writes nothing else.
    for (const look of waiting) look();
  });
  const ended = new Promise<number | null>((done) => child.on("close", done));
  return {
    lines,
    child,
    ended,
    line: async (event) =>
      new Promise((found, failed) => {
        const look = () => {
          const line = lines.find((each) => each.event === event);
          if (line === undefined) return;
          waiting.delete(look);
          found(line);
        };
        waiting.add(look);
        look();
        void ended.then(() => failed(new Error(`the keeper ended without ${event}`)));
      }),
  };
}
