/** How far a run is, on stderr: one line that rewrites itself on a terminal, a plain line every tenth elsewhere. */

export type Progress = {
  /** Begins a part of the run that has `total` steps. */
  readonly begin: (title: string, total: number) => void;
  /** One more step is done; `detail` is shown beside it. */
  readonly advance: (detail?: string) => void;
  readonly end: () => void;
};

export type Output = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly write: (text: string) => unknown;
};

const BAR = 24;
const PLAIN_LINES = 10;
const REWRITE = "\r\u001b[K";

/** @param now Milliseconds; only ever shown, never recorded. */
export function createProgress(output: Output, now: () => number): Progress {
  let title = "";
  let [total, done, started] = [0, 0, 0];
  let isOpen = false;

  const seconds = (): string => `${((now() - started) / 1_000).toFixed(1)} s`;

  function end(): void {
    if (!isOpen) return;
    isOpen = false;
    output.write(`${output.isTTY ? REWRITE : ""}${title}: ${done} of ${total}, ${seconds()}\n`);
  }

  function begin(name: string, steps: number): void {
    end();
    [title, total, done, started, isOpen] = [name, steps, 0, now(), true];
  }

  function advance(detail = ""): void {
    done += 1;
    if (output.isTTY) {
      const full = total === 0 ? BAR : Math.round((done / total) * BAR);
      const bar = "█".repeat(Math.min(BAR, full)).padEnd(BAR, "░");
      const line = `${title} ${bar} ${done}/${total} ${detail}`;
      output.write(`${REWRITE}${line.slice(0, Math.max(20, (output.columns ?? 80) - 1))}`);
      return;
    }
    const tenth = (count: number): number => Math.floor((count * PLAIN_LINES) / Math.max(1, total));
    if (done < total && tenth(done) > tenth(done - 1)) {
      output.write(`${title}: ${done} of ${total} ${detail}`.trimEnd() + "\n");
    }
  }

  return { begin, advance, end };
}
