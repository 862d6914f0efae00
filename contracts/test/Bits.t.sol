// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Bits} from "../libraries/Bits.sol";

contract BitsTest {
    error NotTheHighest(uint256 word, uint256 position);
    error NotTheLowest(uint256 word, uint256 position);

    function testFuzz_mostSignificantLeavesNothingAbove(uint256 word) external pure {
        if (word == 0) return;
        uint256 position = Bits.mostSignificant(word);
        require(word >> position == 1, NotTheHighest(word, position));
    }

    function testFuzz_leastSignificantLeavesNothingBelow(uint256 word) external pure {
        if (word == 0) return;
        uint256 position = Bits.leastSignificant(word);
        require((word >> position) & 1 == 1, NotTheLowest(word, position));
        require((word >> position) << position == word, NotTheLowest(word, position));
    }
}
