// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ExchangeStorage} from "../ExchangeStorage.sol";
import {Queue} from "../libraries/Queue.sol";
import {Price} from "../types/Context.sol";
import {Side} from "../types/Side.sol";
import {Market} from "../types/State.sol";

/// @notice Makes the order of the queue callable from tests.
contract QueueHarness is ExchangeStorage {
    uint256 private constant ROOM = 512;

    function set(uint16[] calldata cohorts) external {
        for (uint256 i = 0; i < cohorts.length; i++) Queue.set($.markets[0], cohorts[i]);
    }

    function clear(uint16[] calldata cohorts) external {
        for (uint256 i = 0; i < cohorts.length; i++) Queue.clear($.markets[0], cohorts[i]);
    }

    function isSet(uint16 cohort) external view returns (bool) {
        return Queue.isSet($.markets[0], cohort);
    }

    /// @notice The summary word of a side: zero if and only if nothing is occupied.
    function summaryOf(Side side) external view returns (uint256) {
        return $.markets[0].occupied[(side.index() << 8) | 0x80];
    }

    function order(
        uint256 mark,
        uint256 unit,
        Side side
    ) external view returns (uint16[] memory cohorts) {
        Market storage m = $.markets[0];
        Price memory price;
        (price.mark, price.unit) = (mark, unit);
        Queue.Heads memory heads = Queue.open(m, price, side);
        uint16[] memory all = new uint16[](ROOM);
        uint256 count = 0;
        (uint16 cohort, bool found) = Queue.next(m, heads);
        for (; found; (cohort, found) = Queue.next(m, heads)) all[count++] = cohort;
        cohorts = new uint16[](count);
        for (uint256 i = 0; i < count; i++) cohorts[i] = all[i];
    }

    function classes(Side side) external view returns (uint16[] memory found) {
        Market storage m = $.markets[0];
        uint16[] memory all = new uint16[](ROOM);
        uint256 count = 0;
        (uint256 class, bool any) = Queue.firstClass(m, side);
        for (; any; (class, any) = Queue.nextClass(m, side, class)) all[count++] = uint16(class);
        found = new uint16[](count);
        for (uint256 i = 0; i < count; i++) found[i] = all[i];
    }

    function classOf(uint256 entry) external pure returns (uint256) {
        return Queue.classOf(entry);
    }

    function nearEdge(uint256 unit, Side side, uint256 priceClass) external pure returns (uint256) {
        Price memory price;
        price.unit = unit;
        return Queue.nearEdge(price, side, priceClass);
    }
}
