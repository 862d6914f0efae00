import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import type {
  Artifact,
  ArgumentType,
  ContractAtFuture,
  ContractDeploymentFuture,
  IgnitionModuleBuilder,
  LibraryDeploymentFuture,
} from "@nomicfoundation/ignition-core";
import { ZeroAddress } from "ethers";
import { artifactOf, linksOf } from "./artifacts.js";
import type { ContractName, LibraryName } from "./artifacts.js";
import type { MarketParameters, Parameters } from "./parameters.js";
import { feedOf, toMarketConfig } from "./parameters.js";
import { DELAYED, FUNCTIONS, ROLE_IDS, ROLE_NAMES, selectorOf } from "./roles.js";
import type { Restricted, RoleName } from "./roles.js";

/*
 * THE DEPLOYMENT
 * Libraries, oracle, exchange with its vault, fund and lens; then the roles' functions; then the markets. The deployer holds
 * every role until the last step hands them over.
 */

type Builder = IgnitionModuleBuilder;
type Deployed = ContractDeploymentFuture<Artifact["abi"]>;
type At = ContractAtFuture<Artifact["abi"]>;
type Library = LibraryDeploymentFuture<Artifact["abi"]>;
type Step = ReturnType<Builder["call"]>;

type Parts = {
  readonly roles: Deployed;
  readonly exchange: Deployed;
  readonly oracle: Deployed;
  readonly signedFeed: Deployed;
  readonly chainlink: Deployed;
  /** Only where a chain's Pyth contract is named. */
  readonly pyth?: Deployed;
  readonly fund: Deployed;
};

/** The settlement token of a deployment that names none; six decimals like the usual dollars. */
const TEST_TOKEN_DECIMALS = 6;
const MODULE_ID = "Ballast";
const ADMIN_ROLE = 0n;

export function ballastModule(parameters: Parameters, deployer: string) {
  return buildModule(MODULE_ID, (m) => {
    const libraries = new Map<LibraryName, Library>();
    const deploy = (name: ContractName, args: ArgumentType[]) =>
      m.contract(name, artifactOf(name), args, { libraries: linkedInto(m, name, libraries) });

    const roles = deploy("Roles", [deployer]);
    const token = tokenOf(m, parameters);
    const oracle = deploy("IndexOracle", [roles]);
    const signers = parameters.signers.length === 0 ? [deployer] : parameters.signers;
    const signedFeed = deploy("SignedFeed", [roles, signers, parameters.threshold]);
    const { feed: sequencer, grace } = parameters.sequencer ?? { feed: ZeroAddress, grace: 0 };
    const chainlink = deploy("ChainlinkSource", [sequencer, grace]);
    const pyth = parameters.pyth === null ? {} : { pyth: deploy("PythSource", [parameters.pyth]) };
    const exchange = deploy("Exchange", [token, oracle, roles, parameters.outflow]);
    const fund = deploy("InsuranceFund", [exchange, parameters.fundCooldown]);
    const lens = deploy("ExchangeLens", [exchange]);

    const parts = { roles, exchange, oracle, signedFeed, chainlink, ...pyth, fund };
    const ready = grantRoles(m, parts, deployer);
    const done = listMarkets(m, parts, { parameters, after: ready });
    handOver(m, parts, { parameters, deployer, after: done });
    return { ...parts, token, lens, ...Object.fromEntries(libraries) };
  });
}

function tokenOf(m: Builder, { token }: Parameters): Deployed | At {
  const artifact = artifactOf("TestToken");
  if (token === null) return m.contract("TestToken", artifact, [TEST_TOKEN_DECIMALS]);
  return m.contractAt("TestToken", artifact, token);
}

/** Deploys the libraries that a contract needs, each once, and those that they need first. */
function linkedInto(
  m: Builder,
  name: ContractName | LibraryName,
  libraries: Map<LibraryName, Library>,
): Record<string, Library> {
  const linked: Record<string, Library> = {};
  for (const library of linksOf(name).keys()) {
    const known = libraries.get(library);
    const inner =
      known ??
      m.library(library, artifactOf(library), {
        libraries: linkedInto(m, library, libraries),
      });
    libraries.set(library, inner);
    linked[library] = inner;
  }
  return linked;
}

/** Each restricted function gets its role, each role that waits a guardian, and the deployer every role. */
function grantRoles(m: Builder, parts: Parts, deployer: string): Step[] {
  const assigned = restrictedParts(parts).flatMap(([name, contract]) =>
    rolesOf(name).map(([role, functions]) =>
      m.call(
        parts.roles,
        "setTargetFunctionRole",
        [contract, functions.map((each) => selectorOf(name, each)), ROLE_IDS[role]],
        { id: `functions_${name}_${role}` },
      ),
    ),
  );
  const guarded = [...DELAYED].map((role) =>
    m.call(parts.roles, "setRoleGuardian", [ROLE_IDS[role], ROLE_IDS.guardian], {
      id: `guard_${role}`,
    }),
  );
  return ROLE_NAMES.map((role) =>
    m.call(parts.roles, "grantRole", [ROLE_IDS[role], deployer, 0], {
      id: `grant_${role}`,
      after: [...assigned, ...guarded],
    }),
  );
}

function restrictedParts(parts: Parts): [Restricted, Deployed][] {
  return [
    ["exchange", parts.exchange],
    ["oracle", parts.oracle],
    ["signedFeed", parts.signedFeed],
  ];
}

function rolesOf(name: Restricted): [RoleName, readonly string[]][] {
  return ROLE_NAMES.flatMap((role): [RoleName, readonly string[]][] => {
    const functions = FUNCTIONS[name][role];
    return functions === undefined ? [] : [[role, functions]];
  });
}

/** Ids are given in order of listing, so each market waits for the one before. */
function listMarkets(
  m: Builder,
  parts: Parts,
  { parameters, after }: { parameters: Parameters; after: readonly Step[] },
): Step[] {
  const bound = m.call(parts.exchange, "bindFund", [parts.fund], { after: [...after] });
  let last: Step[] = [
    m.call(parts.exchange, "setFeeShare", [parameters.fundShare], { after: [bound] }),
  ];
  parameters.markets.forEach((market, id) => {
    const sources = m.call(parts.oracle, "setSources", [id, ...sourcesOf(market, parts)], {
      id: `sources_${id}`,
      after: last,
    });
    // Ignition wants plain arguments; the struct is one of numbers, strings and bigints.
    const config = toMarketConfig(market) as unknown as Record<string, bigint>;
    last = [
      m.call(parts.exchange, "list", [market.name, config], { id: `list_${id}`, after: [sources] }),
    ];
  });
  return last;
}

function sourcesOf(market: MarketParameters, parts: Parts): [Deployed[], string[]] {
  const { signedFeed: signed, chainlink, pyth } = parts;
  const contracts = market.sources.map(({ kind }) => {
    const contract = { signed, chainlink, pyth }[kind];
    if (contract === undefined) throw new Error(`${market.name} has a source that is not deployed`);
    return contract;
  });
  return [contracts, market.sources.map(feedOf)];
}

/** Roles of others get their delay; the deployer keeps only what nobody was named for. The admin comes last. */
function handOver(
  m: Builder,
  { roles }: Parts,
  given: { parameters: Parameters; deployer: string; after: readonly Step[] },
): void {
  const { parameters, deployer } = given;
  let last = [...given.after];
  for (const role of ROLE_NAMES) {
    const holder = parameters.roles[role];
    if (holder === null || holder === deployer) continue;
    const delay = DELAYED.has(role) ? parameters.delay : 0;
    const grant = m.call(roles, "grantRole", [ROLE_IDS[role], holder, delay], {
      id: `hand_over_${role}`,
      after: last,
    });
    last = [
      m.call(roles, "renounceRole", [ROLE_IDS[role], deployer], {
        id: `renounce_${role}`,
        after: [grant],
      }),
    ];
  }
  const { admin } = parameters.roles;
  if (admin === null || admin === deployer) return;
  const grant = m.call(roles, "grantRole", [ADMIN_ROLE, admin, parameters.delay], {
    id: "hand_over_admin",
    after: last,
  });
  m.call(roles, "renounceRole", [ADMIN_ROLE, deployer], { id: "renounce_admin", after: [grant] });
}
