// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Split} from "../types/State.sol";

/// @title Shares
/// @notice Splits a whole by weight into whole numbers whose sum is the whole, one share at a time and in a fixed order:
///
///   share_i = ⌊amount · c_i / weight⌋ − ⌊amount · c_(i−1) / weight⌋,  c_i = w_1 + … + w_i,  weight = c_n
///
/// A share differs from the exact one by less than 1, and is at most its weight as long as amount ≤ weight. Where it stopped is
/// all that has to be known to go on.
library Shares {
    using SafeCast for uint256;

    function start(uint256 amount, uint256 weight) internal pure returns (Split memory split) {
        split.amount = amount.toUint128();
        split.weight = weight.toUint128();
    }

    /// @notice The share of the next weight.
    /// @dev A product of two 128-bit numbers fits. Without any weight there is nothing to hand out to.
    function next(Split memory split, uint256 weight) internal pure returns (uint256 share) {
        uint256 cumulative = split.cumulative + weight;
        split.cumulative = cumulative.toUint128();
        uint256 upToHere = upTo(split.amount, cumulative, split.weight);
        share = upToHere - split.given;
        split.given = upToHere.toUint128();
    }

    /// @notice ⌊amount · cumulative / weight⌋, 0 if there is no weight.
    function upTo(
        uint256 amount,
        uint256 cumulative,
        uint256 weight
    ) internal pure returns (uint256) {
        return weight == 0 ? 0 : (amount * cumulative) / weight;
    }
}
