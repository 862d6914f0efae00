// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Tally} from "../types/Context.sol";
import {Side} from "../types/Side.sol";
import {DustSlot, Market} from "../types/State.sol";
import {SignedMath} from "./SignedMath.sol";

/// @title Dust lots
/// @notice Lots that the last member of a cohort left behind: a real position of ledger account 3. Long and short lots close
/// each other at once, events close the others first. Profit and loss go to the market's rest.
library Dust {
    /// @notice Takes over what a cohort's members left behind. Cost without lots is the market's rest at once.
    /// @param cost Quote, funding-free.
    function add(
        Market storage m,
        uint256 marketId,
        Side side,
        uint256 lots,
        int256 cost,
        Tally memory tally
    ) internal {
        if (lots == 0) {
            tally.rest -= side.sign() * cost;
            return;
        }
        DustSlot memory dust = m.dust;
        if (side == Side.Long) {
            dust.longLots = SafeCastLib.toUint64(dust.longLots + lots);
            dust.longCost = SafeCastLib.toInt128(dust.longCost + cost);
        } else {
            dust.shortLots = SafeCastLib.toUint64(dust.shortLots + lots);
            dust.shortCost = SafeCastLib.toInt128(dust.shortCost + cost);
        }
        uint256 both = FixedPointMathLib.min(dust.longLots, dust.shortLots);
        if (both != 0) {
            close(dust, Side.Long, both, tally);
            close(dust, Side.Short, both, tally);
        }
        store(m, marketId, dust);
    }

    /// @notice Closes lots at the price of the event; the other party's proceeds at that price are in the rest already.
    /// @return taken At most `lots`.
    function take(
        Market storage m,
        uint256 marketId,
        Side side,
        uint256 lots,
        Tally memory tally
    ) internal returns (uint256 taken) {
        DustSlot memory dust = m.dust;
        taken = FixedPointMathLib.min(lots, side == Side.Long ? dust.longLots : dust.shortLots);
        if (taken == 0) return 0;
        close(dust, side, taken, tally);
        store(m, marketId, dust);
    }

    /// @dev rest −= side · released, with released = cost · lots / all. Rounding: side · released up; it only moves the dust
    /// between this closing and the next.
    function close(DustSlot memory dust, Side side, uint256 lots, Tally memory tally) private pure {
        if (side == Side.Long) {
            int256 released = SignedMath.mulDivCeil(dust.longCost, lots, dust.longLots);
            dust.longLots -= uint64(lots);
            dust.longCost -= int128(released);
            tally.rest -= released;
            tally.longLots -= int256(lots);
        } else {
            int256 released = SignedMath.mulDivFloor(dust.shortCost, lots, dust.shortLots);
            dust.shortLots -= uint64(lots);
            dust.shortCost -= int128(released);
            tally.rest += released;
        }
    }

    function store(Market storage m, uint256 marketId, DustSlot memory dust) private {
        m.dust = dust;
        emit IExchangeEvents.DustChanged(
            uint16(marketId),
            dust.longLots,
            dust.shortLots,
            dust.longCost,
            dust.shortCost
        );
    }
}
