import { expect } from "chai";
import { network } from "hardhat";
import { checkDeployment } from "../../scripts/deploy/check.js";
import { BTC, WHOLE, buy, createWorld, sell } from "../fixtures.js";

const connection = await network.create();
const { networkHelpers } = connection;

describe("story: a crash on a small exchange", () => {
  const world = () => createWorld(connection);

  it("deploys itself soundly", async () => {
    const { ballast, parameters, deployer } = await networkHelpers.loadFixture(world);
    const problems = await checkDeployment({
      ballast,
      parameters,
      deployer: deployer.address,
    });
    expect(problems).to.deep.equal([]);
  });

  it("closes a bankrupt long against the fund, the winners and the queue", async () => {
    const { exchange, openTrader, fillFund, trade, setPrice, health, lens } =
      await networkHelpers.loadFixture(world);
    const [alice, bob, carol] = [
      await openTrader("1500"),
      await openTrader("20000"),
      await openTrader("100000"),
    ];
    await fillFund("100");
    await trade(alice, bob, { price: "10000", size: "1" });
    const before = await health(alice);
    // A fee of 5 and a bond of 0.1; the cost is rounded up by a wei.
    expect(before.health.equity).to.be.closeTo(1495n * WHOLE - WHOLE / 10n, 1n);

    for (const price of ["9400", "8900", "8400", "8000"]) await setPrice(price);
    expect((await health(alice)).liquidatable).to.equal(true);
    await exchange.liquidate([alice.account], 10, carol.account);
    await exchange.deleverage([alice.account], 10, carol.account);
    expect((await health(alice)).balance).to.equal(0n);
    const [position] = await lens.positions.staticCall(bob.account);
    expect(position?.lots).to.equal(0n);
    expect(buy("1", "1").market + sell("1", "1").market).to.equal(BTC);
  });
});
