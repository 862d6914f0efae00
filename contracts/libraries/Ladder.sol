// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Price, Tally} from "../types/Context.sol";
import {EventStage, Grade, House, Keys, MarketStatus} from "../types/Keys.sol";
import {QuantityRule} from "../types/MarketConfig.sol";
import {Side, isBetterFor} from "../types/Side.sol";
import {ChargeSlot, EventSide, EventSlot, Market, State} from "../types/State.sol";
import {Cohorts} from "./Cohorts.sol";
import {Distress} from "./Distress.sol";
import {Fresh} from "./Fresh.sol";
import {Ledger} from "./Ledger.sol";
import {Queue} from "./Queue.sol";
import {Shares} from "./Shares.sol";
import {Status} from "./Status.sol";
import {Tallies} from "./Tallies.sol";

/// @title Ladder
/// @notice What an event does to one market: first money, from profit and then from principal; then lots, from account 3's dust and
/// then from the queue. All amounts were fixed when the event began (Deleverage); here they are handed out, step by step, and an event
/// that does not fit into its transaction goes on from where it stopped. Linked.
///
/// INV-8: lots closed == lots needed, money taken == money missing, whatever the rules. A rule only chooses who and how much.
/// @dev Until it is done nothing else happens in the market (MarketStatus.EVENT), so that weights read later are those of the
/// beginning: a charge changes no lots, a cut is the last thing that happens to a cohort.
library Ladder {
    using FixedPointMathLib for uint256;
    using SafeCast for uint256;
    using SafeCast for int256;

    /// @dev One step is one price class; a cohort costs as much gas as this many.
    uint256 internal constant COHORT_STEPS = 8;
    /// @dev Steps of one call of `continueEvent` at most: what fits into a transaction of 16,777,216 gas for sure.
    uint256 private constant STEPS_PER_CALL = 1000;
    /// @dev What the caller of `continueEvent` gets for a step, quote.
    uint256 private constant STEP_REWARD = 1e16;

    /* OUTSIDE */

    /// @notice Charges both sides, as far as the steps go.
    /// @return The event as it is now; a side that is charged stands at EventStage.Dust.
    /// @return The tally, changed.
    /// @return Steps left.
    function charge(
        State storage s,
        EventSlot memory work,
        Price memory price,
        Tally memory tally,
        uint256 steps
    ) external returns (EventSlot memory, Tally memory, uint256) {
        steps = chargeSides(s.markets[price.market], work, price, tally, steps);
        return (work, tally, steps);
    }

    /// @notice Closes the lots, as far as the steps go, and ends the event or stores it.
    /// @return Steps left.
    function close(
        State storage s,
        EventSlot memory work,
        Price memory price,
        Tally memory tally,
        uint256 steps
    ) external returns (uint256) {
        Market storage m = s.markets[price.market];
        if (isCharged(work)) steps = closeSides(m, work, price, tally, steps);
        if (isDone(work)) {
            end(m, work, price.market);
        } else {
            store(m, work, price.market, tally);
        }
        Tallies.store(m, price.market, tally);
        return steps;
    }

    /// @notice Goes on with a stored event. The caller is paid a small amount for every step, if the fund has it.
    /// @dev Every call makes at least one step, and at most STEPS_PER_CALL. Prices are those of the beginning.
    function continueEvent(
        State storage s,
        uint16 marketId,
        uint256 maxSteps,
        uint32 rewardTo
    ) external returns (bool finished) {
        Market storage m = s.markets[marketId];
        EventSlot memory work = m.pending;
        require(work.id != 0, IExchangeErrors.NoEventPending(marketId));
        Price memory price = Price({
            market: marketId,
            unit: m.config.unit,
            mark: work.mark,
            index: work.mark,
            funding: work.funding,
            grade: Grade.Fresh,
            pending: false,
            pendingIndex: 0,
            volatilityRate: 0,
            openInterest: 0
        });
        Tally memory tally;
        (tally.rest, tally.unsettled) = (work.rest, -carried(work));

        uint256 steps = maxSteps.max(1).min(STEPS_PER_CALL);
        uint256 left = chargeSides(m, work, price, tally, steps);
        if (isCharged(work)) left = closeSides(m, work, price, tally, left);
        finished = isDone(work);
        if (finished) {
            delete m.pending;
            Status.set(m, marketId, m.book.status & ~MarketStatus.EVENT);
            end(m, work, marketId);
            emit IExchangeEvents.EventFinished(work.id, marketId);
        } else {
            store(m, work, marketId, tally);
        }
        Tallies.store(m, marketId, tally);
        reward(s, rewardTo, (steps - left) * STEP_REWARD);
    }

    /// @notice A whole event at once, for a preview.
    /// @return The receipt of one side.
    function run(
        State storage s,
        EventSlot memory work,
        Price memory price,
        Tally memory tally,
        Side side
    ) external returns (IExchangeEvents.DeleverageReceipt memory) {
        Market storage m = s.markets[price.market];
        chargeSides(m, work, price, tally, type(uint256).max);
        closeSides(m, work, price, tally, type(uint256).max);
        return receiptOf(m, work, work.sides[side.index()]);
    }

    /* MONEY */

    function chargeSides(
        Market storage m,
        EventSlot memory work,
        Price memory price,
        Tally memory tally,
        uint256 steps
    ) private returns (uint256) {
        for (uint256 i = 0; i < 2; ++i) {
            EventSide memory to = work.sides[i];
            if (to.stage == EventStage.Haircut) {
                steps = takeProfit(m, work, Side(i), price, tally, steps);
            }
            if (to.stage == EventStage.Principal) {
                steps = takePrincipal(m, work, Side(i), price.market, steps);
            }
        }
        return steps;
    }

    /// @notice The haircut: every price class with guaranteed profit in rank order, then the side's fresh profit.
    function takeProfit(
        Market storage m,
        EventSlot memory work,
        Side side,
        Price memory price,
        Tally memory tally,
        uint256 steps
    ) private returns (uint256) {
        EventSide memory to = work.sides[side.index()];
        if (to.haircut != 0) {
            (uint256 class, bool found) = next(m, side, to.cursor);
            while (found && isInProfit(price, side, class)) {
                uint256 weight = Cohorts.guaranteedProfit(m, price, side, class);
                if (weight != 0) {
                    if (steps == 0) return 0;
                    --steps;
                    uint256 share = Shares.next(to.split, weight);
                    uint256 index_ = Cohorts.charge(m, price.market, side, class, share);
                    emit IExchangeEvents.Haircut(
                        work.id,
                        price.market,
                        side,
                        uint16(class),
                        m.classes[Keys.classKey(side, class)].lots,
                        share,
                        index_
                    );
                }
                to.cursor = uint16(class + 1);
                (class, found) = next(m, side, to.cursor);
            }
            takeFresh(m, work, side, price.market, tally);
        }
        to.stage = EventStage.Principal;
        to.cursor = 0;
        to.split = Shares.start(to.principal, to.sideLots);
        return steps;
    }

    function takeFresh(
        Market storage m,
        EventSlot memory work,
        Side side,
        uint16 marketId,
        Tally memory tally
    ) private {
        EventSide memory to = work.sides[side.index()];
        uint256 share = Shares.next(to.split, to.fresh);
        if (share != 0) {
            to.freshCharge = share.toUint128();
            Fresh.charge(m, marketId, side, share, tally);
            emit IExchangeEvents.FreshCharged(work.id, marketId, side, share);
        }
        requireAll(marketId, to.split.given, to.haircut);
    }

    /// @notice What profit and fund did not cover: the same from every lot of the side.
    function takePrincipal(
        Market storage m,
        EventSlot memory work,
        Side side,
        uint16 marketId,
        uint256 steps
    ) private returns (uint256) {
        EventSide memory to = work.sides[side.index()];
        if (to.principal != 0) {
            (uint256 class, bool found) = next(m, side, to.cursor);
            while (found) {
                if (steps == 0) return 0;
                --steps;
                uint256 lots = m.classes[Keys.classKey(side, class)].lots;
                uint256 share = Shares.next(to.split, lots);
                uint256 index_ = Cohorts.charge(m, marketId, side, class, share);
                emit IExchangeEvents.PrincipalCharged(
                    work.id,
                    marketId,
                    side,
                    uint16(class),
                    lots,
                    share,
                    index_
                );
                to.cursor = uint16(class + 1);
                (class, found) = next(m, side, to.cursor);
            }
            requireAll(marketId, to.split.given, to.principal);
        }
        to.stage = EventStage.Dust;
        return steps;
    }

    /* LOTS */

    function closeSides(
        Market storage m,
        EventSlot memory work,
        Price memory price,
        Tally memory tally,
        uint256 steps
    ) private returns (uint256) {
        for (uint256 i = 0; i < 2; ++i) {
            EventSide memory to = work.sides[i];
            if (to.stage == EventStage.Dust) takeDust(m, to, Side(i), price, tally);
            if (to.stage == EventStage.Queue) {
                steps = takeQueue(m, work, Side(i), price, tally, steps);
            }
        }
        return steps;
    }

    function takeDust(
        Market storage m,
        EventSide memory to,
        Side side,
        Price memory price,
        Tally memory tally
    ) private {
        uint256 lots = to.lots - to.bookLots;
        if (lots != 0) {
            uint256 dust = Cohorts.takeDust(m, price, side, lots, tally);
            to.dustLots = dust.toUint64();
            lots -= dust;
        }
        to.split = Shares.start(lots, lots == 0 ? 0 : sideLots(m, tally, side, lots.toInt256()));
        to.stage = EventStage.Queue;
    }

    /// @notice Front: whole cohorts from the front of the queue, and the last one in part. ProRata: the same part of every cohort.
    function takeQueue(
        Market storage m,
        EventSlot memory work,
        Side side,
        Price memory price,
        Tally memory tally,
        uint256 steps
    ) private returns (uint256) {
        EventSide memory to = work.sides[side.index()];
        if (to.split.given != to.split.amount) {
            Queue.Heads memory heads = Queue.open(m, price, side);
            if (work.quantityRule == QuantityRule.ProRata) pass(m, heads, to.passed);
            while (to.split.given != to.split.amount) {
                if (steps == 0) return 0;
                steps = steps.zeroFloorSub(COHORT_STEPS);
                (uint16 cohort, bool found) = Queue.next(m, heads);
                if (!found) break;
                uint256 lots = nextLots(m, work, to, cohort);
                if (lots != 0) cut(m, work, to, price, tally, Cut(cohort, lots));
                if (m.cohorts[cohort].lots != 0) ++to.passed;
            }
        }
        requireAll(price.market, to.split.given, to.split.amount);
        requireAll(price.market, to.discountGiven, to.discount);
        to.stage = EventStage.Done;
        return steps;
    }

    function nextLots(
        Market storage m,
        EventSlot memory work,
        EventSide memory to,
        uint16 cohort
    ) private view returns (uint256 lots) {
        uint256 all = m.cohorts[cohort].lots;
        if (work.quantityRule == QuantityRule.ProRata) return Shares.next(to.split, all);
        lots = all.min(to.split.amount - to.split.given);
        to.split.given += lots.toUint128();
    }

    struct Cut {
        uint16 cohort;
        uint256 lots;
    }

    /// @dev The discount goes with the lots, in cumulative shares.
    function cut(
        Market storage m,
        EventSlot memory work,
        EventSide memory to,
        Price memory price,
        Tally memory tally,
        Cut memory c
    ) private {
        uint256 upToHere = Shares.upTo(to.discount, to.split.given, to.split.amount);
        uint256 discount = upToHere - to.discountGiven;
        to.discountGiven = upToHere.toUint128();
        int256 proceeds = Cohorts.cut(m, price, c.cohort, c.lots, discount, tally);
        emit IExchangeEvents.CohortCut(work.id, price.market, c.cohort, c.lots, proceeds, discount);
    }

    /// @dev ProRata goes on behind the cohorts that it has been at; those that it emptied are no longer in the queue.
    function pass(Market storage m, Queue.Heads memory heads, uint256 count) private view {
        for (uint256 i = 0; i < count; ++i) Queue.next(m, heads);
    }

    /* THE END, OR NOT YET */

    /// @notice The receipts.
    function end(Market storage m, EventSlot memory work, uint16 marketId) private {
        ChargeSlot memory charges = m.charges;
        bool isCharging;
        for (uint256 i = 0; i < 2; ++i) {
            EventSide memory to = work.sides[i];
            if (to.lots == 0 && to.deficit == 0) continue;
            emit IExchangeEvents.Deleveraged(work.id, marketId, Side(i), receiptOf(m, work, to));
            if (to.deficit == uint256(to.within) + to.beyond + to.shortfall) continue;
            isCharging = true;
            if (Side(i) == Side.Long) {
                (charges.longEvent, charges.longTime) = (work.id, uint32(block.timestamp));
            } else {
                (charges.shortEvent, charges.shortTime) = (work.id, uint32(block.timestamp));
            }
        }
        if (isCharging) m.charges = charges;
    }

    function receiptOf(
        Market storage m,
        EventSlot memory work,
        EventSide memory to
    ) private view returns (IExchangeEvents.DeleverageReceipt memory receipt) {
        receipt.parent = to.parent;
        receipt.quantityRule = uint8(work.quantityRule);
        receipt.deficitRule = uint8(m.config.deficitRule);
        receipt.mark = work.mark;
        receipt.lots = to.lots;
        receipt.bookLots = to.bookLots;
        receipt.dustLots = to.dustLots;
        receipt.queueLots = to.split.given;
        receipt.deficit = to.deficit;
        receipt.fundBefore = work.fundBefore;
        receipt.fundWithin = to.within;
        receipt.base = to.base;
        receipt.haircut = to.haircut;
        receipt.freshCharge = to.freshCharge;
        receipt.discount = to.discount;
        receipt.fundBeyond = to.beyond;
        receipt.principal = to.principal;
        receipt.shortfall = to.shortfall;
    }

    /// @dev What the event has given and not collected yet leaves the unsettled pool, and what its trades left over enters it,
    /// because the rest has no room for the value of lots of which one party is still missing. Both go back when it goes on.
    function store(
        Market storage m,
        EventSlot memory work,
        uint16 marketId,
        Tally memory tally
    ) private {
        work.rest = tally.rest.toInt128();
        tally.rest = 0;
        tally.unsettled += carried(work);
        m.pending = work;
        if (m.book.status & MarketStatus.EVENT != 0) return;
        Fresh.holdBoth(m, marketId);
        Status.set(m, marketId, m.book.status | MarketStatus.EVENT);
        emit IExchangeEvents.EventStored(work.id, marketId);
    }

    function carried(EventSlot memory work) private pure returns (int256 amount) {
        amount = work.rest;
        for (uint256 i = 0; i < 2; ++i) {
            EventSide memory to = work.sides[i];
            uint256 missing = to.discount - to.discountGiven;
            if (to.stage == EventStage.Haircut)
                missing += to.haircut - to.split.given + to.principal;
            if (to.stage == EventStage.Principal) missing += to.principal - to.split.given;
            amount -= missing.toInt256();
        }
    }

    /* HELPERS */

    /// @dev The occupied price class behind `cursor` − 1, or the first.
    function next(
        Market storage m,
        Side side,
        uint256 cursor
    ) private view returns (uint256 class, bool found) {
        return cursor == 0 ? Queue.firstClass(m, side) : Queue.nextClass(m, side, cursor - 1);
    }

    /// @notice Whether every member of a class is in profit; if not, no class behind it in rank order is.
    function isInProfit(Price memory price, Side side, uint256 class) internal pure returns (bool) {
        uint256 edge = Queue.nearEdge(price, side, class);
        return isBetterFor(side, price.mark << Queue.EDGE_BITS, edge);
    }

    /// @notice Lots of all cohorts of a side, dust of account 3 left out.
    /// @dev Open interest counts the long side. While the event's lots are open, the short side has as many more.
    /// @param open Lots of the event that are still to be closed: long ones positive, which wait for shorts.
    function sideLots(
        Market storage m,
        Tally memory tally,
        Side side,
        int256 open
    ) internal view returns (uint256) {
        int256 long = int256(uint256(m.flow.openInterest)) + tally.longLots;
        if (side == Side.Long) return long.toUint256() - m.dust.longLots;
        return (long + open).toUint256() - m.dust.shortLots;
    }

    function isCharged(EventSlot memory work) internal pure returns (bool) {
        return work.sides[0].stage >= EventStage.Dust && work.sides[1].stage >= EventStage.Dust;
    }

    function isDone(EventSlot memory work) private pure returns (bool) {
        return work.sides[0].stage == EventStage.Done && work.sides[1].stage == EventStage.Done;
    }

    /// @dev INV-8.
    function requireAll(uint16 marketId, uint256 given, uint256 amount) private pure {
        require(given == amount, IExchangeErrors.EventIncomplete(marketId, given, amount));
    }

    /// @notice Pays a caller out of the fund, as far as the fund has it.
    function reward(State storage s, uint32 rewardTo, uint256 amount) internal {
        if (!Distress.isUser(s, rewardTo)) return;
        int256 fund = Ledger.balanceOf(s, House.FUND);
        if (fund <= 0) return;
        amount = amount.min(uint256(fund));
        if (amount == 0) return;
        int256 balance = Ledger.credit(s, House.FUND, -amount.toInt256());
        emit IExchangeEvents.BalanceChanged(
            House.FUND,
            IExchangeEvents.BalanceReason.Reward,
            balance
        );
        balance = Ledger.credit(s, rewardTo, amount.toInt256());
        emit IExchangeEvents.BalanceChanged(
            rewardTo,
            IExchangeEvents.BalanceReason.Reward,
            balance
        );
    }
}
