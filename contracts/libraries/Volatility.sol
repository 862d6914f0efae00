// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {WHOLE} from "../types/Keys.sol";
import {MarketConfig} from "../types/MarketConfig.sol";
import {VolatilitySlot} from "../types/State.sol";

/// @title Volatility
/// @notice How much the index moves, and what initial margin that asks for: leverage caps that tighten in storms. Linked.
///
///   variance ← variance · e^(−t/W) + r² / t · (1 − e^(−t/W))        r = (index − index before) / index before, t ≥ SAMPLE
///   rate     = factor · √(variance · horizon), at most 100 %
///
/// The rate is for new risk alone: no forced sale, no reduction and no withdrawal looks at it, so that a storm cannot force anybody.
/// It comes from the index, which no trade can move, and from samples at least a minute apart, in the first refresh of a minute of
/// the clock, so that updates that go back and forth inside one count for what they left.
/// @dev Rounding: the rate up, everything before it down. The first sample has no return.
library Volatility {
    /// @notice Seconds between two samples at least.
    uint256 internal constant SAMPLE = 60;
    /// @notice The unit of a rate, and the most that one can be: 0.01 % and 100 %.
    uint256 internal constant RATE = 10_000;
    /// @dev Scale of a variance per second. A quiet day of 1 % is 10^-9 a second.
    uint256 private constant VARIANCE = 1e24;
    /// @dev The factor is in tenths.
    uint256 private constant TENTHS = 10;
    /// @dev A larger return is taken for this one, 1,000 %, so that nothing here can overflow.
    uint256 private constant MAX_RETURN = 10e18;

    /// @notice Whether a sample may be due: in the first refresh of a minute of the clock. So that no other has to read the slot.
    /// @param refreshed Unix time of the last refresh.
    function mayBeDue(uint256 refreshed) internal view returns (bool) {
        return block.timestamp / SAMPLE != refreshed / SAMPLE;
    }

    /// @notice Takes a sample, if the last one is a minute ago.
    /// @param index Quote per lot, not 0.
    /// @param rateBefore What to return if it is not.
    /// @return rate What initial margin is at least, 0.01 % of notional.
    function sample(
        VolatilitySlot storage stored,
        MarketConfig storage config,
        uint16 marketId,
        uint256 index,
        uint16 rateBefore
    ) public returns (uint16 rate) {
        VolatilitySlot memory v = stored;
        if (block.timestamp - v.sampled < SAMPLE) return rateBefore;
        if (v.sampled != 0) {
            uint256 elapsed = block.timestamp - v.sampled;
            uint256 kept = keptAfter(elapsed, config.volatilityWindow);
            uint256 moved = FixedPointMathLib.dist(index, v.index);
            uint256 r = FixedPointMathLib.min((moved * WHOLE) / v.index, MAX_RETURN);
            // Squares of at most 10^38 in 60 seconds: 81 bits with the scale, and no average is above its parts.
            uint256 perSecond = (r * r) / elapsed / ((WHOLE * WHOLE) / VARIANCE);
            uint256 variance = (v.variance * kept + perSecond * (WHOLE - kept)) / WHOLE;
            v.variance = SafeCastLib.toUint96(variance);
        }
        v.index = SafeCastLib.toUint64(index);
        v.sampled = uint32(block.timestamp);
        (stored.variance, stored.index, stored.sampled) = (v.variance, v.index, v.sampled);
        emit IExchangeEvents.VolatilitySampled(marketId, v.variance, v.index, v.sampled);
        return rateOf(v.variance, config);
    }

    function rateOf(uint256 variance, MarketConfig storage config) private view returns (uint16) {
        // √(variance · horizon), scale 10^12.
        uint256 deviation = FixedPointMathLib.sqrt(variance * config.volatilityHorizon);
        uint256 rate = deviation * config.volatilityFactor * RATE;
        return uint16(FixedPointMathLib.min(FixedPointMathLib.divUp(rate, TENTHS * 1e12), RATE));
    }

    /// @dev e^(−elapsed / window), scale 10^18. Rounding: down.
    function keptAfter(uint256 elapsed, uint256 window) private pure returns (uint256) {
        return uint256(FixedPointMathLib.expWad(-int256((elapsed * WHOLE) / window)));
    }
}
