/** The look of the HTML report, light and dark, on paper too. */
export const HTML_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f5f6f4; --panel: #fff; --ink: #1c2421; --muted: #5b6762; --line: #dde2df;
  --pass: #0b6e4f; --fail: #a8201a; --advice: #8a5a00; --none: #5b6762; --we: #1d4e89;
  --we-soft: #1d4e890f; --fail-soft: #a8201a14; --advice-soft: #e0a1002b; --shown: #e0a10040;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #121715; --panel: #1a211e; --ink: #e7ece9; --muted: #9aa8a2; --line: #2d3733;
    --pass: #4fc79b; --fail: #ff8a80; --advice: #f0c36a; --none: #9aa8a2; --we: #8fbcf0;
    --we-soft: #8fbcf014; --fail-soft: #ff8a8020; --advice-soft: #f0c36a1c; --shown: #f0c36a38;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
header, main { max-width: 76rem; margin: 0 auto; padding: 0 1.2rem; }
header { padding-top: 1.6rem; }
.over { margin: 0; color: var(--muted); font-size: 0.85rem; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0.1rem 0 0.4rem; }
h2 { font-size: 1.05rem; margin: 2rem 0 0.6rem; }
.judgement { font-size: 1.1rem; font-weight: 600; margin: 0 0 0.6rem; }
.judgement.fail { color: var(--fail); }
.judgement.pass { color: var(--pass); }
.counts { list-style: none; display: flex; flex-wrap: wrap; gap: 0.4rem 1.4rem; padding: 0; margin: 0 0 0.9rem; }
.counts li { color: var(--none); }
.counts b { font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.counts .pass { color: var(--pass); }
.counts .fail { color: var(--fail); }
.counts .advice { color: var(--advice); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 1rem; margin: 0; font-size: 0.9rem; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
code, .bytes { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font-size: 0.87em; }
.badge {
  display: inline-block; min-width: 6.9em; padding: 0.05rem 0.5rem; border-radius: 999px; text-align: center;
  font-size: 0.76rem; font-weight: 600; white-space: nowrap; border: 1px solid currentColor; color: var(--none);
}
.badge.pass { color: var(--pass); }
.badge.fail { color: var(--panel); background: var(--fail); border-color: var(--fail); }
.badge.advice { color: var(--advice); background: var(--advice-soft); }
.finding { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; margin: 0 0 0.7rem; overflow: hidden; }
.finding.fail { border-left: 4px solid var(--fail); }
.finding.advice { border-left: 4px solid var(--advice); }
.finding summary { display: flex; flex-wrap: wrap; gap: 0.2rem 0.7rem; align-items: baseline; padding: 0.55rem 0.8rem; cursor: pointer; }
.finding summary::after { content: "Show trace"; margin-left: auto; color: var(--muted); font-size: 0.82rem; }
.finding[open] summary::after { content: "Hide trace"; }
.finding summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--we); outline-offset: -2px; }
.finding summary:hover { background: var(--we-soft); }
.finding summary .reason { font-weight: 600; }
.finding summary code { color: var(--muted); }
.finding > p { margin: 0; padding: 0 0.8rem 0.6rem; }
.finding .requirement { color: var(--muted); font-size: 0.9rem; }
.finding .source { white-space: nowrap; }
.none { color: var(--muted); font-size: 0.9rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-size: 0.78rem; font-weight: 600; color: var(--muted); }
th, td { padding: 0.22rem 0.6rem; vertical-align: baseline; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.trace { border-top: 1px solid var(--line); font-size: 0.86rem; }
.finding .scroll { max-height: 34rem; overflow: auto; }
.trace th { padding-top: 0.4rem; white-space: nowrap; position: sticky; top: 0; background: var(--panel); }
.trace td { border-top: 1px solid var(--line); }
.trace td:first-child, .trace th:first-child { padding-left: 0.8rem; }
.trace .gap { color: var(--muted); }
.trace .who { white-space: nowrap; font-weight: 600; color: var(--muted); }
.trace .we td { background: var(--we-soft); }
.trace .we .who { color: var(--we); }
.trace .bytes { font-size: 0.92em; max-width: 27em; min-width: 12em; }
.trace .noise td { background: var(--fail-soft); }
.trace .noise .bytes { color: var(--fail); }
.trace .shown td { background: var(--shown); }
.trace .note td { color: var(--muted); font-style: italic; }
.remark { color: var(--advice); white-space: nowrap; }
.remark::before { content: "· "; }
.tests { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; border-collapse: separate; border-spacing: 0; }
.tests th, .tests td { padding: 0.4rem 0.8rem; }
.tests td { border-top: 1px solid var(--line); }
.tests .group th { border-top: 1px solid var(--line); padding-top: 0.9rem; font-size: 0.9rem; color: var(--ink); }
.tests td:nth-child(2) { white-space: nowrap; }
.tests .reason { display: block; color: var(--muted); font-size: 0.88rem; }
.tests .source { white-space: nowrap; color: var(--muted); font-size: 0.85rem; }
a { color: inherit; }
.legend { color: var(--muted); font-size: 0.85rem; margin: 0.8rem 0 2.5rem; }
@media (max-width: 40rem) {
  .tests, .tests tbody, .tests tr, .tests td, .tests th { display: block; width: auto; }
  .tests thead { display: none; }
  .tests td { border: 0; padding: 0.1rem 0.8rem; }
  .tests tr { border-top: 1px solid var(--line); padding: 0.5rem 0; }
  .tests .group { padding: 0; border-top: 0; }
  .trace th, .trace td { padding: 0.2rem 0.4rem; }
}
@media print {
  :root { --paper: #fff; }
  .scroll, .finding .scroll { overflow: visible; max-height: none; }
  .finding summary::after { content: none; }
  .finding { break-inside: avoid-page; }
}
`;
