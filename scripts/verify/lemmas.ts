/**
 * `npm run lemmas`: proves statements about the kernels of the arithmetic for all inputs within their bounds, with the prover inside the
 * compiler. Each `assert` in scripts/verify/lemmas/*.sol is one lemma, over the real library code; only the arithmetic library
 * underneath is replaced by what it says it does, because the prover does not see through assembly.
 */

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { hashOfContracts, record } from "./record.js";

type Message = {
  readonly severity: string;
  readonly errorCode?: string;
  readonly message: string;
  readonly sourceLocation?: { readonly file: string; readonly start: number };
};

type Compiler = {
  compile(input: string, callbacks: { import: (path: string) => object }): string;
};

type Result = { readonly file: string; readonly lemma: string; readonly isProved: boolean };

const ROOT = resolve(import.meta.dirname, "../..");
const LEMMAS = join(import.meta.dirname, "lemmas");
const MODEL = "FixedPointMathLib.sol";
const ARITHMETIC = "solady/src/utils/FixedPointMathLib.sol";
const OURS = "project/";
/** Of the compiler: what the prover says of one assertion. */
const PROVED = "2961";
const NOT_PROVED = "7812";
const REFUTED = "4661";

const require = createRequire(import.meta.url);
const solc = require("solc") as Compiler;

function importOf(path: string): object {
  if (path === ARITHMETIC) return { contents: readFileSync(join(LEMMAS, MODEL), "utf8") };
  const file = path.startsWith(OURS)
    ? join(ROOT, path.slice(OURS.length))
    : join(ROOT, "node_modules", path);
  try {
    return { contents: readFileSync(file, "utf8") };
  } catch {
    return { error: `there is no ${path}` };
  }
}

/** A contract's external functions, each with where it stands. Private ones, which they share, stay in every copy. */
function lemmasIn(content: string): { lemma: string; from: number; to: number }[] {
  return [...content.matchAll(/^ {4}function (\w+)\([^)]*\)\s*external\s+pure\s*\{/gm)].map(
    (found) => ({
      lemma: found[1] ?? "",
      from: found.index,
      to: content.indexOf("\n    }\n", found.index) + "\n    }\n".length,
    }),
  );
}

/**
 * All lemmas of a file at once, then those that are left each alone. How far the prover gets depends on what it has to think of at once; a proof
 * counts wherever it was found.
 */
function prove(file: string): Result[] {
  const content = readFileSync(join(LEMMAS, file), "utf8");
  const lemmas = lemmasIn(content);
  const together = proveText(file, content);
  return lemmas.flatMap(({ lemma, from, to }) => {
    const found = [...together].filter(([at]) => at > from && at < to);
    if (found.every(([, isProved]) => isProved))
      return found.map(() => ({ file, lemma, isProved: true }));
    const alone = lemmas
      .filter((other) => other.lemma !== lemma)
      .reduceRight((text, other) => text.slice(0, other.from) + text.slice(other.to), content);
    return [...proveText(file, alone)].map(([, isProved]) => ({ file, lemma, isProved }));
  });
}

/** @returns For each assertion, by where it stands, whether it was proved. */
function proveText(file: string, content: string): Map<number, boolean> {
  const name = `${OURS}scripts/verify/lemmas/${file}`;
  const input = {
    language: "Solidity",
    sources: { [name]: { content } },
    settings: {
      evmVersion: "cancun",
      modelChecker: {
        // The engine that needs no invariants: lemmas are single calls without loops over storage.
        engine: "bmc",
        targets: ["assert"],
        solvers: ["z3"],
        showProvedSafe: true,
        showUnproved: true,
        contracts: { [name]: [file.replace(".sol", "")] },
      },
      outputSelection: {},
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: importOf })) as {
    readonly errors?: readonly Message[];
  };
  const messages = output.errors ?? [];
  const broken = messages.filter(({ severity }) => severity === "error");
  if (broken.length > 0)
    throw new Error(`${file}: ${broken.map((each) => each.message).join("; ")}`);

  const verdicts = new Map<number, boolean>();
  for (const { errorCode, sourceLocation } of messages) {
    if (sourceLocation?.file !== name) continue;
    if (errorCode === PROVED) verdicts.set(sourceLocation.start, true);
    if (errorCode === NOT_PROVED || errorCode === REFUTED)
      verdicts.set(sourceLocation.start, false);
  }
  // An assertion that the prover says nothing about counts as not proved.
  return new Map(
    [...content.matchAll(/assert\(/g)].map(({ index }) => [index, verdicts.get(index) ?? false]),
  );
}

const files = readdirSync(LEMMAS)
  .filter((file) => file.endsWith("Lemmas.sol"))
  .sort();
const results: Result[] = [];
const begun = Date.now();
for (const file of files) {
  const found = prove(file);
  results.push(...found);
  const proved = found.filter(({ isProved }) => isProved).length;
  console.log(`${file.padEnd(24)} ${proved} of ${found.length} proved`);
}
const open = results.filter(({ isProved }) => !isProved);
for (const { file, lemma } of open) console.log(`NOT PROVED: ${lemma} (${file})`);
console.log(`${results.length - open.length} of ${results.length} lemmas proved`);
mkdirSync(join(ROOT, "out", "verify"), { recursive: true });
writeFileSync(join(ROOT, "out", "verify", "lemmas.json"), JSON.stringify(results, undefined, 2));
record({
  check: "lemmas",
  contracts: hashOfContracts(),
  at: new Date(begun).toISOString(),
  seconds: Math.round((Date.now() - begun) / 1000),
  seed: "all",
  counts: { lemmas: results.length, proved: results.length - open.length },
  failures: open.map(({ file, lemma }) => `${lemma} (${file})`),
});
if (open.length > 0 || results.length === 0) process.exitCode = 1;
