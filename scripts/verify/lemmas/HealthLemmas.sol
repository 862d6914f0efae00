// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {HealthMath} from "project/contracts/libraries/HealthMath.sol";
import {Margin} from "project/contracts/libraries/Margin.sol";
import {Health, SizeAt} from "project/contracts/types/Context.sol";
import {Side} from "project/contracts/types/Side.sol";

/// @notice What the judge compares, and what a penalty leaves.
contract HealthLemmas {
    function healthOf(int256 equity, uint256 maintenance) private pure returns (Health memory h) {
        h.equity = equity;
        h.equityAtIndex = equity;
        h.equityAtPending = equity;
        h.maintenance = maintenance;
        h.maintenanceAtIndex = maintenance;
        h.maintenanceAtPending = maintenance;
    }

    function nobodyIsPoorerThanHeWas(int128 equity, uint128 maintenance) external pure {
        Health memory h = healthOf(equity, maintenance);
        // Without a position an equity below zero counts as unchanged.
        assert(HealthMath.isNotPoorer(h, h));
    }

    function moreEquityIsNotPoorer(int128 equity, uint64 more, uint128 maintenance) external pure {
        assert(
            HealthMath.isNotPoorer(
                healthOf(equity, maintenance),
                healthOf(int256(equity) + int256(uint256(more)), maintenance)
            )
        );
    }

    function lessEquityIsPoorer(int128 equity, uint64 less, uint128 maintenance) external pure {
        require(less != 0 && maintenance != 0);
        assert(
            !HealthMath.isNotPoorer(
                healthOf(equity, maintenance),
                healthOf(int256(equity) - int256(uint256(less)), maintenance)
            )
        );
    }

    function aClosedAccountWithEquityIsNotPoorer(
        int128 before,
        uint128 maintenance,
        uint128 equity
    ) external pure {
        assert(
            HealthMath.isNotPoorer(
                healthOf(before, maintenance),
                healthOf(int256(uint256(equity)), 0)
            )
        );
    }

    function aClosedAccountBelowZeroIsPoorer(
        int128 before,
        uint128 maintenance,
        uint64 debt
    ) external pure {
        require(maintenance != 0 && debt != 0);
        assert(
            !HealthMath.isNotPoorer(
                healthOf(before, maintenance),
                healthOf(-int256(uint256(debt)), 0)
            )
        );
    }

    function worstIsNoLessThanThePosition(uint64 lots, uint64 bids) external pure {
        assert(HealthMath.worstLots(SizeAt(0, Side.Long, lots, bids, 0)) == uint256(lots) + bids);
        assert(HealthMath.worstLots(SizeAt(0, Side.Short, lots, 0, bids)) == uint256(lots) + bids);
    }

    function ordersAgainstAPositionCountFromZero(uint64 lots, uint64 asks) external pure {
        uint256 worst = HealthMath.worstLots(SizeAt(0, Side.Long, lots, 0, asks));
        assert(worst >= lots && (worst == lots || worst == uint256(asks) - lots));
    }

    function moreOrdersAreNeverBetter(
        uint64 lots,
        uint64 bids,
        uint64 asks,
        uint64 more
    ) external pure {
        uint256 worst = HealthMath.worstLots(SizeAt(0, Side.Long, lots, bids, asks));
        assert(
            HealthMath.worstLots(SizeAt(0, Side.Long, lots, uint256(bids) + more, asks)) >= worst
        );
    }

    function whoCoversMaintenanceIsNotLiquidated(int128 equity, uint128 maintenance) external pure {
        require(equity >= int256(uint256(maintenance)));
        assert(!Margin.isLiquidatable(healthOf(equity, maintenance)));
    }

    function theTargetIsAboveMaintenance(int128 equity, uint128 maintenance) external pure {
        Health memory h = healthOf(equity, maintenance);
        require(maintenance != 0 && Margin.isAtTarget(h));
        assert(!Margin.isLiquidatable(h));
    }

    function belowTheTargetIsNotAtIt(uint128 maintenance) external pure {
        require(maintenance != 0);
        assert(!Margin.isAtTarget(healthOf(int256(uint256(maintenance)), maintenance)));
    }
}
