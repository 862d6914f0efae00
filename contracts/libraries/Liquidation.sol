// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Fill, Health, Price, Tally} from "../types/Context.sol";
import {Bounds, Grade, House, Keys, MarketStatus, MICRO, PPM} from "../types/Keys.sol";
import {MarketConfig} from "../types/MarketConfig.sol";
import {Side, isBetterFor} from "../types/Side.sol";
import {Market, Position, State} from "../types/State.sol";
import {Bits} from "./Bits.sol";
import {Distress} from "./Distress.sol";
import {HealthMath} from "./HealthMath.sol";
import {Ledger} from "./Ledger.sol";
import {Margin} from "./Margin.sol";
import {Matching} from "./Matching.sol";
import {Positions} from "./Positions.sol";
import {Prices} from "./Prices.sol";
import {Tallies} from "./Tallies.sol";

/// @title Liquidation
/// @notice Forced sales: into the book (`liquidate`) and to another account (`takeover`), both at one limit that moves from mark ∓
/// slip0 to the zero price while the account's clock runs. Linked.
///
/// INV-15: equity / maintenance of the account never falls. At the zero price a sale uses up exactly the equity that the sold
/// part stands for, and the penalty takes at most what is left above that.
/// LIVENESS  Nothing here depends on an owner, a role, or a market that is dead.
/// @dev The exchange has refreshed all markets of the accounts. `limit` prices become ticks by rounding towards mark.
library Liquidation {
    using FixedPointMathLib for uint256;
    using SafeCast for uint256;

    /// @dev Sales in one market and call: each aims at the target with the best price of the book, and falls short of it by what
    /// deeper levels were worse.
    uint256 private constant PASSES = 3;

    /// @notice One account's forced sale.
    struct Sale {
        uint32 account;
        uint256 live; // bitmap of markets with a position, dead ones left out
        uint256 elapsed; // seconds on the clock
        uint256 fills; // that the call may still make
        Health before;
        Health health; // now
        uint256 penalty; // quote: Σ forced notional · rate
        uint256 callerPart; // of it
    }

    /* OUTSIDE */

    /// @notice Cancels the orders of accounts below maintenance, starts their clocks, and sells their positions into the book,
    /// largest requirement first, until equity is 1.25 × maintenance with the penalty paid.
    /// @param maxFills Over all accounts; at most Bounds.FILLS.
    /// @param rewardTo Account that gets the caller's part of the penalties.
    /// @return done Accounts that were below maintenance, whatever the book took of them. The others emit Skipped.
    function liquidate(
        State storage s,
        uint32[] memory accounts,
        uint256 maxFills,
        uint32 rewardTo
    ) external returns (uint256 done) {
        uint256 fills = maxFills.min(Bounds.FILLS);
        for (uint256 i = 0; i < accounts.length; ++i) {
            Sale memory f;
            f.account = accounts[i];
            f.fills = fills;
            IExchangeEvents.SkipReason reason;
            bool isBelow;
            (isBelow, reason) = begin(s, f);
            if (!isBelow) {
                emit IExchangeEvents.Skipped(f.account, reason);
                continue;
            }
            sellAll(s, f);
            finish(s, f, rewardTo);
            fills = f.fills;
            ++done;
        }
    }

    /// @notice Hands lots of an account under liquidation to another account, at the limit of the moment. Whoever is in the book at that
    /// price or better is served first, as by `liquidate`: nobody takes over what others bid more for.
    /// @dev The exchange judges `to` afterwards.
    /// @dev Reverts: SameAccount, HouseAccount, EventPending, NotLiquidatable, PriceNotFresh (dead), ZeroLots (nothing to take),
    /// WorseThanLimit, PositionTooSmall.
    /// @param lots At most; clipped to what brings `from` to its target.
    /// @param worstPrice The taker's bound, quote per lot.
    /// @return taken Lots; 0 if the book took all that was to be sold.
    function takeover(
        State storage s,
        uint32 from,
        uint32 to,
        uint16 marketId,
        uint256 lots,
        uint256 worstPrice
    ) external returns (uint256 taken) {
        require(from != to, IExchangeErrors.SameAccount(from));
        require(Distress.isUser(s, to), IExchangeErrors.UnknownAccount(to));
        Price memory price = Prices.load(s, marketId);
        require(
            price.grade != Grade.Dead,
            IExchangeErrors.PriceNotFresh(marketId, uint8(price.grade), uint8(Grade.Aged))
        );
        require(
            s.markets[marketId].book.status & MarketStatus.ENDED == 0,
            IExchangeErrors.ReduceOnly(marketId)
        );
        Sale memory f;
        f.account = from;
        beginOrRevert(s, f, marketId);
        require(f.live & (1 << uint256(marketId)) != 0, IExchangeErrors.ZeroLots());
        f.fills = Bounds.FILLS;
        sellIn(s, f, price);

        taken = handOver(s, f, price, to, Offer(lots, worstPrice));

        f.health = Margin.health(s, from);
        finish(s, f, to);
    }

    /* BEGINNING AND END */

    /// @dev Cancels and starts the clock if the account is below maintenance.
    function begin(
        State storage s,
        Sale memory f
    ) private returns (bool isBelow, IExchangeEvents.SkipReason reason) {
        if (!Distress.isUser(s, f.account)) {
            return (false, IExchangeEvents.SkipReason.UnknownAccount);
        }
        uint256 markets = s.accounts[f.account].markets;
        if (Distress.isFrozen(s, markets)) return (false, IExchangeEvents.SkipReason.EventPending);
        f.before = Margin.health(s, f.account);
        f.health = f.before;
        if (!Margin.isLiquidatable(f.before)) {
            Distress.clearClockIfHealthy(s, f.account, f.before);
            return (false, IExchangeEvents.SkipReason.Healthy);
        }
        uint256 freshSince;
        (f.live, freshSince) = Distress.scan(s, f.account, markets);
        Distress.cancelOrders(s, f.account, markets);
        if (f.live == 0) return (false, IExchangeEvents.SkipReason.NoPosition);
        Distress.startClock(s, f.account, f.before.maintenance);
        f.elapsed = Distress.elapsed(s, f.account, freshSince);
        return (true, reason);
    }

    function beginOrRevert(State storage s, Sale memory f, uint16 marketId) private {
        (bool isBelow, IExchangeEvents.SkipReason reason) = begin(s, f);
        if (isBelow) return;
        require(
            reason != IExchangeEvents.SkipReason.UnknownAccount,
            IExchangeErrors.UnknownAccount(f.account)
        );
        require(
            reason != IExchangeEvents.SkipReason.EventPending,
            IExchangeErrors.EventPending(marketId)
        );
        require(reason != IExchangeEvents.SkipReason.NoPosition, IExchangeErrors.ZeroLots());
        revert IExchangeErrors.NotLiquidatable(f.account, f.before.equity, f.before.maintenance);
    }

    /// @dev The penalty goes to the fund, less the caller's part of what was really collected.
    function finish(State storage s, Sale memory f, uint32 rewardTo) private {
        uint256 penalty = Margin.penalty(f.penalty, f.before, f.health);
        uint256 reward;
        if (penalty != 0) {
            if (Distress.isUser(s, rewardTo)) {
                reward = penalty.fullMulDiv(f.callerPart, f.penalty);
            }
            pay(s, f.account, -penalty.toInt256(), IExchangeEvents.BalanceReason.Penalty);
            uint256 kept = penalty - reward;
            pay(s, House.FUND, kept.toInt256(), IExchangeEvents.BalanceReason.Penalty);
            pay(s, rewardTo, reward.toInt256(), IExchangeEvents.BalanceReason.Reward);
            f.health.equity -= penalty.toInt256();
        }
        Distress.clearClockIfHealthy(s, f.account, f.health);
        emit IExchangeEvents.LiquidationEnded(
            f.account,
            f.before.equity,
            f.before.maintenance,
            f.health.equity,
            f.health.maintenance,
            penalty,
            reward
        );
    }

    function pay(
        State storage s,
        uint32 account,
        int256 amount,
        IExchangeEvents.BalanceReason reason
    ) private {
        if (amount == 0) return;
        int256 balance = Ledger.credit(s, account, amount);
        emit IExchangeEvents.BalanceChanged(account, reason, balance);
    }

    /* INTO THE BOOK */

    function sellAll(State storage s, Sale memory f) private {
        uint256 left = f.live;
        while (left != 0 && f.fills != 0 && !Margin.isAtTarget(charged(f))) {
            uint16 market = largest(s, f.account, left);
            left &= ~(1 << uint256(market));
            sellIn(s, f, Prices.load(s, market));
        }
    }

    function sellIn(State storage s, Sale memory f, Price memory price) private {
        for (uint256 pass = 0; pass < PASSES; ++pass) {
            if (f.fills == 0 || !sell(s, f, price)) return;
        }
    }

    /// @notice The market whose position needs the most maintenance margin.
    function largest(
        State storage s,
        uint32 account,
        uint256 markets
    ) private view returns (uint16 market) {
        market = uint16(Bits.leastSignificant(markets));
        if (markets & (markets - 1) == 0) return market;
        uint256 most;
        while (markets != 0) {
            uint16 candidate = uint16(Bits.leastSignificant(markets));
            markets &= markets - 1;
            Price memory price = Prices.load(s, candidate);
            uint256 needed = Margin.maintenanceOf(s, price, account);
            if (needed > most) (most, market) = (needed, candidate);
        }
    }

    /// @notice One sale into the book.
    /// @return isWorthMore Whether the book took all it was offered, so that another sale may bring the account nearer to its
    /// target.
    function sell(
        State storage s,
        Sale memory f,
        Price memory price
    ) private returns (bool isWorthMore) {
        Market storage m = s.markets[price.market];
        Side side = sideOf(m, f.account);
        (uint256 limit, ) = Margin.limit(s, price, f.account, f.health, f.elapsed);
        uint256 limitTick = tickTowardsMark(side, limit, price.unit);
        uint256 best = side == Side.Long ? m.book.bestBid : m.book.bestAsk;
        if (best == 0 || isBetterFor(side, limitTick, best)) return false;
        uint256 lots = Margin.lotsToTarget(s, price, f.account, charged(f), best * price.unit);
        if (lots == 0) return false;

        Matching.Taken memory taken;
        {
            Tally memory tally;
            (taken, tally) = Matching.take(
                s,
                Matching.Take({
                    market: price.market,
                    taker: f.account,
                    side: side.opposite(),
                    lots: lots,
                    limitTick: limitTick,
                    maxFills: f.fills,
                    isForced: true,
                    isReduceOnly: true
                }),
                price,
                tally
            );
            Tallies.store(m, price.market, tally);
        }
        f.fills -= taken.fills.min(f.fills);
        if (taken.lots == 0) return false;
        note(s, f, price.market, taken.quote);
        emit IExchangeEvents.Liquidated(
            price.market,
            f.account,
            0,
            taken.lots,
            taken.quote,
            limitTick * price.unit,
            price.mark
        );
        f.health = Margin.health(s, f.account);
        return taken.lots == lots && !Margin.isAtTarget(charged(f));
    }

    /* TO AN ACCOUNT */

    struct Offer {
        uint256 lots;
        uint256 worstPrice;
    }

    function handOver(
        State storage s,
        Sale memory f,
        Price memory price,
        uint32 to,
        Offer memory offer
    ) private returns (uint256 lots) {
        Market storage m = s.markets[price.market];
        // The book took all of it.
        if (m.positions[f.account].lots == 0) return 0;
        Side side = sideOf(m, f.account);
        (uint256 limit, ) = Margin.limit(s, price, f.account, f.health, f.elapsed);
        uint256 salePrice = tickTowardsMark(side, limit, price.unit) * price.unit;
        require(
            !isBetterFor(side, salePrice, offer.worstPrice),
            IExchangeErrors.WorseThanLimit(salePrice, offer.worstPrice)
        );
        lots = offer.lots.min(Margin.lotsToTarget(s, price, f.account, charged(f), salePrice));
        if (lots == 0 && f.fills != Bounds.FILLS) return 0;
        require(lots != 0, IExchangeErrors.ZeroLots());

        Tally memory tally;
        tally = trade(s, price, f.account, Trade(side.opposite(), lots, salePrice), tally);
        tally = trade(s, price, to, Trade(side, lots, salePrice), tally);
        Tallies.store(m, price.market, tally);
        note(s, f, price.market, lots * salePrice);
        emit IExchangeEvents.Liquidated(
            price.market,
            f.account,
            to,
            lots,
            lots * salePrice,
            salePrice,
            price.mark
        );
    }

    struct Trade {
        Side side; // bought: Long
        uint256 lots;
        uint256 price; // quote per lot, a whole tick
    }

    /// @dev Neither party may be left with a position below the market's minimum.
    function trade(
        State storage s,
        Price memory price,
        uint32 account,
        Trade memory t,
        Tally memory tally
    ) private returns (Tally memory) {
        (Position memory held, , ) = Positions.settledOf(s, price, account);
        bool isAgainst = held.lots != 0 && Keys.sideOfKind(held.kind) != t.side;
        uint256 closing = isAgainst ? t.lots.min(held.lots) : 0;
        Fill memory fill = Fill({
            side: t.side,
            closeLots: closing,
            closeQuote: closing * t.price,
            openLots: t.lots - closing,
            openQuote: (t.lots - closing) * t.price
        });
        Positions.Outcome memory outcome;
        (outcome, tally) = Positions.change(s, price, account, fill, 0, tally);
        uint256 notional = outcome.lots * price.mark;
        uint256 least = s.markets[price.market].config.minNotional * MICRO;
        require(
            outcome.lots == 0 || notional >= least,
            IExchangeErrors.PositionTooSmall(notional, least)
        );
        return tally;
    }

    /* HELPERS */

    /// @dev What was sold counts for the penalty at what it went for.
    function note(State storage s, Sale memory f, uint16 marketId, uint256 quote) private view {
        MarketConfig storage config = s.markets[marketId].config;
        uint256 penalty = (quote * config.penalty) / PPM;
        f.penalty += penalty;
        f.callerPart += (penalty * config.callerShare) / PPM;
    }

    /// @notice The account as it would be if the penalty were paid now.
    function charged(Sale memory f) private pure returns (Health memory h) {
        h = HealthMath.copyOf(f.health);
        h.equity -= Margin.penalty(f.penalty, f.before, f.health).toInt256();
    }

    function sideOf(Market storage m, uint32 account) private view returns (Side) {
        return Keys.sideOfKind(m.positions[account].kind);
    }

    /// @notice The nearest tick that is no worse than `limit` for whoever sells out of `side`.
    function tickTowardsMark(
        Side side,
        uint256 limit,
        uint256 unit
    ) private pure returns (uint256) {
        return side == Side.Long ? limit.divUp(unit) : limit / unit;
    }
}
