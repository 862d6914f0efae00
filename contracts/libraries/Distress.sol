// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Health, Price} from "../types/Context.sol";
import {Grade, House, MarketStatus, MICRO} from "../types/Keys.sol";
import {Market, State} from "../types/State.sol";
import {Bits} from "./Bits.sol";
import {Forced} from "./Forced.sol";
import {Margin} from "./Margin.sol";
import {Prices} from "./Prices.sol";

/// @title Distress
/// @notice What liquidation and deleveraging have in common: the account's live markets, its orders, and its clock, which says
/// how long it has been under liquidation. The clock moves the limit of a forced sale from mark to the zero price and ends in
/// `deleverage`. It starts with the first call that finds the account below maintenance, is cleared when equity has reached 1.25 ×
/// maintenance, and runs only while every live market of the account is fresh: an outage must not take time from it.
/// State.distress adds up the maintenance margin behind all clocks: what the insurance fund looks at before it lets anyone in or out.
library Distress {
    using FixedPointMathLib for uint256;

    /// @notice Whether the account is a user's.
    function isUser(State storage s, uint32 account) internal view returns (bool) {
        return account >= House.FIRST_ACCOUNT && account <= s.accountCount;
    }

    /// @notice Whether an event waits in one of the markets: nothing may change there before it is done.
    function isFrozen(State storage s, uint256 markets) internal view returns (bool) {
        while (markets != 0) {
            uint256 market = Bits.leastSignificant(markets);
            markets &= markets - 1;
            if (s.markets[uint16(market)].book.status & MarketStatus.EVENT != 0) return true;
        }
        return false;
    }

    /// @notice The markets in which the account has a position, without dead ones.
    /// @return live Bitmap.
    /// @return freshSince Since when all of them are fresh without a break; type(uint256).max if one is not.
    function scan(
        State storage s,
        uint32 account,
        uint256 markets
    ) internal view returns (uint256 live, uint256 freshSince) {
        while (markets != 0) {
            uint256 market = Bits.leastSignificant(markets);
            markets &= markets - 1;
            Market storage m = s.markets[uint16(market)];
            if (m.positions[account].lots == 0) continue;
            Price memory price = Prices.load(s, uint16(market));
            if (price.grade == Grade.Dead) continue;
            live |= 1 << market;
            uint256 since = price.grade == Grade.Fresh ? m.book.freshSince : type(uint256).max;
            freshSince = freshSince.max(since);
        }
    }

    /// @notice Cancels every order of the account.
    function cancelOrders(State storage s, uint32 account, uint256 markets) internal {
        while (markets != 0) {
            uint16 market = uint16(Bits.leastSignificant(markets));
            markets &= markets - 1;
            if (s.markets[market].resting[account].used == 0) continue;
            Forced.cancelOrders(s, market, account);
        }
    }

    /// @param maintenance Of the account, quote: what it stands for in State.distress while its clock runs.
    function startClock(State storage s, uint32 account, uint256 maintenance) internal {
        if (s.accounts[account].clock != 0) return;
        s.accounts[account].clock = uint40(block.timestamp);
        uint80 distress = uint80((maintenance / MICRO).min(type(uint80).max));
        s.money[account].distress = distress;
        // 32 bits of accounts with at most 2^61 micro units each, see the widths of Margin.
        s.distress.maintenance += distress;
        s.distress.since = uint32(block.timestamp);
        emit IExchangeEvents.ClockStarted(account, block.timestamp, distress);
    }

    function clearClock(State storage s, uint32 account) internal {
        if (s.accounts[account].clock == 0) return;
        s.accounts[account].clock = 0;
        s.distress.maintenance -= s.money[account].distress;
        s.money[account].distress = 0;
        emit IExchangeEvents.ClockCleared(account);
    }

    function clearClockIfHealthy(State storage s, uint32 account, Health memory health) internal {
        if (Margin.isAtTarget(health)) clearClock(s, account);
    }

    /// @notice Seconds that the clock has run.
    /// @param freshSince As `scan` returns it.
    function elapsed(
        State storage s,
        uint32 account,
        uint256 freshSince
    ) internal view returns (uint256) {
        uint256 clock = s.accounts[account].clock;
        return clock == 0 ? 0 : block.timestamp.zeroFloorSub(clock.max(freshSince));
    }
}
