// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Price} from "../types/Context.sol";
import {Side} from "../types/Side.sol";
import {State} from "../types/State.sol";
import {Margin} from "./Margin.sol";

/// @title Makers
/// @notice The margin check of resting orders, linked on its own because Matching has no room for it.
library Makers {
    /// @notice Margin.allowsMaker: whether a resting order may be filled.
    /// @param side What the maker does: buys (Long) or sells (Short).
    /// @param fillPrice Quote per lot.
    /// @param fee Quote, paid by the maker.
    function allows(
        State storage s,
        Price memory price,
        uint32 maker,
        Side side,
        uint256 lots,
        uint256 fillPrice,
        uint256 fee
    ) external view returns (bool) {
        return Margin.allowsMaker(s, price, maker, side, lots, fillPrice, fee);
    }
}
