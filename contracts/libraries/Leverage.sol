// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {Price, Tally} from "../types/Context.sol";
import {Grade} from "../types/Keys.sol";
import {Market, Position, State} from "../types/State.sol";
import {Margin} from "./Margin.sol";
import {Positions} from "./Positions.sol";

/// @title Leverage
/// @notice The choice of a leverage class: how much margin an account commits in a market.
library Leverage {
    /// @notice Chooses a class. A lower one needs the settled balance to cover the initial margin that it asks for, because a
    /// winner could otherwise leave the front of the queue with profit that is not his yet; unless nothing in this market
    /// depends on it.
    /// @dev Reverts: LeverageTooHigh, PriceNotFresh, LeverageNotCovered.
    /// @param class Index into the leverage table.
    function choose(
        State storage s,
        Price memory price,
        uint32 account,
        uint256 class,
        Tally memory tally
    ) external returns (Tally memory) {
        Market storage m = s.markets[price.market];
        uint256 highest = m.config.maxLeverage;
        require(class <= highest, IExchangeErrors.LeverageTooHigh(class, highest));
        (Position memory held, , ) = Positions.settledOf(s, price, account);
        bool isAtRisk = held.lots != 0 || m.resting[account].used != 0;
        if (isAtRisk) requireFresh(price);
        bool isLower = class < Margin.chosenClass(m, account);

        tally = Positions.setLeverage(s, price, account, class, m.config.classDelay, tally);

        if (isLower && isAtRisk) requireCovered(s, account);
        return tally;
    }

    function requireFresh(Price memory price) private pure {
        require(
            price.grade == Grade.Fresh,
            IExchangeErrors.PriceNotFresh(price.market, uint8(price.grade), uint8(Grade.Fresh))
        );
    }

    function requireCovered(State storage s, uint32 account) private view {
        (int256 settled, uint256 initial) = Margin.coverage(s, account);
        require(settled >= int256(initial), IExchangeErrors.LeverageNotCovered(settled, initial));
    }
}
