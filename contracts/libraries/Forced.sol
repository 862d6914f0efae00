// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Tally} from "../types/Context.sol";
import {State} from "../types/State.sol";
import {Book} from "./Book.sol";
import {Fresh} from "./Fresh.sol";

/// @title Forced
/// @notice What liquidation and deleveraging change of an account besides its positions. Linked, so that both stay small; it decides
/// nothing. Memory does not cross a delegatecall, so tallies come back.
library Forced {
    function cancelOrders(State storage s, uint16 marketId, uint32 account) external {
        Book.cancelAll(s, marketId, account, IExchangeEvents.RemovalReason.Liquidated);
    }

    /// @notice See Fresh.fold.
    function foldFresh(
        State storage s,
        uint16 marketId,
        uint32 account,
        Tally memory tally
    ) external returns (Tally memory) {
        Fresh.fold(s, marketId, account, tally);
        return tally;
    }
}
