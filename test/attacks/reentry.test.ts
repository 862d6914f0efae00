import { expect } from "chai";
import { network } from "hardhat";
import type { BaseContract, ContractTransactionReceipt } from "ethers";
import { MaxUint256, ZeroAddress, ZeroHash } from "ethers";
import { toMarketConfig } from "../../scripts/deploy/parameters.js";
import { ROLE_IDS, ROLE_NAMES } from "../../scripts/deploy/roles.js";
import { createWorld } from "../../scripts/lib/world.js";
import { CallbackToken__factory } from "../../typechain-types/factories/test/OddTokens.sol/CallbackToken__factory.js";
import { Puppet__factory } from "../../typechain-types/factories/test/OddTokens.sol/Puppet__factory.js";
import { BTC, TOKEN, WHOLE, buy, cancelAll } from "../fixtures.js";
import { mutatingFunctions, nameOfRevert, outcomeOf } from "../lib/reverts.js";

/*
 * A settlement token that calls back in the middle of a transfer. It owns an account, has shares, money and every role, so that
 * each of its calls would do if it came alone. Whatever it calls, the transfer has to end as if it had called nothing: the logs of
 * a transaction tell everything that changed, so they are compared.
 */

const connection = await network.create();
const { networkHelpers } = connection;

const FAR = 2n ** 40n - 1n;
const COOLDOWN = 864_000n;
const GUARD = "ReentrancyGuardReentrantCall";

type Stage = Awaited<ReturnType<typeof staged>>;
type Place = "exchange" | "vault" | "fund";

async function staged() {
  const [owner] = await connection.ethers.getSigners();
  if (owner === undefined) throw new Error("the network has accounts");
  const odd = await new CallbackToken__factory(owner).deploy();
  const token = await odd.getAddress();
  const overrides = { maxFunding: 0, interest: 0, maxDead: 10_000_000 };
  const world = await createWorld(connection, { overrides, deployment: { token } });
  const { exchange, ballast, openTrader } = world;
  const { fund, vault, roles } = ballast;
  const [alice, bob] = [await openTrader("1000"), await openTrader("1000")];
  await exchange.openAccount(token);
  await exchange.openAccount(token);
  const second = Number(await exchange.accountCount());
  const mine = { account: second - 1, second };
  for (const role of ROLE_NAMES) await roles.grantRole(ROLE_IDS[role], token, 0);
  await odd.mint(token, 10_000n * TOKEN);
  const say = async (to: BaseContract, name: string, ...args: unknown[]) =>
    odd.act(await to.getAddress(), to.interface.encodeFunctionData(name, args));
  for (const spender of [vault, fund]) {
    await say(odd, "approve", await spender.getAddress(), MaxUint256);
  }
  await say(exchange, "deposit", mine.account, 1_000n * TOKEN);
  await say(fund, "deposit", 500n * TOKEN, token);
  await world.fillFund("500");
  await say(fund, "requestExit", 10n ** 18n);
  await fund.requestExit(100n * WHOLE);
  await world.again();
  await world.trade(alice, bob, { price: "10000", size: "0.1" });
  await exchange.poke(BTC);
  await networkHelpers.time.increase(COOLDOWN + 1n);
  await world.again();
  await odd.mint(owner.address, 10_000n * TOKEN);
  for (const spender of [vault, fund]) await odd.approve(spender, MaxUint256);
  await exchange.openAccount(owner.address);
  const own = Number(await exchange.accountCount());
  await exchange.deposit(own, 100n * TOKEN);
  return { ...world, odd, token, alice, bob, mine, own, owner };
}

/** Each function with arguments that do, and how it ends when it comes alone, in the middle of a transfer, and of one of the fund's. */
type Row = {
  readonly place: Place;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly alone: string;
  readonly inside: string;
  readonly insideFund: string;
};

function rowsOf({ parameters, mine, token, owner }: Stage): Row[] {
  const [market] = parameters.markets;
  if (market === undefined) throw new Error("there is a market");
  const config = toMarketConfig(market);
  const row =
    (place: Place, inside: string, insideFund = inside) =>
    (alone: string, name: string, ...args: unknown[]): Row => ({
      place,
      name,
      args,
      alone,
      inside,
      insideFund,
    });
  const [exchange, vault] = [row("exchange", GUARD), row("vault", "NotExchange")];
  const { account, second } = mine;
  return [
    exchange("done", "openAccount", token),
    exchange("done", "deposit", account, 1n),
    exchange("done", "depositWithPermit", account, 1n, 0n, 27, ZeroHash, ZeroHash),
    exchange("done", "withdraw", account, 1n, token),
    exchange("done", "transfer", account, second, 1n),
    exchange("done", "setOperator", account, owner.address, 1, FAR),
    exchange("BadSignature", "setOperatorBySig", account, token, 1, FAR, 1n, FAR, "0x"),
    exchange("done", "execute", account, [buy("9900", "0.01")]),
    exchange("done", "execute", account, [cancelAll()]),
    exchange("done", "depositAndExecute", account, 1n, [buy("9900", "0.01")]),
    exchange("done", "poke", BTC),
    exchange("done", "settle", account, BTC),
    exchange("done", "liquidate", [account], 10n, 0),
    exchange("NotLiquidatable", "takeover", 10, account, BTC, 1n, MaxUint256),
    exchange("done", "deleverage", [account], 10n, 0),
    exchange("NoEventPending", "continueEvent", BTC, 10n, 0),
    exchange("done", "list", "MORE", config),
    exchange("done", "setConfig", BTC, config),
    exchange("done", "reduceRisk", BTC, 1n, 1, true),
    exchange("done", "reopen", BTC),
    exchange("done", "windDown", BTC),
    exchange("done", "setFeeShare", 1),
    exchange("FundAlreadyBound", "bindFund", token),
    exchange("done", "payTreasury", 1n, token),
    row("exchange", "AccessManagedUnauthorized")(
      "AccessManagedUnauthorized",
      "setAuthority",
      token,
    ),
    row("exchange", "Locked")("Simulated", "simulate", token, "0x"),
    vault("NotExchange", "pay", token, token, 1n),
    vault("NotExchange", "pull", token, token, 1n),
    vault("NotExchange", "pullWithPermit", token, token, 1n, [0n, 27, ZeroHash, ZeroHash]),
    row("vault", GUARD)("NothingToClaim", "claim", token),
    row("vault", GUARD)("done", "release", 1n),
    row("fund", GUARD)("done", "deposit", TOKEN, token),
    row("fund", GUARD)("done", "mint", WHOLE, token),
    row("fund", GUARD)("done", "executeExit", token),
    row("fund", "ERC4626ExceededMaxWithdraw")(
      "ERC4626ExceededMaxWithdraw",
      "withdraw",
      1n,
      token,
      token,
    ),
    row("fund", "ERC4626ExceededMaxRedeem")("ERC4626ExceededMaxRedeem", "redeem", 1n, token, token),
    row("fund", "ExitPending", GUARD)("ExitPending", "requestExit", 1n),
    // Anybody may note what the ledger says: it touches no money.
    row("fund", "done", GUARD)("done", "noteIncome"),
    // Its own shares are its own, and moving them touches no money.
    row("fund", "done")("done", "transfer", owner.address, 1n),
    row("fund", "done")("done", "approve", owner.address, 1n),
    row("fund", "ERC20InsufficientAllowance")(
      "ERC20InsufficientAllowance",
      "transferFrom",
      owner.address,
      token,
      1n,
    ),
  ];
}

/** Transactions in which tokens move while the exchange runs, and how many transfers come before. */
type Phase = {
  readonly wait: bigint;
  readonly isFund?: boolean;
  readonly send: (stage: Stage) => Promise<Sent>;
};

const PHASES: Record<string, Phase> = {
  "a deposit": { wait: 0n, send: async ({ exchange, own }) => exchange.deposit(own, 5n) },
  "a withdrawal": {
    wait: 0n,
    send: async ({ exchange, own, owner }) => exchange.withdraw(own, 5n, owner.address),
  },
  "a payment of the treasury": {
    wait: 0n,
    send: async ({ exchange, owner }) => exchange.payTreasury(1n, owner.address),
  },
  "an exit": {
    wait: 0n,
    isFund: true,
    send: async ({ ballast, owner }) => ballast.fund.executeExit(owner.address),
  },
  "a stake, from fund to vault": {
    wait: 1n,
    isFund: true,
    send: async ({ ballast, owner }) => ballast.fund.deposit(TOKEN, owner.address),
  },
};

type Sent = { wait(): Promise<ContractTransactionReceipt | null> };

/** Plans a call, sends the transaction, and gives its logs, those of the call that was planned to do included. */
async function run(stage: Stage, phase: string, target: string, data: string) {
  const { wait, send } = PHASES[phase] ?? {
    wait: 0n,
    send: async () => Promise.reject(new Error()),
  };
  await stage.odd.plan(target, data, wait);
  const receipt = await (await send(stage)).wait();
  return (receipt?.logs ?? []).map(({ address, topics, data }) =>
    [address, ...topics, data].join(),
  );
}

function placeOf({ ballast, exchange }: Stage, place: Place): BaseContract {
  return { exchange, vault: ballast.vault, fund: ballast.fund }[place];
}

async function callOf(stage: Stage, { place, name, args }: Row) {
  const contract = placeOf(stage, place);
  return [await contract.getAddress(), contract.interface.encodeFunctionData(name, args)] as const;
}

describe("a token that calls back", () => {
  it("is met with a row for every function that changes something", async () => {
    const stage = await networkHelpers.loadFixture(staged);
    const rows = rowsOf(stage);
    for (const place of ["exchange", "vault", "fund"] as const) {
      const named = new Set(rows.filter((row) => row.place === place).map(({ name }) => name));
      expect([...named].sort()).to.deep.equal(mutatingFunctions(placeOf(stage, place)));
    }
  });

  it("could do all of it alone", async () => {
    const stage = await networkHelpers.loadFixture(staged);
    for (const row of rowsOf(stage)) {
      const [target, data] = await callOf(stage, row);
      const end = await outcomeOf(async () => stage.odd.act.staticCall(target, data));
      expect(end, `${row.place}.${row.name}`).to.equal(row.alone);
    }
  });

  for (const phase of Object.keys(PHASES)) {
    it(`can do nothing with the exchange during ${phase}`, async () => {
      const stage = await networkHelpers.loadFixture(staged);
      const start = await networkHelpers.takeSnapshot();
      const without = await run(stage, phase, ZeroAddress, "0x");
      for (const row of rowsOf(stage)) {
        await start.restore();
        const [target, data] = await callOf(stage, row);
        const logs = await run(stage, phase, target, data);
        const what = `${row.place}.${row.name} during ${phase}`;
        expect(await stage.odd.isCalled(), what).to.equal(true);
        const end = (await stage.odd.isOk()) ? "done" : nameOfRevert(await stage.odd.answer());
        expect(end, what).to.equal(PHASES[phase]?.isFund ? row.insideFund : row.inside);
        if (end !== "done") expect(logs, what).to.deep.equal(without);
      }
    });
  }

  it("finds money, shares and what the vault counts as they will be afterwards", async () => {
    const stage = await networkHelpers.loadFixture(staged);
    const { exchange, ballast, own } = stage;
    const start = await networkHelpers.takeSnapshot();
    const views: [BaseContract, string, unknown[]][] = [
      [exchange, "balanceOf", [own]],
      [exchange, "balanceOf", [1]],
      [ballast.vault, "tracked", []],
      [ballast.fund, "totalAssets", []],
      [ballast.fund, "totalSupply", []],
      [ballast.fund, "previewRedeem", [WHOLE]],
    ];
    for (const phase of ["a deposit", "a withdrawal", "an exit"]) {
      for (const [contract, name, args] of views) {
        await start.restore();
        const data = contract.interface.encodeFunctionData(name, args);
        await run(stage, phase, await contract.getAddress(), data);
        const seen: unknown = contract.interface.decodeFunctionResult(
          name,
          await stage.odd.answer(),
        )[0];
        const after: unknown = await contract.getFunction(name).staticCall(...args);
        expect(seen, `${name} during ${phase}`).to.equal(after);
      }
    }
    // What the lens would say is computed by a call, which has to wait.
    await start.restore();
    const { lens } = ballast;
    const data = lens.interface.encodeFunctionData("healths", [[own]]);
    await run(stage, "a deposit", await lens.getAddress(), data);
    expect(await stage.odd.isOk()).to.equal(false);
  });

  /*
   * On the way from a staker to the fund the exchange is not locked. Only plain tokens call nobody then.
   */
  it("on the way from a staker to the fund is met by a locked fund", async () => {
    const stage = await networkHelpers.loadFixture(staged);
    const { ballast, odd, owner } = stage;
    const start = await networkHelpers.takeSnapshot();
    const stake = async (target: string, data: string) => {
      await odd.plan(target, data, 0n);
      await ballast.fund.deposit(400n * TOKEN, owner.address);
      const [assets, supply] = [await ballast.fund.totalAssets(), await ballast.fund.totalSupply()];
      return (assets * 10n ** 24n) / supply;
    };
    const price = await stake(ZeroAddress, "0x");
    for (const row of rowsOf(stage).filter(({ place }) => place === "fund")) {
      await start.restore();
      const after = await stake(...(await callOf(stage, row)));
      const end = (await odd.isOk()) ? "done" : nameOfRevert(await odd.answer());
      expect([await odd.isCalled(), end], row.name).to.deep.equal([true, row.insideFund]);
      expect(after, row.name).to.be.within(price - 10n ** 3n, price + 10n ** 3n);
    }
  });

  it("on the way from a staker to the fund sees the price and the shares of before", async () => {
    const stage = await networkHelpers.loadFixture(staged);
    const { ballast, odd, owner } = stage;
    const start = await networkHelpers.takeSnapshot();
    const fund: BaseContract = ballast.fund;
    for (const [name, args] of [
      ["totalAssets", []],
      ["totalSupply", []],
      ["previewRedeem", [WHOLE]],
      ["previewDeposit", [TOKEN]],
      ["streaming", []],
    ] as const) {
      await start.restore();
      const before: unknown = await fund.getFunction(name).staticCall(...args);
      const data = fund.interface.encodeFunctionData(name, args);
      await odd.plan(await fund.getAddress(), data, 0n);
      await ballast.fund.deposit(400n * TOKEN, owner.address);
      const answer = await odd.answer();
      const [seen]: unknown[] = fund.interface.decodeFunctionResult(name, answer);
      expect(seen, name).to.equal(before);
    }
  });

  it("takes nothing from other stakers by a stake within a stake", async () => {
    const stage = await networkHelpers.loadFixture(staged);
    const { ballast, odd, token, owner, alice } = stage;
    const { fund } = ballast;
    const victim = alice.signer.address;
    await odd.mint(victim, 500n * TOKEN);
    await odd.connect(alice.signer).approve(fund, 500n * TOKEN);
    await fund.connect(alice.signer).deposit(500n * TOKEN, victim);
    const start = await networkHelpers.takeSnapshot();
    const stake = async (target: string, data: string) => {
      await odd.plan(target, data, 0n);
      await fund.deposit(1_000n * TOKEN, owner.address);
      // Income streams for a day.
      await networkHelpers.time.increase(86_400n);
      return fund.previewRedeem(await fund.balanceOf(victim));
    };
    const worth = await stake(ZeroAddress, "0x");
    expect(worth).to.be.at.least(500n * TOKEN);
    await start.restore();
    const inner = fund.interface.encodeFunctionData("deposit", [1_000n * TOKEN, token]);
    expect(await stake(await fund.getAddress(), inner)).to.equal(worth);
    expect([await odd.isCalled(), nameOfRevert(await odd.answer())]).to.deep.equal([true, GUARD]);
  });

  it("meets an owner that is a contract and can be called by nobody", async () => {
    const stage = await networkHelpers.loadFixture(staged);
    const { exchange, odd, owner, own, execute, bob } = stage;
    const puppet = await new Puppet__factory(owner).deploy();
    const address = await puppet.getAddress();
    await exchange.openAccount(address);
    const account = Number(await exchange.accountCount());
    await exchange.deposit(account, 100n * TOKEN);
    const say = (name: "withdraw", args: [number, bigint, string]) =>
      puppet.act(exchange, exchange.interface.encodeFunctionData(name, args));
    // Each payment to it is answered by a call for another, which has to fail.
    const again = exchange.interface.encodeFunctionData("withdraw", [account, 1n, address]);
    const data = puppet.interface.encodeFunctionData("act", [await exchange.getAddress(), again]);
    await odd.plan(address, data, 0n);
    await say("withdraw", [account, 40n * TOKEN, address]);
    expect([await odd.isCalled(), await odd.isOk()]).to.deep.equal([true, false]);
    expect(nameOfRevert(await odd.answer())).to.equal(GUARD);
    expect(await odd.balanceOf(address)).to.equal(40n * TOKEN);
    expect(await exchange.balanceOf(account)).to.equal(60n * WHOLE);
    // It stands in nobody's way.
    await stage.again();
    await exchange.withdraw(own, 1n, owner.address);
    await execute(bob, buy("9900", "0.01"));
  });
});
