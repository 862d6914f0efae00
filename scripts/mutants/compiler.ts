import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { reachOf } from "./reach.js";
import type { Contract, Reach } from "./reach.js";
import type { Node } from "./tree.js";

/*
 * The project's compiler with the project's settings, asked for nothing but the contracts that a change can reach. What it makes of
 * an unchanged source is what a build makes of it.
 */

export const ROOT = resolve(import.meta.dirname, "../..");
const CONTRACTS = join(ROOT, "contracts");
const OURS = "project/contracts/";
/** Those of hardhat.config.ts. */
const SETTINGS = {
  evmVersion: "cancun",
  optimizer: { enabled: true, runs: 200 },
  viaIR: true,
  metadata: { bytecodeHash: "none" },
};
const OUTPUTS = ["evm.bytecode", "evm.deployedBytecode"].flatMap((code) => [
  `${code}.object`,
  `${code}.linkReferences`,
]);

type Solc = {
  compile(input: string, callbacks: { import: (path: string) => object }): string;
};

type Code = { readonly object: string; readonly linkReferences: object };
type Output = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly sources?: Record<string, { readonly ast: Node }>;
  readonly contracts?: Record<
    string,
    Record<string, { readonly evm: { readonly bytecode: Code; readonly deployedBytecode: Code } }>
  >;
};

export type Built = Contract & { readonly bytecode: Code; readonly deployedBytecode: Code };

export type Compiler = {
  readonly reach: Reach;
  /** Syntax trees of our own files, by their place below contracts/. */
  readonly units: ReadonlyMap<string, Node>;
  /** @returns Nothing if it does not compile. */
  readonly build: (
    contracts: readonly Contract[],
    texts: ReadonlyMap<string, string>,
  ) => Built[] | undefined;
};

export function sourceOf(file: string): string {
  return readFileSync(join(CONTRACTS, file), "utf8");
}

export function createCompiler(): Compiler {
  const solc = createRequire(import.meta.url)("solc") as Solc;
  const compile = (
    files: readonly string[],
    selection: object,
    texts: ReadonlyMap<string, string>,
  ): Output => {
    const sources = files.map((file) => [OURS + file, { content: textOf(file, texts) }]);
    const input = {
      language: "Solidity",
      sources: Object.fromEntries(sources) as object,
      settings: { ...SETTINGS, outputSelection: selection },
    };
    // Written by the compiler.
    return JSON.parse(
      solc.compile(JSON.stringify(input), { import: (path) => importOf(path, texts) }),
    ) as Output;
  };

  const files = readdirSync(CONTRACTS, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".sol") && !name.endsWith(".t.sol"),
  );
  const { sources = {} } = compile(files, { "*": { "": ["ast"] } }, new Map());
  const units = new Map(
    Object.entries(sources).map(([name, { ast }]) => [
      name.startsWith(OURS) ? name.slice(OURS.length) : `npm:${name}`,
      ast,
    ]),
  );

  return {
    reach: reachOf(units),
    units,
    build(contracts, texts) {
      const selection: Record<string, Record<string, string[]>> = {};
      for (const { file, name } of contracts) (selection[OURS + file] ??= {})[name] = OUTPUTS;
      const names = [...new Set(contracts.map(({ file }) => file))];
      const output = compile(names, selection, texts);
      if ((output.errors ?? []).some(({ severity }) => severity === "error")) return undefined;
      return contracts.map(({ file, name }) => {
        const contract = output.contracts?.[OURS + file]?.[name];
        if (contract === undefined) throw new Error(`${name} was not compiled`);
        return { file, name, ...contract.evm };
      });
    },
  };
}

function textOf(file: string, texts: ReadonlyMap<string, string>): string {
  return texts.get(file) ?? sourceOf(file);
}

function importOf(path: string, texts: ReadonlyMap<string, string>): object {
  try {
    if (path.startsWith(OURS)) return { contents: textOf(path.slice(OURS.length), texts) };
    return { contents: readFileSync(join(ROOT, "node_modules", path), "utf8") };
  } catch {
    return { error: `there is no ${path}` };
  }
}
