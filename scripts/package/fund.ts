import { ZeroAddress } from "ethers";
import { IInsuranceFund__factory } from "../../typechain-types/factories/interfaces/IInsuranceFund__factory.js";
import { MICRO, STATUS } from "../lib/keys.js";
import type { IInsuranceFund } from "../../typechain-types/interfaces/IInsuranceFund.js";
import type { Ballast } from "./ballast.js";
import { latest, readStruct, slotOfState } from "./storage.js";
import type { Moment } from "./storage.js";

/*
 * The insurance fund for whoever has a stake in it. Assets are token units in the token's own decimals, money of the ledger is
 * quote, shares are the fund's own units, times are unix seconds.
 */

const FUND = 1;
/** Seconds that a jump or an account that fell shuts the fund at most. */
const SHUT_FOR = 3_600n;
/** Maintenance margin under liquidation that shuts it: one part in so many. */
const MUCH = 20n;

/** Why nobody may step in or out. `until` is the latest; an event ends when somebody continues it. */
export type Shut =
  | { readonly cause: "event"; readonly market: number }
  | { readonly cause: "jump"; readonly market: number; readonly until: bigint }
  /** Maintenance margin under liquidation, and the most at which the fund is open, quote. */
  | {
      readonly cause: "distress";
      readonly maintenance: bigint;
      readonly bound: bigint;
      readonly until: bigint;
    };

export type FundInfo = {
  readonly address: string;
  /** What shares are worth together, token units. */
  readonly assets: bigint;
  readonly shares: bigint;
  /** What pays deficits: assets, and income that still streams; quote. */
  readonly held: bigint;
  /** Income that does not count for the price of a share yet, as if it were noted now; quote. */
  readonly streaming: bigint;
  /** What it should hold for all markets together; above it most of the fees are the treasury's. Quote. */
  readonly target: bigint;
  /** Seconds from asking for an exit to when it can be paid. */
  readonly cooldown: bigint;
  /** For deposits and exits alike; empty: it is open. */
  readonly shut: readonly Shut[];
};

/** As of the latest block. A `RangeError` if the exchange has no fund. */
export async function readFund(ballast: Ballast): Promise<FundInfo> {
  const { exchange } = ballast;
  const fund = await fundOf(ballast);
  const at = await latest(ballast);
  const block = { blockTag: at.number };
  const [address, assets, shares, streaming, cooldown, held, header] = await Promise.all([
    fund.getAddress(),
    fund.totalAssets(block),
    fund.totalSupply(block),
    fund.streaming(block),
    fund.cooldown(block),
    exchange.balanceOf(FUND, block),
    readStruct(ballast, "Header", { slot: slotOfState("header"), at }),
  ]);
  return {
    address,
    assets,
    shares,
    held,
    streaming,
    target: header.fundTarget * MICRO,
    cooldown,
    shut: [...(await waiting(ballast, at)), ...(await distress(ballast, held, at))],
  };
}

async function fundOf({ exchange }: Ballast): Promise<IInsuranceFund> {
  const address = await exchange.fund();
  if (address === ZeroAddress) throw new RangeError("the exchange has no fund");
  return IInsuranceFund__factory.connect(address, exchange.runner);
}

async function waiting({ exchange }: Ballast, at: Moment): Promise<Shut[]> {
  const block = { blockTag: at.number };
  const count = Number(await exchange.marketCount(block));
  const books = await Promise.all(
    Array.from({ length: count }, async (_, market) => exchange.marketOf(market, block)),
  );
  return books.flatMap(({ book }, market): Shut[] => {
    const until = book.pendingSince + SHUT_FOR;
    return [
      ...((book.status & STATUS.event) === 0n ? [] : [{ cause: "event", market } as const]),
      ...(at.time < until ? [{ cause: "jump", market, until } as const] : []),
    ];
  });
}

async function distress({ exchange }: Ballast, held: bigint, at: Moment): Promise<Shut[]> {
  const { maintenance, since } = await exchange.distress({ blockTag: at.number });
  const until = since + SHUT_FOR;
  const bound = held > 0n ? held / MICRO / MUCH : 0n;
  if (maintenance <= bound || at.time >= until) return [];
  return [{ cause: "distress", maintenance: maintenance * MICRO, bound: bound * MICRO, until }];
}

/** What a staker has in the fund. */
export type Stake = {
  /** Shares that are not leaving, and what they are worth now, token units. */
  readonly shares: bigint;
  readonly worth: bigint;
  /** Shares that wait to leave; 0 if none do. They cannot be taken back. */
  readonly leaving: bigint;
  /** What these are worth now, token units: they are paid at the price of the moment at which they are. */
  readonly leavingWorth: bigint;
  /** From when on anyone may have them paid, while the fund is open; 0 if none wait. */
  readonly ready: bigint;
};

export async function readStake(ballast: Ballast, staker: string): Promise<Stake> {
  const fund = await fundOf(ballast);
  const block = { blockTag: (await latest(ballast)).number };
  const [shares, exit] = await Promise.all([
    fund.balanceOf(staker, block),
    fund.exitOf(staker, block),
  ]);
  const [worth, leavingWorth] = await Promise.all([
    fund.previewRedeem(shares, block),
    fund.previewRedeem(exit.shares, block),
  ]);
  return { shares, worth, leaving: exit.shares, leavingWorth, ready: exit.ready };
}
