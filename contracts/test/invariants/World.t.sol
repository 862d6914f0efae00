// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchange} from "../../interfaces/IExchange.sol";
import {IInsuranceFund} from "../../interfaces/IInsuranceFund.sol";
import {IMarginVault} from "../../interfaces/IMarginVault.sol";
import {House} from "../../types/Keys.sol";
import {DeficitRule, MarketConfig, QuantityRule} from "../../types/MarketConfig.sol";
import {IFeed, IOracle, IRoles, ITestToken} from "./Parts.t.sol";
import {vm} from "./Vm.t.sol";

/// @notice The real deployment: everything wired as scripts/deploy does it, four markets, and who plays.
///
/// MARKETS  All have a tick of 0.1 and a lot of 10^-8.
///   OPEN    Winners, Front; concentration and account caps
///   CLOSED  Winners, Front; only the coalition trades here, nothing limits its share
///   PRORATA Winners, ProRata
///   QUEUE   Queue, Front
/// ACCOUNTS  One each, from House.FIRST_ACCOUNT on: honest traders, the coalition, a bystander who never trades, the keeper.
/// @dev Contracts are deployed from the artifacts as they were last built, so that these files need not be compiled with them.
abstract contract World {
    uint16 internal constant OPEN = 0;
    uint16 internal constant CLOSED = 1;
    uint16 internal constant PRORATA = 2;
    uint16 internal constant QUEUE = 3;
    uint16 internal constant MARKETS = 4;

    uint256 internal constant HONEST = 8;
    uint256 internal constant COALITION = 6;
    /// @dev Places of accounts: honest first, then the coalition.
    uint256 internal constant TRADERS = HONEST + COALITION;
    uint256 internal constant BYSTANDER = TRADERS;
    uint256 internal constant KEEPER = TRADERS + 1;
    uint256 internal constant ACCOUNTS = TRADERS + 2;
    uint256 internal constant STAKERS = 2;

    uint256 internal constant START = 1_800_000_000;
    /// @dev Token units of one settlement unit, quote of one token unit.
    uint256 internal constant TOKEN = 1e6;
    uint256 internal constant SCALE = 1e12;
    uint256 internal constant WHOLE = 1e18;
    uint256 internal constant PPM = 1e6;
    /// @dev Quote per lot and tick, and lots of one base unit.
    uint64 internal constant UNIT = 1e9;
    uint64 internal constant BASE = 1e8;
    uint256 internal constant COOLDOWN = 1 hours;
    uint256 private constant SIGNER = 0xba11a57;

    error NotBuilt(string artifact);

    IExchange internal exchange;
    IMarginVault internal vault;
    IInsuranceFund internal fund;
    ITestToken internal token;
    IRoles internal roles;
    IOracle internal oracle;
    IFeed internal feed;
    address internal inspector;

    /// @dev Unix time. The compiler takes `block.timestamp` for a constant within a call, which a cheat code changes.
    uint256 internal time;
    /// @dev Whole prices times 10^18, as last published.
    uint256[MARKETS] internal published;

    function deployWorld() internal {
        advance(START);
        roles = IRoles(build("Roles.sol:Roles", abi.encode(address(this))));
        token = ITestToken(build("TestToken.sol:TestToken", abi.encode(uint8(6))));
        oracle = IOracle(build("IndexOracle.sol:IndexOracle", abi.encode(roles)));
        address[] memory signers = new address[](1);
        signers[0] = vm.addr(SIGNER);
        feed = IFeed(build("SignedFeed.sol:SignedFeed", abi.encode(roles, signers, uint256(1))));
        IMarginVault.Limit memory limit = IMarginVault.Limit({share: 100_000, floor: 2_000});
        bytes memory arguments = abi.encode(token, oracle, roles, limit);
        exchange = IExchange(build("contracts/Exchange.sol:Exchange", arguments));
        vault = IMarginVault(exchange.vault());
        arguments = abi.encode(exchange, COOLDOWN);
        fund = IInsuranceFund(build("InsuranceFund.sol:InsuranceFund", arguments));
        inspector = build("Inspector.sol:Inspector", "");
        grantRoles();
        listMarkets();
        openAccounts();
    }

    /// @dev The linker has put the libraries' addresses into the code.
    function build(string memory artifact, bytes memory arguments) private returns (address made) {
        bytes memory code = bytes.concat(vm.getCode(artifact), arguments);
        // made = create(0, code)
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
        require(made != address(0), NotBuilt(artifact));
    }

    /* ROLES */

    function grantRoles() private {
        bytes4[] memory listing = new bytes4[](6);
        listing[0] = IExchange.list.selector;
        listing[1] = IExchange.setConfig.selector;
        listing[2] = IExchange.reopen.selector;
        listing[3] = IExchange.windDown.selector;
        listing[4] = IExchange.setFeeShare.selector;
        listing[5] = IExchange.bindFund.selector;
        grant(1, address(exchange), listing);
        grant(2, address(exchange), only(IExchange.reduceRisk.selector));
        grant(3, address(exchange), only(IExchange.payTreasury.selector));
        grant(4, address(oracle), only(IOracle.setSources.selector));
    }

    function grant(uint64 role, address target, bytes4[] memory functions) private {
        roles.setTargetFunctionRole(target, functions, role);
        roles.grantRole(role, address(this), 0);
    }

    function only(bytes4 selector) private pure returns (bytes4[] memory functions) {
        functions = new bytes4[](1);
        functions[0] = selector;
    }

    /* MARKETS */

    function listMarkets() private {
        exchange.bindFund(address(fund));
        exchange.setFeeShare(200_000);
        uint256[MARKETS] memory prices = [uint256(10_000), 8_000, 12_000, 9_000];
        for (uint16 id = 0; id < MARKETS; id++) {
            address[] memory sources = new address[](2);
            (sources[0], sources[1]) = (address(feed), address(feed));
            bytes32[] memory feeds = new bytes32[](2);
            (feeds[0], feeds[1]) = (feedOf(id, 0), feedOf(id, 1));
            oracle.setSources(id, sources, feeds);
            exchange.list("PERP", configOf(id));
            published[id] = prices[id] * WHOLE;
        }
        publishAll();
    }

    function configOf(uint16 id) internal pure returns (MarketConfig memory c) {
        (c.unit, c.lotDecimals, c.openInterestCap) = (UNIT, 8, 200 * BASE);
        (c.tierCap1, c.tierCap2, c.tierCap3) = (1_000_000, 5_000_000, 20_000_000);
        (c.tierLeverage1, c.tierLeverage2, c.tierLeverage3, c.tierLeverage4) = (50, 20, 10, 5);
        (c.maxDeviation, c.maxLeverage, c.defaultLeverage) = (10_000, 6, 4);
        (c.concentration, c.accountShare, c.crowdingFrom) = (10, 20, 50);
        (c.minNotional, c.makerFee, c.takerFee, c.band) = (10_000_000, 100, 500, 50_000);
        (c.cohortBond, c.freshEpoch, c.classDelay) = (100_000, 240, 900);
        (c.maxJump, c.maxSpread, c.maxPending) = (80_000, 10_000, 60);
        (c.freshFor, c.agedFor, c.premiumWindow, c.sampleInterval) = (30, 300, 150, 10);
        (c.impactNotional, c.maxFunding, c.interest) = (20_000, 7_500, 100);
        (c.maxAccrual, c.lastTradeFor) = (3_600, 60);
        (c.slip0, c.clock, c.liqSlip, c.penalty, c.callerShare) = (
            2_000,
            30,
            5_000,
            5_000,
            100_000
        );
        (c.eventBudget, c.dayBudget, c.marketShare) = (200_000, 400_000, 600_000);
        (c.fundTarget, c.maxDead) = (50_000, 86_400);
        (c.volatilityFactor, c.volatilityHorizon, c.volatilityWindow) = (30, 600, 3_600);
        // As large as it will be at once, and no fund needed behind the top leverages.
        (c.move, c.topShare, c.capStart, c.capRamp) = (1_000, 100, 100, 1_209_600);
        (c.drawdownLimit, c.windWindow) = (1_000_000, 3_600);
        if (id != OPEN) (c.concentration, c.accountShare, c.crowdingFrom) = (0, 100, 100);
        // The volatility rate would keep leverage low for an hour after each gap.
        if (id == CLOSED || id == QUEUE) c.volatilityFactor = 0;
        if (id == PRORATA) (c.quantityRule, c.drawdownLimit) = (QuantityRule.ProRata, 300_000);
        if (id == QUEUE) c.deficitRule = DeficitRule.Queue;
    }

    /* TIME AND PRICES */

    function advance(uint256 seconds_) internal {
        time += seconds_;
        vm.warp(time);
    }

    function feedOf(uint16 id, uint256 place) internal pure returns (bytes32) {
        return keccak256(abi.encode("feed", id, place));
    }

    /// @notice Signs and pushes a price to one of a market's two feeds.
    function publish(uint16 id, uint256 place, uint256 price) internal {
        IFeed.Update memory update = IFeed.Update({
            feed: feedOf(id, place),
            price: price,
            confidence: 0,
            publishTime: time
        });
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SIGNER, feed.digestOf(update));
        IFeed.Update[] memory updates = new IFeed.Update[](1);
        updates[0] = update;
        bytes[][] memory signatures = new bytes[][](1);
        signatures[0] = new bytes[](1);
        signatures[0][0] = abi.encodePacked(r, s, v);
        feed.pushMany(updates, signatures);
    }

    function publishBoth(uint16 id) internal {
        publish(id, 0, published[id]);
        publish(id, 1, published[id]);
    }

    /// @notice Every market's last price again, so that it is fresh, and all markets refreshed.
    function publishAll() internal {
        for (uint16 id = 0; id < MARKETS; id++) {
            publishBoth(id);
            exchange.poke(id);
        }
    }

    /* ACCOUNTS */

    function openAccounts() private {
        for (uint256 i = 0; i < ACCOUNTS; i++) {
            exchange.openAccount(ownerOf(i));
            vm.prank(ownerOf(i));
            token.approve(address(vault), type(uint256).max);
        }
        for (uint256 i = 0; i < STAKERS; i++) {
            vm.prank(stakerOf(i));
            token.approve(address(fund), type(uint256).max);
        }
    }

    /// @dev Two accounts of the coalition have one owner, so that self-trade prevention is met.
    function ownerOf(uint256 place) internal pure returns (address) {
        if (place == TRADERS - 1) place = TRADERS - 2;
        return address(uint160(0x1000 + place));
    }

    function stakerOf(uint256 place) internal pure returns (address) {
        return address(uint160(0x2000 + place));
    }

    function idOf(uint256 place) internal pure returns (uint32) {
        return uint32(House.FIRST_ACCOUNT + place);
    }

    function isCoalition(uint256 place) internal pure returns (bool) {
        return place >= HONEST && place < TRADERS;
    }
}
