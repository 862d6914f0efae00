// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Market} from "../types/State.sol";

/// @title Status
/// @notice The only writer of a listed market's status.
library Status {
    /// @notice Changes what may happen in a market, and says so if anything changed.
    /// @param status Bits of MarketStatus.
    function set(Market storage m, uint16 marketId, uint8 status) internal {
        if (m.book.status == status) return;
        m.book.status = status;
        emit IExchangeEvents.StatusChanged(marketId, status);
    }
}
