// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {House, MICRO, PPM} from "../types/Keys.sol";
import {FlowSlot, Market, PoolSlot, State} from "../types/State.sol";
import {Ledger} from "./Ledger.sol";
import {Volatility} from "./Volatility.sol";

/// @title Fees
/// @notice Shares out what a market earned: first its shortfall, then the insurance fund and the treasury.
library Fees {
    using FixedPointMathLib for uint256;
    using SafeCast for uint256;

    /// @dev ppm of a volatility rate's unit.
    uint256 private constant PPM_PER_RATE = PPM / Volatility.RATE;

    /// @notice What the market asks of the fund now: open interest at mark · max(fundTarget, volatility rate).
    /// @dev Rounding: down.
    function retarget(State storage s, Market storage m, uint16 marketId) internal {
        uint256 rate = m.config.fundTarget;
        if (rate != 0) rate = rate.max(m.book.volatilityRate * PPM_PER_RATE);
        uint256 notional = uint256(m.flow.openInterest) * m.price.mark;
        uint64 target = uint64(((notional * rate) / (PPM * MICRO)).min(type(uint64).max));
        uint64 before = m.volatility.fundTarget;
        if (target == before) return;
        m.volatility.fundTarget = target;
        uint72 total = s.fundTarget + target - before;
        s.fundTarget = total;
        emit IExchangeEvents.FundTargetChanged(marketId, target, total);
    }

    /// @notice Empties the market's fee pot.
    /// @dev The fund's share is `fundShare` when it has reached its target, everything when it is empty, and
    /// linear between: share = 1 − (1 − fundShare) · min(1, fund / target), where the target is the sum over all markets. Rounding:
    /// the treasury's part is rounded down, the fund gets the rest.
    function share(State storage s, Market storage m, uint16 marketId) internal {
        FlowSlot memory flow = m.flow;
        if (flow.fees == 0 && flow.rest == 0) return;
        (m.flow.fees, m.flow.rest) = (0, 0);

        uint256 fees = uint256(flow.fees) - repayShortfall(m, marketId, flow.fees);
        uint256 treasury = treasuryPart(s, fees);
        credit(s, House.FUND, (fees - treasury).toInt256());
        credit(s, House.TREASURY, treasury.toInt256());
        credit(s, House.DUST, flow.rest);
        emit IExchangeEvents.FeesShared(marketId, fees - treasury, treasury, flow.rest);
    }

    /// @notice Pays a market's shortfall from income, as far as either goes.
    /// @param income Quote that the caller takes out of its pot.
    /// @return paid Quote used up.
    function repayShortfall(
        Market storage m,
        uint16 marketId,
        uint256 income
    ) internal returns (uint256 paid) {
        PoolSlot memory pool = m.pool;
        paid = income.min(pool.shortfall);
        if (paid == 0) return 0;
        m.pool.shortfall = (pool.shortfall - paid).toUint128();
        emit IExchangeEvents.ShortfallChanged(marketId, pool.shortfall - paid);
    }

    function treasuryPart(State storage s, uint256 fees) private view returns (uint256) {
        int256 held = Ledger.balanceOf(s, House.FUND);
        if (held <= 0) return 0;
        uint256 target = s.fundTarget * MICRO;
        uint256 fill = target == 0 ? PPM : PPM.min(uint256(held).fullMulDiv(PPM, target));
        return fees.fullMulDiv((PPM - s.fundShare) * fill, PPM * PPM);
    }

    function credit(State storage s, uint32 account, int256 amount) private {
        if (amount == 0) return;
        int256 balance = Ledger.credit(s, account, amount);
        emit IExchangeEvents.BalanceChanged(account, IExchangeEvents.BalanceReason.Fees, balance);
    }
}
