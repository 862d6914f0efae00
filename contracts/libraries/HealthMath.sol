// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {Health, Price, SizeAt} from "../types/Context.sol";
import {Grade} from "../types/Keys.sol";
import {MarketConfig} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {CohortMath} from "./CohortMath.sol";
import {Tiers} from "./Tiers.sol";
import {Volatility} from "./Volatility.sol";

/// @title The arithmetic of health
/// @notice What one market adds to an account's margin, and how two states compare. See Margin for the formulas.
/// @dev Rounding: values down, requirements up, each once a market.
library HealthMath {
    using Tiers for Tiers.Brackets;

    /// @dev Concentration is in tenths, crowdingFrom in percent.
    uint256 private constant TENTHS = 10;
    uint256 private constant PERCENT = 100;

    /* ADDING UP */

    /// @notice Adds one market to a health.
    /// @param leverage 0 leaves initial margin out.
    function addMarket(
        Health memory h,
        MarketConfig storage config,
        Price memory price,
        SizeAt memory size,
        int256 cost,
        uint256 leverage
    ) internal view {
        uint256 worst = worstLots(size);
        if (worst == 0) return;
        Tiers.Brackets memory t = Tiers.load(config);
        uint256 pendingPrice = price.pending ? price.pendingIndex : price.mark;
        if (leverage != 0) {
            uint256 highest = FixedPointMathLib.max(price.mark, pendingPrice);
            uint256 calm = FixedPointMathLib.max(
                calmUp(t, worst * highest, leverage),
                sizeUp(config, price, worst, highest)
            );
            h.initialCalm += calm;
            h.initial += FixedPointMathLib.max(calm, stormUp(price, worst * highest));
        }
        if (size.lots == 0) return;

        int256 atMark = valueFloor(price, size, cost);
        int256 atPending = atMark;
        uint256 notional = size.lots * price.mark;
        uint256 maintenance = t.maintenanceUp(notional);
        uint256 maintenanceAtPending = maintenance;
        if (price.pending) {
            atPending = atMark + moved(size, price.mark, pendingPrice);
            maintenanceAtPending = t.maintenanceUp(size.lots * pendingPrice);
        }
        h.notional += notional;
        h.equity += atMark;
        h.maintenance += maintenance;
        h.equityAtIndex += atMark + moved(size, price.mark, price.index);
        h.maintenanceAtIndex += t.maintenanceUp(size.lots * price.index);
        h.equityAtPending += atPending;
        h.maintenanceAtPending += maintenanceAtPending;
        int256 worse = FixedPointMathLib.min(atMark, atPending);
        h.prudent += price.grade == Grade.Dead ? FixedPointMathLib.min(worse, 0) : worse;
    }

    /// @notice ⌊side · lots · (mark − F / 2^32)⌋ − side · cost.
    function valueFloor(
        Price memory price,
        SizeAt memory size,
        int256 cost
    ) private pure returns (int256) {
        uint256 quote = size.lots * price.mark;
        int256 worth = CohortMath.worthFloor(size.side, size.lots, quote, price.funding);
        return worth - size.side.sign() * cost;
    }

    /// @notice What a value changes by from one price to another: a whole number, so that the floor moves with it.
    function moved(SizeAt memory size, uint256 from, uint256 to) private pure returns (int256) {
        return size.side.sign() * (int256(size.lots * to) - int256(size.lots * from));
    }

    /// @notice What leverage and tiers ask of a notional, quote, rounded up.
    function calmUp(
        Tiers.Brackets memory t,
        uint256 notional,
        uint256 leverage
    ) private pure returns (uint256) {
        uint256 byChoice = FixedPointMathLib.divUp(notional, leverage);
        return FixedPointMathLib.max(byChoice, t.requirementUp(notional));
    }

    /// @notice What a storm asks of new risk, quote, rounded up.
    function stormUp(Price memory price, uint256 notional) private pure returns (uint256) {
        return FixedPointMathLib.divUp(notional * price.volatilityRate, Volatility.RATE);
    }

    /// @notice What size asks for, quote, rounded up: of the notional, but never more than all of it, the larger of
    ///
    ///   concentration · lots / openInterestCap
    ///   (openInterest − from) / (openInterestCap − from),  from = crowdingFrom · openInterestCap
    ///
    /// @dev Because what is large in its market cannot be closed at mark, be it one position or all of one side together. Unlike the storm's rate
    /// this holds for withdrawals too: margin that was brought to get in must not leave again while the position stays.
    function sizeUp(
        MarketConfig storage config,
        Price memory price,
        uint256 lots,
        uint256 highest
    ) private view returns (uint256 risk) {
        uint256 notional = lots * highest;
        uint256 cap = config.openInterestCap;
        uint256 from = cap * config.crowdingFrom;
        uint256 crowd = FixedPointMathLib.zeroFloorSub(price.openInterest * PERCENT, from);
        uint256 room = cap * PERCENT - from;
        // Beyond the cap, and where there is no room below it, all of the notional; so no division is by zero.
        if (crowd > room) return notional;
        // 124 + 71 bits.
        if (crowd != 0) {
            risk = FixedPointMathLib.divUp(notional * crowd, room);
        }
        uint256 concentration = config.concentration;
        if (concentration == 0) return risk;
        // 124 + 8 + 64 bits.
        if (concentration * lots >= cap * TENTHS) return notional;
        uint256 size = FixedPointMathLib.divUp(notional * concentration * lots, cap * TENTHS);
        return FixedPointMathLib.max(risk, size);
    }

    /// @notice The larger of position + bids and position − asks.
    function worstLots(SizeAt memory size) internal pure returns (uint256) {
        (uint256 adding, uint256 against) = size.side == Side.Long
            ? (size.bidLots, size.askLots)
            : (size.askLots, size.bidLots);
        return
            FixedPointMathLib.max(size.lots + adding, FixedPointMathLib.dist(size.lots, against));
    }

    /// @notice Adds cash to every equity.
    function shift(Health memory h, int256 cash) internal pure {
        h.equity += cash;
        h.equityAtIndex += cash;
        h.equityAtPending += cash;
        h.prudent += cash;
    }

    function copyOf(Health memory h) internal pure returns (Health memory copy) {
        copy.equity = h.equity;
        copy.equityAtIndex = h.equityAtIndex;
        copy.prudent = h.prudent;
        copy.initial = h.initial;
        copy.initialCalm = h.initialCalm;
        copy.maintenance = h.maintenance;
        copy.maintenanceAtIndex = h.maintenanceAtIndex;
        copy.equityAtPending = h.equityAtPending;
        copy.maintenanceAtPending = h.maintenanceAtPending;
        copy.fresh = h.fresh;
        copy.notional = h.notional;
    }

    /* COMPARING */

    function coversMaintenance(Health memory h) internal pure returns (bool) {
        return
            h.equity >= int256(h.maintenance) &&
            h.equityAtPending >= int256(h.maintenanceAtPending);
    }

    /// @notice equity / maintenance not lower; without a position equity ≥ 0, or not less than it was without one, because
    /// cancelling must always be possible (INV-9).
    function isNotPoorer(Health memory was, Health memory is_) internal pure returns (bool) {
        return isRatioKept(was.equity, was.maintenance, is_.equity, is_.maintenance);
    }

    function isNotPoorerAtPending(
        Health memory was,
        Health memory is_
    ) internal pure returns (bool) {
        return
            isRatioKept(
                was.equityAtPending,
                was.maintenanceAtPending,
                is_.equityAtPending,
                is_.maintenanceAtPending
            );
    }

    function isRatioKept(
        int256 equityBefore,
        uint256 maintenanceBefore,
        int256 equity,
        uint256 maintenance
    ) private pure returns (bool) {
        if (maintenance == 0) {
            return equity >= 0 || (maintenanceBefore == 0 && equity >= equityBefore);
        }
        return equity * int256(maintenanceBefore) >= equityBefore * int256(maintenance);
    }
}
