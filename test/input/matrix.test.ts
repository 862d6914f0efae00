import { expect } from "chai";
import { network } from "hardhat";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { BaseContract } from "ethers";
import { toMarketConfig } from "../../scripts/deploy/parameters.js";
import { FUNCTIONS, ROLE_NAMES } from "../../scripts/deploy/roles.js";
import { CASES } from "../../scripts/lib/cases.js";
import { Puppet__factory } from "../../typechain-types/factories/test/OddTokens.sol/Puppet__factory.js";
import { BTC, TOKEN, buy, createWorld, sell } from "../fixtures.js";
import type { World } from "../fixtures.js";
import { watch } from "../invariants.js";
import { SILENT, mutatingFunctions, nameOfError, readingFunctions } from "../lib/reverts.js";
import { ENDS, KNOWN, VIEWS } from "./ends.js";
import { argumentsOf } from "./rows.js";
import type { Named } from "./rows.js";

/*
 * Bad input: every function that changes something, called by everybody, with every argument at its boundaries. Generated from the
 * ABI, so that a new function has no row and fails. Calls are asked for, not sent: what is refused changes nothing by that.
 */

const connection = await network.create();
const { networkHelpers, ethers } = connection;

const FAR = 2 ** 40 - 1;
/** What anyone may ask of the vault. */
const OPEN_TO_ALL = new Set(["claim", "release"]);
const CONTRACTS = ["exchange", "vault", "fund", "oracle", "signedFeed"] as const;
type ContractName = (typeof CONTRACTS)[number] | "lens";

type Stage = Awaited<ReturnType<typeof staged>>;

/** One account with everything, operators, and each role with somebody else. */
async function staged() {
  const signers = await ethers.getSigners();
  const address = (i: number): string => signers[i]?.address ?? "";
  const roles = {
    admin: null,
    listing: address(10),
    guardian: address(11),
    treasury: address(12),
    oracle: address(13),
  };
  const world = await createWorld(connection, { deployment: { roles, delay: 0 } });
  const { exchange, ballast, openTrader, trade, execute, deployer } = world;
  const [alice, bob] = [await openTrader("5000"), await openTrader("5000")];
  await exchange.openAccount(alice.signer.address);
  const second = Number(await exchange.accountCount());
  await world.fillFund("1000");
  await trade(alice, bob, { price: "10000", size: "0.1" });
  await execute(alice, buy("9900", "0.1"), sell("10100", "0.1"));
  const own = exchange.connect(alice.signer);
  await own.setOperator(alice.account, address(5), 1, FAR);
  await own.setOperator(alice.account, address(6), 2, FAR);
  await ballast.token.mint(alice.signer.address, 1_000_000n * TOKEN);
  for (const spender of [ballast.vault, ballast.fund]) {
    await ballast.token.connect(alice.signer).approve(spender, 1_000_000n * TOKEN);
  }
  const puppet = await (await new Puppet__factory(deployer).deploy()).getAddress();
  await exchange.poke(BTC);
  const callers = {
    owner: alice.signer.address,
    trader: address(5),
    canceller: address(6),
    stranger: address(7),
    contract: puppet,
    deployer: deployer.address,
    listing: address(10),
    guardian: address(11),
    treasury: address(12),
    oracle: address(13),
  };
  const [market] = world.parameters.markets;
  if (market === undefined) throw new Error("there is a market");
  const named: Named = {
    account: alice.account,
    second,
    other: bob.account,
    owner: alice.signer.address,
    contract: puppet,
    plain: { ...toMarketConfig(market), ...buy("9900", "0.1") },
  };
  return { ...world, callers, named };
}

type Caller = keyof Stage["callers"];

function contractOf({ ballast }: World, name: ContractName): BaseContract {
  return ballast[name];
}

/** One call, and how it ended. */
type Case = { readonly caller: Caller; readonly args: readonly unknown[]; readonly end: string };

/** Where a struct makes more argument lists than this, only the few who may get anywhere ask for the rest. */
const MANY = 40;
const FEW: ReadonlySet<Caller> = new Set(["owner", "trader", "stranger"]);

/** Asks for every case of a function, by these callers. */
async function casesOf(stage: Stage, row: string, callers: readonly Caller[]): Promise<Case[]> {
  const [on, name] = row.split(".") as [ContractName, string];
  const contract = contractOf(stage, on);
  const to = await contract.getAddress();
  const { fragment } = contract.getFunction(name);
  const cases: Case[] = [];
  const few = callers.filter((caller) => FEW.has(caller) || caller === holderOf(on, name));
  for (const [i, args] of argumentsOf(fragment.inputs, stage.named).entries()) {
    const data = contract.interface.encodeFunctionData(fragment, args);
    for (const caller of i < MANY ? callers : few) {
      const call = { from: stage.callers[caller], to, data };
      const end = await connection.provider
        .request({ method: "eth_call", params: [call, "latest"] })
        .then(() => "done", nameOfError);
      cases.push({ caller, args, end });
    }
  }
  return cases;
}

/** How cases ended, each way once. */
function endsOf(cases: readonly Case[]): string[] {
  return [...new Set(cases.map(({ end }) => end))].sort();
}

/** Ends that name no error of ours: a panic, no word at all, and what no interface declares. */
function isNameless(end: string): boolean {
  return end === SILENT || /^(0x|Panic|Error|Overflow$|SafeCastOverflowedInt)/.test(end);
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? `${each}` : each));
}

/** Functions of an account's owner, or of his operators: which argument names the account, and who may. */
const OWNED: Readonly<Record<string, { readonly at: number; readonly may: readonly Caller[] }>> = {
  "exchange.withdraw": { at: 0, may: ["owner"] },
  "exchange.transfer": { at: 0, may: ["owner"] },
  "exchange.setOperator": { at: 0, may: ["owner"] },
  "exchange.execute": { at: 0, may: ["owner", "trader", "canceller"] },
  "exchange.depositAndExecute": { at: 0, may: ["owner", "trader", "canceller"] },
  "exchange.takeover": { at: 1, may: ["owner", "trader"] },
};

function holderOf(on: ContractName, name: string): Caller | undefined {
  if (on === "vault" || on === "fund" || on === "lens") return undefined;
  for (const role of ROLE_NAMES) if (FUNCTIONS[on][role]?.includes(name)) return role;
  return undefined;
}

/** Accounts of the one who is the owner here; he alone may act for the second. */
const OWN = ["account", "second"] as const;

describe("bad input", () => {
  const counts: Record<string, number> = {};

  after("keep the counts", () => {
    mkdirSync(dirname(CASES), { recursive: true });
    writeFileSync(CASES, JSON.stringify(counts));
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const lines = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
    console.log(`      ${total} cases: ${lines.join(", ")}`);
  });

  it("has a row for every function", async () => {
    const stage = await networkHelpers.loadFixture(staged);
    const all = CONTRACTS.flatMap((on) =>
      mutatingFunctions(contractOf(stage, on)).map((name) => `${on}.${name}`),
    );
    expect(Object.keys(ENDS).sort()).to.deep.equal(all.sort());
  });

  for (const [row, ends] of Object.entries(ENDS)) {
    it(`ends by name: ${row}`, async () => {
      const stage = await networkHelpers.loadFixture(staged);
      const [on, name] = row.split(".") as [ContractName, string];
      const cases = await casesOf(stage, row, Object.keys(stage.callers) as Caller[]);
      counts[row] = cases.length;
      expect(endsOf(cases)).to.deep.equal([...ends].sort());

      const holder = holderOf(on, name);
      const owned = OWNED[row];
      for (const { caller, args, end } of cases) {
        const what = `${row}(${textOf(args)}) by ${caller}`;
        if (isNameless(end)) expect(KNOWN, what).to.include(`${row} ${end}`);
        if (on === "vault" && !OPEN_TO_ALL.has(name)) expect(end, what).to.equal("NotExchange");
        if (holder !== undefined) {
          expect(end === "AccessManagedUnauthorized", what).to.equal(caller !== holder);
        }
        if (owned !== undefined && end === "done") {
          expect(
            OWN.map((key) => stage.named[key]),
            what,
          ).to.include(args[owned.at]);
          const isShared = args[owned.at] === stage.named.account;
          expect(isShared ? owned.may : ["owner"], what).to.include(caller);
        }
      }
    });
  }

  it("knows of no finding that is none any more", () => {
    const found = Object.entries({ ...ENDS, ...VIEWS }).flatMap(([row, ends]) =>
      ends.filter(isNameless).map((end) => `${row} ${end}`),
    );
    expect([...KNOWN].sort()).to.deep.equal(found.sort());
  });

  it("changes nothing when it is sent and refused", async () => {
    const stage = await networkHelpers.loadFixture(staged);
    const watcher = await watch(stage.exchange, ethers.provider);
    await watcher.check();
    const before = watcher.state();
    const { token, vault } = stage.ballast;
    const held = await token.balanceOf(vault);
    let sent = 0;
    for (const row of Object.keys(ENDS)) {
      const [on, name] = row.split(".") as [ContractName, string];
      const contract = contractOf(stage, on);
      const to = await contract.getAddress();
      for (const { args, end } of firstOfEach(await casesOf(stage, row, ["stranger"]))) {
        if (end === "done") continue;
        const data = contract.interface.encodeFunctionData(name, args);
        const from = stage.callers.stranger;
        await connection.provider
          .request({ method: "eth_sendTransaction", params: [{ from, to, data }] })
          .then(() => expect.fail(`${row} is refused`), nameOfError);
        sent += 1;
      }
    }
    expect(sent).to.be.greaterThan(60);
    await watcher.check();
    expect(watcher.state()).to.deep.equal(before);
    expect(await token.balanceOf(vault)).to.equal(held);
  });

  describe("views", () => {
    it("have a row for every function that is read", async () => {
      const stage = await networkHelpers.loadFixture(staged);
      const all = CONTRACTS.flatMap((on) =>
        readingFunctions(contractOf(stage, on)).map((name) => `${on}.${name}`),
      );
      const { lens } = stage.ballast;
      const asked = [...mutatingFunctions(lens), ...readingFunctions(lens)];
      const rows = [...all, ...asked.map((name) => `lens.${name}`)].sort();
      expect(Object.keys(VIEWS).sort()).to.deep.equal(rows);
    });

    for (const [row, ends] of Object.entries(VIEWS)) {
      it(`answer or end by name: ${row}`, async () => {
        const stage = await networkHelpers.loadFixture(staged);
        const cases = await casesOf(stage, row, ["stranger"]);
        counts[row] = cases.length;
        expect(endsOf(cases)).to.deep.equal([...ends].sort());
        for (const { args, end } of cases) {
          if (isNameless(end)) expect(KNOWN, `${row}(${textOf(args)})`).to.include(`${row} ${end}`);
        }
      });
    }
  });
});

/** The first case of each way to end. */
function firstOfEach(cases: readonly Case[]): Case[] {
  return [...new Map([...cases].reverse().map((each) => [each.end, each])).values()];
}
