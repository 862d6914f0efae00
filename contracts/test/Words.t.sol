// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Words} from "../libraries/Words.sol";
import {Checkpoint, Cohort, FreshRecord, FreshSide, Position, PriceClass} from "../types/State.sol";

/// @notice The compiler's own layout is what the words are compared with.
contract WordsTest {
    error NotTheLayout(bytes32 word, bytes32 stored);

    Position private position;
    Cohort private cohort;
    PriceClass private class;
    Checkpoint private checkpoint;
    FreshSide private side;
    FreshRecord private record;

    function testFuzz_position(Position memory x) external {
        position = x;
        bytes32 slot;
        assembly ("memory-safe") {
            slot := position.slot
        }
        compare(Words.pack(x), slot);
        Words.put(position, bytes32(0));
        compare(bytes32(0), slot);
        Words.put(position, Words.pack(x));
        compare(Words.pack(x), slot);
    }

    function testFuzz_cohort(Cohort memory x) external {
        cohort = x;
        bytes32 slot;
        assembly ("memory-safe") {
            slot := cohort.slot
        }
        compare(Words.pack(x), slot);
    }

    function testFuzz_priceClass(PriceClass memory x) external {
        class = x;
        bytes32 slot;
        assembly ("memory-safe") {
            slot := class.slot
        }
        compare(Words.pack(x), slot);
    }

    function testFuzz_checkpoint(Checkpoint memory x) external {
        checkpoint = x;
        bytes32 slot;
        assembly ("memory-safe") {
            slot := checkpoint.slot
        }
        compare(Words.pack(x), slot);
    }

    function testFuzz_freshSide(FreshSide memory x) external {
        side = x;
        bytes32 slot;
        assembly ("memory-safe") {
            slot := side.slot
        }
        compare(Words.pack(x), slot);
    }

    function testFuzz_freshRecord(FreshRecord memory x) external {
        record = x;
        bytes32 slot;
        assembly ("memory-safe") {
            slot := record.slot
        }
        compare(Words.pack(x), slot);
    }

    function compare(bytes32 word, bytes32 slot) private view {
        bytes32 stored;
        assembly ("memory-safe") {
            stored := sload(slot)
        }
        require(word == stored, NotTheLayout(word, stored));
    }
}
