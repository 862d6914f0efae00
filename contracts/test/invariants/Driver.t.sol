// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Endings} from "./Endings.t.sol";
import {Op} from "./Ghosts.t.sol";

/// @notice Draws calls from a deck, so that every hundred calls hold each kind as often as its weight says.
abstract contract Driver is Endings {
    uint256 private constant DECK = 100;

    /// @dev A call of a run failed: with which seed, at which draw, what it was, and why.
    error Failed(uint256 seed, uint256 draw, Op op, bytes reason);

    /// @dev Only the driver itself makes calls.
    error NotItself(address sender);

    uint8[] private deck;
    uint256 private seedInUse;
    uint256 internal draws;

    /// @dev Calls of each kind in a hundred, in the order of Op.
    function weightOf(Op op) private pure returns (uint256) {
        if (op == Op.Trade) return 10;
        if (op == Op.Price || op == Op.Deleverage) return 9;
        if (op == Op.Place || op == Op.Liquidate) return 6;
        if (op == Op.Take || op == Op.Deposit) return 5;
        if (op == Op.Takeover || op == Op.Scene) return 5;
        if (op == Op.Gap || op == Op.Reduce) return 4;
        if (op == Op.Leverage || op == Op.Cancel) return 3;
        return 2;
    }

    /// @notice Starts a run: a world that has people with money in it, and a fund.
    function begin(uint256 seed) internal {
        (seedInUse, random, draws) = (seed, seed, 0);
        for (uint256 i = 0; i < ACCOUNTS; i++) deposit(i, between(2_000, 20_000) * TOKEN);
        for (uint256 i = 0; i < TRADERS; i++) {
            if (isCoalition(i)) setLeverage(i, CLOSED, uint8(between(4, 6)));
            else setLeverage(i, marketFor(i), uint8(between(4, 6)));
        }
        for (uint256 i = 0; i < STAKERS; i++) fundDeposit(i, between(2_000, 10_000) * TOKEN);
    }

    /// @notice Draws and makes calls. Each in a call of its own, because memory is never given back within one.
    function drive(uint256 count) internal {
        for (uint256 i = 0; i < count; i++) {
            if (deck.length == 0) shuffle();
            Op op = Op(deck[deck.length - 1]);
            deck.pop();
            draws++;
            try this.play(op) {} catch (bytes memory reason) {
                revert Failed(seedInUse, draws, op, reason);
            }
        }
    }

    function shuffle() private {
        for (uint256 op = 0; op < OPS; op++) {
            for (uint256 i = 0; i < weightOf(Op(op)); i++) deck.push(uint8(op));
        }
        for (uint256 i = deck.length - 1; i != 0; i--) {
            uint256 j = roll(i + 1);
            (deck[i], deck[j]) = (deck[j], deck[i]);
        }
    }

    function play(Op op) external {
        require(msg.sender == address(this), NotItself(msg.sender));
        if (op <= Op.Leverage) playUser(op);
        else if (op <= Op.Poke) playTime(op);
        else if (op <= Op.Continue) playForce(op);
        else playRest(op);
    }

    function playUser(Op op) private {
        if (op == Op.Deposit) depositAny();
        else if (op == Op.Withdraw) withdrawAny();
        else if (op == Op.Leave) leaveAny();
        else if (op == Op.Transfer) transferAny();
        else if (op == Op.Trade) tradeAny();
        else playOrder(op);
    }

    function playOrder(Op op) private {
        if (op == Op.Place) placeAny();
        else if (op == Op.Take) takeAny();
        else if (op == Op.Reduce) reduceAny();
        else if (op == Op.Cancel) cancelAny();
        else leverageAny();
    }

    function playTime(Op op) private {
        if (op == Op.Price) priceAny();
        else if (op == Op.Gap) gapAny();
        else if (op == Op.Silence) silenceAny();
        else if (op == Op.Settle) settleAny();
        else pokeAny();
    }

    function playForce(Op op) private {
        if (op == Op.Liquidate) liquidateAny();
        else if (op == Op.Takeover) takeoverAny();
        else if (op == Op.Deleverage) deleverageAny();
        else continueAny();
    }

    function playRest(Op op) private {
        if (op == Op.FundDeposit) fundDepositAny();
        else if (op == Op.FundExit) fundExitAny();
        else if (op == Op.FundLeave) fundLeaveAny();
        else if (op == Op.Release) releaseAny();
        else if (op == Op.Donate) donateAny();
        else if (op == Op.Reopen) reopenAny();
        else sceneAny();
    }
}
