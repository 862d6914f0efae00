// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {MarketConfig, QuantityRule} from "./MarketConfig.sol";
import {EventStage} from "./Keys.sol";

/*
 * THE STORAGE OF THE EXCHANGE
 *
 * One State, at slot 0 of Exchange. Every struct names its slots with the bits used and, for each field, unit and
 * range. Money is quote: 1e-18 of one unit of the settlement token. Prices are quote per lot.
 */

/// @notice Slot 0: 160 + 48 + 40 + 8 = 256 bits.
struct Account {
    address owner;
    uint48 markets; // bit m: the account has a position, an order or a chosen leverage at risk in market m
    uint40 clock; // unix time at which the clock of a forced sale started; 0 while none runs
    uint8 feeTier; // 0 for now
}

/// @notice Slot 0: 128 + 48 + 80 = 256 bits.
struct Money {
    int128 balance; // quote; below zero only while unrealised or fresh profit stands against it
    uint48 freshMarkets; // bit m: the account may have fresh profit in market m
    uint80 distress; // micro units: maintenance margin when its clock started; 0 while none runs
}

/// @notice Slot 0: 8 + 40 = 48 bits.
struct Operator {
    uint8 scope; // bits of Scopes
    uint40 expiry; // unix time; no right from then on
}

/// @notice Slot 0: 64 + 120 + 40 + 24 + 8 = 256 bits. As it was when the account was last settled.
struct Position {
    uint64 lots; // 0 if there is no position
    int120 cost; // quote, funding-free (see Cohorts); sign follows the price, not the side
    uint40 entry; // average entry in ticks · 2^16; for rank and price profit, never for money
    uint24 checkpoint; // of the cohort, at the last settlement
    uint8 kind; // bit 0 side, bits 1..3 leverage class in force
}

/// @notice Slot 0: 64 + 32 + 24 + 8 + 128 = 256 bits. Key: see CohortKey.
struct Cohort {
    uint64 lots; // Q, members and the dust they left
    uint32 members; // positions that name this cohort
    uint24 checkpoint; // the current one
    uint8 referenced; // 1 if a position stores the current checkpoint
    int128 cost; // V, quote, funding-free
}

/// @notice Slot 0: 96 + 24 + 136 = 256 bits; slot 1: K; slot 2: B. Number 0 is never stored: it is (2^95, 0, 0, 0, 0).
struct Checkpoint {
    uint96 mantissa; // A = mantissa · 2^-exponent is what is left of a lot; in [2^95, 2^96), or 0: emptied
    uint24 exponent;
    uint136 haircut; // U: haircut per lot still held, scale 2^54, modulo 2^136
    int256 cash; // K: Σ m · proceeds / Q, in units of the mantissa
    uint256 given; // B: Σ m · haircut / Q, in units of the mantissa
}

/// @notice Slot 0: 64 + 32 + 136 = 232 bits. One price class of one side, all leverages together.
struct PriceClass {
    uint64 lots; // ΣQ
    uint32 members; // Σ members
    uint136 haircut; // U: haircut per lot still held since the class was last without members, scale 2^54
}

/// @notice Slot 0: 32 + 16 + 64 + 64 + 80 = 256 bits. The fresh profit of one side of a market.
struct FreshSide {
    uint32 epoch; // number of the epoch the totals belong to
    uint16 generation; // rises when all fresh profit is taken at once
    uint64 current; // micro units realised in `epoch`
    uint64 previous; // micro units realised in the epoch before
    uint80 keep; // what haircuts left of one unit, scale 2^79; 0 means 2^79 in generation 0
}

/// @notice Slot 0: 32 + 16 + 64 + 64 + 80 = 256 bits. The fresh profit of one account in a market.
struct FreshRecord {
    uint32 epoch;
    uint16 tag; // bit 0 side, bits 1..15 generation (modulo 2^15)
    uint64 current; // micro units
    uint64 previous; // micro units
    uint80 keep; // of the side when this was last settled
}

/// @notice Slot 0: 80 + 16 = 96 bits. What the side's keep was at the end of an epoch that had an event.
struct FreshMark {
    uint80 keep;
    uint16 generation;
}

/// @notice Slot 0: 32 + 64 + 64 + 16 + 16 + 8 + 32 + 24 = 256 bits. What an account has resting in a market.
struct Resting {
    uint32 used; // bit s: order slot s is taken
    uint64 bidLots; // reserved: live bids that are not reduce-only
    uint64 askLots;
    uint16 bidEpoch; // a rise kills all the account's bids
    uint16 askEpoch;
    uint8 leverage; // low 4 bits: chosen class + 1, 0 if never chosen; high 4 bits: pending class + 1, 0 if none
    uint32 pendingSince; // unix time: when the pending class was asked for, or the position last grew
    uint24 killsSeen; // the market's count of killed levels when the account was last touched
}

/// @notice Slot 0: 56 + 24 + 40 + 40 + 32 + 24 + 16 + 8 = 240 bits. Key: account << 8 | slot.
struct Order {
    uint56 lots; // what is left; 0 in a slot that is free
    uint24 tick;
    uint40 prev; // older order of the level, 0 at its head
    uint40 next; // newer order of the level, 0 at its tail
    uint32 expiry; // unix time, 0 for none
    uint24 levelEpoch; // of the level, when it was placed
    uint16 sideEpoch; // of the account's side, when it was placed
    uint8 flags; // bit 0 ask, bit 1 reduce-only
}

/// @notice Slot 0: 40 + 40 + 64 + 24 = 168 bits. Key: side << 24 | tick.
struct Level {
    uint40 head; // oldest order
    uint40 tail; // newest order
    uint64 lots; // Σ of the orders linked here
    uint24 epoch; // a rise kills every order of the level
}

/// @notice Slot 0: 128 + 64 + 64 = 256 bits. All that another market's health needs.
struct MarkSlot {
    int128 funding; // F: what a long has paid per lot since listing, quote, scale 2^32
    uint64 mark; // quote per lot
    uint64 index; // quote per lot
}

/// @notice Slot 0: 24·3 + 32 + 32 + 24 + 8 + 8 + 32 + 32 + 16 = 256 bits.
struct BookSlot {
    uint24 bestBid; // tick; 0 if there is no bid
    uint24 bestAsk; // tick; 0 if there is no ask
    uint24 lastTick; // of the last trade that counts for the mark
    uint32 lastTradeTime; // unix time
    uint32 refreshed; // unix time of the last refresh
    uint24 kills; // levels killed since listing, modulo 2^24
    uint8 grade; // Grade at the last refresh
    uint8 status; // bits of MarketStatus
    uint32 freshSince; // unix time since which the grade is fresh without a break
    uint32 pendingSince; // unix time at which a jump of the index began to wait; 0 if none waits
    uint16 volatilityRate; // 0.01 % of notional: what initial margin is at least, see Volatility
}

/// @notice Slot 0: 64 + 32 + 32 + 32 + 32 + 64 = 256 bits.
struct SampleSlot {
    int64 premium; // average of (impact mid − index), quote per lot
    uint32 bid; // impact bid when the book was last sampled, ticks · 2^8; 0 if that side was too thin
    uint32 ask; // impact ask, likewise
    uint32 sampled; // unix time of that sample
    uint32 publishTime; // of the last update that was read: of the index, or of the price that waits
    uint64 pendingIndex; // the price that waits, quote per lot; 0 if none does
}

/// @notice Slot 0: 96 + 64 + 32 + 64 = 256 bits. How much the index moves, see Volatility, and what that asks of the fund.
struct VolatilitySlot {
    uint96 variance; // of returns, per second, scale 10^24
    uint64 index; // at the last sample, quote per lot
    uint32 sampled; // unix time of it; 0 before the first
    uint64 fundTarget; // micro units: the market's part of what the insurance fund should hold, see Fees
}

/// @notice Slot 0: 64·3 + 32 = 224 bits. See Caps.
struct CapSlot {
    uint64 full; // lots: what openInterestCap grows to; 0 if it is there
    uint64 topLong; // lots of all long cohorts of the top leverage classes
    uint64 topShort; // likewise short
    uint32 since; // unix time of the cap's last step
}

/// @notice Slot 0: 32·3 + 128 = 224 bits. See Winding.
struct WindSlot {
    uint32 from; // unix time at which the averaging began; 0: the market is not wound down
    uint32 until; // unix time at which it ends
    uint32 last; // unix time up to which `sum` goes
    uint128 sum; // Σ index · seconds, quote per lot
}

/// @notice Slot 0: 64 + 96 + 64 + 32 = 256 bits.
struct FlowSlot {
    uint64 openInterest; // lots long == lots short, dust included
    uint96 fees; // quote, not yet shared out
    int64 rest; // quote: what rounding and dust lots left over, for ledger account 3; may be owed by it
    uint32 bonds; // cohorts whose bond is held
}

/// @notice Slot 0: 128 + 128 = 256 bits.
struct PoolSlot {
    int128 unsettled; // Z: cash that events produced and members have not drawn
    uint128 shortfall; // quote that nobody could pay yet
}

/// @notice Slot 0: 64 + 64 + 128 = 256 bits; slot 1: 128 bits. Lots that belong to ledger account 3, a real position.
struct DustSlot {
    uint64 longLots;
    uint64 shortLots;
    int128 longCost;
    int128 shortCost;
}

/// @notice Slot 0: 96 + 96 + 32 + 32 = 256 bits. What a market drew from the fund and has not leaked away yet; see Budgets.
struct BucketSlot {
    uint96 wave; // quote, leaks away within Budgets.WAVE
    uint96 day; // quote, leaks away within a day
    uint32 since; // unix time that all three are of
    uint32 drawdown; // 10^-9 of the fund, leaks away within Budgets.DRAWDOWN
}

/// @notice Slot 0: 96 + 96 + 32 = 224 bits. What all markets together drew from the fund and has not leaked away yet.
struct FundSlot {
    uint96 drawn; // quote, leaks away within a day
    uint96 size; // quote: the fund and what had not leaked away, at the last draw
    uint32 since; // unix time of the last draw
}

/// @notice Slot 0: 96 + 32 = 128 bits. How much is under liquidation.
struct DistressSlot {
    uint96 maintenance; // micro units: Σ Money.distress
    uint32 since; // unix time at which the last clock started
}

/// @notice Slot 0: 64 + 64 + 32 + 32 = 192 bits. The last event that charged each side, so that an event can name what
/// may have caused it.
struct ChargeSlot {
    uint64 longEvent;
    uint64 shortEvent;
    uint32 longTime; // unix time
    uint32 shortTime; // unix time
}

/// @notice A whole that is handed out by weight, in whole numbers. Two slots of 128 + 128 bits.
struct Split {
    uint128 amount; // to be handed out in all
    uint128 weight; // the sum of all weights
    uint128 cumulative; // weights passed so far
    uint128 given; // handed out so far
}

/// @notice What an event does to one side of a market, and how far it has come. Amounts are quote.
/// @dev Slot 0: 8 + 16 + 64·3 = 216 bits; slots 1 to 7: 128 + 128 bits, slot 8: 128 + 64 + 64, slot 9: 64.
struct EventSide {
    EventStage stage;
    uint16 cursor; // price class charged last + 1; 0 before the first
    uint64 lots; // of the closed accounts, after longs and shorts met
    uint64 bookLots; // of these, sold to the book
    uint64 dustLots; // of these, closed against ledger account 3
    Split split; // of the stage that is at work
    uint128 deficit;
    uint128 within; // paid by the fund within its budgets
    uint128 base; // guaranteed and fresh profit before the event
    uint128 fresh; // fresh profit, part of base
    uint128 haircut; // taken from base
    uint128 freshCharge; // part of the haircut
    uint128 beyond; // paid by the fund beyond its event budget
    uint128 principal;
    uint128 shortfall;
    uint128 discount; // Queue rule: what the closed cohorts bear
    uint128 discountGiven; // of this, handed out so far
    uint64 parent; // the event that may have caused this one, 0 if none did
    uint64 sideLots; // of all cohorts, before the first was cut
    uint64 passed; // cohorts that were cut and still hold lots
}

/// @notice An event in one market. Stored only if it did not fit into one transaction, while MarketStatus.EVENT is set.
/// @dev Slot 0: 64 + 64 + 128 = 256 bits, slot 1: 128 + 128 bits, slot 2: 8 bits. Until it is done, the lots that are
/// still to be closed belong to the event, and what it gave and did not collect yet is part of `pool.unsettled`.
struct EventSlot {
    uint64 id; // 0 if there is none
    uint64 mark; // quote per lot, fixed when the event began
    int128 funding; // F, likewise
    int128 rest; // quote: the tally's rest of the part that is done; until then in `pool.unsettled`
    uint128 fundBefore; // quote
    QuantityRule quantityRule;
    EventSide[2] sides; // by the side that pays and is cut
}

struct Market {
    // Hot slots first.
    MarkSlot price;
    BookSlot book;
    SampleSlot sample;
    FlowSlot flow;
    PoolSlot pool;
    MarketConfig config;
    DustSlot dust;
    BucketSlot bucket;
    ChargeSlot charges;
    FreshSide[2] fresh;
    VolatilitySlot volatility;
    CapSlot caps;
    WindSlot wind;
    // Per account.
    mapping(uint32 account => Position) positions;
    mapping(uint32 account => Resting) resting;
    mapping(uint32 account => FreshRecord) freshRecords;
    // The book. `ticks[side]` is a bitmap of three levels; see Ticks.
    mapping(uint40 id => Order) orders;
    mapping(uint32 key => Level) levels;
    mapping(uint256 side => mapping(uint256 word => uint256)) ticks;
    // The queue. `occupied[side << 8 | leverage class << 4 | word]` is a bitmap of price classes; see Queue.
    mapping(uint16 cohort => Cohort) cohorts;
    mapping(uint256 cohortAndNumber => Checkpoint) checkpoints;
    mapping(uint256 sideAndClass => PriceClass) classes;
    mapping(uint256 key => uint256) occupied;
    mapping(uint256 sideAndEpoch => FreshMark) freshMarks;
    // Cold.
    EventSlot pending;
}

struct State {
    // Slot 0: 160 + 64 + 32 = 256 bits.
    address vault;
    uint64 tokenScale; // quote per unit of the token's own decimals: 10^(18 − decimals)
    uint32 accountCount; // the last id given; ids below FIRST_ACCOUNT belong to the house
    // Slot 1: 160 + 16 + 64 = 240 bits.
    address oracle;
    uint16 marketCount;
    uint64 eventCount;
    // Slot 2: 160 + 24 + 72 = 256 bits.
    address fund;
    uint24 fundShare; // ppm of fees, when the fund has reached its target
    uint72 fundTarget; // micro units: Σ over the markets of what the insurance fund should hold
    // Slot 3: over all markets.
    FundSlot drawn;
    // Slot 4: over all accounts.
    DistressSlot distress;
    mapping(uint32 account => Account) accounts;
    mapping(uint32 account => Money) money;
    mapping(uint32 account => mapping(address operator => Operator)) operators;
    mapping(address owner => mapping(uint256 word => uint256)) nonces;
    mapping(uint16 market => Market) markets;
}
