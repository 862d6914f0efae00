// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ExchangeStorage} from "../ExchangeStorage.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {AccountMarkets} from "../libraries/AccountMarkets.sol";
import {Book} from "../libraries/Book.sol";
import {Budgets} from "../libraries/Budgets.sol";
import {Deleverage} from "../libraries/Deleverage.sol";
import {Ladder} from "../libraries/Ladder.sol";
import {Ledger} from "../libraries/Ledger.sol";
import {Liquidation} from "../libraries/Liquidation.sol";
import {Margin} from "../libraries/Margin.sol";
import {Positions} from "../libraries/Positions.sol";
import {Prices} from "../libraries/Prices.sol";
import {Tallies} from "../libraries/Tallies.sol";
import {Fill, Health, Price, Tally} from "../types/Context.sol";
import {Grade, House, Keys, MarketStatus} from "../types/Keys.sol";
import {MarketConfig} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {BookSlot, Market, MarkSlot, Position} from "../types/State.sol";

/// @notice The waterfall without the shell: prices, balances and trades are set as a test wants them, nothing is judged.
contract WaterfallHarness is ExchangeStorage, IExchangeErrors, IExchangeEvents {
    constructor() {
        $.accountCount = House.FIRST_ACCOUNT - 1;
        $.tokenScale = 1;
    }

    /* SETTING */

    function openAccount(address owner) external returns (uint32 account) {
        account = ++$.accountCount;
        $.accounts[account].owner = owner;
    }

    function openMany(uint256 count, int256 balance) external {
        for (uint256 i = 0; i < count; i++) {
            uint32 account = ++$.accountCount;
            $.accounts[account].owner = msg.sender;
            Ledger.credit($, account, balance);
        }
    }

    function list(MarketConfig calldata config) external returns (uint16 market) {
        market = $.marketCount++;
        $.markets[market].config = config;
        $.markets[market].book.status = MarketStatus.LISTED;
        emit IExchangeEvents.MarketListed(market, "", config);
    }

    function setConfig(uint16 market, MarketConfig calldata config) external {
        $.markets[market].config = config;
    }

    function setPrice(uint16 market, MarkSlot calldata price, Grade grade) external {
        Market storage m = $.markets[market];
        m.price = price;
        bool wasFresh = m.book.grade == uint8(Grade.Fresh);
        if (grade == Grade.Fresh && !wasFresh) m.book.freshSince = uint32(block.timestamp);
        m.book.grade = uint8(grade);
        m.book.refreshed = uint32(block.timestamp);
        m.sample.publishTime = uint32(block.timestamp);
    }

    function setShortfall(uint16 market, uint128 shortfall) external {
        $.markets[market].pool.shortfall = shortfall;
    }

    function credit(uint32 account, int256 amount) external {
        Ledger.credit($, account, amount);
    }

    function tradeMany(
        uint16 market,
        uint32 buyer,
        uint32[] calldata sellers,
        uint256[] calldata ticks
    ) external {
        for (uint256 i = 0; i < sellers.length; i++) trade(market, buyer, sellers[i], 1, ticks[i]);
    }

    function trade(uint16 market, uint32 buyer, uint32 seller, uint256 lots, uint256 tick) public {
        Price memory price = Prices.load($, market);
        Tally memory tally;
        tally = change(price, buyer, Side.Long, lots, tick, tally);
        tally = change(price, seller, Side.Short, lots, tick, tally);
        Tallies.store($.markets[market], market, tally);
    }

    function settle(uint16 market, uint32 account) external {
        Tally memory tally;
        (, tally) = Positions.settle($, Prices.load($, market), account, tally);
        Tallies.store($.markets[market], market, tally);
    }

    function setLeverage(uint16 market, uint32 account, uint256 leverage) external {
        Tally memory tally;
        tally = Positions.setLeverage($, Prices.load($, market), account, leverage, 0, tally);
        Tallies.store($.markets[market], market, tally);
    }

    function place(
        uint16 market,
        uint32 account,
        Side side,
        uint256 tick,
        uint256 lots
    ) external returns (uint40) {
        AccountMarkets.enter($, market, account);
        Book.NewOrder memory order;
        order.account = account;
        order.side = side;
        order.tick = tick;
        order.lots = lots;
        order.slot = Book.ANY_SLOT;
        return Book.append($.markets[market], market, order);
    }

    /* THE WATERFALL */

    function liquidate(
        uint32[] memory accounts,
        uint256 maxFills,
        uint32 rewardTo
    ) external returns (uint256) {
        return Liquidation.liquidate($, accounts, maxFills, rewardTo);
    }

    function takeover(
        uint32 from,
        uint32 to,
        uint16 market,
        uint256 lots,
        uint256 worstPrice
    ) external returns (uint256) {
        return Liquidation.takeover($, from, to, market, lots, worstPrice);
    }

    function deleverage(
        uint32[] memory accounts,
        uint256 maxFills,
        uint32 rewardTo
    ) external returns (uint256) {
        return Deleverage.deleverage($, accounts, maxFills, rewardTo);
    }

    function continueEvent(
        uint16 market,
        uint256 maxSteps,
        uint32 rewardTo
    ) external returns (bool) {
        return Ladder.continueEvent($, market, maxSteps, rewardTo);
    }

    function preview(
        uint16 market,
        Side closed,
        uint256 lots,
        uint256 deficit
    ) external returns (IExchangeEvents.DeleverageReceipt memory) {
        return Deleverage.preview($, market, closed, lots, deficit);
    }

    function draw(uint16 market, uint256 amount) external {
        Budgets.Purse memory purse = Budgets.open($);
        Budgets.draw($, market, purse, amount, IExchangeEvents.BalanceReason.FundDraw);
    }

    /* READING */

    function budget(
        uint16 market
    ) external view returns (Budgets.Purse memory purse, Budgets.Permit memory permit) {
        purse = Budgets.open($);
        permit = Budgets.permitOf($.markets[market], purse);
    }

    function healthOf(uint32 account) external view returns (Health memory) {
        return Margin.health($, account);
    }

    function settledOf(
        uint16 market,
        uint32 account
    ) external view returns (Position memory position, int256 cash) {
        (position, cash, ) = Positions.settledOf($, Prices.load($, market), account);
    }

    function balanceOf(uint32 account) external view returns (int256) {
        return Ledger.balanceOf($, account);
    }

    function clockOf(uint32 account) external view returns (uint256) {
        return $.accounts[account].clock;
    }

    function bookOf(uint16 market) external view returns (BookSlot memory) {
        return $.markets[market].book;
    }

    function extsload(bytes32[] calldata slots) external view returns (bytes32[] memory words) {
        words = new bytes32[](slots.length);
        for (uint256 i = 0; i < slots.length; i++) {
            bytes32 slot = slots[i];
            bytes32 word;
            // Reads one storage word: word = storage[slot].
            assembly ("memory-safe") {
                word := sload(slot)
            }
            words[i] = word;
        }
    }

    function change(
        Price memory price,
        uint32 account,
        Side side,
        uint256 lots,
        uint256 tick,
        Tally memory tally
    ) private returns (Tally memory) {
        (Position memory held, , ) = Positions.settledOf($, price, account);
        bool isAgainst = held.lots != 0 && Keys.sideOfKind(held.kind) != side;
        uint256 closing = isAgainst ? (held.lots < lots ? held.lots : lots) : 0;
        uint256 quote = tick * price.unit;
        Fill memory fill = Fill({
            side: side,
            closeLots: closing,
            closeQuote: closing * quote,
            openLots: lots - closing,
            openQuote: (lots - closing) * quote
        });
        (, tally) = Positions.change($, price, account, fill, 0, tally);
        return tally;
    }
}
