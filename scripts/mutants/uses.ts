import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { ROOT } from "./compiler.js";

const IMPORT = /from "(\.[^"]+)\.js"/g;
const GENERATED = /^typechain-types\//;
/** A contract is deployed by its generated factory, or by its name. */
const NAMES = /\b(\w+)__factory\b|"([A-Z]\w+)"/g;

/** Where the artifact of each contract is. */
const ARTIFACTS: ReadonlyMap<string, string> = new Map(
  readdirSync(join(ROOT, "artifacts/contracts"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".json"))
    .map((file) => [basename(file, ".json"), join(ROOT, "artifacts/contracts", file)]),
);
const linked = new Map<string, readonly string[]>();

/** The libraries that a contract is linked with, and those that they are. */
function librariesOf(name: string): readonly string[] {
  const known = linked.get(name);
  if (known !== undefined) return known;
  const path = ARTIFACTS.get(name);
  if (path === undefined) return [];
  // Written by the compiler.
  const { linkReferences } = JSON.parse(readFileSync(path, "utf8")) as {
    linkReferences: Record<string, Record<string, unknown>>;
  };
  const direct = Object.values(linkReferences).flatMap((of) => Object.keys(of));
  const all = [...new Set(direct.flatMap((library) => [library, ...librariesOf(library)]))];
  linked.set(name, all);
  return all;
}

/** The contracts that these files name, themselves or through others of the project, and what those are linked with. */
export function contractsUsedBy(files: readonly string[]): Set<string> {
  const used = new Set<string>();
  const seen = new Set<string>();
  const queue = [...files];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    const path = join(ROOT, file);
    if (seen.has(file) || GENERATED.test(file) || !existsSync(path)) continue;
    seen.add(file);
    const text = readFileSync(path, "utf8");
    for (const [, factory, name] of text.matchAll(NAMES)) used.add(factory ?? name ?? "");
    for (const [, target = ""] of text.matchAll(IMPORT)) {
      queue.push(relative(ROOT, join(dirname(path), `${target}.ts`)));
    }
  }
  return new Set([...used].flatMap((name) => [name, ...librariesOf(name)]));
}
