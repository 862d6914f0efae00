// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice What the odd ones have in common: six decimals, and anyone may mint.
abstract contract OddToken is ERC20 {
    uint8 private constant DECIMALS = 6;

    constructor() ERC20("Odd dollar", "ODD") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function decimals() public pure override returns (uint8) {
        return DECIMALS;
    }

    function isTransfer(address from, address to) internal pure returns (bool) {
        return from != address(0) && to != address(0);
    }
}

/// @notice Misbehaves in one way: what everybody holds is multiplied.
contract RebasingToken is OddToken {
    uint256 private constant ONE = 1e6;
    uint256 private _factor = ONE;

    function setFactor(uint256 factor) external {
        _factor = factor;
    }

    function balanceOf(address account) public view override returns (uint256) {
        return (super.balanceOf(account) * _factor) / ONE;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, (amount * ONE) / _factor);
    }
}

/// @notice Misbehaves in one way: once it is told to, a transfer loses a fee.
contract TaxedToken is OddToken {
    uint256 private constant BASE = 10_000;
    uint256 private _fee;

    /// @param fee In 1e-4 of the amount.
    function setFee(uint256 fee) external {
        _fee = fee;
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 fee = isTransfer(from, to) ? (amount * _fee) / BASE : 0;
        if (fee != 0) super._update(from, address(0), fee);
        super._update(from, to, amount - fee);
    }
}

/// @notice Misbehaves in one way: once it is told to, transfers move nothing and say so by returning false.
contract RefusingToken is OddToken {
    bool private _isRefusing;

    function setRefusing(bool isRefusing) external {
        _isRefusing = isRefusing;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return !_isRefusing && super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return !_isRefusing && super.transferFrom(from, to, amount);
    }
}

/// @notice Misbehaves in one way: who is blocked neither pays nor is paid. The zero address stands for everybody.
contract BlacklistToken is OddToken {
    mapping(address account => bool isBlocked) private _blocked;

    error Blocked(address account);

    function setBlocked(address account, bool isBlocked) external {
        _blocked[account] = isBlocked;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (isTransfer(from, to)) {
            require(!_blocked[address(0)], Blocked(address(0)));
            require(!_blocked[from], Blocked(from));
            require(!_blocked[to], Blocked(to));
        }
        super._update(from, to, amount);
    }
}

/// @notice Misbehaves in one way: it refuses to move nothing.
contract ZeroShyToken is OddToken {
    error NothingToMove();

    function _update(address from, address to, uint256 amount) internal override {
        require(amount != 0, NothingToMove());
        super._update(from, to, amount);
    }
}

/// @notice Misbehaves in one way: transfers and approvals return nothing.
contract SilentToken {
    uint8 private constant DECIMALS = 6;
    mapping(address account => uint256 amount) public balanceOf;
    mapping(address owner => mapping(address spender => uint256 amount)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        move(from, to, amount);
    }

    function decimals() external pure returns (uint8) {
        return DECIMALS;
    }

    function move(address from, address to, uint256 amount) private {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice Misbehaves in one way: it makes a call of its own in the middle of a transfer.
contract CallbackToken is OddToken {
    address private _target;
    bytes private _data;
    uint256 private _wait;

    /// @notice What became of the call.
    bool public isCalled;
    bool public isOk;
    bytes public answer;

    /// @notice Names the call that the next transfer makes.
    /// @param wait Transfers that are let pass before.
    function plan(address target, bytes calldata data, uint256 wait) external {
        (_target, _data, _wait) = (target, data, wait);
        isCalled = false;
    }

    /// @notice Makes a call at once.
    function act(address target, bytes calldata data) external returns (bytes memory) {
        (bool ok, bytes memory result) = target.call(data);
        if (ok) return result;
        // Hands on what it reverted with: revert(result).
        assembly ("memory-safe") {
            revert(add(result, 0x20), mload(result))
        }
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (!isTransfer(from, to) || isCalled || _target == address(0)) return;
        if (_wait != 0) {
            _wait--;
            return;
        }
        isCalled = true;
        (isOk, answer) = _target.call(_data);
    }
}

/// @notice An owner that is a contract: it does what it is told, refuses ether, and reverts whenever anybody calls it otherwise.
contract Puppet {
    function act(address target, bytes calldata data) external returns (bytes memory) {
        (bool ok, bytes memory result) = target.call(data);
        if (ok) return result;
        // Hands on what it reverted with: revert(result).
        assembly ("memory-safe") {
            revert(add(result, 0x20), mload(result))
        }
    }
}
