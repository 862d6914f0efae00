import { Contract, getAddress, isError, toBeHex } from "ethers";
import type { ParamType, Provider } from "ethers";
import { IExchangeLens__factory } from "../../typechain-types/factories/interfaces/IExchangeLens__factory.js";
import { IExchange__factory } from "../../typechain-types/factories/interfaces/IExchange__factory.js";
import { IInsuranceFund__factory } from "../../typechain-types/factories/interfaces/IInsuranceFund__factory.js";
import { IMarginVault__factory } from "../../typechain-types/factories/interfaces/IMarginVault__factory.js";
import type {
  IExchange,
  IExchangeLens,
  IInsuranceFund,
  IMarginVault,
} from "../../typechain-types/index.js";
import { MARKET_SLOTS, STATE_SLOTS } from "../lib/layout.js";
import { decode, entrySlot, toHex } from "../lib/words.js";
import type { Log } from "./log.js";
import { decodeRows, signed } from "./rows.js";
import type {
  AccountView,
  FundView,
  Grade,
  Head,
  MarketView,
  OutflowView,
  PositionView,
} from "./views.js";

/* The views out of a chain: everything as of one block. */

export type ReadParts = {
  readonly provider: Provider;
  readonly exchange: string;
  readonly vault: string;
  readonly lens: string;
  /** Empty if there is none. */
  readonly fund: string;
  /** Accounts in one call of the lens. */
  readonly page: number;
  readonly log: Log;
};

/** Ids below belong to the house. */
const FIRST_ACCOUNT = 10;
/** Bits of a market's status. */
const REDUCE_ONLY = 2n;
const EVENT = 4n;
const ENDED = 32n;
/** Quote of a micro unit. */
const MICRO = 10n ** 12n;
const GRADES: readonly Grade[] = ["dead", "aged", "fresh"];

/* Interfaces are parsed once: `connect` of a factory parses them anew, which takes longer than a call. */
const exchangeAbi = IExchange__factory.createInterface();
const lensAbi = IExchangeLens__factory.createInterface();
const vaultAbi = IMarginVault__factory.createInterface();
const fundAbi = IInsuranceFund__factory.createInterface();

function exchangeAt({ exchange, provider }: ReadParts): IExchange {
  // The type was generated from the same interface.
  return new Contract(exchange, exchangeAbi, provider) as unknown as IExchange;
}

function lensAt({ lens, provider }: ReadParts): IExchangeLens {
  // Likewise.
  return new Contract(lens, lensAbi, provider) as unknown as IExchangeLens;
}

/** The latest block, and the time that the chain expects of the next. */
export async function readHead(provider: Provider): Promise<Head> {
  const [latest, pending] = await Promise.all([
    provider.getBlock("latest"),
    // Not every node knows it; then the latest block's time is the best that the chain says.
    provider.getBlock("pending").catch(() => null),
  ]);
  if (latest === null) throw new RangeError("no latest block");
  const timestamp = BigInt(latest.timestamp);
  const next = BigInt(pending?.timestamp ?? latest.timestamp);
  return { number: latest.number, timestamp, now: next > timestamp ? next : timestamp };
}

/* MARKETS */

export async function readMarkets(parts: ReadParts, head: Head): Promise<MarketView[]> {
  const exchange = exchangeAt(parts);
  const count = Number(await exchange.marketCount({ blockTag: head.number }));
  return Promise.all(Array.from({ length: count }, (_, market) => readMarket(parts, head, market)));
}

async function readMarket(parts: ReadParts, head: Head, market: number): Promise<MarketView> {
  const exchange = exchangeAt(parts);
  const at = { blockTag: head.number };
  const [config, { price, book, flow, pool }] = await Promise.all([
    exchange.configOf(market, at),
    exchange.marketOf(market, at),
  ]);
  const isEnded = (book.status & ENDED) !== 0n;
  const isClosed = isEnded && flow.openInterest === 0n && pool.shortfall !== 0n;
  const fresh = isClosed ? await readFresh(parts, head, market) : 0n;
  return {
    market,
    mark: price.mark,
    unit: config.unit,
    bestBid: book.bestBid,
    bestAsk: book.bestAsk,
    band: config.band,
    grade: GRADES[Number(book.grade)] ?? "dead",
    refreshed: book.refreshed,
    freshSince: book.freshSince,
    pendingSince: book.pendingSince,
    openInterest: flow.openInterest,
    hasEvent: (book.status & EVENT) !== 0n,
    isReduceOnly: (book.status & REDUCE_ONLY) !== 0n,
    isEnded,
    dues: isEnded ? flow.fees + (pool.shortfall < fresh ? pool.shortfall : fresh) : 0n,
    minNotional: config.minNotional * MICRO,
    slip0: config.slip0,
    clock: config.clock,
  };
}

/** Fresh profit of both sides, quote, which no function tells. While a shortfall stands nothing of it matures. */
async function readFresh(parts: ReadParts, head: Head, market: number): Promise<bigint> {
  const base = entrySlot(BigInt(STATE_SLOTS.markets), BigInt(market)) + BigInt(MARKET_SLOTS.fresh);
  const slots = [base, base + 1n].map((slot) => `0x${toHex(slot)}`);
  const words = await exchangeAt(parts).extsload(slots, { blockTag: head.number });
  return words
    .map((word) => decode("FreshSide", [BigInt(word)]))
    .reduce((sum, { current, previous }) => sum + (current + previous) * MICRO, 0n);
}

/* THE VAULT */

export async function readOutflow(
  { vault, provider }: ReadParts,
  head: Head,
): Promise<OutflowView> {
  // Likewise.
  const contract = new Contract(vault, vaultAbi, provider) as unknown as IMarginVault;
  const { waiting, releasable, rate } = await contract.outflow({ blockTag: head.number });
  return { waiting, releasable, rate };
}

/* THE FUND */

const FUND_ACCOUNT = 1;

/** @returns Undefined if the exchange's fund is not the one that is known. */
export async function readFund(parts: ReadParts, head: Head): Promise<FundView | undefined> {
  const { provider, fund } = parts;
  if (fund === "") return undefined;
  const exchange = exchangeAt(parts);
  const at = { blockTag: head.number };
  if ((await exchange.fund(at)) !== fund) return undefined;
  // Likewise.
  const contract = new Contract(fund, fundAbi, provider) as unknown as IInsuranceFund;
  const [held, noted] = await Promise.all([
    exchange.balanceOf(FUND_ACCOUNT, at),
    contract.noted(at),
  ]);
  return { held, noted: noted.held, notedAt: noted.since };
}

/* ACCOUNTS */

/** All accounts. One that cannot be read is a line and is left out; it does not hide the others. */
export async function readAccounts(parts: ReadParts, head: Head): Promise<AccountView[]> {
  const exchange = exchangeAt(parts);
  const last = Number(await exchange.accountCount({ blockTag: head.number }));
  const views: AccountView[] = [];
  for (let first = FIRST_ACCOUNT; first <= last; first += parts.page) {
    const size = Math.min(parts.page, last - first + 1);
    const ids = Array.from({ length: size }, (_, i) => first + i);
    views.push(...(await readPage(parts, head, ids)));
  }
  return views;
}

async function readPage(
  parts: ReadParts,
  head: Head,
  ids: readonly number[],
): Promise<AccountView[]> {
  try {
    const data = lensAbi.encodeFunctionData("healths", [[...ids]]);
    const request = { to: parts.lens, data, blockTag: head.number };
    return decodeHealths(await parts.provider.call(request));
  } catch (error) {
    if (!isError(error, "CALL_EXCEPTION")) throw error;
    if (ids.length <= 1) {
      parts.log("account.unreadable", { account: ids[0] });
      return [];
    }
    const middle = Math.ceil(ids.length / 2);
    const first = await readPage(parts, head, ids.slice(0, middle));
    return [...first, ...(await readPage(parts, head, ids.slice(middle)))];
  }
}

/** Where each field of a row stands, by the names of AccountHealth and of the Health in it. */
const HEALTH_WORDS: ReadonlyMap<string, number> = wordsOf(
  lensAbi.getFunction("healths").outputs[0]?.arrayChildren,
);

function wordsOf(row: ParamType | null | undefined): Map<string, number> {
  const leaves = (type: ParamType): readonly ParamType[] =>
    type.components === null ? [type] : type.components.flatMap(leaves);
  if (row === null || row === undefined) throw new Error("the lens answers with rows");
  return new Map(leaves(row).map(({ name }, i) => [name, i]));
}

function placeOf(name: keyof AccountView): number {
  const place = HEALTH_WORDS.get(name);
  if (place === undefined) throw new Error(`the lens does not tell ${name}`);
  return place;
}

export function decodeHealths(result: string): AccountView[] {
  return decodeRows(result, HEALTH_WORDS.size).map((row) => {
    const word = (name: keyof AccountView) => row[placeOf(name)] ?? 0n;
    return {
      account: Number(word("account")),
      owner: getAddress(toBeHex(word("owner"), 20)),
      clock: word("clock"),
      equity: signed(word("equity")),
      equityAtIndex: signed(word("equityAtIndex")),
      prudent: signed(word("prudent")),
      initial: word("initial"),
      maintenance: word("maintenance"),
      maintenanceAtIndex: word("maintenanceAtIndex"),
      equityAtPending: signed(word("equityAtPending")),
      maintenanceAtPending: word("maintenanceAtPending"),
      notional: word("notional"),
    };
  });
}

export async function readPositions(
  parts: ReadParts,
  head: Head,
  accounts: readonly number[],
): Promise<PositionView[]> {
  const lens = lensAt(parts);
  const reads = accounts.map(async (account): Promise<PositionView[]> => {
    try {
      const rows = await lens.positions.staticCall(account, { blockTag: head.number });
      return rows.map(({ market, side, lots, zeroPrice }) => ({
        account,
        market: Number(market),
        side: side === 0n ? "long" : "short",
        lots,
        zeroPrice,
      }));
    } catch (error) {
      if (!isError(error, "CALL_EXCEPTION")) throw error;
      parts.log("account.unreadable", { account });
      return [];
    }
  });
  return (await Promise.all(reads)).flat();
}
