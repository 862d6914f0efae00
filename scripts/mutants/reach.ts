import { rangeOf, textAt, walk } from "./tree.js";
import type { Node } from "./tree.js";

/*
 * Which contracts have a declaration in their bytecode: those from whose functions it can be reached without leaving for a linked
 * library. A mutant changes those and no other, so only they are compiled again.
 */

export type Contract = {
  /** Below contracts/. */
  readonly file: string;
  readonly name: string;
};

export type Reach = {
  /** The contracts whose bytecode may change with this piece of a file; bytes. */
  readonly of: (file: string, from: number, until: number) => Contract[];
};

type Declaration = { readonly node: Node; readonly file: string; readonly contract: Node | null };
type Found = Contract & { readonly declarations: ReadonlySet<number> };

const DECLARATIONS = new Set([
  "FunctionDefinition",
  "ModifierDefinition",
  "VariableDeclaration",
  "StructDefinition",
  "EnumDefinition",
  "ErrorDefinition",
  "EventDefinition",
  "UserDefinedValueTypeDefinition",
  "ContractDefinition",
]);
/** What stands for itself: everything else is part of one of these. */
const UNITS = new Set([...DECLARATIONS].filter((type) => type !== "ContractDefinition"));

/** @param units Syntax trees by file, below contracts/ for ours. */
export function reachOf(units: ReadonlyMap<string, Node>): Reach {
  const declarations = index(units);
  const contracts = [...declarations.values()]
    .filter(({ node, file }) => isDeployable(node) && !file.startsWith("npm:"))
    .map(({ node, file }) => ({
      file,
      name: textAt(node, "name"),
      declarations: reachable(node, declarations),
    }));
  return {
    of(file, from, until) {
      const unit = units.get(file);
      if (unit === undefined) throw new Error(`there is no ${file}`);
      const touched = touchedBy(unit, from, until);
      const found = contracts.filter((contract: Found) =>
        touched.length === 0
          ? touchesFile(contract, file, declarations)
          : touched.some((id) => contract.declarations.has(id)),
      );
      return found.map(({ file: of, name }) => ({ file: of, name }));
    },
  };
}

function index(units: ReadonlyMap<string, Node>): Map<number, Declaration> {
  const found = new Map<number, Declaration>();
  for (const [file, unit] of units) {
    walk(unit, (node, parents) => {
      if (!DECLARATIONS.has(node.nodeType)) return;
      const contract = parents.find(({ nodeType }) => nodeType === "ContractDefinition") ?? null;
      found.set(node.id, { node, file, contract });
    });
  }
  return found;
}

function isDeployable(node: Node): boolean {
  if (node.nodeType !== "ContractDefinition" || node.abstract === true) return false;
  return node.contractKind === "contract" || node.contractKind === "library";
}

/** Those that a contract's bytecode is made of. */
function reachable(contract: Node, all: ReadonlyMap<number, Declaration>): Set<number> {
  const seen = new Set<number>();
  const queue: Node[] = rootsOf(contract, all);
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (seen.has(node.id)) continue;
    seen.add(node.id);
    walk(node, (at) => {
      // Whoever makes a contract carries its code.
      if (at.nodeType === "NewExpression") queue.push(...madeBy(at, all));
      for (const id of [at.referencedDeclaration, at.function]) {
        const target = typeof id === "number" ? all.get(id) : undefined;
        if (target === undefined || target.node.nodeType === "ContractDefinition") continue;
        if (!isElsewhere(target, contract)) queue.push(target.node);
      }
    });
  }
  return seen;
}

function madeBy(expression: Node, all: ReadonlyMap<number, Declaration>): Node[] {
  const found: Node[] = [];
  walk(expression, ({ referencedDeclaration: id }) => {
    const made = typeof id === "number" ? all.get(id)?.node : undefined;
    if (made?.nodeType === "ContractDefinition") found.push(...rootsOf(made, all));
  });
  return found;
}

function rootsOf(contract: Node, all: ReadonlyMap<number, Declaration>): Node[] {
  const bases = contract.linearizedBaseContracts as readonly number[];
  return bases
    .flatMap((id) => (all.get(id)?.node.nodes as readonly Node[] | undefined) ?? [])
    .filter(
      (node) =>
        node.nodeType === "FunctionDefinition" && (!isLibrary(contract) || isExternal(node)),
    )
    .concat(
      bases
        .flatMap((id) => (all.get(id)?.node.nodes as readonly Node[] | undefined) ?? [])
        .filter((node) => node.nodeType === "VariableDeclaration" && !isLibrary(contract)),
    );
}

/** A function that is called where it is deployed. */
function isElsewhere({ node, contract }: Declaration, from: Node): boolean {
  if (node.nodeType !== "FunctionDefinition" || contract === null) return false;
  return isLibrary(contract) && isExternal(node) && contract.id !== from.id;
}

function isLibrary(contract: Node): boolean {
  return contract.contractKind === "library";
}

function isExternal(node: Node): boolean {
  return node.visibility === "external" || node.visibility === "public";
}

/** The functions and constants of a file that a piece of it is in. */
function touchedBy(unit: Node, from: number, until: number): number[] {
  const found: number[] = [];
  walk(unit, (node, parents) => {
    if (!UNITS.has(node.nodeType) || parents.some(({ nodeType }) => UNITS.has(nodeType))) return;
    const range = rangeOf(node);
    if (range.from < until && from < range.until) found.push(node.id);
  });
  return found;
}

function touchesFile(
  contract: Found,
  file: string,
  all: ReadonlyMap<number, Declaration>,
): boolean {
  return [...contract.declarations].some((id) => all.get(id)?.file === file);
}
