import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ROOT, createCompiler, sourceOf } from "../mutants/compiler.js";
import { copyProject } from "../mutants/copy.js";
import { HITS, instrument } from "./instrument.js";
import type { Place } from "./instrument.js";

/* A copy of the project whose contracts tell what runs, and the tests in it. */

const HARDHAT = join(ROOT, "node_modules/hardhat/dist/src/cli.js");
const PLENTY = "scripts/verify/plenty.ts";
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

export type Outcome = {
  /** Numbers that arrived. */
  readonly told: readonly number[];
  readonly passed: number;
  /** Tests that failed, each in one line with the reason. */
  readonly failures: readonly string[];
};

export type Measured = {
  readonly places: readonly Place[];
  readonly run: (tests: readonly string[]) => Promise<Outcome>;
  /** The tests in Solidity that need no deployment. */
  readonly runSolidity: () => Promise<Outcome>;
};

export async function createMeasured(work: string): Promise<Measured> {
  copyProject(work);
  renameSync(join(work, "hardhat.config.ts"), join(work, "project.config.ts"));
  writeFileSync(join(work, "hardhat.config.ts"), CONFIG);
  const places = instrumentAll(join(work, "contracts"));
  const build = await hardhat(work, ["build", "--quiet", "--coverage"]);
  if (!build.isDone) throw new Error(build.output);
  return {
    places,
    run: (tests) => runTests(work, tests),
    runSolidity: () => runSolidity(work),
  };
}

/** @returns All places, numbered through. */
function instrumentAll(contracts: string): Place[] {
  writeFileSync(join(contracts, HITS.file), HITS.text);
  const places: Place[] = [];
  let next = 0;
  for (const [file, tree] of createCompiler().units) {
    if (file.startsWith("npm:") || TESTS.test(file)) continue;
    const done = instrument({ file, text: sourceOf(file), tree }, next);
    writeFileSync(join(contracts, file), done.text);
    places.push(...done.places);
    next = done.next;
  }
  return places;
}

async function runTests(work: string, tests: readonly string[]): Promise<Outcome> {
  const report = join(work, REPORT);
  rmSync(report, { force: true });
  const call = ["test", "mocha", PLENTY, ...tests, "--no-compile", "--coverage"];
  const { output } = await hardhat(work, call);
  const told = toldIn(join(work, "coverage/data/mocha"));
  if (!existsSync(report)) {
    const last = output.trim().split("\n").at(-1) ?? "";
    return { told, passed: 0, failures: [`${tests.join(", ")}: no report, ${last}`] };
  }
  const { stats, failures } = Report.parse(JSON.parse(readFileSync(report, "utf8")));
  const lines = failures.map(
    ({ fullTitle, err }) => `${fullTitle}: ${(err.message ?? "").split("\n")[0] ?? ""}`,
  );
  return { told, passed: stats.passes, failures: lines };
}

async function runSolidity(work: string): Promise<Outcome> {
  const tests = readdirSync(join(work, "contracts/test")).filter((file) => file.endsWith(".t.sol"));
  const paths = tests.map((file) => `contracts/test/${file}`);
  const call = ["test", "solidity", ...paths, "--no-compile", "--coverage"];
  const { isDone, output } = await hardhat(work, call);
  const told = toldIn(join(work, "coverage/data/solidity"));
  const passed = Number(/(\d+) passing/.exec(output)?.[1] ?? 0);
  return { told, passed, failures: isDone ? [] : ["the tests in Solidity"] };
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
