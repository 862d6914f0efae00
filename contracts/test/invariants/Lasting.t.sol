// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Ghosts} from "./Ghosts.t.sol";
import {AccountShot, Holding, MarketShot, Shot} from "./Shot.t.sol";

/// @notice Invariants of a moment: what holds after every call whatever it was. Each function is named after its id.
abstract contract Lasting is Ghosts {
    /// @dev Quote: what rounding and fractions of lots of one market may add up to.
    int256 private constant DUST = 1e16;

    function checkLasting(Shot memory s) internal {
        inv1(s);
        a1(s);
        inv2(s);
        inv10(s);
        a13(s);
        a14(s);
        a15(s);
        h6(s);
        a16(s);
        distress(s);
        lookInside();
    }

    /// @notice Tracked tokens and shortfalls are what is owed, to the wei (A2, A16).
    function inv1(Shot memory s) internal view {
        int256 stands = vault.tracked() * int256(SCALE);
        for (uint256 i = 0; i < MARKETS; i++) {
            stands += int256(uint256(s.markets[i].pool.shortfall));
        }
        require(stands == s.owed, Broken("INV-1", 0, stands, s.owed));
    }

    /// @notice The vault has what it tracks and what waits. What waits is more than it has only by what nobody could pay.
    function a1(Shot memory s) internal view {
        int256 held = int256(token.balanceOf(address(vault)));
        int256 should = vault.tracked() + int256(vault.queued());
        require(held >= should, Broken("A1", 0, held, should));
        int256 stands = vault.tracked() * int256(SCALE) + shortfallOf(s);
        require(stands >= 0, Broken("A1: tracked", 0, stands, 0));
    }

    function shortfallOf(Shot memory s) internal pure returns (int256 sum) {
        for (uint256 i = 0; i < MARKETS; i++) sum += int256(uint256(s.markets[i].pool.shortfall));
    }

    /// @notice Long lots are short lots are the open interest, recomputed from cohorts and from accounts (A4, A5).
    function inv2(Shot memory s) internal view {
        for (uint256 i = 0; i < MARKETS; i++) {
            MarketShot memory m = s.markets[i];
            int256 open = int256(uint256(m.flow.openInterest));
            int256 long = int256(uint256(m.sideLots[0]) + m.dust.longLots);
            int256 short = int256(uint256(m.sideLots[1]) + m.dust.shortLots);
            require(long == open, Broken("INV-2: long", i, long, open));
            (int256 left, int256 right) = (
                long + int256(uint256(m.waiting[1])),
                short + int256(uint256(m.waiting[0]))
            );
            require(left == right, Broken("INV-2: sides", i, left, right));
            for (uint256 side = 0; side < 2; side++) {
                int256 sum = lotsOf(s, i, side);
                int256 all = int256(uint256(m.sideLots[side]));
                int256 most = int256(crossings[i] + 2 * ACCOUNTS);
                require(sum <= all, Broken("A5: accounts hold more", i, sum, all));
                require(all - sum <= most, Broken("A5: accounts hold less", i, all - sum, most));
            }
        }
    }

    function lotsOf(
        Shot memory s,
        uint256 market,
        uint256 side
    ) internal pure returns (int256 sum) {
        for (uint256 i = 0; i < s.accounts.length; i++) {
            Holding memory h = s.accounts[i].holdings[market];
            if (h.side == side) sum += int256(uint256(h.lots));
        }
    }

    /// @notice The fund is never negative (E1).
    function inv10(Shot memory s) internal pure {
        require(s.fund >= 0, Broken("INV-10", 0, s.fund, 0));
    }

    /// @notice Who has no position and no order never loses a wei.
    function a13(Shot memory s) internal view {
        uint256[2] memory quiet = [BYSTANDER, KEEPER];
        for (uint256 i = 0; i < 2; i++) {
            uint256 place = quiet[i];
            int256 least = int256(paidIn[place] * SCALE) - int256(takenOut[place] * SCALE);
            AccountShot memory a = s.accounts[place];
            // The keeper earns rewards.
            bool isSo = place == KEEPER ? a.balance >= least : a.balance == least;
            require(isSo && a.equity == a.balance, Broken("A13", place, a.equity, least));
        }
    }

    /// @notice A coalition that owns a market has at most what it put in, what the fund paid there, and what nobody could pay; INV-18.
    /// Whatever else it shows, it has not taken out more than that.
    function a14(Shot memory s) internal view {
        MarketShot memory m = s.markets[CLOSED];
        int256 has;
        int256 most = int256(drawnForClosed) + int256(uint256(m.pool.shortfall)) + DUST;
        most += int256((crossings[CLOSED] + 1) * m.price.mark);
        for (uint256 i = HONEST; i < TRADERS; i++) {
            has += s.accounts[i].equity + int256(takenOut[i] * SCALE);
            most += int256(paidIn[i] * SCALE);
        }
        require(has <= most, Broken("A14", 0, has, most));
    }

    /// @notice Profit that was not realised is never payable.
    function a15(Shot memory s) internal pure {
        for (uint256 i = 0; i < s.accounts.length; i++) {
            AccountShot memory a = s.accounts[i];
            int256 loss = a.equity - a.balance - int256(a.fresh);
            if (loss > 0) loss = 0;
            int256 most = a.balance + loss - int256(a.initialCalm);
            if (most < 0) most = 0;
            require(int256(a.withdrawable) <= most, Broken("A15", i, int256(a.withdrawable), most));
        }
    }

    /// @notice The mark stays near the index.
    function h6(Shot memory s) internal pure {
        for (uint256 i = 0; i < MARKETS; i++) {
            (uint256 mark, uint256 index) = (s.markets[i].price.mark, s.markets[i].price.index);
            uint256 gap = mark > index ? mark - index : index - mark;
            bool isNear = gap * PPM <= index * configOf(uint16(i)).maxDeviation;
            require(isNear, Broken("H6", i, int256(mark), int256(index)));
        }
    }

    /// @notice What is under liquidation in all is the sum over the clocks that run.
    function distress(Shot memory s) internal pure {
        uint256 sum;
        for (uint256 i = 0; i < s.accounts.length; i++) {
            AccountShot memory a = s.accounts[i];
            sum += a.distress;
            require(
                (a.clock != 0) || a.distress == 0,
                Broken("E6: clock", i, int256(uint256(a.distress)), 0)
            );
        }
        require(sum == s.distress, Broken("E6: distress", 0, int256(s.distress), int256(sum)));
    }

    /// @notice Without a position an account has its balance and its fresh profit, nothing else.
    function a16(Shot memory s) internal pure {
        for (uint256 i = 0; i < s.accounts.length; i++) {
            AccountShot memory a = s.accounts[i];
            if (a.notional != 0) continue;
            int256 flat = a.balance + int256(a.fresh);
            require(a.equity == flat, Broken("A16", i, a.equity, flat));
        }
    }
}
