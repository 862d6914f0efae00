import { resolve } from "node:path";
import { ROWS } from "./attack-rows.js";

/*
 * The attacks of docs/risk.md: what each is, what guards against it, and where it is played. Figures come from the tests, which record them
 * by name; `{name}` stands for one.
 */

/** Where the tests put their figures, a file for each attack. */
export const FIGURES = resolve(import.meta.dirname, "../../out/attacks");

export type Attack = {
  readonly id: AttackId;
  readonly attack: string;
  readonly guard: string;
  /** What it brings with the guard at its loosest bound, or without it. */
  readonly control: string;
  /** What it brings by default; bold if it pays. */
  readonly found: string;
  /** File in test/attacks, without its ending. */
  readonly test: string;
};

export type AttackId = (typeof ROWS)[number][0];

export const ATTACKS: readonly Attack[] = ROWS.map(([id, attack, guard, control, found, test]) => ({
  id,
  attack,
  guard,
  control,
  found,
  test,
}));
