import { expect } from "chai";
import { network } from "hardhat";
import { createRandom } from "../../scripts/lib/random.js";
import type { Random } from "../../scripts/lib/random.js";
import { BTC, buy, sell, setLeverage, toLots, toPrice, WHOLE } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import {
  CLASS,
  createSetting,
  deleverage,
  equityOf,
  expectFigures,
  fundOf,
  liquidate,
  withdrawAll,
} from "./setting.js";

/*
 * INV-18: every account of the market is one attacker's, and does whatever comes to its mind: trades with itself off the mark, takes over,
 * changes leverage, takes money out and pays it in. While prices move no faster than keepers come it never has more than it paid
 * in; when they jump, at most what the fund paid and the market owes.
 */

const connection = await network.create();

const SEED = 0xba11a57;
const FUND = "50000";
const DEPOSIT = 3000n;
const STEPS = 25;
/** How many times as far as a step a jump goes. */
const JUMP = 25;
/** What rounding may give an account in a settlement, times more than there are. */
const DUST = 10n ** 9n;

type Play = {
  readonly world: World;
  readonly random: Random;
  readonly traders: readonly Trader[];
  price: number;
  /** Quote. */
  out: bigint;
  done: number;
};

type Pace = {
  readonly accounts: number;
  /** Of the index a step, in hundredths of a percent. */
  readonly move: bigint;
  /** Every so many steps it is JUMP times as much; 0 is never. */
  readonly jumpEvery: number;
};

const textOf = (price: number) => price.toFixed(1);

async function createPlay({ accounts }: Pace, seed: number): Promise<Play> {
  const world = await createSetting(connection, { fund: FUND });
  const traders: Trader[] = [];
  for (let i = 0; i < accounts; i++) {
    const trader = await world.openTrader(String(DEPOSIT));
    await world.execute(trader, setLeverage(CLASS[50]));
    traders.push(trader);
  }
  // Neighbours begin with all that their margin carries.
  for (let i = 0; i + 1 < accounts; i += 2) {
    await world.again();
    const [long, short] = traders.slice(i, i + 2) as [Trader, Trader];
    await world.trade(long, short, { price: "10000", size: "12" });
  }
  return { world, random: createRandom(seed), traders, price: 10_000, out: 0n, done: 0 };
}

function anyOf({ random, traders }: Play): Trader {
  const found = traders[Number(random.between(0n, BigInt(traders.length - 1)))];
  if (found === undefined) throw new Error("the range is that of the list");
  return found;
}

/** A price up to 4 % off, most often near. */
function priceNear({ random, price }: Play): string {
  const width = random.uniform() < 0.5 ? 0.002 : 0.04;
  return textOf(price * (1 + width * (2 * random.uniform() - 1)));
}

async function trade(play: Play): Promise<void> {
  const { world, random } = play;
  const maker = anyOf(play);
  const others = play.traders.filter(({ account }) => account !== maker.account);
  const taker = others[Number(random.between(0n, BigInt(others.length - 1)))] ?? maker;
  const price = priceNear(play);
  const size = (random.uniform() * 10 + 0.1).toFixed(2);
  const isBuying = random.uniform() < 0.5;
  await world.execute(maker, isBuying ? sell(price, size) : buy(price, size));
  await world.execute(
    taker,
    isBuying ? buy(price, size, { timeInForce: "ioc" }) : sell(price, size, { timeInForce: "ioc" }),
  );
}

async function changeLeverage(play: Play): Promise<void> {
  const class_ = Number(play.random.between(5n, 6n));
  await play.world.execute(anyOf(play), setLeverage(class_));
}

async function takeOut(play: Play): Promise<void> {
  play.out += await withdrawAll(play.world, anyOf(play));
}

async function payIn(play: Play): Promise<void> {
  await play.world.fund(anyOf(play), "500");
  play.out -= 500n * WHOLE;
}

async function takeOver(play: Play): Promise<void> {
  const [from, to] = [anyOf(play), anyOf(play)];
  const worst = play.random.uniform() < 0.5 ? toPrice("20000") : 1n;
  await play.world.exchange
    .connect(to.signer)
    .takeover(from.account, to.account, BTC, toLots("20"), worst);
}

const ACTIONS = [trade, changeLeverage, takeOut, payIn, takeOver];
const WEIGHTS = [10, 2, 2, 1, 3];

/** Most of what it tries may be refused; what counts is that nothing that is not refused pays. */
async function act(play: Play): Promise<void> {
  const action = ACTIONS[play.random.pick(WEIGHTS)];
  await action?.(play).then(
    () => (play.done += 1),
    () => undefined,
  );
}

async function movePrice(play: Play, { move, jumpEvery }: Pace, step: number): Promise<void> {
  const { random } = play;
  const isJump = jumpEvery !== 0 && step % jumpEvery === 1;
  const small = Number(move) * (2 * random.uniform() - 1);
  const large = Number(move) * (random.uniform() < 0.5 ? JUMP : -JUMP);
  play.price *= 1 + (isJump ? large : small) / 10_000;
  await play.world.setPrice(textOf(play.price), BTC, 5n);
}

async function keep({ world, traders }: Play): Promise<void> {
  await liquidate(world, traders);
  await deleverage(world, traders);
}

/** What it has and took beyond what it paid in. */
async function excessOf({ world, traders, out }: Play): Promise<bigint> {
  const worth = await equityOf(world, traders);
  return worth + out - BigInt(traders.length) * DEPOSIT * WHOLE;
}

async function play(pace: Pace, seed: number) {
  const game = await createPlay(pace, seed);
  const { world } = game;
  const { fund, exchange } = world.ballast;
  const paidByFund = async () => {
    const draws = await exchange.queryFilter(exchange.filters.Deleveraged);
    return draws.reduce((sum, { args }) => {
      const { fundWithin, fundBeyond } = args.receipt;
      return sum + fundWithin + fundBeyond;
    }, 0n);
  };
  let most: bigint | undefined;
  for (let step = 0; step < STEPS; step++) {
    await movePrice(game, pace, step);
    await keep(game);
    for (let i = 0; i < 4; i++) await act(game);
    const excess = await excessOf(game);
    if (most === undefined || excess > most) most = excess;
    const { pool } = await exchange.marketOf(BTC);
    const bound = (await paidByFund()) + pool.shortfall;
    expect(excess, `seed ${seed}, step ${step}`).to.be.at.most(bound + DUST);
  }
  expect(await fund.totalAssets()).to.be.at.least(0n);
  const grown = (await fundOf(world)) - BigInt(FUND) * WHOLE;
  return { most: most ?? 0n, done: game.done, paid: await paidByFund(), grown };
}

describe("Attacks by a market of one's own", () => {
  for (const accounts of [3, 16]) {
    it(`never have more than was paid in while keepers keep up, with ${accounts} accounts`, async () => {
      const { most, done, paid } = await play(
        { accounts, move: 15n, jumpEvery: 0 },
        SEED + accounts,
      );
      expect(done).to.be.greaterThan(STEPS);
      expect(paid).to.equal(0n);
      expect(most).to.be.at.most(DUST);
    });
  }

  it("have at most what the fund paid and the market owes when prices jump", async () => {
    const { most, done, paid } = await play({ accounts: 8, move: 20n, jumpEvery: 6 }, SEED);
    expect(done).to.be.greaterThan(STEPS);
    expect(paid).to.be.greaterThan(0n);
    expectFigures("own-market", { most, paid }, { most: "9846.86", paid: "10514.92" });
  });
});
