import { childrenOf, nodeAt, rangeOf, textAt, walk } from "../mutants/tree.js";
import type { Node } from "../mutants/tree.js";

/*
 * Makes a source tell which of its statements run and which way its conditions go. Everything is added on the line where it
 * belongs, so that lines keep their numbers:
 *
 *   x = 1;             →  Hits.at(7); x = 1;
 *   if (a) b();        →  Hits.at(7); if (Hits.told(a, 8)) {Hits.at(10); b();}
 *   require(a, E());   →  Hits.at(7); require(Hits.told(a, 8), E());
 *   a ? b : c          →  Hits.told(a, 8) ? b : c
 *   a && b             →  Hits.told(a, 8) && b
 */

type PlaceKind = "statement" | "if" | "require" | "choice" | "left of &&" | "left of ||";

/** A statement has one number. A condition has two: its own when it is false, and the next one when it is true. */
export type Place = {
  readonly id: number;
  readonly file: string;
  readonly line: number;
  readonly kind: PlaceKind;
};

export type Source = {
  /** Below contracts/. */
  readonly file: string;
  readonly text: string;
  readonly tree: Node;
};

export type Instrumented = {
  readonly text: string;
  readonly places: readonly Place[];
  /** The first number that is not used yet. */
  readonly next: number;
};

const HITS_FILE = "Hits.sol";
const LINE_FEED = "\n".charCodeAt(0);
const SEMICOLON = ";".charCodeAt(0);
/** Statements that hold others and do nothing themselves. */
const BLOCKS = new Set(["Block", "UncheckedBlock"]);
const LOOPS = new Set(["ForStatement", "WhileStatement", "DoWhileStatement"]);
/** Statements that end with a brace. All others end with a semicolon, which the tree leaves out. */
const BRACED = new Set([...BLOCKS, "InlineAssembly", "TryStatement"]);
const LEFT_SIDES: Readonly<Record<string, PlaceKind>> = { "&&": "left of &&", "||": "left of ||" };
const CALLABLES = new Set(["FunctionDefinition", "ModifierDefinition"]);

/** Goes into the root of the contracts; the address is where Hardhat listens when it measures coverage. */
export const HITS: { readonly file: string; readonly text: string } = {
  file: HITS_FILE,
  text: `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

library Hits {
    function at(uint256 id) internal pure {
        asPure(send)(id);
    }

    function told(bool outcome, uint256 id) internal pure returns (bool) {
        at(outcome ? id + 1 : id);
        return outcome;
    }

    function send(uint256 id) private view {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, id)
            pop(staticcall(gas(), 0xc0bEc0BEc0BeC0bEC0beC0bEC0bEC0beC0beC0BE, free, 32, 0, 0))
        }
    }

    function asPure(
        function(uint256) internal view f
    ) private pure returns (function(uint256) internal pure g) {
        assembly ("memory-safe") {
            g := f
        }
    }
}
`,
};

/** What is put in somewhere. Of several at one place, those that open come in the order of the tree, and those that close in reverse. */
type Addition = { readonly at: number; readonly text: string; readonly isClosing: boolean };

type Work = {
  readonly file: string;
  readonly bytes: Buffer;
  readonly additions: Addition[];
  readonly places: Place[];
  next: number;
};

/** @param first The number of its first place. */
export function instrument({ file, text, tree }: Source, first: number): Instrumented {
  const work: Work = { file, bytes: Buffer.from(text), additions: [], places: [], next: first };
  walk(tree, (node) => {
    if (CALLABLES.has(node.nodeType)) for (const body of bodyOf(node)) addToBody(work, body);
  });
  if (work.places.length === 0) return { text, places: [], next: first };
  const path = `${"../".repeat(file.split("/").length - 1) || "./"}${HITS_FILE}`;
  const added = withAdditions(work.bytes, work.additions);
  return { text: `${added}import {Hits} from "${path}";\n`, places: work.places, next: work.next };
}

/** None, if there is only a declaration. */
function bodyOf(callable: Node): Node[] {
  return childrenOf(callable).filter((child) => child.nodeType === "Block");
}

function addToBody(work: Work, body: Node): void {
  if (body.nodeType === "InlineAssembly") return;
  addConditions(work, body);
  // The tree has what comes after an else first.
  const children = childrenOf(body).sort((a, b) => rangeOf(a).from - rangeOf(b).from);
  for (const child of children) {
    if (isStatementOf(body, child)) addStatement(work, body, child);
    addToBody(work, child);
  }
}

/** Whether a child runs as a statement; the parts of the head of a loop do not. */
function isStatementOf(parent: Node, child: Node): boolean {
  if (BLOCKS.has(child.nodeType)) return false;
  if (BLOCKS.has(parent.nodeType)) return true;
  return isUnbraced(parent, child);
}

/** Whether a child is what a condition or a loop runs, without braces. */
function isUnbraced(parent: Node, child: Node): boolean {
  const isBranch = [parent["trueBody"], parent["falseBody"]].includes(child);
  const isControl = parent.nodeType === "IfStatement" || LOOPS.has(parent.nodeType);
  return isControl && (isBranch || parent["body"] === child);
}

function addStatement(work: Work, parent: Node, statement: Node): void {
  const { from } = rangeOf(statement);
  const call = `Hits.at(${take(work, "statement", statement)}); `;
  if (BLOCKS.has(parent.nodeType)) {
    work.additions.push({ at: from, text: call, isClosing: false });
    return;
  }
  const until = endOf(statement, work.bytes);
  work.additions.push({ at: from, text: `{${call}`, isClosing: false });
  work.additions.push({ at: until, text: "}", isClosing: true });
}

/** Behind the semicolon, if there is one. */
function endOf(statement: Node, bytes: Buffer): number {
  const { until } = rangeOf(statement);
  if (BRACED.has(statement.nodeType)) return until;
  if (statement.nodeType === "IfStatement") {
    const last = statement["falseBody"] ? "falseBody" : "trueBody";
    return endOf(nodeAt(statement, last), bytes);
  }
  if (statement.nodeType === "ForStatement" || statement.nodeType === "WhileStatement") {
    return endOf(nodeAt(statement, "body"), bytes);
  }
  // A return of nothing has its semicolon in the tree.
  return bytes[until - 1] === SEMICOLON ? until : bytes.indexOf(";", until) + 1;
}

function addConditions(work: Work, node: Node): void {
  const found = conditionOf(node);
  if (found === undefined) return;
  const { from, until } = rangeOf(found.condition);
  const id = take(work, found.kind, found.condition);
  work.additions.push({ at: from, text: "Hits.told(", isClosing: false });
  work.additions.push({ at: until, text: `, ${id})`, isClosing: true });
}

/** The condition that a node itself looks at, if it does. */
function conditionOf(node: Node): { kind: PlaceKind; condition: Node } | undefined {
  if (node.nodeType === "IfStatement") {
    return { kind: "if", condition: nodeAt(node, "condition") };
  }
  if (node.nodeType === "Conditional") {
    return { kind: "choice", condition: nodeAt(node, "condition") };
  }
  const kind = LEFT_SIDES[textAt(node, "operator")];
  if (kind !== undefined) return { kind, condition: nodeAt(node, "leftExpression") };
  if (
    node.nodeType === "FunctionCall" &&
    textAt(nodeAt(node, "expression"), "name") === "require"
  ) {
    const [condition] = childrenOf({ ...node, expression: undefined });
    if (condition !== undefined) return { kind: "require", condition };
  }
  return undefined;
}

/** Numbers a place. */
function take(work: Work, kind: PlaceKind, node: Node): number {
  const id = work.next;
  work.places.push({ id, file: work.file, line: lineAt(work.bytes, rangeOf(node).from), kind });
  work.next += kind === "statement" ? 1 : 2;
  return id;
}

function lineAt(bytes: Buffer, position: number): number {
  let line = 1;
  for (const byte of bytes.subarray(0, position)) if (byte === LINE_FEED) line += 1;
  return line;
}

function withAdditions(bytes: Buffer, additions: readonly Addition[]): string {
  const closing = additions.filter(({ isClosing }) => isClosing).reverse();
  const opening = additions.filter(({ isClosing }) => !isClosing);
  // Sorting keeps the order of equals.
  const sorted = [...closing, ...opening].sort((a, b) => a.at - b.at);
  let text = "";
  let done = 0;
  for (const { at, text: added } of sorted) {
    text += bytes.subarray(done, at).toString() + added;
    done = at;
  }
  return text + bytes.subarray(done).toString();
}
