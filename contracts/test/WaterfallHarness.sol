// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ExchangeStorage} from "../ExchangeStorage.sol";
import {Deleverage} from "../libraries/Deleverage.sol";
import {Ladder} from "../libraries/Ladder.sol";
import {Liquidation} from "../libraries/Liquidation.sol";

/// @notice Makes the waterfall callable from tests.
contract WaterfallHarness is ExchangeStorage {
    function liquidate(
        uint32[] memory accounts,
        uint256 maxFills,
        uint32 rewardTo
    ) external returns (uint256) {
        return Liquidation.liquidate($, accounts, maxFills, rewardTo);
    }

    function deleverage(
        uint32[] memory accounts,
        uint256 maxFills,
        uint32 rewardTo
    ) external returns (uint256) {
        return Deleverage.deleverage($, accounts, maxFills, rewardTo);
    }

    function continueEvent(
        uint16 market,
        uint256 maxSteps,
        uint32 rewardTo
    ) external returns (bool) {
        return Ladder.continueEvent($, market, maxSteps, rewardTo);
    }
}
