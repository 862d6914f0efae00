/** Names of protocol invariants that can be checked from state and log, and of checks that stand beside them. */
export type InvariantId =
  | "INV-1"
  | "INV-2"
  | "INV-3"
  | "INV-4"
  | "INV-5"
  | "INV-6"
  | "INV-7"
  | "INV-8"
  | "INV-10"
  | "INV-12"
  | "INV-13"
  | "INV-14"
  | "INV-15"
  | "custody"
  | "markets"
  | "events";

/** Something that must not be. */
export type Violation = {
  readonly id: InvariantId;
  /** What, in one clause. */
  readonly what: string;
  /** Where, and the numbers that do not agree. */
  readonly numbers: Readonly<Record<string, bigint | number | string>>;
};

/** Collects violations; a check that holds costs nothing. */
export type Findings = {
  readonly list: Violation[];
  check(holds: boolean, id: InvariantId, finding: () => Omit<Violation, "id">): void;
};

export function createFindings(): Findings {
  const list: Violation[] = [];
  return {
    list,
    check(holds, id, finding) {
      if (!holds) list.push({ id, ...finding() });
    },
  };
}

export function describeViolation({ id, what, numbers }: Violation): string {
  const shown = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
  return `${id}: ${what} (${shown.join(", ")})`;
}
