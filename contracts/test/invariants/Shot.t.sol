// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {
    BookSlot,
    BucketSlot,
    DustSlot,
    FlowSlot,
    FundSlot,
    MarkSlot,
    PoolSlot
} from "../../types/State.sol";

/// @notice What an account holds in a market, as settled now.
struct Holding {
    uint8 side; // 0 long, 1 short
    uint64 lots;
    int256 profit; // quote: price profit from the average entry, without funding
    uint64 bidLots;
    uint64 askLots;
    uint32 used; // order slots
}

/// @notice An account as settled now, quote.
struct AccountShot {
    address owner;
    int256 balance; // settled
    int256 equity;
    int256 equityAtIndex;
    int256 prudent;
    uint256 initial;
    uint256 initialCalm;
    uint256 maintenance;
    uint256 fresh;
    uint256 notional;
    uint256 withdrawable;
    bool isLiquidatable;
    bool isLive; // has a position in a market with a price
    uint40 clock;
    uint80 distress;
    uint256 markets; // bitmap
    Holding[] holdings; // one a market
}

/// @notice A market as stored.
struct MarketShot {
    MarkSlot price;
    BookSlot book;
    FlowSlot flow;
    PoolSlot pool;
    DustSlot dust;
    BucketSlot bucket;
    uint64[2] sideLots; // of all cohorts
    uint64[2] waiting; // of a stored event, against this side
    uint256[2] fresh; // quote
    uint256 cap; // lots
    int256 owed; // quote: what it holds for accounts
    uint8 grade; // aged by the clock
    bool isEventStored;
}

/// @notice Everything, at one moment.
struct Shot {
    uint256 time;
    int256 fund;
    int256 treasury;
    int256 dust;
    FundSlot drawn;
    int256 owed; // quote: to all accounts, house included
    uint256 distress; // micro units
    MarketShot[] markets;
    AccountShot[] accounts; // from House.FIRST_ACCOUNT on
}
