// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {TimeInForce} from "../../types/Action.sol";
import {Side} from "../../types/Side.sol";
import {Handlers} from "./Handlers.t.sol";
import {Op, Seen, Step} from "./Ghosts.t.sol";
import {Shot} from "./Shot.t.sol";

/// @notice Several calls that lead to a state that chance would seldom find, each checked like any other.
abstract contract Scenes is Handlers {
    uint256 private constant KINDS = 4;
    uint256 private constant TURNS = 2 * KINDS + 1;

    uint256 private scenes;

    function sceneAny() internal {
        calls[uint256(Op.Scene)]++;
        done[uint256(Op.Scene)]++;
        uint256 turn = scenes++ % TURNS;
        // The last, because a shortfall keeps the market from growing again.
        if (turn == TURNS - 1) return emptyFund();
        uint256 kind = turn % KINDS;
        if (kind == 0) crash();
        else if (kind == 1) bothSides();
        else if (kind == 2) closeInParts();
        else forcedSale();
    }

    /// @notice A long that is a little below maintenance is sold to a bid; before that, its own bid is met and dropped.
    function forcedSale() internal {
        if (!clear()) return;
        open(HONEST, HONEST + 1, 25);
        uint256 price = squeezedPrice(HONEST);
        if (price == 0) return;
        uint256 tick = (price * 10) / WHOLE;
        // Its own bid, behind the best one.
        rest(HONEST, Side.Long, tick - tick / 500, BASE / 100);
        setPrice(CLOSED, price);
        pass(Op.Price, 29);
        rest(HONEST + 2, Side.Short, tick - tick / 500, BASE / 100);
        rest(HONEST + 3, Side.Long, tick - tick / 1_000, 2 * BASE);
        uint32[] memory named = liquidatable(look(), true);
        if (named.length != 0) liquidate(named);
    }

    /// @return The price at which a long has 0.6 % of its notional left; 0 if it has no position.
    function squeezedPrice(uint256 place) private returns (uint256) {
        Shot memory now_ = look();
        int256 lots = int256(uint256(now_.accounts[place].holdings[CLOSED].lots));
        int256 equity = now_.accounts[place].equity;
        if (lots == 0 || now_.accounts[place].holdings[CLOSED].side != 0) return 0;
        int256 mark = int256(uint256(now_.markets[CLOSED].price.mark));
        int256 left = mark - (equity - (lots * mark * 6) / 1_000) / lots;
        return left > 0 ? uint256(left) * BASE : 0;
    }

    function rest(uint256 place, Side side, uint256 tick, uint256 lots) private {
        Step memory s;
        (s.op, s.place) = (Op.Place, place);
        s.action = actionOf(CLOSED, side, TimeInForce.GoodTilCancelled, uint24(tick), uint56(lots));
        execute(s);
    }

    /// @notice The winner closes at the new price and its profit matures before anyone deals with the loser: nothing is left to charge.
    function emptyFund() internal {
        if (!clear()) return;
        open(HONEST, HONEST + 1, 25);
        setPrice(CLOSED, (published[CLOSED] * 60) / 100);
        uint64 lots = look().accounts[HONEST + 1].holdings[CLOSED].lots;
        uint24 tick = uint24((published[CLOSED] * 10) / WHOLE);
        deposit(HONEST + 2, 100_000 * TOKEN);
        if (lots != 0) trade(HONEST + 2, HONEST + 1, CLOSED, Side.Short, tick, uint56(lots));
        for (uint256 i = 0; i < 3; i++) pass(Op.Price, configOf(CLOSED).freshEpoch + 1);
        settle(HONEST + 1, CLOSED);
        deleverage(one(HONEST));
    }

    /// @dev The coalition's market as new: nobody holds anything, everybody has money and the highest leverage.
    /// @return isOpen Whether it may grow: not while a shortfall stands.
    function clear() internal returns (bool isOpen) {
        if (look().markets[CLOSED].grade != 2) pass(Op.Price, 5);
        if (look().markets[CLOSED].pool.shortfall != 0) return false;
        isOpen = true;
        exchange.reopen(CLOSED);
        for (uint256 i = HONEST; i < TRADERS; i++) cancel(i, CLOSED);
        Shot memory now_ = look();
        for (uint256 i = HONEST; i < TRADERS; i++) {
            int256 equity = now_.accounts[i].equity;
            if (equity < int256(2_000 * WHOLE)) {
                uint256 missing = uint256(int256(5_000 * WHOLE) - equity) / SCALE + 1;
                deposit(i, missing);
            }
            setLeverage(i, CLOSED, 6);
        }
    }

    /// @notice One side of the closed market at high leverage against the other, a gap, and all that is due in one event: its whole open
    /// interest if nobody else holds any.
    function crash() internal {
        if (!clear()) return;
        for (uint256 i = 0; i < COALITION / 2; i++) open(HONEST + 2 * i, HONEST + 2 * i + 1, 20);
        gap(120_000, 300_000);
        uint32[] memory named = liquidatable(look(), true);
        if (named.length != 0) deleverage(named);
    }

    /// @notice Longs from a high price and shorts from a low one, both without equity at a price between.
    function bothSides() internal {
        if (!clear()) return;
        uint256 top = published[CLOSED];
        open(HONEST, HONEST + 1, 20);
        setPrice(CLOSED, (top * 70) / 100);
        open(HONEST + 3, HONEST + 2, 20);
        setPrice(CLOSED, (top * 85) / 100);
        uint32[] memory named = liquidatable(look(), true);
        if (named.length != 0) deleverage(named);
    }

    /// @notice A wave that is closed account by account.
    function closeInParts() internal {
        if (!clear()) return;
        openWave();
        gap(150_000, 400_000);
        uint32[] memory named = liquidatable(look(), true);
        if (named.length > 1) see(Seen.SplitWave);
        for (uint256 i = 0; i < named.length; i++) deleverage(one(placeOf(named[i])));
    }

    function openWave() internal {
        open(HONEST, HONEST + 1, 25);
        open(HONEST + 2, HONEST + 3, 25);
        open(HONEST, HONEST + 4, 5);
    }

    /// @dev A long against a short at mark, at so many times the smaller equity.
    function open(uint256 long, uint256 short, uint256 times) internal {
        Shot memory now_ = look();
        uint256 mark = now_.markets[CLOSED].price.mark;
        int256 a = now_.accounts[long].withdrawable > 0 ? now_.accounts[long].equity : int256(0);
        int256 b = now_.accounts[short].withdrawable > 0 ? now_.accounts[short].equity : int256(0);
        int256 equity = a < b ? a : b;
        if (equity <= int256(WHOLE)) return;
        uint256 lots = (uint256(equity) * times) / mark;
        if (lots > 30 * BASE) lots = 30 * BASE;
        trade(long, short, CLOSED, Side.Long, uint24(mark / UNIT), uint56(lots));
    }

    function gap(uint256 least, uint256 most) internal {
        move(CLOSED, least, most);
        pass(Op.Gap, 3);
    }

    function setPrice(uint16 market, uint256 price) internal {
        published[market] = price - (price % (WHOLE / 10));
        pass(Op.Gap, 3);
    }
}
