// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {Health, Price, SizeAt} from "../types/Context.sol";
import {Grade} from "../types/Keys.sol";
import {MarketConfig} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {CohortMath} from "./CohortMath.sol";
import {Tiers} from "./Tiers.sol";

/// @title The arithmetic of health
/// @notice What one market adds to an account's margin, and how two states compare. See Margin for the formulas.
/// @dev Rounding: values down, requirements up, each once a market.
library HealthMath {
    using Tiers for Tiers.Brackets;

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
            h.initial += initialUp(t, config, worst * highest, leverage);
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

    /// @notice Initial margin of a notional, quote: the largest of what leverage, tiers and the market's risk ask for.
    /// @dev Rounding: up.
    function initialUp(
        Tiers.Brackets memory t,
        MarketConfig storage config,
        uint256 notional,
        uint256 leverage
    ) private pure returns (uint256) {
        uint256 byChoice = FixedPointMathLib.divUp(notional, leverage);
        uint256 byTiers = FixedPointMathLib.max(byChoice, t.requirementUp(notional));
        return FixedPointMathLib.max(byTiers, marketRiskUp(config, notional));
    }

    /// @notice What volatility and open interest ask for on top. Nothing yet: both rates are zero.
    function marketRiskUp(MarketConfig storage, uint256) private pure returns (uint256) {
        return 0;
    }

    /// @notice The larger of position + bids and position − asks.
    function worstLots(SizeAt memory size) private pure returns (uint256) {
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
