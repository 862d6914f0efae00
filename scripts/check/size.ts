/** Fails when a production contract is larger than the EVM accepts; warns when one comes close. */

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** EIP-170, in bytes. */
const DEPLOYED_LIMIT = 24_576;
const DEPLOYED_WARNING = 23_000;
/** EIP-3860, in bytes, without constructor arguments. */
const INIT_LIMIT = 49_152;
/** A library whose functions are all internal compiles to a stub below this size, never deployed. */
const STUB = 100;

const Artifact = z.object({
  contractName: z.string(),
  sourceName: z.string(),
  bytecode: z.string(),
  deployedBytecode: z.string(),
});

type Size = { readonly name: string; readonly deployed: number; readonly init: number };
type Verdict = "ok" | "close" | "TOO LARGE";

async function readSizes(): Promise<Size[]> {
  const folder = join(import.meta.dirname, "../../artifacts/contracts");
  const paths = await readdir(folder, { recursive: true });
  const sizes: Size[] = [];
  for (const path of paths.filter((path) => path.endsWith(".json"))) {
    const artifact = Artifact.parse(JSON.parse(await readFile(join(folder, path), "utf8")));
    if (artifact.sourceName.startsWith("contracts/test/")) continue;
    const deployed = bytesOf(artifact.deployedBytecode);
    if (deployed < STUB) continue;
    sizes.push({ name: artifact.contractName, deployed, init: bytesOf(artifact.bytecode) });
  }
  return sizes.sort((a, b) => b.deployed - a.deployed);
}

/** Link placeholders are as long as the addresses that replace them. */
function bytesOf(hex: string): number {
  return (hex.length - "0x".length) / 2;
}

function judge({ deployed, init }: Size): Verdict {
  if (deployed > DEPLOYED_LIMIT || init > INIT_LIMIT) return "TOO LARGE";
  return deployed > DEPLOYED_WARNING ? "close" : "ok";
}

function print(cells: readonly [string, string, string, string, string]): void {
  const [name, ...numbers] = cells;
  console.log(name.padEnd(28) + numbers.map((cell) => cell.padStart(11)).join(""));
}

const sizes = await readSizes();
print(["contract", "deployed", "left", "init", "verdict"]);
for (const size of sizes) {
  const left = DEPLOYED_LIMIT - size.deployed;
  print([size.name, `${size.deployed}`, `${left}`, `${size.init}`, judge(size)]);
}
if (sizes.length === 0) console.log("(no production contract yet)");
if (sizes.some((size) => judge(size) === "TOO LARGE")) process.exitCode = 1;
