import { expect } from "chai";
import solc from "solc";
import { HITS, instrument } from "../../scripts/verify/instrument.js";
import type { Instrumented } from "../../scripts/verify/instrument.js";
import type { Node } from "../../scripts/mutants/tree.js";

const FILE = "Sample.sol";
const HEAD = "pragma solidity 0.8.37; contract Sample { error Wrong(uint256 x); ";

/** As far as these tests ask. */
type Output = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly sources: Record<string, { readonly ast: Node }>;
};

/** Analysis alone, so it takes no time. Fails if anything does not compile. */
function treeOf(sources: Readonly<Record<string, string>>): Node {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(
      Object.entries(sources).map(([file, content]) => [file, { content }]),
    ),
    settings: { outputSelection: { "*": { "": ["ast"] } } },
  };
  // The package's types say nothing; this is its documented interface.
  const compiler = solc as { compile(input: string): string };
  const { errors = [], sources: made } = JSON.parse(
    compiler.compile(JSON.stringify(input)),
  ) as Output;
  const errorTexts = errors.filter(({ severity }) => severity === "error");
  expect(errorTexts.map(({ formattedMessage }) => formattedMessage)).to.deep.equal([]);
  const tree = made[FILE]?.ast;
  if (tree === undefined) throw new Error("the compiler gave no tree");
  return tree;
}

/** What becomes of a contract with these members. It must compile, and have as many lines as before and one. */
function instrumented(members: string): Instrumented {
  const text = `${HEAD}${members} }\n`;
  const made = instrument({ file: FILE, text, tree: treeOf({ [FILE]: text }) }, 0);
  treeOf({ [FILE]: made.text, [HITS.file]: HITS.text });
  expect(made.text.split("\n").length).to.equal(text.split("\n").length + 1);
  return made;
}

/** What becomes of the body of a function of `bool a, bool b, uint256 x`. */
function bodyOf(body: string): string {
  const before = "function run(bool a, bool b, uint256 x) external pure returns (uint256 y) {";
  const { text } = instrumented(`${before}${body}}`);
  const [first = ""] = text.slice(HEAD.length + before.length).split(" }\nimport");
  return first.slice(0, -1);
}

describe("instrument", () => {
  const cases: readonly (readonly [name: string, before: string, after: string])[] = [
    ["a statement", "y = 1;", "Hits.at(0); y = 1;"],
    [
      "a condition with braces",
      "if (a) { y = 1; } else { y = 2; }",
      "Hits.at(0); if (Hits.told(a, 1)) { Hits.at(3); y = 1; } else { Hits.at(4); y = 2; }",
    ],
    [
      "a condition without braces",
      "if (a) y = 1; else y = 2;",
      "Hits.at(0); if (Hits.told(a, 1)) {Hits.at(3); y = 1;} else {Hits.at(4); y = 2;}",
    ],
    [
      "conditions in a row",
      "if (a) y = 1; else if (b) return 2; else y = 3;",
      "Hits.at(0); if (Hits.told(a, 1)) {Hits.at(3); y = 1;} " +
        "else {Hits.at(4); if (Hits.told(b, 5)) {Hits.at(7); return 2;} else {Hits.at(8); y = 3;}}",
    ],
    [
      "a return of nothing",
      "if (a) return y; if (b) y = 1;",
      "Hits.at(0); if (Hits.told(a, 1)) {Hits.at(3); return y;} " +
        "Hits.at(4); if (Hits.told(b, 5)) {Hits.at(7); y = 1;}",
    ],
    [
      "a check with an error",
      "require(a || b, Wrong(x));",
      "Hits.at(0); require(Hits.told(Hits.told(a, 3) || b, 1), Wrong(x));",
    ],
    ["a choice", "y = a ? 1 : 2;", "Hits.at(0); y = Hits.told(a, 1) ? 1 : 2;"],
    ["a choice that begins a statement", "a ? x : y;", "Hits.at(0); Hits.told(a, 1) ? x : y;"],
    [
      "short circuits, of which each left side is told",
      "if (a && b && x > 1) y = 1;",
      "Hits.at(0); if (Hits.told(Hits.told(Hits.told(a, 5) && b, 3) && x > 1, 1)) {Hits.at(7); y = 1;}",
    ],
    [
      "a loop, of whose head nothing is told",
      "for (uint256 i = 0; i < x; ++i) if (a) continue;",
      "Hits.at(0); for (uint256 i = 0; i < x; ++i) {Hits.at(1); if (Hits.told(a, 2)) {Hits.at(4); continue;}}",
    ],
    [
      "a loop that waits",
      "while (x > 1) x /= 2;",
      "Hits.at(0); while (x > 1) {Hits.at(1); x /= 2;}",
    ],
    ["an unchecked block", "unchecked { y = x + 1; }", "unchecked { Hits.at(0); y = x + 1; }"],
    [
      "assembly, which stays as it is",
      'assembly ("memory-safe") { if a { y := 1 } }',
      'Hits.at(0); assembly ("memory-safe") { if a { y := 1 } }',
    ],
  ];
  for (const [name, before, after] of cases) {
    it(`tells of ${name}`, () => {
      expect(bodyOf(before)).to.equal(after);
    });
  }

  it("finds the semicolon that a bare return has in the tree", () => {
    const { text } = instrumented("function f(bool a) external pure { if (a) return; a = true; }");
    expect(text).to.contain("{Hits.at(3); return;} Hits.at(4); a = true;");
  });

  it("tells of modifiers, and nothing of constants and functions without a body", () => {
    const { text, places } = instrumented(
      "bool constant A = true && false; modifier only(bool a) { if (a) _; } " +
        "function f() external pure only(true || false) {}",
    );
    expect(text).to.contain("{ Hits.at(0); if (Hits.told(a, 1)) {Hits.at(3); _;} }");
    expect(places.map(({ kind }) => kind)).to.deep.equal(["statement", "if", "statement"]);
  });

  it("knows the lines, also behind letters of several bytes", () => {
    const { places, text } = instrumented(
      "/* § */\nfunction f(bool a) external pure\n{ // §\n  if (\n    a // §\n  ) { a = false; }\n}",
    );
    expect(places.map(({ kind, line }) => [kind, line])).to.deep.equal([
      ["statement", 4],
      ["if", 5],
      ["statement", 6],
    ]);
    expect(text).to.contain("    Hits.told(a, 1) // §");
  });

  it("goes on with the numbers of other files", () => {
    const text = `${HEAD}function f(bool a) external pure { require(a); } }`;
    const made = instrument({ file: `libraries/${FILE}`, text, tree: treeOf({ [FILE]: text }) }, 7);
    expect(made.places.map(({ id }) => id)).to.deep.equal([7, 8]);
    expect(made.next).to.equal(10);
    expect(made.text).to.contain('import {Hits} from "../Hits.sol";');
  });

  it("leaves a file alone in which nothing runs", () => {
    const text = "pragma solidity 0.8.37; interface Sample { function f() external; }";
    const made = instrument({ file: FILE, text, tree: treeOf({ [FILE]: text }) }, 3);
    expect(made).to.deep.equal({ text, places: [], next: 3 });
  });
});
