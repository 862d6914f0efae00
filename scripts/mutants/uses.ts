import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { ROOT } from "./compiler.js";

const IMPORT = /from "(\.[^"]+)\.js"/g;
const FACTORY = /__factory\.ts$/;

/** The contracts whose generated factories these files import, themselves or through others of the project. */
export function contractsUsedBy(files: readonly string[]): Set<string> {
  const used = new Set<string>();
  const seen = new Set<string>();
  const queue = [...files];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    if (FACTORY.test(file)) {
      used.add(basename(file, "__factory.ts"));
      continue;
    }
    const path = join(ROOT, file);
    if (!existsSync(path)) continue;
    for (const [, target = ""] of readFileSync(path, "utf8").matchAll(IMPORT)) {
      queue.push(relative(ROOT, join(dirname(path), `${target}.ts`)));
    }
  }
  return used;
}
