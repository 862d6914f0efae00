import type { NetworkConnection } from "hardhat/types/network";
import type { Signer } from "ethers";
import { ExchangeLens__factory } from "../../typechain-types/factories/ExchangeLens__factory.js";
import { Exchange__factory } from "../../typechain-types/factories/Exchange__factory.js";
import { InsuranceFund__factory } from "../../typechain-types/factories/InsuranceFund__factory.js";
import { MarginVault__factory } from "../../typechain-types/factories/MarginVault__factory.js";
import { Roles__factory } from "../../typechain-types/factories/Roles__factory.js";
import { IndexOracle__factory } from "../../typechain-types/factories/oracle/IndexOracle__factory.js";
import { SignedFeed__factory } from "../../typechain-types/factories/oracle/SignedFeed__factory.js";
import { TestToken__factory } from "../../typechain-types/factories/test/TestToken__factory.js";
import { ballastModule } from "./module.js";
import type { Parameters } from "./parameters.js";

/** Every address of a deployment, libraries included. */
export type Addresses = Readonly<Record<string, string>>;

export type Ballast = ReturnType<typeof connectBallast>;

/** Contracts of a deployment, typed, acting for `runner`. */
export function connectBallast(addresses: Addresses, runner: Signer) {
  const at = (name: string): string => {
    const address = addresses[name];
    if (address === undefined) throw new Error(`the deployment has no ${name}`);
    return address;
  };
  return {
    addresses,
    roles: Roles__factory.connect(at("roles"), runner),
    token: TestToken__factory.connect(at("token"), runner),
    oracle: IndexOracle__factory.connect(at("oracle"), runner),
    signedFeed: SignedFeed__factory.connect(at("signedFeed"), runner),
    exchange: Exchange__factory.connect(at("exchange"), runner),
    vault: MarginVault__factory.connect(at("vault"), runner),
    fund: InsuranceFund__factory.connect(at("fund"), runner),
    lens: ExchangeLens__factory.connect(at("lens"), runner),
  };
}

/**
 * Deploys everything, or what is still missing of it: with a `deploymentId` a deployment that was cut off goes on where
 * it stopped.
 */
export async function deployBallast(
  connection: NetworkConnection,
  parameters: Parameters,
  { deploymentId, displayUi = false }: { deploymentId?: string; displayUi?: boolean } = {},
): Promise<Ballast> {
  const [deployer] = await connection.ethers.getSigners();
  if (deployer === undefined) throw new Error("the network has no account to deploy from");
  const module = ballastModule(parameters, deployer.address);
  const contracts = await connection.ignition.deploy(module, {
    displayUi,
    ...(deploymentId === undefined ? {} : { deploymentId }),
  });
  const addresses: Record<string, string> = {};
  for (const [name, contract] of Object.entries(contracts)) {
    addresses[name] = await contract.getAddress();
  }
  const exchange = Exchange__factory.connect(addresses.exchange ?? "", deployer);
  addresses.vault = await exchange.vault();
  return connectBallast(addresses, deployer);
}
