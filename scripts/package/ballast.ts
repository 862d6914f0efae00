import type { ContractRunner } from "ethers";
import { IExchangeLens__factory } from "../../typechain-types/factories/interfaces/IExchangeLens__factory.js";
import { IExchange__factory } from "../../typechain-types/factories/interfaces/IExchange__factory.js";
import { IMarginVault__factory } from "../../typechain-types/factories/interfaces/IMarginVault__factory.js";
import type { IExchange } from "../../typechain-types/interfaces/IExchange.js";
import type { IExchangeLens } from "../../typechain-types/interfaces/IExchangeLens.js";
import type { IMarginVault } from "../../typechain-types/interfaces/IMarginVault.js";
import type { Deployment } from "./deployments.js";

/** The contracts of a deployment, typed, acting for one runner. */
export type Ballast = {
  readonly exchange: IExchange;
  readonly lens: IExchangeLens;
  readonly vault: IMarginVault;
};

/** @param runner A provider to read, a signer to act. */
export function connect({ addresses }: Deployment, runner: ContractRunner): Ballast {
  return {
    exchange: IExchange__factory.connect(addresses.exchange, runner),
    lens: IExchangeLens__factory.connect(addresses.lens, runner),
    vault: IMarginVault__factory.connect(addresses.vault, runner),
  };
}
