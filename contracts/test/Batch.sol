// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Calls in the names of several owners, all in one transaction, so that a chain which is asked a million times has little to do
/// but what is asked.
contract Batch {
    struct Item {
        uint256 owner;
        address target;
        bytes data;
    }

    /// @notice A call that was made, and what it returned or with which error it failed.
    event Called(bool isDone, bytes result);

    Owner[] public owners;

    constructor(uint256 count) {
        for (uint256 i = 0; i < count; i++) owners.push(new Owner());
    }

    /// @notice One after the other, whether or not those before it were done.
    function run(Item[] calldata items) external {
        for (uint256 i = 0; i < items.length; i++) {
            (bool isDone, bytes memory result) = owners[items[i].owner].call(
                items[i].target,
                items[i].data
            );
            emit Called(isDone, result);
        }
    }
}

/// @notice Does what the contract that made it says.
contract Owner {
    address private immutable MAKER = msg.sender;

    error NotTheMaker(address caller);

    function call(address target, bytes calldata data) external returns (bool, bytes memory) {
        require(msg.sender == MAKER, NotTheMaker(msg.sender));
        return target.call(data);
    }
}
