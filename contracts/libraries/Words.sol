// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {
    Checkpoint,
    Cohort,
    FlowSlot,
    FreshRecord,
    FreshSide,
    PoolSlot,
    Position,
    PriceClass
} from "../types/State.sol";

/// @title Storage words
/// @notice The first slot of a struct as types/State.sol lays it out: written in one piece, because the compiler writes a
/// packed struct field by field, and put into events as it is.
library Words {
    function pack(Position memory x) internal pure returns (bytes32) {
        return
            bytes32(
                uint256(x.lots) |
                    (uint256(uint120(x.cost)) << 64) |
                    (uint256(x.entry) << 184) |
                    (uint256(x.checkpoint) << 224) |
                    (uint256(x.kind) << 248)
            );
    }

    function pack(Cohort memory x) internal pure returns (bytes32) {
        return
            bytes32(
                uint256(x.lots) |
                    (uint256(x.members) << 64) |
                    (uint256(x.checkpoint) << 96) |
                    (uint256(x.referenced) << 120) |
                    (uint256(uint128(x.cost)) << 128)
            );
    }

    function pack(PriceClass memory x) internal pure returns (bytes32) {
        return bytes32(uint256(x.lots) | (uint256(x.members) << 64) | (uint256(x.haircut) << 96));
    }

    function pack(Checkpoint memory x) internal pure returns (bytes32) {
        return
            bytes32(
                uint256(x.mantissa) | (uint256(x.exponent) << 96) | (uint256(x.haircut) << 120)
            );
    }

    function pack(FreshSide memory x) internal pure returns (bytes32) {
        return
            bytes32(
                uint256(x.epoch) |
                    (uint256(x.generation) << 32) |
                    (uint256(x.current) << 48) |
                    (uint256(x.previous) << 112) |
                    (uint256(x.keep) << 176)
            );
    }

    function pack(FreshRecord memory x) internal pure returns (bytes32) {
        return
            bytes32(
                uint256(x.epoch) |
                    (uint256(x.tag) << 32) |
                    (uint256(x.current) << 48) |
                    (uint256(x.previous) << 112) |
                    (uint256(x.keep) << 176)
            );
    }

    /* Each writes the struct's first slot: `self = unpack(word)`. */

    function pack(FlowSlot memory x) internal pure returns (bytes32) {
        return
            bytes32(
                uint256(x.openInterest) |
                    (uint256(x.fees) << 64) |
                    (uint256(uint64(x.rest)) << 160) |
                    (uint256(x.bonds) << 224)
            );
    }

    function pack(PoolSlot memory x) internal pure returns (bytes32) {
        return bytes32(uint256(uint128(x.unsettled)) | (uint256(x.shortfall) << 128));
    }

    function put(FlowSlot storage self, bytes32 word) internal {
        // The same as storing all fields of `self`.
        assembly ("memory-safe") {
            sstore(self.slot, word)
        }
    }

    function put(Position storage self, bytes32 word) internal {
        assembly ("memory-safe") {
            sstore(self.slot, word)
        }
    }

    function put(Cohort storage self, bytes32 word) internal {
        assembly ("memory-safe") {
            sstore(self.slot, word)
        }
    }

    function put(PriceClass storage self, bytes32 word) internal {
        assembly ("memory-safe") {
            sstore(self.slot, word)
        }
    }

    function put(Checkpoint storage self, bytes32 word) internal {
        assembly ("memory-safe") {
            sstore(self.slot, word)
        }
    }

    function put(FreshSide storage self, bytes32 word) internal {
        assembly ("memory-safe") {
            sstore(self.slot, word)
        }
    }

    function put(FreshRecord storage self, bytes32 word) internal {
        assembly ("memory-safe") {
            sstore(self.slot, word)
        }
    }
}
