import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { NetworkConnection } from "hardhat/types/network";
import { parseUnits } from "ethers";
import { resolve } from "node:path";
import { deployBallast } from "../deploy/deploy.js";
import type { Ballast } from "../deploy/deploy.js";
import { parseParameters, readParameters } from "../deploy/parameters.js";
import type { MarketOverrides, Parameters } from "../deploy/parameters.js";
import { signPrice } from "./feed.js";

/* The real deployment, two markets, and verbs to play with it. Nothing here is mocked. */

export const BTC = 0;
export const ETH = 1;
export const LONG = 0;
export const SHORT = 1;

/** The test token has six. */
const TOKEN_DECIMALS = 6;
/** Token units of one settlement unit. */
export const TOKEN = 10n ** BigInt(TOKEN_DECIMALS);
/** Quote of one settlement unit. */
export const WHOLE = 10n ** 18n;
const BLOCK_SECONDS = 2n;

const KIND = { place: 0, replace: 1, cancel: 2, cancelAll: 3, setLeverage: 4 } as const;
const TIME_IN_FORCE = { gtc: 0, ioc: 1, fok: 2, postOnly: 3 } as const;
const DEFAULTS = resolve(import.meta.dirname, "../deploy/parameters/default.json");

export type Trader = { readonly signer: HardhatEthersSigner; readonly account: number };

export type Action = {
  readonly kind: number;
  readonly market: number;
  readonly side: number;
  readonly timeInForce: number;
  readonly reduceOnly: boolean;
  readonly tick: bigint;
  readonly lots: bigint;
  readonly expiry: number;
  readonly slot: number;
};

export type OrderOptions = {
  readonly market?: number;
  readonly timeInForce?: keyof typeof TIME_IN_FORCE;
  readonly reduceOnly?: boolean;
  readonly expiry?: number;
};

const NOTHING: Action = {
  kind: KIND.place,
  market: BTC,
  side: LONG,
  timeInForce: TIME_IN_FORCE.gtc,
  reduceOnly: false,
  tick: 0n,
  lots: 0n,
  expiry: 0,
  slot: 0,
};

/** One order. Price in settlement units per base unit and size in base units, both as decimal text, for BTC. */
export function order(
  side: number,
  { price, size }: { readonly price: string; readonly size: string },
  options: OrderOptions = {},
): Action {
  const market = options.market ?? BTC;
  return {
    ...NOTHING,
    market,
    side,
    timeInForce: TIME_IN_FORCE[options.timeInForce ?? "gtc"],
    reduceOnly: options.reduceOnly ?? false,
    expiry: options.expiry ?? 0,
    tick: toTicks(price, market),
    lots: toLots(size, market),
  };
}

export const buy = (price: string, size: string, options?: OrderOptions): Action =>
  order(LONG, { price, size }, options);
export const sell = (price: string, size: string, options?: OrderOptions): Action =>
  order(SHORT, { price, size }, options);

export function cancel(slot: number, market: number = BTC): Action {
  return { ...NOTHING, kind: KIND.cancel, market, slot };
}

export function cancelAll(market: number = BTC): Action {
  return { ...NOTHING, kind: KIND.cancelAll, market };
}

export function replace(slot: number, with_: Action): Action {
  return { ...with_, kind: KIND.replace, slot };
}

/** `leverageClass` is an index into 1 2 3 5 10 20 50 100. */
export function setLeverage(leverageClass: number, market: number = BTC): Action {
  return { ...NOTHING, kind: KIND.setLeverage, market, slot: leverageClass };
}

/** BTC: tick 0.1, lot 1e-8. ETH: tick 0.01, lot 1e-7. */
const SCALES = [
  { tickDecimals: 1, lotDecimals: 8 },
  { tickDecimals: 2, lotDecimals: 7 },
] as const;

export function toTicks(price: string, market: number = BTC): bigint {
  return parseUnits(price, scaleOf(market).tickDecimals);
}

export function toLots(size: string, market: number = BTC): bigint {
  return parseUnits(size, scaleOf(market).lotDecimals);
}

/** Quote per lot. */
export function toPrice(price: string, market: number = BTC): bigint {
  return parseUnits(price, 18) / 10n ** BigInt(scaleOf(market).lotDecimals);
}

function scaleOf(market: number): { tickDecimals: number; lotDecimals: number } {
  const scale = SCALES[market];
  if (scale === undefined) throw new RangeError(`the fixture has no market ${market}`);
  return scale;
}

export type World = Awaited<ReturnType<typeof createWorld>>;

/** Markets that are as large as they will be, and whose top leverages need no fund behind them: for what is not about that. */
const AT_ONCE: MarketOverrides = {
  capStart: 100,
  move: 1000,
  topShare: 100,
  drawdownLimit: 1_000_000,
};

/**
 * Deploys and opens the markets at the given prices. Overrides go to both markets.
 */
export async function createWorld(
  connection: NetworkConnection,
  { overrides = {}, deployment = {}, prices = ["10000", "1000"] }: WorldOptions = {},
) {
  tickBySends(connection);
  const defaults = { ...readParameters(DEFAULTS), ...deployment };
  const parameters = withOverrides(defaults, { ...AT_ONCE, ...overrides });
  const ballast = await deployBallast(connection, parameters);
  const signers = await connection.ethers.getSigners();
  const [deployer] = signers;
  if (deployer === undefined) throw new Error("the network has accounts");
  const { chainId } = await connection.ethers.provider.getNetwork();
  const world = { connection, ballast, parameters, signers, deployer, chainId };
  const verbs = verbsOf(world);
  for (const [market, price] of prices.entries()) await verbs.setPrice(price, market);
  return { ...world, ...verbs, exchange: ballast.exchange, lens: ballast.lens };
}

const ticking = new WeakSet<NetworkConnection>();

/**
 * Makes every transaction's block one second later than the last, however long the machine took: otherwise the chain
 * follows the wall clock, and prices age while nobody does anything.
 */
function tickBySends(connection: NetworkConnection): void {
  if (ticking.has(connection)) return;
  ticking.add(connection);
  const { provider } = connection;
  const request = provider.request.bind(provider);
  let isSet = false;
  provider.request = async (args) => {
    if (args.method === "evm_setNextBlockTimestamp") isSet = true;
    if (args.method === "eth_sendTransaction") {
      if (!isSet) {
        const next = BigInt(await connection.networkHelpers.time.latest()) + 1n;
        await request({ method: "evm_setNextBlockTimestamp", params: [`0x${next.toString(16)}`] });
      }
      isSet = false;
    }
    // What the provider answers is for whoever asked.
    return request(args) as Promise<unknown>;
  };
}

export type WorldOptions = {
  readonly overrides?: MarketOverrides;
  /** What is not as in the default parameters. */
  readonly deployment?: Partial<
    Pick<
      Parameters,
      "token" | "roles" | "delay" | "outflow" | "markets" | "sequencer" | "fundCooldown"
    >
  >;
  readonly prices?: readonly string[];
};

type Base = {
  readonly connection: NetworkConnection;
  readonly ballast: Ballast;
  readonly parameters: Parameters;
  readonly signers: readonly HardhatEthersSigner[];
  readonly deployer: HardhatEthersSigner;
  readonly chainId: bigint;
};

function withOverrides(parameters: Parameters, overrides: MarketOverrides): Parameters {
  return parseParameters({
    ...parameters,
    markets: parameters.markets.map((market) => ({ ...market, ...overrides })),
  });
}

function verbsOf(base: Base) {
  const clock = clockVerbs(base);
  const money = moneyVerbs(base);
  const { exchange, lens } = base.ballast;

  const execute = (trader: Trader, ...actions: Action[]) =>
    exchange.connect(trader.signer).execute(trader.account, actions);

  /** `size` changes hands at `price`: the seller rests, the buyer takes. */
  async function trade(
    buyer: Trader,
    seller: Trader,
    { price, size, market = BTC }: { price: string; size: string; market?: number },
  ): Promise<void> {
    await execute(seller, sell(price, size, { market, timeInForce: "postOnly" }));
    await execute(buyer, buy(price, size, { market, timeInForce: "ioc" }));
  }

  const health = async ({ account }: Trader) => {
    const [found] = await lens.healths.staticCall([account]);
    if (found === undefined) throw new Error("the lens answers for every account");
    return found;
  };

  return { ...clock, ...money, execute, trade, health };
}

function clockVerbs({ connection, ballast, deployer, parameters, chainId }: Base) {
  const { exchange, signedFeed } = ballast;
  const { time } = connection.networkHelpers;

  const last = new Map<number, string>();

  /** Pushes every market's last price again, so that it is fresh. */
  async function again(): Promise<void> {
    for (const [market, price] of last) await setPrice(price, market);
  }

  /** Moves the clock, pushes the price to all of the market's feeds at once and refreshes. */
  async function setPrice(price: string, market: number = BTC, seconds = BLOCK_SECONDS) {
    await pass(seconds);
    last.set(market, price);
    await pushPrice(price, market);
    await exchange.poke(market);
  }

  async function pushPrice(price: string, market: number = BTC): Promise<void> {
    const publishTime = BigInt(await time.latest());
    const feeds = (parameters.markets[market]?.sources ?? []).flatMap((source) =>
      source.kind === "signed" ? [source.feed] : [],
    );
    const by = { signers: [deployer], chainId };
    const signed = await Promise.all(
      feeds.map((feed) =>
        signPrice(signedFeed, { feed, price: parseUnits(price, 18), publishTime }, by),
      ),
    );
    await signedFeed.pushMany(
      signed.map(({ update }) => update),
      signed.map(({ signatures }) => signatures),
    );
  }

  async function pass(seconds: bigint): Promise<void> {
    await time.increase(seconds);
  }

  return { setPrice, again, pushPrice, pass };
}

function moneyVerbs({ ballast, deployer, signers }: Base) {
  const { exchange, token, vault } = ballast;

  let used = 0;
  /** A new owner with one account and `deposit` settlement units in it. */
  async function openTrader(deposit: string): Promise<Trader> {
    used += 1;
    const signer = signers[used % signers.length];
    if (signer === undefined) throw new Error("the network has accounts");
    return openAccount(signer, deposit);
  }

  async function openAccount(signer: HardhatEthersSigner, deposit: string): Promise<Trader> {
    await exchange.openAccount(signer.address);
    const account = Number(await exchange.accountCount());
    const trader = { signer, account };
    if (deposit !== "0") await fund(trader, deposit);
    return trader;
  }

  async function fund({ signer, account }: Trader, deposit: string): Promise<void> {
    const amount = parseUnits(deposit, TOKEN_DECIMALS);
    await token.mint(signer.address, amount);
    await token.connect(signer).approve(vault, amount);
    await exchange.connect(signer).deposit(account, amount);
  }

  /** Puts settlement units into the insurance fund. */
  async function fillFund(deposit: string): Promise<void> {
    const amount = parseUnits(deposit, TOKEN_DECIMALS);
    await token.mint(deployer.address, amount);
    await token.approve(ballast.fund, amount);
    await ballast.fund.deposit(amount, deployer.address);
  }

  return { openTrader, openAccount, fund, fillFund };
}
