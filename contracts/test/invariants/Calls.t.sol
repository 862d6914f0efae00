// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeErrors} from "../../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../../interfaces/IExchangeEvents.sol";
import {IInsuranceFund} from "../../interfaces/IInsuranceFund.sol";
import {IMarginVault} from "../../interfaces/IMarginVault.sol";
import {House} from "../../types/Keys.sol";
import {Op, Step} from "./Ghosts.t.sol";
import {Shot} from "./Shot.t.sol";
import {Time} from "./Time.t.sol";
import {IVm, vm} from "./Vm.t.sol";

/// @notice Every call to the system goes through here: before, call, after, checks; and what a call may revert with.
abstract contract Calls is Time {
    /// @dev Shares of the fund, enough for many digits.
    uint256 private constant SHARE = 1e30;

    /// @notice Makes a call and checks everything that must hold of it.
    function make(
        Step memory s,
        address from,
        address target,
        bytes memory data
    ) internal returns (bool) {
        return this.makeApart(s, from, target, data);
    }

    /* Calls of their own, so that neither stack nor memory runs full. */

    function makeApart(
        Step memory s,
        address from,
        address target,
        bytes memory data
    ) external returns (bool) {
        s.before = look();
        s.share[0] = fund.convertToAssets(SHARE);
        calls[uint256(s.op)]++;
        send(s, from, target, data);
        if (!s.isDone) {
            require(isExpected(s), Unexpected(s.op, s.result));
            return false;
        }
        done[uint256(s.op)]++;
        noteMoney(s);
        s.now_ = look();
        s.share[1] = fund.convertToAssets(SHARE);
        this.judge(s);
        if (s.op == Op.Liquidate || s.op == Op.Takeover) this.judgeSale(s);
        if (s.op == Op.Deleverage || s.op == Op.Continue) this.judgeEvent(s);
        this.judgeLasting(s.now_);
        return true;
    }

    function judge(Step memory s) external {
        noteChange(s);
        checkChange(s);
    }

    function judgeSale(Step memory s) external {
        checkSale(s);
    }

    function judgeEvent(Step memory s) external {
        checkEvent(s);
    }

    function judgeLasting(Shot memory now_) external {
        checkLasting(now_);
    }

    function send(Step memory s, address from, address target, bytes memory data) private {
        vm.recordLogs();
        if (from != address(this)) vm.prank(from);
        (s.isDone, s.result) = target.call(data);
        s.logs = vm.getRecordedLogs();
    }

    function noteMoney(Step memory s) private {
        for (uint256 i = 0; i < s.logs.length; i++) {
            IVm.Log memory log = s.logs[i];
            bool isIn = isOf(log, IExchangeEvents.Deposited.selector);
            if (!isIn && !isOf(log, IExchangeEvents.Withdrawn.selector)) continue;
            (uint256 amount, ) = abi.decode(log.data, (uint256, int256));
            s.inflow += isIn ? int256(amount) : -int256(amount);
            uint256 account = uint256(log.topics[1]);
            if (account < House.FIRST_ACCOUNT) continue;
            if (isIn) paidIn[placeOf(account)] += amount;
            else takenOut[placeOf(account)] += amount;
        }
    }

    /* WHAT A CALL MAY REVERT WITH: a declared error that its bounded inputs can meet. Everything else is a failure (D8, INV-16). */

    function isExpected(Step memory s) private pure returns (bool) {
        bytes4 error_ = bytes4(s.result);
        if (isOrder(s.op)) return isOfOrders(error_);
        if (s.op == Op.Leverage) return isOfLeverage(error_);
        if (s.op == Op.Takeover) return isOfTakeover(error_);
        if (s.op >= Op.FundDeposit && s.op <= Op.FundLeave) return isOfFund(s.op, error_);
        return isOfRest(s, error_);
    }

    function isOfRest(Step memory s, bytes4 error_) private pure returns (bool) {
        if (s.op == Op.Continue) return error_ == IExchangeErrors.NoEventPending.selector;
        if (s.op == Op.Reopen) return error_ == IExchangeErrors.ReduceOnly.selector;
        if (s.op != Op.Withdraw && s.op != Op.Leave) return false;
        // Only where the ledger owes more than there is.
        return error_ == IMarginVault.NotCovered.selector && hasShortfall(s);
    }

    function isOfFund(Op op, bytes4 error_) private pure returns (bool) {
        if (op == Op.FundExit) return error_ == IInsuranceFund.ExitPending.selector;
        bool isShut =
            error_ == IInsuranceFund.Shut.selector ||
                error_ == IInsuranceFund.TooMuchDistress.selector;
        if (op == Op.FundDeposit || isShut) return isShut;
        return
            error_ == IInsuranceFund.NoExit.selector ||
            error_ == IInsuranceFund.ExitNotReady.selector;
    }

    function hasShortfall(Step memory s) private pure returns (bool) {
        for (uint256 id = 0; id < MARKETS; id++) {
            if (s.before.markets[id].pool.shortfall != 0) return true;
        }
        return false;
    }

    function isOfOrders(bytes4 e) private pure returns (bool) {
        bool isOfMarket =
            e == IExchangeErrors.PriceNotFresh.selector ||
                e == IExchangeErrors.ReduceOnly.selector ||
                e == IExchangeErrors.OpenInterestCapReached.selector ||
                e == IExchangeErrors.AccountCapReached.selector ||
                e == IExchangeErrors.TopCapReached.selector;
        bool isOfSize =
            e == IExchangeErrors.OrderTooSmall.selector ||
                e == IExchangeErrors.PositionTooSmall.selector ||
                e == IExchangeErrors.NotReducing.selector ||
                e == IExchangeErrors.NoFreeSlot.selector;
        bool isOfForce =
            e == IExchangeErrors.WouldTake.selector || e == IExchangeErrors.NotFilled.selector;
        return isOfMarket || isOfSize || isOfForce || e == IExchangeErrors.MarginTooLow.selector;
    }

    function isOfLeverage(bytes4 e) private pure returns (bool) {
        return
            e == IExchangeErrors.LeverageNotCovered.selector ||
            e == IExchangeErrors.TopCapReached.selector ||
            e == IExchangeErrors.MarginTooLow.selector ||
            e == IExchangeErrors.PriceNotFresh.selector;
    }

    function isOfTakeover(bytes4 e) private pure returns (bool) {
        return
            e == IExchangeErrors.ZeroLots.selector ||
            e == IExchangeErrors.MarginTooLow.selector ||
            e == IExchangeErrors.AccountCapReached.selector ||
            e == IExchangeErrors.OpenInterestCapReached.selector ||
            e == IExchangeErrors.TopCapReached.selector ||
            e == IExchangeErrors.PositionTooSmall.selector ||
            e == IExchangeErrors.PriceNotFresh.selector ||
            e == IExchangeErrors.ReduceOnly.selector ||
            e == IExchangeErrors.NotLiquidatable.selector;
    }
}
