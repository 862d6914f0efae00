// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A linked library without one of its guards: one function gives a fixed answer, everything else is the original's.
/// @dev Its code is put in the place of a library's, which the exchange calls by delegatecall.
contract Without {
    address private immutable ORIGINAL;
    bytes4 private immutable SELECTOR;
    /// @dev One word.
    uint256 private immutable ANSWER;

    constructor(address original, bytes4 selector, uint256 answer) {
        ORIGINAL = original;
        SELECTOR = selector;
        ANSWER = answer;
    }

    // solhint-disable-next-line payable-fallback
    fallback() external {
        uint256 answer = ANSWER;
        if (msg.sig == SELECTOR) {
            assembly ("memory-safe") {
                mstore(0, answer)
                return(0, 32)
            }
        }
        (bool isDone, bytes memory result) = ORIGINAL.delegatecall(msg.data);
        assembly ("memory-safe") {
            if iszero(isDone) {
                revert(add(result, 32), mload(result))
            }
            return(add(result, 32), mload(result))
        }
    }
}
