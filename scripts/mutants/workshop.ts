import { spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { ROOT, createCompiler, sourceOf } from "./compiler.js";
import type { Built, Compiler } from "./compiler.js";
import type { Change } from "./mutant.js";
import { contractsUsedBy } from "./uses.js";

/*
 * A copy of the project in which mutants are made and tested. The copy has the real artifacts and generated types; of those a
 * mutant replaces the bytecode that it changes, and gets the real one back afterwards.
 */

const COPIED = [
  "artifacts/artifacts.d.ts",
  "artifacts/contracts",
  "contracts",
  "docs",
  "scripts",
  "test",
  "typechain-types",
  "hardhat.config.ts",
  "package.json",
  "tsconfig.json",
];
const HARDHAT = join(ROOT, "node_modules/hardhat/dist/src/cli.js");
const COUNT = "scripts/mutants/count.ts";
/** A mutant that does not end is one that the test noticed. */
const TIMEOUT = 900_000;
const BYTECODE = /(const _bytecode =\s*")0x[^"]*(")/;

export type Verdict =
  /** A test failed, after so many transactions and calls. */
  | { readonly kind: "killed"; readonly by: string; readonly sent: number; readonly read: number }
  | { readonly kind: "survived"; readonly sent: number; readonly read: number }
  | { readonly kind: "does not build" }
  /** No bytecode differs: the compiler shows that the mutant is no mistake. */
  | { readonly kind: "same code" }
  /** The tests ended without a report, which says nothing of the mutant. */
  | { readonly kind: "does not run"; readonly output: string };

/** A mutant as the compiler left it. */
export type Build =
  | { readonly kind: "built"; readonly contracts: readonly Built[] }
  | { readonly kind: "does not build" }
  | { readonly kind: "same code" };

export type Workshop = {
  readonly compiler: Compiler;
  /** @param tests That will judge it: contracts for tests that none of these deploys are left as they are. */
  readonly build: (change: Change, tests: readonly string[]) => Build;
  /** @param tests Test files, in their order; the first failure ends the run. */
  readonly judge: (build: Build, tests: readonly string[]) => Promise<Verdict>;
};

/** @param name Of the copy, so that several can be used at a time. */
export function createWorkshop(name: string): Workshop {
  const work = join(ROOT, "out/mutants", name);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, "artifacts/build-info"), { recursive: true });
  for (const path of COPIED) cpSync(join(ROOT, path), join(work, path), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(work, "node_modules"));
  const factories = factoriesIn(join(ROOT, "typechain-types/factories"));
  const compiler = createCompiler();
  const place = { work, factories };

  return {
    compiler,
    build({ file, from, until, to }, tests) {
      const source = Buffer.from(sourceOf(file));
      const text = `${source.subarray(0, from).toString()}${to}${source.subarray(until).toString()}`;
      const used = contractsUsedBy(tests);
      const reached = compiler.reach
        .of(file, from, until)
        .filter((contract) => !contract.file.startsWith("test/") || used.has(contract.name));
      const contracts = compiler.build(reached, new Map([[file, text]]));
      if (contracts === undefined) return { kind: "does not build" };
      const changed = contracts.filter((contract) => isChanged(contract));
      return changed.length === 0 ? { kind: "same code" } : { kind: "built", contracts: changed };
    },
    async judge(build, tests) {
      if (build.kind !== "built") return build;
      for (const contract of build.contracts) install(place, contract);
      try {
        return await run(work, tests);
      } finally {
        for (const contract of build.contracts) restore(place, contract);
      }
    },
  };
}

type Place = { readonly work: string; readonly factories: ReadonlyMap<string, string> };

function artifactOf({ file, name }: Built): string {
  return join("artifacts/contracts", file, `${name}.json`);
}

function isChanged(contract: Built): boolean {
  // Written by the compiler.
  const artifact = JSON.parse(readFileSync(join(ROOT, artifactOf(contract)), "utf8")) as {
    bytecode: string;
  };
  return artifact.bytecode !== `0x${contract.bytecode.object}`;
}

function install({ work, factories }: Place, contract: Built): void {
  const path = artifactOf(contract);
  const artifact = JSON.parse(readFileSync(join(ROOT, path), "utf8")) as object;
  const changed = {
    ...artifact,
    bytecode: `0x${contract.bytecode.object}`,
    deployedBytecode: `0x${contract.deployedBytecode.object}`,
    linkReferences: contract.bytecode.linkReferences,
    deployedLinkReferences: contract.deployedBytecode.linkReferences,
  };
  writeFileSync(join(work, path), JSON.stringify(changed));
  const factory = factories.get(contract.name);
  if (factory === undefined) return;
  const text = readFileSync(join(ROOT, factory), "utf8");
  if (!BYTECODE.test(text)) return;
  writeFileSync(
    join(work, factory),
    text.replace(
      BYTECODE,
      (_, before: string, after: string) => before + `0x${contract.bytecode.object}` + after,
    ),
  );
}

function restore({ work, factories }: Place, contract: Built): void {
  const paths = [artifactOf(contract), factories.get(contract.name)];
  for (const path of paths) {
    if (path !== undefined) cpSync(join(ROOT, path), join(work, path));
  }
}

/** Generated factories by the name of their contract. */
function factoriesIn(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return new Map(
    files
      .filter((file) => file.endsWith("__factory.ts"))
      .map((file) => [basename(file, "__factory.ts"), join("typechain-types/factories", file)]),
  );
}

async function run(work: string, tests: readonly string[]): Promise<Verdict> {
  const args = [HARDHAT, "test", "mocha", COUNT, ...tests, "--no-compile", "--bail"];
  const { status, output } = await new Promise<{ status: number | null; output: string }>(
    (resolve) => {
      const child = spawn(process.execPath, args, { cwd: work, timeout: TIMEOUT });
      let text = "";
      child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
      child.stderr.setEncoding("utf8").on("data", (part: string) => (text += part));
      child.on("close", (code) => {
        resolve({ status: code, output: text });
      });
    },
  );
  const [, sent = "0", read = "0"] = /^counted (\d+) sent, (\d+) read$/m.exec(output) ?? [];
  const counts = { sent: Number(sent), read: Number(read) };
  if (status === 0) return { kind: "survived", ...counts };
  if (status === null) return { kind: "killed", by: "the limit of time", ...counts };
  const by = failureIn(output);
  if (by === undefined) return { kind: "does not run", output };
  return { kind: "killed", by, ...counts };
}

/** The name of the first test that failed, from Mocha's report. */
function failureIn(output: string): string | undefined {
  return /^\s+1\) (.+)$/m.exec(output)?.[1]?.trim();
}
