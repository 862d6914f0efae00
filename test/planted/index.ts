import type { Planted } from "../../scripts/mutants/mutant.js";
import { ACCOUNTING } from "./accounting.js";
import { EDGES } from "./edges.js";
import { KEYS_AND_TIME } from "./keys.js";
import { ORACLES } from "./prices.js";
import { STRUCTURE } from "./structure.js";

/* Mistakes that were made elsewhere, and mistakes by one. `npm run planted` puts them into our contracts one by one. */

export const PLANTED: readonly Planted[] = [
  ...ACCOUNTING,
  ...STRUCTURE,
  ...ORACLES,
  ...KEYS_AND_TIME,
  ...EDGES,
];
