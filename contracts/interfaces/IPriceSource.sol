// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Price source
/// @notice One provider's price of one feed. May revert or return anything; IndexOracle copes.
interface IPriceSource {
    /// @return price Settlement units per base unit, 18 decimals.
    /// @return confidence Half width of the provider's own interval, 18 decimals; 0 if it gives none.
    /// @return publishTime Unix time.
    function read(
        bytes32 feed
    ) external view returns (uint256 price, uint256 confidence, uint40 publishTime);
}
