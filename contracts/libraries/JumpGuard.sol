// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {PPM} from "../types/Keys.sol";

/// @title Jump guard
/// @notice Lets an index move at once by up to maxJump; a larger move waits until something confirms it.
/// @dev A false price must not liquidate, and a true one must not be ignored for long. A jump ends by
/// - confirmation: a second fresh source agrees, or the next update has moved the same way;
/// - rejection: the next update is near the old index again;
/// - time: after maxPending it is taken.
/// An update is new when it was published after everything read before. An update that has moved the same way confirms as
/// much of the move as both show: if it went on by another jump, the first jump becomes the index and the rest waits.
/// One that jumped the other way replaces the price that waits and does not stop its time.
library JumpGuard {
    /// @notice Prices are quote per lot, times unix time.
    struct Index {
        uint256 price; // in force; 0 before the first
        uint256 pending; // the price that waits; 0 if none does
        uint256 pendingSince; // 0 if none waits
        uint256 publishTime; // of the last update that was read
    }

    /// @notice What the oracle said. `price` is not 0.
    struct Update {
        uint256 price;
        uint256 publishTime;
        bool isAgreed; // at least two fresh sources stand behind it
    }

    /// @notice Takes an update into account.
    /// @param maxJump ppm of the price it is compared with.
    function read(Index memory index, Update memory update, uint256 maxJump) internal view {
        bool isNew = update.publishTime > index.publishTime;
        bool isWaiting = index.pendingSince != 0;
        // A source that agrees with what waits may have published before it, or in the same second.
        if (!isNew && !(isWaiting && update.isAgreed)) return;
        if (isNew) index.publishTime = update.publishTime;

        uint256 price = update.price;
        bool isFirst = index.price == 0;
        if (isFirst || update.isAgreed || isNear(price, index.price, maxJump)) {
            accept(index, price);
        } else if (!isWaiting) {
            wait(index, price);
        } else if (!isSameWay(index, price)) {
            index.pending = price;
        } else if (isFurther(index, price) && !isNear(price, index.pending, maxJump)) {
            index.price = index.pending;
            wait(index, price);
        } else {
            accept(index, price);
        }
    }

    /// @notice Takes the price that waits once it has waited long enough.
    /// @param maxPending Seconds.
    function expire(Index memory index, uint256 maxPending) internal view {
        if (index.pendingSince == 0) return;
        if (block.timestamp - index.pendingSince >= maxPending) accept(index, index.pending);
    }

    function accept(Index memory index, uint256 price) private pure {
        index.price = price;
        index.pending = 0;
        index.pendingSince = 0;
    }

    function wait(Index memory index, uint256 price) private view {
        index.pending = price;
        index.pendingSince = block.timestamp;
    }

    /// @notice Whether `price` is at most `maxJump` ppm of `from` away from it. Prices are below 2^64.
    function isNear(uint256 price, uint256 from, uint256 maxJump) internal pure returns (bool) {
        return FixedPointMathLib.dist(price, from) * PPM <= maxJump * from;
    }

    function isSameWay(Index memory index, uint256 price) private pure returns (bool) {
        return (price > index.price) == (index.pending > index.price);
    }

    function isFurther(Index memory index, uint256 price) private pure returns (bool) {
        return price > index.price ? price > index.pending : price < index.pending;
    }
}
