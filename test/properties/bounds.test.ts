import { expect } from "chai";
import { network } from "hardhat";
import { toMarketConfig } from "../../scripts/deploy/parameters.js";
import { createRandom } from "../../scripts/lib/random.js";
import { createWorld } from "../../scripts/lib/world.js";
import { BTC, buy, LONG, sell, setLeverage, toLots } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import { watch } from "../invariants.js";
import { outcomeOf, SILENT } from "../lib/reverts.js";

/* A crash under parameters from all over their bounds: nothing ends in an arithmetic error, and what must go on goes on (B11). */

const connection = await network.create();
const { networkHelpers } = connection;

const SEED = Number(process.env.BOUNDS_SEED ?? 0xba11a57);
const WORLDS = Number(process.env.BOUNDS_RUNS ?? 6);
/** How often a field is given another value, which is kept if the bounds let it. */
const CHANGES = 150;
const MAX = 2n ** 256n - 1n;
const FAULT = new RegExp(`^(Panic|Error|Overflow|SafeCast|0x|${SILENT})`);

/** Where bounds are, and just inside them; whatever is out of bounds for a field is refused. */
const VALUES = [
  0, 1, 2, 5, 9, 10, 30, 59, 60, 100, 600, 900, 999, 1_000, 3_600, 5_000, 7_500, 10_000, 40_000,
  50_000, 86_400, 200_000, 250_000, 400_000, 500_000, 800_000, 1_000_000,
] as const;

const random = createRandom(SEED);
const pickFrom = <Item>(items: readonly Item[]): Item => {
  const item = items[Number(random.between(0n, BigInt(items.length - 1)))];
  if (item === undefined) throw new Error("there is something to choose from");
  return item;
};

/** Longs of three leverages against two shorts, orders of everybody, money in the fund. */
async function populated() {
  const world = await createWorld(connection);
  const watcher = await watch(world.exchange, connection.ethers.provider);
  await world.fillFund("500");
  const longs: Trader[] = [];
  const [short, rich] = [await world.openTrader("100000"), await world.openTrader("3000")];
  await world.execute(rich, setLeverage(3));
  for (const [i, deposit] of ["260", "1200", "5000"].entries()) {
    const long = await world.openTrader(deposit);
    await world.again();
    await world.execute(long, setLeverage([6, 4, 2][i] ?? 2));
    await world.trade(long, i === 1 ? rich : short, { price: "10000", size: "1" });
    await world.execute(long, buy("9900", "0.01"), sell("10200", "0.01", { reduceOnly: true }));
    longs.push(long);
  }
  const keeper = await world.openTrader("50000");
  await world.execute(keeper, buy("9500", "1"), buy("8800", "1"));
  await world.again();
  return { world, watcher, longs, shorts: [short, rich], keeper };
}

type Stage = Awaited<ReturnType<typeof populated>>;

/** Changes that the bounds allow, many of them, in one configuration. */
async function reconfigure({ exchange, parameters }: World): Promise<string[]> {
  const [market] = parameters.markets;
  if (market === undefined) throw new Error("there is a market");
  let config = toMarketConfig(market);
  const names = Object.entries(config).flatMap(([name, value]) =>
    typeof value === "number" ? [name] : [],
  );
  const changed = new Set<string>();
  for (let i = 0; i < CHANGES; i++) {
    const name = pickFrom(names);
    const next = { ...config, [name]: pickFrom(VALUES) };
    // A value that the field's type does not hold is refused by who encodes it.
    const end = await outcomeOf(async () => exchange.setConfig.staticCall(BTC, next)).catch(
      () => "does not fit",
    );
    if (end !== "done") continue;
    config = next;
    changed.add(name);
  }
  await exchange.setConfig(BTC, config);
  return [...changed];
}

/** Ends of calls that must not be refused, whatever the parameters. */
async function crank({ world, longs, shorts, keeper }: Stage): Promise<Record<string, string>> {
  const { exchange } = world;
  const ids = [...longs, ...shorts].map(({ account }) => account);
  const ends: Record<string, string> = {};
  const note = async (name: string, sent: () => Promise<unknown>) => {
    ends[name] = await outcomeOf(sent);
  };
  await note("poke", async () => exchange.poke(BTC));
  await note("liquidate", async () => exchange.liquidate(ids, 50, keeper.account));
  await note("deleverage", async () => exchange.deleverage(ids, 50, keeper.account));
  for (const id of ids) await note(`settle ${id}`, async () => exchange.settle(id, BTC));
  return ends;
}

/** Ends of calls that may be refused, by name. */
async function tryOthers({ world, longs, shorts, keeper }: Stage): Promise<string[]> {
  const { exchange, execute, lens } = world;
  const ends: string[] = [];
  const note = async (sent: () => Promise<unknown>) => ends.push(await outcomeOf(sent));
  for (const { account } of [...longs, ...shorts]) {
    await note(async () =>
      exchange
        .connect(keeper.signer)
        .takeover(account, keeper.account, BTC, toLots("0.3"), pickFrom([0n, 10n ** 18n])),
    );
  }
  for (const trader of [...longs, ...shorts]) {
    const { signer, account } = trader;
    await note(async () => exchange.connect(signer).withdraw(account, MAX, signer));
    await note(async () => exchange.connect(signer).withdraw(account, 1n, signer));
    await note(async () => execute(trader, pickFrom([buy, sell])("9700", "0.05")));
    await note(async () => execute(trader, setLeverage(Number(random.between(0n, 7n)))));
  }
  await note(async () => lens.healths.staticCall(longs.map(({ account }) => account)));
  await note(async () => lens.queue.staticCall(BTC, LONG, 0, 50));
  await note(async () => exchange.continueEvent(BTC, 50, keeper.account));
  await note(async () => exchange.reopen(BTC));
  return ends;
}

describe("parameters anywhere within their bounds", () => {
  it("let a crash run its course, and nothing ends in an arithmetic error (B11)", async () => {
    const changed = new Set<string>();
    const seen = new Set<string>();
    let closed = 0;
    for (let i = 0; i < WORLDS; i++) {
      const stage = await networkHelpers.loadFixture(populated);
      const { world, longs } = stage;
      for (const name of await reconfigure(world)) changed.add(name);
      for (const price of pickFrom([
        ["9790", "9500", "8900", "6000"],
        ["9200", "12000", "20000"],
        ["9999", "9400", "9300", "9200", "100"],
      ])) {
        await world.setPrice(price, BTC, random.between(1n, 20n));
        for (const [name, end] of Object.entries(await crank(stage))) {
          expect(end, `${name} at ${price}, world ${i}`).to.equal("done");
        }
        for (const end of await tryOthers(stage)) {
          expect(end, `at ${price}, world ${i}`).to.not.match(FAULT);
          seen.add(end);
        }
        await stage.watcher.check();
      }
      for (const { account } of longs) {
        if ((await world.exchange.positionOf(account, BTC)).lots === 0n) closed += 1;
      }
    }
    expect(changed.size, [...changed].join()).to.be.greaterThan(30);
    expect([...seen]).to.include.members(["done", "NotLiquidatable", "NoEventPending"]);
    expect(closed).to.be.greaterThan(WORLDS / 2);
  }).timeout(300_000);
});
