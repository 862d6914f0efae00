// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SignedMath} from "project/contracts/libraries/SignedMath.sol";

/// @notice Floors are below, ceilings above, and both by less than one.
contract SignedMathLemmas {
    function floorIsBelow(int128 x, uint64 y, uint64 d) external pure {
        require(d != 0);
        assert(
            SignedMath.mulDivFloor(x, y, d) * int256(uint256(d)) <= int256(x) * int256(uint256(y))
        );
    }

    function floorByLessThanOne(int128 x, uint64 y, uint64 d) external pure {
        require(d != 0);
        int256 floored = SignedMath.mulDivFloor(x, y, d);
        assert((floored + 1) * int256(uint256(d)) > int256(x) * int256(uint256(y)));
    }

    function ceilIsAbove(int64 x, uint32 y, uint32 d) external pure {
        require(d != 0);
        assert(
            SignedMath.mulDivCeil(x, y, d) * int256(uint256(d)) >= int256(x) * int256(uint256(y))
        );
    }

    function ceilByLessThanOne(int64 x, uint32 y, uint32 d) external pure {
        require(d != 0);
        int256 raised = SignedMath.mulDivCeil(x, y, d);
        assert((raised - 1) * int256(uint256(d)) < int256(x) * int256(uint256(y)));
    }

    function ceilOfMinusIsMinusFloor(int128 x, uint64 y, uint64 d) external pure {
        require(d != 0);
        assert(SignedMath.mulDivCeil(-int256(x), y, d) == -SignedMath.mulDivFloor(x, y, d));
    }

    function allOfItIsAll(int64 x, uint32 d) external pure {
        require(d != 0);
        assert(SignedMath.mulDivFloor(x, d, d) == x);
        assert(SignedMath.mulDivCeil(x, d, d) == x);
    }

    function nothingOfItIsNothing(int128 x, uint64 d) external pure {
        require(d != 0);
        assert(SignedMath.mulDivFloor(x, 0, d) == 0);
        assert(SignedMath.mulDivCeil(x, 0, d) == 0);
    }

    function aPartIsNoMoreThanAll(uint128 x, uint64 y, uint64 d) external pure {
        require(d != 0 && y <= d);
        assert(SignedMath.mulDivCeil(int256(uint256(x)), y, d) <= int256(uint256(x)));
    }

    function floorIsNotAboveCeil(int128 x, uint64 y, uint64 d) external pure {
        require(d != 0);
        assert(SignedMath.mulDivFloor(x, y, d) <= SignedMath.mulDivCeil(x, y, d));
    }

    function ceilIsAtMostOneMore(int128 x, uint64 y, uint64 d) external pure {
        require(d != 0);
        assert(SignedMath.mulDivCeil(x, y, d) - SignedMath.mulDivFloor(x, y, d) <= 1);
    }

    function signsAreKept(uint128 x, uint64 y, uint64 d) external pure {
        require(d != 0);
        assert(SignedMath.mulDivFloor(int256(uint256(x)), y, d) >= 0);
        assert(SignedMath.mulDivCeil(-int256(uint256(x)), y, d) <= 0);
    }
}
