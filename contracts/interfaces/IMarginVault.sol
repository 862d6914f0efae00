// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Margin vault
/// @notice Holds the settlement token. Only the exchange moves it.
interface IMarginVault {
    error NotExchange(address caller);
    error NotReceived(uint256 received, uint256 amount);
    error UnsupportedDecimals(uint8 decimals, uint8 bound);

    event Pulled(address indexed from, uint256 amount);
    event Paid(address indexed to, uint256 amount);

    /// @notice Takes `amount` from `from`. Reverts if a different amount arrives.
    function pull(address from, uint256 amount) external;

    /// @notice `pull`, after ERC-2612 permit. A permit that was already used is not an error if the allowance is there.
    function pullWithPermit(
        address from,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    function pay(address to, uint256 amount) external;

    function token() external view returns (address);

    function decimals() external view returns (uint8);

    /// @notice What was pulled minus what was paid: what the ledger stands on. Donations do not count.
    function tracked() external view returns (uint256);

    /// @notice The exchange.
    function exchange() external view returns (address);
}
