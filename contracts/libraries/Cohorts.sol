// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Price, Tally} from "../types/Context.sol";
import {Keys} from "../types/Keys.sol";
import {Side} from "../types/Side.sol";
import {Checkpoint, Cohort, Market, Position, PriceClass} from "../types/State.sol";
import {CohortMath} from "./CohortMath.sol";
import {Dust} from "./Dust.sol";
import {Queue} from "./Queue.sol";
import {Words} from "./Words.sol";

/// @title Pooled positions
/// @notice All positions of one side, leverage class and price class are one cohort: lots Q, cost V, and a list of checkpoints
/// that says what events did to a lot. An event writes the cohort, however many members it has; a member
/// settles the difference between its checkpoint and the current one when it is touched. CohortMath has the arithmetic.
///
/// HAIRCUTS  are charged to a price class, all leverages together, as U: haircut per lot still held. A cohort takes them over
/// when it is touched: V rises by side · ⌈Q · ΔU / 2^54⌉ and a checkpoint takes the new U. Where U of the class is what the
/// checkpoint says, there is nothing to do.
///
/// MONEY  A charge takes its amount out of the market's unsettled pool at once, since somebody's deficit is paid with it, and
/// each taking over returns what the cohort's cost rose by. So INV-1 holds to the wei at every moment with
/// stored values only. What the roundings of U and of the takings over add stays in the pool.
///
/// LIFE OF A COHORT  empty (no members; Q = V = 0) → the first member restarts it at checkpoint 0, or 1 if the class has
/// haircuts → cut and settled → emptied by a cut (m = 0, Q = V = 0) while members still name it → the first to join
/// then starts behind a difference of exponents that no settlement crosses, so that the old members end at m = 0 →
/// the last member leaves: lots and cost that fractions left behind become dust of ledger account 3.
library Cohorts {
    /// @dev Exponents that a restart lies behind an emptied checkpoint: one more than a settlement reaches.
    uint24 private constant RESTART = uint24(CohortMath.HOP) + 1;
    /// @dev A cohort accepts no more lots from here on until it was without members. An exponent is at most RESTART times
    /// the number, so it fits 24 bits.
    uint24 internal constant LAST_CHECKPOINT = 250_000;
    /// @dev A haircut is at most 2^78 quote per lot and charge, so that U stays far from one turn of its modulus.
    uint256 private constant HAIRCUT_PER_LOT_BITS = 78;

    /// @notice A cohort while a call works on it. Loaded once, stored once.
    struct Handle {
        uint16 market;
        uint16 key;
        Side side;
        Cohort cohort;
        PriceClass class;
        Checkpoint current; // the current checkpoint, haircuts of the class taken over
        bool isRead; // `current` has the stored checkpoint's first slot
        bool isWhole; // and its other two
        bool isAhead; // `current` differs from the stored checkpoint
        bool wasOccupied;
        uint256 takenOver; // quote by which `cohort.cost` rose, not yet in a tally
    }

    /* EVENTS */

    /// @notice Charges a haircut to every lot of a price class: U += ⌈amount · 2^54 / ΣQ⌉. No position or cohort is written.
    /// @dev Rounding: up, against the members; the dust stays in the unsettled pool. The amount leaves the pool here: the
    /// caller credits the accounts that it was charged for, and no tally is involved.
    /// @dev Reverts: HaircutTooLarge above 2^78 quote per lot.
    /// @param amount Quote.
    /// @return newIndex U of the class, scale 2^54, modulo 2^136.
    function charge(
        Market storage m,
        uint16,
        Side side,
        uint256 priceClass,
        uint256 amount
    ) internal returns (uint136 newIndex) {
        PriceClass memory class = m.classes[Keys.classKey(side, priceClass)];
        newIndex = class.haircut;
        if (amount == 0) return newIndex;
        uint256 bound = uint256(class.lots) << HAIRCUT_PER_LOT_BITS;
        require(amount <= bound, IExchangeErrors.HaircutTooLarge(amount, bound));
        uint256 perLot = FixedPointMathLib.divUp(amount << CohortMath.HAIRCUT_BITS, class.lots);
        // U counts modulo 2^136; only differences are used, and one charge adds at most 2^132 + 1.
        unchecked {
            newIndex += uint136(perLot);
        }
        class.haircut = newIndex;
        Words.put(m.classes[Keys.classKey(side, priceClass)], Words.pack(class));
        m.pool.unsettled -= SafeCast.toInt128(SafeCast.toInt256(amount));
    }

    /// @notice Closes lots of a cohort at mark, pro rata over all that it consists of.
    /// @dev side · released = ⌊side · V · x / Q⌋; Z += proceeds − side · released. Rounding: down, against the members; the
    /// dust stays in the unsettled pool.
    /// @param lots At most those of the cohort.
    /// @param discount Quote that the closed lots give up: Queue rule. The caller credits it to the closed account.
    /// @return proceeds ⌊side · lots · R(mark)⌋ − discount, quote.
    function cut(
        Market storage m,
        Price memory price,
        uint16 cohort,
        uint256 lots,
        uint256 discount,
        Tally memory tally
    ) internal returns (int256 proceeds) {
        Handle memory h = load(m, price.market, cohort);
        uint256 before = h.cohort.lots;
        require(lots <= before, IExchangeErrors.TooManyLots(lots, before));
        if (lots == 0) return 0;
        readWhole(m, h);
        int256 worth = CohortMath.worthFloor(h.side, lots, lots * price.mark, price.funding);
        proceeds = worth - SafeCast.toInt256(discount);

        CohortMath.cut(h.current, before, lots, proceeds);
        h.isAhead = true;
        int256 released = release(h, lots);
        tally.unsettled += proceeds - h.side.sign() * released;
        // The discount is paid to the closed account by the caller; without that credit it would be missing from both.
        tally.rest -= worth;
        if (h.side == Side.Long) tally.longLots -= int256(lots);

        writeCheckpoint(m, h);
        takeLots(h, lots);
        save(m, h, tally);
        emit IExchangeEvents.CohortChanged(h.market, h.key, Words.pack(h.cohort));
    }

    /// @notice Profit that even the least profitable member of a class has: Q · (side · (mark − nearEdge) − U), funding apart.
    /// @dev Rounding: down. 0 if there is none.
    /// @return Quote.
    function guaranteedProfit(
        Market storage m,
        Price memory price,
        Side side,
        uint256 priceClass
    ) internal view returns (uint256) {
        PriceClass memory class = m.classes[Keys.classKey(side, priceClass)];
        if (class.lots == 0) return 0;
        uint256 edge = Queue.nearEdge(price, side, priceClass);
        int256 perLot =
            side.sign() *
                (int256(price.mark << CohortMath.HAIRCUT_BITS) -
                    int256(edge << (CohortMath.HAIRCUT_BITS - Queue.EDGE_BITS))) -
                int256(uint256(class.haircut));
        if (perLot <= 0) return 0;
        // 60 + 118 bits.
        return (uint256(class.lots) * uint256(perLot)) >> CohortMath.HAIRCUT_BITS;
    }

    /// @notice Closes lots of ledger account 3 at mark.
    /// @return taken At most `lots`.
    function takeDust(
        Market storage m,
        Price memory price,
        Side side,
        uint256 lots,
        Tally memory tally
    ) internal returns (uint256 taken) {
        return Dust.take(m, price.market, side, lots, tally);
    }

    /* READING */

    /// @notice What a cohort costs with the haircuts that it has not taken over yet.
    /// @return Quote, funding-free.
    function costOf(Market storage m, uint16 cohort) internal view returns (int256) {
        Handle memory h = load(m, 0, cohort);
        if (h.class.haircut != 0) read(m, h);
        return h.cohort.cost;
    }

    function load(
        Market storage m,
        uint16 marketId,
        uint16 key
    ) internal view returns (Handle memory h) {
        h.market = marketId;
        h.key = key;
        h.side = Keys.sideOfCohort(key);
        h.cohort = m.cohorts[key];
        h.class = m.classes[Keys.classKey(h.side, Keys.priceClassOfCohort(key))];
        h.wasOccupied = h.cohort.lots != 0;
    }

    /// @notice What a member has after everything that happened since it was settled.
    /// @dev If exponents lie further apart than one settlement reaches, it goes there in steps; a restart of the cohort
    /// always lies further, so that members of before end at the checkpoint that emptied it.
    function settled(
        Market storage m,
        Handle memory h,
        Position memory position
    ) internal view returns (CohortMath.Share memory share) {
        share.lots = position.lots;
        share.cost = position.cost;
        bool isCurrent = position.checkpoint == h.cohort.checkpoint;
        if (isCurrent && h.class.haircut == 0) return share;
        read(m, h);
        if (isCurrent && !h.isAhead) return share;
        readWhole(m, h);

        uint256 number = position.checkpoint;
        Checkpoint memory from = checkpointOf(m, h.key, number);
        while (share.lots != 0) {
            bool isNear = h.current.exponent - from.exponent <= CohortMath.HOP;
            Checkpoint memory to = h.current;
            if (!isNear) {
                number = lastWithin(m, h, number, from.exponent);
                to = checkpointOf(m, h.key, number);
            }
            step(h.side, share, from, to);
            if (isNear) return share;
            from = to;
        }
    }

    /* MEMBERS */

    /// @notice Enters a position into a cohort.
    /// @return checkpoint The number that the position stores.
    /// @return isFirst Whether it opened the cohort.
    function join(
        Market storage m,
        Handle memory h,
        uint256 lots,
        int256 cost,
        Tally memory tally
    ) internal returns (uint24 checkpoint, bool isFirst) {
        isFirst = h.cohort.members == 0;
        if (isFirst) {
            reset(m, h);
        } else if (h.cohort.lots == 0) {
            restart(m, h);
        } else {
            catchUp(m, h);
        }
        h.cohort.members++;
        h.class.members++;
        addLots(h, lots);
        h.cohort.cost = SafeCast.toInt128(h.cohort.cost + cost);
        checkpoint = h.cohort.checkpoint;
        h.cohort.referenced = 1;
        save(m, h, tally);
    }

    /// @notice Takes a position out of its cohort. If it was the last, what fractions left behind becomes dust.
    /// @param lots Those of the member, settled.
    /// @param cost Likewise.
    /// @return isLast Whether it left the cohort empty.
    function quit(
        Market storage m,
        Handle memory h,
        uint256 lots,
        int256 cost,
        Tally memory tally
    ) internal returns (bool isLast) {
        h.cohort.members--;
        h.class.members--;
        isLast = h.cohort.members == 0;
        // Without members nobody will ever read the checkpoint: the next to join starts the cohort anew.
        if (!isLast) catchUp(m, h);
        h.cohort.cost = SafeCast.toInt128(h.cohort.cost - cost);
        takeLots(h, lots);
        if (isLast) sweep(m, h, tally);
        save(m, h, tally);
    }

    /// @notice Changes a member that stays in its cohort.
    /// @param lotsBefore Of the member, settled; likewise the cost.
    /// @return checkpoint The number that the position stores.
    function resize(
        Market storage m,
        Handle memory h,
        uint256 lotsBefore,
        int256 costBefore,
        Position memory position,
        Tally memory tally
    ) internal returns (uint24 checkpoint) {
        catchUp(m, h);
        // By the difference, because a class that passes through zero lots forgets its haircuts.
        if (position.lots > lotsBefore) addLots(h, position.lots - lotsBefore);
        if (position.lots < lotsBefore) takeLots(h, lotsBefore - position.lots);
        h.cohort.cost = SafeCast.toInt128(h.cohort.cost + position.cost - costBefore);
        checkpoint = h.cohort.checkpoint;
        h.cohort.referenced = 1;
        save(m, h, tally);
    }

    /* PRIVATE */

    /// @dev Reads the current checkpoint and takes over what the class was charged since. An emptied cohort holds nothing that
    /// could give: its members end at the checkpoint that emptied it.
    function read(Market storage m, Handle memory h) private view {
        if (h.isRead) return;
        h.isRead = true;
        uint256 number = h.cohort.checkpoint;
        if (number == 0) {
            h.isWhole = true;
            h.current.mantissa = CohortMath.FULL;
        } else {
            Checkpoint storage stored = m.checkpoints[Keys.checkpointKey(h.key, number)];
            h.current.mantissa = stored.mantissa;
            h.current.exponent = stored.exponent;
            h.current.haircut = stored.haircut;
        }
        if (h.cohort.lots == 0 || h.current.haircut == h.class.haircut) return;
        readWhole(m, h);
        h.takenOver = CohortMath.takeOver(h.current, h.class.haircut, h.cohort.lots);
        h.cohort.cost = SafeCast.toInt128(h.cohort.cost + h.side.sign() * int256(h.takenOver));
        h.isAhead = true;
    }

    function readWhole(Market storage m, Handle memory h) private view {
        read(m, h);
        if (h.isWhole) return;
        h.isWhole = true;
        Checkpoint storage stored = m.checkpoints[Keys.checkpointKey(h.key, h.cohort.checkpoint)];
        h.current.cash = stored.cash;
        h.current.given = stored.given;
    }

    function checkpointOf(
        Market storage m,
        uint16 key,
        uint256 number
    ) private view returns (Checkpoint memory checkpoint) {
        if (number == 0) {
            checkpoint.mantissa = CohortMath.FULL;
            return checkpoint;
        }
        return m.checkpoints[Keys.checkpointKey(key, number)];
    }

    /// @dev One settlement, written into `share`.
    function step(
        Side side,
        CohortMath.Share memory share,
        Checkpoint memory from,
        Checkpoint memory to
    ) private pure {
        CohortMath.Share memory after_ = CohortMath.settle(side, share.lots, share.cost, from, to);
        share.lots = after_.lots;
        share.cost = after_.cost;
        share.cash += after_.cash;
        share.haircut += after_.haircut;
    }

    /// @dev The last checkpoint that a settlement reaches. Exponents never fall, and the next one is always within reach.
    function lastWithin(
        Market storage m,
        Handle memory h,
        uint256 number,
        uint256 exponent
    ) private view returns (uint256) {
        uint256 low = number + 1;
        uint256 high = h.cohort.checkpoint - 1;
        while (low < high) {
            uint256 middle = (low + high + 1) >> 1;
            if (exponentOf(m, h.key, middle) - exponent <= CohortMath.HOP) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    /// @dev Before a position stores the current checkpoint, and before a member leaves others behind.
    function catchUp(Market storage m, Handle memory h) private {
        if (h.class.haircut != 0) read(m, h);
        if (h.isAhead) writeCheckpoint(m, h);
    }

    /// @dev Starts a cohort without members anew. No position names its old checkpoints.
    function reset(Market storage m, Handle memory h) private {
        h.cohort.checkpoint = 0;
        if (h.class.haircut == 0) return;
        push(m, h, fresh(0, h.class.haircut));
    }

    /// @dev Starts an emptied cohort anew while old members still name it.
    function restart(Market storage m, Handle memory h) private {
        uint24 emptied = exponentOf(m, h.key, h.cohort.checkpoint);
        push(m, h, fresh(emptied + RESTART, h.class.haircut));
    }

    function fresh(
        uint24 exponent,
        uint136 haircut
    ) private pure returns (Checkpoint memory checkpoint) {
        checkpoint.mantissa = CohortMath.FULL;
        checkpoint.exponent = exponent;
        checkpoint.haircut = haircut;
    }

    /// @dev Stores `h.current`: over the stored checkpoint if no position names that and the one before it stays within reach.
    /// So a checkpoint that emptied the cohort is never overwritten: the next one is a restart, which is always pushed, and
    /// lies beyond reach of it. Here the cohort has lots, so its mantissa is not 0.
    function writeCheckpoint(Market storage m, Handle memory h) private {
        h.isAhead = false;
        uint256 number = h.cohort.checkpoint;
        if (h.cohort.referenced == 0 && number != 0) {
            uint256 before = exponentOf(m, h.key, number - 1);
            if (h.current.exponent - before <= CohortMath.HOP) {
                writeAt(m, h, h.current);
                return;
            }
        }
        push(m, h, h.current);
    }

    function exponentOf(
        Market storage m,
        uint16 key,
        uint256 number
    ) private view returns (uint24) {
        return number == 0 ? 0 : m.checkpoints[Keys.checkpointKey(key, number)].exponent;
    }

    function push(Market storage m, Handle memory h, Checkpoint memory checkpoint) private {
        h.cohort.checkpoint++;
        h.cohort.referenced = 0;
        writeAt(m, h, checkpoint);
    }

    function writeAt(Market storage m, Handle memory h, Checkpoint memory checkpoint) private {
        uint24 number = h.cohort.checkpoint;
        Checkpoint storage stored = m.checkpoints[Keys.checkpointKey(h.key, number)];
        bytes32 word = Words.pack(checkpoint);
        Words.put(stored, word);
        stored.cash = checkpoint.cash;
        stored.given = checkpoint.given;
        emit IExchangeEvents.CheckpointWritten(
            h.market,
            h.key,
            number,
            word,
            checkpoint.cash,
            checkpoint.given
        );
    }

    /// @dev Takes the part of the cost that belongs to closed lots: side · released = ⌊side · V · x / Q⌋, all for all.
    function release(Handle memory h, uint256 lots) private pure returns (int256 released) {
        Cohort memory cohort = h.cohort;
        released = cohort.cost;
        if (lots != cohort.lots) {
            // 127 + 60 bits.
            int256 share = h.side.sign() * released * int256(lots);
            released = h.side.sign() * floorDiv(share, cohort.lots);
        }
        cohort.cost = SafeCast.toInt128(cohort.cost - released);
    }

    function floorDiv(int256 x, uint256 d) private pure returns (int256) {
        int256 quotient = x / int256(d);
        return x < 0 && quotient * int256(d) != x ? quotient - 1 : quotient;
    }

    function addLots(Handle memory h, uint256 lots) private pure {
        require(
            h.cohort.checkpoint < LAST_CHECKPOINT,
            IExchangeErrors.CohortWornOut(h.key, h.cohort.checkpoint)
        );
        h.cohort.lots = SafeCast.toUint64(h.cohort.lots + lots);
        h.class.lots = SafeCast.toUint64(h.class.lots + lots);
    }

    /// @dev A class without lots forgets its haircuts: nobody holds a lot that gave.
    function takeLots(Handle memory h, uint256 lots) private pure {
        h.cohort.lots = SafeCast.toUint64(h.cohort.lots - lots);
        h.class.lots = SafeCast.toUint64(h.class.lots - lots);
        if (h.class.lots == 0) h.class.haircut = 0;
    }

    /// @dev What the members of a cohort left behind: whole lots become dust of the market, cost without lots its rest.
    function sweep(Market storage m, Handle memory h, Tally memory tally) private {
        (uint256 lots, int256 cost) = (h.cohort.lots, h.cohort.cost);
        h.cohort.cost = 0;
        takeLots(h, lots);
        if (lots != 0) Dust.add(m, h.market, h.side, lots, cost, tally);
        else tally.rest -= h.side.sign() * cost;
    }

    function save(Market storage m, Handle memory h, Tally memory tally) private {
        if (h.takenOver != 0) {
            tally.unsettled += int256(h.takenOver);
            h.takenOver = 0;
        }
        Words.put(m.cohorts[h.key], Words.pack(h.cohort));
        uint256 classKey = Keys.classKey(h.side, Keys.priceClassOfCohort(h.key));
        Words.put(m.classes[classKey], Words.pack(h.class));
        bool isOccupied = h.cohort.lots != 0;
        if (isOccupied == h.wasOccupied) return;
        h.wasOccupied = isOccupied;
        if (isOccupied) Queue.set(m, h.key);
        else Queue.clear(m, h.key);
    }
}
