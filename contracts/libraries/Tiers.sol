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
/// @dev Rounding: up, once, after the exact sum. The product of leverages is the common denominator; with a notional
/// below 2^129 (lots and orders of 64 bits at a price of 64 bits) and a product of at most 100^4 < 2^27 everything here
/// stays below 2^160.
/// @dev Because leverages never rise from bracket to bracket the requirement is convex: it is the largest of four
/// straight lines, rate_k · n − deduction_k. What solves for a price or a size uses those.
library Tiers {
    uint256 internal constant BRACKETS = 4;

    /// @notice The brackets of a market. Caps are quote; the fourth bracket has no end.
    struct Brackets {
        uint256 cap1;
        uint256 cap2;
        uint256 cap3;
        uint256 leverage1;
        uint256 leverage2;
        uint256 leverage3;
        uint256 leverage4;
    }

    /// @notice The same as straight lines: requirement(n) = max over k of (rates[k] · n − deductions[k]) / scale.
    struct Lines {
        uint256[4] rates;
        uint256[4] deductions; // quote · scale
        uint256 scale;
    }

    function load(MarketConfig storage config) internal view returns (Brackets memory t) {
        (uint256 cap1, uint256 cap2, uint256 cap3) = (
            config.tierCap1,
            config.tierCap2,
            config.tierCap3
        );
        (t.leverage1, t.leverage2) = (config.tierLeverage1, config.tierLeverage2);
        (t.leverage3, t.leverage4) = (config.tierLeverage3, config.tierLeverage4);
        // 32 + 60 bits.
        unchecked {
            (t.cap1, t.cap2, t.cap3) = (cap1 * WHOLE, cap2 * WHOLE, cap3 * WHOLE);
        }
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
        lines.scale = t.leverage1 * t.leverage2 * t.leverage3 * t.leverage4;
        lines.rates[0] = lines.scale / t.leverage1;
        lines.rates[1] = lines.scale / t.leverage2;
        lines.rates[2] = lines.scale / t.leverage3;
        lines.rates[3] = lines.scale / t.leverage4;
        // Two neighbours meet at the cap between them. Rates never fall, so no deduction does.
        lines.deductions[1] = t.cap1 * (lines.rates[1] - lines.rates[0]);
        lines.deductions[2] = lines.deductions[1] + t.cap2 * (lines.rates[2] - lines.rates[1]);
        lines.deductions[3] = lines.deductions[2] + t.cap3 * (lines.rates[3] - lines.rates[2]);
    }

    /* SOLVING */

    /// @notice The least d with budget − d · loss ≥ weight · half the tiers of (held − d) lots; `held` if there is none.
    /// @dev Rounding: up. Times 2 · scale, line k asks d · (weight · mark · rate − 2 · scale · loss) ≥ weight · (held · mark ·
    /// rate − deduction) − 2 · scale · budget.
    /// @param loss Quote per lot, signed.
    function leastLots(
        Brackets memory t,
        uint256 held,
        uint256 mark,
        int256 budget,
        int256 loss,
        int256 weight
    ) internal pure returns (uint256) {
        Lines memory lines = linesOf(t);
        int256 scale = 2 * int256(lines.scale);
        int256 least = 0;
        int256 most = int256(held);
        for (uint256 k = 0; k < BRACKETS; ++k) {
            int256 rate = weight * int256(mark * lines.rates[k]);
            int256 slope = rate - scale * loss;
            int256 short = int256(held) * rate - weight * int256(lines.deductions[k]);
            short -= scale * budget;
            if (slope > 0) least = FixedPointMathLib.max(least, divCeil(short, slope));
            else if (slope < 0) most = FixedPointMathLib.min(most, divFloor(-short, -slope));
            else if (short > 0) return held;
        }
        return least <= most ? uint256(least) : held;
    }

    /// @notice The lowest price x, rounded up, with left + lots · x ≥ half the tiers of lots · x; 0 if every price does.
    function lowestSafe(
        Brackets memory t,
        uint256 lots,
        int256 left
    ) internal pure returns (uint256) {
        Lines memory lines = linesOf(t);
        int256 scale = 2 * int256(lines.scale);
        int256 lowest = 0;
        for (uint256 k = 0; k < BRACKETS; ++k) {
            // A rate is at most `scale / 2`, so that the slope is positive.
            int256 slope = (scale - int256(lines.rates[k])) * int256(lots);
            int256 short = -scale * left - int256(lines.deductions[k]);
            lowest = FixedPointMathLib.max(lowest, divCeil(short, slope));
        }
        return uint256(lowest);
    }

    /// @notice The highest price x, rounded down, with left − lots · x ≥ half the tiers of lots · x; 0 if none does.
    function highestSafe(
        Brackets memory t,
        uint256 lots,
        int256 left
    ) internal pure returns (uint256) {
        Lines memory lines = linesOf(t);
        int256 scale = 2 * int256(lines.scale);
        int256 highest = type(int256).max;
        for (uint256 k = 0; k < BRACKETS; ++k) {
            int256 slope = (scale + int256(lines.rates[k])) * int256(lots);
            int256 room = scale * left + int256(lines.deductions[k]);
            highest = FixedPointMathLib.min(highest, divFloor(room, slope));
        }
        return highest > 0 ? uint256(highest) : 0;
    }

    /* PRIVATE */

    /// @dev Adds one bracket after the other as a fraction, and stops in the bracket where the notional ends.
    function shareUp(
        Brackets memory t,
        uint256 notional,
        uint256 divisor
    ) private pure returns (uint256) {
        if (notional <= t.cap1) return FixedPointMathLib.divUp(notional, t.leverage1 * divisor);
        // Caps never fall, so no difference is below zero; the widths at the head of the library leave room for all.
        unchecked {
            uint256 scale = t.leverage1 * t.leverage2;
            uint256 part = FixedPointMathLib.min(notional, t.cap2) - t.cap1;
            uint256 scaled = t.cap1 * t.leverage2 + part * t.leverage1;
            if (notional > t.cap2) {
                part = FixedPointMathLib.min(notional, t.cap3) - t.cap2;
                scaled = scaled * t.leverage3 + part * scale;
                scale *= t.leverage3;
            }
            if (notional > t.cap3) {
                scaled = scaled * t.leverage4 + (notional - t.cap3) * scale;
                scale *= t.leverage4;
            }
            return FixedPointMathLib.divUp(scaled, scale * divisor);
        }
    }

    /// @param divisor Above zero.
    function divFloor(int256 dividend, int256 divisor) private pure returns (int256 quotient) {
        quotient = dividend / divisor;
        if (dividend % divisor < 0) --quotient;
    }

    /// @param divisor Above zero.
    function divCeil(int256 dividend, int256 divisor) private pure returns (int256) {
        return -divFloor(-dividend, divisor);
    }
}
