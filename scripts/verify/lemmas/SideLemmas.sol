// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Side, isBetterFor} from "project/contracts/types/Side.sol";
import {Keys} from "project/contracts/types/Keys.sol";

/// @notice Sides mirror, and keys come apart as they were put together.
contract SideLemmas {
    function theOppositeOfTheOppositeIsItself(bool isShort) external pure {
        Side side = isShort ? Side.Short : Side.Long;
        assert(side.opposite().opposite() == side && side.opposite() != side);
    }

    function signsMirror(bool isShort) external pure {
        Side side = isShort ? Side.Short : Side.Long;
        assert(side.opposite().sign() == -side.sign());
    }

    function whatIsBetterForOneIsNotForTheOther(bool isShort, uint64 a, uint64 b) external pure {
        Side side = isShort ? Side.Short : Side.Long;
        assert(!(isBetterFor(side, a, b) && isBetterFor(side.opposite(), a, b)));
    }

    function nothingIsBetterThanItself(bool isShort, uint64 a) external pure {
        assert(!isBetterFor(isShort ? Side.Short : Side.Long, a, a));
    }
}
