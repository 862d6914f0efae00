// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {MarketConfig} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";

/// @title Events of the exchange
/// @notice Complete: whoever replays them from the first block has every account, order, position and cohort,
/// without a call. Balances and words are what they are after the event.
/// @dev A bytes32 is a storage word exactly as types/State.sol lays it out.
interface IExchangeEvents {
    enum RemovalReason {
        Cancelled,
        Replaced,
        Expired,
        SelfTrade,
        NotReducing,
        MarginTooLow,
        Killed,
        Liquidated,
        TopCapReached
    }

    enum BalanceReason {
        FreshMatured,
        Fees,
        Bond,
        Settlement,
        Penalty,
        Reward,
        FundDraw,
        Slippage,
        Dust,
        Deleveraged
    }

    enum SkipReason {
        NoPosition,
        Healthy,
        NotFresh,
        ClockRunning,
        EventPending,
        OutOfFills,
        UnknownAccount
    }

    enum MarkLeg {
        Index,
        Premium,
        Book,
        Clamped
    }

    /* ACCOUNTS */

    event AccountOpened(uint32 indexed account, address indexed owner);
    event Deposited(uint32 indexed account, address indexed payer, uint256 amount, int256 balance);
    /// @notice Left the account. How much of it was sent at once and how much waits is in the vault's events.
    event Withdrawn(uint32 indexed account, address indexed to, uint256 amount, int256 balance);
    event Transferred(
        uint32 indexed from,
        uint32 indexed to,
        uint256 amount,
        int256 fromBalance,
        int256 toBalance
    );
    event OperatorSet(uint32 indexed account, address indexed operator, uint8 scope, uint40 expiry);
    event NonceUsed(address indexed owner, uint256 nonce);
    /// @notice A balance changed by something other than the events that carry it themselves.
    event BalanceChanged(uint32 indexed account, BalanceReason reason, int256 balance);
    event LeverageChosen(
        uint16 indexed market,
        uint32 indexed account,
        uint8 class,
        uint8 pendingClass,
        uint256 pendingSince
    );

    /* ORDERS */

    /// @notice An order rests at the end of its level's queue; if its id rests already, it became smaller and kept its place.
    event OrderPlaced(
        uint16 indexed market,
        uint32 indexed account,
        uint40 order,
        uint24 tick,
        uint56 lots,
        uint32 expiry,
        uint8 flags
    );
    /// @notice An order is gone, and its reservation. An order that is filled to the end is gone without it.
    /// @param lots What was left of it.
    event OrderRemoved(
        uint16 indexed market,
        uint32 indexed account,
        uint40 order,
        uint56 lots,
        RemovalReason reason
    );
    /// @notice Every order of the level is gone, by one write. Their owners release them at their next touch.
    event LevelKilled(uint16 indexed market, Side side, uint24 tick, uint24 epoch);
    /// @notice Every order of this side of the account is dead, by one write.
    event OrdersKilled(uint16 indexed market, uint32 indexed account, Side side, uint16 epoch);

    /* TRADES, POSITIONS, COHORTS */

    /// @notice One resting order was filled. The taker's whole call ends in one PositionChanged.
    /// @param side The taker's.
    /// @param makerFee Quote, paid by the maker.
    event Filled(
        uint16 indexed market,
        uint32 indexed maker,
        uint32 indexed taker,
        uint40 order,
        Side side,
        uint24 tick,
        uint56 lots,
        uint256 makerFee
    );
    /// @notice A position changed or was settled.
    /// @param position Its word; zero if there is none any more.
    /// @param cohort Key of the cohort that it is in, or was in if there is none any more.
    /// @param cohortWord That cohort's word.
    /// @param balance Of the account, fees included.
    event PositionChanged(
        uint16 indexed market,
        uint32 indexed account,
        bytes32 position,
        uint16 cohort,
        bytes32 cohortWord,
        int256 balance
    );
    /// @notice A member's share of the events since its last settlement.
    /// @param lots Closed.
    /// @param cash Paid to the balance.
    /// @param haircut Given, from profit or, if so stated by PrincipalCharged, from principal.
    event Settled(
        uint16 indexed market,
        uint32 indexed account,
        uint256 lots,
        int256 cash,
        uint256 haircut
    );
    /// @notice A cohort changed without a PositionChanged that carries it.
    event CohortChanged(uint16 indexed market, uint16 indexed cohort, bytes32 cohortWord);
    event CheckpointWritten(
        uint16 indexed market,
        uint16 indexed cohort,
        uint24 number,
        bytes32 word,
        int256 cash,
        uint256 given
    );
    /// @notice Realised profit that does not count as settled yet, or one that does now.
    event FreshChanged(uint16 indexed market, uint32 indexed account, bytes32 record, bytes32 side);
    /// @notice A side's fresh profit changed without a FreshChanged that carries it: the word of its FreshSide.
    event FreshSideChanged(uint16 indexed market, Side side, bytes32 word);

    /* MARKETS */

    event MarketListed(uint16 indexed market, string name, MarketConfig config);
    event MarketConfigured(uint16 indexed market, MarketConfig config);
    event StatusChanged(uint16 indexed market, uint8 status);
    /// @notice The cap on open interest in force, and what it grows to since when; `full` 0: it is there. Lots, unix time.
    event CapChanged(uint16 indexed market, uint64 cap, uint64 full, uint32 since);
    /// @notice The market is wound down: its index is averaged. The word of its WindSlot.
    event WindChanged(uint16 indexed market, bytes32 word);
    /// @notice The market has its last price, quote per lot, at which anyone may close anyone.
    event MarketEnded(uint16 indexed market, uint64 price);
    /// @notice What the insurance fund should hold changed: this market's part, and all, micro units.
    event FundTargetChanged(uint16 indexed market, uint64 target, uint72 total);
    /// @notice The first call of a block.
    event Refreshed(
        uint16 indexed market,
        bytes32 price,
        bytes32 book,
        bytes32 sample,
        MarkLeg leg
    );
    /// @notice The index was sampled for its volatility, before Refreshed: variance per second, scale 10^24; quote per lot; unix time.
    event VolatilitySampled(uint16 indexed market, uint96 variance, uint64 index, uint32 sampled);
    /// @notice A market's totals, once a call that changed them: the words of its FlowSlot and PoolSlot.
    event TotalsChanged(uint16 indexed market, bytes32 flow, bytes32 pool);
    event FeesShared(uint16 indexed market, uint256 fund, uint256 treasury, int256 rest);
    event FeeShareChanged(uint24 fundShare);
    event FundBound(address fund);

    /* THE WATERFALL */

    /// @param distress Maintenance margin of the account, micro units: what it adds to State.distress while the clock runs.
    event ClockStarted(uint32 indexed account, uint256 time, uint80 distress);
    event ClockCleared(uint32 indexed account);
    event Skipped(uint32 indexed account, SkipReason reason);
    /// @notice A forced sale into the book, or to an account by takeover.
    /// @param buyer 0 for the book.
    /// @param limit The worst price that this call allowed, quote per lot.
    /// @param quote What the lots went for.
    event Liquidated(
        uint16 indexed market,
        uint32 indexed account,
        uint32 indexed buyer,
        uint256 lots,
        uint256 quote,
        uint256 limit,
        uint256 mark
    );
    /// @notice The end of a forced sale for one account.
    event LiquidationEnded(
        uint32 indexed account,
        int256 equityBefore,
        uint256 maintenanceBefore,
        int256 equityAfter,
        uint256 maintenanceAfter,
        uint256 penalty,
        uint256 reward
    );
    /// @notice An account of an event. Its positions are closed at mark, its balance is what is left.
    event AccountDeleveraged(
        uint64 indexed id,
        uint32 indexed account,
        int256 equity,
        uint256 deficit,
        uint256 penalty,
        int256 balance
    );
    /// @notice An insolvent account of an event gave part of what it had gained in a market to those that are missing money there. Its own
    /// deficit, in the markets in which it lost, is as much larger.
    event GainCharged(
        uint64 indexed id,
        uint16 indexed market,
        uint32 indexed account,
        uint256 amount
    );
    /// @notice One market and side of an event: what was missing and who paid.
    /// @param side Of the cohorts that pay and are cut.
    event Deleveraged(
        uint64 indexed id,
        uint16 indexed market,
        Side side,
        DeleverageReceipt receipt
    );

    /// @notice All in quote, except lots. deficit == fundWithin + haircut + discount + fundBeyond + principal +
    /// shortfall.
    struct DeleverageReceipt {
        uint64 parent; // the event that caused this one by a haircut, 0 if none did
        uint8 quantityRule;
        uint8 deficitRule;
        uint256 mark;
        uint256 lots; // of the closed accounts, after longs and shorts met
        uint256 bookLots; // of these, sold to the book
        uint256 dustLots; // of these, closed against ledger account 3
        uint256 queueLots; // of these, closed in the queue
        uint256 deficit;
        uint256 fundBefore;
        uint256 fundWithin;
        uint256 base; // guaranteed and fresh profit before the event
        uint256 haircut; // h = haircut / base
        uint256 freshCharge; // part of the haircut
        uint256 discount;
        uint256 fundBeyond;
        uint256 principal;
        uint256 shortfall;
    }

    /// @notice A price class gave part of its profit.
    event Haircut(
        uint64 indexed id,
        uint16 indexed market,
        Side side,
        uint16 priceClass,
        uint256 lots,
        uint256 amount,
        uint256 haircutIndex
    );
    /// @notice Profit was not enough: a price class gave principal.
    event PrincipalCharged(
        uint64 indexed id,
        uint16 indexed market,
        Side side,
        uint16 priceClass,
        uint256 lots,
        uint256 amount,
        uint256 haircutIndex
    );
    /// @param id 0 where a market that has ended took its shortfall from fresh profit.
    event FreshCharged(uint64 indexed id, uint16 indexed market, Side side, uint256 amount);
    /// @notice A cohort was cut in the queue.
    event CohortCut(
        uint64 indexed id,
        uint16 indexed market,
        uint16 indexed cohort,
        uint256 lots,
        int256 proceeds,
        uint256 discount
    );
    event DustChanged(
        uint16 indexed market,
        uint64 longLots,
        uint64 shortLots,
        int128 longCost,
        int128 shortCost
    );
    event ShortfallChanged(uint16 indexed market, uint256 shortfall);
    /// @notice A market drew on the fund: the word of its BucketSlot.
    event BudgetDrawn(uint16 indexed market, bytes32 bucket);
    /// @notice Somebody drew on the fund: the word of the FundSlot.
    event FundDrawn(bytes32 drawn);
    /// @notice The event did not fit; anyone may continue it.
    event EventStored(uint64 indexed id, uint16 indexed market);
    event EventFinished(uint64 indexed id, uint16 indexed market);
}
