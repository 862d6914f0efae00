import { Interface } from "ethers";
import type { BaseContract } from "ethers";
import { findRevertData } from "../../scripts/package/errors.js";
import { Exchange__factory } from "../../typechain-types/factories/Exchange__factory.js";
import { InsuranceFund__factory } from "../../typechain-types/factories/InsuranceFund__factory.js";
import { MarginVault__factory } from "../../typechain-types/factories/MarginVault__factory.js";
import { Roles__factory } from "../../typechain-types/factories/Roles__factory.js";
import { IndexOracle__factory } from "../../typechain-types/factories/oracle/IndexOracle__factory.js";
import { SignedFeed__factory } from "../../typechain-types/factories/oracle/SignedFeed__factory.js";
import { TestToken__factory } from "../../typechain-types/factories/test/TestToken__factory.js";

/* How a call ended: "done", or the name of the error that it reverted with. */

/** What an arithmetic fault, a bad enum, or an index out of range reverts with. */
const PANIC = new Interface(["error Panic(uint256 code)", "error Error(string reason)"]);

/** Of tokens that are not plain, and of libraries that say when a number does not fit. */
const ODD = new Interface([
  "error Blocked(address account)",
  "error NothingToMove()",
  "error Overflow()",
  "error SafeCastOverflowedIntDowncast(uint8 bits, int256 value)",
]);

const KNOWN: readonly Interface[] = [
  Exchange__factory.createInterface(),
  InsuranceFund__factory.createInterface(),
  MarginVault__factory.createInterface(),
  Roles__factory.createInterface(),
  IndexOracle__factory.createInterface(),
  SignedFeed__factory.createInterface(),
  TestToken__factory.createInterface(),
  ODD,
  PANIC,
];

/** What a call ends with that reverts without saying why. */
export const SILENT = "nothing said";

/** The name of the error in revert bytes; of a panic with its code. */
export function nameOfRevert(data: string): string {
  for (const known of KNOWN) {
    const parsed = known.parseError(data);
    if (parsed === null) continue;
    return parsed.name === "Panic" || parsed.name === "Error"
      ? `${parsed.name}(${String(parsed.args[0])})`
      : parsed.name;
  }
  return data === "0x" ? SILENT : data.slice(0, 10);
}

/** Throws what is not a revert. */
export function nameOfError(error: unknown): string {
  const data = findRevertData(error);
  if (data !== undefined) return nameOfRevert(data);
  if (/without a reason|reverted without|execution reverted$/.test(textOf(error))) return SILENT;
  throw error;
}

/** Sends a call and waits for it. */
export async function outcomeOf(sent: () => Promise<unknown>): Promise<string> {
  try {
    await sent();
    return "done";
  } catch (error) {
    return nameOfError(error);
  }
}

/** The names of a contract's functions that can change something. */
export function mutatingFunctions(contract: BaseContract): string[] {
  return functionsOf(contract, ["nonpayable", "payable"]);
}

/** The names of those that cannot. */
export function readingFunctions(contract: BaseContract): string[] {
  return functionsOf(contract, ["view", "pure"]);
}

function functionsOf(contract: BaseContract, kinds: readonly string[]): string[] {
  const names: string[] = [];
  contract.interface.forEachFunction(({ name, stateMutability }) => {
    if (kinds.includes(stateMutability)) names.push(name);
  });
  return names.sort();
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
