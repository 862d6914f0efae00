import { expect } from "chai";
import { coverageOf, sumOfCounts } from "../../scripts/verify/figures.js";
import type { Place } from "../../scripts/verify/instrument.js";

const PLACES: readonly Place[] = [
  { id: 0, file: "B.sol", line: 4, kind: "statement" },
  { id: 1, file: "B.sol", line: 4, kind: "if" },
  { id: 3, file: "B.sol", line: 4, kind: "statement" },
  { id: 4, file: "B.sol", line: 9, kind: "statement" },
  { id: 5, file: "A.sol", line: 2, kind: "statement" },
  { id: 6, file: "A.sol", line: 2, kind: "require" },
];

describe("coverageOf", () => {
  it("covers a line when all of its statements have run", () => {
    const { files, linesLeft } = coverageOf(PLACES, new Set([0, 1, 4]));
    expect(files["B.sol"]).to.deep.equal({
      lines: 2,
      linesCovered: 1,
      statements: 3,
      statementsCovered: 2,
      branches: 2,
      branchesCovered: 1,
    });
    expect(linesLeft).to.deep.equal(["A.sol:2", "B.sol:4"]);
  });

  it("names every way that a condition did not go, in the order of the sources", () => {
    const { branchesLeft } = coverageOf(PLACES, new Set([1, 7]));
    expect(branchesLeft).to.deep.equal(["A.sol:2: require never false", "B.sol:4: if never true"]);
  });

  it("leaves nothing when everything was told", () => {
    const { linesLeft, branchesLeft } = coverageOf(PLACES, new Set([0, 1, 2, 3, 4, 5, 6, 7]));
    expect([...linesLeft, ...branchesLeft]).to.deep.equal([]);
  });

  it("adds up over files", () => {
    const { files } = coverageOf(PLACES, new Set([0, 5, 6]));
    expect(sumOfCounts(Object.values(files))).to.deep.equal({
      lines: 3,
      linesCovered: 1,
      statements: 4,
      statementsCovered: 2,
      branches: 4,
      branchesCovered: 1,
    });
  });
});
