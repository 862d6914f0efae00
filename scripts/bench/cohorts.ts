import { parseUnits } from "ethers";
import type { Trader, World } from "../lib/world.js";
import { buy, sell } from "../lib/world.js";
import { at, costOf, costOfEvents, inWorld } from "./measure.js";

/*
 * ADL against one cohort with any number of members: distinct accounts that joined by fills in the book, 100 BTC long at
 * 10,000 together. Two shorts of 1 BTC go bankrupt one after the other while the price rises to 12,000.
 */

export type CohortRow = {
  readonly members: number;
  /** The deficit is paid by the winners; otherwise by the fund, and they only lose their lots. */
  readonly haircut: boolean;
  /** The first cut since a member touched the cohort. */
  readonly first: bigint;
  /** The next one, which no member's touch stands before. */
  readonly repeated: bigint;
  /** What a member pays afterwards to settle. */
  readonly settle: bigint;
};

const TOTAL = 100;
const ENTRY = "10000";
const RISE = ["10700", "11400", "12000"];
/** Transactions between two pushes of the price: it stays fresh for 30 seconds. */
const FRESH_FOR = 20;

export async function measureCohorts(sizes: readonly number[]): Promise<CohortRow[]> {
  const rows: CohortRow[] = [];
  for (const haircut of [false, true]) {
    for (const members of sizes) {
      rows.push(await inWorld({ prices: [ENTRY] }, (world) => measure(world, members, haircut)));
    }
  }
  return rows;
}

async function measure(world: World, members: number, haircut: boolean): Promise<CohortRow> {
  const { exchange, setPrice, fillFund } = world;
  if (!haircut) await fillFund("100000");
  const keeper = await world.openTrader("10");
  const whale = await world.openTrader("10000000");
  const losers = [await world.openTrader("1200"), await world.openTrader("1200")];
  const accounts = await joinAll(world, { whale, losers, members });

  for (const price of RISE) await setPrice(price);
  const call = (loser: Trader) =>
    costOfEvents(world, exchange.deleverage([loser.account], 10, keeper.account), {
      event: haircut ? "Haircut" : "CohortCut",
      times: 1,
    });
  const first = await call(at(losers, 0));
  const repeated = await call(at(losers, 1));
  const settle = await costOf(exchange.settle(at(accounts, 0), 0));
  return { members, haircut, first: first.gas, repeated: repeated.gas, settle: settle.gas };
}

type Crowd = {
  readonly whale: Trader;
  readonly losers: readonly Trader[];
  readonly members: number;
};

/** The losers sell 1 BTC each to the first members, the whale sells the rest. All members are accounts of one owner. */
async function joinAll(world: World, { whale, losers, members }: Crowd): Promise<number[]> {
  const { execute, exchange, again } = world;
  const { token, vault } = world.ballast;
  const owner = at(world.signers, 10);
  const deposit = parseUnits(String(2_000_000 / members), 6);
  await token.mint(owner.address, deposit * BigInt(members));
  await token.connect(owner).approve(vault, deposit * BigInt(members));

  for (const loser of losers) await execute(loser, sell(ENTRY, "1"));
  await execute(whale, sell(ENTRY, String(TOTAL - losers.length)));
  const size = String(TOTAL / members);
  const accounts: number[] = [];
  const asOwner = exchange.connect(owner);
  for (let i = 0; i < members; i++) {
    if (i % (FRESH_FOR / 2) === 0) await again();
    await exchange.openAccount(owner.address);
    const account = Number(await exchange.accountCount());
    await asOwner.depositAndExecute(account, deposit, [buy(ENTRY, size, { timeInForce: "fok" })]);
    accounts.push(account);
  }
  return accounts;
}
