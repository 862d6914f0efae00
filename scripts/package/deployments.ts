import { getAddress, isAddress } from "ethers";

/* The file that a deployment writes: chain, addresses, markets. */

/** Contracts that a deployment always has. */
const REQUIRED = ["exchange", "lens", "vault"] as const;

export type Deployment = {
  readonly chainId: number;
  /** Checksummed, by the name of the contract; libraries included. */
  readonly addresses: Readonly<Record<(typeof REQUIRED)[number], string>> &
    Readonly<Record<string, string>>;
  /** Names in order of their ids. */
  readonly markets: readonly string[];
};

export class DeploymentError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`Not a deployment: ${problems.join("; ")}`);
    this.name = "DeploymentError";
  }
}

/** Checks what was read from a deployment file; reports every problem at once. */
export function parseDeployment(json: unknown): Deployment {
  const { chainId, addresses, markets } = fieldsOf(json);
  const problems: string[] = [];
  if (typeof chainId !== "number" || !Number.isSafeInteger(chainId) || chainId <= 0) {
    problems.push("chainId is no chain id");
  }
  const named = Object.entries(fieldsOf(addresses));
  for (const [name, address] of named) {
    if (!isAddress(address)) problems.push(`addresses.${name} is no address`);
  }
  for (const name of REQUIRED) {
    if (!named.some(([key]) => key === name)) problems.push(`addresses.${name} is missing`);
  }
  if (problems.length > 0) throw new DeploymentError(problems);
  const names: unknown[] = Array.isArray(markets) ? markets : [];
  return {
    // All three were checked above.
    chainId: chainId as number,
    addresses: Object.fromEntries(
      named.map(([name, address]) => [name, getAddress(address as string)]),
    ) as Deployment["addresses"],
    markets: names.map(String),
  };
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  // Any object may be read by name; what is found is checked.
  return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};
}
