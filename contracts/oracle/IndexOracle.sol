// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {LibCall} from "solady/src/utils/LibCall.sol";
import {IIndexOracle} from "../interfaces/IIndexOracle.sol";
import {IPriceSource} from "../interfaces/IPriceSource.sol";
import {Grade, PPM} from "../types/Keys.sol";

/// @title Index oracle
/// @notice Turns up to five sources of a market into one price with a grade.
///
/// SOURCES  Each is asked with bounded gas and its answer is only looked at as numbers, so that whatever it does it is left out
///          and nothing else happens. Left out is a source that reverts, burns its gas or answers short; a price of zero,
///          outside the market's bounds or with an interval wider than maxSpread; a time that has not come or that is
///          older than agedFor.
/// CHOICE   A price is always one source's own, two are never averaged.
///          three or more fresh: their median, of an even number the middle one nearer the last index; fresh.
///          two fresh: the one nearer the last index; fresh if they are within maxSpread of each other, else aged.
///          one fresh: that one, aged. None: the latest published, aged. Nothing: price 0, dead.
///          Of two that are equally near, or without a last index, the one published later.
/// LIVENESS No source can make `read` revert. A caller who gives too little gas to ask a source gets a revert, because
///          he would otherwise choose which sources count.
/// ROLES    `setSources` and `setBounds` belong to the oracle role, with its delay. Worst it can do: after the delay,
///          sources that lie; the exchange's jump guard is what is left then.
contract IndexOracle is IIndexOracle, AccessManaged {
    uint256 public constant MAX_SOURCES = 5;
    /// @notice Gas that one source may use. A Chainlink proxy with a sequencer check needs less than half.
    uint256 public constant SOURCE_GAS = 100_000;
    /// @dev The call keeps a 64th back, and costs something itself.
    uint256 private constant GAS_NEEDED = (SOURCE_GAS * 64) / 63 + 5_000;
    /// @dev An answer is three words.
    uint16 private constant ANSWER_BYTES = 96;
    /// @dev Fresh sources of which the median is relied on.
    uint256 private constant QUORUM = 3;

    struct Source {
        address source;
        bytes32 feed;
    }

    /// @dev Slot 0: 8 + 120 + 120 = 248 bits; then two slots a source.
    struct Sources {
        uint8 count;
        uint120 lowest; // a price below is left out; 18 decimals
        uint120 highest; // a price above is left out; 18 decimals
        Source[MAX_SOURCES] list;
    }

    /// @dev What a source answered, once it counts.
    struct Quote {
        uint256 price;
        uint256 publishTime;
    }

    /// @dev What `read` works on, in memory.
    struct Reading {
        uint256 last;
        uint256 maxSpread;
        uint256 freshFor;
        uint256 agedFor;
        Quote[] fresh; // by price, ascending
        uint256 count; // of fresh
        Quote aged; // the latest published; price 0 if there is none
    }

    mapping(uint16 market => Sources sources) private _sources;

    constructor(address authority) AccessManaged(authority) {}

    /* ADMINISTRATION */

    /// @notice Names the sources of a market; none leaves it without a price.
    /// @dev Reverts: LengthMismatch, TooManySources, NotAContract, SourceTwice.
    /// @param feeds What each source is asked for.
    function setSources(
        uint16 market,
        address[] calldata sources,
        bytes32[] calldata feeds
    ) external restricted {
        uint256 count = sources.length;
        require(count == feeds.length, LengthMismatch(count, feeds.length));
        require(count <= MAX_SOURCES, TooManySources(count, MAX_SOURCES));

        Sources storage stored = _sources[market];
        if (stored.highest == 0) stored.highest = type(uint120).max;
        stored.count = uint8(count);
        for (uint256 i = 0; i < count; i++) {
            _requireNew(sources, feeds, i);
            stored.list[i] = Source(sources[i], feeds[i]);
        }
        emit SourcesSet(market, sources, feeds);
    }

    /// @notice Sets the prices beyond which a source is not believed: what a feed's own floor or cap looks like.
    /// @dev Reverts: BoundsCrossed.
    /// @param lowest 18 decimals.
    /// @param highest 18 decimals.
    function setBounds(uint16 market, uint120 lowest, uint120 highest) external restricted {
        require(lowest < highest, BoundsCrossed(lowest, highest));
        _sources[market].lowest = lowest;
        _sources[market].highest = highest;
        emit BoundsSet(market, lowest, highest);
    }

    /* READING */

    /// @inheritdoc IIndexOracle
    function read(
        uint16 market,
        uint256 last,
        uint256 maxSpread,
        uint256 freshFor,
        uint256 agedFor
    ) external view returns (IndexPrice memory) {
        Reading memory reading;
        reading.last = last;
        reading.maxSpread = maxSpread;
        reading.freshFor = freshFor;
        reading.agedFor = agedFor;
        reading.fresh = new Quote[](MAX_SOURCES);
        _gather(_sources[market], reading);

        if (reading.count == 0) {
            Grade grade = reading.aged.price == 0 ? Grade.Dead : Grade.Aged;
            return _toPrice(reading.aged, grade, 0);
        }
        Quote memory chosen = _choose(reading);
        uint256 agreeing = _agreeing(reading, chosen.price);
        bool isFresh = reading.count >= QUORUM || agreeing > 1;
        return _toPrice(chosen, isFresh ? Grade.Fresh : Grade.Aged, agreeing);
    }

    /// @inheritdoc IIndexOracle
    function sourcesOf(
        uint16 market
    ) external view returns (address[] memory sources, bytes32[] memory feeds) {
        Sources storage stored = _sources[market];
        uint256 count = stored.count;
        sources = new address[](count);
        feeds = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            sources[i] = stored.list[i].source;
            feeds[i] = stored.list[i].feed;
        }
    }

    /// @notice The prices beyond which a source of the market is not believed, 18 decimals.
    function boundsOf(uint16 market) external view returns (uint256 lowest, uint256 highest) {
        return (_sources[market].lowest, _sources[market].highest);
    }

    /* GATHERING */

    function _gather(Sources storage stored, Reading memory reading) private view {
        uint256 count = stored.count;
        (uint256 lowest, uint256 highest) = (stored.lowest, stored.highest);
        for (uint256 i = 0; i < count; i++) {
            (Quote memory quote, uint256 confidence) = _ask(stored.list[i]);
            bool isInside = quote.price != 0 && quote.price >= lowest && quote.price <= highest;
            bool isFuture = quote.publishTime > block.timestamp;
            if (!isInside || isFuture) continue;
            if (!_isWithin(confidence, quote.price, reading.maxSpread)) continue;
            _sortIn(reading, quote);
        }
    }

    /// @return quote Price 0 if the source failed.
    function _ask(
        Source storage source
    ) private view returns (Quote memory quote, uint256 confidence) {
        bytes memory question = abi.encodeCall(IPriceSource.read, (source.feed));
        address target = source.source;
        require(gasleft() >= GAS_NEEDED, TooLittleGas(gasleft(), GAS_NEEDED));
        (bool isAnswered, , bytes memory answer) = LibCall.tryStaticCall(
            target,
            SOURCE_GAS,
            ANSWER_BYTES,
            question
        );
        if (!isAnswered || answer.length < ANSWER_BYTES) return (quote, 0);
        // As numbers of full width: nothing that a source can return makes this revert.
        (quote.price, confidence, quote.publishTime) = abi.decode(
            answer,
            (uint256, uint256, uint256)
        );
    }

    /// @dev Fresh ones are kept in order of price, of aged ones only the latest.
    function _sortIn(Reading memory reading, Quote memory quote) private view {
        // The time has come, as the caller of this has checked.
        uint256 age = block.timestamp - quote.publishTime;
        if (age > reading.freshFor) {
            bool isLatest = quote.publishTime > reading.aged.publishTime;
            if (age <= reading.agedFor && isLatest) reading.aged = quote;
            return;
        }
        Quote[] memory fresh = reading.fresh;
        uint256 i = reading.count++;
        for (; i > 0 && _isBefore(quote, fresh[i - 1]); i--) fresh[i] = fresh[i - 1];
        fresh[i] = quote;
    }

    function _isBefore(Quote memory a, Quote memory b) private pure returns (bool) {
        if (a.price != b.price) return a.price < b.price;
        return a.publishTime < b.publishTime;
    }

    /* CHOOSING */

    /// @dev At least one is fresh.
    function _choose(Reading memory reading) private pure returns (Quote memory) {
        uint256 count = reading.count;
        Quote memory upper = reading.fresh[count / 2];
        if (count % 2 == 1) return upper;
        return _nearer(reading.fresh[count / 2 - 1], upper, reading.last);
    }

    function _nearer(
        Quote memory a,
        Quote memory b,
        uint256 last
    ) private pure returns (Quote memory) {
        uint256 fromA = FixedPointMathLib.dist(a.price, last);
        uint256 fromB = FixedPointMathLib.dist(b.price, last);
        if (last == 0 || fromA == fromB) return a.publishTime > b.publishTime ? a : b;
        return fromA < fromB ? a : b;
    }

    function _agreeing(
        Reading memory reading,
        uint256 price
    ) private pure returns (uint256 agreeing) {
        for (uint256 i = 0; i < reading.count; i++) {
            uint256 distance = FixedPointMathLib.dist(reading.fresh[i].price, price);
            if (_isWithin(distance, price, reading.maxSpread)) agreeing++;
        }
    }

    /// @dev Saturating, because distance and spread are whatever a source or a caller says.
    function _isWithin(
        uint256 distance,
        uint256 price,
        uint256 spread
    ) private pure returns (bool) {
        return
            FixedPointMathLib.saturatingMul(distance, PPM) <=
            FixedPointMathLib.saturatingMul(price, spread);
    }

    function _toPrice(
        Quote memory quote,
        Grade grade,
        uint256 agreeing
    ) private pure returns (IndexPrice memory) {
        // A time that has come fits 40 bits, and there are at most five sources.
        return IndexPrice(quote.price, uint40(quote.publishTime), grade, uint8(agreeing));
    }

    /* CHECKS */

    function _requireNew(
        address[] calldata sources,
        bytes32[] calldata feeds,
        uint256 i
    ) private view {
        require(sources[i].code.length != 0, NotAContract(sources[i]));
        for (uint256 j = 0; j < i; j++) {
            bool isTwice = sources[j] == sources[i] && feeds[j] == feeds[i];
            require(!isTwice, SourceTwice(sources[i], feeds[i]));
        }
    }
}
