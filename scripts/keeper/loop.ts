import type { Log } from "./log.js";

export type LoopParts = {
  readonly tick: () => Promise<unknown>;
  readonly log: Log;
  /** Milliseconds between the beginnings of two rounds; a round that takes longer is followed at once. */
  readonly interval: number;
  readonly isStopping: () => boolean;
  /** Ends early when the process is asked to stop. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly now: () => number;
};

/** Round after round until asked to stop. A round that fails is one line. */
export async function runLoop(parts: LoopParts): Promise<void> {
  const { tick, log, interval, isStopping, sleep, now } = parts;
  while (!isStopping()) {
    const began = now();
    try {
      await tick();
    } catch (error) {
      log("tick.failed", { reason: error instanceof Error ? error.name : "unknown" });
    }
    const left = began + interval - now();
    if (left > 0 && !isStopping()) await sleep(left);
  }
}
