// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Seen} from "./Ghosts.t.sol";
import {Report} from "./Report.t.sol";
import {vm} from "./Vm.t.sol";

/// @notice What accounts that own a whole market among themselves can take out of the exchange.
contract CoalitionTest is Report {
    uint256 private constant STEPS = 150;
    uint256 private constant WAVES = 12;
    /// @dev Quote: what the fund may pay more for a wave in parts, by rounding.
    int256 private constant ROUNDING = 1e6;
    /// @dev The known list: a wave that is closed account by account may draw more from the fund than at once. To be set to
    /// false when it does not.
    bool private constant IS_SPLIT_KNOWN = true;

    function setUp() external {
        deployWorld();
        begin(vm.envOr("INVARIANTS_SEED", uint256(7)));
    }

    function test_A14_insideTheEnvelopeACoalitionGainsNothing() external {
        for (uint256 i = 0; i < STEPS; i++) this.step();
        a14Inside();
    }

    function test_E3_aWaveInPartsDrawsNoMoreThanAtOnce() external {
        (uint256 more, int256 most) = (0, 0);
        for (uint256 i = 0; i < WAVES; i++) {
            uint256 id = vm.snapshotState();
            (int256 atOnce, int256 split) = this.wave(i);
            vm.revertToState(id);
            if (split <= atOnce + ROUNDING) continue;
            more++;
            if (split - atOnce > most) most = split - atOnce;
        }
        bool isKnown = IS_SPLIT_KNOWN && !isStrict();
        require(isKnown || more == 0, Broken("E3: split", more, most, 0));
    }

    function test_D10_whatNobodyCanPayIsAShortfall() external {
        uint256 times;
        for (uint256 i = 0; i < WAVES; i++) {
            uint256 id = vm.snapshotState();
            times += this.ruin(i);
            vm.revertToState(id);
        }
        require(times >= WAVES - 2, TooSeldom("fundEmpty", times, WAVES - 2));
    }

    function step() external {
        calmStep();
    }

    function ruin(uint256 seed) external returns (uint256) {
        random = seed;
        emptyFund();
        return seen[uint256(Seen.FundEmpty)];
    }

    function wave(uint256 seed) external returns (int256, int256) {
        random = seed;
        return splitWave();
    }
}
