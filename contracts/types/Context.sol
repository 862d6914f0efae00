// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Side} from "./Side.sol";
import {Grade} from "./Keys.sol";

/// @notice A market's prices, fixed for the whole call. Loaded once, after the refresh.
struct Price {
    uint16 market;
    uint256 unit; // quote per lot and tick
    uint256 mark; // quote per lot
    uint256 index; // quote per lot
    int256 funding; // F, scale 2^32
    Grade grade;
    bool pending; // a jump waits
    uint256 pendingIndex; // the price that waits, quote per lot
    uint256 volatilityRate; // 0.01 % of notional
    uint256 openInterest; // lots, as last stored
}

/// @notice What one party of a trade does, all fills of the call together.
/// @dev Quote amounts are exact: Σ ticks · unit · lots. First the lots that close a position of the other side, then
/// those that open.
struct Fill {
    Side side; // bought: Long, sold: Short
    uint256 closeLots;
    uint256 closeQuote;
    uint256 openLots;
    uint256 openQuote;
}

/// @notice Margin of an account, everything in quote.
struct Health {
    int256 equity; // at mark
    int256 equityAtIndex;
    int256 prudent; // at mark, a dead market's profit left out: for initial margin and withdrawal
    uint256 initial; // for whatever adds risk, rounded up
    uint256 initialCalm; // without what a storm asks for: for withdrawal and the choice of leverage, rounded up
    uint256 maintenance; // at mark, rounded up
    uint256 maintenanceAtIndex; // rounded up
    int256 equityAtPending; // at mark, but a market whose jump waits at the price that waits
    uint256 maintenanceAtPending; // likewise, rounded up
    uint256 fresh; // fresh profit inside equity
    uint256 notional; // Σ at mark
}

/// @notice What a call changes in a market's totals. Gathered in memory, stored once by `Tallies.store`.
struct Tally {
    int256 longLots; // change of the long side == change of open interest, once both parties are in
    int256 fees; // quote
    int256 rest; // quote: −Σ (Δ balance + Δ unsettled − side · Δ cost) of all parties; never negative at the end
    int256 unsettled; // quote
    int256 bonds; // cohorts opened minus cohorts emptied
}

/// @notice What the judge compares: taken before the first and after the last action.
struct Snapshot {
    Health health;
    uint256 markets; // bitmap at that time
    SizeAt[] sizes; // one a market of the bitmap, ascending
}

struct SizeAt {
    uint16 market;
    Side side;
    uint256 lots;
    uint256 bidLots;
    uint256 askLots;
}
