// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice The cheat codes that these tests use.
interface IVm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function warp(uint256 timestamp) external;

    function roll(uint256 number) external;

    function prank(address sender) external;

    function recordLogs() external;

    function getRecordedLogs() external returns (Log[] memory);

    function sign(
        uint256 key,
        bytes32 digest
    ) external pure returns (uint8 v, bytes32 r, bytes32 s);

    function addr(uint256 key) external pure returns (address);

    function snapshotState() external returns (uint256 id);

    function revertToState(uint256 id) external returns (bool);

    function getCode(string calldata artifact) external view returns (bytes memory);

    function envOr(string calldata name, uint256 otherwise) external view returns (uint256);

    function writeFile(string calldata path, string calldata text) external;
}

IVm constant vm = IVm(address(uint160(uint256(keccak256("hevm cheat code")))));
