// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {ExchangeStorage} from "../ExchangeStorage.sol";
import {Positions} from "../libraries/Positions.sol";
import {Prices} from "../libraries/Prices.sol";
import {Fill, Price, Tally} from "../types/Context.sol";
import {Keys} from "../types/Keys.sol";
import {Side} from "../types/Side.sol";
import {Position} from "../types/State.sol";

/// @notice Trades on the state of MarginHarness.
contract MarginHarnessTrades is ExchangeStorage {
    /// @notice A party's side of a trade, as matching makes it.
    function trade(
        uint16 marketId,
        uint32 account,
        Side side,
        uint256 lots,
        uint256 price,
        uint256 fee
    ) external {
        Price memory p = Prices.load($, marketId);
        (Position memory held, , ) = Positions.settledOf($, p, account);
        bool isSame = Keys.sideOfKind(held.kind) == side;
        uint256 closing = isSame ? 0 : FixedPointMathLib.min(held.lots, lots);
        uint256 opening = lots - closing;
        Fill memory fill = Fill(side, closing, closing * price, opening, opening * price);
        Tally memory tally;
        Positions.change($, p, account, fill, fee, tally);
    }
}
