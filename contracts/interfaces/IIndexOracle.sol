// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Grade} from "../types/Keys.sol";

/// @title Index oracle
/// @notice Turns a market's sources into one price with a grade.
interface IIndexOracle {
    struct IndexPrice {
        uint256 price; // settlement units per base unit, 18 decimals; 0 if there is none
        uint40 publishTime; // unix time of the oldest source that the price rests on
        Grade grade;
        uint8 agreeing; // fresh sources within maxSpread of the price
    }

    /// @notice The price of a market now. Never reverts: a source that fails is left out, and without one the grade is
    /// Dead.
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
