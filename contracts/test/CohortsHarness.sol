// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ExchangeStorage} from "../ExchangeStorage.sol";
import {IExchangeErrors} from "../interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {Cohorts} from "../libraries/Cohorts.sol";
import {Fresh} from "../libraries/Fresh.sol";
import {Ledger} from "../libraries/Ledger.sol";
import {Positions} from "../libraries/Positions.sol";
import {Tallies} from "../libraries/Tallies.sol";
import {Fill, Price, Tally} from "../types/Context.sol";
import {Keys} from "../types/Keys.sol";
import {Side} from "../types/Side.sol";
import {Checkpoint, Cohort, Market, Position, PriceClass} from "../types/State.sol";
import {CohortsEvents} from "./CohortsEvents.sol";
import {CohortsInspector} from "./CohortsInspector.sol";

/// @notice Makes positions, cohorts and fresh profit callable from tests, without orders, margin or a judge.
contract CohortsHarness is ExchangeStorage, IExchangeErrors, IExchangeEvents {
    struct Terms {
        uint64 unit;
        uint64 mark;
        uint8 defaultLeverage;
        uint32 cohortBond;
        uint24 freshEpoch;
        uint24 classDelay;
    }

    struct Trade {
        uint16 market;
        uint32 buyer;
        uint32 seller;
        uint256 lots;
        uint256 ticks;
        uint256 buyerFee;
        uint256 sellerFee;
    }

    /* SETTING UP */

    function list(uint16 market, Terms calldata terms) external {
        Market storage m = $.markets[market];
        m.config.unit = terms.unit;
        m.price.mark = terms.mark;
        m.config.defaultLeverage = terms.defaultLeverage;
        m.config.cohortBond = terms.cohortBond;
        m.config.freshEpoch = terms.freshEpoch;
        m.config.classDelay = terms.classDelay;
    }

    function setMark(uint16 market, uint64 mark) external {
        $.markets[market].price.mark = mark;
    }

    function addFunding(uint16 market, int128 delta) external {
        $.markets[market].price.funding += delta;
    }

    function setJumpPending(uint16 market, uint32 since) external {
        $.markets[market].book.pendingSince = since;
    }

    function setShortfall(uint16 market, uint128 shortfall) external {
        $.markets[market].pool.shortfall = shortfall;
    }

    function setUsedSlots(uint16 market, uint32 account, uint32 used) external {
        $.markets[market].resting[account].used = used;
    }

    function setCheckpointNumber(uint16 market, uint16 cohort, uint24 number) external {
        $.markets[market].cohorts[cohort].checkpoint = number;
    }

    function setPositionCheckpoint(uint16 market, uint32 account, uint24 number) external {
        $.markets[market].positions[account].checkpoint = number;
    }

    function setMantissa(uint16 market, uint16 cohort, uint24 number, uint96 mantissa) external {
        $.markets[market].checkpoints[Keys.checkpointKey(cohort, number)].mantissa = mantissa;
    }

    function credit(uint32 account, int256 amount) external {
        Ledger.credit($, account, amount);
    }

    function move(uint32 from, uint32 to, uint256 amount) external {
        Ledger.credit($, from, -int256(amount));
        Ledger.credit($, to, int256(amount));
    }

    /* POSITIONS */

    function trade(Trade calldata t) external {
        Price memory price = priceOf(t.market);
        Tally memory tally;
        uint256 quote = t.lots * t.ticks * price.unit;
        tally = fill(price, t.buyer, Side.Long, t.lots, quote, t.buyerFee, tally);
        tally = fill(price, t.seller, Side.Short, t.lots, quote, t.sellerFee, tally);
        Tallies.store($.markets[t.market], t.market, tally);
    }

    function change(
        uint16 market,
        uint32 account,
        Fill calldata f,
        uint256 fee
    ) external returns (Positions.Outcome memory outcome) {
        Tally memory tally;
        (outcome, tally) = Positions.change($, priceOf(market), account, f, fee, tally);
        Tallies.store($.markets[market], market, tally);
    }

    function settle(uint16 market, uint32 account) external {
        Tally memory tally;
        (, tally) = Positions.settle($, priceOf(market), account, tally);
        Fresh.settle($, market, account, tally);
        Tallies.store($.markets[market], market, tally);
    }

    function setLeverage(uint16 market, uint32 account, uint256 chosen, uint256 delay) external {
        Tally memory tally;
        tally = Positions.setLeverage($, priceOf(market), account, chosen, delay, tally);
        Tallies.store($.markets[market], market, tally);
    }

    /* EVENTS */

    function run(CohortsEvents.Plan calldata plan) external {
        CohortsEvents.run($, priceOf(plan.market), plan);
    }

    function fold(uint16 market, uint32 account) external {
        Tally memory tally;
        Fresh.fold($, market, account, tally);
        Tallies.store($.markets[market], market, tally);
    }

    /* READING */

    function inspect(
        uint16 market,
        uint32[] calldata accounts
    ) external view returns (CohortsInspector.Inspection memory) {
        return CohortsInspector.inspect($, priceOf(market), accounts);
    }

    function balanceOf(uint32 account) external view returns (int256) {
        return Ledger.balanceOf($, account);
    }

    function freshOf(uint32 account) external view returns (uint256 fresh, uint256 matured) {
        return Fresh.freshOf($, account);
    }

    function marketsOf(uint32 account) external view returns (uint256 entered, uint256 fresh) {
        return ($.accounts[account].markets, $.money[account].freshMarkets);
    }

    function positionOf(uint16 market, uint32 account) external view returns (Position memory) {
        return $.markets[market].positions[account];
    }

    function cohortOf(uint16 market, uint16 cohort) external view returns (Cohort memory) {
        return $.markets[market].cohorts[cohort];
    }

    function checkpointOf(
        uint16 market,
        uint16 cohort,
        uint24 number
    ) external view returns (Checkpoint memory) {
        return $.markets[market].checkpoints[Keys.checkpointKey(cohort, number)];
    }

    function classOf(
        uint16 market,
        Side side,
        uint256 priceClass
    ) external view returns (PriceClass memory) {
        return $.markets[market].classes[Keys.classKey(side, priceClass)];
    }

    function costOf(uint16 market, uint16 cohort) external view returns (int256) {
        return Cohorts.costOf($.markets[market], cohort);
    }

    function fill(
        Price memory price,
        uint32 account,
        Side side,
        uint256 lots,
        uint256 quote,
        uint256 fee,
        Tally memory tally
    ) private returns (Tally memory) {
        (Position memory held, , ) = Positions.settledOf($, price, account);
        bool isAgainst = held.lots != 0 && Keys.sideOfKind(held.kind) != side;
        uint256 closed = isAgainst ? (held.lots < lots ? held.lots : lots) : 0;
        uint256 closedQuote = (quote / lots) * closed;
        (, tally) = Positions.change(
            $,
            price,
            account,
            Fill(side, closed, closedQuote, lots - closed, quote - closedQuote),
            fee,
            tally
        );
        return tally;
    }

    function priceOf(uint16 market) public view returns (Price memory price) {
        Market storage m = $.markets[market];
        price.market = market;
        price.unit = m.config.unit;
        price.mark = m.price.mark;
        price.index = m.price.mark;
        price.funding = m.price.funding;
    }
}
