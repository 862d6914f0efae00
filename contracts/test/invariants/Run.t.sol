// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Seen} from "./Ghosts.t.sol";
import {Report} from "./Report.t.sol";
import {vm} from "./Vm.t.sol";

/// @notice Runs of the whole system from a seed: every call is checked, and a run that does not reach the states that matter fails.
/// @dev A run is made of episodes, each in a new world that ends with everybody gone. INVARIANTS_SEED is the first episode's seed,
/// INVARIANTS_EPISODES how many there are, INVARIANTS_REPORT 1 leaves the counts.
contract RunTest is Report {
    uint256 private constant SEED = 1;
    uint256 private constant EPISODES = 4;
    /// @dev Draws of an episode: two decks.
    uint256 private constant DRAWS = 200;
    string private constant COUNTS = "cache/invariants.json";

    function setUp() external {
        deployWorld();
    }

    function test_everyInvariantHoldsAndEveryStateIsReached() external {
        uint256 first = vm.envOr("INVARIANTS_SEED", SEED);
        uint256 episodes = vm.envOr("INVARIANTS_EPISODES", EPISODES);
        uint256[] memory sum;
        for (uint256 i = 0; i < episodes; i++) {
            uint256 id = vm.snapshotState();
            uint256[] memory counts = this.episode(first + i);
            // Takes back what was counted too.
            vm.revertToState(id);
            if (i == 0) sum = counts;
            else for (uint256 j = 0; j < sum.length; j++) sum[j] += counts[j];
        }
        addCounts(sum);
        if (vm.envOr("INVARIANTS_REPORT", uint256(0)) != 0) writeCounts(COUNTS);
        requireEnough(episodes);
    }

    function episode(uint256 seed) external returns (uint256[] memory) {
        begin(seed);
        drive(DRAWS);
        this.resolveAll();
        this.endAll();
        return countsNow();
    }

    function resolveAll() external {
        inv16();
    }

    function endAll() external {
        k3();
    }

    function requireEnough(uint256 episodes) private view {
        requireCalls();
        requireSeen(Seen.Adl, 5 * episodes);
        requireSeen(Seen.Haircut, 4 * episodes);
        requireSeen(Seen.WholeMarket, 2 * episodes);
        requireSeen(Seen.BothSides, episodes / 2);
        requireSeen(Seen.SplitWave, episodes / 2);
        requireSeen(Seen.FundEmpty, episodes / 2);
        requireSeen(Seen.ForcedSale, episodes / 3);
        requireSeen(Seen.MakerDropped, episodes / 3);
        requireSeen(Seen.Jump, episodes / 3);
        requireSeen(Seen.Aged, episodes / 3);
    }
}
