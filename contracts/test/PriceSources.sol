// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";
import {IIndexOracle} from "../interfaces/IIndexOracle.sol";
import {IPriceSource} from "../interfaces/IPriceSource.sol";
import {Grade} from "../types/Keys.sol";

/// @notice A source that says what it is told.
contract SettableSource is IPriceSource {
    struct Quote {
        uint256 price;
        uint256 confidence;
        uint40 publishTime;
    }

    mapping(bytes32 feed => Quote quote) private _quotes;

    function set(bytes32 feed, uint256 price, uint256 confidence, uint40 publishTime) external {
        _quotes[feed] = Quote(price, confidence, publishTime);
    }

    function read(bytes32 feed) external view returns (uint256, uint256, uint40) {
        Quote memory quote = _quotes[feed];
        return (quote.price, quote.confidence, quote.publishTime);
    }
}

/// @notice A source that answers with chosen bytes, by returning or by reverting.
contract RawSource {
    bytes public answer;
    bool public isReverting;

    function set(bytes calldata answer_, bool isReverting_) external {
        answer = answer_;
        isReverting = isReverting_;
    }

    function read(bytes32) external view {
        bytes memory data = answer;
        bool fails = isReverting;
        assembly {
            if fails {
                revert(add(data, 32), mload(data))
            }
            return(add(data, 32), mload(data))
        }
    }
}

/// @notice A source that uses all the gas it gets.
contract GasBurningSource {
    error Unreachable();

    function read(bytes32) external pure {
        uint256 x = 1;
        while (x != 0) x |= 1;
        revert Unreachable();
    }
}

/// @notice A source that returns as much as its gas pays for.
contract FloodingSource {
    function read(bytes32) external pure {
        assembly {
            return(0, 8192)
        }
    }
}

/// @notice An aggregator that says what it is told.
contract SettableAggregator is IAggregatorV3 {
    uint8 public decimals;
    int256 private _answer;
    uint256 private _startedAt;
    uint256 private _updatedAt;

    function set(uint8 decimals_, int256 answer, uint256 startedAt, uint256 updatedAt) external {
        decimals = decimals_;
        _answer = answer;
        _startedAt = startedAt;
        _updatedAt = updatedAt;
    }

    function description() external pure returns (string memory) {
        return "settable";
    }

    function version() external pure returns (uint256) {
        return 4;
    }

    function getRoundData(uint80) external view returns (uint80, int256, uint256, uint256, uint80) {
        return (1, _answer, _startedAt, _updatedAt, 1);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (1, _answer, _startedAt, _updatedAt, 1);
    }
}

/// @notice An oracle that says what it is told, and keeps what it was asked out of the way.
contract SettableOracle is IIndexOracle {
    IndexPrice private _reading;

    function set(uint256 price, uint40 publishTime, Grade grade, uint8 agreeing) external {
        _reading = IndexPrice(price, publishTime, grade, agreeing);
    }

    function read(
        uint16,
        uint256,
        uint256,
        uint256,
        uint256
    ) external view returns (IndexPrice memory) {
        return _reading;
    }

    function sourcesOf(uint16) external pure returns (address[] memory, bytes32[] memory) {
        return (new address[](0), new bytes32[](0));
    }
}
