// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Prices} from "../libraries/Prices.sol";
import {Price} from "../types/Context.sol";
import {State} from "../types/State.sol";

/// @notice Makes the internal functions of Prices callable from tests.
contract PricesHarness {
    State internal $;

    function refresh(uint16 market) external returns (Price memory) {
        return Prices.refresh($, market);
    }

    function load(uint16 market) external view returns (Price memory) {
        return Prices.load($, market);
    }
}
