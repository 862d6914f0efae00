// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {LibBit} from "solady/src/utils/LibBit.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {Health, Price, SizeAt, Snapshot} from "../types/Context.sol";
import {Grade, Keys, MICRO, PPM} from "../types/Keys.sol";
import {LeverageTable, MarketConfig} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {Market, Position, Resting, State} from "../types/State.sol";
import {Bits} from "./Bits.sol";
import {Caps} from "./Caps.sol";
import {CohortMath} from "./CohortMath.sol";
import {Cohorts} from "./Cohorts.sol";
import {Fresh} from "./Fresh.sol";
import {Ledger} from "./Ledger.sol";
import {HealthMath} from "./HealthMath.sol";
import {Prices} from "./Prices.sol";
import {Queue} from "./Queue.sol";
import {SignedMath} from "./SignedMath.sol";
import {Tiers} from "./Tiers.sol";

/// @title Margin
/// @notice What an account has, what it needs, and what follows from the two: the judge, the check of makers, what may be
/// withdrawn, and how far and at what price a forced sale goes. Reads only.
///
///   equity      = balance + fresh profit + Σ value
///   value       = floor(side · lots · (price · 2^32 − F) / 2^32) − side · cost
///   maintenance = Σ half of the tiers' requirement of the position
///   initial     = Σ max(notional / leverage, the tiers' requirement, market risk), on the worst of position + bids and
///                 position − asks; a storm asks for more of what adds risk, not of withdrawals
///
/// @dev Rounding: value towards −∞, requirements up, each once per market. What follows compares these whole numbers, so
/// that "equity / maintenance does not fall" (INV-15) means the numbers of `health`, without a gap.
/// @dev Widths: a notional is below 2^124 (Bounds). Equity is money that a balance (int128) can hold; with eight markets
/// a requirement is below 2^127, so that a product of both fits int256.
/// @dev A waiting jump of the index: `prudent` and `initial` use the worse of mark and the price that waits, maker checks and
/// liquidation must hold at both. A dead market counts at its last good mark.
library Margin {
    using Tiers for Tiers.Brackets;

    /// @dev A forced sale aims at 5/4 of maintenance.
    int256 private constant TARGET_NUMERATOR = 5;
    int256 private constant TARGET_DENOMINATOR = 4;
    /// @dev Closing lots and settling their funding loses at most this much to rounding, quote.
    int256 private constant SALE_ROUNDING = 2;
    /// @dev How much nearer to mark than the zero price a limit stays, quote per lot. A sale of d ≥ 1 lots at distance z
    /// keeps equity / maintenance if d·z ≤ exact − equity/maintenance − SALE_ROUNDING, the middle term because the
    /// requirement of what is left is rounded up; below the target that term is at most 5/4.
    int256 private constant LIMIT_ROUNDING = 4;
    /// @dev Entries are in ticks · 2^ENTRY_BITS.
    uint256 private constant ENTRY_BITS = 16;
    uint256 private constant NIBBLE = 0xf;
    /// @dev An account's share of the cap is in percent.
    uint256 private constant SHARE = 100;

    /// @dev What a fill does to a maker. First the lots that close what it holds, then those that open.
    struct MakerFill {
        Side side; // bought: Long, sold: Short
        uint256 price; // quote per lot
        uint256 closing; // lots
        uint256 opening; // lots
        uint256 kept; // lots of what it holds that stay
        int256 paid; // quote: for what it holds, times its side, and for the fill
    }

    /// @dev An account as `measure` finds it.
    struct Measured {
        Health health;
        int256 balance; // quote, settled cash and matured profit included
        bool isPending; // a jump waits in one of its markets
    }

    /* HEALTH */

    /// @notice Margin of an account as if it were settled now, at the prices as stored.
    function health(State storage s, uint32 account) public view returns (Health memory) {
        return measure(s, account, sizesFor(s, account)).health;
    }

    /// @notice What the judge compares.
    function snapshot(State storage s, uint32 account) public view returns (Snapshot memory snap) {
        snap.markets = s.accounts[account].markets;
        snap.sizes = sizesFor(s, account);
        snap.health = measure(s, account, snap.sizes).health;
    }

    /// @notice The balance as if the account were settled now, quote: cash of events and matured profit included.
    function settledBalance(State storage s, uint32 account) public view returns (int256) {
        return measure(s, account, sizesFor(s, account)).balance;
    }

    /// @notice Maintenance margin of one position at mark, quote, rounded up; 0 if there is none.
    function maintenanceOf(
        State storage s,
        Price memory price,
        uint32 account
    ) public view returns (uint256) {
        (SizeAt memory p, ) = shareOf(s.markets[price.market], price.market, account);
        return Tiers.load(s.markets[price.market].config).maintenanceUp(p.lots * price.mark);
    }

    /// @notice The leverage class that an account chose in a market, within what the market allows now.
    function chosenClass(Market storage m, uint32 account) internal view returns (uint256) {
        return FixedPointMathLib.min(storedClass(m, account), m.config.maxLeverage);
    }

    /* THE JUDGE */

    /// @notice Ends every path that changes size, orders or margin: enough initial margin, or risk only fell.
    /// @dev Reverts: AccountCapReached, TopCapReached, MarginTooLow.
    function requireAllowed(State storage s, uint32 account, Snapshot memory before) public view {
        Snapshot memory now_ = snapshot(s, account);
        Health memory h = now_.health;
        requireUnderCaps(s, account, before.sizes, now_.sizes);
        if (h.prudent >= int256(h.initial)) return;
        bool isAllowed =
            onlyShrank(before.sizes, now_.sizes) && HealthMath.isNotPoorer(before.health, h);
        require(isAllowed, IExchangeErrors.MarginTooLow(h.prudent, h.initial));
    }

    /// @notice Whether a resting order of `maker` may be filled (INV-12): the account after the fill, without other
    /// reservations. Growing or flipping needs equity ≥ maintenance, ≥ initial margin if the price is worse than mark;
    /// shrinking at a price worse than mark needs equity / maintenance not lower (flat: equity ≥ 0).
    /// @dev Rounding: the fill's cost exactly as Positions books it; the bond of a cohort is counted if one may have to be
    /// opened; what leaving another may give back is not.
    /// @param side What the maker does: buys (Long) or sells (Short).
    /// @param fillPrice Quote per lot.
    /// @param fee Quote, paid by the maker.
    function allowsMaker(
        State storage s,
        Price memory price,
        uint32 maker,
        Side side,
        uint256 lots,
        uint256 fillPrice,
        uint256 fee
    ) public view returns (bool) {
        Market storage m = s.markets[price.market];
        (SizeAt memory held, CohortMath.Share memory share) = shareOf(m, price.market, maker);
        bool shrinks = held.lots >= lots && held.side != side;
        bool isWorse = isWorseThanMark(price, side, fillPrice);
        if (shrinks && !isWorse) return true;

        bool needsInitial = isWorse && !shrinks;
        Health memory h = healthElsewhere(s, maker, price.market, needsInitial);
        HealthMath.shift(h, share.cash);
        Health memory before;
        if (shrinks) {
            before = HealthMath.copyOf(h);
            HealthMath.addMarket(before, m.config, price, held, share.cost, 0);
        }
        MakerFill memory fill = fillOf(held, side, lots, fillPrice);
        fill.paid = held.side.sign() * share.cost + int256(fee);
        if (opensCohort(m, price, maker, fill)) fill.paid += int256(m.config.cohortBond * MICRO);
        uint256 leverage = needsInitial ? LeverageTable.leverageOf(chosenClass(m, maker)) : 0;
        addFilled(h, m.config, price, held.side, fill, leverage);

        if (needsInitial) return h.prudent >= int256(h.initial);
        if (!shrinks) return HealthMath.coversMaintenance(h);
        return HealthMath.isNotPoorer(before, h) && HealthMath.isNotPoorerAtPending(before, h);
    }

    /// @notice What may be withdrawn, quote: min(balance, prudent equity − fresh profit) − initial margin; nothing while a
    /// jump waits in one of its markets, unless the account holds no position.
    function withdrawable(State storage s, uint32 account) public view returns (uint256) {
        Measured memory a = measure(s, account, sizesFor(s, account));
        if (a.isPending && a.health.maintenance != 0) return 0;
        int256 free = settledPart(a) - int256(a.health.initialCalm);
        return free > 0 ? uint256(free) : 0;
    }

    /// @notice What a choice of lower leverage compares: the settled balance, without unrealised and fresh profit, must
    /// cover the initial margin.
    /// @return settled Quote.
    /// @return initial Quote.
    function coverage(
        State storage s,
        uint32 account
    ) public view returns (int256 settled, uint256 initial) {
        Measured memory a = measure(s, account, sizesFor(s, account));
        return (settledPart(a), a.health.initialCalm);
    }

    /* FORCED SALES */

    /// @notice Below maintenance with all markets at mark, with all at index, and with every waiting jump taken.
    function isLiquidatable(Health memory h) internal pure returns (bool) {
        return
            h.equity < int256(h.maintenance) &&
            h.equityAtIndex < int256(h.maintenanceAtIndex) &&
            h.equityAtPending < int256(h.maintenanceAtPending);
    }

    /// @notice Whether the account has reached what a forced sale aims at, equity ≥ 5/4 · maintenance.
    function isAtTarget(Health memory h) internal pure returns (bool) {
        return h.equity * TARGET_DENOMINATOR >= int256(h.maintenance) * TARGET_NUMERATOR;
    }

    /// @notice The price at which selling the whole position uses up its share of the account's equity.
    ///
    ///   zero price = mark − side · equity · (maintenance of the position) / (maintenance · lots)
    ///
    /// @dev Rounding: towards the better price for the account. 0 if there is no position, or no such price.
    /// @return Quote per lot.
    function zeroPrice(
        State storage s,
        Price memory price,
        uint32 account,
        Health memory h
    ) public view returns (uint256) {
        (SizeAt memory p, ) = shareOf(s.markets[price.market], price.market, account);
        if (p.lots == 0) return 0;
        return away(price.mark, p, zeroDistanceFloor(s, price, p, h));
    }

    /// @notice The worst price that a forced sale may have now: from mark ∓ slip0 to the zero price over the clock's time,
    /// never beyond the zero price, at mark when the equity is gone.
    /// @dev Rounding: every distance from mark down; and LIMIT_ROUNDING short of the zero price, so that no sale at the
    /// limit lowers equity / maintenance (INV-15) by its rounding.
    /// @param elapsed Seconds since the clock started.
    /// @return limitPrice Quote per lot.
    /// @return zeroPrice_ Quote per lot.
    function limit(
        State storage s,
        Price memory price,
        uint32 account,
        Health memory h,
        uint256 elapsed
    ) public view returns (uint256 limitPrice, uint256 zeroPrice_) {
        (SizeAt memory p, ) = shareOf(s.markets[price.market], price.market, account);
        if (p.lots == 0) return (price.mark, 0);
        int256 toZero = zeroDistanceFloor(s, price, p, h);
        zeroPrice_ = away(price.mark, p, toZero);
        if (toZero <= LIMIT_ROUNDING) return (price.mark, zeroPrice_);
        MarketConfig storage config = s.markets[price.market].config;
        int256 distance = scheduled(config, price.mark, uint256(toZero), elapsed);
        limitPrice = away(price.mark, p, FixedPointMathLib.min(distance, toZero - LIMIT_ROUNDING));
    }

    /// @notice The least lots of a position that, sold at `salePrice`, bring equity to the target with the penalty paid; all of
    /// them if no number does, or if the rest would be below the least notional; 0 if equity is there already.
    ///
    ///   4 · (equity − SALE_ROUNDING − d · loss) ≥ 5 · (maintenance of the others + 1 + half the tiers of what is left)
    ///   loss = side · (mark − sale price) + penalty rate · sale price
    ///
    /// @dev Because the tiers are the largest of straight lines, each line gives one bound on d. Rounding: d and the penalty up;
    /// the two wei and the one are what the sale and the requirement can lose, so that the account ends at the target for sure.
    /// @param h As it would be if the penalty of what was sold before were paid.
    function lotsToTarget(
        State storage s,
        Price memory price,
        uint32 account,
        Health memory h,
        uint256 salePrice
    ) public view returns (uint256 lots) {
        (SizeAt memory p, ) = shareOf(s.markets[price.market], price.market, account);
        if (p.lots == 0 || isAtTarget(h)) return 0;
        MarketConfig storage config = s.markets[price.market].config;
        Tiers.Brackets memory t = Tiers.load(config);
        int256 others = int256(h.maintenance - t.maintenanceUp(p.lots * price.mark));
        int256 budget =
            TARGET_DENOMINATOR * (h.equity - SALE_ROUNDING) - TARGET_NUMERATOR * (others + 1);
        int256 loss = p.side.sign() * (int256(price.mark) - int256(salePrice));
        loss += int256(FixedPointMathLib.divUp(salePrice * config.penalty, PPM));
        lots = t.leastLots(p.lots, price.mark, budget, TARGET_DENOMINATOR * loss, TARGET_NUMERATOR);
        if ((p.lots - lots) * price.mark < config.minNotional * MICRO) return p.lots;
    }

    /// @notice At most the rate, at most what keeps equity / maintenance where it was before (INV-15), and never more than
    /// what equity is left.
    /// @dev Rounding: down.
    /// @param rateAmount Quote that the rate asks for.
    function penalty(
        uint256 rateAmount,
        Health memory before,
        Health memory after_
    ) internal pure returns (uint256) {
        if (after_.equity <= 0) return 0;
        uint256 room = uint256(after_.equity);
        if (after_.maintenance != 0 && before.maintenance != 0 && before.equity > 0) {
            uint256 kept = FixedPointMathLib.fullMulDivUp(
                after_.maintenance,
                uint256(before.equity),
                before.maintenance
            );
            room = FixedPointMathLib.zeroFloorSub(room, kept);
        }
        return FixedPointMathLib.min(rateAmount, room);
    }

    /// @notice The last mark of one market at which equity still covers maintenance, all other markets unchanged.
    ///
    ///   equity + side · lots · (x − mark) = maintenance of the others + half the tiers of lots · x
    ///
    /// @dev Rounding: to the safe side: up for a long, down for a short, whose next wei is below maintenance. One bound a
    /// line of the tiers, see Tiers.
    /// @return Quote per lot; 0 if there is no position or no such price.
    function liquidationPrice(
        State storage s,
        Price memory price,
        uint32 account,
        Health memory h
    ) public view returns (uint256) {
        (SizeAt memory p, ) = shareOf(s.markets[price.market], price.market, account);
        if (p.lots == 0) return 0;
        Tiers.Brackets memory t = Tiers.load(s.markets[price.market].config);
        uint256 others = h.maintenance - t.maintenanceUp(p.lots * price.mark);
        int256 side = p.side.sign();
        // What is left for this market at a price of zero.
        int256 left = h.equity - side * int256(p.lots * price.mark) - int256(others);
        return side > 0 ? t.lowestSafe(p.lots, left) : t.highestSafe(p.lots, left);
    }

    /* PRIVATE: HEALTH */

    function sizesFor(State storage s, uint32 account) private view returns (SizeAt[] memory) {
        return new SizeAt[](LibBit.popCount(s.accounts[account].markets));
    }

    /// @param sizes One a market of the account; filled in.
    function measure(
        State storage s,
        uint32 account,
        SizeAt[] memory sizes
    ) private view returns (Measured memory a) {
        uint256 markets = s.accounts[account].markets;
        for (uint256 i = 0; i < sizes.length; ++i) {
            uint16 marketId = uint16(Bits.leastSignificant(markets));
            markets &= markets - 1;
            measureMarket(s, account, marketId, sizes[i], a);
        }
        (uint256 fresh, uint256 matured) = Fresh.freshOf(s, account);
        a.balance += Ledger.balanceOf(s, account) + int256(matured);
        a.health.fresh = fresh;
        HealthMath.shift(a.health, a.balance + int256(fresh));
    }

    function measureMarket(
        State storage s,
        uint32 account,
        uint16 marketId,
        SizeAt memory size,
        Measured memory a
    ) private view {
        Market storage m = s.markets[marketId];
        Price memory price = Prices.load(s, marketId);
        (SizeAt memory held, CohortMath.Share memory share) = shareOf(m, marketId, account);
        Resting storage resting = m.resting[account];
        size.market = marketId;
        size.side = held.side;
        size.lots = held.lots;
        size.bidLots = resting.bidLots;
        size.askLots = resting.askLots;
        a.balance += share.cash;
        a.isPending = a.isPending || price.pending;
        uint256 leverage = LeverageTable.leverageOf(chosenClass(m, account));
        HealthMath.addMarket(a.health, m.config, price, size, share.cost, leverage);
    }

    /// @notice What Positions.settledOf finds, but for the leverage class in force: that would take one more slot.
    /// @return held Without reservations.
    /// @return share Its cost, and the cash that settling would pay.
    function shareOf(
        Market storage m,
        uint16 marketId,
        uint32 account
    ) private view returns (SizeAt memory held, CohortMath.Share memory share) {
        Position memory p = m.positions[account];
        held.market = marketId;
        if (p.lots == 0) return (held, share);
        held.side = Keys.sideOfKind(p.kind);
        uint256 class = Queue.classOf(p.entry);
        uint16 cohort = Keys.cohortKey(held.side, Keys.leverageOfKind(p.kind), class);
        Cohorts.Handle memory handle = Cohorts.load(m, marketId, cohort);
        share = Cohorts.settled(m, handle, p.lots, p.cost, p.checkpoint);
        held.lots = share.lots;
    }

    /// @notice min(balance, prudent equity − fresh profit): prudent equity is never above equity.
    function settledPart(Measured memory a) private pure returns (int256) {
        return FixedPointMathLib.min(a.balance, a.health.prudent - int256(a.health.fresh));
    }

    /* PRIVATE: THE JUDGE */

    /// @notice Every size moved towards zero and kept its sign, and nothing new is reserved.
    /// @dev Both lists ascend by market, so that one pass is enough.
    function onlyShrank(SizeAt[] memory before, SizeAt[] memory now_) private pure returns (bool) {
        uint256 j = 0;
        bool isKnown;
        for (uint256 i = 0; i < now_.length; ++i) {
            (j, isKnown) = seek(before, j, now_[i].market);
            if (isKnown ? !shrank(before[j], now_[i]) : !isEmpty(now_[i])) return false;
        }
        return true;
    }

    /// @notice Nothing that grew, orders included, is above what one account may hold of a market, and no position of a top leverage
    /// class grew above what these may hold together.
    function requireUnderCaps(
        State storage s,
        uint32 account,
        SizeAt[] memory before,
        SizeAt[] memory now_
    ) private view {
        uint256 j = 0;
        bool isKnown;
        for (uint256 i = 0; i < now_.length; ++i) {
            (j, isKnown) = seek(before, j, now_[i].market);
            SizeAt memory was;
            if (isKnown) was = before[j];
            requireUnderTopCap(s, account, was, now_[i]);
            uint256 lots = HealthMath.worstLots(now_[i]);
            if (lots <= HealthMath.worstLots(was)) continue;
            MarketConfig storage config = s.markets[now_[i].market].config;
            uint256 cap = (uint256(config.openInterestCap) * config.accountShare) / SHARE;
            require(lots <= cap, IExchangeErrors.AccountCapReached(now_[i].market, lots, cap));
        }
    }

    function requireUnderTopCap(
        State storage s,
        uint32 account,
        SizeAt memory was,
        SizeAt memory is_
    ) private view {
        if (is_.lots == 0 || (is_.side == was.side && is_.lots <= was.lots)) return;
        uint8 kind = s.markets[is_.market].positions[account].kind;
        if (Keys.leverageOfKind(kind) < LeverageTable.TOP_CLASS) return;
        Caps.requireRoom(s, is_.market, is_.side);
    }

    /// @notice The place of a market in an ascending list, looked for from `j` on.
    function seek(
        SizeAt[] memory list,
        uint256 j,
        uint16 market
    ) private pure returns (uint256, bool isKnown) {
        while (j < list.length && list[j].market < market) ++j;
        return (j, j < list.length && list[j].market == market);
    }

    function shrank(SizeAt memory was, SizeAt memory is_) private pure returns (bool) {
        bool sizeShrank = is_.lots == 0 || (is_.side == was.side && is_.lots <= was.lots);
        return sizeShrank && is_.bidLots <= was.bidLots && is_.askLots <= was.askLots;
    }

    function isEmpty(SizeAt memory size) private pure returns (bool) {
        return size.lots | size.bidLots | size.askLots == 0;
    }

    /* PRIVATE: MAKERS */

    /// @notice Whether a maker that buys (Long) or sells (Short) at a price gives something away at mark, or at the price that
    /// waits.
    function isWorseThanMark(
        Price memory price,
        Side side,
        uint256 fillPrice
    ) private pure returns (bool) {
        uint256 best = price.mark;
        if (price.pending) {
            best =
                side == Side.Long
                    ? FixedPointMathLib.min(best, price.pendingIndex)
                    : FixedPointMathLib.max(best, price.pendingIndex);
        }
        return side == Side.Long ? fillPrice > best : fillPrice < best;
    }

    function fillOf(
        SizeAt memory held,
        Side side,
        uint256 lots,
        uint256 fillPrice
    ) private pure returns (MakerFill memory fill) {
        fill.side = side;
        fill.price = fillPrice;
        fill.closing = held.side == side ? 0 : FixedPointMathLib.min(held.lots, lots);
        fill.opening = lots - fill.closing;
        fill.kept = held.lots - fill.closing;
    }

    /// @notice Health of an account without one of its markets and without reservations.
    function healthElsewhere(
        State storage s,
        uint32 account,
        uint16 except,
        bool withInitial
    ) private view returns (Health memory h) {
        uint256 markets = s.accounts[account].markets & ~(uint256(1) << except);
        int256 cash;
        // At most Bounds.MARKETS_PER_ACCOUNT bits are set.
        for (; markets != 0; markets &= markets - 1) {
            uint16 marketId = uint16(Bits.leastSignificant(markets));
            Market storage m = s.markets[marketId];
            (SizeAt memory size, CohortMath.Share memory share) = shareOf(m, marketId, account);
            cash += share.cash;
            if (size.lots == 0) continue;
            Price memory price = withInitial ? Prices.load(s, marketId) : marksOf(m, marketId);
            uint256 leverage = withInitial ? LeverageTable.leverageOf(chosenClass(m, account)) : 0;
            HealthMath.addMarket(h, m.config, price, size, share.cost, leverage);
        }
        (uint256 fresh, uint256 matured) = Fresh.freshOf(s, account);
        HealthMath.shift(h, cash + Ledger.balanceOf(s, account) + int256(fresh + matured));
    }

    /// @notice What maintenance needs of another market: Prices.load without the grade, which would take two more slots.
    function marksOf(Market storage m, uint16 marketId) private view returns (Price memory price) {
        price.market = marketId;
        price.mark = m.price.mark;
        price.index = m.price.index;
        price.funding = m.price.funding;
        price.grade = Grade.Fresh;
        price.pending = m.book.pendingSince != 0;
        if (price.pending) price.pendingIndex = m.sample.pendingIndex;
    }

    /// @notice Adds the position as Positions will leave it, and what it was paid for.
    ///
    ///   value after = ⌊side' · lots' · R(M)⌋ − side · cost − ⌈fill side · d · R(p)⌉,   R(x) = x − F / 2^32
    ///
    /// exactly what closing and opening leave together; a flip rounds its two parts alone.
    function addFilled(
        Health memory h,
        MarketConfig storage config,
        Price memory price,
        Side held,
        MakerFill memory fill,
        uint256 leverage
    ) private view {
        SizeAt memory size;
        size.side = fill.kept == 0 ? fill.side : held;
        size.lots = fill.kept + fill.opening;
        int256 cost = costCeil(price, fill, fill.closing) + costCeil(price, fill, fill.opening);
        HealthMath.shift(h, -cost - fill.paid);
        HealthMath.addMarket(h, config, price, size, 0, leverage);
    }

    /// @notice ⌈fill side · lots · (price − F / 2^32)⌉.
    function costCeil(
        Price memory price,
        MakerFill memory fill,
        uint256 lots
    ) private pure returns (int256) {
        if (lots == 0) return 0;
        return CohortMath.worthCeil(fill.side, lots, lots * fill.price, price.funding);
    }

    /// @notice Whether the position may be the first in its cohort after the fill. It reads the slot that the fill reads.
    function opensCohort(
        Market storage m,
        Price memory price,
        uint32 maker,
        MakerFill memory fill
    ) private view returns (bool) {
        uint256 lots = fill.kept + fill.opening;
        if (lots == 0) return false;
        uint8 kind = Keys.kind(fill.side, storedClass(m, maker));
        uint256 entry = ((fill.opening * fill.price) / price.unit) << ENTRY_BITS;
        if (fill.kept != 0) {
            // A class whose delay is over would come into force now: that cohort is not looked up.
            if (m.resting[maker].leverage > NIBBLE) return true;
            Position storage p = m.positions[maker];
            kind = p.kind;
            entry += fill.kept * p.entry;
        }
        uint16 cohort = Keys.cohortKey(
            Keys.sideOfKind(kind),
            Keys.leverageOfKind(kind),
            Queue.classOf(entry / lots)
        );
        return m.cohorts[cohort].members == 0;
    }

    /// @notice The class that Positions gives a new position.
    function storedClass(Market storage m, uint32 account) private view returns (uint256) {
        uint256 chosen = m.resting[account].leverage & NIBBLE;
        return chosen == 0 ? m.config.defaultLeverage : chosen - 1;
    }

    /* PRIVATE: FORCED SALES */

    /// @notice How far from mark the zero price is, quote per lot, towards −∞; negative when the equity is gone.
    function zeroDistanceFloor(
        State storage s,
        Price memory price,
        SizeAt memory p,
        Health memory h
    ) private view returns (int256) {
        Tiers.Brackets memory t = Tiers.load(s.markets[price.market].config);
        uint256 own = t.maintenanceUp(p.lots * price.mark);
        uint256 divisor = h.maintenance * p.lots;
        return SignedMath.mulDivFloor(h.equity, own, divisor);
    }

    /// @notice The schedule: from slip0 to the zero price over the clock's time, as a distance from mark, down.
    function scheduled(
        MarketConfig storage config,
        uint256 mark,
        uint256 toZero,
        uint256 elapsed
    ) private view returns (int256) {
        uint256 duration = config.clock;
        if (elapsed >= duration) return int256(toZero);
        uint256 start = (mark * config.slip0) / PPM;
        return int256((start * (duration - elapsed) + toZero * elapsed) / duration);
    }

    /// @notice The price that is worse than mark by `distance` for who leaves the position; never below zero.
    function away(uint256 mark, SizeAt memory p, int256 distance) private pure returns (uint256) {
        int256 moved = int256(mark) - p.side.sign() * distance;
        return moved > 0 ? uint256(moved) : 0;
    }
}
