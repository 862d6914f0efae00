import { network } from "hardhat";
import { ALL_RULES } from "../../scripts/lib/receipts.js";
import { BTC, buy, cancel, cancelAll, createWorld, sell, setLeverage } from "../fixtures.js";
import type { WorldOptions } from "../fixtures.js";
import { watch } from "../invariants.js";

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
});
