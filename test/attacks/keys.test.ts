import { expect } from "chai";
import { network } from "hardhat";
import type { BaseContract } from "ethers";
import { encodeBytes32String, parseUnits, ZeroAddress, ZeroHash } from "ethers";
import { toMarketConfig } from "../../scripts/deploy/parameters.js";
import { FUNCTIONS, ROLE_IDS, ROLE_NAMES } from "../../scripts/deploy/roles.js";
import { signPrice } from "../../scripts/lib/feed.js";
import { BTC, ETH, TOKEN, WHOLE, buy, cancel, createWorld, sell, toPrice } from "../fixtures.js";
import type { Trader, World } from "../fixtures.js";
import { SILENT, mutatingFunctions, outcomeOf } from "../lib/reverts.js";

/*
 * Somebody has every key: admin, listing, guardian, treasury and oracle are one address that is not the deployer's. What can he
 * take, and when?
 */

const connection = await network.create();
const { networkHelpers, ethers } = connection;

const DELAY = 172_800n;
const ADMIN_ROLE = 0n;
const FUND = 1;
const TREASURY = 2;
const SIX_HOURS = 21_600n;
/** Funding is left out, so that whatever changes hands is an attack's doing. */
const CALM = { maxFunding: 0, interest: 0 };

type Stage = Awaited<ReturnType<typeof stageWith>>;

async function stageWith(delay: number) {
  const thief = (await ethers.getSigners())[18];
  if (thief === undefined) throw new Error("the network has accounts");
  const { address } = thief;
  const roles = {
    admin: address,
    listing: address,
    guardian: address,
    treasury: address,
    oracle: address,
  };
  const world = await createWorld(connection, { overrides: CALM, deployment: { roles, delay } });
  await world.fillFund("10000");
  const [alice, bob] = [await world.openTrader("3000"), await world.openTrader("30000")];
  const carol = await world.openTrader("500");
  await world.trade(alice, bob, { price: "10000", size: "1" });
  await world.execute(bob, buy("9900", "0.1"), sell("10100", "0.1"));
  await world.exchange.poke(BTC);
  return { ...world, thief, users: [alice, bob, carol] as const, alice, bob, carol };
}

const delayed = () => stageWith(Number(DELAY));
const undelayed = () => stageWith(0);

/** Every contract that has functions for a role, or that moves money. */
function contractsOf({ ballast }: World) {
  const { exchange, oracle, signedFeed, roles, vault, fund } = ballast;
  return { exchange, oracle, signedFeed, roles, vault, fund };
}

function addressesOf({ ballast }: World) {
  const at = (name: string): string => ballast.addresses[name] ?? "";
  return { exchange: at("exchange"), roles: at("roles"), vault: at("vault"), token: at("token") };
}

type ContractName = keyof ReturnType<typeof contractsOf>;

/** What users and the house have: equity of each user, the fund, the treasury; and what the thief holds. */
async function wealth({ users, health, exchange, ballast, thief }: Stage) {
  const equities = await Promise.all(users.map(async (user) => (await health(user)).health.equity));
  return {
    users: equities.reduce((sum, equity) => sum + equity, 0n),
    fund: await exchange.balanceOf(FUND),
    treasury: await exchange.balanceOf(TREASURY),
    vault: await ballast.vault.tracked(),
    thief: await ballast.token.balanceOf(thief.address),
  };
}

/** Waits, with prices that stay what they are. */
async function wait({ again, pass }: World, seconds: bigint): Promise<void> {
  for (let left = seconds; left > 0n; left -= SIX_HOURS) {
    await pass(left < SIX_HOURS ? left : SIX_HOURS);
    await again();
  }
}

/** A market at its worst: one tier without leverage, and the highest fees and penalty that fit it. */
function worstConfig({ parameters }: World) {
  const [market] = parameters.markets;
  if (market === undefined) throw new Error("there is a market");
  return {
    ...toMarketConfig(market),
    maxLeverage: 0,
    defaultLeverage: 0,
    tierLeverage1: 1,
    tierLeverage2: 1,
    tierLeverage3: 1,
    tierLeverage4: 1,
    makerFee: 5_000,
    takerFee: 5_000,
    penalty: 250_000,
    callerShare: 500_000,
  };
}

type Attack = {
  readonly on: ContractName;
  readonly name: string;
  readonly args: readonly unknown[];
  /** How it ends before the delay is over. */
  readonly ends: string;
};

const WAITS = "AccessManagerNotScheduled";

/** Each restricted function with what a thief would ask for. The roles' own functions come after it. */
function attacksOf(stage: Stage): Attack[] {
  const { thief, ballast } = stage;
  const { exchange, roles, vault, token } = ballast;
  const me = thief.address;
  const at = addressesOf(stage);
  const config = worstConfig(stage);
  const [own, pay] = [ROLE_IDS.listing, exchange.interface.getFunction("payTreasury").selector];
  const robs = exchange.interface.encodeFunctionData("payTreasury", [1n, me]);
  const grants = roles.interface.encodeFunctionData("grantRole", [own, me, 0n]);
  const on =
    (contract: ContractName, ends = WAITS) =>
    (name: string, ...args: unknown[]): Attack => ({ on: contract, name, args, ends });
  const [toExchange, toOracle, toFeed, toRoles] = [
    on("exchange"),
    on("oracle"),
    on("signedFeed"),
    on("roles"),
  ];
  return [
    toExchange("list", "MINE", config),
    toExchange("setConfig", BTC, config),
    toExchange("reopen", BTC),
    toExchange("windDown", BTC),
    toExchange("setFeeShare", 0),
    toExchange("bindFund", me),
    toExchange("payTreasury", 1n, me),
    on("exchange", "done")("reduceRisk", BTC, 0n, 0, true),
    on("exchange", "AccessManagedUnauthorized")("setAuthority", me),
    toOracle("setSources", BTC, [], []),
    toOracle("setBounds", BTC, 0n, 1n),
    on("oracle", "AccessManagedUnauthorized")("setAuthority", me),
    toFeed("setSigner", me, true),
    toFeed("setThreshold", 1),
    on("signedFeed", "AccessManagedUnauthorized")("setAuthority", me),
    on("vault", "NotExchange")("pay", me, me, 1n),
    on("vault", "NotExchange")("pull", me, stage.alice.signer.address, 1n),
    on("vault", "NotExchange")("pullWithPermit", me, me, 1n, [1n, 27, ZeroHash, ZeroHash]),
    toRoles("grantRole", own, me, 0n),
    toRoles("revokeRole", own, me),
    toRoles("labelRole", own, "mine"),
    toRoles("setRoleAdmin", own, own),
    toRoles("setRoleGuardian", own, own),
    toRoles("setGrantDelay", own, 0n),
    toRoles("setTargetAdminDelay", at.exchange, 0n),
    toRoles("setTargetClosed", at.exchange, true),
    // The guardian has no delay: whatever is moved to that role could be called at once.
    toRoles("setTargetFunctionRole", at.exchange, [pay], ROLE_IDS.guardian),
    toRoles("updateAuthority", at.exchange, me),
    toRoles("execute", at.exchange, robs),
    toRoles("execute", at.roles, grants),
    toRoles("execute", at.vault, vault.interface.encodeFunctionData("pay", [me, me, 1n])),
    toRoles("execute", at.token, token.interface.encodeFunctionData("transfer", [me, 1n])),
    toRoles("multicall", [grants]),
    toRoles("cancel", me, at.exchange, robs),
    // He is not a contract that could say it consumes a call.
    on("roles", SILENT)("consumeScheduledOp", me, robs),
    on("roles", "AccessManagerUnauthorizedCall")("schedule", at.exchange, robs, 1n),
    on("roles", "AccessManagerBadConfirmation")("renounceRole", own, ZeroAddress),
  ];
}

async function attempt({ thief, ...stage }: Stage, { on, name, args }: Attack): Promise<string> {
  const contract: BaseContract = contractsOf(stage)[on].connect(thief);
  return outcomeOf(async () => contract.getFunction(name).send(...args));
}

/** Those of a contract's functions that ask for a role: what a stranger's call ends with says so. */
async function restrictedFunctions(stage: World): Promise<string[]> {
  const stranger = stage.signers[17];
  if (stranger === undefined) throw new Error("the network has accounts");
  const found: string[] = [];
  for (const [on, typed] of Object.entries(contractsOf(stage))) {
    const contract: BaseContract = typed.connect(stranger);
    for (const name of mutatingFunctions(contract)) {
      const call = contract.getFunction(name);
      const args = call.fragment.inputs.map(emptyOf);
      const end = await outcomeOf(async () => call.staticCall(...args));
      const refuses = [
        "AccessManagedUnauthorized",
        "AccessManagerUnauthorizedAccount",
        "NotExchange",
      ];
      if (on === "roles" || refuses.includes(end)) found.push(`${on}.${name}`);
    }
  }
  return found.sort();
}

/** The least value of a type. */
function emptyOf({ baseType, type, components }: EmptyOf): unknown {
  if (baseType === "array") return [];
  if (baseType === "tuple") return (components ?? []).map(emptyOf);
  if (baseType === "address") return ZeroAddress;
  if (baseType === "bool") return false;
  if (baseType === "string") return "";
  if (baseType.startsWith("bytes"))
    return type === "bytes" ? "0x" : `0x${"00".repeat(widthOf(type))}`;
  return 0n;
}

type EmptyOf = {
  readonly baseType: string;
  readonly type: string;
  readonly components: readonly EmptyOf[] | null;
};

function widthOf(type: string): number {
  return Number(type.slice("bytes".length));
}

/** Asks for something now and does it when the delay is over. */
async function schedule({ thief, ballast, ...stage }: Stage, attacks: readonly Attack[]) {
  const roles = ballast.roles.connect(thief);
  const calls = attacks.map(({ on, name, args }) => {
    const target: BaseContract = contractsOf({ ...stage, ballast })[on];
    return { target, data: target.interface.encodeFunctionData(name, args) };
  });
  for (const { target, data } of calls) await roles.schedule(target, data, 0n);
  return calls.map(
    ({ target, data }) =>
      () =>
        outcomeOf(async () => roles.execute(target, data)),
  );
}

describe("somebody who has every key", () => {
  it("is met with a row for every function that asks for a role", async () => {
    const stage = await networkHelpers.loadFixture(delayed);
    const rows = new Set(attacksOf(stage).map(({ on, name }) => `${on}.${name}`));
    expect([...rows].sort()).to.deep.equal(await restrictedFunctions(stage));
  });

  it("finds no restricted function without a role of its own, which would be left to the admin", async () => {
    const stage = await networkHelpers.loadFixture(delayed);
    const named = Object.entries(FUNCTIONS).flatMap(([on, roles]) =>
      Object.values(roles).flatMap((names) => names.map((name) => `${on}.${name}`)),
    );
    // The manager's own are the admin's, the vault's the exchange's; an authority is changed by the manager alone.
    const found = (await restrictedFunctions(stage)).filter(
      (name) => !/^(roles|vault)\.|\.setAuthority$/.test(name),
    );
    expect(found).to.deep.equal(named.sort());
  });

  it("holds all of them, and the deployer none", async () => {
    const { ballast, thief, deployer } = await networkHelpers.loadFixture(delayed);
    for (const id of [ADMIN_ROLE, ...ROLE_NAMES.map((name) => ROLE_IDS[name])]) {
      const wanted = id === ROLE_IDS.guardian ? 0n : DELAY;
      expect(await ballast.roles.hasRole(id, thief.address)).to.deep.equal([true, wanted]);
      expect(await ballast.roles.hasRole(id, deployer.address)).to.deep.equal([false, 0n]);
    }
  });

  describe("before the delay is over", () => {
    it("takes nothing, whatever he calls", async () => {
      const stage = await networkHelpers.loadFixture(delayed);
      const before = await wealth(stage);
      expect(before.treasury + before.fund).to.be.greaterThan(10_000n * WHOLE);
      for (const attack of attacksOf(stage)) {
        expect(await attempt(stage, attack), `${attack.on}.${attack.name}`).to.equal(attack.ends);
      }
      expect(await wealth(stage)).to.deep.equal(before);
    });

    it("takes nothing by calls that he has scheduled, until their last second", async () => {
      const stage = await networkHelpers.loadFixture(delayed);
      const before = await wealth(stage);
      const waiting = attacksOf(stage).filter(
        ({ name, ends }) => ends === WAITS && !["execute", "cancel", "multicall"].includes(name),
      );
      const asked = BigInt(await networkHelpers.time.latest());
      const calls = await schedule(stage, waiting);
      await wait(stage, DELAY - 200n);
      await networkHelpers.time.setNextBlockTimestamp(asked + DELAY - 50n);
      for (const call of calls) expect(await call()).to.equal("AccessManagerNotReady");
      expect(await wealth(stage)).to.deep.equal(before);
    });

    it("keeps nobody from cancelling, reducing, closing and leaving", async () => {
      const stage = await networkHelpers.loadFixture(delayed);
      for (const attack of attacksOf(stage)) await attempt(stage, attack);
      await stage.ballast.exchange.connect(stage.thief).reduceRisk(ETH, 0n, 0, true);
      await leave(stage);
    });

    it("lowers no equity and raises no maintenance margin as guardian", async () => {
      const stage = await networkHelpers.loadFixture(delayed);
      const before = await Promise.all(stage.users.map(stage.health));
      await stage.exchange.connect(stage.thief).reduceRisk(BTC, 0n, 0, true);
      const after = await Promise.all(stage.users.map(stage.health));
      for (const [i, { health, liquidatable }] of after.entries()) {
        expect(liquidatable).to.equal(false);
        expect(health.equity).to.equal(before[i]?.health.equity);
        expect(health.maintenance).to.equal(before[i]?.health.maintenance);
      }
      // What it does: margin of 1x is held back from a withdrawal until the position is closed.
      expect(before[0]?.withdrawable).to.be.greaterThan(1_900n * WHOLE);
      expect(after[0]?.withdrawable).to.equal(0n);
      expect(after[2]?.withdrawable).to.equal(500n * WHOLE);
    });

    it("raises nothing as guardian, by one step or by all", async () => {
      const { exchange, thief } = await networkHelpers.loadFixture(delayed);
      const guardian = exchange.connect(thief);
      const { openInterestCap: cap, maxLeverage: top } = await exchange.configOf(BTC);
      for (const [lots, class_, name, value, bound] of [
        [cap + 1n, top, "openInterestCap", cap + 1n, cap],
        [2n ** 64n - 1n, top, "openInterestCap", 2n ** 64n - 1n, cap],
        [cap, top + 1n, "maxLeverage", top + 1n, top],
        [cap, 255n, "maxLeverage", 255n, top],
      ] as const) {
        await expect(guardian.reduceRisk(BTC, lots, class_, false))
          .to.be.revertedWithCustomError(exchange, "ParameterOutOfBounds")
          .withArgs(encodeBytes32String(name), value, bound);
      }
      await guardian.reduceRisk(BTC, 5n, 1, true);
      await expect(guardian.reduceRisk(BTC, 6n, 1, false))
        .to.be.revertedWithCustomError(exchange, "ParameterOutOfBounds")
        .withArgs(encodeBytes32String("openInterestCap"), 6n, 5n);
      // `false` does not open again what was shut.
      await guardian.reduceRisk(BTC, 5n, 1, false);
      expect((await exchange.marketOf(BTC)).book.status & 2n).to.equal(2n);
    });
  });

  describe("once the delay is over", () => {
    it("shuts restricted functions and nothing else", async () => {
      const stage = await networkHelpers.loadFixture(delayed);
      const { ballast, exchange, thief } = stage;
      const [shut] = await schedule(stage, [
        {
          on: "roles",
          name: "setTargetClosed",
          args: [addressesOf(stage).exchange, true],
          ends: WAITS,
        },
      ]);
      await wait(stage, DELAY);
      expect(await shut?.()).to.equal("done");
      expect(await ballast.roles.isTargetClosed(exchange)).to.equal(true);
      expect(
        await outcomeOf(async () => exchange.connect(thief).reduceRisk(BTC, 0n, 0, true)),
      ).to.equal("AccessManagedUnauthorized");
      await leave(stage);
    });

    it("takes nothing of who left meanwhile", async () => {
      const stage = await networkHelpers.loadFixture(delayed);
      const calls = await schedule(
        stage,
        attacksOf(stage)
          .filter(({ on }) => on === "exchange")
          .filter(({ ends }) => ends === WAITS),
      );
      await leave(stage);
      await wait(stage, DELAY);
      for (const call of calls) await call();
      expect((await wealth(stage)).users).to.equal(0n);
    });

    it("takes the treasury, which is his, and no user's money, the fund's, or the vault's", async () => {
      const stage = await networkHelpers.loadFixture(delayed);
      const { exchange, thief } = stage;
      const held = (await exchange.balanceOf(TREASURY)) / (WHOLE / TOKEN);
      const before = await wealth(stage);
      const calls = await schedule(stage, [
        { on: "exchange", name: "payTreasury", args: [held, thief.address], ends: WAITS },
        { on: "exchange", name: "payTreasury", args: [held + 1n, thief.address], ends: WAITS },
        { on: "exchange", name: "bindFund", args: [thief.address], ends: WAITS },
        { on: "vault", name: "pay", args: [thief.address, thief.address, 1n], ends: WAITS },
      ]);
      await wait(stage, DELAY);
      expect(await calls[1]?.()).to.equal("WithdrawalTooLarge");
      if (held !== 0n) expect(await calls[0]?.()).to.equal("done");
      expect(await calls[2]?.()).to.equal("FundAlreadyBound");
      expect(await calls[3]?.()).to.equal("NotExchange");
      const after = await wealth(stage);
      expect(after.users).to.equal(before.users);
      expect(after.fund).to.equal(before.fund);
      expect(after.thief).to.equal(held);
    });

    it("takes margin of who stayed by the worst parameters there are, at most what it was", async () => {
      const stage = await networkHelpers.loadFixture(delayed);
      const { exchange, alice, health, again, execute } = stage;
      const [call] = await schedule(stage, [
        { on: "exchange", name: "setConfig", args: [BTC, worstConfig(stage)], ends: WAITS },
      ]);
      const mine = await stage.openAccount(stage.thief, "20000");
      await wait(stage, DELAY);
      const before = await wealth(stage);
      const [hers, his] = [await health(alice), await health(mine)];
      expect(hers.liquidatable).to.equal(false);
      expect(await call?.()).to.equal("done");
      await again();
      expect((await health(alice)).liquidatable).to.equal(true);
      await execute(mine, buy("9980", "1"));
      await exchange.liquidate([alice.account], 10, mine.account);
      const after = await wealth(stage);
      const lost = hers.health.equity - (await health(alice)).health.equity;
      const gained = (await health(mine)).health.equity - his.health.equity;
      // A quarter of what was sold is the penalty; half of that is the caller's, the rest the fund's. She keeps what is left.
      expect(lost).to.be.lessThanOrEqual(hers.health.equity);
      expect(lost).to.be.within(2_100n * WHOLE, 2_300n * WHOLE);
      expect(gained).to.be.within(1_000n * WHOLE, lost / 2n);
      expect(after.fund - before.fund).to.be.within(1_000n * WHOLE, lost - gained);
      expect(after.vault).to.equal(before.vault);
    });

    it("takes what positions lose by an index of his own, and of the fund its budgets", async () => {
      const stage = await networkHelpers.loadFixture(delayed);
      const { exchange, alice, bob, carol, health, execute, thief } = stage;
      const [call] = await schedule(stage, [
        { on: "signedFeed", name: "setSigner", args: [thief.address, true], ends: WAITS },
      ]);
      const mine = await stage.openAccount(thief, "20000");
      await wait(stage, DELAY);
      await execute(bob, sell("10000", "2"));
      await execute(mine, buy("10000", "2"));
      await exchange.poke(BTC);
      const before = await wealth(stage);
      const his = await health(mine);
      expect(await call?.()).to.equal("done");
      await lie(stage, "25000");
      // Two signers that lie alike confirm each other's jump at once.
      expect((await exchange.marketOf(BTC)).price.index).to.equal(toPrice("25000"));
      await exchange.deleverage([bob.account], 10, mine.account);
      const after = await wealth(stage);

      // He wins what the other side had, and what the fund may pay for one event: a fifth of it.
      const gained = (await health(mine)).health.equity - his.health.equity;
      const lost = before.users - after.users;
      const drawn = before.fund - after.fund;
      expect(gained).to.be.within(21_000n * WHOLE, 22_000n * WHOLE);
      // Bonds of cohorts, a tenth each, are nobody's equity until the cohort is empty.
      expect(gained).to.be.lessThanOrEqual(lost + drawn + WHOLE / 10n);
      // One is the reward of who closed the account.
      expect(drawn).to.be.within(1_900n * WHOLE, before.fund / 5n + WHOLE);
      expect((await health(bob)).health.equity).to.equal(0n);
      expect((await health(carol)).withdrawable).to.equal(500n * WHOLE);
      expect((await health(alice)).health.equity).to.be.greaterThan(3_000n * WHOLE);
      expect(after.vault).to.equal(before.vault);
    });

    it("lists markets, and raises a cap only by days", async () => {
      const stage = await networkHelpers.loadFixture(delayed);
      const { exchange } = stage;
      const config = worstConfig(stage);
      const { openInterestCap: cap } = await exchange.configOf(BTC);
      const more = { ...config, openInterestCap: cap * 100n };
      const calls = await schedule(stage, [
        { on: "exchange", name: "list", args: ["MINE", config], ends: WAITS },
        { on: "exchange", name: "setConfig", args: [BTC, more], ends: WAITS },
      ]);
      await wait(stage, DELAY);
      for (const call of calls) expect(await call()).to.equal("done");
      expect((await exchange.configOf(BTC)).openInterestCap).to.equal(cap);
      await wait(stage, SIX_HOURS * 4n);
      // In a day a fourteenth of the whole.
      expect((await exchange.configOf(BTC)).openInterestCap).to.be.within(
        cap * 8n,
        (cap * 817n) / 100n,
      );
      // Nobody has to use the other, which has no source of a price.
      const { execute, bob } = stage;
      const order = { ...buy("9900", "0.1"), market: 2 };
      expect(await outcomeOf(async () => execute(bob, order))).to.equal("PriceNotFresh");
    });

    it("is rid of every delay to come, by a second address or an authority of his own", async () => {
      const stage = await networkHelpers.loadFixture(delayed);
      const { ballast, exchange, thief, signers } = stage;
      const second = signers[17];
      if (second === undefined) throw new Error("the network has accounts");
      const calls = await schedule(stage, [
        {
          on: "roles",
          name: "grantRole",
          args: [ROLE_IDS.listing, second.address, 0n],
          ends: WAITS,
        },
        {
          on: "roles",
          name: "updateAuthority",
          args: [ballast.addresses.oracle, ballast.addresses.roles],
          ends: WAITS,
        },
        {
          on: "roles",
          name: "updateAuthority",
          args: [ballast.addresses.oracle, thief.address],
          ends: WAITS,
        },
      ]);
      const atOnce = () => outcomeOf(async () => exchange.connect(second).setFeeShare(1));
      await wait(stage, DELAY - SIX_HOURS);
      expect(await atOnce()).to.equal("AccessManagedUnauthorized");
      await wait(stage, SIX_HOURS);
      expect(await calls[0]?.()).to.equal("done");
      expect(await atOnce()).to.equal("done");
      expect(await calls[1]?.()).to.equal("done");
      // An authority has to be a contract.
      expect(await calls[2]?.()).to.equal("AccessManagedInvalidAuthority");
    });
  });

  it("without a delay does it at once", async () => {
    const stage = await networkHelpers.loadFixture(undelayed);
    const { health, alice, exchange, thief, ballast } = stage;
    const ends: string[] = [];
    for (const attack of attacksOf(stage)) {
      if (attack.on === "exchange" && attack.ends === WAITS)
        ends.push(`${attack.name} ${await attempt(stage, attack)}`);
    }
    expect(ends).to.deep.equal([
      "list done",
      "setConfig done",
      "reopen done",
      "windDown done",
      "setFeeShare done",
      "bindFund FundAlreadyBound",
      "payTreasury done",
    ]);
    expect(await ballast.token.balanceOf(thief.address)).to.equal(1n);
    expect((await exchange.configOf(BTC)).tierLeverage1).to.equal(1n);
    expect((await health(alice)).liquidatable).to.equal(true);
  });
});

/** Says what a market's sources say, as a signer who was let in. */
async function lie({ ballast, parameters, thief, chainId, exchange, pass }: Stage, price: string) {
  await pass(2n);
  const publishTime = BigInt(await networkHelpers.time.latest());
  for (const source of parameters.markets[BTC]?.sources ?? []) {
    if (source.kind !== "signed") throw new Error("the fixture's sources are signed");
    const { update, signatures } = await signPrice(
      ballast.signedFeed,
      { feed: source.feed, price: parseUnits(price, 18), publishTime },
      { signers: [thief], chainId },
    );
    await ballast.signedFeed.push(update, signatures);
  }
  await exchange.poke(BTC);
}

/** Cancels, reduces, closes and withdraws everything, with nobody's leave. */
async function leave({ alice, bob, carol, execute, exchange, ballast, again }: Stage) {
  const all = 2n ** 256n - 1n;
  const withdraw = ({ signer, account }: Trader) =>
    exchange.connect(signer).withdraw(account, all, signer.address);
  await withdraw(carol);
  await execute(bob, cancel(0), cancel(1));
  await again();
  await execute(alice, sell("10000", "0.4", { reduceOnly: true }));
  await execute(bob, buy("10000", "0.4", { reduceOnly: true, timeInForce: "ioc" }));
  await execute(bob, buy("10000", "0.6", { reduceOnly: true }));
  await execute(alice, sell("10000", "0.6", { reduceOnly: true, timeInForce: "ioc" }));
  for (const user of [alice, bob]) await withdraw(user);
  for (const { account, signer } of [alice, bob, carol]) {
    expect(await exchange.balanceOf(account)).to.be.lessThan(WHOLE / TOKEN);
    expect(await ballast.token.balanceOf(signer.address)).to.be.greaterThan(490n * TOKEN);
  }
}
