// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IExchange} from "../../interfaces/IExchange.sol";
import {IInsuranceFund} from "../../interfaces/IInsuranceFund.sol";
import {IMarginVault} from "../../interfaces/IMarginVault.sol";
import {Action, ActionKind, TimeInForce} from "../../types/Action.sol";
import {Side} from "../../types/Side.sol";
import {Trials} from "./Trials.t.sol";
import {Op, Seen, Step} from "./Ghosts.t.sol";
import {AccountShot, Holding, Shot} from "./Shot.t.sol";

/// @notice One function a kind of call, with random inputs inside bounds, directed towards what matters: positions near their
/// maintenance margin on both sides, prices that jump, accounts without equity.
abstract contract Handlers is Trials {
    /// @dev Whether only the coalition acts.
    bool internal isCoalitionAlone;

    /* WHO AND WHERE */

    function anyTrader() internal returns (uint256) {
        return isCoalitionAlone ? HONEST + roll(COALITION) : roll(TRADERS);
    }

    /// @dev The coalition trades in its own market only, and nobody else does.
    function marketFor(uint256 place) internal returns (uint16) {
        if (isCoalition(place)) return CLOSED;
        uint16[3] memory open = [OPEN, PRORATA, QUEUE];
        return open[roll(3)];
    }

    /// @dev Another of the same group.
    function partnerOf(uint256 place) internal returns (uint256 partner) {
        (uint256 first, uint256 count) = isCoalition(place) ? (HONEST, COALITION) : (0, HONEST);
        partner = first + ((place - first + 1 + roll(count - 1)) % count);
    }

    function owns(uint256 place) internal pure returns (address) {
        return ownerOf(place);
    }

    function execute(Step memory s) internal returns (bool) {
        Action[] memory actions = new Action[](1);
        actions[0] = s.action;
        s.market = s.action.market;
        return
            make(
                s,
                owns(s.place),
                address(exchange),
                abi.encodeCall(IExchange.execute, (idOf(s.place), actions))
            );
    }

    /* MONEY */

    function deposit(uint256 place, uint256 amount) internal {
        token.mint(ownerOf(place), amount);
        Step memory s;
        (s.op, s.place) = (Op.Deposit, place);
        bytes memory data = abi.encodeCall(IExchange.deposit, (idOf(place), amount));
        make(s, ownerOf(place), address(exchange), data);
    }

    function depositAny() internal {
        // A bystander now and then, and those who have least.
        uint256 place = roll(8) == 0 ? BYSTANDER : anyTrader();
        deposit(place, between(1_000, 20_000) * TOKEN + roll(TOKEN));
    }

    function withdrawAny() internal {
        Shot memory now_ = look();
        uint256 first = roll(ACCOUNTS);
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            uint256 place = (first + i) % ACCOUNTS;
            uint256 available = now_.accounts[place].withdrawable / SCALE;
            if (available == 0) continue;
            withdraw(Op.Withdraw, place, 1 + roll(available));
            return;
        }
        depositAny();
    }

    function withdraw(Op op, uint256 place, uint256 amount) internal returns (bool) {
        Step memory s;
        (s.op, s.place) = (op, place);
        bytes memory data = abi.encodeCall(
            IExchange.withdraw,
            (idOf(place), amount, ownerOf(place))
        );
        return make(s, ownerOf(place), address(exchange), data);
    }

    /// @notice Someone who is flat takes all he has (INV-9, I1). If nobody is, someone cancels and closes what he can first.
    function leaveAny() internal {
        Shot memory now_ = look();
        uint256 first = roll(ACCOUNTS);
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            uint256 place = (first + i) % ACCOUNTS;
            AccountShot memory a = now_.accounts[place];
            if (a.markets != 0 || a.balance < int256(SCALE)) continue;
            withdraw(Op.Leave, place, type(uint256).max);
            return;
        }
        deposit(BYSTANDER, between(1, 5_000) * TOKEN);
        withdraw(Op.Leave, BYSTANDER, type(uint256).max);
    }

    function transferAny() internal {
        // The two accounts of one owner.
        uint256 from = TRADERS - 2 + roll(2);
        uint256 to = from == TRADERS - 1 ? TRADERS - 2 : TRADERS - 1;
        uint256 available = look().accounts[from].withdrawable;
        if (available == 0) {
            deposit(from, between(10, 2_000) * TOKEN);
            available = look().accounts[from].withdrawable;
            if (available == 0) return;
        }
        uint256 amount = 1 + roll(available);
        Step memory s;
        (s.op, s.place) = (Op.Transfer, from);
        bytes memory data = abi.encodeCall(IExchange.transfer, (idOf(from), idOf(to), amount));
        make(s, ownerOf(from), address(exchange), data);
    }

    /* ORDERS */

    /// @dev A tick near mark: at it, or up to 0.4 % away.
    function tickNear(Shot memory now_, uint16 market) internal returns (uint24) {
        uint256 tick = now_.markets[market].price.mark / UNIT;
        uint256 away = roll(3) == 0 ? 0 : roll(tick / 250 + 1);
        return uint24(roll(2) == 0 ? tick + away : tick - away);
    }

    /// @dev Lots of a notional that uses an account's equity at up to `most` times.
    function lotsFor(
        Shot memory now_,
        uint256 place,
        uint16 market,
        uint256 most
    ) internal returns (uint56) {
        int256 equity = now_.accounts[place].equity;
        uint256 worth = equity > 0 ? uint256(equity) : 100 * WHOLE;
        uint256 notional = (worth * between(most, 10 * most)) / 10;
        if (notional < 20 * WHOLE) notional = 20 * WHOLE;
        uint256 lots = notional / now_.markets[market].price.mark;
        uint256 cap = 40 * BASE;
        return uint56(lots > cap ? cap : lots);
    }

    function actionOf(
        uint16 market,
        Side side,
        TimeInForce force,
        uint24 tick,
        uint56 lots
    ) internal pure returns (Action memory a) {
        (a.kind, a.market, a.side) = (ActionKind.Place, market, side);
        (a.timeInForce, a.tick, a.lots) = (force, tick, lots);
    }

    /// @notice A trade of both sides: one rests, the other takes.
    function tradeAny() internal {
        uint256 maker = anyTrader();
        uint256 taker = partnerOf(maker);
        uint16 market = marketFor(maker);
        Shot memory now_ = look();
        uint24 tick = tickNear(now_, market);
        uint56 lots = lotsFor(now_, maker, market, between(4, 30));
        uint56 other = lotsFor(now_, taker, market, 30);
        if (other < lots) lots = other;
        trade(maker, taker, market, Side(roll(2)), tick, lots);
    }

    /// @param side Of the maker.
    function trade(
        uint256 maker,
        uint256 taker,
        uint16 market,
        Side side,
        uint24 tick,
        uint56 lots
    ) internal returns (bool) {
        Step memory s;
        (s.op, s.place) = (Op.Trade, maker);
        s.action = actionOf(market, side, TimeInForce.GoodTilCancelled, tick, lots);
        if (!execute(s)) return false;
        Step memory t;
        (t.op, t.place) = (Op.Trade, taker);
        t.action = actionOf(market, side.opposite(), TimeInForce.ImmediateOrCancel, tick, lots);
        return execute(t);
    }

    function placeAny() internal {
        uint256 place = anyTrader();
        uint16 market = marketFor(place);
        Shot memory now_ = look();
        Step memory s;
        (s.op, s.place) = (Op.Place, place);
        Side side = Side(roll(2));
        uint256 tick = now_.markets[market].price.mark / UNIT;
        uint256 away = roll(tick / 40 + 1);
        tick = side == Side.Long ? tick - away : tick + away;
        TimeInForce force = roll(2) == 0 ? TimeInForce.PostOnly : TimeInForce.GoodTilCancelled;
        uint56 lots = lotsFor(now_, place, market, between(1, 8));
        s.action = actionOf(market, side, force, uint24(tick), lots);
        if (roll(4) == 0) s.action.expiry = uint32(time + between(1, 600));
        execute(s);
    }

    function takeAny() internal {
        uint256 place = anyTrader();
        uint16 market = marketFor(place);
        Shot memory now_ = look();
        Step memory s;
        (s.op, s.place) = (Op.Take, place);
        Side side = Side(roll(2));
        uint256 tick = now_.markets[market].price.mark / UNIT;
        tick = side == Side.Long ? tick + tick / 30 : tick - tick / 30;
        TimeInForce force = TimeInForce.ImmediateOrCancel;
        if (roll(6) == 0) force = TimeInForce.FillOrKill;
        uint56 lots = lotsFor(now_, place, market, between(1, 12));
        s.action = actionOf(market, side, force, uint24(tick), lots);
        execute(s);
    }

    /// @notice Someone with a position takes some of it away, or rests an order that would.
    function reduceAny() internal {
        Shot memory now_ = look();
        (uint256 place, uint16 market, bool found) = anyHolder(now_);
        if (!found) return tradeAny();
        Holding memory h = now_.accounts[place].holdings[market];
        Side side = h.side == 0 ? Side.Short : Side.Long;
        uint256 tick = now_.markets[market].price.mark / UNIT;
        bool isTaking = roll(2) == 0;
        if (isTaking) tick = side == Side.Long ? tick + tick / 25 : tick - tick / 25;
        Step memory s;
        (s.op, s.place) = (Op.Reduce, place);
        uint56 lots = uint56(roll(3) == 0 ? h.lots : 1 + roll(h.lots));
        TimeInForce force = isTaking ? TimeInForce.ImmediateOrCancel : TimeInForce.GoodTilCancelled;
        s.action = actionOf(market, side, force, uint24(tick), lots);
        s.action.reduceOnly = true;
        execute(s);
    }

    function anyHolder(Shot memory now_) internal returns (uint256, uint16, bool) {
        uint256 first = roll(TRADERS * MARKETS);
        for (uint256 i = 0; i < TRADERS * MARKETS; i++) {
            uint256 n = (first + i) % (TRADERS * MARKETS);
            uint256 place = n / MARKETS;
            if (isCoalitionAlone && !isCoalition(place)) continue;
            if (now_.accounts[place].holdings[n % MARKETS].lots == 0) continue;
            return (place, uint16(n % MARKETS), true);
        }
        return (0, 0, false);
    }

    /// @notice Cancels one or all orders of someone who has some: works always.
    function cancelAny() internal {
        Shot memory now_ = look();
        uint256 first = roll(TRADERS * MARKETS);
        for (uint256 i = 0; i < TRADERS * MARKETS; i++) {
            uint256 n = (first + i) % (TRADERS * MARKETS);
            Holding memory h = now_.accounts[n / MARKETS].holdings[n % MARKETS];
            if (h.used == 0) continue;
            cancel(n / MARKETS, uint16(n % MARKETS));
            return;
        }
        cancel(anyTrader(), OPEN);
    }

    function cancel(uint256 place, uint16 market) internal {
        Step memory s;
        (s.op, s.place) = (Op.Cancel, place);
        s.action.kind = ActionKind.CancelAll;
        s.action.market = market;
        execute(s);
    }

    function leverageAny() internal {
        uint256 place = anyTrader();
        setLeverage(place, marketFor(place), uint8(roll(4) == 0 ? roll(7) : between(5, 6)));
    }

    function setLeverage(uint256 place, uint16 market, uint8 class) internal {
        Step memory s;
        (s.op, s.place) = (Op.Leverage, place);
        (s.action.kind, s.action.market, s.action.slot) = (ActionKind.SetLeverage, market, class);
        execute(s);
    }

    /* TIME */

    /// @dev A step of one price, small or large, held between a third and three times of 10,000.
    function move(uint16 market, uint256 least, uint256 most) internal {
        uint256 by = between(least, most);
        uint256 price = published[market];
        bool isUp = roll(2) == 0;
        if (price > 30_000 * WHOLE) isUp = false;
        if (price < 3_300 * WHOLE) isUp = true;
        price = isUp ? price + (price * by) / PPM : price - (price * by) / PPM;
        // A whole number of ticks, so that a mark at the index is one.
        published[market] = price - (price % (WHOLE / 10));
    }

    function priceAny() internal {
        uint16 market = uint16(roll(MARKETS));
        if (roll(4) == 0) move(market, 5_000, 40_000);
        else move(market, 0, 4_000);
        pass(Op.Price, roll(10) == 0 ? between(30, 2_000) : between(1, 20));
    }

    function gapAny() internal {
        move(uint16(roll(MARKETS)), 60_000, 450_000);
        pass(Op.Gap, between(1, 20));
    }

    function silenceAny() internal {
        uint16 market = uint16(roll(MARKETS));
        if (roll(2) == 0) {
            uint256 price = published[market];
            price = roll(2) == 0 ? price + price / 8 : price - price / 8;
            // The other feed is no longer fresh, so that nothing confirms it.
            passJump(Op.Silence, between(31, 60), market, price);
        } else {
            passSilently(Op.Silence, roll(2) == 0 ? between(31, 200) : between(301, 900), market);
        }
    }

    /* UPKEEP */

    function settleAny() internal {
        if (roll(6) == 0) inv11();
        settle(roll(ACCOUNTS), uint16(roll(MARKETS)));
    }

    function settle(uint256 place, uint16 market) internal {
        Step memory s;
        (s.op, s.place, s.named) = (Op.Settle, KEEPER, one(place));
        make(
            s,
            ownerOf(KEEPER),
            address(exchange),
            abi.encodeCall(IExchange.settle, (idOf(place), market))
        );
    }

    function pokeAny() internal {
        Step memory s;
        (s.op, s.place) = (Op.Poke, KEEPER);
        bytes memory data = abi.encodeCall(IExchange.poke, (uint16(roll(MARKETS))));
        make(s, ownerOf(KEEPER), address(exchange), data);
    }

    /* THE WATERFALL */

    /// @dev Of one group, those that pass; the coalition is named alone, so that what the fund pays for it can be told.
    function liquidatable(
        Shot memory now_,
        bool isOfCoalition
    ) internal pure returns (uint32[] memory named) {
        (uint256 first, uint256 last) = isOfCoalition ? (HONEST, TRADERS) : (0, HONEST);
        uint32[] memory found = new uint32[](TRADERS);
        uint256 count;
        for (uint256 i = first; i < last; i++) {
            if (now_.accounts[i].isLiquidatable) found[count++] = idOf(i);
        }
        named = new uint32[](count);
        for (uint256 i = 0; i < count; i++) named[i] = found[i];
    }

    function liquidateAny() internal {
        bool isOfCoalition = roll(2) == 0;
        uint32[] memory named = liquidatable(look(), isOfCoalition);
        if (named.length == 0) named = one(anyTrader());
        liquidate(named);
    }

    function one(uint256 place) internal pure returns (uint32[] memory named) {
        named = new uint32[](1);
        named[0] = idOf(place);
    }

    function liquidate(uint32[] memory named) internal returns (bool) {
        Step memory s;
        (s.op, s.place, s.named) = (Op.Liquidate, KEEPER, named);
        bytes memory data = abi.encodeCall(IExchange.liquidate, (named, FILLS, idOf(KEEPER)));
        return make(s, ownerOf(KEEPER), address(exchange), data);
    }

    function takeoverAny() internal {
        Shot memory now_ = look();
        bool isOfCoalition = roll(2) == 0;
        uint32[] memory due = liquidatable(now_, isOfCoalition);
        if (due.length == 0) due = liquidatable(now_, !isOfCoalition);
        if (due.length == 0) {
            // Nobody is due: somebody healthy cannot be taken over either.
            takeover(anyTrader(), anyTrader(), OPEN, BASE);
            return;
        }
        uint256 from = placeOf(due[roll(due.length)]);
        uint16 market = marketFor(from);
        uint64 lots = now_.accounts[from].holdings[market].lots;
        takeover(from, partnerOf(from), market, 1 + roll(uint256(lots) + 1));
    }

    function takeover(uint256 from, uint256 to, uint16 market, uint256 lots) internal {
        if (from == to) to = partnerOf(from);
        Step memory s;
        (s.op, s.place, s.market, s.named) = (Op.Takeover, to, market, one(from));
        bool isLong = look().accounts[from].holdings[market].side == 0;
        uint256 worst = isLong ? type(uint256).max : 0;
        bytes memory data = abi.encodeCall(
            IExchange.takeover,
            (idOf(from), idOf(to), market, lots, worst)
        );
        make(s, ownerOf(to), address(exchange), data);
    }

    /// @notice All that are due of a group at once, or one after the other.
    function deleverageAny() internal {
        bool isOfCoalition = roll(2) == 0;
        uint32[] memory named = liquidatable(look(), isOfCoalition);
        if (named.length == 0) named = liquidatable(look(), !isOfCoalition);
        if (named.length == 0) named = one(anyTrader());
        if (named.length > 1 && roll(4) == 0) inv14(named);
        if (named.length > 1 && roll(3) == 0) {
            see(Seen.SplitWave);
            for (uint256 i = 0; i < named.length; i++) deleverage(one(placeOf(named[i])));
        } else {
            deleverage(named);
        }
    }

    function deleverage(uint32[] memory named) internal returns (bool) {
        Step memory s;
        (s.op, s.place, s.named) = (Op.Deleverage, KEEPER, named);
        bytes memory data = abi.encodeCall(IExchange.deleverage, (named, FILLS, idOf(KEEPER)));
        return make(s, ownerOf(KEEPER), address(exchange), data);
    }

    function continueAny() internal {
        Step memory s;
        (s.op, s.place) = (Op.Continue, KEEPER);
        bytes memory data = abi.encodeCall(
            IExchange.continueEvent,
            (uint16(roll(MARKETS)), 64, idOf(KEEPER))
        );
        make(s, ownerOf(KEEPER), address(exchange), data);
    }

    /* THE FUND */

    function fundDepositAny() internal {
        fundDeposit(roll(STAKERS), between(100, 20_000) * TOKEN);
    }

    function fundDeposit(uint256 staker, uint256 amount) internal {
        token.mint(stakerOf(staker), amount);
        Step memory s;
        (s.op, s.place) = (Op.FundDeposit, KEEPER);
        bytes memory data = abi.encodeCall(IERC4626.deposit, (amount, stakerOf(staker)));
        make(s, stakerOf(staker), address(fund), data);
    }

    function fundExitAny() internal {
        address staker = stakerOf(roll(STAKERS));
        uint256 shares = IERC20(address(fund)).balanceOf(staker);
        if (shares == 0) return fundDepositAny();
        Step memory s;
        (s.op, s.place) = (Op.FundExit, KEEPER);
        bytes memory data = abi.encodeCall(IInsuranceFund.requestExit, (1 + roll(shares)));
        make(s, staker, address(fund), data);
    }

    function fundLeaveAny() internal {
        address staker = stakerOf(roll(STAKERS));
        // Now and then somebody waits until the time has come.
        (uint256 shares, uint256 ready) = fund.exitOf(staker);
        if (shares != 0 && ready > time && roll(2) == 0) pass(Op.Price, ready - time);
        Step memory s;
        (s.op, s.place) = (Op.FundLeave, KEEPER);
        bytes memory data = abi.encodeCall(IInsuranceFund.executeExit, (staker));
        make(s, ownerOf(KEEPER), address(fund), data);
    }

    /* THE REST */

    function releaseAny() internal {
        Step memory s;
        (s.op, s.place) = (Op.Release, KEEPER);
        bytes memory data = abi.encodeCall(IMarginVault.release, (between(1, 5)));
        make(s, ownerOf(KEEPER), address(vault), data);
    }

    /// @notice Tokens sent to a contract change nothing (A3).
    function donateAny() internal {
        address[3] memory to = [address(vault), address(exchange), address(fund)];
        uint256 amount = between(1, 1_000) * TOKEN;
        token.mint(ownerOf(KEEPER), amount);
        bytes32 before = keccak256(abi.encode(look()));
        uint256 price = fund.convertToAssets(WHOLE);
        Step memory s;
        (s.op, s.place) = (Op.Donate, KEEPER);
        bytes memory data = abi.encodeCall(IERC20.transfer, (to[roll(3)], amount));
        make(s, ownerOf(KEEPER), address(token), data);
        require(keccak256(abi.encode(look())) == before, Broken("A3", 0, 0, 0));
        require(fund.convertToAssets(WHOLE) == price, Broken("A3: share", 0, 0, int256(price)));
    }

    /// @notice A guardian stops a market, the listing role opens it again.
    function reopenAny() internal {
        uint16 market = uint16(roll(MARKETS));
        Step memory s;
        (s.op, s.place) = (Op.Reopen, KEEPER);
        bytes memory data = abi.encodeCall(IExchange.reopen, (market));
        if (roll(4) == 0) {
            data = abi.encodeCall(IExchange.reduceRisk, (market, 200 * BASE, 6, true));
        }
        make(s, address(this), address(exchange), data);
    }
}
