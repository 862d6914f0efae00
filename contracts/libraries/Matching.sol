// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Fill, Price, Tally} from "../types/Context.sol";
import {Grade, Keys, MarketStatus, PPM} from "../types/Keys.sol";
import {LeverageTable} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {Level, Market, Order, Position, State} from "../types/State.sol";
import {Book} from "./Book.sol";
import {Caps} from "./Caps.sol";
import {Margin} from "./Margin.sol";
import {Positions} from "./Positions.sol";
import {Prices} from "./Prices.sol";
import {Ticks} from "./Ticks.sol";

/// @title Matching
/// @notice Fills an incoming order from the book, best price first, oldest order first.
///
///     bids                 mark                  asks
///     ...|.................|..|..................|...
///        far edge for      near edge for a buyer        A buyer walks the asks from the lower edge of the band up to its
///        a seller                                       limit or the upper edge; a seller the other way round.
///
/// BAND  Fills happen only inside mark ± band. A walk starts at the band's near edge, so that the stale orders that a crash
/// leaves in front of it cost nothing; a few of their levels are killed by each call, for the next one's sake.
///
/// JUMP  While a jump of the index waits, bids above the waiting price and asks below it keep their place and are not filled: they
/// were made before it was known, and whoever comes first would leave at the old price at their cost.
///
/// MAKERS  Every order that is met counts as a step against the bound, filled or removed. What is wrong with it is looked for in
/// a fixed order: dead, expired, same owner as the taker, does not reduce, cap of the top leverage classes, margin. The first that fails on margin kills all
/// of its account's orders of that side, because the others are no better.
///
/// WHO MAY GROW  Where the taker may only reduce (aged price, market that only shrinks) makers may only reduce too, else
/// a loss could be handed at a stale price to an account that cannot bear it. An order that would grow is passed
/// over and keeps its place. Against a forced sale or an event it may grow.
library Matching {
    /// @notice What to take.
    /// @param side What the taker does: buys (Long) or sells (Short).
    /// @param taker 0 for an event: no position of a taker changes, and nobody is the maker's own account.
    /// @param limitTick The worst price.
    /// @param maxFills Bound on fills and removals.
    /// @param isForced No taker fee, and makers may grow whatever the price's grade.
    /// @param isReduceOnly No more than closes the taker's position.
    struct Take {
        uint16 market;
        uint32 taker;
        Side side;
        uint256 lots;
        uint256 limitTick;
        uint256 maxFills;
        bool isForced;
        bool isReduceOnly;
    }

    /// @param quote Σ of the fills, exact.
    /// @param fills Fills and removals.
    /// @param isBound Whether it was the bound that left lots unfilled.
    struct Taken {
        uint256 lots;
        uint256 quote;
        uint256 fills;
        bool isBound;
    }

    /// @dev A call on its way through the book.
    struct Walk {
        Price price;
        Tally tally;
        Fill fill; // the taker's, all fills so far
        uint16 market;
        uint32 taker;
        address owner; // of the taker; zero for an event
        Side makerSide;
        bool mayGrow; // makers
        uint256 makerFee; // ppm
        uint256 left; // lots still wanted
        uint256 closable; // lots of the taker's position that the next fills close
        uint256 limit; // tick, inside the band
        uint256 edge; // tick, the band's edge in front of which orders are stale
        uint256 first; // tick where the walk starts: the edge, or behind what a waiting jump holds back
        uint256 steps;
        uint256 maxSteps;
    }

    /// @dev Levels in front of the band that one call kills. More would make a small order pay for a whole crash, none would
    /// leave them all to the first order that wants to rest behind them.
    uint256 private constant STALE_LEVELS = 8;

    /// @notice Takes from the book. Prices are fixed for the call, the taker's position changes once, at the end.
    /// @dev Rounding: notional is exact; fees up, each fill's for its maker, the sum's for the taker.
    /// @param tally Goes on from here; memory does not cross a delegatecall, so it comes back.
    function take(
        State storage s,
        Take memory t,
        Price memory price,
        Tally memory tally
    ) external returns (Taken memory taken, Tally memory) {
        Market storage m = s.markets[t.market];
        Walk memory w = prepare(s, m, t, price, tally);
        walk(s, m, w);

        taken.isBound = w.left != 0 && w.steps >= w.maxSteps;
        taken.lots = w.fill.closeLots + w.fill.openLots;
        taken.quote = w.fill.closeQuote + w.fill.openQuote;
        if (taken.lots != 0 && t.taker != 0) {
            uint256 rate = t.isForced ? 0 : m.config.takerFee;
            uint256 fee = feeUp(taken.quote, rate);
            Positions.changeHere(s, price, t.taker, w.fill, fee, w.tally);
        }
        killStale(m, w, t.limitTick);
        taken.fills = w.steps;
        return (taken, w.tally);
    }

    /// @notice The lowest and the highest tick at which fills may happen.
    /// @dev Rounding: inwards.
    function bandOf(
        Market storage m,
        Price memory price
    ) internal view returns (uint256 lowest, uint256 highest) {
        uint256 band = m.config.band;
        uint256 scale = price.unit * PPM;
        lowest = FixedPointMathLib.divUp(price.mark * (PPM - band), scale);
        highest = (price.mark * (PPM + band)) / scale;
    }

    /// @notice How many lots of a position a trade on `side` closes at most.
    function closableBy(Position memory position, Side side) internal pure returns (uint256) {
        return Keys.sideOfKind(position.kind) == side ? 0 : position.lots;
    }

    /* THE WALK */

    function prepare(
        State storage s,
        Market storage m,
        Take memory t,
        Price memory price,
        Tally memory tally
    ) private view returns (Walk memory w) {
        w.price = price;
        w.tally = tally;
        w.fill.side = t.side;
        w.market = t.market;
        w.taker = t.taker;
        w.makerSide = t.side.opposite();
        w.makerFee = m.config.makerFee;
        w.left = t.lots;
        w.maxSteps = t.maxFills;
        w.mayGrow = mayGrow(m, price, t.isForced || t.taker == 0);

        (uint256 lowest, uint256 highest) = bandOf(m, price);
        bool isBuying = t.side == Side.Long;
        w.edge = isBuying ? lowest : highest;
        w.first = firstTick(price, isBuying, w.edge);
        w.limit =
            isBuying
                ? FixedPointMathLib.min(t.limitTick, highest)
                : FixedPointMathLib.max(t.limitTick, lowest);
        if (t.taker == 0) return w;

        w.owner = s.accounts[t.taker].owner;
        (Position memory held, , ) = Positions.settledOf(s, price, t.taker);
        w.closable = closableBy(held, t.side);
        if (t.isReduceOnly) w.left = FixedPointMathLib.min(w.left, w.closable);
    }

    /// @notice The best tick at which makers may be filled.
    /// @dev Rounding: against filling.
    function firstTick(
        Price memory price,
        bool isBuying,
        uint256 edge
    ) private pure returns (uint256) {
        if (!price.pending) return edge;
        return
            isBuying
                ? FixedPointMathLib.max(
                    edge,
                    FixedPointMathLib.divUp(price.pendingIndex, price.unit)
                )
                : FixedPointMathLib.min(edge, price.pendingIndex / price.unit);
    }

    function mayGrow(
        Market storage m,
        Price memory price,
        bool isForced
    ) private view returns (bool) {
        uint8 status = m.book.status;
        if (isForced) return status & MarketStatus.ENDED == 0;
        return price.grade == Grade.Fresh && status & MarketStatus.SHRINKING == 0;
    }

    function walk(State storage s, Market storage m, Walk memory w) private {
        uint256 tick = Book.best(m, w.makerSide);
        if (Book.isInFront(w.makerSide, tick, w.first)) {
            tick = Ticks.nextFrom(m, w.makerSide, w.first);
        }
        while (isGoingOn(w) && Book.isReached(w.makerSide, tick, w.limit)) {
            walkLevel(s, m, w, tick);
            if (isGoingOn(w)) tick = Ticks.nextBehind(m, w.makerSide, tick);
        }
    }

    function isGoingOn(Walk memory w) private pure returns (bool) {
        return w.left != 0 && w.steps < w.maxSteps;
    }

    /// @dev Orders that go are unlinked in runs: the two orders around a run are joined once.
    function walkLevel(State storage s, Market storage m, Walk memory w, uint256 tick) private {
        Level memory level = m.levels[Keys.levelKey(w.makerSide, tick)];
        uint256 left = w.left;
        uint40 kept = 0;
        uint40 id = level.head;
        bool isTorn = false;
        while (id != 0 && isGoingOn(w)) {
            w.steps++;
            Order memory order = m.orders[id];
            uint56 lots = order.lots;
            bool isPassed = meet(s, m, w, id, order);
            level.lots -= lots - order.lots;
            if (order.lots == 0) {
                isTorn = true;
                id = order.next;
            } else if (isPassed) {
                if (isTorn) Book.join(m, level, kept, id);
                isTorn = false;
                kept = id;
                id = order.next;
            }
            // Else it was filled in part: the taker is done, or what may be filled of it was, and it is met again.
        }
        if (isTorn) Book.join(m, level, kept, id);
        Book.storeLevel(m, w.makerSide, tick, level);
        if (w.left != left) Prices.noteTrade(m, tick, (left - w.left) * tick * w.price.unit);
    }

    /// @notice Fills, removes or passes over one order.
    /// @param order What is left of it is kept up to date.
    /// @return isPassed Nothing happened to it, and nothing will in this call.
    function meet(
        State storage s,
        Market storage m,
        Walk memory w,
        uint40 id,
        Order memory order
    ) private returns (bool isPassed) {
        (bool isGone, IExchangeEvents.RemovalReason reason) = isNotForTaker(s, m, w, id, order);
        if (isGone) {
            Book.free(m, w.market, id, order, reason);
            return false;
        }
        uint32 maker = Keys.accountOf(id);
        (Position memory held, , ) = Positions.settledOf(s, w.price, maker);
        uint256 closable = closableBy(held, w.makerSide);
        uint256 lots = FixedPointMathLib.min(order.lots, w.left);
        if (Book.isReduceOnly(order) || !w.mayGrow) {
            lots = FixedPointMathLib.min(lots, closable);
            if (lots == 0) {
                if (!Book.isReduceOnly(order)) return true;
                Book.free(m, w.market, id, order, IExchangeEvents.RemovalReason.NotReducing);
                return false;
            }
        }
        Fill memory fill = split(w, order, lots, closable);
        if (isAboveTopCap(s, m, w, maker, held, fill)) {
            Book.free(m, w.market, id, order, IExchangeEvents.RemovalReason.TopCapReached);
        } else {
            fillOrRemove(s, m, w, id, order, fill);
        }
    }

    /// @notice Whether a fill would grow a position of a top leverage class above what these may hold together.
    function isAboveTopCap(
        State storage s,
        Market storage m,
        Walk memory w,
        uint32 maker,
        Position memory held,
        Fill memory fill
    ) private view returns (bool) {
        if (fill.openLots == 0) return false;
        uint256 class =
            held.lots > fill.closeLots
                ? Keys.leverageOfKind(held.kind)
                : Margin.chosenClass(m, maker);
        if (class < LeverageTable.TOP_CLASS) return false;
        uint256 lots = Caps.topLots(m, w.makerSide) + fill.openLots;
        return lots > Caps.topCap(s, m, w.price.mark);
    }

    /// @notice Whether an order is gone before anyone looks at its account's margin.
    function isNotForTaker(
        State storage s,
        Market storage m,
        Walk memory w,
        uint40 id,
        Order memory order
    ) private view returns (bool, IExchangeEvents.RemovalReason) {
        if (Book.isDeadBySide(m, id, order)) return (true, IExchangeEvents.RemovalReason.Killed);
        if (Book.isExpired(order)) return (true, IExchangeEvents.RemovalReason.Expired);
        // Of an event the owner is zero, which no account has.
        bool isOwn = s.accounts[Keys.accountOf(id)].owner == w.owner;
        return (isOwn, IExchangeEvents.RemovalReason.SelfTrade);
    }

    /// @notice The maker's part of a trade: what closes its position, then what opens.
    function split(
        Walk memory w,
        Order memory order,
        uint256 lots,
        uint256 closable
    ) private pure returns (Fill memory fill) {
        uint256 price = order.tick * w.price.unit;
        fill.side = w.makerSide;
        fill.closeLots = FixedPointMathLib.min(lots, closable);
        fill.openLots = lots - fill.closeLots;
        fill.closeQuote = fill.closeLots * price;
        fill.openQuote = fill.openLots * price;
    }

    function fillOrRemove(
        State storage s,
        Market storage m,
        Walk memory w,
        uint40 id,
        Order memory order,
        Fill memory fill
    ) private {
        uint32 maker = Keys.accountOf(id);
        uint256 fee = feeUp(fill.closeQuote + fill.openQuote, w.makerFee);
        if (!isAllowed(s, w, maker, order.tick, fill, fee)) {
            Book.free(m, w.market, id, order, IExchangeEvents.RemovalReason.MarginTooLow);
            Book.killSide(m, w.market, maker, w.makerSide);
            return;
        }
        // Fits: no more than what was left of the order.
        uint56 lots = uint56(fill.closeLots + fill.openLots);
        Book.drain(m, id, order, lots);
        emit IExchangeEvents.Filled({
            market: w.market,
            maker: maker,
            taker: w.taker,
            order: id,
            side: w.fill.side,
            tick: order.tick,
            lots: lots,
            makerFee: fee
        });
        Positions.changeHere(s, w.price, maker, fill, fee, w.tally);
        addToTaker(w, lots, order.tick * w.price.unit);
    }

    /// @notice The maker's margin after the fill. A fill that only shrinks its position, no worse than mark, is always allowed;
    /// while a jump waits Margin decides what is worse.
    function isAllowed(
        State storage s,
        Walk memory w,
        uint32 maker,
        uint256 tick,
        Fill memory fill,
        uint256 fee
    ) private view returns (bool) {
        uint256 price = tick * w.price.unit;
        bool isWorse = w.makerSide == Side.Long ? price > w.price.mark : price < w.price.mark;
        if (fill.openLots == 0 && !isWorse && !w.price.pending) return true;
        uint256 lots = fill.closeLots + fill.openLots;
        return Margin.allowsMaker(s, w.price, maker, w.makerSide, lots, price, fee);
    }

    function addToTaker(Walk memory w, uint256 lots, uint256 price) private pure {
        uint256 closing = FixedPointMathLib.min(lots, w.closable);
        w.left -= lots;
        w.closable -= closing;
        w.fill.closeLots += closing;
        w.fill.closeQuote += closing * price;
        w.fill.openLots += lots - closing;
        w.fill.openQuote += (lots - closing) * price;
    }

    /// @notice Clears some of what the taker's limit reaches in front of the band, as far as the bound allows.
    function killStale(Market storage m, Walk memory w, uint256 limit) private {
        uint256 best = Book.best(m, w.makerSide);
        if (best == 0 || !Book.isInFront(w.makerSide, best, w.edge)) return;
        uint256 most = FixedPointMathLib.min(STALE_LEVELS, w.maxSteps - w.steps);
        w.steps += Book.sweep(m, w.market, w.makerSide, limit, w.edge, most);
    }

    function feeUp(uint256 quote, uint256 rate) private pure returns (uint256) {
        return FixedPointMathLib.divUp(quote * rate, PPM);
    }
}
