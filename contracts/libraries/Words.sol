// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
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
    /* Fields as full words: their range is checked here. */

    function packPosition(
        uint256 lots,
        int256 cost,
        uint256 entry,
        uint256 checkpoint,
        uint8 kind
    ) internal pure returns (bytes32) {
        return
            bytes32(
                uint256(SafeCastLib.toUint64(lots)) |
                    (uint256(uint120(SafeCastLib.toInt120(cost))) << 64) |
                    (uint256(SafeCastLib.toUint40(entry)) << 184) |
                    (uint256(SafeCastLib.toUint24(checkpoint)) << 224) |
                    (uint256(kind) << 248)
            );
    }

    function packCohort(
        uint256 lots,
        uint256 members,
        uint256 checkpoint,
        uint256 referenced,
        int256 cost
    ) internal pure returns (bytes32) {
        return
            bytes32(
                uint256(SafeCastLib.toUint64(lots)) |
                    (uint256(SafeCastLib.toUint32(members)) << 64) |
                    (uint256(SafeCastLib.toUint24(checkpoint)) << 96) |
                    (uint256(SafeCastLib.toUint8(referenced)) << 120) |
                    (uint256(uint128(SafeCastLib.toInt128(cost))) << 128)
            );
    }

    function packClass(
        uint256 lots,
        uint256 members,
        uint256 haircut
    ) internal pure returns (bytes32) {
        return
            bytes32(
                uint256(SafeCastLib.toUint64(lots)) |
                    (uint256(SafeCastLib.toUint32(members)) << 64) |
                    (uint256(SafeCastLib.toUint136(haircut)) << 96)
            );
    }

    function packFlow(
        uint256 openInterest,
        uint256 fees,
        int256 rest,
        uint256 bonds
    ) internal pure returns (bytes32) {
        return
            bytes32(
                uint256(SafeCastLib.toUint64(openInterest)) |
                    (uint256(SafeCastLib.toUint96(fees)) << 64) |
                    (uint256(uint64(SafeCastLib.toInt64(rest))) << 160) |
                    (uint256(SafeCastLib.toUint32(bonds)) << 224)
            );
    }

    /* Fields that are in range. */

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

    /* The struct's first slot. */

    function get(Position storage self) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(self.slot)
        }
    }

    function get(Cohort storage self) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(self.slot)
        }
    }

    function get(PriceClass storage self) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(self.slot)
        }
    }

    function get(Checkpoint storage self) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(self.slot)
        }
    }

    function get(FlowSlot storage self) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(self.slot)
        }
    }

    function pack(PoolSlot memory x) internal pure returns (bytes32) {
        return bytes32(uint256(uint128(x.unsettled)) | (uint256(x.shortfall) << 128));
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

    function put(FlowSlot storage self, bytes32 word) internal {
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
