// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {CohortMath} from "project/contracts/libraries/CohortMath.sol";
import {Side} from "project/contracts/types/Side.sol";

/// @notice Cost that is released with lots never favours who leaves, and all of it goes with the last lot.
contract CohortLemmas {
    function aLongReleasesNoMoreThanItsPart(int120 cost, uint64 lots, uint64 part) external pure {
        require(lots != 0 && part <= lots);
        int256 released = CohortMath.release(Side.Long, cost, lots, part);
        assert(released * int256(uint256(lots)) <= int256(cost) * int256(uint256(part)));
    }

    function aShortReleasesNoLessThanItsPart(int120 cost, uint64 lots, uint64 part) external pure {
        require(lots != 0 && part <= lots);
        int256 released = CohortMath.release(Side.Short, cost, lots, part);
        assert(released * int256(uint256(lots)) >= int256(cost) * int256(uint256(part)));
    }

    function theLastLotTakesAllOfALong(int120 cost, uint64 lots) external pure {
        require(lots != 0);
        assert(CohortMath.release(Side.Long, cost, lots, lots) == cost);
    }

    function theLastLotTakesAllOfAShort(int120 cost, uint64 lots) external pure {
        require(lots != 0);
        assert(CohortMath.release(Side.Short, cost, lots, lots) == cost);
    }

    function noLotTakesNothing(int120 cost, uint64 lots) external pure {
        require(lots != 0);
        assert(CohortMath.release(Side.Long, cost, lots, 0) == 0);
        assert(CohortMath.release(Side.Short, cost, lots, 0) == 0);
    }

    function byLessThanOneQuote(int64 cost, uint32 lots, uint32 part) external pure {
        require(lots != 0 && part <= lots);
        int256 released = CohortMath.release(Side.Long, cost, lots, part);
        assert((released + 1) * int256(uint256(lots)) > int256(cost) * int256(uint256(part)));
    }

    function aShortByLessThanOneQuote(int48 cost, uint24 lots, uint24 part) external pure {
        require(lots != 0 && part <= lots);
        int256 released = CohortMath.release(Side.Short, cost, lots, part);
        assert((released - 1) * int256(uint256(lots)) < int256(cost) * int256(uint256(part)));
    }

    function whatALongKeepsCostsNoLess(int64 cost, uint32 lots, uint32 part) external pure {
        require(lots != 0 && part <= lots);
        int256 kept = int256(cost) - CohortMath.release(Side.Long, cost, lots, part);
        assert(kept * int256(uint256(lots)) >= int256(cost) * int256(uint256(lots - part)));
    }
}
