import { expect } from "chai";
import { isError } from "ethers";
import { network } from "hardhat";
import { settledPosition } from "../../scripts/lib/cohorts.js";
import { createRandom } from "../../scripts/lib/random.js";
import type { Random } from "../../scripts/lib/random.js";
import type { State } from "../../scripts/lib/state.js";
import { ALL_RULES } from "../../scripts/lib/receipts.js";
import {
  BTC,
  cancel,
  cancelAll,
  createWorld,
  ETH,
  LONG,
  order,
  setLeverage,
  SHORT,
} from "../../scripts/lib/world.js";
import type { Trader, World } from "../../scripts/lib/world.js";
import { watch } from "../invariants.js";

/* Random play on the real exchange. Nothing is expected of the moves; after each of them the books must be right. */

const connection = await network.create();
const SEED = Number(process.env.PLAY_SEED ?? 0xba11a57);
const POOR = 4;
const MOVES = Number(process.env.PLAY_MOVES ?? 60);
const SEEDS = Number(process.env.PLAY_SEEDS ?? 1);
/** The first is where most of it happens. */
const MARKETS = [BTC, BTC, BTC, ETH];

type Play = {
  readonly world: World;
  readonly random: Random;
  readonly traders: readonly Trader[];
  /** In hundredths of a settlement unit, by market. */
  readonly prices: number[];
};

function pickFrom<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[random.pick(items.map(() => 1))];
  if (item === undefined) throw new RangeError("there are items");
  return item;
}

const text = (hundredths: number) => (hundredths / 100).toFixed(1);

/** The rich quote both sides of a market, a little away from its price. */
function quote({ world, random, traders, prices }: Play, market: number): Promise<unknown> {
  const price = prices[market] ?? 0;
  const orders = [LONG, SHORT, LONG, SHORT].map((side) => {
    const away = (0.001 + random.uniform() * 0.01) * (side === LONG ? -1 : 1);
    const size = ((200 + random.uniform() * 5_000) * 100) / price;
    const at = {
      price: text(Math.round(price * (1 + away))),
      size: size.toFixed(5),
    };
    return order(side, at, { market });
  });
  return world.execute(pickFrom(random, traders.slice(POOR)), cancelAll(market), ...orders);
}

/** The poor take as much as their margin allows, or give some of it back. */
async function bet(play: Play): Promise<unknown> {
  const { world, random, traders, prices } = play;
  const market = pickFrom(random, MARKETS);
  if (random.uniform() < 0.7) await quote(play, market);
  const price = prices[market] ?? 0;
  const side = pickFrom(random, [LONG, SHORT]);
  const worst = price * (side === LONG ? 1.02 : 0.98);
  const size = ((10 + random.uniform() * 4_000) * 100) / price;
  const at = { price: text(Math.round(worst)), size: size.toFixed(5) };
  const options = {
    market,
    reduceOnly: random.uniform() < 0.1,
    timeInForce: random.uniform() < 0.8 ? "ioc" : "gtc",
  } as const;
  return world.execute(pickFrom(random, traders.slice(0, POOR)), order(side, at, options));
}

/** A jump, what keepers do at once, and what is left to do when the clock has run out. */
async function movePrice(play: Play): Promise<void> {
  const { world, random, prices, traders } = play;
  const market = pickFrom(random, MARKETS);
  const size = random.uniform() < 0.6 ? 0.04 : 0.01;
  const price = (prices[market] ?? 0) * (1 + random.normal() * size);
  prices[market] = Math.max(Math.round(price), 5_000);
  const seconds = pickFrom(random, [2n, 10n, 60n, 300n]);
  await world.setPrice(text(prices[market]), market, seconds);
  if (market === BTC) await world.setPrice(text(prices[ETH] ?? 0), ETH);
  const accounts = traders.map(({ account }) => account);
  const keeper = pickFrom(random, accounts);
  if (random.uniform() < 0.7) await world.exchange.liquidate(accounts, 50, keeper);
  if (random.uniform() < 0.7) await world.exchange.deleverage(accounts, 50, keeper);
}

async function keepFresh({ world, prices }: Play): Promise<void> {
  for (const market of [BTC, ETH]) await world.setPrice(text(prices[market] ?? 0), market);
}

const MOVE_KINDS: readonly [weight: number, move: (play: Play) => Promise<unknown>][] = [
  [8, bet],
  [5, movePrice],
  [
    1,
    ({ world, random, traders }) =>
      world.execute(
        pickFrom(random, traders),
        pickFrom(random, [cancel(0), cancel(1), cancelAll(BTC), cancelAll(ETH)]),
      ),
  ],
  [
    1,
    ({ world, random, traders }) =>
      world.execute(
        pickFrom(random, traders),
        setLeverage(Number(random.between(0n, 7n)), pickFrom(random, MARKETS)),
      ),
  ],
  [
    2,
    ({ world, random, traders }) =>
      world.exchange.settle(pickFrom(random, traders).account, pickFrom(random, MARKETS)),
  ],
  [
    1,
    ({ world, random, traders }) => {
      const { signer, account } = pickFrom(random, traders);
      return world.exchange
        .connect(signer)
        .withdraw(account, random.between(1n, 500_000_000n), signer.address);
    },
  ],
  [1, ({ world, random, traders }) => world.fund(pickFrom(random, traders), "300")],
];

/** The mirror of the settlement against the exchange's own code, to the wei. */
async function expectSettled({ world, traders }: Play, state: State): Promise<void> {
  for (const { account } of traders) {
    for (const shown of await world.lens.positions.staticCall(account)) {
      const market = state.markets.get(Number(shown.market));
      const position = market?.positions.get(account);
      if (market === undefined || position === undefined) throw new Error("the lens shows it");
      const { lots, cost, cash, haircut } = settledPosition(market, position);
      const said = [shown.lots, shown.cost, shown.pendingCash, shown.pendingHaircut];
      expect([lots, cost, cash, haircut], `account ${account}`).to.deep.equal(said);
    }
  }
}

async function makeMove(play: Play): Promise<void> {
  const kind = MOVE_KINDS[play.random.pick(MOVE_KINDS.map(([weight]) => weight))];
  try {
    await kind?.[1](play);
  } catch (error) {
    // Refused: an order without margin, a price too old. What is not refused is audited.
    if (!(error instanceof Error) || !/revert/.test(error.message)) throw error;
    if (isError(error, "TIMEOUT")) throw error;
  }
}

describe("auditor at random play", () => {
  for (const rules of ALL_RULES) {
    for (let seed = 0; seed < SEEDS; seed++) {
      it(`agrees by ${rules.quantity} and ${rules.deficit}, seed ${SEED + seed}`, async function () {
        this.timeout(0);
        const { quantity: quantityRule, deficit: deficitRule } = rules;
        const overrides = { quantityRule, deficitRule };
        const world = await createWorld(connection, { overrides });
        const watcher = await watch(world.exchange, connection.ethers.provider);
        const traders: Trader[] = [];
        for (let i = 0; i < 6; i++) traders.push(await world.openTrader(i < 4 ? "200" : "5000"));
        await world.fillFund("10");
        const random = createRandom(SEED + seed);
        for (const trader of traders)
          await world.execute(trader, setLeverage(5), setLeverage(6, ETH));
        const play: Play = {
          world,
          random,
          traders,
          prices: [1_000_000, 100_000],
        };
        await keepFresh(play);
        for (let i = 0; i < MOVES; i++) {
          await makeMove(play);
          if (i % 16 === 15) await keepFresh(play);
          await watcher.check();
          if (i % 8 === 0) await expectSettled(play, watcher.state());
        }
        expect(await world.exchange.accountCount()).to.equal(15n);
      });
    }
  }
});
