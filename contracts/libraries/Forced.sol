// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Fill, Price, Tally} from "../types/Context.sol";
import {Side} from "../types/Side.sol";
import {State} from "../types/State.sol";
import {Book} from "./Book.sol";
import {Fresh} from "./Fresh.sol";
import {Positions} from "./Positions.sol";

/// @title Forced
/// @notice What liquidation and deleveraging change of an account: orders, positions, fresh profit. Linked, so that both stay small;
/// it decides nothing. Memory does not cross a delegatecall, so tallies come back.
library Forced {
    function cancelOrders(State storage s, uint16 marketId, uint32 account) external {
        Book.cancelAll(s, marketId, account, IExchangeEvents.RemovalReason.Liquidated);
    }

    /// @notice One party's side of a takeover, without fee.
    function change(
        State storage s,
        Price memory price,
        uint32 account,
        Fill memory fill,
        Tally memory tally
    ) external returns (Positions.Outcome memory outcome, Tally memory) {
        outcome = Positions.change(s, price, account, fill, 0, tally);
        return (outcome, tally);
    }

    /// @notice See Positions.takeOut.
    function takeOut(
        State storage s,
        Price memory price,
        uint32 account,
        Tally memory tally
    ) external returns (Side side, uint256 lots, int256 profit, Tally memory) {
        (side, lots, profit) = Positions.takeOut(s, price, account, tally);
        return (side, lots, profit, tally);
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
