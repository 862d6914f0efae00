// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Price, Tally} from "../types/Context.sol";
import {Keys} from "../types/Keys.sol";
import {LeverageTable} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {Checkpoint, Market, PriceClass} from "../types/State.sol";
import {Caps} from "./Caps.sol";
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
    uint256 private constant RESTART = CohortMath.HOP + 1;
    /// @dev A cohort accepts no more lots from here on until it was without members. An exponent is at most RESTART times
    /// the number, so it fits 24 bits.
    uint256 internal constant LAST_CHECKPOINT = 250_000;
    /// @dev A haircut is at most 2^78 quote per lot and charge, so that U stays far from one turn of its modulus.
    uint256 private constant HAIRCUT_PER_LOT_BITS = 78;

    /// @notice A cohort and its price class while a call works on them. Loaded once, stored once. Fields are as in
    /// types/State.sol, but full words, which take less code and gas to work with; their range is checked when they are packed.
    struct Handle {
        uint256 market;
        uint256 key;
        Side side;
        uint256 lots;
        uint256 storedLots;
        uint256 members;
        uint256 checkpoint;
        uint256 referenced;
        int256 cost;
        uint256 classLots;
        uint256 classMembers;
        uint256 classHaircut;
        Checkpoint current; // the current checkpoint, haircuts of the class taken over
        bool isRead; // `current` has the stored checkpoint's first slot
        bool isWhole; // and its other two
        bool isAhead; // `current` differs from the stored checkpoint
        uint256 takenOver; // quote by which `cost` rose, not yet in a tally
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
        PriceClass storage class = m.classes[Keys.classKey(side, priceClass)];
        uint256 lots = class.lots;
        newIndex = class.haircut;
        if (amount == 0) return newIndex;
        uint256 bound = lots << HAIRCUT_PER_LOT_BITS;
        require(amount <= bound, IExchangeErrors.HaircutTooLarge(amount, bound));
        uint256 perLot = FixedPointMathLib.divUp(amount << CohortMath.HAIRCUT_BITS, lots);
        // U counts modulo 2^136; only differences are used, and one charge adds at most 2^132 + 1.
        unchecked {
            newIndex += uint136(perLot);
        }
        class.haircut = newIndex;
        // At most 2^138, which the sum then does not fit.
        m.pool.unsettled = SafeCastLib.toInt128(m.pool.unsettled - int256(amount));
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
        require(lots <= h.lots, IExchangeErrors.TooManyLots(lots, h.lots));
        if (lots == 0) return 0;
        readWhole(m, h);
        int256 worth = CohortMath.worthFloor(h.side, lots, lots * price.mark, price.funding);
        proceeds = worth - SafeCastLib.toInt256(discount);

        CohortMath.cut(h.current, h.lots, lots, proceeds);
        int256 released = CohortMath.release(h.side, h.cost, h.lots, lots);
        h.cost -= released;
        tally.unsettled += proceeds - h.side.sign() * released;
        // The discount is paid to the closed account by the caller; without that credit it would be missing from both.
        tally.rest -= worth;
        if (h.side == Side.Long) tally.longLots -= int256(lots);

        writeCheckpoint(m, h);
        takeLots(h, lots);
        bytes32 word = save(m, h, tally);
        emit IExchangeEvents.CohortChanged(price.market, cohort, word);
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
        PriceClass storage class = m.classes[Keys.classKey(side, priceClass)];
        uint256 lots = class.lots;
        if (lots == 0) return 0;
        uint256 edge = Queue.nearEdge(price, side, priceClass);
        int256 perLot =
            side.sign() *
                (int256(price.mark << CohortMath.HAIRCUT_BITS) -
                    int256(edge << (CohortMath.HAIRCUT_BITS - Queue.EDGE_BITS))) -
                int256(uint256(class.haircut));
        if (perLot <= 0) return 0;
        // 64 + 118 bits.
        return (lots * uint256(perLot)) >> CohortMath.HAIRCUT_BITS;
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
        if (h.classHaircut != 0) read(m, h);
        return h.cost;
    }

    function load(
        Market storage m,
        uint256 marketId,
        uint16 key
    ) internal view returns (Handle memory h) {
        h.market = marketId;
        h.key = key;
        h.side = Keys.sideOfCohort(key);
        uint256 word = Words.get(m.cohorts[key]);
        h.lots = uint64(word);
        h.storedLots = h.lots;
        h.members = uint32(word >> 64);
        h.checkpoint = uint24(word >> 96);
        h.referenced = uint8(word >> 120);
        h.cost = int256(word) >> 128;
        word = Words.get(m.classes[Keys.classKey(h.side, Keys.priceClassOfCohort(key))]);
        h.classLots = uint64(word);
        h.classMembers = uint32(word >> 64);
        h.classHaircut = word >> 96;
    }

    /// @notice What a member has after everything that happened since checkpoint `number`.
    /// @dev If exponents lie further apart than one settlement reaches, it goes there in steps; a restart of the cohort
    /// always lies further, so that members of before end at the checkpoint that emptied it.
    function settled(
        Market storage m,
        Handle memory h,
        uint256 lots,
        int256 cost,
        uint256 number
    ) internal view returns (CohortMath.Share memory share) {
        share.lots = lots;
        share.cost = cost;
        bool isCurrent = number == h.checkpoint;
        if (isCurrent && h.classHaircut == 0) return share;
        read(m, h);
        if (isCurrent && !h.isAhead) return share;
        readWhole(m, h);

        Checkpoint memory from = checkpointOf(m, h.key, number);
        while (share.lots != 0) {
            bool isNear = h.current.exponent - from.exponent <= CohortMath.HOP;
            Checkpoint memory to = h.current;
            if (!isNear) {
                number = lastWithin(m, h, number, from.exponent);
                to = checkpointOf(m, h.key, number);
            }
            CohortMath.settle(h.side, share, from, to);
            if (isNear) return share;
            from = to;
        }
    }

    /* MEMBERS */

    /// @notice Enters a position into a cohort. The position stores h.checkpoint.
    /// @return word The cohort's, as stored.
    /// @return isFirst Whether it opened the cohort.
    function join(
        Market storage m,
        Handle memory h,
        uint256 lots,
        int256 cost,
        Tally memory tally
    ) internal returns (bytes32 word, bool isFirst) {
        isFirst = h.members == 0;
        if (isFirst) {
            // Starts anew: no position names the old checkpoints.
            h.checkpoint = 0;
            if (h.classHaircut != 0) start(m, h, 0);
        } else if (h.lots == 0) {
            // Emptied by a cut, while old members still name it.
            start(m, h, exponentOf(m, h.key, h.checkpoint) + RESTART);
        } else {
            catchUp(m, h);
        }
        h.members++;
        h.classMembers++;
        addLots(h, lots);
        h.cost += cost;
        h.referenced = 1;
        word = save(m, h, tally);
    }

    /// @notice Takes a position out of its cohort. If it was the last, what fractions left behind becomes dust.
    /// @param lots Those of the member, settled.
    /// @param cost Likewise.
    /// @return word The cohort's, as stored.
    /// @return isLast Whether it left the cohort empty.
    function quit(
        Market storage m,
        Handle memory h,
        uint256 lots,
        int256 cost,
        Tally memory tally
    ) internal returns (bytes32 word, bool isLast) {
        h.members--;
        h.classMembers--;
        isLast = h.members == 0;
        // After the last nobody will ever read a checkpoint: the next to join starts the cohort anew.
        if (!isLast) catchUp(m, h);
        h.cost -= cost;
        takeLots(h, lots);
        if (isLast) {
            (lots, cost) = (h.lots, h.cost);
            h.cost = 0;
            takeLots(h, lots);
            Dust.add(m, h.market, h.side, lots, cost, tally);
        }
        word = save(m, h, tally);
    }

    /// @notice Changes a member that stays in its cohort. The position stores h.checkpoint.
    /// @param before Its lots, settled.
    /// @param lots Its lots now.
    /// @param cost By which its cost changed.
    /// @return word The cohort's, as stored.
    function resize(
        Market storage m,
        Handle memory h,
        uint256 before,
        uint256 lots,
        int256 cost,
        Tally memory tally
    ) internal returns (bytes32 word) {
        catchUp(m, h);
        // By the difference, because a class that passes through zero lots forgets its haircuts.
        if (lots > before) addLots(h, lots - before);
        else if (lots < before) takeLots(h, before - lots);
        h.cost += cost;
        h.referenced = 1;
        return save(m, h, tally);
    }

    /* PRIVATE */

    /// @dev Reads the current checkpoint and takes over what the class was charged since. An emptied cohort holds nothing that
    /// could give: its members end at the checkpoint that emptied it.
    function read(Market storage m, Handle memory h) private view {
        if (h.isRead) return;
        h.isRead = true;
        if (h.checkpoint == 0) {
            h.isWhole = true;
            h.current.mantissa = CohortMath.FULL;
        } else {
            uint256 word = Words.get(m.checkpoints[keyOf(h, h.checkpoint)]);
            h.current.mantissa = uint96(word);
            h.current.exponent = uint24(word >> 96);
            h.current.haircut = uint136(word >> 120);
        }
        if (h.lots == 0 || h.current.haircut == h.classHaircut) return;
        readWhole(m, h);
        uint256 amount = CohortMath.takeOver(h.current, uint136(h.classHaircut), h.lots);
        h.takenOver = amount;
        h.cost += h.side.sign() * int256(amount);
        h.isAhead = true;
    }

    function readWhole(Market storage m, Handle memory h) private view {
        read(m, h);
        if (h.isWhole) return;
        h.isWhole = true;
        Checkpoint storage stored = m.checkpoints[keyOf(h, h.checkpoint)];
        h.current.cash = stored.cash;
        h.current.given = stored.given;
    }

    function checkpointOf(
        Market storage m,
        uint256 key,
        uint256 number
    ) private view returns (Checkpoint memory checkpoint) {
        if (number == 0) {
            checkpoint.mantissa = CohortMath.FULL;
            return checkpoint;
        }
        return m.checkpoints[Keys.checkpointKey(uint16(key), number)];
    }

    /// @dev The last checkpoint that a settlement reaches. Exponents never fall, and the next one is always within reach.
    function lastWithin(
        Market storage m,
        Handle memory h,
        uint256 number,
        uint256 exponent
    ) private view returns (uint256) {
        uint256 low = number + 1;
        uint256 high = h.checkpoint - 1;
        while (low < high) {
            uint256 middle = (low + high + 1) >> 1;
            if (exponentOf(m, h.key, middle) - exponent <= CohortMath.HOP) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    /// @dev Before a position stores the current checkpoint, and before a member leaves others behind.
    function catchUp(Market storage m, Handle memory h) private {
        if (h.classHaircut != 0) read(m, h);
        if (h.isAhead) writeCheckpoint(m, h);
    }

    /// @dev A checkpoint from which nothing was cut.
    function start(Market storage m, Handle memory h, uint256 exponent) private {
        h.current = Checkpoint({
            mantissa: CohortMath.FULL,
            exponent: uint24(exponent),
            haircut: uint136(h.classHaircut),
            cash: 0,
            given: 0
        });
        push(m, h);
    }

    /// @dev Stores `h.current`: over the stored checkpoint if no position names that and the one before it stays within reach.
    /// So a checkpoint that emptied the cohort is never overwritten: the next one is a restart, which is always pushed, and
    /// lies beyond reach of it. Here the cohort has lots, so its mantissa is not 0.
    function writeCheckpoint(Market storage m, Handle memory h) private {
        h.isAhead = false;
        uint256 number = h.checkpoint;
        if (h.referenced == 0 && number != 0) {
            uint256 before = exponentOf(m, h.key, number - 1);
            if (h.current.exponent - before <= CohortMath.HOP) {
                write(m, h);
                return;
            }
        }
        push(m, h);
    }

    function exponentOf(
        Market storage m,
        uint256 key,
        uint256 number
    ) private view returns (uint256) {
        if (number == 0) return 0;
        return m.checkpoints[Keys.checkpointKey(uint16(key), number)].exponent;
    }

    function push(Market storage m, Handle memory h) private {
        h.checkpoint++;
        h.referenced = 0;
        write(m, h);
    }

    function write(Market storage m, Handle memory h) private {
        Checkpoint memory current = h.current;
        Checkpoint storage stored = m.checkpoints[keyOf(h, h.checkpoint)];
        bytes32 word = Words.pack(current);
        Words.put(stored, word);
        stored.cash = current.cash;
        stored.given = current.given;
        emit IExchangeEvents.CheckpointWritten(
            uint16(h.market),
            uint16(h.key),
            uint24(h.checkpoint),
            word,
            current.cash,
            current.given
        );
    }

    function addLots(Handle memory h, uint256 lots) private pure {
        require(
            h.checkpoint < LAST_CHECKPOINT,
            IExchangeErrors.CohortWornOut(uint16(h.key), uint24(h.checkpoint))
        );
        h.lots += lots;
        h.classLots += lots;
    }

    /// @dev A class without lots forgets its haircuts: nobody holds a lot that gave.
    function takeLots(Handle memory h, uint256 lots) private pure {
        h.lots -= lots;
        h.classLots -= lots;
        if (h.classLots == 0) h.classHaircut = 0;
    }

    function keyOf(Handle memory h, uint256 number) private pure returns (uint256) {
        return Keys.checkpointKey(uint16(h.key), number);
    }

    function save(
        Market storage m,
        Handle memory h,
        Tally memory tally
    ) private returns (bytes32 word) {
        tally.unsettled += int256(h.takenOver);
        h.takenOver = 0;
        uint16 key = uint16(h.key);
        word = Words.packCohort(h.lots, h.members, h.checkpoint, h.referenced, h.cost);
        Words.put(m.cohorts[key], word);
        Words.put(
            m.classes[Keys.classKey(h.side, Keys.priceClassOfCohort(key))],
            Words.packClass(h.classLots, h.classMembers, h.classHaircut)
        );
        uint256 before = h.storedLots;
        h.storedLots = h.lots;
        if (Keys.leverageOfCohort(key) >= LeverageTable.TOP_CLASS) {
            Caps.note(m, h.side, before, h.lots);
        }
        if ((h.lots != 0) == (before != 0)) return word;
        if (h.lots != 0) Queue.set(m, key);
        else Queue.clear(m, key);
    }
}
