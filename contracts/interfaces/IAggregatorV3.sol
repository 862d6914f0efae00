// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Aggregator, version 3
/// @notice The interface that Chainlink's price and sequencer uptime feeds answer.
interface IAggregatorV3 {
    /// @notice Digits behind the point of every answer.
    function decimals() external view returns (uint8);

    function description() external view returns (string memory);

    function version() external view returns (uint256);

    function getRoundData(
        uint80 round
    )
        external
        view
        returns (
            uint80 roundId,
            int256 answer,
            uint256 startedAt,
            uint256 updatedAt,
            uint80 answeredInRound
        );

    /// @return roundId Number of the round.
    /// @return answer The price; of an uptime feed 0 for up and 1 for down.
    /// @return startedAt Unix time; of an uptime feed when the answer last changed.
    /// @return updatedAt Unix time; 0 while the round is open.
    /// @return answeredInRound Deprecated.
    function latestRoundData()
        external
        view
        returns (
            uint80 roundId,
            int256 answer,
            uint256 startedAt,
            uint256 updatedAt,
            uint80 answeredInRound
        );
}
