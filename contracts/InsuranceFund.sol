// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IExchange} from "./interfaces/IExchange.sol";
import {IInsuranceFund} from "./interfaces/IInsuranceFund.sol";
import {IMarginVault} from "./interfaces/IMarginVault.sol";
import {BookSlot} from "./types/State.sol";
import {House, MarketStatus, MICRO} from "./types/Keys.sol";

/// @title Insurance fund
/// @notice Shares of ledger account 1 of the exchange, which pays what insolvent accounts cannot.
///
/// ASSETS  What the exchange's ledger says account 1 has, less income that still streams in. Tokens sent here change nothing.
/// INCOME  Penalties and fees pay deficits from the moment they arrive, but count for the price of a share over STREAM, so that
/// nobody stakes for one penalty. Losses take from what streams first, then from the price.
/// EXIT  Shares leave by `requestExit`, then `executeExit` after the cooldown, at the price of that moment: who wants to leave bears
/// the losses until then. `withdraw` and `redeem` are always at their maximum of zero.
/// SHUT  While an event waits, a jump is pending or much is under liquidation nobody steps in or out, at most for an hour after the
/// last clock started or the jump began.
/// TOKENS  A token that calls back during a stake or an exit finds every function that changes something locked, and the price of a
/// share as it was before or will be afterwards.
/// ROLES  None. The exchange spends account 1 within its budgets; nobody else can.
/// ROUNDING  Shares and assets round against the one who acts; virtual shares make inflating the price pointless. What account 1 earned
/// while nobody held a share belongs to the virtual ones: it stays.
contract InsuranceFund is ERC4626, ReentrancyGuardTransient, IInsuranceFund {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    struct Exit {
        uint208 shares;
        uint48 ready; // unix time
    }

    /// @dev Income that streams: linear from `since` to `end`. Two slots.
    struct Income {
        uint128 seen; // quote: account 1 when it was last looked at
        uint128 streaming; // quote, at `since`
        uint48 since; // unix time
        uint48 end; // unix time
    }

    /// @dev Seconds in which income becomes part of the price.
    uint256 private constant STREAM = 1 days;
    uint256 private constant MIN_COOLDOWN = 1 hours;
    uint256 private constant MAX_COOLDOWN = 60 days;
    /// @dev Seconds that a jump or the last account that fell below maintenance shuts the fund at most.
    uint256 private constant SHUT_FOR = 1 hours;
    /// @dev One part in so many of the fund: maintenance margin under liquidation from which it is shut.
    uint256 private constant MUCH = 20;
    uint256 private constant LEAST_OFFSET = 6;
    uint256 private constant SHARE_DECIMALS = 18;

    IExchange public immutable exchange;
    /// @inheritdoc IInsuranceFund
    uint256 public immutable cooldown;
    /// @dev Quote per unit of the token's own decimals.
    uint256 private immutable SCALE;
    /// @dev 10^OFFSET virtual shares a unit: shares have 18 decimals at least.
    uint8 private immutable OFFSET;

    Income private _income;
    mapping(address staker => Exit exit) private _exits;

    constructor(
        IExchange exchange_,
        uint256 cooldown_
    )
        ERC4626(IERC20(IMarginVault(exchange_.vault()).token()))
        ERC20("Ballast insurance fund", "BIF")
    {
        require(
            cooldown_ >= MIN_COOLDOWN && cooldown_ <= MAX_COOLDOWN,
            CooldownOutOfBounds(cooldown_, MIN_COOLDOWN, MAX_COOLDOWN)
        );
        exchange = exchange_;
        cooldown = cooldown_;
        uint256 missing = SHARE_DECIMALS - IMarginVault(exchange_.vault()).decimals();
        SCALE = 10 ** missing;
        OFFSET = uint8(Math.max(missing, LEAST_OFFSET));
        IERC20(asset()).forceApprove(exchange_.vault(), type(uint256).max);
    }

    /* STEPPING IN AND OUT */

    /// @inheritdoc IERC4626
    function deposit(
        uint256 assets,
        address receiver
    ) public override(ERC4626, IERC4626) nonReentrant returns (uint256) {
        _requireOpen();
        return super.deposit(assets, receiver);
    }

    /// @inheritdoc IERC4626
    function mint(
        uint256 shares,
        address receiver
    ) public override(ERC4626, IERC4626) nonReentrant returns (uint256) {
        _requireOpen();
        return super.mint(shares, receiver);
    }

    /// @inheritdoc IInsuranceFund
    function requestExit(uint256 shares) external nonReentrant {
        require(shares != 0, ZeroShares(0));
        Exit memory pending = _exits[msg.sender];
        require(pending.shares == 0, ExitPending(msg.sender, pending.shares));
        uint256 ready = block.timestamp + cooldown;
        _exits[msg.sender] = Exit({shares: shares.toUint208(), ready: ready.toUint48()});
        emit ExitRequested(msg.sender, shares, ready);
        // The shares wait here, so that they can be neither sold nor asked for twice.
        _transfer(msg.sender, address(this), shares);
    }

    /// @inheritdoc IInsuranceFund
    function executeExit(address staker) external nonReentrant returns (uint256 assets) {
        Exit memory exit = _exits[staker];
        require(exit.shares != 0, NoExit(staker));
        require(block.timestamp >= exit.ready, ExitNotReady(exit.ready, block.timestamp));
        _requireOpen();

        delete _exits[staker];
        assets = previewRedeem(exit.shares);
        _noteIncome();
        _income.seen -= (assets * SCALE).toUint128();
        _burn(address(this), exit.shares);
        emit ExitExecuted(staker, exit.shares, assets);
        emit Withdraw(msg.sender, staker, staker, assets, exit.shares);

        if (assets != 0) exchange.withdraw(House.FUND, assets, staker);
    }

    /// @inheritdoc IInsuranceFund
    function noteIncome() external nonReentrant {
        _noteIncome();
    }

    function _deposit(
        address caller,
        address receiver,
        uint256 assets,
        uint256 shares
    ) internal override {
        require(shares != 0, ZeroShares(assets));
        // First, though a callback comes last elsewhere: shares that are minted and not paid for yet would let whoever is called see
        // a price that is too low. The exchange moves them on when it has locked and booked.
        IERC20(asset()).safeTransferFrom(caller, address(this), assets);
        _noteIncome();
        _income.seen += (assets * SCALE).toUint128();
        _mint(receiver, shares);
        emit Deposit(caller, receiver, assets, shares);

        exchange.deposit(House.FUND, assets);
    }

    /* READING */

    /// @inheritdoc IInsuranceFund
    function exitOf(address staker) external view returns (uint256 shares, uint256 ready) {
        Exit memory exit = _exits[staker];
        return (exit.shares, exit.ready);
    }

    /// @inheritdoc IInsuranceFund
    function streaming() external view returns (uint256 left) {
        (, left, ) = _look();
    }

    /// @inheritdoc IInsuranceFund
    function noted() external view returns (uint256 held, uint256 since) {
        return (_income.seen, _income.since);
    }

    /// @inheritdoc IERC4626
    /// @dev Rounded down to whole token units.
    function totalAssets() public view override(ERC4626, IERC4626) returns (uint256) {
        (uint256 held, uint256 left, ) = _look();
        return (held - left) / SCALE;
    }

    /// @inheritdoc IInsuranceFund
    function isShut() public view returns (bool) {
        (bool isWaiting, ) = _waiting();
        (uint256 maintenance, uint256 bound) = _distress();
        return isWaiting || maintenance > bound;
    }

    /// @notice Zero while the fund is shut.
    function maxDeposit(address) public view override(ERC4626, IERC4626) returns (uint256) {
        return isShut() ? 0 : type(uint256).max;
    }

    /// @notice Zero while the fund is shut.
    function maxMint(address) public view override(ERC4626, IERC4626) returns (uint256) {
        return isShut() ? 0 : type(uint256).max;
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

    function _decimalsOffset() internal view override returns (uint8) {
        return OFFSET;
    }

    /* PRIVATE */

    function _noteIncome() private {
        (uint256 held, uint256 left, uint256 end) = _look();
        int256 change = held.toInt256() - uint256(_income.seen).toInt256();
        _income = Income({
            seen: held.toUint128(),
            streaming: left.toUint128(),
            since: uint48(block.timestamp),
            end: end.toUint48()
        });
        if (change != 0) emit IncomeNoted(change, left, end);
    }

    /// @notice Account 1 now, and income that does not count yet as if it were noted now.
    /// @return held Quote; INV-10: never negative.
    /// @return left Quote, at most `held`.
    /// @return end Unix time at which it will count: income that is new extends it by its weight.
    function _look() private view returns (uint256 held, uint256 left, uint256 end) {
        Income memory income = _income;
        int256 balance = exchange.balanceOf(House.FUND);
        held = balance > 0 ? uint256(balance) : 0;
        end = Math.max(income.end, block.timestamp);
        uint256 wait = end - block.timestamp;
        if (wait != 0) left = (uint256(income.streaming) * wait) / (end - income.since);
        if (held > income.seen) {
            uint256 gain = held - income.seen;
            end = block.timestamp + (left * wait + gain * STREAM) / (left + gain);
            left += gain;
        } else {
            left = Math.saturatingSub(left, income.seen - held);
        }
        left = Math.min(left, held);
    }

    function _requireOpen() private view {
        (bool isWaiting, uint16 market) = _waiting();
        require(!isWaiting, Shut(market));
        (uint256 maintenance, uint256 bound) = _distress();
        require(maintenance <= bound, TooMuchDistress(maintenance, bound));
    }

    /// @dev Nobody may step in or out at a price that does not know yet what an event or a jump will cost.
    /// Bounded: at most Bounds.MARKETS markets.
    function _waiting() private view returns (bool, uint16) {
        uint256 count = exchange.marketCount();
        for (uint16 market = 0; market < count; market++) {
            (, BookSlot memory book, , , ) = exchange.marketOf(market);
            bool isJumping = block.timestamp < uint256(book.pendingSince) + SHUT_FOR;
            if (isJumping || book.status & MarketStatus.EVENT != 0) return (true, market);
        }
        return (false, 0);
    }

    /// @notice Maintenance margin under liquidation, and the most at which the fund is open, micro units.
    function _distress() private view returns (uint256 maintenance, uint256 bound) {
        uint256 since;
        (maintenance, since) = exchange.distress();
        if (block.timestamp >= since + SHUT_FOR) maintenance = 0;
        int256 balance = exchange.balanceOf(House.FUND);
        bound = balance > 0 ? uint256(balance) / MICRO / MUCH : 0;
    }
}
