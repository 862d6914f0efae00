import type { Change } from "./mutant.js";
import { childrenOf, nodeAt, rangeOf, textAt } from "./tree.js";
import type { Node } from "./tree.js";

/*
 * All mutants of a source, found in the compiler's syntax tree, so that none is made in a comment, a string or documentation. The same
 * source gives the same mutants in the same order, each with an id that says where it is and what it does.
 */

export type Generated = Change & {
  /** file:line:column:operator */
  readonly id: string;
  readonly operator: string;
  /** What stands there, and what is put there instead. */
  readonly what: string;
};

type Edit = {
  readonly operator: string;
  readonly from: number;
  readonly until: number;
  readonly to: string;
};
type Rule = (node: Node, at: Around) => readonly Edit[];
type Around = { readonly source: Buffer; readonly parent: Node | undefined };

/** The nearest neighbour of a comparison, which differs from it at the edge alone, or its opposite. */
const COMPARISONS: Record<string, readonly [string, string]> = {
  "<": ["edge", "<="],
  "<=": ["edge", "<"],
  ">": ["edge", ">="],
  ">=": ["edge", ">"],
  "==": ["opposite", "!="],
  "!=": ["opposite", "=="],
};
const ARITHMETIC: Record<string, string> = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "<<": ">>",
  ">>": "<<",
  "&": "|",
  "|": "&",
  "+=": "-=",
  "-=": "+=",
  "*=": "/=",
  "/=": "*=",
  "|=": "&=",
  "&=": "|=",
};
const LOGIC: Record<string, string> = { "&&": "||", "||": "&&" };
/** Functions with a twin that takes the same and rounds or chooses the other way. */
const TWINS: Record<string, readonly [string, string]> = {
  min: ["extreme", "max"],
  max: ["extreme", "min"],
  mulDiv: ["rounding", "mulDivUp"],
  mulDivUp: ["rounding", "mulDiv"],
  fullMulDiv: ["rounding", "fullMulDivUp"],
  fullMulDivUp: ["rounding", "fullMulDiv"],
  divUp: ["rounding", "rawDiv"],
  worthFloor: ["rounding", "worthCeil"],
  worthCeil: ["rounding", "worthFloor"],
  zeroFloorSub: ["floor", "dist"],
};
const SIDES: Record<string, string> = { Long: "Short", Short: "Long" };
/** What a statement that is left out becomes. */
const NOTHING = "{}";
/** Not in here: types, imports, assembly, and what an event or an error is told. */
const SKIPPED = new Set(["InlineAssembly", "ImportDirective", "EmitStatement", "ArrayTypeName"]);

const RULES: Record<string, Rule> = {
  BinaryOperation(node, { source }) {
    const symbol = textAt(node, "operator");
    const edit = inBetween(node, source);
    const found: Edit[] = [];
    const [name, twin] = COMPARISONS[symbol] ?? [];
    if (name !== undefined && twin !== undefined) found.push(edit(name, twin));
    const other = ARITHMETIC[symbol];
    if (other !== undefined) found.push(edit("arithmetic", other));
    const logic = LOGIC[symbol];
    if (logic !== undefined) found.push(edit("logic", logic));
    return found;
  },
  Assignment(node, { source }) {
    const other = ARITHMETIC[textAt(node, "operator")];
    if (other === undefined) return [];
    const operands = { left: nodeAt(node, "leftHandSide"), right: nodeAt(node, "rightHandSide") };
    return [replacing(node, operands, source)("assignment", other)];
  },
  UnaryOperation(node) {
    const operator = textAt(node, "operator");
    const { from, until } = rangeOf(node);
    if (operator === "-" || operator === "!") {
      return [{ operator: "unary", from, until: from + 1, to: "" }];
    }
    const twin = { "++": "--", "--": "++" }[operator];
    if (twin === undefined) return [];
    const at = node.prefix === true ? from : until - 2;
    return [{ operator: "step", from: at, until: at + 2, to: twin }];
  },
  IfStatement: (node, around) => negated(nodeAt(node, "condition"), around),
  Conditional: (node, around) => negated(nodeAt(node, "condition"), around),
  ExpressionStatement(node, { source, parent }) {
    // The step of a loop: without it none ends.
    if (parent?.nodeType === "ForStatement" && parent.body !== node) return [];
    const expression = nodeAt(node, "expression");
    const type = expression.nodeType;
    const { from, until } = rangeOf(node);
    if (type !== "Assignment" && type !== "FunctionCall" && type !== "UnaryOperation") return [];
    const call = source.subarray(from, until).toString();
    const operator = call.startsWith("require") ? "require" : "statement";
    // The range may or may not hold the semicolon; an empty one after a block is no harm.
    const end = source[until - 1] === 0x3b || source[until] !== 0x3b ? until : until + 1;
    return [{ operator, from, until: end, to: NOTHING }];
  },
  RevertStatement: (node) => [{ operator: "require", ...rangeOf(node), to: "" }],
  Literal(node, { source }) {
    const { from, until } = rangeOf(node);
    const text = source.subarray(from, until).toString();
    if (node.kind === "bool") {
      return [{ operator: "bool", from, until, to: text === "true" ? "false" : "true" }];
    }
    if (node.kind !== "number") return [];
    const more = { operator: "plus1", from, until, to: `(${text} + 1)` };
    return text === "0" ? [more] : [more, { operator: "minus1", from, until, to: `(${text} - 1)` }];
  },
  MemberAccess(node) {
    const name = textAt(node, "memberName");
    const { until } = rangeOf(node);
    const from = until - Buffer.byteLength(name);
    const side = SIDES[name];
    if (side !== undefined) return [{ operator: "side", from, until, to: side }];
    const [operator, twin] = Object.hasOwn(TWINS, name) ? (TWINS[name] ?? []) : [];
    return operator === undefined || twin === undefined
      ? []
      : [{ operator, from, until, to: twin }];
  },
};

export type Unit = {
  /** Below contracts/. */
  readonly file: string;
  readonly text: string;
  /** The syntax tree of the text. */
  readonly tree: Node;
};

export function mutantsOf({ file, text, tree }: Unit): Generated[] {
  const source = Buffer.from(text);
  const found: Generated[] = [];
  const visit = (node: Node, parents: readonly Node[]): void => {
    if (SKIPPED.has(node.nodeType) || isTold(node, parents)) return;
    // What a function works on, and what constants are; no declarations of types.
    if (node.nodeType === "StructDefinition" || node.nodeType === "EventDefinition") return;
    const edits = RULES[node.nodeType]?.(node, { source, parent: parents.at(-1) }) ?? [];
    for (const edit of edits) found.push(described(file, source, edit));
    for (const child of childrenOf(node)) visit(child, [...parents, node]);
  };
  visit(tree, []);
  const unique = new Map(found.map((mutant) => [mutant.id, mutant]));
  return [...unique.values()].sort((a, b) => a.from - b.from || compare(a.id, b.id));
}

/** The second argument of `require`, and what `revert` says. */
function isTold(node: Node, parents: readonly Node[]): boolean {
  const parent = parents.at(-1);
  if (parent?.nodeType === "RevertStatement") return true;
  if (parent?.nodeType !== "FunctionCall") return false;
  const callee = nodeAt(parent, "expression");
  const [first] = (parent.arguments as readonly Node[] | undefined) ?? [];
  return textAt(callee, "name") === "require" && node !== callee && node !== first;
}

/** Not where the opposite of its comparison says the same. */
function negated(condition: Node, { source }: Around): Edit[] {
  if (COMPARISONS[textAt(condition, "operator")]?.[0] === "opposite") return [];
  const { from, until } = rangeOf(condition);
  const to = `!(${source.subarray(from, until).toString()})`;
  return [{ operator: "negated", from, until, to }];
}

function inBetween(node: Node, source: Buffer): (operator: string, to: string) => Edit {
  const left = nodeAt(node, "leftExpression");
  return replacing(node, { left, right: nodeAt(node, "rightExpression") }, source);
}

/** Puts another operator between two operands, past any brackets and comments. */
function replacing(
  node: Node,
  { left, right }: { left: Node; right: Node },
  source: Buffer,
): (operator: string, to: string) => Edit {
  const symbol = textAt(node, "operator");
  const start = rangeOf(left).until;
  const between = source.subarray(start, rangeOf(right).from).toString();
  const blank = between.replace(/\/\/[^\n]*|\/\*.*?\*\//gs, (comment) =>
    " ".repeat(Buffer.byteLength(comment)),
  );
  const from = start + blank.indexOf(symbol);
  return (operator, to) => ({ operator, from, until: from + symbol.length, to });
}

function described(file: string, source: Buffer, edit: Edit): Generated {
  const before = source.subarray(0, edit.from).toString();
  const line = before.split("\n").length;
  const column = before.length - before.lastIndexOf("\n");
  const original = source.subarray(edit.from, edit.until).toString();
  return {
    ...edit,
    file,
    id: `${file}:${line}:${column}:${edit.operator}`,
    what: `${short(original)} → ${short(edit.to)}`,
  };
}

function short(text: string): string {
  return text === "" || text === NOTHING ? "nothing" : text.replace(/\s+/g, " ").slice(0, 60);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
