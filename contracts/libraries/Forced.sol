// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Tally} from "../types/Context.sol";
import {Side} from "../types/Side.sol";
import {State} from "../types/State.sol";
import {AccountMarkets} from "./AccountMarkets.sol";
import {Book} from "./Book.sol";
import {Fresh} from "./Fresh.sol";
import {Ledger} from "./Ledger.sol";

/// @title Forced
/// @notice What liquidation and deleveraging change of an account besides its positions. Linked, so that both stay small; it decides
/// nothing. Memory does not cross a delegatecall, so tallies come back.
library Forced {
    function cancelOrders(State storage s, uint16 marketId, uint32 account) external {
        Book.cancelAll(s, marketId, account, IExchangeEvents.RemovalReason.Liquidated);
    }

    /// @notice See Fresh.fold and Fresh.settle.
    function takeInFresh(
        State storage s,
        uint16 marketId,
        uint32 account,
        bool isAll,
        Tally memory tally
    ) external returns (Tally memory) {
        if (isAll) Fresh.fold(s, marketId, account, tally);
        else Fresh.settle(s, marketId, account, tally);
        return tally;
    }

    /// @notice Turns part of a balance into fresh profit of a position that an event has closed.
    /// @param side Of the position.
    /// @param amount Quote, at most the balance; what is below a micro unit stays where it is.
    /// @return balance What is left of it.
    function keepFresh(
        State storage s,
        uint16 marketId,
        uint32 account,
        Side side,
        uint256 amount,
        Tally memory tally
    ) external returns (int256 balance, Tally memory) {
        uint256 booked = Fresh.realise(s, marketId, account, side, amount, tally);
        if (booked != 0) AccountMarkets.enter(s, marketId, account);
        return (Ledger.credit(s, account, -int256(booked)), tally);
    }
}
