/* The package's main entry: what a front end or a bot needs, without Node. */
export { connect } from "./ballast.js";
export type { Ballast } from "./ballast.js";
export { DeploymentError, parseDeployment } from "./deployments.js";
export type { Deployment } from "./deployments.js";
export { decodeError, decodeErrorData, findRevertData } from "./errors.js";
export type { ContractError } from "./errors.js";
export {
  cancelAllOrders,
  cancelOrder,
  LEVERAGES,
  limitOrder,
  marketOrder,
  replaceOrder,
  setLeverage,
  slotOf,
} from "./orders.js";
export type { Action, Leverage, Order, OrderSide, TimeInForce } from "./orders.js";
export { readFund, readStake } from "./fund.js";
export type { FundInfo, Shut, Stake } from "./fund.js";
export { readAccountShare, readBudget, readLimits } from "./limits.js";
export type { AccountShare, Budget, MarketLimits, MarketStatus } from "./limits.js";
export { previewWithdrawal, readOutflow, readRequest, requestsIn } from "./queue.js";
export type { Outflow, Payment, WithdrawalRequest } from "./queue.js";
export { readHealth, readHealths, readMarket, readPositions, readRank } from "./read.js";
export type { Health, MarketInfo, PositionInfo, PositionSide, Rank } from "./read.js";
export {
  fromLots,
  fromPrice,
  fromQuote,
  fromScore,
  fromTicks,
  NotOnTickError,
  toLots,
  toQuote,
  toTicks,
  toTicksDown,
  toTicksUp,
} from "./units.js";
export type { MarketUnits } from "./units.js";
