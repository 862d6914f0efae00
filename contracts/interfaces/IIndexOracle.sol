// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Grade} from "../types/Keys.sol";

/// @title Index oracle
/// @notice Turns a market's sources into one price with a grade.
interface IIndexOracle {
    error TooManySources(uint256 sources, uint256 bound);
    error LengthMismatch(uint256 sources, uint256 feeds);
    error NotAContract(address source);
    error SourceTwice(address source, bytes32 feed);
    error BoundsCrossed(uint256 lowest, uint256 highest);
    /// @notice The call had too little gas to ask a source, which must not look like a source that fails.
    error TooLittleGas(uint256 gasLeft, uint256 needed);

    event SourcesSet(uint16 indexed market, address[] sources, bytes32[] feeds);
    event BoundsSet(uint16 indexed market, uint256 lowest, uint256 highest);

    struct IndexPrice {
        uint256 price; // settlement units per base unit, 18 decimals; 0 if there is none
        uint40 publishTime; // unix time of the source whose price it is
        Grade grade;
        uint8 agreeing; // fresh sources within maxSpread of the price
    }

    /// @notice The price of a market now. A source that fails is left out, and without one the grade is Dead.
    /// @dev Reverts: TooLittleGas, and for no other reason.
    /// @param last The index that the exchange used last, 18 decimals; decides between two sources. 0 for none.
    /// @param maxSpread ppm that two sources may be apart to agree.
    /// @param freshFor Seconds; older is aged.
    /// @param agedFor Seconds; older is dead.
    function read(
        uint16 market,
        uint256 last,
        uint256 maxSpread,
        uint256 freshFor,
        uint256 agedFor
    ) external view returns (IndexPrice memory);

    function sourcesOf(
        uint16 market
    ) external view returns (address[] memory sources, bytes32[] memory feeds);
}
