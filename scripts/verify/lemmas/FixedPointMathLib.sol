// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title What the arithmetic library does, without assembly
/// @notice Stands in for the library of the same name while lemmas are proved, because the prover does not see through assembly. Products here have
/// 256 bits: a lemma says in its bounds that they fit. What is not needed by a lemma reverts, so that nothing is proved by it.
library FixedPointMathLib {
    function min(uint256 x, uint256 y) internal pure returns (uint256) {
        return x < y ? x : y;
    }
    function max(uint256 x, uint256 y) internal pure returns (uint256) {
        return x > y ? x : y;
    }
    function min(int256 x, int256 y) internal pure returns (int256) {
        return x < y ? x : y;
    }
    function max(int256 x, int256 y) internal pure returns (int256) {
        return x > y ? x : y;
    }
    function clamp(int256 x, int256 a, int256 b) internal pure returns (int256) {
        int256 z = x < a ? a : x;
        return z > b ? b : z;
    }
    function clamp(uint256 x, uint256 a, uint256 b) internal pure returns (uint256) {
        uint256 z = x < a ? a : x;
        return z > b ? b : z;
    }
    function zeroFloorSub(uint256 x, uint256 y) internal pure returns (uint256) {
        return x > y ? x - y : 0;
    }
    function dist(uint256 x, uint256 y) internal pure returns (uint256) {
        return x > y ? x - y : y - x;
    }
    function divUp(uint256 x, uint256 d) internal pure returns (uint256) {
        require(d != 0);
        return x / d + (x % d == 0 ? 0 : 1);
    }
    function fullMulDiv(uint256 x, uint256 y, uint256 d) internal pure returns (uint256) {
        require(d != 0);
        return (x * y) / d;
    }
    function fullMulDivUp(uint256 x, uint256 y, uint256 d) internal pure returns (uint256) {
        require(d != 0);
        return (x * y) / d + ((x * y) % d == 0 ? 0 : 1);
    }
    function log2(uint256 x) internal pure returns (uint256 r) {
        if (x >= 2 ** 128) {
            x /= 2 ** 128;
            r += 128;
        }
        if (x >= 2 ** 64) {
            x /= 2 ** 64;
            r += 64;
        }
        if (x >= 2 ** 32) {
            x /= 2 ** 32;
            r += 32;
        }
        if (x >= 2 ** 16) {
            x /= 2 ** 16;
            r += 16;
        }
        if (x >= 2 ** 8) {
            x /= 2 ** 8;
            r += 8;
        }
        if (x >= 2 ** 4) {
            x /= 2 ** 4;
            r += 4;
        }
        if (x >= 2 ** 2) {
            x /= 2 ** 2;
            r += 2;
        }
        if (x >= 2) {
            r += 1;
        }
    }

    error NotModelled();

    function sqrt(uint256) internal pure returns (uint256) {
        revert NotModelled();
    }

    function expWad(int256) internal pure returns (int256) {
        revert NotModelled();
    }
}
