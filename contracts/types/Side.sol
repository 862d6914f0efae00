// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice The side of a position or an order: long and bid are one, short and ask are the other.
enum Side {
    Long,
    Short
}

using {opposite, sign, index} for Side global;

/// @notice The other side.
function opposite(Side side) pure returns (Side) {
    return side == Side.Long ? Side.Short : Side.Long;
}

/// @notice +1 for long, −1 for short.
function sign(Side side) pure returns (int256) {
    return side == Side.Long ? int256(1) : int256(-1);
}

/// @notice 0 for long, 1 for short: the index into arrays that have one entry a side.
function index(Side side) pure returns (uint256) {
    return uint256(uint8(side));
}

/// @notice Whether price `a` is better than `b` for someone who sells out of `side`: higher for longs.
function isBetterFor(Side side, uint256 a, uint256 b) pure returns (bool) {
    return side == Side.Long ? a > b : a < b;
}
