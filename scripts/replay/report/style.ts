/** The report's one style sheet. Colours are chosen to be told apart with any colour vision, on light and on dark. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1b1f24; --soft: #596170; --line: #e4e1d8; --edge: #cfcabd;
  --good: #0b6e4f; --good-paper: #e5f3ed; --bad: #a4262c; --bad-paper: #fbe9e7;
  --index: #1f5fa8; --mark: #c2700a; --event: #a4262c; --interest: #1f5fa8; --book: #0b7a6b; --queue: #a4262c;
  --fund: #0b7a6b; --haircut: #1f5fa8; --discount: #7d4fa8; --principal: #c2700a; --shortfall: #a4262c;
  --unpaid: #b4551d; --trader: #1f5fa8; --hedge: #c2700a; --even: #0b6e4f; --gas: #596170; --most: #1b1f24;
  --l0: #cfe0f1; --l1: #a9c9e6; --l2: #7fb0da; --l3: #5596cb; --l4: #327ab6; --l5: #1c5c98; --l6: #113f70; --l7: #082548;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --card: #1b1f25; --ink: #e9e6df; --soft: #a0a7b3; --line: #2c323b; --edge: #434b57;
    --good: #6fd3ac; --good-paper: #14302a; --bad: #ff9a8f; --bad-paper: #3a1e1e;
    --index: #6fb0f2; --mark: #f2a646; --event: #ff8a80; --interest: #6fb0f2; --book: #4fd0bd; --queue: #ff8a80;
    --fund: #4fd0bd; --haircut: #6fb0f2; --discount: #c39be8; --principal: #f2a646; --shortfall: #ff8a80;
    --unpaid: #f0935a; --trader: #6fb0f2; --hedge: #f2a646; --even: #6fd3ac; --gas: #a0a7b3; --most: #e9e6df;
    --l0: #1d3550; --l1: #244a70; --l2: #2c6193; --l3: #3a7cb8; --l4: #589ad4; --l5: #82b7e6; --l6: #b3d4f2; --l7: #e0effc;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1088px; margin: 0 auto; padding: 40px 24px 64px; }
header p.setting { margin: 0 0 6px; color: var(--soft); font-size: 14px; letter-spacing: .02em; }
h1 { margin: 0 0 10px; font-size: 34px; line-height: 1.15; letter-spacing: -.015em; text-wrap: balance; }
h2 { margin: 52px 0 14px; font-size: 22px; letter-spacing: -.01em; }
h3 { margin: 0 0 2px; font-size: 16px; }
p { margin: 0 0 12px; max-width: 74ch; }
header > p { color: var(--soft); }
.verdict { margin: 20px 0 0; padding: 14px 18px; border-radius: 10px; background: var(--good-paper); color: var(--good); font-weight: 600; font-size: 17px; max-width: none; }
.verdict.broken { background: var(--bad-paper); color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; margin: 20px 0 28px; padding: 0; list-style: none; }
.tiles li { padding: 14px 16px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
.tiles b { display: block; font-size: 25px; line-height: 1.2; letter-spacing: -.01em; }
.tiles span { display: block; font-size: 14px; font-weight: 600; }
.tiles small { display: block; color: var(--soft); font-size: 13px; line-height: 1.4; }
.figures { display: grid; grid-template-columns: repeat(2, 1fr); gap: 16px; align-items: start; }
figure { grid-column: 1 / -1; margin: 0; padding: 18px 20px 12px; border: 1px solid var(--line); border-radius: 12px; background: var(--card); min-width: 0; }
figure.half { grid-column: auto; height: 100%; display: flex; flex-direction: column; }
figure.half svg { margin-top: auto; }
figcaption { color: var(--soft); font-size: 14px; line-height: 1.45; margin-bottom: 10px; max-width: 92ch; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 6px; padding: 0; list-style: none; font-size: 13px; color: var(--soft); }
.legend li { display: flex; align-items: center; gap: 6px; }
.swatch { width: 12px; height: 12px; border-radius: 3px; background: var(--c); flex: none; }
.swatch.line { height: 3px; width: 18px; border-radius: 2px; }
.swatch.dot { border-radius: 50%; width: 9px; height: 9px; }
.nothing { color: var(--soft); margin: 20px 0; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg.narrow { display: none; }
svg text { font-size: 12px; fill: var(--soft); }
svg .unit { font-size: 12px; fill: var(--soft); }
svg .strip { font-size: 13px; font-weight: 600; fill: var(--ink); }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
.grid { stroke: var(--line); stroke-width: 1; } .axis { stroke: var(--edge); stroke-width: 1; }
.line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.dashed { stroke-dasharray: 5 5; } .fill { fill: var(--c); opacity: .12; }
.dot { fill: var(--c); stroke: var(--card); stroke-width: 1.5; } .small { stroke-width: 0; }
.mark { fill: var(--c); fill-opacity: .5; stroke: var(--c); stroke-width: 1; }
.bar { fill: var(--c); } .most { stroke: var(--c); stroke-width: 2.5; }
.gone { fill: var(--c); opacity: .22; } .kept { fill: var(--c); }
.c-index { --c: var(--index); } .c-mark { --c: var(--mark); } .c-event { --c: var(--event); } .c-interest { --c: var(--interest); }
.c-book { --c: var(--book); } .c-queue { --c: var(--queue); } .c-fund { --c: var(--fund); } .c-haircut { --c: var(--haircut); }
.c-discount { --c: var(--discount); } .c-principal { --c: var(--principal); } .c-shortfall { --c: var(--shortfall); }
.c-unpaid { --c: var(--unpaid); } .c-trader { --c: var(--trader); } .c-hedge { --c: var(--hedge); } .c-even { --c: var(--even); }
.c-gas { --c: var(--gas); } .c-most { --c: var(--most); }
.l-0 { --c: var(--l0); } .l-1 { --c: var(--l1); } .l-2 { --c: var(--l2); } .l-3 { --c: var(--l3); }
.l-4 { --c: var(--l4); } .l-5 { --c: var(--l5); } .l-6 { --c: var(--l6); } .l-7 { --c: var(--l7); }
.story { margin: 0; padding: 0; list-style: none; border-left: 2px solid var(--line); }
.story li { display: grid; grid-template-columns: 92px 1fr; gap: 12px; padding: 6px 0 6px 16px; }
.story time { font-weight: 600; white-space: nowrap; } .story p { margin: 0; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th, td { padding: 8px 14px; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 600; }
th:first-child, td:first-child, .words td, .words th { text-align: left; }
.words td:last-child { white-space: normal; }
.broken td { color: var(--bad); }
details { margin-top: 12px; } summary { cursor: pointer; color: var(--soft); font-size: 14px; padding: 6px 0; }
code { font: 14px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
@media (max-width: 760px) {
  main { padding: 24px 14px 48px; }
  h1 { font-size: 27px; } h2 { margin-top: 40px; }
  .tiles { grid-template-columns: repeat(2, 1fr); gap: 8px; } .tiles li { padding: 12px; } .tiles b { font-size: 21px; }
  .figures { grid-template-columns: 1fr; } figure { padding: 14px 12px 8px; }
  svg.narrow { display: block; } svg.wide { display: none; }
  .story li { grid-template-columns: 1fr; gap: 0; }
}
@media print { figure, .tiles li { break-inside: avoid; } }
`.trim();
