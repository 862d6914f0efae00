import { expect } from "chai";
import { artifacts, network } from "hardhat";
import { getBytes } from "ethers";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createWorld, WHOLE } from "../fixtures.js";
import { Puppet__factory } from "../../typechain-types/index.js";

/* I7: what no contract of a deployment can do, from its bytecode. */

const FORBIDDEN: ReadonlyMap<number, string> = new Map([
  [0xf0, "CREATE"],
  [0xf2, "CALLCODE"],
  [0xf5, "CREATE2"],
  [0xff, "SELFDESTRUCT"],
]);
const DELEGATECALL = 0xf4;
const [JUMPDEST, PUSH1, PUSH32] = [0x5b, 0x60, 0x7f];
/** STOP, JUMP, RETURN, REVERT, INVALID, SELFDESTRUCT. */
const ENDS = new Set([0x00, 0x56, 0xf3, 0xfd, 0xfe, 0xff]);
const CONTRACTS = resolve(import.meta.dirname, "../../contracts");

const connection = await network.create();

/** The opcodes of runtime code that can be reached: behind one that ends a run of them only what a jump may lead to counts. */
function opcodesOf(bytecode: string): number[] {
  const code = getBytes(bytecode.replaceAll(/__\$[0-9a-f]{34}\$__/g, "0".repeat(40)));
  const found: number[] = [];
  let isReached = true;
  for (let at = 0; at < code.length; at++) {
    const opcode = code[at] ?? 0;
    if (opcode === JUMPDEST) isReached = true;
    if (isReached) found.push(opcode);
    if (ENDS.has(opcode)) isReached = false;
    if (opcode >= PUSH1 && opcode <= PUSH32) at += opcode - PUSH1 + 1;
  }
  return found;
}

async function deployed() {
  const names = [...(await artifacts.getAllFullyQualifiedNames())].filter(
    (name) => name.startsWith("contracts/") && !name.startsWith("contracts/test/"),
  );
  const all = await Promise.all(names.map(async (name) => artifacts.readArtifact(name)));
  return all.filter(({ deployedBytecode }) => deployedBytecode !== "0x");
}

describe("bytecode", () => {
  it("neither destroys itself nor makes contracts", async () => {
    const contracts = await deployed();
    expect(contracts.length).to.be.greaterThan(15);
    for (const { contractName, deployedBytecode } of contracts) {
      const found = opcodesOf(deployedBytecode).flatMap((opcode) => FORBIDDEN.get(opcode) ?? []);
      expect(found, contractName).to.deep.equal([]);
    }
  });

  it("delegates only to libraries that it is linked with, to itself, and in a call that always reverts", async () => {
    const unlinked: string[] = [];
    for (const { contractName, deployedBytecode, linkReferences } of await deployed()) {
      const isDelegating = opcodesOf(deployedBytecode).includes(DELEGATECALL);
      const isLinked = Object.keys(linkReferences).length > 0;
      if (isDelegating && !isLinked) unlinked.push(contractName);
    }
    // The manager's `multicall` calls the manager.
    expect(unlinked).to.deep.equal(["Roles"]);
    // Calls of linked libraries are the compiler's; the only one that somebody wrote is that of `simulate`.
    const written = readdirSync(CONTRACTS, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".sol") && !file.startsWith("test"))
      .flatMap((file) => {
        const calls =
          readFileSync(resolve(CONTRACTS, file), "utf8").match(/delegatecall *\(/g) ?? [];
        return calls.map(() => file);
      });
    expect(written).to.deep.equal(["Exchange.sol"]);
  });

  it("is found to destroy itself where it does", () => {
    // PUSH1 0xff, which is none, and SELFDESTRUCT; behind INVALID nothing counts.
    expect(opcodesOf("0x60ff5bff")).to.deep.equal([0x60, 0x5b, 0xff]);
    expect(opcodesOf("0x60fffeff")).to.deep.equal([0x60, 0xfe]);
  });

  it("that somebody brings along runs in `simulate` and leaves nothing", async () => {
    const { exchange, deployer, openTrader } = await createWorld(connection);
    const alice = await openTrader("1000");
    const writer = await new Puppet__factory(deployer).deploy();
    const steal = exchange.interface.encodeFunctionData("withdraw", [
      alice.account,
      1n,
      deployer.address,
    ]);
    const act = writer.interface.encodeFunctionData("act", [await exchange.getAddress(), steal]);
    for (const data of [act, "0x"]) {
      await expect(exchange.simulate(writer, data)).to.be.revertedWithCustomError(
        exchange,
        "Simulated",
      );
    }
    expect(await exchange.balanceOf(alice.account)).to.equal(1000n * WHOLE);
  });
});
