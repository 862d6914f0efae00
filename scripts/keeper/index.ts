import { Command } from "commander";
import { ZeroAddress, Wallet } from "ethers";
import type { Provider } from "ethers";
import { readFileSync, statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { parseDeployment } from "../package/deployments.js";
import type { Deployment } from "../package/deployments.js";
import { createChainEffects } from "./chain.js";
import { loadConfig } from "./config.js";
import type { KeeperConfig } from "./config.js";
import { createHealth, serveHealth } from "./health.js";
import { loadKey } from "./key.js";
import { createLog } from "./log.js";
import type { Log } from "./log.js";
import { runLoop } from "./loop.js";
import { serialQueue } from "./queue.js";
import { createRpc } from "./rpc.js";
import { createSender } from "./send.js";
import type { TxPort } from "./send.js";
import { createKeeperTick } from "./tick.js";

/* `npm run keeper -- --network NAME`: the only place that knows the environment, keys, files, signals and the clock. */

/** From a signal to the end of the process, at most. */
const STOP_WITHIN = 4_500;
const ACCOUNTS_PER_PAGE = 250;
/** Looks for a receipt, half a second apart, before fees are raised. */
const POLL_EVERY = 500;
const POLLS = 40;
const MAX_ATTEMPTS = 8;
const MAX_LAG = 3;
const LOOK_AT_PARENT = 200;
/** Without a round for so long, and for so many intervals, it is not ready. */
const MIN_PATIENCE = 60_000;
const MISSED_ROUNDS = 10;

type Stop = { readonly signal: AbortSignal; readonly isStopping: () => boolean };

async function main(options: Record<string, unknown>): Promise<void> {
  const configured = loadConfig(options, process.env);
  if (!configured.ok) return fail(createLog("info"), configured.problems);
  const { config } = configured;
  const health = createHealth({
    log: createLog(config.logLevel),
    now: () => performance.now(),
    patience: Math.max(MIN_PATIENCE, config.interval * MISSED_ROUNDS),
  });
  const { log } = health;
  const deployment = readDeployment(config.deployment);
  if (typeof deployment === "string") return fail(log, [deployment]);
  const wallet = walletOf(config);
  if (typeof wallet === "string") return fail(log, [wallet]);

  const stop = listenForStop(log);
  const limits = { chainId: deployment.chainId, timeout: config.timeout, maxLag: MAX_LAG };
  const rpc = createRpc(config.rpc, limits, log);
  const run = createRun({ config, deployment, wallet, log, stop, choose: rpc.choose });
  const port = config.healthPort;
  const server = port === undefined ? undefined : await serveHealth(health, port);
  log("keeper.started", startedContext(config, deployment, wallet));
  try {
    await run();
  } finally {
    rpc.close();
    server?.close();
  }
  log("keeper.stopped", { clean: true });
  // Requests that still hang must not keep the process.
  process.exit(process.exitCode ?? 0);
}

type RunParts = {
  readonly config: KeeperConfig;
  readonly deployment: Deployment;
  readonly wallet: Wallet | undefined;
  readonly log: Log;
  readonly stop: Stop;
  readonly choose: () => Promise<Provider>;
};

function createRun(parts: RunParts): () => Promise<void> {
  const { config, deployment, wallet, log, stop, choose } = parts;
  const { exchange, vault, lens, fund = "" } = deployment.addresses;
  const { maxGas } = config.policy;
  const limits = {
    chainId: deployment.chainId,
    targets: { exchange, vault, fund },
    maxGas,
    maxFeePerGas: config.maxFeePerGas,
    maxAttempts: MAX_ATTEMPTS,
    pollEvery: POLL_EVERY,
    polls: POLLS,
  };
  const from = wallet?.address ?? ZeroAddress;
  const effects = createChainEffects({
    provider: choose,
    exchange,
    vault,
    lens,
    fund,
    from,
    send:
      wallet === undefined
        ? async () => ({ status: "dropped", reason: "no key" })
        : createSender({
            port: portOf(wallet, choose),
            limits,
            queue: serialQueue(from),
            log,
            isStopping: stop.isStopping,
          }),
    page: ACCOUNTS_PER_PAGE,
    maxGas,
    log,
    isStopping: stop.isStopping,
  });
  const tick = createKeeperTick(effects, config.policy);
  let rounds = 0;
  const isStopping = () => stop.isStopping() || (config.once && rounds > 0);
  return () =>
    runLoop({
      tick: async () => {
        rounds += 1;
        if (config.once) process.exitCode = 1;
        await tick();
        if (config.once) process.exitCode = 0;
      },
      log,
      interval: config.interval,
      isStopping,
      sleep: (milliseconds) => sleep(milliseconds, stop.signal),
      now: () => performance.now(),
    });
}

/** Transactions go out through whichever provider is sound when they are sent. */
function portOf(wallet: Wallet, choose: () => Promise<Provider>): TxPort {
  return {
    nonce: async () => (await choose()).getTransactionCount(wallet.address, "latest"),
    fees: async () => {
      const { maxFeePerGas, maxPriorityFeePerGas, gasPrice } = await (await choose()).getFeeData();
      const price = maxFeePerGas ?? gasPrice ?? 0n;
      return { maxFeePerGas: price, maxPriorityFeePerGas: maxPriorityFeePerGas ?? price };
    },
    sign: async (transaction) => wallet.signTransaction(transaction),
    broadcast: async (signed) => (await choose()).broadcastTransaction(signed),
    receipt: async (hash) => (await choose()).getTransactionReceipt(hash),
    sleep: async (milliseconds) => delay(milliseconds),
  };
}

async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}

/** The first signal lets what is in flight finish; when the time is over, its hash is in the lines already written. */
function listenForStop(log: Log): Stop {
  const controller = new AbortController();
  const stop = (signal: string) => {
    if (controller.signal.aborted) return;
    controller.abort();
    log("keeper.stopping", { signal });
    setTimeout(() => {
      log("keeper.stopped", { clean: false });
      process.exit(0);
    }, STOP_WITHIN).unref();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  if (process.env["npm_lifecycle_event"] !== undefined) watchParent(() => stop("parent ended"));
  return { signal: controller.signal, isStopping: () => controller.signal.aborted };
}

/** npm passes a signal to a shell that ends without passing it on: then this process has a new parent. */
function watchParent(onEnd: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) onEnd();
  }, LOOK_AT_PARENT).unref();
}

function readDeployment(path: string): Deployment | string {
  try {
    return parseDeployment(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    return `deployment ${path}: ${error instanceof Error ? error.message : "unreadable"}`;
  }
}

/** Undefined: a dry run needs no key. */
function walletOf({ keyFile, policy }: KeeperConfig): Wallet | string | undefined {
  const fromEnvironment = process.env["BALLAST_KEEPER_KEY"];
  if (policy.dryRun && keyFile === "" && fromEnvironment === undefined) return undefined;
  try {
    const file =
      keyFile === ""
        ? undefined
        : { mode: statSync(keyFile).mode, text: readFileSync(keyFile, "utf8") };
    const loaded = loadKey({ fromEnvironment, file });
    return loaded.ok ? new Wallet(loaded.key) : loaded.problem;
  } catch {
    return `key file ${keyFile}: unreadable, or not a key`;
  }
}

function startedContext(
  config: KeeperConfig,
  { chainId, addresses }: Deployment,
  wallet: Wallet | undefined,
): Record<string, unknown> {
  const { network, interval, once, policy } = config;
  // Addresses of providers may hold keys.
  const providers = config.rpc.length;
  const { exchange, lens } = addresses;
  return {
    network,
    chainId,
    exchange,
    lens,
    providers,
    signer: wallet?.address,
    once,
    interval,
    policy,
  };
}

function fail(log: Log, problems: readonly string[]): void {
  log("keeper.failed", { problems });
  process.exitCode = 1;
}

const command = new Command("keeper")
  .description("Liquidates, takes over, closes and continues, for everyone on an exchange.")
  .requiredOption("--network <name>", "names the deployment, and localhost's provider")
  .option("--rpc <url...>", "providers in order of preference (or BALLAST_KEEPER_RPC)")
  .option("--deployment <file>", "the addresses (default: out/deployments/<network>.json)")
  .option("--key-file <file>", "a file of mode 0600 (or BALLAST_KEEPER_KEY with the key itself)")
  .option("--account <id>", "own account, to take positions over")
  .option("--reward-to <id>", "account that gets the rewards (default: --account)")
  .option("--once", "one round, then end")
  .option("--dry-run", "simulate and log, send nothing")
  .option("--interval <ms>", "from round to round (default: 2000)")
  .option("--min-discount <ppm>", "least gain of a takeover against mark (default: 3000)")
  .option("--max-takeover <units>", "most notional taken from one position (default: 100000)")
  .option("--takeover-leverage <times>", "notional per unit of free margin (default: 3)")
  .option("--poke-after <s>", "refresh idle markets, 0 never (default: 30)")
  .option(
    "--release-after <s>",
    "pay the vault's queue, parts this long apart, 0 never (default: 300)",
  )
  .option("--note-above <units>", "note the fund's income from here on, 0 never (default: 10)")
  .option("--note-after <s>", "from one note to the next (default: 3600)")
  .option("--max-accounts <count>", "accounts in one call (default: 150)")
  .option("--max-transactions <count>", "transactions of a kind in one round (default: 16)")
  .option("--max-fee <gwei>", "most per gas (default: 500)")
  .option("--timeout <ms>", "of one request (default: 5000)")
  .option("--health-port <port>", "answer /livez, /readyz and /metrics on this machine")
  .option("--log-level <level>", "debug, info, warn or error (default: info)")
  .action(main);
await command.parseAsync();
