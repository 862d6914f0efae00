// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Roles
/// @notice OpenZeppelin's AccessManager, unchanged: who may call the restricted functions of exchange, oracle and signed feed, and
/// after what delay.
contract Roles is AccessManager {
    constructor(address admin) AccessManager(admin) {}
}
