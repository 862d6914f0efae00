// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Driver} from "./Driver.t.sol";
import {Seen} from "./Ghosts.t.sol";
import {vm} from "./Vm.t.sol";

/// @notice Says what a run has done and reached, and fails one that has not reached enough.
abstract contract Report is Driver {
    /// @dev A run that says nothing: what it must reach, how often it did and how often it has to.
    error TooSeldom(string what, uint256 is_, uint256 should);

    /// @dev Each kind of call is at least one in so many.
    uint256 private constant ONE_IN = 50;

    /// @dev A double quote.
    string private constant MARK = "\x22";
    string private constant OP_NAMES =
        "deposit withdraw leave transfer trade place take reduce cancel leverage price gap silence settle poke liquidate takeover deleverage continue fundDeposit fundExit fundLeave release donate reopen scene";
    string private constant SEEN_NAMES =
        "adl haircut fundDrawn fundEmpty principal wholeMarket bothSides splitWave discount dust rescue outOfBook forcedSale takenOver expired makerDropped selfTrade jump aged dead queued";

    /// @notice What an episode has counted: draws, calls, what was seen.
    function countsNow() internal view returns (uint256[] memory all) {
        all = new uint256[](1 + OPS + SEEN);
        all[0] = draws;
        for (uint256 i = 0; i < OPS; i++) all[1 + i] = calls[i];
        for (uint256 i = 0; i < SEEN; i++) all[1 + OPS + i] = seen[i];
    }

    function addCounts(uint256[] memory all) internal {
        draws += all[0];
        for (uint256 i = 0; i < OPS; i++) calls[i] += all[1 + i];
        for (uint256 i = 0; i < SEEN; i++) seen[i] += all[1 + OPS + i];
    }

    function requireCalls() internal view {
        for (uint256 i = 0; i < OPS; i++) {
            require(
                calls[i] * ONE_IN >= draws,
                TooSeldom(wordOf(OP_NAMES, i), calls[i], draws / ONE_IN)
            );
        }
    }

    function requireSeen(Seen what, uint256 times) internal view {
        uint256 is_ = seen[uint256(what)];
        require(is_ >= times, TooSeldom(wordOf(SEEN_NAMES, uint256(what)), is_, times));
    }

    /// @notice Leaves the counts as JSON where scripts/verify/invariants.ts looks for them.
    function writeCounts(string memory path) internal {
        uint256 all;
        string memory text = "{";
        for (uint256 i = 0; i < OPS; i++) {
            all += calls[i];
            text = string.concat(text, field(wordOf(OP_NAMES, i), calls[i]), ",");
        }
        for (uint256 i = 0; i < SEEN; i++) {
            text = string.concat(text, field(wordOf(SEEN_NAMES, i), seen[i]), ",");
        }
        vm.writeFile(path, string.concat(text, field("calls", all), "}"));
    }

    function field(string memory name, uint256 n) private pure returns (string memory) {
        return string.concat(MARK, name, MARK, ":", Strings.toString(n));
    }

    /// @dev Words are parted by one space.
    function wordOf(string memory words, uint256 place) private pure returns (string memory) {
        bytes memory text = bytes(words);
        uint256 start;
        uint256 i;
        for (; i < text.length; i++) {
            if (text[i] != " ") continue;
            if (place == 0) break;
            place--;
            start = i + 1;
        }
        bytes memory word = new bytes(i - start);
        for (uint256 j = 0; j < word.length; j++) word[j] = text[start + j];
        return string(word);
    }
}
