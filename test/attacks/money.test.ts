import { expect } from "chai";
import { dataSlice, encodeBytes32String, getBytes, hexlify, MaxUint256, toBeHex } from "ethers";
import { network } from "hardhat";
import { toMarketConfig } from "../../scripts/deploy/parameters.js";
import type { MarketOverrides, MarketParameters } from "../../scripts/deploy/parameters.js";
import { BTC, TOKEN, WHOLE } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import { BalanceFund__factory } from "../../typechain-types/index.js";
import type { Setting } from "./setting.js";
import { createCoalition, createSetting, expectFigures, pair, profitOf } from "./setting.js";

/* Fees below zero, and tokens that nobody asked for. */

const connection = await network.create();
const { networkHelpers } = connection;
const setting = (options?: Setting) => createSetting(connection, options);
const defaults = () => setting();

/** Everything that somebody pays or is paid as a rate, and the most it may be. */
const RATES = {
  makerFee: 5000n,
  takerFee: 5000n,
  slip0: 5000n,
  liqSlip: 5000n,
  penalty: 5000n,
  callerShare: 500_000n,
  maxFunding: 40_000n,
  interest: 7500n,
} as const;

const WORD = 32;
const SELECTOR = 4;

function marketOf({ parameters }: World): MarketParameters {
  const [market] = parameters.markets;
  if (market === undefined) throw new Error("the defaults have a market");
  return market;
}

/** The call that sets one field of the market's configuration to a word that no encoder would make. */
function setConfigWith(world: World, field: string, word: string): string {
  const { interface: abi } = world.exchange;
  const config = toMarketConfig(marketOf(world));
  const data = abi.encodeFunctionData("setConfig", [BTC, config]);
  const fields = abi.getFunction("setConfig").inputs[1]?.components?.map(({ name }) => name) ?? [];
  const start = SELECTOR + WORD * (1 + fields.indexOf(field));
  const bytes = getBytes(data);
  bytes.set(getBytes(word), start);
  expect(dataSlice(data, 0, start)).to.equal(dataSlice(hexlify(bytes), 0, start));
  return hexlify(bytes);
}

describe("Attacks with money", () => {
  describe("a fee below zero", () => {
    for (const [field, bound] of Object.entries(RATES)) {
      it(`cannot be written as ${field}, nor one above its bound`, async () => {
        const world = await networkHelpers.loadFixture(defaults);
        const { exchange, deployer } = world;
        const to = await exchange.getAddress();
        // −1, and −1 of the field's own width.
        for (const word of [toBeHex(MaxUint256, WORD), toBeHex(2n ** 24n, WORD)]) {
          const data = setConfigWith(world, field, word);
          await expect(deployer.sendTransaction({ to, data })).to.revert(connection.ethers);
        }
        const above = setConfigWith(world, field, toBeHex(bound + 1n, WORD));
        await expect(deployer.sendTransaction({ to, data: above }))
          .to.be.revertedWithCustomError(exchange, "ParameterOutOfBounds")
          .withArgs(encodeBytes32String(field), bound + 1n, bound);
        const at = setConfigWith(world, field, toBeHex(bound, WORD));
        await deployer.sendTransaction({ to, data: at });
      });
    }

    it("cannot be written as the fund's share", async () => {
      const { exchange } = await networkHelpers.loadFixture(defaults);
      await expect(exchange.setFeeShare(1_000_001))
        .to.be.revertedWithCustomError(exchange, "ParameterOutOfBounds")
        .withArgs(encodeBytes32String("fundShare"), 1_000_001n, 1_000_000n);
    });

    /** Ten round trips between two accounts of one owner. */
    async function wash(overrides: MarketOverrides): Promise<bigint> {
      const world = await setting({ overrides });
      const coalition = await createCoalition(world, ["20000", "20000"]);
      const [one, other] = coalition.traders as [Trader, Trader];
      for (let i = 0; i < 5; i++) {
        for (const sides of [[one, other] as const, [other, one] as const]) {
          await pair(world, sides, { price: "10000", size: "1", leverage: 10 });
        }
      }
      return profitOf(world, coalition);
    }

    it("is none even at the lowest: trading with oneself brings nothing, and costs by default", async () => {
      const control = await wash({ makerFee: 0, takerFee: 0 });
      const found = await wash({});
      // A wei may stay with the protocol.
      expect(control).to.be.within(-10n, 0n);
      // A hundred thousand traded, at 0.06 %.
      expect(found).to.be.closeTo(-60n * WHOLE, 10n);
      expectFigures("wash", { control, default: found }, { control: "0.00", default: "-60.00" });
    });
  });

  describe("tokens that are given away", () => {
    it("change no account, no share and no figure of the fund", async () => {
      const world = await setting({ fund: "1000" });
      const { exchange, token, vault, fund, oracle } = world.ballast;
      const trader = await world.openTrader("1000");
      const read = async () => [
        await exchange.balanceOf(trader.account),
        await exchange.balanceOf(1),
        await vault.tracked(),
        await fund.totalAssets(),
        await fund.convertToAssets(10n ** 12n),
        (await world.health(trader)).withdrawable,
      ];
      const before = await read();
      for (const to of [exchange, vault, fund, oracle]) await token.mint(to, 1_000_000n * TOKEN);
      expect(await read()).to.deep.equal(before);
    });

    /**
     * The first to pay in pays one, gives away ten thousand, and hopes that who comes next gets one share for nearly twice as much.
     */
    async function inflate(isNaive: boolean): Promise<bigint> {
      const world = await setting();
      const { token } = world.ballast;
      const [attacker, victim] = [world.signers[3], world.signers[4]];
      if (attacker === undefined || victim === undefined) throw new Error("there are accounts");
      const naive = await new BalanceFund__factory(world.deployer).deploy(token);
      const fund = isNaive ? naive : world.ballast.fund;
      const gift = 10_000n * TOKEN;
      for (const who of [attacker, victim]) {
        await token.mint(who, 3n * gift);
        await token.connect(who).approve(fund, MaxUint256);
      }
      const before = await token.balanceOf(attacker);
      await fund.connect(attacker).deposit(1n, attacker);
      await token.connect(attacker).transfer(fund, gift);
      await fund.connect(victim).deposit(2n * gift - 1n, victim);
      const shares = await fund.balanceOf(attacker);
      if (isNaive) await naive.connect(attacker).redeem(shares);
      else {
        await world.ballast.fund.connect(attacker).requestExit(shares);
        await world.pass(864_000n);
        await world.ballast.fund.executeExit(attacker);
        // The victim's shares are worth what it paid, but for one.
        const worth = await world.ballast.fund.convertToAssets(await fund.balanceOf(victim));
        expect(worth).to.be.within(2n * gift - 2n, 2n * gift - 1n);
      }
      return ((await token.balanceOf(attacker)) - before) * (WHOLE / TOKEN);
    }

    it("pay the first depositor of a fund that looks at its balance, and cost it in ours", async () => {
      const control = await inflate(true);
      const found = await inflate(false);
      expect(control).to.be.greaterThan(4000n * WHOLE);
      expect(found).to.be.at.most(-10_000n * WHOLE);
      expectFigures(
        "donation",
        { control, default: found },
        { control: "4999.99", default: "-10000.00" },
      );
    });
  });
});
