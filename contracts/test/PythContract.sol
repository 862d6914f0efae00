// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MockPyth} from "@pythnetwork/pyth-sdk-solidity/MockPyth.sol";

/// @title Pyth contract
/// @notice The provider's own stand-in for its contract: the same interface, errors and fees, without signatures.
contract PythContract is MockPyth {
    constructor(uint256 fee) MockPyth(type(uint64).max / 4, fee) {}
}

/// @notice Brings updates and does not want the rest back.
contract UnwillingSender {
    function send(address source, bytes[] calldata updates) external payable {
        (bool isDone, bytes memory answer) = source.call{value: msg.value}(
            abi.encodeWithSignature("update(bytes[])", updates)
        );
        if (isDone) return;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}
