// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IMarginVault} from "./interfaces/IMarginVault.sol";

/// @title Margin vault
/// @notice Holds the settlement token of one exchange, which creates it.
///
/// ASSUMPTIONS  The token is plain: a transfer moves exactly its amount, balances change by transfers alone. One that takes a fee
/// on the way in is refused (NotReceived). Tokens sent here by anyone else are not counted and stay.
/// ROLES  None. Only the exchange moves tokens, and only by the calls below.
/// LIVENESS  Nothing here can be switched off.
contract MarginVault is IMarginVault {
    using SafeERC20 for IERC20;

    uint8 private constant MAX_DECIMALS = 18;

    /// @inheritdoc IMarginVault
    address public immutable token;
    /// @inheritdoc IMarginVault
    address public immutable exchange;
    /// @inheritdoc IMarginVault
    uint8 public immutable decimals;
    /// @inheritdoc IMarginVault
    uint256 public tracked;

    modifier onlyExchange() {
        require(msg.sender == exchange, NotExchange(msg.sender));
        _;
    }

    constructor(address token_) {
        uint8 tokenDecimals = IERC20Metadata(token_).decimals();
        require(tokenDecimals <= MAX_DECIMALS, UnsupportedDecimals(tokenDecimals, MAX_DECIMALS));
        token = token_;
        decimals = tokenDecimals;
        exchange = msg.sender;
    }

    /// @inheritdoc IMarginVault
    function pull(address from, uint256 amount) external onlyExchange {
        _pull(from, amount);
    }

    /// @inheritdoc IMarginVault
    function pullWithPermit(
        address from,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external onlyExchange {
        // A permit that someone else sent first has done its work: what counts is the allowance.
        try IERC20Permit(token).permit(from, address(this), amount, deadline, v, r, s) {} catch {}
        _pull(from, amount);
    }

    /// @inheritdoc IMarginVault
    function pay(address to, uint256 amount) external onlyExchange {
        tracked -= amount;
        emit Paid(to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    function _pull(address from, uint256 amount) private {
        tracked += amount;
        emit Pulled(from, amount);

        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        require(received == amount, NotReceived(received, amount));
    }
}
