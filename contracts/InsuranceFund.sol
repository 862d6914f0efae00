// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExchange} from "./interfaces/IExchange.sol";
import {IInsuranceFund} from "./interfaces/IInsuranceFund.sol";
import {IMarginVault} from "./interfaces/IMarginVault.sol";
import {BookSlot} from "./types/State.sol";
import {House, MarketStatus} from "./types/Keys.sol";

/// @title Insurance fund
/// @notice Shares of ledger account 1 of the exchange, which pays what insolvent accounts cannot.
///
/// ASSETS  What the exchange's ledger says account 1 has. Tokens sent here change nothing.
/// EXIT  Shares leave by `requestExit`, then `executeExit` after the cooldown, at the price of that moment: who wants to leave bears
/// the losses until then. `withdraw` and `redeem` are always at their maximum of zero.
/// ROLES  None. The exchange spends account 1 within its budgets; nobody else can.
/// ROUNDING  Shares and assets round against the one who acts; virtual shares make inflating the price pointless.
contract InsuranceFund is ERC4626, IInsuranceFund {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    struct Exit {
        uint208 shares;
        uint48 ready; // unix time
    }

    /// @dev 10^6 virtual shares a unit.
    uint8 private constant OFFSET = 6;

    IExchange public immutable exchange;
    /// @inheritdoc IInsuranceFund
    uint256 public immutable cooldown;
    /// @dev Quote per unit of the token's own decimals.
    uint256 private immutable SCALE;

    mapping(address staker => Exit exit) private _exits;

    constructor(
        IExchange exchange_,
        uint256 cooldown_
    )
        ERC4626(IERC20(IMarginVault(exchange_.vault()).token()))
        ERC20("Ballast insurance fund", "BIF")
    {
        exchange = exchange_;
        cooldown = cooldown_;
        SCALE = 10 ** (18 - IMarginVault(exchange_.vault()).decimals());
        IERC20(asset()).forceApprove(exchange_.vault(), type(uint256).max);
    }

    /// @inheritdoc IInsuranceFund
    function requestExit(uint256 shares) external {
        Exit memory pending = _exits[msg.sender];
        require(pending.shares == 0, ExitPending(msg.sender, pending.shares));
        uint256 ready = block.timestamp + cooldown;
        _exits[msg.sender] = Exit({shares: shares.toUint208(), ready: ready.toUint48()});
        emit ExitRequested(msg.sender, shares, ready);
        // The shares wait here, so that they can be neither sold nor asked for twice.
        _transfer(msg.sender, address(this), shares);
    }

    /// @inheritdoc IInsuranceFund
    function executeExit(address staker) external returns (uint256 assets) {
        Exit memory exit = _exits[staker];
        require(exit.shares != 0, NoExit(staker));
        require(block.timestamp >= exit.ready, ExitNotReady(exit.ready, block.timestamp));
        _requireOpen();

        delete _exits[staker];
        assets = previewRedeem(exit.shares);
        _burn(address(this), exit.shares);
        emit ExitExecuted(staker, exit.shares, assets);
        emit Withdraw(msg.sender, staker, staker, assets, exit.shares);

        if (assets != 0) exchange.withdraw(House.FUND, assets, staker);
    }

    /// @inheritdoc IInsuranceFund
    function exitOf(address staker) external view returns (uint256 shares, uint256 ready) {
        Exit memory exit = _exits[staker];
        return (exit.shares, exit.ready);
    }

    /// @inheritdoc IERC4626
    function totalAssets() public view override(ERC4626, IERC4626) returns (uint256) {
        int256 balance = exchange.balanceOf(House.FUND);
        // INV-10: the fund is never negative. Rounded down to whole token units.
        return balance <= 0 ? 0 : uint256(balance) / SCALE;
    }

    /// @notice Zero: shares leave by `requestExit` only.
    function maxWithdraw(address) public pure override(ERC4626, IERC4626) returns (uint256) {
        return 0;
    }

    /// @notice Zero: shares leave by `requestExit` only.
    function maxRedeem(address) public pure override(ERC4626, IERC4626) returns (uint256) {
        return 0;
    }

    function decimals() public view override(ERC4626, IERC20Metadata) returns (uint8) {
        return super.decimals();
    }

    function _deposit(
        address caller,
        address receiver,
        uint256 assets,
        uint256 shares
    ) internal override {
        _requireOpen();
        _mint(receiver, shares);
        emit Deposit(caller, receiver, assets, shares);

        IERC20(asset()).safeTransferFrom(caller, address(this), assets);
        exchange.deposit(House.FUND, assets);
    }

    function _decimalsOffset() internal pure override returns (uint8) {
        return OFFSET;
    }

    /// @dev While an event waits to be continued nobody may step in or out at a price that does not know it yet.
    /// Bounded: at most Bounds.MARKETS markets.
    function _requireOpen() private view {
        uint256 count = exchange.marketCount();
        for (uint16 market = 0; market < count; market++) {
            (, BookSlot memory book, , , ) = exchange.marketOf(market);
            require(book.status & MarketStatus.EVENT == 0, Shut());
        }
    }
}
