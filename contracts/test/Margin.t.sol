// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Tiers} from "../libraries/Tiers.sol";
import {WHOLE} from "../types/Keys.sol";

/// @dev Any brackets that a market may have: caps never fall, leverages never rise.
contract MarginTest {
    using Tiers for Tiers.Brackets;

    error Fell(uint256 notional, uint256 requirement);
    error Jumped(uint256 notional, uint256 step);
    error NotHalf(uint256 notional, uint256 maintenance);
    error NotTheLargestLine(uint256 notional, uint256 requirement);

    function testFuzz_requirementNeverFalls(
        uint64[3] memory caps,
        uint8[4] memory leverages,
        uint120 notional,
        uint120 more
    ) external pure {
        Tiers.Brackets memory t = bracketsOf(caps, leverages);
        uint256 low = t.requirementUp(notional);
        uint256 high = t.requirementUp(uint256(notional) + more);
        require(high >= low, Fell(notional, low));
    }

    /// @dev B5: no price rise liquidates a long at an edge, because a wei of notional never needs more than a wei.
    function testFuzz_requirementHasNoStep(
        uint64[3] memory caps,
        uint8[4] memory leverages,
        uint120 notional
    ) external pure {
        Tiers.Brackets memory t = bracketsOf(caps, leverages);
        uint256[4] memory places = [t.cap1, t.cap2, t.cap3, notional];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 from = places[i];
            uint256 step = t.requirementUp(from + 1) - t.requirementUp(from);
            require(step <= 1, Jumped(from, step));
        }
    }

    function testFuzz_maintenanceIsHalfRoundedUpOnce(
        uint64[3] memory caps,
        uint8[4] memory leverages,
        uint120 notional
    ) external pure {
        Tiers.Brackets memory t = bracketsOf(caps, leverages);
        uint256 whole = t.requirementUp(notional);
        uint256 half = t.maintenanceUp(notional);
        // ⌈x / 2⌉ is ⌈⌈x⌉ / 2⌉ for every x.
        require(half == (whole + 1) / 2, NotHalf(notional, half));
    }

    function testFuzz_requirementIsTheLargestLine(
        uint64[3] memory caps,
        uint8[4] memory leverages,
        uint120 notional
    ) external pure {
        Tiers.Brackets memory t = bracketsOf(caps, leverages);
        Tiers.Lines memory lines = t.linesOf();
        uint256 largest = 0;
        for (uint256 k = 0; k < 4; ++k) {
            uint256 line = notional * lines.rates[k];
            line = line > lines.deductions[k] ? line - lines.deductions[k] : 0;
            if (line > largest) largest = line;
        }
        uint256 requirement = t.requirementUp(notional);
        bool isLargest =
            requirement * lines.scale >= largest &&
                requirement * lines.scale < largest + lines.scale;
        require(isLargest, NotTheLargestLine(notional, requirement));
    }

    function bracketsOf(
        uint64[3] memory caps,
        uint8[4] memory leverages
    ) private pure returns (Tiers.Brackets memory t) {
        t.cap1 = (caps[0] % 2 ** 30) * WHOLE;
        t.cap2 = t.cap1 + (caps[1] % 2 ** 30) * WHOLE;
        t.cap3 = t.cap2 + (caps[2] % 2 ** 30) * WHOLE;
        t.leverage1 = (leverages[0] % 100) + 1;
        t.leverage2 = (leverages[1] % t.leverage1) + 1;
        t.leverage3 = (leverages[2] % t.leverage2) + 1;
        t.leverage4 = (leverages[3] % t.leverage3) + 1;
    }
}
