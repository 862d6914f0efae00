// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IMarginVault} from "./interfaces/IMarginVault.sol";
import {PPM} from "./types/Keys.sol";

/// @title Margin vault
/// @notice Holds the settlement token of one exchange, which creates it.
///
/// OUTFLOW  What an owner takes out up to what was paid in for him, his principal, is paid at once, always. The rest, profit as a
/// rule, is paid from a room that refills by the second:
///
///   rate = max(floor, share · tracked)                    token units an hour
///   room = min(room + rate · seconds / 3600, rate)
///
/// and what does not fit waits in a queue, first in first out. A deposit makes no room: the room grows with the time that money has
/// been here, at the rate that stood meanwhile. So beyond net deposits of all owners at most `rate` leaves at once, and at most what a full room
/// and its refill give within any time.
///
///   |------ paid ------|-- request 7 --|- 8 -|------ 9 ------|      one line of all that was ever queued:
///   0                 gone            end(7) end(8)         end     `gone` moves right, a request ends where it ends
///
/// SOLVENCY  The reserve is what was pulled and neither paid nor parked; `tracked` is the reserve less what waits. Should the ledger
/// ever owe more than the vault has, principal is paid before those who wait: the queue is the time to notice.
/// ASSUMPTIONS  The token is plain: a transfer moves exactly its amount, balances change by transfers alone. One that takes a fee
/// on the way in is refused (NotReceived). Tokens sent here by anyone else are not counted and stay. A token that calls its receivers can
/// make `release` dear but not reenter, one that refuses some of them stops only those.
/// ROLES  None. Only the exchange moves tokens, and only by the calls below.
/// LIVENESS  Nothing here can be switched off. The queue is paid by anyone's call, whatever its receivers do, within the time that
/// `requestOf` says.
contract MarginVault is IMarginVault, ReentrancyGuardTransient {
    using FixedPointMathLib for uint256;
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev 256 bits.
    struct FlowSlot {
        uint104 reserve; // token units that were pulled and neither paid nor parked
        uint112 room; // token units × seconds: what may leave beyond net deposits, times HOUR, so that refilling never rounds
        uint40 since; // unix time that `room` is refilled up to
    }

    /// @dev 256 bits. Token units since the vault was made; their difference waits.
    struct LineSlot {
        uint128 end; // queued
        uint128 gone; // released or parked
    }

    /// @dev 256 bits.
    struct IdSlot {
        uint64 first; // of the queue
        uint64 next;
        uint128 parked; // token units that are claimable, all receivers together
    }

    /// @dev 160 + 128 bits.
    struct Request {
        address to;
        uint128 end; // where it ends in the line, token units
    }

    struct Split {
        uint256 principal;
        uint256 fitting;
        uint256 later;
    }

    uint8 private constant MAX_DECIMALS = 18;
    uint256 private constant HOUR = 1 hours;
    /// @dev ppm an hour. At the upper bound everything may leave within an hour.
    uint256 private constant MIN_SHARE = 10_000;
    uint256 private constant MAX_SHARE = PPM;
    /// @dev Whole units an hour: without it a queue could outlive the deposits that its rate is a share of.
    uint256 private constant MIN_FLOOR = 1;
    /// @dev Token units: what `FlowSlot.room` can hold. A rate above it is cut.
    uint256 private constant MAX_RATE = type(uint112).max / HOUR;

    /// @inheritdoc IMarginVault
    address public immutable token;
    /// @inheritdoc IMarginVault
    address public immutable exchange;
    /// @inheritdoc IMarginVault
    uint8 public immutable decimals;
    /// @inheritdoc IMarginVault
    uint256 public immutable share;
    /// @inheritdoc IMarginVault
    uint256 public immutable floor;

    FlowSlot private _flow;
    LineSlot private _line;
    IdSlot private _ids;
    mapping(uint256 id => Request request) private _requests;
    /// @inheritdoc IMarginVault
    mapping(address owner => uint256 amount) public netDeposits;
    /// @inheritdoc IMarginVault
    mapping(address receiver => uint256 amount) public claimable;

    modifier onlyExchange() {
        require(msg.sender == exchange, NotExchange(msg.sender));
        _;
    }

    /// @dev The room is full from the start. Reverts: UnsupportedDecimals, ShareOutOfBounds, FloorTooLow.
    constructor(address token_, Limit memory limit) {
        uint8 tokenDecimals = IERC20Metadata(token_).decimals();
        require(tokenDecimals <= MAX_DECIMALS, UnsupportedDecimals(tokenDecimals, MAX_DECIMALS));
        require(
            limit.share >= MIN_SHARE && limit.share <= MAX_SHARE,
            ShareOutOfBounds(limit.share, MIN_SHARE, MAX_SHARE)
        );
        require(limit.floor >= MIN_FLOOR, FloorTooLow(limit.floor, MIN_FLOOR));
        token = token_;
        decimals = tokenDecimals;
        exchange = msg.sender;
        share = limit.share;
        uint256 least = limit.floor * 10 ** tokenDecimals;
        floor = least;
        _flow = FlowSlot({
            reserve: 0,
            room: (least.min(MAX_RATE) * HOUR).toUint112(),
            since: uint40(block.timestamp)
        });
    }

    /* BY THE EXCHANGE */

    /// @inheritdoc IMarginVault
    function pull(address owner, address from, uint256 amount) external onlyExchange nonReentrant {
        _pull(owner, from, amount);
    }

    /// @inheritdoc IMarginVault
    function pullWithPermit(
        address owner,
        address from,
        uint256 amount,
        Permit calldata permit
    ) external onlyExchange nonReentrant {
        (uint256 deadline, uint8 v) = (permit.deadline, permit.v);
        // A permit that someone else sent first has done its work: what counts is the allowance.
        try
            IERC20Permit(token).permit(from, address(this), amount, deadline, v, permit.r, permit.s)
        {} catch {}
        _pull(owner, from, amount);
    }

    /// @inheritdoc IMarginVault
    function pay(address owner, address to, uint256 amount) external onlyExchange nonReentrant {
        FlowSlot memory flow = _refilled();
        Split memory split = _split(flow, netDeposits[owner], amount);
        uint256 atOnce = split.principal + split.fitting;

        flow.reserve -= atOnce.toUint104();
        flow.room -= (split.fitting * HOUR).toUint112();
        _flow = flow;
        if (atOnce != 0) {
            netDeposits[owner] -= split.principal;
            emit Paid(owner, to, atOnce, split.principal);
        }
        if (split.later != 0) _queue(owner, to, split.later);

        if (atOnce != 0) IERC20(token).safeTransfer(to, atOnce);
    }

    /* BY ANYONE */

    /// @inheritdoc IMarginVault
    function release(uint256 maxItems) external nonReentrant returns (uint256 released) {
        for (uint256 i = 0; i < maxItems; i++) {
            uint256 amount = _releaseHead();
            if (amount == 0) break;
            released += amount;
        }
    }

    /// @inheritdoc IMarginVault
    function claim(address receiver) external nonReentrant returns (uint256 amount) {
        amount = claimable[receiver];
        require(amount != 0, NothingToClaim(receiver));
        delete claimable[receiver];
        _ids.parked -= amount.toUint128();
        emit Claimed(receiver, amount);

        IERC20(token).safeTransfer(receiver, amount);
    }

    /* READING */

    /// @inheritdoc IMarginVault
    function tracked() external view returns (int256) {
        return uint256(_flow.reserve).toInt256() - _waiting().toInt256();
    }

    /// @inheritdoc IMarginVault
    function queued() external view returns (uint256) {
        return _waiting() + _ids.parked;
    }

    /// @inheritdoc IMarginVault
    function outflow() external view returns (Outflow memory) {
        FlowSlot memory flow = _refilled();
        IdSlot memory ids = _ids;
        return
            Outflow({
                waiting: _waiting(),
                parked: ids.parked,
                room: flow.room / HOUR,
                rate: _rate(flow.reserve),
                releasable: _releasable(flow),
                first: ids.first,
                next: ids.next
            });
    }

    /// @inheritdoc IMarginVault
    function requestOf(
        uint256 id
    ) external view returns (address to, uint256 left, uint256 ahead, uint256 longest) {
        IdSlot memory ids = _ids;
        if (id < ids.first || id >= ids.next) return (address(0), 0, 0, 0);
        Request memory request = _requests[id];
        uint256 gone = _line.gone;
        uint256 start = id == ids.first ? gone : _requests[id - 1].end;
        (to, left, ahead) = (request.to, request.end - start, start - gone);
        // As if everybody else took his principal out: then the floor is the rate, and the room is cut to it.
        uint256 rate = floor.min(MAX_RATE);
        uint256 room = (rate * HOUR).min(_refilled().room);
        longest = ((ahead + left) * HOUR).zeroFloorSub(room).divUp(rate);
    }

    /// @inheritdoc IMarginVault
    function preview(
        address owner,
        uint256 amount
    ) external view returns (uint256 principal, uint256 fitting, uint256 later) {
        Split memory split = _split(_refilled(), netDeposits[owner], amount);
        return (split.principal, split.fitting, split.later);
    }

    /* INTERNAL */

    function _pull(address owner, address from, uint256 amount) private {
        FlowSlot memory flow = _refilled();
        flow.reserve = (flow.reserve + amount).toUint104();
        _flow = flow;
        netDeposits[owner] += amount;
        emit Pulled(owner, from, amount);

        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        require(received == amount, NotReceived(received, amount));
    }

    function _queue(address owner, address to, uint256 amount) private {
        uint128 end = (_line.end + amount).toUint128();
        uint64 id = _ids.next++;
        _line.end = end;
        _requests[id] = Request({to: to, end: end});
        emit Queued(id, owner, to, amount);
    }

    /// @return amount What left the queue: the head, or as much of it as may go now.
    function _releaseHead() private returns (uint256 amount) {
        FlowSlot memory flow = _refilled();
        uint256 releasable = _releasable(flow);
        if (releasable == 0) return 0;
        LineSlot memory line = _line;
        uint64 id = _ids.first;
        Request memory request = _requests[id];
        amount = releasable.min(request.end - line.gone);

        flow.reserve -= amount.toUint104();
        flow.room -= (amount * HOUR).toUint112();
        _flow = flow;
        line.gone += amount.toUint128();
        _line = line;
        uint256 left = request.end - line.gone;
        if (left == 0) {
            delete _requests[id];
            _ids.first = id + 1;
        }

        if (IERC20(token).trySafeTransfer(request.to, amount)) {
            emit Released(id, request.to, amount, left);
        } else {
            // After a call, but behind the lock. Only this part: what still waits must pass the limit first, or whoever can
            // make a transfer fail could step around it.
            _ids.parked += amount.toUint128();
            claimable[request.to] += amount;
            emit Parked(id, request.to, amount, left);
        }
    }

    function _split(
        FlowSlot memory flow,
        uint256 principalLeft,
        uint256 amount
    ) private view returns (Split memory split) {
        split.principal = amount.min(principalLeft);
        require(split.principal <= flow.reserve, NotCovered(split.principal, flow.reserve));
        uint256 rest = amount - split.principal;
        uint256 waiting = _waiting();
        uint256 covered = uint256(flow.reserve).zeroFloorSub(waiting + split.principal);
        require(rest <= covered, NotCovered(rest, covered));
        split.fitting = waiting == 0 ? rest.min(flow.room / HOUR) : 0;
        split.later = rest - split.fitting;
    }

    /// @dev `tracked` changes only where the flow is stored, so that the rate has been the same since then. A longer time than
    /// an hour fills the room too.
    function _refilled() private view returns (FlowSlot memory flow) {
        flow = _flow;
        uint256 rate = _rate(flow.reserve);
        uint256 elapsed = (block.timestamp - flow.since).min(HOUR);
        flow.room = (flow.room + rate * elapsed).min(rate * HOUR).toUint112();
        flow.since = uint40(block.timestamp);
    }

    /// @dev Rounding: down, against who waits.
    function _rate(uint256 reserve) private view returns (uint256) {
        uint256 stands = reserve.zeroFloorSub(_waiting());
        return ((stands * share) / PPM).max(floor).min(MAX_RATE);
    }

    function _releasable(FlowSlot memory flow) private view returns (uint256) {
        return _waiting().min(flow.room / HOUR).min(flow.reserve);
    }

    function _waiting() private view returns (uint256) {
        LineSlot memory line = _line;
        return line.end - line.gone;
    }
}
