import { expect } from "chai";
import { createLab, deployHarness, FUND, networkHelpers, WHOLE } from "./WaterfallFixture.js";
import type { Lab } from "./WaterfallFixture.js";

/* What the fund may pay: 20 % a wave, 40 % a day, 60 % beyond, 80 % over all markets. */

const HOUR = 3600n;
const DAY = 24n * HOUR;
const units = (amount: bigint) => amount * WHOLE;

async function lab(): Promise<Lab> {
  const world = await createLab(await networkHelpers.loadFixture(deployHarness), [{}, {}]);
  await world.credit(FUND, units(1000n));
  return world;
}

/** Draws in a block at an exact time after the last one. */
async function drawAfter(world: Lab, seconds: bigint, amount: bigint, market = 0) {
  const now = BigInt(await networkHelpers.time.latest());
  await networkHelpers.time.setNextBlockTimestamp(now + seconds);
  await world.done(world.harness.draw(market, amount, { gasLimit: 1_000_000n }));
}

/** Budgets `seconds` after the last block. */
async function budgetAfter(world: Lab, seconds: bigint, market = 0) {
  if (seconds > 0n) await networkHelpers.time.increase(seconds);
  const [purse, permit] = await world.harness.budget(market);
  return { size: purse.size, left: purse.left, within: permit.within, share: permit.share };
}

describe("Budgets", () => {
  it("are parts of the whole fund while nothing was drawn", async () => {
    const world = await lab();
    expect(await budgetAfter(world, 0n)).to.deep.equal({
      size: units(1000n),
      left: units(800n),
      within: units(200n),
      share: units(600n),
    });
  });

  it("give two draws in a moment what one would have got", async () => {
    const world = await lab();
    await drawAfter(world, 1n, units(120n));
    const { size, left, within, share } = await budgetAfter(world, 0n);
    expect(size, "the fund and what was drawn").to.equal(units(1000n));
    expect(within).to.equal(units(80n));
    expect(share).to.equal(units(480n));
    expect(left).to.equal(units(680n));
  });

  it("leak the wave's budget back within an hour, at its capacity", async () => {
    const world = await lab();
    await drawAfter(world, 1n, units(200n));
    // What all markets drew leaks at 800 a day: 16.666… in half an hour, and the size with it.
    const half = await budgetAfter(world, HOUR / 2n);
    const leaked = (units(800n) * (HOUR / 2n)) / DAY;
    expect(half.size).to.equal(units(1000n) - leaked);
    const capacity = half.size / 5n;
    expect(half.within).to.equal(capacity - (units(200n) - capacity / 2n));
    const whole = await budgetAfter(world, HOUR / 2n + 200n);
    expect(whole.within).to.equal(whole.size / 5n);
  });

  it("keep a day's draws to 40 %, however many waves there are", async () => {
    const world = await lab();
    await drawAfter(world, 1n, units(200n));
    await drawAfter(world, HOUR, units(190n));
    const { size, within } = await budgetAfter(world, HOUR);
    // The day's bucket leaks at 60 % of size a day; its level leaves less than the wave's budget.
    const bound = (size * 4n) / 10n;
    const level = units(390n) - within;
    expect(within < size / 5n).to.equal(true);
    expect(within > 0n && within < bound).to.equal(true);
    expect(level > units(300n)).to.equal(true);
  });

  it("hold over all markets: what one draws, the others share", async () => {
    const world = await lab();
    await drawAfter(world, 1n, units(600n), 0);
    const other = await budgetAfter(world, 0n, 1);
    expect(other.size).to.equal(units(1000n));
    expect(other.within).to.equal(units(200n));
    expect(other.left).to.equal(units(200n));
    await drawAfter(world, 0n + 1n, other.left, 1);
    const { left } = await budgetAfter(world, 0n, 1);
    // One second of leaking at 800 a day.
    expect(left <= units(800n) / DAY + 1n).to.equal(true);
  });

  it("never leave less than nothing when the fund was emptied otherwise", async () => {
    const world = await lab();
    await world.done(world.harness.credit(FUND, -units(1000n)));
    expect(await budgetAfter(world, 0n)).to.deep.equal({
      size: 0n,
      left: 0n,
      within: 0n,
      share: 0n,
    });
  });
});
