import { expect } from "chai";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { changeIn } from "../../scripts/mutants/change.js";
import { ROOT } from "../../scripts/mutants/compiler.js";
import { mutantsOf } from "../../scripts/mutants/generate.js";
import { intervalOf } from "../../scripts/mutants/score.js";
import type { Node } from "../../scripts/mutants/tree.js";
import { PLANTED } from "./index.js";

const TEXT = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;
/// @notice a < b && a + 1
contract Small {
    error TooLarge(uint256 a, uint256 bound);
    event Seen(uint256 a);
    uint256 private constant BOUND = 7;
    uint256 private seen; // 1 < 2
    function see(uint256 a) external {
        require(a /* < 3 */ <= BOUND, TooLarge(a, BOUND + 1));
        seen = a;
        emit Seen(a + 1);
    }
}
`;

function treeOf(text: string): Node {
  const solc = createRequire(import.meta.url)("solc") as { compile(input: string): string };
  const input = {
    language: "Solidity",
    sources: { small: { content: text } },
    settings: { outputSelection: { "*": { "": ["ast"] } } },
  };
  // Written by the compiler.
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as {
    sources: { small: { ast: Node } };
  };
  return output.sources.small.ast;
}

describe("planted mistakes", () => {
  for (const { id, file, text, planted, tests } of PLANTED) {
    it(`${id} can be made, and names tests that exist`, () => {
      expect(changeIn(file, text, planted)).to.not.equal(undefined);
      for (const test of tests) expect(existsSync(join(ROOT, test)), test).to.equal(true);
    });
  }

  it("have names of their own", () => {
    expect(new Set(PLANTED.map(({ id }) => id)).size).to.equal(PLANTED.length);
  });
});

describe("mutants made by rules", () => {
  it("are made in code, not in comments, nor in what an event or an error is told", () => {
    const found = mutantsOf({ file: "Small.sol", text: TEXT, tree: treeOf(TEXT) });
    expect(found.map(({ id, what }) => `${id} ${what}`)).to.deep.equal([
      "Small.sol:7:38:minus1 7 → (7 - 1)",
      "Small.sol:7:38:plus1 7 → (7 + 1)",
      "Small.sol:10:9:require require(a /* < 3 */ <= BOUND, TooLarge(a, BOUND + 1)); → nothing",
      "Small.sol:10:29:edge <= → <",
      "Small.sol:11:9:statement seen = a; → nothing",
    ]);
  });
});

describe("the interval of a score", () => {
  it("is Wilson's", () => {
    // By hand for 9 of 10: (0.9 + 0.19207 ± 1.96 · √(0.009 + 0.0096037)) / 1.384146.
    const { share, low, high } = intervalOf({ killed: 9, judged: 10 });
    expect(share).to.equal(0.9);
    expect(low).to.be.within(0.5958 - 0.0005, 0.5958 + 0.0005);
    expect(high).to.be.within(0.9821 - 0.0005, 0.9821 + 0.0005);
    expect(intervalOf({ killed: 10, judged: 10 }).high).to.be.within(1 - 1e-12, 1 + 1e-12);
    expect(intervalOf({ killed: 0, judged: 0 })).to.deep.equal({ share: 0, low: 0, high: 1 });
  });
});
