// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Side} from "../types/Side.sol";
import {Market} from "../types/State.sol";
import {Bits} from "./Bits.sol";

/// @title Ticks
/// @notice Which ticks of a side hold a level: a bitmap of three levels, 256-way, over the 24 bits of a tick.
/// @dev Bit t of leaf word w is tick w · 256 + t. A bit of a middle word says that a leaf is not zero, a bit of the root that
/// a middle word is not, so the next tick is at most five reads away, however far it is. Tick 0 is no price and is
/// never set: 0 stands for "none".
library Ticks {
    /// @notice The highest tick.
    uint256 internal constant LAST = type(uint24).max;

    /// @dev Word numbers: 2^16 leaves, then 2^8 middle words, then the root.
    uint256 private constant MIDDLE = 1 << 16;
    uint256 private constant ROOT = 1 << 17;

    /// @notice Notes that `tick` holds a level. Setting it twice changes nothing.
    function set(Market storage m, Side side, uint256 tick) internal {
        mapping(uint256 word => uint256) storage words = m.ticks[side.index()];
        if (setBit(words, tick >> 8, tick & 0xff)) return;
        if (setBit(words, MIDDLE | (tick >> 16), (tick >> 8) & 0xff)) return;
        setBit(words, ROOT, tick >> 16);
    }

    /// @notice Notes that `tick` holds no level any more.
    function clear(Market storage m, Side side, uint256 tick) internal {
        mapping(uint256 word => uint256) storage words = m.ticks[side.index()];
        if (clearBit(words, tick >> 8, tick & 0xff)) return;
        if (clearBit(words, MIDDLE | (tick >> 16), (tick >> 8) & 0xff)) return;
        clearBit(words, ROOT, tick >> 16);
    }

    /// @notice The best tick at or behind `tick`: for bids the highest not above it, for asks the lowest not below.
    /// @return The tick, 0 if there is none.
    function nextFrom(Market storage m, Side side, uint256 tick) internal view returns (uint256) {
        mapping(uint256 word => uint256) storage words = m.ticks[side.index()];
        if (side == Side.Long) return highestTo(words, tick < LAST ? tick : LAST);
        return tick > LAST ? 0 : lowestFrom(words, tick);
    }

    /// @notice The best tick strictly behind `tick`, 0 if there is none.
    function nextBehind(Market storage m, Side side, uint256 tick) internal view returns (uint256) {
        if (side == Side.Short) return nextFrom(m, side, tick + 1);
        return tick == 0 ? 0 : nextFrom(m, side, tick - 1);
    }

    function highestTo(
        mapping(uint256 word => uint256) storage words,
        uint256 tick
    ) private view returns (uint256) {
        uint256 leaf = tick >> 8;
        uint256 bits = words[leaf] & (type(uint256).max >> (0xff - (tick & 0xff)));
        if (bits != 0) return (leaf << 8) | Bits.mostSignificant(bits);

        uint256 middle = leaf >> 8;
        bits = words[MIDDLE | middle] & ((1 << (leaf & 0xff)) - 1);
        if (bits == 0) {
            bits = words[ROOT] & ((1 << middle) - 1);
            if (bits == 0) return 0;
            middle = Bits.mostSignificant(bits);
            bits = words[MIDDLE | middle];
        }
        leaf = (middle << 8) | Bits.mostSignificant(bits);
        return (leaf << 8) | Bits.mostSignificant(words[leaf]);
    }

    function lowestFrom(
        mapping(uint256 word => uint256) storage words,
        uint256 tick
    ) private view returns (uint256) {
        uint256 leaf = tick >> 8;
        uint256 bits = words[leaf] & (type(uint256).max << (tick & 0xff));
        if (bits != 0) return (leaf << 8) | Bits.leastSignificant(bits);

        // A shift by 256 leaves nothing, which is right: no bit is above bit 255.
        uint256 middle = leaf >> 8;
        bits = words[MIDDLE | middle] & (type(uint256).max << ((leaf & 0xff) + 1));
        if (bits == 0) {
            bits = words[ROOT] & (type(uint256).max << (middle + 1));
            if (bits == 0) return 0;
            middle = Bits.leastSignificant(bits);
            bits = words[MIDDLE | middle];
        }
        leaf = (middle << 8) | Bits.leastSignificant(bits);
        return (leaf << 8) | Bits.leastSignificant(words[leaf]);
    }

    /// @return isKnown Whether the word was not zero before, so that the word above it has its bit already.
    function setBit(
        mapping(uint256 word => uint256) storage words,
        uint256 word,
        uint256 bit
    ) private returns (bool isKnown) {
        uint256 before = words[word];
        words[word] = before | (1 << bit);
        return before != 0;
    }

    /// @return isStillUsed Whether the word is not zero afterwards, so that the word above it keeps its bit.
    function clearBit(
        mapping(uint256 word => uint256) storage words,
        uint256 word,
        uint256 bit
    ) private returns (bool isStillUsed) {
        uint256 rest = words[word] & ~(1 << bit);
        words[word] = rest;
        return rest != 0;
    }
}
