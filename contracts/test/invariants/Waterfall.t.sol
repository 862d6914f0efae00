// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeEvents} from "../../interfaces/IExchangeEvents.sol";
import {House, Keys} from "../../types/Keys.sol";
import {MarketConfig} from "../../types/MarketConfig.sol";
import {Side} from "../../types/Side.sol";
import {FundSlot} from "../../types/State.sol";
import {Changes} from "./Changes.t.sol";
import {AccountShot, Holding, MarketShot} from "./Shot.t.sol";
import {Op, Seen, Step} from "./Ghosts.t.sol";
import {IVm} from "./Vm.t.sol";

/// @notice Invariants of forced sales and of events, from what they say and what they left. Named after their ids.
abstract contract Waterfall is Changes {
    /// @dev ppm of the fund that all markets together may draw in a day.
    uint256 private constant ALL_MARKETS = 800_000;
    uint256 private constant DAY = 1 days;
    uint256 private constant WAVE = 1 hours;
    int256 private constant SALE_ROUNDING = 256;

    /// @dev One side of a market in an event, and what the logs say of it.
    struct Receipt {
        uint16 market;
        Side side; // that pays
        IExchangeEvents.DeleverageReceipt r;
        uint256 haircuts; // quote
        uint256 principals; // quote
        uint256 cuts; // lots
    }

    /* FORCED SALES */

    function checkSale(Step memory s) internal {
        if (s.op == Op.Liquidate) d1(s);
        if (s.op == Op.Takeover) d14(s);
        d15(s);
        for (uint256 i = 0; i < s.logs.length; i++) {
            IVm.Log memory log = s.logs[i];
            if (isOf(log, IExchangeEvents.LiquidationEnded.selector)) {
                int256[6] memory n = abi.decode(log.data, (int256[6]));
                uint256 place = placeOf(uint256(log.topics[1]));
                inv15(place, n);
                d5(place, n);
            }
            if (isOf(log, IExchangeEvents.Liquidated.selector)) {
                see(uint256(log.topics[3]) == 0 ? Seen.ForcedSale : Seen.TakenOver);
                d3(log);
            }
        }
        noteWhole(s);
    }

    /// @notice An account is liquidated if and only if it is below maintenance at mark and at index; for the first one of a call, whose
    /// picture nobody has changed.
    function d1(Step memory s) internal view {
        AccountShot memory a = s.before.accounts[placeOf(s.named[0])];
        bool isDue = a.isLiquidatable && a.isLive;
        bool isDone;
        for (uint256 i = 0; i < s.logs.length; i++) {
            if (!isOf(s.logs[i], IExchangeEvents.LiquidationEnded.selector)) continue;
            if (uint256(s.logs[i].topics[1]) == s.named[0]) isDone = true;
        }
        require(
            isDone == isDue,
            Broken("D1", placeOf(s.named[0]), a.equity, int256(a.maintenance))
        );
    }

    /// @notice The zero price: a sale stays within the limit that it says, and that is never better than mark for the buyer by more than
    /// the account has.
    function d3(IVm.Log memory log) internal pure {
        uint16 id = uint16(uint256(log.topics[1]));
        (uint256 lots, uint256 quote, uint256 limit, uint256 mark) = abi.decode(
            log.data,
            (uint256, uint256, uint256, uint256)
        );
        bool isLong = limit < mark || quote < lots * mark;
        bool isWithin = isLong ? quote >= lots * limit : quote <= lots * limit;
        bool isExact = limit == mark || isWithin;
        require(isExact, Broken("D3: limit", id, int256(quote), int256(lots * limit)));
    }

    /// @notice Who takes a position over has initial margin, or took risk away from himself.
    function d14(Step memory s) internal pure {
        AccountShot memory is_ = s.now_.accounts[s.place];
        if (is_.prudent >= int256(is_.initial)) return;
        Holding memory h = is_.holdings[s.market];
        bool isMore = grewIn(s.before.accounts[s.place].holdings[s.market], h);
        require(!isMore, Broken("D14", s.place, is_.prudent, int256(is_.initial)));
    }

    /// @notice A forced sale never raises open interest.
    function d15(Step memory s) internal pure {
        for (uint256 i = 0; i < MARKETS; i++) {
            int256 was = int256(uint256(s.before.markets[i].flow.openInterest));
            int256 is_ = int256(uint256(s.now_.markets[i].flow.openInterest));
            require(is_ <= was, Broken("D15", i, is_, was));
        }
    }

    /// @notice Equity / maintenance never falls, the penalty included (D2); a solvent account never ends below zero (D3).
    /// @param n Equity and maintenance before, after, penalty, reward.
    function inv15(uint256 place, int256[6] memory n) internal pure {
        bool isKept =
            n[0] < 0
                ? n[2] >= n[0] - SALE_ROUNDING
                : n[3] == 0
                    ? n[2] >= 0
                    : n[2] * n[1] >= n[0] * n[3];
        require(isKept, Broken("INV-15", place, n[2], n[0]));
        require(n[0] < 0 || n[2] >= 0, Broken("D3", place, n[2], n[0]));
    }

    /// @notice The penalty is paid from what is left, and the reward from the penalty (D6).
    function d5(uint256 place, int256[6] memory n) internal pure {
        require(n[4] == 0 || n[2] >= 0, Broken("D5", place, n[4], n[2]));
        int256 most = (n[4] * int256(uint256(configOf(OPEN).callerShare))) / int256(PPM) + 1;
        require(n[5] <= most, Broken("D6", place, n[5], most));
    }

    function noteWhole(Step memory s) internal {
        for (uint256 i = 0; i < MARKETS; i++) {
            bool wasOpen = s.before.markets[i].flow.openInterest != 0;
            if (wasOpen && s.now_.markets[i].flow.openInterest == 0) see(Seen.WholeMarket);
        }
    }

    /* EVENTS */

    function checkEvent(Step memory s) internal {
        Receipt[] memory all = receiptsOf(s);
        inv7(s);
        f4(s);
        for (uint256 i = 0; i < all.length; i++) {
            f7(all[i]);
            inv13(all[i]);
            f3(s, all[i]);
            f1(s, all[i]);
            noteReceipt(all[i]);
        }
        inv8(s, all);
        f5(s, all);
        f8(s, all);
        a13Event(s);
        noteEvent(s, all);
        noteWhole(s);
    }

    function receiptsOf(Step memory s) internal view returns (Receipt[] memory all) {
        all = new Receipt[](count(s.logs, IExchangeEvents.Deleveraged.selector));
        uint256 found;
        for (uint256 i = 0; i < s.logs.length; i++) {
            if (isOf(s.logs[i], IExchangeEvents.Deleveraged.selector)) {
                all[found++] = receiptOf(s.logs, s.logs[i]);
            }
        }
    }

    function receiptOf(
        IVm.Log[] memory logs,
        IVm.Log memory log
    ) private view returns (Receipt memory r) {
        r.market = uint16(uint256(log.topics[2]));
        (r.side, r.r) = abi.decode(log.data, (Side, IExchangeEvents.DeleverageReceipt));
        sumOf(logs, r);
    }

    function sumOf(IVm.Log[] memory logs, Receipt memory r) private view {
        for (uint256 i = 0; i < logs.length; i++) {
            IVm.Log memory log = logs[i];
            if (log.topics.length < 3 || uint256(log.topics[2]) != r.market) continue;
            bool isHaircut = isOf(log, IExchangeEvents.Haircut.selector);
            if (isHaircut || isOf(log, IExchangeEvents.PrincipalCharged.selector)) {
                (Side side, , , uint256 amount, ) = abi.decode(
                    log.data,
                    (Side, uint16, uint256, uint256, uint256)
                );
                if (side != r.side) continue;
                if (isHaircut) r.haircuts += amount;
                else r.principals += amount;
            }
            if (!isOf(log, IExchangeEvents.CohortCut.selector)) continue;
            uint16 key = uint16(uint256(log.topics[3]));
            if (Keys.sideOfCohort(key) != r.side) continue;
            (uint256 lots, , ) = abi.decode(log.data, (uint256, int256, uint256));
            r.cuts += lots;
        }
    }

    /// @notice An account of the event is flat in every live market, an insolvent one has nothing (INV-7).
    function inv7(Step memory s) internal {
        for (uint256 i = 0; i < s.logs.length; i++) {
            IVm.Log memory log = s.logs[i];
            if (!isOf(log, IExchangeEvents.AccountDeleveraged.selector)) continue;
            uint256 place = placeOf(uint256(log.topics[2]));
            (, uint256 deficit, , ) = abi.decode(log.data, (int256, uint256, uint256, int256));
            AccountShot memory is_ = s.now_.accounts[place];
            require(!is_.isLive, Broken("INV-7: flat", place, int256(is_.notional), 0));
            bool isZero = deficit == 0 || is_.notional != 0 || is_.equity == 0;
            bool isRescue = s.before.accounts[place].notional == 0;
            require(isZero || isRescue, Broken("INV-7", place, is_.equity, 0));
            f1Account(s, place);
            if (isRescue) see(Seen.Rescue);
            else if (deficit == 0 && !isEnding) see(Seen.Expired);
        }
    }

    /// @notice Only an insolvent account, or one whose clock has run out, is closed.
    function f1Account(Step memory s, uint256 place) internal view {
        if (isEnding) return;
        AccountShot memory was = s.before.accounts[place];
        bool isInsolvent = was.equity < 0 && (was.equityAtIndex < 0 || was.notional == 0);
        bool isOver =
            was.clock != 0 && was.isLiquidatable && s.now_.time >= was.clock + configOf(OPEN).clock;
        require(isInsolvent || isOver, Broken("F1", place, was.equity, int256(uint256(was.clock))));
    }

    /// @notice Lots of the queue are closed only for lots of the event, charges are only for what the fund's budget left.
    function f1(Step memory s, Receipt memory r) internal pure {
        uint256 most = s.before.markets[r.market].flow.openInterest;
        require(r.r.lots <= most, Broken("F1: lots", r.market, int256(r.r.lots), int256(most)));
    }

    /// @notice Nobody whom the event does not name flips or grows, but a maker of the book.
    function f4(Step memory s) internal view {
        for (uint256 i = 0; i < s.now_.accounts.length; i++) {
            if (isMaker(s, i)) continue;
            for (uint256 id = 0; id < MARKETS; id++) {
                Holding memory was = s.before.accounts[i].holdings[id];
                Holding memory is_ = s.now_.accounts[i].holdings[id];
                int256 lots = int256(uint256(is_.lots));
                require(!grewIn(was, is_), Broken("F4", i, lots, int256(uint256(was.lots))));
            }
        }
    }

    /// @notice Money taken is money missing, lots closed are lots needed, to the wei and the lot (INV-8).
    function f7(Receipt memory r) internal pure {
        IExchangeEvents.DeleverageReceipt memory x = r.r;
        uint256 paid =
            x.fundWithin + x.haircut + x.discount + x.fundBeyond + x.principal + x.shortfall;
        same("F7: deficit", r.market, x.deficit, paid);
        same("F7: lots", r.market, x.lots, x.bookLots + x.dustLots + x.queueLots);
        same("F7: haircuts", r.market, x.haircut, r.haircuts + x.freshCharge);
        same("F7: principal", r.market, x.principal, r.principals);
        same("F7: cuts", r.market, x.queueLots, r.cuts);
    }

    function same(string memory what, uint256 key, uint256 a, uint256 b) private pure {
        require(a == b, Broken(what, key, int256(a), int256(b)));
    }

    /// @notice Haircuts take no more than the profit there is; principal is touched when that is used up, at most mark times the
    /// lowest maintenance rate a lot; a shortfall stands only behind that (A14, INV-18).
    function inv13(Receipt memory r) internal pure {
        IExchangeEvents.DeleverageReceipt memory x = r.r;
        if (x.deficitRule != 0) return;
        require(x.haircut <= x.base, Broken("INV-13", r.market, int256(x.haircut), int256(x.base)));
        bool isUsedUp = x.fundBeyond + x.principal + x.shortfall == 0 || x.haircut == x.base;
        require(
            isUsedUp,
            Broken("INV-18: profit left", r.market, int256(x.haircut), int256(x.base))
        );
    }

    /// @notice Front: inside a leverage the classes are cut in the order of their profit, and none before the one ahead is empty.
    function f3(Step memory s, Receipt memory r) internal view {
        uint256[8] memory before;
        for (uint256 i = 0; i < s.logs.length; i++) {
            IVm.Log memory log = s.logs[i];
            if (!isOf(log, IExchangeEvents.CohortCut.selector)) continue;
            if (uint256(log.topics[2]) != r.market) continue;
            uint16 key = uint16(uint256(log.topics[3]));
            if (Keys.sideOfCohort(key) != r.side) continue;
            uint256 class = Keys.priceClassOfCohort(key) + 1;
            uint256 last = before[Keys.leverageOfCohort(key)];
            bool isLong = r.side == Side.Long;
            bool isLater = last == 0 || (isLong ? class > last : class < last);
            require(isLater, Broken("F3", r.market, int256(class), int256(last)));
            before[Keys.leverageOfCohort(key)] = class;
        }
    }

    /// @notice The fund's budgets come first, and no more than those (INV-10, E3, E7).
    function inv8(Step memory s, Receipt[] memory all) internal view {
        uint256 draws = count(s.logs, IExchangeEvents.FundDrawn.selector);
        // A rescue draws on the share of all markets before.
        bool isRescued = draws != count(s.logs, IExchangeEvents.BudgetDrawn.selector);
        if (all.length == 0 || isRescued) return;
        bool isAlone = true;
        for (uint256 i = 1; i < all.length; i++)
            if (all[i].market != all[0].market) isAlone = false;
        for (uint16 id = 0; id < MARKETS; id++) checkBudget(s, all, id, isAlone);
    }

    /// @dev What one market drew.
    struct Drawn {
        uint256 deficit;
        uint256 within;
        uint256 beyond;
        uint256 size;
        uint256 purse;
        uint256 budget;
        uint256 share;
    }

    function checkBudget(
        Step memory s,
        Receipt[] memory all,
        uint16 id,
        bool isAlone
    ) private pure {
        Drawn memory d;
        for (uint256 i = 0; i < all.length; i++) {
            if (all[i].market != id) continue;
            d.deficit += all[i].r.deficit;
            d.within += all[i].r.fundWithin;
            d.beyond += all[i].r.fundBeyond;
        }
        if (d.deficit == 0) return;
        (d.size, d.purse) = purseOf(s, all[0].r.fundBefore);
        (d.budget, d.share) = permitOf(s, id, d.size);
        require(d.within <= d.budget, Broken("INV-10", id, int256(d.within), int256(d.budget)));
        uint256 paid = d.within + d.beyond;
        bool isIn = paid <= d.share && paid <= d.purse;
        require(isIn, Broken("E3", id, int256(paid), int256(d.share)));
        uint256 should = least(least(d.deficit, d.budget), d.purse);
        bool isFirst = !isAlone || d.within == should;
        require(isFirst, Broken("E7", id, int256(d.within), int256(should)));
    }

    /// @dev size = fund + what all markets drew and has not leaked away; the purse is 80 % of it less that.
    function purseOf(
        Step memory s,
        uint256 before
    ) private pure returns (uint256 size, uint256 purse) {
        FundSlot memory all = s.before.drawn;
        uint256 capacity = (uint256(all.size) * ALL_MARKETS) / PPM;
        uint256 level = leaked(all.drawn, capacity, s.now_.time - all.since, DAY);
        size = before + level;
        purse = least(before, less((size * ALL_MARKETS) / PPM, level));
    }

    function permitOf(
        Step memory s,
        uint16 id,
        uint256 size
    ) private pure returns (uint256 budget, uint256 share) {
        MarketShot memory m = s.before.markets[id];
        MarketConfig memory c = configOf(id);
        uint256 elapsed = s.now_.time - m.bucket.since;
        uint256 wave = leaked(m.bucket.wave, (size * c.eventBudget) / PPM, elapsed, WAVE);
        uint256 day = leaked(m.bucket.day, (size * c.marketShare) / PPM, elapsed, DAY);
        share = less((size * c.marketShare) / PPM, day);
        budget = least(
            less((size * c.eventBudget) / PPM, wave),
            less((size * c.dayBudget) / PPM, day)
        );
        budget = least(budget, share);
    }

    function leaked(
        uint256 drawn,
        uint256 capacity,
        uint256 elapsed,
        uint256 window
    ) private pure returns (uint256) {
        return less(drawn, (capacity * elapsed) / window);
    }

    function less(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : 0;
    }

    function least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    /// @notice Under `Winners`, and while no principal is charged, an account loses at most its price profit and its fresh profit.
    function f5(Step memory s, Receipt[] memory all) internal view {
        for (uint256 i = 0; i < all.length; i++) {
            if (all[i].r.principal != 0 || all[i].r.deficitRule != 0) return;
        }
        for (uint256 a = 0; a < s.now_.accounts.length; a++) {
            if (isInvolved(s, a)) continue;
            AccountShot memory was = s.before.accounts[a];
            int256 profit = int256(was.fresh);
            for (uint256 id = 0; id < MARKETS; id++) {
                if (was.holdings[id].profit > 0) profit += was.holdings[id].profit;
            }
            int256 lost = was.equity - s.now_.accounts[a].equity;
            require(lost <= profit + CENT, Broken("F5", a, lost, profit));
        }
    }

    /// @notice Open interest falls by the lots that were closed, the longer side of the event; where the book took none. Fractions that
    /// settlements leave meet those of the other side in account 3, and fall out on both.
    function f8(Step memory s, Receipt[] memory all) internal view {
        for (uint256 id = 0; id < MARKETS; id++) {
            bool isBook = isEnding || s.now_.markets[id].grade == 0;
            for (uint256 i = 0; i < all.length; i++) {
                if (all[i].market == id && all[i].r.bookLots != 0) isBook = true;
            }
            if (isBook) continue;
            uint256 fell = s.before.markets[id].flow.openInterest;
            fell -= s.now_.markets[id].flow.openInterest;
            uint256 closed = closedIn(s, id);
            uint256 met = fell > closed && isDustMoved(s, id) ? fell - closed : 0;
            require(
                met <= crossings[id],
                Broken("F8: met", id, int256(met), int256(crossings[id]))
            );
            same("F8", id, fell, closed + met);
        }
    }

    function isDustMoved(Step memory s, uint256 id) private view returns (bool) {
        for (uint256 i = 0; i < s.logs.length; i++) {
            IVm.Log memory log = s.logs[i];
            if (!isOf(log, IExchangeEvents.DustChanged.selector)) continue;
            if (uint256(log.topics[1]) == id) return true;
        }
        return false;
    }

    function closedIn(Step memory s, uint256 id) private view returns (uint256) {
        uint256[2] memory closed;
        for (uint256 i = 0; i < s.logs.length; i++) {
            IVm.Log memory log = s.logs[i];
            if (!isOf(log, IExchangeEvents.AccountDeleveraged.selector)) continue;
            Holding memory h = s.before.accounts[placeOf(uint256(log.topics[2]))].holdings[id];
            closed[h.side] += h.lots;
        }
        return closed[0] > closed[1] ? closed[0] : closed[1];
    }

    /// @notice Who has neither position nor order nor fresh profit loses nothing in an event.
    function a13Event(Step memory s) internal view {
        for (uint256 a = 0; a < s.now_.accounts.length; a++) {
            AccountShot memory was = s.before.accounts[a];
            if (was.markets != 0 || isInvolved(s, a)) continue;
            int256 is_ = s.now_.accounts[a].equity;
            require(is_ >= was.equity, Broken("A13", a, is_, was.equity));
        }
    }

    /* WHAT WAS SEEN */

    function noteReceipt(Receipt memory r) private {
        IExchangeEvents.DeleverageReceipt memory x = r.r;
        if (x.queueLots != 0) see(Seen.Adl);
        if (x.haircut != 0) see(Seen.Haircut);
        if (x.fundWithin + x.fundBeyond != 0) see(Seen.FundDrawn);
        if (x.principal != 0) see(Seen.Principal);
        if (x.shortfall != 0 || (x.deficit != 0 && x.fundBefore == 0)) see(Seen.FundEmpty);
        if (x.discount != 0) see(Seen.Discount);
        if (x.dustLots != 0) see(Seen.Dust);
        if (x.bookLots != 0) see(Seen.OutOfBook);
    }

    function noteEvent(Step memory s, Receipt[] memory all) private {
        for (uint256 i = 1; i < all.length; i++) {
            bool isSame = all[i].market == all[i - 1].market;
            if (isSame && all[i].r.deficit != 0 && all[i - 1].r.deficit != 0) see(Seen.BothSides);
        }
        if (s.named.length != 0 && isCoalition(placeOf(s.named[0]))) noteDraws(s);
    }

    /// @dev What the fund gave in this call: its balance after each draw less that before it.
    function noteDraws(Step memory s) private {
        int256 balance = s.before.fund;
        for (uint256 i = 0; i < s.logs.length; i++) {
            IVm.Log memory log = s.logs[i];
            if (!isOf(log, IExchangeEvents.BalanceChanged.selector)) continue;
            if (uint256(log.topics[1]) != House.FUND) continue;
            (IExchangeEvents.BalanceReason reason, int256 after_) = abi.decode(
                log.data,
                (IExchangeEvents.BalanceReason, int256)
            );
            bool isPaid = after_ < balance && reason != IExchangeEvents.BalanceReason.Reward;
            if (isPaid) drawnForClosed += uint256(balance - after_);
            balance = after_;
        }
    }
}
