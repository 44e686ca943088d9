import { writeFileSync } from "node:fs";
import type { ScenarioResult, StepResult } from "./run.js";

/** Writes a report by the ending of its name: `.xml` JUnit, `.html` a page that stands alone, `.json` the results. */
export function writeReport(path: string, results: readonly ScenarioResult[]): void {
  writeFileSync(path, reportText(path, results)!);
}

/** The report's text; undefined for an ending that is none. */
export function reportText(path: string, results: readonly ScenarioResult[]): string | undefined {
  switch (/\.[a-z]+$/i.exec(path)?.[0].toLowerCase()) {
    case ".xml":
      return junit(results);
    case ".html":
      return html(results);
    case ".json":
      return `${JSON.stringify(
        results.map(({ trace: _trace, ...rest }) => rest),
        null,
        2,
      )}\n`;
    default:
      return undefined;
  }
}

/** A test suite a scenario, a test case an expectation. */
function junit(results: readonly ScenarioResult[]): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  const cases = results.map((one) =>
    one.steps.filter((step) => step.isExpectation || step.outcome === "failed"),
  );
  const count = (list: readonly StepResult[], outcome: StepResult["outcome"]): number =>
    list.filter((step) => step.outcome === outcome).length;
  const all = cases.flat();
  lines.push(
    `<testsuites tests="${all.length}" failures="${count(all, "failed")}" skipped="${count(all, "skipped")}">`,
  );
  results.forEach((one, i) => {
    const own = cases[i]!;
    lines.push(
      `  <testsuite name="${escaped(one.name)}" tests="${own.length}" failures="${count(own, "failed")}" skipped="${count(own, "skipped")}" time="${(one.virtualMs / 1000).toFixed(3)}">`,
      `    <properties><property name="title" value="${escaped(one.title)}"/><property name="seed" value="${one.seed}"/></properties>`,
    );
    for (const step of own) {
      const head = `    <testcase classname="${escaped(one.name)}" name="${escaped(`${step.line === 0 ? "" : `line ${step.line}: `}${step.text}`)}"`;
      if (step.outcome === "passed") lines.push(`${head}/>`);
      else if (step.outcome === "skipped") lines.push(`${head}><skipped/></testcase>`);
      else lines.push(`${head}><failure message="${escaped(step.why)}"/></testcase>`);
    }
    lines.push("  </testsuite>");
  });
  lines.push("</testsuites>");
  return `${lines.join("\n")}\n`;
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:0}section{border-top:1px solid #ccd3dc;padding:1rem 0}
.passed{color:#17713a}.failed{color:#b3261e}.skipped{color:#5b6573}p{margin:.3rem 0}
table{border-collapse:collapse;width:100%;font-size:.9rem}td{padding:.15rem .5rem .15rem 0;vertical-align:top}
td:first-child,td:nth-child(2){white-space:nowrap;font-variant-numeric:tabular-nums}
ol{columns:2 22rem;padding-left:1.6rem;font-size:.9rem}li{break-inside:avoid}a{color:inherit}
svg{width:100%;height:90px;margin:.5rem 0}path{fill:none;stroke-width:1.5;vector-effect:non-scaling-stroke}
@media(prefers-color-scheme:dark){body{color:#e3e8ef;background:#14181d}section{border-color:#39424d}
.passed{color:#6fcf97}.failed{color:#ff8a80}.skipped{color:#9aa5b1}}`;

function html(results: readonly ScenarioResult[]): string {
  const failed = results.filter((one) => !one.passed).length;
  const sum = `${results.length - failed} passed, ${failed} failed`;
  const parts = results.map((one) => {
    const rows = one.steps.map((step) => {
      const mark = step.outcome === "passed" ? "✓" : step.outcome === "failed" ? "✗" : "–";
      const why = step.why === "" ? "" : `<br><b>${escaped(step.why)}</b>`;
      return `<tr class="${step.outcome}"><td>${mark} ${step.outcome}</td><td>${clock(step.atMs)}</td><td>${escaped(step.text)}${why}</td></tr>`;
    });
    const word = one.passed ? "passed" : "failed";
    return `<section id="${escaped(one.name)}"><h2><span class="${word}">${word}</span> ${escaped(one.title)}</h2>
<p><code>${escaped(one.name)}</code>, seed ${one.seed}, ${clock(one.virtualMs)} of the bench's time</p>
<p>${escaped(one.why)}</p>
${chart(one)}
<details${one.passed ? "" : " open"}><summary>${one.steps.length} steps</summary><table><tbody>${rows.join("\n")}</tbody></table></details></section>`;
  });
  // What failed stands first: nobody should have to look for it among what passed.
  const index = [...results]
    .sort((a, b) => Number(a.passed) - Number(b.passed))
    .map((one) => {
      const word = one.passed ? "passed" : "failed";
      return `<li><span class="${word}">${word}</span> <a href="#${escaped(one.name)}">${escaped(one.title)}</a></li>`;
    });
  const list = results.length > 1 ? `<ol>${index.join("\n")}</ol>\n` : "";
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Scenarios: ${sum}</title><style>${STYLE}</style></head><body><h1>Scenarios: ${sum}</h1>
${list}${parts.join("\n")}
</body></html>
`;
}

/** The charger's current, and what it allowed itself, over the time of the run. */
function chart({ samples, virtualMs }: ScenarioResult): string {
  if (samples.length === 0 || virtualMs === 0) return "";
  const most = Math.max(6, ...samples.map((one) => Math.max(one.currentA, one.limitA)));
  const x = (ms: number): string => ((ms / virtualMs) * 1000).toFixed(1);
  const y = (amperes: number): string => (88 - (amperes / most) * 84).toFixed(1);
  const line = (pick: "currentA" | "limitA"): string => {
    let path = "";
    let last: number | undefined;
    for (const one of samples) {
      const value = one[pick];
      if (value === last) continue;
      path += last === undefined ? `M${x(one.t)} ${y(value)}` : `H${x(one.t)}V${y(value)}`;
      last = value;
    }
    return `${path}H1000`;
  };
  return `<svg viewBox="0 0 1000 90" preserveAspectRatio="none" role="img" aria-label="Current and limit, 0 to ${most} A"><path d="${line("limitA")}" stroke="#8a94a0" stroke-dasharray="4 3"/><path d="${line("currentA")}" stroke="#2f6fde"/></svg>
<p><small>current (blue) and limit (dashed), 0 to ${most} A</small></p>`;
}

/** 1:02:03.456 of virtual time. */
function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  const rest = String(Math.floor(ms % 1000)).padStart(3, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${rest}`;
}

/** For XML and HTML; what neither may hold becomes a question mark. */
function escaped(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "?")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
