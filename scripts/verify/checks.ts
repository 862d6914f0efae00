import { propertiesChecked } from "./properties.js";

/* What there is to verify, and what it is to reach. */

export type Check = {
  readonly title: string;
  readonly command: string;
  /** Counts that say how much was done; the others are states that were reached. */
  readonly shown: readonly string[];
  readonly hasStates: boolean;
  readonly hasSeeds: boolean;
  /** Whether each run is a verdict on something of its own, of which the last counts, on whatever contracts. */
  readonly isVerdict?: true;
};

export type CheckName = "model" | "invariants" | "lemmas" | "input" | "planted" | "coverage";

export const CHECKS: Readonly<Record<CheckName, Check>> = {
  model: {
    title: "contracts against the reference model",
    command: "npm run verify:model -- [minutes]",
    shown: ["commands", "comparisons", "differences"],
    hasStates: true,
    hasSeeds: true,
  },
  invariants: {
    title: "stateful invariants in Solidity",
    command: "npm run verify:invariants -- [minutes]",
    shown: ["calls"],
    hasStates: true,
    hasSeeds: true,
  },
  lemmas: {
    title: "lemmas, proved for all inputs in their bounds",
    command: "npm run lemmas",
    shown: ["lemmas", "proved"],
    hasStates: false,
    hasSeeds: false,
  },
  input: {
    title: "bad input, from the ABI",
    command: "npm run verify:input",
    shown: ["cases", "functions"],
    hasStates: false,
    hasSeeds: false,
  },
  planted: {
    title: "planted mistakes",
    command: "npm run planted",
    shown: ["found", "missed"],
    hasStates: false,
    hasSeeds: false,
    isVerdict: true,
  },
  coverage: {
    title: "coverage of `npm test`",
    command: "npm run verify:coverage",
    shown: [
      "lines",
      "lines covered",
      "statements",
      "statements covered",
      "branches",
      "branches covered",
    ],
    hasStates: false,
    hasSeeds: false,
  },
};

export type Target = {
  readonly what: string;
  readonly target: { readonly text: string; readonly least: number };
  /** What is known without a run. */
  readonly known?: () => number;
  /** Where it is measured; by none of the checks if there is none. */
  readonly from?: CheckName;
  readonly count?: string;
};

const atLeast = (least: number) => ({ text: `at least ${least.toLocaleString("en")}`, least });

export const TARGETS: readonly Target[] = [
  {
    what: "named properties that a machine checks ([properties.md](properties.md))",
    target: atLeast(120),
    known: propertiesChecked,
  },
  {
    what: "operations against the model",
    target: atLeast(1_000_000),
    from: "model",
    count: "commands",
  },
  { what: "stateful calls", target: atLeast(25_000_000), from: "invariants", count: "calls" },
  {
    what: "deleveraging reached",
    target: atLeast(1_000),
    from: "invariants",
    count: "reached ADL",
  },
  {
    what: "empty fund reached",
    target: atLeast(500),
    from: "invariants",
    count: "reached an empty fund",
  },
  {
    what: "whole open interest closed",
    target: atLeast(200),
    from: "invariants",
    count: "reached all of a market",
  },
  { what: "lemmas proved", target: atLeast(60), from: "lemmas", count: "proved" },
  { what: "cases of bad input", target: atLeast(600), from: "input", count: "cases" },
  {
    what: "calls beside a coalition that owns a market",
    target: atLeast(5_000_000),
    from: "invariants",
    count: "calls",
  },
  { what: "planted mistakes found", target: atLeast(36), from: "planted", count: "found" },
  { what: "faults of keepers, 48 kinds with 25 seeds each", target: atLeast(1_200) },
  { what: "accounts in one crash", target: atLeast(10_000) },
];

/** In words, because there is nothing to count. */
export const MISSING: readonly string[] = [
  "Events that are stored and continued (`continueEvent`) are not in the reference model, nor in the stateful runs: those of a few accounts fit into one transaction. They have tests of their own (`test/ContinueEvent.ts`, `test/StoredEvent.ts`). Caps that grow are in the reference model, but not in the stateful runs.",
  "Known difference to the reference model (seed 17): an account's market counts as its own until it acts again, also when all its orders there are dead. While a jump waits there, at most `maxPending`, an account with a position elsewhere cannot withdraw; the model lets it.",
  "Coverage knows nothing of the conditions of loops, of `catch` clauses that were not needed, and of what is inside of assembly; and what a test runs it need not check.",
  "Loops over storage, signatures and the linked libraries as a whole are not proved, only driven: lemmas are about kernels of the arithmetic.",
  "The reference model shares the arithmetic of rationals and the order of steps with its author's reading of the design; a mistake of the design is in both.",
  "Tokens that take a fee or change balances are refused, and what an upgradeable token may become is not.",
];
