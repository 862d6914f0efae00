// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Words} from "../libraries/Words.sol";
import {
    Checkpoint,
    Cohort,
    FlowSlot,
    FreshRecord,
    FreshSide,
    Position,
    PriceClass
} from "../types/State.sol";

/// @notice The compiler's own layout is what the words are compared with.
contract WordsTest {
    error NotTheLayout(bytes32 word, bytes32 stored);

    Position private position;
    Cohort private cohort;
    PriceClass private class;
    Checkpoint private checkpoint;
    FlowSlot private flow;
    FreshSide private side;
    FreshRecord private record;

    function testFuzz_position(Position memory x) external {
        position = x;
        bytes32 slot;
        assembly ("memory-safe") {
            slot := position.slot
        }
        compare(pack(x), slot);
        Words.put(position, bytes32(0));
        compare(bytes32(0), slot);
        Words.put(position, pack(x));
        compare(pack(x), slot);
    }

    function testFuzz_cohort(Cohort memory x) external {
        cohort = x;
        bytes32 slot;
        assembly ("memory-safe") {
            slot := cohort.slot
        }
        compare(Words.packCohort(x.lots, x.members, x.checkpoint, x.referenced, x.cost), slot);
    }

    function testFuzz_priceClass(PriceClass memory x) external {
        class = x;
        bytes32 slot;
        assembly ("memory-safe") {
            slot := class.slot
        }
        compare(Words.packClass(x.lots, x.members, x.haircut), slot);
    }

    function testFuzz_flow(FlowSlot memory x) external {
        flow = x;
        bytes32 slot;
        assembly ("memory-safe") {
            slot := flow.slot
        }
        compare(Words.packFlow(x.openInterest, x.fees, x.rest, x.bonds), slot);
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

    function pack(Position memory x) private pure returns (bytes32) {
        return Words.packPosition(x.lots, x.cost, x.entry, x.checkpoint, x.kind);
    }

    function compare(bytes32 word, bytes32 slot) private view {
        bytes32 stored;
        assembly ("memory-safe") {
            stored := sload(slot)
        }
        require(word == stored, NotTheLayout(word, stored));
    }
}
