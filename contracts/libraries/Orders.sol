// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Action, ActionKind, ActionResult, TimeInForce} from "../types/Action.sol";
import {Price, Tally} from "../types/Context.sol";
import {Bounds, Grade, Keys, MarketStatus, MICRO} from "../types/Keys.sol";
import {LeverageTable} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {Market, Order, Position, State} from "../types/State.sol";
import {AccountMarkets} from "./AccountMarkets.sol";
import {Book} from "./Book.sol";
import {Caps} from "./Caps.sol";
import {Margin} from "./Margin.sol";
import {Matching} from "./Matching.sol";
import {Positions} from "./Positions.sol";
import {Prices} from "./Prices.sol";
import {Tallies} from "./Tallies.sol";
import {Ticks} from "./Ticks.sol";

/// @title Orders
/// @notice What an account does to its orders, its position and its leverage, action by action.
///
/// GRADES  A fresh price allows everything. With an aged one, and in a market that may only shrink, an order must be
/// reduce-only. With a dead one orders can only be cancelled or made smaller.
///
/// LEAST NOTIONAL  An order needs it at its limit, moved into the band, so that a market order with an extreme limit is measured
/// by what it can cost. Exempt is a reduce-only order for all that is left of a position. And no order may be made
/// that, filled at once and whole, leaves a position below it. What a partial fill leaves is not looked at, nor what
/// makers are left with, because both are the work of others and must not block whoever closes.
///
/// CAP  Beyond the cap of open interest no order may add to it. Orders that rest are not counted until they are filled.
library Orders {
    /// @dev A batch on its way. Prices and totals are those of the market that the current action is in.
    struct Work {
        uint32 account;
        uint16 market; // 0 before the first action
        bool hasPrice;
        uint256 fillsLeft; // fills and removals that the whole call may still do
        uint256 lowest; // tick, the band
        uint256 highest; // tick, the band
        Price price;
        Tally tally;
    }

    /// @notice Does all actions in order. Authorised, refreshed before and judged afterwards by the caller.
    /// @dev Reverts: TooManyActions, and what each action may.
    function execute(
        State storage s,
        uint32 account,
        Action[] memory actions
    ) external returns (ActionResult[] memory results) {
        uint256 count = actions.length;
        require(count <= Bounds.ACTIONS, IExchangeErrors.TooManyActions(count, Bounds.ACTIONS));
        results = new ActionResult[](count);
        Work memory w;
        w.account = account;
        w.fillsLeft = Bounds.FILLS;
        for (uint256 i = 0; i < count; ++i) {
            if (i == 0 || actions[i].market != w.market) {
                if (i != 0) leaveMarket(s, w);
                enterMarket(s, w, actions[i].market);
            }
            results[i] = act(s, s.markets[w.market], w, actions[i]);
        }
        if (count != 0) leaveMarket(s, w);
    }

    /* MARKETS OF A BATCH */

    function enterMarket(State storage s, Work memory w, uint16 marketId) private {
        uint8 status = s.markets[marketId].book.status;
        require(status & MarketStatus.LISTED != 0, IExchangeErrors.UnknownMarket(marketId));
        w.market = marketId;
        w.hasPrice = false;
        Tally memory none;
        w.tally = none;
        Book.touch(s, marketId, w.account);
    }

    /// @dev Touched again, because the account's own taking may have killed levels that it had orders in.
    function leaveMarket(State storage s, Work memory w) private {
        if (w.hasPrice) Tallies.store(s.markets[w.market], w.market, w.tally);
        Book.touch(s, w.market, w.account);
        AccountMarkets.leaveIfIdle(s, w.market, w.account);
    }

    /// @dev Only what needs a price loads one: cancelling works without.
    function needPrice(State storage s, Market storage m, Work memory w) private view {
        require(m.book.status & MarketStatus.EVENT == 0, IExchangeErrors.EventPending(w.market));
        if (w.hasPrice) return;
        w.price = Prices.load(s, w.market);
        (w.lowest, w.highest) = Matching.bandOf(m, w.price);
        w.hasPrice = true;
    }

    /* ACTIONS */

    function act(
        State storage s,
        Market storage m,
        Work memory w,
        Action memory a
    ) private returns (ActionResult memory result) {
        if (a.kind == ActionKind.Place) return place(s, m, w, a, Book.ANY_SLOT);
        if (a.kind == ActionKind.Replace) return replace(s, m, w, a);
        if (a.kind == ActionKind.SetLeverage) {
            setLeverage(s, m, w, a.slot);
        } else if (a.kind == ActionKind.Cancel) {
            uint40 id = Keys.orderId(w.account, a.slot);
            Book.remove(s, w.market, id, IExchangeEvents.RemovalReason.Cancelled);
        } else {
            Book.cancelAll(s, w.market, w.account, IExchangeEvents.RemovalReason.Cancelled);
        }
    }

    /// @notice Takes what the limit reaches, as far as the time in force wants, and lets the rest stand.
    /// @dev Reverts: EventPending, PriceNotFresh, ReduceOnly, TickOutOfRange, ZeroLots, OrderExpired, NotReducing, OrderTooSmall,
    /// WouldTake, NotFilled, OpenInterestCapReached, PositionTooSmall, NoFreeSlot, TooManyMarkets.
    function place(
        State storage s,
        Market storage m,
        Work memory w,
        Action memory a,
        uint256 slot
    ) private returns (ActionResult memory result) {
        requireSound(m, a);
        needPrice(s, m, w);
        requireOpen(m, w, a.reduceOnly);
        bool isCrossing = meets(m, a);
        // Only whoever trades now or promises to reduce needs to know the position.
        uint256 closable = isCrossing || a.reduceOnly ? closableBy(s, w, a.side) : 0;
        uint256 lots = sized(m, w, a, closable);

        uint256 left = lots;
        if (a.timeInForce == TimeInForce.PostOnly) {
            uint256 best = Book.best(m, a.side.opposite());
            require(makeWay(m, w, a), IExchangeErrors.WouldTake(a.tick, best));
        } else if (isCrossing) {
            left -= take(s, m, w, a, lots, closable);
        }
        // Fits: no more than the action's lots.
        result.filled = uint56(lots - left);
        if (a.timeInForce == TimeInForce.FillOrKill) {
            require(left == 0, IExchangeErrors.NotFilled(lots, lots - left));
        }
        if (left != 0 && mayRest(a) && makeWay(m, w, a)) {
            result.order = rest(s, m, w, a, slot, left);
            left = 0;
        }
        result.left = uint56(left);
    }

    /// @notice Puts a new tick, size and expiry in the place of an order, in its slot; side and reduce-only stay. Keeps its
    /// place in the queue if only the size falls.
    /// @dev Reverts: UnknownOrder, and what placing may.
    function replace(
        State storage s,
        Market storage m,
        Work memory w,
        Action memory a
    ) private returns (ActionResult memory result) {
        // An earlier action of the batch may have killed its level.
        Book.touch(s, w.market, w.account);
        uint40 id = Keys.orderId(w.account, a.slot);
        Order memory order = m.orders[id];
        require(order.lots != 0, IExchangeErrors.UnknownOrder(w.market, id));
        a.side = Book.sideOf(order);
        a.reduceOnly = Book.isReduceOnly(order);
        if (keepsPlace(order, a)) {
            requireSound(m, a);
            requireNotional(m, a.lots, a.tick);
            Book.shrink(m, w.market, id, a.lots);
            result.order = id;
            return result;
        }
        Book.remove(s, w.market, id, IExchangeEvents.RemovalReason.Replaced);
        return place(s, m, w, a, a.slot);
    }

    /// @notice Chooses a leverage class. A lower one needs the settled balance to cover the initial margin that it asks for, because
    /// a winner could otherwise leave the front of the queue with profit that is not his yet; unless nothing in this market
    /// depends on it.
    /// @dev Reverts: EventPending, LeverageTooHigh, PriceNotFresh, TopCapReached, LeverageNotCovered.
    /// @param class Index into the leverage table.
    function setLeverage(State storage s, Market storage m, Work memory w, uint256 class) private {
        needPrice(s, m, w);
        uint256 highest = m.config.maxLeverage;
        require(class <= highest, IExchangeErrors.LeverageTooHigh(class, highest));
        (Position memory held, , ) = Positions.settledOf(s, w.price, w.account);
        bool isAtRisk = held.lots != 0 || m.resting[w.account].used != 0;
        if (isAtRisk) requireGrade(w, Grade.Fresh);
        bool isLower = class < Margin.chosenClass(m, w.account);
        uint256 delay = m.config.classDelay;
        w.tally = Positions.setLeverage(s, w.price, w.account, class, delay, w.tally);
        if (held.lots != 0 && class >= LeverageTable.TOP_CLASS) {
            bool isRaised = class > Keys.leverageOfKind(held.kind);
            if (isRaised) Caps.requireRoom(s, w.market, Keys.sideOfKind(held.kind));
        }

        if (!isLower || !isAtRisk) return;
        (int256 settled, uint256 initial) = Margin.coverage(s, w.account);
        require(settled >= int256(initial), IExchangeErrors.LeverageNotCovered(settled, initial));
    }

    /* CHECKS */

    /// @dev What may rest must have a price per lot within Bounds.PRICE; any other limit is moved into the band.
    function requireSound(Market storage m, Action memory a) private view {
        uint256 highest = Ticks.LAST;
        if (mayRest(a)) highest = FixedPointMathLib.min(highest, Bounds.PRICE / m.config.unit);
        require(a.tick != 0 && a.tick <= highest, IExchangeErrors.TickOutOfRange(a.tick, highest));
        require(a.lots != 0, IExchangeErrors.ZeroLots());
        require(
            a.expiry == 0 || a.expiry > block.timestamp,
            IExchangeErrors.OrderExpired(a.expiry, block.timestamp)
        );
    }

    function requireOpen(Market storage m, Work memory w, bool isReduceOnly) private view {
        requireGrade(w, isReduceOnly ? Grade.Aged : Grade.Fresh);
        require(
            isReduceOnly || m.book.status & MarketStatus.SHRINKING == 0,
            IExchangeErrors.ReduceOnly(w.market)
        );
    }

    function requireGrade(Work memory w, Grade needed) private pure {
        require(
            w.price.grade >= needed,
            IExchangeErrors.PriceNotFresh(w.market, uint8(w.price.grade), uint8(needed))
        );
    }

    function requireNotional(Market storage m, uint256 lots, uint256 tick) private view {
        uint256 notional = lots * tick * m.config.unit;
        uint256 least = m.config.minNotional * MICRO;
        require(notional >= least, IExchangeErrors.OrderTooSmall(notional, least));
    }

    /// @return lots Of the order: all, or what its position leaves a reduce-only one.
    function sized(
        Market storage m,
        Work memory w,
        Action memory a,
        uint256 closable
    ) private view returns (uint256 lots) {
        lots = a.lots;
        if (a.reduceOnly) {
            require(closable != 0, IExchangeErrors.NotReducing(w.market, w.account));
            if (lots >= closable) return closable;
        }
        uint256 tick =
            a.side == Side.Long
                ? FixedPointMathLib.min(a.tick, w.highest)
                : FixedPointMathLib.max(a.tick, w.lowest);
        requireNotional(m, lots, tick);
    }

    function closableBy(State storage s, Work memory w, Side side) private view returns (uint256) {
        (Position memory held, , ) = Positions.settledOf(s, w.price, w.account);
        return Matching.closableBy(held, side);
    }

    function keepsPlace(Order memory order, Action memory a) private pure returns (bool) {
        bool isSamePlace = a.tick == order.tick && a.expiry == order.expiry;
        return mayRest(a) && isSamePlace && a.lots <= order.lots;
    }

    function mayRest(Action memory a) private pure returns (bool) {
        return
            a.timeInForce == TimeInForce.GoodTilCancelled || a.timeInForce == TimeInForce.PostOnly;
    }

    /* TAKING AND RESTING */

    function take(
        State storage s,
        Market storage m,
        Work memory w,
        Action memory a,
        uint256 lots,
        uint256 closable
    ) private returns (uint256 filled) {
        int256 grownBefore = w.tally.longLots;
        Matching.Take memory order = Matching.Take({
            market: w.market,
            taker: w.account,
            side: a.side,
            lots: lots,
            limitTick: a.tick,
            maxFills: w.fillsLeft,
            isForced: false,
            isReduceOnly: a.reduceOnly
        });
        Matching.Taken memory taken;
        (taken, w.tally) = Matching.take(s, order, w.price, w.tally);
        w.fillsLeft -= taken.fills;
        filled = taken.lots;
        if (w.tally.longLots > grownBefore) requireUnderCap(m, w);
        if (filled == lots && closable != 0) {
            requireNoDust(m, w.price.mark, FixedPointMathLib.dist(closable, lots));
        }
    }

    function requireUnderCap(Market storage m, Work memory w) private view {
        // Not negative: lots long, as they will be stored.
        uint256 lots = uint256(int256(uint256(m.flow.openInterest)) + w.tally.longLots);
        uint256 cap = m.config.openInterestCap;
        require(lots <= cap, IExchangeErrors.OpenInterestCapReached(w.market, lots, cap));
    }

    /// @param lots Of the position that the order leaves.
    function requireNoDust(Market storage m, uint256 mark, uint256 lots) private view {
        uint256 notional = lots * mark;
        uint256 least = m.config.minNotional * MICRO;
        require(lots == 0 || notional >= least, IExchangeErrors.PositionTooSmall(notional, least));
    }

    /// @notice Whether the other side's best price is within the limit.
    function meets(Market storage m, Action memory a) private view returns (bool) {
        Side other = a.side.opposite();
        return Book.isReached(other, Book.best(m, other), a.tick);
    }

    /// @notice Clears what is dead out of the order's way, as far as the bound allows.
    /// @return Whether nothing of the other side is in its way then (INV-5).
    function makeWay(Market storage m, Work memory w, Action memory a) private returns (bool) {
        if (!meets(m, a)) return true;
        Side other = a.side.opposite();
        uint256 edge = a.side == Side.Long ? w.lowest : w.highest;
        w.fillsLeft -= Book.sweep(m, w.market, other, a.tick, edge, w.fillsLeft);
        return !meets(m, a);
    }

    function rest(
        State storage s,
        Market storage m,
        Work memory w,
        Action memory a,
        uint256 slot,
        uint256 lots
    ) private returns (uint40) {
        AccountMarkets.enter(s, w.market, w.account);
        Book.NewOrder memory order = Book.NewOrder({
            account: w.account,
            side: a.side,
            tick: a.tick,
            lots: lots,
            expiry: a.expiry,
            isReduceOnly: a.reduceOnly,
            slot: slot
        });
        return Book.append(m, w.market, order);
    }
}
