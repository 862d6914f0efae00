import { expect } from "chai";
import { encodeEvent, exchangeInterface, parseEvent } from "../../scripts/lib/events.js";
import type { ExchangeEvent } from "../../scripts/lib/events.js";
import { compareStates } from "../../scripts/lib/compare.js";
import { createKnown, track } from "../../scripts/lib/known.js";
import { MARKET_SLOTS, STATE_SLOTS } from "../../scripts/lib/layout.js";
import type { Struct, StructName } from "../../scripts/lib/layout.js";
import { createReader, readState } from "../../scripts/lib/read.js";
import { marketOf } from "../../scripts/lib/rebuild.js";
import { copyState } from "../../scripts/lib/state.js";
import type { MarketState, State } from "../../scripts/lib/state.js";
import { encode, entrySlot, slotsOf, toHex } from "../../scripts/lib/words.js";
import { beforeCrash, crash } from "./crash.js";
import { EXCHANGE } from "./story.js";

/** The storage that a state would have: words by slot. Written from contracts/types/State.sol alone. */
function storageOf(state: State): Map<bigint, bigint> {
  const words = new Map<bigint, bigint>();
  const put = <Name extends StructName>(slot: bigint, name: Name, value: Struct<Name>) =>
    encode(name, value).forEach((word, i) => words.set(slot + BigInt(i), word));
  const at = (slot: number) => BigInt(slot);
  put(at(STATE_SLOTS.header), "Header", state.header);
  put(at(STATE_SLOTS.drawn), "FundSlot", state.drawn);
  put(at(STATE_SLOTS.distress), "DistressSlot", state.distress);
  for (const [id, value] of state.accounts) put(entrySlot(5n, BigInt(id)), "Account", value);
  for (const [id, value] of state.money) put(entrySlot(6n, BigInt(id)), "Money", value);
  for (const [key, value] of state.operators) {
    const [account = "", operator = ""] = key.split("/");
    put(entrySlot(entrySlot(7n, BigInt(account)), BigInt(operator)), "Operator", value);
  }
  for (const [key, value] of state.nonces) {
    const [owner = "", word = ""] = key.split("/");
    words.set(entrySlot(entrySlot(8n, BigInt(owner)), BigInt(word)), value);
  }
  for (const [id, market] of state.markets) putMarket(words, entrySlot(9n, BigInt(id)), market);
  return words;
}

function putMarket(words: Map<bigint, bigint>, base: bigint, market: MarketState): void {
  const put = <Name extends StructName>(slot: bigint, name: Name, value: Struct<Name>) =>
    encode(name, value).forEach((word, i) => words.set(slot + BigInt(i), word));
  const at = (name: keyof typeof MARKET_SLOTS) => base + BigInt(MARKET_SLOTS[name]);
  const putAll = <Name extends StructName>(
    member: keyof typeof MARKET_SLOTS,
    name: Name,
    map: ReadonlyMap<number, Struct<Name>>,
  ) => {
    for (const [key, value] of map) put(entrySlot(at(member), BigInt(key)), name, value);
  };
  put(at("price"), "MarkSlot", market.price);
  put(at("book"), "BookSlot", market.book);
  put(at("sample"), "SampleSlot", market.sample);
  put(at("flow"), "FlowSlot", market.flow);
  put(at("pool"), "PoolSlot", market.pool);
  put(at("config"), "MarketConfig", market.config);
  put(at("dust"), "DustSlot", market.dust);
  put(at("bucket"), "BucketSlot", market.bucket);
  put(at("charges"), "ChargeSlot", market.charges);
  market.fresh.forEach((side, i) => put(at("fresh") + BigInt(i), "FreshSide", side));
  put(at("volatility"), "VolatilitySlot", market.volatility);
  put(at("caps"), "CapSlot", market.caps);
  put(at("wind"), "WindSlot", market.wind);
  put(at("pending"), "EventSlot", market.pending.head);
  market.pending.sides.forEach((side, i) => {
    const first = slotsOf("EventSlot") + i * slotsOf("EventSide");
    put(at("pending") + BigInt(first), "EventSide", side);
  });
  putAll("positions", "Position", market.positions);
  putAll("resting", "Resting", market.resting);
  putAll("freshRecords", "FreshRecord", market.freshRecords);
  putAll("orders", "Order", market.orders);
  putAll("levels", "Level", market.levels);
  putAll("cohorts", "Cohort", market.cohorts);
  putAll("checkpoints", "Checkpoint", market.checkpoints);
  putAll("classes", "PriceClass", market.classes);
  putAll("freshMarks", "FreshMark", market.freshMarks);
  for (const [key, word] of market.occupied)
    words.set(entrySlot(at("occupied"), BigInt(key)), word);
  for (const [key, word] of market.ticks) {
    const ofSide = entrySlot(at("ticks"), BigInt(Math.floor(key / 2 ** 18)));
    words.set(entrySlot(ofSide, BigInt(key % 2 ** 18)), word);
  }
}

/** Everything that can be in a state, in a story. */
function everything() {
  const story = beforeCrash();
  crash(story);
  story.emit("OperatorSet", { account: 10n, operator: EXCHANGE, scope: 3n, expiry: 99n });
  story.emit("NonceUsed", { owner: EXCHANGE, nonce: 515n });
  story.emit("ClockStarted", { account: 12n, time: 7n, distress: 5n });
  story.emit("CapChanged", { market: 0n, cap: 6n, full: 9n, since: 8n });
  story.emit("WindChanged", { market: 0n, word: `0x${toHex(79n)}` });
  story.emit("FundTargetChanged", { market: 0n, target: 11n, total: 12n });
  story.emit("FeeShareChanged", { fundShare: 5n });
  story.emit("BudgetDrawn", { market: 0n, bucket: `0x${toHex(77n)}` });
  story.emit("FundDrawn", { drawn: `0x${toHex(78n)}` });
  story.emit("LeverageChosen", {
    market: 0n,
    account: 12n,
    class: 3n,
    pendingClass: 2n,
    pendingSince: 44n,
  });
  const side = (current: bigint) => `0x${toHex(((2n ** 79n) << 176n) | (current << 48n) | 4166n)}`;
  const record = `0x${toHex(((2n ** 79n) << 176n) | (5n << 48n) | 4166n)}`;
  story.emit("FreshChanged", { market: 0n, account: 10n, record, side: side(5n) });
  story.emit("FreshSideChanged", { market: 0n, side: 0n, word: side(3n) });
  story.emit("FreshCharged", { id: 1n, market: 0n, side: 0n, amount: 2n * 10n ** 12n });
  story.emit("DustChanged", {
    market: 0n,
    longLots: 3n,
    shortLots: 0n,
    longCost: -9n,
    shortCost: 0n,
  });
  story.emit("LevelKilled", { market: 0n, side: 0n, tick: 700n, epoch: 2n });
  return story;
}

describe("reading storage", () => {
  it("finds everything that events led to, and nothing else", async () => {
    const { state, events } = everything();
    const words = storageOf(state);
    const known = createKnown();
    for (const event of events) track(known, event);
    const read = await readState(
      (slots) => Promise.resolve(slots.map((slot) => words.get(slot) ?? 0n)),
      known,
    );
    expect(compareStates(state, read)).to.deep.equal([]);
    expect(read.operators).to.deep.equal(state.operators);
    expect(read.nonces).to.deep.equal(state.nonces);
    expect(marketOf(read, 0).freshMarks.size).to.equal(1);
    expect(marketOf(read, 0).orders.size).to.equal(5);
    expect(marketOf(read, 0).charges.longEvent).to.equal(1n);
  });

  it("asks extsload in chunks and takes its answer apart", async () => {
    const asked: number[] = [];
    const caller = {
      call: ({ data }: { data: string }) => {
        const [slots] = exchangeInterface.decodeFunctionData("extsload", data) as unknown as [
          string[],
        ];
        asked.push(slots.length);
        const answer = slots.map((slot) => `0x${toHex(BigInt(slot) + 1n)}`);
        return Promise.resolve(exchangeInterface.encodeFunctionResult("extsload", [answer]));
      },
    };
    const slots = Array.from({ length: 5_001 }, (_, i) => BigInt(i) * 3n);
    const words = await createReader(caller, EXCHANGE)(slots);
    expect(words).to.deep.equal(slots.map((slot) => slot + 1n));
    expect(asked).to.deep.equal([5_000, 1]);
  });
});

describe("comparing states", () => {
  it("names every field that differs, entries that one side lacks too", () => {
    const { state } = everything();
    const other = copyState(state);
    marketOf(other, 0).flow.fees += 1n;
    marketOf(other, 0).positions.delete(13);
    other.accounts.set(77, { owner: 1n, markets: 0n, clock: 0n, feeTier: 0n });
    const paths = compareStates(state, other).map(({ path }) => path);
    expect(paths).to.include.members([
      "markets.0.flow.fees",
      "markets.0.positions.13.lots",
      "accounts.77.owner",
    ]);
    expect(paths).to.have.lengthOf(6);
  });

  it("passes over what events do not tell, and over checkpoints that nobody needs", () => {
    const { state } = everything();
    const other = copyState(state);
    const market = marketOf(other, 0);
    market.pending.head.id = 9n;
    market.checkpoints.clear();
    for (const resting of market.resting.values()) resting.killsSeen = 3n;
    expect(compareStates(state, other)).to.deep.equal([]);
    expect(compareStates(other, state)).to.not.deep.equal([]);
  });
});

describe("events", () => {
  it("come out of a log as they went in, for every event of the exchange", () => {
    const story = everything();
    const names = new Set<string>();
    for (const event of story.events) {
      names.add(event.name);
      expect(parseEvent(encodeEvent(event, EXCHANGE))).to.deep.equal(event);
    }
    expect(names.size).to.be.greaterThan(20);
  });

  it("are told apart from logs of others", () => {
    const topics = [`0x${toHex(1n)}`];
    expect(parseEvent({ address: EXCHANGE, topics, data: "0x" })).to.equal(undefined);
    const [event] = everything().events as [ExchangeEvent];
    expect(event.name).to.equal("MarketListed");
  });
});
