// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// @notice Misbehaves in one way: it refuses transfers to some receivers, with a revert or with `false`.
contract BlockingToken is TestToken {
    enum Refusal {
        None,
        Revert,
        False
    }

    error Blocked(address receiver);

    mapping(address receiver => Refusal refusal) public refusals;

    constructor(uint8 decimals_) TestToken(decimals_) {}

    function setRefusal(address receiver, Refusal refusal) external {
        refusals[receiver] = refusal;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        Refusal refusal = refusals[to];
        require(refusal != Refusal.Revert, Blocked(to));
        return refusal == Refusal.False ? false : super.transfer(to, amount);
    }
}
