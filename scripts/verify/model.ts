import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openCampaigns } from "../../test/exchange/campaign.js";

/*
 * The exchange against the reference model, for as long as one likes: `npm run verify:model [minutes] [first seed]`. Every seed is a
 * line of a file, with a hash of the contracts' bytecode; the sum over the lines with the same hash is printed. What was done is not
 * done again: it goes on behind the last seed.
 */

const FILE = "out/verify/model.jsonl";
const ARTIFACTS = "artifacts/contracts";
const RUNS = 4;
const STEPS = 60;

type Line = {
  readonly hash: string;
  readonly seed: number;
  readonly commands: number;
  readonly reached: Readonly<Record<string, number>>;
  readonly differences: number;
};

function hashOfContracts(): string {
  const hash = createHash("sha256");
  const files = readdirSync(ARTIFACTS, { recursive: true, encoding: "utf8" });
  for (const file of files.filter((name) => name.endsWith(".json")).sort()) {
    if (file.startsWith("test")) continue;
    // An artifact is what the compiler wrote.
    const artifact = JSON.parse(readFileSync(join(ARTIFACTS, file), "utf8")) as {
      deployedBytecode?: string;
    };
    hash.update(file).update(artifact.deployedBytecode ?? "");
  }
  return hash.digest("hex").slice(0, 16);
}

function linesOf(hash: string): Line[] {
  if (!existsSync(FILE)) return [];
  const lines = readFileSync(FILE, "utf8").split("\n").filter(Boolean);
  // Written below.
  return lines.map((line) => JSON.parse(line) as Line).filter((line) => line.hash === hash);
}

function summary(lines: readonly Line[]): string {
  const reached = new Map<string, number>();
  for (const line of lines) {
    for (const [name, count] of Object.entries(line.reached)) {
      reached.set(name, (reached.get(name) ?? 0) + count);
    }
  }
  const commands = lines.reduce((sum, line) => sum + line.commands, 0);
  const differences = lines.reduce((sum, line) => sum + line.differences, 0);
  const counts = [...reached].sort().map(([name, count]) => `  ${name} ${count}`);
  const head = `${lines.length} seeds, ${commands} commands, ${differences} differences`;
  return [head, ...counts].join("\n");
}

const [minutes = "5", first] = process.argv.slice(2);
const until = Date.now() + Number(minutes) * 60_000;
const hash = hashOfContracts();
const done = linesOf(hash);
let seed = Number(first ?? Math.max(0, ...done.map((line) => line.seed)) + 1);
mkdirSync("out/verify", { recursive: true });
const { campaign } = await openCampaigns();
while (Date.now() < until) {
  const { commands, reached, differences, found } = await campaign({
    seed,
    runs: RUNS,
    steps: STEPS,
  });
  const line: Line = { hash, seed, commands, reached, differences };
  appendFileSync(FILE, `${JSON.stringify(line)}\n`);
  console.log(`seed ${seed}: ${commands} commands, ${differences} differences`);
  if (found !== undefined) console.log(found.file, found.error);
  seed++;
}
console.log(summary(linesOf(hash)));
