// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ExchangeStorage} from "../ExchangeStorage.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Book} from "../libraries/Book.sol";
import {Ledger} from "../libraries/Ledger.sol";
import {Margin} from "../libraries/Margin.sol";
import {Matching} from "../libraries/Matching.sol";
import {Orders} from "../libraries/Orders.sol";
import {Prices} from "../libraries/Prices.sol";
import {Tallies} from "../libraries/Tallies.sol";
import {Ticks} from "../libraries/Ticks.sol";
import {Action, ActionResult} from "../types/Action.sol";
import {Health, Price, Snapshot, Tally} from "../types/Context.sol";
import {Keys} from "../types/Keys.sol";
import {MarketConfig} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {BookSlot, FlowSlot, Level, MarkSlot, Order, Position, Resting} from "../types/State.sol";

/// @notice Matching and Orders over a state whose prices, balances and owners tests set.
contract BookHarnessTrading is ExchangeStorage, IExchangeEvents, IExchangeErrors {
    function setMarket(
        uint16 market,
        MarkSlot calldata price,
        BookSlot calldata book,
        MarketConfig calldata config
    ) external {
        $.markets[market].price = price;
        $.markets[market].book = book;
        $.markets[market].config = config;
        $.markets[market].sample.publishTime = uint32(block.timestamp);
    }

    function setConfig(uint16 market, MarketConfig calldata config) external {
        $.markets[market].config = config;
    }

    function setMark(uint16 market, uint64 mark) external {
        $.markets[market].price.mark = mark;
        $.markets[market].price.index = mark;
        $.markets[market].sample.publishTime = uint32(block.timestamp);
    }

    function setGrade(uint16 market, uint8 grade) external {
        $.markets[market].book.grade = grade;
    }

    function setStatus(uint16 market, uint8 status) external {
        $.markets[market].book.status = status;
    }

    function setPending(uint16 market, uint32 since, uint64 index) external {
        $.markets[market].book.pendingSince = since;
        $.markets[market].sample.pendingIndex = index;
    }

    function setAccount(uint32 account, address owner, int128 balance) external {
        $.accounts[account].owner = owner;
        $.money[account].balance = balance;
    }

    /// @notice What Exchange does between authorising and paying out.
    function execute(
        uint32 account,
        Action[] calldata actions
    ) external returns (ActionResult[] memory results) {
        Snapshot memory before = Margin.snapshot($, account);
        results = Orders.execute($, account, actions);
        Margin.requireAllowed($, account, before);
    }

    /// @notice Without the judge, so that accounts can have orders that they could not place.
    function executeUnjudged(
        uint32 account,
        Action[] calldata actions
    ) external returns (ActionResult[] memory) {
        return Orders.execute($, account, actions);
    }

    function take(Matching.Take calldata order) external returns (Matching.Taken memory taken) {
        Tally memory tally;
        Price memory price = Prices.load($, order.market);
        (taken, tally) = Matching.take($, order, price, tally);
        Tallies.store($.markets[order.market], order.market, tally);
    }

    function healthOf(uint32 account) external view returns (Health memory) {
        return Margin.health($, account);
    }

    function balanceOf(uint32 account) external view returns (int256) {
        return Ledger.balanceOf($, account);
    }

    function marketsOf(uint32 account) external view returns (uint48) {
        return $.accounts[account].markets;
    }

    function positionOf(uint16 market, uint32 account) external view returns (Position memory) {
        return $.markets[market].positions[account];
    }

    function restingOf(uint16 market, uint32 account) external view returns (Resting memory) {
        return $.markets[market].resting[account];
    }

    /// @notice Reservations and positions of several accounts at once.
    function holdingsOf(
        uint16 market,
        uint32[] calldata accounts
    ) external view returns (Resting[] memory resting, Position[] memory positions) {
        resting = new Resting[](accounts.length);
        positions = new Position[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            resting[i] = $.markets[market].resting[accounts[i]];
            positions[i] = $.markets[market].positions[accounts[i]];
        }
    }

    function orderOf(uint16 market, uint40 id) external view returns (Order memory) {
        return $.markets[market].orders[id];
    }

    function levelOf(uint16 market, Side side, uint24 tick) external view returns (Level memory) {
        return $.markets[market].levels[Keys.levelKey(side, tick)];
    }

    function marketOf(uint16 market) external view returns (BookSlot memory, FlowSlot memory) {
        return ($.markets[market].book, $.markets[market].flow);
    }

    /// @notice All orders of a side as they would be met, and what their levels add up to.
    function queueOf(
        uint16 market,
        Side side
    ) external view returns (uint40[] memory ids, Order[] memory orders, uint256 lots) {
        ids = new uint40[](0xff);
        orders = new Order[](0xff);
        uint256 count = 0;
        uint256 tick = Book.best($.markets[market], side);
        while (tick != 0) {
            Level memory level = $.markets[market].levels[Keys.levelKey(side, tick)];
            lots += level.lots;
            for (uint40 id = level.head; id != 0; id = orders[count++].next) {
                ids[count] = id;
                orders[count] = $.markets[market].orders[id];
            }
            tick = Ticks.nextBehind($.markets[market], side, tick);
        }
        assembly ("memory-safe") {
            mstore(ids, count)
            mstore(orders, count)
        }
    }
}
