import type { Trader, World } from "../lib/world.js";
import { setLeverage } from "../lib/world.js";
import { at, further, costOfEvents, rowsOf } from "./measure.js";
import type { Draft, Row } from "./measure.js";

/* What an event costs by the number of cohorts that it cuts and of price classes that it charges. */

const FALL = ["9500", "9000", "8500"];
const COHORTS = 5;
/** Apart by more than a price class. */
const ENTRIES = ["10000", "10200", "10400", "10600", "10800"];

export async function measureEvents(withParts: boolean): Promise<Row[]> {
  return [
    ...(await rowsOf({ prices: ["10000"] }, cohortsOfLeverages, withParts)),
    ...(await rowsOf({ prices: ["10000"] }, classesOfEntries, withParts)),
  ];
}

/** Shorts of one entry and five leverages, 0.2 BTC each: a bankrupt long of 0.05 or 0.9 BTC cuts one cohort or all. */
async function cohortsOfLeverages(world: World): Promise<Draft[]> {
  const { execute, trade, again, setPrice, exchange, fillFund } = world;
  await fillFund("100000");
  const house = await world.openTrader("10000000");
  const losers: Trader[] = [];
  for (const [i, size] of ["0.05", "0.05", "0.9"].entries()) {
    const loser = await world.openTrader(String(Number(size) * 1200));
    await trade(loser, house, { price: "10000", size });
    losers.push(loser);
    if (i === 1) await again();
  }
  await openShorts(world, house, {
    price: "10000",
    prepare: (short, i) => execute(short, setLeverage(i + 2)),
  });
  for (const price of FALL) await setPrice(price);

  const call = (index: number, cohorts: number) =>
    costOfEvents(world, exchange.deleverage([at(losers, index).account], 10, house.account), {
      event: "CohortCut",
      times: cohorts,
    });
  const first = await call(0, 1);
  const repeated = await call(1, 1);
  const many = await call(2, COHORTS);
  // The front cohort was cut before, four more are cut for the first time.
  return [
    { name: "ADL, one counterparty", cost: first },
    { name: "ADL, one counterparty, repeated", cost: repeated },
    {
      name: "ADL, each further cohort, first cut since a touch",
      cost: further(many, repeated, COHORTS),
    },
  ];
}

/** Shorts of five entries: the deficit of a bankrupt long is charged to one price class in profit, or to all. */
async function classesOfEntries(world: World): Promise<Draft[]> {
  const { trade, again, setPrice, exchange } = world;
  const house = await world.openTrader("10000000");
  const losers: Trader[] = [];
  for (let i = 0; i < 3; i++) losers.push(await world.openTrader("120"));
  await again();
  await openShorts(world, house, { price: "10000" });
  for (const loser of losers) await trade(loser, house, { price: "10000", size: "0.1" });
  for (const price of FALL) await setPrice(price);
  const call = (index: number, classes: number) =>
    costOfEvents(world, exchange.deleverage([at(losers, index).account], 10, house.account), {
      event: "Haircut",
      times: classes,
    });
  // The first event of a market writes slots that every later one finds.
  await call(0, 1);
  const one = await call(1, 1);
  for (const price of ["9000", "9500", "10000", ...ENTRIES.slice(1)]) {
    await setPrice(price);
    if (ENTRIES.includes(price) && price !== "10000") await openShort(world, house, price);
  }
  for (const price of ["10300", "9800", "9300", "8800", "8500"]) await setPrice(price);
  const many = await call(2, ENTRIES.length);
  return [
    { name: "haircut, each price class in profit", cost: further(many, one, ENTRIES.length) },
  ];
}

type Plan = {
  readonly price: string;
  readonly prepare?: (short: Trader, index: number) => Promise<unknown>;
};

async function openShorts(world: World, house: Trader, { price, prepare }: Plan): Promise<void> {
  for (let i = 0; i < COHORTS; i++) {
    const short = await world.openTrader("100000");
    await world.again();
    await prepare?.(short, i);
    await world.trade(house, short, { price, size: "0.2" });
  }
}

async function openShort(world: World, house: Trader, price: string): Promise<void> {
  const short = await world.openTrader("100000");
  await world.again();
  await world.trade(house, short, { price, size: "0.2" });
}
