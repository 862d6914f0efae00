import { expect } from "chai";
import { network } from "hardhat";
import { MICRO, STATUS } from "../scripts/lib/keys.js";
import { BTC, buy, cancelAll, createWorld, ETH, sell, setLeverage, WHOLE } from "./fixtures.js";
import type { Trader, World } from "./fixtures.js";

/*
 * An event with more cohorts than one transaction cuts, on the deployed exchange: it waits in its market, which stands still until somebody
 * goes on with it, in a call of its own or in passing. What each step does is in ContinueEvent.ts.
 */

const connection = await network.create();
const { networkHelpers } = connection;

const PRICES = 12;
const CLASSES = 7;
/** About one class of prices. */
const STEP = 1.017;
const SIZE = "0.1";
/** Index of the signer who owns the long, and nothing else. */
const OWNER = 19;
/** Two cohorts. */
const STEPS = 16;
const EVENT_PENDING = 4n;
const FUND = 1;
const BOND = WHOLE / 10n;

type Stage = { readonly long: Trader; readonly shorts: readonly Trader[]; readonly world: World };

/** One long against a short in each of `cohorts` cohorts; then the price falls until the long has less than nothing. */
async function crowd(cohorts: number): Promise<Stage> {
  const world = await createWorld(connection);
  const { signers, openAccount, execute, setPrice, again } = world;
  const own = signers[OWNER];
  if (own === undefined) throw new Error("the network has accounts");
  const long = await openAccount(own, "12000");
  const shorts: Trader[] = [];
  for (let i = 0; i < PRICES; i += 1) {
    const price = (10_000 * STEP ** i).toFixed(1);
    const group: Trader[] = [];
    for (let j = 0; j < CLASSES && shorts.length + group.length < cohorts; j += 1) {
      const signer = signers[(i + j) % OWNER];
      if (signer !== undefined) group.push(await openAccount(signer, "3000"));
    }
    await setPrice(price);
    for (const [j, short] of group.entries()) {
      await execute(short, setLeverage(j), sell(price, SIZE, { timeInForce: "postOnly" }));
    }
    await again();
    await execute(
      long,
      buy(price, (Number(SIZE) * group.length).toFixed(1), { timeInForce: "ioc" }),
    );
    shorts.push(...group);
  }
  await setPrice("9000");
  return { world, long, shorts };
}

/** More cohorts than one call cuts and another finishes in passing. */
const far = () => crowd(PRICES * CLASSES);
/** So few more than one call cuts that any other call finishes them. */
const near = () => crowd(PRICES * CLASSES - 5);

const isStored = async ({ exchange }: World) =>
  ((await exchange.marketOf(BTC)).book.status & STATUS.event) !== 0n;

async function lotsLeft({ world, shorts }: Stage): Promise<number> {
  const lots = await Promise.all(
    shorts.map(({ account }) => world.exchange.positionOf(account, BTC)),
  );
  const { flow } = await world.exchange.marketOf(BTC);
  expect(lots).to.have.lengthOf(shorts.length);
  return Number(flow.openInterest);
}

describe("An event that one call does not finish", () => {
  it("waits in its market, and nobody does anything there meanwhile but cancel", async () => {
    const stage = await networkHelpers.loadFixture(far);
    const { world, long, shorts } = stage;
    const { exchange, execute, openTrader } = world;
    await expect(exchange.deleverage([long.account], 100, 0)).to.emit(exchange, "EventStored");
    expect(await isStored(world)).to.equal(true);

    const [short] = shorts as [Trader];
    const pending = [exchange, "EventPending"] as const;
    await expect(execute(short, buy("9000", SIZE)))
      .to.be.revertedWithCustomError(...pending)
      .withArgs(BTC);
    await expect(exchange.poke(BTC))
      .to.be.revertedWithCustomError(...pending)
      .withArgs(BTC);
    const withdrawing = exchange.connect(short.signer).withdraw(short.account, 1n, short.signer);
    await expect(withdrawing)
      .to.be.revertedWithCustomError(...pending)
      .withArgs(BTC);
    await expect(exchange.liquidate([short.account], 100, 0))
      .to.emit(exchange, "Skipped")
      .withArgs(short.account, EVENT_PENDING);
    expect(await isStored(world)).to.equal(true);

    // Other markets, cancelling, and whoever is not in it go on.
    await execute(short, cancelAll());
    const other = await openTrader("1000");
    await world.setPrice("1000", ETH);
    await execute(other, buy("1000", "0.1", { market: ETH }));
    await exchange.connect(other.signer).withdraw(other.account, 100n, other.signer);
  });

  it("is finished by anyone's calls, step by step, and everybody has what one call would have left", async () => {
    const stage = await networkHelpers.loadFixture(far);
    const { world, long, shorts } = stage;
    const { exchange, health } = world;
    const owed = -(await health(long)).health.equity;
    const before = await Promise.all(shorts.map(health));
    const fund = await exchange.balanceOf(FUND);
    expect(owed).to.be.greaterThan(1000n * WHOLE);
    await exchange.deleverage([long.account], 100, 0);
    const answers: boolean[] = [];
    while (await isStored(world)) {
      answers.push(await exchange.continueEvent.staticCall(BTC, STEPS, 0));
      await exchange.continueEvent(BTC, STEPS, 0);
    }
    expect(answers.length).to.be.greaterThan(2);
    expect(answers.indexOf(true)).to.equal(answers.length - 1);
    await expect(exchange.continueEvent(BTC, STEPS, 0))
      .to.be.revertedWithCustomError(exchange, "NoEventPending")
      .withArgs(BTC);

    expect(await lotsLeft(stage)).to.equal(0);
    const after = await Promise.all(shorts.map(health));
    const lost = before.reduce(
      (sum, { health: was }, i) => sum + was.equity - (after[i]?.health.equity ?? 0n),
      0n,
    );
    // What the long was missing, less what the fund had of fees and the bond that it got back for its cohort.
    const paid = fund - (await exchange.balanceOf(FUND)) + BOND;
    expect(lost).to.be.within(owed - paid, owed - paid + BigInt(shorts.length) * MICRO);
    expect((await health(long)).health.equity).to.equal(0n);
  });

  it("is finished in passing where little is left", async () => {
    const stage = await networkHelpers.loadFixture(near);
    const { world, long, shorts } = stage;
    const { exchange } = world;
    await exchange.deleverage([long.account], 100, 0);
    expect(await isStored(world)).to.equal(true);
    const [short] = shorts as [Trader];
    await expect(exchange.connect(short.signer).withdraw(short.account, 1n, short.signer))
      .to.emit(exchange, "EventFinished")
      .and.to.emit(exchange, "Withdrawn");
    expect(await isStored(world)).to.equal(false);
    expect(await lotsLeft(stage)).to.equal(0);
  });

  it("is finished in passing by a wave that names whoever stands in it", async () => {
    const { world, long, shorts } = await networkHelpers.loadFixture(near);
    const { exchange } = world;
    await exchange.deleverage([long.account], 100, 0);
    const [short] = shorts as [Trader];
    await expect(exchange.liquidate([short.account], 100, 0)).to.emit(exchange, "EventFinished");
    expect(await isStored(world)).to.equal(false);
  });
});
