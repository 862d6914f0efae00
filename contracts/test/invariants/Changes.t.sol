// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeEvents} from "../../interfaces/IExchangeEvents.sol";
import {TimeInForce} from "../../types/Action.sol";
import {Side} from "../../types/Side.sol";
import {Lasting} from "./Lasting.t.sol";
import {AccountShot, Holding, MarketShot, Shot} from "./Shot.t.sol";
import {Op, Seen, Step} from "./Ghosts.t.sol";
import {IVm} from "./Vm.t.sol";

/// @notice Invariants of a change at unchanged prices and time: everything but the passing of time. Named after their ids.
abstract contract Changes is Lasting {
    /// @dev Quote: roundings of one account in one call.
    int256 internal constant WEI = 16;
    int256 internal constant CENT = 1e16;

    function checkChange(Step memory s) internal view {
        bool isEvent = s.op == Op.Deleverage || s.op == Op.Continue;
        inv17(s);
        inv9(s);
        e2(s, isEvent);
        e6(s);
        e8(s, isEvent);
        b7(s);
        inv3(s, isEvent);
        if (!isEvent) {
            inv6(s);
            b2(s);
            a8(s);
            inv12(s);
        }
        if (isOrder(s.op)) {
            b1(s);
            c4(s);
            c7(s);
            c8(s);
        }
    }

    function isOrder(Op op) internal pure returns (bool) {
        return op == Op.Place || op == Op.Take || op == Op.Reduce || op == Op.Trade;
    }

    /// @notice Mark, index and funding of a block do not depend on what happens in it.
    function inv17(Step memory s) internal pure {
        for (uint256 i = 0; i < MARKETS; i++) {
            bytes32 before = keccak256(abi.encode(s.before.markets[i].price));
            bytes32 now_ = keccak256(abi.encode(s.now_.markets[i].price));
            int256 mark = int256(uint256(s.now_.markets[i].price.mark));
            int256 was = int256(uint256(s.before.markets[i].price.mark));
            require(before == now_, Broken("INV-17", i, mark, was));
        }
    }

    /// @notice What users have more is what they brought, less what the house has more (A6, A7).
    /// @dev In an event fractions of lots change hands, at most one for each settlement over a cut.
    function inv3(Step memory s, bool isEvent) internal view {
        int256 users = equityOf(s.now_) - equityOf(s.before);
        int256 house = houseOf(s.now_) - houseOf(s.before);
        int256 left = s.inflow * int256(SCALE) - users - house;
        for (uint256 i = 0; i < MARKETS; i++) {
            left += int256(uint256(s.now_.markets[i].pool.shortfall));
            left -= int256(uint256(s.before.markets[i].pool.shortfall));
        }
        int256 most = WEI * int256(1 + 2 * s.logs.length + ACCOUNTS);
        // Where members left fractions, these change hands when one is settled and when the last one leaves.
        uint256 moved =
            count(s.logs, IExchangeEvents.Settled.selector) +
                count(s.logs, IExchangeEvents.DustChanged.selector);
        if (isEvent || moved != 0) most = CENT;
        require(left <= most && left >= -most, Broken("INV-3", uint256(s.op), left, most));
    }

    function equityOf(Shot memory s) internal pure returns (int256 sum) {
        for (uint256 i = 0; i < s.accounts.length; i++) sum += s.accounts[i].equity;
    }

    /// @notice The house: its accounts, what markets collected for it, and the lots of account 3 at mark.
    function houseOf(Shot memory s) internal pure returns (int256 sum) {
        sum = s.fund + s.treasury + s.dust;
        for (uint256 i = 0; i < MARKETS; i++) {
            MarketShot memory m = s.markets[i];
            sum += int256(uint256(m.flow.fees)) + m.flow.rest;
            sum += int256(uint256(m.flow.bonds) * configOf(uint16(i)).cohortBond * 1e12);
            int256 lots = int256(uint256(m.dust.longLots)) - int256(uint256(m.dust.shortLots));
            int256 price = (int256(uint256(m.price.mark)) << 32) - m.price.funding;
            sum += (lots * price) >> 32;
            sum += m.dust.shortCost - m.dust.longCost;
        }
    }

    /// @notice Nobody loses by what others do (A12).
    function inv6(Step memory s) internal view {
        for (uint256 i = 0; i < s.now_.accounts.length; i++) {
            if (i == s.place || isInvolved(s, i)) continue;
            int256 was = s.before.accounts[i].equity;
            int256 is_ = s.now_.accounts[i].equity;
            require(is_ >= was - WEI, Broken("INV-6", i, is_, was));
        }
    }

    /// @dev Traded, was sold, or is one of those that the call names.
    function isInvolved(Step memory s, uint256 place) internal view returns (bool) {
        for (uint256 i = 0; i < s.named.length; i++) if (s.named[i] == idOf(place)) return true;
        return isMaker(s, place);
    }

    function isMaker(Step memory s, uint256 place) internal view returns (bool) {
        for (uint256 i = 0; i < s.logs.length; i++) {
            if (!isOf(s.logs[i], IExchangeEvents.Filled.selector)) continue;
            if (uint256(s.logs[i].topics[2]) == idOf(place)) return true;
        }
        return false;
    }

    /// @notice The price of the fund's share falls only in an event.
    function e8(Step memory s, bool isEvent) internal pure {
        bool isKept = isEvent || s.share[1] + 1 >= s.share[0];
        require(isKept, Broken("E8", uint256(s.op), int256(s.share[1]), int256(s.share[0])));
    }

    /// @notice Nobody steps in or out of the fund while an event waits or a jump of an index.
    function e6(Step memory s) internal pure {
        if (s.op != Op.FundDeposit && s.op != Op.FundLeave) return;
        for (uint256 i = 0; i < MARKETS; i++) {
            MarketShot memory m = s.before.markets[i];
            bool isJumping = s.now_.time < uint256(m.book.pendingSince) + 1 hours;
            require(!isJumping && !m.isEventStored, Broken("E6", i, 1, 0));
        }
    }

    /// @notice Fund: falls only for a deficit, by a reward, or by an exit whose time has come.
    function e2(Step memory s, bool isEvent) internal pure {
        if (isEvent || s.op == Op.FundLeave) return;
        require(s.now_.fund >= s.before.fund, Broken("E2", 0, s.now_.fund, s.before.fund));
    }

    /// @notice No open interest above the cap, and no account above its share, by growing.
    function b7(Step memory s) internal pure {
        for (uint256 i = 0; i < MARKETS; i++) {
            (MarketShot memory was, MarketShot memory is_) = (
                s.before.markets[i],
                s.now_.markets[i]
            );
            bool isMore = is_.flow.openInterest > was.flow.openInterest;
            int256 open = int256(uint256(is_.flow.openInterest));
            require(!isMore || open <= int256(is_.cap), Broken("B7", i, open, int256(is_.cap)));
            uint256 most = (is_.cap * configOf(uint16(i)).accountShare) / 100;
            for (uint256 a = 0; a < TRADERS && isOrder(s.op); a++) {
                Holding memory h = s.now_.accounts[a].holdings[i];
                bool grew = grewIn(s.before.accounts[a].holdings[i], h);
                bool isOwn = a == s.place;
                bool isIn = !grew || !isOwn || h.lots <= most;
                require(isIn, Broken("B7: account", a, int256(uint256(h.lots)), int256(most)));
            }
        }
    }

    function grewIn(Holding memory was, Holding memory is_) internal pure returns (bool) {
        if (is_.lots == 0) return false;
        return was.lots == 0 || was.side != is_.side || is_.lots > was.lots;
    }

    /// @notice Only price, funding, time and haircuts bring a healthy account below maintenance, no call of a user.
    function b2(Step memory s) internal pure {
        for (uint256 i = 0; i < s.now_.accounts.length; i++) {
            AccountShot memory was = s.before.accounts[i];
            AccountShot memory is_ = s.now_.accounts[i];
            if (was.equity < int256(was.maintenance)) continue;
            bool isKept = is_.equity + WEI >= int256(is_.maintenance);
            require(isKept, Broken("B2", i, is_.equity, int256(is_.maintenance)));
        }
    }

    /// @notice Every fee is what its rate says, rounded up, and reaches the market's pot or the fund.
    function a8(Step memory s) internal view {
        for (uint16 id = 0; id < MARKETS; id++) {
            (uint256 fees, uint256 quote) = feesOf(s, id);
            if (quote == 0) continue;
            if (isOrder(s.op)) fees += up(quote * configOf(id).takerFee);
            int256 is_ = int256(uint256(s.now_.markets[id].flow.fees));
            is_ -= int256(uint256(s.before.markets[id].flow.fees));
            require(is_ == int256(fees), Broken("A8", id, is_, int256(fees)));
        }
    }

    function feesOf(Step memory s, uint16 id) private view returns (uint256 fees, uint256 quote) {
        uint256 rate = configOf(id).makerFee;
        for (uint256 i = 0; i < s.logs.length; i++) {
            if (!isOf(s.logs[i], IExchangeEvents.Filled.selector)) continue;
            if (uint256(s.logs[i].topics[1]) != id) continue;
            (uint256 notional, uint256 fee) = fillOf(s.logs[i]);
            uint256 should = up(notional * rate);
            require(fee == should, Broken("A8: maker", id, int256(fee), int256(should)));
            fees += fee;
            quote += notional;
        }
    }

    function fillOf(IVm.Log memory log) private pure returns (uint256 notional, uint256 fee) {
        uint256[5] memory words = abi.decode(log.data, (uint256[5]));
        return (words[2] * words[3] * UNIT, words[4]);
    }

    function up(uint256 scaled) private pure returns (uint256) {
        return (scaled + PPM - 1) / PPM;
    }

    /// @notice A maker that grew has maintenance margin; one that shrank at worse than mark has no less equity for its maintenance.
    function inv12(Step memory s) internal view {
        for (uint256 i = 0; i < TRADERS; i++) {
            if (i == s.place || !isMaker(s, i)) continue;
            AccountShot memory was = s.before.accounts[i];
            AccountShot memory is_ = s.now_.accounts[i];
            for (uint256 id = 0; id < MARKETS; id++) {
                if (!grewIn(was.holdings[id], is_.holdings[id])) continue;
                bool isEnough = is_.equity + WEI >= int256(is_.maintenance);
                int256 needed = int256(is_.maintenance);
                require(isEnough, Broken("INV-12", i, is_.equity, needed));
            }
        }
    }

    /// @notice After a call that adds risk its owner has initial margin; below it he can only take risk away (B3).
    function b1(Step memory s) internal pure {
        AccountShot memory was = s.before.accounts[s.place];
        AccountShot memory is_ = s.now_.accounts[s.place];
        if (is_.prudent >= int256(is_.initial)) return;
        for (uint256 id = 0; id < MARKETS; id++) {
            Holding memory h = is_.holdings[id];
            Holding memory before = was.holdings[id];
            bool isMore =
                grewIn(before, h) || h.bidLots > before.bidLots || h.askLots > before.askLots;
            require(!isMore, Broken("B1", s.place, is_.prudent, int256(is_.initial)));
        }
        bool isKept =
            is_.maintenance == 0
                ? is_.equity >= 0 || is_.equity >= was.equity
                : is_.equity * int256(was.maintenance) >= was.equity * int256(is_.maintenance);
        require(isKept, Broken("B3", s.place, is_.equity, was.equity));
    }

    /// @notice Each fill is within the taker's limit and the band, the best price first (C3).
    function c4(Step memory s) internal view {
        int256 sign = s.action.side == Side.Long ? int256(1) : int256(-1);
        int256 limit = int256(uint256(s.action.tick));
        int256 before = -type(int256).max;
        for (uint256 i = 0; i < s.logs.length; i++) {
            if (!isOf(s.logs[i], IExchangeEvents.Filled.selector)) continue;
            int256 tick = int256(abi.decode(s.logs[i].data, (uint256[5]))[2]);
            require(tick * sign <= limit * sign, Broken("C4", s.place, tick, limit));
            require(tick * sign >= before, Broken("C3", s.place, tick, before));
            before = tick * sign;
            inBand(s, uint256(tick) * UNIT);
        }
    }

    function inBand(Step memory s, uint256 price) private pure {
        uint256 mark = s.now_.markets[s.market].price.mark;
        uint256 band = (mark * configOf(s.market).band) / PPM;
        bool isIn = price + band >= mark && price <= mark + band;
        require(isIn, Broken("C4: band", s.place, int256(price), int256(mark)));
    }

    /// @notice Reduce-only never grows or flips.
    function c7(Step memory s) internal pure {
        if (!s.action.reduceOnly) return;
        Holding memory was = s.before.accounts[s.place].holdings[s.market];
        Holding memory is_ = s.now_.accounts[s.place].holdings[s.market];
        int256 lots = int256(uint256(is_.lots));
        require(!grewIn(was, is_), Broken("C7", s.place, lots, int256(uint256(was.lots))));
    }

    /// @notice Post-only takes nothing, an immediate order rests nothing.
    function c8(Step memory s) internal view {
        uint256 fills = count(s.logs, IExchangeEvents.Filled.selector);
        uint256 placed = count(s.logs, IExchangeEvents.OrderPlaced.selector);
        bool isMaking = s.action.timeInForce == TimeInForce.PostOnly;
        bool isTaking = s.action.timeInForce == TimeInForce.ImmediateOrCancel;
        require(!isMaking || fills == 0, Broken("C8: post-only", s.place, int256(fills), 0));
        require(!isTaking || placed == 0, Broken("C8: immediate", s.place, int256(placed), 0));
    }

    /// @notice Who is flat and leaves gets all he has, at once or in the queue.
    function inv9(Step memory s) internal pure {
        if (s.op != Op.Leave) return;
        AccountShot memory was = s.before.accounts[s.place];
        AccountShot memory is_ = s.now_.accounts[s.place];
        bool isAll = is_.balance < int256(SCALE);
        require(isAll, Broken("INV-9", s.place, is_.balance, was.balance));
    }

    function count(IVm.Log[] memory logs, bytes32 selector) internal view returns (uint256 sum) {
        for (uint256 i = 0; i < logs.length; i++) if (isOf(logs[i], selector)) sum++;
    }

    /// @notice What a step has seen beside the waterfall.
    function noteChange(Step memory s) internal {
        for (uint256 i = 0; i < s.logs.length; i++) {
            IVm.Log memory log = s.logs[i];
            if (log.topics[0] == keccak256("Queued(uint256,address,address,uint256)")) {
                see(Seen.Queued);
            }
            if (isOf(log, IExchangeEvents.Settled.selector)) {
                // A lot for the settlement, and one for what an earlier one left.
                crossings[uint256(log.topics[1])] += 2;
            }
            if (!isOf(log, IExchangeEvents.OrderRemoved.selector)) continue;
            (, , IExchangeEvents.RemovalReason reason) = abi.decode(
                log.data,
                (uint40, uint56, IExchangeEvents.RemovalReason)
            );
            if (reason == IExchangeEvents.RemovalReason.MarginTooLow) see(Seen.MakerDropped);
            if (reason == IExchangeEvents.RemovalReason.SelfTrade) see(Seen.SelfTrade);
        }
    }
}
