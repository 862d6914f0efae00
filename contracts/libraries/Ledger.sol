// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {Money, State} from "../types/State.sol";

/// @title Balances
/// @notice The only writer of balances. Checks nothing: whoever takes money has made sure that it is there, and an account's
/// balance may be below zero while unrealised or fresh profit stands against it.
library Ledger {
    /// @return balance Quote.
    function balanceOf(State storage s, uint32 account) internal view returns (int256 balance) {
        return s.money[account].balance;
    }

    /// @notice Adds to a balance, or takes from it.
    /// @param amount Quote, signed.
    /// @return balance Quote, afterwards.
    function credit(
        State storage s,
        uint32 account,
        int256 amount
    ) internal returns (int256 balance) {
        Money storage money = s.money[account];
        balance = money.balance + amount;
        if (amount != 0) money.balance = SafeCastLib.toInt128(balance);
    }
}
