// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {Price} from "../types/Context.sol";
import {Keys} from "../types/Keys.sol";
import {LeverageTable} from "../types/MarketConfig.sol";
import {Side} from "../types/Side.sol";
import {Market} from "../types/State.sol";
import {Bits} from "./Bits.sol";

/// @title The order in which positions are closed
/// @notice A price class is the exponent and the six leading mantissa bits of an entry (ticks · 2^16): class = 64k + mant,
/// 0.8 to 1.6 % wide. A cohort scores leverage × (mark − b) / b for longs, leverage × (b − mark) / b for shorts, where b is
/// the edge of its class nearest to a winning mark; the highest score is the front. Within one leverage that is the order
/// of the classes, at every mark, so the front of the side is the best of eight heads and nothing is kept sorted.
///
/// A bitmap of occupied classes per side and leverage, ten words each, and one word a side that says which of these words
/// are not zero. A bit is set while the cohort has lots.
library Queue {
    uint256 private constant MANTISSA_BITS = 6;
    uint256 private constant MANTISSAS = 1 << MANTISSA_BITS;
    /// @dev Edges are exact with this many fractional bits: 16 of the entry, 6 of the mantissa.
    uint256 internal constant EDGE_BITS = 22;
    uint256 private constant WORD_BITS = 8;
    uint256 private constant WORD_MASK = 0xff;
    /// @dev Where a side's summary stands: behind the words of the highest leverage class.
    uint256 private constant SUMMARY = LeverageTable.CLASSES << 4;
    /// @dev Bits of the summary for each leverage class; ten are used.
    uint256 private constant SUMMARY_BITS = 16;
    uint256 private constant SUMMARY_MASK = 0xffff;

    /// @notice The best class of each leverage that has not been handed out yet.
    struct Heads {
        Price price;
        Side side;
        uint256 live; // bit l: leverage class l has a head
        uint256[8] classes;
        uint256[8] edges; // scale 2^EDGE_BITS
        int256[8] scores; // leverage · side · (mark − edge), scale 2^EDGE_BITS; over the edge it is the score
    }

    /* CLASSES */

    /// @notice The price class of an average entry.
    /// @param entry Ticks · 2^16, at least 1.
    function classOf(uint256 entry) internal pure returns (uint256) {
        uint256 exponent = FixedPointMathLib.log2(entry);
        uint256 mantissa = ((entry << MANTISSA_BITS) >> exponent) - MANTISSAS;
        return (exponent << MANTISSA_BITS) + mantissa;
    }

    /// @notice The edge of a class that is nearest to a winning mark: the upper one for longs, the lower one for shorts. No
    /// member has an entry that is worse for its profit.
    /// @return Quote per lot, scale 2^EDGE_BITS, exact.
    function nearEdge(
        Price memory price,
        Side side,
        uint256 class
    ) internal pure returns (uint256) {
        uint256 mantissa = MANTISSAS + (class & (MANTISSAS - 1));
        if (side == Side.Long) mantissa++;
        return (mantissa << (class >> MANTISSA_BITS)) * price.unit;
    }

    /* ORDER */

    /// @notice Starts at the front of a side.
    function open(
        Market storage m,
        Price memory price,
        Side side
    ) internal view returns (Heads memory heads) {
        heads.price = price;
        heads.side = side;
        uint256 summary = m.occupied[summaryKey(side)];
        for (uint256 leverage = 0; leverage < LeverageTable.CLASSES; leverage++) {
            if ((summary >> (leverage * SUMMARY_BITS)) & SUMMARY_MASK == 0) continue;
            advance(m, heads, leverage, first(side));
        }
    }

    /// @notice The next cohort in the order of the queue; each comes once. Ties go to the higher leverage.
    /// @dev Cohorts that were handed out may be cut or emptied in between.
    function next(
        Market storage m,
        Heads memory heads
    ) internal view returns (uint16 cohort, bool found) {
        if (heads.live == 0) return (0, false);
        uint256 best = FixedPointMathLib.log2(heads.live);
        // From the highest leverage down, so that it keeps a tie.
        uint256 others = heads.live & ~(1 << best);
        while (others != 0) {
            uint256 leverage = FixedPointMathLib.log2(others);
            others &= ~(1 << leverage);
            if (isAhead(heads, leverage, best)) best = leverage;
        }
        uint256 class = heads.classes[best];
        heads.live &= ~(1 << best);
        (uint256 from, bool isIn) = behind(heads.side, class);
        if (isIn) advance(m, heads, best, from);
        return (Keys.cohortKey(heads.side, best, class), true);
    }

    /// @notice The best occupied price class over all leverages: the lowest for longs, the highest for shorts.
    function firstClass(
        Market storage m,
        Side side
    ) internal view returns (uint256 class, bool found) {
        return anyFrom(m, side, first(side));
    }

    /// @notice The occupied price class that follows `class` in rank order, over all leverages.
    function nextClass(
        Market storage m,
        Side side,
        uint256 class
    ) internal view returns (uint256 following, bool found) {
        (uint256 from, bool isIn) = behind(side, class);
        if (!isIn) return (0, false);
        return anyFrom(m, side, from);
    }

    /* OCCUPIED CLASSES */

    function set(Market storage m, uint16 cohort) internal {
        (uint256 wordKey, uint256 bit, uint256 summaryBit) = place(cohort);
        uint256 word = m.occupied[wordKey];
        m.occupied[wordKey] = word | bit;
        if (word == 0) m.occupied[summaryKey(Keys.sideOfCohort(cohort))] |= summaryBit;
    }

    function clear(Market storage m, uint16 cohort) internal {
        (uint256 wordKey, uint256 bit, uint256 summaryBit) = place(cohort);
        uint256 word = m.occupied[wordKey] & ~bit;
        m.occupied[wordKey] = word;
        if (word == 0) m.occupied[summaryKey(Keys.sideOfCohort(cohort))] &= ~summaryBit;
    }

    function isSet(Market storage m, uint16 cohort) internal view returns (bool) {
        (uint256 wordKey, uint256 bit, ) = place(cohort);
        return m.occupied[wordKey] & bit != 0;
    }

    /* PRIVATE */

    /// @dev Score of `a` strictly above that of `b`: a.score / a.edge > b.score / b.edge. Scores have at most 117 bits, edges
    /// 110, so the products fit.
    function isAhead(Heads memory heads, uint256 a, uint256 b) private pure returns (bool) {
        return heads.scores[a] * int256(heads.edges[b]) > heads.scores[b] * int256(heads.edges[a]);
    }

    /// @dev Puts the first occupied class at or behind `from` at the head of its leverage.
    function advance(
        Market storage m,
        Heads memory heads,
        uint256 leverage,
        uint256 from
    ) private view {
        Side side = heads.side;
        uint256 words = (m.occupied[summaryKey(side)] >> (leverage * SUMMARY_BITS)) & SUMMARY_MASK;
        (uint256 class, bool found) = scan(m, side, words, leverage, from);
        if (!found) return;
        uint256 edge = nearEdge(heads.price, side, class);
        heads.live |= 1 << leverage;
        heads.classes[leverage] = class;
        heads.edges[leverage] = edge;
        heads.scores[leverage] =
            int256(LeverageTable.leverageOf(leverage)) *
            side.sign() *
            (int256(heads.price.mark << EDGE_BITS) - int256(edge));
    }

    /// @dev The best occupied class at or behind `from` over all leverages.
    function anyFrom(
        Market storage m,
        Side side,
        uint256 from
    ) private view returns (uint256 best, bool found) {
        uint256 summary = m.occupied[summaryKey(side)];
        for (uint256 leverage = 0; leverage < LeverageTable.CLASSES; leverage++) {
            uint256 words = (summary >> (leverage * SUMMARY_BITS)) & SUMMARY_MASK;
            if (words == 0) continue;
            (uint256 class, bool any) = scan(m, side, words, leverage, from);
            if (!any) continue;
            bool isBetter = side == Side.Long ? class < best : class > best;
            if (!found || isBetter) best = class;
            found = true;
        }
    }

    /// @dev The first occupied class of one leverage at or behind `from`, in rank order.
    /// @param words Bit w: word w of this leverage is not zero.
    function scan(
        Market storage m,
        Side side,
        uint256 words,
        uint256 leverage,
        uint256 from
    ) private view returns (uint256 class, bool found) {
        uint256 index = from >> WORD_BITS;
        uint256 base = (side.index() << 8) | (leverage << 4);
        if ((words >> index) & 1 != 0) {
            uint256 word = onward(m.occupied[base | index], side, from & WORD_MASK);
            if (word != 0) return ((index << WORD_BITS) | head(word, side), true);
        }
        words =
            side == Side.Long
                ? (((words >> index) >> 1) << index) << 1
                : words & ((1 << index) - 1);
        if (words == 0) return (0, false);
        index = head(words, side);
        return ((index << WORD_BITS) | head(m.occupied[base | index], side), true);
    }

    /// @dev The bits of a word at or behind `position`.
    function onward(uint256 word, Side side, uint256 position) private pure returns (uint256) {
        if (side == Side.Long) return (word >> position) << position;
        uint256 unwanted = WORD_MASK - position;
        return (word << unwanted) >> unwanted;
    }

    /// @dev The bit of a word that is first in rank order.
    function head(uint256 word, Side side) private pure returns (uint256) {
        return side == Side.Long ? Bits.leastSignificant(word) : Bits.mostSignificant(word);
    }

    /// @dev Where the rank order of a side begins. 4095 lies behind every class.
    function first(Side side) private pure returns (uint256) {
        return side == Side.Long ? 0 : 0xfff;
    }

    /// @dev The place right behind a class in rank order, if there is one.
    function behind(Side side, uint256 class) private pure returns (uint256 from, bool isIn) {
        if (side == Side.Long) return (class + 1, true);
        return class == 0 ? (0, false) : (class - 1, true);
    }

    function summaryKey(Side side) private pure returns (uint256) {
        return (side.index() << 8) | SUMMARY;
    }

    function place(
        uint16 cohort
    ) private pure returns (uint256 wordKey, uint256 bit, uint256 summaryBit) {
        uint256 class = Keys.priceClassOfCohort(cohort);
        uint256 leverage = Keys.leverageOfCohort(cohort);
        uint256 index = class >> WORD_BITS;
        wordKey = (Keys.sideOfCohort(cohort).index() << 8) | (leverage << 4) | index;
        bit = 1 << (class & WORD_MASK);
        summaryBit = 1 << (leverage * SUMMARY_BITS + index);
    }
}
