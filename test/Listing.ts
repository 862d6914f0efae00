import { expect } from "chai";
import { network } from "hardhat";
import { encodeBytes32String } from "ethers";
import { parseParameters, readParameters, toMarketConfig } from "../scripts/deploy/parameters.js";
import { FUNCTIONS, ROLE_IDS, ROLE_NAMES } from "../scripts/deploy/roles.js";
import { BTC, TOKEN, buy, createWorld, sell, setLeverage } from "./fixtures.js";
import type { World } from "./fixtures.js";

const connection = await network.create();
const { networkHelpers } = connection;

type Config = ReturnType<typeof toMarketConfig>;

function configOf(world: World): Config {
  const [market] = world.parameters.markets;
  if (market === undefined) throw new Error("there is a market");
  return toMarketConfig(market);
}

describe("Exchange: listing and roles", () => {
  const world = () => createWorld(connection);

  describe("bounds", () => {
    const HALF_MAINTENANCE = 5_000;
    const cases: [string, Partial<Config>, string, number, number][] = [
      ["a unit of zero", { unit: 0n }, "unit", 0, 1],
      ["a mark far from the index", { maxDeviation: 50_001 }, "maxDeviation", 50_001, 50_000],
      ["more leverage than there is", { maxLeverage: 8 }, "maxLeverage", 8, 7],
      ["a default above the cap", { defaultLeverage: 7 }, "defaultLeverage", 7, 6],
      ["tiers that get cheaper", { tierLeverage2: 51 }, "tierLeverage2", 51, 50],
      ["tiers of no leverage", { tierLeverage4: 0 }, "tierLeverage4", 0, 1],
      ["caps that fall", { tierCap3: 1 }, "tierCap3", 1, 5_000_000],
      ["a maker fee above half a percent", { makerFee: 5_001 }, "makerFee", 5_001, 5_000],
      ["a taker fee above half a percent", { takerFee: 5_001 }, "takerFee", 5_001, 5_000],
      ["a band above 20 percent", { band: 200_001 }, "band", 200_001, 200_000],
      ["jumps of less than a percent", { maxJump: 9_999 }, "maxJump", 9_999, 10_000],
      ["more concentration than ten", { concentration: 101 }, "concentration", 101, 100],
      ["accounts that may hold nothing", { accountShare: 0 }, "accountShare", 0, 1],
      ["accounts beyond the market", { accountShare: 101 }, "accountShare", 101, 100],
      ["a crowd beyond the cap", { crowdingFrom: 101 }, "crowdingFrom", 101, 100],
      ["more than six deviations", { volatilityFactor: 61 }, "volatilityFactor", 61, 60],
      ["a horizon above an hour", { volatilityHorizon: 3601 }, "volatilityHorizon", 3601, 3600],
      ["a storm that is soon over", { volatilityWindow: 599 }, "volatilityWindow", 599, 600],
      ["a storm without end", { volatilityWindow: 604_801 }, "volatilityWindow", 604_801, 604_800],
      ["a move of nothing", { move: 999 }, "move", 999, 1000],
      ["more than all of the cap", { topShare: 101 }, "topShare", 101, 100],
      ["a start of nothing", { capStart: 0 }, "capStart", 0, 1],
      ["a start beyond the cap", { capStart: 101 }, "capStart", 101, 100],
      ["a cap that never comes", { capRamp: 7_776_001 }, "capRamp", 7_776_001, 7_776_000],
      ["no drawdown at all", { drawdownLimit: 9_999 }, "drawdownLimit", 9_999, 10_000],
      ["a last price of a moment", { windWindow: 599 }, "windWindow", 599, 600],
      ["an end without end", { windWindow: 2_592_001 }, "windWindow", 2_592_001, 2_592_000],
      // 3 % and 2 % of costs and funding of a minute, against half of a tenth.
      ["margin below a stated move", { move: 30_000 }, "envelope", 50_016, 50_000],
      [
        "the same at five times",
        { move: 80_000, maxLeverage: 3, defaultLeverage: 3 },
        "envelope",
        100_016,
        100_000,
      ],
      ["a jump that hardly waits", { maxPending: 9 }, "maxPending", 9, 10],
      ["a jump that waits too long", { maxPending: 601 }, "maxPending", 601, 600],
      ["funding above 4 percent", { maxFunding: 40_001 }, "maxFunding", 40_001, 40_000],
      ["slip above half of maintenance", { slip0: 5_001 }, "slip0", 5_001, HALF_MAINTENANCE],
      ["a sale far from mark", { liqSlip: 5_001 }, "liqSlip", 5_001, HALF_MAINTENANCE],
      ["a large penalty", { penalty: 5_001 }, "penalty", 5_001, HALF_MAINTENANCE],
      ["no clock", { clock: 0 }, "clock", 0, 1],
      ["a large event budget", { eventBudget: 800_001 }, "eventBudget", 800_001, 800_000],
      ["a day below an event", { dayBudget: 199_999 }, "dayBudget", 199_999, 200_000],
      ["a share below an event", { marketShare: 199_999 }, "marketShare", 199_999, 200_000],
      [
        "a bond above the least notional",
        { cohortBond: 10_000_001 },
        "cohortBond",
        10_000_001,
        10_000_000,
      ],
      ["epochs of no time", { freshEpoch: 59 }, "freshEpoch", 59, 60],
    ];
    for (const [what, change, name, value, bound] of cases) {
      it(`refuses ${what}`, async () => {
        const created = await networkHelpers.loadFixture(world);
        const config = { ...configOf(created), ...change };
        await expect(created.exchange.list("X", config))
          .to.be.revertedWithCustomError(created.exchange, "ParameterOutOfBounds")
          .withArgs(encodeBytes32String(name), value, bound);
      });
    }

    it("lists up to 48 markets", async () => {
      const created = await networkHelpers.loadFixture(world);
      const config = configOf(created);
      for (let id = 2; id < 48; id++) await created.exchange.list(`M${id}`, config);
      await expect(created.exchange.list("one more", config))
        .to.be.revertedWithCustomError(created.exchange, "TooManyMarkets")
        .withArgs(49, 48);
    });
  });

  describe("setConfig", () => {
    it("changes what may change", async () => {
      const created = await networkHelpers.loadFixture(world);
      await created.exchange.setConfig(BTC, { ...configOf(created), takerFee: 700 });
      expect((await created.exchange.configOf(BTC)).takerFee).to.equal(700n);
    });

    it("leaves alone what stored amounts are counted in", async () => {
      const created = await networkHelpers.loadFixture(world);
      const config = configOf(created);
      for (const [name, value, old] of [
        ["unit", 2n, 10n ** 9n],
        ["lotDecimals", 7, 8],
        ["cohortBond", 1, 100_000],
        ["freshEpoch", 241, 240],
        ["quantityRule", 1, 0],
        ["deficitRule", 1, 0],
      ] as const) {
        await expect(created.exchange.setConfig(BTC, { ...config, [name]: value }))
          .to.be.revertedWithCustomError(created.exchange, "ParameterOutOfBounds")
          .withArgs(encodeBytes32String(name), value, old);
      }
    });
  });

  describe("reduceRisk", () => {
    it("only goes down", async () => {
      const { exchange } = await networkHelpers.loadFixture(world);
      await exchange.reduceRisk(BTC, 100n, 5, false);
      const config = await exchange.configOf(BTC);
      expect([config.openInterestCap, config.maxLeverage]).to.deep.equal([100n, 5n]);
      await expect(exchange.reduceRisk(BTC, 101n, 5, false))
        .to.be.revertedWithCustomError(exchange, "ParameterOutOfBounds")
        .withArgs(encodeBytes32String("openInterestCap"), 101, 100);
      await expect(exchange.reduceRisk(BTC, 100n, 6, false))
        .to.be.revertedWithCustomError(exchange, "ParameterOutOfBounds")
        .withArgs(encodeBytes32String("maxLeverage"), 6, 5);
    });

    it("can let a market only shrink; closing stays open to everyone", async () => {
      const { exchange, openTrader, trade, execute } = await networkHelpers.loadFixture(world);
      const [alice, bob] = [await openTrader("5000"), await openTrader("5000")];
      await trade(alice, bob, { price: "10000", size: "1" });
      await exchange.reduceRisk(BTC, 10n ** 12n, 6, true);
      await expect(execute(alice, buy("9900", "0.1")))
        .to.be.revertedWithCustomError(exchange, "ReduceOnly")
        .withArgs(BTC);
      await execute(bob, buy("10000", "0.5", { reduceOnly: true }));
      await execute(alice, sell("10000", "0.5", { reduceOnly: true, timeInForce: "ioc" }));
      expect((await exchange.positionOf(alice.account, BTC)).lots).to.equal(50_000_000n);
      await exchange.reopen(BTC);
      await execute(alice, buy("9900", "0.1"));
    });

    it("caps the leverage that may be chosen from then on", async () => {
      const { exchange, openTrader, execute } = await networkHelpers.loadFixture(world);
      const alice = await openTrader("100");
      await exchange.reduceRisk(BTC, 10n ** 12n, 4, false);
      await expect(execute(alice, setLeverage(5)))
        .to.be.revertedWithCustomError(exchange, "LeverageTooHigh")
        .withArgs(5, 4);
    });
  });

  describe("roles", () => {
    it("are asked for by every restricted function", async () => {
      const created = await networkHelpers.loadFixture(world);
      const [, , stranger] = created.signers;
      if (stranger === undefined) throw new Error("the network has accounts");
      const config = configOf(created);
      const exchange = created.exchange.connect(stranger);
      const oracle = created.ballast.oracle.connect(stranger);
      const feed = created.ballast.signedFeed.connect(stranger);
      const calls: Record<string, () => Promise<unknown>> = {
        list: () => exchange.list("X", config),
        setConfig: () => exchange.setConfig(0, config),
        reopen: () => exchange.reopen(0),
        windDown: () => exchange.windDown(0),
        setFeeShare: () => exchange.setFeeShare(1),
        bindFund: () => exchange.bindFund(stranger.address),
        reduceRisk: () => exchange.reduceRisk(0, 0, 0, true),
        payTreasury: () => exchange.payTreasury(1n, stranger.address),
        setSources: () => oracle.setSources(0, [], []),
        setBounds: () => oracle.setBounds(0, 0n, 1n),
        setSigner: () => feed.setSigner(stranger.address, true),
        setThreshold: () => feed.setThreshold(1),
      };
      const named = Object.values(FUNCTIONS).flatMap((roles) => Object.values(roles).flat());
      expect(Object.keys(calls).sort()).to.deep.equal([...named].sort());
      for (const call of Object.values(calls)) {
        await expect(call())
          .to.be.revertedWithCustomError(created.exchange, "AccessManagedUnauthorized")
          .withArgs(stranger.address);
      }
    });

    it("go to who was named, with the delay, and the deployer keeps none", async () => {
      const created = await networkHelpers.loadFixture(world);
      const [, admin, listing, guardian, treasury, oracle] = created.signers.map((s) => s.address);
      const { deployBallast } = await import("../scripts/deploy/deploy.js");
      const { checkDeployment } = await import("../scripts/deploy/check.js");
      const parameters = parseParameters({
        ...readParameters("scripts/deploy/parameters/default.json"),
        roles: { admin, listing, guardian, treasury, oracle },
      });
      const other = await network.create();
      const ballast = await deployBallast(other, parameters);
      const { roles } = ballast;
      const deployer = created.deployer.address;
      expect(await checkDeployment({ ballast, parameters, deployer })).to.deep.equal([]);
      for (const role of ROLE_NAMES) {
        const [isMember, delay] = await roles.hasRole(ROLE_IDS[role], parameters.roles[role] ?? "");
        expect([isMember, delay], role).to.deep.equal([true, role === "guardian" ? 0n : 172_800n]);
        // Whatever waits can be cancelled by the guardian.
        const wanted = role === "guardian" ? 0n : ROLE_IDS.guardian;
        expect(await roles.getRoleGuardian(ROLE_IDS[role]), role).to.equal(wanted);
      }
      expect(await roles.hasRole(0n, deployer)).to.deep.equal([false, 0n]);
      const [lister] = (await other.ethers.getSigners()).slice(2);
      const asLister = lister === undefined ? ballast.exchange : ballast.exchange.connect(lister);
      await expect(asLister.setFeeShare(1)).to.be.revertedWithCustomError(
        roles,
        "AccessManagerNotScheduled",
      );
      await other.close();
    });

    it("cannot bind a second fund", async () => {
      const { exchange, ballast, deployer } = await networkHelpers.loadFixture(world);
      await expect(exchange.bindFund(deployer.address))
        .to.be.revertedWithCustomError(exchange, "FundAlreadyBound")
        .withArgs(await ballast.fund.getAddress());
    });
  });

  describe("fees", () => {
    it("go to the fund while it is empty, and to the treasury by the share when it is full", async () => {
      const { exchange, openTrader, trade, fillFund, deployer } =
        await networkHelpers.loadFixture(world);
      const [alice, bob] = [await openTrader("50000"), await openTrader("50000")];
      await trade(alice, bob, { price: "10000", size: "1" });
      await exchange.poke(BTC);
      // 0.05 % and 0.01 % of 10,000.
      expect(await exchange.balanceOf(1)).to.equal(6n * 10n ** 18n);
      expect(await exchange.balanceOf(2)).to.equal(0n);
      await fillFund("10000");
      await trade(alice, bob, { price: "10000", size: "1" });
      await exchange.poke(BTC);
      expect(await exchange.balanceOf(2)).to.equal(48n * 10n ** 17n);
      await exchange.payTreasury(4n * TOKEN, deployer.address);
      expect(await exchange.balanceOf(2)).to.equal(8n * 10n ** 17n);
      await expect(exchange.payTreasury(TOKEN, deployer.address))
        .to.be.revertedWithCustomError(exchange, "WithdrawalTooLarge")
        .withArgs(TOKEN, 800_000n);
    });
  });
});
