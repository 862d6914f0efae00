// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {LibBit} from "solady/src/utils/LibBit.sol";

/// @title Bits
/// @notice Positions of set bits in a 256-bit word; bit 0 is the least significant.
library Bits {
    error NoBitSet();

    /// @notice The position of the highest set bit.
    /// @dev Reverts: NoBitSet when `word` is zero, because no position exists.
    function mostSignificant(uint256 word) internal pure returns (uint256 position) {
        require(word != 0, NoBitSet());
        return LibBit.fls(word);
    }

    /// @notice The position of the lowest set bit.
    /// @dev Reverts: NoBitSet when `word` is zero, because no position exists.
    function leastSignificant(uint256 word) internal pure returns (uint256 position) {
        require(word != 0, NoBitSet());
        return LibBit.ffs(word);
    }
}
