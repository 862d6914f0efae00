import { expect } from "chai";
import { measure } from "../../scripts/replay/metrics.js";
import { pathOfSteps } from "../../scripts/replay/path.js";
import { createPlan } from "../../scripts/replay/plan.js";
import { createProgress } from "../../scripts/replay/progress.js";
import { toJson } from "../../scripts/replay/record.js";
import type { RunRecord } from "../../scripts/replay/record.js";
import { figuresOf, renderReport } from "../../scripts/replay/report/page.js";
import { renderFigure } from "../../scripts/replay/report/frame.js";
import { verdict } from "../../scripts/replay/report/words.js";
import { HAND } from "./hand.js";
import { sampleRun } from "./sample.js";

function sample(seed: string): RunRecord {
  const { scenario } = createPlan({ seed, accounts: "120" });
  if (scenario.path.kind !== "steps") throw new Error("the flash crash has steps");
  return sampleRun(scenario, pathOfSteps(scenario.path));
}

const run = sample("1");
const report = renderReport(run, measure(run));

describe("renderReport", () => {
  it("gives the same bytes for the same run, and others for another", () => {
    const again = sample("1");
    expect(renderReport(again, measure(again))).to.equal(report);
    const other = sample("2");
    expect(renderReport(other, measure(other))).to.not.equal(report);
  });

  it("needs nothing from elsewhere", () => {
    expect(report).to.not.match(/https?:|\/\/[a-z]|<script|<link|<img|@import|url\(|src=/i);
  });

  it("says nothing of when it was made", () => {
    expect(report).to.not.include(String(new Date().getUTCFullYear()) + "-");
  });

  it("is well formed: every element is closed in its order", () => {
    const open: string[] = [];
    const voids = new Set(["meta", "br", "hr"]);
    for (const [, slash, name = "", , selfClosed] of report.matchAll(
      /<(\/?)([a-z][a-z0-9]*)((?:\s[^<>]*?)?)(\/?)>/g,
    )) {
      if (voids.has(name) || selfClosed === "/") continue;
      if (slash === "") open.push(name);
      else expect(open.pop(), `before </${name}>`).to.equal(name);
    }
    expect(open).to.deep.equal([]);
  });

  it("has no number that is none, and no id twice", () => {
    expect(report).to.not.match(/NaN|Infinity|undefined|\[object/);
    const ids = [...report.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it("refers to ids that are there", () => {
    for (const [, list = ""] of report.matchAll(/aria-labelledby="([^"]+)"/g)) {
      for (const id of list.split(" ")) expect(report).to.include(` id="${id}"`);
    }
  });

  for (const figure of figuresOf(run, measure(run)).flat()) {
    it(`plots data in "${figure.title}", at both widths, with axes and a caption`, () => {
      expect(figure.isEmpty).to.equal(undefined);
      const markup = renderFigure(figure);
      const drawings = markup.match(/<svg[\s\S]*?<\/svg>/g) ?? [];
      expect(drawings).to.have.length(2);
      for (const drawing of drawings) {
        expect(drawing).to.match(
          /<polyline class="line|<rect class="bar|<rect class="kept|<circle class="mark/,
        );
        expect(drawing).to.include('class="tick');
        expect(drawing).to.include("<title id=").and.include("<desc id=");
      }
      expect(figure.caption.length).to.be.greaterThan(40);
    });

    it(`keeps "${figure.title}" inside its picture`, () => {
      const size = { width: 358, height: 300, isNarrow: true };
      for (const [, name, value = ""] of figure
        .draw(size)
        .matchAll(/ (x|x1|x2|cx)="(-?[\d.]+)"/g)) {
        expect(Number(value), name).to.be.within(0, size.width);
      }
      for (const [, name, value = ""] of figure
        .draw(size)
        .matchAll(/ (y|y1|y2|cy)="(-?[\d.]+)"/g)) {
        expect(Number(value), name).to.be.within(0, size.height);
      }
    });
  }

  it("says so in place of a plot where there is nothing to plot", () => {
    const quiet: RunRecord = {
      ...HAND,
      events: [],
      losses: [],
      closed: [],
      liquidations: [],
      queue: [],
      transactions: [],
    };
    const text = renderReport(quiet, measure(quiet));
    expect(text)
      .to.include("Nothing was missing")
      .and.include("There was no deleveraging.")
      .and.include("The queue was empty.");
    expect(text).to.not.match(/NaN|Infinity|undefined/);
  });

  it("escapes what a scenario says", () => {
    const sly: RunRecord = { ...HAND, setting: { ...HAND.setting, title: '<script>"&' } };
    expect(renderReport(sly, measure(sly)))
      .to.include("&lt;script&gt;&quot;&amp;")
      .and.not.include("<script>");
  });
});

describe("verdict", () => {
  it("puts a broken invariant above everything else", () => {
    const broken: RunRecord = {
      ...HAND,
      invariants: [{ id: "INV-2", text: "x", checks: 1, failures: ["y"] }],
    };
    expect(verdict(broken, measure(broken))).to.match(/^An invariant broke/);
    expect(verdict(HAND, measure(HAND))).to.match(/^70\.00 was missing, 70\.00 was taken/);
  });
});

describe("toJson", () => {
  it("writes integers in full", () => {
    const { events } = JSON.parse(toJson(HAND)) as { events: { deficit: string }[] }; // what was just written
    expect(events[0]?.deficit).to.equal("50000000000000000000");
  });
});

describe("createProgress", () => {
  it("writes plain lines where there is no terminal: every tenth, and the end", () => {
    const lines: string[] = [];
    const progress = createProgress({ write: (text) => lines.push(text) }, () => 0);
    progress.begin("crash", 20);
    for (let step = 0; step < 20; step++) progress.advance(`step ${step}`);
    progress.end();
    expect(lines).to.have.length(10);
    expect(lines[0]).to.equal("crash: 2 of 20 step 1\n");
    expect(lines.at(-1)).to.equal("crash: 20 of 20, 0.0 s\n");
  });

  it("rewrites one line on a terminal and never a longer one", () => {
    let text = "";
    const progress = createProgress(
      { isTTY: true, columns: 40, write: (more) => (text += more) },
      () => 1_500,
    );
    progress.begin("crash", 2);
    progress.advance("a detail that is far too long for so narrow a terminal");
    progress.end();
    const [bar = ""] = text.split("\r\u001b[K").filter((line) => line !== "");
    expect(bar).to.have.length(39);
    expect(text.endsWith("crash: 1 of 2, 0.0 s\n")).to.equal(true);
  });
});
