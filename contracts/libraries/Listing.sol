// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Bounds, House, MarketStatus, PPM} from "../types/Keys.sol";
import {LeverageTable, MarketConfig} from "../types/MarketConfig.sol";
import {Market, State} from "../types/State.sol";
import {Caps} from "./Caps.sol";
import {Status} from "./Status.sol";

/// @title Listing
/// @notice Markets, their parameters, and the hard bounds of every one of them. Linked.
/// @dev The exchange has checked the caller's role. Bounds are in code so that no role can pass them.
library Listing {
    /// @dev Parts per million of 1 %.
    uint256 private constant PERCENT = PPM / 100;
    uint256 private constant HOUR = 1 hours;

    /// @notice Lists a market. Nothing can be traded in it before its oracle has a fresh price.
    /// @dev Reverts: TooManyMarkets, ParameterOutOfBounds.
    function list(
        State storage s,
        string calldata name,
        MarketConfig calldata config
    ) external returns (uint16 marketId) {
        marketId = s.marketCount;
        require(
            marketId < Bounds.MARKETS,
            IExchangeErrors.TooManyMarkets(uint256(marketId) + 1, Bounds.MARKETS)
        );
        check(config);
        s.marketCount = marketId + 1;
        Market storage m = s.markets[marketId];
        m.config = config;
        m.book.status = MarketStatus.LISTED;
        emit IExchangeEvents.MarketListed(marketId, name, config);
        Caps.start(m, marketId, config.openInterestCap);
    }

    /// @notice Changes the parameters of a market, except those that stored amounts are counted in. A higher cap is grown to.
    /// @dev Reverts: UnknownMarket, ParameterOutOfBounds; a fixed parameter that differs names its old value as the bound.
    function setConfig(State storage s, uint16 marketId, MarketConfig calldata config) external {
        Market storage m = listed(s, marketId);
        check(config);
        MarketConfig memory old = m.config;
        fixed_("unit", config.unit, old.unit);
        fixed_("lotDecimals", config.lotDecimals, old.lotDecimals);
        fixed_("cohortBond", config.cohortBond, old.cohortBond);
        fixed_("freshEpoch", config.freshEpoch, old.freshEpoch);
        fixed_("quantityRule", uint256(config.quantityRule), uint256(old.quantityRule));
        fixed_("deficitRule", uint256(config.deficitRule), uint256(old.deficitRule));
        m.config = config;
        emit IExchangeEvents.MarketConfigured(marketId, config);
        Caps.change(m, marketId, old.openInterestCap, config.openInterestCap);
    }

    /// @notice The guardian's call: only downwards, at once.
    /// @param maxLeverage Index into the leverage table.
    /// @param reduceOnly True makes the market reduce-only; false leaves its status alone, because opening it again adds
    /// risk and is `reopen`.
    /// @dev Reverts: UnknownMarket, ParameterOutOfBounds if a value would rise.
    function reduceRisk(
        State storage s,
        uint16 marketId,
        uint64 openInterestCap,
        uint8 maxLeverage,
        bool reduceOnly
    ) external {
        Market storage m = listed(s, marketId);
        MarketConfig memory config = m.config;
        atMost("openInterestCap", openInterestCap, config.openInterestCap);
        atMost("maxLeverage", maxLeverage, config.maxLeverage);
        config.openInterestCap = openInterestCap;
        config.maxLeverage = maxLeverage;
        if (config.defaultLeverage > maxLeverage) config.defaultLeverage = maxLeverage;
        m.config = config;
        emit IExchangeEvents.MarketConfigured(marketId, config);
        Caps.stop(m, marketId);
        if (reduceOnly) Status.set(m, marketId, m.book.status | MarketStatus.REDUCE_ONLY);
    }

    /// @notice Lifts reduce-only. Not while a shortfall stands, which is repaid first.
    /// @dev Reverts: UnknownMarket, ReduceOnly.
    function reopen(State storage s, uint16 marketId) external {
        Market storage m = listed(s, marketId);
        require(m.pool.shortfall == 0, IExchangeErrors.ReduceOnly(marketId));
        Status.set(m, marketId, m.book.status & ~MarketStatus.REDUCE_ONLY);
    }

    /// @dev Reverts: ParameterOutOfBounds.
    function setFeeShare(State storage s, uint24 fundShare) external {
        atMost("fundShare", fundShare, PPM);
        s.fundShare = fundShare;
        emit IExchangeEvents.FeeShareChanged(fundShare);
    }

    /// @notice Makes the insurance fund the owner of ledger account 1, once.
    /// @dev Reverts: ZeroAddress, FundAlreadyBound.
    function bindFund(State storage s, address fund) external {
        require(fund != address(0), IExchangeErrors.ZeroAddress());
        require(s.fund == address(0), IExchangeErrors.FundAlreadyBound(s.fund));
        s.fund = fund;
        s.accounts[House.FUND].owner = fund;
        emit IExchangeEvents.FundBound(fund);
    }

    function listed(State storage s, uint16 marketId) private view returns (Market storage m) {
        m = s.markets[marketId];
        require(m.book.status & MarketStatus.LISTED != 0, IExchangeErrors.UnknownMarket(marketId));
    }

    /* BOUNDS */

    function check(MarketConfig calldata config) private pure {
        checkMargin(config);
        checkTrade(config);
        checkPrices(config);
        checkWaterfall(config);
        checkGrowth(config);
        checkEnvelope(config);
    }

    function checkMargin(MarketConfig calldata c) private pure {
        atLeast("unit", c.unit, 1);
        atMost("maxDeviation", c.maxDeviation, 5 * PERCENT);
        atMost("maxLeverage", c.maxLeverage, LeverageTable.CLASSES - 1);
        atMost("defaultLeverage", c.defaultLeverage, c.maxLeverage);
        uint256 top = LeverageTable.leverageOf(c.maxLeverage);
        // Leverage falls and caps rise, so that margin never gets cheaper with size.
        atMost("tierLeverage1", c.tierLeverage1, 100);
        atMost("maxLeverage of tiers", top, c.tierLeverage1);
        atMost("tierLeverage2", c.tierLeverage2, c.tierLeverage1);
        atMost("tierLeverage3", c.tierLeverage3, c.tierLeverage2);
        atMost("tierLeverage4", c.tierLeverage4, c.tierLeverage3);
        atLeast("tierLeverage4", c.tierLeverage4, 1);
        atLeast("tierCap2", c.tierCap2, c.tierCap1);
        atLeast("tierCap3", c.tierCap3, c.tierCap2);
        atMost("concentration", c.concentration, 100);
        atLeast("accountShare", c.accountShare, 1);
        atMost("accountShare", c.accountShare, 100);
        atMost("crowdingFrom", c.crowdingFrom, 100);
    }

    function checkTrade(MarketConfig calldata c) private pure {
        atMost("openInterestCap", c.openInterestCap, Bounds.SIDE_LOTS);
        atLeast("minNotional", c.minNotional, 1);
        atMost("makerFee", c.makerFee, PERCENT / 2);
        atMost("takerFee", c.takerFee, PERCENT / 2);
        atLeast("band", c.band, PERCENT / 10);
        atMost("band", c.band, 20 * PERCENT);
        atMost("cohortBond", c.cohortBond, c.minNotional);
        atLeast("freshEpoch", c.freshEpoch, 60);
        atMost("freshEpoch", c.freshEpoch, HOUR);
        atMost("classDelay", c.classDelay, 1 days);
    }

    function checkPrices(MarketConfig calldata c) private pure {
        atMost("lotDecimals", c.lotDecimals, 18);
        atLeast("maxJump", c.maxJump, PERCENT);
        atMost("maxJump", c.maxJump, 50 * PERCENT);
        atMost("maxSpread", c.maxSpread, 5 * PERCENT);
        // Without any wait the jump guard would guard nothing.
        atLeast("maxPending", c.maxPending, 10);
        atMost("maxPending", c.maxPending, 10 minutes);
        atLeast("freshFor", c.freshFor, 1);
        atLeast("agedFor", c.agedFor, c.freshFor);
        atMost("agedFor", c.agedFor, HOUR);
        atLeast("premiumWindow", c.premiumWindow, 10);
        atMost("premiumWindow", c.premiumWindow, HOUR);
        atLeast("sampleInterval", c.sampleInterval, 1);
        atMost("sampleInterval", c.sampleInterval, 10 minutes);
        atLeast("impactNotional", c.impactNotional, 1);
        atMost("maxFunding", c.maxFunding, 4 * PERCENT);
        atMost("interest", c.interest, c.maxFunding);
        atLeast("maxAccrual", c.maxAccrual, 60);
        atMost("maxAccrual", c.maxAccrual, 8 * HOUR);
        atMost("lastTradeFor", c.lastTradeFor, 10 minutes);
        atMost("volatilityFactor", c.volatilityFactor, 60);
        atMost("volatilityHorizon", c.volatilityHorizon, HOUR);
        atLeast("volatilityWindow", c.volatilityWindow, 10 minutes);
        atMost("volatilityWindow", c.volatilityWindow, 7 days);
    }

    function checkWaterfall(MarketConfig calldata c) private pure {
        // Half of the lowest maintenance rate, which is half of 1 / leverage.
        uint256 half = PPM / (4 * uint256(c.tierLeverage1));
        atMost("slip0", c.slip0, half);
        atMost("liqSlip", c.liqSlip, half);
        atMost("penalty", c.penalty, half);
        atLeast("clock", c.clock, 1);
        atMost("clock", c.clock, HOUR);
        atMost("callerShare", c.callerShare, 50 * PERCENT);
        atMost("eventBudget", c.eventBudget, 80 * PERCENT);
        atMost("dayBudget", c.dayBudget, 80 * PERCENT);
        atLeast("dayBudget", c.dayBudget, c.eventBudget);
        atMost("marketShare", c.marketShare, 80 * PERCENT);
        atLeast("marketShare", c.marketShare, c.eventBudget);
        atMost("fundTarget", c.fundTarget, PPM);
        atLeast("maxDead", c.maxDead, HOUR);
    }

    function checkGrowth(MarketConfig calldata c) private pure {
        atLeast("move", c.move, PERCENT / 10);
        atMost("move", c.move, 50 * PERCENT);
        atMost("topShare", c.topShare, 100);
        atLeast("capStart", c.capStart, 1);
        atMost("capStart", c.capStart, 100);
        atMost("capRamp", c.capRamp, 90 days);
        atLeast("drawdownLimit", c.drawdownLimit, PERCENT);
        atMost("drawdownLimit", c.drawdownLimit, PPM);
        atLeast("windWindow", c.windWindow, 10 minutes);
        atMost("windWindow", c.windWindow, 30 days);
    }

    /// @notice Maintenance margin of every leverage class but the top ones survives the stated move and what a forced sale costs:
    ///
    ///   move + maxDeviation + liqSlip + penalty + funding until it is through ≤ 1 / (2 · leverage)
    ///
    /// @dev The highest of them is the one that decides. The top classes have a cap instead, see Caps.
    function checkEnvelope(MarketConfig calldata c) private pure {
        uint256 class = c.maxLeverage;
        if (class >= LeverageTable.TOP_CLASS) class = LeverageTable.TOP_CLASS - 1;
        uint256 time = uint256(c.freshFor) + c.clock;
        uint256 funding = (uint256(c.maxFunding) * time + 8 * HOUR - 1) / (8 * HOUR);
        uint256 need = uint256(c.move) + c.maxDeviation + c.liqSlip + c.penalty + funding;
        atMost("envelope", need, Caps.maintenanceRate(LeverageTable.leverageOf(class)));
    }

    function atLeast(bytes32 name, uint256 value, uint256 bound) private pure {
        require(value >= bound, IExchangeErrors.ParameterOutOfBounds(name, value, bound));
    }

    function atMost(bytes32 name, uint256 value, uint256 bound) private pure {
        require(value <= bound, IExchangeErrors.ParameterOutOfBounds(name, value, bound));
    }

    function fixed_(bytes32 name, uint256 value, uint256 old) private pure {
        require(value == old, IExchangeErrors.ParameterOutOfBounds(name, value, old));
    }
}
