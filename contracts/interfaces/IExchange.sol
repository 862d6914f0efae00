// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Action, ActionResult} from "../types/Action.sol";
import {MarketConfig} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {
    Account,
    BookSlot,
    Cohort,
    Level,
    FlowSlot,
    MarkSlot,
    Order,
    PoolSlot,
    Position,
    Resting,
    SampleSlot
} from "../types/State.sol";
import {IExchangeErrors} from "./IExchangeErrors.sol";
import {IExchangeEvents} from "./IExchangeEvents.sol";

/// @title The exchange
/// @notice Accounts, order books, positions, funding, margin, liquidation and auto-deleveraging.
///
/// WORDS  account: one owner, one pool of margin, up to 8 markets. lot: the smallest base amount of a market. tick: the
/// smallest price step. notional: price × lots. quote: internal money, 1e-18 of a settlement unit. equity: balance +
/// fresh profit + unrealised profit − funding owed. mark: the price for margin. index: the oracle's price.
interface IExchange is IExchangeEvents, IExchangeErrors {
    /* ACCOUNTS */

    /// @notice Opens an account. Anyone may open any number for anyone.
    function openAccount(address owner) external returns (uint32 account);

    /// @notice Pays tokens of the caller into an account. Always possible.
    /// @param amount In the token's own decimals.
    function deposit(uint32 account, uint256 amount) external;

    function depositWithPermit(
        uint32 account,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Takes tokens out. Owner only. All of a flat account's balance can always be withdrawn; what its owner paid in arrives
    /// at once, what is beyond that may have to wait in the vault's queue (IMarginVault).
    /// @param amount In the token's own decimals; type(uint256).max for all that is withdrawable.
    /// @return withdrawn What left the account. The vault's events `Paid` and `Queued` say how much of it was sent at once and how
    /// much waits; `IMarginVault.preview` says it before.
    function withdraw(
        uint32 account,
        uint256 amount,
        address to
    ) external returns (uint256 withdrawn);

    /// @notice Moves quote between accounts of one owner, by the rules of a withdrawal.
    function transfer(uint32 from, uint32 to, uint256 amount) external;

    /// @notice Lets `operator` act for the account within `scope` until `expiry`; scope 0 takes it back. Owner only.
    function setOperator(uint32 account, address operator, uint8 scope, uint40 expiry) external;

    /// @notice The same by the owner's EIP-712 signature, contract wallets included. Domain: name "Ballast", version "1", the chain's id,
    /// this contract. Struct: SetOperator(uint32 account,address operator,uint8 scope,uint40 expiry,uint256 nonce,uint256 deadline).
    /// @param nonce Any number that the owner has not used; they need no order.
    /// @param deadline Unix time.
    function setOperatorBySig(
        uint32 account,
        address operator,
        uint8 scope,
        uint40 expiry,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /* TRADING */

    /// @notice Does all actions in order, then judges once.
    /// @dev Reverts: MarginTooLow if the account ends below initial margin and its risk did not only fall.
    function execute(
        uint32 account,
        Action[] calldata actions
    ) external returns (ActionResult[] memory results);

    /// @notice `deposit`, then `execute`, judged once.
    function depositAndExecute(
        uint32 account,
        uint256 amount,
        Action[] calldata actions
    ) external returns (ActionResult[] memory results);

    /* UPKEEP, open to anyone */

    /// @notice Refreshes a market, lets its cap grow, ends a drawdown that is over, and shares out its fees.
    function poke(uint16 market) external;

    /// @notice Brings an account's position up to date: cash and haircuts of past events, a leverage class whose delay is
    /// over, matured profit, dead orders. Changes no equity.
    function settle(uint32 account, uint16 market) external;

    /* THE WATERFALL, open to anyone */

    /// @notice Reduces accounts below maintenance margin into the book, until 1.25 × maintenance.
    /// @param maxFills Bound on fills over all accounts.
    /// @param rewardTo Account that gets the caller's share.
    /// @return done Accounts that were reduced. The others emit Skipped.
    function liquidate(
        uint32[] calldata accounts,
        uint256 maxFills,
        uint32 rewardTo
    ) external returns (uint256 done);

    /// @notice Takes lots of an account under liquidation over, at the limit of the moment; the book is served first, as far as it is
    /// better. Returns 0 if it took all.
    /// @param from The account in liquidation.
    /// @param to The caller's account. It must pass the judge afterwards.
    /// @param lots At most; clipped to what brings `from` to its target.
    /// @param worstPrice The caller's bound, quote per lot.
    function takeover(
        uint32 from,
        uint32 to,
        uint16 market,
        uint256 lots,
        uint256 worstPrice
    ) external returns (uint256 taken);

    /// @notice Closes accounts whose clock has run out or whose equity is below zero, as one event; and positions in markets that have
    /// ended, whoever holds them.
    /// @param rewardTo Account that gets the caller's reward, if it is none of those that are named.
    /// @return done Accounts that were closed. The others emit Skipped.
    function deleverage(
        uint32[] calldata accounts,
        uint256 maxFills,
        uint32 rewardTo
    ) external returns (uint256 done);

    /// @notice Goes on with an event that did not fit into its transaction.
    /// @param maxSteps Price classes and cohorts to work on at most.
    function continueEvent(
        uint16 market,
        uint256 maxSteps,
        uint32 rewardTo
    ) external returns (bool finished);

    /* ADMINISTRATION */

    /// @notice Lists a market. Role LISTING, delayed. Worst it can do: list a market that nobody has to use.
    function list(
        string calldata name,
        MarketConfig calldata config
    ) external returns (uint16 market);

    /// @notice Changes a market's parameters within their bounds. Role LISTING, delayed. Worst it can do: raise margin
    /// requirements or fees up to their bounds, after the delay.
    function setConfig(uint16 market, MarketConfig calldata config) external;

    /// @notice Lowers a market's caps, or lets it only shrink. Role GUARDIAN, at once, downwards only.
    function reduceRisk(
        uint16 market,
        uint64 openInterestCap,
        uint8 maxLeverage,
        bool reduceOnly
    ) external;

    /// @notice Lets a reduce-only market grow again. Role LISTING, delayed. Refused while a shortfall stands.
    function reopen(uint16 market) external;

    /// @notice Begins to average a market's index for its last price; it only shrinks from now on, and cannot be brought back. After
    /// windWindow seconds everybody's positions can be closed at that price by `deleverage`. Role LISTING, delayed. A market without
    /// a price for maxDead seconds does this by itself.
    /// @dev Reverts: UnknownMarket, NoPrice, AlreadyWindingDown.
    function windDown(uint16 market) external;

    /// @notice The fund's share of fees when it has reached its target. Role LISTING, delayed.
    /// @param fundShare ppm.
    function setFeeShare(uint24 fundShare) external;

    /// @notice Makes the insurance fund the owner of ledger account 1. Role LISTING, once. Worst it can do: bind a fund that
    /// nobody has to pay into; the deployment checks it.
    function bindFund(address fund_) external;

    /// @notice Pays the treasury's balance out. Role TREASURY.
    function payTreasury(uint256 amount, address to) external;

    /* READING. ExchangeLens has what people want to see; these are its raw material. */

    function accountOf(uint32 account) external view returns (Account memory);

    function balanceOf(uint32 account) external view returns (int256 balance);

    function operatorOf(
        uint32 account,
        address operator
    ) external view returns (uint8 scope, uint40 expiry);

    function positionOf(uint32 account, uint16 market) external view returns (Position memory);

    function restingOf(uint32 account, uint16 market) external view returns (Resting memory);

    function orderOf(uint16 market, uint40 order) external view returns (Order memory);

    function levelOf(uint16 market, Side side, uint24 tick) external view returns (Level memory);

    function cohortOf(uint16 market, uint16 cohort) external view returns (Cohort memory);

    function configOf(uint16 market) external view returns (MarketConfig memory);

    function marketOf(
        uint16 market
    )
        external
        view
        returns (
            MarkSlot memory price,
            BookSlot memory book,
            SampleSlot memory sample,
            FlowSlot memory flow,
            PoolSlot memory pool
        );

    function marketCount() external view returns (uint16);

    function accountCount() external view returns (uint32);

    function vault() external view returns (address);

    function oracle() external view returns (address);

    function fund() external view returns (address);

    /// @notice How much is under liquidation.
    /// @return maintenance Margin of all accounts whose clock runs, as it was when it started, micro units.
    /// @return since Unix time at which the last of these clocks started.
    function distress() external view returns (uint96 maintenance, uint32 since);

    /// @notice Raw storage words.
    function extsload(bytes32[] calldata slots) external view returns (bytes32[] memory words);

    /// @notice Runs `code` with `data` by delegatecall and always reverts with Simulated, so nothing can persist.
    /// @dev To be asked with eth_call. Refused while a call is running.
    function simulate(address code, bytes calldata data) external;
}
