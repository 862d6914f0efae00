import { parseUnits } from "ethers";
import { z } from "zod";
import type { TickPolicy } from "./tick.js";

/* What the keeper runs with. Pure: environment and options in, configuration or all problems out. Secrets stay outside. */

/** Networks that need no --rpc. */
const RPC: Readonly<Record<string, string>> = { localhost: "http://127.0.0.1:8545" };

const whole = (least: number, most: number) => z.coerce.number().pipe(z.int().min(least).max(most));
const amount = z.string().regex(/^\d+(\.\d+)?$/, "is a decimal number");
const account = whole(10, 2 ** 32 - 1);

const Options = z.strictObject({
  network: z.string().regex(/^[\w-]+$/, "is a name"),
  rpc: z.array(z.url({ protocol: /^https?$/ })).min(1, "no provider is known"),
  deployment: z.string().min(1).optional(),
  keyFile: z.string().default(""),
  account: account.optional(),
  rewardTo: account.optional(),
  once: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  interval: whole(50, 600_000).default(2_000),
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
  minDiscount: whole(0, 500_000).default(3_000),
  maxTakeover: amount.default("100000"),
  takeoverLeverage: whole(1, 100).default(3),
  pokeAfter: whole(0, 86_400).default(30),
  releaseAfter: whole(0, 3_600).default(300),
  noteAbove: amount.default("10"),
  noteAfter: whole(0, 86_400).default(3_600),
  maxAccounts: whole(1, 200).default(150),
  maxTransactions: whole(1, 1_000).default(16),
  maxFee: amount.default("500"),
  timeout: whole(100, 60_000).default(5_000),
  healthPort: whole(1, 65_535).optional(),
});

export type KeeperConfig = {
  readonly network: string;
  readonly rpc: readonly string[];
  /** Path of the file with the addresses. */
  readonly deployment: string;
  /** Empty if there is none. */
  readonly keyFile: string;
  readonly once: boolean;
  /** Milliseconds. */
  readonly interval: number;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** Milliseconds that one request may take. */
  readonly timeout: number;
  /** Where a supervisor asks. */
  readonly healthPort: number | undefined;
  /** Wei per gas. */
  readonly maxFeePerGas: bigint;
  readonly policy: TickPolicy;
};

export type Configured =
  | { readonly ok: true; readonly config: KeeperConfig }
  | { readonly ok: false; readonly problems: readonly string[] };

/** EIP-7825: what one transaction may use. */
export const MAX_GAS = 1n << 24n;
const QUOTE_DECIMALS = 18;
const GWEI_DECIMALS = 9;
/** The contract's own bounds. */
const MAX_FILLS = 100n;
const MAX_STEPS = 1_024n;
/** Requests in one release: what fits into a transaction whatever the token costs within reason. */
const MAX_ITEMS = 100n;
/** The ledger account that no reward is paid to. */
const NOBODY = 0;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param given Options of the command line.
 * @param env BALLAST_KEEPER_RPC: addresses of providers, separated by commas, where no option names one.
 * BALLAST_KEEPER_KEY_FILE likewise. The key itself is not looked at here.
 */
export function loadConfig(given: Readonly<Record<string, unknown>>, env: Environment): Configured {
  const fallback = {
    rpc: rpcFrom(given["network"], env),
    keyFile: env["BALLAST_KEEPER_KEY_FILE"] ?? "",
  };
  const parsed = Options.safeParse({ ...fallback, ...given });
  if (parsed.success) return { ok: true, config: configOf(parsed.data) };
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  return { ok: false, problems };
}

function rpcFrom(network: unknown, env: Environment): readonly string[] {
  const named = (env["BALLAST_KEEPER_RPC"] ?? "").split(",").filter((url) => url !== "");
  const usual = RPC[String(network)];
  return named.length > 0 || usual === undefined ? named : [usual];
}

function configOf(options: z.output<typeof Options>): KeeperConfig {
  const { network, rpc, account: own } = options;
  return {
    network,
    rpc,
    deployment: options.deployment ?? `out/deployments/${network}.json`,
    keyFile: options.keyFile,
    once: options.once,
    interval: options.interval,
    logLevel: options.logLevel,
    timeout: options.timeout,
    healthPort: options.healthPort,
    maxFeePerGas: parseUnits(options.maxFee, GWEI_DECIMALS),
    policy: {
      ...(own === undefined ? {} : { account: own }),
      rewardTo: options.rewardTo ?? own ?? NOBODY,
      minDiscount: BigInt(options.minDiscount),
      maxTakeover: parseUnits(options.maxTakeover, QUOTE_DECIMALS),
      takeoverLeverage: BigInt(options.takeoverLeverage),
      pokeAfter: BigInt(options.pokeAfter),
      releaseAfter: BigInt(options.releaseAfter),
      noteAbove: parseUnits(options.noteAbove, QUOTE_DECIMALS),
      noteAfter: BigInt(options.noteAfter),
      maxFills: MAX_FILLS,
      maxSteps: MAX_STEPS,
      maxItems: MAX_ITEMS,
      maxAccounts: options.maxAccounts,
      maxGas: MAX_GAS,
      maxTransactions: options.maxTransactions,
      maxSplits: 64,
      dryRun: options.dryRun,
      backoff: { first: 2n, longest: 60n },
    },
  };
}
