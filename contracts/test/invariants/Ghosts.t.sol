// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IExchangeErrors} from "../../interfaces/IExchangeErrors.sol";
import {Action} from "../../types/Action.sol";
import {Inspector} from "./Inspector.sol";
import {Shot} from "./Shot.t.sol";
import {IVm, vm} from "./Vm.t.sol";
import {World} from "./World.t.sol";

/// @notice What a call can be.
enum Op {
    Deposit,
    Withdraw,
    Leave,
    Transfer,
    Trade,
    Place,
    Take,
    Reduce,
    Cancel,
    Leverage,
    Price,
    Gap,
    Silence,
    Settle,
    Poke,
    Liquidate,
    Takeover,
    Deleverage,
    Continue,
    FundDeposit,
    FundExit,
    FundLeave,
    Release,
    Donate,
    Reopen,
    Scene
}

/// @notice What a run must have seen.
enum Seen {
    Adl, // lots were closed in the queue
    Haircut,
    FundDrawn,
    FundEmpty, // something was missing that neither fund nor anyone else could pay
    Principal,
    WholeMarket, // an event or a liquidation closed a market's whole open interest
    BothSides, // both sides of a market missed money in one event
    SplitWave, // a wave was closed in several calls
    Discount, // Queue rule
    Dust, // dust lots were closed
    Rescue, // an account without a position was below zero
    OutOfBook, // lots of an event went to the book
    ForcedSale,
    TakenOver,
    Expired, // a solvent account whose clock had run out was closed
    MakerDropped, // a maker without margin was removed instead of filled
    SelfTrade,
    Jump, // a jump of the index waited
    Aged,
    Dead,
    Queued // a withdrawal had to wait
}

/// @notice One call and what it did.
struct Step {
    Op op;
    uint256 place; // of the account that acts
    uint16 market;
    Action action; // if it is an order
    uint32[] named; // if it is of the waterfall
    int256 inflow; // token units that the ledger got, less those that left it
    uint256[2] share; // quote of a share of the fund, before and after
    Shot before;
    Shot now_;
    IVm.Log[] logs;
    bool isDone;
    bytes result;
}

/// @notice Counters beside the system, the picture of it, and the one way in which every call is made.
abstract contract Ghosts is World {
    uint256 internal constant OPS = 26;
    uint256 internal constant SEEN = 21;

    /// @dev An invariant that does not hold: which, the account's place or the market, what is and what should be.
    error Broken(string what, uint256 key, int256 is_, int256 should);
    /// @dev A call reverted with something that it never may.
    error Unexpected(Op op, bytes reason);

    uint256[OPS] internal calls; // made
    uint256[OPS] internal done; // that did not revert
    uint256[SEEN] internal seen;
    /// @dev Token units, by place.
    mapping(uint256 place => uint256 amount) internal paidIn;
    mapping(uint256 place => uint256 amount) internal takenOut;
    /// @dev Quote: what the fund paid for the closed market.
    uint256 internal drawnForClosed;
    /// @dev Settlements over a cut, by market.
    uint256[MARKETS] internal crossings;
    uint256 internal random;
    /// @dev Whether the markets have come to their end, where anyone's position may be closed.
    bool internal isEnding;

    /* RANDOM */

    function roll(uint256 below) internal returns (uint256) {
        random = uint256(keccak256(abi.encode(random)));
        return random % below;
    }

    function between(uint256 low, uint256 high) internal returns (uint256) {
        return low + roll(high - low + 1);
    }

    /* THE PICTURE */

    function look() internal returns (Shot memory) {
        (bool ok, bytes memory result) = ask(abi.encodeCall(Inspector.shot, ()));
        if (!ok) revert Unexpected(Op.Poke, result);
        return abi.decode(result, (Shot));
    }

    /// @notice What only the exchange's storage can show.
    function lookInside() internal {
        uint256[] memory left = new uint256[](MARKETS);
        for (uint256 i = 0; i < MARKETS; i++) left[i] = crossings[i];
        passOn(abi.encodeCall(Inspector.checkQueue, (left)));
        passOn(abi.encodeCall(Inspector.checkClasses, ()));
        passOn(abi.encodeCall(Inspector.checkBook, ()));
    }

    function passOn(bytes memory question) private {
        (bool ok, bytes memory result) = ask(question);
        if (ok) return;
        assembly ("memory-safe") {
            revert(add(result, 32), mload(result))
        }
    }

    function ask(bytes memory question) private returns (bool ok, bytes memory result) {
        try exchange.simulate(inspector, question) {
            return (false, "");
        } catch (bytes memory reason) {
            require(
                bytes4(reason) == IExchangeErrors.Simulated.selector,
                Unexpected(Op.Poke, reason)
            );
            return abi.decode(behind(reason), (bool, bytes));
        }
    }

    /// @dev The arguments of an error.
    function behind(bytes memory reason) internal pure returns (bytes memory arguments) {
        arguments = new bytes(reason.length - 4);
        // Copies the bytes behind the selector: arguments = reason[4:].
        assembly ("memory-safe") {
            mcopy(add(arguments, 32), add(reason, 36), mload(arguments))
        }
    }

    /* THE KNOWN LIST: what does not hold yet, each with its reason where it is let pass. */

    /// @dev INVARIANTS_STRICT 1 lets nothing pass.
    function isStrict() internal view returns (bool) {
        return vm.envOr("INVARIANTS_STRICT", uint256(0)) != 0;
    }

    /* COUNTING */

    function see(Seen what) internal {
        seen[uint256(what)]++;
    }

    function isOf(IVm.Log memory log, bytes32 selector) internal view returns (bool) {
        return log.emitter == address(exchange) && log.topics[0] == selector;
    }

    function placeOf(uint256 account) internal pure returns (uint256) {
        return account - idOf(0);
    }
}
