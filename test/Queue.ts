import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import { QueueHarness__factory } from "../typechain-types/index.js";

const SEED = 0xba11a57;
const LEVERAGES = [1n, 2n, 3n, 5n, 10n, 20n, 50n, 100n];
const CLASSES = 2560n;

const { ethers, networkHelpers } = await network.create();

async function deployQueue() {
  const deployer = await ethers.provider.getSigner(0);
  return { queue: await new QueueHarness__factory(deployer).deploy() };
}

type Name = { readonly side: 0n | 1n; readonly leverage: bigint; readonly priceClass: bigint };

function keyOf({ side, leverage, priceClass }: Name): bigint {
  return (side << 15n) | (leverage << 12n) | priceClass;
}

/** Edges of a class in ticks · 2^16, times 64 so that they are whole. */
function edgesOf(priceClass: bigint): [low: bigint, high: bigint] {
  const [exponent, mantissa] = [priceClass / 64n, priceClass % 64n];
  return [(64n + mantissa) << exponent, (65n + mantissa) << exponent];
}

/** Leverage × return since the class's edge, as a fraction; prices in 1/64 of ticks · 2^16. */
function scoreOf({ side, leverage, priceClass }: Name, mark: bigint): { num: bigint; den: bigint } {
  const [low, high] = edgesOf(priceClass);
  const edge = side === 0n ? high : low;
  const gain = side === 0n ? mark - edge : edge - mark;
  return { num: (LEVERAGES[Number(leverage)] ?? 0n) * gain, den: edge };
}

/** The whole side sorted: by score, then higher leverage, then the better class. */
function sorted(names: readonly Name[], side: 0n | 1n, mark: bigint): bigint[] {
  const ofSide = names.filter((name) => name.side === side);
  const inOrder = ofSide.sort((a, b) => {
    const [x, y] = [scoreOf(a, mark), scoreOf(b, mark)];
    const byScore = y.num * x.den - x.num * y.den;
    if (byScore !== 0n) return byScore > 0n ? 1 : -1;
    if (a.leverage !== b.leverage) return a.leverage < b.leverage ? 1 : -1;
    const byClass = a.priceClass - b.priceClass;
    return Number(side === 0n ? byClass : -byClass);
  });
  return inOrder.map(keyOf);
}

const name = (classes: fc.Arbitrary<bigint>): fc.Arbitrary<Name> =>
  fc.record({
    side: fc.constantFrom(0n, 1n),
    leverage: fc.bigInt({ min: 0n, max: 7n }),
    priceClass: classes,
  });

const anywhere = fc.bigInt({ min: 0n, max: CLASSES - 1n });
/** Around 1000 ticks, where words of the bitmap meet at 1664. */
const nearby = fc.bigInt({ min: 1640n, max: 1690n });

function unique(names: readonly Name[]): Name[] {
  return [...new Map(names.map((one) => [keyOf(one), one])).values()];
}

describe("Queue", () => {
  describe("classOf", () => {
    it("takes the exponent and six bits of an entry", async () => {
      const { queue } = await networkHelpers.loadFixture(deployQueue);
      const property = fc.asyncProperty(
        fc.bigInt({ min: 1n, max: 2n ** 40n - 1n }),
        async (entry) => {
          const priceClass = await queue.classOf(entry);
          const [low, high] = edgesOf(priceClass);
          expect(priceClass < CLASSES && low <= entry * 64n && entry * 64n < high).to.equal(true);
        },
      );
      await fc.assert(property, { seed: SEED, numRuns: 200 });
    });

    it("is 1661 for 1000 ticks, up to 1008, and does not go beyond 2559", async () => {
      const { queue } = await networkHelpers.loadFixture(deployQueue);
      expect(await queue.classOf(1000n << 16n)).to.equal(1661n);
      expect(await queue.classOf((1008n << 16n) - 1n)).to.equal(1661n);
      expect(await queue.classOf(1008n << 16n)).to.equal(1662n);
      expect(await queue.classOf(1n)).to.equal(0n);
      expect(await queue.classOf(2n ** 40n - 1n)).to.equal(2559n);
    });
  });

  describe("nearEdge", () => {
    it("is the upper edge for longs and the lower for shorts, exact in wei per lot · 2^22", async () => {
      const { queue } = await networkHelpers.loadFixture(deployQueue);
      expect(await queue.nearEdge(7n, 0, 1661)).to.equal((1008n * 7n) << 22n);
      expect(await queue.nearEdge(7n, 1, 1661)).to.equal((1000n * 7n) << 22n);
    });
  });

  describe("next", () => {
    for (const [spread, classes] of [
      ["anywhere", anywhere],
      ["in neighbouring classes", nearby],
    ] as const) {
      it(`hands cohorts ${spread} out as a full sort would`, async () => {
        const { queue } = await networkHelpers.loadFixture(deployQueue);
        const names = fc.array(name(classes), { minLength: 1, maxLength: 60 });
        // Marks from far below to far above, in ticks; the unit is one tick.
        const mark = fc.oneof(
          fc.bigInt({ min: 1n, max: 2n ** 23n }),
          fc.bigInt({ min: 900n, max: 1200n }),
        );
        const property = fc.asyncProperty(names, mark, async (drawn, ticks) => {
          const all = unique(drawn);
          await queue.set(all.map(keyOf));
          for (const side of [0n, 1n] as const) {
            const expected = sorted(all, side, ticks << 22n);
            expect(await queue.order(ticks, 1n, side)).to.deep.equal(expected);
          }
          await queue.clear(all.map(keyOf));
        });
        await fc.assert(property, { seed: SEED, numRuns: 60 });
      });
    }

    it("prefers the higher leverage where scores are equal", async () => {
      const { queue } = await networkHelpers.loadFixture(deployQueue);
      const names: Name[] = [2n, 7n, 0n].map((leverage) => ({
        side: 1n,
        leverage,
        priceClass: 1661n,
      }));
      await queue.set(names.map(keyOf));
      // The mark stands on the edge: everybody's score is 0.
      expect(await queue.order(1000n, 1n, 1)).to.deep.equal(
        [7n, 2n, 0n].map((leverage) => keyOf({ side: 1n, leverage, priceClass: 1661n })),
      );
    });

    it("puts winners first, then losers with the least leveraged loss", async () => {
      const { queue } = await networkHelpers.loadFixture(deployQueue);
      const winner: Name = { side: 0n, leverage: 0n, priceClass: 1600n };
      const mild: Name = { side: 0n, leverage: 1n, priceClass: 1661n };
      const deep: Name = { side: 0n, leverage: 7n, priceClass: 1661n };
      await queue.set([deep, mild, winner].map(keyOf));
      expect(await queue.order(900n, 1n, 0)).to.deep.equal([winner, mild, deep].map(keyOf));
    });

    it("finds nothing in an empty side", async () => {
      const { queue } = await networkHelpers.loadFixture(deployQueue);
      expect(await queue.order(1000n, 1n, 0)).to.deep.equal([]);
    });
  });

  describe("firstClass and nextClass", () => {
    it("walk the occupied classes of all leverages, each once, best entries first", async () => {
      const { queue } = await networkHelpers.loadFixture(deployQueue);
      const names = fc.array(name(fc.oneof(anywhere, nearby)), { maxLength: 60 });
      const property = fc.asyncProperty(names, async (drawn) => {
        const all = unique(drawn);
        await queue.set(all.map(keyOf));
        for (const side of [0n, 1n] as const) {
          const classes = new Set(
            all.filter((one) => one.side === side).map((one) => one.priceClass),
          );
          const upwards = [...classes].sort((a, b) => Number(a - b));
          expect(await queue.classes(side)).to.deep.equal(
            side === 0n ? upwards : upwards.reverse(),
          );
        }
        await queue.clear(all.map(keyOf));
      });
      await fc.assert(property, { seed: SEED, numRuns: 60 });
    });
  });

  describe("set and clear", () => {
    it("touch one cohort each and leave no trace", async () => {
      const { queue } = await networkHelpers.loadFixture(deployQueue);
      const names = fc.array(name(nearby), { minLength: 2, maxLength: 30 });
      const property = fc.asyncProperty(names, async (drawn) => {
        const keys = unique(drawn).map(keyOf);
        const kept = keys.filter((_, i) => i % 2 === 0);
        await queue.set(keys);
        await queue.clear(keys.filter((key) => !kept.includes(key)));
        for (const key of keys) expect(await queue.isSet(key)).to.equal(kept.includes(key));
        await queue.clear(kept);
        expect([await queue.summaryOf(0), await queue.summaryOf(1)]).to.deep.equal([0n, 0n]);
      });
      await fc.assert(property, { seed: SEED, numRuns: 30 });
    });
  });
});
