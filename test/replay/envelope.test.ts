import { expect } from "chai";
import { envelopeOf } from "../../scripts/replay/envelope.js";
import { HAND } from "./hand.js";
import { near } from "./near.js";

const STATED = [
  { name: "move", value: "25000" },
  { name: "freshFor", value: "30" },
  { name: "clock", value: "30" },
];
const [first] = HAND.steps;

/** The index at these seconds after the start. */
function recordOf(prices: readonly (readonly [second: number, index: bigint])[]) {
  if (first === undefined) throw new Error("a step");
  const steps = prices.map(([second, index]) => ({ ...first, time: first.time + second, index }));
  return { ...HAND, steps, setting: { ...HAND.setting, parameters: STATED } };
}

describe("envelopeOf", () => {
  it("is the worst move within the time that a forced sale takes, in either direction", () => {
    const { seconds, stated, worst, times } = envelopeOf(
      recordOf([
        [0, 1000n],
        [30, 980n],
        [60, 950n],
        [61, 940n],
        [300, 1000n],
      ]),
    );
    expect([seconds, stated]).to.deep.equal([60, 0.025]);
    // 5 % in a minute; 6 % took a second longer, and the way back was longer ago than that.
    expect(worst).to.satisfy(near(0.05, 1e-9));
    expect(times).to.satisfy(near(2, 1e-9));
    expect(
      envelopeOf(
        recordOf([
          [0, 1000n],
          [15, 1100n],
        ]),
      ).worst,
    ).to.satisfy(near(0.1, 1e-9));
  });

  it("is nothing where nothing moves", () => {
    expect(envelopeOf(recordOf([[0, 1000n]])).worst).to.equal(0);
  });
});
