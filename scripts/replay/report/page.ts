/** The report: one HTML file without scripts, fonts or anything else from elsewhere. */

import {
  integer,
  money,
  percent,
  percentOf,
  plural,
  price,
  shortMoney,
  shortNumber,
} from "../figures.js";
import { elapsed } from "../figures.js";
import type { Metrics } from "../metrics.js";
import { isWhole } from "../record.js";
import type { RunRecord } from "../record.js";
import { decileFigure, hazardFigure, leverageFigure, payersFigure } from "./bars.js";
import { gasFigure, queueFigure, winnersFigure } from "./clouds.js";
import { fundFigure, openInterestFigure, priceFigure } from "./courses.js";
import { renderFigure } from "./frame.js";
import type { Figure } from "./frame.js";
import { STYLE } from "./style.js";
import { escape } from "./svg.js";
import { story, summary, verdict } from "./words.js";

/** Every figure of the report, in its order. */
export function figuresOf(record: RunRecord, metrics: Metrics): readonly Figure[][] {
  return [
    [priceFigure(record), openInterestFigure(record)],
    [
      payersFigure(record),
      fundFigure(record, metrics),
      winnersFigure(metrics),
      leverageFigure(metrics),
      decileFigure(metrics),
    ],
    [queueFigure(record), hazardFigure(metrics), gasFigure(record)],
  ];
}

export function renderReport(record: RunRecord, metrics: Metrics): string {
  const { setting } = record;
  const [market = [], money_ = [], queue = []] = figuresOf(record, metrics);
  const figures = (list: readonly Figure[]): string =>
    `<div class="figures">\n${list.map(renderFigure).join("\n")}\n</div>`;
  const origin = setting.candles === undefined ? "" : `, candles of ${setting.candles}`;
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(setting.title)} · Ballast</title>
<style>
${STYLE}
</style>
</head>
<body>
<main>
<header>
<p class="setting">Ballast crash replay · ${escape(setting.rule)} · seed ${setting.seed} · ${plural(setting.accountsPerSide * 2, "account")}${escape(origin)}</p>
<h1>${escape(setting.title)}</h1>
<p>${escape(setting.description)}</p>
<p class="verdict${isWhole(record) ? "" : " broken"}">${escape(verdict(record, metrics))}</p>
</header>
${tiles(metrics)}
${summary(record, metrics)
  .map((paragraph) => `<p>${escape(paragraph)}</p>`)
  .join("\n")}
<h2>The market</h2>
${figures(market)}
${renderStory(record)}
<h2>The money</h2>
<p>When an account loses more than its margin, somebody else's profit is not there. The fund pays first, within its budgets; the rest is taken from those who are in profit.</p>
${figures(money_)}
<h2>The contracts</h2>
<p>Every contract that is closed by force needs someone on the other side. What the book does not take is closed against the queue: highest return on committed margin first.</p>
${figures(queue)}
${eventsTable(record)}
<h2>What was checked</h2>
${invariantsTable(record)}
<h2>Settings</h2>
${settingsTable(record)}
</main>
</body>
</html>
`;
  // A number and its percent sign stay on one line.
  return page.replaceAll(" %", "\u00a0%");
}

type Tile = readonly [value: string, name: string, note: string];

function tiles({
  money: paid,
  openInterest,
  haircut,
  adl,
  liquidated,
  gas,
  secondsToSolvency,
  fund,
}: Metrics): string {
  const list: readonly Tile[] = [
    [
      shortMoney(paid.deficit),
      "missing",
      `${percentOf(paid.deficit, openInterest)} of open interest`,
    ],
    [shortMoney(paid.fundPaid), "paid by the fund", `of ${shortMoney(fund.start)} that it had`],
    [
      shortMoney(paid.taken),
      "taken from winners",
      `${percent(haircut.mean)} of profit on average, at most ${percent(haircut.largest)}`,
    ],
    [
      paid.overshoot === 0n ? "0" : shortMoney(paid.overshoot),
      "overshoot",
      "taken beyond what was missing",
    ],
    [
      percent(adl.ofSide),
      "closed in the queue",
      `of the side; ${percent(adl.ofForced)} of all forced sales`,
    ],
    [
      integer(liquidated.accounts),
      "liquidated into the book",
      liquidated.sales === 0
        ? "no account in time"
        : `${shortMoney(liquidated.notional)} in ${plural(liquidated.sales, "sale")}`,
    ],
    [
      secondsToSolvency === undefined ? "–" : `${secondsToSolvency} s`,
      "longest until solvent",
      secondsToSolvency === undefined
        ? "some accounts stayed insolvent"
        : "after a price, until no account was below zero",
    ],
    [
      shortNumber(gas.meanPerEvent),
      "gas per deleveraging",
      `${plural(gas.events, "event")}, ${gas.meanCohorts.toFixed(1)} cohorts cut on average`,
    ],
  ];
  const items = list.map(
    ([value, name, note]) =>
      `<li><b>${escape(value)}</b><span>${escape(name)}</span><small>${escape(note)}</small></li>`,
  );
  return `<ul class="tiles">${items.join("")}</ul>`;
}

function renderStory(record: RunRecord): string {
  const paragraphs = story(record);
  if (paragraphs.length === 0) return "";
  const items = paragraphs.map(
    ({ time, text }) => `<li><time>${escape(time)}</time><p>${escape(text)}</p></li>`,
  );
  return `<h2>Step by step</h2>\n<ol class="story">\n${items.join("\n")}\n</ol>`;
}

function eventsTable({ events, steps, setting }: RunRecord): string {
  if (events.length === 0) return "";
  const start = steps[0]?.time ?? 0;
  const head = [
    "time",
    "event",
    "closed",
    "mark",
    "missing",
    "fund",
    "winners",
    "of base",
    "book lots",
    "queue lots",
    "cohorts",
    "gas",
  ];
  const rows = events.map((event) => [
    elapsed(event.time - start),
    event.parent === 0 ? String(event.id) : `${event.id} (from ${event.parent})`,
    integer(event.named),
    price(event.mark, setting.scale),
    money(event.deficit),
    money(event.fundWithin + event.fundBeyond),
    money(event.haircut + event.discount + event.principal),
    percentOf(event.haircut, event.base),
    percentOf(event.bookLots, event.lots),
    percentOf(event.queueLots, event.lots),
    integer(event.cuts.length),
    integer(event.gas),
  ]);
  return `<details><summary>All ${plural(events.length, "receipt")}</summary>\n${table(head, rows)}\n</details>`;
}

function invariantsTable({ invariants }: RunRecord): string {
  const rows = invariants.map(({ id, text, checks, failures }) => {
    const broken = failures.length > 0;
    const what = broken ? `${text} Broken: ${failures.slice(0, 3).join("; ")}` : text;
    const cells = [id, broken ? "broken" : "holds", integer(checks), what];
    return `<tr${broken ? ' class="broken"' : ""}>${cells.map((cell) => `<td>${escape(cell)}</td>`).join("")}</tr>`;
  });
  return `<div class="scroll"><table class="words"><thead><tr><th>Rule</th><th>Result</th><th>Checks</th><th>What it says</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function settingsTable({ setting }: RunRecord): string {
  const rows = setting.parameters.map(({ name, value }) => [name, value]);
  return `<details><summary>${plural(rows.length, "parameter")} of the market</summary>\n${table(["parameter", "value"], rows)}\n</details>
<p>The same version, scenario and seed give the same report, byte for byte: <code>${escape(commandOf(setting))}</code></p>`;
}

function commandOf({ id, seed, rule, accountsPerSide, candles }: RunRecord["setting"]): string {
  const source = candles === undefined ? `--scenario ${id}` : `--candles ${candles}`;
  return `npm start -- ${source} --rule ${rule} --accounts ${accountsPerSide * 2} --seed ${seed}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("")}</tr>`;
  return `<div class="scroll"><table><thead>${cells(head, "th")}</thead><tbody>${rows.map((row) => cells(row, "td")).join("")}</tbody></table></div>`;
}
