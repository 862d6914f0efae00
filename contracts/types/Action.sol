// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Side} from "./Side.sol";

enum ActionKind {
    Place,
    Replace,
    Cancel,
    CancelAll,
    SetLeverage
}

enum TimeInForce {
    GoodTilCancelled,
    ImmediateOrCancel,
    FillOrKill,
    PostOnly
}

/// @notice One step of a batch. Fields that a kind does not use are ignored.
/// @param tick The limit price. A market order is ImmediateOrCancel with the worst tick the caller accepts.
/// @param lots The size. For Replace the new size, which takes the place of what is left of the order.
/// @param expiry Unix time from which a resting order counts as gone; 0 for none.
/// @param slot Replace and Cancel: which of the account's order slots (0 to 31). SetLeverage: the leverage class.
struct Action {
    ActionKind kind;
    uint16 market;
    Side side;
    TimeInForce timeInForce;
    bool reduceOnly;
    uint24 tick;
    uint56 lots;
    uint32 expiry;
    uint8 slot;
}

/// @notice What an action did.
/// @param order Id of the order that rests now, 0 if none does.
/// @param filled Lots filled at once.
/// @param left Lots that neither filled nor rest: the rest of an ImmediateOrCancel order, or what a bound cut off.
struct ActionResult {
    uint40 order;
    uint56 filled;
    uint56 left;
}
