import { expect } from "chai";
import { network } from "hardhat";
import { STATE_SLOTS } from "../../scripts/lib/layout.js";
import { ALL_RULES } from "../../scripts/lib/receipts.js";
import { encode, entrySlot, toHex } from "../../scripts/lib/words.js";
import {
  BTC,
  buy,
  cancel,
  cancelAll,
  createWorld,
  sell,
  setLeverage,
  WHOLE,
} from "../../scripts/lib/world.js";
import type { WorldOptions } from "../../scripts/lib/world.js";
import { InvariantError, watch } from "../invariants.js";

const connection = await network.create();
const { networkHelpers } = connection;
const { provider } = connection.ethers;

async function watched(options: WorldOptions = {}) {
  const world = await createWorld(connection, options);
  const watcher = await watch(world.exchange, provider);
  return { ...world, watcher };
}

const watchedWorld = () => watched();

describe("auditor on the real exchange", () => {
  it("agrees with a few trades and orders", async () => {
    const world = await networkHelpers.loadFixture(watchedWorld);
    const [alice, bob] = [await world.openTrader("10000"), await world.openTrader("10000")];
    await world.trade(alice, bob, { price: "10000", size: "0.5" });
    await world.setPrice("10000");
    await world.execute(alice, buy("9900", "0.1"), buy("9900", "0.2"), buy("9800", "0.3"));
    await world.execute(bob, sell("10100", "0.1"), buy("9700", "0.2", { reduceOnly: true }));
    await world.execute(alice, cancel(1), setLeverage(2));
    await world.execute(bob, sell("9900", "0.15", { timeInForce: "ioc" }));
    await world.execute(bob, cancelAll());
    await world.setPrice("10100");
  });

  for (const rules of ALL_RULES) {
    it(`agrees with a crash by ${rules.quantity} and ${rules.deficit}`, async () => {
      const { quantity: quantityRule, deficit: deficitRule } = rules;
      const world = await watched({ overrides: { quantityRule, deficitRule } });
      const { exchange, openTrader, fillFund, trade, setPrice } = world;
      const [alice, bob, carol, dave] = [
        await openTrader("1500"),
        await openTrader("20000"),
        await openTrader("100000"),
        await openTrader("20000"),
      ];
      await fillFund("100");
      await setPrice("10000");
      await trade(carol, dave, { price: "10050", size: "0.7" });
      await trade(alice, bob, { price: "10000", size: "1" });
      await setPrice("10000");
      await trade(carol, bob, { price: "9990", size: "0.3" });
      for (const price of ["9400", "8900", "8400", "8000"]) await setPrice(price);
      await exchange.liquidate([alice.account], 10, carol.account);
      await exchange.deleverage([alice.account], 10, carol.account);
      await exchange.settle(bob.account, BTC);
      await setPrice("8100");
      await trade(carol, dave, { price: "8100", size: "0.2" });
    });
  }

  describe("the watcher", () => {
    /** Writes a balance behind the exchange's back. */
    async function forge(exchange: string, account: number, balance: bigint): Promise<void> {
      const slot = entrySlot(BigInt(STATE_SLOTS.money), BigInt(account));
      const [word = 0n] = encode("Money", { balance, freshMarkets: 0n, distress: 0n });
      await networkHelpers.setStorageAt(exchange, slot, `0x${toHex(word)}`);
    }

    async function failure(check: Promise<unknown>): Promise<unknown> {
      return check.then(
        () => undefined,
        (error: unknown) => error,
      );
    }

    it("names the invariants that a forged balance breaks, and the call", async () => {
      const { exchange, watcher, openTrader } = await networkHelpers.loadFixture(watchedWorld);
      const { account } = await openTrader("100");
      await watcher.check();
      await forge(await exchange.getAddress(), account, 101n * WHOLE);
      const error = await failure(watcher.step(exchange.poke(BTC)));
      expect(error).to.be.instanceOf(InvariantError);
      if (!(error instanceof InvariantError)) return;
      expect(error.calls).to.deep.equal(["poke"]);
      expect(error.violations.map(({ id }) => id)).to.deep.equal(["INV-1", "INV-3", "events"]);
      expect(error.message).to.match(/^after poke in block \d+:\n {2}INV-1: tracked tokens/);
    });

    it("tells what broke once, and begins anew when the chain is turned back", async () => {
      const { exchange, watcher, openTrader } = await networkHelpers.loadFixture(watchedWorld);
      const { account } = await openTrader("100");
      const snapshot = await networkHelpers.takeSnapshot();
      await watcher.check();
      await forge(await exchange.getAddress(), account, 99n * WHOLE);
      await exchange.poke(BTC);
      expect(await failure(watcher.check())).to.be.instanceOf(InvariantError);
      expect(await failure(watcher.step(exchange.poke(BTC)))).to.equal(undefined);
      await snapshot.restore();
      expect(await failure(watcher.step(exchange.poke(BTC)))).to.equal(undefined);
      await forge(await exchange.getAddress(), account, 99n * WHOLE);
      expect(await failure(watcher.step(exchange.poke(BTC)))).to.be.instanceOf(InvariantError);
    });
  });
});
