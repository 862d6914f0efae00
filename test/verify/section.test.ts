import { expect } from "chai";
import type { Run } from "../../scripts/verify/record.js";
import { coverageSection } from "../../scripts/verify/section.js";

const COUNTS = {
  lines: 8,
  linesCovered: 7,
  statements: 9,
  statementsCovered: 8,
  branches: 4,
  branchesCovered: 4,
};
const NONE = { ...COUNTS, branches: 0, branchesCovered: 0 };
const RUN: Run = {
  check: "coverage",
  contracts: "0123456789abcdef",
  at: "2026-01-01T00:00:00.000Z",
  seconds: 1,
  seed: "all tests",
  counts: {},
  failures: [],
  notes: ["test/Slow.ts: not run"],
  coverage: {
    files: { "A.sol": COUNTS, "B.sol": NONE },
    linesLeft: ["A.sol:3"],
    branchesLeft: Array.from({ length: 61 }, (_, i) => `A.sol:${i + 1}: if never true`),
  },
};

describe("coverageSection", () => {
  const text = coverageSection(RUN);

  it("has a row for all and for each file", () => {
    expect(text).to.contain("| all | 87.5 % of 16 | 100.0 % of 4 |");
    expect(text).to.contain("| `A.sol` | 87.5 % of 8 | 100.0 % of 4 |");
    expect(text).to.contain("| `B.sol` | 87.5 % of 8 | none |");
  });

  it("lists what is left, but not without end", () => {
    expect(text).to.contain("\n\n`A.sol:3`\n\n");
    expect(text).to.contain("- `A.sol:60: if never true`\n- and 1 more, in the record");
    expect(text).not.to.contain("A.sol:61");
  });

  it("lists what was not run", () => {
    expect(text).to.contain("- test/Slow.ts: not run");
  });

  it("says so when nothing was measured", () => {
    expect(coverageSection(undefined)).to.equal("Not measured yet.");
  });
});
