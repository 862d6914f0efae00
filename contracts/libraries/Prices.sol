// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {SafeCastLib} from "solady/src/utils/SafeCastLib.sol";
import {IExchangeEvents} from "../interfaces/IExchangeEvents.sol";
import {IIndexOracle} from "../interfaces/IIndexOracle.sol";
import {Price} from "../types/Context.sol";
import {Bounds, Grade, MarketStatus, PPM, WHOLE} from "../types/Keys.sol";
import {MarketConfig} from "../types/MarketConfig.sol";
import {BookSlot, MarkSlot, Market, SampleSlot, State} from "../types/State.sol";
import {Funding} from "./Funding.sol";
import {Impact} from "./Impact.sol";
import {JumpGuard} from "./JumpGuard.sol";
import {Volatility} from "./Volatility.sol";
import {Winding} from "./Winding.sol";

/// @title Prices
/// @notice Index, mark and funding of a market. The only writer of prices.
///
/// INDEX    what the oracle says, at most one change a block; a jump waits (JumpGuard).
/// MARK     median(index, index + premium, book), at most maxDeviation from the index.
/// BOOK     median(impact bid, impact ask, last trade), from samples: taken by the first call of a block before it changes
///          the book, at most every sampleInterval. Bid and ask: their middle. One side and a trade: the trade, not beyond
///          that side. Anything less is no price of the book, and the mark is index + premium.
/// PREMIUM  exponential average of (impact mid − index), time constant premiumWindow.
/// STORMS   see Volatility: from the index alone.
/// END      a market that is wound down gets its last price from Winding; after that nothing here changes it.
/// FUNDING  see Funding; each interval is charged with what was stored at its start.
///
/// INV-17: this block's mark does not depend on what this block does to the book, because everything is read in the block's
/// first call, before it acts. One block's book moves the premium by at most maxDeviation · sampleInterval / premiumWindow.
/// LIVENESS: without a price nothing here reverts. Index and mark stay at the last good ones and the grade says so.
library Prices {
    /// @dev A sample speaks for at most this many sample intervals; after that the premium decays as if the book was empty.
    /// Because: one quote must not set the premium of a long time in which nobody called.
    uint256 internal constant INTERVALS_PER_SAMPLE = 6;
    /// @dev A trade counts for the mark from a tenth of the notional that impact prices are taken for.
    uint256 internal constant TRADES_PER_IMPACT = 10;
    /// @dev Half the width of a stored price, so that a mark at most maxDeviation above the index fits.
    uint256 internal constant MAX_INDEX = Bounds.PRICE / 2;
    /// @dev Fresh sources that make a jump true.
    uint256 private constant CONFIRMING = 2;

    /// @dev A market's words while they are brought up to date.
    struct Words {
        MarkSlot price;
        BookSlot book;
        SampleSlot sample;
    }

    /* FACES */

    /// @notice Brings index, funding and mark up to date: once per market and block, later calls only load.
    /// @dev Before the first price mark is 0 and the grade Dead; the caller decides whether that is an error.
    function refresh(State storage s, uint16 marketId) internal returns (Price memory price) {
        Market storage m = s.markets[marketId];
        if (m.book.refreshed != block.timestamp) update(m, s.oracle, marketId);
        return load(s, marketId);
    }

    /// @notice The prices as stored, with the grade aged by the clock. Mark 0 and Dead before the first price.
    function load(State storage s, uint16 marketId) internal view returns (Price memory price) {
        Market storage m = s.markets[marketId];
        MarkSlot memory stored = m.price;
        price.market = marketId;
        price.unit = m.config.unit;
        price.mark = stored.mark;
        price.index = stored.index;
        price.funding = stored.funding;
        price.grade = gradeOf(m);
        price.pending = m.book.pendingSince != 0;
        price.pendingIndex = m.sample.pendingIndex;
        price.volatilityRate = m.book.volatilityRate;
        price.openInterest = m.flow.openInterest;
    }

    /// @notice How far the stored index may be relied on now.
    function gradeOf(Market storage m) internal view returns (Grade) {
        // The last price of a market does not age.
        if (m.book.status & MarketStatus.ENDED != 0) return Grade.Fresh;
        return worse(Grade(m.book.grade), gradeByAge(m.config, m.sample.publishTime));
    }

    /// @notice Takes note of a trade for the marks of later blocks, if it is large enough to count.
    /// @param tick Of the last fill.
    /// @param quote Notional of the whole call.
    function noteTrade(Market storage m, uint256 tick, uint256 quote) internal {
        if (quote * TRADES_PER_IMPACT < uint256(m.config.impactNotional) * WHOLE) return;
        m.book.lastTick = SafeCastLib.toUint24(tick);
        m.book.lastTradeTime = uint32(block.timestamp);
    }

    /* THE REFRESH */

    function update(Market storage m, address oracle, uint16 marketId) private {
        if (m.book.status & MarketStatus.ENDED != 0) return;
        Words memory words = Words({price: m.price, book: m.book, sample: m.sample});
        uint256 indexBefore = words.price.index;

        words.price.funding += SafeCastLib.toInt128(fundingSince(m.config, words));
        updateIndex(m.config, words, readOracle(m.config, oracle, marketId, indexBefore));
        bool isLive = words.book.grade != uint8(Grade.Dead);
        // Nothing is sampled while a jump waits: the book may know what the index does not.
        if (isLive && words.book.pendingSince == 0) {
            updatePremium(m, words, indexBefore);
            if (Volatility.mayBeDue(words.book.refreshed)) {
                words.book.volatilityRate = Volatility.sample(
                    m.volatility,
                    m.config,
                    marketId,
                    words.price.index,
                    words.book.volatilityRate
                );
            }
        }
        IExchangeEvents.MarkLeg leg = IExchangeEvents.MarkLeg.Index;
        if (isLive) leg = updateMark(m.config, words);
        words.book.refreshed = uint32(block.timestamp);

        m.price = words.price;
        m.book = words.book;
        m.sample = words.sample;
        if (!isLive || words.book.status & MarketStatus.WINDING_DOWN != 0) {
            Winding.step(m, marketId, indexBefore);
        }
        emitRefreshed(m, marketId, leg);
    }

    /// @notice Funding of the time since the last refresh, by what was stored then. None while a jump waited or the index
    /// was dead, also where it died in between.
    /// @return Quote per lot, scale 2^32.
    function fundingSince(
        MarketConfig storage config,
        Words memory words
    ) private view returns (int256) {
        uint256 from = words.book.refreshed;
        uint256 deadAt = uint256(words.sample.publishTime) + config.agedFor;
        uint256 end = FixedPointMathLib.min(block.timestamp, deadAt);
        bool isCharged = words.book.grade != uint8(Grade.Dead) && words.book.pendingSince == 0;
        if (!isCharged || end <= from) return 0;

        return
            Funding.accrual({
                premium: words.sample.premium,
                index: words.price.index,
                interest: config.interest,
                maxFunding: config.maxFunding,
                elapsed: FixedPointMathLib.min(end - from, config.maxAccrual)
            });
    }

    /* INDEX */

    /// @return reading With its price in quote per lot, rounded down; 0 and Dead if there is none that can be stored.
    function readOracle(
        MarketConfig storage config,
        address oracle,
        uint16 marketId,
        uint256 index
    ) private view returns (IIndexOracle.IndexPrice memory reading) {
        uint256 lotsPerBase = 10 ** uint256(config.lotDecimals);
        reading = IIndexOracle(oracle).read({
            market: marketId,
            last: index * lotsPerBase,
            maxSpread: config.maxSpread,
            freshFor: config.freshFor,
            agedFor: config.agedFor
        });
        reading.price /= lotsPerBase;
        if (reading.price > MAX_INDEX) reading.price = 0;
        if (reading.price == 0) reading.grade = Grade.Dead;
    }

    function updateIndex(
        MarketConfig storage config,
        Words memory words,
        IIndexOracle.IndexPrice memory reading
    ) private view {
        uint256 publishTimeBefore = words.sample.publishTime;
        if (reading.grade != Grade.Dead) guard(config, words, reading);

        Grade grade = worse(reading.grade, gradeByAge(config, words.sample.publishTime));
        if (words.book.pendingSince != 0) grade = worse(grade, Grade.Aged);
        words.book.grade = uint8(grade);
        words.book.freshSince = freshSince(config, words, publishTimeBefore);
    }

    /// @dev While the index is dead nothing changes, a jump that waits included.
    function guard(
        MarketConfig storage config,
        Words memory words,
        IIndexOracle.IndexPrice memory reading
    ) private view {
        JumpGuard.Index memory index = JumpGuard.Index({
            price: words.price.index,
            pending: words.sample.pendingIndex,
            pendingSince: words.book.pendingSince,
            publishTime: words.sample.publishTime
        });
        bool isAgreed = reading.grade == Grade.Fresh && reading.agreeing >= CONFIRMING;
        JumpGuard.read(
            index,
            JumpGuard.Update(reading.price, reading.publishTime, isAgreed),
            config.maxJump
        );
        JumpGuard.expire(index, config.maxPending);

        words.price.index = uint64(index.price);
        words.sample.pendingIndex = uint64(index.pending);
        words.book.pendingSince = uint32(index.pendingSince);
        words.sample.publishTime = SafeCastLib.toUint32(index.publishTime);
    }

    /// @notice Since when the grade is fresh without a break; 0 if it is not. The time between two refreshes counts if the
    /// later update was published while the earlier one was fresh.
    function freshSince(
        MarketConfig storage config,
        Words memory words,
        uint256 publishTimeBefore
    ) private view returns (uint32) {
        if (words.book.grade != uint8(Grade.Fresh)) return 0;
        bool isUnbroken = words.sample.publishTime <= publishTimeBefore + config.freshFor;
        bool wasFresh = words.book.freshSince != 0;
        return wasFresh && isUnbroken ? words.book.freshSince : uint32(block.timestamp);
    }

    function gradeByAge(
        MarketConfig storage config,
        uint256 publishTime
    ) private view returns (Grade) {
        if (publishTime == 0) return Grade.Dead;
        if (block.timestamp <= publishTime + config.freshFor) return Grade.Fresh;
        return block.timestamp <= publishTime + config.agedFor ? Grade.Aged : Grade.Dead;
    }

    function worse(Grade a, Grade b) private pure returns (Grade) {
        return a < b ? a : b;
    }

    /* PREMIUM */

    /// @notice Ends the sample that stood and takes the next one, if it is time.
    /// @param indexBefore The index that stood beside the sample, quote per lot.
    function updatePremium(Market storage m, Words memory words, uint256 indexBefore) private view {
        MarketConfig storage config = m.config;
        SampleSlot memory sample = words.sample;
        uint256 elapsed = block.timestamp - sample.sampled;
        uint256 interval = config.sampleInterval;
        if (elapsed < interval) return;

        // premium ← x + (premium − x) · e^(−t/W) while the sample speaks, then premium · e^(−t/W).
        uint256 stood = FixedPointMathLib.min(elapsed, INTERVALS_PER_SAMPLE * interval);
        int256 target = deviationOf(config, sample, indexBefore);
        uint256 window = config.premiumWindow;
        int256 premium = target + decayed(sample.premium - target, stood, window);
        sample.premium = SafeCastLib.toInt64(decayed(premium, elapsed - stood, window));

        uint256 mark = words.price.mark == 0 ? words.price.index : words.price.mark;
        (uint256 bid, uint256 ask) = Impact.sample(m, mark);
        sample.bid = SafeCastLib.toUint32(bid);
        sample.ask = SafeCastLib.toUint32(ask);
        sample.sampled = uint32(block.timestamp);
    }

    /// @notice Impact mid − index, at most maxDeviation of the index; 0 if a side was too thin.
    /// @dev Clamped one by one, because the mark stays that near anyway and a wall far away must not count for more.
    function deviationOf(
        MarketConfig storage config,
        SampleSlot memory sample,
        uint256 index
    ) private view returns (int256) {
        if (sample.bid == 0 || sample.ask == 0) return 0;
        uint256 sum = uint256(sample.bid) + sample.ask;
        int256 mid = int256(Impact.toQuoteDown(sum, config.unit) / 2);
        int256 bound = int256((index * config.maxDeviation) / PPM);
        return FixedPointMathLib.clamp(mid - int256(index), -bound, bound);
    }

    /// @notice value · e^(−elapsed / window). Rounding: towards zero.
    function decayed(int256 value, uint256 elapsed, uint256 window) private pure returns (int256) {
        if (value == 0 || elapsed == 0) return value;
        int256 wad = int256(WHOLE);
        return (value * FixedPointMathLib.expWad(-int256((elapsed * WHOLE) / window))) / wad;
    }

    /* MARK */

    /// @notice median(index, index + premium, book), then at most maxDeviation from the index.
    /// @return leg Which of them it is; where they are equal the first.
    function updateMark(
        MarketConfig storage config,
        Words memory words
    ) private view returns (IExchangeEvents.MarkLeg leg) {
        uint256 index = words.price.index;
        int256 signed = int256(index) + words.sample.premium;
        uint256 averaged = signed > 0 ? uint256(signed) : 0;
        uint256 book = bookOf(config, words);
        uint256 median = book == 0 ? averaged : medianOf(index, averaged, book);

        uint256 deviation = config.maxDeviation;
        uint256 low = FixedPointMathLib.divUp(index * (PPM - deviation), PPM);
        uint256 high = (index * (PPM + deviation)) / PPM;
        uint256 mark = FixedPointMathLib.clamp(median, low, high);
        words.price.mark = SafeCastLib.toUint64(mark);

        if (mark != median) return IExchangeEvents.MarkLeg.Clamped;
        if (mark == index) return IExchangeEvents.MarkLeg.Index;
        if (mark == averaged) return IExchangeEvents.MarkLeg.Premium;
        return IExchangeEvents.MarkLeg.Book;
    }

    /// @notice The book's price, quote per lot; 0 if it has none.
    /// @dev A trade alone is no price: whoever trades with himself in an empty book would make it.
    function bookOf(
        MarketConfig storage config,
        Words memory words
    ) private view returns (uint256) {
        uint256 unit = config.unit;
        uint256 bid = Impact.toQuoteDown(words.sample.bid, unit);
        uint256 ask = Impact.toQuoteDown(words.sample.ask, unit);
        uint256 countsUntil = uint256(words.book.lastTradeTime) + config.lastTradeFor;
        uint256 last = block.timestamp < countsUntil ? words.book.lastTick * unit : 0;

        if (bid != 0 && ask != 0) return last == 0 ? (bid + ask) / 2 : medianOf(bid, ask, last);
        if (last == 0) return 0;
        if (bid != 0) return FixedPointMathLib.max(bid, last);
        return ask == 0 ? 0 : FixedPointMathLib.min(ask, last);
    }

    function medianOf(uint256 a, uint256 b, uint256 c) private pure returns (uint256) {
        uint256 low = FixedPointMathLib.min(a, b);
        uint256 high = FixedPointMathLib.max(a, b);
        return FixedPointMathLib.max(low, FixedPointMathLib.min(high, c));
    }

    /* EVENT */

    function emitRefreshed(Market storage m, uint16 marketId, IExchangeEvents.MarkLeg leg) private {
        MarkSlot storage price = m.price;
        BookSlot storage book = m.book;
        SampleSlot storage sample = m.sample;
        bytes32 priceWord;
        bytes32 bookWord;
        bytes32 sampleWord;
        // The words as they are stored: each of the three structs is one slot.
        assembly ("memory-safe") {
            priceWord := sload(price.slot)
            bookWord := sload(book.slot)
            sampleWord := sload(sample.slot)
        }
        emit IExchangeEvents.Refreshed(marketId, priceWord, bookWord, sampleWord, leg);
    }
}
