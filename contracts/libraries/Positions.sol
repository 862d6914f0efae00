// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Fill, Price, Tally} from "../types/Context.sol";
import {Keys, MICRO} from "../types/Keys.sol";
import {Side} from "../types/Side.sol";
import {Market, Position, Resting, State} from "../types/State.sol";
import {AccountMarkets} from "./AccountMarkets.sol";
import {CohortMath} from "./CohortMath.sol";
import {Cohorts} from "./Cohorts.sol";
import {Fresh} from "./Fresh.sol";
import {Ledger} from "./Ledger.sol";
import {Queue} from "./Queue.sol";
import {SignedMath} from "./SignedMath.sol";
import {Words} from "./Words.sol";

/// @title Positions
/// @notice The only writer of positions. Each function settles first: a position takes its share of all events since it was last
/// touched, then the change is made, then the position is where its side, leverage and entry belong. In the common
/// case that is one read and one write each of position, cohort, price class and balance. Linked, because every path that changes a
/// position needs it; memory does not cross a delegatecall, so tallies come back.
///
/// MONEY  tally.rest gets −(Δ balance + Δ unsettled − side · Δ cost) of a party, without fee and bond. Openings leave
/// ⌈side · worth⌉, closings −⌊side · worth⌋, so both parties of a trade leave 0 to 3 quote together.
library Positions {
    /// @dev Entries are in ticks · 2^ENTRY_BITS.
    uint256 private constant ENTRY_BITS = 16;
    /// @dev Resting.leverage: the chosen class + 1 below, the one that waits + 1 above.
    uint256 private constant NIBBLE = 0xf;
    uint256 private constant PENDING_SHIFT = 4;

    /// @notice A position after a change.
    struct Outcome {
        Side side;
        uint256 lots;
        int256 cash; // change of the balance, quote: past events, closings, fee and bond; fresh profit is not in it
        uint256 realised; // fresh profit that was booked, quote
    }

    /// @dev A position while a call works on it. Full words, as in Cohorts.Handle.
    struct Work {
        uint256 market;
        uint32 account;
        // As it will be stored.
        uint256 lots;
        int256 cost;
        uint256 entry;
        uint256 checkpoint;
        Side side;
        uint256 leverage;
        // As it was found.
        bool wasOpen;
        uint256 lotsBefore; // as stored
        uint256 settledLots; // what it has in its old cohort before the change
        int256 settledCost; // likewise
        Cohorts.Handle old; // its old cohort, if wasOpen
        bool isStale; // settling changed something
        uint256 pending; // leverage class that waits + 1, 0 if none
        int256 eventCash; // of past events, for the balance
        uint256 haircut; // given in past events
        // What the change brought.
        int256 cash; // for the balance
        uint256 realised; // fresh profit that was booked
    }

    /* READING */

    /// @notice A position as `settle` would leave it, a leverage class whose delay is over included.
    /// @return position lots == 0: flat.
    /// @return cash What `settle` would credit to the balance, quote; the cohort's bond not counted.
    /// @return haircut What it gave in the events since it was settled, quote. In `cash` and the cost already.
    function settledOf(
        State storage s,
        Price memory price,
        uint32 account
    ) internal view returns (Position memory position, int256 cash, uint256 haircut) {
        Market storage m = s.markets[price.market];
        position = m.positions[account];
        if (position.lots == 0) return (position, 0, 0);
        if (isSettled(m, position)) {
            (uint256 pending, bool isDue) = waiting(m, account);
            if (isDue) position.kind = Keys.kind(Keys.sideOfKind(position.kind), pending - 1);
            return (position, 0, 0);
        }
        Work memory w = load(m, price.market, account);
        return (unpacked(w), w.eventCash, w.haircut);
    }

    /// @notice Unrealised profit at mark, funding included: ⌊side · lots · R(mark)⌋ − side · cost.
    /// @dev Rounding: down.
    function profitAt(Price memory price, Position memory position) internal pure returns (int256) {
        return profitOf(price, Keys.sideOfKind(position.kind), position.lots, position.cost);
    }

    /* CHANGING */

    /// @notice Brings a position up to date. Writes and emits nothing if it is.
    function settle(
        State storage s,
        Price memory price,
        uint32 account,
        Tally memory tally
    ) external returns (Position memory, Tally memory) {
        Market storage m = s.markets[price.market];
        Work memory w = load(m, price.market, account);
        if (w.isStale) finish(s, w, tally);
        return (unpacked(w), tally);
    }

    /// @notice Makes one party's side of a trade: first the lots that close, then those that open.
    /// @param fee Quote, taken from the balance and counted in tally.fees.
    /// @dev Reverts: TooManyLots if more lots close than there are, or open against a position that stays.
    function change(
        State storage s,
        Price memory price,
        uint32 account,
        Fill memory fill,
        uint256 fee,
        Tally memory tally
    ) external returns (Outcome memory outcome, Tally memory) {
        outcome = changeHere(s, price, account, fill, fee, tally);
        return (outcome, tally);
    }

    /// @notice `change`, compiled into the caller: for Matching, where a call for each maker would cost more than the room.
    function changeHere(
        State storage s,
        Price memory price,
        uint32 account,
        Fill memory fill,
        uint256 fee,
        Tally memory tally
    ) internal returns (Outcome memory outcome) {
        Market storage m = s.markets[price.market];
        Work memory w = load(m, price.market, account);
        if (fill.closeLots != 0) close(s, price, w, fill, tally);
        if (fill.openLots != 0) open(m, price, w, fill, tally);

        w.cash -= SafeCastLib.toInt256(fee);
        tally.fees += SafeCastLib.toInt256(fee);
        outcome.cash = finish(s, w, tally);
        outcome.side = w.side;
        outcome.lots = w.lots;
        outcome.realised = w.realised;
    }

    /// @notice Chooses the leverage of a market. A lower class counts for the queue after `delay`, a higher one at once, as does
    /// any without a position.
    /// @dev The caller has checked that the class may be chosen and is covered.
    /// @param class Index into the leverage table.
    /// @param delay Seconds; 0 for at once. While a lower class waits, the market's classDelay counts.
    function setLeverage(
        State storage s,
        Price memory price,
        uint32 account,
        uint256 class,
        uint256 delay,
        Tally memory tally
    ) external returns (Tally memory) {
        Market storage m = s.markets[price.market];
        Work memory w = load(m, price.market, account);
        bool isOpen = w.lots != 0;
        w.pending = isOpen && class < w.leverage && delay != 0 ? class + 1 : 0;
        if (isOpen && w.pending == 0 && class != w.leverage) {
            w.leverage = class;
            w.isStale = true;
        }
        storePending(m, w, class + 1);
        if (w.isStale) finish(s, w, tally);
        return tally;
    }

    /// @notice Takes a position out for an event: its lots are the event's now, at mark. No fresh profit arises.
    /// @return side Of the position.
    /// @return lots Settled; 0 if there was none.
    /// @return profit ⌊side · lots · R(mark)⌋ − side · cost, quote, credited to the balance.
    /// @return gain Part of it that is price profit, quote: what would be fresh if the lots had been sold at mark.
    function takeOut(
        State storage s,
        Price memory price,
        uint32 account,
        Tally memory tally
    ) external returns (Side side, uint256 lots, int256 profit, uint256 gain, Tally memory) {
        Market storage m = s.markets[price.market];
        Work memory w = load(m, price.market, account);
        if (!w.wasOpen) return (side, 0, 0, 0, tally);
        (side, lots) = (w.side, w.lots);
        profit = profitOf(price, side, lots, w.cost);
        Fill memory sale = Fill(side.opposite(), lots, lots * price.mark, 0, 0);
        gain = freshPart(price, side, sale, w.entry, profit);
        w.cash += profit;
        tally.rest -= profit + side.sign() * w.cost;
        if (side == Side.Long) tally.longLots -= int256(lots);
        w.lots = 0;
        finish(s, w, tally);
        return (side, lots, profit, gain, tally);
    }

    /* PRIVATE */

    /// @dev Reads a position and settles it in memory.
    function load(
        Market storage m,
        uint256 marketId,
        uint32 account
    ) private view returns (Work memory w) {
        w.market = marketId;
        w.account = account;
        uint256 word = Words.get(m.positions[account]);
        uint256 lots = uint64(word);
        if (lots == 0) return w;
        w.wasOpen = true;
        w.lotsBefore = lots;
        w.entry = uint40(word >> 184);
        w.checkpoint = uint24(word >> 224);
        uint8 kind = uint8(word >> 248);
        w.side = Keys.sideOfKind(kind);
        w.leverage = Keys.leverageOfKind(kind);
        w.old = Cohorts.load(m, marketId, cohortOf(w));
        CohortMath.Share memory share = Cohorts.settled(
            m,
            w.old,
            lots,
            int120(uint120(word >> 64)),
            w.checkpoint
        );
        w.isStale = w.old.isAhead || w.checkpoint != w.old.checkpoint;
        (w.lots, w.settledLots) = (share.lots, share.lots);
        (w.cost, w.settledCost) = (share.cost, share.cost);
        (w.eventCash, w.haircut) = (share.cash, share.haircut);
        promote(m, w);
    }

    /// @dev Whether no event touched the position since it was settled, by three words: the common case, in which nobody has to
    /// build what a settlement needs. A class with haircuts is looked at closely instead.
    function isSettled(Market storage m, Position memory position) private view returns (bool) {
        Side side = Keys.sideOfKind(position.kind);
        uint256 leverage = Keys.leverageOfKind(position.kind);
        uint16 key = Keys.cohortKey(side, leverage, Queue.classOf(position.entry));
        if (m.cohorts[key].checkpoint != position.checkpoint) return false;
        return m.classes[Keys.classKey(side, Keys.priceClassOfCohort(key))].haircut == 0;
    }

    /// @dev Moves the position to the class that waits, if its delay is over.
    function promote(Market storage m, Work memory w) private view {
        bool isDue;
        (w.pending, isDue) = waiting(m, w.account);
        if (!isDue || w.lots == 0) return;
        w.leverage = w.pending - 1;
        w.pending = 0;
        w.isStale = true;
    }

    /// @return pending The leverage class that waits + 1, 0 if none does.
    /// @return isDue Whether one does and its delay is over.
    function waiting(
        Market storage m,
        uint32 account
    ) private view returns (uint256 pending, bool isDue) {
        Resting storage resting = m.resting[account];
        pending = resting.leverage >> PENDING_SHIFT;
        if (pending == 0) return (0, false);
        isDue = block.timestamp >= uint256(resting.pendingSince) + m.config.classDelay;
    }

    function close(
        State storage s,
        Price memory price,
        Work memory w,
        Fill memory fill,
        Tally memory tally
    ) private {
        Side side = fill.side.opposite();
        uint256 lots = fill.closeLots;
        uint256 bound = w.side == side ? w.lots : 0;
        require(lots <= bound, IExchangeErrors.TooManyLots(lots, bound));

        int256 worth = CohortMath.worthFloor(side, lots, fill.closeQuote, price.funding);
        int256 released = SignedMath.mulDivCeil(side.sign() * w.cost, lots, w.lots);
        int256 gain = worth - released;
        uint256 fresh = freshPart(price, side, fill, w.entry, gain);
        if (fresh != 0) {
            w.realised = Fresh.realise(s, uint16(w.market), w.account, side, fresh, tally);
        }
        w.cash += gain - int256(w.realised);
        tally.rest -= worth;
        if (side == Side.Long) tally.longLots -= int256(lots);
        w.lots -= lots;
        w.cost -= side.sign() * released;
    }

    function open(
        Market storage m,
        Price memory price,
        Work memory w,
        Fill memory fill,
        Tally memory tally
    ) private {
        Side side = fill.side;
        uint256 held = w.lots;
        uint256 lots = fill.openLots;
        if (held == 0) {
            (w.side, w.leverage) = (side, chosenClass(m, w.account));
            (w.cost, w.entry) = (0, 0);
        } else {
            require(w.side == side, IExchangeErrors.TooManyLots(lots, held));
            if (w.pending != 0) storePending(m, w, w.pending);
        }
        int256 cost = CohortMath.worthCeil(side, lots, fill.openQuote, price.funding);
        w.lots = held + lots;
        w.cost += side.sign() * cost;
        // Σ ticks · lots · 2^16: exact for fills of the book, rounded down for lots that go at the limit of a forced sale.
        uint256 ticks = (fill.openQuote << ENTRY_BITS) / price.unit;
        w.entry = (held * w.entry + ticks) / w.lots;
        tally.rest += cost;
        if (side == Side.Long) tally.longLots += int256(lots);
    }

    /// @dev The fresh part of a closing: its price profit, as far as it is paid in cash, or what it gained against mark.
    ///
    ///     max(min(gain, ⌊side · (quote − lots · entry)⌋), side · (quote − lots · mark)), at least 0
    ///
    /// @param gain Proceeds less cost, quote, funding and haircuts included.
    function freshPart(
        Price memory price,
        Side side,
        Fill memory fill,
        uint256 entry,
        int256 gain
    ) private pure returns (uint256) {
        int256 sign = side.sign();
        // 60 + 40 + 64 bits.
        int256 entryQuote = int256(fill.closeLots * entry * price.unit);
        int256 profit = (sign * (int256(fill.closeQuote << ENTRY_BITS) - entryQuote)) >> ENTRY_BITS;
        int256 againstMark = sign * (int256(fill.closeQuote) - int256(fill.closeLots * price.mark));
        int256 amount = gain < profit ? gain : profit;
        if (againstMark > amount) amount = againstMark;
        return amount > 0 ? uint256(amount) : 0;
    }

    /// @dev Puts the position where it belongs, pays what settling and the change brought, stores and reports.
    /// @return cash Change of the balance, quote.
    function finish(
        State storage s,
        Work memory w,
        Tally memory tally
    ) private returns (int256 cash) {
        Market storage m = s.markets[uint16(w.market)];
        voidPending(m, w);
        (uint16 cohort, bytes32 cohortWord, int256 bonds) = place(m, w, tally);
        cash = w.eventCash + w.cash;
        if (bonds != 0) {
            cash -= bonds * int256(m.config.cohortBond * MICRO);
            tally.bonds += bonds;
        }
        tally.unsettled -= w.eventCash;

        bytes32 word = packed(w);
        Words.put(m.positions[w.account], word);
        int256 balance = Ledger.credit(s, w.account, cash);
        bool isOpen = w.lots != 0;
        if (w.wasOpen != isOpen) {
            if (isOpen) AccountMarkets.enter(s, uint16(w.market), w.account);
            else AccountMarkets.leaveIfIdle(s, uint16(w.market), w.account);
        }
        if (w.settledLots != w.lotsBefore || w.eventCash != 0 || w.haircut != 0) {
            emit IExchangeEvents.Settled(
                uint16(w.market),
                w.account,
                w.lotsBefore - w.settledLots,
                w.eventCash,
                w.haircut
            );
        }
        emit IExchangeEvents.PositionChanged(
            uint16(w.market),
            w.account,
            word,
            cohort,
            cohortWord,
            balance
        );
    }

    /// @dev Stays in its cohort, or leaves one and joins another.
    /// @return cohort The one that it is in now, or was in if it is flat.
    /// @return word That cohort's.
    /// @return bonds Cohorts opened minus cohorts emptied.
    function place(
        Market storage m,
        Work memory w,
        Tally memory tally
    ) private returns (uint16 cohort, bytes32 word, int256 bonds) {
        Cohorts.Handle memory h = w.old;
        bool isOpen = w.lots != 0;
        cohort = isOpen ? cohortOf(w) : uint16(h.key);
        if (isOpen && w.settledLots != 0 && cohort == h.key) {
            word = Cohorts.resize(m, h, w.settledLots, w.lots, w.cost - w.settledCost, tally);
            w.checkpoint = h.checkpoint;
            return (cohort, word, 0);
        }
        if (w.wasOpen) {
            bool isLast;
            (word, isLast) = Cohorts.quit(m, h, w.settledLots, w.settledCost, tally);
            if (isLast) bonds--;
            if (isOpen) {
                emit IExchangeEvents.CohortChanged(uint16(w.market), uint16(h.key), word);
            }
        }
        if (isOpen) {
            h = Cohorts.load(m, w.market, cohort);
            bool isFirst;
            (word, isFirst) = Cohorts.join(m, h, w.lots, w.cost, tally);
            if (isFirst) bonds++;
            w.checkpoint = h.checkpoint;
        }
    }

    /// @dev Forgets a class that waited if it came into force, or if its position is gone.
    function voidPending(Market storage m, Work memory w) private {
        bool isSame = w.settledLots != 0 && w.lots != 0 && w.side == w.old.side;
        if (isSame && w.pending != 0) return;
        uint256 leverage = m.resting[w.account].leverage;
        if (leverage >> PENDING_SHIFT == 0) return;
        w.pending = 0;
        storePending(m, w, leverage & NIBBLE);
    }

    /// @param chosen The class that sets the margin + 1.
    function storePending(Market storage m, Work memory w, uint256 chosen) private {
        uint256 since = w.pending == 0 ? 0 : block.timestamp;
        Resting storage resting = m.resting[w.account];
        resting.leverage = uint8((w.pending << PENDING_SHIFT) | chosen);
        resting.pendingSince = uint32(since);
        emit IExchangeEvents.LeverageChosen(
            uint16(w.market),
            w.account,
            uint8(chosen - 1),
            uint8(w.pending),
            since
        );
    }

    function chosenClass(Market storage m, uint32 account) private view returns (uint256) {
        uint256 chosen = m.resting[account].leverage & NIBBLE;
        return chosen == 0 ? m.config.defaultLeverage : chosen - 1;
    }

    function cohortOf(Work memory w) private pure returns (uint16) {
        return Keys.cohortKey(w.side, w.leverage, Queue.classOf(w.entry));
    }

    function profitOf(
        Price memory price,
        Side side,
        uint256 lots,
        int256 cost
    ) private pure returns (int256) {
        int256 worth = CohortMath.worthFloor(side, lots, lots * price.mark, price.funding);
        return worth - side.sign() * cost;
    }

    function packed(Work memory w) private pure returns (bytes32) {
        if (w.lots == 0) return bytes32(0);
        uint8 kind = Keys.kind(w.side, w.leverage);
        return Words.packPosition(w.lots, w.cost, w.entry, w.checkpoint, kind);
    }

    /// @dev Lots and cost of a settled position are in range: settling adds no lots, and a cost that grew out of range by
    /// haircuts must not become another one.
    function unpacked(Work memory w) private pure returns (Position memory) {
        return
            Position({
                lots: uint64(w.lots),
                cost: SafeCastLib.toInt120(w.cost),
                entry: uint40(w.entry),
                checkpoint: uint24(w.checkpoint),
                kind: Keys.kind(w.side, w.leverage)
            });
    }
}
