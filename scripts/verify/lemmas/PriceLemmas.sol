// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Funding} from "project/contracts/libraries/Funding.sol";
import {JumpGuard} from "project/contracts/libraries/JumpGuard.sol";
import {Caps} from "project/contracts/libraries/Caps.sol";

/// @notice Funding stays inside its cap and mirrors; a jump is what is further away; the envelope rate is half of 1 / leverage.
contract PriceLemmas {
    function fundingIsInsideItsCap(
        int64 premium,
        uint64 index,
        uint24 interest,
        uint24 cap
    ) external pure {
        int256 rate = Funding.rateOf(premium, index, interest, cap);
        assert(rate <= int256(uint256(cap) * index) && rate >= -int256(uint256(cap) * index));
    }

    function noCapNoFunding(int64 premium, uint64 index, uint24 interest) external pure {
        assert(Funding.rateOf(premium, index, interest, 0) == 0);
    }

    function noIndexNoFunding(int64 premium, uint24 interest, uint24 cap) external pure {
        assert(Funding.rateOf(premium, 0, interest, cap) == 0);
    }

    function withoutAPremiumInterestIsPaid(
        uint64 index,
        uint24 interest,
        uint24 cap
    ) external pure {
        require(interest <= 500 && interest <= cap);
        assert(Funding.rateOf(0, index, interest, cap) == int256(uint256(interest) * index));
    }

    function aHigherPremiumNeverCostsLess(
        int64 premium,
        uint32 more,
        uint64 index,
        uint24 interest,
        uint24 cap
    ) external pure {
        require(premium < type(int64).max - int64(uint64(more)));
        assert(
            Funding.rateOf(int256(premium) + int256(uint256(more)), index, interest, cap) >=
                Funding.rateOf(premium, index, interest, cap)
        );
    }

    function withoutInterestSidesMirror(int64 premium, uint64 index, uint24 cap) external pure {
        assert(
            Funding.rateOf(-int256(premium), index, 0, cap) ==
                -Funding.rateOf(premium, index, 0, cap)
        );
    }

    function everyPriceIsNearItself(uint64 price, uint24 maxJump) external pure {
        assert(JumpGuard.isNear(price, price, maxJump));
    }

    function aMoveWithinTheBoundIsNear(uint64 price, uint64 from, uint24 maxJump) external pure {
        require(price >= from && uint256(price - from) * 1e6 <= uint256(maxJump) * from);
        assert(JumpGuard.isNear(price, from, maxJump));
    }

    function aMoveBeyondTheBoundIsNot(uint64 price, uint64 from, uint24 maxJump) external pure {
        require(price < from && uint256(from - price) * 1e6 > uint256(maxJump) * from);
        assert(!JumpGuard.isNear(price, from, maxJump));
    }

    function aWiderBoundIsNearToo(
        uint64 price,
        uint64 from,
        uint24 maxJump,
        uint24 more
    ) external pure {
        require(JumpGuard.isNear(price, from, maxJump));
        assert(JumpGuard.isNear(price, from, uint256(maxJump) + more));
    }

    function theRateIsAtMostHalfOfOneOverLeverage(uint8 leverage) external pure {
        require(leverage != 0);
        assert(Caps.maintenanceRate(leverage) * 2 * leverage <= 1e6);
    }

    function byLessThanAMillionth(uint8 leverage) external pure {
        require(leverage != 0);
        assert((Caps.maintenanceRate(leverage) + 1) * 2 * leverage > 1e6);
    }

    function moreLeverageHasALowerRate(uint8 leverage, uint8 more) external pure {
        require(leverage != 0);
        assert(Caps.maintenanceRate(uint256(leverage) + more) <= Caps.maintenanceRate(leverage));
    }

    function interestPullsByFiveHundredthsOfAPercentAtMost(
        int64 premium,
        uint64 index,
        uint24 interest
    ) external pure {
        // A cap that never binds.
        require(index != 0);
        int256 rate = Funding.rateOf(premium, index, interest, 2 ** 100);
        int256 pulled = rate - int256(premium) * 1e6;
        assert(pulled <= 500 * int256(uint256(index)) && pulled >= -500 * int256(uint256(index)));
    }

    function distanceIsTheSameBothWays(uint64 a, uint64 b) external pure {
        require(JumpGuard.isNear(a, b, 0));
        assert(a == b || b == 0);
    }
}
