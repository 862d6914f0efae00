import { expect } from "chai";
import { network } from "hardhat";
import { createRandom } from "../../scripts/lib/random.js";
import { createWorld as createPlain } from "../../scripts/lib/world.js";
import type { State } from "../../scripts/lib/state.js";
import {
  BTC,
  buy,
  cancel,
  createWorld,
  LONG,
  sell,
  setLeverage,
  toLots,
  toTicks,
} from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import { watch } from "../invariants.js";
import type { Watcher } from "../invariants.js";

/* What orders may change: nothing if they come and go (C14), and no position upwards if they are to reduce (C7). */

const connection = await network.create();
const { networkHelpers } = connection;

const SEED = 0xba11a57;
const RUNS = 30;
/** Without funding nothing changes with time alone. */
const CALM = { maxFunding: 0, interest: 0 };
const FIVE_TIMES = 3;
const FIFTY_TIMES = 6;

const random = createRandom(SEED);
const pickFrom = <Item>(items: readonly Item[]): Item => {
  const item = items[Number(random.between(0n, BigInt(items.length - 1)))];
  if (item === undefined) throw new Error("there is something to choose from");
  return item;
};
const sizeUpTo = (most: number) => (0.002 + random.uniform() * most).toFixed(7);
const priceNear = (away: number) => (10_000 * (1 + away * (2 * random.uniform() - 1))).toFixed(1);

/** Everything but the clock's marks, orders' places that are free again, and what a level remembers of its past. */
function textOf(state: State): string {
  const clocks = ["refreshed", "sampled", "freshSince", "publishTime", "time", "since"];
  return JSON.stringify(state, (key, value: unknown) => {
    if (clocks.includes(key)) return undefined;
    if (key === "orders") return [...(value as Map<number, { lots: bigint }>)].filter(isHere);
    if (key === "levels") return [...(value as Map<number, { lots: bigint }>)].filter(isHere);
    if (value instanceof Map)
      return [...value].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    return typeof value === "bigint" ? value.toString() : value;
  });
}

const isHere = ([, { lots }]: readonly [number, { lots: bigint }]) => lots !== 0n;

/** Positions on both sides and orders on both sides, watched by somebody who says what is stored. */
async function stage(): Promise<{ world: World; traders: Trader[]; watcher: Watcher }> {
  const world = await createPlain(connection, { overrides: CALM });
  const watcher = await watch(world.exchange, connection.ethers.provider);
  const traders: Trader[] = [];
  for (const deposit of ["20000", "30000", "1000000", "5000"]) {
    traders.push(await world.openTrader(deposit));
  }
  const [alice, bob, carol] = traders as [Trader, Trader, Trader];
  await world.trade(alice, bob, { price: "10000", size: "1.5" });
  await world.execute(carol, buy("9980", "2"), sell("10020", "2"));
  await watcher.check();
  return { world, traders, watcher };
}

describe("what orders may change", () => {
  it("is nothing, if one is placed and cancelled (C14)", async () => {
    const { world, traders, watcher } = await stage();
    for (let i = 0; i < RUNS; i++) {
      await world.again();
      const trader = pickFrom(traders);
      const side = pickFrom([buy, sell]);
      const price = priceNear(0.02);
      const isMaking = side === buy ? Number(price) < 10_020 : Number(price) > 9_980;
      if (!isMaking) continue;
      // A look at the prices first, so that the order finds them as they are.
      await world.exchange.poke(BTC);
      await watcher.check();
      const before = textOf(watcher.state());
      const { used } = await world.exchange.restingOf(trader.account, BTC);
      const order = side(price, sizeUpTo(0.3), { timeInForce: pickFrom(["gtc", "postOnly"]) });
      await watcher.step(world.execute(trader, order));
      expect(textOf(watcher.state()), "it is there").to.not.equal(before);
      const slot = slotOf((await world.exchange.restingOf(trader.account, BTC)).used & ~used);
      await watcher.step(world.execute(trader, cancel(slot)));
      expect(textOf(watcher.state()), `${price} of ${trader.account}`).to.equal(before);
    }
  });

  const slotOf = (bit: bigint) => bit.toString(2).length - 1;

  /* C7 */

  it("is no position upwards by a reduce-only order that rested while an event cut it (C7)", async () => {
    for (let run = 0; run < 4; run++) {
      const world = await createWorld(connection, { overrides: CALM });
      const { exchange, execute, trade } = world;
      const [loser, winner] = [await world.openTrader("2100"), await world.openTrader("50000")];
      const other = await world.openTrader("1000000");
      await execute(loser, setLeverage(FIFTY_TIMES));
      await execute(winner, setLeverage(FIVE_TIMES));
      const size = (10 + run * 3.7).toFixed(1);
      await trade(loser, winner, { price: "10000", size: "10" });
      if (size !== "10.0") {
        const more = (Number(size) - 10).toFixed(1);
        await trade(other, winner, { price: "10000", size: more });
      }
      // The winner's short of all lots would be bought back at 9,000.
      await execute(
        winner,
        buy("9000", (Number(size) / 2).toFixed(2), { reduceOnly: true }),
        buy("9000", size, { reduceOnly: true }),
      );
      await world.setPrice("9300");
      await exchange.deleverage([loser.account], 100, 0);
      await exchange.settle(winner.account, BTC);
      const cut = toLots(size) - (await exchange.positionOf(winner.account, BTC)).lots;
      expect(cut).to.be.within(toLots("10"), toLots("10") + 1n);
      const { lots: rests } = await exchange.levelOf(BTC, LONG, toTicks("9000"));
      expect(rests).to.equal(toLots(size) + toLots((Number(size) / 2).toFixed(2)));
      await world.setPrice("9050");
      await execute(other, sell("9000", "30", { timeInForce: "ioc" }));
      const { lots, kind } = await exchange.positionOf(winner.account, BTC);
      expect([lots, kind & 1n]).to.deep.equal([0n, 0n]);
      expect((await exchange.restingOf(winner.account, BTC)).used).to.equal(0n);
    }
  });
});

describe("what an owner signs", () => {
  const calm = () => createWorld(connection);

  it("counts on its chain, at its exchange, and for its account alone (C15)", async () => {
    const { exchange, openTrader, chainId, ballast } = await networkHelpers.loadFixture(calm);
    const [alice, bob] = [await openTrader("1000"), await openTrader("0")];
    const own = {
      name: "Ballast",
      version: "1",
      chainId,
      verifyingContract: await exchange.getAddress(),
    };
    const types = {
      SetOperator: [
        { name: "account", type: "uint32" },
        { name: "operator", type: "address" },
        { name: "scope", type: "uint8" },
        { name: "expiry", type: "uint40" },
        { name: "nonce", type: "uint256" },
        { name: "deadline", type: "uint256" },
      ],
    };
    const far = 2n ** 40n - 1n;
    const words = {
      account: alice.account,
      operator: bob.signer.address,
      scope: 1,
      expiry: far,
      nonce: 5n,
      deadline: far,
    };
    const send = (signature: string, account = alice.account) =>
      exchange
        .connect(bob.signer)
        .setOperatorBySig(account, bob.signer.address, 1, far, 5n, far, signature);
    for (const change of [
      { chainId: chainId + 1n },
      { verifyingContract: await ballast.vault.getAddress() },
      { name: "Balast" },
      { version: "2" },
    ]) {
      const signature = await alice.signer.signTypedData({ ...own, ...change }, types, words);
      await expect(send(signature)).to.be.revertedWithCustomError(exchange, "BadSignature");
    }
    const good = await alice.signer.signTypedData(own, types, words);
    await expect(send(good, bob.account)).to.be.revertedWithCustomError(exchange, "BadSignature");
    await send(good);
    await expect(send(good)).to.be.revertedWithCustomError(exchange, "NonceAlreadyUsed");
  });
});
