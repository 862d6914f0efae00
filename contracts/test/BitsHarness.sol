// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bits} from "../libraries/Bits.sol";

/// @notice Makes the internal functions of Bits callable from tests.
contract BitsHarness {
    function mostSignificant(uint256 word) external pure returns (uint256) {
        return Bits.mostSignificant(word);
    }

    function leastSignificant(uint256 word) external pure returns (uint256) {
        return Bits.leastSignificant(word);
    }
}
