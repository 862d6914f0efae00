// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IPriceSource} from "../interfaces/IPriceSource.sol";

/// @title Signed feed
/// @notice Prices that known signers publish and anyone may push.
///
/// SAFETY  A price counts with `threshold` signatures over exactly it, for this contract on this chain. Its time is later than
///         the stored one and has come, so that nothing old and nothing ahead of time can be pushed. Whoever pushes chooses the
///         moment, not the price; a price that is pushed late is graded by its own time.
/// ROLES   `setSigner` and `setThreshold` belong to the role that lists markets, with its delay. Worst it can do: after the
///         delay, signers that lie.
contract SignedFeed is IPriceSource, AccessManaged, EIP712 {
    uint256 public constant MAX_SIGNERS = 16;

    bytes32 private constant UPDATE_TYPE = keccak256(
        "Update(bytes32 feed,uint256 price,uint256 confidence,uint256 publishTime)"
    );

    /// @notice A signed price.
    struct Update {
        bytes32 feed;
        uint256 price; // 18 decimals
        uint256 confidence; // half width of the provider's interval, 18 decimals
        uint256 publishTime; // unix time
    }

    /// @dev Slot 0: 128 + 88 + 40 = 256 bits.
    struct Stored {
        uint128 price;
        uint88 confidence;
        uint40 publishTime; // 0 if there is none
    }

    /// @notice How many signatures a price needs.
    uint256 public threshold;
    /// @notice How many signers there are.
    uint256 public signerCount;
    mapping(address signer => bool isSigner_) public isSigner;
    mapping(bytes32 feed => Stored stored) private _stored;

    error NoPriceYet(bytes32 feed);
    error PriceOutOfRange(uint256 price, uint256 bound);
    error ConfidenceOutOfRange(uint256 confidence, uint256 bound);
    error NotNewer(uint256 publishTime, uint256 stored);
    error FromTheFuture(uint256 publishTime, uint256 now_);
    error TooFewSignatures(uint256 signatures, uint256 threshold);
    /// @notice The signature is of nobody known, or its signer does not come after the one before.
    error BadSigner(address signer, address before);
    error LengthMismatch(uint256 updates, uint256 signatures);
    error ThresholdOutOfRange(uint256 threshold, uint256 signers);
    error TooManySigners(uint256 signers, uint256 bound);
    error SignerUnchanged(address signer);

    event Pushed(bytes32 indexed feed, uint256 price, uint256 confidence, uint256 publishTime);
    event SignerSet(address indexed signer, bool isSigner);
    event ThresholdSet(uint256 threshold);

    /// @param threshold_ Signatures that a price needs, 1 to the number of signers.
    constructor(
        address authority,
        address[] memory signers,
        uint256 threshold_
    ) AccessManaged(authority) EIP712("Ballast SignedFeed", "1") {
        for (uint256 i = 0; i < signers.length; i++) _addSigner(signers[i]);
        _setThreshold(threshold_);
    }

    /* PUSHING, open to anyone */

    /// @notice Stores a signed price.
    /// @dev Reverts: PriceOutOfRange, ConfidenceOutOfRange, FromTheFuture, NotNewer, TooFewSignatures, BadSigner.
    /// @param signatures Of different signers, by rising address; more than `threshold` are not looked at.
    function push(Update calldata update, bytes[] calldata signatures) external {
        uint256 stored = _stored[update.feed].publishTime;
        require(update.publishTime > stored, NotNewer(update.publishTime, stored));
        _store(update, signatures);
    }

    /// @notice Stores signed prices, leaving out those that are not newer than what is stored, because anyone may have pushed
    /// some of them a moment ago.
    /// @dev Reverts: LengthMismatch, and as `push` but NotNewer.
    /// @return done Prices that were stored.
    function pushMany(
        Update[] calldata updates,
        bytes[][] calldata signatures
    ) external returns (uint256 done) {
        require(
            updates.length == signatures.length,
            LengthMismatch(updates.length, signatures.length)
        );
        for (uint256 i = 0; i < updates.length; i++) {
            if (updates[i].publishTime <= _stored[updates[i].feed].publishTime) continue;
            _store(updates[i], signatures[i]);
            done++;
        }
    }

    /* ADMINISTRATION */

    /// @notice Adds or removes a signer. Prices that are stored stay.
    /// @dev Reverts: SignerUnchanged, TooManySigners, ThresholdOutOfRange if fewer than `threshold` would be left.
    function setSigner(address signer, bool isSigner_) external restricted {
        if (isSigner_) {
            _addSigner(signer);
            return;
        }
        require(isSigner[signer], SignerUnchanged(signer));
        isSigner[signer] = false;
        signerCount -= 1;
        require(threshold <= signerCount, ThresholdOutOfRange(threshold, signerCount));
        emit SignerSet(signer, isSigner_);
    }

    /// @dev Reverts: ThresholdOutOfRange.
    function setThreshold(uint256 threshold_) external restricted {
        _setThreshold(threshold_);
    }

    /* READING */

    /// @inheritdoc IPriceSource
    function read(
        bytes32 feed
    ) external view returns (uint256 price, uint256 confidence, uint40 publishTime) {
        Stored memory stored = _stored[feed];
        require(stored.publishTime != 0, NoPriceYet(feed));
        return (stored.price, stored.confidence, stored.publishTime);
    }

    /// @notice What the signers sign.
    function digestOf(Update calldata update) public view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(
                    abi.encode(
                        UPDATE_TYPE,
                        update.feed,
                        update.price,
                        update.confidence,
                        update.publishTime
                    )
                )
            );
    }

    /* STEPS */

    function _store(Update calldata update, bytes[] calldata signatures) private {
        (uint256 price, uint256 confidence) = (update.price, update.confidence);
        bool isInRange = price != 0 && price <= type(uint128).max;
        require(isInRange, PriceOutOfRange(price, type(uint128).max));
        require(confidence <= type(uint88).max, ConfidenceOutOfRange(confidence, type(uint88).max));
        uint256 publishTime = update.publishTime;
        require(publishTime <= block.timestamp, FromTheFuture(publishTime, block.timestamp));
        _requireSigned(digestOf(update), signatures);

        // In range, as checked; a time that has come fits 40 bits.
        _stored[update.feed] = Stored(uint128(price), uint88(confidence), uint40(publishTime));
        emit Pushed(update.feed, price, confidence, publishTime);
    }

    /// @dev Rising addresses, so that one signer cannot count twice.
    function _requireSigned(bytes32 digest, bytes[] calldata signatures) private view {
        uint256 needed = threshold;
        require(signatures.length >= needed, TooFewSignatures(signatures.length, needed));
        address before = address(0);
        for (uint256 i = 0; i < needed; i++) {
            address signer = ECDSA.recover(digest, signatures[i]);
            require(isSigner[signer] && signer > before, BadSigner(signer, before));
            before = signer;
        }
    }

    function _addSigner(address signer) private {
        require(signer != address(0), BadSigner(signer, address(0)));
        require(!isSigner[signer], SignerUnchanged(signer));
        isSigner[signer] = true;
        signerCount += 1;
        require(signerCount <= MAX_SIGNERS, TooManySigners(signerCount, MAX_SIGNERS));
        emit SignerSet(signer, isSigner[signer]);
    }

    function _setThreshold(uint256 threshold_) private {
        bool isInRange = threshold_ != 0 && threshold_ <= signerCount;
        require(isInRange, ThresholdOutOfRange(threshold_, signerCount));
        threshold = threshold_;
        emit ThresholdSet(threshold_);
    }
}
