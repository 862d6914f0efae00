import { id as hashOf } from "ethers";
import type { Interface } from "ethers";
import { Exchange__factory } from "../../typechain-types/factories/Exchange__factory.js";
import { IndexOracle__factory } from "../../typechain-types/factories/oracle/IndexOracle__factory.js";
import { SignedFeed__factory } from "../../typechain-types/factories/oracle/SignedFeed__factory.js";
import type { Parameters } from "./parameters.js";

/* Who may call what. Everything that is not named here is open to anyone, or to an account's owner. */

export type RoleName = Exclude<keyof Parameters["roles"], "admin">;

/** Role ids of the AccessManager: the first 8 bytes of the name's hash. */
export const ROLE_IDS: Readonly<Record<RoleName, bigint>> = {
  listing: roleId("listing"),
  guardian: roleId("guardian"),
  treasury: roleId("treasury"),
  oracle: roleId("oracle"),
};

export const ROLE_NAMES: readonly RoleName[] = ["listing", "guardian", "treasury", "oracle"];

/** Roles whose calls add risk: they wait for the delay, and the guardian may cancel them meanwhile. It only takes risk away. */
export const DELAYED: ReadonlySet<RoleName> = new Set<RoleName>(["listing", "treasury", "oracle"]);

export type Restricted = "exchange" | "oracle" | "signedFeed";

/** For each contract, the restricted functions by role. */
export const FUNCTIONS: Readonly<Record<Restricted, Partial<Record<RoleName, readonly string[]>>>> =
  {
    exchange: {
      listing: ["list", "setConfig", "reopen", "windDown", "setFeeShare", "bindFund"],
      guardian: ["reduceRisk"],
      treasury: ["payTreasury"],
    },
    oracle: { oracle: ["setSources", "setBounds"] },
    signedFeed: { oracle: ["setSigner", "setThreshold"] },
  };

/** As plain interfaces, because functions are looked up by name here. */
const INTERFACES: Readonly<Record<Restricted, Interface>> = {
  exchange: Exchange__factory.createInterface(),
  oracle: IndexOracle__factory.createInterface(),
  signedFeed: SignedFeed__factory.createInterface(),
};

export function selectorOf(contract: Restricted, name: string): string {
  const found = INTERFACES[contract].getFunction(name);
  if (found === null) throw new Error(`${contract} has no function ${name}`);
  return found.selector;
}

function roleId(name: RoleName): bigint {
  return BigInt(hashOf(`ballast.${name}`).slice(0, 18));
}
