import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, sourceOf } from "./compiler.js";
import type { Change } from "./mutant.js";

/** @returns Nothing if the text does not stand in the file exactly once. */
export function changeIn(file: string, text: string, to: string): Change | undefined {
  const isContract = file.endsWith(".sol");
  const source = isContract ? sourceOf(file) : readFileSync(join(ROOT, file), "utf8");
  const [before, after, ...more] = source.split(text);
  if (before === undefined || after === undefined || more.length > 0) return undefined;
  const from = Buffer.byteLength(before);
  return { file, from, until: from + Buffer.byteLength(text), to };
}
