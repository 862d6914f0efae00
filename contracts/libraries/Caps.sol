// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {House, PPM} from "../types/Keys.sol";
import {MarketConfig} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {CapSlot, Market, State} from "../types/State.sol";
import {Ledger} from "./Ledger.sol";

/// @title Caps
/// @notice How much a market may hold: a cap that starts small and grows with time, and one for the leverage that the market's
/// envelope does not cover.
///
/// ENVELOPE  Maintenance margin of a class must be enough for the index's stated move until a forced sale is through, and for what the
/// sale itself costs (Listing checks that). The top classes are above it. What they could lose in such a move is the fund's, so
/// they hold together, a side, at most what the fund's budget of a day would pay for:
///
///   cap = min(openInterestCap · topShare, fund · dayBudget / (mark · (move − maintenance rate of the first bracket)))
///
/// Without a fund there is no such leverage. Nobody is closed when the cap falls; nobody of these classes can grow.
///
/// @dev Invariant: topLong and topShort are the lots of all cohorts of the top classes. The only writer of CapSlot.
library Caps {
    using FixedPointMathLib for uint256;

    /// @dev Shares are in percent.
    uint256 private constant PERCENT = 100;

    /* THE TOP CLASSES */

    /// @notice Takes note of a change of a top cohort's lots.
    function note(Market storage m, Side side, uint256 before, uint256 lots) internal {
        if (before == lots) return;
        CapSlot storage caps = m.caps;
        // Fit: no more than the side's lots.
        if (side == Side.Long) caps.topLong = uint64(caps.topLong + lots - before);
        else caps.topShort = uint64(caps.topShort + lots - before);
    }

    /// @notice What the top classes of a side hold, lots.
    function topLots(Market storage m, Side side) internal view returns (uint256) {
        return side == Side.Long ? m.caps.topLong : m.caps.topShort;
    }

    /// @dev Reverts: TopCapReached.
    function requireRoom(State storage s, uint16 marketId, Side side) internal view {
        Market storage m = s.markets[marketId];
        uint256 lots = topLots(m, side);
        uint256 cap = topCap(s, m, m.price.mark);
        require(lots <= cap, IExchangeErrors.TopCapReached(marketId, lots, cap));
    }

    /// @notice What they may hold, lots.
    /// @dev Rounding: down.
    /// @param mark Quote per lot.
    function topCap(
        State storage s,
        Market storage m,
        uint256 mark
    ) internal view returns (uint256 cap) {
        MarketConfig storage config = m.config;
        cap = (uint256(config.openInterestCap) * config.topShare) / PERCENT;
        uint256 excess = FixedPointMathLib.zeroFloorSub(
            config.move,
            maintenanceRate(config.tierLeverage1)
        );
        // What a lot loses beyond its margin, quote times ppm.
        uint256 loss = mark * excess;
        if (loss == 0) return cap;
        int256 fund = Ledger.balanceOf(s, House.FUND);
        uint256 budget = fund > 0 ? uint256(fund) * config.dayBudget : 0;
        return cap.min(budget / loss);
    }

    /// @notice Half of 1 / leverage, ppm, rounded down.
    function maintenanceRate(uint256 leverage) internal pure returns (uint256) {
        return PPM / (2 * leverage);
    }

    /* THE CAP OF THE MARKET */

    /// @notice Lets a market start with a part of its cap.
    /// @param full Lots.
    function start(Market storage m, uint16 marketId, uint64 full) internal {
        uint64 first = uint64((uint256(full) * m.config.capStart) / PERCENT);
        m.config.openInterestCap = first;
        ramp(m, marketId, first == full ? 0 : full);
    }

    /// @notice A new cap, from parameters: less holds at once, more is grown to.
    /// @param before The cap in force, lots.
    /// @param full Lots.
    function change(Market storage m, uint16 marketId, uint64 before, uint64 full) internal {
        bool isMore = full > before && m.config.capRamp != 0;
        if (isMore) m.config.openInterestCap = before;
        uint64 goal = isMore ? full : 0;
        if (goal != 0 || m.caps.full != 0) ramp(m, marketId, goal);
    }

    /// @notice Lets the cap grow by what the time since its last step allows: the whole in capRamp seconds. To be called by
    /// whoever pokes the market.
    function grow(Market storage m, uint16 marketId) internal {
        CapSlot memory caps = m.caps;
        if (caps.full == 0) return;
        uint256 cap = m.config.openInterestCap;
        uint256 elapsed = block.timestamp - caps.since;
        uint256 step = m.config.capRamp;
        step = step == 0 ? caps.full : (caps.full * elapsed) / step;
        // What is less than a lot waits for more time.
        if (step == 0) return;
        uint64 grown = uint64(FixedPointMathLib.min(cap + step, caps.full));
        m.config.openInterestCap = grown;
        ramp(m, marketId, grown == caps.full ? 0 : caps.full);
    }

    /// @notice Stops growing: what the cap is now is what it stays.
    function stop(Market storage m, uint16 marketId) internal {
        if (m.caps.full != 0) ramp(m, marketId, 0);
    }

    function ramp(Market storage m, uint16 marketId, uint64 full) private {
        m.caps.full = full;
        m.caps.since = uint32(block.timestamp);
        emit IExchangeEvents.CapChanged(
            marketId,
            m.config.openInterestCap,
            full,
            uint32(block.timestamp)
        );
    }
}
