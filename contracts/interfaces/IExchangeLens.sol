// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Side} from "../types/Side.sol";
import {Health} from "../types/Context.sol";

/// @title Lens
/// @notice What people and programs want to know, computed by the exchange's own code inside `Exchange.simulate`, after a
/// refresh of the prices: what it says is what a call now would do. To be asked with eth_call (ethers: `staticCall`), since the
/// refresh writes before it is rolled back. No state, may be redeployed.
interface IExchangeLens {
    struct AccountHealth {
        uint32 account;
        address owner;
        int256 balance; // as settled now
        uint256 withdrawable;
        bool liquidatable;
        uint256 clock; // unix time, 0 if none runs
        Health health;
    }

    struct SettledPosition {
        uint16 market;
        Side side;
        uint8 leverageClass; // in force for the queue
        uint8 chosenClass; // sets initial margin
        uint256 lots;
        int256 cost; // funding-free, quote
        uint256 entry; // quote per lot
        int256 unrealised; // at mark, funding included, quote
        int256 pendingCash; // of past events, not yet in the stored balance
        uint256 pendingHaircut; // of past events
        uint256 liquidationPrice; // mark at which equity == maintenance, other markets unchanged; 0 if none
        uint256 zeroPrice; // 0 if none
    }

    struct OpenOrder {
        uint40 id;
        Side side;
        bool reduceOnly;
        bool dead; // killed or expired, not yet released
        uint24 tick;
        uint56 lots;
        uint32 expiry;
    }

    struct DepthLevel {
        uint24 tick;
        uint256 lots;
    }

    struct CohortView {
        uint16 cohort;
        uint8 leverageClass;
        uint16 priceClass;
        uint256 lots;
        uint256 members;
        int256 score; // scale 1e18, rounded towards −∞
        uint256 lotsAhead;
    }

    struct Rank {
        Side side;
        uint256 lots;
        int256 score; // scale 1e18, rounded towards −∞
        uint256 lotsAhead; // open interest that is cut before this account's cohort
        uint256 sideLots;
        uint8 lights; // 1 to 5: the fifth of the side's open interest that it stands in, 5 is the front; 0 without position
    }

    /// @notice What an event would do to the winning side, found by executing it.
    struct Shock {
        uint256 deficit; // quote
        uint256 fundDraw;
        uint256 base;
        uint256 haircut;
        uint256 principal;
        uint256 discount; // rule Queue
        uint256 shortfall;
        uint256 lotsClosed; // in the queue
        CohortLoss[] cohorts;
    }

    struct CohortLoss {
        uint16 cohort;
        uint256 lotsBefore;
        uint256 lotsClosed;
    }

    struct MemberLoss {
        uint32 account;
        uint256 lotsBefore;
        uint256 lotsClosed;
        uint256 haircut;
        int256 equityBefore; // at the shocked price
        int256 equityAfter;
    }

    function healths(uint32[] calldata accounts) external returns (AccountHealth[] memory);

    function positions(uint32 account) external returns (SettledPosition[] memory);

    function orders(uint32 account, uint16 market) external returns (OpenOrder[] memory);

    /// @notice Levels of one side from `from` on, best first; 0 starts at the best.
    /// @return levels At most `count`, and at most 1,024.
    /// @return next Where the next page starts, 0 at the end.
    function depth(
        uint16 market,
        Side side,
        uint24 from,
        uint256 count
    ) external returns (DepthLevel[] memory levels, uint24 next);

    /// @notice Cohorts of one side in queue order, at today's mark; at most 1,024.
    function queue(
        uint16 market,
        Side side,
        uint256 from,
        uint256 count
    ) external returns (CohortView[] memory cohorts, bool more);

    function rank(uint32 account, uint16 market) external returns (Rank memory);

    /// @notice What is cut if `lots` of the other side are insolvent by `deficit` at a mark of `price`, with `fundAssets`
    /// in the fund.
    /// @param price Quote per lot; 0 for today's mark.
    /// @param lots At most the open interest, which it is clipped to.
    /// @param fundAssets Quote; type(uint256).max for what the fund has now.
    /// @param members Accounts whose own loss is wanted.
    /// @dev Reverts: UnknownMarket, NoPrice, AmountTooLarge.
    function previewShock(
        uint16 market,
        Side loser,
        uint256 price,
        uint256 lots,
        uint256 deficit,
        uint256 fundAssets,
        uint32[] calldata members
    ) external returns (Shock memory shock, MemberLoss[] memory losses);

    /// @notice What `deleverage(accounts)` would do now to `members`, with their lots and haircuts in `market`.
    function previewDeleverage(
        uint32[] calldata accounts,
        uint16 market,
        uint32[] calldata members
    ) external returns (MemberLoss[] memory losses);
}
