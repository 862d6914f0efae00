// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {PPM} from "../types/Keys.sol";

/// @title Funding
/// @notice What keeps the market near its index: the side that pushes the mark away pays the other.
/// @dev Funding is a shift of price, the same number for both sides, so that longs pay shorts exactly and nothing has to
/// be settled: a position is worth side · lots · (price − F) − side · cost.
library Funding {
    /// @dev A rate is per this long.
    uint256 internal constant PERIOD = 8 hours;
    /// @dev F has this many bits behind the point.
    uint256 internal constant SCALE_BITS = 32;
    /// @dev ppm: how far interest may pull the rate away from the premium.
    uint256 internal constant INTEREST_PULL = 500;

    /// @notice What a long pays per lot in `elapsed` seconds; negative if it receives.
    /// @dev rate per 8 h = premium + clamp(interest − premium, ±0.05 %), clamped to ±maxFunding, all as parts of the index;
    /// accrual = rate · index · elapsed / 8 h.
    /// @dev Rounding: towards zero, so that neither side pays more than the rate says; at most 2^-32 quote per lot.
    /// @param premium Average of (mid − index), quote per lot.
    /// @param index Quote per lot, below 2^64.
    /// @param interest ppm per 8 hours.
    /// @param maxFunding ppm per 8 hours.
    /// @param elapsed Seconds.
    /// @return Quote per lot, scale 2^32.
    function accrual(
        int256 premium,
        uint256 index,
        uint256 interest,
        uint256 maxFunding,
        uint256 elapsed
    ) internal pure returns (int256) {
        int256 rate = rateOf(premium, index, interest, maxFunding);
        // |rate| ≤ 2^64 · 2^24, so the product stays below 2^88 · 2^32 · elapsed.
        return (rate * int256(elapsed << SCALE_BITS)) / int256(PPM * PERIOD);
    }

    /// @notice The rate per 8 hours in quote per lot, times a million so that nothing is rounded.
    function rateOf(
        int256 premium,
        uint256 index,
        uint256 interest,
        uint256 maxFunding
    ) internal pure returns (int256) {
        int256 premiumRate = premium * int256(PPM);
        int256 pull = int256(INTEREST_PULL * index);
        int256 cap = int256(maxFunding * index);
        int256 rate =
            premiumRate +
                FixedPointMathLib.clamp(int256(interest * index) - premiumRate, -pull, pull);
        return FixedPointMathLib.clamp(rate, -cap, cap);
    }
}
