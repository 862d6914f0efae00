// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Tally} from "../types/Context.sol";
import {Bounds} from "../types/Keys.sol";
import {FlowSlot, Market, PoolSlot} from "../types/State.sol";
import {Words} from "./Words.sol";

/// @title A market's totals
library Tallies {
    /// @notice Stores what a call changed in a market's totals: one or two writes.
    /// @dev Invariant: INV-1. Z + rest changes by exactly tally.unsettled + tally.rest. What the rest has no room for, in
    /// either direction, stays in Z.
    /// @dev Reverts: TooMuchInSide if a side grew beyond 2^60 lots.
    function store(Market storage m, uint16 marketId, Tally memory tally) internal {
        if (isNothing(tally)) return;
        FlowSlot memory flow = m.flow;
        int256 openInterest = int256(uint256(flow.openInterest)) + tally.longLots;
        if (tally.longLots > 0) {
            require(
                openInterest <= int256(Bounds.SIDE_LOTS),
                IExchangeErrors.TooMuchInSide(uint256(openInterest), Bounds.SIDE_LOTS)
            );
        }
        int256 rest = flow.rest + tally.rest;
        int64 kept = clamp(rest);
        int256 unsettled = tally.unsettled + rest - kept;

        flow.openInterest = SafeCast.toUint64(SafeCast.toUint256(openInterest));
        flow.fees = SafeCast.toUint96(SafeCast.toUint256(int256(uint256(flow.fees)) + tally.fees));
        flow.rest = kept;
        flow.bonds = SafeCast.toUint32(
            SafeCast.toUint256(int256(uint256(flow.bonds)) + tally.bonds)
        );
        bytes32 word = Words.pack(flow);
        Words.put(m.flow, word);
        PoolSlot memory pool = m.pool;
        if (unsettled != 0) {
            pool.unsettled = SafeCast.toInt128(pool.unsettled + unsettled);
            m.pool.unsettled = pool.unsettled;
        }
        emit IExchangeEvents.TotalsChanged(marketId, word, Words.pack(pool));
    }

    function isNothing(Tally memory t) private pure returns (bool) {
        return t.longLots | t.fees | t.rest | t.unsettled | t.bonds == 0;
    }

    function clamp(int256 rest) private pure returns (int64) {
        if (rest > type(int64).max) return type(int64).max;
        if (rest < type(int64).min) return type(int64).min;
        return int64(rest);
    }
}
