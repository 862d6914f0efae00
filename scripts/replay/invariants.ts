/** Which invariants a replay checks, in words, and what came of it. */

import type { InvariantId } from "../lib/audit/violation.js";
import type { InvariantRecord } from "./record.js";

export type CheckedId = InvariantId | "INV-9" | "INV-16";

/** Checked after every block. */
const EVERY_BLOCK: Readonly<Record<InvariantId, string>> = {
  "INV-1": "Tokens held, plus what is still missing, are exactly what is owed to all accounts.",
  "INV-2": "Lots long equal lots short.",
  "INV-3": "Trades, funding and haircuts only move money; nothing leaves but fees.",
  "INV-4": "A cohort is its members and the fractions of lots that they left in it.",
  "INV-5": "Best bid below best ask; every level is the sum of its orders, first in first out.",
  "INV-6":
    "Nobody loses by what others do, except by fees, funding, liquidation and haircuts as stated.",
  "INV-7": "An account closed in a deleveraging is flat; one that was insolvent ends at zero.",
  "INV-8":
    "Winners pay only after the fund; lots go in the order of the queue; what is taken is what is missing.",
  "INV-10": "The fund is never negative and never pays more than its budgets.",
  "INV-12": "Nobody who grew by a fill is left without the margin for it.",
  "INV-13": "A lot gives no more than its own price profit, unless the event says so.",
  "INV-14": "The base of a haircut is the profit before the event, and shares are in proportion.",
  "INV-15": "A forced sale never lowers equity over maintenance margin.",
  markets: "An account knows every market in which it has a position, an order or fresh profit.",
  custody: "The vault holds at least what it accounts for, its queue included.",
  events: "The state rebuilt from events alone is the state in storage, word for word.",
};

/** Checked when the run ends. */
const AT_THE_END: Readonly<Record<"INV-9" | "INV-16", string>> = {
  "INV-9": "An account without a position can withdraw all that it has.",
  "INV-16": "No account is left insolvent.",
};

export type Tally = {
  /** One more round of the checks of every block. */
  readonly checked: () => void;
  /** One check of an invariant that is not checked every block. */
  readonly checkedOnce: (id: "INV-9" | "INV-16") => void;
  readonly fail: (id: CheckedId, what: string) => void;
  readonly records: () => InvariantRecord[];
};

export function createTally(): Tally {
  let rounds = 0;
  const once = new Map<CheckedId, number>();
  const failures = new Map<CheckedId, string[]>();
  const record = (id: CheckedId, text: string, checks: number): InvariantRecord => ({
    id,
    text,
    checks,
    failures: failures.get(id) ?? [],
  });
  return {
    checked: () => (rounds += 1),
    checkedOnce: (id) => once.set(id, (once.get(id) ?? 0) + 1),
    fail(id, what) {
      const known = failures.get(id);
      if (known === undefined) failures.set(id, [what]);
      else known.push(what);
    },
    records: () => [
      // The keys of a literal are exactly its own.
      ...(Object.keys(EVERY_BLOCK) as InvariantId[]).map((id) =>
        record(id, EVERY_BLOCK[id], rounds),
      ),
      ...(Object.keys(AT_THE_END) as ("INV-9" | "INV-16")[]).map((id) =>
        record(id, AT_THE_END[id], once.get(id) ?? 0),
      ),
    ],
  };
}
