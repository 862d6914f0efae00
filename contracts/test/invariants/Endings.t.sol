// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {MarketStatus} from "../../types/Keys.sol";
import {Op} from "./Ghosts.t.sol";
import {Scenes} from "./Scenes.t.sol";
import {AccountShot, Shot} from "./Shot.t.sol";
import {vm} from "./Vm.t.sol";

/// @notice From any state: a bounded series of calls that anyone may make resolves every account, and after the end of all markets
/// everybody leaves.
abstract contract Endings is Scenes {
    uint256 private constant ROUNDS = 6;
    uint256 private constant WIND_STEPS = 13;
    int256 private constant LEFT = 1e16;

    /// @notice Whoever is below maintenance can be resolved (INV-16, K2).
    function inv16() internal {
        for (uint256 round = 0; round < ROUNDS; round++) {
            pass(Op.Price, 5);
            resolve(true);
            resolve(false);
            pass(Op.Price, configOf(OPEN).clock);
            closeDue(true);
            closeDue(false);
        }
        Shot memory now_ = look();
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            AccountShot memory a = now_.accounts[i];
            bool isLeft = a.isLiquidatable && a.isLive;
            require(!isLeft, Broken("INV-16", i, a.equity, int256(a.maintenance)));
        }
    }

    function resolve(bool isOfCoalition) private {
        uint32[] memory named = liquidatable(look(), isOfCoalition);
        if (named.length != 0) liquidate(named);
    }

    function closeDue(bool isOfCoalition) private {
        uint32[] memory named = liquidatable(look(), isOfCoalition);
        if (named.length == 0 || deleverage(named)) return;
        for (uint256 i = 0; i < named.length; i++) deleverage(one(placeOf(named[i])));
    }

    /// @notice All markets are wound down, closed at their last price, and everybody takes out what he has (K3).
    function k3() internal {
        for (uint16 id = 0; id < MARKETS; id++) exchange.windDown(id);
        for (uint256 i = 0; i < WIND_STEPS; i++) {
            pass(Op.Price, configOf(OPEN).windWindow / (WIND_STEPS - 1));
        }
        isEnding = true;
        uint256 all = TRADERS * MARKETS;
        for (uint256 i = 0; i < all; i++) cancel(i / MARKETS, uint16(i % MARKETS));
        for (uint256 i = 0; i < TRADERS; i++) deleverage(one(i));
        pokeAll();
        // Until the last profit has matured.
        for (uint256 i = 0; i < 3; i++) pass(Op.Price, configOf(OPEN).freshEpoch + 1);
        Shot memory now_ = look();
        int256 owed = LEFT;
        for (uint16 id = 0; id < MARKETS; id++) owed += closedAt(now_, id);
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            takeOut(i, now_.accounts[i].withdrawable / SCALE);
        }
        everybodyLeft(owed);
    }

    /// @dev What nobody could pay is missing in the vault, which refuses what it does not have: whoever comes last takes what is there, in
    /// parts of half the size each time.
    function takeOut(uint256 place, uint256 available) private {
        if (available == 0 || withdraw(Op.Withdraw, place, type(uint256).max)) return;
        for (uint256 part = available / 2; part != 0; part /= 2) {
            withdraw(Op.Withdraw, place, part);
        }
    }

    function pokeAll() private {
        for (uint16 id = 0; id < MARKETS; id++) exchange.poke(id);
    }

    /// @return shortfall Of the market, which has ended and holds no lots.
    function closedAt(Shot memory now_, uint16 id) private pure returns (int256 shortfall) {
        bool isEnded = now_.markets[id].book.status & MarketStatus.ENDED != 0;
        require(isEnded, Broken("K3: end", id, 0, 1));
        uint256 open = uint256(now_.markets[id].sideLots[0]) + now_.markets[id].sideLots[1];
        require(open == 0, Broken("K3: lots", id, int256(open), 0));
        return int256(uint256(now_.markets[id].pool.shortfall));
    }

    /// @dev What is left is what nobody could pay.
    function everybodyLeft(int256 owed) private {
        int256 left;
        Shot memory now_ = look();
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            AccountShot memory a = now_.accounts[i];
            if (a.equity > 0) left += a.equity;
        }
        require(left <= owed, Broken("K3", 0, left, owed));
    }

    /* A COALITION INSIDE THE ENVELOPE */

    /// @notice One call of somebody of the coalition, one small step of the price, and keepers that do their work.
    function calmStep() internal {
        isCoalitionAlone = true;
        uint256 kind = roll(8);
        if (kind < 3) tradeAny();
        else if (kind == 3) placeAny();
        else if (kind == 4) takeAny();
        else if (kind == 5) reduceAny();
        else if (kind == 6) withdraw(anyTrader());
        else deposit(anyTrader(), between(10, 1_000) * TOKEN);
        isCoalitionAlone = false;
        move(CLOSED, 0, configOf(CLOSED).move);
        pass(Op.Price, 10);
        resolve(true);
        closeDue(true);
    }

    function withdraw(uint256 place) private {
        uint256 available = look().accounts[place].withdrawable / SCALE;
        if (available != 0) withdraw(Op.Withdraw, place, 1 + roll(available));
    }

    /// @notice Closed among themselves and inside the envelope, together they never have more than they brought (A14, INV-18).
    function a14Inside() internal view {
        require(drawnForClosed == 0, Broken("A14: fund", 0, int256(drawnForClosed), 0));
    }

    /* A WAVE IN ONE CALL AND IN MANY */

    /// @notice What the fund pays for a wave that is closed at once, and for the same wave account by account.
    function splitWave() internal returns (int256 atOnce, int256 split) {
        if (!clear()) return (0, 0);
        openWave();
        gap(150_000, 400_000);
        uint32[] memory named = liquidatable(look(), true);
        if (named.length == 0) return (0, 0);
        int256 before = look().fund;
        uint256 id = vm.snapshotState();
        deleverage(named);
        atOnce = before - look().fund;
        vm.revertToState(id);
        for (uint256 i = 0; i < named.length; i++) deleverage(one(placeOf(named[i])));
        split = before - look().fund;
    }
}
