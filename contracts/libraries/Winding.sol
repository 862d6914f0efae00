// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Fill, Price, Tally} from "../types/Context.sol";
import {Grade, Keys, MarketStatus} from "../types/Keys.sol";
import {Side} from "../types/Side.sol";
import {Market, Position, State, WindSlot} from "../types/State.sol";
import {CohortMath} from "./CohortMath.sol";
import {Dust} from "./Dust.sol";
import {Positions} from "./Positions.sol";
import {Prices} from "./Prices.sol";
import {Status} from "./Status.sol";
import {Tallies} from "./Tallies.sol";

/// @title Winding down
/// @notice How a market ends: it only shrinks while its index is averaged over windWindow seconds, and then has its last price, which is
/// index and mark for ever. Everybody's positions are closed at it by `deleverage`, which needs no counterparty that
/// agrees. Linked.
///
/// Begins by a role, or by itself where the index was dead for maxDead seconds; the average is then that of the last good one, and of
/// what the sources say if they come back.
/// @dev Because: one price at one moment is worth manipulating, an average over a day is not; and an account must never be stuck in a
/// market that has no price any more.
library Winding {
    /// @dev Reverts: UnknownMarket, NoPrice, AlreadyWindingDown.
    function begin(State storage s, uint16 marketId) external {
        Market storage m = s.markets[marketId];
        require(m.book.status & MarketStatus.LISTED != 0, IExchangeErrors.UnknownMarket(marketId));
        require(m.price.index != 0, IExchangeErrors.NoPrice(marketId));
        require(m.wind.from == 0, IExchangeErrors.AlreadyWindingDown(marketId, m.wind.from));
        start(m, marketId);
    }

    /// @notice Part of the refresh of a market that is wound down or whose index is dead.
    /// @param stood Index that stood since the last refresh, quote per lot.
    function step(Market storage m, uint16 marketId, uint256 stood) external {
        WindSlot memory wind = m.wind;
        if (wind.from != 0) {
            observe(m, marketId, wind, stood);
        } else if (stood != 0 && isForgotten(m)) {
            start(m, marketId);
        }
    }

    /// @notice Closes a position of a market that has ended against ledger account 3, at the last price.
    /// @dev Rounding: the account's proceeds down, what account 3 pays for the lots up; the difference is the market's rest.
    function handOver(State storage s, uint16 marketId, uint32 account) external {
        Market storage m = s.markets[marketId];
        Price memory price = Prices.load(s, marketId);
        Tally memory tally;
        Position memory held;
        (held, tally) = Positions.settle(s, price, account, tally);
        Side side = Keys.sideOfKind(held.kind);
        uint256 quote = held.lots * price.mark;
        if (held.lots != 0) {
            Fill memory fill = Fill(side.opposite(), held.lots, quote, 0, 0);
            (, tally) = Positions.change(s, price, account, fill, 0, tally);
            int256 cost = CohortMath.worthCeil(side, held.lots, quote, price.funding);
            tally.rest += cost;
            if (side == Side.Long) tally.longLots += int256(uint256(held.lots));
            Dust.add(m, price.market, side, held.lots, side.sign() * cost, tally);
        }
        Tallies.store(m, price.market, tally);
    }

    function isForgotten(Market storage m) private view returns (bool) {
        return block.timestamp > uint256(m.sample.publishTime) + m.config.maxDead;
    }

    function start(Market storage m, uint16 marketId) private {
        uint32 now_ = uint32(block.timestamp);
        store(m, marketId, WindSlot(now_, now_ + m.config.windWindow, now_, 0));
        Status.set(m, marketId, m.book.status | MarketStatus.WINDING_DOWN);
    }

    function observe(
        Market storage m,
        uint16 marketId,
        WindSlot memory wind,
        uint256 stood
    ) private {
        uint256 upTo = FixedPointMathLib.min(block.timestamp, wind.until);
        wind.sum = SafeCastLib.toUint128(wind.sum + stood * (upTo - wind.last));
        wind.last = uint32(upTo);
        store(m, marketId, wind);
        if (upTo == wind.until) end(m, marketId, wind);
    }

    /// @dev Rounding: the price down, not below 1.
    function end(Market storage m, uint16 marketId, WindSlot memory wind) private {
        uint256 average = wind.sum / (uint256(wind.until) - wind.from);
        uint64 price = uint64(FixedPointMathLib.max(average, 1));
        (m.price.index, m.price.mark) = (price, price);
        (m.book.grade, m.book.freshSince) = (uint8(Grade.Fresh), uint32(block.timestamp));
        (m.book.pendingSince, m.sample.pendingIndex) = (0, 0);
        emit IExchangeEvents.MarketEnded(marketId, price);
        uint8 status = m.book.status & ~MarketStatus.WINDING_DOWN;
        Status.set(m, marketId, status | MarketStatus.ENDED);
    }

    function store(Market storage m, uint16 marketId, WindSlot memory wind) private {
        m.wind = wind;
        uint256 word = wind.from | (uint256(wind.until) << 32) | (uint256(wind.last) << 64);
        word |= uint256(wind.sum) << 96;
        emit IExchangeEvents.WindChanged(marketId, bytes32(word));
    }
}
