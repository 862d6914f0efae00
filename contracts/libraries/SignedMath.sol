// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";

/// @title Signed multiplication and division
/// @notice Floor is towards −∞, Ceil towards +∞. Products are exact: they may take 512 bits.
library SignedMath {
    /// @notice ⌊x · y / d⌋.
    /// @dev Reverts: if `d` is zero or the result does not fit.
    function mulDivFloor(int256 x, uint256 y, uint256 d) internal pure returns (int256) {
        if (x >= 0) return SafeCastLib.toInt256(FixedPointMathLib.fullMulDiv(uint256(x), y, d));
        return -SafeCastLib.toInt256(FixedPointMathLib.fullMulDivUp(uint256(-x), y, d));
    }

    /// @notice ⌈x · y / d⌉.
    /// @dev Reverts: if `d` is zero or the result does not fit.
    function mulDivCeil(int256 x, uint256 y, uint256 d) internal pure returns (int256) {
        if (x >= 0) return SafeCastLib.toInt256(FixedPointMathLib.fullMulDivUp(uint256(x), y, d));
        return -SafeCastLib.toInt256(FixedPointMathLib.fullMulDiv(uint256(-x), y, d));
    }

    /// @notice ⌈x / 2^bits⌉. The floor is `x >> bits`.
    function shiftCeil(int256 x, uint256 bits) internal pure returns (int256) {
        return -((-x) >> bits);
    }
}
