// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Keys} from "../types/Keys.sol";
import {Side} from "../types/Side.sol";
import {Level, Market, Order, Resting, State} from "../types/State.sol";
import {Bits} from "./Bits.sol";
import {Ticks} from "./Ticks.sol";

/// @title Book
/// @notice Orders and their levels: a queue at each tick, oldest first. The only writer of both.
///
/// LIFE  An order is linked in its level from `append` until it is filled or removed. Two writes kill many at once. A
/// level's epoch (`killLevel`) unlinks all its orders; they keep their slots and their reservations until their owner's
/// next touch. An account's epoch of a side (`killSide`) drops the reservations at once; the orders stay linked until a
/// taker or their owner meets them.
///
/// INVARIANT (INV-5)  A level's lots are the sum of the orders linked in it, dead by side or not; its tick is in the
/// bitmap exactly while that sum is not zero; the market's best bid and ask are the best ticks of the bitmap.
///
/// FREE SLOTS  A slot is free when its order's lots are zero. The rest of the word stays, and a level's epoch is at least 1
/// once it was used, so that using either again writes over a word that is not zero.
library Book {
    /// @notice What rests from now on.
    /// @param slot Of the account's order slots, or ANY_SLOT for the lowest that is free.
    struct NewOrder {
        uint32 account;
        Side side;
        uint256 tick;
        uint256 lots;
        uint256 expiry;
        bool isReduceOnly;
        uint256 slot;
    }

    uint256 internal constant ANY_SLOT = type(uint8).max;

    /// @dev Bits of Order.flags.
    uint8 private constant ASK = 1;
    uint8 private constant REDUCE_ONLY = 2;

    /* ORDERS, one at a time */

    /// @notice Puts an order at the end of its level's queue and reserves its lots.
    /// @dev The account must have been touched in this call. Lots, tick and expiry must fit their fields.
    /// Reverts: NoFreeSlot.
    function append(
        Market storage m,
        uint16 marketId,
        NewOrder memory order
    ) internal returns (uint40 id) {
        Resting storage resting = m.resting[order.account];
        uint256 slot = takeSlot(m, marketId, resting, order);
        id = Keys.orderId(order.account, slot);
        (uint40 prev, uint24 levelEpoch) = enqueue(m, id, order);
        uint8 flags = uint8(order.side.index()) | (order.isReduceOnly ? REDUCE_ONLY : 0);
        // Fits: the caller's promise.
        Order memory stored = Order({
            lots: uint56(order.lots),
            tick: uint24(order.tick),
            prev: prev,
            next: 0,
            expiry: uint32(order.expiry),
            levelEpoch: levelEpoch,
            sideEpoch: epochOf(resting, order.side),
            flags: flags
        });
        m.orders[id] = stored;
        if (!order.isReduceOnly) reserve(resting, order.side, stored.lots);
        emit IExchangeEvents.OrderPlaced({
            market: marketId,
            account: order.account,
            order: id,
            tick: stored.tick,
            lots: stored.lots,
            expiry: stored.expiry,
            flags: flags
        });
    }

    /// @notice Makes a live order smaller where it stands.
    /// @param lots Not zero and not above what is left of it.
    function shrink(Market storage m, uint16 marketId, uint40 id, uint56 lots) internal {
        Order memory order = m.orders[id];
        uint56 less = order.lots - lots;
        m.orders[id].lots = lots;
        m.levels[Keys.levelKey(sideOf(order), order.tick)].lots -= less;
        release(m, id, order, less);
        emit IExchangeEvents.OrderPlaced({
            market: marketId,
            account: Keys.accountOf(id),
            order: id,
            tick: order.tick,
            lots: lots,
            expiry: order.expiry,
            flags: order.flags
        });
    }

    /// @notice Takes an order out of its level, if it is linked, and frees its slot and reservation.
    /// @dev Reverts: UnknownOrder if the slot is free.
    function remove(
        State storage s,
        uint16 marketId,
        uint40 id,
        IExchangeEvents.RemovalReason reason
    ) internal {
        Market storage m = s.markets[marketId];
        Order memory order = m.orders[id];
        require(order.lots > 0, IExchangeErrors.UnknownOrder(marketId, id));

        unlink(m, order);
        free(m, marketId, id, order, reason);
    }

    /* MANY ORDERS AT ONCE */

    /// @notice Kills every order of a level.
    function killLevel(Market storage m, uint16 marketId, Side side, uint256 tick) internal {
        Level storage level = m.levels[Keys.levelKey(side, tick)];
        uint24 epoch;
        // Both may wrap: an order would have to stay untouched through 2^24 kills of its level, or its owner
        // through 2^24 of the market, each of which takes a placed order.
        unchecked {
            epoch = level.epoch + 1;
            m.book.kills++;
        }
        m.levels[Keys.levelKey(side, tick)] = Level({head: 0, tail: 0, lots: 0, epoch: epoch});
        Ticks.clear(m, side, tick);
        if (best(m, side) == tick) setBest(m, side, Ticks.nextFrom(m, side, tick));
        emit IExchangeEvents.LevelKilled({
            market: marketId,
            side: side,
            // Fits: a tick in the bitmap is one of an order.
            tick: uint24(tick),
            epoch: epoch
        });
    }

    /// @notice Kills every order that an account has on one side.
    /// @dev The owner's next touch clears them away: what it has seen of the market's kills is made to differ. Between two
    /// touches a side can die once only, because there is nothing to kill after that, so the epoch cannot wrap unseen.
    function killSide(Market storage m, uint16 marketId, uint32 account, Side side) internal {
        Resting storage resting = m.resting[account];
        uint16 epoch;
        // May wrap, see above; kills − 1 only has to differ from kills.
        unchecked {
            epoch = epochOf(resting, side) + 1;
            resting.killsSeen = m.book.kills - 1;
        }
        if (side == Side.Long) {
            resting.bidLots = 0;
            resting.bidEpoch = epoch;
        } else {
            resting.askLots = 0;
            resting.askEpoch = epoch;
        }
        emit IExchangeEvents.OrdersKilled({
            market: marketId,
            account: account,
            side: side,
            epoch: epoch
        });
    }

    /// @notice Frees the slots and reservations of an account's dead orders. One comparison if nothing died.
    function touch(State storage s, uint16 marketId, uint32 account) internal {
        Market storage m = s.markets[marketId];
        Resting storage resting = m.resting[account];
        uint24 kills = m.book.kills;
        if (resting.killsSeen == kills) return;

        uint256 used = resting.used;
        // Without orders there is nothing to find; `append` notes the count with the first one.
        if (used == 0) return;
        resting.killsSeen = kills;
        for (; used != 0; used &= used - 1) {
            uint40 id = Keys.orderId(account, Bits.leastSignificant(used));
            Order memory order = m.orders[id];
            bool isLinked_ = isLinked(m, order);
            if (isLinked_ && !isDeadBySide(m, id, order)) continue;
            if (isLinked_) unlink(m, order);
            free(m, marketId, id, order, IExchangeEvents.RemovalReason.Killed);
        }
    }

    /// @notice Removes all orders of an account, at most as many as it has slots.
    function cancelAll(
        State storage s,
        uint16 marketId,
        uint32 account,
        IExchangeEvents.RemovalReason reason
    ) internal {
        touch(s, marketId, account);
        uint256 used = s.markets[marketId].resting[account].used;
        for (; used != 0; used &= used - 1) {
            remove(s, marketId, Keys.orderId(account, Bits.leastSignificant(used)), reason);
        }
    }

    /// @notice Clears dead weight from the front of a side, as far as a price reaches: whole levels in front of the band's
    /// edge, and orders that are dead or have expired. Stops at the first live order.
    /// @param limit The price of the other side that asks for the way to be cleared.
    /// @param edge The tick of the band nearest to the front of this side.
    /// @param maxSteps How many levels and orders may go.
    /// @return steps How many went.
    function sweep(
        Market storage m,
        uint16 marketId,
        Side side,
        uint256 limit,
        uint256 edge,
        uint256 maxSteps
    ) internal returns (uint256 steps) {
        for (; steps < maxSteps; steps++) {
            uint256 tick = best(m, side);
            if (!isReached(side, tick, limit)) return steps;
            if (isInFront(side, tick, edge)) {
                killLevel(m, marketId, side, tick);
                continue;
            }
            uint40 id = m.levels[Keys.levelKey(side, tick)].head;
            Order memory order = m.orders[id];
            bool isDead = isDeadBySide(m, id, order);
            if (!isDead && !isExpired(order)) return steps;
            unlink(m, order);
            free(
                m,
                marketId,
                id,
                order,
                isDead
                    ? IExchangeEvents.RemovalReason.Killed
                    : IExchangeEvents.RemovalReason.Expired
            );
        }
    }

    /* A WALK ALONG ONE LEVEL. The walker holds the level in memory and stores it at the end. */

    /// @notice Frees an order's slot and reservation, and says so. Its neighbours and its level are the caller's work.
    function free(
        Market storage m,
        uint16 marketId,
        uint40 id,
        Order memory order,
        IExchangeEvents.RemovalReason reason
    ) internal {
        uint56 lots = order.lots;
        drain(m, id, order, lots);
        emit IExchangeEvents.OrderRemoved({
            market: marketId,
            account: Keys.accountOf(id),
            order: id,
            lots: lots,
            reason: reason
        });
    }

    /// @notice Takes lots off an order and its reservation; frees the slot when nothing is left.
    function drain(Market storage m, uint40 id, Order memory order, uint56 lots) internal {
        uint56 left = order.lots - lots;
        m.orders[id].lots = left;
        release(m, id, order, lots);
        // At most 32 slots, so the bit is in the bitmap.
        if (left == 0) m.resting[Keys.accountOf(id)].used &= ~uint32(1 << Keys.slotOf(id));
        order.lots = left;
    }

    /// @notice Joins the two ends where orders between them went. 0 for `prev` is the head, for `next` the tail.
    function join(Market storage m, Level memory level, uint40 prev, uint40 next) internal {
        if (prev == 0) level.head = next;
        else m.orders[prev].next = next;
        if (next == 0) level.tail = prev;
        else m.orders[next].prev = prev;
    }

    /// @notice Stores a level that shrank. An empty one leaves the bitmap, and the best price moves if it was that.
    function storeLevel(Market storage m, Side side, uint256 tick, Level memory level) internal {
        m.levels[Keys.levelKey(side, tick)] = level;
        if (level.lots > 0) return;
        Ticks.clear(m, side, tick);
        if (best(m, side) == tick) setBest(m, side, Ticks.nextFrom(m, side, tick));
    }

    /* READING */

    /// @notice The best tick of a side, 0 if it has no order.
    function best(Market storage m, Side side) internal view returns (uint256) {
        return side == Side.Long ? m.book.bestBid : m.book.bestAsk;
    }

    /// @notice Whether an order at `limit` on the other side meets a level of `side` at `tick`.
    function isReached(Side side, uint256 tick, uint256 limit) internal pure returns (bool) {
        if (tick == 0) return false;
        return side == Side.Long ? tick >= limit : tick <= limit;
    }

    /// @notice Whether a level of `side` at `tick` is met before one at `other`.
    function isInFront(Side side, uint256 tick, uint256 other) internal pure returns (bool) {
        return side == Side.Long ? tick > other : tick < other;
    }

    function sideOf(Order memory order) internal pure returns (Side) {
        return order.flags & ASK == 0 ? Side.Long : Side.Short;
    }

    function isReduceOnly(Order memory order) internal pure returns (bool) {
        return order.flags & REDUCE_ONLY != 0;
    }

    function isExpired(Order memory order) internal view returns (bool) {
        return order.expiry != 0 && order.expiry <= block.timestamp;
    }

    /// @notice Whether the account's side was killed since the order was placed.
    function isDeadBySide(
        Market storage m,
        uint40 id,
        Order memory order
    ) internal view returns (bool) {
        return order.sideEpoch != epochOf(m.resting[Keys.accountOf(id)], sideOf(order));
    }

    /* INTERNALS */

    function isLinked(Market storage m, Order memory order) private view returns (bool) {
        return order.levelEpoch == m.levels[Keys.levelKey(sideOf(order), order.tick)].epoch;
    }

    function epochOf(Resting storage resting, Side side) private view returns (uint16) {
        return side == Side.Long ? resting.bidEpoch : resting.askEpoch;
    }

    function setBest(Market storage m, Side side, uint256 tick) private {
        // Fits: the bitmap holds ticks of orders only.
        if (side == Side.Long) m.book.bestBid = uint24(tick);
        else m.book.bestAsk = uint24(tick);
    }

    function takeSlot(
        Market storage m,
        uint16 marketId,
        Resting storage resting,
        NewOrder memory order
    ) private returns (uint256 slot) {
        uint32 used = resting.used;
        slot = order.slot;
        if (slot == ANY_SLOT) {
            require(used != type(uint32).max, IExchangeErrors.NoFreeSlot(marketId, order.account));
            slot = Bits.leastSignificant(~uint256(used));
        }
        // With other orders there, those that died since the last touch are still to be found.
        if (used == 0) resting.killsSeen = m.book.kills;
        resting.used = used | uint32(1 << slot);
    }

    /// @return prev The order that was the last of its level.
    /// @return levelEpoch The level's.
    function enqueue(
        Market storage m,
        uint40 id,
        NewOrder memory order
    ) private returns (uint40 prev, uint24 levelEpoch) {
        uint32 key = Keys.levelKey(order.side, order.tick);
        Level memory level = m.levels[key];
        prev = level.tail;
        if (prev == 0) {
            level.head = id;
            if (level.epoch == 0) level.epoch = 1;
            Ticks.set(m, order.side, order.tick);
            uint256 best_ = best(m, order.side);
            if (best_ == 0 || isInFront(order.side, order.tick, best_)) {
                setBest(m, order.side, order.tick);
            }
        } else {
            m.orders[prev].next = id;
        }
        level.tail = id;
        // Fits: the lots of an order do.
        level.lots += uint64(order.lots);
        m.levels[key] = level;
        levelEpoch = level.epoch;
    }

    function unlink(Market storage m, Order memory order) private {
        if (!isLinked(m, order)) return;
        Side side = sideOf(order);
        Level memory level = m.levels[Keys.levelKey(side, order.tick)];
        level.lots -= order.lots;
        join(m, level, order.prev, order.next);
        storeLevel(m, side, order.tick, level);
    }

    function reserve(Resting storage resting, Side side, uint56 lots) private {
        if (side == Side.Long) resting.bidLots += lots;
        else resting.askLots += lots;
    }

    /// @dev A reduce-only order reserved nothing; of an order that died with its side nothing is reserved any more.
    function release(Market storage m, uint40 id, Order memory order, uint56 lots) private {
        if (isReduceOnly(order)) return;
        Resting storage resting = m.resting[Keys.accountOf(id)];
        Side side = sideOf(order);
        if (order.sideEpoch != epochOf(resting, side)) return;
        if (side == Side.Long) resting.bidLots -= lots;
        else resting.askLots -= lots;
    }
}
