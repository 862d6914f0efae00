import type { Artifact, LinkReferences } from "@nomicfoundation/ignition-core";
import { id as hashOf } from "ethers";
import { ExchangeLens__factory } from "../../typechain-types/factories/ExchangeLens__factory.js";
import { Exchange__factory } from "../../typechain-types/factories/Exchange__factory.js";
import { InsuranceFund__factory } from "../../typechain-types/factories/InsuranceFund__factory.js";
import { Roles__factory } from "../../typechain-types/factories/Roles__factory.js";
import { Accounts__factory } from "../../typechain-types/factories/libraries/Accounts__factory.js";
import { Deleverage__factory } from "../../typechain-types/factories/libraries/Deleverage__factory.js";
import { Forced__factory } from "../../typechain-types/factories/libraries/Forced__factory.js";
import { Ladder__factory } from "../../typechain-types/factories/libraries/Ladder__factory.js";
import { Liquidation__factory } from "../../typechain-types/factories/libraries/Liquidation__factory.js";
import { Listing__factory } from "../../typechain-types/factories/libraries/Listing__factory.js";
import { Margin__factory } from "../../typechain-types/factories/libraries/Margin__factory.js";
import { Matching__factory } from "../../typechain-types/factories/libraries/Matching__factory.js";
import { Orders__factory } from "../../typechain-types/factories/libraries/Orders__factory.js";
import { Positions__factory } from "../../typechain-types/factories/libraries/Positions__factory.js";
import { Volatility__factory } from "../../typechain-types/factories/libraries/Volatility__factory.js";
import { Winding__factory } from "../../typechain-types/factories/libraries/Winding__factory.js";
import { ChainlinkSource__factory } from "../../typechain-types/factories/oracle/ChainlinkSource__factory.js";
import { IndexOracle__factory } from "../../typechain-types/factories/oracle/IndexOracle__factory.js";
import { PythSource__factory } from "../../typechain-types/factories/oracle/PythSource__factory.js";
import { SignedFeed__factory } from "../../typechain-types/factories/oracle/SignedFeed__factory.js";
import { TestToken__factory } from "../../typechain-types/factories/test/TestToken__factory.js";

/*
 * What is deployed: the bytecode in the generated types, which are committed and checked against the contracts. So a
 * deployment compiles nothing.
 */

type Factory = { readonly abi: readonly unknown[]; readonly bytecode: string };

const CONTRACTS = {
  ChainlinkSource: ChainlinkSource__factory,
  Exchange: Exchange__factory,
  ExchangeLens: ExchangeLens__factory,
  IndexOracle: IndexOracle__factory,
  InsuranceFund: InsuranceFund__factory,
  PythSource: PythSource__factory,
  Roles: Roles__factory,
  SignedFeed: SignedFeed__factory,
  TestToken: TestToken__factory,
} satisfies Record<string, Factory>;

const LIBRARIES = {
  Accounts: Accounts__factory,
  Deleverage: Deleverage__factory,
  Forced: Forced__factory,
  Ladder: Ladder__factory,
  Liquidation: Liquidation__factory,
  Listing: Listing__factory,
  Margin: Margin__factory,
  Matching: Matching__factory,
  Orders: Orders__factory,
  Positions: Positions__factory,
  Volatility: Volatility__factory,
  Winding: Winding__factory,
} satisfies Record<string, Factory>;

export type ContractName = keyof typeof CONTRACTS;
export type LibraryName = keyof typeof LIBRARIES;

/** What of our own has libraries linked into it. */
export const LINKED: readonly (ContractName | LibraryName)[] = [
  "Exchange",
  "ExchangeLens",
  // The cast restores what Object.keys forgets.
  ...(Object.keys(LIBRARIES) as LibraryName[]),
];

const HEX_PREFIX = 2;
const ADDRESS_BYTES = 20;

/** Where the compiler left room for the address of a library: `__$`, 34 digits of the hash of its name, `$__`. */
const PLACEHOLDER = /__\$([0-9a-f]{34})\$__/g;

const NAMES_BY_HASH: ReadonlyMap<string, LibraryName> = new Map(
  LINKED.filter(isLibrary).map((name) => [hashOf(qualified(name)).slice(2, 36), name]),
);

export function artifactOf(name: ContractName | LibraryName): Artifact {
  const { abi, bytecode }: Factory = isLibrary(name) ? LIBRARIES[name] : CONTRACTS[name];
  return {
    _format: "hh3-artifact-1",
    contractName: name,
    sourceName: sourceOf(name),
    abi,
    bytecode,
    linkReferences: linkReferencesOf(bytecode),
    // Not asked for when something is deployed.
    deployedBytecode: "0x",
    deployedLinkReferences: {},
  };
}

/** The libraries that are linked into a contract, and how often each address stands in its code. */
export function linksOf(name: ContractName | LibraryName): ReadonlyMap<LibraryName, number> {
  const { bytecode }: Factory = isLibrary(name) ? LIBRARIES[name] : CONTRACTS[name];
  const counts = new Map<LibraryName, number>();
  for (const { library } of placeholdersIn(bytecode)) {
    counts.set(library, (counts.get(library) ?? 0) + 1);
  }
  return counts;
}

function linkReferencesOf(bytecode: string): LinkReferences {
  const references: LinkReferences = {};
  for (const { library, start } of placeholdersIn(bytecode)) {
    const source = (references[sourceOf(library)] ??= {});
    (source[library] ??= []).push({ start, length: ADDRESS_BYTES });
  }
  return references;
}

function placeholdersIn(bytecode: string): { library: LibraryName; start: number }[] {
  return [...bytecode.matchAll(PLACEHOLDER)].map(({ index, 1: hash = "" }) => {
    const library = NAMES_BY_HASH.get(hash);
    if (library === undefined) throw new Error(`no library is known by the hash ${hash}`);
    return { library, start: (index - HEX_PREFIX) / 2 };
  });
}

function qualified(name: ContractName | LibraryName): string {
  return `${sourceOf(name)}:${name}`;
}

/** Only libraries are found by their source; of a contract it is for the record. */
function sourceOf(name: ContractName | LibraryName): string {
  return `project/contracts/${isLibrary(name) ? "libraries/" : ""}${name}.sol`;
}

function isLibrary(name: string): name is LibraryName {
  return name in LIBRARIES;
}
