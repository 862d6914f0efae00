// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";

/// @title Signed multiplication and division
/// @notice Floor is towards −∞, Ceil towards +∞. Products are exact: they may take 512 bits.
library SignedMath {
    /// @notice ⌊x · y / d⌋.
    /// @dev Reverts: if `d` is zero or the result does not fit.
    function mulDivFloor(int256 x, uint256 y, uint256 d) internal pure returns (int256) {
        if (x >= 0) return SafeCast.toInt256(FixedPointMathLib.fullMulDiv(uint256(x), y, d));
        return -SafeCast.toInt256(FixedPointMathLib.fullMulDivUp(uint256(-x), y, d));
    }

    /// @notice ⌈x · y / d⌉.
    /// @dev Reverts: if `d` is zero or the result does not fit.
    function mulDivCeil(int256 x, uint256 y, uint256 d) internal pure returns (int256) {
        if (x >= 0) return SafeCast.toInt256(FixedPointMathLib.fullMulDivUp(uint256(x), y, d));
        return -SafeCast.toInt256(FixedPointMathLib.fullMulDiv(uint256(-x), y, d));
    }

    /// @notice ⌈x / 2^bits⌉. The floor is `x >> bits`.
    function shiftCeil(int256 x, uint256 bits) internal pure returns (int256) {
        return -((-x) >> bits);
    }
}
