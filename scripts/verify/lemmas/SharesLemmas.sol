// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Shares} from "project/contracts/libraries/Shares.sol";

/// @notice A whole that is split by weight is handed out exactly, and nobody gets more than a part.
contract SharesLemmas {
    function aShareIsNeverNegative(
        uint128 amount,
        uint128 passed,
        uint128 own,
        uint128 weight
    ) external pure {
        require(weight != 0 && uint256(passed) + own <= weight);
        assert(
            Shares.upTo(amount, uint256(passed) + own, weight) >=
                Shares.upTo(amount, passed, weight)
        );
    }

    function noMoreThanTheWhole(uint128 amount, uint128 passed, uint128 weight) external pure {
        require(passed <= weight);
        assert(Shares.upTo(amount, passed, weight) <= amount);
    }

    function theLastTakesTheRest(uint128 amount, uint128 weight) external pure {
        require(weight != 0);
        assert(Shares.upTo(amount, weight, weight) == amount);
    }

    function nothingBeforeTheFirst(uint128 amount, uint128 weight) external pure {
        assert(Shares.upTo(amount, 0, weight) == 0);
    }

    function nobodyToHandOutTo(uint128 amount, uint128 passed) external pure {
        assert(Shares.upTo(amount, passed, 0) == 0);
    }

    function neverAboveTheExactShare(uint64 amount, uint64 passed, uint64 weight) external pure {
        require(weight != 0 && passed <= weight);
        assert(Shares.upTo(amount, passed, weight) * weight <= uint256(amount) * passed);
    }

    function lessThanOneBelowTheExactShare(
        uint64 amount,
        uint64 passed,
        uint64 weight
    ) external pure {
        require(weight != 0 && passed <= weight);
        assert((Shares.upTo(amount, passed, weight) + 1) * weight > uint256(amount) * passed);
    }

    function atMostItsOwnWeight(uint64 amount, uint64 passed, uint64 weight) external pure {
        require(weight != 0 && passed <= weight && amount <= weight);
        assert(Shares.upTo(amount, passed, weight) <= passed);
    }

    function twoPartsAreTheWhole(uint128 amount, uint64 one, uint64 other) external pure {
        require(uint256(one) + other != 0);
        uint256 weight = uint256(one) + other;
        uint256 first = Shares.upTo(amount, one, weight);
        uint256 second = Shares.upTo(amount, weight, weight) - first;
        assert(first + second == amount);
    }

    function equalWeightsDifferByOneAtMost(uint64 amount, uint32 own) external pure {
        require(own != 0);
        uint256 weight = 2 * uint256(own);
        uint256 first = Shares.upTo(amount, own, weight);
        assert(amount - 2 * first <= 1);
    }
}
