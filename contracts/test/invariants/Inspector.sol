// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ExchangeStorage} from "../../ExchangeStorage.sol";
import {Bits} from "../../libraries/Bits.sol";
import {Cohorts} from "../../libraries/Cohorts.sol";
import {Fresh} from "../../libraries/Fresh.sol";
import {Ledger} from "../../libraries/Ledger.sol";
import {Margin} from "../../libraries/Margin.sol";
import {Positions} from "../../libraries/Positions.sol";
import {Prices} from "../../libraries/Prices.sol";
import {Queue} from "../../libraries/Queue.sol";
import {Health, Price} from "../../types/Context.sol";
import {EventStage, Grade, House, Keys, MICRO} from "../../types/Keys.sol";
import {Side} from "../../types/Side.sol";
import {
    Cohort,
    DustSlot,
    EventSide,
    Level,
    Market,
    Order,
    Position,
    PriceClass,
    Resting
} from "../../types/State.sol";
import {AccountShot, Holding, MarketShot, Shot} from "./Shot.t.sol";

/// @notice Reads everything at once inside `Exchange.simulate`, and checks what only the exchange's storage can show: the book and the
/// queue. Ids are those of docs/invariants.md.
contract Inspector is ExchangeStorage {
    /// @dev `what` is the invariant and what of it is broken; the numbers are said there.
    error Broken(string what, uint256 market, uint256 key, int256 is_, int256 should);

    uint256 private constant LEVERAGES = 8;
    uint256 private constant WORDS = 16;
    /// @dev Where a side's summary of its bitmap stands.
    uint256 private constant SUMMARY = LEVERAGES << 4;
    uint256 private constant ORDER_SLOTS = 32;
    uint256 private constant ENTRY_BITS = 16;
    /// @dev Where the bitmap of ticks has its upper words.
    uint256 private constant TICKS_MIDDLE = 1 << 16;
    uint256 private constant TICKS_ROOT = 1 << 17;
    uint8 private constant ASK = 1;
    uint8 private constant REDUCE_ONLY = 2;
    uint256 private constant MOST_COHORTS = 256;
    uint256 private constant MOST_LEVELS = 512;
    /// @dev Quote: roundings of one settlement.
    int256 private constant WEI_PER_SETTLEMENT = 8;

    /* THE PICTURE */

    function shot() external view returns (Shot memory r) {
        r.time = block.timestamp;
        r.fund = Ledger.balanceOf($, House.FUND);
        r.treasury = Ledger.balanceOf($, House.TREASURY);
        r.dust = Ledger.balanceOf($, House.DUST);
        r.drawn = $.drawn;
        r.distress = $.distress.maintenance;
        r.owed = r.fund + r.treasury + r.dust;
        r.markets = new MarketShot[]($.marketCount);
        for (uint16 i = 0; i < r.markets.length; i++) {
            r.markets[i] = _marketOf(i);
            r.owed += r.markets[i].owed;
        }
        uint256 count = $.accountCount + 1 - House.FIRST_ACCOUNT;
        r.accounts = new AccountShot[](count);
        for (uint256 i = 0; i < count; i++) {
            uint32 account = uint32(House.FIRST_ACCOUNT + i);
            r.accounts[i] = _accountOf(account);
            r.owed += Ledger.balanceOf($, account);
        }
    }

    function _marketOf(uint16 id) private view returns (MarketShot memory r) {
        Market storage m = $.markets[id];
        (r.price, r.book, r.flow, r.pool) = (m.price, m.book, m.flow, m.pool);
        (r.dust, r.bucket, r.cap) = (m.dust, m.bucket, m.config.openInterestCap);
        r.grade = uint8(Prices.gradeOf(m));
        r.isEventStored = m.pending.id != 0;
        r.owed = int256(uint256(r.flow.fees)) + r.flow.rest + r.pool.unsettled;
        r.owed += int256(uint256(r.flow.bonds) * m.config.cohortBond * MICRO);
        r.owed += r.dust.shortCost - r.dust.longCost;
        for (uint256 side = 0; side < 2; side++) {
            r.fresh[side] = Fresh.pool(m, Side(side));
            (uint16[] memory keys, uint256 count) = _occupied(m, Side(side));
            for (uint256 i = 0; i < count; i++) {
                Cohort memory cohort = m.cohorts[keys[i]];
                r.sideLots[side] += cohort.lots;
                r.owed -= Side(side).sign() * cohort.cost;
            }
            r.waiting[side] = _waitingOf(m, side);
        }
    }

    /// @dev Lots that a stored event still has to close against the side.
    function _waitingOf(Market storage m, uint256 side) private view returns (uint64) {
        EventSide storage to = m.pending.sides[side];
        if (m.pending.id == 0 || to.stage == EventStage.Done) return 0;
        uint256 queued = to.stage == EventStage.Queue ? to.split.given : 0;
        return uint64(to.lots - to.bookLots - to.dustLots - queued);
    }

    function _accountOf(uint32 account) private view returns (AccountShot memory r) {
        Health memory h = Margin.health($, account);
        r.owner = $.accounts[account].owner;
        r.balance = Margin.settledBalance($, account);
        (r.equity, r.equityAtIndex, r.prudent) = (h.equity, h.equityAtIndex, h.prudent);
        (r.initial, r.initialCalm, r.maintenance) = (h.initial, h.initialCalm, h.maintenance);
        (r.fresh, r.notional) = (h.fresh, h.notional);
        r.withdrawable = Margin.withdrawable($, account);
        r.isLiquidatable = Margin.isLiquidatable(h);
        r.clock = $.accounts[account].clock;
        r.distress = $.money[account].distress;
        r.markets = uint256($.accounts[account].markets) | $.money[account].freshMarkets;
        r.holdings = new Holding[]($.marketCount);
        for (uint16 i = 0; i < r.holdings.length; i++) {
            r.holdings[i] = _holdingOf(account, i);
            bool isDead = Prices.gradeOf($.markets[i]) == Grade.Dead;
            if ($.markets[i].positions[account].lots != 0 && !isDead) r.isLive = true;
        }
    }

    function _holdingOf(uint32 account, uint16 id) private view returns (Holding memory r) {
        Market storage m = $.markets[id];
        Resting memory resting = m.resting[account];
        (r.bidLots, r.askLots, r.used) = (resting.bidLots, resting.askLots, resting.used);
        if (m.positions[account].lots == 0) return r;
        Price memory price = Prices.load($, id);
        (Position memory p, , ) = Positions.settledOf($, price, account);
        r.lots = p.lots;
        r.side = uint8(Keys.sideOfKind(p.kind).index());
        int256 gain = int256(price.mark << ENTRY_BITS) - int256(uint256(p.entry) * price.unit);
        r.profit = (Keys.sideOfKind(p.kind).sign() * gain * int256(uint256(p.lots))) >> ENTRY_BITS;
    }

    /* THE QUEUE: INV-2, INV-4, F12 */

    /// @param crossings Settlements over a cut, by market: what may have been left behind in cohorts, lots.
    function checkQueue(uint256[] calldata crossings) external view {
        for (uint16 id = 0; id < $.marketCount; id++) {
            uint256 named;
            for (uint256 side = 0; side < 2; side++) {
                named += _checkSide(id, Side(side), crossings[id]);
            }
            uint256 positions;
            uint256 last = $.accountCount;
            for (uint32 a = House.FIRST_ACCOUNT; a <= last; a++) {
                if ($.markets[id].positions[a].lots != 0) positions++;
            }
            // F12: each position stands in the queue once, unless its cohort was emptied.
            _require(named <= positions, "F12: members of the queue", id, 0, named, positions);
        }
    }

    function _checkSide(
        uint16 id,
        Side side,
        uint256 crossings
    ) private view returns (uint256 named) {
        Market storage m = $.markets[id];
        (uint16[] memory keys, uint256 count) = _occupied(m, side);
        uint256 total;
        for (uint256 i = 0; i < count; i++) {
            Cohort memory cohort = m.cohorts[keys[i]];
            _require(cohort.lots != 0, "INV-4: a bit for an empty cohort", id, keys[i], 0, 1);
            named += _checkCohort(id, keys[i], cohort, crossings);
            total += cohort.lots;
        }
        _checkOrder(id, side, keys, count);
        _checkMembersAreIn(id, side, keys, count);
        DustSlot memory dust = m.dust;
        total += side == Side.Long ? dust.longLots : dust.shortLots;
        uint256 between = _waitingOf(m, side.opposite().index());
        uint256 open = m.flow.openInterest;
        if (side == Side.Short) {
            open += _waitingOf(m, 1);
            total += _waitingOf(m, 0);
            between = 0;
        }
        _require(total == open, "INV-2: lots of a side", id, side.index(), total, open + between);
    }

    function _checkCohort(
        uint16 id,
        uint16 key,
        Cohort memory cohort,
        uint256 crossings
    ) private view returns (uint256 members) {
        Market storage m = $.markets[id];
        Price memory price = Prices.load($, id);
        (uint256 lots, int256 cost, uint256 last) = (0, 0, $.accountCount);
        for (uint32 a = House.FIRST_ACCOUNT; a <= last; a++) {
            Position memory p = m.positions[a];
            if (p.lots == 0 || _cohortOf(p) != key) continue;
            members++;
            (Position memory settled, , ) = Positions.settledOf($, price, a);
            // A change of class that is due would move it: the cohort has what is there before.
            lots += settled.lots;
            cost += settled.cost;
        }
        _require(members == cohort.members, "INV-4: members", id, key, cohort.members, members);
        _require(lots <= cohort.lots, "INV-4: members have more lots", id, key, lots, cohort.lots);
        uint256 most = crossings + 2 * members;
        uint256 left = cohort.lots - lots;
        _require(left <= most, "INV-4: lots left behind", id, key, left, most);
        int256 bound = int256(most) * _dearestLot(m, price) * 2;
        bound += WEI_PER_SETTLEMENT * int256(most + 1);
        int256 gap = Cohorts.costOf(m, key) - cost;
        if (gap < 0) gap = -gap;
        if (gap > bound) revert Broken("INV-4: cost left behind", id, key, gap, bound);
    }

    /// @dev Quote: more than what any lot of the market was worth by a factor of four, funding and haircuts included.
    function _dearestLot(Market storage m, Price memory price) private view returns (int256) {
        int256 funding = price.funding < 0 ? -price.funding : price.funding;
        return int256(4 * price.mark) + (funding >> 32) + int256(uint256(m.config.unit));
    }

    /// @dev The queue hands out each cohort once, those of one leverage in the order of their classes.
    function _checkOrder(uint16 id, Side side, uint16[] memory keys, uint256 count) private view {
        Market storage m = $.markets[id];
        Queue.Heads memory heads = Queue.open(m, Prices.load($, id), side);
        uint256[LEVERAGES] memory before;
        uint256 found;
        for (; found <= count; found++) {
            (uint16 key, bool isAny) = Queue.next(m, heads);
            if (!isAny) break;
            uint256 class = Keys.priceClassOfCohort(key) + 1;
            uint256 leverage = Keys.leverageOfCohort(key);
            bool isLater =
                before[leverage] == 0 ||
                    (side == Side.Long ? class > before[leverage] : class < before[leverage]);
            _require(isLater, "F12: order inside a leverage", id, key, class, before[leverage]);
            before[leverage] = class;
            _require(_has(keys, count, key), "F12: not a cohort with lots", id, key, 0, 1);
        }
        _require(found == count, "F12: cohorts of the queue", id, side.index(), found, count);
    }

    /// @dev Whoever has lots after settlement stands in a cohort of the bitmap.
    function _checkMembersAreIn(
        uint16 id,
        Side side,
        uint16[] memory keys,
        uint256 count
    ) private view {
        uint256 last = $.accountCount;
        for (uint32 a = House.FIRST_ACCOUNT; a <= last; a++) {
            Position memory p = $.markets[id].positions[a];
            if (p.lots == 0 || Keys.sideOfKind(p.kind) != side) continue;
            uint16 key = _cohortOf(p);
            if (_has(keys, count, key)) continue;
            (Position memory settled, , ) = Positions.settledOf($, Prices.load($, id), a);
            _require(settled.lots == 0, "F12: a member outside the queue", id, key, a, 0);
        }
    }

    /// @dev All cohorts of a side that have a bit, from the bitmap itself.
    function _occupied(
        Market storage m,
        Side side
    ) private view returns (uint16[] memory keys, uint256 count) {
        keys = new uint16[](MOST_COHORTS);
        uint256 base = side.index() << 8;
        uint256 summary = m.occupied[base | SUMMARY];
        for (; summary != 0; summary &= summary - 1) {
            uint256 i = Bits.leastSignificant(summary);
            uint256 word = m.occupied[base | i];
            for (; word != 0; word &= word - 1) {
                uint256 class = ((i % WORDS) << 8) | Bits.leastSignificant(word);
                keys[count++] = Keys.cohortKey(side, i / WORDS, class);
            }
        }
    }

    function _has(uint16[] memory keys, uint256 count, uint16 key) private pure returns (bool) {
        for (uint256 i = 0; i < count; i++) if (keys[i] == key) return true;
        return false;
    }

    function _cohortOf(Position memory p) private pure returns (uint16) {
        return
            Keys.cohortKey(
                Keys.sideOfKind(p.kind),
                Keys.leverageOfKind(p.kind),
                Queue.classOf(p.entry)
            );
    }

    /* PRICE CLASSES: INV-4 */

    function checkClasses() external view {
        for (uint16 id = 0; id < $.marketCount; id++) {
            Market storage m = $.markets[id];
            for (uint256 side = 0; side < 2; side++) {
                (uint16[] memory keys, uint256 count) = _occupied(m, Side(side));
                for (uint256 i = 0; i < count; i++) {
                    uint256 class = Keys.priceClassOfCohort(keys[i]);
                    uint256 lots;
                    for (uint256 j = 0; j < count; j++) {
                        bool isIn = Keys.priceClassOfCohort(keys[j]) == class;
                        if (isIn) lots += m.cohorts[keys[j]].lots;
                    }
                    PriceClass memory all = m.classes[Keys.classKey(Side(side), class)];
                    _require(all.lots == lots, "INV-4: lots of a class", id, class, all.lots, lots);
                }
            }
        }
    }

    /* THE BOOK: INV-5, C1, C2, C12, C13 */

    function checkBook() external view {
        for (uint16 id = 0; id < $.marketCount; id++) {
            Market storage m = $.markets[id];
            (uint256 bid, uint256 ask) = (m.book.bestBid, m.book.bestAsk);
            bool isApart = bid == 0 || ask == 0 || bid < ask;
            _require(isApart, "INV-5: best bid and ask", id, 0, bid, ask);
            uint256 linked;
            uint256 levels;
            for (uint256 side = 0; side < 2; side++) {
                (uint256 count, uint256 orders) = _walkSide(id, Side(side));
                levels += count;
                linked += orders;
            }
            _checkSlots(id, linked);
        }
    }

    /// @dev Every level from the bitmap, best first, each with its orders from the oldest to the newest.
    function _walkSide(uint16 id, Side side) private view returns (uint256 count, uint256 orders) {
        Market storage m = $.markets[id];
        uint256 best = side == Side.Long ? m.book.bestBid : m.book.bestAsk;
        (uint256 first, uint256 last, uint256 seen) = (0, 0, 0);
        for (uint256 top = m.ticks[side.index()][TICKS_ROOT]; top != 0; top &= top - 1) {
            uint256 high = Bits.leastSignificant(top);
            uint256 middle = m.ticks[side.index()][TICKS_MIDDLE | high];
            for (; middle != 0; middle &= middle - 1) {
                uint256 low = (high << 8) | Bits.leastSignificant(middle);
                uint256 leaf = m.ticks[side.index()][low];
                for (; leaf != 0; leaf &= leaf - 1) {
                    uint256 tick = (low << 8) | Bits.leastSignificant(leaf);
                    if (count == 0) first = tick;
                    last = tick;
                    orders += _walkLevel(id, side, tick);
                    count++;
                    seen++;
                    _require(seen < MOST_LEVELS, "C12: levels", id, tick, seen, MOST_LEVELS);
                }
            }
        }
        uint256 should =
            count == 0
                ? 0
                : side == Side.Long
                    ? last
                    : first;
        _require(best == should, "INV-5: best tick", id, side.index(), best, should);
    }

    function _walkLevel(uint16 id, Side side, uint256 tick) private view returns (uint256 count) {
        Market storage m = $.markets[id];
        Level memory level = m.levels[Keys.levelKey(side, tick)];
        _require(level.lots != 0, "C2: an empty level has a bit", id, tick, 0, 1);
        (uint40 order, uint40 before, uint256 lots) = (level.head, 0, 0);
        while (order != 0) {
            Order memory o = m.orders[order];
            _require(o.prev == before, "C12: links", id, order, o.prev, before);
            _require(o.tick == tick, "C13: tick of an order", id, order, o.tick, tick);
            bool isHere = o.levelEpoch == level.epoch && (o.flags & ASK) == side.index();
            _require(isHere && o.lots != 0, "C12: an order of another place", id, order, o.lots, 1);
            lots += o.lots;
            (before, order) = (order, o.next);
            count++;
            _require(count < MOST_LEVELS, "C12: a circle", id, tick, count, MOST_LEVELS);
        }
        _require(level.tail == before, "C12: tail", id, tick, level.tail, before);
        _require(level.lots == lots, "C2: lots of a level", id, tick, level.lots, lots);
    }

    /// @dev From the accounts' side: orders that live are linked once, reservations are what lives.
    function _checkSlots(uint16 id, uint256 linked) private view {
        Market storage m = $.markets[id];
        uint256 alive;
        uint256 last = $.accountCount;
        for (uint32 a = House.FIRST_ACCOUNT; a <= last; a++) {
            Resting memory r = m.resting[a];
            (uint256 bids, uint256 asks) = (0, 0);
            for (uint256 slot = 0; slot < ORDER_SLOTS; slot++) {
                uint40 order = Keys.orderId(a, slot);
                bool isUsed = (r.used >> slot) & 1 != 0;
                uint256 left = m.orders[order].lots;
                // Not by _require, which would copy its words for each of thousands of slots.
                if (isUsed != (left != 0)) {
                    revert Broken("C12: used slots", id, a, int256(slot), int256(left));
                }
                if (!isUsed) continue;
                Order memory o = m.orders[order];
                bool isAsk = o.flags & ASK != 0;
                Side side = isAsk ? Side.Short : Side.Long;
                if (o.levelEpoch == m.levels[Keys.levelKey(side, o.tick)].epoch) alive++;
                bool isSide = o.sideEpoch == (isAsk ? r.askEpoch : r.bidEpoch);
                if (!isSide || o.flags & REDUCE_ONLY != 0) continue;
                if (isAsk) asks += o.lots;
                else bids += o.lots;
            }
            _require(r.bidLots == bids, "INV-5: reserved bids", id, a, r.bidLots, bids);
            _require(r.askLots == asks, "INV-5: reserved asks", id, a, r.askLots, asks);
        }
        _require(alive == linked, "C12: orders linked", id, 0, linked, alive);
    }

    /* HELPERS */

    function _require(
        bool isSo,
        string memory what,
        uint256 market,
        uint256 key,
        uint256 is_,
        uint256 should
    ) private pure {
        if (!isSo) revert Broken(what, market, key, int256(is_), int256(should));
    }
}
