// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Side} from "./Side.sol";

/// @notice The ledger accounts that belong to no user. They cannot trade.
library House {
    uint32 internal constant FUND = 1;
    uint32 internal constant TREASURY = 2;
    uint32 internal constant DUST = 3;
    /// @dev The first id that a user can get.
    uint32 internal constant FIRST_ACCOUNT = 10;
}

/// @notice Bits of what an operator may do. Nothing lets it move money out.
library Scopes {
    uint8 internal constant TRADE = 1;
    uint8 internal constant CANCEL = 2;
}

/// @notice How far an index may be relied on.
enum Grade {
    Dead,
    Aged,
    Fresh
}

/// @notice Bits of BookSlot.status.
library MarketStatus {
    uint8 internal constant LISTED = 1;
    /// @dev Only what brings positions towards zero is allowed.
    uint8 internal constant REDUCE_ONLY = 2;
    /// @dev An event waits to be continued; nothing else happens in the market until it is done.
    uint8 internal constant EVENT = 4;
    /// @dev The index is being averaged for the market's last price.
    uint8 internal constant WINDING_DOWN = 8;
    /// @dev It drew more from the fund than it may in eight hours.
    uint8 internal constant DRAWDOWN = 16;
    /// @dev It has its last price, at which every position is closed.
    uint8 internal constant ENDED = 32;
    /// @dev All in which only what brings positions towards zero is allowed.
    uint8 internal constant SHRINKING = REDUCE_ONLY | WINDING_DOWN | DRAWDOWN | ENDED;
}

/// @notice What an event is doing to one side of a market. The stages run in this order.
enum EventStage {
    Haircut,
    Principal,
    Dust,
    Queue,
    Done
}

/// @notice What is counted at most, so that every loop has an end.
library Bounds {
    uint256 internal constant MARKETS = 48;
    uint256 internal constant MARKETS_PER_ACCOUNT = 8;
    uint256 internal constant ORDER_SLOTS = 32;
    /// @dev Fills and removals in one call.
    uint256 internal constant FILLS = 100;
    uint256 internal constant ACTIONS = 64;
    uint256 internal constant IMPACT_LEVELS = 4;
    /// @dev Price per lot below 2^64, lots of a side at most 2^60, so that notional stays below 2^124.
    uint256 internal constant PRICE = type(uint64).max;
    uint256 internal constant SIDE_LOTS = 2 ** 60;
    /// @dev Quote that one call brings or names: far above all money, far below what a balance holds.
    uint256 internal constant AMOUNT = 2 ** 112;
    /// @dev Entries of one page of a view.
    uint256 internal constant PAGE = 1024;
}

/// @dev Rates are in parts per million.
uint256 constant PPM = 1e6;
/// @dev Quote of one whole unit of the settlement token.
uint256 constant WHOLE = 1e18;
/// @dev Quote of one micro unit.
uint256 constant MICRO = 1e12;

/// @notice How ids and keys are put together and taken apart.
library Keys {
    /// @notice Id of an order: its account and its slot there.
    function orderId(uint32 account, uint256 slot) internal pure returns (uint40) {
        return (uint40(account) << 8) | uint40(slot);
    }

    function accountOf(uint40 id) internal pure returns (uint32) {
        return uint32(id >> 8);
    }

    function slotOf(uint40 id) internal pure returns (uint256) {
        return id & 0xff;
    }

    function levelKey(Side side, uint256 tick) internal pure returns (uint32) {
        return uint32((side.index() << 24) | tick);
    }

    /// @notice side 1 bit · leverage class 3 bits · price class 12 bits.
    function cohortKey(Side side, uint256 leverage, uint256 class) internal pure returns (uint16) {
        return uint16((side.index() << 15) | (leverage << 12) | class);
    }

    function sideOfCohort(uint16 key) internal pure returns (Side) {
        return Side(uint8(key >> 15));
    }

    function leverageOfCohort(uint16 key) internal pure returns (uint256) {
        return (key >> 12) & 7;
    }

    function priceClassOfCohort(uint16 key) internal pure returns (uint256) {
        return key & 0xfff;
    }

    function checkpointKey(uint16 cohort, uint256 number) internal pure returns (uint256) {
        return (uint256(cohort) << 24) | number;
    }

    function classKey(Side side, uint256 class) internal pure returns (uint256) {
        return (side.index() << 12) | class;
    }

    /// @notice Position.kind: side bit 0, leverage class bits 1..3.
    function kind(Side side, uint256 leverage) internal pure returns (uint8) {
        return uint8((leverage << 1) | side.index());
    }

    function sideOfKind(uint8 kind_) internal pure returns (Side) {
        return Side(kind_ & 1);
    }

    function leverageOfKind(uint8 kind_) internal pure returns (uint256) {
        return kind_ >> 1;
    }
}
