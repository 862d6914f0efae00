// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
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
    uint256 private constant NIBBLE = 0xf;

    /// @notice A position after a change.
    struct Outcome {
        Side side;
        uint256 lots;
        int256 cash; // change of the balance, quote: past events, closings, fee and bond; fresh profit is not in it
        uint256 realised; // fresh profit that was booked, quote
    }

    /// @dev A position while a call works on it.
    struct Work {
        uint16 market;
        uint32 account;
        Position position; // as it will be stored
        Cohorts.Handle old; // the cohort that it was in, if wasOpen
        bool wasOpen;
        bool isStale; // settling changed something
        uint256 pending; // leverage class that waits + 1, 0 if none
        uint256 lotsBefore; // as stored
        uint256 lots; // settled, before the change: what it has in the old cohort
        int256 cost; // likewise
        int256 eventCash; // of past events, for the balance
        int256 cash; // of the change, for the balance
        uint256 haircut; // given in past events
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
        return (w.position, w.eventCash, w.haircut);
    }

    /// @notice Unrealised profit at mark, funding included: ⌊side · lots · R(mark)⌋ − side · cost.
    /// @dev Rounding: down.
    function profitAt(Price memory price, Position memory position) internal pure returns (int256) {
        Side side = Keys.sideOfKind(position.kind);
        uint256 quote = position.lots * price.mark;
        int256 worth = CohortMath.worthFloor(side, position.lots, quote, price.funding);
        return worth - side.sign() * position.cost;
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
        return (w.position, tally);
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

        w.cash -= SafeCast.toInt256(fee);
        tally.fees += SafeCast.toInt256(fee);
        outcome.cash = finish(s, w, tally);
        outcome.side = Keys.sideOfKind(w.position.kind);
        outcome.lots = w.position.lots;
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
        uint256 inForce = Keys.leverageOfKind(w.position.kind);
        bool isOpen = w.position.lots != 0;
        w.pending = isOpen && class < inForce && delay != 0 ? class + 1 : 0;
        if (isOpen && w.pending == 0 && class != inForce) {
            w.position.kind = Keys.kind(Keys.sideOfKind(w.position.kind), class);
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
    function takeOut(
        State storage s,
        Price memory price,
        uint32 account,
        Tally memory tally
    ) external returns (Side side, uint256 lots, int256 profit, Tally memory) {
        Market storage m = s.markets[price.market];
        Work memory w = load(m, price.market, account);
        if (!w.wasOpen) return (side, 0, 0, tally);
        side = Keys.sideOfKind(w.position.kind);
        lots = w.position.lots;
        profit = profitAt(price, w.position);
        w.cash += profit;
        tally.rest -= profit + side.sign() * w.position.cost;
        if (side == Side.Long) tally.longLots -= int256(lots);
        w.position.lots = 0;
        finish(s, w, tally);
        return (side, lots, profit, tally);
    }

    /* PRIVATE */

    /// @dev Reads a position and settles it in memory.
    function load(
        Market storage m,
        uint16 marketId,
        uint32 account
    ) private view returns (Work memory w) {
        w.market = marketId;
        w.account = account;
        w.position = m.positions[account];
        if (w.position.lots == 0) return w;
        w.wasOpen = true;
        w.lotsBefore = w.position.lots;
        w.old = Cohorts.load(m, marketId, cohortOf(w.position));
        CohortMath.Share memory share = Cohorts.settled(m, w.old, w.position);
        w.isStale = w.old.isAhead || w.position.checkpoint != w.old.cohort.checkpoint;
        w.lots = share.lots;
        w.cost = share.cost;
        w.eventCash = share.cash;
        w.haircut = share.haircut;
        // Settling never adds lots; the cost is checked.
        w.position.lots = uint64(share.lots);
        w.position.cost = SafeCast.toInt120(share.cost);
        promote(m, w);
    }

    /// @dev Whether no event touched the position since it was settled, by three words: the common case, in which nobody has to
    /// build what a settlement needs. A class with haircuts is looked at closely instead.
    function isSettled(Market storage m, Position memory position) private view returns (bool) {
        uint16 key = cohortOf(position);
        if (m.cohorts[key].checkpoint != position.checkpoint) return false;
        Side side = Keys.sideOfKind(position.kind);
        return m.classes[Keys.classKey(side, Keys.priceClassOfCohort(key))].haircut == 0;
    }

    /// @dev Moves the position to the class that waits, if its delay is over.
    function promote(Market storage m, Work memory w) private view {
        bool isDue;
        (w.pending, isDue) = waiting(m, w.account);
        if (!isDue || w.lots == 0) return;
        w.position.kind = Keys.kind(Keys.sideOfKind(w.position.kind), w.pending - 1);
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
        pending = resting.leverage >> 4;
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
        Position memory position = w.position;
        Side side = fill.side.opposite();
        bool isAgainst = Keys.sideOfKind(position.kind) == side;
        uint256 bound = isAgainst ? position.lots : 0;
        require(fill.closeLots <= bound, IExchangeErrors.TooManyLots(fill.closeLots, bound));

        int256 worth = CohortMath.worthFloor(side, fill.closeLots, fill.closeQuote, price.funding);
        int256 signedCost = side.sign() * position.cost;
        int256 released = SignedMath.mulDivCeil(signedCost, fill.closeLots, position.lots);
        int256 gain = worth - released;
        uint256 fresh = freshPart(price, side, fill, position.entry, gain);
        if (fresh != 0) {
            w.realised = Fresh.realise(s, w.market, w.account, side, fresh, tally);
        }
        w.cash += gain - int256(w.realised);
        tally.rest -= worth;
        if (side == Side.Long) tally.longLots -= int256(fill.closeLots);
        position.lots -= uint64(fill.closeLots);
        position.cost -= int120(side.sign() * released);
    }

    function open(
        Market storage m,
        Price memory price,
        Work memory w,
        Fill memory fill,
        Tally memory tally
    ) private {
        Position memory position = w.position;
        Side side = fill.side;
        uint256 held = position.lots;
        // Σ ticks · lots of the fills, exactly.
        uint256 ticks = (fill.openQuote / price.unit) << ENTRY_BITS;
        if (held == 0) {
            position.kind = Keys.kind(side, chosenClass(m, w.account));
            position.cost = 0;
            position.entry = 0;
        } else {
            bool isSame = Keys.sideOfKind(position.kind) == side;
            require(isSame, IExchangeErrors.TooManyLots(fill.openLots, held));
            if (w.pending != 0) storePending(m, w, w.pending);
        }
        uint256 lots = held + fill.openLots;
        int256 cost = CohortMath.worthCeil(side, fill.openLots, fill.openQuote, price.funding);
        position.lots = SafeCast.toUint64(lots);
        position.cost = SafeCast.toInt120(position.cost + side.sign() * cost);
        position.entry = SafeCast.toUint40((held * position.entry + ticks) / lots);
        tally.rest += cost;
        if (side == Side.Long) tally.longLots += int256(fill.openLots);
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
        Market storage m = s.markets[w.market];
        voidPending(m, w);
        (Cohorts.Handle memory h, int256 bonds) = place(m, w, tally);
        cash = w.eventCash + w.cash;
        if (bonds != 0) {
            cash -= bonds * int256(m.config.cohortBond * MICRO);
            tally.bonds += bonds;
        }
        tally.unsettled -= w.eventCash;

        bytes32 word = w.position.lots == 0 ? bytes32(0) : Words.pack(w.position);
        Words.put(m.positions[w.account], word);
        int256 balance = Ledger.credit(s, w.account, cash);
        if (!w.wasOpen && w.position.lots != 0) AccountMarkets.enter(s, w.market, w.account);
        if (w.wasOpen && w.position.lots == 0) {
            AccountMarkets.leaveIfIdle(s, w.market, w.account);
        }
        if (w.lots != w.lotsBefore || w.eventCash != 0 || w.haircut != 0) {
            emit IExchangeEvents.Settled(
                w.market,
                w.account,
                w.lotsBefore - w.lots,
                w.eventCash,
                w.haircut
            );
        }
        emit IExchangeEvents.PositionChanged(
            w.market,
            w.account,
            word,
            h.key,
            Words.pack(h.cohort),
            balance
        );
    }

    /// @dev Stays in its cohort, or leaves one and joins another.
    /// @return h The cohort that it is in now, or was in if it is flat.
    /// @return bonds Cohorts opened minus cohorts emptied.
    function place(
        Market storage m,
        Work memory w,
        Tally memory tally
    ) private returns (Cohorts.Handle memory h, int256 bonds) {
        h = w.old;
        bool isOpen = w.position.lots != 0;
        if (isOpen && w.lots != 0 && cohortOf(w.position) == h.key) {
            w.position.checkpoint = Cohorts.resize(m, h, w.lots, w.cost, w.position, tally);
            return (h, 0);
        }
        if (w.wasOpen) {
            if (Cohorts.quit(m, h, w.lots, w.cost, tally)) bonds--;
            if (isOpen) {
                emit IExchangeEvents.CohortChanged(w.market, h.key, Words.pack(h.cohort));
            }
        }
        if (isOpen) {
            h = Cohorts.load(m, w.market, cohortOf(w.position));
            bool isFirst;
            (w.position.checkpoint, isFirst) = Cohorts.join(
                m,
                h,
                w.position.lots,
                w.position.cost,
                tally
            );
            if (isFirst) bonds++;
        }
    }

    /// @dev A class that waited came into force, or its position is gone.
    function voidPending(Market storage m, Work memory w) private {
        bool isSame =
            w.lots != 0 && w.position.lots != 0 && Keys.sideOfKind(w.position.kind) == w.old.side;
        if (isSame && w.pending != 0) return;
        uint256 leverage = m.resting[w.account].leverage;
        if (leverage >> 4 == 0) return;
        w.pending = 0;
        storePending(m, w, leverage & NIBBLE);
    }

    /// @param chosen The class that sets the margin + 1.
    function storePending(Market storage m, Work memory w, uint256 chosen) private {
        uint256 since = w.pending == 0 ? 0 : block.timestamp;
        Resting storage resting = m.resting[w.account];
        resting.leverage = uint8((w.pending << 4) | chosen);
        resting.pendingSince = SafeCast.toUint32(since);
        emit IExchangeEvents.LeverageChosen(
            w.market,
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

    function cohortOf(Position memory position) private pure returns (uint16) {
        return
            Keys.cohortKey(
                Keys.sideOfKind(position.kind),
                Keys.leverageOfKind(position.kind),
                Queue.classOf(position.entry)
            );
    }
}
