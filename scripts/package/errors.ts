import { Interface, isHexString } from "ethers";
import { IExchange__factory } from "../../typechain-types/factories/interfaces/IExchange__factory.js";
import { IInsuranceFund__factory } from "../../typechain-types/factories/interfaces/IInsuranceFund__factory.js";
import { IMarginVault__factory } from "../../typechain-types/factories/interfaces/IMarginVault__factory.js";

/* What a call reverted with, as Name(args). */

export type ContractError = {
  readonly name: string;
  readonly args: readonly unknown[];
  /** Name(args). */
  readonly text: string;
};

/** Of contracts that are not ours but are called on the way: the settlement token and the access manager. */
const FOREIGN_ERRORS = [
  "error AccessManagedUnauthorized(address caller)",
  "error AccessManagedRequiredDelay(address caller, uint32 delay)",
  "error AccessManagerNotScheduled(bytes32 operationId)",
  "error AccessManagerNotReady(bytes32 operationId)",
  "error AccessManagerExpired(bytes32 operationId)",
  "error AccessManagerUnauthorizedCall(address caller, address target, bytes4 selector)",
  "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
  "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
  "error ERC2612ExpiredSignature(uint256 deadline)",
  "error ERC2612InvalidSigner(address signer, address owner)",
  "error SafeERC20FailedOperation(address token)",
  "error SafeCastOverflowedUintDowncast(uint8 bits, uint256 value)",
  "error SafeCastOverflowedUintToInt(uint256 value)",
];

const known: readonly Interface[] = [
  IExchange__factory.createInterface(),
  IMarginVault__factory.createInterface(),
  IInsuranceFund__factory.createInterface(),
  new Interface(FOREIGN_ERRORS),
];

/** The error that revert bytes stand for; undefined if no contract here declares it. */
export function decodeErrorData(data: string): ContractError | undefined {
  for (const contract of known) {
    const parsed = contract.parseError(data);
    if (parsed === null) continue;
    const args: unknown[] = [...parsed.args];
    return { name: parsed.name, args, text: `${parsed.name}(${args.map(String).join(", ")})` };
  }
  return undefined;
}

/** The contract's error inside whatever a provider threw; undefined if it is no revert of a contract here. */
export function decodeError(error: unknown): ContractError | undefined {
  const data = findRevertData(error);
  return data === undefined ? undefined : decodeErrorData(data);
}

/** Providers nest errors in each other; none nests deeper than this. */
const DEEPEST = 6;
const NESTING_FIELDS = ["data", "error", "info", "cause", "originalError"] as const;

/** The revert bytes inside whatever a provider threw, at least a selector. */
export function findRevertData(error: unknown, depth = 0): string | undefined {
  if (isHexString(error) && error.length >= "0x12345678".length) return error;
  if (typeof error !== "object" || error === null || depth > DEEPEST) return undefined;
  // Any object may be read by name; what is found is checked.
  const fields = error as Readonly<Record<string, unknown>>;
  for (const field of NESTING_FIELDS) {
    const found = findRevertData(fields[field], depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
