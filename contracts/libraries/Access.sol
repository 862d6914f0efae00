// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {House, Scopes} from "../types/Keys.sol";
import {Operator, State} from "../types/State.sol";

/// @title Access
/// @notice Who may act for an account: its owner, and operators within scope and time.
library Access {
    uint8 internal constant KNOWN_SCOPES = Scopes.TRADE | Scopes.CANCEL;

    /// @dev Reverts: UnknownAccount, NotOwner.
    function requireOwner(State storage s, uint32 account) internal view {
        address owner = requireKnown(s, account);
        require(owner == msg.sender, IExchangeErrors.NotOwner(account, msg.sender));
    }

    /// @notice TRADE includes CANCEL.
    /// @dev Reverts: UnknownAccount, HouseAccount, NotAllowed.
    function requireScope(State storage s, uint32 account, uint8 scope) internal view {
        address owner = requireKnown(s, account);
        require(account >= House.FIRST_ACCOUNT, IExchangeErrors.HouseAccount(account));
        if (owner == msg.sender) return;
        Operator memory operator = s.operators[account][msg.sender];
        uint8 held = block.timestamp < operator.expiry ? operator.scope : 0;
        if (held & Scopes.TRADE != 0) held |= Scopes.CANCEL;
        require(held & scope == scope, IExchangeErrors.NotAllowed(account, msg.sender, scope));
    }

    function requireKnown(State storage s, uint32 account) internal view returns (address owner) {
        owner = s.accounts[account].owner;
        require(owner != address(0), IExchangeErrors.UnknownAccount(account));
    }
}
