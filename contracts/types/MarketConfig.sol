// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice Who is closed in an event: the front of the queue, or every cohort in proportion to its lots.
enum QuantityRule {
    Front,
    ProRata
}

/// @notice Who pays what is missing: winners by profit, or the closed cohorts through the bankruptcy price.
enum DeficitRule {
    Winners,
    Queue
}

/// @notice Everything a market is listed with. Stored as it is declared; the comment at each group is its slot.
/// @dev Rates are parts per million (ppm). Whole units are units of the settlement token, micro units 1e-6 of one.
/// Times are seconds. `Listing` holds the bounds.
struct MarketConfig {
    // Slot 0, 256 bits: what margin needs. The brackets are scalars, because an array would start a slot of its own.
    uint64 unit; // quote per lot and tick, ≥ 1
    uint32 tierCap1; // whole units of notional where the first bracket ends
    uint32 tierCap2; // where the second ends; caps never fall
    uint32 tierCap3; // where the third ends; the fourth has no end
    uint8 tierLeverage1; // what the first bracket is divided by for initial margin; 1 to 100
    uint8 tierLeverage2; // of the second bracket; leverages never rise
    uint8 tierLeverage3;
    uint8 tierLeverage4;
    uint24 maxDeviation; // ppm of index: how far mark may stand from it
    uint8 maxLeverage; // index into the leverage table: the highest class that may be chosen
    uint8 defaultLeverage; // index into the leverage table: the class of an account that never chose
    uint8 concentration; // tenths: initial margin rate of an account is at least this times its share of openInterestCap
    uint8 accountShare; // percent of openInterestCap: the most that one account may hold, orders included
    uint8 crowdingFrom; // percent of openInterestCap from which open interest raises initial margin, up to all at the cap
    // Slot 1, 248 bits and lotDecimals: what a trade needs.
    uint64 openInterestCap; // lots
    uint32 minNotional; // micro units: the least notional of an order and of a position that stays
    uint24 makerFee; // ppm of notional
    uint24 takerFee; // ppm of notional
    uint24 band; // ppm of mark: fills happen only inside
    uint32 cohortBond; // micro units, paid by the member that opens a cohort, returned to the one that empties it
    uint24 freshEpoch; // seconds; profit matures after one to two of these
    uint24 classDelay; // seconds until a lower leverage counts for the queue
    // Slot 2, 240 bits without lotDecimals: index, mark and funding.
    uint8 lotDecimals; // a lot is 10^-lotDecimals of the base asset
    uint24 maxJump; // ppm: a larger move of the index waits for confirmation
    uint24 maxSpread; // ppm: how far two sources may be apart to agree
    uint16 maxPending; // seconds a jump waits at most
    uint16 freshFor; // seconds after publishing: fresh
    uint16 agedFor; // seconds after publishing: aged; dead after that
    uint16 premiumWindow; // seconds: the time constant of the premium's average
    uint16 sampleInterval; // seconds between samples of the book
    uint32 impactNotional; // whole units that impact prices are taken for
    uint24 maxFunding; // ppm per 8 hours
    uint24 interest; // ppm per 8 hours
    uint16 maxAccrual; // seconds of funding charged at once
    uint16 lastTradeFor; // seconds that a trade counts for the mark
    // Slot 3, 256 bits: the waterfall.
    uint24 slip0; // ppm of mark: where the limit of a forced sale starts
    uint16 clock; // seconds the limit takes to the zero price
    uint24 liqSlip; // ppm of mark: how far an event sells to the book
    uint24 penalty; // ppm of forced notional
    uint24 callerShare; // ppm of the penalty that goes to the caller
    uint24 eventBudget; // ppm of the fund, per event
    uint24 dayBudget; // ppm of the fund, per day
    uint24 marketShare; // ppm of the fund, beyond the event budget
    uint24 fundTarget; // ppm of open interest
    uint32 maxDead; // seconds without a price until the market winds down
    QuantityRule quantityRule;
    DeficitRule deficitRule;
    // Slot 4, 176 bits: what keeps a market from growing faster than it can be closed.
    uint8 volatilityFactor; // tenths of a standard deviation that initial margin must cover; 0: none
    uint16 volatilityHorizon; // seconds that it must cover
    uint24 volatilityWindow; // seconds: the time constant of the variance's average
    uint24 move; // ppm: how far the index goes, in all but the stated share of cases, until a forced sale is through
    uint8 topShare; // percent of openInterestCap that the top leverage classes of a side may hold together
    uint8 capStart; // percent of openInterestCap that a new market starts with
    uint32 capRamp; // seconds in which its cap grows by the whole of it
    uint24 drawdownLimit; // ppm of the fund that the market may draw in eight hours before it only shrinks
    uint32 windWindow; // seconds over which the index is averaged for the last price of the market
}

/// @dev The leverage classes that an account may choose from.
library LeverageTable {
    uint256 internal constant CLASSES = 8;
    uint256 internal constant DEFAULT_CLASS = 4;
    /// @dev The first of the top classes, 20 and above, which a market's envelope does not cover: they have a cap of their own.
    uint256 internal constant TOP_CLASS = 5;
    /// @dev One byte a class, class 0 lowest: 1 2 3 5 10 20 50 100.
    uint256 private constant TABLE = 0x6432140a05030201;

    /// @notice The leverage of a class, 1 to 100.
    function leverageOf(uint256 class) internal pure returns (uint256) {
        return (TABLE >> (class * 8)) & 0xff;
    }
}
