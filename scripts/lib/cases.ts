import { resolve } from "node:path";

/** Where test/input leaves how many cases each function had; `npm run verify:input` reads it. */
export const CASES = resolve(import.meta.dirname, "../../cache/input.json");
