// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice Misbehaves in one way: a transfer loses a fee.
contract FeeToken is ERC20 {
    uint256 private constant BASE = 10_000;
    uint256 private immutable FEE;

    /// @param fee In 1e-4 of the amount.
    constructor(uint256 fee) ERC20("Fee dollar", "FUSD") {
        FEE = fee;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 fee = from == address(0) || to == address(0) ? 0 : (amount * FEE) / BASE;
        if (fee != 0) super._update(from, address(0), fee);
        super._update(from, to, amount - fee);
    }
}
