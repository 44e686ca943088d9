import { xmlEscape as esc } from "../../src/base/xml-writer.js";
import {
  countsOf,
  isProblem,
  peerName,
  traceRows,
  VERDICTS,
  verdictText,
  type RunReport,
  type TraceRow,
} from "./report.js";
import { HTML_STYLE } from "./report-style.js";
import type { TestResult } from "./runner.js";

/** Groups of the plan, in words. */
const GROUPS: Readonly<Record<string, string>> = {
  link: "Link: frames and link answers",
  type: "Message types",
  payload: "Payload limits",
  rate: "Bit rate",
  reply: "Application replies",
  basic: "Basic DR",
  info: "Information",
  commodity: "Commodities",
  time: "Time",
  intermediate: "Intermediate DR",
  module: "The module's own duties",
  send: "What it makes of our answers",
  plug: "Hot plug and defaults",
  frames: "Everything it sent",
  answers: "Its link answers",
};

const MARKS: Readonly<Record<string, string>> = {
  C: "two or more independent sources agree",
  "1": "one source",
  I: "inferred",
  X: "sources disagree",
};

/** One page, nothing loaded from anywhere: summary, every test, and the trace of what did not pass. */
export function htmlReport(report: RunReport): string {
  const { results } = report;
  const counts = countsOf(results);
  const title = `Conformance of ${peerName(report.role)}`;
  // The worst first.
  const problems = VERDICTS.flatMap((verdict) =>
    results.filter((result) => result.verdict === verdict && isProblem(result)),
  );
  const overall = counts.fail > 0 ? "fail" : counts.pass > 0 ? "pass" : "inconclusive";
  const judgement =
    counts.fail > 0
      ? `${counts.fail} of ${results.length} failed`
      : counts.pass > 0
        ? "Nothing failed"
        : "Nothing could be judged";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${esc(title)}: ${esc(judgement)}</title>
<style>${HTML_STYLE}</style>
</head>
<body>
<header>
<p class="over">CTA-2045 conformance, openucm ${esc(report.version)}</p>
<h1>${esc(title)}</h1>
<p class="judgement ${overall}">${esc(judgement)}${report.isComplete ? "" : " (interrupted)"}</p>
<ul class="counts">${VERDICTS.filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `<li class="${verdict}"><b>${counts[verdict]}</b> ${verdictText(verdict)}</li>`)
    .join("")}</ul>
<dl>
<dt>Line</dt><dd>${esc(report.line)}</dd>
<dt>Begun</dt><dd><time datetime="${new Date(report.startedUtcMs).toISOString()}">${new Date(report.startedUtcMs).toISOString().replace("T", " ").slice(0, 19)} UTC</time></dd>
<dt>Took</dt><dd>${duration(report.durationMs)}</dd>
<dt>Weak sources</dt><dd>${report.strict ? "fail too (strict)" : "give advice, not failures"}</dd>
</dl>
</header>
<main>
${problems.length > 0 ? `<section aria-labelledby="findings"><h2 id="findings">Findings</h2>${problems.map(finding).join("\n")}</section>` : ""}
<section aria-labelledby="tests">
<h2 id="tests">All tests</h2>
${table(results)}
<p class="legend">Sources are sections of docs/protocol/cta2045.md; ${Object.entries(MARKS)
    .map(([mark, text]) => `[${mark}] ${text}`)
    .join(", ")}.</p>
</section>
</main>
</body>
</html>
`;
}

function duration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function badge(result: TestResult): string {
  return `<span class="badge ${result.verdict}">${verdictText(result.verdict)}</span>`;
}

function source({ test }: TestResult): string {
  return `<span title="${esc(MARKS[test.mark]!)}">${esc(test.section)} [${test.mark}]</span>`;
}

function finding(result: TestResult): string {
  const { test } = result;
  const { rows, left } = traceRows(result);
  const open = result.verdict === "fail" ? " open" : "";
  return `<details id="${esc(test.id)}" class="finding ${result.verdict}"${open}>
<summary>${badge(result)} <code>${esc(test.id)}</code> <span class="reason">${esc(result.reason)}</span></summary>
<p class="requirement">${esc(test.requirement)} <span class="source">Source: ${source(result)}</span></p>
${rows.length > 0 ? trace(rows) : '<p class="none">Nothing crossed the line.</p>'}
${left > 0 ? `<p class="none">… and ${left} more</p>` : ""}
</details>`;
}

function trace(rows: readonly TraceRow[]): string {
  const body = rows
    .map((row) => {
      if (row.who === "note") {
        return `<tr class="note"><td class="num">${row.time}</td><td colspan="4">${esc(row.meaning)}</td></tr>`;
      }
      const kind = row.kind === "noise" ? " noise" : "";
      const remark = row.remark === "" ? "" : ` <span class="remark">${esc(row.remark)}</span>`;
      return `<tr class="${row.who}${kind}${row.isShown ? " shown" : ""}"><td class="num">${row.time}</td><td class="num gap">${row.gap}</td><td class="who">${row.who === "we" ? "we →" : "← peer"}</td><td class="bytes">${row.hex}</td><td>${esc(row.meaning)}${remark}</td></tr>`;
    })
    .join("\n");
  return `<div class="scroll" tabindex="0"><table class="trace">
<thead><tr><th class="num">Time, s</th><th class="num">Silence, ms</th><th>Who</th><th>Bytes</th><th>Meaning</th></tr></thead>
<tbody>
${body}
</tbody></table></div>`;
}

function table(results: readonly TestResult[]): string {
  let group = "";
  const rows: string[] = [];
  for (const result of results) {
    const { test } = result;
    const own = test.id.split(".")[0]!;
    if (own !== group) {
      group = own;
      rows.push(`<tr class="group"><th colspan="4" scope="rowgroup">${esc(GROUPS[own] ?? own)}</th></tr>`);
    }
    const id = isProblem(result) ? `<a href="#${esc(test.id)}">${esc(test.id)}</a>` : esc(test.id);
    rows.push(
      `<tr><td>${badge(result)}</td><td><code>${id}</code></td><td><span class="requirement">${esc(test.requirement)}</span><span class="reason">${esc(result.reason)}</span></td><td class="source">${source(result)}</td></tr>`,
    );
  }
  return `<div class="scroll"><table class="tests">
<thead><tr><th>Verdict</th><th>Test</th><th>Requirement, and what was seen</th><th>Source</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></div>`;
}
