import { XmlWriter, xmlEscape } from "../../src/base/xml-writer.js";
import { peerName, type RunReport } from "./report.js";
import { resultDetail } from "./report-text.js";
import type { TestResult } from "./runner.js";

/** Seconds with three decimals, as JUnit has times. */
function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(3);
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${xmlEscape(String(value))}"`)
    .join("");
}

/**
 * JUnit XML: a suite per group of the plan. What is neither passed nor failed is `skipped`, with the verdict at
 * the head of its message: JUnit knows no more.
 */
export function junitReport(report: RunReport): string {
  const groups = new Map<string, TestResult[]>();
  for (const result of report.results) {
    const group = result.test.id.split(".")[0]!;
    groups.set(group, [...(groups.get(group) ?? []), result]);
  }
  const numbers = (results: readonly TestResult[]): Record<string, string | number> => ({
    tests: results.length,
    failures: results.filter(({ verdict }) => verdict === "fail").length,
    errors: 0,
    skipped: results.filter(({ verdict }) => verdict !== "fail" && verdict !== "pass").length,
    time: seconds(results.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)),
  });
  const xml = new XmlWriter('<?xml version="1.0" encoding="UTF-8"?>\n');
  const name = `CTA-2045 conformance of ${peerName(report.role)}`;
  xml.open("testsuites", attributes({ name, ...numbers(report.results) }));
  for (const [group, results] of groups) {
    const timestamp = new Date(report.startedUtcMs + results[0]!.startMs).toISOString().slice(0, 19);
    xml.open("testsuite", attributes({ name: group, timestamp, ...numbers(results) }));
    for (const result of results) testCase(xml, result);
    xml.close();
  }
  return `${xml.done()}\n`;
}

function testCase(xml: XmlWriter, result: TestResult): void {
  const { test, verdict, reason, startMs, endMs } = result;
  xml.open(
    "testcase",
    attributes({
      classname: `conformance.${test.id.split(".")[0]!}`,
      name: test.id,
      time: seconds(endMs - startMs),
    }),
  );
  if (verdict === "fail") {
    xml.open("failure", attributes({ message: reason, type: `section ${test.section} [${test.mark}]` }));
    xml.close();
  } else if (verdict !== "pass") {
    xml.open("skipped", attributes({ message: `${verdict}: ${reason}` }));
    xml.close();
  }
  xml.leaf("system-out", verdict === "pass" || verdict === "not-applicable" ? reason : resultDetail(result));
  xml.close();
}
