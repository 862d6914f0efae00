import { expect } from "chai";
import fc from "fast-check";
import {
  createLab,
  deployHarness,
  LONG,
  networkHelpers,
  SHORT,
  SIZE,
  WHOLE,
} from "./WaterfallFixture.js";

/* INV-15 at random: a forced sale, whatever the book, the clock and the other market, never lowers equity / maintenance. */

const SEED = 0xba11a57;
const RUNS = 40;

const order = fc.record({
  distance: fc.bigInt({ min: -12n, max: 4n }),
  lots: fc.bigInt({ min: 1n, max: 6n * SIZE }),
});

const position = fc.record({
  isLong: fc.boolean(),
  lots: fc.bigInt({ min: SIZE, max: 20n * SIZE }),
  /** Of mark, in ticks, against the position. */
  loss: fc.bigInt({ min: 5n, max: 60n }),
  orders: fc.array(order, { maxLength: 4 }),
});

const wave = fc.record({
  positions: fc.tuple(position, position),
  /** Thousandths of maintenance that are left. */
  health: fc.bigInt({ min: -200n, max: 999n }),
  elapsed: fc.integer({ min: 0, max: 40 }),
  byTakeover: fc.boolean(),
});

describe("Forced sales at random", () => {
  it("never lower equity / maintenance, the penalty included (INV-15)", async function () {
    this.timeout(900_000);
    let sold = 0;
    const property = fc.asyncProperty(wave, async ({ positions, health, elapsed, byTakeover }) => {
      const world = await createLab(await networkHelpers.loadFixture(deployHarness), [{}, {}]);
      const account = await world.open(0n);
      const rich = await world.open(10n ** 6n * WHOLE);
      const maker = await world.open(10n ** 6n * WHOLE);
      for (const [market, { isLong, lots, loss, orders }] of positions.entries()) {
        const [buyer, seller] = isLong ? [account, rich] : [rich, account];
        await world.trade(buyer, seller, { lots, ticks: 1000n, market });
        const mark = isLong ? 1000n - loss : 1000n + loss;
        await world.setTicks(mark, market);
        for (const { distance, lots: size } of orders) {
          const side = isLong ? LONG : SHORT;
          const ticks = isLong ? mark + distance : mark - distance;
          await world.place(maker, side, size, ticks, market);
        }
      }
      const { equity, maintenance } = await world.harness.healthOf(account);
      await world.credit(account, (maintenance * health) / 1000n - equity);
      if (elapsed > 0) {
        await world.done(world.harness.liquidate([account], 0, 0));
        await networkHelpers.time.increase(elapsed);
      }
      const before = await world.harness.healthOf(account);
      if (byTakeover) {
        const worst = positions[0].isLong ? 10n ** 18n : 0n;
        await world.done(
          world.harness.takeover(account, maker, 0, positions[0].lots, worst, {
            gasLimit: 16_000_000n,
          }),
        );
      } else {
        await world.done(world.harness.liquidate([account], 100, 0, { gasLimit: 16_000_000n }));
      }
      const after = await world.harness.healthOf(account);
      if (after.notional < before.notional) sold += 1;
      // An insolvent account sells at mark: its equity stays, whatever becomes of a ratio below zero.
      const floor = before.equity < 0n ? before.equity : 0n;
      const kept =
        before.equity < 0n || after.maintenance === 0n
          ? after.equity >= floor
          : after.equity * before.maintenance >= before.equity * after.maintenance;
      const text = `${before.equity} of ${before.maintenance}, then ${after.equity} of ${after.maintenance}`;
      expect(kept, text).to.equal(true);
      await world.audit();
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS, endOnFailure: true });
    expect(sold, "it is about sales").to.be.greaterThan(RUNS / 2);
  });
});
