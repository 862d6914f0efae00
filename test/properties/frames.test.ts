import { expect } from "chai";
import { network } from "hardhat";
import { eventsNamed, parseEvents } from "../../scripts/lib/events.js";
import type { ExchangeEvent } from "../../scripts/lib/events.js";
import { accountOfOrder, FIRST_ACCOUNT } from "../../scripts/lib/keys.js";
import { createRandom } from "../../scripts/lib/random.js";
import type { MarketState, State } from "../../scripts/lib/state.js";
import { createWorld } from "../../scripts/lib/world.js";
import {
  BTC,
  buy,
  cancel,
  cancelAll,
  ETH,
  replace,
  sell,
  setLeverage,
  toLots,
  TOKEN,
} from "../fixtures.js";
import type { Action, Trader, World } from "../fixtures.js";
import { watch } from "../invariants.js";
import type { Watcher } from "../invariants.js";

/*
 * What a call may change in storage (A11): of accounts its own and those that its events name as met, of the rest what the list of its
 * function says.
 */

const connection = await network.create();

const SEED = 0xba11a57;
const CALLS = 150;
const CRASHES = ["9790", "9300", "8900", "10210", "10500"] as const;
/** What chance would seldom do in time: somebody rich takes a weak long over, and again. */
const FIRST: readonly string[] = ["liquidate", "takeover", "takeover"];
const FIFTY_TIMES = 6;
/** Of RemovalReason: what an owner asked for, and not what somebody met. */
const CANCELLED = 0n;
const MAX_PRICE = 10n ** 18n;

/** What belongs to accounts, and is compared account by account. */
const BY_ACCOUNT = ["positions", "resting", "freshRecords"] as const;

/** Every part of a market that is nobody's, and of the whole. */
const REFRESH = ["price", "book", "sample", "volatility"] as const;
const BOOK = ["book", "orders", "levels", "ticks"] as const;
const POSITIONS = [
  "flow",
  "pool",
  "fresh",
  "freshMarks",
  "cohorts",
  "checkpoints",
  "classes",
  "occupied",
  "caps",
  "dust",
] as const;
const WATERFALL = ["bucket", "charges", "drawn", "distress", "header", "pending"] as const;

/** Of each function, the totals that it may change. */
const TOTALS: Readonly<Record<string, readonly string[]>> = {
  deposit: [],
  withdraw: [...REFRESH, ...POSITIONS],
  transfer: [...REFRESH, ...POSITIONS],
  openAccount: ["header"],
  setOperator: ["operators"],
  execute: [...REFRESH, ...BOOK, ...POSITIONS],
  settle: [...REFRESH, ...POSITIONS],
  poke: [...REFRESH, "flow", "caps", "bucket", "pool"],
  liquidate: [...REFRESH, ...BOOK, ...POSITIONS, "distress"],
  takeover: [...REFRESH, ...BOOK, ...POSITIONS, "distress"],
  deleverage: [...REFRESH, ...BOOK, ...POSITIONS, ...WATERFALL],
};

const random = createRandom(SEED);
const pickFrom = <Item>(items: readonly Item[]): Item => {
  const item = items[Number(random.between(0n, BigInt(items.length - 1)))];
  if (item === undefined) throw new Error("there is something to choose from");
  return item;
};
const sizeUpTo = (most: number) => (0.002 + random.uniform() * most).toFixed(7);

const text = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => {
    if (each instanceof Map) return [...each];
    return typeof each === "bigint" ? each.toString() : each;
  });

/** What is stored of each account, as text. */
function byAccount(state: State): Map<number, string> {
  const parts = new Map<number, string[]>();
  const add = (account: number, ...what: unknown[]) =>
    parts.set(account, [...(parts.get(account) ?? []), text(what)]);
  for (const [id, one] of state.accounts) add(id, "account", one);
  for (const [id, one] of state.money) add(id, "money", one);
  for (const [market, all] of state.markets) {
    for (const name of BY_ACCOUNT) {
      for (const [id, one] of all[name]) add(id, market, name, one);
    }
    for (const [key, { lots, tick, expiry, flags }] of all.orders) {
      // Neighbours in a queue are told of each other.
      if (lots !== 0n) add(accountOfOrder(key), market, key, lots, tick, expiry, flags);
    }
  }
  return new Map([...parts].map(([id, all]) => [id, all.sort().join()]));
}

function accountsChanged(before: State, after: State): number[] {
  const [was, is] = [byAccount(before), byAccount(after)];
  return [...new Set([...was.keys(), ...is.keys()])].filter((id) => was.get(id) !== is.get(id));
}

function totalsOf(state: State): Map<string, string> {
  const { header, drawn, distress, operators, nonces } = state;
  const all = new Map(
    Object.entries({ header, drawn, distress, operators, nonces }).map(([name, one]) => [
      name,
      text(one),
    ]),
  );
  for (const market of state.markets.values()) {
    // Names of the fields of one type.
    for (const name of Object.keys(market) as (keyof MarketState)[]) {
      if (BY_ACCOUNT.some((other) => other === name)) continue;
      all.set(name, `${all.get(name) ?? ""} ${text(market[name])}`);
    }
  }
  return all;
}

function totalsChanged(before: State, after: State): string[] {
  const [was, is] = [totalsOf(before), totalsOf(after)];
  return [...is.keys()].filter((name) => was.get(name) !== is.get(name));
}

/** Accounts that a call met: makers, whose orders were in the way, and who was sold to. */
function metIn(events: readonly ExchangeEvent[]): number[] {
  const removed = eventsNamed(events, "OrderRemoved").filter(
    ({ args }) => args.reason !== CANCELLED,
  );
  return [
    ...eventsNamed(events, "Filled").map(({ args }) => Number(args.maker)),
    ...removed.map(({ args }) => Number(args.account)),
  ];
}

type Call = {
  readonly name: string;
  readonly accounts: readonly number[];
  readonly send: () => Promise<{ wait(): Promise<unknown> }>;
};

async function staged(): Promise<{ world: World; traders: Trader[]; watcher: Watcher }> {
  const world = await createWorld(connection);
  await world.fillFund("1000");
  const watcher = await watch(world.exchange, connection.ethers.provider);
  const traders: Trader[] = [];
  for (const deposit of ["20000", "30000", "1000000", "300", "320"]) {
    traders.push(await world.openTrader(deposit));
  }
  const [alice, bob, carol, ...weak] = traders as [Trader, Trader, Trader, Trader, Trader];
  await world.openAccount(alice.signer, "10");
  await world.again();
  await world.trade(alice, bob, { price: "10000", size: "1.5" });
  await world.execute(carol, buy("9980", "2"), sell("10020", "2"));
  for (const [i, trader] of weak.entries()) {
    await world.again();
    await world.execute(trader, setLeverage(FIFTY_TIMES));
    await world.trade(i === 0 ? trader : bob, i === 0 ? bob : trader, {
      price: "10000",
      size: "1",
    });
  }
  for (const { signer } of traders) {
    await world.ballast.token.mint(signer, 10n ** 12n);
    await world.ballast.token.connect(signer).approve(world.ballast.vault, 10n ** 12n);
  }
  await watcher.check();
  return { world, traders, watcher };
}

function anyOrder(price: number): Action {
  const market = random.uniform() < 0.8 ? BTC : ETH;
  const timeInForce = pickFrom(["gtc", "ioc", "postOnly"] as const);
  const near = price * (1 + 0.01 * (2 * random.uniform() - 1));
  const at = market === BTC ? near.toFixed(1) : (near / 10).toFixed(2);
  const reduceOnly = random.uniform() < 0.2;
  return pickFrom([buy, sell])(at, sizeUpTo(0.2), { market, timeInForce, reduceOnly });
}

function anyActions(price: number): Action[] {
  return pickFrom([
    () => [anyOrder(price)],
    () => [anyOrder(price), anyOrder(price)],
    () => [replace(pickFrom([0, 1]), anyOrder(price))],
    () => [cancel(pickFrom([0, 1]))],
    () => [cancelAll(pickFrom([BTC, ETH]))],
    () => [setLeverage(pickFrom([3, 4, 5]))],
  ])();
}

function anyCall(
  { world, traders }: { readonly world: World; readonly traders: readonly Trader[] },
  price: number,
  wanted?: string,
): Call {
  const { exchange } = world;
  const two = wanted === undefined ? [pickFrom(traders), pickFrom(traders)] : traders.slice(2, 4);
  const [actor, other] = two as [Trader, Trader];
  const [{ account, signer }, [{ account: first } = actor]] = [actor, traders];
  const own = exchange.connect(signer);
  const ids = [account, other.account];
  const amount = random.between(1n, 100n * TOKEN);
  const market = pickFrom([BTC, ETH]);
  const calls: Call[] = [
    { name: "deposit", accounts: [account], send: async () => own.deposit(account, amount) },
    {
      name: "withdraw",
      accounts: [account],
      send: async () => own.withdraw(account, amount, signer),
    },
    {
      name: "transfer",
      accounts: [first, first + 5],
      send: async () =>
        exchange.connect(traders[0]?.signer).transfer(first, first + 5, amount * 10n ** 12n),
    },
    { name: "openAccount", accounts: [], send: async () => own.openAccount(signer) },
    {
      name: "setOperator",
      accounts: [account],
      send: async () => own.setOperator(account, other.signer, 1, 2n ** 40n - 1n),
    },
    { name: "settle", accounts: [account], send: async () => own.settle(account, market) },
    { name: "poke", accounts: [], send: async () => own.poke(market) },
    {
      name: "liquidate",
      accounts: [...ids, first],
      send: async () => own.liquidate(ids, 20, first),
    },
    {
      name: "takeover",
      accounts: [other.account, account],
      send: async () =>
        own.takeover(
          other.account,
          account,
          BTC,
          toLots("0.2"),
          other === traders[4] ? 0n : MAX_PRICE,
        ),
    },
    {
      name: "deleverage",
      accounts: [...ids, first],
      send: async () => own.deleverage(ids, 20, first),
    },
  ];
  const execute = {
    name: "execute",
    accounts: [account],
    send: async () => world.execute(actor, ...anyActions(price)),
  };
  const named = calls.find(({ name }) => name === wanted);
  return named ?? (random.uniform() < 0.5 ? execute : pickFrom(calls));
}

describe("what a call changes in storage", () => {
  it("is its own account's, of those whom it meets, and what is listed (A11)", async () => {
    const { world, traders, watcher } = await staged();
    const done = new Map<string, number>();
    const found = new Map<string, Set<string>>();
    let met = 0;
    for (let i = 0; i < CALLS; i++) {
      const price = CRASHES[Math.floor((i * CRASHES.length) / CALLS)] ?? "";
      await world.setPrice((Number(price) / 10).toFixed(2), ETH, 1n);
      await world.setPrice(price, BTC, 1n);
      await watcher.check();
      const call = anyCall({ world, traders }, Number(price), FIRST[i]);
      const before = structuredClone(watcher.state());
      try {
        await (await call.send()).wait();
      } catch (error) {
        if (!(error instanceof Error) || !/revert/.test(error.message)) throw error;
        continue;
      }
      await watcher.check();
      const provider = connection.ethers.provider;
      const block = await provider.getBlockNumber();
      const address = await world.exchange.getAddress();
      const logs = await provider.getLogs({ address, fromBlock: block, toBlock: block });
      const makers = metIn(parseEvents(logs));
      const named = new Set([...call.accounts, ...makers]);
      const after = watcher.state();
      const opened = Number(await world.exchange.accountCount());
      const strangers = accountsChanged(before, after).filter(
        (id) =>
          id >= FIRST_ACCOUNT && !named.has(id) && !(call.name === "openAccount" && id === opened),
      );
      expect(strangers, `${call.name}, ${i}`).to.deep.equal([]);
      for (const total of totalsChanged(before, after)) {
        found.set(call.name, (found.get(call.name) ?? new Set()).add(total));
      }
      done.set(call.name, (done.get(call.name) ?? 0) + 1);
      if (makers.length > 0) met += 1;
    }
    const beyond = [...found].flatMap(([name, totals]) =>
      [...totals]
        .filter((total) => !TOTALS[name]?.includes(total))
        .map((total) => `${name}: ${total}`),
    );
    expect(beyond).to.deep.equal([]);
    expect([...done.keys()].sort()).to.deep.equal(Object.keys(TOTALS).sort());
    expect(met).to.be.greaterThan(5);
  }).timeout(300_000);
});
