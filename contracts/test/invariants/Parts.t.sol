// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/* What the tests call of contracts that have no interface of their own. */

interface ITestToken is IERC20 {
    function mint(address to, uint256 amount) external;
}

interface IRoles {
    function setTargetFunctionRole(
        address target,
        bytes4[] calldata selectors,
        uint64 role
    ) external;

    function grantRole(uint64 role, address account, uint32 delay) external;
}

interface IOracle {
    function setSources(
        uint16 market,
        address[] calldata sources,
        bytes32[] calldata feeds
    ) external;
}

interface IFeed {
    struct Update {
        bytes32 feed;
        uint256 price; // 18 decimals
        uint256 confidence;
        uint256 publishTime; // unix time
    }

    function pushMany(Update[] calldata updates, bytes[][] calldata signatures) external;

    function digestOf(Update calldata update) external view returns (bytes32);
}
