// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Price} from "../types/Context.sol";
import {Grade} from "../types/Keys.sol";
import {BookSlot, MarkSlot, Market, SampleSlot, State} from "../types/State.sol";

/// @title Prices
/// @notice Index and mark of a market: the only writer of prices.
library Prices {
    /// @notice Brings index, funding and mark up to date: once per market and block, later calls only load.
    function refresh(State storage s, uint16 marketId) internal returns (Price memory price) {
        Market storage m = s.markets[marketId];
        if (m.book.refreshed != block.timestamp) m.book.refreshed = uint32(block.timestamp);

        return load(s, marketId);
    }

    /// @notice The prices as stored, with the grade aged by the clock. Mark 0 and Dead before the first price.
    function load(State storage s, uint16 marketId) internal view returns (Price memory price) {
        Market storage m = s.markets[marketId];
        MarkSlot memory stored = m.price;
        BookSlot memory book = m.book;
        SampleSlot memory sample = m.sample;

        price.market = marketId;
        price.unit = m.config.unit;
        price.mark = stored.mark;
        price.index = stored.index;
        price.funding = stored.funding;
        price.pending = book.pendingSince != 0;
        price.pendingIndex = sample.pendingIndex;
        price.grade = Grade(book.grade);
    }

    /// @notice Takes note of a trade for the next blocks' marks, if it is large enough to count.
    /// @param tick The price of the last fill.
    /// @param quote The notional of the whole call.
    function noteTrade(Market storage m, uint256 tick, uint256 quote) internal {
        if (quote == 0) return;
        m.book.lastTick = uint24(tick);
        m.book.lastTradeTime = uint32(block.timestamp);
    }
}
