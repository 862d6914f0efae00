// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {LibBit} from "solady/src/utils/LibBit.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Health, Price, Tally} from "../types/Context.sol";
import {Bounds, EventStage, House, MarketStatus, PPM, WHOLE} from "../types/Keys.sol";
import {DeficitRule, MarketConfig} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {ChargeSlot, EventSide, EventSlot, Market, Split, State} from "../types/State.sol";
import {Bits} from "./Bits.sol";
import {Budgets} from "./Budgets.sol";
import {Cohorts} from "./Cohorts.sol";
import {Distress} from "./Distress.sol";
import {Forced} from "./Forced.sol";
import {Fresh} from "./Fresh.sol";
import {Ladder} from "./Ladder.sol";
import {Ledger} from "./Ledger.sol";
import {Margin} from "./Margin.sol";
import {Matching} from "./Matching.sol";
import {Prices} from "./Prices.sol";
import {Positions} from "./Positions.sol";
import {Queue} from "./Queue.sol";
import {Shares} from "./Shares.sol";
import {Status} from "./Status.sol";
import {Tallies} from "./Tallies.sol";
import {Winding} from "./Winding.sol";

/// @title Deleverage
/// @notice Accounts whose clock has run out, or whose equity is gone, are closed at mark as one event: what they are missing is paid
/// by the fund and by the winners, and their lots go to the book and to the front of the queue. Linked.
///
///   a  every account is settled and leaves its cohorts; longs and shorts of the event meet
///   b  the fund pays within its budgets; the rest is charged (Ladder)
///   c  the book takes what it will near mark
///   d  account 3's dust and the queue take the rest (Ladder)
///
/// INV-7: an account of the event ends flat in every live market; its equity is 0 if it was insolvent.
/// INV-14: amounts are fixed before any lot moves, from sums over the accounts; their order does not matter.
/// @dev The exchange has refreshed all markets of the accounts.
library Deleverage {
    using FixedPointMathLib for uint256;
    using SafeCast for uint256;
    using SafeCast for int256;

    /// @dev Price classes that one transaction charges at most; see Ladder.COHORT_STEPS. About 8 million gas.
    uint256 private constant STEPS = 600;
    /// @dev What the caller gets at most for an account, quote.
    uint256 private constant ACCOUNT_REWARD = WHOLE;
    /// @dev Seconds for which an event that charged a side is named as the possible cause of the next.
    uint256 private constant PARENT_FOR = 1 hours;

    /// @notice One call.
    struct Event {
        uint64 id;
        uint256 markets; // bitmap of all that the accounts have something in
        Pot[] pots; // one a market, ascending; opened when first needed
        Owed[] owed; // the insolvent accounts
        uint256 owedCount;
        bool isCrossed; // whether an insolvent account gained somewhere
        uint256 reward; // quote
        uint256 steps;
        Budgets.Purse purse;
    }

    /// @notice One market of an event. Arrays have one entry a side.
    struct Pot {
        bool isOpen;
        bool isInvolved; // an account of the event had a position
        Price price;
        Tally tally;
        EventSlot work; // sides: by the side that pays
        uint256[2] lots; // of the accounts, by their side
        uint256[2] deficit; // quote, likewise
        uint256[2] gains; // quote, of insolvent accounts of the event, by the side that pays
        uint256[2] borne; // quote: what falls on base, likewise; no round charges gains for it again
        bool[2] isKnown; // whether base is, by the side that pays
        uint64[2] charges; // recent events that charged the side
        Budgets.Permit permit;
    }

    /// @notice What an insolvent account is missing, and where it lost it.
    struct Owed {
        uint32 account;
        uint256 deficit; // quote, not shared out yet
        Part[] parts;
    }

    struct Part {
        uint256 pot;
        Side side;
        uint256 loss; // quote: unrealised, funding included, floored at 0
        uint256 gain; // quote: price profit, as far as it is paid in cash
        uint256 notional; // quote
    }

    /* OUTSIDE */

    /// @notice Closes the accounts that are due as one event. The others emit Skipped.
    /// @param maxFills Fills in the book, over all markets; at most Bounds.FILLS.
    /// @param rewardTo Account that gets the caller's reward; none of those that are named, which would not end where the event left
    /// them (INV-7).
    /// @return done Accounts that were closed.
    function deleverage(
        State storage s,
        uint32[] memory accounts,
        uint256 maxFills,
        uint32 rewardTo
    ) external returns (uint256 done) {
        Event memory ev = open(s, accounts);
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (accounts[i] == rewardTo) rewardTo = 0;
            (bool isDue, IExchangeEvents.SkipReason reason) = gather(s, ev, accounts[i]);
            if (isDue) ++done;
            else emit IExchangeEvents.Skipped(accounts[i], reason);
        }
        if (done == 0) return 0;
        s.eventCount = ev.id;

        settleDeficits(s, ev);
        plan(s, ev);
        bool isCharged = charge(s, ev);
        if (isCharged) sell(s, ev, maxFills.min(Bounds.FILLS));
        close(s, ev);
        Ladder.reward(s, rewardTo, ev.reward);
    }

    /// @notice What an event in one market would do if accounts of side `closed` held these lots and were missing this much. Really
    /// does it, without the accounts: for a call that is undone afterwards.
    /// @param lots At most what the other side has.
    /// @param deficit Quote.
    function preview(
        State storage s,
        uint16 marketId,
        Side closed,
        uint256 lots,
        uint256 deficit
    ) external returns (IExchangeEvents.DeleverageReceipt memory) {
        Event memory ev;
        ev.id = s.eventCount + 1;
        ev.steps = type(uint128).max;
        ev.markets = 1 << uint256(marketId);
        ev.pots = new Pot[](1);
        Pot memory pot = potOf(s, ev, marketId);
        pot.isInvolved = true;
        lots = lots.min(s.markets[marketId].flow.openInterest);
        pot.lots[closed.index()] = lots;
        pot.deficit[closed.index()] = deficit;
        if (closed == Side.Long) pot.tally.longLots = -lots.toInt256();
        canCharge(s, pot, closed.opposite());
        payWithin(s, ev);
        plan(s, ev);
        charge(s, ev);
        sell(s, ev, Bounds.FILLS);
        settleDiscount(s, ev, pot, closed);
        return Ladder.run(s, pot.work, pot.price, pot.tally, closed.opposite());
    }

    /* A: THE ACCOUNTS */

    function open(
        State storage s,
        uint32[] memory accounts
    ) private view returns (Event memory ev) {
        ev.id = s.eventCount + 1;
        ev.steps = STEPS;
        for (uint256 i = 0; i < accounts.length; ++i) {
            ev.markets |= s.accounts[accounts[i]].markets;
        }
        ev.pots = new Pot[](LibBit.popCount(ev.markets));
        ev.owed = new Owed[](accounts.length);
    }

    /// @notice Closes one account, if it is due.
    function gather(
        State storage s,
        Event memory ev,
        uint32 account
    ) private returns (bool isDue, IExchangeEvents.SkipReason reason) {
        if (!Distress.isUser(s, account)) {
            return (false, IExchangeEvents.SkipReason.UnknownAccount);
        }
        uint256 markets = s.accounts[account].markets;
        if (Distress.isFrozen(s, markets)) return (false, IExchangeEvents.SkipReason.EventPending);
        (uint256 live, uint256 freshSince) = Distress.scan(s, account, markets);
        if (live == 0) return rescue(s, ev, account, markets);
        Health memory h = Margin.health(s, account);
        (isDue, reason) = due(s, account, live, freshSince, h);
        // One that owes and cannot be closed everywhere yet waits: its deficit belongs to the markets in which it lost.
        if (!isDue) return (h.equity >= 0 && closeEnded(s, ev, account, live, h.equity), reason);

        Distress.cancelOrders(s, account, markets);
        takeInFresh(s, ev, account, markets, h.equity < 0);
        closeAccount(s, ev, account, live, h);
        Distress.clearClock(s, account);
        return (true, reason);
    }

    /// @notice Whether everything that an account has in live markets is to be closed.
    function due(
        State storage s,
        uint32 account,
        uint256 live,
        uint256 freshSince,
        Health memory h
    ) private view returns (bool isDue, IExchangeEvents.SkipReason reason) {
        if (freshSince == type(uint256).max) return (false, IExchangeEvents.SkipReason.NotFresh);
        if (h.equity < 0 && h.equityAtIndex < 0) return (true, reason);
        if (!Margin.isLiquidatable(h)) return (false, IExchangeEvents.SkipReason.Healthy);
        isDue = hasRunOut(s, account, live, freshSince);
        reason = IExchangeEvents.SkipReason.ClockRunning;
    }

    /// @notice Closes what an account has in markets that have ended, at their last price, against ledger account 3, to whom lots at a
    /// price that never moves are worth nothing. No penalty, no third party, and the account's equity stays what it is.
    /// @dev Its profit is fresh, as of any trade: who comes first must not escape what insolvent accounts are still missing.
    /// @return isAny Whether there was anything.
    function closeEnded(
        State storage s,
        Event memory ev,
        uint32 account,
        uint256 live,
        int256 equity
    ) private returns (bool isAny) {
        for (; live != 0; live &= live - 1) {
            uint16 marketId = uint16(Bits.leastSignificant(live));
            if (s.markets[marketId].book.status & MarketStatus.ENDED == 0) continue;
            isAny = true;
            Distress.cancelOrders(s, account, 1 << uint256(marketId));
            Winding.handOver(s, marketId, account);
        }
        if (!isAny) return false;
        int256 balance = Ledger.balanceOf(s, account);
        emit IExchangeEvents.AccountDeleveraged(ev.id, account, equity, 0, 0, balance);
    }

    /// @notice Whether the clock has run for as long as the slowest of the account's markets asks.
    function hasRunOut(
        State storage s,
        uint32 account,
        uint256 live,
        uint256 freshSince
    ) private view returns (bool) {
        if (s.accounts[account].clock == 0) return false;
        uint256 duration;
        for (; live != 0; live &= live - 1) {
            duration = duration.max(s.markets[uint16(Bits.leastSignificant(live))].config.clock);
        }
        return Distress.elapsed(s, account, freshSince) >= duration;
    }

    /// @notice An account without a position that a haircut of its fresh profit left below zero: nobody lost against it, so the
    /// fund pays, within the share of all markets. What the fund does not have stays owed.
    function rescue(
        State storage s,
        Event memory ev,
        uint32 account,
        uint256 markets
    ) private returns (bool isDue, IExchangeEvents.SkipReason reason) {
        Health memory h = Margin.health(s, account);
        Budgets.Purse memory purse = Budgets.open(s);
        if (h.notional != 0 || h.equity >= 0 || purse.left == 0) {
            return (false, IExchangeEvents.SkipReason.NoPosition);
        }
        takeInFresh(s, ev, account, markets, true);
        Distress.cancelOrders(s, account, markets);
        uint256 deficit = uint256(-h.equity);
        uint256 paid = deficit.min(purse.left);
        Budgets.drawUnbudgeted(s, purse, paid, IExchangeEvents.BalanceReason.FundDraw);
        int256 balance = Ledger.credit(s, account, paid.toInt256());
        emit IExchangeEvents.AccountDeleveraged(ev.id, account, h.equity, deficit, 0, balance);
        return (true, reason);
    }

    /// @dev An insolvent account's fresh profit pays its own losses first. Of a solvent one what has matured becomes balance, which the
    /// penalty is paid from.
    function takeInFresh(
        State storage s,
        Event memory ev,
        uint32 account,
        uint256 markets,
        bool isInsolvent
    ) private {
        for (; markets != 0; markets &= markets - 1) {
            uint16 marketId = uint16(Bits.leastSignificant(markets));
            if (s.markets[marketId].freshRecords[account].epoch == 0) continue;
            Pot memory pot = potOf(s, ev, marketId);
            pot.tally = Forced.takeInFresh(s, marketId, account, isInsolvent, pot.tally);
        }
    }

    function closeAccount(
        State storage s,
        Event memory ev,
        uint32 account,
        uint256 live,
        Health memory before
    ) private {
        Part[] memory parts = new Part[](LibBit.popCount(live));
        uint256 penalty;
        uint256 reward;
        for (uint256 i = 0; i < parts.length; ++i) {
            uint16 marketId = uint16(Bits.leastSignificant(live));
            live &= live - 1;
            uint256 notional = takeOut(s, ev, account, marketId, parts[i]);
            MarketConfig storage config = s.markets[marketId].config;
            uint256 rated = (notional * config.penalty) / PPM;
            penalty += rated;
            reward += (rated * config.callerShare) / PPM;
        }
        nameParents(ev, parts);
        ev.reward += reward.min(ACCOUNT_REWARD);
        uint256 deficit = square(s, ev, account, before, penalty, parts);
        if (deficit == 0) return;
        ev.owed[ev.owedCount++] = Owed(account, deficit, parts);
        for (uint256 i = 0; i < parts.length; ++i) {
            if (parts[i].gain == 0) continue;
            ev.isCrossed = true;
            ev.pots[parts[i].pot].gains[parts[i].side.index()] += parts[i].gain;
        }
    }

    /// @notice One position leaves its cohort at mark and becomes the event's.
    function takeOut(
        State storage s,
        Event memory ev,
        uint32 account,
        uint16 marketId,
        Part memory part
    ) private returns (uint256 notional) {
        Pot memory pot = potOf(s, ev, marketId);
        pot.isInvolved = true;
        Side side;
        uint256 lots;
        int256 profit;
        (side, lots, profit, part.gain, pot.tally) = Positions.takeOut(
            s,
            pot.price,
            account,
            pot.tally
        );
        notional = lots * pot.price.mark;
        pot.lots[side.index()] += lots;
        part.pot = indexOf(ev, marketId);
        part.side = side;
        part.loss = profit < 0 ? uint256(-profit) : 0;
        // Never 0, because a deficit must go somewhere even if earlier events cut all positions to nothing.
        part.notional = notional.max(1);
    }

    /// @notice An account that is closed has a deficit, or pays a penalty from what is left; what it gained is fresh then, as after any
    /// trade, so that it pays haircuts of this event and the next ones.
    /// @dev A penalty is paid from the balance alone: below zero it would be fresh profit that stands against it, and a
    /// haircut of that would leave a debt without a position. For the same reason no more becomes fresh than the balance has.
    function square(
        State storage s,
        Event memory ev,
        uint32 account,
        Health memory before,
        uint256 rated,
        Part[] memory parts
    ) private returns (uint256 deficit) {
        Health memory h;
        if (s.accounts[account].markets == 0) h.equity = Ledger.balanceOf(s, account);
        else h = Margin.health(s, account);

        uint256 penalty;
        int256 balance;
        if (h.equity < 0) {
            deficit = uint256(-h.equity);
            balance = Ledger.credit(s, account, deficit.toInt256());
        } else {
            balance = Ledger.balanceOf(s, account);
            penalty = Margin.penalty(rated, before, h);
            penalty = penalty.min(balance > 0 ? uint256(balance) : 0);
        }
        if (penalty != 0) {
            balance = Ledger.credit(s, account, -penalty.toInt256());
            int256 fund = Ledger.credit(s, House.FUND, penalty.toInt256());
            emit IExchangeEvents.BalanceChanged(
                House.FUND,
                IExchangeEvents.BalanceReason.Penalty,
                fund
            );
        }
        if (deficit == 0) balance = keepFresh(s, ev, account, balance, parts);
        emit IExchangeEvents.AccountDeleveraged(
            ev.id,
            account,
            h.equity,
            deficit,
            penalty,
            balance
        );
    }

    /// @return The balance that is left.
    function keepFresh(
        State storage s,
        Event memory ev,
        uint32 account,
        int256 balance,
        Part[] memory parts
    ) private returns (int256) {
        for (uint256 i = 0; i < parts.length && balance > 0; ++i) {
            uint256 gain = parts[i].gain.min(uint256(balance));
            if (gain == 0) continue;
            Pot memory pot = ev.pots[parts[i].pot];
            (balance, pot.tally) = Forced.keepFresh(
                s,
                pot.price.market,
                account,
                parts[i].side,
                gain,
                pot.tally
            );
        }
        return balance;
    }

    /// @notice The receipts name the latest event that charged a position of one of the accounts: it may have caused this one.
    function nameParents(Event memory ev, Part[] memory parts) private pure {
        uint64 parent;
        for (uint256 i = 0; i < parts.length; ++i) {
            uint64 charged = ev.pots[parts[i].pot].charges[parts[i].side.index()];
            if (charged > parent) parent = charged;
        }
        for (uint256 i = 0; i < parts.length; ++i) {
            EventSide memory to = payersOf(ev.pots[parts[i].pot], parts[i].side);
            if (parent > to.parent) to.parent = parent;
        }
    }

    /* B: WHAT IS MISSING AND WHO PAYS */

    /// @notice Shares all deficits out, and the fund's part of them. What an insolvent account gained against others of the event paid
    /// its losses elsewhere; it gives its part of what is missing there like every winner, which raises its own deficit. So
    /// nobody escapes by being named together with those that he won against (INV-18).
    /// @dev One round a market at most: enough for any chain of such accounts. Round a circle what is left after that falls on the others.
    function settleDeficits(State storage s, Event memory ev) private {
        share(s, ev);
        payWithin(s, ev);
        if (!ev.isCrossed) return;
        for (uint256 i = 0; i < ev.pots.length && chargeNamed(s, ev); ++i) {
            share(s, ev);
            payWithin(s, ev);
        }
    }

    /// @notice Charges what insolvent accounts of the event gained, in proportion with all other profit of their side.
    /// @dev Rounding: down, for each account, so that their order does not matter.
    /// @return any Whether there was anything; it has become deficits of these accounts.
    function chargeNamed(State storage s, Event memory ev) private returns (bool any) {
        for (uint256 i = 0; i < ev.pots.length; ++i) {
            Pot memory pot = ev.pots[i];
            if (!pot.isInvolved) continue;
            if (s.markets[pot.price.market].config.deficitRule == DeficitRule.Queue) continue;
            for (uint256 side = 0; side < 2; ++side) {
                if (pot.gains[side] == 0) continue;
                uint256 closed = 1 - side;
                EventSide memory to = pot.work.sides[side];
                uint256 all = pot.gains[side] + to.base - pot.borne[side];
                uint256 due_ = unpaid(pot, closed).zeroFloorSub(pot.borne[side]).min(all);
                uint256 taken = chargeGains(ev, i, Side(side), due_, all);
                pot.gains[side] -= taken;
                pot.deficit[closed] -= taken;
                pot.borne[side] = (pot.borne[side] + due_ - taken).min(to.base);
                any = any || taken != 0;
            }
        }
    }

    function chargeGains(
        Event memory ev,
        uint256 pot,
        Side side,
        uint256 amount,
        uint256 all
    ) private returns (uint256 taken) {
        if (amount == 0) return 0;
        for (uint256 i = 0; i < ev.owedCount; ++i) {
            Owed memory owed = ev.owed[i];
            for (uint256 j = 0; j < owed.parts.length; ++j) {
                Part memory part = owed.parts[j];
                if (part.pot != pot || part.side != side) continue;
                uint256 share_ = Shares.upTo(amount, part.gain, all);
                if (share_ == 0) continue;
                part.gain -= share_;
                owed.deficit += share_;
                taken += share_;
                emit IExchangeEvents.GainCharged(
                    ev.id,
                    ev.pots[pot].price.market,
                    owed.account,
                    share_
                );
            }
        }
    }

    /// @notice Splits every account's deficit over its markets, by loss, or by notional if there is none. A market with nothing
    /// to charge passes its part on, once.
    function share(State storage s, Event memory ev) private {
        for (uint256 i = 0; i < ev.owedCount; ++i) {
            Owed memory owed = ev.owed[i];
            if (owed.deficit == 0) continue;
            (bool[] memory isAsked, bool byLoss) = payersFor(s, ev, owed.parts);
            uint256[] memory weights = new uint256[](owed.parts.length);
            uint256 sum;
            for (uint256 j = 0; j < weights.length; ++j) {
                if (!isAsked[j]) continue;
                weights[j] = byLoss ? owed.parts[j].loss : owed.parts[j].notional;
                sum += weights[j];
            }
            Split memory split = Shares.start(owed.deficit, sum);
            for (uint256 j = 0; j < weights.length; ++j) {
                Part memory part = owed.parts[j];
                ev.pots[part.pot].deficit[part.side.index()] += Shares.next(split, weights[j]);
            }
            owed.deficit = 0;
        }
    }

    /// @return isAsked Which parts' markets can be charged; all, if none can.
    /// @return byLoss Whether one of these parts lost.
    function payersFor(
        State storage s,
        Event memory ev,
        Part[] memory parts
    ) private returns (bool[] memory isAsked, bool byLoss) {
        isAsked = new bool[](parts.length);
        bool any;
        for (uint256 i = 0; i < parts.length; ++i) {
            isAsked[i] = canCharge(s, ev.pots[parts[i].pot], parts[i].side.opposite());
            any = any || isAsked[i];
        }
        for (uint256 i = 0; i < parts.length; ++i) {
            if (!any) isAsked[i] = true;
            byLoss = byLoss || (isAsked[i] && parts[i].loss != 0);
        }
    }

    function canCharge(State storage s, Pot memory pot, Side payers) private returns (bool) {
        Market storage m = s.markets[pot.price.market];
        if (m.config.deficitRule == DeficitRule.Queue) return true;
        EventSide memory to = pot.work.sides[payers.index()];
        if (!pot.isKnown[payers.index()]) {
            pot.isKnown[payers.index()] = true;
            uint256 open_ = guaranteed(m, pot.price, payers);
            to.fresh = Fresh.hold(m, pot.price.market, payers).toUint128();
            to.base = (open_ + to.fresh).toUint128();
        }
        return to.base + pot.gains[payers.index()] != 0;
    }

    /// @notice Guaranteed profit of all price classes of a side.
    /// @dev Reads every class in profit, about 3k gas each: entries within a factor of two are 64 classes at most.
    function guaranteed(
        Market storage m,
        Price memory price,
        Side side
    ) private view returns (uint256 total) {
        (uint256 class, bool found) = Queue.firstClass(m, side);
        while (found && Ladder.isInProfit(price, side, class)) {
            total += Cohorts.guaranteedProfit(m, price, side, class);
            (class, found) = Queue.nextClass(m, side, class);
        }
    }

    /// @notice The fund's part within its budgets, for all markets before anything else is taken from it. If all markets together
    /// want more than their share, all get less.
    function payWithin(State storage s, Event memory ev) private {
        ev.purse = Budgets.open(s);
        uint256 fundBefore = balanceOfFund(s);
        uint256[] memory wants = new uint256[](ev.pots.length);
        uint256 sum;
        for (uint256 i = 0; i < wants.length; ++i) {
            Pot memory pot = ev.pots[i];
            if (!pot.isInvolved) continue;
            if (pot.work.fundBefore == 0) pot.work.fundBefore = fundBefore.toUint128();
            pot.permit = Budgets.permitOf(s.markets[pot.price.market], ev.purse);
            wants[i] = (unpaid(pot, 0) + unpaid(pot, 1)).min(pot.permit.within);
            sum += wants[i];
        }
        if (sum == 0) return;
        Split memory split = Shares.start(sum.min(ev.purse.left), sum);
        for (uint256 i = 0; i < wants.length; ++i) {
            Pot memory pot = ev.pots[i];
            uint256 paid = Shares.next(split, wants[i]);
            if (paid == 0) continue;
            draw(s, ev, pot, paid, IExchangeEvents.BalanceReason.FundDraw);
            Split memory sides = Shares.start(paid, unpaid(pot, 0) + unpaid(pot, 1));
            for (uint256 side = 0; side < 2; ++side) {
                EventSide memory to = payersOf(pot, Side(side));
                to.within = (to.within + Shares.next(sides, unpaid(pot, side))).toUint128();
            }
        }
    }

    /// @notice What accounts of a side are missing and the fund has not paid within its budget.
    function unpaid(Pot memory pot, uint256 side) private pure returns (uint256) {
        return pot.deficit[side] - payersOf(pot, Side(side)).within;
    }

    function balanceOfFund(State storage s) private view returns (uint256) {
        int256 balance = Ledger.balanceOf(s, House.FUND);
        return balance > 0 ? uint256(balance) : 0;
    }

    /// @notice Fixes what every rung of the ladder pays in every market.
    function plan(State storage s, Event memory ev) private {
        for (uint256 i = 0; i < ev.pots.length; ++i) {
            Pot memory pot = ev.pots[i];
            if (!pot.isInvolved) continue;
            for (uint256 side = 0; side < 2; ++side) planSide(s, ev, pot, Side(side));
        }
    }

    /// @dev Haircut, fund beyond its event budget, principal, shortfall: each takes what the one before left. Under the Queue rule
    /// the closed cohorts bear it all.
    function planSide(State storage s, Event memory ev, Pot memory pot, Side closed) private {
        Market storage m = s.markets[pot.price.market];
        EventSide memory to = payersOf(pot, closed);
        (uint256 own, uint256 other) = (
            pot.lots[closed.index()],
            pot.lots[closed.opposite().index()]
        );
        to.lots = own.zeroFloorSub(other).toUint64();
        uint256 deficit = pot.deficit[closed.index()];
        to.deficit = deficit.toUint128();
        uint256 left = unpaid(pot, closed.index());
        if (left == 0 || m.config.deficitRule == DeficitRule.Queue) {
            to.discount = left.toUint128();
            to.stage = EventStage.Dust;
            return;
        }
        uint256 haircut = left.min(to.base);
        to.haircut = haircut.toUint128();
        to.split = Shares.start(haircut, to.base);
        left -= haircut;
        left -= drawBeyond(s, ev, pot, to, left);

        Side payers = closed.opposite();
        int256 open_ = int256(pot.lots[0]) - int256(pot.lots[1]);
        uint256 lots = Ladder.sideLots(m, pot.tally, payers, open_);
        to.sideLots = lots.toUint64();
        uint256 principal = left.min(principalBound(m, pot.price, lots));
        to.principal = principal.toUint128();
        book(m, pot, to, left - principal);
    }

    /// @notice Mark × the lowest maintenance rate for every lot; that rate is half of the first bracket's.
    function principalBound(
        Market storage m,
        Price memory price,
        uint256 lots
    ) private view returns (uint256) {
        return (lots * price.mark) / (2 * uint256(m.config.tierLeverage1));
    }

    /// @notice The fund beyond its event budget, up to the market's share.
    function drawBeyond(
        State storage s,
        Event memory ev,
        Pot memory pot,
        EventSide memory to,
        uint256 left
    ) private returns (uint256 paid) {
        paid = left.min(pot.permit.share).min(ev.purse.left);
        to.beyond = (to.beyond + paid).toUint128();
        draw(s, ev, pot, paid, IExchangeEvents.BalanceReason.FundDraw);
    }

    function draw(
        State storage s,
        Event memory ev,
        Pot memory pot,
        uint256 amount,
        IExchangeEvents.BalanceReason reason
    ) private {
        Budgets.draw(s, pot.price.market, ev.purse, amount, reason);
        pot.permit.within = pot.permit.within.zeroFloorSub(amount);
        pot.permit.share -= amount;
    }

    /// @notice What nobody could pay is owed by the market: it only shrinks, its fresh profit does not mature, and its income repays it
    /// first.
    function book(Market storage m, Pot memory pot, EventSide memory to, uint256 amount) private {
        if (amount == 0) return;
        Fresh.holdBoth(m, pot.price.market);
        to.shortfall = (to.shortfall + amount).toUint128();
        uint256 shortfall = m.pool.shortfall + amount;
        m.pool.shortfall = shortfall.toUint128();
        emit IExchangeEvents.ShortfallChanged(pot.price.market, shortfall);
        Status.set(m, pot.price.market, m.book.status | MarketStatus.REDUCE_ONLY);
    }

    /// @return isCharged Whether it was possible within this transaction.
    function charge(State storage s, Event memory ev) private returns (bool isCharged) {
        isCharged = true;
        for (uint256 i = 0; i < ev.pots.length; ++i) {
            Pot memory pot = ev.pots[i];
            if (!pot.isInvolved || Ladder.isCharged(pot.work)) continue;
            (pot.work, pot.tally, ev.steps) = Ladder.charge(
                s,
                pot.work,
                pot.price,
                pot.tally,
                ev.steps
            );
            isCharged = isCharged && Ladder.isCharged(pot.work);
        }
    }

    /* C: THE BOOK */

    function sell(State storage s, Event memory ev, uint256 fills) private {
        for (uint256 i = 0; i < ev.pots.length && fills != 0; ++i) {
            Pot memory pot = ev.pots[i];
            if (!pot.isInvolved || pot.lots[0] == pot.lots[1]) continue;
            if (s.markets[pot.price.market].book.status & MarketStatus.ENDED != 0) continue;
            fills = sellLots(s, ev, pot, fills);
        }
    }

    /// @notice Sells the event's lots to the book, no further than mark ∓ liqSlip. The fund pays the difference to mark, as far as it
    /// has budget beyond the deficit; without that, the book takes lots at mark or better only.
    /// @return Fills left.
    function sellLots(
        State storage s,
        Event memory ev,
        Pot memory pot,
        uint256 fills
    ) private returns (uint256) {
        Market storage m = s.markets[pot.price.market];
        Side closed = pot.lots[0] > pot.lots[1] ? Side.Long : Side.Short;
        EventSide memory to = payersOf(pot, closed);
        uint256 atMark = tickTowards(closed, pot.price.mark, pot.price.unit);
        uint256 worst = worstTick(m, pot.price, closed);
        uint256 perLot = pot.price.mark.dist(worst * pot.price.unit);
        uint256 room = pot.permit.within.min(pot.permit.share).min(ev.purse.left);
        uint256 affordable = worst == atMark ? to.lots : room / perLot;
        if (affordable < to.lots) {
            fills = take(s, ev, pot, closed, Want(to.lots, atMark, fills));
            affordable = affordable.min(to.lots - to.bookLots);
        } else {
            affordable = to.lots;
        }
        if (affordable == 0 || fills == 0) return fills;
        return take(s, ev, pot, closed, Want(affordable, worst, fills));
    }

    struct Want {
        uint256 lots;
        uint256 tick;
        uint256 fills;
    }

    function take(
        State storage s,
        Event memory ev,
        Pot memory pot,
        Side closed,
        Want memory want
    ) private returns (uint256 fills) {
        Matching.Taken memory taken;
        (taken, pot.tally) = Matching.take(
            s,
            Matching.Take({
                market: pot.price.market,
                taker: 0,
                side: closed.opposite(),
                lots: want.lots,
                limitTick: want.tick,
                maxFills: want.fills,
                isForced: true,
                isReduceOnly: false
            }),
            pot.price,
            pot.tally
        );
        EventSide memory to = payersOf(pot, closed);
        to.bookLots = (to.bookLots + taken.lots).toUint64();
        int256 gain = taken.quote.toInt256() - (taken.lots * pot.price.mark).toInt256();
        gain *= closed.sign();
        // The accounts were closed at mark: what the makers paid more is the fund's, and does not belong to the market's rest.
        pot.tally.rest -= gain;
        if (gain < 0) {
            draw(s, ev, pot, uint256(-gain), IExchangeEvents.BalanceReason.Slippage);
        } else if (gain > 0) {
            int256 balance = Ledger.credit(s, House.FUND, gain);
            emit IExchangeEvents.BalanceChanged(
                House.FUND,
                IExchangeEvents.BalanceReason.Slippage,
                balance
            );
        }
        return want.fills.zeroFloorSub(taken.fills);
    }

    /// @notice The tick at mark ∓ liqSlip, rounded towards mark.
    function worstTick(
        Market storage m,
        Price memory price,
        Side closed
    ) private view returns (uint256) {
        uint256 slip = (price.mark * m.config.liqSlip) / PPM;
        uint256 worst = closed == Side.Long ? price.mark - slip : price.mark + slip;
        return tickTowards(closed, worst, price.unit);
    }

    /// @dev The nearest tick that is no worse for whoever sells out of `closed`.
    function tickTowards(Side closed, uint256 price, uint256 unit) private pure returns (uint256) {
        return closed == Side.Long ? price.divUp(unit) : price / unit;
    }

    /* D: THE END */

    function close(State storage s, Event memory ev) private {
        for (uint256 i = 0; i < ev.pots.length; ++i) {
            Pot memory pot = ev.pots[i];
            if (!pot.isOpen) continue;
            if (pot.isInvolved) {
                for (uint256 side = 0; side < 2; ++side) settleDiscount(s, ev, pot, Side(side));
                ev.steps = Ladder.close(s, pot.work, pot.price, pot.tally, ev.steps);
            } else {
                Tallies.store(s.markets[pot.price.market], pot.price.market, pot.tally);
            }
        }
    }

    /// @dev Queue rule: if no lot reaches the queue, nobody bears the discount; then the fund pays beyond its event budget, and
    /// the rest is owed.
    function settleDiscount(State storage s, Event memory ev, Pot memory pot, Side closed) private {
        EventSide memory to = payersOf(pot, closed);
        if (to.discount == 0) return;
        Market storage m = s.markets[pot.price.market];
        uint256 dust = closed == Side.Long ? m.dust.shortLots : m.dust.longLots;
        if (to.lots - to.bookLots > dust) return;
        uint256 left = to.discount;
        to.discount = 0;
        left -= drawBeyond(s, ev, pot, to, left);
        book(m, pot, to, left);
    }

    /* HELPERS */

    function indexOf(Event memory ev, uint16 marketId) private pure returns (uint256) {
        return LibBit.popCount(ev.markets & ((1 << uint256(marketId)) - 1));
    }

    function potOf(
        State storage s,
        Event memory ev,
        uint16 marketId
    ) private view returns (Pot memory pot) {
        pot = ev.pots[indexOf(ev, marketId)];
        if (pot.isOpen) return pot;
        Market storage m = s.markets[marketId];
        pot.isOpen = true;
        pot.price = Prices.load(s, marketId);
        pot.work.id = ev.id;
        pot.work.mark = pot.price.mark.toUint64();
        pot.work.funding = pot.price.funding.toInt128();
        pot.work.quantityRule = m.config.quantityRule;
        ChargeSlot memory charges = m.charges;
        if (block.timestamp - charges.longTime <= PARENT_FOR) pot.charges[0] = charges.longEvent;
        if (block.timestamp - charges.shortTime <= PARENT_FOR) pot.charges[1] = charges.shortEvent;
    }

    /// @notice What happens to the side that stands against the accounts of side `closed`.
    function payersOf(Pot memory pot, Side closed) private pure returns (EventSide memory) {
        return pot.work.sides[closed.opposite().index()];
    }
}
