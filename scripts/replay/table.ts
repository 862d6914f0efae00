/** The end of a run on the console: what happened, in aligned columns. */

import { sum } from "../lib/units.js";
import {
  baseNumber,
  integer,
  money,
  percent,
  percentOf,
  plural,
  price,
  shortNumber,
} from "./figures.js";
import type { Metrics } from "./metrics.js";
import type { RunRecord } from "./record.js";

type Row = readonly [name: string, value: string, note?: string];
type Section = { readonly title: string; readonly rows: readonly Row[] };

/** Cohorts listed at most; the report has them all. */
const COHORTS_SHOWN = 12;

export function renderTable(record: RunRecord, metrics: Metrics): string {
  const sections = [
    summaryOf(record, metrics),
    waterfallOf(metrics),
    winnersOf(metrics),
    gasOf(metrics),
    invariantsOf(record),
  ];
  const blocks = sections.map((section) => renderSection(section));
  blocks.splice(3, 0, renderCohorts(record, metrics));
  const { setting } = record;
  const head = `${setting.title}\n${setting.rule}, seed ${setting.seed}, ${setting.accountsPerSide} accounts a side`;
  return `${[head, ...blocks].join("\n\n")}\n`;
}

function summaryOf(
  { steps }: RunRecord,
  { openInterest, liquidated, adl, envelope, secondsToSolvency }: Metrics,
): Section {
  const [first, last] = [steps[0], steps.at(-1)];
  return {
    title: "Market",
    rows: [
      [
        "worst move",
        percent(envelope.worst),
        `in ${envelope.seconds} s: ${envelope.times.toFixed(1)} times the ${percent(envelope.stated)} that the market was listed for`,
      ],
      ["open interest at the start", money(openInterest)],
      [
        "left at the end",
        percentOf(last?.openInterest ?? 0n, first?.openInterest ?? 0n),
        "of the lots",
      ],
      [
        "forced sales into the book",
        plural(liquidated.sales, "sale"),
        `${plural(liquidated.accounts, "account")}, ${money(liquidated.notional)}`,
      ],
      [
        "deleveragings",
        plural(adl.events, "event"),
        `${plural(adl.closedAccounts, "account")} closed`,
      ],
      [
        "closed in the queue",
        percent(adl.ofSide),
        `of the cut side; ${percent(adl.ofForced)} of all forced sales`,
      ],
      [
        "longest until solvent",
        secondsToSolvency === undefined ? "not reached" : `${secondsToSolvency} s`,
      ],
    ],
  };
}

function waterfallOf({ money: paid, fund, openInterest }: Metrics): Section {
  return {
    title: "Who paid",
    rows: [
      ["deficit", money(paid.deficit), `${percentOf(paid.deficit, openInterest)} of open interest`],
      [
        "the fund",
        money(paid.fundPaid),
        `${money(fund.start)} before, ${money(fund.end)} at the end`,
      ],
      ["the winners", money(paid.taken), `needed from them: ${money(paid.needed)}`],
      ["still missing", money(paid.shortfall), "bad debt"],
      [
        "overshoot",
        paid.overshoot === 0n ? "0" : money(paid.overshoot),
        "taken beyond what was needed",
      ],
      ...paid.markedOut.map(({ minutes, overshoot }): Row => [
        `  marked out after ${minutes} min`,
        money(overshoot),
        overshoot < 0n ? "being cut was worth more than holding" : "",
      ]),
    ],
  };
}

function winnersOf({ haircut, profitToDeficit }: Metrics): Section {
  return {
    title: "Haircut of profit",
    rows: [
      [
        "mean over accounts in profit",
        percent(haircut.mean),
        `${percent(haircut.even)} if all gave the same share`,
      ],
      ["largest", percent(haircut.largest)],
      [
        "accounts touched",
        integer(haircut.touched),
        `${haircut.closedFully} closed fully; ${haircut.hedgesCut} of ${haircut.hedges} hedges cut`,
      ],
      ["Gini of what was taken", haircut.gini.toFixed(3)],
      [
        "largest profit left",
        profitToDeficit === undefined ? "–" : `${profitToDeficit.toFixed(2)} deficits`,
      ],
      ...haircut.byLeverage.map((group): Row => [
        `  at ${group.name}`,
        percent(group.share),
        `largest ${percent(group.largest)}, ${group.touched} of ${plural(group.accounts, "account")} touched`,
      ]),
    ],
  };
}

function gasOf({ gas }: Metrics): Section {
  return {
    title: "Gas",
    rows: [
      ["transactions of the crash", integer(gas.transactions), `${shortNumber(gas.total)} gas`],
      [
        "a deleveraging, mean",
        shortNumber(gas.meanPerEvent),
        `largest ${shortNumber(gas.largestEvent)}`,
      ],
      ["cohorts cut in one, mean", gas.meanCohorts.toFixed(1), `largest ${gas.largestCohorts}`],
    ],
  };
}

function invariantsOf({ invariants }: RunRecord): Section {
  return {
    title: "Invariants",
    rows: invariants.map(({ id, checks, failures, text }): Row => [
      id,
      failures.length === 0 ? "holds" : `BROKEN ${failures.length}×`,
      `${integer(checks)} checks: ${text}`,
    ]),
  };
}

function renderSection({ title, rows }: Section): string {
  const names = Math.max(...rows.map(([name]) => name.length), 0);
  const values = Math.max(...rows.map(([, value]) => value.length), 0);
  const lines = rows.map(([name, value, note = ""]) =>
    `  ${name.padEnd(names)}  ${value.padStart(values)}  ${note}`.trimEnd(),
  );
  return [title, ...lines].join("\n");
}

/** Positions closed in the queue, cohort by cohort, in the order in which they were first cut. */
function renderCohorts({ setting }: RunRecord, { adl }: Metrics): string {
  if (adl.cohorts.length === 0) return "Queue\n  nobody was cut";
  const header = ["side", "leverage", "entered at", "members", "size", "closed", "cuts"];
  const rows = adl.cohorts
    .slice(0, COHORTS_SHOWN)
    .map((cohort) => [
      cohort.side,
      `${cohort.leverage}×`,
      `${price(cohort.from, setting.scale)}–${price(cohort.to, setting.scale)}`,
      integer(cohort.members),
      shortNumber(baseNumber(cohort.lotsBefore, setting.scale)),
      percentOf(cohort.lots, cohort.lotsBefore),
      integer(cohort.events),
    ]);
  const widths = header.map((name, at) =>
    Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const lines = [header, ...rows].map((row) =>
    `  ${row.map((cell, at) => (at < 3 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  ")}`.trimEnd(),
  );
  const hidden = adl.cohorts.slice(COHORTS_SHOWN);
  const more =
    hidden.length === 0
      ? []
      : [
          `  … and ${plural(hidden.length, "cohort")} more with ${shortNumber(baseNumber(sum(hidden.map((one) => one.lots)), setting.scale))} closed`,
        ];
  return ["Queue, front first: who was closed", ...lines, ...more].join("\n");
}
