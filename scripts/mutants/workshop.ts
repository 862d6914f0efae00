import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ROOT, createCompiler, sourceOf } from "./compiler.js";
import type { Built, Compiler } from "./compiler.js";
import { copyProject } from "./copy.js";
import type { Change } from "./mutant.js";
import type { Contract } from "./reach.js";
import { contractsUsedBy } from "./uses.js";

/*
 * A copy of the project in which mutants are made and tested. The copy has the real artifacts and generated types; of those a
 * mutant replaces the bytecode that it changes, and gets the real one back afterwards.
 */

const ARTIFACTS = ["artifacts/artifacts.d.ts", "artifacts/contracts"];
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

export type Workshop = {
  readonly compiler: Compiler;
  /** @param tests Test files, in their order; the first failure ends the run. */
  readonly judge: (change: Change, tests: readonly string[]) => Promise<Verdict>;
  /** Takes the copy away. */
  readonly remove: () => void;
};

/** @param name Of the copy, so that several can be used at a time. */
export function createWorkshop(name: string): Workshop {
  const work = join(ROOT, "out/mutants", name);
  copyProject(work, ARTIFACTS);
  mkdirSync(join(work, "artifacts/build-info"), { recursive: true });
  const factories = factoriesIn(join(ROOT, "typechain-types/factories"));
  const compiler = createCompiler();
  const place = { work, factories };

  const judge = async (change: Change, tests: readonly string[]): Promise<Verdict> => {
    const made = prepare(compiler, change);
    let isChanged = false;
    let counts = { sent: 0, read: 0 };
    for (let at = 0; at < tests.length;) {
      const found = made.forTest(tests[at] ?? "");
      if (found === undefined) return { kind: "does not build" };
      for (const contract of found) install(place, contract);
      // All that need no more than what is built by now are run at once.
      let end = at + 1;
      while (end < tests.length && made.isReadyFor(tests[end] ?? "")) end += 1;
      const group = tests.slice(at, end);
      at = end;
      isChanged = isChanged || made.isChanged();
      if (!group.some((test) => made.isSeenBy(test))) continue;
      const verdict = await run(work, group);
      if (verdict.kind !== "survived" && verdict.kind !== "killed") return verdict;
      counts = { sent: counts.sent + verdict.sent, read: counts.read + verdict.read };
      if (verdict.kind === "killed") return { ...verdict, ...counts };
    }
    return isChanged ? { kind: "survived", ...counts } : { kind: "same code" };
  };

  return {
    compiler,
    remove() {
      rmSync(work, { recursive: true, force: true });
    },
    async judge(change, tests) {
      if (!change.file.endsWith(".sol")) return judgeText(work, change, tests);
      try {
        return await judge(change, tests);
      } finally {
        for (const contract of compiler.reach.of(change.file, change.from, change.until)) {
          restore(place, contract);
        }
      }
    },
  };
}

type Made = {
  /** What of the mutant a test needs and was not built before; nothing if it does not compile. */
  readonly forTest: (test: string) => readonly Built[] | undefined;
  readonly isReadyFor: (test: string) => boolean;
  /** Whether a test deploys anything whose bytecode differs. */
  readonly isSeenBy: (test: string) => boolean;
  readonly isChanged: () => boolean;
};

function textAfter({ from, until, to }: Change, source: Buffer): string {
  return `${source.subarray(0, from).toString()}${to}${source.subarray(until).toString()}`;
}

/** Compiles a mutant test by test: most are found by a test that needs little of the project. */
function prepare(compiler: Compiler, change: Change): Made {
  const { file, from, until } = change;
  const texts = new Map([[file, textAfter(change, Buffer.from(sourceOf(file)))]]);
  const reached = compiler.reach.of(file, from, until);
  const built = new Set<string>();
  const changed = new Set<string>();
  const neededBy = (test: string) => {
    const used = contractsUsedBy([test]);
    return reached.filter(({ name }) => used.has(name));
  };
  return {
    forTest(test) {
      const missing = neededBy(test).filter(({ name }) => !built.has(name));
      if (missing.length === 0) return [];
      const found = compiler.build(missing, texts);
      for (const { name } of missing) built.add(name);
      const different = found?.filter((contract) => isDifferent(contract));
      for (const { name } of different ?? []) changed.add(name);
      return different;
    },
    isReadyFor: (test) => neededBy(test).every(({ name }) => built.has(name)),
    isSeenBy: (test) => neededBy(test).some(({ name }) => changed.has(name)),
    isChanged: () => changed.size > 0,
  };
}

/** For what is no contract: nothing is compiled. */
async function judgeText(work: string, change: Change, tests: readonly string[]): Promise<Verdict> {
  const source = readFileSync(join(ROOT, change.file));
  writeFileSync(join(work, change.file), textAfter(change, source));
  try {
    return await run(work, tests);
  } finally {
    writeFileSync(join(work, change.file), source);
  }
}

type Place = { readonly work: string; readonly factories: ReadonlyMap<string, string> };

function artifactOf({ file, name }: Contract): string {
  return join("artifacts/contracts", file, `${name}.json`);
}

function isDifferent(contract: Built): boolean {
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

function restore({ work, factories }: Place, contract: Contract): void {
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
