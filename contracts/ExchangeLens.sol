// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ExchangeStorage} from "./ExchangeStorage.sol";
import {IExchange} from "./interfaces/IExchange.sol";
import {IExchangeErrors} from "./interfaces/IExchangeErrors.sol";
import {IExchangeEvents} from "./interfaces/IExchangeEvents.sol";
import {IExchangeLens} from "./interfaces/IExchangeLens.sol";
import {Bits} from "./libraries/Bits.sol";
import {Book} from "./libraries/Book.sol";
import {Deleverage} from "./libraries/Deleverage.sol";
import {Margin} from "./libraries/Margin.sol";
import {Positions} from "./libraries/Positions.sol";
import {Prices} from "./libraries/Prices.sol";
import {Queue} from "./libraries/Queue.sol";
import {Ticks} from "./libraries/Ticks.sol";
import {Health, Price} from "./types/Context.sol";
import {Bounds, House, Keys, WHOLE} from "./types/Keys.sol";
import {LeverageTable} from "./types/MarketConfig.sol";
import {Side} from "./types/Side.sol";
import {Account, Cohort, Level, Market, Order, Position} from "./types/State.sol";

/// @title Lens
/// @notice What people and programs want to know about the exchange. Every function runs in the exchange's own storage, by
/// delegatecall inside `Exchange.simulate`, after refreshing the prices it needs, and is rolled back.
///
/// CALLING  By eth_call; a transaction works too and changes nothing.
/// PAGES  Lists are returned in pages that the caller sizes; scan accounts in pages of 250 to 500.
contract ExchangeLens is ExchangeStorage, IExchangeLens {
    using SafeCast for uint256;
    using SafeCast for int256;

    /// @dev The side of a queue is shown as this many lights.
    uint256 private constant LIGHTS = 5;
    /// @dev Entries are in ticks · 2^ENTRY_BITS.
    uint256 private constant ENTRY_BITS = 16;

    IExchange public immutable exchange;
    address private immutable SELF;

    /// @dev Outside the exchange: asks it to run this very call. Inside: goes on.
    modifier simulated() {
        if (address(this) == SELF) _ask();
        _;
    }

    constructor(IExchange exchange_) {
        exchange = exchange_;
        SELF = address(this);
    }

    /* ACCOUNTS */

    /// @inheritdoc IExchangeLens
    function healths(
        uint32[] calldata accounts
    ) external simulated returns (AccountHealth[] memory list) {
        uint256 markets;
        for (uint256 i = 0; i < accounts.length; i++) markets |= _marketsOf(accounts[i]);
        _refreshAll(markets);
        list = new AccountHealth[](accounts.length);
        for (uint256 i = 0; i < accounts.length; i++) list[i] = _healthOf(accounts[i]);
    }

    /// @inheritdoc IExchangeLens
    function positions(uint32 account) external simulated returns (SettledPosition[] memory list) {
        uint256 markets = $.accounts[account].markets;
        _refreshAll(markets);
        Health memory health = Margin.health($, account);
        list = new SettledPosition[](_countPositions(account, markets));
        uint256 count;
        for (; markets != 0; markets &= markets - 1) {
            uint16 market = uint16(Bits.leastSignificant(markets));
            SettledPosition memory position = _positionOf(account, market, health);
            if (position.lots != 0 || position.pendingCash != 0) list[count++] = position;
        }
    }

    /// @inheritdoc IExchangeLens
    function orders(
        uint32 account,
        uint16 market
    ) external simulated returns (OpenOrder[] memory list) {
        Market storage m = $.markets[market];
        uint256 used = m.resting[account].used;
        uint256 count;
        for (uint256 rest = used; rest != 0; rest &= rest - 1) count++;
        list = new OpenOrder[](count);
        for (uint256 i = 0; i < count; i++) {
            uint40 id = Keys.orderId(account, Bits.leastSignificant(used));
            used &= used - 1;
            list[i] = _orderOf(m, id);
        }
    }

    /* MARKETS */

    /// @inheritdoc IExchangeLens
    function depth(
        uint16 market,
        Side side,
        uint24 from,
        uint256 count
    ) external simulated returns (DepthLevel[] memory levels, uint24 next) {
        Market storage m = $.markets[market];
        uint256 tick = from == 0 ? Book.best(m, side) : Ticks.nextFrom(m, side, from);
        if (count > Bounds.PAGE) count = Bounds.PAGE;
        DepthLevel[] memory page = new DepthLevel[](count);
        uint256 filled;
        for (; tick != 0 && filled < count; tick = Ticks.nextBehind(m, side, tick)) {
            Level memory level = m.levels[Keys.levelKey(side, tick)];
            page[filled++] = DepthLevel(uint24(tick), level.lots);
        }
        levels = new DepthLevel[](filled);
        for (uint256 i = 0; i < filled; i++) levels[i] = page[i];
        next = uint24(tick);
    }

    /// @inheritdoc IExchangeLens
    function queue(
        uint16 market,
        Side side,
        uint256 from,
        uint256 count
    ) external simulated returns (CohortView[] memory cohorts, bool more) {
        Price memory price = Prices.refresh($, market);
        Market storage m = $.markets[market];
        Queue.Heads memory heads = Queue.open(m, price, side);
        if (count > Bounds.PAGE) count = Bounds.PAGE;
        CohortView[] memory page = new CohortView[](count);
        uint256 filled;
        uint256 ahead;
        for (uint256 i = 0; true; i++) {
            (uint16 key, bool found) = Queue.next(m, heads);
            if (!found) break;
            if (filled == count) {
                more = true;
                break;
            }
            Cohort memory cohort = m.cohorts[key];
            if (i >= from) page[filled++] = _cohortView(price, key, cohort, ahead);
            ahead += cohort.lots;
        }
        cohorts = new CohortView[](filled);
        for (uint256 i = 0; i < filled; i++) cohorts[i] = page[i];
    }

    /// @inheritdoc IExchangeLens
    function rank(uint32 account, uint16 market) external simulated returns (Rank memory r) {
        Price memory price = Prices.refresh($, market);
        Market storage m = $.markets[market];
        r.sideLots = m.flow.openInterest;
        (Position memory p, , ) = Positions.settledOf($, price, account);
        if (p.lots == 0) return r;

        (r.side, r.lots) = (Keys.sideOfKind(p.kind), p.lots);
        uint256 leverage = Keys.leverageOfKind(p.kind);
        uint16 own = Keys.cohortKey(r.side, leverage, Queue.classOf(p.entry));
        r.score = _scoreOf(price, own);
        Queue.Heads memory heads = Queue.open(m, price, r.side);
        // Bounded by the cohorts of the side. A position whose class is about to change stands where it will stand.
        (uint16 key, bool found) = Queue.next(m, heads);
        while (found && key != own && _isAhead(price, key, own)) {
            r.lotsAhead += m.cohorts[key].lots;
            (key, found) = Queue.next(m, heads);
        }
        if (r.sideLots == 0) return r;
        r.lights = uint8(LIGHTS - (r.lotsAhead * LIGHTS) / (r.sideLots + 1));
    }

    /* PREVIEWS */

    /// @inheritdoc IExchangeLens
    function previewShock(
        uint16 market,
        Side loser,
        uint256 price,
        uint256 lots,
        uint256 deficit,
        uint256 fundAssets,
        uint32[] calldata members
    ) external simulated returns (Shock memory shock, MemberLoss[] memory losses) {
        Prices.refresh($, market);
        Market storage m = $.markets[market];
        require(m.config.unit != 0, IExchangeErrors.UnknownMarket(market));
        _requireAtMost(price, Bounds.PRICE);
        _requireAtMost(deficit, Bounds.AMOUNT);
        // Storage is free to be written here: everything is rolled back.
        if (price != 0) (m.price.mark, m.price.index) = (uint64(price), uint64(price));
        require(m.price.mark != 0, IExchangeErrors.NoPrice(market));
        if (fundAssets != type(uint256).max) {
            _requireAtMost(fundAssets, Bounds.AMOUNT);
            $.money[House.FUND].balance = int128(uint128(fundAssets));
        }
        if (lots > m.flow.openInterest) lots = m.flow.openInterest;
        uint16[] memory keys = _cohortsOf(m, market, loser.opposite());
        shock.cohorts = new CohortLoss[](keys.length);
        for (uint256 i = 0; i < keys.length; i++) {
            shock.cohorts[i] = CohortLoss(keys[i], m.cohorts[keys[i]].lots, 0);
        }
        losses = _before(members, market);
        _run(shock, market, loser, lots, deficit);
        for (uint256 i = 0; i < keys.length; i++) {
            CohortLoss memory loss = shock.cohorts[i];
            loss.lotsClosed = loss.lotsBefore - m.cohorts[keys[i]].lots;
            shock.lotsClosed += loss.lotsClosed;
        }
        _after(losses, market);
    }

    /// @inheritdoc IExchangeLens
    function previewDeleverage(
        uint32[] calldata accounts,
        uint16 market,
        uint32[] calldata members
    ) external simulated returns (MemberLoss[] memory losses) {
        uint256 markets = 1 << market;
        for (uint256 i = 0; i < accounts.length; i++) markets |= _marketsOf(accounts[i]);
        for (uint256 i = 0; i < members.length; i++) markets |= _marketsOf(members[i]);
        _refreshAll(markets);
        losses = _before(members, market);
        Deleverage.deleverage($, accounts, Bounds.FILLS, 0);
        _after(losses, market);
    }

    /* PRIVATE */

    function _requireAtMost(uint256 amount, uint256 bound) private pure {
        require(amount <= bound, IExchangeErrors.AmountTooLarge(amount, bound));
    }

    /// @dev Does not return: ends the call with what the exchange answered.
    function _ask() private {
        try exchange.simulate(SELF, msg.data) {
            // Cannot be: simulate always reverts.
            revert IExchangeErrors.NothingDone();
        } catch (bytes memory reason) {
            (bool ok, bytes memory result) = _decode(reason);
            // Ends this call with the bytes of `result`: return(result) if ok, else revert(result).
            assembly ("memory-safe") {
                if ok {
                    return(add(result, 32), mload(result))
                }
                revert(add(result, 32), mload(result))
            }
        }
    }

    /// @dev Anything but Simulated, such as Locked, is passed on as it is.
    function _decode(bytes memory reason) private pure returns (bool ok, bytes memory result) {
        if (bytes4(reason) != IExchangeErrors.Simulated.selector) return (false, reason);
        bytes memory encoded = new bytes(reason.length - 4);
        for (uint256 i = 0; i < encoded.length; i += 32) {
            // Copies 32 bytes from behind the selector; the last copy may run over into memory that is not used yet:
            // encoded[i..i+32] = reason[i+4..i+36].
            assembly ("memory-safe") {
                mstore(add(add(encoded, 32), i), mload(add(add(reason, 36), i)))
            }
        }
        return abi.decode(encoded, (bool, bytes));
    }

    function _marketsOf(uint32 account) private view returns (uint256) {
        return uint256($.accounts[account].markets) | $.money[account].freshMarkets;
    }

    function _refreshAll(uint256 markets) private {
        for (; markets != 0; markets &= markets - 1) {
            Prices.refresh($, uint16(Bits.leastSignificant(markets)));
        }
    }

    function _healthOf(uint32 account) private view returns (AccountHealth memory h) {
        Account memory stored = $.accounts[account];
        h.account = account;
        h.owner = stored.owner;
        h.clock = stored.clock;
        h.balance = Margin.settledBalance($, account);
        h.health = Margin.health($, account);
        h.withdrawable = Margin.withdrawable($, account);
        h.liquidatable = Margin.isLiquidatable(h.health);
    }

    function _countPositions(uint32 account, uint256 markets) private view returns (uint256 count) {
        for (; markets != 0; markets &= markets - 1) {
            if ($.markets[uint16(Bits.leastSignificant(markets))].positions[account].lots != 0) {
                count++;
            }
        }
    }

    function _positionOf(
        uint32 account,
        uint16 market,
        Health memory health
    ) private view returns (SettledPosition memory r) {
        Price memory price = Prices.load($, market);
        Market storage m = $.markets[market];
        if (m.positions[account].lots == 0) return r;
        Position memory p;
        (p, r.pendingCash, r.pendingHaircut) = Positions.settledOf($, price, account);
        r.market = market;
        r.side = Keys.sideOfKind(p.kind);
        r.leverageClass = uint8(Keys.leverageOfKind(p.kind));
        r.chosenClass = uint8(Margin.chosenClass(m, account));
        (r.lots, r.cost) = (p.lots, p.cost);
        r.entry = (uint256(p.entry) * price.unit) >> ENTRY_BITS;
        if (p.lots == 0) return r;
        r.unrealised = Positions.profitAt(price, p);
        r.liquidationPrice = Margin.liquidationPrice($, price, account, health);
        r.zeroPrice = Margin.zeroPrice($, price, account, health);
    }

    function _orderOf(Market storage m, uint40 id) private view returns (OpenOrder memory r) {
        Order memory order = m.orders[id];
        r.id = id;
        r.side = Book.sideOf(order);
        r.reduceOnly = Book.isReduceOnly(order);
        bool isKilled = order.levelEpoch != m.levels[Keys.levelKey(r.side, order.tick)].epoch;
        r.dead = isKilled || Book.isDeadBySide(m, id, order) || Book.isExpired(order);
        (r.tick, r.lots, r.expiry) = (order.tick, order.lots, order.expiry);
    }

    function _cohortView(
        Price memory price,
        uint16 key,
        Cohort memory cohort,
        uint256 ahead
    ) private pure returns (CohortView memory) {
        return
            CohortView({
                cohort: key,
                leverageClass: uint8(Keys.leverageOfCohort(key)),
                priceClass: uint16(Keys.priceClassOfCohort(key)),
                lots: cohort.lots,
                members: cohort.members,
                score: _scoreOf(price, key),
                lotsAhead: ahead
            });
    }

    /// @dev leverage · side · (mark − edge) / edge. Rounding: towards −∞.
    function _scoreOf(Price memory price, uint16 key) private pure returns (int256) {
        (int256 gain, uint256 edge) = _gainOf(price, key);
        int256 scaled = gain * int256(WHOLE);
        int256 score = scaled / int256(edge);
        return scaled < 0 && score * int256(edge) != scaled ? score - 1 : score;
    }

    /// @return gain leverage · side · (mark − edge), quote per lot, scale 2^EDGE_BITS.
    function _gainOf(
        Price memory price,
        uint16 key
    ) private pure returns (int256 gain, uint256 edge) {
        Side side = Keys.sideOfCohort(key);
        edge = Queue.nearEdge(price, side, Keys.priceClassOfCohort(key));
        uint256 leverage = LeverageTable.leverageOf(Keys.leverageOfCohort(key));
        int256 distance = int256(price.mark << Queue.EDGE_BITS) - int256(edge);
        gain = side.sign() * distance * int256(leverage);
    }

    /// @dev By cross-multiplication. Ties go to the higher leverage, then to the better class.
    function _isAhead(Price memory price, uint16 a, uint16 b) private pure returns (bool) {
        (int256 gainA, uint256 edgeA) = _gainOf(price, a);
        (int256 gainB, uint256 edgeB) = _gainOf(price, b);
        (int256 left, int256 right) = (gainA * int256(edgeB), gainB * int256(edgeA));
        return left == right ? a > b : left > right;
    }

    function _cohortsOf(
        Market storage m,
        uint16 market,
        Side side
    ) private view returns (uint16[] memory keys) {
        Price memory price = Prices.load($, market);
        Queue.Heads memory heads = Queue.open(m, price, side);
        uint256 count;
        for ((, bool found) = Queue.next(m, heads); found; (, found) = Queue.next(m, heads)) {
            count++;
        }
        keys = new uint16[](count);
        heads = Queue.open(m, price, side);
        for (uint256 i = 0; i < count; i++) (keys[i], ) = Queue.next(m, heads);
    }

    function _before(
        uint32[] calldata members,
        uint16 market
    ) private view returns (MemberLoss[] memory losses) {
        losses = new MemberLoss[](members.length);
        Price memory price = Prices.load($, market);
        for (uint256 i = 0; i < members.length; i++) {
            (Position memory p, , uint256 given) = Positions.settledOf($, price, members[i]);
            losses[i].account = members[i];
            losses[i].lotsBefore = p.lots;
            // Given in earlier events; taken off again in _after.
            losses[i].haircut = given;
            losses[i].equityBefore = Margin.health($, members[i]).equity;
        }
    }

    function _after(MemberLoss[] memory losses, uint16 market) private view {
        Price memory price = Prices.load($, market);
        for (uint256 i = 0; i < losses.length; i++) {
            MemberLoss memory loss = losses[i];
            (Position memory p, , uint256 given) = Positions.settledOf($, price, loss.account);
            loss.lotsClosed = loss.lotsBefore - p.lots;
            loss.haircut = given - loss.haircut;
            loss.equityAfter = Margin.health($, loss.account).equity;
        }
    }

    function _run(
        Shock memory shock,
        uint16 market,
        Side loser,
        uint256 lots,
        uint256 deficit
    ) private {
        IExchangeEvents.DeleverageReceipt memory side = Deleverage.preview(
            $,
            market,
            loser,
            lots,
            deficit
        );
        shock.deficit = deficit;
        shock.fundDraw = side.fundWithin + side.fundBeyond;
        shock.base = side.base;
        shock.haircut = side.haircut;
        shock.principal = side.principal;
        shock.discount = side.discount;
        shock.shortfall = side.shortfall;
    }
}
