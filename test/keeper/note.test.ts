import { expect } from "chai";
import { network } from "hardhat";
import { BTC, createWorld, WHOLE } from "../fixtures.js";
import { createRunner } from "./runner.js";

const connection = await network.create();
const { networkHelpers } = connection;
const HOUR = 3_600;
const FUND = 1;

describe("keeper: the fund's income", () => {
  /** A thousand staked, and then the fees of a trade of ten: 25 to 50 of 100,000, all of it the fund's while it has so little. */
  async function earned() {
    const world = await createWorld(connection);
    const { openTrader, trade, fillFund, exchange } = world;
    await fillFund("1000");
    const [alice, bob] = [await openTrader("100000"), await openTrader("100000")];
    await world.again();
    await trade(alice, bob, { price: "10000", size: "10" });
    await exchange.poke(BTC);
    const income = (await exchange.balanceOf(FUND)) - 1_000n * WHOLE;
    return { world, income };
  }

  it("is noted once an hour has passed, so that it has streamed when the next staker comes", async () => {
    const { world, income } = await networkHelpers.loadFixture(earned);
    const { fund, addresses } = world.ballast;
    expect(income).to.be.greaterThan(10n * WHOLE);
    const keeper = createRunner(connection, world, { noteAbove: 10n * WHOLE, pokeAfter: 0n });
    const head = await keeper.effects.head();
    const view = await keeper.effects.fund(head);
    expect(view?.noted).to.equal(1_000n * WHOLE);
    expect(view?.held).to.equal(1_000n * WHOLE + income);

    // The deposit was a note.
    expect((await keeper.tick()).skips).to.include({ "noteIncome.recent": 1 });
    await networkHelpers.time.increase(HOUR);
    expect((await keeper.tick()).transactions).to.include({ noteIncome: 1 });
    expect(keeper.sent.map(({ to }) => to)).to.deep.equal([addresses["fund"]]);
    const [noted] = await fund.queryFilter(fund.filters.IncomeNoted(), "latest");
    expect(noted?.args.change).to.equal(income);
    expect((await keeper.tick()).skips).to.include({ "noteIncome.noIncome": 1 });

    await networkHelpers.time.increase(24 * HOUR);
    // Nothing is left for who comes now.
    expect(await fund.streaming()).to.equal(0n);
    expect(await fund.totalAssets()).to.equal((1_000n * WHOLE + income) / 10n ** 12n);
    expect(keeper.sent).to.have.lengthOf(1);
  });

  it("is left alone below the bound, and where the fund is not the one that is known", async () => {
    const { world, income } = await networkHelpers.loadFixture(earned);
    await networkHelpers.time.increase(HOUR);
    const above = createRunner(connection, world, { noteAbove: income + 1n, pokeAfter: 0n });
    expect((await above.tick()).skips).to.include({ "noteIncome.noIncome": 1 });
    const { ballast } = world;
    const addresses = { ...ballast.addresses, fund: ballast.addresses["vault"] ?? "" };
    const strange = createRunner(connection, { ...world, ballast: { ...ballast, addresses } });
    expect((await strange.tick()).skips).to.include({ "noteIncome.noFund": 1 });
    const exact = createRunner(connection, world, { noteAbove: income, pokeAfter: 0n });
    expect((await exact.tick()).transactions).to.include({ noteIncome: 1 });
  });
});
