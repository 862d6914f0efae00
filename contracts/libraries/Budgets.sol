// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {House, MarketStatus, PPM} from "../types/Keys.sol";
import {BucketSlot, FundSlot, Market, State} from "../types/State.sol";
import {Ledger} from "./Ledger.sol";
import {Status} from "./Status.sol";

/// @title Budgets
/// @notice What the insurance fund may pay: leaky buckets, so that a wave that is split into many events has the budgets of one. (What
/// it pays beyond the event budget also depends on the profit that an event finds, of which a split wave leaves less.)
///
///   size   = fund + what all markets drew and has not leaked away yet
///   within = min(event budget · size − wave, day budget · size − day, share of all markets)
///   beyond = min(market share · size − day, share of all markets)
///
/// Every draw fills the market's two buckets and the one of all markets. A bucket leaks at its capacity per window: the wave's
/// in an hour, the others in a day. Budgets are parts of `size`, not of what is left, because the second of two events would
/// otherwise have another budget than the same event in one.
///
/// DRAWDOWN  A third bucket of each market counts parts of the fund. Above drawdownLimit the market only shrinks; it leaks that limit in
/// eight hours, and at half of it whoever pokes the market lets it grow again.
///
/// INV-10: the fund never goes below zero.
/// @dev Rounding: what may be drawn is rounded down.
library Budgets {
    using FixedPointMathLib for uint256;
    using SafeCast for uint256;

    /// @dev Seconds in which the event budget is available again: longer than a wave of liquidations lasts.
    uint256 internal constant WAVE = 1 hours;
    uint256 internal constant DAY = 1 days;
    uint256 internal constant DRAWDOWN = 8 hours;
    /// @dev Parts of the fund that a drawdown is counted in, and how many of them a ppm is.
    uint256 private constant PARTS = 1e9;
    uint256 private constant PARTS_PER_PPM = PARTS / PPM;
    uint256 private constant MOST_PARTS = type(uint32).max;
    /// @dev ppm of the fund that all markets together may draw.
    uint256 internal constant ALL_MARKETS = 800_000;

    /// @notice The fund, as far as all markets together may draw on it.
    struct Purse {
        uint256 size; // quote, what budgets are parts of
        uint256 left; // quote
    }

    /// @notice One market's part of it, quote. Every draw takes from `share`; those of the event budget from both.
    struct Permit {
        uint256 within;
        uint256 share;
    }

    function open(State storage s) internal view returns (Purse memory purse) {
        int256 balance = Ledger.balanceOf(s, House.FUND);
        uint256 fund = balance > 0 ? uint256(balance) : 0;
        FundSlot memory all = s.drawn;
        uint256 level = levelOf(all.drawn, (all.size * ALL_MARKETS) / PPM, all.since, DAY);
        purse.size = fund + level;
        purse.left = fund.min(((purse.size * ALL_MARKETS) / PPM).zeroFloorSub(level));
    }

    function permitOf(
        Market storage m,
        Purse memory purse
    ) internal view returns (Permit memory permit) {
        (uint256 wave, uint256 day) = levels(m, purse.size);
        uint256 ofDay = capacity(purse.size, m.config.dayBudget).zeroFloorSub(day);
        permit.share = capacity(purse.size, m.config.marketShare).zeroFloorSub(day);
        permit.within = capacity(purse.size, m.config.eventBudget).zeroFloorSub(wave);
        permit.within = permit.within.min(ofDay).min(permit.share);
    }

    /// @notice Takes money out of the fund and into the buckets. The caller says where it goes.
    function draw(
        State storage s,
        uint16 marketId,
        Purse memory purse,
        uint256 amount,
        IExchangeEvents.BalanceReason reason
    ) internal {
        if (amount == 0) return;
        Market storage m = s.markets[marketId];
        (uint256 wave, uint256 day) = levels(m, purse.size);
        BucketSlot memory bucket = BucketSlot({
            wave: (wave + amount).toUint96(),
            day: (day + amount).toUint96(),
            since: uint32(block.timestamp),
            drawdown: uint32((drawdown(m) + (amount * PARTS).divUp(purse.size)).min(MOST_PARTS))
        });
        m.bucket = bucket;
        uint256 word = bucket.wave | (uint256(bucket.day) << 96) | (uint256(bucket.since) << 192);
        word |= uint256(bucket.drawdown) << 224;
        emit IExchangeEvents.BudgetDrawn(marketId, bytes32(word));
        if (bucket.drawdown > m.config.drawdownLimit * PARTS_PER_PPM) {
            Status.set(m, marketId, m.book.status | MarketStatus.DRAWDOWN);
        }
        drawUnbudgeted(s, purse, amount, reason);
    }

    /// @notice Lets a market grow again whose drawdown has leaked to half its limit.
    function recover(Market storage m, uint16 marketId) internal {
        uint8 status = m.book.status;
        if (status & MarketStatus.DRAWDOWN == 0) return;
        if (drawdown(m) > (m.config.drawdownLimit * PARTS_PER_PPM) / 2) return;
        Status.set(m, marketId, status & ~MarketStatus.DRAWDOWN);
    }

    /// @notice What a market drew in the last eight hours and has not leaked away yet, 10^-9 of the fund.
    function drawdown(Market storage m) internal view returns (uint256) {
        BucketSlot storage bucket = m.bucket;
        uint256 limit = m.config.drawdownLimit * PARTS_PER_PPM;
        return levelOf(bucket.drawdown, limit, bucket.since, DRAWDOWN);
    }

    /// @notice A draw that belongs to no market: it counts for the share of all markets only.
    function drawUnbudgeted(
        State storage s,
        Purse memory purse,
        uint256 amount,
        IExchangeEvents.BalanceReason reason
    ) internal {
        if (amount == 0) return;
        FundSlot memory all = s.drawn;
        uint256 level = levelOf(all.drawn, (all.size * ALL_MARKETS) / PPM, all.since, DAY);
        all = FundSlot({
            drawn: (level + amount).toUint96(),
            size: purse.size.toUint96(),
            since: uint32(block.timestamp)
        });
        s.drawn = all;
        uint256 word = all.drawn | (uint256(all.size) << 96) | (uint256(all.since) << 192);
        emit IExchangeEvents.FundDrawn(bytes32(word));
        purse.left -= amount;
        int256 balance = Ledger.credit(s, House.FUND, -amount.toInt256());
        emit IExchangeEvents.BalanceChanged(House.FUND, reason, balance);
    }

    /// @notice What a market drew and has not leaked away yet.
    function levels(
        Market storage m,
        uint256 size
    ) internal view returns (uint256 wave, uint256 day) {
        BucketSlot memory bucket = m.bucket;
        wave = levelOf(bucket.wave, capacity(size, m.config.eventBudget), bucket.since, WAVE);
        day = levelOf(bucket.day, capacity(size, m.config.marketShare), bucket.since, DAY);
    }

    /// @dev drawn − capacity · elapsed / window, at least 0; the leak rounds down.
    function levelOf(
        uint256 drawn,
        uint256 capacity_,
        uint256 since,
        uint256 window
    ) private view returns (uint256) {
        return drawn.zeroFloorSub((capacity_ * (block.timestamp - since)) / window);
    }

    function capacity(uint256 size, uint256 rate) private pure returns (uint256) {
        return (size * rate) / PPM;
    }
}
