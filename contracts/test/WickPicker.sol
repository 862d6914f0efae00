// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IExchange} from "../interfaces/IExchange.sol";
import {SignedFeed} from "../oracle/SignedFeed.sol";
import {Action} from "../types/Action.sol";

/// @title Wick picker
/// @notice Pushes a price, acts on it, pushes the next and acts again, all in one transaction: what a caller tries who knows two
/// signed prices.
contract WickPicker {
    /// @notice One price of every source of a market, and what to do after it.
    struct Step {
        SignedFeed.Update[] updates;
        bytes[][] signatures;
        uint32[] victims; // to liquidate, then to deleverage
        Order[] orders;
    }

    /// @notice What an account does, of which this contract is an operator.
    struct Order {
        uint32 account;
        Action[] actions;
    }

    /// @param rewardTo Account that gets the caller's share.
    function pick(
        IExchange exchange,
        SignedFeed feed,
        Step[] calldata steps,
        uint32 rewardTo
    ) external {
        for (uint256 i = 0; i < steps.length; i++) {
            Step calldata step = steps[i];
            feed.pushMany(step.updates, step.signatures);
            if (step.victims.length != 0) {
                exchange.liquidate(step.victims, 32, rewardTo);
                exchange.deleverage(step.victims, 32, rewardTo);
            }
            for (uint256 j = 0; j < step.orders.length; j++) {
                exchange.execute(step.orders[j].account, step.orders[j].actions);
            }
        }
    }
}
