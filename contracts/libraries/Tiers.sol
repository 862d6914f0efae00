// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {WHOLE} from "../types/Keys.sol";
import {MarketConfig} from "../types/MarketConfig.sol";

/// @title Tiers
/// @notice What a notional needs by its size: every bracket of it at the bracket's own rate, so that a rising price never
/// asks for a jump of margin at an edge.
///
///   requirement(n) = Σ over brackets (part of n inside the bracket) / (leverage of the bracket)
///
/// @dev Rounding: up, once, after the exact sum. The four leverages' product is the common denominator; with a notional
/// below 2^124 (Bounds) and a product of at most 100^4 < 2^27 every product here stays below 2^151.
/// @dev Because leverages never rise from bracket to bracket the requirement is convex: it is the largest of four
/// straight lines, rate_k · n − deduction_k. What solves for a price or a size uses those.
library Tiers {
    uint256 internal constant BRACKETS = 4;

    /// @notice The brackets of a market. Caps are quote.
    struct Brackets {
        uint256[3] caps;
        uint256[4] leverages;
    }

    /// @notice The same as straight lines: requirement(n) = max over k of (rates[k] · n − deductions[k]) / scale.
    struct Lines {
        uint256[4] rates;
        uint256[4] deductions; // quote · scale
        uint256 scale;
    }

    function load(MarketConfig storage config) internal view returns (Brackets memory t) {
        t.caps[0] = uint256(config.tierCap1) * WHOLE;
        t.caps[1] = uint256(config.tierCap2) * WHOLE;
        t.caps[2] = uint256(config.tierCap3) * WHOLE;
        t.leverages[0] = config.tierLeverage1;
        t.leverages[1] = config.tierLeverage2;
        t.leverages[2] = config.tierLeverage3;
        t.leverages[3] = config.tierLeverage4;
    }

    /// @notice Initial margin that the tiers ask of a notional, quote, rounded up.
    function requirementUp(Brackets memory t, uint256 notional) internal pure returns (uint256) {
        return shareUp(t, notional, 1);
    }

    /// @notice Maintenance margin of a notional, quote: half of the requirement, rounded up once.
    function maintenanceUp(Brackets memory t, uint256 notional) internal pure returns (uint256) {
        return shareUp(t, notional, 2);
    }

    /// @notice The brackets as straight lines.
    function linesOf(Brackets memory t) internal pure returns (Lines memory lines) {
        lines.scale = scaleOf(t);
        for (uint256 k = 0; k < BRACKETS; ++k) {
            lines.rates[k] = lines.scale / t.leverages[k];
            if (k == 0) continue;
            // Two neighbours meet at the cap between them. Rates never fall, so this cannot be below zero.
            uint256 kink = t.caps[k - 1] * (lines.rates[k] - lines.rates[k - 1]);
            lines.deductions[k] = lines.deductions[k - 1] + kink;
        }
    }

    function shareUp(
        Brackets memory t,
        uint256 notional,
        uint256 divisor
    ) private pure returns (uint256) {
        if (notional <= t.caps[0]) {
            return FixedPointMathLib.divUp(notional, t.leverages[0] * divisor);
        }
        uint256 scale = scaleOf(t);
        uint256 scaled;
        uint256 from;
        for (uint256 k = 0; k < BRACKETS; ++k) {
            uint256 to = k + 1 < BRACKETS && t.caps[k] < notional ? t.caps[k] : notional;
            if (to > from) {
                scaled += (to - from) * (scale / t.leverages[k]);
                from = to;
            }
        }
        return FixedPointMathLib.divUp(scaled, scale * divisor);
    }

    function scaleOf(Brackets memory t) private pure returns (uint256) {
        return t.leverages[0] * t.leverages[1] * t.leverages[2] * t.leverages[3];
    }
}
