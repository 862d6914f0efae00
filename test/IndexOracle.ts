import { expect } from "chai";
import fc from "fast-check";
import { network } from "hardhat";
import { NOTHING, readSources } from "./model/prices.js";
import type { Grade, Quote, Reading } from "./model/prices.js";
import {
  FloodingSource__factory,
  GasBurningSource__factory,
  IndexOracle__factory,
  RawSource__factory,
  SettableSource__factory,
} from "../typechain-types/index.js";
import { Roles__factory } from "../typechain-types/factories/Roles__factory.js";

const SEED = 0xba11a57;
const MARKET = 1;
const WHOLE = 10n ** 18n;
const SPREAD = 5000n;
const FRESH_FOR = 30n;
const AGED_FOR = 300n;
const GRADES: readonly Grade[] = ["dead", "aged", "fresh"];

const { ethers, networkHelpers } = await network.create({
  override: { allowBlocksWithSameTimestamp: true },
});

async function deployOracle() {
  const [deployer, stranger] = await Promise.all([0, 1].map((i) => ethers.provider.getSigner(i)));
  if (deployer === undefined || stranger === undefined) throw new RangeError("two signers");
  const manager = await new Roles__factory(deployer).deploy(deployer.address);
  const oracle = await new IndexOracle__factory(deployer).deploy(await manager.getAddress());
  const source = await new SettableSource__factory(deployer).deploy();
  return { oracle, source, deployer, stranger, address: await source.getAddress() };
}

type Stage = Awaited<ReturnType<typeof deployOracle>>;

function feedOf(name: string): string {
  return ethers.encodeBytes32String(name);
}

/** Keeps the clock where it is for the next transaction. */
async function stay(): Promise<bigint> {
  const now = await networkHelpers.time.latest();
  await networkHelpers.time.setNextBlockTimestamp(now);
  return BigInt(now);
}

/** What a source says, its age instead of its time; negative ages are in the future. */
type Told = { readonly price: bigint; readonly age: bigint; readonly confidence?: bigint };

/** Wires one feed of the settable source to each. */
async function wire({ oracle, source, address }: Stage, told: readonly Told[]): Promise<bigint> {
  for (const [i, { price, age, confidence }] of told.entries()) {
    const now = await stay();
    await source.set(feedOf(`feed ${i}`), price, confidence ?? 0n, now - age);
  }
  const now = await stay();
  const feeds = told.map((_, i) => feedOf(`feed ${i}`));
  await oracle.setSources(
    MARKET,
    feeds.map(() => address),
    feeds,
  );
  return now;
}

async function read({ oracle }: Stage, last: bigint): Promise<Reading> {
  const [price, time, grade, agreeing] = await oracle.read(
    MARKET,
    last,
    SPREAD,
    FRESH_FOR,
    AGED_FOR,
  );
  return { price, time, grade: GRADES[Number(grade)] ?? "dead", agreeing: Number(agreeing) };
}

/** Units with three digits behind the point. */
function units(thousandths: bigint): bigint {
  return (thousandths * WHOLE) / 1000n;
}

describe("IndexOracle", () => {
  describe("read", () => {
    /** Prices in thousandths; [price, age] of each source; what comes out, with its age. */
    type Row = {
      readonly name: string;
      readonly told: readonly (readonly [price: bigint, age: bigint])[];
      readonly last: bigint;
      readonly says: readonly [price: bigint, age: bigint, grade: Grade, agreeing: number];
    };
    const TABLE: readonly Row[] = [
      {
        name: "one fresh is aged",
        told: [[100_000n, 1n]],
        last: 0n,
        says: [100_000n, 1n, "aged", 1],
      },
      {
        name: "two that agree: the one nearer the last index",
        told: [
          [100_000n, 1n],
          [100_400n, 9n],
        ],
        last: 101_000n,
        says: [100_400n, 9n, "fresh", 2],
      },
      {
        name: "the same, from the other side",
        told: [
          [100_000n, 1n],
          [100_400n, 9n],
        ],
        last: 100_199n,
        says: [100_000n, 1n, "fresh", 2],
      },
      {
        name: "two equally near: the later published",
        told: [
          [100_000n, 9n],
          [100_400n, 1n],
        ],
        last: 100_200n,
        says: [100_400n, 1n, "fresh", 2],
      },
      {
        name: "two without a last index: the later published",
        told: [
          [100_000n, 1n],
          [100_400n, 9n],
        ],
        last: 0n,
        says: [100_000n, 1n, "fresh", 2],
      },
      {
        name: "two that are maxSpread apart agree",
        told: [
          [100_000n, 1n],
          [100_500n, 1n],
        ],
        last: 100_000n,
        says: [100_000n, 1n, "fresh", 2],
      },
      {
        name: "a hair more and they do not: the nearer one, aged",
        told: [
          [100_000n, 1n],
          [100_501n, 1n],
        ],
        last: 100_000n,
        says: [100_000n, 1n, "aged", 1],
      },
      {
        name: "three: the median, whatever the last index",
        told: [
          [100_000n, 1n],
          [102_000n, 2n],
          [101_000n, 3n],
        ],
        last: 100_000n,
        says: [101_000n, 3n, "fresh", 1],
      },
      {
        name: "one lie among three moves nothing, and two agree",
        told: [
          [100_000n, 1n],
          [1n, 2n],
          [100_100n, 3n],
        ],
        last: 100_000n,
        says: [100_000n, 1n, "fresh", 2],
      },
      {
        name: "four: of the middle two the nearer one",
        told: [
          [100_000n, 1n],
          [101_000n, 2n],
          [102_000n, 3n],
          [103_000n, 4n],
        ],
        last: 103_000n,
        says: [102_000n, 3n, "fresh", 1],
      },
      {
        name: "five: the median",
        told: [
          [5n, 1n],
          [4n, 2n],
          [1n, 3n],
          [3n, 4n],
          [2n, 5n],
        ],
        last: 0n,
        says: [3n, 4n, "fresh", 1],
      },
      {
        name: "an aged one does not count beside three fresh",
        told: [
          [100_000n, 1n],
          [1n, 31n],
          [101_000n, 2n],
          [102_000n, 3n],
        ],
        last: 0n,
        says: [101_000n, 2n, "fresh", 1],
      },
      {
        name: "nor beside one",
        told: [
          [100_000n, 31n],
          [101_000n, 30n],
        ],
        last: 100_000n,
        says: [101_000n, 30n, "aged", 1],
      },
      {
        name: "only aged: the latest published",
        told: [
          [100_000n, 300n],
          [101_000n, 31n],
          [102_000n, 40n],
        ],
        last: 100_000n,
        says: [101_000n, 31n, "aged", 0],
      },
      {
        name: "older than agedFor is nothing",
        told: [[100_000n, 301n]],
        last: 0n,
        says: [0n, 0n, "dead", 0],
      },
      {
        name: "from the future is nothing",
        told: [[100_000n, -1n]],
        last: 0n,
        says: [0n, 0n, "dead", 0],
      },
      { name: "a price of zero is nothing", told: [[0n, 1n]], last: 0n, says: [0n, 0n, "dead", 0] },
      { name: "no source", told: [], last: 100_000n, says: [0n, 0n, "dead", 0] },
    ];
    for (const { name, told, last, says } of TABLE) {
      it(name, async () => {
        const stage = await networkHelpers.loadFixture(deployOracle);
        const now = await wire(
          stage,
          told.map(([price, age]) => ({ price: units(price), age })),
        );
        const [price, age, grade, agreeing] = says;
        const time = price === 0n ? 0n : now - age;
        expect(await read(stage, units(last))).to.deep.equal({
          price: units(price),
          time,
          grade,
          agreeing,
        });
      });
    }

    it("agrees with the model for every combination of up to three kinds of answers", async () => {
      const stage = await networkHelpers.loadFixture(deployOracle);
      const kinds: readonly Told[] = [
        { price: units(100_000n), age: 1n },
        { price: units(100_400n), age: 10n },
        { price: units(101_200n), age: 3n },
        { price: units(100_200n), age: 40n },
        { price: units(102_000n), age: 100n },
        { price: units(99_000n), age: 301n },
        { price: units(99_500n), age: -5n },
        { price: 0n, age: 2n },
        { price: units(100_300n), age: 2n, confidence: units(600n) },
      ];
      const now = await wireKinds(stage, kinds);
      const usable = kinds.map(({ price, age, confidence }) => {
        const isUsable = price > 0n && age >= 0n && confidence === undefined;
        return isUsable ? { price, time: now - age } : undefined;
      });
      for (const chosen of combinations(kinds.length, 3)) {
        const now_ = await stay();
        const feeds = chosen.map((kind, i) => feedOf(`kind ${kind} of ${i}`));
        await stage.oracle.setSources(
          MARKET,
          feeds.map(() => stage.address),
          feeds,
        );
        const quotes = chosen.flatMap((kind) => usable[kind] ?? []);
        for (const last of [0n, units(100_000n), units(100_300n), units(101_000n)]) {
          const expected = modelRead(quotes, last, now_);
          expect(await read(stage, last), `${chosen.join()} last ${last}`).to.deep.equal(expected);
        }
      }
    });

    it("agrees with the model for any four or five", async () => {
      const stage = await networkHelpers.loadFixture(deployOracle);
      const told = fc.record({
        price: fc.bigInt({ min: 99_000n, max: 101_000n }).map(units),
        age: fc.oneof(fc.bigInt({ min: 0n, max: 35n }), fc.bigInt({ min: 25n, max: 310n })),
      });
      const drawn = fc.array(told, { minLength: 4, maxLength: 5 });
      const lasts = fc.bigInt({ min: 98_000n, max: 102_000n }).map(units);
      const property = fc.asyncProperty(drawn, lasts, async (answers, last) => {
        const now = await wire(stage, answers);
        const quotes = answers.map(({ price, age }) => ({ price, time: now - age }));
        expect(await read(stage, last)).to.deep.equal(modelRead(quotes, last, now));
      });
      await fc.assert(property, { seed: SEED, numRuns: 150, endOnFailure: true });
    });

    it("leaves out a price with an interval wider than maxSpread", async () => {
      const stage = await networkHelpers.loadFixture(deployOracle);
      const price = units(100_000n);
      await wire(stage, [{ price, age: 1n, confidence: units(500n) }]);
      expect((await read(stage, 0n)).price).to.equal(price);
      await wire(stage, [{ price, age: 1n, confidence: units(500n) + 1n }]);
      expect(await read(stage, 0n)).to.deep.equal(NOTHING);
    });

    it("leaves out a price beyond the market's bounds", async () => {
      const stage = await networkHelpers.loadFixture(deployOracle);
      await wire(stage, [{ price: units(100_000n), age: 1n }]);
      for (const [lowest, highest, isIn] of [
        [100_000n, 200_000n, true],
        [50_000n, 100_000n, true],
        [100_001n, 200_000n, false],
        [50_000n, 99_999n, false],
      ] as const) {
        await stay();
        await stage.oracle.setBounds(MARKET, units(lowest), units(highest));
        const { price } = await read(stage, 0n);
        expect(price !== 0n, `${lowest} to ${highest}`).to.equal(isIn);
      }
    });
  });

  describe("hostile sources", () => {
    const word = (value: bigint) => ethers.toBeHex(value, 32).slice(2);
    const MAX = 2n ** 256n - 1n;
    type Raw = readonly [name: string, answer: (now: bigint) => string, isReverting: boolean];
    const RAW: readonly Raw[] = [
      ["returns nothing", () => "0x", false],
      ["returns 95 bytes", (now) => `0x${word(WHOLE)}${word(0n)}${word(now)}`.slice(0, -2), false],
      ["reverts with a good answer", (now) => `0x${word(WHOLE)}${word(0n)}${word(now)}`, true],
      ["reverts with nothing", () => "0x", true],
      ["says the largest price", (now) => `0x${word(MAX)}${word(0n)}${word(now)}`, false],
      ["says a price of 2^120", (now) => `0x${word(2n ** 120n)}${word(0n)}${word(now)}`, false],
      ["says the largest interval", (now) => `0x${word(WHOLE)}${word(MAX)}${word(now)}`, false],
      ["says the largest time", () => `0x${word(WHOLE)}${word(0n)}${word(MAX)}`, false],
      ["says time zero", () => `0x${word(WHOLE)}${word(0n)}${word(0n)}`, false],
      ["says everything at its largest", () => `0x${word(MAX)}${word(MAX)}${word(MAX)}`, false],
    ];
    for (const [name, answer, isReverting] of RAW) {
      it(`one that ${name} is left out, and the others count`, async () => {
        const stage = await networkHelpers.loadFixture(deployOracle);
        const raw = await new RawSource__factory(stage.deployer).deploy();
        const now = await wire(stage, [{ price: units(100_000n), age: 1n }]);
        await stay();
        await raw.set(answer(now), isReverting);
        await stay();
        const feed = feedOf("feed 0");
        await stage.oracle.setSources(
          MARKET,
          [await raw.getAddress(), stage.address],
          [feed, feed],
        );
        expect(await read(stage, 0n)).to.deep.equal({
          price: units(100_000n),
          time: now - 1n,
          grade: "aged",
          agreeing: 1,
        });
      });
    }

    it("one that answers more than three words counts by its first three", async () => {
      const stage = await networkHelpers.loadFixture(deployOracle);
      const raw = await new RawSource__factory(stage.deployer).deploy();
      const now = await stay();
      await raw.set(`0x${word(WHOLE)}${word(0n)}${word(now)}${word(MAX)}`, false);
      await stay();
      await stage.oracle.setSources(MARKET, [await raw.getAddress()], [feedOf("any")]);
      expect((await read(stage, 0n)).price).to.equal(WHOLE);
    });

    it("five that burn their gas or flood memory cost a bounded amount and make the market dead", async () => {
      const stage = await networkHelpers.loadFixture(deployOracle);
      const burning = await new GasBurningSource__factory(stage.deployer).deploy();
      const flooding = await new FloodingSource__factory(stage.deployer).deploy();
      const sources = await Promise.all(
        [burning, flooding, burning, flooding, burning].map(async (source) => source.getAddress()),
      );
      await stage.oracle.setSources(
        MARKET,
        sources,
        sources.map((_, i) => feedOf(`feed ${i}`)),
      );
      const args = [MARKET, 0n, SPREAD, FRESH_FOR, AGED_FOR] as const;
      const [price, , grade] = await stage.oracle.read(...args, { gasLimit: 600_000n });
      expect([price, grade]).to.deep.equal([0n, 0n]);
    });

    it("a caller cannot have sources left out by giving too little gas", async () => {
      const stage = await networkHelpers.loadFixture(deployOracle);
      const answers = [100_000n, 100_100n, 100_200n].map((price) => ({
        price: units(price),
        age: 1n,
      }));
      await wire(stage, answers);
      const args = [MARKET, 0n, SPREAD, FRESH_FOR, AGED_FOR] as const;
      const full = await stage.oracle.read(...args);
      const outcomes = new Set<string>();
      for (let gasLimit = 25_000n; gasLimit < 260_000n; gasLimit += 2_500n) {
        try {
          expect(await stage.oracle.read(...args, { gasLimit })).to.deep.equal(full);
          outcomes.add("full answer");
        } catch (error) {
          if (!(error instanceof Error) || error.name === "AssertionError") throw error;
          outcomes.add("revert");
        }
      }
      expect([...outcomes]).to.deep.equal(["revert", "full answer"]);
    });
  });

  describe("setSources and setBounds", () => {
    it("belong to the authority's role", async () => {
      const { oracle, stranger } = await networkHelpers.loadFixture(deployOracle);
      const foreign = oracle.connect(stranger);
      for (const call of [
        () => foreign.setSources(MARKET, [], []),
        () => foreign.setBounds(MARKET, 0n, 1n),
      ]) {
        await expect(call())
          .to.be.revertedWithCustomError(oracle, "AccessManagedUnauthorized")
          .withArgs(stranger.address);
      }
    });

    it("tell what they set", async () => {
      const { oracle, address } = await networkHelpers.loadFixture(deployOracle);
      const feeds = [feedOf("a"), feedOf("b")];
      await expect(oracle.setSources(MARKET, [address, address], feeds))
        .to.emit(oracle, "SourcesSet")
        .withArgs(MARKET, [address, address], feeds);
      expect(await oracle.sourcesOf(MARKET)).to.deep.equal([[address, address], feeds]);
      expect(await oracle.boundsOf(MARKET)).to.deep.equal([0n, 2n ** 120n - 1n]);
      await expect(oracle.setBounds(MARKET, 5n, 6n))
        .to.emit(oracle, "BoundsSet")
        .withArgs(MARKET, 5n, 6n);
      // A shorter list forgets the rest, and bounds stay.
      await oracle.setSources(MARKET, [address], [feedOf("c")]);
      expect(await oracle.sourcesOf(MARKET)).to.deep.equal([[address], [feedOf("c")]]);
      expect(await oracle.boundsOf(MARKET)).to.deep.equal([5n, 6n]);
    });

    it("refuse what cannot be meant", async () => {
      const { oracle, address, stranger } = await networkHelpers.loadFixture(deployOracle);
      const feed = feedOf("a");
      const six = Array.from({ length: 6 }, (_, i) => feedOf(`feed ${i}`));
      await expect(oracle.setSources(MARKET, [address], []))
        .to.be.revertedWithCustomError(oracle, "LengthMismatch")
        .withArgs(1n, 0n);
      await expect(
        oracle.setSources(
          MARKET,
          six.map(() => address),
          six,
        ),
      )
        .to.be.revertedWithCustomError(oracle, "TooManySources")
        .withArgs(6n, 5n);
      await expect(oracle.setSources(MARKET, [stranger.address], [feed]))
        .to.be.revertedWithCustomError(oracle, "NotAContract")
        .withArgs(stranger.address);
      await expect(oracle.setSources(MARKET, [address, address], [feed, feed]))
        .to.be.revertedWithCustomError(oracle, "SourceTwice")
        .withArgs(address, feed);
      await expect(oracle.setBounds(MARKET, 5n, 5n))
        .to.be.revertedWithCustomError(oracle, "BoundsCrossed")
        .withArgs(5n, 5n);
    });
  });
});

function modelRead(quotes: readonly Quote[], last: bigint, now: bigint): Reading {
  return readSources(quotes, {
    now,
    last,
    maxSpread: SPREAD,
    freshFor: FRESH_FOR,
    agedFor: AGED_FOR,
  });
}

/** Every kind under a feed of its own for every place, so that one kind can stand in several. */
async function wireKinds({ source }: Stage, kinds: readonly Told[]): Promise<bigint> {
  const now = await stay();
  for (const [kind, { price, age, confidence }] of kinds.entries()) {
    for (let place = 0; place < 3; place++) {
      await stay();
      await source.set(feedOf(`kind ${kind} of ${place}`), price, confidence ?? 0n, now - age);
    }
  }
  return now;
}

/** All multisets of up to `size` numbers below `count`, each turned by its position so that the order varies. */
function combinations(count: number, size: number): number[][] {
  let all: number[][] = [[]];
  const result: number[][] = [[]];
  for (let length = 1; length <= size; length++) {
    all = all.flatMap((before) =>
      Array.from({ length: count }, (_, kind) => kind)
        .filter((kind) => kind >= (before.at(-1) ?? 0))
        .map((kind) => [...before, kind]),
    );
    result.push(...all);
  }
  return result.map((chosen, i) => {
    const turn = chosen.length === 0 ? 0 : i % chosen.length;
    return [...chosen.slice(turn), ...chosen.slice(0, turn)];
  });
}
