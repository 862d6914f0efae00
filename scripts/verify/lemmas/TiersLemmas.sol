// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Tiers} from "project/contracts/libraries/Tiers.sol";

/// @notice The default brackets: margin never falls with size, jumps nowhere, and maintenance is half of initial margin.
contract TiersLemmas {
    using Tiers for Tiers.Brackets;

    function brackets() private pure returns (Tiers.Brackets memory) {
        return Tiers.Brackets(1e24, 5e24, 20e24, 50, 20, 10, 5);
    }

    function initialNeverFalls(uint128 notional, uint128 more) external pure {
        Tiers.Brackets memory t = brackets();
        assert(t.requirementUp(uint256(notional) + more) >= t.requirementUp(notional));
    }

    function maintenanceNeverFalls(uint128 notional, uint128 more) external pure {
        Tiers.Brackets memory t = brackets();
        assert(t.maintenanceUp(uint256(notional) + more) >= t.maintenanceUp(notional));
    }

    function maintenanceIsNotAboveInitial(uint128 notional) external pure {
        require(notional <= 5e24);
        Tiers.Brackets memory t = brackets();
        assert(t.maintenanceUp(notional) <= t.requirementUp(notional));
    }

    function maintenanceIsHalfOfInitialInTheFirstBracket(uint128 notional) external pure {
        require(notional <= 1e24);
        Tiers.Brackets memory t = brackets();
        uint256 twice = 2 * t.maintenanceUp(notional);
        assert(twice >= t.requirementUp(notional) && twice <= t.requirementUp(notional) + 1);
    }

    function atLeastTheFirstRate(uint128 notional) external pure {
        assert(brackets().requirementUp(notional) * 50 >= notional);
    }

    function atMostTheLastRate(uint128 notional) external pure {
        assert(brackets().requirementUp(notional) <= uint256(notional) / 5 + 1);
    }

    function noJumpAtAnyEdge() external pure {
        Tiers.Brackets memory t = brackets();
        assert(t.requirementUp(1e24 + 1) - t.requirementUp(1e24) <= 1);
        assert(t.requirementUp(5e24 + 1) - t.requirementUp(5e24) <= 1);
        assert(t.requirementUp(20e24 + 1) - t.requirementUp(20e24) <= 1);
    }

    function splittingSavesAtMostTheRounding(uint128 one, uint128 other) external pure {
        require(one <= 1e24 && other <= 1e24);
        Tiers.Brackets memory t = brackets();
        assert(t.requirementUp(uint256(one) + other) + 1 >= t.requirementUp(one));
    }

    function nothingNeedsNothing() external pure {
        assert(brackets().requirementUp(0) == 0 && brackets().maintenanceUp(0) == 0);
    }

    function oneLotOfNotionalNeedsSomething(uint128 notional) external pure {
        require(notional != 0);
        assert(brackets().maintenanceUp(notional) != 0);
    }
}
