// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPyth} from "@pythnetwork/pyth-sdk-solidity/IPyth.sol";
import {PythStructs} from "@pythnetwork/pyth-sdk-solidity/PythStructs.sol";
import {IPriceSource} from "../interfaces/IPriceSource.sol";

/// @title Pyth source
/// @notice Reads prices that anyone has brought to a chain's Pyth contract, and brings them.
/// @dev A price is pulled: whoever needs one sends the signed update first, `update` here or at Pyth itself. Which update is brought
/// when is the sender's choice, among those that were really published and are later than the last; the exchange moves the
/// index once a block, and only to a later publish time. How old and how uncertain a price may be is for IndexOracle to judge, so
/// that both are handed on as they are. Everything that is wrong reverts; IndexOracle leaves a source out that reverts.
/// ROLES  None, and no money stays here.
contract PythSource is IPriceSource {
    /// @dev Of prices.
    int256 private constant DECIMALS = 18;
    /// @dev A price of Pyth has at most 63 bits: with an exponent above it would not fit the oracle's words, with one below nothing
    /// would be left of it.
    int256 private constant LARGEST_EXPONENT = 12;
    int256 private constant SMALLEST_EXPONENT = -36;

    /// @notice The chain's Pyth contract.
    IPyth public immutable PYTH;

    error NotAContract(address pyth);
    error NotPositive(int256 price);
    error ExponentOutOfBounds(int256 exponent, int256 smallest, int256 largest);
    error FromTheFuture(uint256 publishTime, uint256 now_);
    error FeeNotPaid(uint256 sent, uint256 fee);
    error NotRefunded(address sender, uint256 amount);

    constructor(IPyth pyth) {
        require(address(pyth).code.length != 0, NotAContract(address(pyth)));
        PYTH = pyth;
    }

    /// @notice Brings updates, for Pyth's fee. What is sent above it comes back.
    /// @dev Reverts: FeeNotPaid, NotRefunded, and whatever Pyth says of an update that is not signed as it must be.
    /// @param updates As Pyth's price service hands them out.
    function update(bytes[] calldata updates) external payable {
        uint256 fee = PYTH.getUpdateFee(updates);
        require(msg.value >= fee, FeeNotPaid(msg.value, fee));
        PYTH.updatePriceFeeds{value: fee}(updates);
        uint256 rest = msg.value - fee;
        if (rest == 0) return;
        // Last, and nothing here has state: whoever is called back finds nothing half done.
        (bool isRefunded, ) = msg.sender.call{value: rest}("");
        require(isRefunded, NotRefunded(msg.sender, rest));
    }

    /// @inheritdoc IPriceSource
    /// @param feed Pyth's id of the price feed.
    /// @dev Rounding: the price down, the confidence up.
    function read(
        bytes32 feed
    ) external view returns (uint256 price, uint256 confidence, uint40 publishTime) {
        PythStructs.Price memory last = PYTH.getPriceUnsafe(feed);
        require(last.price > 0, NotPositive(last.price));
        require(
            last.expo >= SMALLEST_EXPONENT && last.expo <= LARGEST_EXPONENT,
            ExponentOutOfBounds(last.expo, SMALLEST_EXPONENT, LARGEST_EXPONENT)
        );
        require(
            last.publishTime <= block.timestamp,
            FromTheFuture(last.publishTime, block.timestamp)
        );

        uint256 digits = uint256(uint64(last.price));
        int256 shift = DECIMALS + last.expo;
        // A time that has come fits 40 bits.
        publishTime = uint40(last.publishTime);
        if (shift >= 0) {
            uint256 factor = 10 ** uint256(shift);
            return (digits * factor, last.conf * factor, publishTime);
        }
        uint256 divisor = 10 ** uint256(-shift);
        return (digits / divisor, (uint256(last.conf) + divisor - 1) / divisor, publishTime);
    }
}
