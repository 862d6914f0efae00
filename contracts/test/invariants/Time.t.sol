// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {MICRO, MarketStatus} from "../../types/Keys.sol";
import {Op, Seen} from "./Ghosts.t.sol";
import {MarketShot, Shot} from "./Shot.t.sol";
import {Waterfall} from "./Waterfall.t.sol";

/// @notice The passing of time: prices move, funding runs, markets are refreshed; and what must hold of that.
abstract contract Time is Waterfall {
    uint256 private constant PERIOD = 8 hours;

    /// @notice Waits, publishes every price to both feeds and refreshes all markets.
    function pass(Op op, uint256 seconds_) internal {
        Shot memory before = look();
        advance(seconds_);
        for (uint16 id = 0; id < MARKETS; id++) publishBoth(id);
        afterwards(op, before);
    }

    /// @notice Waits without a price of one market, so that it ages.
    function passSilently(Op op, uint256 seconds_, uint16 silent) internal {
        Shot memory before = look();
        advance(seconds_);
        for (uint16 id = 0; id < MARKETS; id++) if (id != silent) publishBoth(id);
        afterwards(op, before);
    }

    /// @notice One of a market's two feeds jumps, so that the index waits.
    function passJump(Op op, uint256 seconds_, uint16 market, uint256 price) internal {
        Shot memory before = look();
        advance(seconds_);
        for (uint16 id = 0; id < MARKETS; id++) {
            if (id == market) publish(id, roll(2), price);
            else publishBoth(id);
        }
        afterwards(op, before);
    }

    function afterwards(Op op, Shot memory before) private {
        for (uint16 id = 0; id < MARKETS; id++) exchange.poke(id);
        Shot memory now_ = look();
        calls[uint256(op)]++;
        done[uint256(op)]++;
        for (uint256 id = 0; id < MARKETS; id++) {
            MarketShot memory m = now_.markets[id];
            if (m.book.pendingSince != 0) see(Seen.Jump);
            if (m.grade == 1) see(Seen.Aged);
            if (m.grade == 0) see(Seen.Dead);
        }
        a6(before, now_);
        g1(before, now_);
        k4(now_);
        checkLasting(now_);
    }

    /// @notice Prices and funding move money from one side to the other and make none (A7), but for fractions of lots. A market that
    /// ended takes what is missing from fresh profit, whose records are in micro units and round down, against their holders.
    function a6(Shot memory before, Shot memory now_) private view {
        int256 left = equityOf(now_) - equityOf(before) + houseOf(now_) - houseOf(before);
        int256 most = WEI * int256(4 * ACCOUNTS);
        int256 charged;
        for (uint256 id = 0; id < MARKETS; id++) {
            uint256 missing = before.markets[id].pool.shortfall;
            if (now_.markets[id].pool.shortfall != missing) charged += int256(MICRO * ACCOUNTS);
            left -= int256(uint256(now_.markets[id].pool.shortfall));
            left += int256(uint256(before.markets[id].pool.shortfall));
            int256 move = int256(uint256(now_.markets[id].price.mark));
            move -= int256(uint256(before.markets[id].price.mark));
            int256 funding = now_.markets[id].price.funding - before.markets[id].price.funding;
            move = (move < 0 ? -move : move) + ((funding < 0 ? -funding : funding) >> 32) + 1;
            most += int256(crossings[id] + 2 * ACCOUNTS) * move;
        }
        require(left <= most && left >= -most - charged, Broken("A6", 0, left, most));
    }

    /// @notice Funding stays within its cap, and nothing accrues beyond the time that may be charged at once.
    function g1(Shot memory before, Shot memory now_) private pure {
        for (uint256 id = 0; id < MARKETS; id++) {
            uint256 elapsed = now_.time - before.time;
            uint256 longest = configOf(uint16(id)).maxAccrual;
            if (elapsed > longest) elapsed = longest;
            uint256 rate = configOf(uint16(id)).maxFunding;
            uint256 index = before.markets[id].price.index;
            int256 most = int256(((rate * index * elapsed) << 32) / (PPM * PERIOD)) + 1;
            int256 is_ = now_.markets[id].price.funding - before.markets[id].price.funding;
            require(is_ <= most && is_ >= -most, Broken("G1", id, is_, most));
        }
    }

    /// @notice A second refresh changes nothing.
    function k4(Shot memory first) private {
        bytes32 once = keccak256(abi.encode(first));
        for (uint16 id = 0; id < MARKETS; id++) exchange.poke(id);
        bytes32 twice = keccak256(abi.encode(look()));
        require(once == twice, Broken("K4", 0, int256(uint256(once)), int256(uint256(twice))));
    }

    function isLive(MarketShot memory m) internal pure returns (bool) {
        return m.grade == 2 && m.book.status & MarketStatus.SHRINKING == 0;
    }
}
