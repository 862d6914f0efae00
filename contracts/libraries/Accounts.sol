// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {Price, Tally} from "../types/Context.sol";
import {Bounds, House, MarketStatus} from "../types/Keys.sol";
import {Side} from "../types/Side.sol";
import {Market, Operator, Split, State} from "../types/State.sol";
import {Access} from "./Access.sol";
import {Book} from "./Book.sol";
import {Budgets} from "./Budgets.sol";
import {Caps} from "./Caps.sol";
import {Fees} from "./Fees.sol";
import {Fresh} from "./Fresh.sol";
import {Ledger} from "./Ledger.sol";
import {Margin} from "./Margin.sol";
import {Positions} from "./Positions.sol";
import {Prices} from "./Prices.sol";
import {Shares} from "./Shares.sol";
import {Tallies} from "./Tallies.sol";

/// @title Accounts
/// @notice Opening accounts, moving money in and out, operators. Linked.
/// @dev Runs inside the exchange's lock, after the refresh of the account's markets where money leaves.
library Accounts {
    using SafeCast for uint256;

    /// @dev The exchange's EIP-712 domain: name, version, chain and address, no salt.
    string private constant DOMAIN_NAME = "Ballast";
    string private constant DOMAIN_VERSION = "1";
    bytes1 private constant DOMAIN_FIELDS = 0x0f;
    /// @dev keccak256 of the struct that an owner signs.
    bytes32 internal constant OPERATOR_TYPEHASH = keccak256(
        "SetOperator(uint32 account,address operator,uint8 scope,uint40 expiry,uint256 nonce,uint256 deadline)"
    );

    /// @notice Opens the next account for `owner`.
    /// @dev Reverts: ZeroAddress.
    function open(State storage s, address owner) external returns (uint32 account) {
        require(owner != address(0), IExchangeErrors.ZeroAddress());
        account = ++s.accountCount;
        s.accounts[account].owner = owner;
        emit IExchangeEvents.AccountOpened(account, owner);
    }

    /* MONEY */

    /// @notice Pulls tokens from the caller. The fund's account takes only what the fund itself pays in, because
    /// anything else would move its share price.
    /// @param amount Token units.
    /// @dev Reverts: UnknownAccount, HouseAccount, ZeroAmount, AmountTooLarge, and whatever the token reverts with.
    function deposit(State storage s, uint32 account, uint256 amount) external {
        address owner = credit(s, account, amount);
        IMarginVault(s.vault).pull(owner, msg.sender, amount);
    }

    function depositWithPermit(
        State storage s,
        uint32 account,
        uint256 amount,
        IMarginVault.Permit calldata permit
    ) external {
        address owner = credit(s, account, amount);
        IMarginVault(s.vault).pullWithPermit(owner, msg.sender, amount, permit);
    }

    /// @notice Takes tokens out of an account that was settled in all its markets. The vault pays them: principal at once, what is
    /// beyond it as far as its limit allows, the rest from its queue.
    /// @param amount Token units; type(uint256).max for all that is withdrawable, rounded down to a token unit.
    /// @dev Rounding: none, a token unit is a whole number of quote.
    /// @dev Reverts: NotOwner, ZeroAddress, ZeroAmount, WithdrawalTooLarge.
    function withdraw(
        State storage s,
        uint32 account,
        uint256 amount,
        address to
    ) external returns (uint256) {
        Access.requireOwner(s, account);
        require(to != address(0), IExchangeErrors.ZeroAddress());
        settleAll(s, account);
        uint256 scale = s.tokenScale;
        uint256 available = Margin.withdrawable(s, account) / scale;
        if (amount == type(uint256).max) amount = available;
        require(amount != 0, IExchangeErrors.ZeroAmount());
        require(amount <= available, IExchangeErrors.WithdrawalTooLarge(amount, available));

        int256 balance = Ledger.credit(s, account, -(amount * scale).toInt256());
        emit IExchangeEvents.Withdrawn(account, to, amount, balance);

        IMarginVault(s.vault).pay(msg.sender, to, amount);
        return amount;
    }

    /// @notice Moves quote between two accounts of one owner.
    /// @dev Reverts: NotOwner, SameAccount, DifferentOwners, ZeroAmount, WithdrawalTooLarge.
    function transfer(State storage s, uint32 from, uint32 to, uint256 amount) external {
        Access.requireOwner(s, from);
        require(from != to, IExchangeErrors.SameAccount(from));
        require(s.accounts[to].owner == msg.sender, IExchangeErrors.DifferentOwners(from, to));
        settleAll(s, from);
        uint256 available = Margin.withdrawable(s, from);
        require(amount != 0, IExchangeErrors.ZeroAmount());
        require(amount <= available, IExchangeErrors.WithdrawalTooLarge(amount, available));

        int256 fromBalance = Ledger.credit(s, from, -amount.toInt256());
        int256 toBalance = Ledger.credit(s, to, amount.toInt256());
        emit IExchangeEvents.Transferred(from, to, amount, fromBalance, toBalance);
    }

    /// @notice Pays the treasury's balance out. The exchange has checked the caller's role. Nothing was ever paid in for it, so all
    /// of it is subject to the vault's limit.
    function payTreasury(State storage s, uint256 amount, address to) external {
        require(to != address(0), IExchangeErrors.ZeroAddress());
        uint256 scale = s.tokenScale;
        int256 held = Ledger.balanceOf(s, House.TREASURY);
        uint256 available = held > 0 ? uint256(held) / scale : 0;
        require(amount != 0, IExchangeErrors.ZeroAmount());
        require(amount <= available, IExchangeErrors.WithdrawalTooLarge(amount, available));

        int256 balance = Ledger.credit(s, House.TREASURY, -(amount * scale).toInt256());
        emit IExchangeEvents.Withdrawn(House.TREASURY, to, amount, balance);

        IMarginVault(s.vault).pay(address(this), to, amount);
    }

    /* OPERATORS */

    /// @dev Reverts: NotOwner, ZeroAddress, UnknownScope, ExpiryInThePast.
    function setOperator(
        State storage s,
        uint32 account,
        address operator,
        Operator calldata right
    ) external {
        Access.requireOwner(s, account);
        writeOperator(s, account, operator, right);
    }

    /// @notice The same by the owner's signature, contract wallets included.
    /// @param nonceAndDeadline Any number that the owner has not used (numbers need no order), and a unix time.
    /// @dev Reverts: SignatureExpired, NonceAlreadyUsed, BadSignature, and as setOperator.
    function setOperatorBySig(
        State storage s,
        uint32 account,
        address operator,
        Operator calldata right,
        uint256[2] calldata nonceAndDeadline,
        bytes calldata signature
    ) external {
        (uint256 nonce, uint256 deadline) = (nonceAndDeadline[0], nonceAndDeadline[1]);
        require(
            block.timestamp <= deadline,
            IExchangeErrors.SignatureExpired(deadline, block.timestamp)
        );
        address owner = Access.requireKnown(s, account);
        useNonce(s, owner, nonce);
        bytes32 structHash = keccak256(
            abi.encode(
                OPERATOR_TYPEHASH,
                account,
                operator,
                right.scope,
                right.expiry,
                nonce,
                deadline
            )
        );
        bytes32 digest = MessageHashUtils.toTypedDataHash(domainSeparator(), structHash);
        require(
            SignatureChecker.isValidSignatureNow(owner, digest, signature),
            IExchangeErrors.BadSignature(owner)
        );
        writeOperator(s, account, operator, right);
    }

    /* UPKEEP */

    /// @notice Brings one market of an account up to date. Changes no equity.
    function settle(State storage s, uint32 account, uint16 marketId) external {
        Access.requireKnown(s, account);
        settleMarket(s, account, marketId);
    }

    /// @notice What a market needs from time to time, after its refresh: a cap that grows, the end of a drawdown, fees shared out, the
    /// shortfall of one that has ended.
    function upkeep(State storage s, uint16 marketId) external {
        Market storage m = s.markets[marketId];
        if (m.pool.shortfall != 0) clearShortfall(m, marketId);
        Caps.grow(m, marketId);
        Budgets.recover(m, marketId);
        Fees.retarget(s, m, marketId);
        Fees.share(s, m, marketId);
    }

    /// @notice Takes what a market is still missing from all fresh profit in it, once it has ended and holds no lots: no income will
    /// repay it any more, and until it is repaid nothing matures. Belongs to no event, so its number is 0.
    function clearShortfall(Market storage m, uint16 marketId) private {
        if (m.book.status & MarketStatus.ENDED == 0 || m.flow.openInterest != 0) return;
        uint256[2] memory fresh = [Fresh.pool(m, Side.Long), Fresh.pool(m, Side.Short)];
        uint256 all = fresh[0] + fresh[1];
        uint256 amount = m.pool.shortfall < all ? m.pool.shortfall : all;
        if (amount == 0) return;
        Tally memory tally;
        Split memory split = Shares.start(amount, all);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 share = Shares.next(split, fresh[i]);
            if (share == 0) continue;
            Fresh.charge(m, marketId, Side(i), share, tally);
            emit IExchangeEvents.FreshCharged(0, marketId, Side(i), share);
        }
        Fees.repayShortfall(m, marketId, amount);
        Tallies.store(m, marketId, tally);
    }

    function settleAll(State storage s, uint32 account) private {
        uint256 markets = s.accounts[account].markets | s.money[account].freshMarkets;
        // Bounded: at most Bounds.MARKETS bits, of which an account holds at most MARKETS_PER_ACCOUNT.
        for (uint16 id = 0; markets >> id != 0; id++) {
            if ((markets >> id) & 1 != 0) settleMarket(s, account, id);
        }
    }

    function settleMarket(State storage s, uint32 account, uint16 marketId) private {
        Market storage m = s.markets[marketId];
        Price memory price = Prices.load(s, marketId);
        Tally memory tally;
        Book.touch(s, marketId, account);
        (, tally) = Positions.settle(s, price, account, tally);
        Fresh.settle(s, marketId, account, tally);
        Tallies.store(m, marketId, tally);
    }

    function credit(
        State storage s,
        uint32 account,
        uint256 amount
    ) private returns (address owner) {
        owner = Access.requireKnown(s, account);
        require(
            account >= House.FIRST_ACCOUNT || (account == House.FUND && owner == msg.sender),
            IExchangeErrors.HouseAccount(account)
        );
        require(amount != 0, IExchangeErrors.ZeroAmount());
        uint256 scale = s.tokenScale;
        uint256 bound = Bounds.AMOUNT / scale;
        require(amount <= bound, IExchangeErrors.AmountTooLarge(amount, bound));
        int256 balance = Ledger.credit(s, account, int256(amount * scale));
        emit IExchangeEvents.Deposited(account, msg.sender, amount, balance);
    }

    /// @dev Computed anew, so that a fork of the chain has another.
    function domainSeparator() private view returns (bytes32) {
        return
            MessageHashUtils.toDomainSeparator(
                DOMAIN_FIELDS,
                DOMAIN_NAME,
                DOMAIN_VERSION,
                block.chainid,
                address(this),
                0
            );
    }

    function writeOperator(
        State storage s,
        uint32 account,
        address operator,
        Operator calldata right
    ) private {
        require(operator != address(0), IExchangeErrors.ZeroAddress());
        require(
            right.scope & ~Access.KNOWN_SCOPES == 0,
            IExchangeErrors.UnknownScope(right.scope, Access.KNOWN_SCOPES)
        );
        require(
            right.scope == 0 || right.expiry > block.timestamp,
            IExchangeErrors.ExpiryInThePast(right.expiry, block.timestamp)
        );
        s.operators[account][operator] = right;
        emit IExchangeEvents.OperatorSet(account, operator, right.scope, right.expiry);
    }

    /// @dev One bit a nonce, 256 to a word, so that signatures may be used in any order.
    function useNonce(State storage s, address owner, uint256 nonce) private {
        mapping(uint256 word => uint256) storage words = s.nonces[owner];
        uint256 bit = 1 << (nonce & 0xff);
        uint256 word = words[nonce >> 8];
        require(word & bit == 0, IExchangeErrors.NonceAlreadyUsed(owner, nonce));
        words[nonce >> 8] = word | bit;
        emit IExchangeEvents.NonceUsed(owner, nonce);
    }
}
