// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {ExchangeStorage} from "../ExchangeStorage.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {Margin} from "../libraries/Margin.sol";
import {Cohorts} from "../libraries/Cohorts.sol";
import {Positions} from "../libraries/Positions.sol";
import {Prices} from "../libraries/Prices.sol";
import {Queue} from "../libraries/Queue.sol";
import {Fill, Health, Price, Snapshot, Tally} from "../types/Context.sol";
import {Keys} from "../types/Keys.sol";
import {MarketConfig} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {FreshRecord, Market, MarkSlot, Position, Resting} from "../types/State.sol";

/// @notice Makes Margin callable over a state that tests write slot by slot.
contract MarginHarness is ExchangeStorage, IExchangeErrors {
    struct MarketState {
        MarkSlot price;
        uint8 grade;
        bool isPending;
        uint64 pendingIndex;
        uint16 volatilityRate;
        uint64 openInterest;
        MarketConfig config;
    }

    struct Holding {
        uint16 market;
        Position position;
        Resting resting;
    }

    function setMarket(uint16 marketId, MarketState calldata state) external {
        Market storage m = $.markets[marketId];
        m.price = state.price;
        m.config = state.config;
        m.book.grade = state.grade;
        m.book.pendingSince = state.isPending ? uint32(block.timestamp) : 0;
        m.sample.publishTime = uint32(block.timestamp);
        m.sample.pendingIndex = state.pendingIndex;
        m.book.volatilityRate = state.volatilityRate;
        m.flow.openInterest = state.openInterest;
    }

    function setAccount(
        uint32 account,
        uint48 markets,
        int128 balance,
        Holding[] calldata holdings
    ) external {
        $.accounts[account].markets = markets;
        $.money[account].balance = balance;
        for (uint256 i = 0; i < holdings.length; ++i) {
            $.markets[holdings[i].market].positions[account] = holdings[i].position;
            $.markets[holdings[i].market].resting[account] = holdings[i].resting;
        }
    }

    /// @notice Makes several calls on one state. As a static call it leaves no trace, so that a test needs no transaction.
    function batch(
        bytes[] calldata calls
    ) external returns (bool[] memory oks, bytes[] memory results) {
        oks = new bool[](calls.length);
        results = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            (oks[i], results[i]) = address(this).delegatecall(calls[i]);
        }
    }

    function setCohortMembers(uint16 marketId, uint16 cohort, uint32 members) external {
        $.markets[marketId].cohorts[cohort].members = members;
    }

    function setFresh(uint16 marketId, uint32 account, FreshRecord calldata record) external {
        $.markets[marketId].freshRecords[account] = record;
        $.money[account].freshMarkets |= uint48(1 << marketId);
        $.markets[marketId].fresh[record.tag & 1].epoch = record.epoch;
    }

    /// @notice A party's side of a trade, as matching makes it.
    function trade(
        uint16 marketId,
        uint32 account,
        Side side,
        uint256 lots,
        uint256 price,
        uint256 fee
    ) external {
        Price memory p = Prices.load($, marketId);
        (Position memory held, , ) = Positions.settledOf($, p, account);
        bool isSame = Keys.sideOfKind(held.kind) == side;
        uint256 closing = isSame ? 0 : FixedPointMathLib.min(held.lots, lots);
        uint256 opening = lots - closing;
        Fill memory fill = Fill(side, closing, closing * price, opening, opening * price);
        Tally memory tally;
        Positions.change($, p, account, fill, fee, tally);
    }

    /// @notice What an event does to the cohort of an account: a haircut on its price class, then some of its lots closed.
    function happen(uint16 marketId, uint32 account, uint256 haircut, uint256 lots) external {
        Market storage m = $.markets[marketId];
        Price memory p = Prices.load($, marketId);
        Position memory held = m.positions[account];
        Side side = Keys.sideOfKind(held.kind);
        uint256 class = Queue.classOf(held.entry);
        Cohorts.charge(m, marketId, side, class, haircut);
        Tally memory tally;
        uint16 cohort = Keys.cohortKey(side, Keys.leverageOfKind(held.kind), class);
        Cohorts.cut(m, p, cohort, lots, 0, tally);
    }

    function settle(uint16 marketId, uint32 account) external {
        Tally memory tally;
        Positions.settle($, Prices.load($, marketId), account, tally);
    }

    function health(uint32 account) external view returns (Health memory) {
        return Margin.health($, account);
    }

    function snapshot(uint32 account) external view returns (Snapshot memory) {
        return Margin.snapshot($, account);
    }

    function requireAllowed(uint32 account, Snapshot memory before) external view {
        Margin.requireAllowed($, account, before);
    }

    /// @notice Judges the second account as what became of the first.
    function judge(uint32 accountBefore, uint32 accountAfter) external view {
        Margin.requireAllowed($, accountAfter, Margin.snapshot($, accountBefore));
    }

    function chosenClass(uint16 marketId, uint32 account) external view returns (uint256) {
        return Margin.chosenClass($.markets[marketId], account);
    }

    function allowsMaker(
        uint16 marketId,
        uint32 maker,
        Side side,
        uint256 lots,
        uint256 price,
        uint256 fee
    ) external view returns (bool) {
        return Margin.allowsMaker($, Prices.load($, marketId), maker, side, lots, price, fee);
    }

    function withdrawable(uint32 account) external view returns (uint256) {
        return Margin.withdrawable($, account);
    }

    function coverage(uint32 account) external view returns (int256, uint256) {
        return Margin.coverage($, account);
    }

    function isLiquidatable(uint32 account) external view returns (bool) {
        return Margin.isLiquidatable(Margin.health($, account));
    }

    function limit(
        uint16 marketId,
        uint32 account,
        uint256 elapsed
    ) external view returns (uint256, uint256) {
        Price memory price = Prices.load($, marketId);
        return Margin.limit($, price, account, Margin.health($, account), elapsed);
    }

    function lotsToTarget(
        uint16 marketId,
        uint32 account,
        uint256 salePrice
    ) external view returns (uint256) {
        Price memory price = Prices.load($, marketId);
        return Margin.lotsToTarget($, price, account, Margin.health($, account), salePrice);
    }

    function liquidationPrice(uint16 marketId, uint32 account) external view returns (uint256) {
        Price memory price = Prices.load($, marketId);
        return Margin.liquidationPrice($, price, account, Margin.health($, account));
    }

    function zeroPrice(uint16 marketId, uint32 account) external view returns (uint256) {
        Price memory price = Prices.load($, marketId);
        return Margin.zeroPrice($, price, account, Margin.health($, account));
    }

    function maintenanceOf(uint16 marketId, uint32 account) external view returns (uint256) {
        return Margin.maintenanceOf($, Prices.load($, marketId), account);
    }

    function settledBalance(uint32 account) external view returns (int256) {
        return Margin.settledBalance($, account);
    }

    function penalty(
        uint256 rateAmount,
        Health memory before,
        Health memory after_
    ) external pure returns (uint256) {
        return Margin.penalty(rateAmount, before, after_);
    }
}
