import { expect } from "chai";
import {
  decimalsOf,
  divCeil,
  divFloor,
  formatDecimal,
  formatRounded,
  isDecimal,
  parseDecimal,
  ratio,
  rescale,
} from "../../scripts/lib/units.js";

describe("units", () => {
  it("parses and formats decimals exactly", () => {
    for (const [text, decimals, value] of [
      ["0", 18, 0n],
      ["12.5", 6, 12_500_000n],
      ["-0.000001", 6, -1n],
      ["1000000", 0, 1_000_000n],
    ] as const) {
      expect(parseDecimal(text, decimals), text).to.equal(value);
      expect(formatDecimal(value, decimals), text).to.equal(text);
    }
    expect(parseDecimal("1.500", 1)).to.equal(15n);
  });

  it("refuses what is no decimal or does not fit", () => {
    for (const text of ["", ".5", "5.", "+1", "1e3", "0x10", "1,000", " 1", "--1", "1.2.3"]) {
      expect(isDecimal(text), text).to.equal(false);
      expect(() => parseDecimal(text, 18), text).to.throw(RangeError);
    }
    expect(() => parseDecimal("0.01", 1)).to.throw(RangeError, '"0.01" has more than 1 decimals');
    expect(decimalsOf("1.2300")).to.equal(2);
  });

  it("rounds half away from zero", () => {
    expect(formatRounded(1_234_567_895n, 3, 2)).to.equal("1,234,567.90");
    expect(formatRounded(-1_005n, 3, 2)).to.equal("−1.01");
    expect(formatRounded(999n, 3, 0)).to.equal("1");
    expect([
      rescale(25n, 1, 0),
      rescale(-25n, 1, 0),
      rescale(24n, 1, 0),
      rescale(2n, 0, 2),
    ]).to.deep.equal([3n, -3n, 2n, 200n]);
  });

  it("divides towards either infinity", () => {
    expect([divFloor(7n, 2n), divFloor(-7n, 2n), divFloor(-6n, 2n)]).to.deep.equal([3n, -4n, -3n]);
    expect([divCeil(7n, 2n), divCeil(-7n, 2n), divCeil(6n, 2n)]).to.deep.equal([4n, -3n, 3n]);
  });

  it("gives shares with nine digits, and 0 of nothing", () => {
    expect(ratio(1n, 3n)).to.equal(0.333333333);
    expect(ratio(1n, 0n)).to.equal(0);
  });
});
