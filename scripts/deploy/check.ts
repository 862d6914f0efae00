import { LINKED, linksOf } from "./artifacts.js";
import type { Ballast } from "./deploy.js";
import type { MarketParameters, Parameters } from "./parameters.js";
import { feedOf, toMarketConfig } from "./parameters.js";
import { DELAYED, FUNCTIONS, ROLE_IDS, ROLE_NAMES, selectorOf } from "./roles.js";
import type { Restricted } from "./roles.js";

/* Reads a deployment back and says what is not as the parameters want it. */

type Deployment = {
  readonly ballast: Ballast;
  readonly parameters: Parameters;
  readonly deployer: string;
};

const FUND_ACCOUNT = 1;
/** The manager's own. */
const ADMIN_ROLE = 0n;
const PERCENT = 100n;
/** Under which names a deployment lists the contracts; libraries keep their own. */
const KEYS: Readonly<Record<string, string>> = { Exchange: "exchange", ExchangeLens: "lens" };

/** One line for each thing that is wrong; none if the deployment is sound. */
export async function checkDeployment(deployment: Deployment): Promise<string[]> {
  const problems = await Promise.all([
    checkWiring(deployment),
    checkRoles(deployment),
    checkLinks(deployment),
    checkMarkets(deployment),
  ]);
  return problems.flat();
}

async function checkWiring({ ballast, parameters }: Deployment): Promise<string[]> {
  const { exchange, vault, fund, lens, oracle, signedFeed, addresses } = ballast;
  const { outflow } = parameters;
  const facts: [string, unknown, unknown][] = [
    ["vault.exchange", await vault.exchange(), addresses.exchange],
    ["vault.token", await vault.token(), addresses.token],
    ["vault.share", await vault.share(), BigInt(outflow.share)],
    ["vault.floor", await vault.floor(), BigInt(outflow.floor) * 10n ** (await vault.decimals())],
    ["exchange.oracle", await exchange.oracle(), addresses.oracle],
    ["exchange.fund", await exchange.fund(), addresses.fund],
    ["exchange.authority", await exchange.authority(), addresses.roles],
    ["oracle.authority", await oracle.authority(), addresses.roles],
    ["signedFeed.authority", await signedFeed.authority(), addresses.roles],
    ["signedFeed.threshold", await signedFeed.threshold(), BigInt(parameters.threshold)],
    ["fund.exchange", await fund.exchange(), addresses.exchange],
    ["fund.asset", await fund.asset(), addresses.token],
    ["fund.cooldown", await fund.cooldown(), BigInt(parameters.fundCooldown)],
    ["lens.exchange", await lens.exchange(), addresses.exchange],
    ["owner of the fund's account", (await exchange.accountOf(FUND_ACCOUNT)).owner, addresses.fund],
    ["markets", await exchange.marketCount(), BigInt(parameters.markets.length)],
  ];
  return facts.flatMap(([what, is, wanted]) => differs(what, is, wanted));
}

async function checkRoles({ ballast, parameters, deployer }: Deployment): Promise<string[]> {
  const { roles, addresses } = ballast;
  const problems: string[] = [];
  for (const contract of ["exchange", "oracle", "signedFeed"] satisfies Restricted[]) {
    for (const role of ROLE_NAMES) {
      for (const name of FUNCTIONS[contract][role] ?? []) {
        const target = addresses[contract] ?? "";
        const is = await roles.getTargetFunctionRole(target, selectorOf(contract, name));
        problems.push(...differs(`role of ${contract}.${name}`, is, ROLE_IDS[role]));
      }
    }
  }
  for (const role of ROLE_NAMES) {
    const guardian = await roles.getRoleGuardian(ROLE_IDS[role]);
    const wanted = DELAYED.has(role) ? ROLE_IDS.guardian : ADMIN_ROLE;
    problems.push(...differs(`guardian of ${role}`, guardian, wanted));
    const holder = parameters.roles[role] ?? deployer;
    const [holds] = await roles.hasRole(ROLE_IDS[role], holder);
    problems.push(...differs(`${holder} holds ${role}`, holds, true));
    if (holder === deployer) continue;
    const [kept] = await roles.hasRole(ROLE_IDS[role], deployer);
    problems.push(...differs(`the deployer holds ${role}`, kept, false));
  }
  return problems;
}

/** The addresses inside the bytecode are those of the libraries of this deployment. */
async function checkLinks({ ballast }: Deployment): Promise<string[]> {
  const { addresses, exchange } = ballast;
  const problems: string[] = [];
  for (const name of LINKED) {
    const address = addresses[KEYS[name] ?? name] ?? "";
    const code = ((await exchange.runner?.provider?.getCode(address)) ?? "0x").toLowerCase();
    for (const [library, times] of linksOf(name)) {
      const linked = addresses[library]?.slice(2).toLowerCase() ?? "";
      problems.push(...differs(`${library} in ${name}`, code.split(linked).length - 1, times));
    }
  }
  return problems;
}

async function checkMarkets({ ballast, parameters }: Deployment): Promise<string[]> {
  const problems: string[] = [];
  for (const [id, market] of parameters.markets.entries()) {
    const config = await ballast.exchange.configOf(id);
    for (const [field, wanted] of Object.entries(toMarketConfig(market))) {
      // Typechain's result can be read by field name.
      const is = (config as unknown as Record<string, bigint>)[field];
      if (field === "openInterestCap" && isGrowing(is, { cap: BigInt(wanted), market })) continue;
      problems.push(...differs(`${market.name}.${field}`, is, BigInt(wanted)));
    }
    problems.push(...(await checkSources(ballast, id, market)));
  }
  return problems;
}

/** A cap starts with a part and grows to the whole. */
function isGrowing(
  is: bigint | undefined,
  { cap, market }: { readonly cap: bigint; readonly market: MarketParameters },
): boolean {
  return is !== undefined && is <= cap && is >= (cap * BigInt(market.capStart)) / PERCENT;
}

async function checkSources(
  { oracle, addresses }: Ballast,
  id: number,
  market: MarketParameters,
): Promise<string[]> {
  const [sources, feeds] = await oracle.sourcesOf(id);
  const { signedFeed: signed, chainlink, pyth } = addresses;
  const wantedSources = market.sources.map(({ kind }) => ({ signed, chainlink, pyth })[kind]);
  const wantedFeeds = market.sources.map(feedOf);
  return [
    ...differs(`sources of ${market.name}`, sources.join(), wantedSources.join()),
    ...differs(`feeds of ${market.name}`, feeds.join(), wantedFeeds.join().toLowerCase()),
  ];
}

function differs(what: string, is: unknown, wanted: unknown): string[] {
  return is === wanted ? [] : [`${what}: is ${String(is)}, should be ${String(wanted)}`];
}
