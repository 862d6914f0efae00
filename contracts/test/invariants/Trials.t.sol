// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeEvents} from "../../interfaces/IExchangeEvents.sol";
import {Calls} from "./Calls.t.sol";
import {Op} from "./Ghosts.t.sol";
import {Shot} from "./Shot.t.sol";
import {IVm, vm} from "./Vm.t.sol";

/// @notice Invariants that compare two ways into the future: each is tried and taken back.
abstract contract Trials is Calls {
    uint256 internal constant FILLS = 100;

    /// @notice What an event takes and from whom does not depend on the order in which its accounts are named.
    function inv14(uint32[] memory named) internal {
        uint32[] memory turned = new uint32[](named.length);
        for (uint256 i = 0; i < named.length; i++) turned[i] = named[named.length - 1 - i];
        (bytes32 a, bytes32 b) = (tryEvent(named), tryEvent(turned));
        require(a == b, Broken("INV-14", named.length, int256(uint256(a)), int256(uint256(b))));
    }

    /// @return digest Of its receipts, and of what the fund has afterwards.
    function tryEvent(uint32[] memory named) private returns (bytes32 digest) {
        uint256 id = vm.snapshotState();
        vm.recordLogs();
        try exchange.deleverage(named, FILLS, 0) {} catch (bytes memory reason) {
            revert Unexpected(Op.Deleverage, reason);
        }
        IVm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            if (!isOf(logs[i], IExchangeEvents.Deleveraged.selector)) continue;
            digest = keccak256(abi.encode(digest, logs[i].topics, logs[i].data));
        }
        digest = keccak256(abi.encode(digest, exchange.balanceOf(1)));
        vm.revertToState(id);
    }

    /// @notice Settling late or early, in this order or that, is the same: nobody's equity changes by it.
    function inv11() internal {
        Shot memory before = look();
        uint256 id = vm.snapshotState();
        for (uint256 i = 0; i < ACCOUNTS * MARKETS; i++) settleOne(i);
        Shot memory forwards = look();
        vm.revertToState(id);
        id = vm.snapshotState();
        for (uint256 i = ACCOUNTS * MARKETS; i != 0; i--) settleOne(i - 1);
        Shot memory backwards = look();
        vm.revertToState(id);
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            isSame(i, before.accounts[i].equity, forwards.accounts[i].equity);
            isSame(i, before.accounts[i].equity, backwards.accounts[i].equity);
            for (uint256 m = 0; m < MARKETS; m++) {
                uint64 lots = before.accounts[i].holdings[m].lots;
                uint64 later = forwards.accounts[i].holdings[m].lots;
                require(
                    lots == later,
                    Broken("INV-11: lots", i, int256(uint256(later)), int256(uint256(lots)))
                );
            }
        }
    }

    function settleOne(uint256 n) private {
        exchange.settle(idOf(n / MARKETS), uint16(n % MARKETS));
    }

    function isSame(uint256 place, int256 a, int256 b) private pure {
        // Whoever is the last to leave a cohort gets its bond, in one order another than in the other; who moves to a new one because a
        // class that he chose is due pays one.
        int256 bonds = int256(uint256(configOf(OPEN).cohortBond) * 1e12 * MARKETS);
        bool isKept = b >= a - WEI - bonds && b <= a + WEI + bonds;
        require(isKept, Broken("INV-11", place, b, a));
    }
}
