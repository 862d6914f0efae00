// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Tally} from "../types/Context.sol";
import {Bounds} from "../types/Keys.sol";
import {Market, PoolSlot} from "../types/State.sol";
import {Words} from "./Words.sol";

/// @title A market's totals
library Tallies {
    /// @notice Stores what a call changed in a market's totals: one or two writes.
    /// @dev Invariant: INV-1. Z + rest changes by exactly tally.unsettled + tally.rest. What the rest has no room for, in
    /// either direction, stays in Z.
    /// @dev Reverts: TooMuchInSide if a side grew beyond 2^60 lots.
    function store(Market storage m, uint16 marketId, Tally memory tally) internal {
        if (isNothing(tally)) return;
        uint256 word = Words.get(m.flow);
        int256 openInterest = int256(uint256(uint64(word))) + tally.longLots;
        if (tally.longLots > 0) {
            require(
                openInterest <= int256(Bounds.SIDE_LOTS),
                IExchangeErrors.TooMuchInSide(uint256(openInterest), Bounds.SIDE_LOTS)
            );
        }
        int256 rest = int64(uint64(word >> 160)) + tally.rest;
        int256 kept = FixedPointMathLib.clamp(rest, type(int64).min, type(int64).max);
        bytes32 packed = Words.packFlow({
            openInterest: SafeCastLib.toUint256(openInterest),
            fees: SafeCastLib.toUint256(int256(uint256(uint96(word >> 64))) + tally.fees),
            rest: kept,
            bonds: SafeCastLib.toUint256(int256(word >> 224) + tally.bonds)
        });
        if (packed != bytes32(word)) Words.put(m.flow, packed);
        int256 unsettled = tally.unsettled + rest - kept;
        PoolSlot memory pool = m.pool;
        if (unsettled != 0) {
            pool.unsettled = SafeCastLib.toInt128(pool.unsettled + unsettled);
            m.pool.unsettled = pool.unsettled;
        }
        emit IExchangeEvents.TotalsChanged(marketId, packed, Words.pack(pool));
    }

    function isNothing(Tally memory t) private pure returns (bool) {
        return t.longLots | t.fees | t.rest | t.unsettled | t.bonds == 0;
    }
}
