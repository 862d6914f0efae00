// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Ticks} from "../libraries/Ticks.sol";
import {Side} from "../types/Side.sol";
import {Market} from "../types/State.sol";

/// @dev The naive set that Ticks is compared with: a list of ticks, searched from end to end.
contract TicksTest {
    error WrongTick(Side side, uint256 from, uint256 found, uint256 expected);

    Market private market;
    uint24[] private list;

    /// @dev A few seeds around one base hit the same leaf, middle and root words often enough to matter.
    function testFuzz_agreesWithAListOfTicks(
        uint24[12] calldata ticks,
        uint24 base,
        uint256 shapes,
        uint256 removed
    ) external {
        for (uint256 i = 0; i < ticks.length; i++) {
            uint24 tick = shaped(ticks[i], base, (shapes >> (i * 2)) & 3);
            if (tick == 0) continue;
            Ticks.set(market, Side.Long, tick);
            Ticks.set(market, Side.Short, tick);
            list.push(tick);
        }
        for (uint256 i = 0; i < list.length; i++) {
            if ((removed >> i) & 1 == 1) drop(i);
        }
        for (uint256 i = 0; i < ticks.length; i++) {
            uint24 tick = shaped(ticks[i], base, (shapes >> (i * 2)) & 3);
            requireAgreement(tick);
            requireAgreement(tick == Ticks.LAST ? tick : tick + 1);
            requireAgreement(tick == 0 ? 0 : tick - 1);
        }
        requireAgreement(0);
        requireAgreement(base);
        requireAgreement(Ticks.LAST);
    }

    function testFuzz_isEmptyOnceEverythingIsCleared(uint24[8] calldata ticks) external {
        for (uint256 i = 0; i < ticks.length; i++) Ticks.set(market, Side.Long, ticks[i] | 1);
        for (uint256 i = 0; i < ticks.length; i++) Ticks.clear(market, Side.Long, ticks[i] | 1);
        require(
            Ticks.nextFrom(market, Side.Long, Ticks.LAST) == 0,
            WrongTick(Side.Long, Ticks.LAST, 1, 0)
        );
        // Not even the root remembers: every summary bit went with its word.
        require(
            market.ticks[0][1 << 17] == 0,
            WrongTick(Side.Long, 0, market.ticks[0][1 << 17], 0)
        );
    }

    function testFuzz_keepsTheSidesApart(uint24 tick) external {
        Ticks.set(market, Side.Long, tick | 1);
        uint256 found = Ticks.nextFrom(market, Side.Short, 0);
        require(found == 0, WrongTick(Side.Short, 0, found, 0));
    }

    function testFuzz_nothingIsBehindTheEnds(uint24 tick) external {
        Ticks.set(market, Side.Long, tick | 1);
        Ticks.set(market, Side.Short, tick | 1);
        uint256 below = Ticks.nextBehind(market, Side.Long, tick | 1);
        uint256 above = Ticks.nextBehind(market, Side.Short, tick | 1);
        uint256 beyond = Ticks.nextFrom(market, Side.Short, Ticks.LAST + 1);
        uint256 highest = Ticks.nextFrom(market, Side.Long, Ticks.LAST + 1);
        require(below == 0, WrongTick(Side.Long, tick, below, 0));
        require(above == 0, WrongTick(Side.Short, tick, above, 0));
        require(beyond == 0, WrongTick(Side.Short, Ticks.LAST + 1, beyond, 0));
        require(highest == tick | 1, WrongTick(Side.Long, Ticks.LAST + 1, highest, tick | 1));
    }

    /// @dev 0: anywhere; 1: the same leaf as `base`; 2: the same middle word; 3: the ends of a word.
    function shaped(uint24 tick, uint24 base, uint256 shape) private pure returns (uint24) {
        if (shape == 1) return (base & 0xffff00) | (tick & 0xff);
        if (shape == 2) return (base & 0xff0000) | (tick & 0xffff);
        if (shape == 3) return tick & 1 == 1 ? tick | 0xff : tick & 0xffff00;
        return tick;
    }

    function drop(uint256 i) private {
        uint24 tick = list[i];
        for (uint256 j = 0; j < list.length; j++) if (list[j] == tick) list[j] = 0;
        Ticks.clear(market, Side.Long, tick);
        Ticks.clear(market, Side.Short, tick);
    }

    function requireAgreement(uint256 from) private view {
        uint256 highest = 0;
        uint256 lowest = 0;
        for (uint256 i = 0; i < list.length; i++) {
            uint24 tick = list[i];
            if (tick == 0) continue;
            if (tick <= from && tick > highest) highest = tick;
            if (tick >= from && (lowest == 0 || tick < lowest)) lowest = tick;
        }
        uint256 bid = Ticks.nextFrom(market, Side.Long, from);
        uint256 ask = Ticks.nextFrom(market, Side.Short, from);
        require(bid == highest, WrongTick(Side.Long, from, bid, highest));
        require(ask == lowest, WrongTick(Side.Short, from, ask, lowest));
    }
}
