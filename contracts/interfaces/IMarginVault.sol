// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Margin vault
/// @notice Holds the settlement token. Only the exchange moves it in and asks for it back; what an owner takes out beyond what was
/// paid in for him leaves at a bounded pace, first in first out. All amounts are in the token's own decimals.
interface IMarginVault {
    /// @notice What bounds outflow beyond net deposits. Fixed for good when the exchange is created.
    struct Limit {
        uint24 share; // ppm of `tracked` an hour, 1 % to 100 %
        uint64 floor; // whole units of the token an hour, whatever `tracked` is; at least 1
    }

    /// @notice An ERC-2612 permit for the vault.
    struct Permit {
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice The queue and its limit, as of now.
    struct Outflow {
        uint256 waiting; // owed to requests in the queue
        uint256 parked; // owed to receivers that could not be paid; see `claim`
        uint256 room; // what may leave now beyond net deposits
        uint256 rate; // what `room` grows by in an hour, and the most that it grows to
        uint256 releasable; // what `release` would pay now
        uint256 first; // id of the request at the head
        uint256 next; // id that the next request will get
    }

    error NotExchange(address caller);
    error NotReceived(uint256 received, uint256 amount);
    error UnsupportedDecimals(uint8 decimals, uint8 bound);
    error ShareOutOfBounds(uint256 share, uint256 least, uint256 most);
    error FloorTooLow(uint256 floor, uint256 bound);
    error NotCovered(uint256 amount, uint256 covered);
    error NothingToClaim(address receiver);

    /// @notice Net deposits of `owner` rose by `amount`.
    event Pulled(address indexed owner, address indexed from, uint256 amount);
    /// @notice Paid at once.
    /// @param amount What was sent, principal included.
    /// @param principal What net deposits of `owner` fell by. The rest of `amount` was taken from the room.
    event Paid(address indexed owner, address indexed to, uint256 amount, uint256 principal);
    /// @notice What was asked for beyond net deposits and did not fit. Ids rise by one.
    event Queued(uint256 indexed id, address indexed owner, address indexed to, uint256 amount);
    /// @notice Paid from the head of the queue.
    /// @param left What the request still waits for; 0 if it is done.
    event Released(uint256 indexed id, address indexed to, uint256 amount, uint256 left);
    /// @notice Left the queue like `Released`, but the token did not let it through: the receiver can claim it.
    event Parked(uint256 indexed id, address indexed to, uint256 amount, uint256 left);
    event Claimed(address indexed to, uint256 amount);

    /// @notice Takes `amount` from `from` and adds it to the net deposits of `owner`. Exchange only.
    /// @dev Reverts: NotExchange, NotReceived if a different amount arrives, and whatever the token reverts with.
    /// @param owner Of the account that is credited.
    function pull(address owner, address from, uint256 amount) external;

    /// @notice `pull`, after ERC-2612 permit. A permit that was already used is not an error if the allowance is there.
    function pullWithPermit(
        address owner,
        address from,
        uint256 amount,
        Permit calldata permit
    ) external;

    /// @notice Pays `amount` to `to`: at once what net deposits of `owner` cover and, while nobody waits, what fits into the
    /// room; the rest when its turn comes. Exchange only.
    /// @dev Invariant: INV-9, net deposits are never limited. Never reverts because of the limit.
    /// @dev Reverts: NotExchange, NotCovered if that is more than the vault has (principal), or more than it has and has not
    /// promised (the rest), and whatever the token reverts with for what is paid at once.
    /// @param owner Of the account that is debited.
    function pay(address owner, address to, uint256 amount) external;

    /// @notice Pays the head of the queue, then the next, as far as the room goes; a request larger than the room in parts.
    /// Open to anyone.
    /// @dev A receiver that the token refuses does not stop the others: its part leaves the queue all the same, for `claim`.
    /// @param maxItems Requests to pay at most.
    /// @return released What left the queue; 0 if nothing could.
    function release(uint256 maxItems) external returns (uint256 released);

    /// @notice Sends what was parked for `receiver` to it. Open to anyone. Not limited: it has passed the queue.
    /// @dev Reverts: NothingToClaim, and whatever the token reverts with.
    function claim(address receiver) external returns (uint256 amount);

    /* READING */

    function token() external view returns (address);

    function decimals() external view returns (uint8);

    /// @notice The exchange.
    function exchange() external view returns (address);

    /// @notice ppm of `tracked` that may leave in an hour beyond net deposits.
    function share() external view returns (uint256);

    /// @notice The least that may leave in an hour beyond net deposits.
    function floor() external view returns (uint256);

    /// @notice What was pulled less what was asked for: what the ledger stands on. Donations do not count.
    /// @dev Invariant: INV-1, the real balance is at least tracked + queued. Below zero only if accounts were paid principal that the
    /// ledger had also given to somebody who waits.
    function tracked() external view returns (int256);

    /// @notice What was asked for and has not been sent: the queue, and what can be claimed.
    function queued() external view returns (uint256);

    /// @notice What was paid in for an owner's accounts less what they took out, at least 0: what they can take out at once.
    function netDeposits(address owner) external view returns (uint256);

    /// @notice What the token did not let through to `receiver`.
    function claimable(address receiver) external view returns (uint256);

    function outflow() external view returns (Outflow memory);

    /// @notice A request that waits; all zero if it was paid, or never made.
    /// @param id Of the event `Queued`.
    /// @return to The receiver.
    /// @return left What it still waits for.
    /// @return ahead What is paid before it.
    /// @return longest Seconds within which all of it is paid at the latest, if somebody calls `release` whenever the room is full:
    /// as if only `floor` refilled it. Longer only while the vault has less than it promised; see `tracked`. Rounding: up.
    function requestOf(
        uint256 id
    ) external view returns (address to, uint256 left, uint256 ahead, uint256 longest);

    /// @notice How `pay` would split `amount` now.
    /// @dev Reverts: NotCovered.
    /// @return principal Paid at once because net deposits cover it.
    /// @return fitting Paid at once because it fits into the room.
    /// @return later Queued.
    function preview(
        address owner,
        uint256 amount
    ) external view returns (uint256 principal, uint256 fitting, uint256 later);
}
