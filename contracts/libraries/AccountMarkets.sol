// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {Bounds} from "../types/Keys.sol";
import {Account, FreshRecord, Market, State} from "../types/State.sol";
import {LibBit} from "solady/src/utils/LibBit.sol";

/// @title The markets that an account is in
/// @notice Bit m of Account.markets: the account has a position, an order or fresh profit in market m.
library AccountMarkets {
    /// @notice Notes that the account has something in the market.
    /// @dev Reverts: TooManyMarkets.
    function enter(State storage s, uint16 marketId, uint32 account) internal {
        Account storage self = s.accounts[account];
        uint48 markets = self.markets;
        uint48 entered = markets | (uint48(1) << marketId);
        if (entered == markets) return;
        uint256 count = LibBit.popCount(entered);
        require(
            count <= Bounds.MARKETS_PER_ACCOUNT,
            IExchangeErrors.TooManyMarkets(count, Bounds.MARKETS_PER_ACCOUNT)
        );
        self.markets = entered;
    }

    /// @notice Forgets the market if position, orders and fresh profit are all gone.
    function leaveIfIdle(State storage s, uint16 marketId, uint32 account) internal {
        Market storage m = s.markets[marketId];
        if (m.resting[account].used != 0 || m.positions[account].lots != 0) return;
        FreshRecord storage fresh = m.freshRecords[account];
        if (fresh.current != 0 || fresh.previous != 0) return;
        Account storage self = s.accounts[account];
        uint48 markets = self.markets;
        uint48 left = markets & ~(uint48(1) << marketId);
        if (left != markets) self.markets = left;
    }
}
