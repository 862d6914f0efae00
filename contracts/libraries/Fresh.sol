// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Tally} from "../types/Context.sol";
import {MICRO, MarketStatus} from "../types/Keys.sol";
import {Side} from "../types/Side.sol";
import {FreshMark, FreshRecord, FreshSide, Market, State} from "../types/State.sol";
import {AccountMarkets} from "./AccountMarkets.sol";
import {Bits} from "./Bits.sol";
import {Ledger} from "./Ledger.sol";
import {Words} from "./Words.sol";

/// @title Fresh profit
/// @notice Realised profit counts as equity at once, but stays in the market's unsettled pool, cannot be withdrawn and pays
/// haircuts until it matures into the balance: at the end of the epoch after the one in which it was realised.
///
/// LAZY  A haircut multiplies the side's `keep`; a record is scaled by keep now / keep then when it is settled. What had
/// matured before a haircut must not pay it whoever settles it when, so the keep at the end of every epoch that had an event is
/// kept in freshMarks: a bucket is scaled with the keep at the end of the epoch in which it matured.
///
/// CLOCK  Epoch = ⌊time / config.freshEpoch⌋, which therefore never changes for a market. A side moves to the present epoch when it
/// is first touched after it began. While a jump of the index waits, a shortfall stands or an event is stored, the clock stands where
/// it was when that began: for a jump its time is known, the other two move both sides before they begin (`holdBoth`), because the epoch
/// of the last touch may be long ago, and what has matured since must not become fresh again.
/// Every touch that matures anything moves the side, so all records see the same clock. freshEpoch 0: nothing is ever fresh.
///
/// GENERATION  keep and generation are one floating number. A keep that falls below 2^48 is multiplied by 2^31 and the
/// generation rises by one; when everything was taken it rises by two, and records of two or more generations ago are worth nothing.
library Fresh {
    uint80 internal constant FULL = 2 ** 79;
    /// @dev Below this, keep is scaled up, so that one event is off by less than 2^-48 of an amount.
    uint256 private constant COARSE = 2 ** 48;
    /// @dev How many powers of two a generation is worth.
    uint256 private constant GENERATION_BITS = 31;
    /// @dev Generations from which on nothing is left of a record.
    uint16 private constant GONE = 2;
    uint16 private constant TAG_GENERATION = 0x7fff;

    /// @notice A record as it is now. Micro units.
    struct Buckets {
        uint256 current;
        uint256 previous;
        uint256 matured;
    }

    /// @notice What haircuts left of one unit, and of which generation.
    struct Kept {
        uint256 keep; // scale 2^79
        uint16 generation;
    }

    /* READING */

    /// @notice Realised profit of an account over all markets, as settled now. Equity = balance + fresh + matured + the value
    /// of its positions.
    /// @return fresh Quote: counts as equity, cannot be withdrawn, still pays haircuts.
    /// @return matured Quote: belongs to the balance, which `settle` will credit.
    function freshOf(
        State storage s,
        uint32 account
    ) internal view returns (uint256 fresh, uint256 matured) {
        uint256 left = s.money[account].freshMarkets;
        while (left != 0) {
            uint256 marketId = Bits.leastSignificant(left);
            left &= left - 1;
            Buckets memory buckets = settledOf(s.markets[uint16(marketId)], account);
            fresh += buckets.current + buckets.previous;
            matured += buckets.matured;
        }
        return (fresh * MICRO, matured * MICRO);
    }

    /// @notice One market's record as settled now, micro units.
    function settledOf(Market storage m, uint32 account) internal view returns (Buckets memory) {
        FreshRecord memory record = m.freshRecords[account];
        if (record.current | record.previous == 0) return Buckets(0, 0, 0);
        Side side = sideOf(record);
        return bucketsOf(m, record, rolled(m, side, epochOf(m)));
    }

    /// @notice Fresh profit of one side: what its holders could still be charged.
    /// @return quote Quote.
    function pool(Market storage m, Side side) internal view returns (uint256 quote) {
        return totalOf(rolled(m, side, epochOf(m)));
    }

    /* CHANGING */

    /// @notice Matures what is due.
    function settle(State storage s, uint16 marketId, uint32 account, Tally memory tally) internal {
        Market storage m = s.markets[marketId];
        FreshRecord memory record = m.freshRecords[account];
        if (record.current | record.previous == 0) return;
        uint256 epoch = epochOf(m);
        Side side = sideOf(record);
        FreshSide memory pooled = rolled(m, side, epoch);
        bool isSame = record.tag == tagOf(pooled, side) && record.keep == pooled.keep;
        if (isSame && record.epoch == pooled.epoch) return;

        Buckets memory buckets = bucketsOf(m, record, pooled);
        storeSide(m, side, pooled);
        mature(s, account, buckets.matured, tally);
        storeRecord(s, marketId, account, buckets, side);
        if (buckets.current | buckets.previous == 0) {
            AccountMarkets.leaveIfIdle(s, marketId, account);
        }
    }

    /// @notice Books realised profit as fresh. A record of the other side moves over to this one.
    /// @dev Rounding: down to a micro unit; the caller credits what is below to the balance.
    /// @param side Of the position that was closed.
    /// @param quote Quote.
    /// @return booked Quote, now in the unsettled pool.
    function realise(
        State storage s,
        uint16 marketId,
        uint32 account,
        Side side,
        uint256 quote,
        Tally memory tally
    ) internal returns (uint256 booked) {
        Market storage m = s.markets[marketId];
        uint256 amount = quote / MICRO;
        if (amount == 0 || m.config.freshEpoch == 0) return 0;
        booked = amount * MICRO;

        uint256 epoch = epochOf(m);
        FreshSide memory pooled = rolled(m, side, epoch);
        Buckets memory buckets = moved(s, marketId, account, side, pooled, tally);
        buckets.current += amount;
        pooled.current = SafeCastLib.toUint64(pooled.current + amount);
        storeSide(m, side, pooled);
        storeRecord(s, marketId, account, buckets, side);
        tally.unsettled += int256(booked);
    }

    /// @notice Fresh profit of a side, as an event finds it. The side moves to the present epoch, so that none of it has
    /// matured when it is charged, however long that takes and whatever makes the clock stand still until then.
    /// @return quote Quote.
    function hold(Market storage m, uint16 marketId, Side side) internal returns (uint256 quote) {
        FreshSide memory pooled = rolled(m, side, epochOf(m));
        quote = totalOf(pooled);
        if (quote != 0) storeEpoch(m, marketId, side, pooled);
    }

    /// @notice Moves both sides to the present epoch, before a shortfall or a stored event makes the clock stand still.
    function holdBoth(Market storage m, uint16 marketId) internal {
        uint256 epoch = epochOf(m);
        for (uint256 side = 0; side < 2; ++side) {
            storeEpoch(m, marketId, Side(side), rolled(m, Side(side), epoch));
        }
    }

    /// @notice Takes an amount from all fresh profit of a side, in proportion: keep ← ⌊keep · (total − amount) / total⌋. The
    /// amount leaves the unsettled pool; the caller credits the accounts that it was charged for.
    /// @dev Rounding: down, against the holders; the dust stays in the unsettled pool.
    /// @dev Reverts: HaircutTooLarge above the side's fresh profit.
    /// @param amount Quote.
    function charge(
        Market storage m,
        uint16 marketId,
        Side side,
        uint256 amount,
        Tally memory tally
    ) internal {
        if (amount == 0) return;
        FreshSide memory pooled = rolled(m, side, epochOf(m));
        uint256 total = totalOf(pooled);
        require(amount <= total, IExchangeErrors.HaircutTooLarge(amount, total));
        uint256 left = total - amount;
        tally.unsettled -= int256(amount);
        // 80 + 105 bits.
        uint256 keep = (pooled.keep * left) / total;
        if (keep == 0) {
            // Less than 2^-48 of the profit was left, which nobody can draw any more.
            tally.unsettled -= int256(left);
            tally.rest += int256(left);
            (pooled.current, pooled.previous) = (0, 0);
            (pooled.keep, pooled.generation) = (FULL, later(pooled.generation, GONE));
        } else {
            for (; keep < COARSE; keep <<= GENERATION_BITS) {
                pooled.generation = later(pooled.generation, 1);
            }
            pooled.keep = uint80(keep);
            pooled.current = uint64((pooled.current * left) / total);
            pooled.previous = uint64(left / MICRO) - pooled.current;
        }
        m.freshMarks[markKey(side, pooled.epoch)] = FreshMark(pooled.keep, pooled.generation);
        storeSide(m, side, pooled);
        emit IExchangeEvents.FreshSideChanged(marketId, side, Words.pack(pooled));
    }

    /// @notice Turns all fresh profit of an account in a market into balance: it pays its owner's losses first.
    function fold(State storage s, uint16 marketId, uint32 account, Tally memory tally) internal {
        Market storage m = s.markets[marketId];
        FreshRecord memory record = m.freshRecords[account];
        if (record.current | record.previous == 0) return;
        Side side = sideOf(record);
        FreshSide memory pooled = rolled(m, side, epochOf(m));
        Buckets memory buckets = bucketsOf(m, record, pooled);
        takeFrom(pooled, buckets);
        storeSide(m, side, pooled);
        mature(s, account, buckets.current + buckets.previous + buckets.matured, tally);
        storeRecord(s, marketId, account, Buckets(0, 0, 0), side);
        AccountMarkets.leaveIfIdle(s, marketId, account);
    }

    /* PRIVATE */

    /// @dev The account's record settled and moved to `side`, whose totals follow.
    function moved(
        State storage s,
        uint16 marketId,
        uint32 account,
        Side side,
        FreshSide memory pooled,
        Tally memory tally
    ) private returns (Buckets memory buckets) {
        Market storage m = s.markets[marketId];
        FreshRecord memory record = m.freshRecords[account];
        if (record.current | record.previous == 0) return buckets;
        Side from = sideOf(record);
        if (from == side) {
            buckets = bucketsOf(m, record, pooled);
        } else {
            FreshSide memory other = rolled(m, from, pooled.epoch);
            buckets = bucketsOf(m, record, other);
            takeFrom(other, buckets);
            storeSide(m, from, other);
            emit IExchangeEvents.FreshSideChanged(marketId, from, Words.pack(other));
            pooled.current = SafeCastLib.toUint64(pooled.current + buckets.current);
            pooled.previous = SafeCastLib.toUint64(pooled.previous + buckets.previous);
        }
        mature(s, account, buckets.matured, tally);
        buckets.matured = 0;
    }

    /// @dev A total may be a few micro units below the sum of its records, because both round down.
    function takeFrom(FreshSide memory pooled, Buckets memory buckets) private pure {
        pooled.current = uint64(FixedPointMathLib.zeroFloorSub(pooled.current, buckets.current));
        pooled.previous = uint64(FixedPointMathLib.zeroFloorSub(pooled.previous, buckets.previous));
    }

    function mature(State storage s, uint32 account, uint256 amount, Tally memory tally) private {
        if (amount == 0) return;
        int256 quote = int256(amount * MICRO);
        tally.unsettled -= quote;
        int256 balance = Ledger.credit(s, account, quote);
        emit IExchangeEvents.BalanceChanged(
            account,
            IExchangeEvents.BalanceReason.FreshMatured,
            balance
        );
    }

    /// @dev What a record is worth at the side's epoch. `previous` matured at the end of the record's epoch, `current` at the end
    /// of the one after. Rounding: down, once.
    function bucketsOf(
        Market storage m,
        FreshRecord memory record,
        FreshSide memory pooled
    ) private view returns (Buckets memory buckets) {
        Kept memory now_ = Kept(pooled.keep, pooled.generation);
        if (pooled.epoch <= record.epoch) {
            buckets.current = scaled(record.current, record, now_);
            buckets.previous = scaled(record.previous, record, now_);
            return buckets;
        }
        Side side = sideOf(record);
        Kept memory ended = keptAt(m, side, record.epoch, Kept(record.keep, record.tag >> 1));
        buckets.matured = scaled(record.previous, record, ended);
        if (pooled.epoch == record.epoch + 1) {
            buckets.previous = scaled(record.current, record, now_);
        } else {
            ended = keptAt(m, side, record.epoch + 1, ended);
            buckets.matured += scaled(record.current, record, ended);
        }
    }

    /// @dev The keep at the end of an epoch: `before` if the epoch had no event.
    function keptAt(
        Market storage m,
        Side side,
        uint256 epoch,
        Kept memory before
    ) private view returns (Kept memory) {
        FreshMark memory mark = m.freshMarks[markKey(side, epoch)];
        return mark.keep == 0 ? before : Kept(mark.keep, mark.generation);
    }

    function scaled(
        uint256 amount,
        FreshRecord memory record,
        Kept memory kept
    ) private pure returns (uint256) {
        uint256 passed;
        unchecked {
            passed = (kept.generation - (record.tag >> 1)) & TAG_GENERATION;
        }
        if (passed >= GONE) return 0;
        return (amount * kept.keep) / (uint256(record.keep) << (GENERATION_BITS * passed));
    }

    /// @dev Modulo 2^16: only differences count, and a record so old would be one that nobody settled for as many events.
    function later(uint16 generation, uint16 by) private pure returns (uint16) {
        unchecked {
            return generation + by;
        }
    }

    /// @dev The side's totals at an epoch: after one epoch current becomes previous, after two both have matured.
    function rolled(
        Market storage m,
        Side side,
        uint256 epoch
    ) private view returns (FreshSide memory pooled) {
        pooled = m.fresh[side.index()];
        if (pooled.keep == 0) pooled.keep = FULL;
        if (pooled.epoch >= epoch) return pooled;
        pooled.previous = pooled.epoch + 1 == epoch ? pooled.current : 0;
        pooled.current = 0;
        pooled.epoch = SafeCastLib.toUint32(epoch);
    }

    /// @dev The present epoch; while the clock stands still, the one in which that began.
    function epochOf(Market storage m) private view returns (uint256) {
        uint256 length = m.config.freshEpoch;
        bool isHeld = m.book.status & MarketStatus.EVENT != 0 || m.pool.shortfall != 0;
        uint256 since = m.book.pendingSince;
        if (!isHeld && since == 0 && length != 0) return block.timestamp / length;
        uint256 held = FixedPointMathLib.max(m.fresh[0].epoch, m.fresh[1].epoch);
        return isHeld || length == 0 ? held : FixedPointMathLib.max(held, since / length);
    }

    function totalOf(FreshSide memory pooled) private pure returns (uint256 quote) {
        return (uint256(pooled.current) + pooled.previous) * MICRO;
    }

    function storeEpoch(
        Market storage m,
        uint16 marketId,
        Side side,
        FreshSide memory pooled
    ) private {
        if (pooled.epoch == m.fresh[side.index()].epoch) return;
        storeSide(m, side, pooled);
        emit IExchangeEvents.FreshSideChanged(marketId, side, Words.pack(pooled));
    }

    function storeSide(Market storage m, Side side, FreshSide memory pooled) private {
        Words.put(m.fresh[side.index()], Words.pack(pooled));
    }

    function storeRecord(
        State storage s,
        uint16 marketId,
        uint32 account,
        Buckets memory buckets,
        Side side
    ) private {
        Market storage m = s.markets[marketId];
        FreshSide memory pooled = m.fresh[side.index()];
        FreshRecord memory record;
        uint48 bit = uint48(1) << marketId;
        if (buckets.current | buckets.previous != 0) {
            record.epoch = pooled.epoch;
            record.tag = tagOf(pooled, side);
            record.current = SafeCastLib.toUint64(buckets.current);
            record.previous = SafeCastLib.toUint64(buckets.previous);
            record.keep = pooled.keep;
            s.money[account].freshMarkets |= bit;
        } else {
            s.money[account].freshMarkets &= ~bit;
        }
        bytes32 word = Words.pack(record);
        Words.put(m.freshRecords[account], word);
        emit IExchangeEvents.FreshChanged(marketId, account, word, Words.pack(pooled));
    }

    function sideOf(FreshRecord memory record) private pure returns (Side) {
        return Side(uint8(record.tag & 1));
    }

    function tagOf(FreshSide memory pooled, Side side) private pure returns (uint16) {
        return uint16(((pooled.generation & TAG_GENERATION) << 1) | uint16(side.index()));
    }

    /// @dev side << 32 | epoch.
    function markKey(Side side, uint256 epoch) private pure returns (uint256) {
        return (side.index() << 32) | epoch;
    }
}
