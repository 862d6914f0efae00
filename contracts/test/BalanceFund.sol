// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @notice A fund without what keeps its share price safe: assets are its balance, and there are no virtual shares.
contract BalanceFund is ERC20 {
    using SafeERC20 for IERC20;

    IERC20 private immutable ASSET;

    constructor(IERC20 asset) ERC20("Balance fund", "BF") {
        ASSET = asset;
    }

    function deposit(uint256 assets, address receiver) external returns (uint256 shares) {
        uint256 supply = totalSupply();
        shares = supply == 0 ? assets : (assets * supply) / ASSET.balanceOf(address(this));
        _mint(receiver, shares);
        ASSET.safeTransferFrom(msg.sender, address(this), assets);
    }

    function redeem(uint256 shares) external returns (uint256 assets) {
        assets = (shares * ASSET.balanceOf(address(this))) / totalSupply();
        _burn(msg.sender, shares);
        ASSET.safeTransfer(msg.sender, assets);
    }
}
