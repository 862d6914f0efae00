// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Price} from "../types/Context.sol";
import {Grade} from "../types/Keys.sol";
import {Market, Position, State} from "../types/State.sol";

/// @dev Stands in for the libraries of the same names until they are merged; deleted then.
library Positions {
    function settledOf(
        State storage s,
        Price memory price,
        uint32 account
    ) internal view returns (Position memory position, int256 cash, uint256 haircut) {
        position = s.markets[price.market].positions[account];
        return (position, cash, haircut);
    }
}

library Fresh {
    function freshOf(State storage, uint32) internal pure returns (uint256 fresh, uint256 matured) {
        return (fresh, matured);
    }
}

library Ledger {
    function balanceOf(State storage s, uint32 account) internal view returns (int256) {
        return s.money[account].balance;
    }
}

library Prices {
    function load(State storage s, uint16 marketId) internal view returns (Price memory price) {
        Market storage m = s.markets[marketId];
        price.market = marketId;
        price.unit = m.config.unit;
        price.mark = m.price.mark;
        price.index = m.price.index;
        price.funding = m.price.funding;
        price.grade = Grade(m.book.grade);
        price.pending = m.book.pendingSince != 0;
        price.pendingIndex = m.sample.pendingIndex;
    }
}
