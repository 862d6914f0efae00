// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {Side} from "../types/Side.sol";
import {Checkpoint} from "../types/State.sol";
import {SignedMath} from "./SignedMath.sol";

/// @title The arithmetic of pooled positions
/// @notice Pure. A cohort has lots Q and cost V; a checkpoint says what is left of a lot, A = m · 2^−e, what closings
/// paid, K = Σ m · proceeds / Q, and what haircuts took, U = Σ haircut / Q per lot still held and B = Σ m · haircut / Q.
///
/// Cost is funding-free: a lot opened at p when the funding index was F costs R(p) = p − F / 2^32. A position is
/// worth side · (lots · R(mark) − cost), so funding is a shift of price and nothing is settled into a position.
library CohortMath {
    /// @dev m of a checkpoint that nothing was cut from. m stays in [2^95, 2^96), or is 0: emptied.
    uint96 internal constant FULL = 2 ** 95;
    uint256 private constant FULL_BIT = 95;
    /// @dev U has this many fractional bits.
    uint256 internal constant HAIRCUT_BITS = 54;
    /// @dev The funding index, and with it every cost before rounding, has this many fractional bits.
    uint256 internal constant FUNDING_BITS = 32;
    /// @dev A member settles over at most this difference of exponents at once; else m_i · 2^D would not fit 160 bits.
    uint256 internal constant HOP = 64;

    /// @notice What a member has, and what the events since it was settled brought it.
    struct Share {
        uint256 lots;
        int256 cost; // quote
        int256 cash; // quote, for the balance
        uint256 haircut; // quote, given in these events
    }

    /* VALUE */

    /// @notice ⌊side · (quote − lots · F / 2^32)⌋: what lots that go for `quote` bring, for the one who sells out of `side`.
    /// @dev Rounding: down; the dust is the market's rest. Bound: quote < 2^124, lots < 2^64 and |F| < 2^127, so that the
    /// terms stay below 2^192.
    function worthFloor(
        Side side,
        uint256 lots,
        uint256 quote,
        int256 funding
    ) internal pure returns (int256) {
        return fundingFree(side, lots, quote, funding) >> FUNDING_BITS;
    }

    /// @notice ⌈side · (quote − lots · F / 2^32)⌉: side · cost of lots that are opened for `quote`.
    /// @dev Rounding: up; the dust is the market's rest.
    function worthCeil(
        Side side,
        uint256 lots,
        uint256 quote,
        int256 funding
    ) internal pure returns (int256) {
        return SignedMath.shiftCeil(fundingFree(side, lots, quote, funding), FUNDING_BITS);
    }

    /* EVENTS */

    /// @notice Takes over haircuts that the price class was charged since the checkpoint: B += ⌈m · ΔU / 2^54⌉, U = `index`.
    /// @dev Rounding: up, against the members.
    /// @param lots Q of the cohort.
    /// @return amount ⌈Q · ΔU / 2^54⌉, quote: what the cohort's cost rises by, times side. 0 if there is nothing new.
    function takeOver(
        Checkpoint memory self,
        uint136 index,
        uint256 lots
    ) internal pure returns (uint256 amount) {
        // U and B count modulo 2^136 and 2^256; only differences are ever used.
        unchecked {
            uint136 due = index - self.haircut;
            // 96 + 136 bits, and 64 + 136 bits.
            self.given += shiftUp(uint256(self.mantissa) * due);
            amount = shiftUp(lots * due);
        }
        self.haircut = index;
    }

    /// @notice Closes `closed` of `lots` for `proceeds`: K += ⌊m · proceeds / Q⌋, m ← ⌊m · (Q − x) / Q⌋, then all
    /// three shifted left until m ≥ 2^95 again. If nothing is left, m = 0 and K, B, e stay: the terminal checkpoint.
    /// @dev Rounding: down, against the members.
    function cut(
        Checkpoint memory self,
        uint256 lots,
        uint256 closed,
        int256 proceeds
    ) internal pure returns (uint256 shift) {
        int256 paid = SignedMath.mulDivFloor(proceeds, self.mantissa, lots);
        // K and B count modulo 2^256; a member reads differences only, which stay below 2^255.
        unchecked {
            self.cash += paid;
        }
        if (closed == lots) {
            self.mantissa = 0;
            return 0;
        }
        uint256 left = (uint256(self.mantissa) * (lots - closed)) / lots;
        // left ≥ 2^95 / 2^64, so it has a highest bit, at most at FULL_BIT.
        shift = FULL_BIT - FixedPointMathLib.log2(left);
        self.mantissa = uint96(left << shift);
        self.exponent += uint24(shift);
        unchecked {
            self.cash = int256(uint256(self.cash) << shift);
            self.given <<= shift;
        }
    }

    /// @notice The cost that belongs to a part of lots: side · released = ⌊side · cost · part / lots⌋, all for all.
    /// @dev Rounding: down, so that what stays costs more.
    function release(
        Side side,
        int256 cost,
        uint256 lots,
        uint256 part
    ) internal pure returns (int256) {
        return side.sign() * SignedMath.mulDivFloor(side.sign() * cost, part, lots);
    }

    /// @notice A member's share of everything between two checkpoints of its cohort, with den = m_i · 2^D, D = e_j − e_i:
    ///
    ///     q1     = ⌊q · m_j / den⌋
    ///     side·vx = ⌊(side·v · m_j · 2^54 + q · m_j · ΔU) / (den · 2^54)⌋       cost of the remainder before flooring
    ///     side·v1 = ⌈(side·v · q1 · 2^54 + q · q1 · ΔU) / (q · 2^54)⌉           cost of q1
    ///     cash   = ⌊q · ΔK / den⌋ − ⌈q · ΔB / den⌉ + side·vx − side·v
    ///
    /// The fraction of a lot below q1 stays in the cohort with its cost, vx − v1.
    /// @dev Rounding: against the member. Requires D ≤ HOP and lots > 0.
    /// @param share Before and after; cash and haircut are added to.
    function settle(
        Side side,
        Share memory share,
        Checkpoint memory from,
        Checkpoint memory to
    ) internal pure {
        uint256 apart = to.exponent - from.exponent;
        uint256 base = uint256(from.mantissa) << apart;
        uint256 lots = share.lots;
        int256 signedCost = side.sign() * share.cost;
        // side·v · 2^54 + q · ΔU: at most 174 and 200 bits.
        int256 weight = signedCost * int256(1 << HAIRCUT_BITS);
        int256 paid;
        uint256 given;
        unchecked {
            // ΔU modulo 2^136, ΔK and ΔB modulo 2^256.
            weight += int256(lots * (to.haircut - from.haircut));
            paid = to.cash - int256(uint256(from.cash) << apart);
            given = to.given - (from.given << apart);
        }
        given = FixedPointMathLib.fullMulDivUp(lots, given, base);
        share.haircut += given;
        share.cash +=
            SignedMath.mulDivFloor(paid, lots, base) -
            int256(given) +
            SignedMath.mulDivFloor(weight, to.mantissa, base << HAIRCUT_BITS) -
            signedCost;
        share.lots = (lots * to.mantissa) / base;
        share.cost = side.sign() * SignedMath.mulDivCeil(weight, share.lots, lots << HAIRCUT_BITS);
    }

    /// @dev side · (quote · 2^32 − lots · F).
    function fundingFree(
        Side side,
        uint256 lots,
        uint256 quote,
        int256 funding
    ) private pure returns (int256) {
        return side.sign() * (int256(quote << FUNDING_BITS) - int256(lots) * funding);
    }

    /// @dev ⌈x / 2^54⌉.
    function shiftUp(uint256 x) private pure returns (uint256) {
        return (x + (1 << HAIRCUT_BITS) - 1) >> HAIRCUT_BITS;
    }
}
