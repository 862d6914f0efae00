import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FIGURES } from "../../scripts/lib/attacks.js";
import type { AttackId } from "../../scripts/lib/attacks.js";
import { WHOLE } from "../fixtures.js";

/* What attacks brought, for the table in docs/risk.md: `npm run attacks` puts it there. */

/** Keeps the figures of one attack, in whole settlement units. */
export function record(attack: AttackId, figures: Readonly<Record<string, bigint>>): void {
  recordQuote(
    attack,
    Object.fromEntries(Object.entries(figures).map(([name, amount]) => [name, amount * WHOLE])),
  );
}

/** Keeps the figures of one attack, in quote. A file each, so that runs side by side do not meet. */
export function recordQuote(attack: AttackId, figures: Readonly<Record<string, bigint>>): void {
  mkdirSync(FIGURES, { recursive: true });
  const texts = Object.entries(figures).map(([name, amount]) => [name, amount.toString()]);
  const text = JSON.stringify(Object.fromEntries(texts), undefined, 2);
  writeFileSync(join(FIGURES, `${attack}.json`), `${text}\n`);
}
