// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ExchangeStorage} from "../ExchangeStorage.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Book} from "../libraries/Book.sol";
import {Ticks} from "../libraries/Ticks.sol";
import {Side} from "../types/Side.sol";
import {BookSlot, Level, Order, Resting} from "../types/State.sol";

/// @notice Makes the internal functions of Book callable from tests.
contract BookHarness is ExchangeStorage, IExchangeEvents, IExchangeErrors {
    uint16 private constant MARKET = 3;

    function append(Book.NewOrder calldata order) external returns (uint40) {
        return Book.append($.markets[MARKET], MARKET, order);
    }

    function shrink(uint40 id, uint56 lots) external {
        Book.shrink($.markets[MARKET], MARKET, id, lots);
    }

    function remove(uint40 id, RemovalReason reason) external {
        Book.remove($, MARKET, id, reason);
    }

    function killLevel(Side side, uint256 tick) external {
        Book.killLevel($.markets[MARKET], MARKET, side, tick);
    }

    function killSide(uint32 account, Side side) external {
        Book.killSide($.markets[MARKET], MARKET, account, side);
    }

    function touch(uint32 account) external {
        Book.touch($, MARKET, account);
    }

    function cancelAll(uint32 account, RemovalReason reason) external {
        Book.cancelAll($, MARKET, account, reason);
    }

    function sweep(
        Side side,
        uint256 limit,
        uint256 edge,
        uint256 maxSteps
    ) external returns (uint256 steps) {
        return Book.sweep($.markets[MARKET], MARKET, side, limit, edge, maxSteps);
    }

    function nextFrom(Side side, uint256 tick) external view returns (uint256) {
        return Ticks.nextFrom($.markets[MARKET], side, tick);
    }

    function orderOf(uint40 id) external view returns (Order memory) {
        return $.markets[MARKET].orders[id];
    }

    function levelOf(Side side, uint24 tick) external view returns (Level memory) {
        return $.markets[MARKET].levels[(uint32(side.index()) << 24) | tick];
    }

    function restingOf(uint32 account) external view returns (Resting memory) {
        return $.markets[MARKET].resting[account];
    }

    function bookOf() external view returns (BookSlot memory) {
        return $.markets[MARKET].book;
    }
}
