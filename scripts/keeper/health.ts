import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { EVENTS } from "./log.js";
import type { Event, Log } from "./log.js";

/* What a supervisor asks: does it live, does it work, how much has happened. Asking changes nothing. */

export type Health = {
  /** Counts and passes on. */
  readonly log: Log;
  readonly answer: (path: string) => { readonly status: number; readonly text: string };
};

export type HealthParts = {
  readonly log: Log;
  /** Milliseconds. */
  readonly now: () => number;
  /** Milliseconds without a round that was done, after which it is not ready. */
  readonly patience: number;
};

export function createHealth({ log, now, patience }: HealthParts): Health {
  const counts = new Map<Event, number>();
  let lastRound: number | undefined;
  const isReady = () => lastRound !== undefined && now() - lastRound <= patience;
  return {
    log(event, context) {
      counts.set(event, (counts.get(event) ?? 0) + 1);
      if (event === "tick.done") lastRound = now();
      log(event, context);
    },
    answer(path) {
      if (path === "/livez") return { status: 200, text: "lives\n" };
      if (path === "/readyz") {
        return isReady() ? { status: 200, text: "works\n" } : { status: 503, text: "no round\n" };
      }
      if (path === "/metrics") return { status: 200, text: metrics(counts, isReady()) };
      return { status: 404, text: "livez, readyz, metrics\n" };
    },
  };
}

/** In the text format of Prometheus; every event has its counter from the start. */
function metrics(counts: ReadonlyMap<Event, number>, isReady: boolean): string {
  // The names are the keys of the table.
  const events = Object.keys(EVENTS) as Event[];
  const lines = events.map(
    (event) => `ballast_keeper_events_total{event="${event}"} ${counts.get(event) ?? 0}`,
  );
  return [
    "# TYPE ballast_keeper_ready gauge",
    `ballast_keeper_ready ${isReady ? 1 : 0}`,
    "# TYPE ballast_keeper_events_total counter",
    ...lines,
    "",
  ].join("\n");
}

/** Answers on this machine only. */
export async function serveHealth(
  health: Health,
  port: number,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = createServer((request, response) => {
    const { status, text } = health.answer(request.url ?? "/");
    response.writeHead(status, { "content-type": "text/plain" }).end(text);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address() as AddressInfo; // It listens on a port.
  return { port: address.port, close: () => server.close() };
}
