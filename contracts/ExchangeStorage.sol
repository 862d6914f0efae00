// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {State} from "./types/State.sol";

/// @notice The only storage base: Exchange owns it, ExchangeLens shares its layout to run inside `simulate`.
abstract contract ExchangeStorage {
    State internal $;
}
