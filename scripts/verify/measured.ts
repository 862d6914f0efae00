import { spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ROOT, createCompiler, sourceOf } from "../mutants/compiler.js";
import { copyProject, hashOfProject } from "../mutants/copy.js";
import { HITS, instrument } from "./instrument.js";
import type { Place } from "./instrument.js";

/*
 * A copy of the project whose contracts tell what runs, and the tests in it. It is kept until all have run, with what they told, so
 * that a run that was stopped is gone on with as long as nothing was changed.
 */

const HARDHAT = join(ROOT, "node_modules/hardhat/dist/src/cli.js");
const PLENTY = "scripts/verify/plenty.ts";
const MS_PER_SECOND = 1_000;
const REPORT = "cache/report.json";
/** Contracts that nobody deploys. */
const TESTS = /^test\//;

/**
 * What tells is larger and costs more than what is deployed, so that no limit of size or gas applies. The copy's contracts tell by themselves:
 * Hardhat is to add nothing and only to listen.
 */
const CONFIG = `import project from "./project.config.js";

const network = {
  type: "edr-simulated",
  chainType: "l1",
  gas: 400_000_000n,
  blockGasLimit: 4_000_000_000n,
  transactionGasCap: false,
  allowUnlimitedContractSize: true,
} as const;

export default {
  ...project,
  coverage: { skipFiles: ["**"] },
  networks: { ...project.networks, default: network, node: network },
  test: {
    ...project.test,
    mocha: {
      ...project.test?.mocha,
      timeout: 1_200_000,
      reporter: "json",
      reporterOption: { output: "${REPORT}" },
    },
  },
};
`;

const Told = z.record(z.string().regex(/^[0-9a-f]{64}$/), z.number());
const Report = z.object({
  stats: z.object({ passes: z.number() }),
  failures: z.array(
    z.object({ fullTitle: z.string(), err: z.object({ message: z.string().optional() }) }),
  ),
});

const Outcome = z.object({
  /** Which tests. */
  files: z.array(z.string()),
  /** Numbers that arrived. */
  told: z.array(z.number()),
  seconds: z.number(),
  passed: z.number(),
  /** Tests that failed, each in one line with the reason. */
  failures: z.array(z.string()),
});
export type Outcome = z.infer<typeof Outcome>;
type Ran = Omit<Outcome, "files" | "seconds">;

export type Measured = {
  readonly places: readonly Place[];
  /** Runs test files, or the tests in Solidity that need no deployment. */
  readonly run: (files: readonly string[]) => Promise<Outcome>;
  /** What has run. */
  readonly outcomes: () => Outcome[];
};

export const SOLIDITY: string = "contracts/test/*.t.sol";

export async function createMeasured(work: string): Promise<Measured> {
  const { texts, places } = instrumentAll();
  await prepare(work, texts);
  const kept = join(work, "outcomes.jsonl");
  return {
    places,
    async run(files) {
      const begun = Date.now();
      const run = files.includes(SOLIDITY) ? runSolidity : runTests;
      const ran = await run(work, files);
      const seconds = (Date.now() - begun) / MS_PER_SECOND;
      const outcome = { ...ran, files: [...files], seconds };
      appendFileSync(kept, `${JSON.stringify(outcome)}\n`);
      return outcome;
    },
    outcomes() {
      const lines = existsSync(kept) ? readFileSync(kept, "utf8").split("\n").filter(Boolean) : [];
      return lines.map((line) => Outcome.parse(JSON.parse(line)));
    },
  };
}

/** Makes and builds the copy, unless there is one of the same project. */
async function prepare(work: string, texts: ReadonlyMap<string, string>): Promise<void> {
  const mark = join(work, "project.txt");
  const project = hashOfProject();
  if (existsSync(mark) && readFileSync(mark, "utf8") === project) return;
  copyProject(work);
  renameSync(join(work, "hardhat.config.ts"), join(work, "project.config.ts"));
  writeFileSync(join(work, "hardhat.config.ts"), CONFIG);
  for (const [file, text] of texts) writeFileSync(join(work, "contracts", file), text);
  const build = await hardhat(work, ["build", "--quiet", "--coverage"]);
  if (!build.isDone) throw new Error(build.output);
  writeFileSync(mark, project);
}

/** @returns All sources that change, and their places, numbered through. */
function instrumentAll(): { texts: Map<string, string>; places: Place[] } {
  const texts = new Map([[HITS.file, HITS.text]]);
  const places: Place[] = [];
  let next = 0;
  for (const [file, tree] of createCompiler().units) {
    if (file.startsWith("npm:") || TESTS.test(file)) continue;
    const done = instrument({ file, text: sourceOf(file), tree }, next);
    texts.set(file, done.text);
    places.push(...done.places);
    next = done.next;
  }
  return { texts, places };
}

async function runTests(work: string, files: readonly string[]): Promise<Ran> {
  const report = join(work, REPORT);
  rmSync(report, { force: true });
  const call = ["test", "mocha", PLENTY, ...files, "--no-compile", "--coverage"];
  const { output } = await hardhat(work, call);
  const told = toldIn(join(work, "coverage/data/mocha"));
  if (!existsSync(report)) {
    const last = output.trim().split("\n").at(-1) ?? "";
    return {
      told,
      passed: 0,
      failures: [`${files.join(", ")}: no report, ${last}`],
    };
  }
  const { stats, failures } = Report.parse(JSON.parse(readFileSync(report, "utf8")));
  const lines = failures.map(
    ({ fullTitle, err }) => `${fullTitle}: ${(err.message ?? "").split("\n")[0] ?? ""}`,
  );
  return { told, passed: stats.passes, failures: lines };
}

async function runSolidity(work: string): Promise<Ran> {
  const tests = readdirSync(join(work, "contracts/test")).filter((file) => file.endsWith(".t.sol"));
  const paths = tests.map((file) => `contracts/test/${file}`);
  const call = ["test", "solidity", ...paths, "--no-compile", "--coverage"];
  const { isDone, output } = await hardhat(work, call);
  const told = toldIn(join(work, "coverage/data/solidity"));
  const passed = Number(/(\d+) passing/.exec(output)?.[1] ?? 0);
  return { told, passed, failures: isDone ? [] : [`${SOLIDITY}: a test fails`] };
}

/** What one run left; the next run of the same kind takes it away. */
function toldIn(folder: string): number[] {
  if (!existsSync(folder)) return [];
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
  return texts.flatMap((text) =>
    Object.keys(Told.parse(JSON.parse(text))).map((word) => Number(`0x${word}`)),
  );
}

async function hardhat(work: string, args: readonly string[]) {
  return new Promise<{ isDone: boolean; output: string }>((resolve) => {
    const child = spawn(process.execPath, [HARDHAT, ...args], { cwd: work });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => (output += part));
    child.stderr.setEncoding("utf8").on("data", (part: string) => (output += part));
    child.on("close", (code) => {
      resolve({ isDone: code === 0, output });
    });
  });
}
