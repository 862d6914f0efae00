// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Errors of the exchange
/// @notice The offending value first, then the bound.
interface IExchangeErrors {
    /* ACCESS */
    error NotOwner(uint32 account, address caller);
    error NotAllowed(uint32 account, address caller, uint8 scope);
    error UnknownAccount(uint32 account);
    error HouseAccount(uint32 account);
    error ZeroAddress();
    error ExpiryInThePast(uint256 expiry, uint256 now_);
    error UnknownScope(uint8 scope, uint8 known);
    error SignatureExpired(uint256 deadline, uint256 now_);
    error BadSignature(address owner);
    error NonceAlreadyUsed(address owner, uint256 nonce);
    error Locked();
    error FundAlreadyBound(address fund);
    /// @notice How `simulate` always ends.
    error Simulated(bool ok, bytes result);

    /* MONEY */
    error ZeroAmount();
    error NotReceived(uint256 received, uint256 amount);
    error WithdrawalTooLarge(uint256 amount, uint256 withdrawable);
    error SameAccount(uint32 account);
    error DifferentOwners(uint32 from, uint32 to);

    /* MARKETS AND PRICES */
    error UnknownMarket(uint16 market);
    error TooManyMarkets(uint256 markets, uint256 bound);
    error ParameterOutOfBounds(bytes32 name, uint256 value, uint256 bound);
    error NoPrice(uint16 market);
    error PriceNotFresh(uint16 market, uint8 grade, uint8 needed);
    error JumpPending(uint16 market);
    error ReduceOnly(uint16 market);
    error EventPending(uint16 market);
    error NoEventPending(uint16 market);
    error OpenInterestCapReached(uint16 market, uint256 lots, uint256 cap);
    /// @notice Position and orders together would be above what one account may hold of a market.
    error AccountCapReached(uint16 market, uint256 lots, uint256 cap);
    /// @notice The top leverage classes of the side together would be above what the fund could pay for.
    error TopCapReached(uint16 market, uint256 lots, uint256 cap);
    error AlreadyWindingDown(uint16 market, uint256 since);

    /* ORDERS */
    error TooManyActions(uint256 actions, uint256 bound);
    error ZeroLots();
    error TickOutOfRange(uint256 tick, uint256 bound);
    error OrderTooSmall(uint256 notional, uint256 minNotional);
    error OrderExpired(uint256 expiry, uint256 now_);
    error NoFreeSlot(uint16 market, uint32 account);
    error UnknownOrder(uint16 market, uint40 order);
    error WouldTake(uint256 tick, uint256 bestOpposite);
    error NotFilled(uint256 lots, uint256 filled);
    error NotReducing(uint16 market, uint32 account);
    error LeverageTooHigh(uint256 class, uint256 maxClass);
    error LeverageNotCovered(int256 settled, uint256 required);
    error PositionTooSmall(uint256 notional, uint256 minNotional);

    /* MARGIN */
    error MarginTooLow(int256 equity, uint256 initial);
    error TooMuchInSide(uint256 lots, uint256 bound);

    /// @notice More than a call may bring or name. Token units in deposits, quote elsewhere.
    error AmountTooLarge(uint256 amount, uint256 bound);
    /// @notice A haircut of more than 2^78 quote per lot.
    error HaircutTooLarge(uint256 amount, uint256 bound);
    /// @notice The cohort accepts no lots until its members have been settled and left.
    error CohortWornOut(uint16 cohort, uint24 checkpoint);

    /* THE WATERFALL */
    error NotLiquidatable(uint32 account, int256 equity, uint256 maintenance);
    error ClockNotStarted(uint32 account);
    error WorseThanLimit(uint256 price, uint256 limit);
    error TooManyLots(uint256 lots, uint256 bound);
    error NothingDone();
    /// @notice An event handed out less, or more, than it has to. Cannot happen (INV-8).
    error EventIncomplete(uint16 market, uint256 given, uint256 amount);
}
