// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

/// @title Insurance fund
/// @notice Shares of ledger account 1 of the exchange. Its assets are what the ledger says, so a donation of tokens
/// changes nothing; income counts for the price of a share over a day.
interface IInsuranceFund is IERC4626 {
    error CooldownOutOfBounds(uint256 cooldown, uint256 lowest, uint256 highest);
    error ExitNotReady(uint256 ready, uint256 now_);
    error NoExit(address staker);
    error ExitPending(address staker, uint256 shares);
    error ZeroShares(uint256 assets);
    /// @notice An event waits to be continued in this market, or a jump of its index to be confirmed.
    error Shut(uint16 market);
    /// @notice Too much is under liquidation, micro units of maintenance margin.
    error TooMuchDistress(uint256 distress, uint256 bound);

    event ExitRequested(address indexed staker, uint256 shares, uint256 ready);
    event ExitExecuted(address indexed staker, uint256 shares, uint256 assets);
    /// @notice What account 1 earned or lost since it was last looked at, and what is still to be streamed until when.
    /// @param change Quote, signed.
    /// @param streaming Quote.
    /// @param end Unix time.
    event IncomeNoted(int256 change, uint256 streaming, uint256 end);

    /// @notice Names the shares that leave after the cooldown. Cannot be taken back.
    function requestExit(uint256 shares) external;

    /// @notice Pays an exit at the price of the moment, once its cooldown is over. Open to anyone.
    function executeExit(address staker) external returns (uint256 assets);

    /// @notice Takes note of income and losses, so that income begins to stream. Open to anyone; deposits and exits do it too.
    function noteIncome() external;

    function exitOf(address staker) external view returns (uint256 shares, uint256 ready);

    /// @notice Income that does not count for the price of a share yet, quote.
    function streaming() external view returns (uint256);

    /// @notice Account 1 when income was last noted, quote. What it has more is income that does not stream yet, what it has less a
    /// loss.
    /// @return held Quote.
    /// @return since Unix time, 0 if it never was.
    function noted() external view returns (uint256 held, uint256 since);

    /// @notice Whether nobody may step in or out, because a loss may be on its way that the price does not know.
    function isShut() external view returns (bool);

    function cooldown() external view returns (uint256);
}
