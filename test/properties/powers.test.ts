import { expect } from "chai";
import { network } from "hardhat";
import { toMarketConfig } from "../../scripts/deploy/parameters.js";
import { createRandom } from "../../scripts/lib/random.js";
import { BTC, buy, createWorld, sell, setLeverage, TOKEN, WHOLE } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import { mutatingFunctions, outcomeOf } from "../lib/reverts.js";

/* What functions cannot do: take margin away that is needed (B4), or change by parameters what anybody has (H10). */

const connection = await network.create();
const { networkHelpers } = connection;

const SEED = 0xba11a57;
const CHANGES = 120;
const FIVE_TIMES = 3;
const CALM = { maxFunding: 0, interest: 0 };
const MAX = 2n ** 256n - 1n;

/** A long that has just what it needs and no more, its owner's second account, and somebody below maintenance whom it could take over. */
async function staged() {
  const world = await createWorld(connection, { overrides: CALM });
  const { exchange } = world;
  const [full, rich] = [await world.openTrader("3000"), await world.openTrader("1000000")];
  const second = await world.openAccount(full.signer, "0");
  const weak = await world.openTrader("300");
  await world.execute(full, setLeverage(FIVE_TIMES));
  await world.execute(weak, setLeverage(6));
  await world.trade(full, rich, { price: "10000", size: "1" });
  await world.trade(weak, rich, { price: "10000", size: "1" });
  await world.setPrice("9790");
  await world.execute(rich, sell("9790", "5"));
  await exchange.connect(full.signer).withdraw(full.account, MAX, full.signer);
  await exchange.poke(BTC);
  await world.ballast.token.mint(full.signer, TOKEN);
  return { world, full, second, weak, rich };
}

type Stage = Awaited<ReturnType<typeof staged>>;

/**
 * Every function of the exchange that can change something: how it ends when it would leave an account without the margin that it needs,
 * or why it never could.
 */
const JUDGED: Readonly<
  Record<string, readonly [end: string, call: (stage: Stage) => Promise<unknown>]>
> = {
  execute: [
    "MarginTooLow",
    async ({ world, full }) => world.execute(full, buy("9790", "0.1", { timeInForce: "ioc" })),
  ],
  depositAndExecute: [
    "MarginTooLow",
    async ({ world: { exchange, ballast }, full: { signer, account } }) => {
      await ballast.token.connect(signer).approve(ballast.vault, MAX);
      const order = buy("9790", "0.1", { timeInForce: "ioc" });
      return exchange.connect(signer).depositAndExecute(account, 1n, [order]);
    },
  ],
  takeover: [
    "MarginTooLow",
    async ({ world: { exchange }, full, weak }) =>
      exchange
        .connect(full.signer)
        .takeover(weak.account, full.account, BTC, 10n ** 7n, 10n ** 18n),
  ],
  withdraw: [
    "WithdrawalTooLarge",
    async ({ world: { exchange }, full }) =>
      exchange.connect(full.signer).withdraw(full.account, TOKEN, full.signer),
  ],
  transfer: [
    "WithdrawalTooLarge",
    async ({ world: { exchange }, full, second }) =>
      exchange.connect(full.signer).transfer(full.account, second.account, WHOLE),
  ],
};

const REVIEWED: Readonly<Record<string, string>> = {
  openAccount: "a new account has nothing",
  deposit: "adds margin",
  depositWithPermit: "adds margin",
  setOperator: "moves nothing; what an operator does is judged",
  setOperatorBySig: "moves nothing; what an operator does is judged",
  poke: "takes prices as they are",
  settle: "books what is there already, and changes no equity",
  liquidate: "sells for whoever is below maintenance; makers are checked at the fill",
  deleverage: "closes whoever is due; makers are checked at the fill",
  continueEvent: "goes on with what was fixed before",
  list: "a new market holds nobody's position",
  setConfig: "has a delay, during which everybody may leave",
  reduceRisk: "raises no maintenance margin",
  reopen: "lets a market grow again, by orders that are judged",
  windDown: "lets a market only shrink",
  setFeeShare: "divides fees between fund and treasury",
  bindFund: "once, before there is anything",
  payTreasury: "the treasury's own balance",
  simulate: "always reverts",
  setAuthority: "the manager's alone",
};

describe("functions of the exchange", () => {
  it("are all judged, or reviewed and left out for a reason (B4)", async () => {
    const { world } = await networkHelpers.loadFixture(staged);
    const named = [...Object.keys(JUDGED), ...Object.keys(REVIEWED)];
    expect(named.sort()).to.deep.equal([...new Set(mutatingFunctions(world.exchange))]);
  });

  for (const [name, [end, call]] of Object.entries(JUDGED)) {
    it(`refuse by ${name} what would leave too little margin (B4)`, async () => {
      const stage = await networkHelpers.loadFixture(staged);
      const { health } = await stage.world.health(stage.full);
      expect(health.equity - health.initial, "it has what it needs").to.be.within(0n, WHOLE);
      expect(await outcomeOf(async () => call(stage))).to.equal(end);
      // With margin to spare it is done.
      await stage.world.fund(stage.full, "5000");
      expect(await outcomeOf(async () => call(stage))).to.equal("done");
    });
  }
});

describe("a change of parameters", () => {
  const equities = async (world: World, traders: readonly Trader[]) => {
    const all = await world.lens.healths.staticCall(traders.map(({ account }) => account));
    return all.map(({ health }) => [health.equity, health.equityAtIndex, health.fresh]);
  };

  /** Positions at a profit and at a loss, fresh profit, and an order on each side. */
  async function populated() {
    const world = await createWorld(connection, { overrides: CALM });
    const traders: Trader[] = [];
    for (const deposit of ["5000", "50000", "50000", "100"]) {
      traders.push(await world.openTrader(deposit));
    }
    const [alice, bob, carol] = traders as [Trader, Trader, Trader];
    await world.trade(alice, bob, { price: "10000", size: "2" });
    await world.setPrice("10100");
    await world.trade(carol, alice, { price: "10100", size: "1" });
    await world.execute(bob, buy("10050", "0.5"), sell("10150", "0.5"));
    await world.setPrice("10200");
    return { world, traders };
  }

  it("moves nobody's equity, whatever it changes (H10)", async () => {
    const { world, traders } = await networkHelpers.loadFixture(populated);
    const { exchange, parameters } = world;
    const [market] = parameters.markets;
    if (market === undefined) throw new Error("there is a market");
    const config = toMarketConfig(market);
    const fields = Object.entries(config).filter(([, value]) => typeof value === "number");
    const random = createRandom(SEED);
    const before = await equities(world, traders);
    const changed = new Set<string>();
    for (let i = 0; i < CHANGES; i++) {
      const [name = "", value] = fields[i % fields.length] ?? [];
      const now = Number(value);
      const others = [Math.ceil(now * 1.3) + 1, Math.floor(now * 0.7), now + 1];
      const other = others[random.pick([1, 1, 1])] ?? now;
      const isDone = await outcomeOf(async () =>
        exchange.setConfig(BTC, { ...config, [name]: other }),
      );
      if (isDone === "done") changed.add(name);
      else expect(isDone).to.match(/^ParameterOutOfBounds$/);
      expect(await equities(world, traders), `${name} ${now} → ${other}`).to.deep.equal(before);
    }
    expect(changed.size, [...changed].join()).to.be.greaterThan(fields.length / 2);
  });
});
