import { pino } from "pino";
import type { DestinationStream, Level } from "pino";

/** Every line that the keeper can write, with its level and its meaning. docs/keeper.md shows this table. */
export const EVENTS = {
  "keeper.started": ["info", "Configuration as used, without secrets"],
  "keeper.stopping": ["info", "A signal came; what is in flight is finished"],
  "keeper.stopped": ["info", "The end; `clean` is false if a transaction's fate is unknown"],
  "keeper.failed": ["fatal", "Cannot start: what is wrong with configuration, key or chain"],
  "tick.done": ["info", "One round: block, decisions and transactions by kind, skips by reason"],
  "tick.failed": ["error", "A round ended early; the next begins as usual"],
  "tick.bounded": ["warn", "More work than one round may send; the safest waits"],
  "action.simulated": ["info", "Dry run: what would have been sent"],
  "action.rejected": ["warn", "The simulation reverted, with the contract's error"],
  "action.idle": ["debug", "The simulation did nothing, so it was not sent"],
  "action.split": ["info", "A batch was too large or reverted; its halves are tried"],
  "action.failed": ["error", "Simulating or sending failed for a reason outside the contract"],
  "account.skipped": ["info", "A mined call left this account out, with the contract's reason"],
  "account.unreadable": [
    "warn",
    "The lens reverted for this account, which is left out of the round",
  ],
  "tx.sent": ["info", "Broadcast: hash, nonce, fees"],
  "tx.refused": ["warn", "The node did not take it: what it said, in a word"],
  "tx.replaced": ["warn", "Not mined in time; sent again with higher fees"],
  "tx.mined": ["info", "Mined and successful"],
  "tx.reverted": ["warn", "Mined and reverted: the state changed after the simulation"],
  "tx.dropped": ["error", "Given up: refused, too expensive, or not mined within all attempts"],
  "rpc.switched": ["warn", "Another provider is asked, with the reason"],
  "rpc.failed": ["error", "No provider answers as it should"],
} as const satisfies Record<string, readonly [Level, string]>;

export type Event = keyof typeof EVENTS;

/** Context of a line. Amounts are bigints and appear as decimal strings. */
export type Context = Readonly<Record<string, unknown>>;

export type Log = (event: Event, context?: Context) => void;

export function createLog(level: Level, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Written at once: the last lines before the process ends are the ones that matter.
  const logger = pino(options, destination ?? pino.destination({ dest: 1, sync: true }));
  return (event, context = {}) => {
    const [eventLevel] = EVENTS[event];
    logger[eventLevel]({ event, ...plain(context) });
  };
}

function plain(context: Context): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(context).map(([key, value]) => [key, plainValue(value)]),
  );
}

function plainValue(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value === "object" && value !== null) return plain({ ...value });
  return value;
}
