// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ExchangeStorage} from "./ExchangeStorage.sol";
import {MarginVault} from "./MarginVault.sol";
import {IExchange} from "./interfaces/IExchange.sol";
import {IMarginVault} from "./interfaces/IMarginVault.sol";
import {Access} from "./libraries/Access.sol";
import {Accounts} from "./libraries/Accounts.sol";
import {Deleverage} from "./libraries/Deleverage.sol";
import {Ladder} from "./libraries/Ladder.sol";
import {Ledger} from "./libraries/Ledger.sol";
import {Liquidation} from "./libraries/Liquidation.sol";
import {Listing} from "./libraries/Listing.sol";
import {Margin} from "./libraries/Margin.sol";
import {Orders} from "./libraries/Orders.sol";
import {Prices} from "./libraries/Prices.sol";
import {Winding} from "./libraries/Winding.sol";
import {Action, ActionKind, ActionResult} from "./types/Action.sol";
import {Snapshot} from "./types/Context.sol";
import {Bounds, House, Keys, MarketStatus, Scopes} from "./types/Keys.sol";
import {MarketConfig} from "./types/MarketConfig.sol";
import {Side} from "./types/Side.sol";
import {
    Account,
    BookSlot,
    Cohort,
    FlowSlot,
    Level,
    Market,
    MarkSlot,
    Operator,
    Order,
    PoolSlot,
    Position,
    Resting,
    SampleSlot
} from "./types/State.sol";

/// @title Exchange
/// @notice The shell: every call locks, authorises, refreshes prices, runs one library, and is judged once.
///
/// ACCOUNTS  An account has one owner and one pool of margin. Operators may trade or cancel for it, never move money out.
/// LIQUIDATION  `liquidate`, `takeover` and `deleverage` are open to anyone; the caller chooses neither price nor order.
/// ROUNDING  What an account receives is rounded down, what it gives is rounded up; the rest goes to ledger account 3.
/// LIVENESS  Cancelling and depositing need neither a price nor the owner of anything. Closing, withdrawing free balance and
/// liquidation depend on no switch that a role holds.
/// ROLES  Listing: parameters within their bounds, delayed. Guardian: lowers risk, at once. Treasury: takes the treasury's own
/// money. No role moves a user's money, an index or a mark.
/// ASSUMPTIONS  The token is plain (see MarginVault). The oracle never reverts (see IIndexOracle). The code cannot be upgraded: a new
/// exchange is a new vault, and users leave the old one by `withdraw`.
contract Exchange is ExchangeStorage, AccessManaged, ReentrancyGuardTransient, IExchange {
    /// @dev Seconds after which a market that a call only needs for margin is refreshed too.
    uint256 private constant STALE_AFTER = 30;
    /// @dev Price classes and cohorts that a call works on for an event it finds waiting.
    uint256 private constant STEPS_IN_PASSING = 64;
    /// @dev Accounts that one call may name.
    uint256 private constant ACCOUNTS_PER_CALL = 200;

    /// @param token The settlement token: plain, at most 18 decimals.
    /// @param limit Of what leaves the vault beyond net deposits. Nobody can change it.
    constructor(
        address token,
        address oracle_,
        address authority_,
        IMarginVault.Limit memory limit
    ) AccessManaged(authority_) {
        MarginVault vault_ = new MarginVault(token, limit);
        $.vault = address(vault_);
        $.tokenScale = uint64(10 ** (18 - vault_.decimals()));
        $.oracle = oracle_;
        $.accountCount = House.FIRST_ACCOUNT - 1;
        // House accounts need an owner to exist; these two can never be called by one.
        $.accounts[House.TREASURY].owner = address(this);
        $.accounts[House.DUST].owner = address(this);
    }

    /* ACCOUNTS */

    /// @inheritdoc IExchange
    function openAccount(address owner) external nonReentrant returns (uint32 account) {
        return Accounts.open($, owner);
    }

    /// @inheritdoc IExchange
    function deposit(uint32 account, uint256 amount) external nonReentrant {
        Accounts.deposit($, account, amount);
    }

    /// @inheritdoc IExchange
    function depositWithPermit(
        uint32 account,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant {
        Accounts.depositWithPermit($, account, amount, IMarginVault.Permit(deadline, v, r, s));
    }

    /// @inheritdoc IExchange
    function withdraw(
        uint32 account,
        uint256 amount,
        address to
    ) external nonReentrant returns (uint256 withdrawn) {
        _refreshAll(account, 0);
        return Accounts.withdraw($, account, amount, to);
    }

    /// @inheritdoc IExchange
    function transfer(uint32 from, uint32 to, uint256 amount) external nonReentrant {
        _refreshAll(from, 0);
        Accounts.transfer($, from, to, amount);
    }

    /// @inheritdoc IExchange
    function setOperator(
        uint32 account,
        address operator,
        uint8 scope,
        uint40 expiry
    ) external nonReentrant {
        Accounts.setOperator($, account, operator, Operator(scope, expiry));
    }

    /// @inheritdoc IExchange
    function setOperatorBySig(
        uint32 account,
        address operator,
        uint8 scope,
        uint40 expiry,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external nonReentrant {
        Accounts.setOperatorBySig(
            $,
            account,
            operator,
            Operator(scope, expiry),
            [nonce, deadline],
            signature
        );
    }

    /* TRADING */

    /// @inheritdoc IExchange
    function execute(
        uint32 account,
        Action[] calldata actions
    ) external nonReentrant returns (ActionResult[] memory results) {
        return _execute(account, actions);
    }

    /// @inheritdoc IExchange
    function depositAndExecute(
        uint32 account,
        uint256 amount,
        Action[] calldata actions
    ) external nonReentrant returns (ActionResult[] memory results) {
        Accounts.deposit($, account, amount);
        return _execute(account, actions);
    }

    /* UPKEEP */

    /// @inheritdoc IExchange
    function poke(uint16 market) external nonReentrant {
        _refresh(market);
        Accounts.upkeep($, market);
    }

    /// @inheritdoc IExchange
    function settle(uint32 account, uint16 market) external nonReentrant {
        _refresh(market);
        Accounts.settle($, account, market);
    }

    /* THE WATERFALL */

    /// @inheritdoc IExchange
    function liquidate(
        uint32[] calldata accounts,
        uint256 maxFills,
        uint32 rewardTo
    ) external nonReentrant returns (uint256 done) {
        _refreshForWave(accounts);
        return Liquidation.liquidate($, accounts, maxFills, rewardTo);
    }

    /// @inheritdoc IExchange
    function takeover(
        uint32 from,
        uint32 to,
        uint16 market,
        uint256 lots,
        uint256 worstPrice
    ) external nonReentrant returns (uint256 taken) {
        Access.requireScope($, to, Scopes.TRADE);
        _refresh(market);
        _refreshAll(from, 0);
        _refreshAll(to, 0);
        Snapshot memory before = Margin.snapshot($, to);

        taken = Liquidation.takeover($, from, to, market, lots, worstPrice);

        Margin.requireAllowed($, to, before);
    }

    /// @inheritdoc IExchange
    function deleverage(
        uint32[] calldata accounts,
        uint256 maxFills,
        uint32 rewardTo
    ) external nonReentrant returns (uint256 done) {
        _refreshForWave(accounts);
        return Deleverage.deleverage($, accounts, maxFills, rewardTo);
    }

    /// @inheritdoc IExchange
    function continueEvent(
        uint16 market,
        uint256 maxSteps,
        uint32 rewardTo
    ) external nonReentrant returns (bool finished) {
        require($.markets[market].book.status & MarketStatus.EVENT != 0, NoEventPending(market));
        return Ladder.continueEvent($, market, maxSteps, rewardTo);
    }

    /* ADMINISTRATION */

    /// @inheritdoc IExchange
    function list(
        string calldata name,
        MarketConfig calldata config
    ) external restricted nonReentrant returns (uint16 market) {
        return Listing.list($, name, config);
    }

    /// @inheritdoc IExchange
    function setConfig(
        uint16 market,
        MarketConfig calldata config
    ) external restricted nonReentrant {
        Listing.setConfig($, market, config);
    }

    /// @inheritdoc IExchange
    function reduceRisk(
        uint16 market,
        uint64 openInterestCap,
        uint8 maxLeverage,
        bool reduceOnly
    ) external restricted nonReentrant {
        Listing.reduceRisk($, market, openInterestCap, maxLeverage, reduceOnly);
    }

    /// @inheritdoc IExchange
    function reopen(uint16 market) external restricted nonReentrant {
        Listing.reopen($, market);
    }

    /// @inheritdoc IExchange
    function windDown(uint16 market) external restricted nonReentrant {
        Winding.begin($, market);
    }

    /// @inheritdoc IExchange
    function setFeeShare(uint24 fundShare) external restricted nonReentrant {
        Listing.setFeeShare($, fundShare);
    }

    /// @inheritdoc IExchange
    function bindFund(address fund_) external restricted nonReentrant {
        Listing.bindFund($, fund_);
    }

    /// @inheritdoc IExchange
    function payTreasury(uint256 amount, address to) external restricted nonReentrant {
        Accounts.payTreasury($, amount, to);
    }

    /* READING */

    /// @inheritdoc IExchange
    function accountOf(uint32 account) external view returns (Account memory) {
        return $.accounts[account];
    }

    /// @inheritdoc IExchange
    function balanceOf(uint32 account) external view returns (int256 balance) {
        return Ledger.balanceOf($, account);
    }

    /// @inheritdoc IExchange
    function operatorOf(
        uint32 account,
        address operator
    ) external view returns (uint8 scope, uint40 expiry) {
        Operator memory right = $.operators[account][operator];
        return (right.scope, right.expiry);
    }

    /// @inheritdoc IExchange
    function positionOf(uint32 account, uint16 market) external view returns (Position memory) {
        return $.markets[market].positions[account];
    }

    /// @inheritdoc IExchange
    function restingOf(uint32 account, uint16 market) external view returns (Resting memory) {
        return $.markets[market].resting[account];
    }

    /// @inheritdoc IExchange
    function orderOf(uint16 market, uint40 order) external view returns (Order memory) {
        return $.markets[market].orders[order];
    }

    /// @inheritdoc IExchange
    function levelOf(uint16 market, Side side, uint24 tick) external view returns (Level memory) {
        return $.markets[market].levels[Keys.levelKey(side, tick)];
    }

    /// @inheritdoc IExchange
    function cohortOf(uint16 market, uint16 cohort) external view returns (Cohort memory) {
        return $.markets[market].cohorts[cohort];
    }

    /// @inheritdoc IExchange
    function configOf(uint16 market) external view returns (MarketConfig memory) {
        return $.markets[market].config;
    }

    /// @inheritdoc IExchange
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
        )
    {
        Market storage m = $.markets[market];
        return (m.price, m.book, m.sample, m.flow, m.pool);
    }

    /// @inheritdoc IExchange
    function marketCount() external view returns (uint16) {
        return $.marketCount;
    }

    /// @inheritdoc IExchange
    function accountCount() external view returns (uint32) {
        return $.accountCount;
    }

    /// @inheritdoc IExchange
    function vault() external view returns (address) {
        return $.vault;
    }

    /// @inheritdoc IExchange
    function oracle() external view returns (address) {
        return $.oracle;
    }

    /// @inheritdoc IExchange
    function fund() external view returns (address) {
        return $.fund;
    }

    /// @inheritdoc IExchange
    function distress() external view returns (uint96 maintenance, uint32 since) {
        return ($.distress.maintenance, $.distress.since);
    }

    /// @inheritdoc IExchange
    function extsload(bytes32[] calldata slots) external view returns (bytes32[] memory words) {
        words = new bytes32[](slots.length);
        for (uint256 i = 0; i < slots.length; i++) {
            bytes32 slot = slots[i];
            bytes32 word;
            // Reads one storage word: word = storage[slot].
            assembly ("memory-safe") {
                word := sload(slot)
            }
            words[i] = word;
        }
    }

    /// @inheritdoc IExchange
    function simulate(address code, bytes calldata data) external {
        require(!_reentrancyGuardEntered(), Locked());
        // Safe because this frame cannot end without a revert: whatever `code` wrote, sent or emitted is undone.
        (bool ok, bytes memory result) = code.delegatecall(data);
        revert Simulated(ok, result);
    }

    /* INTERNAL */

    function _execute(
        uint32 account,
        Action[] calldata actions
    ) private returns (ActionResult[] memory results) {
        require(actions.length <= Bounds.ACTIONS, TooManyActions(actions.length, Bounds.ACTIONS));
        if (_onlyCancels(actions)) {
            // Needs no price and no judge: a cancellation only takes reservations away.
            Access.requireScope($, account, Scopes.CANCEL);
            return Orders.execute($, account, actions);
        }
        Access.requireScope($, account, Scopes.TRADE);
        for (uint256 i = 0; i < actions.length; i++) _refresh(actions[i].market);
        _refreshAll(account, STALE_AFTER);
        Snapshot memory before = Margin.snapshot($, account);

        results = Orders.execute($, account, actions);

        Margin.requireAllowed($, account, before);
    }

    function _onlyCancels(Action[] calldata actions) private pure returns (bool) {
        for (uint256 i = 0; i < actions.length; i++) {
            ActionKind kind = actions[i].kind;
            if (kind != ActionKind.Cancel && kind != ActionKind.CancelAll) return false;
        }
        return true;
    }

    /// @dev An event that waits in the market is continued first; nothing else may happen before it is done.
    function _refresh(uint16 market) private {
        uint8 status = $.markets[market].book.status;
        require(status & MarketStatus.LISTED != 0, UnknownMarket(market));
        if (status & MarketStatus.EVENT != 0) {
            bool finished = Ladder.continueEvent($, market, STEPS_IN_PASSING, 0);
            require(finished, EventPending(market));
        }
        Prices.refresh($, market);
    }

    /// @dev Refreshes the account's markets that were last refreshed more than `age` seconds ago.
    function _refreshAll(uint32 account, uint256 age) private {
        uint256 markets = $.accounts[account].markets | $.money[account].freshMarkets;
        // Bounded: Bounds.MARKETS bits, of which an account holds a few.
        for (uint16 market = 0; markets >> market != 0; market++) {
            if ((markets >> market) & 1 == 0) continue;
            BookSlot storage book = $.markets[market].book;
            bool waits = book.status & MarketStatus.EVENT != 0;
            if (waits || block.timestamp - book.refreshed >= age) _refresh(market);
        }
    }

    /// @dev For calls that must not fail because of one account: a market whose event cannot be finished in passing stays as it
    /// is, and the library skips its holders.
    function _refreshForWave(uint32[] calldata accounts) private {
        require(
            accounts.length <= ACCOUNTS_PER_CALL,
            TooManyActions(accounts.length, ACCOUNTS_PER_CALL)
        );
        uint256 markets;
        for (uint256 i = 0; i < accounts.length; i++) {
            markets |= $.accounts[accounts[i]].markets | $.money[accounts[i]].freshMarkets;
        }
        for (uint16 market = 0; markets >> market != 0; market++) {
            if ((markets >> market) & 1 == 0) continue;
            if ($.markets[market].book.status & MarketStatus.EVENT != 0) {
                if (!Ladder.continueEvent($, market, STEPS_IN_PASSING, 0)) continue;
            }
            Prices.refresh($, market);
        }
    }
}
