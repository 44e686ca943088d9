import type { Verdict } from "./plan.js";
import { countsText, isProblem, peerName, traceRows, type RunReport } from "./report.js";
import type { TestResult } from "./runner.js";

const SIGNS: Readonly<Record<Verdict, string>> = {
  pass: "pass",
  fail: "FAIL",
  advice: "advice",
  inconclusive: "?",
  "not-applicable": "n/a",
};

/** A result in one line. */
export function resultLine({ test, verdict, reason }: TestResult): string {
  return `${SIGNS[verdict].padEnd(6)} ${test.id.padEnd(25)} ${reason}`;
}

/** What was not passed, with its requirement and trace. */
export function resultDetail(result: TestResult): string {
  const { test } = result;
  const { rows, left } = traceRows(result);
  const lines = [
    resultLine(result),
    `       ${test.requirement}`,
    `       source: section ${test.section} [${test.mark}]`,
  ];
  const widest = Math.min(
    60,
    rows.reduce((most, row) => Math.max(most, row.hex.length), 0),
  );
  for (const row of rows) {
    const arrow = row.who === "we" ? "we  →" : row.who === "peer" ? "peer ←" : "     ·";
    const gap = row.gap === "" ? "" : `+${row.gap}`;
    const remark = row.remark === "" ? "" : `   (${row.remark})`;
    lines.push(
      `     ${row.isShown ? ">" : " "} ${row.time.padStart(8)} ${gap.padStart(6)}  ${arrow.padEnd(6)} ${row.hex.padEnd(widest)}  ${row.meaning}${remark}`,
    );
  }
  if (left > 0) lines.push(`       … and ${left} more`);
  return lines.join("\n");
}

/** The whole report as text. */
export function textReport(report: RunReport): string {
  const { results, role } = report;
  const problems = results.filter(isProblem);
  return [
    `Conformance of ${peerName(role)} on ${report.line}`,
    `${new Date(report.startedUtcMs).toISOString()}, openucm ${report.version}${report.strict ? ", strict" : ""}`,
    "",
    ...results.map(resultLine),
    ...(problems.length > 0 ? ["", "Details (time in s, silence before in ms)", ""] : []),
    ...problems.flatMap((result) => [resultDetail(result), ""]),
    `${countsText(results)}${report.isComplete ? "" : "; interrupted"}`,
    "",
  ].join("\n");
}
