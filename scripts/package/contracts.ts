/* The contracts' interfaces: factories to connect through, and their types. */
export { IExchange__factory } from "../../typechain-types/factories/interfaces/IExchange__factory.js";
export { IExchangeLens__factory } from "../../typechain-types/factories/interfaces/IExchangeLens__factory.js";
export { IIndexOracle__factory } from "../../typechain-types/factories/interfaces/IIndexOracle__factory.js";
export { IInsuranceFund__factory } from "../../typechain-types/factories/interfaces/IInsuranceFund__factory.js";
export { IMarginVault__factory } from "../../typechain-types/factories/interfaces/IMarginVault__factory.js";
export { IPriceSource__factory } from "../../typechain-types/factories/interfaces/IPriceSource__factory.js";
export type * from "../../typechain-types/interfaces/IExchange.js";
export type { IExchangeLens } from "../../typechain-types/interfaces/IExchangeLens.js";
export type { IIndexOracle } from "../../typechain-types/interfaces/IIndexOracle.js";
export type { IInsuranceFund } from "../../typechain-types/interfaces/IInsuranceFund.js";
export type { IMarginVault } from "../../typechain-types/interfaces/IMarginVault.js";
export type { IPriceSource } from "../../typechain-types/interfaces/IPriceSource.js";
