import { expect } from "chai";
import { network } from "hardhat";
import {
  connect,
  parseDeployment,
  readAccountShare,
  readBudget,
  readFund,
  readLimits,
  readStake,
} from "../../scripts/package/index.js";
import type { Ballast } from "../../scripts/package/index.js";
import { signPrice } from "../../scripts/lib/feed.js";
import { BTC, buy, createWorld, sell, setLeverage, TOKEN, WHOLE } from "../fixtures.js";
import type { World } from "../fixtures.js";

const connection = await network.create();
const { networkHelpers } = connection;
const COIN = 100_000_000n;
const FIFTY_TIMES = 6;
const CALM = {
  isReduceOnly: false,
  hasEvent: false,
  isWindingDown: false,
  isDrawnDown: false,
  isEnded: false,
};

function ballastOf({ chainId, ballast, deployer }: World): Ballast {
  const { addresses } = ballast;
  return connect(parseDeployment({ chainId: Number(chainId), addresses, markets: [] }), deployer);
}

describe("package: limits", () => {
  /** A cap of 100 that starts with 40 and grows by a hundred in 1,000 seconds; a move of 2.5 % and a fund of 1,000. */
  async function limited() {
    const world = await createWorld(connection, {
      overrides: {
        openInterestCap: "100",
        capStart: 40,
        capRamp: 1_000,
        move: 25_000,
        topShare: 50,
        accountShare: 20,
        crowdingFrom: 100,
        concentration: 0,
      },
    });
    await world.fillFund("1000");
    const [alice, bob] = [await world.openTrader("10000"), await world.openTrader("100000")];
    return { world, alice, bob, ballast: ballastOf(world) };
  }

  it("are those that the contract goes by", async () => {
    const { world, alice, bob, ballast } = await networkHelpers.loadFixture(limited);
    const { exchange, execute, trade, setPrice } = world;
    await setPrice("10000");
    await execute(alice, setLeverage(FIFTY_TIMES));
    await trade(alice, bob, { price: "10000", size: "1.5" });
    await execute(alice, buy("9900", "0.5"));
    await execute(alice, sell("10100", "4"));
    const limits = await readLimits(ballast, BTC);
    const { volatilityRate } = (await exchange.marketOf(BTC)).book;
    expect(limits.openInterest).to.equal((15n * COIN) / 10n);
    expect(limits.top.long).to.equal((15n * COIN) / 10n);
    expect(limits.top.short).to.equal(0n);
    // 40 % of 1,000 are 400; a coin at 10,000 loses 2.5 % less the 1 % of its margin, 150.
    expect(limits.top.cap).to.be.closeTo((400n * COIN) / 150n, COIN / 100n);
    expect(limits.volatility).to.equal(volatilityRate * 100n);
    expect(limits.status).to.deep.equal(CALM);
    expect(limits.mayGrow).to.equal(true);
    expect(limits.shortfall).to.equal(0n);
    expect(limits.accountCap).to.equal(limits.openInterestCap / 5n);
    // Sells of 4 against 1.5 held would leave 2.5 short; buys of 0.5 would make it 2.
    const share = await readAccountShare(ballast, alice.account, BTC);
    expect(share).to.deep.equal({
      held: (15n * COIN) / 10n,
      worst: (25n * COIN) / 10n,
      cap: limits.accountCap,
    });
    const { worst } = await readAccountShare(ballast, bob.account, BTC);
    expect(worst).to.equal((15n * COIN) / 10n);
    await expect(execute(alice, buy("9900", "100")))
      .to.be.revertedWithCustomError(exchange, "AccountCapReached")
      .withArgs(BTC, 102n * COIN, limits.accountCap);
  });

  it("grow as a poke would let them", async () => {
    const { world, ballast } = await networkHelpers.loadFixture(limited);
    await world.exchange.poke(BTC);
    const first = await readLimits(ballast, BTC);
    expect(first.cap).to.deep.equal({ afterPoke: first.openInterestCap, full: 100n * COIN });
    expect(first.openInterestCap).to.be.within(40n * COIN, 50n * COIN);
    await world.pass(100n);
    const later = await readLimits(ballast, BTC);
    expect(later.openInterestCap).to.equal(first.openInterestCap);
    expect(later.cap.afterPoke).to.equal(first.openInterestCap + 10n * COIN);
    await world.pass(1_000n);
    expect((await readLimits(ballast, BTC)).cap.afterPoke).to.equal(100n * COIN);
    await world.exchange.poke(BTC);
    const { openInterestCap, cap } = await readLimits(ballast, BTC);
    expect(openInterestCap).to.equal(100n * COIN);
    expect(cap).to.deep.equal({ afterPoke: 100n * COIN, full: 100n * COIN });
  });

  it("say what the market may not do", async () => {
    const { world, ballast } = await networkHelpers.loadFixture(limited);
    await world.exchange.windDown(BTC);
    const { status, mayGrow } = await readLimits(ballast, BTC);
    expect(status).to.deep.equal({ ...CALM, isWindingDown: true });
    expect(mayGrow).to.equal(false);
    await world.exchange.reduceRisk(BTC, COIN, FIFTY_TIMES, true);
    expect((await readLimits(ballast, BTC)).status.isReduceOnly).to.equal(true);
  });
});

describe("package: the fund", () => {
  const created = async () => {
    const world = await createWorld(connection);
    await world.fillFund("1000");
    return { world, ballast: ballastOf(world) };
  };

  it("has budgets that a draw fills and time empties", async () => {
    const { world, ballast } = await networkHelpers.loadFixture(created);
    const { exchange, openTrader, execute, trade, setPrice } = world;
    expect(await readBudget(ballast, BTC)).to.deep.equal({
      beforeWinners: 200n * WHOLE,
      inAll: 600n * WHOLE,
    });
    const [poor, rich] = [await openTrader("250"), await openTrader("50000")];
    await execute(poor, setLeverage(FIFTY_TIMES));
    await setPrice("10000");
    await trade(poor, rich, { price: "10000", size: "1" });
    await setPrice("9300", BTC, 60n);
    const before = await exchange.balanceOf(1);
    await exchange.deleverage([poor.account], 10, 0);
    const drawn = before - (await exchange.balanceOf(1));
    // The deficit of about 450 takes all of the event's 20 % of the fund.
    expect(drawn).to.equal((before * 200_000n) / 1_000_000n);
    const after = await readBudget(ballast, BTC);
    expect(after.beforeWinners).to.equal(0n);
    expect(after.inAll).to.be.closeTo((before * 4n) / 10n, 5n);
    await world.pass(1_800n);
    const { beforeWinners } = await readBudget(ballast, BTC);
    // Of all that was drawn, 20 % of the fund, half an hour of 80 % a day is back: budgets are parts of 98.33 %. Half an hour of the
    // event's 20 % an hour is back as well: 19.67 % − (20 % − 9.83 %).
    expect(beforeWinners).to.be.closeTo((before * 95n) / 1_000n, 5n);
  });

  it("tells of its assets, its target, and of a stake that leaves", async () => {
    const { world, ballast } = await networkHelpers.loadFixture(created);
    const { exchange, openTrader, trade, setPrice } = world;
    const [alice, bob] = [await openTrader("100000"), await openTrader("100000")];
    await setPrice("10000");
    await trade(alice, bob, { price: "10000", size: "10" });
    await exchange.poke(BTC);
    const income = (await exchange.balanceOf(1)) - 1_000n * WHOLE;
    const info = await readFund(ballast);
    expect(info).to.deep.include({
      address: world.ballast.addresses["fund"],
      assets: 1_000n * TOKEN,
      held: 1_000n * WHOLE + income,
      streaming: income,
      cooldown: 864_000n,
      shut: [],
    });
    const { price } = await exchange.marketOf(BTC);
    // 5 % of ten coins at mark, in whole micro units.
    const target = (price.mark * 10n * COIN) / 20n;
    expect(info.target).to.equal(target - (target % 10n ** 12n));

    const { fund } = world.ballast;
    const { address } = world.deployer;
    const shares = await fund.balanceOf(address);
    await fund.requestExit(shares / 4n);
    const { time } = networkHelpers;
    expect(await readStake(ballast, address)).to.deep.equal({
      shares: shares - shares / 4n,
      worth: 750n * TOKEN,
      leaving: shares / 4n,
      leavingWorth: 250n * TOKEN,
      ready: BigInt(await time.latest()) + 864_000n,
    });
    const nobody = { shares: 0n, worth: 0n, leaving: 0n, leavingWorth: 0n, ready: 0n };
    expect(await readStake(ballast, alice.signer.address)).to.deep.equal(nobody);
  });

  it("says why it is shut and until when", async () => {
    const { world, ballast } = await networkHelpers.loadFixture(created);
    const { exchange, openTrader, execute, trade, setPrice } = world;
    const [poor, rich] = [await openTrader("250"), await openTrader("1000000")];
    await execute(poor, setLeverage(FIFTY_TIMES));
    await setPrice("10000");
    await trade(poor, rich, { price: "10000", size: "1" });
    await setPrice("9840", BTC, 60n);
    await exchange.liquidate([poor.account], 10, 0);
    const began = BigInt(await networkHelpers.time.latest());
    const { shut, held } = await readFund(ballast);
    expect(await world.ballast.fund.isShut()).to.equal(true);
    expect(shut).to.deep.equal([
      {
        cause: "distress",
        // 1 % of 9,840.
        maintenance: 98_400_000n * 10n ** 12n,
        bound: (held / 10n ** 12n / 20n) * 10n ** 12n,
        until: began + 3_600n,
      },
    ]);
    await networkHelpers.time.increase(3_600);
    expect((await readFund(ballast)).shut).to.deep.equal([]);
    expect(await world.ballast.fund.isShut()).to.equal(false);
  });

  it("is shut by a jump of any index, for an hour at most", async () => {
    const world = await createWorld(connection, { overrides: { maxPending: 600 } });
    const { exchange, parameters, deployer, chainId, pass, ballast: deployed } = world;
    const ballast = ballastOf(world);
    // Until the other sources are too old to agree.
    await pass(400n);
    const [source] = parameters.markets[BTC]?.sources ?? [];
    if (source?.kind !== "signed") throw new Error("the fixture's sources are signed");
    const publishTime = BigInt(await networkHelpers.time.latest());
    const { update, signatures } = await signPrice(
      deployed.signedFeed,
      { feed: source.feed, price: 8_000n * WHOLE, publishTime },
      { signers: [deployer], chainId },
    );
    await deployed.signedFeed.push(update, signatures);
    await exchange.poke(BTC);
    const until = BigInt(await networkHelpers.time.latest()) + 3_600n;
    expect((await readFund(ballast)).shut).to.deep.equal([{ cause: "jump", market: BTC, until }]);
    expect(await deployed.fund.isShut()).to.equal(true);
    await networkHelpers.time.increaseTo(until);
    expect((await readFund(ballast)).shut).to.deep.equal([]);
    expect(await deployed.fund.isShut()).to.equal(false);
  });
});
