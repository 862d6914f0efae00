// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// @notice Misbehaves in one way: while it moves tokens it makes a call that it was told to make, and keeps what came back.
contract CallingToken is TestToken {
    address private _target;
    bytes private _data;
    /// @dev Calls made, those that came through, and what the last one answered.
    uint256 public calls;
    uint256 public successes;
    bytes public answer;

    constructor(uint8 decimals_) TestToken(decimals_) {}

    function arm(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
        (calls, successes) = (0, 0);
    }

    /// @dev Without an error if the call fails: a token that wants to do harm goes on.
    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (_target == address(0) || from == address(0)) return;
        (bool ok, bytes memory result) = _target.call(_data);
        calls++;
        if (ok) successes++;
        answer = result;
    }
}
