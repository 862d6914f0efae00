// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

/// @title Insurance fund
/// @notice Shares of ledger account 1 of the exchange. Its assets are what the ledger says, so a donation of tokens
/// changes nothing.
interface IInsuranceFund is IERC4626 {
    error ExitNotReady(uint256 ready, uint256 now_);
    error NoExit(address staker);
    error ExitPending(address staker, uint256 shares);
    error Shut();

    event ExitRequested(address indexed staker, uint256 shares, uint256 ready);
    event ExitExecuted(address indexed staker, uint256 shares, uint256 assets);

    /// @notice Names the shares that leave after the cooldown. Cannot be taken back.
    function requestExit(uint256 shares) external;

    /// @notice Pays an exit at the price of the moment, once its cooldown is over. Open to anyone.
    function executeExit(address staker) external returns (uint256 assets);

    function exitOf(address staker) external view returns (uint256 shares, uint256 ready);

    function cooldown() external view returns (uint256);
}
