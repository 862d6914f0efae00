// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";
import {IPriceSource} from "../interfaces/IPriceSource.sol";

/// @title Chainlink source
/// @notice Reads any aggregator of version 3. Without state, so one serves all markets of a chain.
/// @dev On a chain with a sequencer, its uptime feed stops every price while the sequencer is down and for a grace period
/// after it is back, because prices stood still meanwhile and nobody could act. Everything that is wrong reverts;
/// IndexOracle leaves a source out that reverts.
contract ChainlinkSource is IPriceSource {
    /// @dev Of prices.
    uint256 private constant DECIMALS = 18;
    /// @dev Any feed has fewer; more would not leave a digit.
    uint256 private constant MAX_DECIMALS = 36;
    /// @dev An answer above could not be scaled, and is none.
    uint256 private constant MAX_ANSWER = type(uint128).max;

    /// @notice The sequencer's uptime feed; zero on a chain without one.
    IAggregatorV3 public immutable SEQUENCER;
    /// @notice Seconds after the sequencer came back in which there is no price.
    uint256 public immutable GRACE;

    error NotAnAddress(bytes32 feed);
    error NotPositive(int256 answer);
    error AnswerTooLarge(uint256 answer, uint256 bound);
    error TooManyDecimals(uint256 decimals, uint256 bound);
    error RoundOpen(uint80 round);
    error FromTheFuture(uint256 updatedAt, uint256 now_);
    error SequencerDown();
    error SequencerJustBack(uint256 since, uint256 until);

    constructor(IAggregatorV3 sequencer, uint256 grace) {
        SEQUENCER = sequencer;
        GRACE = grace;
    }

    /// @inheritdoc IPriceSource
    /// @param feed Address of the aggregator, padded on the left.
    /// @dev Rounding: down, where the feed has more than 18 decimals.
    function read(
        bytes32 feed
    ) external view returns (uint256 price, uint256 confidence, uint40 publishTime) {
        require(uint256(feed) <= type(uint160).max, NotAnAddress(feed));
        _requireSequencer();

        IAggregatorV3 aggregator = IAggregatorV3(address(uint160(uint256(feed))));
        (uint80 round, int256 answer, , uint256 updatedAt, ) = aggregator.latestRoundData();
        require(answer > 0, NotPositive(answer));
        require(updatedAt != 0, RoundOpen(round));
        require(updatedAt <= block.timestamp, FromTheFuture(updatedAt, block.timestamp));
        require(uint256(answer) <= MAX_ANSWER, AnswerTooLarge(uint256(answer), MAX_ANSWER));
        return (_scaleDown(uint256(answer), aggregator.decimals()), 0, uint40(updatedAt));
    }

    function _requireSequencer() private view {
        if (address(SEQUENCER) == address(0)) return;
        (uint80 round, int256 answer, uint256 startedAt, , ) = SEQUENCER.latestRoundData();
        require(answer == 0, SequencerDown());
        // Zero is a feed that has not begun.
        require(startedAt != 0, RoundOpen(round));
        uint256 until = startedAt + GRACE;
        require(block.timestamp > until, SequencerJustBack(startedAt, until));
    }

    function _scaleDown(uint256 answer, uint256 decimals) private pure returns (uint256) {
        require(decimals <= MAX_DECIMALS, TooManyDecimals(decimals, MAX_DECIMALS));
        if (decimals <= DECIMALS) return answer * 10 ** (DECIMALS - decimals);
        return answer / 10 ** (decimals - DECIMALS);
    }
}
