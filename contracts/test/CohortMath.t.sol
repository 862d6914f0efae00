// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {CohortMath} from "../libraries/CohortMath.sol";
import {SignedMath} from "../libraries/SignedMath.sol";
import {Side} from "../types/Side.sol";
import {Checkpoint} from "../types/State.sol";

contract CohortMathTest {
    error NotTheFloor(int256 x, uint256 y, uint256 d, int256 result);
    error NotTheCeiling(int256 x, uint256 y, uint256 d, int256 result);
    error SidesDoNotMeet(int256 long, int256 short);
    error NotNormal(uint256 mantissa);
    error TooManyLots(uint256 lots, uint256 bound);
    error TooFewLots(uint256 lots, uint256 bound);
    error MoneyFromNowhere(int256 paid, int256 there);
    error MoneyLost(int256 paid, int256 there);
    error Changed(uint256 lots, int256 cost, int256 cash);

    struct Pair {
        uint56 first;
        uint56 second;
        int96 firstCost;
        int96 secondCost;
    }

    struct Event {
        uint256 closed;
        uint64 mark;
        int104 funding;
        uint64 haircut; // per lot, scale 2^54
        bool isShort;
    }

    /// @dev Holds for products that fit, where the plain remainder says what is right.
    function testFuzz_mulDivIsTheNearestBelowAndAbove(int128 x, uint96 y, uint96 d) external pure {
        if (d == 0) return;
        int256 product = int256(x) * int256(uint256(y));
        int256 divisor = int256(uint256(d));
        int256 low = SignedMath.mulDivFloor(x, y, d);
        int256 high = SignedMath.mulDivCeil(x, y, d);
        int256 above = product - low * divisor;
        int256 below = high * divisor - product;
        require(above >= 0 && above < divisor, NotTheFloor(x, y, d, low));
        require(below >= 0 && below < divisor, NotTheCeiling(x, y, d, high));
    }

    function testFuzz_shiftIsTheNearestBelowAndAbove(int192 x, uint8 bits) external pure {
        uint256 shift = bits % 60;
        int256 one = int256(1 << shift);
        int256 high = SignedMath.shiftCeil(x, shift);
        require(high * one >= x && (high - 1) * one < x, NotTheCeiling(x, 1, shift, high));
    }

    /// @dev What one side receives and the other pays differ by the wei that rounding takes from both.
    function testFuzz_bothSidesOfATradeMeet(
        uint56 lots,
        uint64 price,
        int104 funding
    ) external pure {
        uint256 quote = uint256(lots) * price;
        int256 long = CohortMath.worthFloor(Side.Long, lots, quote, funding);
        int256 short = CohortMath.worthFloor(Side.Short, lots, quote, funding);
        require(long + short == 0 || long + short == -1, SidesDoNotMeet(long, short));
        long = CohortMath.worthCeil(Side.Long, lots, quote, funding);
        short = CohortMath.worthCeil(Side.Short, lots, quote, funding);
        require(long + short == 0 || long + short == 1, SidesDoNotMeet(long, short));
    }

    function testFuzz_nothingChangesBetweenEqualCheckpoints(
        uint56 lots,
        int96 cost,
        Event memory e
    ) external pure {
        if (lots < 2) return;
        e.closed = 1 + (e.closed % (lots - 1));
        (Checkpoint memory now_, ) = happen(e, lots, cost);
        CohortMath.Share memory share = CohortMath.Share(lots, cost, 0, 0);
        CohortMath.settle(sideOf(e), share, now_, now_);
        require(
            share.lots == lots && share.cost == cost && share.cash == 0 && share.haircut == 0,
            Changed(share.lots, share.cost, share.cash)
        );
    }

    function testFuzz_mantissaStaysNormal(uint56 lots, int96 cost, Event memory e) external pure {
        if (lots < 2) return;
        e.closed = 1 + (e.closed % (lots - 1));
        (Checkpoint memory to, ) = happen(e, lots, cost);
        require(to.mantissa >= CohortMath.FULL, NotNormal(to.mantissa));
    }

    /// @notice Members get no more lots than there are, and lose less than one each.
    function testFuzz_lotsOfMembersFitTheCohort(Pair memory p, Event memory e) external pure {
        uint256 all = uint256(p.first) + p.second;
        if (p.first == 0 || p.second == 0) return;
        e.closed = 1 + (e.closed % all);
        (Checkpoint memory to, ) = happen(e, all, 0);
        uint256 lots =
            shareOf(e, p.first, p.firstCost, to).lots + shareOf(e, p.second, p.secondCost, to).lots;
        uint256 left = all - e.closed;
        require(lots <= left, TooManyLots(lots, left));
        require(lots + 2 >= left, TooFewLots(lots, left));
    }

    /// @notice Cash and the cost that members keep never exceed what the event left in pool and cohort: at the closing of all
    /// lots to the wei, else by the cost of the fractions that the cohort keeps.
    function testFuzz_moneyOfMembersIsThere(Pair memory p, Event memory e) external pure {
        uint256 all = uint256(p.first) + p.second;
        if (p.first == 0 || p.second == 0) return;
        e.closed = all;
        int256 cost = int256(p.firstCost) + p.secondCost;
        (Checkpoint memory to, int256 proceeds) = happen(e, all, cost);
        int256 paid =
            shareOf(e, p.first, p.firstCost, to).cash + shareOf(e, p.second, p.secondCost, to).cash;
        // The haircut was rounded up from whole wei, so that the members give at least as much.
        int256 haircut = int256((uint256(e.haircut) * all) >> CohortMath.HAIRCUT_BITS);
        int256 there = proceeds - sideOf(e).sign() * cost - haircut;
        require(paid <= there, MoneyFromNowhere(paid, there));
        require(paid + 10 >= there, MoneyLost(paid, there));
    }

    /// @dev A haircut, then a cut, of a cohort that nothing happened to before.
    function happen(
        Event memory e,
        uint256 lots,
        int256
    ) private pure returns (Checkpoint memory to, int256 proceeds) {
        to.mantissa = CohortMath.FULL;
        CohortMath.takeOver(to, e.haircut, lots);
        proceeds = CohortMath.worthFloor(sideOf(e), e.closed, e.closed * e.mark, e.funding);
        CohortMath.cut(to, lots, e.closed, proceeds);
    }

    function shareOf(
        Event memory e,
        uint256 lots,
        int256 cost,
        Checkpoint memory to
    ) private pure returns (CohortMath.Share memory share) {
        Checkpoint memory from;
        from.mantissa = CohortMath.FULL;
        share = CohortMath.Share(lots, cost, 0, 0);
        CohortMath.settle(sideOf(e), share, from, to);
    }

    function sideOf(Event memory e) private pure returns (Side) {
        return e.isShort ? Side.Short : Side.Long;
    }
}
