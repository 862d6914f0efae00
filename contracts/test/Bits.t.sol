// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Bits} from "../libraries/Bits.sol";

contract BitsTest {
    function testFuzz_orders(uint256 word) external pure {
        if (word == 0) return;
        require(Bits.mostSignificant(word) >= Bits.leastSignificant(word), "order");
    }
}
