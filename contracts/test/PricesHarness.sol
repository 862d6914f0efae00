// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Funding} from "../libraries/Funding.sol";
import {Impact} from "../libraries/Impact.sol";
import {Prices} from "../libraries/Prices.sol";
import {Ticks} from "../libraries/Ticks.sol";
import {Price} from "../types/Context.sol";
import {Keys} from "../types/Keys.sol";
import {MarketConfig} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {BookSlot, MarkSlot, SampleSlot, State} from "../types/State.sol";

/// @notice Makes the internal functions of Prices, Impact and Funding callable from tests, and sets what they read.
contract PricesHarness is IExchangeEvents {
    State internal $;

    function setOracle(address oracle) external {
        $.oracle = oracle;
    }

    function setConfig(uint16 market, MarketConfig calldata config) external {
        $.markets[market].config = config;
    }

    function setLevels(
        uint16 market,
        Side[] calldata sides,
        uint256[] calldata ticks,
        uint64[] calldata lots
    ) external {
        for (uint256 i = 0; i < ticks.length; i++) {
            $.markets[market].levels[Keys.levelKey(sides[i], ticks[i])].lots = lots[i];
            if (lots[i] == 0) Ticks.clear($.markets[market], sides[i], ticks[i]);
            else Ticks.set($.markets[market], sides[i], ticks[i]);
        }
    }

    function setWords(
        uint16 market,
        MarkSlot calldata price,
        BookSlot calldata book,
        SampleSlot calldata sample
    ) external {
        $.markets[market].price = price;
        $.markets[market].book = book;
        $.markets[market].sample = sample;
    }

    function refresh(uint16 market) external returns (Price memory) {
        return Prices.refresh($, market);
    }

    /// @notice Two calls of one block.
    function refreshTwice(uint16 market) external returns (Price memory first, Price memory next) {
        first = Prices.refresh($, market);
        next = Prices.refresh($, market);
    }

    function noteTrade(uint16 market, uint256 tick, uint256 quote) external {
        Prices.noteTrade($.markets[market], tick, quote);
    }

    function load(uint16 market) external view returns (Price memory) {
        return Prices.load($, market);
    }

    function wordsOf(
        uint16 market
    ) external view returns (MarkSlot memory, BookSlot memory, SampleSlot memory) {
        return ($.markets[market].price, $.markets[market].book, $.markets[market].sample);
    }

    function impactOf(
        uint16 market,
        uint256 mark
    ) external view returns (uint256 bid, uint256 ask) {
        return Impact.sample($.markets[market], mark);
    }

    function accrual(
        int256 premium,
        uint256 index,
        uint256 interest,
        uint256 maxFunding,
        uint256 elapsed
    ) external pure returns (int256) {
        return Funding.accrual(premium, index, interest, maxFunding, elapsed);
    }
}
