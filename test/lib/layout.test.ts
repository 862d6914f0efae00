import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import solc from "solc";
import { z } from "zod";
import { MARKET_SLOTS, placesOf, STATE_SLOTS, STRUCTS } from "../../scripts/lib/layout.js";
import type { StructName } from "../../scripts/lib/layout.js";
import { decode, encode, entrySlot, isZero, slotsOf, zero } from "../../scripts/lib/words.js";

const ROOT = resolve(import.meta.dirname, "../..");
const SOURCE = "contracts/ExchangeStorage.sol";

const Member = z.object({
  label: z.string(),
  slot: z.coerce.number(),
  offset: z.number(),
  type: z.string(),
});
const Layout = z.object({
  storage: z.array(Member),
  types: z.record(
    z.string(),
    z.object({
      label: z.string(),
      numberOfBytes: z.coerce.number(),
      members: z.array(Member).optional(),
      base: z.string().optional(),
    }),
  ),
});
type Member = z.infer<typeof Member>;
type Layout = z.infer<typeof Layout>;

/** What the compiler says about the only storage of the exchange. Analysis alone, so it takes no time. */
function compileLayout(): Layout {
  const read = (path: string) => readFileSync(resolve(ROOT, path), "utf8");
  const input = {
    language: "Solidity",
    sources: { [SOURCE]: { content: read(SOURCE) } },
    settings: { outputSelection: { [SOURCE]: { ExchangeStorage: ["storageLayout"] } } },
  };
  const findImport = (path: string) => ({ contents: read(path) });
  // The package's types say nothing; this is its documented interface.
  const compiler = solc as { compile(input: string, callbacks: object): string };
  const text = compiler.compile(JSON.stringify(input), { import: findImport });
  const Output = z.object({
    contracts: z.record(z.string(), z.record(z.string(), z.object({ storageLayout: Layout }))),
  });
  const layout = Output.parse(JSON.parse(text)).contracts[SOURCE]?.["ExchangeStorage"];
  if (layout === undefined) throw new Error("the compiler gave no layout");
  return layout.storageLayout;
}

describe("layout", () => {
  const layout = compileLayout();
  const typeNamed = (label: string) => {
    const found = Object.values(layout.types).find((type) => type.label === label);
    if (found?.members === undefined) throw new Error(`no struct ${label}`);
    return found.members;
  };
  const bitsOf = (type: string) => BigInt((layout.types[type]?.numberOfBytes ?? 0) * 8);
  const labelOf = (type: string) => layout.types[type]?.label ?? "";

  /** Elementary members, with those of nested structs in their place; arrays and mappings are left out. */
  const flat = (members: readonly Member[], base = 0): unknown[] =>
    members.flatMap((member) => {
      const type = layout.types[member.type];
      if (type?.members !== undefined) return flat(type.members, base + member.slot);
      if (type === undefined || type.base !== undefined || type.label.startsWith("mapping"))
        return [];
      return {
        field: member.label,
        slot: base + member.slot,
        shift: BigInt(member.offset * 8),
        bits: bitsOf(member.type),
        isSigned: type.label.startsWith("int"),
      };
    });

  for (const name of Object.keys(STRUCTS).filter((name) => name !== "Header")) {
    it(`has every field of ${name} where the compiler puts it`, () => {
      const members = flat(typeNamed(`struct ${name}`));
      // Keys of the table itself.
      expect(placesOf(name as StructName)).to.deep.equal(members);
    });
  }

  it("has every member of State", () => {
    const state = typeNamed("struct State");
    expect(layout.storage.map(({ label, slot }) => [label, slot])).to.deep.equal([["$", 0]]);
    const header = state.filter(({ type }) => !/mapping|struct/.test(labelOf(type)));
    expect(placesOf("Header")).to.deep.equal(flat(header));
    const rest = state.filter((member) => !header.includes(member));
    const slots = Object.fromEntries(rest.map(({ label, slot }) => [label, slot]));
    expect({ header: 0, ...slots }).to.deep.equal(STATE_SLOTS);
  });

  it("has every member of Market", () => {
    const slots = typeNamed("struct Market").map(({ label, slot }) => [label, slot]);
    expect(Object.fromEntries(slots)).to.deep.equal(MARKET_SLOTS);
  });

  it("has the sides of an event behind it", () => {
    const sides = typeNamed("struct EventSlot").find(({ label }) => label === "sides");
    expect(sides?.slot).to.equal(slotsOf("EventSlot"));
    expect(layout.types[sides?.type ?? ""]?.numberOfBytes).to.equal(64 * slotsOf("EventSide"));
  });
});

describe("words", () => {
  it("reads each field from its own bits, signed ones with their sign", () => {
    // kind 9, checkpoint 7, entry 65536001, cost −5, lots 3: written out from the high end.
    const word = BigInt(
      `0x09000007${(65536001).toString(16).padStart(10, "0")}${"f".repeat(29)}b${"3".padStart(16, "0")}`,
    );
    expect(decode("Position", [word])).to.deep.equal({
      lots: 3n,
      cost: -5n,
      entry: 65536001n,
      checkpoint: 7n,
      kind: 9n,
    });
  });

  it("writes what it reads, for every struct", () => {
    // Keys of the table itself.
    for (const name of Object.keys(STRUCTS) as StructName[]) {
      const filled = Array.from({ length: slotsOf(name) }, (_, i) =>
        BigInt(`0x${"9c5a31f07e".repeat(7).slice(i, i + 64)}`),
      );
      const value = decode(name, filled);
      expect(decode(name, encode(name, value)), name).to.deep.equal(value);
      expect(isZero(value), name).to.equal(false);
      expect(isZero(zero(name)), name).to.equal(true);
    }
  });

  it("finds the entry of a mapping where Solidity puts it", () => {
    // keccak256(abi.encode(1, 0)), a constant known from any explorer.
    expect(entrySlot(0n, 1n).toString(16)).to.equal(
      "ada5013122d395ba3c54772283fb069b10426056ef8ca54750cb9bb552a59e7d",
    );
    expect(entrySlot(0n, 1n)).to.equal(entrySlot(0n, 1n));
  });
});
