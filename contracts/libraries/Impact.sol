// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {Bounds, Keys, PPM, WHOLE} from "../types/Keys.sol";
import {MarketConfig} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {Market} from "../types/State.sol";
import {Ticks} from "./Ticks.sol";

/// @title Impact
/// @notice What a trade of market.impactNotional would get from the book: a best price that one small order cannot set.
/// @dev Impact prices are ticks · 2^8. Read only: samples are taken before a call changes the book.
library Impact {
    uint256 internal constant PRICE_BITS = 8;
    /// @dev Lots are counted with this many bits behind the point while the last level is split.
    uint256 private constant LOT_BITS = 32;

    /// @dev What is looked for.
    struct Probe {
        uint256 unit; // quote per lot and tick
        uint256 notional; // quote
        uint256 low; // first tick inside the band
        uint256 high; // last tick inside the band
    }

    /// @notice Impact bid and ask inside the band around `mark`; 0 for a side that is too thin, 0 for both if they are
    /// more than maxDeviation apart, because such a book says nothing.
    /// @param mark Quote per lot.
    function sample(
        Market storage m,
        uint256 mark
    ) internal view returns (uint256 bid, uint256 ask) {
        Probe memory probe = probeOf(m.config, mark);
        bid = impactOf(m, Side.Long, probe);
        ask = impactOf(m, Side.Short, probe);
        if (bid != 0 && ask > bid) {
            // (ask − bid) / mid > maxDeviation, with mid = (ask + bid) / 2.
            bool isWide = 2 * (ask - bid) * PPM > uint256(m.config.maxDeviation) * (ask + bid);
            if (isWide) (bid, ask) = (0, 0);
        }
    }

    /// @notice The price of `tickPrice` (ticks · 2^8) in quote per lot. Rounding: down, below one quote.
    function toQuoteDown(uint256 tickPrice, uint256 unit) internal pure returns (uint256) {
        return (tickPrice * unit) >> PRICE_BITS;
    }

    function probeOf(
        MarketConfig storage config,
        uint256 mark
    ) private view returns (Probe memory probe) {
        uint256 unit = config.unit;
        uint256 width = (mark * config.band) / PPM;
        probe.unit = unit;
        probe.notional = uint256(config.impactNotional) * WHOLE;
        probe.low = FixedPointMathLib.max(1, FixedPointMathLib.divUp(mark - width, unit));
        probe.high = FixedPointMathLib.min(Ticks.LAST, (mark + width) / unit);
    }

    /// @notice notional / lots that it buys or sells, from the edge of the band on, over at most IMPACT_LEVELS levels.
    /// @dev Rounding: away from the other side, so that a spread is never understated; below 2^-8 ticks.
    function impactOf(
        Market storage m,
        Side side,
        Probe memory probe
    ) private view returns (uint256) {
        uint256 tick = side == Side.Long ? probe.high : probe.low;
        uint256 left = probe.notional;
        uint256 lots = 0; // scale 2^32
        for (uint256 i = 0; i < Bounds.IMPACT_LEVELS; i++) {
            tick = Ticks.nextFrom(m, side, tick);
            // 0 is "none", and below any band.
            if (tick < probe.low || tick > probe.high) return 0;

            uint256 perLot = tick * probe.unit;
            uint256 levelLots = m.levels[Keys.levelKey(side, tick)].lots;
            // Lots below 2^64 and a price below 2^88: no overflow.
            if (levelLots * perLot >= left) return average(side, probe, lots, left, perLot);
            left -= levelLots * perLot;
            lots += levelLots << LOT_BITS;
            tick = side == Side.Long ? tick - 1 : tick + 1;
        }
        return 0;
    }

    /// @param lots What the levels before gave, scale 2^32.
    /// @param left Quote that the last level gives.
    /// @param perLot The last level's price, quote per lot.
    function average(
        Side side,
        Probe memory probe,
        uint256 lots,
        uint256 left,
        uint256 perLot
    ) private pure returns (uint256) {
        // One level that is deep enough has its own price, exactly.
        if (lots == 0) return (perLot / probe.unit) << PRICE_BITS;

        // impactNotional is below 2^92 quote.
        uint256 scaled = probe.notional << (LOT_BITS + PRICE_BITS);
        if (side == Side.Long) {
            lots += FixedPointMathLib.divUp(left << LOT_BITS, perLot);
            return scaled / (lots * probe.unit);
        }
        lots += (left << LOT_BITS) / perLot;
        return FixedPointMathLib.divUp(scaled, lots * probe.unit);
    }
}
