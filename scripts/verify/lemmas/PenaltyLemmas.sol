// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Margin} from "project/contracts/libraries/Margin.sol";
import {Health} from "project/contracts/types/Context.sol";

/// @notice What a penalty takes.
contract PenaltyLemmas {
    function healthOf(int256 equity, uint256 maintenance) private pure returns (Health memory h) {
        h.equity = equity;
        h.equityAtIndex = equity;
        h.equityAtPending = equity;
        h.maintenance = maintenance;
        h.maintenanceAtIndex = maintenance;
        h.maintenanceAtPending = maintenance;
    }

    function aPenaltyIsAtMostItsRate(
        uint128 rated,
        int128 equity,
        uint128 maintenance
    ) external pure {
        Health memory before = healthOf(equity, maintenance);
        assert(Margin.penalty(rated, before, healthOf(equity, 0)) <= rated);
    }

    function aPenaltyLeavesNoDebt(
        uint128 rated,
        int128 before,
        uint128 maintenance,
        uint128 equity
    ) external pure {
        uint256 penalty = Margin.penalty(
            rated,
            healthOf(before, maintenance),
            healthOf(int256(uint256(equity)), 0)
        );
        assert(penalty <= equity);
    }

    function thePoorPayNoPenalty(
        uint128 rated,
        int128 before,
        uint128 maintenance,
        uint64 debt
    ) external pure {
        assert(
            Margin.penalty(
                rated,
                healthOf(before, maintenance),
                healthOf(-int256(uint256(debt)), 0)
            ) == 0
        );
    }
}
