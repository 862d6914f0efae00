/* The compiler's syntax tree, as far as mutants need it. */

export type Node = {
  readonly id: number;
  readonly nodeType: string;
  /** "start:length:file", in bytes. */
  readonly src: string;
  readonly [name: string]: unknown;
};

/** Where a node stands in its source, in bytes. */
export function rangeOf(node: Node): { from: number; until: number } {
  const [from = 0, length = 0] = node.src.split(":").map(Number);
  return { from, until: from + length };
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "nodeType" in value && "src" in value;
}

/** The nodes directly below a node, in the order of the tree. */
export function childrenOf(node: Node): Node[] {
  return Object.values(node).flatMap((value) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );
}

/** A node that a property holds; for properties that the compiler always sets. */
export function nodeAt(node: Node, property: string): Node {
  const value = node[property];
  if (!isNode(value)) throw new Error(`${node.nodeType} has no ${property}`);
  return value;
}

export function textAt(node: Node, property: string): string {
  const value = node[property];
  return typeof value === "string" ? value : "";
}

export function walk(node: Node, visit: (node: Node, parents: readonly Node[]) => void): void {
  const go = (at: Node, parents: readonly Node[]): void => {
    visit(at, parents);
    const below = [...parents, at];
    for (const child of childrenOf(at)) go(child, below);
  };
  go(node, []);
}
