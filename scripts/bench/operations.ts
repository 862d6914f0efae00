import { buy, cancel, sell } from "../lib/world.js";
import type { World } from "../lib/world.js";
import { at, further, costOf, costOfEvents, rowsOf, openTraders } from "./measure.js";
import type { Draft, Row } from "./measure.js";

/* Gas of what traders and keepers do every day. Prices around 10,000; storage is cold at every call. */

const DEPOSIT = "100000";
const MAKERS = 11;
const BATCH = 5;

export async function measureOperations(withParts: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  for (const bench of [orders, matching, furtherMakers, liquidations]) {
    rows.push(...(await rowsOf({}, bench, withParts)));
  }
  return rows;
}

async function orders(world: World): Promise<Draft[]> {
  const { execute, fund, exchange, ballast } = world;
  const [alice, bob] = await openTraders(world, 2, DEPOSIT);
  if (alice === undefined || bob === undefined) throw new Error("there are two traders");
  await ballast.token.mint(alice.signer.address, 10n ** 12n);
  await ballast.token.connect(alice.signer).approve(ballast.vault, 10n ** 12n);
  const deposit = await costOf(exchange.connect(alice.signer).deposit(alice.account, 10n ** 9n));
  const { account, signer } = alice;
  const withdraw = await costOf(exchange.connect(signer).withdraw(account, 10n ** 9n, signer));
  await fund(bob, "1");

  const firstEver = await costOf(execute(alice, buy("9900", "1")));
  const sameLevel = await costOf(execute(bob, buy("9900", "1")));
  const freshSlot = await costOf(execute(bob, buy("9900", "1")));
  const newLevel = await costOf(execute(bob, buy("9890", "1")));
  const cancelBetween = await costOf(execute(bob, cancel(0)));
  const recycled = await costOf(execute(bob, buy("9900", "1")));
  const cancelAlone = await costOf(execute(bob, cancel(2)));
  return [
    { name: "deposit, known account", cost: deposit },
    { name: "withdraw, what was paid in", cost: withdraw },
    { name: "place, first order of market and account", cost: firstEver },
    { name: "place, level exists, account's first order", cost: sameLevel },
    { name: "place, level exists, fresh slot", cost: freshSlot },
    { name: "place, level exists, recycled slot", cost: recycled },
    { name: "place, new level", cost: newLevel },
    { name: "cancel, with neighbours", cost: cancelBetween },
    { name: "cancel, alone at its level", cost: cancelAlone },
  ];
}

async function matching(world: World): Promise<Draft[]> {
  const { execute, trade } = world;
  const [maker, taker] = await openTraders(world, 2, DEPOSIT);
  if (maker === undefined || taker === undefined) throw new Error("there are two traders");
  await execute(maker, sell("10000", "1"));
  const opening = await costOf(execute(taker, buy("10000", "1", { timeInForce: "ioc" })));
  await execute(maker, sell("10000", "2"));
  const adding = await costOf(execute(taker, buy("10000", "1", { timeInForce: "ioc" })));
  await execute(maker, buy("10000", "1"));
  const closing = await costOf(execute(taker, sell("10000", "1", { timeInForce: "ioc" })));
  await trade(taker, maker, { price: "10000", size: "1" });
  return [
    { name: "match one, both open", cost: opening },
    { name: "match one, both add", cost: adding },
    { name: "match one, both reduce", cost: closing },
  ];
}

/** Makers that have a position in one market and add to it. */
async function furtherMakers(world: World): Promise<Draft[]> {
  const { execute } = world;
  const taker = await world.openTrader("1000000");
  const makers = await openTraders(world, MAKERS, DEPOSIT);
  for (const maker of makers) await execute(maker, sell("10000", "1"));
  await execute(taker, buy("10000", String(MAKERS), { timeInForce: "ioc" }));
  await world.again();

  await execute(at(makers, 0), sell("10000", "0.5"));
  const one = await costOf(execute(taker, buy("10000", "0.5", { timeInForce: "ioc" })));
  for (const maker of makers) await execute(maker, sell("10000", "0.5"));
  const many = await costOf(
    execute(taker, buy("10000", String(MAKERS / 2), { timeInForce: "ioc" })),
  );
  return [{ name: "each further maker", cost: further(many, one, MAKERS) }];
}

async function liquidations(world: World): Promise<Draft[]> {
  const { execute, trade, setPrice, exchange } = world;
  const keeper = await world.openTrader("10");
  const house = await world.openTrader("10000000");
  const losers = await openTraders(world, BATCH + 1, "1100");
  for (const loser of losers) await trade(loser, house, { price: "10000", size: "1" });
  for (const price of ["9500", "9150", "8990"]) await setPrice(price);
  await execute(house, buy("8990", "20"));

  const accounts = losers.map(({ account }) => account);
  const call = (named: number[]) =>
    costOfEvents(world, exchange.liquidate(named, 50, keeper.account), {
      event: "Liquidated",
      times: named.length,
    });
  const one = await call(accounts.slice(0, 1));
  const many = await call(accounts.slice(1));
  return [
    { name: "liquidate one, into the book", cost: one },
    { name: "liquidate, each further in a batch", cost: further(many, one, BATCH) },
  ];
}
